"""Offers, closes, top-ups, limits and what a player sees."""

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from eth_account import Account

from tessera.live import answers
from tessera.live.accounts import COOL_OFF, follow_text, limit_text, offer_text
from tessera.live.engine import FORGET_SESSION_MS
from tessera.live.keys import signer_of
from tessera.live.refusals import REASONS, Code
from tessera.live.terms import TermsError
from tessera.live.wire import encode
from tessera.model.loss.limits import DAY_MS, Kind
from tessera.model.sessions import states
from tests.live import DOMAIN, EUR, HOUSE, OPERATOR, STREAM, TERMS, Player, Stage, key
from tests.unit.live.test_place import refused, refused_bet

WALLET = Account.from_key(b"\x07" * 32)


@pytest.fixture
def player(stage):
    return stage.opened()


def limit(stage, player, kind, value, **changes):
    """The arguments of `Engine.limit`."""
    return player.wallet.address, kind, value, changes.get("at", stage.time)


def test_an_offer_is_signed_by_the_operator_with_the_stream_s_terms(stage):
    player = stage.offered(deposit=10 * EUR, loss_cap=4 * EUR)
    offer, session = player.offer, stage.engine.session(player.session)
    assert signer_of(DOMAIN.digest(offer), session.operator_signature) == OPERATOR.address
    assert (offer.player, offer.session_key) == (player.wallet.address, player.key.address)
    assert (offer.house_key, offer.stream_id, offer.activation) == (HOUSE.address, STREAM, TERMS.activation)
    assert (offer.deposit, offer.house_lock) == (10 * EUR, 15 * EUR)
    assert (offer.stake_cap, offer.loss_cap) == (TERMS.greatest_stake, 4 * EUR)


@pytest.mark.parametrize(
    ("deposit", "loss_cap"), [(EUR - 1, None), (1_000 * EUR + 1, None), (EUR, 0), (EUR, 1_000 * EUR + 1)]
)
def test_an_offer_that_the_stream_does_not_make(stage, deposit, loss_cap):
    wanted = (WALLET.address, key("session").address, deposit, loss_cap, stage.time)
    refused(stage, Code.DEPOSIT, stage.engine.offer, *wanted)


