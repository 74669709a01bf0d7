"""A node with habits: a proxy before any chain that fails, lags and lies as public nodes do.

`served(url)` puts it before a node as an HTTP server; `within(web3)` puts it between a web3 and its provider, which is
how the chain inside the process gets habits too. Both yield the same `Habits`, whose fields a test sets and changes.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

from requests import ConnectionError as NoConnection
from web3 import Web3
from web3.middleware import Web3Middleware
from web3.providers import JSONBaseProvider

Ask = Callable[[str, Any], dict]
PAGE = b"<html>Sign in</html>"
# What one request can get instead of its answer. A page and a refusal never reach the chain; the others do, so that a
# transaction arrives though nobody hears of it.
FAILURES = ("page", "null", "truncated", "refusal", "drop", "behind")
BEHIND = 3  # blocks, of the machine that sometimes answers
TAGS = ("latest", "pending", "safe", "finalized")
BLOCK_AT = {  # which parameter is a block
    "eth_call": 1,
    "eth_estimateGas": 1,
    "eth_feeHistory": 1,
    "eth_getBalance": 1,
    "eth_getBlockByNumber": 0,
    "eth_getCode": 1,
    "eth_getStorageAt": 2,
    "eth_getTransactionCount": 1,
}


@dataclass
class Habits:
    """What a node does to whoever asks it. As it is made it has no habits.

    A request fails in one of `failures` by chance (`rate`, seeded) or once `good` more requests have been answered.
    """

    rate: float = 0
    good: int | None = None
    failures: tuple[str, ...] = FAILURES
    methods: tuple[str, ...] = ()  # that fail; all if empty
    delay: float = 0  # seconds before each answer
    behind: int = 0  # blocks that every answer is behind
    most_blocks: int | None = None  # of one request of logs
    leaves_out: Collection[int] = ()  # blocks whose logs it has lost
    extra_data: int = 0  # bytes in each block's header
    ahead: int = 0  # that the node's block numbers are ahead of those that contracts see
    tip: int | None = None  # wei, that it advises
    receipts: Callable[[dict], dict] | None = None  # what it makes of a receipt
    status: int = 200  # of a page
    seed: int = 1
    asked: Counter = field(default_factory=Counter)  # by method
    failed: Counter = field(default_factory=Counter)  # by kind of failure

    def __post_init__(self):
        self._chance = random.Random(self.seed)

    def answer(self, ask: Ask, method: str, params: Any) -> dict | bytes | None:
        """The answer to a request; bytes where it is not JSON-RPC, None where the connection breaks."""
        self.asked[method] += 1
        time.sleep(self.delay)
        failure = self._failure(method)
        if failure == "page":
            return PAGE
        if failure == "refusal":
            return _error(-32005, "rate limited")
        answer = self._habitual(ask, method, params, BEHIND if failure == "behind" else self.behind)
        if failure == "null":
            return {**answer, "result": None}
        if failure == "truncated":
            return b'{"jsonrpc": "2.0", "id": 1, "res'
        return None if failure == "drop" else answer

    def _failure(self, method: str) -> str | None:
        if self.methods and method not in self.methods:
            return None
        if self.good is not None:
            self.good -= 1
        fails = self._chance.random() < self.rate or (self.good is not None and self.good < 0)
        failure = self._chance.choice(self.failures) if fails else None
        self.failed.update([failure] if failure else [])
        return failure

    def _habitual(self, ask: Ask, method: str, params: Any, behind: int) -> dict:
        newest = _number(ask("eth_blockNumber", [])["result"]) - behind if behind else None
        params = json.loads(json.dumps(params)) if method in (*BLOCK_AT, "eth_getLogs") else params
        if method == "eth_getLogs" and "fromBlock" in params[0]:
            first, last = _number(params[0]["fromBlock"]), params[0]["toBlock"]
            if self.most_blocks and last not in TAGS and _number(last) - first >= self.most_blocks:
                return _error(-32005, f"query exceeds max block range of {self.most_blocks}")
            params[0] |= {name: self._seen(params[0][name], newest, clip=True) for name in ("fromBlock", "toBlock")}
        elif method in BLOCK_AT and len(params) > BLOCK_AT[method]:
            params[BLOCK_AT[method]] = self._seen(params[BLOCK_AT[method]], newest)
            if params[BLOCK_AT[method]] is None:
                return _result(None) if method == "eth_getBlockByNumber" else _error(-32000, "header not found")
        answer = ask(method, params)
        result = answer.get("result")
        if method == "eth_getLogs" and result:
            result = [log for log in result if _number(log["blockNumber"]) not in self.leaves_out]
        if method == "eth_maxPriorityFeePerGas" and self.tip is not None:
            return _result(hex(self.tip))
        if method == "eth_blockNumber":
            return _result(hex((_number(result) if newest is None else newest) + self.ahead))
        if method == "eth_getTransactionReceipt" and result:
            if newest is not None and _number(result["blockNumber"]) > newest:
                return _result(None)
            result = self.receipts(dict(result)) if self.receipts else result
        if method.startswith("eth_getBlockBy") and result and self.extra_data:
            result = {**result, "extraData": "0x" + "ab" * self.extra_data}
        return answer if "result" not in answer else {**answer, "result": self._told(result)}

    def _seen(self, block: Any, newest: int | None, *, clip: bool = False) -> Any:
        """A block that somebody asks for, as the chain knows it; None where this machine does not have it yet."""
        if block in TAGS:
            return block if newest is None else hex(max(0, newest))
        number = _number(block) - self.ahead
        if newest is not None and number > newest:
            return hex(max(0, newest)) if clip else None
        return hex(number) if self.ahead else block

    def _told(self, value: Any) -> Any:
        """An answer with the node's own block numbers in it."""
        if not self.ahead or not isinstance(value, dict | list):
            return value
        if isinstance(value, list):
            return [self._told(item) for item in value]
        shifted = {"blockNumber", "oldestBlock", *(["number"] if "timestamp" in value else [])}
        return {
            name: hex(_number(item) + self.ahead) if name in shifted and item is not None else self._told(item)
            for name, item in value.items()
        }


