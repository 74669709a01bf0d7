"""Questions, quotes, locks, books and results."""

import sqlite3
from dataclasses import replace

import pytest
from eth_account import Account

from tessera.chain.panels import Question as PanelQuestion
from tessera.live import answers
from tessera.live.journal import NotOwnerError
from tessera.live.keys import signer_of
from tessera.live.refusals import Code
from tessera.live.terms import LAND_MS, TermsError
from tessera.live.wire import decode, decode_signature
from tessera.model.loss.expected import PPM, edge_of
from tessera.model.sessions import questions, record, states
from tessera.model.sessions.questions import Kind
from tessera.model.sessions.record import LineKind
from tessera.model.sessions.typed import Book, Choice, Quote
from tests.live import BEGIN, DOMAIN, EUR, HOUSE, OBSERVERS, PANEL, TERMS, Stage, key
from tests.panels import Question as Asked
from tests.panels import sign as sign_report
from tests.unit.live.test_place import refused, refused_bet

MINUTE = 60_000
KINDS = [
    (Kind.BINARY, (Choice(0, 0), Choice(1, 1)), 0, 120),
    (Kind.QUANTITY, (Choice(0, 3), Choice(4, 7), Choice(8, 99)), 0, 300),
    (Kind.TIMING, (Choice(0, 20_000), Choice(20_001, 600_000), Choice(questions.NEVER, questions.NEVER)), 0, 600),
    (Kind.PATTERN, (Choice(*[questions.pattern(b"ab")] * 2), Choice(*[questions.pattern(b"ba")] * 2)), 2, 300),
]
EVEN = {2: (500_000, 500_000), 3: (300_000, 300_000, 400_000)}


def messages(stage, kind: str) -> list[dict]:
    return [message for _, message in stage.published if message["type"] == kind]


@pytest.mark.parametrize(("kind", "choices", "symbols", "longest"), KINDS, ids=[kind[0].name for kind in KINDS])
def test_each_kind_has_its_window(stage, kind, choices, symbols, longest):
    player = stage.opened()
    lock = stage.time + 10_000
    times = {"start": lock + 3_000, "end": lock + 3_000 + longest * 1_000}
    more = {"kind": kind, "choices": choices, "symbols": symbols}
    quoted = stage.ask(EVEN[len(choices)], **more, **times)
    stage.place_bet(player, quoted, choice=1)
    stage.settle(quoted, 1)
    net, waiting = stage.engine.memory.folded(stage.engine.session(player.session))
    assert (net, waiting) == (states.liability_of(EUR, quoted.quote.odds[1]), ())
    lock = stage.time + 10_000
    too_long = stage.question(**more, start=lock + 3_000, end=lock + 3_001 + longest * 1_000)
    with pytest.raises(TermsError, match="the window of this kind"):
        stage.engine.ask(too_long, EVEN[len(choices)])


@pytest.mark.parametrize(
    ("change", "chances", "reason"),
    [
        ({"choices": (Choice(0, 0), Choice(0, 0))}, (500_000, 500_000), "choices overlap"),
        ({"stream_id": 99}, (500_000, 500_000), "of another stream"),
        ({"lock_in": 0}, (500_000, 500_000), "locked already"),
        ({"report_by": BEGIN + 18_000 + 2 * LAND_MS - 1}, (500_000, 500_000), "20 minutes after the end"),
        ({"text": "x" * 501}, (500_000, 500_000), "text of at most 500"),  # no engine could read its journal again
        ({"report_by": 2**256}, (500_000, 500_000), "an integer of at most 256 bits"),
        ({}, (500_000,), "as many chances"),
        ({}, (500_000, 500_001), "at most 1,000,000"),
        ({}, (960_000, 40_000), "too likely"),
        ({}, (0, 500_000), "above 0"),
    ],
)
def test_a_question_that_no_house_may_ask(stage, change, chances, reason):
    before = stage.entries()
    with pytest.raises(TermsError, match=reason):
        stage.engine.ask(stage.question(**change), chances)
    stage.engine.flush()
    assert stage.entries() == before
    assert stage.engine.memory.questions == {}


def test_a_question_is_asked_once(stage):
    question = stage.question()
    stage.answer(stage.engine.ask(question, (500_000, 500_000)))
    with pytest.raises(TermsError, match="asked before"):
        stage.engine.ask(question, (500_000, 500_000))


def test_no_quote_is_without_edge_losses_and_delay(tmp_path):
    stage = Stage(tmp_path, replace(TERMS, picture_delay_ms=2_500))
    first = stage.ask((450_000, 550_000))
    stage.answer(stage.engine.move(first.quote.question, (200_000, 700_000)))
    for _ in range(20):
        stage.pass_time(1_000)
    quotes = messages(stage, "quote")
    assert len(quotes) >= 4
    for message in quotes:
        quote = decode(Quote, message["quote"])
        assert signer_of(DOMAIN.digest(quote), decode_signature(message["signature"])) == HOUSE.address
        chances = [int(chance) for chance in message["chances_ppm"]]
        edges = [edge_of(*pair) for pair in zip(quote.odds, chances, strict=True)]
        assert all(edge * PPM >= TERMS.edge_ppm for edge in edges)
        shown = [int(loss) for loss in message["loss_ppm"]]
        assert all(0 <= loss - edge * PPM < 1 for loss, edge in zip(shown, edges, strict=True))
        assert [int(loss) for loss in message["gross_loss_ppm"]] == [PPM - chance for chance in chances]
        covered = sum(chances) == PPM
        assert (message["margin_ppm"] is not None) == covered
        assert not covered or int(message["margin_ppm"]) > 0
        assert message["picture_delay_ms"] == "2500"


