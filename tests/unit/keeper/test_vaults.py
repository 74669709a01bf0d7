"""Vaults that are thin, illiquid or poorer: harvests early and in parts, notes of losses, stakes that count what they
are worth."""

import pytest

from tessera.chain import WAD
from tessera.chain.staking_pool import ALL, Harvested, StakingPool
from tessera.keeper.plan import due
from tessera.keeper.steps import harvest, note_loss, revalue
from tessera.keeper.steps.base import Status
from tessera.model.prizes import period_of, start_of
from tests.staked import DAY, HOUR
from tests.unit.keeper.conftest import RIGHT, WRONG


def of(plan, kind):
    return [step.what for step in plan.steps if step.kind == kind]


@pytest.fixture
def closed(keeper, world):
    """Everything is done, in the first minutes of a week."""
    assert keeper.run().exit_code == 0
    return start_of(period_of(world.time) + 1)


def test_before_a_week_ends_what_is_there_is_harvested(keeper, world, closed):
    """A vault that cannot pay at the end of the week then holds back the interest of hours."""
    world.earn(5)
    world.wait_until(closed - 6 * HOUR - 1)
    assert of(due(keeper.view), "harvest") == []
    world.wait_until(closed - 6 * HOUR)
    plan = due(keeper.view)
    assert of(plan, "harvest") == ["harvest USDC early"]
    assert plan.steps[0].why.startswith("the week ends ")
    waiting = world.prizes.waiting_revenue()
    assert keeper.run().exit_code == 0
    assert world.prizes.waiting_revenue() - waiting > 4 * 10**6
    assert of(due(keeper.view), "harvest") == []
    world.friday()
    assert of(due(keeper.view), "harvest") == ["harvest USDC", "harvest DAI"]


def test_before_a_week_ends_less_than_a_prize_token_waits(keeper, world, closed):
    world.earn(1, "DAI")
    world.local.give(world.record.address_of("YieldVault:USDC"), "USDC", 10**5)
    world.wait_until(closed - HOUR)
    assert of(due(keeper.view), "harvest") == []


def test_before_a_week_ends_a_refusal_is_no_step(keeper, world, closed):
    world.earn(5, "DAI")
    world.refuse("DAI", world.pool.address)
    world.wait_until(closed - HOUR)
    assert of(due(keeper.view), "harvest") == []


@pytest.fixture
def thin(monkeypatch):
    """The market of DAI takes at most so much at once, and `room` in all."""

    def make(at_once: int, room: int = ALL):
        read = {"room": room}
        real = harvest.refusal

        def refusal(view, call):
            if call.function == "harvest" and call.arguments[0] == view.assets()[1].address:
                if min(call.arguments[1], 10**30) > min(at_once, read["room"]):
                    return "pool: swap gave too little"
                read["room"] -= call.arguments[1]
            return real(view, call)

        monkeypatch.setattr(harvest, "refusal", refusal)

    return make


def test_a_yield_that_is_too_much_for_its_market_is_harvested_in_parts(keeper, world, thin):
    """600 DAI given to the vault stopped it for good."""
    thin(at_once=3 * 10**18)
    before = len(keeper.rows(Harvested))
    done = keeper.run()
    (end,) = (outcome for outcome in done.outcomes if outcome.step.what == "harvest DAI")
    assert end.status is Status.DONE
    assert 2 <= len(end.sent) <= 8
    amounts = [row.amount for row in keeper.rows(Harvested)[before:] if row.asset == world.token("DAI")]
    assert max(amounts) <= 3 * 10**18
    assert sum(amounts) > 59 * 10**17  # of the six that a week may bring of DAI
    assert done.exit_code == 0


def test_what_the_market_does_not_take_any_more_waits_for_the_next_round(keeper, world, thin):
    thin(at_once=3 * 10**18, room=4 * 10**18)
    done = keeper.run()
    (end,) = (outcome for outcome in done.outcomes if outcome.step.what == "harvest DAI")
    assert end.status is Status.UNDONE
    assert len(end.sent) >= 1
    assert end.message == "its market takes no more of it now: the rest waits for the next round"
    assert world.pool.asset_state(world.token("DAI")).harvested_at < end.step.since