@contextmanager
def within(web3: Web3, **habits: Any) -> Iterator[Habits]:
    """Puts habits between a web3 and its provider while it lasts."""
    node = Habits(**habits)

    class Between(Web3Middleware):
        def wrap_make_request(self, make_request):
            return lambda method, params: _as_over_http(node.answer(make_request, method, params))

    web3.middleware_onion.inject(Between, name="habits", layer=0)
    try:
        yield node
    finally:
        web3.middleware_onion.remove("habits")


@contextmanager
def served(url: str, **habits: Any) -> Iterator[tuple[str, Habits]]:
    """An HTTP server with habits before the node at a URL, while it lasts: its own URL, and the habits."""
    node = Habits(**habits)

    def ask(method: str, params: Any) -> dict:
        asked = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        with urlopen(Request(url, asked, {"Content-Type": "application/json"})) as answer:
            return json.load(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answers = [(one["id"], node.answer(ask, one["method"], one["params"])) for one in _listed(asked)]
            if any(answer is None for _, answer in answers):
                self.close_connection = True
                self.connection.shutdown(SHUT_RDWR)
                return
            raw = next((answer for _, answer in answers if isinstance(answer, bytes)), None)
            whole = [{**answer, "id": number} for number, answer in answers if isinstance(answer, dict)]
            self._send(
                raw or json.dumps(whole if isinstance(asked, list) else whole[0]).encode(),
                node.status if raw == PAGE else 200,
            )

        def do_OPTIONS(self):
            self._send(b"", 200)

        def _send(self, body: bytes, status: int):
            self.send_response(status)
            for name in ("Origin", "Headers"):  # so that a page may ask
                self.send_header(f"Access-Control-Allow-{name}", "*")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", node
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _as_over_http(answer: dict | bytes | None) -> dict:
    if answer is None:
        raise NoConnection("connection reset by peer")
    return JSONBaseProvider.decode_rpc_response(answer) if isinstance(answer, bytes) else answer


def _listed(asked: Any) -> list:
    return asked if isinstance(asked, list) else [asked]


def _number(value: Any) -> int:
    """A number of a node's: hexadecimal, or as it is on the chain inside the process."""
    return int(value, 16) if isinstance(value, str) else value


def _result(value: Any) -> dict:
    return {"jsonrpc": "2.0", "id": 1, "result": value}


def _error(code: int, message: str) -> dict:
    return {"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message}}
