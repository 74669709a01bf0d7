"""Bets: what is taken gets a receipt that the contract takes; what is refused has a code and changes nothing."""

from dataclasses import replace

import pytest
from eth_account import Account

from tessera.live.clock import Guard
from tessera.live.keys import HALF_ORDER, S_MASK, signer_of
from tessera.live.refusals import Code, Refused
from tessera.live.terms import Terms
from tessera.live.wire import decode, decode_signature
from tessera.model.sessions import states
from tessera.model.sessions.typed import Receipt, Refusal, State
from tests.live import BEGIN, DOMAIN, EUR, HOUSE, STREAM, TERMS, Stage, key


def everything(stage):
    """All that a command could change, besides which seqs were used."""
    session_of = stage.engine.memory.sessions
    return (
        stage.engine.memory.n,
        stage.engine.memory.head,
        [(one.state, one.agreed, stage.engine.view(one)) for one in session_of.values()],
        [entry for entry in stage.entries() if entry.what != "refused"],
    )


def refused(stage, code: Code, command, *arguments) -> Refused:
    """Holds that a command is refused by this code, and has changed nothing."""
    before = everything(stage)
    with pytest.raises(Refused) as caught:
        stage.answer(command(*arguments))
    assert caught.value.number is code
    assert str(caught.value)
    assert everything(stage) == before
    return caught.value


def refused_bet(stage, code: Code, player, bet, **changes) -> Refused:
    state = replace(stage.next_state(player, bet), **changes)
    return refused(stage, code, stage.engine.place, *stage.signed(player, state))


@pytest.fixture
def player(stage):
    return stage.opened()


@pytest.fixture
def quoted(stage, player):
    return stage.ask()


def test_a_receipt_is_signed_by_the_house_and_is_a_line_of_the_record(stage, player, quoted):
    completed = stage.place_bet(player, quoted)
    line, head = stage.journal.lines(completed.receipt.n, 1)[0]
    state_hash = DOMAIN.digest(player.state, session=player.session)
    assert (line.leaf, line.question, head) == (state_hash, quoted.quote.question, completed.receipt.head)
    receipt = Receipt(state_hash, STREAM, completed.receipt.n, completed.receipt.epoch, head)
    signature = completed.receipt.signature
    compact = signature.r.to_bytes(32) + (signature.vs & S_MASK).to_bytes(32) + bytes([27 + (signature.vs >> 255)])
    assert Account._recover_hash(DOMAIN.digest(receipt), signature=compact) == HOUSE.address  # eth-account's word


def test_the_stake_leaves_the_balance_at_once(stage, player, quoted):
    stage.place_bet(player, quoted, stake=3 * EUR)
    assert stage.engine.balance(stage.engine.session(player.session)) == 17 * EUR


def test_the_same_state_gets_the_same_receipt(stage, player, quoted):
    state = stage.next_state(player, stage.bet(quoted))
    first = stage.place(player, state)
    n = stage.engine.memory.n
    assert stage.answer(stage.engine.place(*stage.signed(player, state))) == first
    assert stage.engine.memory.n == n


def test_nothing_is_answered_or_published_before_it_is_committed(stage, player, quoted):
    stage.published.clear()
    future = stage.engine.place(*stage.signed(player, stage.next_state(player, stage.bet(quoted))))
    assert not future.done()
    assert stage.published == []
    stage.engine.flush()
    assert future.done()
    assert [message["type"] for _, message in stage.published] == ["line"]


def test_a_refusal_is_signed_by_the_house(stage, player, quoted):
    bet = replace(stage.bet(quoted), choice=5)
    state = stage.next_state(player, bet)
    error = refused(stage, Code.UNKNOWN_CHOICE, stage.engine.place, *stage.signed(player, state))
    refusal = decode(Refusal, error.details["refusal"])
    signed = DOMAIN.digest(state, session=player.session)
    assert refusal == Refusal(signed, stage.engine.stream_id, Code.UNKNOWN_CHOICE, BEGIN)
    signature = decode_signature(error.details["signature"])
    assert signer_of(DOMAIN.digest(refusal), signature) == HOUSE.address


def test_a_refused_state_is_never_taken_later(stage, player, quoted):
    state = stage.next_state(player, replace(stage.bet(quoted), choice=5))
    refused(stage, Code.UNKNOWN_CHOICE, stage.engine.place, *stage.signed(player, state))
    good = replace(state, open_bets=(stage.bet(quoted),))
    refused(stage, Code.STALE_BASE, stage.engine.place, *stage.signed(player, good))


