"""Showing that the newest bet of a posted state is in its question's book."""

from dataclasses import replace

import boa
import pytest

from tessera.model.sessions import record, states
from tessera.model.sessions.typed import State
from tests.sessions import NO_BOOK, events_of, key
from tests.unit.conftest import NOW


@pytest.fixture
def question(house):
    return house.question()


@pytest.fixture
def state(desk, house, question):
    return desk.state([house.question("an older one"), question])


@pytest.fixture
def leaves(house, desk, state):
    return [bytes([i]) * 32 for i in range(6)] + [house.state_hash(desk.session, state)]


@pytest.fixture
def book(house, state, question, leaves, evm):
    evm.patch.timestamp = NOW + 60
    return house.book(question, leaves, leaves[-1])


def test_anybody_proves_it_once_it_is_posted(desk, state, house, micro, book):
    desk.exit(state, house.operator)
    micro.prove(desk.offer.words, state.fields, book, sender=key("stranger").address)
    (logged,) = events_of(micro, "BetProven")
    assert (logged.session, logged.state_hash) == (desk.session, house.state_hash(desk.session, state))
    assert desk.stored.proven
    assert not desk.stored.by_player
    assert desk.stored.seq == state.seq


def test_a_book_of_one_bet_is_its_own_root(desk, house, evm):
    question = house.question("alone")
    state = desk.state([question])
    leaf = house.state_hash(desk.session, state)
    evm.patch.timestamp = NOW + 60
    root, proof = house.book(question, [leaf], leaf)
    assert (root, proof) == (leaf, [])
    desk.exit(state, house.operator)
    house.micro.prove(desk.offer.words, state.fields, (root, proof))
    assert desk.stored.proven


def test_reverts_when_no_exit_has_begun(desk, state, micro, book):
    with boa.reverts("micro: no exit has begun"):
        micro.prove(desk.offer.words, state.fields, book)


def test_reverts_when_it_is_not_the_posted_state(desk, state, micro, book):
    desk.exit(state)
    for other in (State(), replace(state, net=1), replace(state, open_bets=state.open_bets[:1])):
        with boa.reverts("micro: not the posted state"):
            micro.prove(desk.offer.words, other.fields, book)


def test_reverts_when_there_is_no_bet(desk, micro, book):
    for state in (State(), states.activation(State())):
        with boa.env.anchor():
            desk.exit(state)
            with boa.reverts("micro: no bet to prove"):
                micro.prove(desk.offer.words, state.fields, book)


def test_reverts_when_the_panel_knows_no_such_book(desk, state, micro, house, leaves):
    desk.exit(state, house.operator)
    root = record.book_root(leaves)
    with boa.reverts("micro: no such book"):
        micro.prove(desk.offer.words, state.fields, (root, record.book_proof(leaves, leaves[-1])))
    with boa.reverts("micro: no such book"):
        micro.prove(desk.offer.words, state.fields, NO_BOOK)


def test_reverts_when_the_state_is_not_in_it(desk, state, micro, house, book, leaves):
    desk.exit(state, house.operator)
    root, proof = book
    wrong = [proof[:-1], [*proof, bytes(32)], proof[::-1], record.book_proof(leaves, leaves[0]), []]
    for way in wrong:
        with boa.reverts("micro: not in the book"):
            micro.prove(desk.offer.words, state.fields, (root, way))


def test_an_older_bet_s_book_proves_nothing(desk, state, house, micro, leaves, evm):
    evm.patch.timestamp = NOW + 60
    older = house.question("an older one", lock_in=10 - 60)
    foreign = house.book(older, leaves, leaves[-1])
    desk.exit(state, house.operator)
    with boa.reverts("micro: no such book"):
        micro.prove(desk.offer.words, state.fields, foreign)


def test_a_fork_of_the_book_by_one_observer_proves_nothing(desk, state, house, micro, question, leaves, evm):
    evm.patch.timestamp = NOW + 60
    root = record.book_root(leaves)
    key_of = record.book_key(house.domain.digest(question), root)
    house.report(key_of, question.lock, question.report_by, 1, reporters=house.observers[:1])
    desk.exit(state, house.operator)
    with boa.reverts("micro: no such book"):
        micro.prove(desk.offer.words, state.fields, (root, record.book_proof(leaves, leaves[-1])))
