"""Attempts to take principal through a vault: shares made dear, a price bent for a moment, rounding in a loop."""

import boa
import pytest

from tessera.model.prizes import period_of, start_of
from tests.prize_system import ALL, MIN_BLOCKS, USD, WAD, load

LOOPS = 100


@pytest.fixture
def fresh(system):
    """An asset of 6 decimals in a vault that nobody has put anything into."""
    token = load("contracts/devnet/TestToken.vy").deploy("Fresh", "FRS", 6)
    vault = load("contracts/devnet/YieldVault.vy").deploy(token)
    system.add_asset(token, vault, system.feed[system.usdc])
    return token, vault


def rich(system, token, vault, usd):
    """An account with that many tokens, which vault and pool may take."""
    account = boa.env.generate_address()
    system.fund(account, token, usd * USD)
    token.approve(vault, 2**256 - 1, sender=account)
    return account


def inflate(token, vault, thief, share):
    """The first depositor's trick: one share out, and a donation that makes it dear."""
    vault.deposit(1, thief, sender=thief)
    # The vault counts one share and one unit that are nobody's: the thief gives `share` to those.
    token.transfer(vault, 2 * share - 2, sender=thief)
    assert vault.previewRedeem(1) == share


def wealth(system, token, vault, account):
    """All that an account could walk away with."""
    shares = vault.previewRedeem(vault.balanceOf(account))
    return token.balanceOf(account) + shares + system.pool.principal_of(account, token)


def pool_worth(system, token, vault):
    return vault.previewRedeem(system.pool.asset_state(token)[1])


@pytest.mark.parametrize("share", [101, 100 * USD])
def test_no_stake_goes_into_a_vault_whose_first_depositor_made_shares_dear(system, fresh, share):
    """A withdrawal burns up to a share too much. With shares of 100 USD, 300 withdrawals of two units took 27,500 of
    100,000 USD staked, for whoever held most other shares.
    """
    token, vault = fresh
    thief, victim = rich(system, token, vault, 10**6), rich(system, token, vault, 10**5)
    inflate(token, vault, thief, share)
    with boa.reverts("pool: vault shares too coarse"):
        system.pool.stake(token, 10**5 * USD, sender=victim)
    assert token.balanceOf(victim) == 10**5 * USD
    assert wealth(system, token, vault, thief) <= 10**6 * USD - share + 1


def test_dearest_shares_that_are_taken_lose_less_to_a_loop_than_its_gas(system, fresh):
    """A share of a basis point of a token: a call takes at most that from those who stay, for 100,000 gas."""
    token, vault = fresh
    share = 100
    thief, victim = rich(system, token, vault, 10**6), rich(system, token, vault, 10**4)
    inflate(token, vault, thief, share)
    system.pool.stake(token, 10**4 * USD, sender=victim)
    vault.deposit(990_000 * USD, thief, sender=thief)
    before = wealth(system, token, vault, thief)
    system.pool.stake(token, 1_000 * USD, sender=thief)
    for _ in range(LOOPS):
        system.pool.withdraw(token, 2, 0, sender=thief)
    gained = wealth(system, token, vault, thief) - before
    assert 0 < gained <= LOOPS * share
    assert pool_worth(system, token, vault) >= 11_000 * USD - (LOOPS + 1) * share


def test_shares_made_dear_behind_a_stake_enrich_those_who_stake(system, fresh):
    """Once the pool has shares, who makes them dear gives most of the money to it."""
    token, vault = fresh
    thief, victim = rich(system, token, vault, 10**6), rich(system, token, vault, 10**3)
    system.pool.stake(token, 10**3 * USD, sender=victim)
    token.transfer(vault, 100_000 * USD, sender=thief)
    assert pool_worth(system, token, vault) >= 100_999 * USD
    assert system.pool.withdraw(token, 10**3 * USD, 0, sender=victim) == 10**3 * USD
    assert wealth(system, token, vault, thief) == 900_000 * USD


