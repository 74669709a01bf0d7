"""Whether the week can be closed."""

import boa

from tests.prize_system import ALL, load


def test_every_asset_counts(system):
    now = boa.env.timestamp
    assert not system.pool.harvested_since(now)
    system.pool.harvest(system.usdc, ALL)
    assert not system.pool.harvested_since(now)
    system.pool.harvest(system.dai, ALL)
    assert system.pool.harvested_since(now)
    assert not system.pool.harvested_since(now + 1)


def test_an_asset_that_was_not_seeded_is_not_waited_for(system):
    """Nor one that was retired: the owner's list cannot hold up a week by what holds nothing."""
    token = load("contracts/devnet/TestToken.vy").deploy("Another", "ANO", 6)
    vault = load("contracts/devnet/YieldVault.vy").deploy(token)
    now = boa.env.timestamp
    system.harvest()
    system.pool.add_asset(token, vault, system.feed[system.usdc], sender=system.owner)
    assert system.pool.harvested_since(now)
    system.seed(token)
    assert not system.pool.harvested_since(now)
    system.pool.retire_asset(token, sender=system.owner)
    assert system.pool.harvested_since(now)
