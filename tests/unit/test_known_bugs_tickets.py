"""What went wrong in prize savings, gauges, reward pools and lotteries, harmless in the staked tickets.

Who would have lost what is computed by the exact models (tessera/model); each test names the rounding it allows.
Vaults, donations and rounding loops: tests/attacks. Votes: test_known_bugs_panels.py. Cases that cannot apply, and why:

- SushiSwap PR 122, gnoswap PR 1429 in the shape "rewards are paid with the principal": they are claimed apart.
- tokens that take fees or rebase: excluded by the assumptions; fees are refused (staking_pool/test_stake.py). Those
  that return false: staking_pool/test_stake.py, prediction_events/test_claim.py.
"""

from fractions import Fraction

import boa
import pytest

from tessera.model.prizes import PrizeWeeks, period_of, start_of
from tessera.model.tickets import TicketEvent
from tests.prize_system import (
    BET_PER_BLOCK,
    INVALID,
    MIN_BLOCKS,
    USD,
    WAD,
    PrizeSystem,
    block_number,
    load,
    refusing,
)

DAY, WEEK = 86_400, 604_800
REVENUE = 1_000 * USD


@pytest.fixture
def stakers(system):
    """Three people with 1,000, 2,000 and 3,000 USDC staked."""
    people = [boa.env.generate_address() for _ in range(3)]
    for i, account in enumerate(people):
        system.stake(account, 1_000 * (i + 1))
    return people


def predicted(system, people, outcomes=(0, 0, 0), blocks=10 * MIN_BLOCKS, revenue=REVENUE):
    """An event with a prediction of each, in its first block, and revenue in the running week."""
    event = system.create_event(blocks)
    for account, outcome in zip(people, outcomes, strict=True):
        system.events.predict(event, outcome, sender=account)
    if revenue:
        system.revenue(revenue)
    return event


def expected(system, event, stakes, winner, prize):
    """What the exact model pays of a prize for predictions made in the first block: {person: Fraction}."""
    info = system.events.event_info(event)
    model = TicketEvent(info.start_block, info.stop_block, Fraction(info.e0, 100), system.blocks_per_hour)
    for person, (usd, outcome) in stakes.items():
        model.change_stake(person, info.start_block, usd)
        model.predict(person, info.start_block, outcome)
    return model.prizes(winner, prize)


def next_friday(system, weeks=1):
    system.wait_until(start_of(period_of(boa.env.timestamp) + weeks))


# Who was right is paid in full, whenever


