"""What a host says to its players: checked by a client that knows the frames of docs/host.md and nothing else."""

import json
import time

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from starlette.websockets import WebSocketDisconnect

from tessera.chain import Wallet
from tessera.chain.hosted_bets import Listing
from tessera.host import server
from tessera.host.frames import MOST_BYTES, read_frame
from tessera.host.player import BETS_A_SECOND, MESSAGES_A_SECOND
from tests.unit.host.conftest import BARE, DOMAIN, ODDS

ZERO = "0x" + "00" * 20


class Client:
    """A player's client."""

    def __init__(self, socket, account=None):
        self.socket, self.account = socket, account
        self.challenge = self.next("challenge")["message"]
        self.bets = self.next("bets")

    def next(self, method: str) -> dict:
        """The next message, which has to be of this method."""
        found = json.loads(self.socket.receive_text())
        assert found["method"] == method, found
        return found

    def send(self, **frame) -> None:
        self.socket.send_text(json.dumps(frame))

    def signed(self, message: str) -> str:
        return "0x" + self.account.sign_message(encode_defunct(text=message)).signature.hex()

    def sign_in(self) -> None:
        message = self.challenge.replace(ZERO, self.account.address)
        self.send(method="sign_in", message=message, signature=self.signed(message))
        assert self.next("signed_in")["account"] == self.account.address
        self.bets = self.next("bets")

    def refused(self, code: str, **frame) -> dict:
        self.send(**frame)
        error = self.next("error")
        assert error["code"] == code, error
        return error

    def select(self, bet_id: int, prediction: str, amount, **changes) -> list[dict]:
        bet = next(one for one in self.bets["open_bets"] if one["bet_id"] == bet_id)
        info = {"bet_id": bet_id, "desc": bet["desc"], "prediction": prediction, "bet_amount": amount} | changes
        self.send(method="bets_selected", bets_info=[info])
        return self.next("bets_to_sign")["bets"]

    def signature_of(self, message: dict) -> str:
        """A bet, signed."""
        return "0x" + self.account.sign_message(encode_typed_data(full_message=message)).signature.hex()

    def sign_bets(self, messages: list[dict]) -> None:
        signatures = [self.signature_of(message) for message in messages]
        self.send(method="bets_signed", signatures=signatures)
        assert self.next("bets_accepted")["nonces"] == [message["message"]["nonce"] for message in messages]


@pytest.fixture
def house(world, door):
    """A node that serves the bare file, and what connects to it as a player of that number, or as nobody."""
    node = world.node(BARE)
    node.step()
    connect = door(node)
    return node, lambda player=None: Client(connect(), None if player is None else world.players[player])


def wait_for_store(node) -> None:
    """Until the node has a bet that was signed."""
    while not node.store.signed():
        time.sleep(0.01)


def settled_news(client: Client, until) -> None:
    """Reads news of bets until a condition holds."""
    while not until(client.bets):
        client.bets = client.next("bets")


def test_a_player_signs_in_bets_and_sees_the_bet_move_from_placed_to_confirmed(house, world):
    node, connect = house
    client = connect(0)
    assert (client.bets["balance"], client.bets["placed_bets"], client.bets["confirmed_bets"]) == (0, [], [])
    client.sign_in()
    (message,) = client.select(0, "win", 12.5)
    # What is signed is what was chosen, for this host alone, and for a minute at most.
    assert message["message"]["amount"] == str(12_500_000)
    assert message["message"]["account"] == client.account.address
    assert message["message"]["relayer"] == world.host.address
    assert 0 < int(message["message"]["deadline"]) - world.now <= 62
    client.sign_bets([message])
    wait_for_store(node)
    node.step()
    settled_news(client, lambda bets: bets["confirmed_bets"])
    (bet,) = client.bets["confirmed_bets"]
    assert (bet["bet_id"], bet["desc"], bet["prediction"]) == (0, "A wins on B", "win")
    assert (bet["bet_amount"], bet["bet_amount_units"], bet["bet_status"]) == (12.5, "12500000", "confirmed")
    assert client.bets["placed_bets"] == []
    assert (client.bets["balance"], client.bets["balance_units"]) == (37.5, "37500000")


def test_an_open_bet_says_all_that_its_id_is_the_hash_of(house, world):
    _, connect = house
    first, second = connect().bets["open_bets"]
    assert (first["bet_id"], first["desc"], first["predictions"], first["range"]) == (
        0,
        "A wins on B",
        "[win,loss]",
        "[1, 100]",
    )
    assert (first["type"], first["odds"], first["tx"], first["bet_status"], second["bet_id"]) == (
        "prorata",
        None,
        None,
        "pending",
        1,
    )
    told = first["listing"]
    numbers = ("min_stake", "max_stake", "closes_at", "result_deadline", "panel_id", "host_bps", "validator_bps")
    fields = told | {name: int(told[name]) for name in numbers}
    listing = Listing(**fields | {"salt": bytes.fromhex(told["salt"][2:])})
    assert "0x" + listing.bet_id.hex() == first["onchain_id"]
    offer = {"bet_id": first["onchain_id"], "expires_at": first["host_signature"]["expires_at"]}
    kinds = {"Offer": [{"name": "bet_id", "type": "bytes32"}, {"name": "expires_at", "type": "uint256"}]}
    domain = {
        "name": "Tessera ProrataBets",
        "version": "1",
        "chainId": world.web3.eth.chain_id,
        "verifyingContract": first["contract"],
    }
    signable = encode_typed_data(domain, kinds, offer | {"expires_at": int(offer["expires_at"])})
    assert Account.recover_message(signable, signature=first["host_signature"]["signature"]) == world.host.address


