"""`tessera.model.sessions`: legal states and questions, winning choices, and the stream's record."""

from dataclasses import replace

import pytest
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from tessera.model.sessions import questions, record, states
from tessera.model.sessions.questions import INVALID, NEVER, NO_CHOICE, Kind, QuestionError, pattern
from tessera.model.sessions.record import Line, LineKind
from tessera.model.sessions.states import StateError
from tessera.model.sessions.typed import Choice, Domain, Offer, OpenBet, Question, State

EUR = 10**6
NOW = 1_800_000_000
MS = 1_000
DOMAIN = Domain(31_337, "0x" + "5e" * 20)
OFFER = Offer(
    "0x" + "01" * 20,
    "0x" + "02" * 20,
    "0x" + "03" * 20,
    stream_id=1,
    deposit=20 * EUR,
    activation=EUR,
    house_lock=30 * EUR,
    stake_cap=5 * EUR,
    loss_cap=15 * EUR,
    expires_at=NOW + 86_400,
    valid_until=NOW + 60,
)
LOCK = (NOW + 10) * MS
BINARY = Question(
    Kind.BINARY, 1, "Left?", LOCK, LOCK + 3_000, LOCK + 63_000, LOCK + 3_600_000, 0, (Choice(0, 0), Choice(1, 1))
)
QUANTITY = replace(BINARY, kind=Kind.QUANTITY, choices=(Choice(0, 2), Choice(3, 9), Choice(10, 10**6)))
TIMING = replace(BINARY, kind=Kind.TIMING, choices=(Choice(0, 29_999), Choice(30_000, 60_000), Choice(NEVER, NEVER)))
PATTERN = replace(
    BINARY, kind=Kind.PATTERN, symbols=2, choices=tuple(Choice(pattern(one), pattern(one)) for one in (b"LL", b"LR"))
)


def bet(number=0, stake=EUR, liability=800_000, **more) -> OpenBet:
    fields = {"lock": LOCK, "report_by": LOCK + 3_600_000, "choice": 0} | more
    return OpenBet(keccak(bytes([number])), keccak(b"quote"), stake=stake, liability=liability, **fields)


ACTIVE = states.activation(State())


@pytest.mark.parametrize(
    ("question", "observed", "winner"),
    [
        (BINARY, 0, 0),
        (BINARY, 1, 1),
        (BINARY, 2, NO_CHOICE),
        (BINARY, None, INVALID),
        (QUANTITY, 0, 0),
        (QUANTITY, 2, 0),
        (QUANTITY, 3, 1),
        (QUANTITY, 10, 2),
        (QUANTITY, 10**6 + 1, NO_CHOICE),
        (TIMING, 0, 0),
        (TIMING, 29_999, 0),
        (TIMING, 30_000, 1),
        (TIMING, 60_001, NO_CHOICE),
        (TIMING, NEVER, 2),
        (PATTERN, pattern(b"LR"), 1),
        (PATTERN, pattern(b"RR"), NO_CHOICE),
        (PATTERN, pattern(b"L"), NO_CHOICE),
    ],
)
def test_the_winning_choice(question, observed, winner):
    questions.check(question)
    assert questions.winning_choice(question, observed) == winner


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (replace(BINARY, kind=4), "unknown kind"),
        (replace(BINARY, choices=(Choice(0, 0),)), "2 to 16 choices"),
        (replace(QUANTITY, choices=tuple(Choice(i, i) for i in range(17))), "2 to 16 choices"),
        (replace(BINARY, text=""), "no text"),
        (replace(BINARY, start=LOCK + 2_999), "3 s before"),
        (replace(BINARY, lock=-1), "3 s before"),
        (replace(BINARY, end=BINARY.start - 1), "out of order"),
        (replace(BINARY, report_by=BINARY.end), "out of order"),
        (replace(BINARY, end=BINARY.start + 4_999), "window"),
        (replace(BINARY, end=BINARY.start + 120_001), "window"),
        (replace(QUANTITY, end=BINARY.start + 9_999), "window"),
        (replace(TIMING, end=BINARY.start + 600_001), "window"),
        (replace(PATTERN, end=BINARY.start + 300_001), "window"),
        (replace(BINARY, symbols=1), "pattern has"),
        (replace(PATTERN, symbols=0), "pattern has"),
        (replace(PATTERN, symbols=32), "pattern has"),
        (replace(QUANTITY, choices=(Choice(3, 2), Choice(4, 5))), "above its high"),
        (replace(QUANTITY, choices=(Choice(-1, 2), Choice(4, 5))), "above its high"),
        (replace(BINARY, choices=(Choice(0, 0), Choice(2, 2))), "binary"),
        (replace(BINARY, choices=(Choice(0, 1), Choice(1, 1))), "binary"),
        (replace(TIMING, choices=(Choice(0, 60_001), Choice(NEVER, NEVER))), "timing"),
        (replace(PATTERN, choices=(Choice(1, 2), Choice(4, 4))), "pattern question"),
        (replace(PATTERN, choices=(Choice(256**2, 256**2), Choice(4, 4))), "pattern question"),
        (replace(QUANTITY, choices=(Choice(0, 3), Choice(3, 9))), "overlap"),
        (replace(BINARY, choices=(Choice(1, 1), Choice(1, 1))), "overlap"),
    ],
)
def test_questions_that_nobody_should_bet_on(question, reason):
    with pytest.raises(QuestionError, match=reason):
        questions.check(question)


