"""The season from the first deployment to the last claim."""

from dataclasses import dataclass

from web3 import Web3

from tessera.chain import EventLog, Tessera, Wallet
from tessera.chain.embedded import known_account, read_logs_fast
from tessera.demo.agenda import Agenda
from tessera.demo.audit import audit
from tessera.demo.club import Club
from tessera.demo.friends import FRIENDS
from tessera.demo.markets import WINDOW, Season
from tessera.demo.plan import Fixture, plan
from tessera.demo.record import Record, read
from tessera.deployment.deploy import deploy

SEED = 2024


@dataclass(frozen=True)
class Played:
    """A season that was played and found to add up."""

    club: Club
    fixtures: list[Fixture]
    rows: list[EventLog]
    record: Record
    findings: list[str]


class Watcher:
    """Whoever looks on. This one looks away."""

    def stage(self, text: str) -> None:
        """A part of the work begins."""

    def step(self, done: int, of: int, at: int) -> None:
        """So many actions of so many known ones; `at` is the season's clock, unix seconds."""

    def tell(self, text: str) -> None:
        """Something happened that people would tell each other."""


def play(web3: Web3, count: int, *, seed: int = SEED, watcher: Watcher | None = None) -> Played:
    """Deploy the friends' product on an embedded chain, play the last `count` matches, and audit the outcome.

    The same count and seed give the same bets, whenever it is run: only the dates move, by whole weeks. Raises
    ValueError unless 1 <= count <= 51, BrokeError where friends run out of money to open markets with, AuditError or
    LedgerError where the season does not add up.
    """
    watcher = watcher or Watcher()
    read_logs_fast()
    owner = Wallet(web3, known_account(0))
    watcher.stage("Compiling and deploying the contracts")
    deployment = deploy(owner, "friends", {"shortest_window": WINDOW}, report=lambda done: watcher.tell(str(done.step)))
    watcher.stage(f"{len(FRIENDS)} friends join with 50 EUR of play money each")
    club = Club(web3, Tessera(web3, deployment), owner, [friend.name for friend in FRIENDS])
    fixtures = plan(count, club.now)
    agenda = Agenda()
    season = Season(club, agenda, fixtures, seed, watcher.tell)
    watcher.stage("Playing the season")
    for done, at in enumerate(agenda.run()):
        club.wait_until(at)
        watcher.step(done, agenda.added, at)
    watcher.stage("Reading the logs back and auditing")
    rows = club.rows()
    record = read(rows, fixtures, club.names, season.skipped_for_money)
    return Played(club, fixtures, rows, record, audit(club, rows, record))
