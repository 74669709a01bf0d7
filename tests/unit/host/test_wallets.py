"""Contract wallets sign in and bet (EIP-1271), and those that answer in any other way harm nobody."""

import json
import threading

import pytest
from eth_account.messages import encode_defunct, encode_typed_data

from tessera.chain import Wallet
from tessera.chain.contract import abi_of
from tessera.chain.embedded import known_account
from tessera.chain.signatures import BYTE_GAS, CALL_GAS, MOST_BYTES, WALLET_GAS, is_signed_by_code
from tessera.deployment.artifacts import ROOT, compiled_file
from tessera.host import player, server
from tests.habits import within
from tests.unit.host.conftest import BARE, EUR, ODDS
from tests.unit.host.test_frames import ZERO, Client, settled_news, wait_for_store

ODD = ("another value", "nothing", "more than a word", "revert", "all gas")


def deployed(world, name: str, *arguments):
    """A contract of tests/mocks."""
    made = compiled_file(ROOT / "tests" / "mocks" / f"{name}.vy")
    factory = world.web3.eth.contract(abi=made.abi, bytecode=made.initcode)
    sent = factory.constructor(*arguments).transact({"from": known_account(0).address})
    address = world.web3.eth.wait_for_transaction_receipt(sent)["contractAddress"]
    return world.web3.eth.contract(address=address, abi=made.abi)


@pytest.fixture
def wallet(world):
    """A contract wallet that player 0 owns, a member of the club with its 50 EUR in Escrow and its consent given."""
    found = deployed(world, "Wallet1271", world.players[0].address)
    world.tessera.play_euro.invite(Wallet(world.web3, known_account(0)), [found.address])
    club = world.web3.eth.contract(abi=abi_of("PlayEuro"))
    join = club.encode_abi("join", [0b111])
    found.functions.execute(world.tessera.play_euro.address, join).transact({"from": known_account(0).address})
    assert world.tessera.escrow.balance_of(found.address) == 50 * EUR
    return found


@pytest.fixture
def connect(world, door):
    """Connects to a host, as a client whose account has an address of its own."""

    def made(node):
        opened = door(node)
        return lambda: Client(opened(), world.players[0])

    return made


def ask_in(client: Client, address: str, signer) -> None:
    """Sends a sign-in for an address that somebody signed."""
    message = client.challenge.replace(ZERO, address)
    signature = signer.sign_message(encode_defunct(text=message)).signature.hex()
    client.send(method="sign_in", message=message, signature=f"0x{signature}")


@pytest.mark.parametrize(("file", "amount"), [(BARE, 5), (ODDS, 5)])
def test_a_contract_wallet_signs_in_and_its_bet_is_landed(world, wallet, connect, file, amount):
    """Its signature has 65 bytes like a key's, and no batch takes it: it lands by itself, beside the others."""
    node = world.node(file)
    client = connect(node)()
    ask_in(client, wallet.address, world.players[0])
    assert client.next("signed_in")["account"] == wallet.address
    client.bets = client.next("bets")
    messages = client.select(0, "win", amount)
    assert messages[0]["message"]["account"] == wallet.address
    node.take([world.sign(node, 0, 1, 0, 7 * EUR)])
    client.sign_bets(messages)
    while len(node.store.signed()) < 2:
        wait_for_store(node)
    node.step()
    node.step()
    assert world.told == []
    assert world.tessera.escrow.balance_of(wallet.address) == (50 - amount) * EUR
    assert world.balance(1) == 43 * EUR


def test_nobody_but_its_owner_signs_for_a_wallet(world, wallet, connect):
    client = connect(world.node(BARE))()
    ask_in(client, wallet.address, world.players[1])
    error = client.next("error")
    assert (error["code"], error["in_reply_to"]) == ("sign_in_failed", "sign_in")
    ask_in(client, wallet.address, world.players[0])
    client.next("signed_in")
    client.bets = client.next("bets")
    (message,) = client.select(0, "win", 5)
    forged = world.players[1].sign_message(encode_typed_data(full_message=message)).signature.hex()
    client.refused("bad_signature", method="bets_signed", signatures=[f"0x{forged}"])
    assert client.account.address == world.players[0].address
    # What was sent to be signed is still there.
    client.sign_bets([message])


