"""The owner says who creates events."""

import boa


def test_gives_and_takes(system, stranger):
    for is_manager in (True, False):
        system.events.set_manager(stranger, is_manager, sender=system.owner)
        (log,) = system.events.get_logs()
        assert (log.account, log.was_manager, log.is_manager) == (stranger, not is_manager, is_manager)
        assert system.events.is_manager(stranger) == is_manager


def test_reverts_when_not_owner(system, stranger):
    with boa.reverts("ownable: caller is not the owner"):
        system.events.set_manager(stranger, True, sender=stranger)