def test_a_stale_base_is_answered_with_the_newest_state(stage, player, quoted):
    before = player.state
    newest = stage.place_bet(player, quoted)
    bet = stage.bet(quoted)
    error = refused_bet(stage, Code.STALE_BASE, replace_state(player, before), bet, seq=player.state.seq + 5)
    assert error.details["completed"]["state_hash"] == "0x" + newest.state_hash.hex()


def replace_state(player, state):
    return replace(player, state=state)


def test_an_old_state_is_stale(stage, player, quoted):
    old = stage.next_state(player, stage.bet(quoted))
    stage.place(player, old)
    stage.place_bet(player, quoted)
    refused(stage, Code.STALE_BASE, stage.engine.place, *stage.signed(player, old))


def test_a_stranger_s_signature(stage, player, quoted):
    state = stage.next_state(player, stage.bet(quoted))
    refused(stage, Code.SIGNATURE, stage.engine.place, *stage.signed(player, state, by=key("a stranger")))


def test_the_twin_of_a_signature_is_none_since_the_contract_refuses_it(stage, player, quoted):
    session, state, signature = stage.signed(player, stage.next_state(player, stage.bet(quoted)))
    order = 2 * HALF_ORDER + 1
    twin = signature._replace(vs=(order - (signature.vs & S_MASK)) | (1 - (signature.vs >> 255)) << 255)
    refused(stage, Code.SIGNATURE, stage.engine.place, session, state, twin)


def test_a_session_that_is_unknown(stage, player, quoted):
    state = stage.next_state(player, stage.bet(quoted))
    _, _, signature = stage.signed(player, state)
    refused(stage, Code.UNKNOWN_SESSION, stage.engine.place, bytes(32), state, signature)


def test_a_session_that_is_not_open_yet(stage):
    player = stage.offered()
    refused(stage, Code.NOT_OPEN, stage.engine.place, *stage.signed(player, states.activation(State())))


def test_a_session_that_is_not_confirmed(tmp_path):
    stage = Stage(tmp_path, replace(TERMS, confirmations=3))
    player = stage.offered()
    stage.learn(stage.opening(player), head=3)
    refused(stage, Code.NOT_OPEN, stage.engine.place, *stage.signed(player, states.activation(State())))
    stage.learn(head=4)
    stage.place(player, replace(states.activation(State()), seq=2))


def test_the_first_state_only_activates(stage, quoted):
    player = stage.offered("another")
    stage.learn(stage.opening(player))
    bet = stage.bet(quoted)
    refused(stage, Code.ILLEGAL_STATE, stage.engine.place, *stage.signed(player, State(1, 0, 0, True, (bet,))))


def test_a_state_without_a_bet(stage, player):
    state = State(player.state.seq + 1, player.state.seq, 0, True)
    refused(stage, Code.ILLEGAL_STATE, stage.engine.place, *stage.signed(player, state))


def test_after_the_exit_began(stage, player, quoted):
    stage.learn(stage.exiting(player, State()))
    refused_bet(stage, Code.EXIT_BEGUN, player, stage.bet(quoted))


def test_after_an_agreement_to_close(stage, player, quoted):
    stage.answer(stage.engine.close(*stage.agreement(player)))
    refused_bet(stage, Code.FROZEN, player, stage.bet(quoted))


def test_after_the_session_s_expiry(stage, player):
    stage.pass_time(TERMS.session_seconds * 1_000)
    refused_bet(stage, Code.SESSION_EXPIRED, player, stage.bet(stage.ask()))


def test_a_question_that_was_not_asked(stage, player, quoted):
    refused_bet(stage, Code.UNKNOWN_QUESTION, player, replace(stage.bet(quoted), question=bytes(32)))


def test_after_the_lock_by_the_clock_or_by_the_record(stage, player, quoted):
    bet = stage.bet(quoted)
    stage.time = bet.lock
    refused_bet(stage, Code.LOCKED, player, bet)
    stage.engine.tick()
    stage.engine.flush()
    stage.time = BEGIN  # a clock that goes back takes no bet after its lock line
    refused_bet(stage, Code.LOCKED, player, bet)


def test_a_quote_that_is_unknown_foreign_or_expired(stage, player, quoted):
    bet, other = stage.bet(quoted), stage.ask()
    refused_bet(stage, Code.UNKNOWN_QUOTE, player, replace(bet, quote=bytes(32)))
    refused_bet(stage, Code.FOREIGN_QUOTE, player, replace(bet, quote=other.digest))
    stage.time = quoted.quote.valid_until
    stage.learn()
    stage.place(player, stage.next_state(player, bet))
    stage.time += 1
    refused_bet(stage, Code.QUOTE_EXPIRED, player, bet)


