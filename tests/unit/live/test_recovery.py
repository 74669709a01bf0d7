"""Killed anywhere, the engine honours every receipt: what was answered is in the journal, and no unit is lost."""

import json
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tessera.live.chain import News
from tessera.live.clock import Guard
from tessera.live.engine import Engine
from tessera.live.facts import Facts
from tessera.live.journal import owned
from tessera.live.memory import Memory
from tessera.live.refusals import Code, Refused
from tessera.live.service import _seen
from tessera.live.wire import decode, encode
from tessera.model.sessions import record, states
from tessera.model.sessions.record import LineKind
from tessera.model.sessions.typed import Offer, OpenBet, Receipt, State
from tests.live import (
    DOMAIN,
    EUR,
    HOUSE,
    OBSERVERS,
    OPERATOR,
    PANEL,
    STREAM,
    TERMS,
    Player,
    Stage,
    key,
    open_journal,
    states_of,
    taken,
)
from tests.unit.live.test_sessions import limit

PLAYERS = 8


def test_a_restart_is_the_same_engine(stage):
    player, other = stage.opened(), stage.opened("other")
    first, second = stage.ask(), stage.ask((200_000, 700_000))
    stage.place_bet(player, first, choice=0)
    stage.place_bet(other, first, choice=1)
    stage.place_bet(player, second, choice=1, stake=2 * EUR)
    stage.lock(second)
    stage.settle(first, 0)
    stage.answer(stage.engine.limit(*limit(stage, player, "day_loss", 7 * EUR)))
    stage.answer(stage.engine.limit(*limit(stage, player, "cool_off_until", stage.time + 60_000, at=stage.time + 1)))
    agreed = stage.agreement(other)
    stage.answer(stage.engine.close(*agreed))
    before, memory = [stage.engine.view(one) for one in stage.engine.memory.sessions.values()], stage.engine.memory
    stage.restart()
    again = stage.engine.memory
    assert [stage.engine.view(one) for one in again.sessions.values()] == before
    assert again.n == memory.n + 1  # the new epoch's line
    assert [asked.digest for asked in again.locked] == [asked.digest for asked in memory.locked]
    for digest, asked in memory.questions.items():
        same = again.questions[digest]
        assert (same.leaves, same.book, same.is_booked, same.result) == (
            asked.leaves,
            asked.book,
            asked.is_booked,
            asked.result,
        )
    assert again.sessions[other.session].agreed == memory.sessions[other.session].agreed
    with pytest.raises(Refused, match="agreement to close is signed"):
        stage.answer(stage.engine.place(*stage.signed(other, stage.next_state(other, stage.bet(stage.ask())))))


def test_after_a_restart_the_same_state_gets_the_same_bytes(stage):
    player = stage.opened()
    completed = stage.place_bet(player, stage.ask())
    stage.restart()
    assert stage.answer(stage.engine.place(*stage.signed(player, player.state))) == completed


def test_what_was_not_committed_was_never_answered_and_is_gone(stage):
    player, quoted = stage.opened(), stage.ask()
    future = stage.engine.place(*stage.signed(player, stage.next_state(player, stage.bet(quoted))))
    stage.restart()
    assert not future.done()
    assert stage.engine.session(player.session).state == player.state


