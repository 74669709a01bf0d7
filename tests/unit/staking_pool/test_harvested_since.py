"""Whether the week can be closed."""

import boa


def test_every_asset_counts(system):
    now = boa.env.timestamp
    assert not system.pool.harvested_since(now)
    system.pool.harvest(system.usdc)
    assert not system.pool.harvested_since(now)
    system.pool.harvest(system.dai)
    assert system.pool.harvested_since(now)
    assert not system.pool.harvested_since(now + 1)