def test_a_loss_cap_above_the_deposit_leaves_room_to_top_up(stage):
    """By default there is none: what goes beyond the loss cap could never be bet."""
    assert stage.offered("another").offer.loss_cap == 20 * EUR
    player, quoted = stage.opened("third", deposit=2 * EUR, loss_cap=3 * EUR), stage.ask()
    engine = stage.engine
    stage.place_bet(player, quoted, stake=EUR // 2)
    stage.learn(stage.topping_up(player, 5 * EUR))
    assert engine.balance(engine.session(player.session)) == 13 * EUR // 2
    for tenths in (10, 13):  # more than the deposit; a quarter of what is left at most
        stage.place_bet(player, quoted, stake=tenths * EUR // 10)
    beyond = stage.next_state(player, stage.bet(quoted, stake=2 * EUR // 10 + 1))
    refused(stage, Code.FUNDS, engine.place, *stage.signed(player, beyond))
    stage.place_bet(player, quoted, stake=2 * EUR // 10)


def test_a_wallet_has_three_offers_that_wait(stage):
    players = [stage.offered() for _ in range(3)]
    refused(stage, Code.TOO_MANY_OFFERS, stage.engine.offer, *stage.wish(players[0]))
    stage.learn(stage.opening(players[0]))
    stage.offered()
    stage.pass_time(601_000)
    stage.offered()


@pytest.mark.parametrize("late", [-60_001, 60_001])
def test_what_was_signed_at_another_time_gets_no_offer(stage, late):
    wanted = (WALLET.address, key("session").address, EUR, None, stage.time + late)
    refused(stage, Code.SIGNATURE, stage.engine.offer, *wanted)


def test_what_a_wallet_signed_once_gets_one_offer_however_often_it_is_said(stage):
    """Who reads a request can say it again, and a client does where the answer was lost: neither uses up what the
    wallet may ask for."""
    wanted = (WALLET.address, key("session").address, EUR, None, stage.time)
    first, again = stage.engine.offer(*wanted), stage.engine.offer(*wanted)
    session = stage.answer(first)
    assert again.result() is session
    opening = stage.opening(Player(WALLET, key("session"), session.digest))
    stage.learn(opening)
    assert stage.answer(stage.engine.offer(*wanted)) is session  # also once it is used
    assert [entry.what for entry in stage.entries()].count("offer") == 1
    assert stage.answer(stage.engine.offer(*wanted[:-1], stage.time - 1)) is not session


def test_a_session_closes_at_its_net(stage, player):
    quoted = stage.ask()
    stage.place_bet(player, quoted, choice=0)
    refused(stage, Code.BETS_WAIT, stage.engine.close, *stage.agreement(player))
    stage.settle(quoted, 1)
    refused(stage, Code.OTHER_NET, stage.engine.close, *stage.agreement(player, net=0))
    refused(stage, Code.OTHER_NET, stage.engine.close, *stage.agreement(player, activated=False))
    session, agreement, _ = stage.agreement(player)
    stranger = key("a stranger").sign(DOMAIN.digest(agreement, session=session))
    refused(stage, Code.SIGNATURE, stage.engine.close, session, agreement, stranger)
    for seconds in (59, 86_401):
        lapsing = stage.agreement(player, valid_until=stage.time // 1_000 + seconds)
        refused(stage, Code.VALID_UNTIL, stage.engine.close, *lapsing)
    accepted = stage.agreement(player)
    assert accepted[1].net == -EUR
    stage.answer(stage.engine.close(*accepted))
    assert stage.engine.view(stage.engine.session(session))["is_frozen"]
    stage.answer(stage.engine.close(*accepted))  # the same again
    refused(stage, Code.FROZEN, stage.engine.close, *stage.agreement(player, valid_until=accepted[1].valid_until + 1))


def test_a_session_that_was_never_activated_closes_without_its_cost(stage):
    player = stage.offered()
    stage.learn(stage.opening(player))
    agreed = stage.agreement(player)
    assert agreed[1].activated is False
    stage.answer(stage.engine.close(*agreed))


def test_a_closed_session_takes_nothing(stage, player):
    stage.learn(stage.closing(player))
    refused_bet(stage, Code.NOT_OPEN, player, stage.bet(stage.ask()))
    refused(stage, Code.NOT_OPEN, stage.engine.close, *stage.agreement(player))
    assert stage.engine.view(stage.engine.session(player.session))["stage"] == "closed"


def test_top_ups_add_to_the_balance_and_change_no_bet(stage, player):
    quoted = stage.ask()
    stage.place_bet(player, quoted, stake=5 * EUR)
    stage.learn(stage.topping_up(player, 10 * EUR))
    assert stage.engine.balance(stage.engine.session(player.session)) == 25 * EUR
    stage.place_bet(player, quoted, stake=5 * EUR)


def test_events_of_other_streams_change_nothing(stage):
    player = stage.offered()
    opening = stage.opening(player)
    stage.learn(type(opening)(**{**opening.__dict__, "stream_id": STREAM + 1}))
    assert stage.engine.view(stage.engine.session(player.session))["stage"] == "none"


@pytest.mark.parametrize("kind", [Kind.STAKE, Kind.SESSION_LOSS, Kind.DAY_LOSS, Kind.WEEK_LOSS, Kind.SESSION_MINUTES])
def test_a_limit_of_nothing_holds_at_once(stage, player, kind):
    quoted = stage.ask()
    stage.answer(stage.engine.limit(*limit(stage, player, kind, 0)))
    error = refused_bet(stage, Code.LIMIT, player, stage.bet(quoted))
    assert error.details["kind"] == kind


def test_a_limit_is_told_to_the_sessions_of_its_wallet(stage, player):
    stage.published.clear()
    stage.answer(stage.engine.limit(*limit(stage, player, Kind.STAKE, 5)))
    [(session, view)] = stage.published
    assert (session, view) == (player.session, stage.engine.view(stage.engine.session(session)))


def test_a_session_that_has_not_begun_loses_nothing_a_minute(stage):
    offered = stage.offered()
    assert stage.engine.view(stage.engine.session(offered.session))["velocity_per_minute"] == "0"


@pytest.mark.parametrize("kind", [Kind.SESSION_LOSS, Kind.DAY_LOSS, Kind.WEEK_LOSS])
def test_open_bets_count_against_a_limit_as_if_they_were_lost(stage, player, kind):
    stage.answer(stage.engine.limit(*limit(stage, player, kind, 3 * EUR)))
    first, second = stage.ask(), stage.ask()
    stage.place_bet(player, first, stake=2 * EUR)
    refused_bet(stage, Code.LIMIT, player, stage.bet(second, stake=EUR + 1))
    stage.place_bet(player, second, stake=EUR)
    stage.lock(second)
    stage.settle(first, 0)
    third = stage.ask()
    won = states.liability_of(2 * EUR, first.quote.odds[0])
    stage.place_bet(player, third, stake=2 * EUR + won)  # what was won may be lost again


def test_a_limit_is_the_wallet_s_in_all_its_sessions(stage):
    first = stage.opened()
    stage.answer(stage.engine.limit(*limit(stage, first, Kind.DAY_LOSS, 2 * EUR)))
    quoted = stage.ask()
    stage.place_bet(first, quoted, stake=2 * EUR)
    second = stage.opened()
    assert (second.wallet, second.session != first.session) == (first.wallet, True)
    refused_bet(stage, Code.LIMIT, second, stage.bet(quoted))


def test_a_looser_limit_waits_a_day(stage, player):
    stage.answer(stage.engine.limit(*limit(stage, player, Kind.STAKE, 0)))
    stage.pass_time(1)
    stage.answer(stage.engine.limit(*limit(stage, player, Kind.STAKE, None)))
    refused_bet(stage, Code.LIMIT, player, stage.bet(stage.ask()))
    limits = stage.engine.session(player.session).account.limits
    assert (limits.at(Kind.STAKE, stage.time + DAY_MS - 1), limits.at(Kind.STAKE, stage.time + DAY_MS)) == (0, None)


def test_a_cool_off_stops_bets_and_offers(stage, player):
    until = stage.time + 3_600_000
    stage.answer(stage.engine.limit(*limit(stage, player, COOL_OFF, until)))
    quoted = stage.ask()
    refused_bet(stage, Code.COOL_OFF, player, stage.bet(quoted))
    refused(stage, Code.COOL_OFF, stage.engine.offer, *stage.wish(player))
    stage.answer(stage.engine.limit(*limit(stage, player, COOL_OFF, 0, at=stage.time + 1)))
    refused_bet(stage, Code.COOL_OFF, player, stage.bet(quoted))
    stage.lock(quoted)
    stage.pass_time(until - stage.time)
    stage.place_bet(player, stage.ask())


@pytest.mark.parametrize("code", [Code.COOL_OFF, Code.EXCLUDED])
def test_who_wants_no_bets_pays_for_no_access(stage, code):
    """The house earned the activation cost of a session in which no bet could be made; now it returns at the close."""
    player = stage.offered()
    stage.learn(stage.opening(player))
    if code is Code.EXCLUDED:
        stage.learn(stage.excluding(player))
    else:
        stage.answer(stage.engine.limit(*limit(stage, player, COOL_OFF, stage.time + DAY_MS)))
    activation = stage.signed(player, states.activation(player.state))
    error = refused(stage, code, stage.engine.place, *activation)
    assert "signature" in error.details  # it is never taken later, either
    stage.answer(stage.engine.close(*stage.agreement(player)))
    assert not stage.engine.session(player.session).agreed.agreement.activated


def test_limits_that_are_refused(stage, player):
    asked = stage.engine.limit
    refused(stage, Code.SIGNATURE, asked, *limit(stage, player, Kind.STAKE, 0, at=stage.time - 60_001))
    refused(stage, Code.LIMIT_VALUE, asked, *limit(stage, player, "luck", 0))
    refused(stage, Code.LIMIT_VALUE, asked, *limit(stage, player, Kind.STAKE, -1))
    once = limit(stage, player, Kind.STAKE, 5)
    stage.answer(asked(*once))
    refused(stage, Code.SIGNATURE, asked, *once)  # it cannot be played again


def test_a_wallet_that_has_opened_no_session_sets_no_limits(stage):
    """Keys are free, and limits are kept for ever: whoever made wallets filled memory and journal, 50 a second from
    each address."""
    player = stage.offered()
    before = stage.entries()
    for wallet in (player, stage.offered("another")):
        refused(stage, Code.NO_PLAYER, stage.engine.limit, *limit(stage, wallet, Kind.STAKE, 5))
    assert stage.entries()[: len(before)] == before
    assert [entry.what for entry in stage.entries()[len(before) :]] == ["offer"]
    assert not any(account.limits_signed_at for account in stage.engine.memory.accounts.values())
    stage.learn(stage.opening(player))  # before it is confirmed, and before the first bet
    stage.answer(stage.engine.limit(*limit(stage, player, Kind.STAKE, 5)))


def test_who_has_limits_tightens_them_also_while_the_chain_cannot_be_asked(stage, player):
    """An engine that was started while its node was away told them that they had never opened a session."""
    stage.answer(stage.engine.limit(*limit(stage, player, Kind.STAKE, 5)))
    stage.time += 1
    stage.engine.learn([], 0, 0, is_anew=True)
    told = stage.answer(stage.engine.limit(*limit(stage, player, Kind.STAKE, 4)))
    assert told["limits"]["stake"] == "4"


def test_a_limit_of_a_wallet_that_ever_had_a_session_is_never_forgotten(stage, player):
    stage.answer(stage.engine.limit(*limit(stage, player, Kind.STAKE, 5)))
    stage.learn(stage.closing(player))
    for restarts in range(2):
        stage.time += 365 * DAY_MS
        stage.learn()
        stage.engine.forget()
        stage.engine.flush()
        assert player.session not in stage.engine.memory.sessions
        account = stage.engine.memory.accounts[player.wallet.address]
        assert account.limits.at(Kind.STAKE, stage.time) == 5 - restarts
        # And it may be changed, years after.
        stage.answer(stage.engine.limit(*limit(stage, player, Kind.STAKE, 4 - restarts)))
        stage.restart()


def test_a_wallet_changes_its_limits_as_often_as_a_session_may_ask(tmp_path, monkeypatch):
    stands = time.monotonic()
    monkeypatch.setattr("tessera.index.limits.time", SimpleNamespace(monotonic=lambda: stands))
    stage = Stage(tmp_path, replace(TERMS, requests_per_second=1))
    player = stage.opened()
    for after in range(6):
        stage.answer(stage.engine.limit(*limit(stage, player, Kind.STAKE, 5, at=stage.time + after)))
    before = stage.entries()
    asked = limit(stage, player, Kind.STAKE, 5, at=stage.time + 6)
    refused(stage, Code.TOO_MANY_REQUESTS, stage.engine.limit, *asked)
    assert stage.entries() == before


def test_a_player_sees_velocity_and_warnings(stage, player):
    quoted = stage.ask()
    for stake in (5, 3, 3, 2):
        stage.place_bet(player, quoted, choice=0, stake=stake * EUR - EUR // 4)
    stage.settle(quoted, 1)
    view = stage.engine.view(stage.engine.session(player.session))
    assert (view["net"], view["balance"]) == (str(-12 * EUR), str(8 * EUR))
    assert view["warnings"] == ["lost_half", "falls_fast"]
    assert int(view["velocity_per_minute"]) == -12 * EUR  # in the first minute
    told = [message for session, message in stage.published if session == player.session]
    assert told[-1] == view


def test_to_follow_counts_among_what_a_session_may_ask(tmp_path, monkeypatch):
    """A gateway's engine tells it of each open bet again, with its book and result, and the gateway tells all clients:
    48 messages to everybody for each `follow`, as often as one of them liked."""
    stands = time.monotonic()
    monkeypatch.setattr("tessera.index.limits.time", SimpleNamespace(monotonic=lambda: stands))
    stage = Stage(tmp_path, replace(TERMS, requests_per_second=1))
    player = stage.opened()
    signed = follow_text(DOMAIN, player.session, stage.time)
    body = {"session": encode(player.session), "at": str(stage.time)}
    theirs, own = (body | {"signature": encode(by.sign_message(signed))} for by in (key("a stranger"), player.key))
    for _ in range(10):
        refused(stage, Code.SIGNATURE, answers.follow, stage.engine, theirs)  # a stranger takes nothing of it
    assert [answers.follow(stage.engine, own)["type"] for _ in range(5)] == ["session"] * 5  # one asked to activate
    refused(stage, Code.TOO_MANY_REQUESTS, answers.follow, stage.engine, own)


def test_two_sessions_keep_their_money_apart(stage, player):
    other, quoted = stage.opened("other"), stage.ask()
    stage.place_bet(player, quoted, choice=0)
    stage.place_bet(other, quoted, choice=1, stake=2 * EUR)
    stage.settle(quoted, 1)
    memory, engine = stage.engine.memory, stage.engine
    assert memory.folded(engine.session(player.session))[0] == -EUR
    assert memory.folded(engine.session(other.session))[0] == states.liability_of(2 * EUR, quoted.quote.odds[1])


def test_each_refusal_has_a_reason_of_its_own():
    assert set(REASONS) == set(Code)
    assert len(set(REASONS.values())) == len(REASONS)


def test_an_offer_s_text_names_stream_contract_and_chain():
    text = offer_text(DOMAIN, STREAM, WALLET.address, 20, None, 5).body.decode()
    assert text.splitlines() == [
        f"Offer me a session on stream 3, whose bets {WALLET.address.lower()} signs.",
        "Deposit: 20",
        "Loss cap: 20",
        "This costs nothing and moves no money.",
        f"Contract: {DOMAIN.contract}",
        "Chain: 31337",
        "At: 5",
    ]


def test_a_limit_s_text_names_stream_contract_and_chain():
    text = limit_text(DOMAIN, STREAM, Kind.STAKE, None, 5).body.decode()
    assert text.splitlines()[0] == "Change my stake on stream 3 to none."
    assert {f"Contract: {DOMAIN.contract}", "Chain: 31337", "At: 5"} <= set(text.splitlines())
    other = replace(DOMAIN, chain_id=1)
    assert limit_text(other, STREAM, Kind.STAKE, None, 5) != limit_text(DOMAIN, STREAM, Kind.STAKE, None, 5)


def test_another_house_key_is_refused_until_its_sessions_are_over(stage, monkeypatch):
    """By its receipts the engine could answer no old state: a player who had lost since exited by an earlier one."""
    player, before = stage.opened(), stage.entries()
    monkeypatch.setattr("tests.live.HOUSE", key("another house"))
    with pytest.raises(TermsError, match=f"sessions of this stream have {HOUSE.address} until an hour"):
        stage.restart()
    assert stage.entries() == before  # nothing was signed
    stage.journal.close()
    monkeypatch.undo()
    stage.start()
    stage.learn(stage.opening(player), stage.closing(player))
    stage.pass_time(FORGET_SESSION_MS + 1)
    stage.engine.forget()
    stage.engine.flush()
    monkeypatch.setattr("tests.live.HOUSE", key("another house"))
    stage.restart()
    assert stage.engine.is_running
