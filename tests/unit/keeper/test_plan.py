"""The plan says what is due, why, and what waits; a run refuses one that has changed."""

import json

import pytest

from tessera.chain import ChainError, Reverted
from tessera.chain.fees import GasPrice
from tessera.chain.staking_pool import StakingPool
from tessera.keeper.plan import Costs, check_same, due
from tessera.keeper.steps.close import late
from tessera.keeper.view import Choices, Clock, View
from tessera.model.prizes import period_of, start_of
from tests.staked import DAY, HOUR


def written(plan):
    """As it comes back from a file."""
    return json.loads(json.dumps(plan.as_mapping()))


def test_a_plan_changes_nothing_and_needs_no_account(keeper, world):
    block = world.web3.eth.block_number
    nobody = due(View(world.tessera, keeper.index))
    assert [step.key for step in nobody.steps] == [step.key for step in due(keeper.view).steps]
    assert world.web3.eth.block_number == block


def test_it_gives_a_reason_and_gas_for_each_step_and_says_what_waits(keeper, world):
    plan = due(keeper.view)
    reasons = {step.what: step.why for step in plan.steps}
    assert set(reasons) == {
        "harvest USDC",
        "harvest DAI",
        "close 1 week",
        "note the market's price",
        "settle event 1, 'Who wins the cup?'",
        "pay 4 winners of event 1",
        "settle event 2, 'Rain?'",
    }
    assert reasons["settle event 1, 'Who wins the cup?'"] == "the panel decided: draw"
    assert reasons["pay 4 winners of event 1"] == "they were right about 'Who wins the cup?'"
    assert all(step.gas > 20_000 for step in plan.steps)
    (waiting,) = plan.waiting
    assert waiting.startswith("event 3, 'Snow?': the panel has not decided; INVALID after ")
    assert plan.late == 60


def test_an_event_without_a_result_ends_invalid_after_its_deadline(keeper, world):
    deadline = world.events.event_info(3).result_deadline
    world.wait_until(deadline)
    assert "settle 3" not in [step.key for step in due(keeper.view).steps]
    world.wait_until(deadline + 1)
    (step,) = (step for step in due(keeper.view).steps if step.key == "settle 3")
    assert step.why == "no result until the deadline: INVALID"


def test_what_is_too_early_waits_with_its_reason(keeper, world, monkeypatch):
    world.close()
    early = world.event("Later?", hours=30)
    info = world.events.event_info(early)
    world.wait_until(info.not_before)
    world.mine(info.stop_block - world.web3.eth.block_number)
    world.report(early)
    assert f"event {early}, 'Later?': its last week ends " in "\n".join(due(keeper.view).waiting)
    world.friday()
    assert f"settle {early}" in [step.key for step in due(keeper.view).steps]
    # Where anybody was ever forfeited there is a time to purge.
    monkeypatch.setattr(StakingPool, "total_forfeits", lambda pool: 1)
    assert f"until block {info.stop_block + 24}" in "\n".join(due(keeper.view).waiting)
    # The next transaction is in the block after the newest.
    world.mine(info.stop_block + 24 - 2 - world.web3.eth.block_number)
    assert f"settle {early}" not in [step.key for step in due(keeper.view).steps]
    world.mine(1)
    assert f"settle {early}" in [step.key for step in due(keeper.view).steps]


def test_a_harvest_in_the_first_second_of_a_week_counts_for_it(keeper, world):
    boundary = start_of(period_of(world.time) + 1)
    world.wait_until(boundary)
    world.pool.harvest(world.owner, world.token("USDC"))
    assert world.pool.asset_state(world.token("USDC")).harvested_at == boundary
    assert [step.what for step in due(keeper.view).steps if step.kind == "harvest"] == ["harvest DAI"]


def test_without_the_buyback_nothing_of_it_is_due(keeper):
    keeper.view.choices = Choices(buy_back=False)
    kinds = [step.kind for step in due(keeper.view).steps]
    assert "poke" not in kinds
    assert "close" in kinds


def test_the_same_plan_is_accepted(keeper):
    plan = due(keeper.view)
    check_same(due(keeper.view), written(plan))


def test_a_plan_that_changed_is_refused_with_what_differs(keeper, world):
    plan = written(due(keeper.view))
    world.pool.harvest(world.owner, world.token("DAI"))
    world.report(3, 2)
    with pytest.raises(ChainError) as refused:
        check_same(due(keeper.view), plan)
    assert "the plan has changed, nothing was sent" in str(refused.value)
    assert f"not due any more: harvest {world.token('DAI')}" in str(refused.value)
    assert "due since: settle 3" in str(refused.value)


def test_a_plan_in_another_order_is_refused(keeper):
    plan = due(keeper.view)
    other = written(plan)
    other["steps"].reverse()
    with pytest.raises(ChainError, match="the order differs"):
        check_same(plan, other)


def test_a_plan_of_another_chain_is_refused(keeper):
    plan = due(keeper.view)
    with pytest.raises(ChainError, match="the plan is of chain 5, the node is on 1337"):
        check_same(plan, {**written(plan), "chain_id": 5})


@pytest.mark.parametrize("text", [{}, [], {"chain_id": 1337}, {"chain_id": 1337, "steps": [{}]}])
def test_what_is_no_plan_is_refused(keeper, text):
    with pytest.raises(ChainError, match="not a plan"):
        check_same(due(keeper.view), text)


def test_late_counts_from_the_end_of_the_week():
    end = start_of(101)
    assert late(Clock(1, end - 1), 100) == 0
    assert late(Clock(1, end), 100) == 0
    assert late(Clock(1, end + 5 * HOUR), 100) == 5 * HOUR
    assert late(Clock(1, end + 14 * DAY), 100) == 14 * DAY


def test_an_asset_that_is_added_while_the_keeper_runs_is_harvested(keeper, world, monkeypatch):
    """It never was, until a restart: each week closed a day late, and its yield was in no prize."""
    listed = world.pool.assets()
    with monkeypatch.context() as before:
        before.setattr(StakingPool, "assets", lambda _: listed[:1])
        assert [step.what for step in due(keeper.view).steps if step.kind == "harvest"] == ["harvest USDC"]
    assert [step.what for step in due(keeper.view).steps if step.kind == "harvest"] == ["harvest USDC", "harvest DAI"]


def test_a_list_that_is_refused_for_another_reason_does_not_end(keeper, monkeypatch):
    """Only the contract's own end of a list ends it, which has no reason."""
    read = StakingPool.read

    def refuses(pool, function, *arguments, **options):
        if function == "assets" and arguments == (1,):
            raise Reverted("out of gas", "StakingPool.assets")
        return read(pool, function, *arguments, **options)

    monkeypatch.setattr(StakingPool, "read", refuses)
    with pytest.raises(Reverted, match="out of gas"):
        due(keeper.view)


def test_a_plan_says_what_gas_costs_and_may_cost():
    costs = Costs(1_000_000, GasPrice(2 * 10**9, 10**9, 5 * 10**9), 10**17, 10**15)
    assert str(costs) == (
        "Gas costs 3.000 gwei, all steps about 0.003000 ETH. Nothing is sent above 5.000 gwei (--max-gas-price), a "
        "round spends at most 0.1 ETH (--budget). The account has 0.001000 ETH: the last steps will be left."
    )
    assert "at most all the account has" in str(Costs(1, GasPrice(1, 1, 5), None))
    assert costs.as_mapping() == {
        "gas_price_wei": 3 * 10**9,
        "max_gas_price_wei": 5 * 10**9,
        "budget_wei": 10**17,
        "balance_wei": 10**15,
    }
