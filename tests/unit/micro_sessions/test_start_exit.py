"""Beginning to end a session alone: who may, by which states, and how long others have to answer."""

from dataclasses import replace

import boa
import pytest

from tessera.model.sessions import states
from tessera.model.sessions.typed import Domain, State
from tests.sessions import EXITING, NO_BOOK, NO_RECEIPT, NO_SIGNATURE, events_of, key, sign
from tests.unit.conftest import HOUR, NOW

DAY = 24 * HOUR


@pytest.fixture
def state(desk, house):
    return desk.state([house.question()])


@pytest.mark.parametrize("who", ["wallet", "session_key"])
def test_the_player_gives_others_the_short_window(desk, state, micro, request, who):
    desk.exit(state, request.getfixturevalue(who))
    (logged,) = events_of(micro, "ExitPosted")
    assert (logged.session, logged.state_hash, logged.by_player) == (
        desk.session,
        desk.house.state_hash(desk.session, state),
        True,
    )
    assert (logged.first_end, logged.end) == (NOW + HOUR, NOW + HOUR)
    assert tuple(logged.state)[:4] == (state.seq, state.prev, state.net, state.activated)
    assert len(logged.state.open_bets) == 1
    assert vars(desk.stored) == {
        "stage": EXITING,
        "top_ups": 0,
        "first_end": NOW + HOUR,
        "end": NOW + HOUR,
        "by_player": True,
        "proven": False,
        "seq": state.seq,
    }
    assert micro.posted(desk.session) == logged.state_hash


def test_the_operator_gives_the_player_the_long_window(desk, state, house):
    desk.exit(state, house.operator)
    assert (desk.stored.first_end, desk.stored.end, desk.stored.by_player) == (NOW + DAY, NOW + DAY, False)


def test_whoever_has_the_player_s_word_posts_for_the_player(desk, state, house, wallet, session_key):
    for account in (wallet, session_key):
        with boa.env.anchor():
            desk.exit(state, key("helper"), post=house.post(account, desk.session, state, NOW))
            assert (desk.stored.by_player, desk.stored.end) == (True, NOW + HOUR)


def test_nobody_else_before_the_session_has_expired(desk, state, house, offer, evm):
    for sender in (key("stranger"), house.house_key, house.observers[0]):
        with boa.reverts("micro: not yours to exit"):
            desk.exit(state, sender)
    evm.patch.timestamp = offer.expires_at
    with boa.reverts("micro: not yours to exit"):
        desk.exit(state, key("stranger"))
    evm.patch.timestamp = offer.expires_at + 1
    desk.exit(state, key("stranger"))
    assert (desk.stored.by_player, desk.stored.end) == (False, offer.expires_at + 1 + DAY)


def test_a_word_that_is_not_the_player_s_is_none(desk, state, house, session_key):
    other = replace(state, seq=state.seq + 1)
    words = [
        house.post(key("stranger"), desk.session, state, NOW),
        house.post(session_key, desk.session, state, NOW - 1),
        house.post(session_key, desk.session, other, NOW),
        house.post(session_key, bytes(32), state, NOW),
        (NOW, NO_SIGNATURE),
        (NOW + 1, house.post(session_key, desk.session, state, NOW)[1]),
    ]
    for word in words:
        with boa.reverts("micro: not yours to exit"):
            desk.exit(state, key("helper"), post=word)


def test_the_house_s_word_does_not_make_it_the_player(desk, state, house):
    desk.exit(state, house.operator, post=house.post(house.house_key, desk.session, state, NOW))
    assert not desk.stored.by_player


def test_the_empty_state_needs_no_signature(desk, house, session_key):
    desk.exit(State())
    assert desk.stored.seq == 0


@pytest.mark.parametrize("change", [{"net": 1}, {"net": -1}, {"activated": True}, {"prev": 1}, {"open_bets": None}])
def test_reverts_when_the_empty_state_is_not_empty(desk, state, change):
    if "open_bets" in change:
        change = {"open_bets": state.open_bets}
    with boa.reverts("micro: bad first state"):
        desk.exit(replace(State(), **change))


