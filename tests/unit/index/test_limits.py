"""How many requests an address may make, by a clock of the test's own."""

import pytest

from tessera.index import limits
from tessera.index.limits import Allowance, household


@pytest.fixture
def clock(monkeypatch):
    """What time it is, in a list of one."""
    now = [1000.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    return now


def test_six_seconds_worth_at_once_and_then_so_many_a_second(clock):
    allowance = Allowance(4)
    assert [allowance.take("somebody") for _ in range(26)] == [True] * 24 + [False] * 2
    clock[0] += 0.25
    assert [allowance.take("somebody") for _ in range(2)] == [True, False]
    clock[0] += 10_000
    assert [allowance.take("somebody") for _ in range(25)] == [True] * 24 + [False]


def test_a_refusal_costs_nothing_and_many_are_taken_together_or_not_at_all(clock):
    allowance = Allowance(1)
    assert not allowance.take("somebody", 7)
    assert allowance.take("somebody", 6)
    assert not allowance.take("somebody")


def test_everybody_has_their_own(clock):
    allowance = Allowance(1)
    assert allowance.take("somebody", 6)
    assert allowance.take("another", 6)


def test_who_asked_longest_ago_is_forgotten_first(clock, monkeypatch):
    monkeypatch.setattr(limits, "MOST_ADDRESSES", 2)
    allowance = Allowance(1)
    for who in ("first", "second", "third"):
        assert allowance.take(who, 6)
    assert not allowance.take("second")
    assert not allowance.take("third")
    assert allowance.take("first", 6)  # as if it came for the first time


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("testclient", "testclient"),
    ],
)
def test_a_household_is_one_of_ipv6_s_networks(host, expected):
    assert household(host) == expected