def test_a_panel_s_times_are_within_the_question_s():
    assert questions.panel_times(1_001, 2_999) == (2, 2)
    assert questions.panel_times(1_000, 3_000) == (1, 3)
    early = replace(BINARY, lock=1, start=3_001, end=8_001, report_by=8_002)
    questions.check(early)


@pytest.mark.parametrize(
    ("stake", "odds", "owed"), [(EUR, 1_800, 800_000), (1, 1_999, 0), (3, 1_500, 1), (7, 2_000, 7)]
)
def test_a_liability_is_rounded_down(stake, odds, owed):
    assert states.liability_of(stake, odds) == owed


@pytest.mark.parametrize("odds", [0, 999, 1_000])
def test_odds_of_one_or_less_are_none(odds):
    with pytest.raises(StateError, match="above 1"):
        states.liability_of(EUR, odds)


def test_a_successor_folds_results_and_adds_a_bet():
    first = states.successor(OFFER, ACTIVE, bet(1), {}, 2)
    second = states.successor(OFFER, first, bet(2), {}, 5)
    third = states.successor(OFFER, second, bet(3), {bet(1).question: 0, bet(2).question: 1}, 6)
    assert (third.net, third.prev, third.seq) == (800_000 - EUR, 5, 6)
    assert third.open_bets == (bet(3),)
    states.check_successor(OFFER, second, third, {bet(1).question: 0, bet(2).question: 1})


def test_a_bet_without_a_result_in_time_goes_back():
    first = states.successor(OFFER, ACTIVE, bet(1), {}, 2)
    assert states.fold(first, {bet(1).question: None}) == (0, ())
    assert states.fold(first, {bet(1).question: INVALID}) == (0, ())
    assert states.fold(first, {}) == (0, (bet(1),))


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State(2, 1, 0, True, (bet(1, stake=5 * EUR + 1),)), "stake or liability"),
        (State(2, 1, 0, True, (bet(1, stake=0),)), "stake or liability"),
        (State(2, 1, 0, True, (bet(1, liability=0),)), "stake or liability"),
        (State(2, 1, 0, True, (bet(1, choice=16),)), "no such choice"),
        (State(2, 1, 0, True, (bet(1, choice=-1),)), "no such choice"),
        (State(2, 1, 0, True, tuple(bet(i, stake=1, liability=1) for i in range(17))), "more than 16"),
        (State(2, 1, 0, False, (bet(1),)), "before the activation"),
        (State(2, 1, 1, False), "before the activation"),
        (State(2, 2, 0, True), "out of order"),
        (State(2, 3, 0, True), "out of order"),
        (State(2**64, 1, 0, True), "out of order"),
        (State(2, 1, -14 * EUR - 1, True, (bet(1),)), "player may lose"),
        (State(2, 1, 29_200_001, True, (bet(1),)), "house can lose"),
        (State(2, 1, 0, True, (bet(1, lock=OFFER.expires_at * MS + 1),)), "outlives"),
        (State(2, 1, 0, True, (bet(1, report_by=(OFFER.expires_at + 86_401) * MS),)), "outlives"),
    ],
)
def test_states_that_no_honest_side_signs(state, reason):
    with pytest.raises(StateError, match=reason):
        states.check(OFFER, state)


def test_at_the_edge_a_state_is_legal():
    states.check(OFFER, State(2, 1, -14 * EUR, True, (bet(1),)))
    states.check(OFFER, State(2, 1, 29_200_000, True, (bet(1),)))
    states.check(OFFER, State(2, 1, 0, True, tuple(bet(i, stake=1, liability=1) for i in range(16))))


def test_a_top_up_counts_up_to_the_loss_cap():
    small = replace(OFFER, deposit=2 * EUR)
    state = State(2, 1, -2 * EUR, True, (bet(1),))
    with pytest.raises(StateError, match="player may lose"):
        states.check(small, state)
    states.check(small, state, top_ups=EUR)
    assert states.greatest_loss(small, 100 * EUR) == 15 * EUR


