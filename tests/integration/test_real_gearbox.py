"""Staked tickets over real lending pools of Gearbox V3: what borrowers pay, what a pool cannot pay, what it loses."""

from collections.abc import Iterator
from fractions import Fraction

import pytest

from tessera.chain.errors import Reverted
from tessera.chain.prediction_events import Claimed, EventSettled
from tessera.chain.staking_pool import AssetSeeded, Harvested, Withdrawn
from tests.real.foreign import Foreign
from tests.real.gearbox import Gearbox, yearly_rate
from tests.real.node import now, running_anvil, wait, wait_until
from tests.real.tickets import RealTickets
from tests.real.uniswap import MAX

pytestmark = pytest.mark.anvil

USDC = 10**6
DAI = WAD = 10**18
DAY, YEAR = 86_400, 365 * 86_400
SEED = 5  # tokens: half of what the pool was seeded with


@pytest.fixture(scope="module")
def deployed() -> Iterator[RealTickets]:
    with running_anvil() as web3:
        system = RealTickets.deploy(web3, "gearbox")
        system.fill_market(system.dai, 1_000_000 * DAI, 1_000_000 * USDC)
        yield system


@pytest.fixture
def market(system) -> Gearbox:
    """Where USDC is lent out."""
    return system.gearbox[system.usdc.address]


@pytest.fixture
def borrower(system):
    """Has money to pay interest with."""
    borrower = system.wallet(12)
    system.give(borrower, system.usdc, 100_000 * USDC)
    return borrower


def second_of(system, block: int) -> int:
    return system.web3.eth.get_block(block)["timestamp"]


def interest(principal: int, assets: int, seconds: int) -> Fraction:
    """What a loan out of that many assets costs in that time, as long as nothing else moves them."""
    return principal * yearly_rate(Fraction(principal, assets)) * seconds / YEAR


def test_a_seed_proves_that_money_comes_out_of_the_pool(system):
    owner, staking = system.wallet(0), system.tessera.staking
    token = Foreign.ours(owner, "TestToken", "Liquity USD", "LUSD", 18)
    feed = Foreign.ours(owner, "PriceFeed", 8, "USD", 10**8)
    market = Gearbox.deploy(owner, token, system.wallet(6).address)
    staking.add_asset(owner, asset=token.address, vault=market.pool.address, feed=feed.address)
    system.give(owner, token, 10 * DAI)
    token.write(owner, "approve", staking.address, MAX)
    market.set_paused(True)
    with pytest.raises(Reverted, match=r"^pool: vault refused$"):
        staking.seed_asset(owner, token.address, 10 * DAI)
    with pytest.raises(Reverted, match=r"^pool: asset is closed$"):
        system.stake(system.wallet(7), token, 100 * DAI)
    market.set_paused(False)

    seeded = staking.seed_asset(owner, token.address, 10 * DAI).event(AssetSeeded)
    assert seeded.returned == 5 * DAI
    assert token.read("balanceOf", owner.address) == 5 * DAI
    assert market.pool.read("balanceOf", staking.address) == 5 * DAI
    assert staking.asset_state(token.address)[:2] == (0, 0)  # owed to nobody, counted nowhere
    system.stake(system.wallet(7), token, 100 * DAI)
    assert system.leave(system.wallet(7), token) == (100 * DAI, 100 * DAI)