def test_ordinary_shares_give_nothing_to_a_hundred_stakes_and_withdrawals(system):
    """Rounding loops in a vault with a price of 1.03: the looper ends with less, everybody else with all."""
    token, vault = system.usdc, system.vault[system.usdc]
    thief, victim, lender = (rich(system, token, vault, 10**5) for _ in range(3))
    vault.deposit(10**5 * USD, lender, sender=lender)
    token.mint(vault, 3_000 * USD)
    system.pool.stake(token, 10**4 * USD, sender=victim)
    vault.deposit(50_000 * USD, thief, sender=thief)
    system.pool.stake(token, 1_000 * USD, sender=thief)
    before = wealth(system, token, vault, thief)
    for i in range(LOOPS // 2):
        system.pool.withdraw(token, 2 + i % 7, 0, sender=thief)
        system.pool.stake(token, USD + i % 11, sender=thief)
    # What a call rounds, a unit at most, goes to all holders of the vault's shares: of 100 units a third or less.
    assert wealth(system, token, vault, thief) - before <= LOOPS // 3
    assert pool_worth(system, token, vault) >= 10**4 * USD
    left = system.pool.principal_of(thief, token)
    assert left - 1 <= system.pool.withdraw(token, left, 0, sender=thief) <= left
    assert 10**4 * USD - 1 <= system.pool.withdraw(token, 10**4 * USD, 0, sender=victim) <= 10**4 * USD


def test_hundred_tiny_withdrawals_at_a_loss_pay_no_more_than_one_large(system, staker, rival):
    """Each is rounded down: whoever splits pays for it, and who stays gains it."""
    for account in (staker, rival):
        system.pool.stake(system.usdc, 100 * USD, sender=account)
    system.lose(system.usdc, 20 * USD)
    with boa.env.anchor():
        whole = system.pool.withdraw(system.usdc, 7 * LOOPS, 0, sender=staker)
    parts = sum(system.pool.withdraw(system.usdc, 7, 0, sender=staker) for _ in range(LOOPS))
    assert (whole, parts) == (630, 600)
    assert system.pool.withdraw(system.usdc, 100 * USD, 0, sender=rival) >= 90 * USD


# A price bent for a moment


def test_pumped_share_price_takes_half_a_percent_and_a_flash_stake_no_more(system, staker):
    """Who bends the price for a transaction moves 50 bps of principal to the prizes; a visitor's million counts not."""
    system.pool.stake(system.usdc, 10_000 * USD, sender=staker)
    system.mine(1)
    visitor = boa.env.generate_address()
    with boa.env.anchor():
        system.earn(system.usdc, 10_000 * USD)
        plain = system.harvest()
    system.stake(visitor, 10**6)
    system.earn(system.usdc, 10_000 * USD)
    flash = system.harvest()
    system.pool.withdraw(system.usdc, 10**6 * USD, 0, sender=visitor)
    assert plain == flash == 50 * USD
    # The price falls back: all that was made up is gone, half a percent of the principal with it, and no more.
    system.lose(system.usdc, 10_000 * USD)
    assert system.pool.withdraw(system.usdc, 10_000 * USD, 0, sender=staker) in (9_950 * USD, 9_950 * USD - 1)


def test_pumped_share_price_at_the_turn_of_the_week_takes_twice_and_then_waits(system, staker):
    """The cap is a prize week's: two of them around Friday 00:00 UTC, nothing more for seven days."""
    system.pool.stake(system.usdc, 10_000 * USD, sender=staker)
    system.mine(1)
    system.earn(system.usdc, 10_000 * USD)
    friday = start_of(period_of(boa.env.timestamp) + 1)
    moved = []
    for time in (friday - 1, friday, friday + 1, friday + 604_799, friday + 604_800):
        boa.env.timestamp = time
        moved.append(system.pool.harvest(system.usdc, ALL))
    assert moved == [50 * USD, 50 * USD, 0, 0, 50 * USD]


def test_stake_that_waits_a_block_lifts_the_cap_by_its_own_share_only(system, staker):
    """What it lifts the cap by is half a percent of money that bears the same risk."""
    system.pool.stake(system.usdc, 10_000 * USD, sender=staker)
    visitor = boa.env.generate_address()
    system.stake(visitor, 30_000)
    system.mine(1)
    system.earn(system.usdc, 10_000 * USD)
    assert system.harvest() == 200 * USD
    system.lose(system.usdc, 10_000 * USD)
    back = [
        system.pool.withdraw(system.usdc, usd * USD, 0, sender=who)
        for who, usd in ((visitor, 30_000), (staker, 10_000))
    ]
    # The vault rounds a unit a call.
    assert 29_850 * USD - 1 <= back[0] <= 29_850 * USD
    assert 9_950 * USD - 2 <= back[1] <= 9_950 * USD


def test_loss_that_a_newcomer_takes_over_is_a_basis_point_at_most(system, staker, rival):
    """Nobody hands a loss to newcomers: stakes stop above a basis point of all principal, the new included."""
    system.pool.stake(system.usdc, 2_000 * USD, sender=rival)
    system.lose(system.usdc, USD)
    with boa.reverts("pool: vault has a loss"):
        system.pool.stake(system.usdc, 7_900 * USD, sender=staker)
    system.pool.stake(system.usdc, 8_001 * USD, sender=staker)
    back = system.pool.withdraw(system.usdc, 8_001 * USD, 0, sender=staker)
    assert 8_001 * USD - back <= 8_001 * USD // 10_000 + 1


# Donations


def test_donations_to_vault_pool_and_prizes_buy_nothing(system, staker, rival, stranger):
    """What is sent to the vault becomes prize slowly, what is sent to the contracts counts nowhere."""
    system.pool.stake(system.usdc, 10_000 * USD, sender=staker)
    system.mine(1)
    event = system.create_event()
    system.events.predict(event, 0, sender=staker)
    tickets = system.events.lines_of(event, staker, 0)
    system.usdc.transfer(system.vault[system.usdc], 1_000 * USD, sender=rival)
    for contract in (system.pool, system.prizes, system.events):
        system.usdc.transfer(contract, 1_000 * USD, sender=rival)
    assert system.events.lines_of(event, staker, 0) == tickets
    assert system.pool.pending_rewards(rival) == system.pool.stake_of(rival) == 0
    assert system.prizes.pool() == 0
    assert system.pool.harvest(system.usdc, ALL, sender=stranger) == system.prizes.pool() == 50 * USD
    assert system.pool.withdraw(system.usdc, 10_000 * USD, 0, sender=staker) == 10_000 * USD


def test_shares_sent_to_the_pool_are_not_counted(system, staker, rival):
    """A vault's share price can be read from balances, the pool's holding not."""
    vault = system.vault[system.usdc]
    system.pool.stake(system.usdc, 100 * USD, sender=staker)
    system.mine(1)
    system.usdc.approve(vault, 100 * USD, sender=rival)
    vault.deposit(100 * USD, rival, sender=rival)
    vault.transfer(system.pool, 100 * USD, sender=rival)
    assert system.pool.asset_state(system.usdc)[:2] == (100 * USD, 100 * USD)
    assert system.pool.harvest(system.usdc, ALL) == 0


# What is left in a vault


def test_yield_left_when_everybody_has_gone_is_prize_at_once(system, staker):
    """Nobody's principal is there that the cap could guard, so nothing waits for a stake that may never come."""
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.mine(1)
    system.earn(system.usdc, 500 * USD)
    system.pool.set_open(system.usdc, False, sender=system.owner)
    assert system.harvest() == 5 * USD
    assert system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker) == 1_000 * USD
    # The vault rounds by a unit.
    left = system.pool.harvest(system.usdc, ALL)
    assert 495 * USD - 1 <= left <= 495 * USD
    assert system.prizes.waiting_revenue() == 5 * USD + left


