"""Limits that players set: tighter at once, looser after a day, 0 allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.model.loss.expected import LossError
from tessera.model.loss.limits import DAY_MS, LONGEST_COOL_OFF_MS, WEEK_MS, Kind, Limits, Losses, broken
from tessera.model.own_limit import Limit

NOW = 10**12
values = st.none() | st.integers(0, 100)


def as_number(limit):
    return float("inf") if limit is None else limit


def test_a_tighter_limit_holds_at_once():
    assert Limit(50).changed(20, NOW, DAY_MS).at(NOW) == 20
    assert Limit().changed(0, NOW, DAY_MS).at(NOW) == 0


def test_a_looser_limit_holds_a_day_later():
    limit = Limit(20).changed(50, NOW, DAY_MS)
    assert (limit.at(NOW), limit.at(NOW + DAY_MS - 1), limit.at(NOW + DAY_MS)) == (20, 20, 50)


def test_no_limit_is_looser_than_any():
    limit = Limit(20).changed(None, NOW, DAY_MS)
    assert (limit.at(NOW), limit.at(NOW + DAY_MS)) == (20, None)


def test_a_tighter_wish_takes_back_a_looser_one_that_waits():
    limit = Limit(20).changed(50, NOW, DAY_MS).changed(20, NOW + DAY_MS - 1, DAY_MS)
    assert limit.at(NOW + 2 * DAY_MS) == 20


def test_a_second_looser_wish_waits_a_day_of_its_own():
    limit = Limit(20).changed(50, NOW, DAY_MS).changed(30, NOW + DAY_MS - 1, DAY_MS)
    assert (limit.at(NOW + DAY_MS), limit.at(NOW + 2 * DAY_MS - 1)) == (20, 30)


@given(values, st.lists(st.tuples(values, st.integers(0, 2 * DAY_MS)), max_size=8))
def test_no_order_of_wishes_loosens_within_a_day(first, wishes):
    limit, now, history = Limit(first), NOW, [(0, first)]
    for wanted, later in wishes:
        now += later
        limit = limit.changed(wanted, now, DAY_MS)
        history.append((now, wanted))
        loosest = max(as_number(value) for at, value in history if at <= now - DAY_MS)
        assert as_number(limit.at(now)) <= min(loosest, as_number(limit.at(now + DAY_MS)))
        assert limit.at(now + DAY_MS) == wanted


@pytest.mark.parametrize("value", [-1, 2**63])
def test_a_limit_out_of_range_is_refused(value):
    with pytest.raises(LossError, match="a limit is 0 or more"):
        Limits().change(Kind.STAKE, value, NOW)


def test_a_cool_off_is_only_moved_later():
    limits = Limits().cool_off(NOW + DAY_MS, NOW).cool_off(NOW + 1, NOW)
    assert limits.cool_off_until == NOW + DAY_MS
    with pytest.raises(LossError, match="6 weeks"):
        limits.cool_off(NOW + LONGEST_COOL_OFF_MS + 1, NOW)


def test_losses_are_of_the_last_day_and_week():
    losses = Losses()
    for at, gain in ((NOW - WEEK_MS, -1_000), (NOW - DAY_MS, -100), (NOW - DAY_MS + 1, -30), (NOW, 10)):
        losses.add(at, gain)
    assert (losses.since(NOW - DAY_MS), losses.since(NOW - WEEK_MS)) == (20, 120)


@given(
    st.lists(st.tuples(st.integers(-2 * DAY_MS, 3 * DAY_MS), st.integers(-(10**30), 10**30)), max_size=40),
    st.integers(0, WEEK_MS),
)
def test_losses_are_a_plain_sum_also_where_the_clock_goes_back(steps, ago):
    losses, now, results = Losses(), NOW, []
    for step, gain in steps:
        now += step
        losses.add(now, gain)
        results.append((now, gain))
        newest = max(at for at, _ in results)
        for since in (newest - ago, newest - WEEK_MS, newest - DAY_MS, now, now - 1):
            if since >= newest - WEEK_MS:
                assert losses.since(since) == -sum(gain for at, gain in results if at > since)


class Compared(int):
    """A time that counts how often times are compared."""

    times = 0

    def __lt__(self, other):
        Compared.times += 1
        return int(self) < int(other)

    def __gt__(self, other):
        Compared.times += 1
        return int(self) > int(other)

    __hash__ = int.__hash__


def test_a_bet_of_a_wallet_with_limits_does_not_walk_through_a_week():
    """It walked through all results of the week, twice for each bet: 10,000 of them at each look."""
    losses = Losses()
    for bet in range(10_000):
        losses.add(Compared(NOW + bet), -1)
    Compared.times = 0
    assert losses.since(NOW + 4_999) == 5_000
    assert 0 < Compared.times <= 14  # of 2**14 a binary search finds one by 14


def test_what_is_older_than_a_week_is_dropped():
    losses = Losses()
    for day in range(1_000):
        losses.add(NOW + day * DAY_MS, -1)
    assert len(losses._times) <= 2 * 7 + 1
    assert losses.since(NOW + 999 * DAY_MS - WEEK_MS) == 7


def refusal(limits: Limits, losses=(), *, stake=10, at_risk=0, session_loss=0, session_ms=0):
    kept = Losses()
    for at, gain in losses:
        kept.add(at, gain)
    return broken(limits, kept, NOW, stake=stake, at_risk=at_risk, session_loss=session_loss, session_ms=session_ms)


def test_without_limits_nothing_is_broken():
    assert refusal(Limits(), [(NOW, -(10**12))], stake=10**9) is None


@pytest.mark.parametrize("kind", [Kind.STAKE, Kind.SESSION_LOSS, Kind.DAY_LOSS, Kind.WEEK_LOSS, Kind.SESSION_MINUTES])
def test_a_limit_of_nothing_allows_nothing(kind):
    assert refusal(Limits().change(kind, 0, NOW), stake=1) is kind


@pytest.mark.parametrize("kind", [Kind.DAY_LOSS, Kind.WEEK_LOSS])
def test_what_is_at_risk_counts_as_lost(kind):
    limits = Limits().change(kind, 100, NOW)
    assert refusal(limits, [(NOW - 1, -50)], at_risk=40) is None
    assert refusal(limits, [(NOW - 1, -50)], at_risk=41) is kind
    assert refusal(limits, [(NOW - 1, 50)], at_risk=140) is None


def test_a_session_has_limits_of_its_own():
    limits = Limits().change(Kind.SESSION_LOSS, 100, NOW).change(Kind.SESSION_MINUTES, 30, NOW)
    assert refusal(limits, session_loss=90) is None
    assert refusal(limits, session_loss=91) is Kind.SESSION_LOSS
    assert refusal(limits, session_ms=30 * 60_000 - 1) is None
    assert refusal(limits, session_ms=30 * 60_000) is Kind.SESSION_MINUTES
