"""Every rule of the sessions' protocol is there because an honest side loses without it: see sessions_game.py."""

from dataclasses import fields, replace

import pytest

from tests.attacks.sessions_game import Rules, against_houses, against_players

# What an honest side loses without a rule.
OF_THE_PLAYER = {
    "takes_receipts_in_time": "an unanswered bet is completed once it has lost",
    "ignores_late_states": "an unanswered bet is completed once it has lost, and the next state acknowledges it",
    "one_at_a_time": "a bet with a receipt is dropped by a later state that does not know it",
    "books_in_time": "an unanswered bet is put into a book once it has lost",
    "player_s_post_counts": "a bet with a receipt is left out of the book, and goes back if it won",
    "posted_by_player_himself": "the house posts an unanswered state as if the player had, once its bet has lost",
    "newest_needs_either": "a state that was never answered is completed and posted once its bet has lost",
    "same_state_answer": "the house posts the player's newest state itself, and its unbooked bet goes back if it won",
    "long_window": "the house posts an old state while the player is away for an hour",
}
OF_THE_HOUSE = {
    "later_replaces": "the player posts the state before a lost bet",
    "waits_for_proof": "the loser finalizes before the proof is there",
    "proof": "the player posts an old state; the house's later one gives the lost newest bet back",
    "runs_on": "the player excludes himself once the bet has lost",
    "fresh_blocks": "the chain's clock stands while the bet is lost, and the exclusion begins before its lock",
    "last_completed_only": "the player builds on the state before a lost bet",
    "results_are_folded": "the player leaves a lost bet out of the net",
    "one_per_seq": "the player shows the one of two states that won",
    "checks_lock": "the player bets on what is known",
    "close_needs_results": "the player lands an agreement at 0 if the open bet lost",
    "close_freezes": "the player goes on after an agreement, and lands it if that lost",
}
# The least that such a loss is, of a stake of 1: the dishonest side chooses after one of two outcomes.
LOSS = -0.5


def test_by_all_rules_no_honest_side_loses():
    assert min(against_houses(Rules())) == 0
    assert min(against_players(Rules())) == 0


def test_each_rule_is_one_of_the_two():
    assert {field.name for field in fields(Rules)} == OF_THE_PLAYER.keys() | OF_THE_HOUSE.keys()


@pytest.mark.parametrize("rule", OF_THE_PLAYER)
def test_without_it_the_player_loses(rule):
    assert any(expected <= LOSS for expected in against_houses(replace(Rules(), **{rule: False})))


@pytest.mark.parametrize("rule", OF_THE_HOUSE)
def test_without_it_the_house_loses(rule):
    assert any(expected <= LOSS for expected in against_players(replace(Rules(), **{rule: False})))