def test_pooltogether_84_71_112_the_last_winner_is_paid_as_the_first(system, stakers):
    """There: claims were served while fee or tier money lasted. Here: each has a share from the start."""
    event = predicted(system, stakers)
    system.finish(event, 0)
    prize = system.prizes.event_prize(event)
    due = expected(system, event, {p: (1_000 * (i + 1), 0) for i, p in enumerate(stakers)}, 0, prize)
    for order in (stakers, stakers[::-1]):
        with boa.env.anchor():
            for account in order:
                system.events.claim(event, account)
            # Equal multipliers cancel out: only the floor of a unit differs from the exact share.
            assert [system.usdc.balanceOf(account) for account in stakers] == [due[p] // 1 for p in stakers]


def test_pooltogether_claims_expire_a_winner_is_paid_ten_years_later(system, stakers):
    """There: after one draw the prize was gone."""
    event = predicted(system, stakers, (0, 1, 1))
    system.finish(event, 0)
    prize = system.prizes.event_prize(event)
    system.wait_until(boa.env.timestamp + 10 * 365 * DAY)
    system.close()
    system.events.claim(event, stakers[0])
    assert system.usdc.balanceOf(stakers[0]) == prize >= 900 * USD


def test_pooltogether_37_131_batch_poisoning_one_bad_account_costs_the_others_nothing():
    """There: a hook or a bad item made ten claims revert. Here: no code of winners runs, the bad one is skipped."""
    token = load("tests/mocks/Token.vy").deploy(6)
    system = PrizeSystem(usdc=token)
    people = [boa.env.generate_address() for _ in range(10)]
    for account in people:
        system.stake(account, 100)
    event = predicted(system, people, [0] * 10)
    system.finish(event, 0)
    share = system.prizes.event_prize(event) // 10
    token.refuse(people[4], True)
    nobody = boa.env.generate_address()
    system.events.claim_many(event, [nobody, *people, people[0]])
    reasons = [log.reason for log in system.events.get_logs() if type(log).__name__ == "PrizeClaimSkipped"]
    assert reasons == ["events: nothing left to claim", "events: token refused", "events: nothing left to claim"]
    assert [token.balanceOf(account) for account in people] == [share] * 4 + [0] + [share] * 5
    # A winner whom the token refuses holds back the residue, less than a unit a winner, and nothing of the others'.
    assert share <= system.events.result_of(event)[3] < share + 10
    assert system.events.prize_of(event, people[4]) == share


def test_pancakeswap_lone_loser_bodhi_81_avsb_1_a_prize_without_winner_goes_to_the_next_event(system, stakers):
    """There: 97 % of the money stayed for ever, or a division by zero. Here: all of it is shared again."""
    weeks = PrizeWeeks(system.prizes.period())
    event = predicted(system, stakers, (0, 0, 0))
    weeks.open_event(event, 1, period_of(system.events.event_info(event).not_before))
    weeks.add_revenue(REVENUE)
    system.finish(event, 1)
    weeks.close(period_of(boa.env.timestamp))
    weeks.add_revenue(weeks.prize(event))
    assert system.events.result_of(event) == (True, 1, 0, 0)
    second = predicted(system, stakers, (2, 0, 0), revenue=0)
    weeks.open_event(second, 1, period_of(system.events.event_info(second).not_before))
    system.finish(second, 2)
    weeks.close(period_of(boa.env.timestamp))
    system.events.claim(second, stakers[0])
    # A floor a period in the share and in what is carried.
    assert abs(system.usdc.balanceOf(stakers[0]) - weeks.prize(second)) <= 1 + 2 * len(weeks.closed)
    assert system.usdc.balanceOf(stakers[0]) > 900 * USD * 9 // 10
    held = system.prizes.pool() + system.prizes.buyback_bucket() + system.usdc.balanceOf(stakers[0])
    # Less than a unit is in `rem`.
    assert REVENUE - 1 <= held <= REVENUE


def test_pancakeswap_tie_an_invalid_event_gives_the_house_nothing(system, stakers):
    """There: the house took ties. Here: the prize is revenue again, and no stake was ever at risk."""
    event = predicted(system, stakers, (0, 1, 2))
    system.finish(event, INVALID)
    prize = system.prizes.event_prize(event)
    assert system.prizes.waiting_revenue() == prize >= 900 * USD
    assert [system.events.prize_of(event, account) for account in stakers] == [0] * 3
    for i, account in enumerate(stakers):
        assert system.pool.withdraw(system.usdc, 1_000 * (i + 1) * USD, 0, sender=account) == 1_000 * (i + 1) * USD


# Late, early, at the boundary


@pytest.mark.parametrize("weeks", [21, 51])
def test_curve_fee_distributor_velocimeter_571_377_499_weeks_late_lose_no_unit(system, stakers, weeks):
    """There: beyond 20 weeks money was lost, beyond 50 a claim took several calls. Here: one close, nothing lost."""
    event = system.create_event(blocks=366 * 24 * system.blocks_per_hour, days=30)
    system.revenue(1_000_000_007)
    model = PrizeWeeks(system.prizes.period())
    model.open_event(event, 1, period_of(system.events.event_info(event).not_before))
    model.add_revenue(1_000_000_007)
    next_friday(system, weeks)
    system.close()
    model.close(period_of(boa.env.timestamp))
    prizes = system.prizes
    # A floor a week in the share, one in what is carried to it, one in the revenue.
    assert abs(prizes.event_prize(event) - model.prize(event)) <= 1 + 3 * weeks
    assert prizes.pool() + prizes.buyback_bucket() + prizes.event_prize(event) in (1_000_000_006, 1_000_000_007)


def test_velocimeter_233_468_what_happens_in_fridays_first_second_changes_no_week_that_is_over(system, stakers):
    """There: a snapshot of the boundary's own block could still be changed in it."""
    event = predicted(system, stakers)
    next_friday(system)
    system.close()
    prize = system.prizes.event_prize(event)
    for act in (
        lambda: system.revenue(REVENUE),
        lambda: system.create_event(weight=10_000),
        lambda: system.stake(stakers[0], 10_000),
        lambda: system.harvest(),
        lambda: system.events.predict(event, 1, sender=stakers[0]),
    ):
        act()
        assert system.prizes.event_prize(event) == prize == 900 * USD


def test_pooltogether_28_142_99_117_stake_counts_in_its_own_block_and_not_in_that_of_its_end(system, staker):
    """There: views and actions disagreed by one at a period's edge. Here: [start, stop), in view and in action."""
    event = system.create_event(blocks=MIN_BLOCKS, e0=100)
    info = system.events.event_info(event)
    system.mine(MIN_BLOCKS - 1)
    system.pool.stake(system.usdc, 600 * USD, sender=staker)
    system.events.predict(event, 0, sender=staker)
    assert system.events.multiplier(event) == WAD
    system.mine(1)
    assert block_number() == info.stop_block
    # One block of ten minutes, then nothing more.
    for blocks in (0, 1, 50):
        system.mine(blocks)
        assert system.events.tickets(event, staker) == (100 * WAD, 100 * WAD)
    assert system.pool.stake_blocks(staker, info.start_block, info.stop_block) == 600 * USD


def test_pooltogether_141_149_151_54_a_late_transaction_acts_on_no_other_week(system, stakers):
    """There: what was held back took place in the next draw. Here: calls name their week or deadline."""
    predicted(system, stakers)
    first = system.prizes.period()
    next_friday(system)
    system.close()
    next_friday(system)
    system.harvest()
    with boa.reverts("prizes: not this period"):
        system.prizes.close_periods(first, 1)
    assert system.prizes.period() == first + 1
    with boa.reverts("prizes: deadline is over"):
        system.prizes.buy_back(USD, WAD, boa.env.timestamp - 1, sender=system.keeper)


# Losses of a vault


def test_pooltogether_44_after_a_loss_the_fast_do_not_leave_at_par(system, stakers):
    """There: the first took 1:1 and the last bore it all. Here: 10 % less for each, in any order."""
    system.lose(system.usdc, 600 * USD)
    for order in ((0, 1, 2), (2, 1, 0)):
        with boa.env.anchor():
            for i in order:
                back = system.pool.withdraw(system.usdc, 1_000 * (i + 1) * USD, 0, sender=stakers[i])
                # The vault rounds by a unit a call.
                assert 0 <= 900 * (i + 1) * USD - back <= 3


def test_pooltogether_51_116_90_no_shares_for_a_stake_or_rounding_bricks_neither_stakes_nor_leaving(system, stakers):
    """There: a vault that gave zero shares, or a unit less, made deposits and withdrawals revert for ever."""
    token = load("contracts/devnet/TestToken.vy").deploy("Odd", "ODD", 6)
    vault = load("tests/mocks/OddVault.vy").deploy(token)
    system.add_asset(token, vault, system.feed[system.usdc])
    staker = stakers[0]
    system.fund(staker, token, 300 * USD)
    vault.set_kept(100 * USD)
    with boa.reverts("pool: vault has a loss"):
        system.pool.stake(token, 100 * USD, sender=staker)
    vault.set_kept(1)
    for _ in range(3):
        system.pool.stake(token, 100 * USD, sender=staker)
    # Three units short is rounding: everybody bears it, nobody is kept.
    assert system.pool.withdraw(token, 300 * USD, 0, sender=staker) == 300 * USD - 3
    assert token.balanceOf(staker) == 300 * USD - 3


@pytest.mark.parametrize("trouble", ["illiquid", "paused", "bad debt"])
def test_aave_metamorpho_trouble_of_one_vault_stops_no_other_asset_and_no_week(system, staker, rival, trouble):
    """There: everything in the vault waited. Here: only that asset's stakers do, and what they are owed stays owed."""
    vault = system.vault[system.dai]
    system.pool.stake(system.dai, 1_000 * WAD, sender=staker)
    system.pool.stake(system.usdc, 1_000 * USD, sender=rival)
    event = system.create_event()
    system.events.predict(event, 0, sender=staker)
    system.revenue(REVENUE)
    if trouble == "illiquid":
        vault.set_liquidity(100 * WAD)
        assert system.pool.withdraw(system.dai, 1_000 * WAD, 0, sender=staker) == 100 * WAD
        left, back = 900 * WAD, 900 * WAD
    elif trouble == "paused":
        vault.set_paused(True)
        with boa.reverts("pool: vault cannot pay now"):
            system.pool.withdraw(system.dai, 1_000 * WAD, 0, sender=staker)
        left, back = 1_000 * WAD, 1_000 * WAD
    else:
        system.lose(system.dai, 300 * WAD)
        left, back = 1_000 * WAD, 700 * WAD
    assert system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=rival) == 1_000 * USD
    next_friday(system)
    system.close()
    assert system.prizes.event_prize(event) == 900 * USD
    vault.set_paused(False)
    vault.set_liquidity(2**256 - 1)
    # The vault rounds by a wei.
    assert system.pool.withdraw(system.dai, left, 0, sender=staker) in (back, back - 1)


