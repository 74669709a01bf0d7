"""Strangers at a host's door who mean harm: what each gained, and that everybody else was served all the same."""

import asyncio
import json

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from tessera.chain import Wallet
from tessera.chain.errors import Reverted
from tessera.host import server
from tessera.host.frames import bets_frame
from tessera.host.server import Lobby
from tests.panels import SECP256K1_N
from tests.unit.host.conftest import BARE, EUR, ODDS
from tests.unit.host.test_frames import Client
from tests.unit.host.test_life import LOSS, START, WIN
from tests.unit.host.test_slow_clients import Socket


def odd_form(signature: bytes, form: str) -> bytes:
    """The same consent of a key, as some wallets or nobody at all would write it."""
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    if "high s" in form:
        s, v = SECP256K1_N - s, 55 - v
    v = {"0 or 1": v - 27, "a chain's": v + 10, "far": v + 2 * 54}.get(form.rpartition("v ")[2], v)
    return r + s.to_bytes(32, "big") + bytes([v])


@pytest.mark.parametrize(
    ("file", "form", "is_taken"),
    [
        (BARE, "v 0 or 1", True),
        (BARE, "high s", True),
        (BARE, "v a chain's", False),
        (ODDS, "high s, v 0 or 1", True),
        (ODDS, "v far", False),
    ],
    ids=lambda value: {BARE: "pool", ODDS: "odds"}.get(value) if isinstance(value, str) else None,
)
def test_a_signature_in_an_odd_form_holds_up_nobody(world, door, file, form, is_taken):
    """eth-account recovers all of them. One of them alone stopped a host from landing anybody's bets, for as long as
    somebody sent another each minute; the others cost it a transaction that placed nothing."""
    node = world.node(file)
    client = Client(door(node)(), world.players[0])
    client.sign_in()
    (message,) = client.select(0, "win", 5)
    signed = world.players[0].sign_message(encode_typed_data(full_message=message)).signature
    signature = f"0x{odd_form(signed, form).hex()}"
    if is_taken:
        client.send(method="bets_signed", signatures=[signature])
        client.next("bets_accepted")
    else:
        client.refused("bad_signature", method="bets_signed", signatures=[signature])
    node.take([world.sign(node, 0, 1, WIN, 7 * EUR)])
    node.step()
    node.step()
    assert world.told == []
    assert (world.balance(0), world.balance(1)) == (START - 5 * EUR * is_taken, START - 7 * EUR)


INFO = '{"bet_id": 0, "desc": "A wins on B", "prediction": "win", "bet_amount": %s}'
SELECT = '{"method": "bets_selected", "bets_info": [%s]}'


ODD_FRAMES = [
    ('{"method": "\\ud800"}', "unknown_method"),
    ('{"method": "bets_placed", "transactions": [], "\\ud800": 1}', "bad_frame"),
    ('{"method": "bets_signed", "signatures": ["\\ud800"]}', "bad_frame"),
    ('{"method": "sign_in", "message": "\\ud800\\n\\ud800", "signature": "0x00"}', "bad_frame"),
    (SELECT % INFO.replace("A wins on B", "\\ud800") % "5", "other_desc"),
    *((SELECT % INFO % amount, "bad_amount") for amount in ("1e999999", "1e999990", "1e-999999", "-1e999999")),
    *((SELECT % INFO % amount, "bad_amount") for amount in ("1." + "0" * 30 + "1", "9" * 4_000, "-0", "1e400")),
    (SELECT % INFO % ("9" * 5_000), "malformed"),
    (SELECT % INFO % "1e9999999999999999999", "malformed"),
    (SELECT % INFO % "Infinity", "malformed"),
    (SELECT % INFO % "-NaN", "malformed"),
    (SELECT % INFO % '"NaN"', "bad_frame"),
    (SELECT % INFO % "true", "bad_frame"),
    (SELECT % INFO % ("[" * 400 + "]" * 400), "bad_frame"),
    (SELECT % INFO.replace('"bet_id": 0', '"bet_id": 1e999999') % "5", "bad_frame"),
    (SELECT % INFO.replace('"bet_id": 0', f'"bet_id": {"9" * 4_000}') % "5", "unknown_bet"),
]


def test_whatever_a_player_sends_is_answered_and_the_connection_stays(world, door):
    """Some ended the connection, with a stack trace in the host's log."""
    connect = door(world.node(BARE))
    for text, code in ODD_FRAMES:
        client = Client(connect(), world.players[0])
        client.sign_in()
        client.socket.send_text(text)
        assert client.next("error")["code"] == code, text[:200]
        client.send(method="nothing")
        assert client.next("error")["code"] == "unknown_method", text[:200]


