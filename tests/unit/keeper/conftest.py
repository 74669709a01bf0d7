"""A world in which everything is due, on the embedded chain: deployed once, each test is undone."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tessera.chain import EventLog, Wallet
from tessera.chain.embedded import embedded_web3
from tessera.index import Index
from tessera.keeper.plan import due
from tessera.keeper.round import Round, run
from tessera.keeper.view import View
from tests.staked import DAY, UNITS, World
from tests.undo import undone

RIGHT, WRONG = (1, 2, 3, 5), (4, 6)  # people in event 1


@pytest.fixture(scope="session")
def played() -> World:
    """A week is over in which three events ended: one with four winners, one without any, one undecided."""
    world = World(embedded_web3())
    for person in (*RIGHT, *WRONG):
        world.stake(person, 500 * person, "DAI" if person == 3 else "USDC")
    first, second, third = world.event("Who wins the cup?"), world.event("Rain?", weight=30), world.event("Snow?")
    for person in RIGHT:
        world.predict(person, first, 1)
    for person in WRONG:
        world.predict(person, first, 0)
        world.predict(person, second, 0)
    world.predict(1, third, 2)
    world.earn(30)
    world.earn(7, "DAI")
    world.finish(first, 1)
    world.report(second, 2)
    world.friday()
    return world


@pytest.fixture
def world(played: World):
    with undone(played.web3):
        yield played


@pytest.fixture(scope="session")
def read(played: World, tmp_path_factory) -> Path:
    """An index that has read all until then: reading logs is slow on this chain."""
    path = tmp_path_factory.mktemp("index") / "read.sqlite"
    index = Index(f"sqlite:///{path}", played.web3, played.record)
    index.sync()
    index.engine.dispose()
    return path


@dataclass
class Keeper:
    """Somebody who runs a keeper: an index of its own."""

    view: View
    wallet: Wallet
    index: Index

    def rows(self, kind: type[EventLog]) -> list:
        """The logs of a kind until now."""
        self.index.sync()
        with self.index.snapshot() as snapshot:
            return list(snapshot.rows(kind))

    def run(self, **options) -> Round:
        """One round of what is due now."""
        return run(self.view, self.wallet, due(self.view), **options)


@pytest.fixture
def keeper_of(world: World, read: Path, tmp_path: Path) -> Callable[..., Keeper]:
    """Makes a keeper of an account, by default of the one that may buy back."""

    def make(wallet=None, **options) -> Keeper:
        account = (wallet or world.keeper).account
        wallet = Wallet(world.web3, account, **{"seconds_per_price": 0.5, "alone": True, **options})
        path = shutil.copy(read, tmp_path / f"{len(list(tmp_path.iterdir()))}.sqlite")
        index = Index(f"sqlite:///{path}", world.web3, world.record)
        view = View(world.tessera, index, wallet.address)
        return Keeper(view, wallet, index)

    return make


@pytest.fixture
def keeper(keeper_of) -> Keeper:
    return keeper_of()


@pytest.fixture
def state(world: World) -> Callable[[], dict]:
    """What must be the same whoever did the work and however often: money, weeks, events."""

    def read() -> dict:
        prizes = world.prizes
        accounts = [world.wallet(person).address for person in (*RIGHT, *WRONG)]
        accounts += [prizes.address, world.events.address]
        return {
            "money": {one: world.balance(one) for one in accounts},
            "weeks": [
                prizes.period(),
                prizes.waiting_revenue(),
                prizes.carried(),
                prizes.buyback_bucket(),
                prizes.remainder_wad(),
            ],
            "events": [world.events.result_of(number) for number in (1, 2, 3)],
            "yield left": [world.balance(world.record.address_of(f"YieldVault:{one}"), one) for one in UNITS],
        }

    return read


@pytest.fixture(scope="session")
def _results() -> dict:
    """What takes a round to find out, found out once."""
    return {}


@pytest.fixture
def undisturbed(world: World, keeper_of, state, _results) -> dict:
    """What one keeper makes of the world whom nobody disturbs."""
    if "undisturbed" not in _results:
        with undone(world.web3):
            assert keeper_of().run().exit_code == 0
            _results["undisturbed"] = state()
    return _results["undisturbed"]


@pytest.fixture
def bucket(world: World, keeper_of, _results) -> int:
    """A week was closed and the price noted a day ago: the bucket can be spent."""
    tester = world.web3.provider.ethereum_tester
    if "bucket" not in _results:
        keeper_of().run()
        world.wait_until(world.time + DAY + 60)
        _results["bucket"] = tester.take_snapshot()
    tester.revert_to_snapshot(_results["bucket"])
    return world.prizes.buyback_bucket()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """A node that is one machine is never behind itself, and one that a test breaks needs no time to recover."""
    monkeypatch.setattr("tessera.chain.waiting.POLL_SECONDS", 0.01)
    monkeypatch.setattr("tessera.chain.wallet.HAND_IN_PAUSE", 0.01)
    monkeypatch.setattr("tessera.chain.node.FIRST_PAUSE", 0.01)
    monkeypatch.setattr("tessera.chain.node.LONGEST_PAUSE", 0.1)
    monkeypatch.setattr("tessera.keeper.round.REFUSED_SECONDS", 0)


@pytest.fixture
def patient(keeper: Keeper, monkeypatch) -> Keeper:
    """The keeper, as it waits for a node of several machines."""
    keeper.wallet.seconds_per_price = 20
    monkeypatch.setattr("tessera.keeper.round.REFUSED_SECONDS", 2)
    return keeper
