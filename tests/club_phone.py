"""A friend's phone, as a program: a key of its own, the node's HTTP API, and nothing else of the chain."""

import time
from contextlib import suppress
from typing import Any

import requests
from eth_account import Account
from eth_account.messages import encode_defunct
from web3 import Web3

from tessera.chain import Deployment, NodeError, Outcome, Reverted, Tessera, Wallet, connect
from tessera.club.names import statement

ANSWER_SECONDS = 60  # on a busy machine


class Phone:
    """One friend who opened a link."""

    def __init__(self, url: str, record: Any, code: str):
        self.url, self.code = url, code
        self.account = Account.create()
        self.address, self._http = self.account.address, requests.Session()
        self._record = record

    def post(self, path: str, **body) -> requests.Response:
        """What the node answers; a node that is away is asked again."""
        return self._asked("POST", path, json=body)

    def get(self, path: str, **params) -> requests.Response:
        """What the node answers; a node that is away is asked again."""
        return self._asked("GET", path, params=params)

    def redeem(self) -> str:
        """Redeems the code, or asks how far it is: "coming", "ready" or "joined"."""
        answer = self.post("/club/join", code=self.code, account=self.address)
        assert answer.status_code == 200, answer.text
        return answer.json()["state"]

    def join(self, seconds: float = 120) -> None:
        """Waits until it is let in and has gas, and joins, whatever becomes of the node meanwhile."""
        ends = time.monotonic() + seconds
        while (state := self.redeem()) != "joined":
            assert time.monotonic() < ends, self.post("/club/gas", account=self.address).text
            if state == "ready":
                with suppress(NodeError, Reverted):  # the node is away, or the page saw no answer and tries again
                    self.tessera.play_euro.join(self.wallet, consent=1)
            time.sleep(0.3)

    @property
    def tessera(self) -> Tessera:
        """The contracts, by the node's /rpc."""
        return Tessera(connect(f"{self.url}/rpc"), Deployment.load(self._record))

    @property
    def wallet(self) -> Wallet:
        """What sends as this phone."""
        return Wallet(connect(f"{self.url}/rpc"), self.account)

    def bet(self, market_id: int, outcome: Outcome) -> None:
        """Bets 1 EUR."""
        self.tessera.markets.bet(self.wallet, market_id, outcome, min_shares=1)

    def sign_in(self) -> None:
        """Opens a session."""
        text = self.get("/club/challenge", account=self.address).json()["text"]
        signature = Web3.to_hex(self.account.sign_message(encode_defunct(text=text)).signature)
        answer = self.post("/club/session", text=text, signature=signature)
        assert answer.status_code == 200, answer.text

    def say_name(self, name: str) -> requests.Response:
        """Says what it is to be called."""
        now, record = int(time.time()), Deployment.load(self._record)
        signed = statement(record.chain_id, record.address_of("PlayEuro"), self.address, name, now)
        signature = Web3.to_hex(self.account.sign_message(signed).signature)
        return self.post("/club/names", account=self.address, name=name, issued_at=now, signature=signature)

    def _asked(self, method: str, path: str, **options) -> requests.Response:
        ends = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                answer = self._http.request(method, self.url + path, timeout=ANSWER_SECONDS, **options)
                if answer.status_code < 500:
                    return answer
            except requests.RequestException:
                answer = None
            assert time.monotonic() < ends, answer and answer.text
            time.sleep(0.2)
