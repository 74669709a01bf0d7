"""Yield becomes revenue: never principal, never more than 50 bps a week, swapped at the feeds' price or not at all."""

import boa
import pytest

from tessera.model.prizes import period_of, start_of
from tests.prize_system import ALL, USD, WAD, PrizeSystem, load, refusing


@pytest.fixture
def staked(system, staker):
    """10,000 USDC and 10,000 DAI of one person, from the block before."""
    system.pool.stake(system.usdc, 10_000 * USD, sender=staker)
    system.pool.stake(system.dai, 10_000 * WAD, sender=staker)
    system.mine(1)
    return staker


def harvested(system):
    (log,) = [log for log in system.pool.get_logs() if type(log).__name__ == "Harvested"]
    return log.asset, log.amount, log.revenue


def test_moves_yield_above_the_buffer(system, staked, stranger):
    # The buffer is a basis point of principal: one dollar.
    system.earn(system.usdc, 11 * USD)
    revenue = system.pool.harvest(system.usdc, ALL, sender=stranger)
    assert harvested(system) == (system.usdc.address, revenue, revenue)
    # The vault rounds what all shares are worth down by up to a unit.
    assert 10 * USD - 1 <= revenue <= 10 * USD
    assert system.prizes.waiting_revenue() == system.usdc.balanceOf(system.prizes) == revenue
    assert system.usdc.allowance(system.pool, system.prizes) == system.usdc.balanceOf(system.pool) == 0
    assert system.pool.asset_state(system.usdc)[2] == boa.env.timestamp
    assert system.pool.withdraw(system.usdc, 10_000 * USD, 0, sender=staked) == 10_000 * USD


def test_nothing_to_move_counts_as_harvested(system, staked):
    assert system.pool.harvest(system.usdc, ALL) == 0
    assert harvested(system) == (system.usdc.address, 0, 0)
    assert system.pool.asset_state(system.usdc)[2] == boa.env.timestamp


def test_a_grain_that_stays_due_is_not_harvested_and_less_is(system, staked):
    grain = USD // 10_000
    before = system.pool.asset_state(system.usdc)[2]
    system.earn(system.usdc, 5_000 * USD)  # 50 USD of it can move
    with boa.env.anchor():
        assert system.pool.harvest(system.usdc, 50 * USD - grain) == 50 * USD - grain
        assert system.pool.asset_state(system.usdc)[2] == before < boa.env.timestamp
        assert system.pool.harvest(system.usdc, ALL) == grain
        assert system.pool.asset_state(system.usdc)[2] == boa.env.timestamp
    system.pool.harvest(system.usdc, 50 * USD - grain + 1)
    assert system.pool.asset_state(system.usdc)[2] == boa.env.timestamp


