from tessera.demo.agenda import Agenda


def test_actions_come_in_time_and_then_in_order_of_arrival():
    agenda, done = Agenda(), []
    for when, what in [(5, "a"), (3, "b"), (5, "c"), (1, "d")]:
        agenda.at(when, lambda what=what: done.append(what))
    assert list(agenda.run()) == [1, 3, 5, 5]
    assert done == ["d", "b", "a", "c"]


def test_actions_may_add_actions():
    agenda, done = Agenda(), []
    agenda.at(1, lambda: agenda.at(2, lambda: done.append("later")))
    agenda.at(3, lambda: done.append("last"))
    assert list(agenda.run()) == [1, 2, 3]
    assert done == ["later", "last"]
    assert agenda.added == 3
