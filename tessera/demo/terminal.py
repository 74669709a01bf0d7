"""The demo in a terminal: progress while it plays, then tables."""

from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from tessera.chain import EUR
from tessera.demo.friends import FRIENDS
from tessera.demo.play import Played, Watcher
from tessera.demo.record import Game, by_information, price_brier

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
    """Tables of friends, creators, markets, and of what it means."""
    record = played.record
    habits = {friend.name: friend.habit for friend in FRIENDS}
    friends = Table(title="Friends, in EUR", title_justify="left")
    for column in ("", "bets", "stake", "payout", "as bettor", "as creator", "together", "Brier"):
        friends.add_column(column, justify="right" if column else "left")
    friends.add_column("habit", style="dim", overflow="fold")
    for one in record.standings:
        friends.add_row(
            one.name,
            str(one.bets),
            _eur(one.staked),
            _eur(one.paid),
            _signed(one.gain),
            _signed(one.creator_gain),
            _signed(one.total),
            "" if one.brier is None else f"{one.brier:.3f}",
            habits[one.name],
        )
    console.print(friends)
    console.print(
        "Brier score: of the probability at which a bet breaks even (stake over shares), 0 perfect, 0.250 a coin;"
        " bets in markets that ended INVALID are left out.\n",
        style="dim",
    )
    markets = Table(title="Markets", title_justify="left")
    for column in ("match", "question", "p0", "at kick-off", "bets", "outcome", "how", "creator", "gain"):
        markets.add_column(column, justify="right" if column in ("p0", "at kick-off", "bets", "gain") else "left")
    for game in record.games:
        markets.add_row(*_market(game))
    console.print(markets)
    for line in meaning(played):
        console.print(f"· {line}")
    console.print()
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


def _market(game: Game) -> list[str | Text]:
    match = game.fixture.match
    return [
        f"{match.home} {match.score(match.full_time)} {match.away}",
        game.fixture.terms()["question"],
        f"{game.fixture.p0:.2f}",
        f"{game.price(match.kickoff):.2f}",
        str(len(game.bets)),
        game.outcome.name,
        game.fixture.ending.value,
        game.creator,
        _signed(game.creator_gain),
    ]


def _eur(amount: int) -> str:
    return f"{amount / EUR:.2f}"


def _signed(amount: int) -> Text:
    return Text(f"{amount / EUR:+.2f}", "green" if amount > 0 else "red" if amount < 0 else "")