def test_a_client_that_asks_and_reads_slowly_leaves_no_more_than_it_may(world):
    """It takes each answer within its time, and asks for more meanwhile: what waited for it grew without end."""
    node = world.node(BARE)

    class Slow(Socket):
        async def receive(self):
            await asyncio.sleep(0.001)
            return {"type": "websocket.receive", "text": "x"}

        async def send_text(self, text: str):
            await asyncio.sleep(0.02)
            await super().send_text(text)

    async def play() -> Slow:
        lobby = Lobby(node, "bets.example", 1337)
        lobby.begin()
        await lobby.serve(slow := Slow(takes=True))  # ends by itself
        return slow

    assert asyncio.run(asyncio.wait_for(play(), 60)).closed == server.TRY_LATER


def test_whoever_signs_in_with_free_keys_takes_nobodys_place(world, door, monkeypatch):
    """Signing in costs nothing. Connections of accounts that have nothing in Escrow go first, then those of whoever
    has most of them; players who have something stay, and newcomers get in."""
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 4)
    node = world.node(BARE)
    connect = door(node)

    def enter(account) -> Client:
        client = Client(connect(), account)
        client.sign_in()
        node.step()
        return client

    def is_open(client: Client) -> bool:
        try:
            client.send(method="nothing")
            while json.loads(client.socket.receive_text())["method"] != "error":
                pass
        except Exception:  # the connection is gone, in one of its ways
            return False
        return True

    player = enter(world.players[0])
    free = [enter(Account.from_key(bytes([n + 1]) * 32)) for n in range(3)]
    second = enter(world.players[1])
    assert [is_open(client) for client in (player, *free, second)] == [True, False, True, True, True]
    more = [enter(world.players[1]) for _ in range(4)]
    assert is_open(player)
    assert [is_open(client) for client in (*free[1:], second, *more)] == [False, False, False, False, True, True, True]


def test_heads_that_were_cancelled_hold_up_a_queue_no_longer_than_it_takes_to_pass_them(world, monkeypatch):
    """With two stakes in turn somebody can leave any number of cancelled tickets before an honest one. A call passes
    256; where all that it passes was cancelled it confirms nothing, and the host never called."""
    node = world.node(ODDS)
    griefer, offered = Wallet(world.web3, world.players[1]), node.catalogue.offered[0]
    world.tessera.odds.list_bet(griefer, offered.listing, offered.offer)
    world.tessera.odds.place(griefer, offered.bet_id, WIN, EUR, min_confirmed=0)
    node.take([world.sign(node, 0, 0, WIN, 20 * EUR)])
    node.step()
    world.tessera.odds.cancel(griefer, offered.bet_id, 1)
    node.take([world.sign(node, 0, 2, LOSS, 17 * EUR)])
    confirm, passed = world.tessera.odds.confirm, []

    def with_many_cancelled(wallet, bet_id, totals):
        if totals == [0, 0]:
            passed.append(totals)
        elif not passed:
            raise Reverted("odds: totals not reached", "OddsBets.confirm")
        return confirm(wallet, bet_id, totals)

    monkeypatch.setattr(world.tessera.odds, "confirm", with_many_cancelled)
    node.step()
    node.step()
    assert world.stakes(node, 0) == [(WIN, 20 * EUR, "confirmed")]
    assert passed == [[0, 0]]
    sent = world.sent()
    node.step()
    assert world.sent() == sent
    assert world.balance(1) == START


def test_cancelled_tickets_cost_a_host_no_calls(world, monkeypatch):
    """The chain was asked for each ticket of a queue in each look: cancelled ones cost their owner little, and the
    host's looks grew with them."""
    node = world.node(ODDS)
    griefer, offered = Wallet(world.web3, world.players[1]), node.catalogue.offered[0]
    world.tessera.odds.list_bet(griefer, offered.listing, offered.offer)
    for _ in range(8):
        world.tessera.odds.place(griefer, offered.bet_id, WIN, EUR, min_confirmed=0)
    for ticket in range(2, 8):
        world.tessera.odds.cancel(griefer, offered.bet_id, ticket)
    asked, ticket_of = [], world.tessera.odds_lens.ticket
    monkeypatch.setattr(
        world.tessera.odds_lens, "ticket", lambda bet_id, ticket: (asked.append(ticket), ticket_of(bet_id, ticket))[1]
    )
    node.step()
    assert asked == []
    world.travel(offered.listing.result_deadline + 1)
    node.step()
    assert set(asked) == {1, 8}
    assert world.balance(1) == START


def test_a_signed_bet_that_the_file_has_no_more_keeps_nobody_out(world):
    """Between the start of a host and its first look its player could not be shown anything."""
    node = world.node(BARE)
    node.take([world.sign(node, 0, 0, WIN, 5 * EUR)])
    again = world.node(BARE.replace("A wins", "X wins"))
    frame = bets_frame(again.view, world.players[0].address, 6)
    assert (frame["placed_bets"], frame["balance_units"]) == ([], str(START))
    again.step()
    assert [code for _, code, _ in world.told] == ["bet_gone"]
