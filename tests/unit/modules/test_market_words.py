"""The stored words of friends' markets: each field comes back from where the docstring says it stands, at its bounds.

Places are counted from the docstrings, and no number of a test comes out of the code.
"""

from functools import cache

import boa
import pytest
from eth_utils import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.prize_system import load

fast = settings(max_examples=25)
NOW = 1_800_000_000
STAGES = range(1, 8)


@pytest.fixture(scope="module")
def word(evm):
    """Returns the functions of a word's module."""
    # A function is compiled once for a contract that it is called of, so each module is deployed once.
    return cache(lambda name: load(f"contracts/modules/{name}.vy").deploy().internal)


def numbers(bits):
    """Of so many bits, the bounds often."""
    return st.sampled_from([0, 1, 2**bits - 1]) | st.integers(0, 2**bits - 1)


accounts = numbers(160)


def address(number):
    return to_checksum_address(number.to_bytes(20))


def number_of(account):
    return int(str(account), 16)


@fast
@given(creator=accounts, b=numbers(64), closes_at=numbers(32))
def test_a_book(word, creator, b, closes_at):
    book = word("book_word")
    packed = book._pack(address(creator), b, closes_at)
    assert packed == creator << 96 | b << 32 | closes_at
    assert number_of(book._creator(packed)) == creator
    assert (book._b(packed), book._closes_at(packed)) == (b, closes_at)


@fast
@given(referee=accounts, window=numbers(32), due_at=numbers(32), refused=st.booleans(), at=numbers(32))
def test_a_schedule(word, referee, window, due_at, refused, at):
    schedule = word("schedule_word")
    packed = schedule._pack(address(referee), window, due_at, refused)
    assert packed == refused << 224 | referee << 64 | window << 32 | due_at
    assert number_of(schedule._referee(packed)) == referee
    assert (schedule._dispute_window(packed), schedule._expected_result_at(packed)) == (window, due_at)
    assert schedule._refused(packed) == refused
    assert schedule._reopened(packed, at) == 1 << 224 | referee << 64 | window << 32 | max(due_at, at)


@fast
@given(proposer=accounts, ends_at=numbers(32), replaced=st.booleans())
def test_a_proposal(word, proposer, ends_at, replaced):
    proposal = word("proposal_word")
    boa.env.timestamp = NOW
    packed = proposal._pack(address(proposer), ends_at, replaced)
    assert packed == replaced << 224 | proposer << 64 | ends_at << 32 | NOW
    assert number_of(proposal._proposer(packed)) == proposer
    assert (proposal._proposed_at(packed), proposal._ends_at(packed)) == (NOW, ends_at)
    assert proposal._proposed_at(2**256 - 1) == proposal._ends_at(2**256 - 1) == 2**32 - 1
    assert proposal._replaced(packed) == replaced


@fast
@given(market_id=numbers(95), bit=numbers(1), account=accounts, staked=numbers(128), shares=numbers(128))
def test_a_position(word, market_id, bit, account, staked, shares):
    position = word("position_word")
    assert position._key(market_id, bit, address(account)) == market_id << 161 | bit << 160 | account
    packed = position._pack(staked, shares)
    assert packed == staked << 128 | shares
    assert (position._staked(packed), position._shares(packed)) == (staked, shares)


@fast
@given(
    times=st.tuples(numbers(31), numbers(31)),
    heads=st.tuples(*3 * [st.integers(0, 2**24 - 2)]),
    stakes=st.tuples(*3 * [st.integers(0, 2**23)]),
    choice=st.integers(0, 2),
    stake=st.integers(0, 2**23 - 1),
    longer=numbers(31),
)
def test_a_tally(word, times, heads, stakes, choice, stake, longer):
    tally = word("tally_word")
    boa.env.timestamp = NOW
    assert tally._pack(NOW + 9) == NOW + 9 << 32 | NOW
    packed = times[1] << 32 | times[0] | sum(n << 64 + 24 * place for place, n in enumerate([*heads, *stakes]))
    assert (tally._disputed_at(packed), tally._ends_at(packed)) == times
    assert tuple(tally._heads(packed, n) for n in range(3)) == heads
    assert tuple(tally._stake(packed, n) for n in range(3)) == stakes
    more = tally._with_vote(packed, choice, stake)
    assert more == packed + (1 << 64 + 24 * choice) + (stake << 136 + 24 * choice)
    assert tally._without_vote(more, choice, stake) == packed
    assert tally._extended(packed, times[1] + longer) == packed + (longer << 32)


@fast
@given(
    gap=st.integers(-(2**87), 2**87 - 1),
    owed=st.tuples(numbers(44), numbers(44)),
    bets=numbers(24),
    last_bet_at=numbers(32),
    tail=numbers(16),
    outcome=st.sampled_from([0, 1, 2, 4]),
    stage=st.sampled_from(STAGES),
    moved=st.tuples(st.sampled_from(STAGES), st.sampled_from([0, 1, 2, 4])),
    account=accounts,
)
def test_a_state(word, gap, owed, bets, last_bet_at, tail, outcome, stage, moved, account):
    state = word("state_word")
    high = (
        gap + 2**87 << 168 | owed[0] << 124 | owed[1] << 80 | bets << 56 | last_bet_at << 24 | tail << 8
    )  # YES is choice 0
    packed = high | outcome << 4 | stage
    assert (state._gap(packed), state._bets(packed), state._last_bet_at(packed)) == (gap, bets, last_bet_at)
    assert (state._owed(packed, 0), state._owed(packed, 1)) == owed
    assert (state._outcome(packed), state._stage(packed)) == (outcome, stage)
    assert state._moved(packed, *moved) == high | moved[1] << 4 | moved[0]
    assert state._may_be_referee(packed, address(account)) == (account % 2**16 == tail)
    assert state._may_be_referee(packed, address(account >> 16 << 16 | tail))
    assert not state._may_be_referee(packed, address(account >> 16 << 16 | (tail ^ 1)))


@fast
@given(gap=st.integers(-(2**87), 2**87 - 1), referee=accounts)
def test_a_new_state(word, gap, referee):
    stage = 1 if referee else 2  # waits for the referee, or is open
    assert word("state_word")._pack(gap, address(referee)) == gap + 2**87 << 168 | (referee % 2**16) << 8 | stage


@fast
@given(
    gap=st.integers(-(2**86), 2**86),
    owed=st.tuples(numbers(43), numbers(43)),
    bets=st.integers(0, 2**24 - 2),
    last_bet_at=st.integers(0, NOW),
    low=numbers(24),
    side=st.integers(0, 1),
    shares=numbers(85),
    owed_more=numbers(43),
)
def test_a_state_after_a_bet(word, gap, owed, bets, last_bet_at, low, side, shares, owed_more):
    def packed(gap, owed, bets, last_bet_at):
        return gap + 2**87 << 168 | owed[0] << 124 | owed[1] << 80 | bets << 56 | last_bet_at << 24 | low

    boa.env.timestamp = NOW
    before = packed(gap, owed, bets, last_bet_at)
    owes = [sum_ + (owed_more if n == side else 0) for n, sum_ in enumerate(owed)]
    after = packed(gap + (shares if side else -shares), owes, bets + 1, NOW)
    assert word("state_word")._after_bet(before, side, shares, owed_more) == after


def test_numbers_of_outcomes_and_bits_of_stages(word):
    state = word("state_word")
    assert [state._choice(bits) for bits in (1, 2, 4)] == [0, 1, 2]
    assert [state._status(stage) for stage in STAGES] == [1, 2, 4, 8, 16, 32, 64]