def test_a_choice_times_or_odds_that_are_not_the_quote_s(stage, player, quoted):
    bet = stage.bet(quoted)
    refused_bet(stage, Code.UNKNOWN_CHOICE, player, replace(bet, choice=2))
    refused_bet(stage, Code.OTHER_TIMES, player, replace(bet, lock=bet.lock + 1))
    refused_bet(stage, Code.OTHER_TIMES, player, replace(bet, report_by=bet.report_by - 1))
    refused_bet(stage, Code.ODDS_MOVED, player, replace(bet, liability=bet.liability + 1))


def test_old_odds_are_good_for_as_long_as_their_quote(stage, player, quoted):
    bet = stage.bet(quoted)
    moved = stage.answer(stage.engine.move(quoted.quote.question, (250_000, 750_000)))
    assert moved.quote.odds != quoted.quote.odds
    refused_bet(stage, Code.ODDS_MOVED, player, replace(bet, quote=moved.digest))
    stage.place(player, stage.next_state(player, bet))


@pytest.mark.parametrize("stake", [0, EUR // 10 - 1, 5 * EUR + 1])
def test_a_stake_below_the_least_or_above_the_greatest(stage, player, quoted, stake):
    code = Code.STAKE
    refused_bet(stage, code, player, stage.bet(quoted, stake=stake))


def test_a_liability_above_the_quote_s(stage, player):
    quoted = stage.ask(chances=(100_000, 900_000))  # odds of 9.5
    refused_bet(stage, Code.LIABILITY, player, stage.bet(quoted, stake=2 * EUR))
    stage.place_bet(player, quoted, stake=EUR)


def test_a_stake_that_is_too_large_a_part_of_the_balance(stage, player, quoted):
    stage.place_bet(player, quoted, stake=5 * EUR)  # of 20: a quarter
    error = refused_bet(stage, Code.BALANCE_SHARE, player, stage.bet(quoted, stake=3_750_001))
    assert error.details["greatest"] == "3750000"
    stage.place_bet(player, quoted, stake=3_750_000)


def test_too_soon_after_the_last(tmp_path):
    stage = Stage(tmp_path, replace(TERMS, between_ms=500))
    player, quoted = stage.opened(), stage.ask()
    stage.place_bet(player, quoted)
    stage.pass_time(499)
    error = refused_bet(stage, Code.TOO_SOON, player, stage.bet(quoted))
    assert error.details["wait_ms"] == 1
    stage.pass_time(1)
    stage.place_bet(player, quoted)


def test_too_many_open_bets(tmp_path):
    stage = Stage(tmp_path, replace(TERMS, most_open=2))
    player, quoted = stage.opened(), stage.ask()
    stage.place_bet(player, quoted)
    stage.place_bet(player, quoted)
    refused_bet(stage, Code.OPEN_BETS, player, stage.bet(quoted))


def test_more_than_the_player_may_lose(stage):
    player, quoted = stage.opened(loss_cap=3 * EUR), stage.ask()
    stage.place_bet(player, quoted, stake=2 * EUR)
    refused_bet(stage, Code.FUNDS, player, stage.bet(quoted, stake=EUR + 1))
    stage.place_bet(player, quoted, stake=EUR)


def test_more_than_the_house_has_locked(tmp_path):
    stage = Stage(tmp_path, replace(TERMS, house_lock_bps=1_000))  # 2 EUR beside 20
    player, quoted = stage.opened(), stage.ask()
    stage.place_bet(player, quoted, stake=2 * EUR)
    refused_bet(stage, Code.HOUSE_FUNDS, player, stage.bet(quoted, stake=EUR))


def test_a_bet_that_outlives_its_session(stage, player):
    stage.pass_time(1_000)
    report_by = (player.offer.expires_at + 86_400 + 1) * 1_000
    quoted = stage.ask(report_by=report_by)
    refused_bet(stage, Code.OUTLIVES_SESSION, player, stage.bet(quoted))


def test_results_must_be_folded(stage, player):
    first = stage.ask()
    stage.place_bet(player, first, choice=0, stake=2 * EUR)
    stage.settle(first, 0)
    second = stage.ask()
    old = player.state
    unfolded = State(old.seq + 1, old.seq, 0, True, (*old.open_bets, stage.bet(second)))
    error = refused(stage, Code.RESULTS_MISSING, stage.engine.place, *stage.signed(player, unfolded))
    (known,) = error.details["results"]
    assert (known["question"], known["outcome"]) == ("0x" + first.quote.question.hex(), "0")
    assert len(known["signatures"]) == 2
    stage.place_bet(player, second)
    assert player.state.net == first.quote.odds[0] * 2 * EUR // 1_000 - 2 * EUR


def test_results_that_nobody_reported_cannot_be_folded(stage, player, quoted):
    stage.place_bet(player, quoted)
    won = State(player.state.seq + 1, player.state.seq, EUR, True, (stage.bet(quoted),))
    refused(stage, Code.RESULTS_MISSING, stage.engine.place, *stage.signed(player, won))


def test_self_exclusion_holds_at_once(stage, player, quoted):
    stage.learn(stage.excluding(player))
    refused_bet(stage, Code.EXCLUDED, player, stage.bet(quoted))
    refused(stage, Code.EXCLUDED, stage.engine.offer, *stage.wish(player))


def test_requests_are_counted_by_session(tmp_path):
    stage = Stage(tmp_path, replace(TERMS, requests_per_second=1))
    player, other, quoted = stage.opened(), stage.opened("other"), stage.ask()
    codes = set()
    for _ in range(10):
        bet = replace(stage.bet(quoted), choice=5)
        with pytest.raises(Refused) as caught:
            stage.answer(stage.engine.place(*stage.signed(player, stage.next_state(player, bet))))
        codes.add(caught.value.number)
    assert codes == {Code.UNKNOWN_CHOICE, Code.TOO_MANY_REQUESTS}
    stage.place_bet(other, quoted)


@pytest.mark.parametrize(
    ("block_behind", "code"), [(31, Code.CHAIN_STALE), (-1, Code.CHAIN_AHEAD)], ids=["stale", "ahead"]
)
def test_a_chain_that_is_behind_or_ahead(stage, player, quoted, block_behind, code):
    stage.engine.learn([], 2, stage.time // 1_000 - block_behind)
    refused_bet(stage, code, player, stage.bet(quoted))


def test_on_a_local_chain_the_clock_is_the_chain_s(tmp_path):
    """Whose time tests move ahead, and which mines no block while nobody sends anything."""
    stage = Stage(tmp_path, follows_chain=True)
    player, lead = stage.opened(), 3_600
    stage.engine.learn([], 2, stage.time // 1_000 + lead)
    assert stage.guard.now() == stage.time + lead * 1_000
    stage.time += 60_000
    stage.engine.learn([], 2, BEGIN // 1_000 + lead)  # the same block
    assert stage.guard.block_at == stage.guard.now() // 1_000 == BEGIN // 1_000 + lead + 60
    stage.time, clock = stage.time + lead * 1_000, stage.time
    question = stage.question()
    stage.time = clock
    quoted = stage.answer(stage.engine.ask(question, (500_000, 500_000)))
    stage.place_bet(player, quoted)


def test_a_question_that_locks_too_far_ahead_of_the_chain(stage, player):
    quoted = stage.ask(lock_in=60_001)
    refused_bet(stage, Code.LOCK_TOO_FAR, player, stage.bet(quoted))
    stage.pass_time(1_000)
    stage.place_bet(player, quoted)


def test_a_clock_that_is_off_or_not_compared(tmp_path):
    stage = Stage(tmp_path, watches_drift=True)
    player, quoted = stage.opened(), stage.ask()
    refused_bet(stage, Code.CLOCK, player, stage.bet(quoted))
    stage.guard.note_drift(501)
    refused_bet(stage, Code.CLOCK, player, stage.bet(quoted))
    stage.guard.note_drift(-500)
    stage.place_bet(player, quoted)


@pytest.mark.parametrize(("passed", "is_right"), [(0, True), (600_000, True), (600_001, False), (-1, False)])
def test_a_clock_that_was_compared_is_right_for_ten_minutes(passed, is_right):
    now = BEGIN
    guard = Guard(lambda: now, watches_drift=True)
    guard.note_drift(500)
    now += passed
    guard.note_block(now // 1_000)
    if is_right:
        guard.check(now, now + 1)
        return
    with pytest.raises(Refused) as caught:
        guard.check(now, now + 1)
    assert (caught.value.number, caught.value.details) == (Code.CLOCK, {"drift_ms": 500})


def test_terms_out_of_range_are_refused():
    with pytest.raises(Exception, match="least_stake"):
        Terms(**{**TERMS.__dict__, "least_stake": 0})
