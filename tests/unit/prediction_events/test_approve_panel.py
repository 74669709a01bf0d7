"""The owner says which panels new events may use."""

import boa


def test_approves_and_takes_back(system):
    panel = system.panels.create_panel(system.reporters, 3)
    system.events.approve_panel(panel, sender=system.owner)
    (log,) = system.events.get_logs()
    assert (log.panel_id, log.was_approved, log.is_approved) == (panel, False, True)
    assert system.events.approved_panels(panel)
    system.events.approve_panel(panel, False, sender=system.owner)
    (log,) = system.events.get_logs()
    assert (log.panel_id, log.was_approved, log.is_approved) == (panel, True, False)
    system.events.approve_panel(panel, False, sender=system.owner)
    (log,) = system.events.get_logs()
    assert (log.was_approved, log.is_approved) == (False, False)
    assert not system.events.approved_panels(panel)


def test_reverts_when_there_is_no_such_panel(system):
    with boa.reverts("events: no such panel"):
        system.events.approve_panel(7, sender=system.owner)


def test_reverts_when_not_owner(system, stranger):
    with boa.reverts("ownable: caller is not the owner"):
        system.events.approve_panel(system.panel_id, sender=stranger)