# Rewards


def test_unistaker_59_27_pooltogether_47_nothing_is_promised_that_is_not_there(system, stakers, stranger):
    """There: a reward was announced by anybody, or counted twice. Here: revenue is pulled before it counts."""
    event = predicted(system, stakers)
    with boa.reverts("erc20: insufficient allowance"):
        system.prizes.add_revenue(REVENUE, sender=stranger)
    assert system.prizes.pool() == REVENUE
    system.finish(event, 0)
    for account in stakers:
        system.events.claim(event, account)
    paid = sum(system.usdc.balanceOf(account) for account in stakers)
    assert system.usdc.balanceOf(system.events) == 0
    assert paid + system.prizes.pool() + system.prizes.buyback_bucket() in (REVENUE - 1, REVENUE)


def test_velocimeter_274_535_dust_payments_dilute_nothing(system, stakers, stranger):
    """There: a payment of one unit stretched the running rate over a new week."""
    event = predicted(system, stakers)
    for _ in range(20):
        system.revenue(1)
    next_friday(system)
    system.close()
    assert system.prizes.event_prize(event) == (REVENUE + 20) * 9 // 10
    system.pool.claim_rewards(stakers[0], sender=stranger)
    before = system.bet.balanceOf(stakers[0])
    for _ in range(20):
        system.mine(1)
        system.pool.claim_rewards(stakers[0], sender=stranger)
    # A sixth of each block; a claim that rounds down leaves less than a wei.
    assert 0 <= 20 * BET_PER_BLOCK // 6 - (system.bet.balanceOf(stakers[0]) - before) <= 20


