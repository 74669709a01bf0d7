"""The ticket arithmetic, number by number: what is rounded, and that lines add up."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.prize_system import load

MAX_STAKE, MAX_LENGTH = 2**60, 366 * 24 * 14_400
fast = settings(max_examples=40)
stakes, lengths = st.integers(0, MAX_STAKE), st.integers(1, MAX_LENGTH)
multipliers = st.integers(10**6, 10**7)


@pytest.fixture(scope="module")
def tickets(evm):
    return load("contracts/modules/tickets.vy").deploy().internal


@fast
@given(e0=st.integers(100, 1_000), length=lengths, share=st.fractions(0, 1))
def test_multiplier_is_the_exact_one_rounded_down(tickets, e0, length, share):
    x = int(length * share)
    exact = Fraction(e0, 100) - Fraction(e0 - 100, 100) * Fraction(x, length)
    assert tickets._multiplier(e0, x, length) == exact * 10**6 // 1


@fast
@given(stake=stakes, multiplier=multipliers, length=lengths, share=st.fractions(0, 1), later=st.fractions(0, 1))
def test_line_is_exact_at_the_limits(tickets, stake, multiplier, length, share, later):
    x = int(length * share)
    held, rate = stake * x * multiplier, stake * multiplier
    line = tickets._line(held, rate, x)
    assert tickets._value(line, x) == held
    then = x + int((length - x) * later)
    assert tickets._value(line, then) == held + rate * (then - x)


@fast
@given(old=stakes, added=stakes, first=multipliers, second=multipliers, x=lengths, more=st.integers(0, 10**6))
def test_added_stake_takes_its_own_multiplier_exactly(tickets, old, added, first, second, x, more):
    line = tickets._line(old * first * x, old * first, x)
    grown = line + tickets._change(line, old, old + added + 1, second, x)
    assert tickets._value(grown, x) == tickets._value(line, x)
    assert tickets._value(grown, x + more) - tickets._value(grown, x) == more * (old * first + (added + 1) * second)


@fast
@given(old=st.integers(1, MAX_STAKE), left=st.fractions(0, 1), multiplier=multipliers, x=lengths)
def test_withdrawal_scales_the_rate_rounded_down(tickets, old, left, multiplier, x):
    new, rate = int(old * left), old * multiplier - 1
    line = tickets._line(rate * x, rate, x)
    less = line + tickets._change(line, old, new, multiplier, x)
    assert tickets._value(less, x) == rate * x
    assert tickets._value(less, x + 1) - rate * x == rate * new // old


@fast
@given(parts=st.lists(st.tuples(stakes, multipliers, lengths), min_size=2, max_size=6))
def test_sum_of_lines_is_the_line_of_the_sum(tickets, parts):
    parts = [(stake // 6, multiplier, x) for stake, multiplier, x in parts]
    lines = [tickets._line(s * m * x, s * m, x) for s, m, x in parts]
    assert tickets._value(sum(lines), MAX_LENGTH) == sum(tickets._value(line, MAX_LENGTH) for line in lines)


@fast
@given(parts=st.lists(st.tuples(stakes, multipliers, lengths), max_size=6))
def test_total_is_never_zero(tickets, parts):
    lines = [tickets._line(stake // 6 * m * x, stake // 6 * m, x) for stake, m, x in parts]
    total = 1 + sum(lines)
    assert total != 0
    assert tickets._line_in(total) == sum(lines)
    assert total - sum(lines) == 1