@pytest.mark.parametrize("has_waited", [False, True], ids=["restart", "take-over"])
def test_a_state_that_was_refused_is_taken_by_no_later_engine(tmp_path, has_waited):
    """Whoever had it sent it again once its reason was over: the next engine made a bet of it that the player, with
    the house's signed refusal in hand, did not have. It got a receipt of 1 EUR, and the player's next state froze."""
    stage = Stage(tmp_path, replace(TERMS, between_ms=500))
    player, quoted = stage.opened(), stage.ask()
    rival = open_journal(stage.path)
    memory = Memory(DOMAIN, STREAM)
    for entry in rival.unread():
        memory.replay(entry)
    stage.place_bet(player, quoted)
    early = stage.next_state(player, stage.bet(quoted))
    with pytest.raises(Refused) as caught:
        stage.answer(stage.engine.place(*stage.signed(player, early)))
    assert caught.value.number is Code.TOO_SOON
    stage.time += 500
    if has_waited:
        stage.journal.close()
        stage.journal = owned(rival)
        stage.engine = Engine(DOMAIN, STREAM, PANEL, stage.terms, HOUSE, OPERATOR, rival, stage.guard, memory)
        stage.learn(*stage.events)
    else:
        rival.close()
        stage.restart()
    balance = stage.engine.balance(stage.engine.session(player.session))
    with pytest.raises(Refused) as caught:
        stage.answer(stage.engine.place(*stage.signed(player, early)))
    assert caught.value.number is Code.STALE_BASE
    assert stage.engine.balance(stage.engine.session(player.session)) == balance
    stage.place_bet(player, quoted)  # which the player signs anew


def test_a_refusal_that_is_not_in_the_journal_is_not_signed(stage):
    player, quoted = stage.opened(), stage.ask()
    future = stage.engine.place(*stage.signed(player, stage.next_state(player, stage.bet(quoted, stake=1))))
    assert not future.done()
    stage.restart()
    assert not future.done()
    assert stage.engine.session(player.session).used_seq == player.state.seq


def test_what_a_session_can_write_by_refusals_is_bounded(tmp_path, monkeypatch):
    """A row of at most 200 bytes for each request that it may make, and no more requests than could be bets."""
    monkeypatch.setattr("tessera.index.limits.time", SimpleNamespace(monotonic=lambda: 0.0))
    stage = Stage(tmp_path, replace(TERMS, requests_per_second=1))
    player, quoted = stage.opened(), stage.ask()
    state, before = stage.next_state(player, stage.bet(quoted, stake=1)), len(stage.entries())
    for seq in range(100):
        with pytest.raises(Refused):
            stage.answer(stage.engine.place(*stage.signed(player, replace(state, seq=2**63 + seq))))
    written = stage.entries()[before:]
    assert len(written) == 5  # of six at once, of which one was the activation
    assert max(len(json.dumps(entry.row)) for entry in written) <= 200


def test_a_quote_holds_for_as_long_as_it_says_also_in_the_next_engine(stage):
    """A bet that was on its way when its engine ended was refused by the next one (unknown_quote)."""
    player, quoted = stage.opened(), stage.ask()
    stage.restart()
    stage.pass_time(quoted.quote.valid_until - stage.time)
    stage.place_bet(player, quoted)
    late = stage.next_state(player, stage.bet(quoted))
    stage.restart()
    stage.pass_time(1)
    with pytest.raises(Refused) as caught:
        stage.answer(stage.engine.place(*stage.signed(player, late)))
    assert caught.value.number is Code.QUOTE_EXPIRED


def test_questions_that_locked_meanwhile_are_locked_at_once(stage):
    player, quoted = stage.opened(), stage.ask()
    leaf = stage.place_bet(player, quoted).state_hash
    stage.time += 60_000
    stage.restart()
    stage.engine.tick()
    stage.engine.flush()
    assert stage.engine.memory.questions[quoted.quote.question].book.root == record.book_root([leaf])