def test_staking_rewards_a_rate_that_truncates_loses_nothing_here(system, stakers):
    """There: reward // seconds lost up to 0.6 tokens a week. Here: the remainder is shared with the next week."""
    weights = (3, 7)
    for weight in weights:
        system.create_event(blocks=3 * 7 * 24 * 6, weight=weight)
    for _ in range(3):
        system.revenue(1_000_003)
        next_friday(system)
        system.close()
    prizes = system.prizes
    # Both were there from the first week on, when the index was 0.
    shared = sum(weights) * prizes.prize_per_weight_wad()
    to_events = 3 * 1_000_003 - prizes.pool() - prizes.buyback_bucket()
    assert shared + prizes.remainder_wad() == to_events * WAD
    assert prizes.remainder_wad() < sum(weights)


def test_tokemak_432_168_848_what_comes_while_nobody_stakes_is_stuck_nowhere(system, staker):
    """There: rewards for an empty pool belonged to nobody for ever."""
    system.mine(100)
    weeks = PrizeWeeks(system.prizes.period())
    system.revenue(REVENUE)
    weeks.add_revenue(REVENUE)
    event = system.create_event(blocks=14 * 24 * 6)
    weeks.open_event(event, 1, period_of(system.events.event_info(event).not_before))
    next_friday(system)
    system.close()
    weeks.close(period_of(boa.env.timestamp))
    system.pool.stake(system.usdc, USD, sender=staker)
    mined = block_number()
    system.events.predict(event, 0, sender=staker)
    system.finish(event, 0)
    weeks.close(period_of(boa.env.timestamp))
    system.events.claim(event, staker)
    won = system.usdc.balanceOf(staker) - 9_999 * USD
    assert abs(won - weeks.prize(event)) <= 1 + 2 * len(weeks.closed)
    assert won > 900 * USD
    # BET is mined from the stake on, none of it for the blocks before.
    assert system.pool.pending_rewards(staker) == BET_PER_BLOCK * (block_number() - mined)


def test_sushiswap_122_gnoswap_1429_no_bet_left_to_mine_keeps_no_principal(system, staker):
    """There: a reward token that was short made every withdrawal revert."""
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.mine(10)
    with boa.env.anchor():
        budget = system.bet.MINING_BUDGET() - system.bet.minted()
        system.bet.mint(system.treasury, budget - 1, sender=system.pool.address)
        with boa.reverts("bet: mining budget spent"):
            system.pool.claim_rewards(staker)
        assert system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker) == 1_000 * USD
        assert system.pool.pending_rewards(staker) == 10 * BET_PER_BLOCK
    # With something to mine, what was earned is paid.
    assert system.pool.claim_rewards(staker) == 10 * BET_PER_BLOCK


