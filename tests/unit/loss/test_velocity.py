"""Factors, live velocity and warnings."""

from fractions import Fraction
from math import prod

from hypothesis import given
from hypothesis import strategies as st

from tessera.model.loss.velocity import MINUTE_MS, LossWarning, Play, Velocity, factors, warnings

SLOW = Play(Fraction(60), Fraction(1), Fraction(1, 100), Fraction(48, 100), Fraction(2))
positive = st.fractions(min_value=Fraction(1, 100), max_value=100)
plays = st.builds(Play, positive, positive, positive, st.fractions(0, Fraction(9, 20)), st.just(Fraction(2)))


@given(plays)
def test_a_rate_is_the_base_times_its_factors(play):
    assert play.rate == SLOW.rate * prod(factors(play, SLOW).values())


def test_each_factor_is_of_one_trait():
    fast = Play(Fraction(10), Fraction(2), Fraction(3, 100), Fraction(46, 100), Fraction(2))
    assert factors(fast, SLOW) == {
        "bet frequency": 2,
        "stake size": 3,
        "outcome probability": 2,
        "window length": 6,
    }
    assert fast.rate == Fraction(12 * 3 * 8, 100 * 100)  # 12 bets a minute of 3 % at an edge of 8 %


def test_a_young_session_counts_as_a_minute_old():
    velocity = Velocity(1_000)
    velocity.add(2_000, -500)
    assert velocity.per_minute(3_000) == -500


def test_velocity_is_over_the_last_five_minutes():
    velocity = Velocity(0)
    velocity.add(1 * MINUTE_MS, -1_000)
    velocity.add(6 * MINUTE_MS, -2_000)
    velocity.add(9 * MINUTE_MS, -2_500)
    assert velocity.per_minute(9 * MINUTE_MS) == -300  # from -1,000 at the fourth minute
    assert velocity.per_minute(11 * MINUTE_MS) == -100  # from -2,000 at the sixth
    assert velocity.per_minute(60 * MINUTE_MS) == 0


def test_velocity_is_rounded_down():
    velocity = Velocity(0)
    velocity.add(MINUTE_MS, -1)
    assert velocity.per_minute(3 * MINUTE_MS) == -1


def test_warnings_name_the_greatest_share_that_is_lost():
    assert warnings(1_000, -249, 0) == []
    assert warnings(1_000, -250, 0) == [LossWarning.LOST_QUARTER]
    assert warnings(1_000, -500, 0) == [LossWarning.LOST_HALF]
    assert warnings(1_000, -750, 0) == [LossWarning.LOST_THREE_QUARTERS]
    assert warnings(1_000, 300, 0) == []


def test_a_balance_that_lasts_a_quarter_of_an_hour_falls_fast():
    assert warnings(1_000, -100, -59) == []
    assert warnings(1_000, -100, -60) == [LossWarning.FALLS_FAST]
    assert warnings(1_000, -100, 60) == []