def test_money_that_a_vault_gets_back_once_everybody_left_is_prize(system, staker, stranger):
    """A vault loses all, the staker leaves with nothing, anybody harvests, the vault gets all of it back.

    Before: that harvest gave the pool's shares up, and 10,000 USD lay where nobody can move them. Now they are prize.
    """
    pool, usdc, vault = system.pool, system.usdc, system.vault[system.usdc]
    pool.stake(usdc, 10_000 * USD, sender=staker)
    lost = vault.totalAssets()
    system.lose(usdc, lost)
    assert pool.withdraw(usdc, 10_000 * USD, 0, sender=staker) == 0
    system.mine(1)
    assert pool.harvest(usdc, ALL, sender=stranger) == 0
    system.earn(usdc, lost)
    # What the owner lists anew is worth nothing that counts.
    pool.retire_asset(usdc, sender=system.owner)
    with boa.reverts("pool: asset is still owed"):
        pool.add_asset(usdc, vault, system.feed[usdc], sender=system.owner)
    assert pool.harvest(usdc, ALL, sender=stranger) == 10_000 * USD == system.prizes.waiting_revenue()


def test_a_dollar_that_stays_holds_back_the_yield_of_who_left(system, staker, rival):
    """Of 10,001 USD all but one leave with a week's yield of 40 USD due.

    What moves is half a percent of the dollar, each week, as long as it stays: a wrong share price could cost that
    dollar, and no principal is ever at risk. Who stays gains nothing, and whoever harvests before the others leave
    loses nothing by it.
    """
    pool, usdc = system.pool, system.usdc
    pool.stake(usdc, 10_000 * USD, sender=staker)
    pool.stake(usdc, USD, sender=rival)
    system.mine(1)
    system.earn(usdc, 41 * USD)
    with boa.env.anchor():
        assert pool.harvest(usdc, ALL) in (40 * USD, 40 * USD - 1)
    pool.withdraw(usdc, 10_000 * USD, 0, sender=staker)
    for _ in range(2):
        system.mine(1)
        assert pool.harvest(usdc, ALL) == USD // 200
        system.wait_until(start_of(period_of(boa.env.timestamp) + 1))
    assert pool.withdraw(usdc, USD, 0, sender=rival) == USD
    assert pool.harvest(usdc, ALL) in (41 * USD - 2 * USD // 200, 41 * USD - 2 * USD // 200 - 1)


@pytest.mark.parametrize("away", [0, 1])
def test_a_whale_who_is_away_for_the_harvest_delays_what_its_own_stake_earned(system, staker, rival, away):
    """Nine tenths of all principal leave, the rest's cap is harvested and the week closed, and they come back: within
    a transaction, or a block later.

    The week's event gets 45 of 90 USD, the next week has the other 50. The rival's stake earned 10 USD, all of which
    moved: what waits is what the whale's stake earned.
    """
    pool, usdc, prizes = system.pool, system.usdc, system.prizes
    pool.stake(usdc, 10_000 * USD, sender=rival)
    system.stake(staker, 90_000)
    event = system.create_event()
    system.mine(1)
    system.earn(usdc, 101 * USD)
    system.wait_until(start_of(prizes.period() + 1))
    pool.harvest(system.dai, ALL)
    pool.withdraw(usdc, 90_000 * USD, 90_000 * USD, sender=staker)
    system.mine(away)
    assert pool.harvest(usdc, ALL) == 50 * USD
    prizes.close_periods(prizes.period(), 1)
    pool.stake(usdc, 90_000 * USD, sender=staker)
    assert prizes.event_prize(event) == 45 * USD
    system.mine(1)
    assert pool.harvest(usdc, ALL) in (50 * USD, 50 * USD - 1)
    assert usdc.balanceOf(staker) == 10_000 * USD  # as before: the visit brought nothing home


@pytest.mark.parametrize(("somebody_looks", "gain"), [(True, 0), (False, 135_22)])
def test_two_dips_a_day_apart_count_unless_anybody_looks_between_them(system, staker, rival, somebody_looks, gain):
    """The price of a vault can be bent within a transaction: it is, once for `note_loss` and once for `revalue`.

    Of an event of 931.50 USD two equal stakes get 465.75 each. Where nobody calls `note_loss` in the day between, the
    rival's stake counts half from then on, and 135.22 USD go to the other. One call by anybody, as the keeper makes in
    each of its rounds, takes the note back.
    """
    pool, usdc, vault = system.pool, system.usdc, system.vault[system.usdc]
    event = system.create_event()
    for account in (staker, rival):
        pool.stake(usdc, 1_000 * USD, sender=account)
        system.events.predict(event, 0, sender=account)
    system.revenue(1_000 * USD)

    def bent(call):
        half = vault.totalAssets() // 2
        usdc.transfer(staker, half, sender=vault.address)
        call()
        usdc.transfer(vault, half, sender=staker)

    bent(lambda: pool.note_loss(usdc))
    system.mine(1)
    if somebody_looks:
        assert pool.note_loss(usdc) == 0
    system.mine(MIN_BLOCKS - 1)
    if somebody_looks:
        with boa.reverts("pool: nothing to revalue"):
            pool.revalue(rival, usdc)
    else:
        bent(lambda: pool.revalue(rival, usdc))
        assert (pool.stake_of(staker), pool.stake_of(rival)) == (1_000 * USD, 500 * USD)
    system.finish(event, 0)
    prizes = [system.events.prize_of(event, account) for account in (staker, rival)]
    assert sum(prizes) in (931_500_000, 931_499_999)
    assert abs(prizes[0] - 465_750_000 - gain * USD // 100) <= USD // 200


def test_leaving_and_coming_back_around_a_harvest_takes_nothing_from_who_stays(system, staker, rival):
    """As long as a dollar of anybody else's is there the cap holds."""
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.pool.stake(system.usdc, USD, sender=rival)
    system.mine(1)
    system.earn(system.usdc, 500 * USD)
    system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker)
    assert system.pool.harvest(system.usdc, ALL) == USD // 200


def test_dust_of_yield_does_not_hold_up_the_week(system, staker, rival):
    """A swap of two units gives nothing and reverts; a wei sent to a vault would delay each week by a day."""
    system.pool.stake(system.dai, 1_000 * WAD, sender=staker)
    system.mine(1)
    buffer = WAD
    system.dai.transfer(system.vault[system.dai], buffer + 10**12, sender=rival)
    assert system.pool.harvest(system.dai, ALL) == 0
    assert system.pool.asset_state(system.dai)[2] == boa.env.timestamp
    # From a basis point of a token on it moves, and a swap of that gives something.
    system.dai.transfer(system.vault[system.dai], WAD // 10_000, sender=rival)
    assert system.pool.harvest(system.dai, ALL) in (99, 100)