def test_private_bets_are_shown_to_those_who_are_admitted_once_they_signed_in(world, door):
    connect = door(world.node(ODDS + f"private = {world.players[1].address}\n"))
    for player, shown in ((0, 0), (1, 1)):
        client = Client(connect(), world.players[player])
        assert client.bets["open_bets"] == []
        client.sign_in()
        assert len(client.bets["open_bets"]) == shown
        if not shown:
            info = {"bet_id": 0, "desc": "A wins on B", "prediction": "win", "bet_amount": 5}
            client.refused("unknown_bet", method="bets_selected", bets_info=[info])


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(DOMAIN, "evil.example", 1),
        lambda text: text.replace("Chain ID: 1337", "Chain ID: 1"),
        lambda text: text.replace("Nonce: ", "Nonce: x"),
        lambda text: text + "\nResources:\n- http://evil.example",
        lambda text: text.replace("\n", "\r\n"),
    ],
)
def test_another_text_than_the_one_that_was_sent_proves_nothing(house, change):
    _, connect = house
    client = connect(0)
    message = change(client.challenge.replace(ZERO, client.account.address))
    client.refused("sign_in_failed", method="sign_in", message=message, signature=client.signed(message))


def test_somebody_elses_signature_or_challenge_proves_nothing(house, world):
    _, connect = house
    client, other = connect(0), connect(1)
    message = client.challenge.replace(ZERO, client.account.address)
    for address in (client.account.address, client.account.address.lower(), ZERO):
        text = client.challenge.replace(ZERO, address)
        client.refused("sign_in_failed", method="sign_in", message=text, signature=other.signed(text))
    for signature in ("0x00", "0x" + "00" * 65, "0x" + "ff" * 65):
        client.refused("sign_in_failed", method="sign_in", message=message, signature=signature)
    other.refused("sign_in_failed", method="sign_in", message=message, signature=client.signed(message))


def test_what_needs_a_player_is_refused_to_strangers(house):
    _, connect = house
    client = connect()
    info = {"bet_id": 0, "desc": "A wins on B", "prediction": "win", "bet_amount": 5}
    error = client.refused("not_signed_in", method="bets_selected", bets_info=[info])
    assert error["in_reply_to"] == "bets_selected"
    client.refused("not_signed_in", method="bets_signed", signatures=[None])
    client.refused("not_signed_in", method="bets_placed", transactions=["0x" + "ab" * 32])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "malformed"),
        ("{", "malformed"),
        ("[]", "malformed"),
        ("[" * 20_000, "malformed"),
        ('{"method": 3}', "malformed"),
        ('{"method": "bets_selected", "bets_info": [{"bet_amount": NaN}]}', "malformed"),
        ('{"method": "steal"}', "unknown_method"),
        ('{"method": "bets_selected"}', "bad_frame"),
        ('{"method": "bets_selected", "bets_info": []}', "bad_frame"),
        ('{"method": "bets_placed", "transactions": ["0x12"]}', "bad_frame"),
        ('{"method": "bets_signed", "signatures": ["signed"]}', "bad_frame"),
        ('{"method": "bets_signed", "signatures": [null], "more": 1}', "bad_frame"),
        ("x" * (MOST_BYTES + 1), "too_large"),
    ],
)
def test_what_is_no_frame_gets_a_coded_error_and_the_connection_stays(house, text, code):
    _, connect = house
    client = connect(0)
    client.socket.send_text(text)
    assert client.next("error")["code"] == code
    client.sign_in()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"bet_id": 7}, "unknown_bet"),
        ({"desc": "B wins on A"}, "other_desc"),
        ({"prediction": "draw"}, "unknown_prediction"),
        ({"bet_amount": 101}, "bad_amount"),
        ({"bet_amount": 0}, "bad_amount"),
        ({"bet_amount": -5}, "bad_amount"),
        ({"bet_amount": 0.0000001}, "bad_amount"),
        ({"bet_amount": 1, "bet_amount_units": "100000001"}, "bad_amount"),
        ({"bet_amount": "5"}, "bad_frame"),
        ({"bet_id": True}, "bad_frame"),
    ],
)
def test_a_bet_that_the_host_does_not_offer_is_refused_by_name(house, changes, code):
    _, connect = house
    client = connect(0)
    client.sign_in()
    info = {"bet_id": 0, "desc": "A wins on B", "prediction": "win", "bet_amount": 5} | changes
    client.refused(code, method="bets_selected", bets_info=[info])


