"""The owner stops and resumes new stakes of an asset; leaving is never stopped (test_withdraw.py)."""

import boa

from tests.prize_system import USD


def test_closes_and_opens(system, staker):
    for is_open in (False, True):
        system.pool.set_open(system.usdc, is_open, sender=system.owner)
        (log,) = [log for log in system.pool.get_logs() if type(log).__name__ == "AssetOpened"]
        assert (log.asset, log.was_open, log.is_open) == (system.usdc.address, not is_open, is_open)
        assert system.pool.asset_state(system.usdc)[3] == is_open
    system.pool.stake(system.usdc, USD, sender=staker)


def test_reverts_when_not_owner(system, stranger):
    with boa.reverts("ownable: caller is not the owner"):
        system.pool.set_open(system.usdc, False, sender=stranger)


def test_reverts_when_asset_is_unknown(system):
    with boa.reverts("pool: asset is not seeded"):
        system.pool.set_open(system.bet, False, sender=system.owner)
