"""Stored words: each number comes back from where the docstring says it stands, at its bounds, and moves no other."""

from functools import cache

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.prize_system import load

fast = settings(max_examples=40)


@pytest.fixture(scope="module")
def word(evm):
    """Returns the functions of a word's module."""
    # A function is compiled once for a contract that it is called of, so each module is deployed once.
    return cache(lambda name: load(f"contracts/modules/{name}.vy").deploy().internal)


def numbers(bits):
    """Of so many bits, the bounds often."""
    return st.sampled_from([0, 1, 2**bits - 1]) | st.integers(0, 2**bits - 1)


@fast
@given(event=st.integers(0, 10_000), buyback=st.integers(0, 10_000), period=numbers(40))
def test_a_first_split_counts_in_every_week(word, event, buyback, period):
    split = word("split_word")
    packed = split._first(event, buyback)
    assert packed == event << 16 | buyback
    assert (split._event_bps(packed, period), split._buyback_bps(packed, period)) == (event, buyback)


@fast
@given(
    before=st.tuples(*2 * [st.integers(0, 10_000)]),
    after=st.tuples(*2 * [st.integers(0, 10_000)]),
    later=st.tuples(*2 * [st.integers(0, 10_000)]),
    running=st.integers(0, 2**40 - 2),
)
def test_a_changed_split_counts_from_the_next_week(word, before, after, later, running):
    split = word("split_word")

    def of(packed, period):
        return split._event_bps(packed, period), split._buyback_bps(packed, period)

    changed = split._changed(split._first(*before), running, *after)
    assert changed == running + 1 << 64 | before[0] << 48 | before[1] << 32 | after[0] << 16 | after[1]
    assert [of(changed, running + n) for n in (0, 1, 2)] == [before, after, after]
    assert of(changed, 0) == before
    # Again in the same week, and in the next.
    assert [of(split._changed(changed, running, *later), running + n) for n in (0, 1)] == [before, later]
    assert [of(split._changed(changed, running + 1, *later), running + n) for n in (1, 2)] == [after, later]


@fast
@given(start=numbers(190), weight=st.integers(0, 10_000), last=numbers(40), more=numbers(100))
def test_an_event_of_the_pool(word, start, weight, last, more):
    event = word("prize_event_word")
    packed = event._pack(start, weight, last)
    assert packed == start << 64 | weight << 40 | last
    for taken in (packed, event._taken(packed)):
        assert event._last(taken) == last
        assert event._prize_wad(taken, start + more) == weight * more
    assert (event._is_taken(packed), event._is_taken(event._taken(packed))) == (False, True)


@fast
@given(reached=numbers(192), ending=numbers(64))
def test_a_period(word, reached, ending):
    period = word("period_word")
    packed = period._pack(reached, ending)
    assert packed == reached << 64 | ending
    assert (period._reached(packed), period._ending(packed)) == (reached, ending)


@fast
@given(carried=numbers(128), bucket=numbers(128))
def test_what_is_kept(word, carried, bucket):
    kept = word("kept_word")
    packed = kept._pack(carried, bucket)
    assert packed == carried << 128 | bucket
    assert (kept._carried(packed), kept._bucket(packed)) == (carried, bucket)


@fast
@given(prize=numbers(112), total=st.integers(1, 2**117), share=st.fractions(0, 1), outcome=st.integers(0, 15))
def test_a_result(word, prize, total, share, outcome):
    result = word("result_word")
    packed = result._pack(prize, total, outcome)
    assert packed == prize << 136 | total << 8 | outcome + 1
    assert (result._prize(packed), result._outcome(packed), result._winning_code(packed)) == (
        prize,
        outcome,
        outcome + 1,
    )
    assert [result._is_outcome(packed, each) for each in range(16)] == [each == outcome for each in range(16)]
    assert not result._is_invalid(packed)
    held = int(total * share)
    assert result._share(packed, held) == prize * held // total


@pytest.mark.parametrize("outcome", [0, 15])
def test_a_result_that_nobody_predicted(word, outcome):
    result = word("result_word")
    packed = result._pack(0, 0, outcome)
    assert (result._outcome(packed), result._winning_code(packed)) == (outcome, 255)
    assert not result._is_invalid(packed)


def test_an_invalid_result(word):
    result = word("result_word")
    packed = result._invalid()
    assert result._is_invalid(packed)
    assert result._winning_code(packed) == 255
    assert not any(result._is_outcome(packed, each) for each in range(16))
    assert not result._is_invalid(0)


@fast
@given(tickets=numbers(117), prize=numbers(112), share=st.fractions(0, 1), part=st.fractions(0, 1))
def test_what_is_not_yet_claimed(word, tickets, prize, share, part):
    unclaimed = word("unclaimed_word")
    packed = unclaimed._pack(tickets, prize)
    assert packed == tickets << 128 | prize
    claimed, paid = int(tickets * share), int(prize * part)
    less = unclaimed._less(packed, claimed, paid)
    assert (unclaimed._tickets(less), unclaimed._prize(less)) == (tickets - claimed, prize - paid)


