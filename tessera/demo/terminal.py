"""The demo in a terminal: progress while it plays, then tables."""

from datetime import UTC, datetime
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from tessera.chain import EUR, WAD
from tessera.chain.staking_pool import USD
from tessera.demo import live_record
from tessera.demo.hosted_record import STATUSES, EveningPlayed, gains, hosted_bets
from tessera.demo.live_record import ReplayPlayed
from tessera.demo.plan import Ending
from tessera.demo.play import Played, Watcher
from tessera.demo.record import Game, by_information, price_brier
from tessera.demo.stakers_record import WeeksPlayed, events, people, weeks, yields
from tessera.local.chain import UNITS
from tessera.model.apy import ASSUMPTIONS

console = Console(highlight=False)


class Show(Watcher):
    """Says what happens above a progress bar."""

    def __enter__(self) -> "Show":
        self.bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console
        )
        self.task = self.bar.add_task("", total=None)
        self.bar.start()
        return self

    def __exit__(self, *_) -> None:
        self.bar.stop()

    def stage(self, text: str) -> None:
        self.bar.console.print(Text(text, "bold"))
        self.bar.update(self.task, description=text, total=None)

    def step(self, done: int, of: int, at: int) -> None:
        day = datetime.fromtimestamp(at, UTC).strftime("%a %d %b %Y")
        self.bar.update(self.task, description=day, total=of, completed=done)

    def tell(self, text: str) -> None:
        self.bar.console.print(Text("  " + text, "dim" if "→" in text else ""))


def summary(played: Played) -> None:
    """Tables of friends and markets, what it means, and that it adds up; 80 columns are enough."""
    friends = _table(
        "Friends, in EUR", "friend", "bets", "stake", "payout", "as bettor", "as creator", "together", "Brier"
    )
    for person in played.record.standings:
        friends.add_row(
            person.name,
            str(person.bets),
            f"{person.staked / EUR:.2f}",
            f"{person.paid / EUR:.2f}",
            _signed(person.gain),
            _signed(person.creator_gain),
            _signed(person.total),
            "" if person.brier is None else f"{person.brier:.3f}",
        )
    markets = _table("Markets: does the team in bold win?", "match", "p0", "bets", "outcome", "how", "creator", "gain")
    for game in played.record.games:
        markets.add_row(*_market(game))
    console.print(markets)
    console.print(friends)
    console.print(
        "Brier: mean score of the probability at which a bet breaks even, stake over shares.\n"
        "0 is perfect, 0.250 is a coin. Markets that ended INVALID are left out.\n",
        style="dim",
    )
    for line in meaning(played):
        console.print(f"· {line}")
    console.print()
    for line in played.findings:
        console.print(Text("✓ ", "green") + Text(line))


def stakers_summary(played: WeeksPlayed) -> None:
    """Tables of weeks, events and people, the yearly figures with what they assume, and that it adds up."""
    table = _table("Staked tickets: each week's prize, in USDC", "week", "revenue", "P", "events", "buyback", "carried")
    for week in weeks(played):
        closed = week.closed
        amounts = (closed.revenue, closed.pool, closed.to_events, closed.buyback, closed.carried)
        table.add_row(f"{week.number}{' (late)' if week.late else ''}", *(f"{amount / USD:.2f}" for amount in amounts))
    console.print(table)
    table = _table("Events", "event", "weight", "outcome", "winners", "prize")
    for event in events(played):
        created = event.created
        prize = f"{event.prize / USD:.2f}"
        table.add_row(created.description, str(created.weight), event.outcome, str(len(event.paid)), prize)
    console.print(table)
    table = _table("Stakers", "staker", "staked", "paid back", "tickets", "BET", "prizes")
    for person in people(played):
        amounts = [
            " + ".join(f"{both[index] / UNITS[asset]:,.0f} {asset}" for asset, both in person.principal.items())
            for index in (0, 1)
        ]
        table.add_row(
            person.name, *amounts, f"{person.tickets:,}", f"{person.bet / WAD:,.0f}", f"{person.prizes / USD:.2f}"
        )
    console.print(table)
    apy1, apy1_net, apy2, _ = (f"{float(each) * 100:.2f} %" for each in yields(played))
    console.print(
        f"APY1 {apy1} from prizes ({apy1_net} net of the buyback), APY2 {apy2} from mining.\n"
        f"Assumed: {', '.join(ASSUMPTIONS)}.\n",
        style="dim",
    )
    for line in played.findings:
        console.print(Text("✓ ", "green") + Text(line))


