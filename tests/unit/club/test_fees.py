"""Fees that rise tenfold, and fall again: the day's budget is kept, everybody is funded or told why not, and when."""

import logging
import time

import pytest

from tessera.chain.errors import NodeError
from tessera.chain.fees import GWEI, GasPrice
from tessera.club.gas import TROUBLES
from tessera.club.messages import Messenger
from tessera.club.settings import ENTRY_GAS
from tests.unit.club.conftest import ETHER
from tests.unit.club.test_lost import spend

CALM, DEAR = 5 * GWEI, 50 * GWEI
BUDGET = ETHER // 5


class Fees:
    """What gas costs now, and what was usual lately: a ceiling is three times that, as tessera.chain.fees has it."""

    now = usual = CALM

    def price(self, _, ceiling: int | None = None) -> GasPrice:
        return GasPrice(self.now, GWEI, 3 * self.usual if ceiling is None else ceiling)


@pytest.fixture
def fees(world, monkeypatch) -> Fees:
    """Prices of the node's; the members of five get at most a fifth of 0.2 ETH each a day."""
    fees = Fees()
    monkeypatch.setattr("tessera.club.sender.SETTLE_SECONDS", -1)
    monkeypatch.setattr("tessera.club.sender.QUOTE_SECONDS", 0)
    for place in ("tessera.club.sender", "tessera.chain.wallet"):
        monkeypatch.setattr(f"{place}.gas_price", fees.price)
    world.node = world.started(database="fees", budget="0.2", members=5)
    world.client.app.state.node = world.node
    return fees


def attempts(world, count: int = 5) -> int:
    """Lets the node try to send so often; how many transactions it sent."""
    before = world.sent()
    for _ in range(count):
        world.node.sender.attempt()
    world.node.index.sync()
    return world.sent() - before


def test_tenfold_fees_cost_no_more_than_the_budget_and_everybody_is_funded_or_told(world, fees, monkeypatch, caplog):
    service: list[str] = []
    messenger = Messenger(
        world.node.settings, world.node.index, world.node.store, lambda _, text: service.append(text) or True
    )
    messenger.look()
    caplog.set_level(logging.WARNING, logger="tessera.club")
    anna, ben, [code] = world.member(), world.phone(), world.codes()
    spend(world, anna)
    fees.now = DEAR  # a spike: three times what is usual is the ceiling
    ben.join(code)
    assert attempts(world) == 0
    for answer in (anna.gas(), ben.gas()):
        assert (answer.status_code, answer.json()["state"]) == (200, "too_dear")
    assert "dear" in ben.join(code).json()["detail"]
    assert (ben.join(code).json()["state"], world.balance(ben)) == ("coming", 0)
    fees.usual = DEAR  # it stays
    assert attempts(world) == 3  # Ben is let in and funded, and so is Anna
    given, gas = world.node.store.given(0), world.node.settings.gas
    assert all(amount <= gas.quota for amount in given.values())
    assert world.balance(ben) >= ENTRY_GAS * (DEAR + GWEI)
    assert ben.join(code).json()["state"] == "ready"
    world.enter(ben)
    spend(world, anna)
    attempts(world)
    assert anna.gas().json()["state"] == "over_quota"
    assert sum(world.node.store.given(0).values()) <= gas.budget == BUDGET
    fees.now = fees.usual = CALM  # and falls again: the day's quota is used, and the next day has another
    assert anna.gas().json()["state"] == "over_quota"
    tomorrow = time.time() + 86_400
    with monkeypatch.context() as patched:
        patched.setattr("tessera.club.sender.time.time", lambda: tomorrow)
        assert attempts(world) == 1
        assert anna.gas().json()["state"] == "enough"
    for _ in range(3):
        messenger.look()
    assert service == [TROUBLES["too_dear"]]
    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == 1, warned


def test_fees_that_fall_again_at_once_leave_nobody_waiting(world, fees):
    anna, ben, [code] = world.member(), world.phone(), world.codes()
    spend(world, anna)
    ben.join(code)
    fees.now = DEAR
    assert attempts(world) == 0
    fees.now = CALM
    assert attempts(world) == 3
    assert [phone.gas().json()["state"] for phone in (anna, ben)] == ["enough", "enough"]
    assert world.node.sender.trouble is None


def test_trouble_that_comes_back_after_an_hour_is_said_once_more(world, fees, monkeypatch):
    store = world.node.store
    assert [store.note_trouble("too_dear"), store.note_trouble("too_dear"), store.note_trouble("reverted")] == [
        True,
        False,
        True,
    ]
    assert store.untold_troubles() == ["reverted", "too_dear"]
    store.note_told("too_dear")
    assert store.untold_troubles() == ["reverted"]
    assert not store.note_trouble("too_dear")
    assert store.untold_troubles() == ["reverted"]
    later = time.time() + 3_700
    monkeypatch.setattr("tessera.club.store.time.time", lambda: later)
    assert store.untold_troubles() == []  # it is over, and no news
    assert store.note_trouble("too_dear")
    assert store.untold_troubles() == ["too_dear"]


def test_what_the_chains_node_says_of_itself_is_for_the_log_alone(world, fees, monkeypatch, caplog):
    """Its address often has a key in it, and members saw it."""
    ben, [code] = world.phone(), world.codes()
    ben.join(code)

    def away():
        raise NodeError("no answer to eth_call: https://rpc.example/v3/SECRET", "eth_call")

    monkeypatch.setattr(world.node.sender.wallet, "nonce", away)
    caplog.set_level(logging.WARNING, logger="tessera.club")
    assert world.node.sender.attempt() is None
    assert "SECRET" not in ben.join(code).text
    assert "tries again" in ben.join(code).json()["detail"]
    assert any("SECRET" in record.getMessage() for record in caplog.records)


def test_a_group_that_wants_no_word_about_gas_gets_none(world, fees):
    world.node.store.note_trouble("too_dear")
    settings = world.node.settings.model_copy(update={"messages": ["market"]})
    service: list[str] = []
    Messenger(settings, world.node.index, world.node.store, lambda _, text: service.append(text) or True).look()
    assert service == []