def test_an_engine_that_takes_over_takes_bets_by_the_chain_that_it_saw_while_it_waited(stage):
    """Not only after its own first look, which may be seconds later: until then each bet was refused (chain_stale)."""
    player, quoted = stage.opened(), stage.ask()
    block = News([stage.opening(player)], 1, stage.time // 1_000, is_anew=True)
    facts = _seen(SimpleNamespace(look=lambda: block), Facts(STREAM, 0))
    stage.journal.close()
    stage.journal = taken(stage.path)
    stage.guard = Guard(lambda: stage.time)
    stage.engine = Engine(DOMAIN, STREAM, PANEL, TERMS, HOUSE, OPERATOR, stage.journal, stage.guard, facts=facts)
    moved = stage.answer(stage.engine.move(quoted.quote.question, (500_000, 500_000)))
    stage.place_bet(player, moved)


def players_of(stage: Stage) -> list[Player]:
    """The players of the load, as the journal has them; new ones in the first run."""
    names = {key(f"session key of player {i}").address: i for i in range(PLAYERS)}
    players = []
    for session in stage.engine.memory.sessions.values():
        name = f"player {names[session.offer.session_key]}"
        player = Player(None, key(f"session key of {name}"), session.digest, session.offer, session.state)
        player.wallet = type("Wallet", (), {"address": session.offer.player})
        players.append(player)
    stage.learn(*(stage.opening(player) for player in players))
    for i in range(len(players), PLAYERS):
        players.append(stage.offered(f"player {i}", deposit=1_000 * EUR))
        stage.learn(stage.opening(players[-1]))
    return players


def load(folder: Path, seed: int, number: int, said: int) -> None:
    """Bets, locks and results without end; every answer is written to `said`, and nothing before it is given."""
    chance = random.Random(seed)
    stage = Stage(folder)
    stage.time += number * 1_000_000
    players = players_of(stage)
    stage.pass_time(0)
    # Observers go on, too: what the last run left open is decided, and a first book is signed.
    for asked in [*stage.engine.memory.questions.values()]:
        if asked.result is None:
            for observer in OBSERVERS[:2]:
                outcome = chance.randint(0, 1) if not asked.reports else next(iter(asked.reports.values()))[0]
                digest = PANEL.result(asked.digest, asked.question, outcome)
                stage.engine.report(asked.digest, outcome, observer.sign(digest))
    stage.lock(stage.ask())
    while True:
        quotes = [stage.answer(stage.engine.ask(stage.question(), (500_000, 500_000))) for _ in range(2)]
        for _ in range(3):
            futures = []
            for player in players:
                session = stage.engine.session(player.session)
                player.state = session.state
                if not player.state.activated:
                    state = states.activation(player.state)
                else:
                    stake = chance.randint(EUR // 10, EUR // 2)
                    state = stage.next_state(player, stage.bet(chance.choice(quotes), chance.randint(0, 1), stake))
                futures.append(stage.engine.place(*stage.signed(player, state)))
            stage.engine.flush()
            answers = [future.result(timeout=0) for future in futures]
            lines = [{"hash": one.state_hash, "state": one.state, "receipt": one.receipt._asdict()} for one in answers]
            for player in chance.sample(players, 2):
                player.state = stage.engine.session(player.session).state
                state = stage.next_state(player, stage.bet(quotes[0], stake=1))
                future = stage.engine.place(*stage.signed(player, state))
                stage.engine.flush()
                assert future.exception(timeout=0).number is Code.STAKE
                lines.append({"refused": state.seq, "session": player.session})
            os.write(said, "".join(json.dumps(encode(line)) + "\n" for line in lines).encode())
        for quoted in quotes:
            stage.lock(quoted)
        for quoted in quotes:
            stage.settle(quoted, chance.randint(0, 1))


def killed(folder: Path, seed: int, number: int, seconds: float) -> list[dict]:
    """What an engine under load had answered when it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            load(folder, seed, number, writing)
        except BaseException as error:
            os.write(writing, json.dumps({"failed": repr(error)}).encode() + b"\n")
        os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        first = pipe.readline()
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        rest = pipe.read()
    os.waitpid(child, 0)
    said = (first + rest).split(b"\n")[:-1]  # a line that was cut off was not answered whole
    answers = [json.loads(line) for line in said]
    assert not any("failed" in answer for answer in answers), answers[-1]
    return answers


def check(folder: Path, answers: list[dict]) -> None:
    """Every answer is in the journal word for word; the sessions are those that the journalled bets come to, and no
    state that was refused can be taken."""
    stage = Stage(folder)
    refusals = [answer for answer in answers if "refused" in answer]
    answers = [answer for answer in answers if "refused" not in answer]
    try:
        for refusal in refusals:
            session = stage.engine.session(bytes.fromhex(refusal["session"][2:]))
            assert session.used_seq >= int(refusal["refused"])
        lines = {headed.line.n: headed for headed in stage.journal.lines(1, 10**9)}
        assert record.heads(DOMAIN, STREAM, [headed.line for headed in lines.values()])[-1] == stage.engine.memory.head
        for answer in answers:
            receipt = answer["receipt"]
            line, head = lines[int(receipt["n"])]
            state_hash = bytes.fromhex(answer["hash"][2:])
            assert (line.kind, line.leaf, "0x" + head.hex()) == (LineKind.BET, state_hash, receipt["head"])
            again = HOUSE.sign(DOMAIN.digest(Receipt(state_hash, STREAM, line.n, line.epoch, head)))
            assert receipt["signature"] == encode(again)
        entries = stage.entries()
        lines_of_bets = [entry.headed.line for entry in entries if entry.what == "bet"]
        assert {answer["hash"] for answer in answers} <= {"0x" + line.leaf.hex() for line in lines_of_bets}
        results = {
            entry.headed.line.question: int(entry.body["outcome"]) for entry in entries if entry.what == "result"
        }
        offers = {one.digest: one.offer for one in stage.engine.memory.sessions.values()}
        bets: dict[bytes, list[OpenBet]] = {}
        for session, state in states_of(entries):  # which the model finds legal
            bets.setdefault(session, []).extend(state.open_bets[-1:])
        for session, placed in bets.items():
            live = stage.engine.session(session)
            net, waiting = stage.engine.memory.folded(live)
            assert net == sum(states.gain(bet, results[bet.question]) for bet in placed if bet.question in results)
            assert waiting == tuple(bet for bet in placed if bet.question not in results)
            offer = offers[session]
            ends = states.settle(offer, net, live.state.activated)
            assert ends.net == net
            assert ends.paid + ends.house == offer.deposit + offer.activation + offer.house_lock
    finally:
        stage.journal.close()


def kill_again_and_again(folder: Path, times: int, seed: int) -> int:
    """How many answers were checked."""
    chance, answers = random.Random(seed), []
    for number in range(times):
        answers += killed(folder, seed, number, chance.uniform(0, 0.12))
        check(folder, answers)
    return len(answers)


def test_killed_twenty_times_under_load_every_receipt_is_honoured(tmp_path):
    assert kill_again_and_again(tmp_path, 20, seed=1) > 200


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(2, 42))
def test_killed_a_thousand_times_under_load_every_receipt_is_honoured(tmp_path, seed):
    assert kill_again_and_again(tmp_path, 25, seed) > 200


def test_the_check_notices_a_lost_line(tmp_path):
    """The kill test can fail: without its last lines a journal does not have what was answered."""
    answers = killed(tmp_path, 0, 0, 0.05)
    stage = Stage(tmp_path)
    lost = int(next(answer for answer in reversed(answers) if "receipt" in answer)["receipt"]["n"])
    stage.journal._db.execute("DELETE FROM entries WHERE id >= (SELECT id FROM entries WHERE n = ?)", (lost,))
    stage.journal.close()
    with pytest.raises((AssertionError, KeyError)):
        check(tmp_path, answers)


def test_offers_and_bets_survive_their_json():
    offer = Offer("0x" + "11" * 20, "0x" + "12" * 20, "0x" + "13" * 20, 1, 2**96 - 1, 3, 4, 5, 6, 7, 8, 2**128 - 1)
    bet = OpenBet(b"\1" * 32, b"\2" * 32, 2**255, 2, 15, 2**96, 2**256 - 1)
    state = State(2**64 - 1, 4, -(2**95), True, (bet,) * 16)
    for value in (offer, bet, state, State()):
        assert decode(type(value), json.loads(json.dumps(encode(value)))) == value