def hosted_summary(played: EveningPlayed) -> None:
    """Tables of hosted bets, of what players were shown and of who gained, and that it adds up."""
    table = _table("Hosted bets, placed over WebSocket", "bet", "stakes", "EUR", "outcome")
    for line in hosted_bets(played):
        table.add_row(line.description, str(line.stakes), f"{line.staked / EUR:.2f}", line.outcome)
    console.print(table)
    table = _table("What players were shown, stakes", "when", *STATUSES)
    for when, counted in played.shown:
        table.add_row(when, *(str(counted[status]) for status in STATUSES))
    console.print(table)
    table = _table("Who gained, in EUR", "person", "staked", "paid", "commission or rest", "together")
    for person in gains(played):
        amounts = (f"{amount / EUR:.2f}" for amount in (person.staked, person.paid, person.earned))
        table.add_row(person.name, *amounts, _signed(person.gain))
    console.print(table)
    for line in played.findings:
        console.print(Text("✓ ", "green") + Text(line))


def live_summary(played: ReplayPlayed) -> None:
    """Tables of micro-bets: sessions with what they took on chain, old states that were answered, and that it adds
    up."""
    table = _table("Micro-bets on a replay", "player", "bets", "transactions", "gas", "ETH", "bets won", "together")
    for line in live_record.sessions(played):
        figures = (str(len(line.bets)), str(len(line.steps)), f"{line.gas:,}", f"{line.wei / WAD:.6f}")
        table.add_row(line.name, *figures, _signed(line.net), _signed(line.gain))
    console.print(table)
    table = _table("Old states, in EUR to the player", "session", "posted by", "would pay", "paid")
    for lie in live_record.lies(played):
        table.add_row(
            lie.name, lie.name if lie.by_player else "the house", f"{lie.wanted / EUR:.2f}", f"{lie.paid / EUR:.2f}"
        )
    console.print(table)
    for line in played.findings:
        console.print(Text("✓ ", "green") + Text(line))


def meaning(played: Played) -> list[str]:
    """What the season says about who pays whom, a sentence each."""
    record = played.record
    bets = [bet for _, bet in record.bets]
    lines = []
    if bets:
        cost = sum(bet.price_paid_for_moving for bet in bets) / len(bets)
        lines.append(
            f"Nobody takes a commission. A bet moves the price against itself: who knows no more than the price loses"
            f" {cost * 100:.1f} cents of a euro on average."
        )
    for kind, group in by_information(record).items():
        if group.count:
            lines.append(
                f"{group.count} bets {kind}: {group.expected * 100:+.1f} cents a euro by the ratings,"
                f" {group.realised * 100:+.1f} in fact."
            )
    creators = sum(game.creator_gain for game in record.games)
    lines.append(f"Creators are the book: together {_signed(creators)} EUR, at most 10 EUR lost on one market.")
    if scores := price_brier(record.games):
        lines.append(f"Brier score of first prices {scores[0]:.3f}, of prices at kick-off {scores[1]:.3f}.")
    if record.skipped_for_money:
        lines.append(f"{record.skipped_for_money} times a friend wanted to bet and had no euro left.")
    return lines


def done(page: Path) -> None:
    """Where to look now."""
    console.print(f"\nThe report, with the price graph of each match: [bold]{page}[/]")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        words = column in (
            "friend",
            "match",
            "outcome",
            "how",
            "creator",
            "week",
            "event",
            "staker",
            "bet",
            "when",
            "person",
            "player",
            "session",
            "posted by",
        )
        table.add_column(column, justify="left" if words else "right")
    return table


def _market(game: Game) -> list[str | Text]:
    match = game.fixture.match
    title = Text(f"{match.home} {match.score(match.full_time)} {match.away}")
    title.highlight_words([game.fixture.favourite], "bold")
    ending = game.fixture.ending
    return [
        title,
        f"{game.fixture.p0:.2f}",
        str(len(game.bets)),
        "" if game.outcome is None else str(game.outcome.name),
        "" if ending is Ending.PLAIN else ending.name.lower(),
        game.creator,
        _signed(game.creator_gain),
    ]


def _signed(amount: int) -> Text:
    return Text(f"{amount / EUR:+.2f}" if amount else "0.00", "green" if amount > 0 else "red" if amount < 0 else "")
