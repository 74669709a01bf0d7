"""Attempts to bias who gets the prize, to move it between weeks, and to trade against the contracts' swaps."""

from fractions import Fraction

import boa
import pytest

from tessera.model.prizes import PrizeWeeks, period_of, start_of
from tessera.model.tickets import TicketEvent
from tests.prize_system import ALL, BET_PER_BLOCK, MIN_BLOCKS, USD, WAD, block_number

DAY = 86_400
REVENUE = 1_000 * USD
BLOCKS = 10 * MIN_BLOCKS  # 240 hours


@pytest.fixture
def event(system, rival):
    """The honest rival stakes 1,000 USD and predicts 0 in the first block, at 2.50; 1,000 USDC are in the week."""
    system.pool.stake(system.usdc, 1_000 * USD, sender=rival)
    event = system.create_event(BLOCKS)
    system.events.predict(event, 0, sender=rival)
    system.revenue(REVENUE)
    return event


def lines_add_up(system, event, accounts, outcome=0):
    total = system.events.lines_of(event, accounts[0], outcome)[1]
    return sum(system.events.lines_of(event, account, outcome)[0] for account in accounts) == total


def wait_for_end(system, event):
    system.mine(system.events.event_info(event).stop_block - block_number())


# Stake that visits, comes late, or knows


def test_visit_of_one_block_takes_nothing_home(system, staker, event):
    """Stake, predict, harvest, claim and leave in a block, even in the block of the settlement."""
    wait_for_end(system, event)
    system.report(event, 0)
    system.mine(24 * 6)
    system.wait_until(start_of(period_of(boa.env.timestamp) + 1))
    system.close()
    other = system.create_event()
    held = [asset.balanceOf(staker) for asset in (system.usdc, system.dai, system.bet)]
    system.pool.stake(system.usdc, 10_000 * USD, sender=staker)
    system.events.predict(other, 0, sender=staker)
    system.harvest()
    system.events.settle(event)
    with boa.reverts("pool: no rewards"):
        system.pool.claim_rewards(staker)
    system.pool.withdraw(system.usdc, 10_000 * USD, 0, sender=staker)
    assert [asset.balanceOf(staker) for asset in (system.usdc, system.dai, system.bet)] == held
    wait_for_end(system, other)
    assert system.events.tickets(other, staker) == (0, 0)
    assert system.events.prize_of(event, staker) == 0


def test_dollar_on_the_first_day_carries_no_fortune_of_the_last(system, staker, rival, event):
    """With one multiplier a person, 1 USD at 2.50 would have dated 9,999 USD of the last hour back to it."""
    system.pool.stake(system.usdc, USD, sender=staker)
    system.events.predict(event, 0, sender=staker)
    system.mine(BLOCKS - 6)
    system.pool.stake(system.usdc, 9_999 * USD, sender=staker)
    system.mine(6)
    actual, prize = system.events.tickets(event, staker)
    assert actual == (240 + 9_999) * WAD
    # An hour before the end the multiplier is 1 + 1.5 * 6 / 1,440, rounded down to 1e-6.
    assert prize == 600 * WAD + 9_999 * 1_006_250 * 10**12
    assert system.events.tickets(event, rival)[1] == 600_000 * WAD
    assert lines_add_up(system, event, [staker, rival])


def test_changing_sides_at_the_end_keeps_no_early_multiplier(system, staker, rival, event):
    """Who predicts the favourite on day one and the winner on the last day has the last day's multiplier on all."""
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.events.predict(event, 1, sender=staker)
    system.mine(BLOCKS - 1)
    system.events.predict(event, 0, sender=staker)
    system.mine(1)
    last = 10**6 + 1_500_000 // BLOCKS
    assert system.events.tickets(event, staker)[1] == 240_000 * last * 10**12
    assert system.events.outcome_tickets(event, 1) == 0


