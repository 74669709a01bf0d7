"""Stakes go to the vault and count `amount * min(price, 1)` USD, or nothing happens."""

import boa
import pytest

from tests.prize_system import USD, WAD, block_number, load, refusing
from tests.refusals import refused_without_a_text

DAY = 86_400


def test_counts_dollars_of_each_asset(system, staker):
    system.pool.stake(system.usdc, 1_500 * USD, sender=staker)
    (log,) = [log for log in system.pool.get_logs() if type(log).__name__ == "Staked"]
    assert (log.account, log.asset, log.amount, log.value, log.stake) == (
        staker,
        system.usdc.address,
        1_500 * USD,
        1_500 * USD,
        1_500 * USD,
    )
    system.pool.stake(system.dai, 500 * WAD, sender=staker)
    assert system.pool.stake_of(staker) == system.pool.total_stake() == 2_000 * USD
    assert system.pool.principal_of(staker, system.usdc) == 1_500 * USD
    assert system.pool.principal_of(staker, system.dai) == 500 * WAD
    assert system.vault[system.usdc].totalAssets() == 1_500 * USD
    principal, shares, harvested_at, is_open = system.pool.asset_state(system.usdc)
    assert (principal, harvested_at, is_open) == (1_500 * USD, 0, True)
    assert shares == system.vault[system.usdc].balanceOf(system.pool)


def test_first_stake_after_a_donation_to_the_vault_keeps_its_worth(system, staker, rival):
    # The first-depositor attack: with few shares out, a donation makes each of them dear.
    vault = system.vault[system.usdc]
    system.usdc.approve(vault, 1, sender=rival)
    vault.deposit(1, rival, sender=rival)
    system.usdc.transfer(vault, 5_000 * USD, sender=rival)
    with boa.reverts("pool: vault has a loss"):
        system.pool.stake(system.usdc, 4_000 * USD, sender=staker)
    # Stakes large enough to lose little are refused as well: see tests/attacks/test_vaults.py.
    with boa.reverts("pool: vault shares too coarse"):
        system.pool.stake(system.usdc, 7_500 * USD + 3, sender=staker)
    assert system.usdc.balanceOf(staker) == 10_000 * USD


@pytest.mark.parametrize(
    ("price", "value"), [(98 * 10**6, 980 * USD), (99_999_999, 999_999_990), (10**8, 10**9), (150 * 10**6, 10**9)]
)
def test_counts_the_price_up_to_one_dollar(system, staker, price, value):
    system.feed[system.usdc].set_price(price)
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    assert system.pool.stake_of(staker) == value


@pytest.mark.parametrize("decimals", [6, 8, 18])
@pytest.mark.parametrize(
    ("feed_decimals", "price", "value"),
    [(0, 1, 30 * USD), (2, 99, 29_700_000), (8, 10**8, 30 * USD), (18, WAD - 1, 30 * USD - 1)],
)
def test_decimals_of_asset_and_feed_are_their_own(system, staker, decimals, feed_decimals, price, value):
    token = load("contracts/devnet/TestToken.vy").deploy("Other", "OTH", decimals)
    vault = load("contracts/devnet/YieldVault.vy").deploy(token)
    feed = load("contracts/devnet/PriceFeed.vy").deploy(feed_decimals, "USD", price)
    system.add_asset(token, vault, feed)
    system.stake(staker, 30, token)
    assert system.pool.stake_of(staker) == value
    assert system.pool.withdraw(token, 10 * 10**decimals, 0, sender=staker) == 10 * 10**decimals
    assert system.pool.stake_of(staker) == value * 2 // 3


def test_accepts_exactly_one_dollar(system, staker):
    system.pool.stake(system.dai, WAD, sender=staker)
    assert system.pool.stake_of(staker) == USD


def test_accepts_a_price_of_25_hours_ago(system, staker):
    system.feed[system.usdc].set_round(9, 10**8, 0, boa.env.timestamp - 25 * 3600, 9)
    system.pool.stake(system.usdc, USD, sender=staker)
    assert system.pool.stake_of(staker) == USD


@pytest.mark.parametrize(
    ("answer", "age", "reason"),
    [
        (97_999_999, 0, "pool: price below 0.98"),
        (0, 0, "pool: no price"),
        (-(10**8), 0, "pool: no price"),
        (10**8, 25 * 3600 + 1, "pool: price is stale"),
        # The sign of the age: a price of a time to come is none.
        (10**8, -1, "pool: no price"),
        # Scaled to 18 decimals it would not fit.
        (2**96, 0, "pool: no price"),
        (2**255 - 1, 0, "pool: no price"),
    ],
)
def test_reverts_when_price_cannot_be_right(system, staker, answer, age, reason):
    system.feed[system.usdc].set_round(9, answer, 0, boa.env.timestamp - age, 9)
    with boa.reverts(reason):
        system.pool.stake(system.usdc, 1_000 * USD, sender=staker)


def test_reverts_when_below_one_dollar(system, staker):
    with boa.reverts("pool: less than 1 USD"):
        system.pool.stake(system.dai, WAD - 1, sender=staker)


def test_reverts_when_asset_is_unknown(system, staker):
    with boa.reverts("pool: unknown asset"):
        system.pool.stake(system.bet, WAD, sender=staker)


def test_reverts_when_asset_is_closed(system, staker):
    system.pool.set_open(system.usdc, False, sender=system.owner)
    with boa.reverts("pool: asset is closed"):
        system.pool.stake(system.usdc, USD, sender=staker)


