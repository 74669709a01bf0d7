"""The owner lists assets, each with a vault and a feed."""

import boa
import pytest

from tests.prize_system import USD, load


@pytest.fixture
def asset(system):
    """A token, a vault of it and a feed, not listed."""
    token = load("contracts/devnet/TestToken.vy").deploy("Another", "ANO", 6)
    return token, load("contracts/devnet/YieldVault.vy").deploy(token), system.feed[system.usdc]


def test_lists_the_asset(system, asset, staker):
    system.pool.add_asset(*asset, sender=system.owner)
    (log,) = [log for log in system.pool.get_logs() if type(log).__name__ == "AssetAdded"]
    assert (log.asset, log.vault, log.feed) == tuple(contract.address for contract in asset)
    assert system.pool.assets(2) == asset[0].address
    assert system.pool.vault_of(asset[0]) == asset[1].address
    assert system.pool.feed_of(asset[0]) == asset[2].address
    assert system.pool.asset_state(asset[0]) == (0, 0, 0, False)
    assert asset[0].allowance(system.pool, asset[1]) == 0
    system.fund(staker, asset[0], USD)
    with boa.reverts("pool: asset is closed"):
        system.pool.stake(asset[0], USD, sender=staker)


def test_reverts_when_not_owner(system, asset, stranger):
    with boa.reverts("ownable: caller is not the owner"):
        system.pool.add_asset(*asset, sender=stranger)


def test_reverts_when_already_added(system, asset):
    system.pool.add_asset(*asset, sender=system.owner)
    with boa.reverts("pool: asset already added"):
        system.pool.add_asset(*asset, sender=system.owner)


def test_reverts_when_vault_is_of_another_asset(system, asset):
    with boa.reverts("pool: vault of other asset"):
        system.pool.add_asset(asset[0], system.vault[system.dai], asset[2], sender=system.owner)


@pytest.mark.parametrize("decimals", [5, 19])
def test_reverts_when_decimals_are_odd(system, asset, decimals):
    token = load("contracts/devnet/TestToken.vy").deploy("Odd", "ODD", decimals)
    vault = load("contracts/devnet/YieldVault.vy").deploy(token)
    with boa.reverts("pool: bad decimals"):
        system.pool.add_asset(token, vault, asset[2], sender=system.owner)


def test_reverts_when_feed_decimals_are_odd(system, asset):
    feed = load("contracts/devnet/PriceFeed.vy").deploy(19, "USD", 10**19)
    with boa.reverts("pool: bad feed decimals"):
        system.pool.add_asset(asset[0], asset[1], feed, sender=system.owner)


def test_reverts_when_there_are_eight(system):
    token, vault = load("contracts/devnet/TestToken.vy"), load("contracts/devnet/YieldVault.vy")
    for i in range(7):
        extra = token.deploy("Extra", f"E{i}", 6)
        args = extra, vault.deploy(extra), system.feed[system.usdc]
        if i < 6:
            system.pool.add_asset(*args, sender=system.owner)
    with boa.reverts("pool: too many assets"):
        system.pool.add_asset(*args, sender=system.owner)


def test_gives_up_the_dust_of_a_former_listing_and_no_yield(system, staker):
    pool, usdc, old = system.pool, system.usdc, system.vault[system.usdc]
    pool.stake(usdc, 1_000 * USD, sender=staker)
    grain = USD // 10_000
    system.earn(usdc, grain)
    pool.withdraw(usdc, 1_000 * USD, 0, sender=staker)
    pool.retire_asset(usdc, sender=system.owner)
    new = load("contracts/devnet/YieldVault.vy").deploy(usdc)
    worth = old.previewRedeem(pool.asset_state(usdc)[1])
    system.earn(usdc, grain - worth)
    assert old.previewRedeem(pool.asset_state(usdc)[1]) in (grain - 1, grain)
    while old.previewRedeem(pool.asset_state(usdc)[1]) < grain:
        system.earn(usdc, 1)
    with boa.reverts("pool: asset is still owed"):
        pool.add_asset(usdc, new, system.feed[usdc], sender=system.owner)
    system.lose(usdc, 1)
    assert old.previewRedeem(pool.asset_state(usdc)[1]) == grain - 1
    pool.add_asset(usdc, new, system.feed[usdc], sender=system.owner)
    assert pool.asset_state(usdc)[:2] == (0, 0)
