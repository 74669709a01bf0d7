"""A club of friends on the embedded chain, its node without threads, and phones; each test is undone."""

import time
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from fastapi.testclient import TestClient
from web3 import Web3

from tessera.chain import Tessera, Wallet
from tessera.chain.embedded import known_account
from tessera.club.app import app_of
from tessera.club.names import statement
from tessera.club.node import Node
from tessera.club.settings import Settings

# One deployed club on the embedded chain, and what can be done in it.
from tests.embedded_club import (  # noqa: F401
    bet,
    bettor,
    creator,
    deployed,
    market,
    other_bettor,
    owner,
    settle,
    tessera,
    travel,
    web3,
)

ETHER = 10**18
NODE = 10  # the account of the node, which is no member
URL = "https://club.example"
# The least that a club.toml says.
SETTINGS = """
name = "Friday club"
url = "https://club.example"
rpc = "https://rpc.example"
record = "club.json"
page = "dist"
key_file = "node.json"
[gas]
budget = 0.01
"""


class Phone:
    """A friend's phone: a key that was made on it, and what it says to the node."""

    def __init__(self, client: TestClient, seed: int):
        self.account = Account.from_key(seed.to_bytes(32, "big"))
        self.address, self._client = self.account.address, client

    def join(self, code: str) -> Any:
        return self._client.post("/club/join", json={"code": code, "account": self.address})

    def gas(self) -> Any:
        return self._client.post("/club/gas", json={"account": self.address})

    def state(self) -> Any:
        return self._client.get(f"/club/accounts/{self.address}").json()

    def sign_in(self) -> Any:
        text = self._client.get("/club/challenge", params={"account": self.address}).json()["text"]
        return self._client.post("/club/session", json={"text": text, "signature": self.signed(text)})

    def signed(self, text: str) -> str:
        return Web3.to_hex(self.account.sign_message(encode_defunct(text=text)).signature)


class World:
    """A chain, and nodes of a club on it."""

    def __init__(self, tessera: Tessera, folder: Path):  # noqa: F811
        self.tessera, self.web3, self.folder = tessera, tessera.web3, folder
        self.seed = 1_000
        (folder / "page" / "assets").mkdir(parents=True)
        (folder / "page" / "index.html").write_text("<!doctype html><title>Tessera</title>" + " " * 600)
        (folder / "page" / "assets" / "main-abc.js").write_text("let a = 1;\n" * 200)
        self.node = self.started()
        self.node.index.sync()
        self.client = TestClient(app_of(self.node), base_url=URL)

    def started(self, *, database: str = "club", index: str = "index", url: str = URL, **gas) -> Node:
        """A node; with the same names of databases it is the same one, started again."""
        settings = Settings.model_validate(
            {
                "name": "Friday club",
                "url": url,
                "rpc": "http://127.0.0.1:1",
                "record": "unused",
                "page": self.folder / "page",
                "database": f"sqlite:///{self.folder}/{database}.db",
                "index": f"sqlite:///{self.folder}/{index}.db",
                "devnet_account": NODE,
                "gas": {"budget": 10, "members": 5, "own": 100, **gas},
            }
        )
        return Node.of(settings, self.tessera, known_account(NODE), self.web3)

    def phone(self) -> Phone:
        self.seed += 1
        return Phone(self.client, self.seed)

    def codes(self, count: int = 1) -> list[str]:
        return self.node.store.make_codes(["" for _ in range(count)], days=14)

    def send_all(self, node: Node | None = None) -> int:
        """Lets a node send all that is due; how many transactions it sent."""
        before = self.sent()
        while (node or self.node).sender.step():
            pass
        self.node.index.sync()
        return self.sent() - before

    def sent(self) -> int:
        return self.web3.eth.get_transaction_count(known_account(NODE).address)

    def balance(self, phone: Phone) -> int:
        return self.web3.eth.get_balance(phone.address)

    def member(self) -> Phone:
        """A phone that has redeemed a code and was let in."""
        phone = self.phone()
        assert phone.join(self.codes()[0]).status_code == 200
        self.send_all()
        self.enter(phone)
        return phone

    def enter(self, phone: Phone) -> None:
        """Lets a phone join, as it does by itself."""
        euro = self.tessera.play_euro
        self.send(phone, {"to": euro.address, "data": Web3.to_hex(euro.calldata("join", 1))}, gas=170_000)
        self.node.index.sync()

    def send(self, phone: Phone, call: dict, *, gas: int) -> None:
        """Sends a transaction of a phone's with so much gas, which the embedded chain's wallet would not count."""
        base = self.web3.eth.get_block("latest")["baseFeePerGas"]
        signed = phone.account.sign_transaction(
            {
                "chainId": self.node.chain_id,
                "nonce": self.web3.eth.get_transaction_count(phone.address),
                "gas": gas,
                "maxFeePerGas": 2 * base,
                "maxPriorityFeePerGas": 0,
                "value": 0,
                **call,
            }
        )
        receipt = self.web3.eth.wait_for_transaction_receipt(self.web3.eth.send_raw_transaction(signed.raw_transaction))
        assert receipt["status"] == 1

    def name(self, phone: Phone, text: str, *, issued_at: int | None = None, signer: Phone | None = None) -> Any:
        issued_at = int(time.time()) if issued_at is None else issued_at
        signed = statement(self.node.chain_id, self.tessera.play_euro.address, phone.address, text, issued_at)
        signature = (signer or phone).account.sign_message(signed).signature
        body = {"account": phone.address, "name": text, "issued_at": issued_at, "signature": Web3.to_hex(signature)}
        return self.client.post("/club/names", json=body)


@pytest.fixture
def world(tessera: Tessera, owner: Wallet, tmp_path: Path) -> World:  # noqa: F811
    tessera.play_euro.set_inviter(owner, known_account(NODE).address, True)
    return World(tessera, tmp_path)


def refusal(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal, which has a sentence, too."""
    body = answer.json()
    assert body["detail"]
    return answer.status_code, body["code"]