@fast
@given(
    intercept=st.integers(-(2**116), 2**116),
    rate=numbers(84),
    forfeits=numbers(32),
    outcome=st.integers(0, 15),
    change=st.integers(-(2**115), 2**115),
)
def test_a_position(word, intercept, rate, forfeits, outcome, change):
    position, tickets = word("prediction_word"), word("tickets")
    line = intercept * 2**136 + rate * 2**40
    packed = position._pack(line, forfeits, outcome)
    assert packed == line + forfeits * 2**8 + outcome + 1
    # Adding a line to a position leaves the rest of it alone.
    for each in (packed, packed + change * 2**136):
        assert (position._forfeits(each), position._outcome(each), position._code(each)) == (
            forfeits,
            outcome,
            outcome + 1,
        )
    assert tickets._line_in(packed) == line
    assert position._code(0) == 0


@fast
@given(consent=numbers(128), balance=numbers(128), amount=numbers(128), number=st.integers(1, 128), more=numbers(128))
def test_an_account(word, consent, balance, amount, number, more):
    account = word("account_word")
    packed = account._pack(consent, balance)
    assert packed == consent << 128 | balance
    assert (account._consent(packed), account._balance(packed)) == (consent, balance)
    assert account._consents(packed, number) == bool(consent >> number - 1 & 1)
    assert account._consenting(packed, more) == (consent | more) << 128 | balance
    if balance >= amount:
        assert account._minus(packed, amount) == consent << 128 | balance - amount
    else:
        with boa.reverts("escrow: balance too low"):
            account._minus(packed, amount)
    if balance + amount < 2**128:
        assert account._plus(packed, amount) == consent << 128 | balance + amount
    else:
        with boa.reverts("escrow: balance overflow"):
            account._plus(packed, amount)


@fast
@given(number=st.integers(1, 128), balance=numbers(128), amount=numbers(128))
def test_a_pot(word, number, balance, amount):
    pot = word("pot_word")
    packed = pot._pack(number, balance)
    assert packed == number << 128 | balance
    assert (pot._number(packed), pot._balance(packed)) == (number, balance)
    if balance >= amount:
        assert pot._minus(packed, amount) == number << 128 | balance - amount
    else:
        with boa.reverts("escrow: pot too small"):
            pot._minus(packed, amount)
    if balance + amount < 2**128:
        assert pot._plus(packed, amount) == number << 128 | balance + amount
    else:
        with boa.reverts("escrow: pot overflow"):
            pot._plus(packed, amount)


@fast
@given(
    codes=st.lists(st.integers(0, 127), min_size=32, max_size=32),
    place=st.integers(0, 31),
    code=st.integers(1, 127),
    threshold=st.integers(1, 32),
)
def test_a_report_and_a_seat(word, codes, place, code, threshold):
    report, seat = word("report_word"), word("seat_word")
    codes[place] = 0
    member = seat._pack(threshold, place)
    assert member == threshold << 224 | 1 << 7 * place
    assert seat._threshold(member) == threshold
    packed = sum(each << 7 * n for n, each in enumerate(codes))
    reported = report._with(packed, code, member)
    assert reported == packed + (code << 7 * place)
    assert (report._code_of(packed, member), report._code_of(reported, member)) == (0, code)
    assert [report._code_at(reported, n) for n in range(32)] == [*codes[:place], code, *codes[place + 1 :]]
    assert report._count(reported, code) == codes.count(code) + 1
    decided = report._decided(reported, code)
    assert decided == reported + (code << 224)
    assert (report._final(reported), report._final(decided)) == (0, code)
    assert report._code_of(decided, 0) == 0


def test_codes_of_outcomes(word):
    report, invalid = word("report_word"), 2**256 - 1
    assert [report._encoded(outcome) for outcome in (0, 125, 126, 127, invalid)] == [1, 126, 127, 127, 127]
    assert [report._decoded(code) for code in (0, 1, 126, 127)] == [(False, 0), (True, 0), (True, 125), (True, invalid)]


@fast
@given(
    blocks=st.tuples(numbers(40), numbers(40)),
    e0=st.integers(100, 1_000),
    outcomes=st.integers(2, 16),
    times=st.tuples(numbers(40), numbers(40)),
)
def test_an_event(word, blocks, e0, outcomes, times):
    event, now = word("event_word"), boa.env.evm.patch.block_number
    boa.env.evm.patch.block_number = blocks[0]
    try:
        packed = event._pack(blocks[1], e0, outcomes, *times)
    finally:
        boa.env.evm.patch.block_number = now
    assert packed == times[1] << 144 | times[0] << 104 | outcomes << 96 | e0 << 80 | blocks[1] << 40 | blocks[0]
    assert (event._start(packed), event._stop(packed)) == blocks
    assert (event._e0(packed), event._outcomes(packed)) == (e0, outcomes)
    assert (event._not_before(packed), event._deadline(packed)) == times