def test_reverts_when_the_player_did_not_sign(desk, state, house, wallet):
    for account in (wallet, house.house_key, house.operator, key("thief")):
        with boa.reverts("micro: not signed by player"):
            desk.exit(state, by=account)
    # A state of another session, contract or chain.
    digests = [
        house.domain.digest(state, session=bytes(32)),
        Domain(31_337, house.operator.address).digest(state, session=desk.session),
        Domain(1, house.micro.address).digest(state, session=desk.session),
    ]
    for digest in digests:
        arguments = list(desk.arguments(state))
        arguments[2] = sign(desk.session_key, digest)
        with boa.reverts("micro: not signed by player"):
            house.micro.start_exit(*arguments, sender=wallet.address)


def test_reverts_when_the_house_has_signed_no_receipt(desk, state, house):
    receipt = house.receipt
    session = desk.session
    later = replace(state, seq=state.seq + 1)
    void = [
        NO_RECEIPT,
        receipt(session, state, house_key=house.operator),
        receipt(session, state, house_key=desk.session_key),
        receipt(session, later),
        receipt(bytes(32), state),
        receipt(session, state, stream_id=house.stream_id + 1),
        (2, *receipt(session, state)[1:]),
        (1, 2, *receipt(session, state)[2:]),
        (*receipt(session, state)[:2], bytes(32), receipt(session, state)[3]),
        (0, 0, bytes(32), sign(house.house_key, house.state_hash(session, state))),
    ]
    for one in void:
        with boa.reverts("micro: no receipt"):
            desk.exit(state, receipt=one)


def test_a_book_of_the_panel_stands_for_the_receipt_where_the_player_posts(desk, house):
    question = house.question()
    state = desk.state([question])
    boa.env.evm.patch.timestamp = NOW + 60
    leaf = house.state_hash(desk.session, state)
    book = house.book(question, [bytes([i]) * 32 for i in range(5)] + [leaf], leaf)
    for sender in (house.operator, key("stranger")):
        with boa.reverts("micro: a book is for players" if sender is house.operator else "micro: not yours to exit"):
            desk.exit(state, sender, book=book)
    desk.exit(state, book=book)
    assert desk.stored.seq == state.seq


def test_reverts_when_the_state_is_in_no_book(desk, house):
    question, other = house.question(), house.question("Another?")
    state = desk.state([question])
    leaf = house.state_hash(desk.session, state)
    boa.env.evm.patch.timestamp = NOW + 60
    with boa.reverts("micro: no such book"):
        desk.exit(state, book=(leaf, []))
    root, proof = house.book(question, [leaf, bytes(32)], leaf)
    with boa.reverts("micro: not in the book"):
        desk.exit(state, book=(root, [bytes([1]) * 32]))
    with boa.reverts("micro: not in the book"):
        desk.exit(state, book=(root, []))
    # Another question's book says nothing about this one.
    foreign = house.book(other, [leaf, bytes([7]) * 32], leaf)
    with boa.reverts("micro: no such book"):
        desk.exit(state, book=foreign)
    # A state without bets is in no book.
    with boa.reverts("micro: a book is for players"):
        desk.exit(states.activation(State()), book=(root, proof))


def test_reverts_when_the_panel_said_something_else_of_the_book(desk, house):
    from tessera.model.sessions import record

    question = house.question()
    state = desk.state([question])
    leaf = house.state_hash(desk.session, state)
    boa.env.evm.patch.timestamp = NOW + 60
    for outcome in (0, 2, 2**256 - 1):
        with boa.env.anchor():
            digest = house.domain.digest(question)
            house.report(record.book_key(digest, leaf), question.lock, question.report_by, outcome)
            with boa.reverts("micro: no such book"):
                desk.exit(state, book=(leaf, []))


def test_reverts_when_it_is_not_open(desk, state, house, offer):
    desk.exit(state)
    with boa.reverts("micro: session not open"):
        desk.exit(state)
    with boa.reverts("micro: session not open"):
        house.micro.start_exit(replace(offer, salt=5).words, *desk.arguments(state)[1:], sender=desk.wallet.address)


def test_reverts_when_a_seq_has_no_room(desk, state):
    with boa.reverts("micro: seq too large"):
        desk.exit(replace(state, seq=2**64))
    desk.exit(replace(state, seq=2**64 - 1))
    assert desk.stored.seq == 2**64 - 1


def test_top_ups_are_kept(desk, state, micro, offer, wallet):
    micro.top_up(offer.words, 12_345, sender=wallet.address)
    desk.exit(state)
    assert desk.stored.top_ups == 12_345


def test_needs_no_book_where_there_is_a_receipt(desk, state):
    assert desk.arguments(state)[4] == NO_BOOK
    desk.exit(state)
