"""Answering an exit with a later state: who may when, and how the end moves."""

from dataclasses import replace

import boa
import pytest

from tessera.model.sessions.typed import State
from tests.sessions import EUR, events_of, key
from tests.unit.conftest import HOUR, NOW

DAY = 24 * HOUR


@pytest.fixture
def chain_of_states(desk, house):
    """States of seq 2, 3 and 4, each built on the one before."""
    questions = [house.question(f"question {i}") for i in range(3)]
    return [desk.state(questions[:i]) for i in (1, 2, 3)]


def test_a_later_state_replaces_and_gives_the_player_a_short_window(desk, chain_of_states, micro, evm):
    old, new, _ = chain_of_states
    desk.exit(old)
    evm.patch.timestamp = NOW + HOUR - 1
    desk.challenge(new)
    (logged,) = events_of(micro, "ExitPosted")
    assert not logged.by_player
    assert vars(desk.stored) == {
        "stage": 2,
        "top_ups": 0,
        "first_end": NOW + HOUR,
        "end": NOW + 2 * HOUR - 1,
        "by_player": False,
        "proven": False,
        "seq": new.seq,
    }


def test_early_in_a_long_window_the_end_stays(desk, chain_of_states, house, evm):
    old, new, _ = chain_of_states
    desk.exit(old, house.operator)
    evm.patch.timestamp = NOW + HOUR
    desk.challenge(new)
    assert (desk.stored.first_end, desk.stored.end) == (NOW + DAY, NOW + DAY)


def test_anybody_may_in_the_first_window(desk, chain_of_states):
    old, new, _ = chain_of_states
    desk.exit(old)
    desk.challenge(new, key("stranger"))
    assert desk.stored.seq == new.seq


def test_after_it_only_the_player_may(desk, chain_of_states, house, evm):
    old, new, newest = chain_of_states
    desk.exit(old)
    evm.patch.timestamp = NOW + HOUR - 1
    desk.challenge(new)
    evm.patch.timestamp = NOW + HOUR
    for sender in (house.operator, key("stranger")):
        with boa.reverts("micro: only the player now"):
            desk.challenge(newest, sender)
    evm.patch.timestamp = NOW + 2 * HOUR - 2
    desk.challenge(newest, desk.session_key)
    assert (desk.stored.seq, desk.stored.by_player, desk.stored.end) == (newest.seq, True, NOW + 2 * HOUR - 1)


def test_the_player_s_answer_does_not_move_the_end(desk, chain_of_states, house, evm):
    old, new, _ = chain_of_states
    desk.exit(old, house.operator)
    evm.patch.timestamp = NOW + DAY - 1
    desk.challenge(new, desk.wallet)
    assert (desk.stored.first_end, desk.stored.end, desk.stored.by_player) == (NOW + DAY, NOW + DAY, True)


def test_over_in_the_end_s_own_second(desk, chain_of_states, evm):
    old, new, _ = chain_of_states
    desk.exit(old)
    evm.patch.timestamp = NOW + HOUR
    for sender in (desk.house.operator, desk.wallet):
        with boa.reverts("micro: challenge is over"):
            desk.challenge(new, sender)


def test_the_player_answers_with_the_same_state_so_that_its_newest_bet_counts(desk, chain_of_states, house):
    _, new, _ = chain_of_states
    desk.exit(new, house.operator)
    desk.challenge(new, desk.wallet)
    assert (desk.stored.by_player, desk.stored.seq, desk.stored.end) == (True, new.seq, NOW + DAY)
    # Once it is the player's there is nothing to answer.
    for sender in (desk.wallet, house.operator):
        with boa.reverts("micro: not a later state"):
            desk.challenge(new, sender)


def test_nobody_else_answers_with_the_same_state(desk, chain_of_states, house):
    _, new, _ = chain_of_states
    desk.exit(new, house.operator)
    for sender in (house.operator, key("stranger")):
        with boa.reverts("micro: not a later state"):
            desk.challenge(new, sender)


def test_reverts_when_it_is_not_later(desk, chain_of_states):
    old, new, _ = chain_of_states
    desk.exit(new)
    for state in (State(), old, new, replace(new, net=EUR), replace(old, seq=new.seq)):
        for sender in (desk.wallet, desk.house.operator):
            with boa.reverts("micro: not a later state"):
                desk.challenge(state, sender)


def test_a_challenge_by_another_takes_the_proof_and_the_player_s_word_away(desk, chain_of_states, house, evm):
    old, new, _ = chain_of_states
    desk.exit(old)
    leaf = house.state_hash(desk.session, old)
    evm.patch.timestamp = NOW + 60
    question = house.question("question 0", lock_in=10 - 60)
    house.micro.prove(desk.offer.words, old.fields, house.book(question, [leaf], leaf))
    assert desk.stored.proven
    desk.challenge(new)
    assert not desk.stored.proven
    assert not desk.stored.by_player


def test_reverts_when_the_state_is_not_completed(desk, chain_of_states, house):
    old, new, _ = chain_of_states
    desk.exit(old)
    with boa.reverts("micro: not signed by player"):
        desk.challenge(new, by=key("thief"))
    with boa.reverts("micro: no receipt"):
        desk.challenge(new, receipt=(0, 0, bytes(32), (0, 0)))


def test_reverts_when_no_exit_has_begun(desk, chain_of_states):
    with boa.reverts("micro: no exit has begun"):
        desk.challenge(chain_of_states[0])


def test_top_ups_outlive_a_challenge(desk, chain_of_states, micro, wallet):
    micro.top_up(desk.offer.words, 77, sender=wallet.address)
    desk.exit(chain_of_states[0])
    desk.challenge(chain_of_states[1])
    assert desk.stored.top_ups == 77
