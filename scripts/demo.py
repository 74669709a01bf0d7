"""`ape run demo`: a season of friends' markets on the matches of Euro 2024, hosted bets on the last of them, micro-bets
on a replay of the final, and six weeks of staked tickets, on chains inside this process."""

from pathlib import Path

import click
from ape.cli import ConnectedProviderCommand

from tessera.accounting.ledger import LedgerError
from tessera.demo import hosted, live, stakers, terminal
from tessera.demo.audit import AuditError
from tessera.demo.markets import BrokeError
from tessera.demo.play import SEED, play
from tessera.demo.report import hosted as hosted_report
from tessera.demo.report import live as live_report
from tessera.demo.report import stakers as stakers_report
from tessera.demo.report import write

REPORT = Path("demo-report")
FITS = 27  # from the last group games to the final: well under two minutes


@click.command(cls=ConnectedProviderCommand)
@click.option("--matches", default=FITS, show_default=True, type=click.IntRange(1, 51), help="The last so many.")
@click.option("--seed", default=SEED, show_default=True, help="Another seed, another season.")
@click.option("--report", default=REPORT, show_default=True, type=click.Path(path_type=Path), help="Folder to write.")
def cli(provider, matches, seed, report):
    """Play a season of friends' markets, an evening of hosted bets, micro-bets on a live stream and six weeks of staked
    tickets, check that every unit adds up, and write a report to look at."""
    if provider.network.name != "local" or provider.name != "test":
        raise click.UsageError("the demo sets the clock: it needs --network ethereum:local:test, the default")
    try:
        with terminal.Show() as show:
            played = play(provider.web3, matches, seed=seed, watcher=show)
            evening = hosted.play(watcher=show)
            replay = live.play(watcher=show)
            staked = stakers.play(watcher=show)
    except (AuditError, LedgerError) as error:
        raise click.ClickException(f"the demo does not add up:\n{error}") from error
    except BrokeError as error:
        raise click.ClickException(str(error)) from None
    terminal.summary(played)
    terminal.hosted_summary(evening)
    terminal.live_summary(replay)
    terminal.stakers_summary(staked)
    more = [*hosted_report.sections(evening), *live_report.sections(replay), *stakers_report.sections(staked)]
    page = write(played, report, more)
    terminal.done(page)
