"""What an engine forgets, and what it finds due without walking through everything."""

import pytest

from tessera.live import chain
from tessera.live.engine import FORGET_OFFER_SECONDS, FORGET_QUESTION_MS, FORGET_SESSION_MS
from tessera.live.refusals import Refused
from tessera.live.terms import LAND_MS
from tessera.model.loss.limits import Kind
from tests.live import TERMS
from tests.unit.live.test_sessions import limit

HOUR_MS = 3_600_000


def texts(stage) -> list[str]:
    return [duty.text.split()[0] for duty in chain.due(stage.engine)]


def test_a_closed_session_is_forgotten_after_an_hour(stage):
    player, other = stage.opened(), stage.opened("other")
    stage.answer(stage.engine.close(*stage.agreement(player)))
    stage.learn(stage.closing(player))
    stage.time += FORGET_SESSION_MS
    stage.engine.forget()
    assert stage.engine.session(player.session).agreed is not None
    stage.time += 1
    stage.engine.forget()
    with pytest.raises(Refused, match="no session of this id"):
        stage.engine.session(player.session)
    memory, facts = stage.engine.memory, stage.engine.facts
    assert set(memory.sessions) == set(facts.sessions) == {other.session}
    assert memory.agreed == {}
    assert memory.account(player.wallet.address).sessions == []


def test_an_offer_that_nobody_used_is_forgotten_an_hour_after_it_ended_by_the_chain(stage):
    """Anybody may ask for offers, in any wallet's name: they stayed in memory for ever."""
    unused, opened = stage.offered(), stage.offered("opened")
    limited, late = stage.offered("limited"), stage.offered("late")
    stage.learn(stage.opening(opened))
    stage.answer(stage.engine.limit(*limit(stage, limited, "stake", 1)))
    memory, ends = stage.engine.memory, unused.offer.valid_until
    stage.time = (ends + FORGET_OFFER_SECONDS + 1) * 1_000
    stage.engine.forget()  # the chain's newest block that is known is an old one: it may have been opened since
    assert len(memory.sessions) == 4
    stage.learn(stage.opening(late), head=2)
    stage.engine.learn([], 3, ends + FORGET_OFFER_SECONDS)
    stage.engine.forget()
    assert len(memory.sessions) == 4
    stage.engine.learn([], 4, ends + FORGET_OFFER_SECONDS + 1)
    stage.engine.forget()
    assert set(memory.sessions) == {opened.session, late.session}
    assert unused.wallet.address not in memory.accounts
    assert memory.accounts[limited.wallet.address].limits.at(Kind.STAKE, stage.time) == 1  # which outlives it


def test_what_a_wallet_lost_outlives_its_session(stage):
    player, quoted = stage.opened(), stage.ask()
    stage.place_bet(player, quoted, choice=0)
    stage.settle(quoted, 1)
    stage.learn(stage.closing(player))
    stage.time += FORGET_SESSION_MS + 1
    stage.engine.forget()
    assert stage.engine.memory.account(player.wallet.address).losses.since(0) == 1_000_000
    stage.restart()  # the journal keeps all: what is forgotten comes back, and is forgotten again
    assert stage.engine.session(player.session).state == player.state


def test_a_question_is_forgotten_two_days_after_its_results_were_due_unless_somebody_bet_on_it_last(stage):
    player, other = stage.opened(), stage.opened("other")
    first, second = stage.ask(), stage.ask()
    stage.place_bet(player, first)
    stage.place_bet(other, second)
    stage.lock(second)
    stage.settle(first, 0)
    stage.settle(second, 0)
    third = stage.ask()
    stage.place_bet(player, third)  # folds the first
    memory = stage.engine.memory
    due = memory.questions[second.quote.question].question.report_by
    stage.time = due + FORGET_QUESTION_MS + 60_000
    stage.learn()
    chain.due(stage.engine)
    stage.engine.forget()
    assert set(memory.questions) == {second.quote.question, third.quote.question}


def test_results_are_landed_ten_minutes_before_they_are_due_and_not_later(stage):
    player, quoted = stage.opened(), stage.ask()
    stage.place_bet(player, quoted)
    stage.settle(quoted, 0)
    due = stage.engine.memory.questions[quoted.quote.question].question.report_by
    for time, expected in ((due - LAND_MS - 1, []), (due - LAND_MS, ["report", "report"]), (due + 1_000, [])):
        stage.time = time
        stage.learn()
        assert texts(stage) == expected  # the result and the book


def test_what_nobody_bet_on_is_not_landed(stage):
    quoted = stage.ask()
    stage.settle(quoted, 0)
    stage.time = stage.engine.memory.questions[quoted.quote.question].question.report_by - 1
    stage.learn()
    assert texts(stage) == []


def test_an_expired_session_is_exited_from_until_the_chain_says_that_it_is(stage):
    player = stage.opened()
    stage.time += TERMS.session_seconds * 1_000
    stage.learn()
    assert texts(stage) == []
    stage.time += 1_000
    stage.learn()
    assert texts(stage) == texts(stage) == ["exit"]
    stage.learn(stage.exiting(player, player.state, by_player=False))
    assert texts(stage) == []  # its windows run
    stage.time += HOUR_MS + 1_000
    stage.learn()
    assert texts(stage) == ["end"]
    stage.learn(stage.closing(player))
    assert texts(stage) == []


def test_agreements_to_close_are_landed_together(stage):
    players = [stage.opened(f"player {i}") for i in range(3)]
    for player in players:
        stage.answer(stage.engine.close(*stage.agreement(player)))
    (duty,) = chain.due(stage.engine)
    assert duty.text == "close of 3 sessions"
    stage.learn(*map(stage.closing, players))
    assert chain.due(stage.engine) == []