@pytest.mark.parametrize("mode", range(len(ODD)), ids=ODD)
def test_a_wallet_that_misbehaves_is_not_signed_in(world, connect, mode):
    odd = deployed(world, "OddWallet", mode)
    client = connect(world.node(BARE))()
    ask_in(client, odd.address, world.players[0])
    assert client.next("error")["code"] == "sign_in_failed"
    client.sign_in()  # the connection stays


def test_an_account_without_code_or_with_too_long_a_signature_is_not_signed_in(world, wallet):
    message = encode_defunct(text="hello")
    signature = bytes(world.players[0].sign_message(message).signature)
    asked = is_signed_by_code
    assert asked(world.web3, wallet.address, message, signature)
    assert asked(world.web3, wallet.address, message, signature + bytes(MOST_BYTES - 65))
    assert not asked(world.web3, wallet.address, message, signature + bytes(MOST_BYTES - 64))
    assert not asked(world.web3, world.players[0].address, message, signature)


def test_a_wallet_is_asked_with_little_gas(world, wallet, monkeypatch):
    """Whatever it does costs the node 100,000 gas of one call."""
    asked = []
    monkeypatch.setattr(world.web3.eth, "call", lambda call: asked.append(call) or b"")
    assert not is_signed_by_code(world.web3, wallet.address, encode_defunct(text="hello"), bytes(65))
    data = bytes.fromhex(asked[0]["data"][2:])
    assert len(data) == 4 + 3 * 32 + 96
    assert asked[0]["gas"] == WALLET_GAS + CALL_GAS + BYTE_GAS * len(data)


def test_a_node_that_fails_is_no_verdict(world, wallet, connect):
    client = connect(world.node(BARE))()
    with within(world.web3, methods=("eth_call",), failures=("drop",), rate=1):
        ask_in(client, wallet.address, world.players[0])
        assert client.next("error")["code"] == "try_later"
    ask_in(client, wallet.address, world.players[0])
    client.next("signed_in")


def test_while_a_wallet_is_asked_others_are_answered(world, wallet, connect, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(player, "is_signed_by_code", lambda *_: release.wait(60))
    door = connect(world.node(BARE))
    waiting = [door() for _ in range(server.ASKERS + 1)]
    for client in waiting:
        ask_in(client, wallet.address, world.players[0])
    door().sign_in()
    release.set()
    for client in waiting:
        assert json.loads(client.socket.receive_text())["method"] == "signed_in"


def test_the_chain_is_asked_about_so_many_wallets_a_second(world, wallet, connect, monkeypatch):
    monkeypatch.setattr(server, "CHAIN_CHECKS_A_SECOND", 0.5)  # three at once
    asked = []
    monkeypatch.setattr(player, "is_signed_by_code", lambda *_: asked.append(1))
    door = connect(world.node(BARE))
    codes = []
    for _ in range(5):
        client = door()
        ask_in(client, wallet.address, world.players[0])
        codes.append(client.next("error")["code"])
    assert codes[:3] == ["sign_in_failed"] * 3
    assert "too_many_requests" in codes[3:]
    assert len(asked) < 5
    door().sign_in()  # who signs with a key is not counted


def test_news_reach_a_wallets_owner(world, wallet, connect):
    """The whole way, as a client sees it."""
    node = world.node(BARE)
    client = connect(node)()
    ask_in(client, wallet.address, world.players[0])
    client.next("signed_in")
    client.bets = client.next("bets")
    client.sign_bets(client.select(0, "loss", 3))
    wait_for_store(node)
    node.step()
    settled_news(client, lambda bets: bets["confirmed_bets"])
    assert client.bets["confirmed_bets"][0]["bet_amount"] == 3
    assert client.bets["balance"] == 47