def test_an_open_question_always_has_a_quote_for_at_most_3_s_and_never_past_its_lock(stage):
    quoted = stage.ask()
    question = stage.engine.memory.questions[quoted.quote.question]
    while stage.time < question.question.lock:
        newest = question.quoted.quote
        assert stage.time <= newest.valid_until <= min(stage.time + 3_000, question.question.lock)
        stage.pass_time(250)
    assert messages(stage, "book")


def test_a_quote_s_number_is_its_line(stage):
    quoted = stage.ask()
    line, _ = stage.journal.lines(quoted.quote.number, 1)[0]
    assert (line.kind, line.leaf) == (LineKind.QUOTE, quoted.digest)


def test_a_book_has_all_bets_in_the_record_s_order(stage):
    first, second = stage.opened("first"), stage.opened("second")
    quoted, other = stage.ask(), stage.ask()
    leaves = [stage.place_bet(player, quoted).state_hash for player in (first, second, first)]
    stage.place_bet(second, other)
    stage.lock(quoted)
    message = next(one for one in messages(stage, "book") if one["book"]["question"] == "0x" + other_hash(quoted))
    book = decode(Book, message["book"])
    assert (book.stream_id, book.root) == (stage.engine.stream_id, record.book_root(leaves))
    assert signer_of(DOMAIN.digest(book), decode_signature(message["signature"])) == HOUSE.address
    line, head = stage.journal.lines(book.n, 1)[0]
    assert (line.kind, line.leaf, head) == (LineKind.LOCK, book.root, book.head)


def other_hash(quoted) -> str:
    return quoted.quote.question.hex()


def test_a_lock_is_once(stage):
    quoted = stage.ask()
    stage.lock(quoted)
    n = stage.engine.memory.n
    stage.pass_time(1_000)
    assert stage.engine.memory.n == n


def test_no_book_is_signed_before_its_lock_is_in_the_journal(stage):
    """Whoever asked for the question meanwhile had the house's signature of a line that another engine may replace."""
    digest = stage.ask().quote.question
    stage.time += 10_000
    stage.engine.tick()
    assert [message["type"] for message in answers.question(stage.engine, digest)] == ["question"]
    stage.engine.flush()
    assert [message["type"] for message in answers.question(stage.engine, digest)] == ["question", "book"]


def test_an_owner_that_was_followed_signs_no_book(stage):
    """It was paused before a lock: its line and the new owner's have one number, which convicts a house."""
    digest = stage.ask().quote.question
    with sqlite3.connect(stage.path) as db:
        db.execute("UPDATE stream SET epoch = epoch + 1")
    stage.time += 10_000
    stage.engine.tick()
    with pytest.raises(NotOwnerError):
        stage.engine.flush()
    assert [message["type"] for message in answers.question(stage.engine, digest)] == ["question"]