def test_nothing_is_tried_in_parts_where_nothing_is_sold(keeper, world, monkeypatch):
    asked = []
    monkeypatch.setattr(harvest, "refusal", lambda view, call: asked.append(call.arguments) or "pool: vault refused")
    step = next(step for step in due(keeper.view).steps if step.what == "harvest USDC")
    (call,) = step.calls(keeper.view)
    assert call.arguments == (world.token("USDC"), ALL)
    assert asked == [(world.token("USDC"), ALL)]


def test_an_asset_that_was_not_seeded_is_said_and_not_harvested(keeper, monkeypatch):
    monkeypatch.setattr(StakingPool, "is_seeded", lambda pool, asset: asset != pool.assets()[1])
    plan = due(keeper.view)
    assert of(plan, "harvest") == ["harvest USDC"]
    assert any(sentence.startswith("DAI is listed and nobody can stake it") for sentence in plan.waiting)


def test_a_retired_asset_is_harvested_while_it_brings_something(keeper, world, closed):
    world.earn(5, "DAI")
    world.pool.write(world.owner, "retire_asset", world.token("DAI"))
    world.friday()
    assert of(due(keeper.view), "harvest") == ["harvest USDC", "harvest DAI"]
    assert keeper.run().exit_code == 0
    world.friday()
    assert of(due(keeper.view), "harvest") == ["harvest USDC"]


def lose(world, share: float):
    """The vault of USDC loses a share of all."""
    vault = world.record.address_of("YieldVault:USDC")
    amount = int(world.balance(vault) * share)
    world.local.call("YieldVault:USDC", "lose", amount)


@pytest.fixture
def poor(keeper, world, closed):
    lose(world, 0.4)


def test_a_loss_is_noted_once_and_taken_back_when_it_is_made_up(keeper, world, poor):
    (step,) = due(keeper.view).steps
    assert step.what == "note the loss of USDC"
    assert step.why.startswith("its vault has lost 3") or step.why.startswith("its vault has lost 4")
    assert keeper.run().exit_code == 0
    assert world.pool.loss_of(world.token("USDC")).noted > WAD // 3
    assert due(keeper.view).steps == []
    world.earn(9_000)
    (step,) = due(keeper.view).steps
    assert (step.what, step.why) == ("take the note of a loss of USDC back", "the loss is made up")
    assert keeper.run().exit_code == 0
    assert due(keeper.view).steps == []


def test_a_note_that_is_three_days_old_is_made_again(keeper, world, poor):
    keeper.run()
    world.wait_until(world.time + 72 * HOUR - 60)
    assert of(due(keeper.view), "note loss") == []
    world.wait_until(world.time + 120)
    assert of(due(keeper.view), "note loss") == ["note the loss of USDC"]


def test_a_day_later_the_stakes_that_count_too_much_are_revalued_the_greatest_first(keeper, world, poor, monkeypatch):
    monkeypatch.setattr(revalue, "LEAST", 300 * 10**6)
    keeper.run()
    world.wait_until(world.time + DAY - 60)
    assert of(due(keeper.view), "revalue") == []
    world.wait_until(world.time + 120)
    steps = [step for step in due(keeper.view).steps if step.kind == "revalue"]
    # 40 % of 500 USD a person's number, but for the one who staked DAI.
    people = [6, 5, 4, 2]
    assert [step.account for step in steps] == [world.wallet(person).address for person in people]
    assert set(people) <= {*RIGHT, *WRONG}
    before = world.pool.stake_of(steps[0].account)
    assert keeper.run().exit_code == 0
    assert world.pool.stake_of(steps[0].account) < before * 0.7
    assert of(due(keeper.view), "revalue") == []


def test_below_1000_usd_too_much_nobody_is_revalued(keeper, world, poor):
    keeper.run()
    world.wait_until(world.time + DAY + 60)
    people = [step.account for step in due(keeper.view).steps if step.kind == "revalue"]
    assert people == [world.wallet(6).address]  # 1,200 USD of 3,000


def test_a_small_loss_is_not_noted(keeper, world, closed):
    lose(world, 0.005)
    assert of(due(keeper.view), "note loss") == []
    assert note_loss.MIN_LOSS == WAD // 100