@pytest.mark.parametrize(
    ("base", "state", "outcomes", "reason"),
    [
        (State(), State(1, 0, 0, True, (bet(1),)), {}, "only activates"),
        (State(), State(1, 0, 1, True), {}, "only activates"),
        (State(), State(0, 0, 0, True), {}, "only activates"),
        (ACTIVE, State(2, 1, 0, True), {}, "adds one bet"),
        (ACTIVE, State(2, 0, 0, True, (bet(1),)), {}, "last completed"),
        (ACTIVE, State(2, 1, 1, True, (bet(1),)), {}, "last completed"),
        (ACTIVE, State(2, 1, 0, True, (bet(1), bet(2))), {}, "last completed"),
        (ACTIVE, State(1, 1, 0, True, (bet(1),)), {}, "out of order"),
    ],
)
def test_what_the_engine_does_not_take(base, state, outcomes, reason):
    with pytest.raises(StateError, match=reason):
        states.check_successor(OFFER, base, state, outcomes)


def test_a_known_result_must_be_folded():
    first = states.successor(OFFER, ACTIVE, bet(1), {}, 2)
    unfolded = states.successor(OFFER, first, bet(2), {}, 3)
    states.check_successor(OFFER, first, unfolded, {})
    with pytest.raises(StateError, match="last completed"):
        states.check_successor(OFFER, first, unfolded, {bet(1).question: 1})
    with pytest.raises(StateError, match="before the activation"):
        states.successor(OFFER, State(), bet(1), {}, 1)


def test_the_first_state_may_take_any_later_seq():
    states.check_successor(OFFER, State(), replace(ACTIVE, seq=4), {})


@given(st.integers(-(10**9), 10**9), st.booleans(), st.integers(0, 10**9))
def test_a_settlement_shares_what_was_put_in(net, activated, top_ups):
    settled = states.settle(OFFER, net, activated, top_ups)
    assert settled.paid + settled.house == OFFER.deposit + top_ups + OFFER.activation + OFFER.house_lock
    assert settled.paid >= 0
    assert settled.house >= 0


def lines(count: int) -> list[Line]:
    return [Line(n, LineKind(n % 5), 1, keccak(bytes([n])), keccak(b"leaf" + bytes([n]))) for n in range(1, count + 1)]


def test_a_head_commits_to_every_line_before_it():
    heads = record.heads(DOMAIN, 1, lines(5))
    assert heads[0] == record.next_head(record.first_head(DOMAIN, 1), lines(1)[0])
    for changed in ({"kind": LineKind.EPOCH}, {"epoch": 2}, {"question": bytes(32)}, {"leaf": bytes(32)}):
        other = lines(5)
        other[0] = replace(other[0], **changed)
        assert other[0] == lines(5)[0] or record.heads(DOMAIN, 1, other)[-1] != heads[-1]
    assert record.first_head(DOMAIN, 2) != record.first_head(DOMAIN, 1)
    assert record.first_head(replace(DOMAIN, chain_id=1), 1) != record.first_head(DOMAIN, 1)


def test_a_head_is_the_hash_of_six_words():
    line = lines(1)[0]
    words = b"".join(n.to_bytes(32) for n in (1, line.kind, 1))
    first = keccak((31_337).to_bytes(32) + bytes(12) + bytes.fromhex("5e" * 20) + (1).to_bytes(32))
    assert record.heads(DOMAIN, 1, [line]) == [keccak(first + words + line.question + line.leaf)]


@pytest.mark.parametrize("numbers", [[2], [1, 3], [1, 1], [0]])
def test_numbers_run_on_from_one(numbers):
    with pytest.raises(ValueError, match="should be"):
        record.heads(DOMAIN, 1, [replace(lines(1)[0], n=n) for n in numbers])


@given(st.integers(1, 40), st.data())
def test_every_leaf_has_a_way_to_the_root(count, data):
    leaves = [keccak(bytes([i])) for i in range(count)]
    leaf = data.draw(st.sampled_from(leaves))
    node = leaf
    for sibling in record.book_proof(leaves, leaf):
        node = keccak(min(node, sibling) + max(node, sibling))
    assert node == record.book_root(leaves)


def test_a_book_without_bets_or_a_leaf_of_another():
    with pytest.raises(ValueError, match="no root"):
        record.book_root([])
    with pytest.raises(ValueError, match="not in list"):
        record.book_proof([bytes(32)], keccak(b"another"))


def test_a_book_s_key_names_question_and_root():
    assert record.book_key(b"\1" * 32, b"\2" * 32) == keccak(b"book" + b"\1" * 32 + b"\2" * 32)