def test_what_members_sign_is_what_panels_take(stage):
    """By the tests' own EIP-712 of `Panels`, which its contract's tests are held to."""
    quoted = stage.ask()
    question = stage.engine.memory.questions[quoted.quote.question].question
    digest = quoted.quote.question
    asked = Asked(DOMAIN.contract, digest, -(-question.lock // 1_000), question.report_by // 1_000)
    assert PANEL.asked(digest, question) == PanelQuestion(*asked)
    signature = sign_report(signing(OBSERVERS[0]), PANEL.contract, DOMAIN.chain_id, PANEL.panel_id, asked, 1)
    ours = OBSERVERS[0].sign(PANEL.result(digest, question, 1))
    assert tuple(signature) == tuple(ours)
    root = bytes([7] * 32)
    booked = asked._replace(key=record.book_key(digest, root))
    signature = sign_report(signing(OBSERVERS[0]), PANEL.contract, DOMAIN.chain_id, PANEL.panel_id, booked, 1)
    assert tuple(signature) == tuple(OBSERVERS[0].sign(PANEL.book(digest, question, root)))


def signing(observer):
    return Account.from_key(observer._key.secret)


def test_bets_wait_for_books(stage):
    player, quoted = stage.opened(), stage.ask()
    stage.lock(quoted, signers=1)
    later = stage.ask(lock_in=30_000)
    stage.place_bet(player, later)  # observers still have time
    stage.pass_time(5_000)
    newest = stage.engine.memory.questions[later.quote.question].quoted
    refused_bet(stage, Code.BOOKS_MISSING, player, stage.bet(newest))
    asked = stage.engine.memory.questions[quoted.quote.question]
    digest = PANEL.book(asked.digest, asked.question, asked.book.root)
    stage.engine.confirm_book(asked.digest, asked.book.root, OBSERVERS[2].sign(digest))
    stage.engine.flush()
    assert len(messages(stage, "book")[-1]["signatures"]) == 2
    stage.place_bet(player, newest)


def test_the_next_signed_book_lets_bets_begin_again(stage):
    player = stage.opened()
    stage.lock(stage.ask(), signers=0)
    stage.pass_time(5_000)
    empty = stage.ask()
    refused_bet(stage, Code.BOOKS_MISSING, player, stage.bet(empty))
    stage.lock(empty)  # nobody bet on it: the empty book is signed, too
    stage.pass_time(5_000)
    stage.place_bet(player, stage.ask())


def test_a_book_of_another_root_or_by_a_stranger(stage):
    quoted = stage.ask()
    stage.lock(quoted, signers=0)
    asked = stage.engine.memory.questions[quoted.quote.question]
    root = bytes([1] * 32)
    signature = OBSERVERS[0].sign(PANEL.book(asked.digest, asked.question, root))
    refused(stage, Code.NO_BOOK, stage.engine.confirm_book, asked.digest, root, signature)
    signature = key("a stranger").sign(PANEL.book(asked.digest, asked.question, asked.book.root))
    refused(stage, Code.STRANGER, stage.engine.confirm_book, asked.digest, asked.book.root, signature)
    refused(stage, Code.UNKNOWN_QUESTION, stage.engine.confirm_book, bytes(32), root, signature)


def test_two_of_three_decide(stage):
    player, quoted = stage.opened(), stage.ask()
    stage.place_bet(player, quoted, choice=0)
    stage.lock(quoted)
    stage.pass_time(9_000)
    assert stage.report(quoted, 1, OBSERVERS[0]) is None
    assert stage.report(quoted, 0, OBSERVERS[1]) is None  # one may be wrong
    stage.answer(stage.report(quoted, 0, OBSERVERS[2]))
    (message,) = messages(stage, "result")
    assert message["outcome"] == "0"
    assert set(message["signatures"]) == {OBSERVERS[1].address, OBSERVERS[2].address}
    assert stage.engine.balance(stage.engine.session(player.session)) == 20 * EUR + states.liability_of(
        EUR, quoted.quote.odds[0]
    )


def test_the_same_report_again_changes_nothing(stage):
    quoted = stage.ask()
    stage.lock(quoted)
    assert stage.report(quoted, 0, OBSERVERS[0]) is None
    assert stage.report(quoted, 0, OBSERVERS[0]) is None
    stage.answer(stage.report(quoted, 0, OBSERVERS[1]))
    assert stage.report(quoted, 0, OBSERVERS[2]) is None
    assert len(messages(stage, "result")) == 1


def test_reports_that_are_refused(stage):
    quoted = stage.ask()
    refused(stage, Code.TOO_EARLY, stage.report, quoted, 0, OBSERVERS[0])
    stage.lock(quoted)
    refused(stage, Code.STRANGER, stage.report, quoted, 0, key("a stranger"))
    for outcome in (2, 15, 17):
        refused(stage, Code.UNKNOWN_OUTCOME, stage.report, quoted, outcome, OBSERVERS[0])
    stage.report(quoted, 0, OBSERVERS[0])
    error = refused(stage, Code.CONFLICT, stage.report, quoted, 1, OBSERVERS[0])
    assert error.details["reported"] == "0"
    question = stage.engine.memory.questions[quoted.quote.question].question
    stage.time = question.report_by - LAND_MS + 1
    refused(stage, Code.TOO_LATE, stage.report, quoted, 0, OBSERVERS[1])


@pytest.mark.parametrize("outcome", [-1, -(2**255)])
def test_an_outcome_below_0_is_refused_whoever_signed(stage, outcome):
    """A panel's digest has no room for it: a stranger's report ended the connection it came by, that of a gateway with
    all its clients."""
    quoted = stage.ask()
    stage.lock(quoted)
    report, digest = stage.engine.report, quoted.quote.question
    refused(stage, Code.UNKNOWN_OUTCOME, report, digest, outcome, key("a stranger").sign(bytes(32)))


@pytest.mark.parametrize(
    ("outcome", "gain"), [(questions.NO_CHOICE, -EUR), (questions.INVALID, 0)], ids=["none of them", "invalid"]
)
def test_outcomes_that_are_no_choice(stage, outcome, gain):
    player, quoted = stage.opened(), stage.ask()
    stage.place_bet(player, quoted)
    stage.settle(quoted, outcome)
    assert stage.engine.memory.folded(stage.engine.session(player.session)) == (gain, ())


def test_without_a_result_the_chain_gives_the_bet_back(stage):
    player, quoted = stage.opened(), stage.ask()
    stage.place_bet(player, quoted)
    stage.lock(quoted)
    stage.answer(stage.engine.decide(quoted.quote.question, None))
    (message,) = messages(stage, "result")
    assert (message["outcome"], message["signatures"]) == (None, {})
    assert stage.engine.memory.folded(stage.engine.session(player.session)) == (0, ())
    assert stage.engine.decide(quoted.quote.question, 1) is None  # decided once