def test_stake_added_once_the_result_is_known_counts_nowhere(system, staker, rival, event):
    """Tickets run to the stop block, the panel by the clock. Where the chain is a day late a winner who adds a fortune
    when the panel has reported would have a day of it. It earns actual tickets, and no prize tickets.
    """
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.events.predict(event, 0, sender=staker)
    model = TicketEvent(0, BLOCKS, Fraction(5, 2), 6)
    late = BLOCKS - 24 * 6
    info = system.events.event_info(event)
    assert block_number() == info.start_block  # both are in it from its first block
    for account in (staker, rival):
        model.change_stake(account, 0, 1_000)
        model.predict(account, 0, 0)

    boa.env.evm.patch.block_number = info.start_block + late
    boa.env.timestamp = info.not_before
    system.report(event, 0)
    with boa.reverts("events: result may be known"):
        system.events.predict(event, 1, sender=staker)
    system.pool.stake(system.usdc, 9_000 * USD, sender=staker)
    model.change_stake(staker, late, 9_000, known=True)
    system.mine(12 * 6)
    # Leaving still takes tickets away, so nobody keeps them without stake.
    system.pool.withdraw(system.usdc, 5_000 * USD, 0, sender=staker)
    model.change_stake(staker, late + 12 * 6, -5_000, known=True)
    system.mine(12 * 6)
    for account in (staker, rival):
        actual, prize = (Fraction(value, WAD) for value in system.events.tickets(event, account))
        assert actual == model.actual_tickets(account, BLOCKS)
        assert 0 <= model.prize_tickets(account, BLOCKS) - prize < Fraction(1, 10**6)  # rounded down once a change
    assert system.events.tickets(event, staker)[1] < system.events.tickets(event, rival)[1]


# Forfeiture


