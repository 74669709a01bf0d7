"""What an engine forgets, and what it finds due without walking through everything."""

import asyncio
from types import SimpleNamespace

import pytest

from tessera.live import chain
from tessera.live.engine import FORGET_OFFER_SECONDS, FORGET_SESSION_MS
from tessera.live.memory import Memory
from tessera.live.panel import BOOKED
from tessera.live.refusals import Refused
from tessera.live.runner import Runner
from tessera.live.terms import KEPT_MS, LAND_MS
from tessera.model.loss.limits import WEEK_MS, Kind
from tests.live import DOMAIN, EUR, PANEL, STREAM, TERMS, open_journal
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
    limited, late = stage.opened("limited"), stage.offered("late")
    stage.learn(stage.opening(opened))
    stage.answer(stage.engine.limit(*limit(stage, limited, "stake", 1)))
    stage.offered("limited")
    memory, ends = stage.engine.memory, unused.offer.valid_until
    stage.time = (ends + FORGET_OFFER_SECONDS + 1) * 1_000
    stage.engine.forget()  # the chain's newest block that is known is an old one: it may have been opened since
    assert len(memory.sessions) == 5
    stage.learn(stage.opening(late), head=2)
    stage.engine.learn([], 3, ends + FORGET_OFFER_SECONDS)
    stage.engine.forget()
    assert len(memory.sessions) == 5
    stage.engine.learn([], 4, ends + FORGET_OFFER_SECONDS + 1)
    stage.engine.forget()
    assert set(memory.sessions) == {opened.session, late.session, limited.session}
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
    stage.restart()
    assert stage.engine.memory.account(player.wallet.address).losses.since(0) == 1_000_000


def remembered(memory) -> tuple:
    """How much a memory holds, and of whom."""
    accounts = {name: (account.limits, len(account.losses._times)) for name, account in memory.accounts.items()}
    kept = memory._due, memory._offered, memory._expiring, memory._left, memory._late, memory.landing, memory.expired
    return set(memory.sessions), set(memory.questions), set(memory.undecided), accounts, tuple(map(len, kept))


def test_whoever_replays_the_journal_forgets_what_its_engine_forgot(stage):
    """An engine that waited, and one that was started again, held every session and question that there ever was: what
    is forgotten was in the engine's memory alone."""
    waiting, journal = Memory(DOMAIN, STREAM), open_journal(stage.path)
    limited = stage.opened("limited")
    stage.answer(stage.engine.limit(*limit(stage, limited, "stake", EUR)))
    sizes = []
    for day in range(12):
        player = stage.opened(f"player of day {day}")
        stage.offered(f"looker of day {day}")
        quoted = stage.ask()
        stage.place_bet(player, quoted)
        stage.settle(quoted, 1)
        stage.learn(stage.closing(player))
        for hours in (2, 22):
            stage.time += hours * HOUR_MS
            stage.learn()
            chain.due(stage.engine)
            stage.engine.forget()
            stage.engine.flush()
        for entry in journal.unread():
            waiting.replay(entry)
        assert remembered(waiting)[:4] == remembered(stage.engine.memory)[:4]
        sizes.append(remembered(waiting)[4])
        assert [asked.is_booked for asked in waiting.locked] == [True]  # all bets wait for the newest book alone
    assert (waiting.n, waiting.head) == (stage.engine.memory.n, stage.engine.memory.head)
    assert set(waiting.sessions) == {limited.session}
    assert len(waiting.questions) <= 3  # of the last two days
    assert len(waiting.accounts) == 1 + 7  # who lost in the last week, and who has limits
    assert sizes[-1] == sizes[-2] == sizes[-3]  # nothing grows with the days
    stage.restart()
    assert remembered(stage.engine.memory)[:4] == remembered(waiting)[:4]
    journal.close()