def test_dust_that_nobody_is_owed_still_counts_once_everybody_left(system, staked):
    system.earn(system.usdc, USD // 20_000)
    system.pool.withdraw(system.usdc, 10_000 * USD, 0, sender=staked)
    dust = system.pool.asset_state(system.usdc)[1]
    assert system.pool.harvest(system.usdc, ALL) == 0
    assert system.pool.asset_state(system.usdc)[1:3] == (dust, boa.env.timestamp)
    assert dust > 0


def test_pumped_share_price_moves_50_bps_a_week_at_most(system, staked):
    system.earn(system.usdc, 5_000 * USD)
    assert system.pool.harvest(system.usdc, ALL) == 50 * USD
    assert system.pool.harvest(system.usdc, ALL) == 0
    system.wait_until(start_of(period_of(boa.env.timestamp) + 1))
    assert system.pool.harvest(system.usdc, ALL) == 50 * USD


def test_second_harvest_of_a_week_moves_what_the_first_left_of_the_cap(system, staked):
    system.earn(system.usdc, 21 * USD)
    first = system.pool.harvest(system.usdc, ALL)
    system.earn(system.usdc, 100 * USD)
    assert first + system.pool.harvest(system.usdc, ALL) == 50 * USD


def test_stake_of_this_block_does_not_lift_the_cap(system, staked):
    system.earn(system.usdc, 5_000 * USD)
    visitor = system.newcomer()
    system.pool.stake(system.usdc, 10_000 * USD, sender=visitor)
    assert system.pool.harvest(system.usdc, ALL) == 50 * USD
    # Leaving and coming back in the same block does not either.
    system.pool.withdraw(system.usdc, 10_000 * USD, 0, sender=visitor)
    system.pool.stake(system.usdc, 10_000 * USD, sender=visitor)
    assert system.pool.harvest(system.usdc, ALL) == 0
    system.mine(1)
    assert system.pool.harvest(system.usdc, ALL) == 50 * USD


def test_stake_that_left_in_this_block_lowers_the_cap(system, staked):
    system.earn(system.usdc, 5_000 * USD)
    system.pool.withdraw(system.usdc, 6_000 * USD, 0, sender=staked)
    assert system.pool.harvest(system.usdc, ALL) == 20 * USD


def test_cap_already_passed_when_stake_left_moves_nothing(system, staked):
    system.earn(system.usdc, 5_000 * USD)
    system.pool.harvest(system.usdc, ALL)
    system.pool.withdraw(system.usdc, 9_000 * USD, 0, sender=staked)
    system.mine(1)
    assert system.pool.harvest(system.usdc, ALL) == 0


def test_moves_nothing_while_the_vault_has_a_loss(system, staked):
    system.lose(system.usdc, 100 * USD)
    assert system.pool.harvest(system.usdc, ALL) == 0


def test_moves_what_an_illiquid_vault_can_pay(system, staked):
    system.earn(system.usdc, 40 * USD)
    system.vault[system.usdc].set_liquidity(7 * USD)
    assert system.pool.harvest(system.usdc, ALL) == 7 * USD


def test_donation_to_the_pool_is_not_counted(system, staked, rival):
    system.usdc.transfer(system.pool, 100 * USD, sender=rival)
    assert system.pool.harvest(system.usdc, ALL) == 0


def test_swaps_other_assets_within_50_bps_of_the_feeds(system, staked):
    system.earn(system.dai, 20 * WAD)
    revenue = system.pool.harvest(system.dai, ALL)
    asset, amount, swapped = harvested(system)
    assert (asset, swapped) == (system.dai.address, revenue)
    # A wei of rounding in the vault, 0.3 % to the pair.
    assert 19 * WAD - 2 <= amount <= 19 * WAD
    assert 19 * USD * 9_950 // 10_000 <= revenue <= 19 * USD
    assert system.usdc.balanceOf(system.prizes) == revenue
    assert system.dai.allowance(system.pool, system.router) == 0


def test_swaps_into_a_prize_token_of_more_decimals():
    token, prize = (load("contracts/devnet/TestToken.vy").deploy("T", "T", decimals) for decimals in (6, 18))
    system, staker = PrizeSystem(usdc=prize), boa.env.generate_address()
    pair = load("contracts/devnet/Pair.vy").deploy(prize, token)
    for asset in (prize, token):
        asset.mint(pair, 10**6 * system.unit(asset))
    pair.mint(system.treasury)
    system.router.add_pair(pair)
    vault = load("contracts/devnet/YieldVault.vy").deploy(token)
    system.add_asset(token, vault, system.feed[prize])
    system.stake(staker, 10_000, token)
    token.mint(vault, 20 * USD)
    system.mine(1)
    # 19 USD but for a unit of the vault's rounding, less the pair's fee and what so small a trade moves its price.
    assert 19 * WAD * 9_950 // 10_000 <= system.pool.harvest(token, ALL) < 19 * WAD * 9_970 // 10_000
    # One percent below the feeds it is refused.
    token.mint(vault, 10 * USD)
    token.mint(pair, 5_000 * USD)
    pair.sync()
    with boa.reverts("router: too little out"):
        system.pool.harvest(token, ALL)


def test_reverts_when_swap_would_lose_more(system, staked):
    system.earn(system.dai, 20 * WAD)
    system.feed[system.dai].set_price(102 * 10**6)
    shares = system.pool.asset_state(system.dai)
    with boa.reverts("router: too little out"):
        system.pool.harvest(system.dai, ALL)
    assert system.pool.asset_state(system.dai) == shares


@pytest.mark.parametrize("asset", ["usdc", "dai"])
def test_reverts_when_a_price_is_too_high_to_be_believed(system, staked, asset):
    system.earn(system.dai, 20 * WAD)
    system.feed[getattr(system, asset)].set_price(102 * 10**6 + 1)
    with boa.reverts("pool: price above 1.02"):
        system.pool.harvest(system.dai, ALL)


def test_reverts_when_router_pays_less_than_it_says(system, staked):
    system.earn(system.dai, 20 * WAD)
    code = boa.env.get_code(system.router.address)
    # Takes nothing, gives nothing, answers two words.
    boa.env.set_code(system.router.address, bytes.fromhex("60205f5260806000f3"))
    with boa.reverts("pool: swap gave too little"):
        system.pool.harvest(system.dai, ALL)
    boa.env.set_code(system.router.address, code)


def test_reverts_when_vault_refuses(system, staker):
    token = load("contracts/devnet/TestToken.vy").deploy("Odd", "ODD", 6)
    vault = load("tests/mocks/OddVault.vy").deploy(token)
    system.add_asset(token, vault, system.feed[system.usdc])
    system.fund(staker, token, 10**5 * USD)
    system.pool.stake(token, 10**5 * USD, sender=staker)
    # One share is one asset there, so it never earns: the price of what is held is made to jump.
    boa.env.set_code(vault.address, boa.env.get_code(load("tests/mocks/RichVault.vy").deploy(token).address))
    system.mine(1)
    with boa.reverts("pool: vault refused"):
        system.pool.harvest(token, ALL)


def test_reverts_when_vault_answers_nothing_at_all(system, staked):
    system.earn(system.usdc, 20 * USD)
    with refusing(system.vault[system.usdc]), boa.reverts("pool: vault refused"):
        system.pool.harvest(system.usdc, ALL)
    assert system.pool.harvest(system.usdc, ALL) > 0


def test_reverts_when_asset_is_unknown(system):
    with boa.reverts("pool: unknown asset"):
        system.pool.harvest(system.bet, ALL)


def test_reverts_when_a_token_refuses_an_approval():
    token = load("tests/mocks/Token.vy").deploy(6)
    system, staker = PrizeSystem(usdc=token), boa.env.generate_address()
    system.stake(staker, 10_000)
    system.earn(token, 20 * USD)
    system.mine(1)
    token.set_approvable(False)
    with boa.reverts("pool: approve failed"):
        system.pool.harvest(token, ALL)


def test_reverts_when_an_asset_refuses_the_router(system, staker):
    token = load("tests/mocks/Token.vy").deploy(6)
    vault = load("contracts/devnet/YieldVault.vy").deploy(token)
    system.add_asset(token, vault, system.feed[system.usdc])
    system.fund(staker, token, 10_000 * USD)
    system.pool.stake(token, 10_000 * USD, sender=staker)
    token.mint(vault, 20 * USD)
    system.mine(1)
    token.set_approvable(False)
    with boa.reverts("pool: approve failed"):
        system.pool.harvest(token, ALL)