def test_forfeiting_on_purpose_is_never_better_than_leaving_and_predicting_again(system, staker, rival, event):
    """Even if somebody could make the news fail, it only throws away what an honest change of mind keeps."""
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.events.predict(event, 0, sender=staker)
    tickets = []
    for forfeits in (False, True):
        with boa.env.anchor():
            system.mine(BLOCKS // 2)
            code = boa.env.get_code(system.events.address)
            if forfeits:
                boa.env.set_code(system.events.address, bytes.fromhex("5f5ffd"))
            system.pool.withdraw(system.usdc, 400 * USD, 0, sender=staker)
            boa.env.set_code(system.events.address, code)
            system.events.predict(event, 0, sender=staker)
            wait_for_end(system, event)
            tickets.append(system.events.tickets(event, staker)[1])
            assert lines_add_up(system, event, [staker, rival])
    # 1,000 USD for 120 h and 600 USD for 120 h, at 2.50 or at the 1.75 of the second prediction.
    assert tickets == [192_000 * 25 * WAD // 10, 192_000 * 175 * WAD // 100]


def test_purge_griefing_takes_nothing_from_who_predicts(system, staker, rival, stranger, event):
    """A stranger's purge takes away nothing that counts."""
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.events.predict(event, 0, sender=staker)
    code = boa.env.get_code(system.events.address)
    boa.env.set_code(system.events.address, bytes.fromhex("5f5ffd"))
    system.pool.withdraw(system.usdc, 400 * USD, 0, sender=staker)
    boa.env.set_code(system.events.address, code)
    system.events.predict(event, 0, sender=staker)
    before = system.events.lines_of(event, staker, 0)
    for account in (staker, rival, stranger):
        with boa.reverts("events: not forfeited"):
            system.events.purge(event, account, sender=stranger)
    assert system.events.lines_of(event, staker, 0) == before


def test_nobody_fills_the_open_predictions_of_another(system, staker, stranger, event):
    """All 64 places are the caller's own, and a stranger is not the staking pool."""
    with boa.reverts("events: no stake, no tickets"):
        system.events.predict(event, 0, sender=stranger)
    with boa.reverts("events: not the staking pool"):
        system.events.on_stake(staker, 0, 10**6, sender=stranger)
    assert system.events.prediction_of(event, staker) == (False, 0)


# Rounding


def test_sixty_odd_winners_get_no_unit_more_than_the_prize(system, rival, event):
    """Shares that do not divide: each is a floor, and what they leave goes back with the last claim."""
    people = [boa.env.generate_address() for _ in range(61)]
    for i, account in enumerate(people):
        system.stake(account, 1 + i % 5)
        system.events.predict(event, 0, sender=account)
    info = system.events.event_info(event)
    model = TicketEvent(info.start_block, info.stop_block, Fraction(5, 2), 6)
    stakes = {rival: 1_000} | {account: 1 + i % 5 for i, account in enumerate(people)}
    for account, usd in stakes.items():
        model.change_stake(account, info.start_block, usd)
        model.predict(account, info.start_block, 0)
    system.finish(event, 0)
    prize = system.prizes.event_prize(event)
    due = model.prizes(0, prize)
    held = system.usdc.balanceOf(rival)
    system.events.claim_many(event, [*people, rival, *people])
    assert [system.usdc.balanceOf(account) for account in people] == [due[account] // 1 for account in people]
    paid = sum(system.usdc.balanceOf(account) for account in people) + system.usdc.balanceOf(rival) - held
    assert 0 < prize - paid < 62
    assert system.prizes.waiting_revenue() == prize - paid
    assert system.usdc.balanceOf(system.events) == 0


def test_a_hundred_claims_of_bet_mint_no_wei_more_than_one(system, staker, event):
    """The fraction stays owed: neither lost nor paid twice."""
    system.pool.stake(system.usdc, 7 * USD, sender=staker)
    begun = block_number()
    for _ in range(100):
        system.mine(1)
        system.pool.claim_rewards(staker)
    exact = Fraction(100 * BET_PER_BLOCK * 7, 1_007)
    # The accumulator is rounded down once a block, by less than 1e-18 a unit of stake.
    assert exact - 1 <= system.bet.balanceOf(staker) <= exact
    assert block_number() == begun + 100


# Weeks


def test_boundary_second_of_friday_belongs_to_the_new_week_in_every_call(system, staker, event):
    """A second before it everything is of the old week, in it nothing is."""
    first = system.prizes.period()
    boundary = start_of(first + 1)
    system.pool.stake(system.usdc, 9_000 * USD, sender=staker)
    system.mine(1)
    boa.env.timestamp = boundary - 1
    system.earn(system.usdc, 1_000 * USD)
    assert system.harvest() == 50 * USD
    assert not system.pool.harvested_since(boundary)
    with boa.reverts("prizes: period is not over"):
        system.prizes.close_periods(first, 1)
    old = system.create_event()
    boa.env.timestamp = boundary
    with boa.reverts("prizes: harvest first"):
        system.create_event()
    with boa.reverts("prizes: harvest first"):
        system.prizes.close_periods(first, 1)
    system.pool.stake(system.usdc, USD, sender=staker)
    assert system.harvest() == 50 * USD
    assert system.pool.harvested_since(boundary)
    new = system.create_event()
    assert system.prizes.period() == first + 1
    # A harvest in that second is of money earned before it, and is what closing waits for.
    assert system.prizes.event_prize(event) == (REVENUE + 100 * USD) * 9 // 10 // 2
    assert system.prizes.event_prize(old) == system.prizes.event_prize(event)
    assert system.prizes.event_prize(new) == 0


def test_event_that_ends_in_that_second_ends_in_the_new_week_and_is_settled_after_it(system, staker):
    """The last week is that of the expected end, and nothing stretches it further."""
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    boundary = start_of(system.prizes.period() + 1)
    blocks = (boundary - boa.env.timestamp) // system.block_seconds
    ends_before, ends_then = system.create_event(blocks - 1), system.create_event(blocks)
    assert system.events.event_info(ends_then).not_before == boundary
    for event in (ends_before, ends_then):
        system.events.predict(event, 0, sender=staker)
    system.mine(blocks)
    for event in (ends_before, ends_then):
        system.report(event, 0)
    system.close()
    system.mine(24 * 6)
    system.events.settle(ends_before)
    with boa.reverts("prizes: last week not closed"):
        system.events.settle(ends_then)
    system.wait_until(boundary + 7 * DAY)
    system.close()
    system.events.settle(ends_then)


def test_holding_up_a_swap_for_a_day_delays_yield_and_loses_none(system, staker, event):
    """Who bends the pair keeps one asset's yield out of a week, at the price of doing so for 24 h; the next has it."""
    system.pool.stake(system.dai, 10_000 * WAD, sender=staker)
    system.mine(1)
    system.earn(system.dai, 11 * WAD)
    thief = boa.env.generate_address()
    system.dai.mint(thief, 10_000 * WAD)
    system.dai.approve(system.router, 2**256 - 1, sender=thief)
    path = [system.dai, system.usdc]
    system.router.swapExactTokensForTokens(10_000 * WAD, 0, path, thief, boa.env.timestamp, sender=thief)
    system.wait_until(start_of(system.prizes.period() + 1))
    system.pool.harvest(system.usdc, ALL)
    with boa.reverts("router: too little out"):
        system.pool.harvest(system.dai, ALL)
    boa.env.timestamp += DAY
    system.prizes.close_periods(system.prizes.period(), 1)
    assert system.prizes.event_prize(event) == REVENUE * 9 // 10
    back = system.usdc.balanceOf(thief)
    system.usdc.approve(system.router, back, sender=thief)
    system.router.swapExactTokensForTokens(back, 0, path[::-1], thief, boa.env.timestamp, sender=thief)
    # 10 USD less the pair's 0.3 %; the bender paid 0.6 % of 10,000 USD.
    assert 9_965_000 < system.pool.harvest(system.dai, ALL) < 9_975_000
    assert system.dai.balanceOf(thief) < 9_941 * WAD


def test_stuffed_blocks_only_delay_a_settlement(system, rival, event):
    """No waiting time of it ends a right: held up for a month, it pays the same."""
    info = system.events.event_info(event)
    wait_for_end(system, event)
    system.report(event, 0)
    system.wait_until(start_of(period_of(info.not_before) + 1))
    system.close()
    prize = system.prizes.event_prize(event)
    system.wait_until(info.result_deadline + 30 * DAY)
    system.events.settle(event)
    assert system.events.prize_of(event, rival) == prize >= 900 * USD


def test_weeks_that_nobody_closes_share_their_revenue_with_the_weeks_after(system, event):
    """Whoever wins has reason to close in time, and can: five weeks late the event has 2 of 7 parts of what came in."""
    info = system.events.event_info(event)
    weeks = PrizeWeeks(system.prizes.period())
    weeks.open_event(event, 1, period_of(info.not_before))
    weeks.add_revenue(REVENUE)
    system.wait_until(start_of(period_of(info.not_before) + 6))
    system.close()
    weeks.close(period_of(boa.env.timestamp))
    late = weeks.prize(event)
    # A floor a week in the share, one in the revenue.
    assert abs(system.prizes.event_prize(event) - late) <= 1 + 2 * len(weeks.closed)
    # 90 % of 2 of 7 parts, and of what the first of the two carried to the second.
    assert late == Fraction(REVENUE, 7) * Fraction(9, 10) * (2 + Fraction(7, 100))


# Sandwiches


def sandwich(system, token_in, token_out, front, act):
    """Profit of who buys before the contracts do and sells after it, in `token_in`; None where their swap fails."""
    with boa.env.anchor():
        thief = boa.env.generate_address()
        token_in.mint(thief, front)
        token_in.approve(system.router, 2**256 - 1, sender=thief)
        token_out.approve(system.router, 2**256 - 1, sender=thief)
        now = boa.env.timestamp
        system.router.swapExactTokensForTokens(front, 0, [token_in, token_out], thief, now, sender=thief)
        try:
            act()
        except boa.BoaError:
            return None
        got = token_out.balanceOf(thief)
        system.router.swapExactTokensForTokens(got, 0, [token_out, token_in], thief, now, sender=thief)
        return token_in.balanceOf(thief) - front


def test_sandwiched_harvest_costs_who_does_it(system, staker):
    """Within 50 bps of the feeds the pair's fee on the way in and out is more than what a bent price gives."""
    system.fund(staker, system.dai, 500_000 * WAD)
    system.pool.stake(system.dai, 500_000 * WAD, sender=staker)
    system.mine(1)
    system.earn(system.dai, 950 * WAD)
    profits = [
        sandwich(system, system.dai, system.usdc, usd * WAD, lambda: system.pool.harvest(system.dai, ALL))
        for usd in (10, 100, 300, 500, 1_000, 10_000)
    ]
    # The swap of 900 USD, 0.09 % of the reserve: up to 500 USD before it go through, above it is refused.
    assert [profit is None for profit in profits] == [False] * 4 + [True] * 2
    assert max(profit for profit in profits if profit is not None) < 0


def test_sandwiched_buyback_takes_less_than_a_hundredth_and_nothing_of_small_ones(system):
    """With the loosest min_out that is allowed: 2 % less what fee and price take, 1.3 % at 1 % of the reserve. Below
    0.3 % of it, or with a tight min_out, the fee of two trades is more than a bent price gives.
    """
    system.fill_bucket(400_000 * USD)
    boa.env.timestamp += DAY
    best = {}
    for amount, bps in ((9_900, 9_800), (9_900, 9_860), (2_500, 9_800)):

        def buy(amount=amount, bps=bps):
            least = amount * WAD * bps // 10_000
            system.prizes.buy_back(amount * USD, least, boa.env.timestamp, sender=system.keeper)

        profits = [sandwich(system, system.usdc, system.bet, front * USD, buy) for front in (1_000, 3_000, 10_000)]
        best[amount, bps] = max((profit for profit in profits if profit is not None), default=None)
    assert 0 < best[9_900, 9_800] < 9_900 * USD * 7 // 1_000
    assert best[9_900, 9_860] is None
    assert best[2_500, 9_800] < 0