def test_interest_of_a_real_borrower_becomes_a_prize_to_the_unit(system, market, borrower):
    staking, events, prizes, usdc = system.tessera.staking, system.tessera.events, system.tessera.prizes, system.usdc
    winner, loser, keeper = system.wallet(7), system.wallet(8), system.wallet(2)
    system.stake(winner, usdc, 40_000 * USDC)
    system.stake(loser, usdc, 20_000 * USDC)
    assets = (60_000 + SEED) * USDC
    lent_at = second_of(system, market.borrow(borrower, 57_500 * USDC))  # past the second bend of the rates
    event = system.create_event(days=8)
    events.predict(winner, event, 0)
    events.predict(loser, event, 1)

    system.end_week()
    row = staking.harvest(keeper, usdc.address, MAX).event(Harvested)
    grown = interest(57_500 * USDC, assets, second_of(system, row.block) - lent_at)
    assert grown > 100 * USDC
    # The pool's part of it, less the buffer of one token against rounding.
    due = grown * 60_000 * USDC / assets - USDC
    # The rate in 27 digits, accrued interest and worth of the shares are each rounded down.
    assert due - 2 < row.amount <= due
    staking.harvest(keeper, system.dai.address, MAX)
    (closed,) = system.close()
    assert (closed.revenue, closed.to_events) == (row.amount, row.amount * 90 // 100)

    market.repay(borrower)
    system.end_week(blocks=200)  # the event is over
    system.report(event, 0)
    second = sum(done.event(Harvested).revenue for done in system.harvest())
    (closed,) = system.close()
    assert closed.to_events == (closed.revenue + row.amount - row.amount * 90 // 100 - row.amount * 3 // 100) * 9 // 10
    prize = events.settle(keeper, event).event(EventSettled).prize
    carried = row.amount - row.amount * 90 // 100 - row.amount * 3 // 100
    shared = row.amount * 90 // 100 + (carried + second) * 90 // 100
    assert shared - 1 <= prize <= shared  # what a unit of weight gets is rounded down once
    claimed = events.claim_many(keeper, event, [winner.address, loser.address]).events
    assert {line.account: line.amount for line in claimed if isinstance(line, Claimed)} == {winner.address: prize}
    assert usdc.read("balanceOf", winner.address) == prize
    assert system.leave(winner, usdc) == (40_000 * USDC, 40_000 * USDC)
    assert system.leave(loser, usdc) == (20_000 * USDC, 20_000 * USDC)
    assert staking.total_stake() == 0
    named = prizes.waiting_revenue() + prizes.carried() + prizes.buyback_bucket() + prizes.remainder_wad() // WAD
    assert row.revenue + second == prize + named


def test_all_liquidity_borrowed_for_a_transaction_does_not_close_the_week_with_its_yield_left_behind(
    system, market, borrower
):
    """The attack that reaped an Aave vault, on a vault of another kind: what is lent out at the moment is not gone."""
    usdc, staking, prizes = system.usdc, system.tessera.staking, system.tessera.prizes
    system.stake(system.wallet(7), usdc, 50_000 * USDC)
    lent_at = second_of(system, market.borrow(borrower, 25_000 * USDC))
    week, event = prizes.period(), system.create_event(days=8)
    system.end_week()
    staking.harvest(system.wallet(2), system.dai.address, MAX)

    refusals = system.within_flash_loan(
        market.credit,
        usdc,
        market.liquidity(),
        [
            (staking, staking.calldata("harvest", usdc.address, MAX)),
            (prizes, prizes.calldata("close_periods", week, 1)),
        ],
    )
    assert b"pool: vault cannot pay now" in refusals[0]
    assert b"prizes: harvest first" in refusals[1]

    row = staking.harvest(system.wallet(2), usdc.address, MAX).event(Harvested)
    assets = (50_000 + SEED) * USDC
    due = interest(25_000 * USDC, assets, second_of(system, row.block) - lent_at) * 50_000 * USDC / assets - USDC
    # The loan moved nothing but the rate, from its end on: within seconds, less than a cent.
    assert due - USDC // 100 < row.amount < due + USDC // 100
    system.close()
    assert prizes.event_prize(event) == row.amount * 9 // 10  # the week's own event has it


def test_all_is_lent_out_and_the_rest_comes_later(system, market, borrower):
    usdc, staking = system.usdc, system.tessera.staking
    first, second = system.wallet(7), system.wallet(8)
    system.stake(first, usdc, 30_000 * USDC)
    system.stake(second, usdc, 20_000 * USDC)
    market.borrow(borrower, market.liquidity() - 1_000 * USDC)
    wait(system.web3, DAY)

    assert system.leave(first, usdc) == (1_000 * USDC, 1_000 * USDC)  # all that is there, to the unit
    assert staking.principal_of(first.address, usdc.address) == 29_000 * USDC
    assert staking.stake_of(first.address) == 29_000 * USDC
    assert market.liquidity() == 0
    for staker in (first, second):
        with pytest.raises(Reverted, match=r"^pool: vault cannot pay now$"):
            system.leave(staker, usdc)
    system.end_week()
    assert len(system.close_without(usdc)) == 1

    market.repay(borrower)
    assert system.leave(second, usdc) == (20_000 * USDC, 20_000 * USDC)
    assert system.leave(first, usdc) == (29_000 * USDC, 29_000 * USDC)


def test_bad_debt_takes_the_same_part_of_everybody_whoever_leaves_first(system, market, borrower):
    """Gearbox lowers the share price when a loan is written off: 40,000 were lent, 30,000 come back."""
    usdc, staking, events = system.usdc, system.tessera.staking, system.tessera.events
    first, second, late, liquidator = (system.wallet(index) for index in (7, 8, 9, 10))
    stakes = {first: 24_000 * USDC, second: 16_000 * USDC, late: 10_000 * USDC}
    for staker, amount in stakes.items():
        system.stake(staker, usdc, amount)
    total = sum(stakes.values())
    market.borrow(borrower, 40_000 * USDC)
    wait(system.web3, DAY)
    system.give(liquidator, usdc, 30_000 * USDC)
    market.write_off(liquidator, borrower, 30_000 * USDC)
    # All accounts of the loan are closed: what is left is what is there, with 5 of the seed among it.
    left = market.liquidity()
    assert left == (50_000 + SEED - 10_000) * USDC
    part = Fraction(left, (50_000 + SEED) * USDC)  # of each share's price
    assert 0 <= Fraction(market.pool.read("totalAssets")) - left <= 2
    assert 0 <= total * part - system.worth(usdc) < 3

    with pytest.raises(Reverted, match=r"^pool: vault has a loss$"):
        system.stake(system.wallet(11), usdc, 1_000 * USDC)
    with pytest.raises(Reverted, match=r"^pool: pays less than min_paid$"):
        staking.withdraw(first, usdc.address, stakes[first], stakes[first])
    paid = {}
    for staker in (first, second):
        taken, paid[staker] = system.leave(staker, usdc)
        assert taken == stakes[staker]
        assert 0 <= stakes[staker] * part - paid[staker] < 3
    # Whoever stays a week more loses no unit to those who left.
    system.end_week()
    assert [done.event(Harvested).amount for done in system.harvest()] == [0, 0]
    taken, paid[late] = system.leave(late, usdc)
    assert taken == stakes[late]
    assert 0 <= stakes[late] * part - paid[late] < 3
    assert staking.total_stake() == 0
    assert sum(paid.values()) + market.liquidity() == left
    assert events.read("event_count") == 0


def test_bad_debt_ends_stake_that_is_not_there_any_more_a_day_after_it_was_noted(system, market, borrower):
    usdc, staking, keeper = system.usdc, system.tessera.staking, system.wallet(2)
    poorer, other, liquidator = system.wallet(7), system.wallet(8), system.wallet(10)
    system.stake(poorer, usdc, 50_000 * USDC)
    system.stake(other, system.dai, 10_000 * DAI)
    market.borrow(borrower, 40_000 * USDC)
    wait(system.web3, DAY)
    with pytest.raises(Reverted, match=r"^pool: no loss to note$"):
        staking.note_loss(keeper, usdc.address)
    system.give(liquidator, usdc, 30_000 * USDC)
    market.write_off(liquidator, borrower, 30_000 * USDC)
    lost = Fraction(10_000, 50_000 + SEED)

    staking.note_loss(keeper, usdc.address)
    noted = staking.loss_of(usdc.address).noted
    assert abs(Fraction(noted, WAD) - lost) < Fraction(3, 50_000 * USDC)  # three units of rounding in the worth
    wait(system.web3, DAY - 60)
    with pytest.raises(Reverted, match=r"^pool: nothing to revalue$"):
        staking.revalue(keeper, poorer.address, usdc.address)
    assert staking.stake_of(poorer.address) == 50_000 * USDC
    wait(system.web3, 60)
    staking.revalue(keeper, poorer.address, usdc.address)
    value = staking.stake_of(poorer.address)
    assert value == 50_000 * USDC - 50_000 * USDC * noted // WAD
    assert abs(value - 50_000 * USDC * (1 - lost)) <= 4
    assert staking.stake_of(other.address) == 10_000 * USDC  # the vault of another asset lost nothing
    assert staking.principal_of(poorer.address, usdc.address) == 50_000 * USDC  # owed, should it come back

    # Interest makes up for it in 300 days in which all is lent out.
    market.borrow(borrower, market.liquidity())
    wait_until(system.web3, now(system.web3) + 300 * DAY, blocks=1)
    market.repay(borrower)
    staking.revalue(keeper, poorer.address, usdc.address)
    assert staking.stake_of(poorer.address) == 50_000 * USDC
    assert system.leave(poorer, usdc) == (50_000 * USDC, 50_000 * USDC)


def test_a_paused_pool_pays_nothing_and_loses_nothing(system, market, borrower):
    usdc, staking = system.usdc, system.tessera.staking
    staker = system.wallet(7)
    system.stake(staker, usdc, 10_000 * USDC)
    market.borrow(borrower, 5_000 * USDC)
    event = system.create_event(days=8)
    system.tessera.events.predict(staker, event, 1)
    system.give(staker, usdc, 1_000 * USDC)
    market.set_paused(True)
    before = staking.asset_state(usdc.address), staking.stake_of(staker.address)
    for amount in (1_000 * USDC, 10_000 * USDC):
        with pytest.raises(Reverted, match=r"^pool: vault cannot pay now$"):
            staking.withdraw(staker, usdc.address, amount, 0)
    with pytest.raises(Reverted, match=r"^pool: vault refused$"):
        staking.stake(staker, usdc.address, 1_000 * USDC)
    assert before == (staking.asset_state(usdc.address), staking.stake_of(staker.address))
    assert usdc.read("balanceOf", staker.address) == 1_000 * USDC
    system.end_week()
    assert [row.revenue for row in system.close_without(usdc)] == [0]

    market.set_paused(False)
    assert system.harvest()[0].event(Harvested).amount > 0
    market.repay(borrower)
    assert system.leave(staker, usdc) == (10_000 * USDC, 10_000 * USDC)


def test_a_fee_on_withdrawals_is_the_same_part_of_everybody(system, market):
    """Gearbox's governance can set a fee of up to 1 % on withdrawals: it counts as a loss of the vault."""
    usdc, staking = system.usdc, system.tessera.staking
    first, second = system.wallet(7), system.wallet(8)
    system.stake(first, usdc, 30_000 * USDC)
    system.stake(second, usdc, 20_000 * USDC)
    market.pool.write(market.admin, "setWithdrawFee", 100)
    paid = {}
    for staker, amount in ((first, 30_000 * USDC), (second, 20_000 * USDC)):
        row = staking.withdraw(staker, usdc.address, amount, 0).event(Withdrawn)
        paid[staker] = row.paid
        assert row.amount == amount
        assert 0 <= amount * Fraction(99, 100) - row.paid < 3
    assert usdc.read("balanceOf", system.wallet(6).address) == 500 * USDC
    assert market.liquidity() == SEED * USDC
