"""Gas money: a ceiling, a budget, an account that runs dry, and what is not worth its gas."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tessera.chain.fees import GWEI
from tessera.keeper.plan import due
from tessera.keeper.round import run
from tessera.keeper.steps.base import Status
from tessera.keeper.steps.pay import GAS_OF_WINNER
from tessera.keeper.view import Choices
from tests.habits import within
from tests.unit.keeper.conftest import RIGHT


def statuses(done):
    return [outcome.status for outcome in done.outcomes]


def messages(done):
    return {outcome.step.kind: outcome.message for outcome in done.outcomes}


def test_above_the_ceiling_nothing_is_sent(keeper_of, world):
    keeper = keeper_of(max_gas_price=GWEI // 2)
    before = world.web3.eth.block_number
    done = keeper.run()
    assert world.web3.eth.block_number == before
    assert done.exit_code == 3
    assert set(statuses(done)) == {Status.UNDONE}
    assert "the ceiling is 0.500 gwei" in done.outcomes[0].message


def test_no_transaction_offers_more_than_the_ceiling(keeper_of, world):
    price = keeper_of().wallet.gas_price().total
    keeper = keeper_of(max_gas_price=price)
    done = keeper.run()
    offers = [
        world.web3.eth.get_transaction(sent.transaction)["maxFeePerGas"] for end in done.outcomes for sent in end.sent
    ]
    assert done.exit_code == 0
    assert max(offers) == price


def test_a_node_that_advises_60_gwei_of_tip_is_not_believed(keeper, world):
    """A round spent 0.58 ETH, where blocks around it paid next to nothing."""
    before = keeper.wallet.balance()
    with within(world.web3, tip=60 * GWEI):
        done = keeper.run()
    assert done.exit_code == 0
    sent = [sent for end in done.outcomes for sent in end.sent]
    tips = [world.web3.eth.get_transaction(each.transaction)["maxPriorityFeePerGas"] for each in sent]
    assert max(tips) <= 2 * GWEI
    assert done.fees == before - keeper.wallet.balance()
    assert done.fees <= done.gas_used * 3 * GWEI


@pytest.fixture
def half(keeper, monkeypatch) -> int:
    """Wei for half of what is due, with what one transaction may take at most."""
    monkeypatch.setattr("tessera.chain.wallet.EMBEDDED_GAS", 1_000_000)
    return (1_000_000 + due(keeper.view).gas // 2) * keeper.wallet.gas_price().total


def test_a_round_spends_no_more_than_its_budget_and_says_so(keeper, half):
    before = keeper.wallet.balance()
    done = run(keeper.view, keeper.wallet, due(keeper.view), budget=half)
    assert 0 < before - keeper.wallet.balance() == done.fees <= half
    assert statuses(done)[:3] == [Status.DONE] * 3
    assert statuses(done)[-1] == Status.UNDONE
    assert "of the budget are left, not enough for PrizePool.poke" in messages(done)["poke"]
    assert run(keeper.view, keeper.wallet, due(keeper.view), budget=10**18).exit_code == 0


def test_a_price_that_spikes_in_the_middle_leaves_the_rest_for_the_next_round(keeper_of, state, undisturbed):
    keeper = keeper_of(max_gas_price=3 * GWEI)
    gas_price, asked = keeper.wallet.gas_price, []

    def spiking():
        asked.append(1)
        price = gas_price()
        return price if len(asked) <= 3 else replace(price, base=50 * GWEI, tip=GWEI)

    keeper.wallet.gas_price = spiking
    done = keeper.run()
    assert statuses(done) == [Status.DONE] * 3 + [Status.UNDONE] * 4
    assert "gas costs 51.000 gwei, the ceiling is 3.000 gwei" in done.outcomes[3].message
    assert keeper_of().run().exit_code == 0
    assert state() == undisturbed


def test_what_can_be_paid_for_is_done_in_order_of_weight(keeper, half):
    """With 0.005 ETH, closing at 0.0008 and the whole plan at 0.0149, nothing was sent."""
    balance = keeper.wallet.balance
    others = balance() - half
    keeper.wallet.balance = lambda: balance() - others
    done = keeper.run()
    assert statuses(done)[:3] == [Status.DONE] * 3
    assert [outcome.step.kind for outcome in done.outcomes[:3]] == ["harvest", "harvest", "close"]
    assert keeper.wallet.balance() >= 0
    assert statuses(done)[-1] == Status.UNDONE
    assert "ETH left, not enough for PrizePool.poke" in done.outcomes[-1].message


def test_the_greatest_prize_is_paid_first(keeper, world):
    world.finish(3, 2)
    world.friday()
    done = keeper.run()
    kinds = [outcome.step.key for outcome in done.outcomes]
    assert kinds.index("pay 1 4") < kinds.index("pay 3 1")
    settled = [outcome.step.event_id for outcome in done.outcomes if outcome.step.kind == "settle"]
    assert settled == [1, 3, 2]  # by weight: 100, 100, 30


def prizes_of(world):
    return {person: world.events.prize_of(1, world.wallet(person).address) for person in RIGHT}


@pytest.fixture
def settled(keeper, world):
    """Everything but the payments is done."""
    keeper.view.choices = Choices(pay=False)
    done = keeper.run()
    assert "pay" not in messages(done)
    assert done.exit_code == 0
    return prizes_of(world)


def test_payments_can_be_left_to_others(keeper, world, settled):
    plan = due(keeper.view)
    assert plan.steps == []
    assert "event 1, 'Who wins the cup?': its winners are left to others (--no-pay)" in plan.waiting
    assert prizes_of(world) == settled


def test_small_prizes_can_be_left(keeper, world, settled):
    least = sorted(settled.values())[1]
    keeper.view.choices = Choices(min_prize=least)
    (step,) = due(keeper.view).steps
    assert step.what == "pay 3 winners of event 1"
    assert keeper.run().exit_code == 0
    assert sorted(prizes_of(world).values()) == [0, 0, 0, min(settled.values())]
    again = due(keeper.view)
    assert again.steps == []
    assert any("1 prizes below" in sentence and "are left" in sentence for sentence in again.waiting)
    keeper.view.choices = Choices()
    assert keeper.run().exit_code == 0
    assert set(prizes_of(world).values()) == {0}


def test_a_prize_below_the_gas_of_paying_it_is_left_and_said(keeper, world, settled):
    """As soon as the operator says what an ether is worth."""
    wei = GAS_OF_WINNER * keeper.wallet.gas_price().total
    second = sorted(settled.values())[1]
    keeper.view.choices = Choices(ether_price=Decimal(second) / 10**6 / (Decimal(wei) / 10**18))
    done = keeper.run()
    assert done.exit_code == 0
    left = [prize for prize in prizes_of(world).values() if prize]
    assert min(settled.values()) in left
    assert all(prize < second for prize in left)
    assert "are left: they are not worth the gas" in messages(done)["pay"]


def test_in_a_round_that_settles_small_prizes_are_left_too(keeper, world):
    keeper.view.choices = Choices(min_prize=10**12)
    done = keeper.run()
    assert done.exit_code == 0
    assert all(prizes_of(world).values())
    assert "4 prizes below" in messages(done)["pay"]