def test_what_a_wallet_lost_in_a_week_counts_though_its_sessions_are_forgotten(stage):
    def lose():
        player, quoted = stage.opened(f"session {stage.time}", wallet="wallet"), stage.ask()
        stage.place_bet(player, quoted)
        stage.settle(quoted, 1)
        stage.learn(stage.closing(player))
        stage.time += 2 * HOUR_MS
        stage.learn()
        stage.engine.forget()
        stage.engine.flush()
        return player.wallet.address

    lose()
    stage.time += 6 * 24 * HOUR_MS
    wallet = lose()
    for days, lost in ((1, EUR), (5, EUR), (1, None)):  # a week after the first one, and after the second
        stage.time += days * 24 * HOUR_MS
        stage.learn()
        stage.engine.forget()
        account = stage.engine.memory.accounts.get(wallet)
        assert (account and account.losses.since(stage.time - WEEK_MS)) == lost


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
    stage.time = due + KEPT_MS + 60_000
    stage.learn()
    chain.due(stage.engine)
    stage.engine.forget()
    assert set(memory.questions) == {second.quote.question, third.quote.question}


def test_results_are_landed_ten_minutes_before_they_are_due_and_not_later(stage):
    player, quoted = stage.opened(), stage.ask()
    stage.place_bet(player, quoted)
    stage.settle(quoted, 0)
    due = stage.engine.memory.questions[quoted.quote.question].question.report_by
    both = ["report of 2 results and books"]
    for time, expected in ((due - LAND_MS - 1, []), (due - LAND_MS, both), (due + 1_000, [])):
        stage.time = time
        stage.learn()
        assert [duty.text for duty in chain.due(stage.engine)] == expected


def test_results_and_books_are_landed_as_many_at_once_as_the_panel_takes(stage):
    """Each was a transaction: beyond some hundreds an hour bets went back that nobody had landed in time."""
    players, quotes = [stage.opened(f"player {i}") for i in range(10)], []
    for player in players:
        quotes.append(stage.ask())
        stage.place_bet(player, quotes[-1])
        stage.pass_time(500)
    for quoted in quotes:
        stage.lock(quoted)
    for quoted in quotes:
        stage.settle(quoted, 0)
    stage.time = max(asked.question.report_by for asked in stage.engine.memory.questions.values()) - LAND_MS
    stage.learn()
    duties = chain.due(stage.engine)
    assert [duty.text for duty in duties] == ["report of 16 results and books", "report of 4 results and books"]

    final, sent = set(), []
    panels = SimpleNamespace(
        question_id=lambda question: question.key,
        result=lambda _, key: (key in final, 0),
        submit_many=lambda wallet, panel_id, reports: sent.append((wallet, panel_id, reports)),
    )
    tessera = SimpleNamespace(panels=panels)
    assert [duty.do(tessera, "operator") for duty in duties] == [True, True]
    assert {(wallet, panel_id) for wallet, panel_id, _ in sent} == {("operator", PANEL.panel_id)}
    reports = [report for _, _, part in sent for report in part]
    ends = [report.question.deadline for report in reports]
    assert (ends, len(set(ends))) == (sorted(ends), 5)  # what has the least time comes first
    assert [len(report.signatures) for report in reports] == [PANEL.threshold] * 20
    assert sum(report.outcome == BOOKED for report in reports) == 10
    final |= {report.question.key for report in reports[1:]}
    assert [duty.do(tessera, "operator") for duty in duties] == [True, False]
    assert sent[-1][2] == reports[:1]  # somebody else has landed all others


def test_an_old_state_is_answered_before_anything_is_landed(stage, monkeypatch):
    """The player left bets to be landed, each a transaction, for as long as its exit could be answered."""
    player, quotes = stage.opened(), [stage.ask() for _ in range(3)]
    for quoted in quotes:
        stage.place_bet(player, quoted)
        stage.pass_time(1_000)
    for quoted in quotes:
        stage.settle(quoted, 0)
    stage.time = max(asked.question.report_by for asked in stage.engine.memory.questions.values()) - LAND_MS
    stage.learn()
    done = []

    def perform(duty: chain.Duty, *_) -> None:
        done.append(duty.text.split()[0])
        if len(done) == 2:
            stage.learn(stage.exiting(player, player.completed[0].state))

    monkeypatch.setattr(chain, "perform", perform)
    monkeypatch.setattr(chain, "MOST_REPORTS", 1)
    runner = Runner(stage.engine, SimpleNamespace(tessera=None), None, is_inline=True)
    duties = chain.due(stage.engine)
    assert [duty.text.split()[0] for duty in duties] == ["report"] * 4
    asyncio.run(runner._act(duties))
    assert done == ["report"] * 2
    asyncio.run(runner._act(chain.due(stage.engine)))
    assert done == ["report"] * 2 + ["challenge"] + ["report"] * 4  # and one that fails again and again stops nothing


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