def test_forged_and_missing_signatures_of_bets_are_refused(house, world):
    node, connect = house
    client = connect(0)
    client.sign_in()
    messages = client.select(0, "win", 5)
    other = world.players[1].sign_message(encode_typed_data(full_message=messages[0])).signature
    client.refused("bad_signature", method="bets_signed", signatures=["0x" + other.hex()])
    client.refused("bad_frame", method="bets_signed", signatures=[None, None])
    client.sign_bets(messages)
    wait_for_store(node)
    # They are signed once: a second time there is nothing to sign.
    client.refused("bad_frame", method="bets_signed", signatures=[None])


def test_what_was_signed_is_answered_bet_by_bet_and_survives_the_process(house):
    """The answer comes once the bets are stored: a node that is started again has those that were accepted."""
    node, connect = house
    client = connect(0)
    client.sign_in()
    info = [
        {"bet_id": number, "desc": desc, "prediction": "win", "bet_amount": 3}
        for number, desc in enumerate(("A wins on B", "B wins on C"))
    ]
    client.send(method="bets_selected", bets_info=info)
    first, second = client.next("bets_to_sign")["bets"]
    client.send(method="bets_signed", signatures=[None, client.signature_of(second)])
    assert client.next("bets_accepted")["nonces"] == [None, second["message"]["nonce"]]
    assert [str(signed.bet.nonce) for signed in node.store.signed()] == [second["message"]["nonce"]]
    client.refused("bad_frame", method="bets_signed", signatures=[client.signature_of(first), None])


def test_what_is_said_of_a_named_transaction_answers_that_frame(house, world):
    node, connect = house
    client = connect(0)
    client.sign_in()
    consent = world.tessera.escrow.set_consent(Wallet(world.web3, world.players[0]), 0b111)
    client.send(method="bets_placed", transactions=[consent.transaction])
    # The node's own thread looks; that it heard of it shows in its answer.
    while not node._to_look.qsize():
        time.sleep(0.01)
    node.step()
    while (news := json.loads(client.socket.receive_text()))["method"] == "bets":
        pass
    assert (news["code"], news["in_reply_to"], news["nonce"]) == ("no_bet", "bets_placed", None)


def test_news_reach_those_whom_they_concern(house, world):
    """A bet is news to whoever placed it. Others hear of it where it changes what they see: with the first the bet is
    listed."""
    node, connect = house
    first, second = connect(0), connect(1)
    for client in (first, second):
        client.sign_in()
    node.step()  # their balances
    for client in (first, second):
        client.bets = client.next("bets")
    first.sign_bets(first.select(0, "win", 5))
    node.step()
    settled_news(second, lambda bets: bets["open_bets"][0]["tx"])
    settled_news(first, lambda bets: bets["confirmed_bets"])
    first.sign_bets(first.select(0, "win", 5))
    node.step()
    settled_news(first, lambda bets: len(bets["confirmed_bets"]) == 2)
    second.refused("malformed", nothing=1)  # no news came before


def test_a_player_who_asks_too_fast_is_told_so_over_all_connections(house, monkeypatch):
    _, connect = house
    client = connect(0)
    client.sign_in()
    info = {"bet_id": 0, "desc": "A wins on B", "prediction": "win", "bet_amount": 5}
    sent = 0
    while sent <= 6 * BETS_A_SECOND - 8:
        client.send(method="bets_selected", bets_info=[info] * 8)
        client.next("bets_to_sign")
        sent += 8
    again = connect(0)
    again.sign_in()
    again.refused("too_many_requests", method="bets_selected", bets_info=[info] * 16)
    flood = connect()
    for _ in range(6 * MESSAGES_A_SECOND + 5):
        flood.socket.send_text("x")
    codes = [flood.next("error")["code"] for _ in range(6 * MESSAGES_A_SECOND + 5)]
    assert codes[0] == "malformed"
    assert "too_many_requests" in codes


def test_beyond_a_number_of_strangers_the_oldest_goes_and_players_stay(house, monkeypatch):
    monkeypatch.setattr(server, "MOST_STRANGERS", 2)
    _, connect = house
    player = connect(0)
    player.sign_in()
    strangers = [connect() for _ in range(3)]
    with pytest.raises(WebSocketDisconnect) as gone:
        strangers[0].socket.receive_text()
    assert gone.value.code == server.TRY_LATER
    strangers[2].refused("malformed", nothing=1)
    player.refused("malformed", nothing=1)


def test_refusals_of_the_chain_reach_the_player(house, world):
    node, connect = house
    client = connect(0)
    client.sign_in()
    (message,) = client.select(0, "win", 51)
    client.sign_bets([message])
    node.step()
    while (news := json.loads(client.socket.receive_text()))["method"] == "bets":
        pass
    assert (news["code"], news["in_reply_to"]) == ("no_balance", "bets_signed")
    assert news["nonce"] == message["message"]["nonce"]
    assert news["message"] == "you have 50 in Escrow, 0 of it promised: deposit 1 more first; nothing was taken"


def test_methods_of_frames_are_those_that_are_read():
    frame = read_frame('{"method": "bets_placed", "transactions": ["0x' + "AB" * 32 + '"]}')
    assert frame.transactions == ["0x" + "ab" * 32]