def test_masterchef_stake_of_this_block_has_no_part_in_what_was_mined_before(system, staker, rival):
    """There: a pool not updated before a deposit paid the newcomer for the past."""
    system.pool.stake(system.usdc, USD, sender=staker)
    system.mine(100)
    system.pool.stake(system.usdc, 9_999 * USD, sender=rival)
    assert system.pool.pending_rewards(rival) == 0
    assert system.pool.pending_rewards(staker) == 100 * BET_PER_BLOCK
    system.mine(1)
    assert system.pool.pending_rewards(rival) == BET_PER_BLOCK * 9_999 // 10_000


def test_pooltogether_22_31_largest_stakes_for_a_century_overflow_nothing(system):
    """There: an accumulator of too few bits could be pushed over, and nobody could deposit or close any more."""
    whale = boa.env.generate_address()
    total = 2**60 - 1
    system.usdc.mint(whale, total)
    system.usdc.approve(system.pool, total, sender=whale)
    system.pool.stake(system.usdc, total, sender=whale)
    event = predicted(system, [whale], [0], blocks=366 * 24 * 6, revenue=0)
    boa.env.evm.patch.block_number += 2**39
    boa.env.timestamp += 100 * 365 * DAY
    assert system.pool.stake_blocks(whale, 0, block_number()) == total * 2**39
    system.harvest()
    system.prizes.close_periods(system.prizes.period(), 520)
    with boa.reverts("pool: pool is full"):
        system.stake(boa.env.generate_address(), 1)
    assert system.pool.withdraw(system.usdc, total, 0, sender=whale) == total
    held, prize = system.events.tickets(event, whale)
    assert (held, prize) == (total * 366 * 24 * 10**12, total * 366 * 24 * 10**12 * 5 // 2)


# Prices and swaps


def test_pancakeswap_stale_price_a_fallen_coin_buys_no_tickets_at_its_old_price(system, staker):
    """There: the age was checked with the wrong sign, and a day-old price settled a round."""
    now = boa.env.timestamp
    for updated_at, reason in ((now - 25 * 3600 - 1, "pool: price is stale"), (now + 1, "pool: no price")):
        system.feed[system.usdc].set_round(9, 10**8, 0, updated_at, 9)
        with boa.reverts(reason):
            system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    assert system.pool.total_stake() == 0


def test_pancakeswap_56_a_feed_whose_rounds_do_not_grow_keeps_nobody(system, staker):
    """There: a round id that did not grow stopped the game for good."""
    for round_id in (7, 7, 3, 0):
        system.feed[system.usdc].set_round(round_id, 10**8, 0, boa.env.timestamp, 0)
        system.pool.stake(system.usdc, 10 * USD, sender=staker)
        system.mine(1)
    assert system.pool.withdraw(system.usdc, 40 * USD, 0, sender=staker) == 40 * USD


def test_buyback_harvest_strategy_76_a_bent_price_buys_nothing_and_the_bucket_waits(system, stakers):
    """There: min_out = 0, or a quote of the same transaction, gave a sandwich 17 % to 40 %."""
    predicted(system, stakers)
    system.prizes.poke()
    next_friday(system)
    system.close()
    system.prizes.poke()
    boa.env.timestamp += DAY
    bucket = system.prizes.buyback_bucket()
    assert bucket == 30 * USD
    thief = boa.env.generate_address()
    system.usdc.mint(thief, 200_000 * USD)
    system.usdc.approve(system.router, 2**256 - 1, sender=thief)
    path = [system.usdc, system.bet]
    system.router.swapExactTokensForTokens(200_000 * USD, 0, path, thief, boa.env.timestamp, sender=thief)
    quote = system.router.getAmountsOut(bucket, path)[-1]
    assert quote < 21 * WAD  # the sandwich would take 30 %
    for min_out in (0, quote):
        with boa.reverts("prizes: min_out too low"):
            system.prizes.buy_back(bucket, min_out, boa.env.timestamp, sender=system.keeper)
    with boa.reverts("router: too little out"):
        system.prizes.buy_back(bucket, 30 * WAD * 98 // 100, boa.env.timestamp, sender=system.keeper)
    assert system.prizes.buyback_bucket() == bucket


# In general


def test_permit_front_running_costs_the_signer_nothing(system, sign_permit, signer, stranger):
    """There: a permit that somebody else had sent made the deposit revert."""
    system.usdc.mint(signer.address, 100 * USD)
    deadline = boa.env.timestamp + 60
    permit = deadline, *sign_permit(system.usdc, signer, system.pool, 100 * USD, deadline)
    # Nobody but the signer can spend it either: a stake is the caller's own.
    with boa.reverts("pool: bad permit"):
        system.pool.stake_with_permit(system.usdc, 100 * USD, *permit, sender=stranger)
    system.usdc.permit(signer.address, system.pool, 100 * USD, *permit, sender=stranger)
    system.pool.stake_with_permit(system.usdc, 100 * USD, *permit, sender=signer.address)
    assert system.pool.principal_of(signer.address, system.usdc) == 100 * USD
    assert system.pool.principal_of(stranger, system.usdc) == 0


def test_replay_of_a_permit_on_another_chain_or_pool_moves_nothing(system, sign_permit, signer):
    """A signature names chain, token and spender."""
    system.usdc.mint(signer.address, 100 * USD)
    deadline = boa.env.timestamp + 60
    for spender, chain_id in ((system.pool, 1), (system.prizes, None)):
        permit = deadline, *sign_permit(system.usdc, signer, spender, 100 * USD, deadline, chain_id=chain_id)
        with boa.reverts("pool: bad permit"):
            system.pool.stake_with_permit(system.usdc, 100 * USD, *permit, sender=signer.address)


def test_token_that_returns_nothing_is_staked_won_and_paid_back():
    """As the oldest stablecoin does."""
    token = load("tests/mocks/SilentToken.vy").deploy()
    system = PrizeSystem(usdc=token)
    winner, loser = system.newcomer(), system.newcomer()
    event = system.contested(winner, loser)
    system.finish(event, 0)
    prize = system.prizes.event_prize(event)
    assert prize >= 900 * USD
    system.events.claim_many(event, [winner, loser])
    assert system.events.result_of(event) == (True, 0, prize, 0)  # nothing of it is unpaid
    for account in (winner, loser):
        assert system.pool.withdraw(token, 1_000 * USD, 0, sender=account) == 1_000 * USD
    assert [token.balanceOf(account) for account in (winner, loser)] == [10_000 * USD + prize, 10_000 * USD]


@pytest.mark.parametrize("view", ["stake_of", "pending_rewards", "total_stake"])
def test_read_only_re_entrancy_nobody_reads_a_stake_between_its_two_halves(view):
    """There: a getter told a lie while a token's callback ran. Here: getters are under the same lock."""
    token = load("tests/mocks/HostileToken.vy").deploy()
    system, staker = PrizeSystem(usdc=token), boa.env.generate_address()
    system.fund(staker, token, 100 * USD)
    call = getattr(system.pool, view)
    token.set_hook(system.pool, call.prepare_calldata(*([] if view == "total_stake" else [staker])))
    system.pool.stake(token, 100 * USD, sender=staker)
    hooks = [log for log in system.pool.get_logs() if type(log).__name__ == "HookCalled"]
    assert {log.succeeded for log in hooks} == {False}
    assert system.pool.stake_of(staker) == 100 * USD


def test_omen_905_no_prediction_once_the_panel_may_report_even_if_blocks_are_late(system, staker):
    """There: positions were open while the outcome was known."""
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    event = system.create_event()
    info = system.events.event_info(event)
    boa.env.timestamp = info.not_before
    system.report(event, 1)
    assert block_number() < info.stop_block
    with boa.reverts("events: result may be known"):
        system.events.predict(event, 1, sender=staker)


def test_prize_contracts_that_refuse_do_not_keep_principal_and_their_purge_is_for_the_others(system, stakers):
    """In the spirit of SushiSwap PR 122: a broken part that pays rewards must not hold what is staked."""
    event = predicted(system, stakers)
    with refusing(system.events):
        assert system.pool.withdraw(system.usdc, 3_000 * USD, 0, sender=stakers[2]) == 3_000 * USD
    system.events.purge(event, stakers[2])
    system.finish(event, 0)
    prize = system.prizes.event_prize(event)
    due = expected(system, event, {stakers[0]: (1_000, 0), stakers[1]: (2_000, 0)}, 0, prize)
    assert [system.events.prize_of(event, account) for account in stakers] == [
        due[stakers[0]] // 1,
        due[stakers[1]] // 1,
        0,
    ]