def test_reverts_when_amount_is_absurd(system, staker):
    with boa.reverts("pool: amount too large"):
        system.pool.stake(system.dai, 2**95, sender=staker)


def test_reverts_when_asset_is_full(system, staker):
    most = 2**95 - 1
    system.dai.mint(staker, most)
    system.pool.stake(system.dai, most - WAD, sender=staker)
    with boa.reverts("pool: asset is full"):
        system.pool.stake(system.dai, WAD + 1, sender=staker)
    system.pool.stake(system.dai, WAD, sender=staker)


def test_reverts_when_all_stakes_together_leave_the_proven_range(system, staker):
    system.usdc.mint(staker, 2**60)
    system.pool.stake(system.usdc, 2**60 - USD - 1, sender=staker)
    with boa.reverts("pool: pool is full"):
        system.pool.stake(system.usdc, USD + 1, sender=staker)
    system.pool.stake(system.usdc, USD, sender=staker)


def test_reverts_when_vault_has_a_loss(system, staker, rival):
    system.pool.stake(system.usdc, 10_000 * USD, sender=rival)
    system.lose(system.usdc, 3 * USD)  # more than 1 bp of what both stake
    with boa.reverts("pool: vault has a loss"):
        system.pool.stake(system.usdc, 10_000 * USD, sender=staker)
    assert system.pool.stake_of(staker) == 0
    assert system.usdc.balanceOf(staker) == 10_000 * USD


def test_deficit_of_a_basis_point_is_rounding(system, staker, rival):
    system.pool.stake(system.usdc, 10_000 * USD, sender=rival)
    system.lose(system.usdc, USD)
    system.pool.stake(system.usdc, 10_000 * USD, sender=staker)
    assert system.pool.stake_of(staker) == 10_000 * USD


def test_reverts_when_vault_keeps_shares(system, staker, rival):
    token = load("contracts/devnet/TestToken.vy").deploy("Odd", "ODD", 6)
    vault = load("tests/mocks/OddVault.vy").deploy(token)
    system.add_asset(token, vault, system.feed[system.usdc])
    for account in (staker, rival):
        system.fund(account, token, 10**6 * USD)
    system.pool.stake(token, 10**6 * USD, sender=rival)
    vault.set_kept(1 * USD)
    # Nothing against the million that is there, but all of this stake.
    with boa.reverts("pool: vault keeps too much"):
        system.pool.stake(token, 1 * USD, sender=staker)


def test_a_vault_may_keep_a_basis_point_of_a_stake(system, staker, rival):
    token = load("contracts/devnet/TestToken.vy").deploy("Odd", "ODD", 6)
    vault = load("tests/mocks/OddVault.vy").deploy(token)
    system.add_asset(token, vault, system.feed[system.usdc])
    for account in (staker, rival):
        system.fund(account, token, 10**6 * USD)
    system.pool.stake(token, 10**5 * USD, sender=rival)
    vault.set_kept(101)
    with boa.reverts("pool: vault keeps too much"):
        system.pool.stake(token, USD, sender=staker)
    vault.set_kept(100)
    system.pool.stake(token, USD, sender=staker)
    assert system.pool.principal_of(staker, token) == USD


def test_reverts_when_vault_refuses(system, staker):
    token = load("contracts/devnet/TestToken.vy").deploy("Odd", "ODD", 6)
    vault = load("tests/mocks/OddVault.vy").deploy(token)
    system.add_asset(token, vault, system.feed[system.usdc])
    system.fund(staker, token, 10 * USD)
    vault.set_refuses(True)
    with boa.reverts("pool: vault refused"):
        system.pool.stake(token, 10 * USD, sender=staker)
    assert (token.balanceOf(staker), system.pool.principal_of(staker, token)) == (10 * USD, 0)


def test_reverts_when_token_refuses(system, staker):
    token = load("tests/mocks/Token.vy").deploy(6)
    vault = load("tests/mocks/OddVault.vy").deploy(token)
    system.add_asset(token, vault, system.feed[system.usdc])
    system.fund(staker, token, 10 * USD)
    token.refuse(system.pool, True)
    with boa.reverts("pool: transfer failed"):
        system.pool.stake(token, 10 * USD, sender=staker)


def test_reverts_when_token_takes_a_fee(system, staker):
    token = load("tests/mocks/Token.vy").deploy(6)
    vault = load("contracts/devnet/YieldVault.vy").deploy(token)
    system.add_asset(token, vault, system.feed[system.usdc])
    system.fund(staker, token, 10 * USD)
    token.set_fee(USD // 100)
    with boa.reverts("pool: vault has a loss"):
        system.pool.stake(token, 10 * USD, sender=staker)
    assert token.balanceOf(staker) == 10 * USD


def test_reverts_when_prize_contracts_refuse_new_money(system, staker):
    with refusing(system.events), refused_without_a_text():
        system.pool.stake(system.usdc, USD, sender=staker)
    assert system.pool.total_stake() == 0


def test_stake_and_leave_in_one_block_earns_nothing(system, staker):
    event = system.create_event()
    system.mine(10)
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.events.predict(event, 0, sender=staker)
    system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker)
    system.mine(100)
    assert system.pool.stake_blocks(staker, 0, block_number()) == 0
    assert system.events.tickets(event, staker) == (0, 0)
    assert system.pool.pending_rewards(staker) == 0
