"""The owner says who may buy back."""

import boa


def test_gives_and_takes(system, stranger):
    for is_keeper in (True, False):
        system.prizes.set_keeper(stranger, is_keeper, sender=system.owner)
        (log,) = system.prizes.get_logs()
        assert (log.account, log.was_keeper, log.is_keeper) == (stranger, not is_keeper, is_keeper)
        assert system.prizes.is_keeper(stranger) == is_keeper


def test_reverts_when_not_owner(system, stranger):
    with boa.reverts("ownable: caller is not the owner"):
        system.prizes.set_keeper(stranger, True, sender=stranger)
