"""The way to a node: reads that fail are tried again here, and nowhere else; what is sent never is.

`connect` makes a Web3 and `prepared` readies one that was given. Afterwards every failure of the node, or of what is
between, is a NodeError, and only this module decides what is worth another attempt:

- no connection, an HTTP error of the server, a page that is no JSON, JSON that breaks off, a null or a wrong type where
  the method never answers that;
- an error that says "later": rate limits, timeouts, state that is not there yet;
- a machine that is behind another one which has answered before: a head that is lower, a block that is missing.

Logs of several blocks are not asked for again: whoever reads them (`tessera.chain.logs`) asks for fewer.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired

import requests
from eth_typing import ChecksumAddress
from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict
from web3 import EthereumTesterProvider, HTTPProvider, Web3
from web3.middleware import ExtraDataToPOAMiddleware, Web3Middleware
from web3.types import RPCEndpoint

from tessera.chain.errors import ArgumentError, NodeError, NodeRefusedError

PATIENCE = 20.0  # seconds in which one read is tried again
MOST_IN_BATCH = 100  # reads of one request: what public nodes take
LAG_PATIENCE = 3.0  # seconds until a head that went back is believed
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 3.0
EARLIEST, LATEST = 0.7, 1.3  # of a pause
NAME, EXTRA_DATA = "tessera reads", "tessera extra data"

_Quantity = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]+$")]
_Data = Annotated[str, Field(pattern=r"^0x([0-9a-fA-F]{2})*$")]
_Hash = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$")]
_Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]


class _Log(TypedDict):
    address: _Address
    topics: list[_Hash]
    data: _Data
    blockNumber: _Quantity
    blockHash: _Hash
    logIndex: _Quantity
    transactionHash: _Hash


class _Block(TypedDict):
    number: _Quantity | None  # None: of the block that is still being made
    hash: _Hash | None
    timestamp: _Quantity
    baseFeePerGas: NotRequired[_Quantity | None]
    gasLimit: NotRequired[_Quantity | None]
    gasUsed: NotRequired[_Quantity | None]
    logsBloom: NotRequired[_Data | None]


class _FeeHistory(TypedDict):
    baseFeePerGas: list[_Quantity]
    gasUsedRatio: list[float]
    reward: NotRequired[list[list[_Quantity]] | None]


class _Receipt(TypedDict):
    transactionHash: _Hash
    blockNumber: _Quantity
    gasUsed: _Quantity
    logs: list[_Log]


class _Transaction(TypedDict):
    hash: _Hash
    nonce: _Quantity
    input: _Data
    blockNumber: NotRequired[_Quantity | None]  # None: it waits to be mined
    blockHash: NotRequired[_Hash | None]


# What each read answers. Only those with `| None` may answer null, which means that there is none.
SHAPES: dict[str, TypeAdapter] = {
    "eth_blockNumber": TypeAdapter(_Quantity),
    "eth_call": TypeAdapter(_Data),
    "eth_chainId": TypeAdapter(_Quantity),
    "eth_estimateGas": TypeAdapter(_Quantity),
    "eth_feeHistory": TypeAdapter(_FeeHistory),
    "eth_gasPrice": TypeAdapter(_Quantity),
    "eth_getBalance": TypeAdapter(_Quantity),
    "eth_getBlockByHash": TypeAdapter(_Block | None),
    "eth_getBlockByNumber": TypeAdapter(_Block | None),
    "eth_getCode": TypeAdapter(_Data),
    "eth_getLogs": TypeAdapter(list[_Log]),
    "eth_getStorageAt": TypeAdapter(_Data),
    "eth_getTransactionByHash": TypeAdapter(_Transaction | None),
    "eth_getTransactionCount": TypeAdapter(_Quantity),
    "eth_getTransactionReceipt": TypeAdapter(_Receipt | None),
    "eth_maxPriorityFeePerGas": TypeAdapter(_Quantity),
}
BLOCKS = ("eth_getBlockByHash", "eth_getBlockByNumber")
NEWEST = ("latest", "pending", "safe", "finalized")
SENT = TypeAdapter(_Hash)
SENDING = ("eth_sendRawTransaction", "eth_sendTransaction")
MAY_BE_NULL = {name for name in SHAPES if name.endswith(("ByHash", "ByNumber", "Receipt"))}

# JSON-RPC errors that say "later": internal error, resource unavailable, limit exceeded (EIP-1474), and HTTP's number.
LATER_CODES = (-32603, -32002, -32005, 429)
LATER_WORDS = (
    "capacity",
    "header not found",
    "overloaded",
    "rate limit",
    "request limit",
    "temporarily",
    "timed out",
    "timeout",
    "too many requests",
    "try again",
    "unavailable",
    "unknown block",
)
RATE_WORDS = ("rate limit", "request limit", "too many requests", "per second", "capacity")


def connect(url: str, *, patience: float = PATIENCE) -> Web3:
    """A Web3 of the node at an HTTP URL, prepared; nothing is asked yet. Raises ArgumentError where it is no URL."""
    if not url.startswith(("http://", "https://")):
        raise ArgumentError(f"{url!r} is no URL of a node: it begins with http:// or https://")
    return prepared(Web3(HTTPProvider(url)), patience=patience)


def prepared(web3: Web3, *, patience: float | None = None) -> Web3:
    """The same Web3, whose reads are tried again for `patience` seconds and whose failures are NodeError.

    Also takes blocks with more than 32 bytes of extraData (Linea, Polygon, BSC). A Web3 that is prepared already only
    gets another patience, if one is given.
    """
    onion = web3.middleware_onion
    if NAME not in onion:
        if isinstance(web3.provider, HTTPProvider):
            # web3's own attempts include what is sent. Its constructor takes None, its type of this field forgets it.
            web3.provider.exception_retry_configuration = None  # pyright: ignore[reportAttributeAccessIssue]
        onion.inject(ExtraDataToPOAMiddleware, name=EXTRA_DATA, layer=0)
        usual = 0 if isinstance(web3.provider, EthereumTesterProvider) else PATIENCE  # that chain never fails
        reads: Any = _Maker(_Memory(usual))  # in place of a class: web3 only calls it
        onion.inject(reads, name=NAME, layer=0)
    if patience is not None:
        maker: Any = onion.get(NAME)
        maker.memory.patience = patience
    return web3


@dataclass
class _Memory:
    """What is known of a node between two requests."""

    patience: float
    answered: bool = False
    highest: int = 0


@dataclass(frozen=True, eq=False)
class _Maker:
    """web3 makes its middleware anew whenever one is added: the memory stays."""

    memory: _Memory

    def __call__(self, web3: Web3) -> "_Reads":
        return _Reads(web3, self.memory)


class _LaterError(Exception):
    """An attempt failed that may succeed later; `error` is raised where it does not, within `seconds`."""

    def __init__(self, error: NodeError, seconds: float):
        super().__init__()
        self.error, self.seconds = error, seconds


def batched(web3: Web3, method: str, params: Sequence[list]) -> list[Any]:
    """What a node answers to a read with these parameters, as JSON, in their order and in as few requests as may be.

    None for each that has to be asked for alone: a batch is never tried again, and whatever is odd about an answer,
    or about all of a batch, counts as no answer. The embedded chain takes no batches.
    """
    answers: list[Any] = []
    for start in range(0, len(params), MOST_IN_BATCH):
        piece = params[start : start + MOST_IN_BATCH]
        answers += _piece(web3, method, piece) or [None] * len(piece)
    return answers


def balances(web3: Web3, accounts: Sequence[ChecksumAddress]) -> list[int]:
    """What accounts have at the newest block, wei, in their order. Raises NodeError."""
    answers = batched(web3, "eth_getBalance", [[account, "latest"] for account in accounts])
    return [
        web3.eth.get_balance(account) if answer is None else int(answer, 16)
        for account, answer in zip(accounts, answers, strict=True)
    ]


def _piece(web3: Web3, method: str, params: Sequence[list]) -> list[Any] | None:
    if len(params) < 2 or not isinstance(web3.provider, HTTPProvider):
        return None
    try:
        responses = web3.provider.make_batch_request([(RPCEndpoint(method), each) for each in params])
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    if not isinstance(responses, list) or len(responses) != len(params):
        return None
    # In the order of their numbers, which are those of the requests; some nodes leave the numbers out.
    numbers = [response.get("id") if isinstance(response, dict) else None for response in responses]
    if any(type(number) is not int for number in numbers) or len(set(numbers)) < len(numbers):
        return None
    return [
        None if "error" in response or fault_of(method, each, response) else response.get("result")
        for each, response in zip(params, responses, strict=True)
    ]


class _Reads(Web3Middleware):
    def __init__(self, web3: Web3, memory: _Memory):
        super().__init__(web3)
        self.memory = memory
        self.embedded = isinstance(web3.provider, EthereumTesterProvider)

    def wrap_make_request(self, make_request: Callable) -> Callable:
        def request(method: str, params: Any) -> Any:
            method = str(method)
            if method not in SHAPES:
                return self._once(make_request, method, params)
            begun, pause = time.monotonic(), FIRST_PAUSE
            while True:
                late = None
                try:
                    response = self._once(make_request, method, params)
                    late = self._behind(method, params, response)
                    if not late or time.monotonic() - begun >= min(LAG_PATIENCE, self.memory.patience):
                        self._note(method, params, response)
                        return response
                except _LaterError as later:
                    if time.monotonic() - begun + LATEST * pause > later.seconds:
                        raise later.error from None
                # Whoever comes with many others comes back at another moment than they do.
                time.sleep(pause * random.uniform(EARLIEST, LATEST))  # noqa: S311
                pause = min(2 * pause, LONGEST_PAUSE)

        return request

    def _once(self, make_request: Callable, method: str, params: Any) -> Any:
        """One attempt. Raises _LaterError or NodeError."""
        sends = method in SENDING
        try:
            response = make_request(method, params)
        except (OSError, ValueError) as error:
            raise self._failure(method, params, error) from None
        fault = fault_of(method, params, response, shaped=not self.embedded)
        if fault:
            error = NodeError(f"the node's answer to {method} makes no sense: {fault}", method, may_be_sent=sends)
            raise error if method not in SHAPES else self._later(method, params, error)
        self.memory.answered = True
        if "error" in response:
            self._judge(method, params, response["error"])
        return response

    def _failure(self, method: str, params: Any, error: Exception) -> Exception:
        """What an exception of the provider's means."""
        unconnected = isinstance(error, ConnectionError | requests.ConnectionError)
        status = getattr(getattr(error, "response", None), "status_code", None)
        text = f"no answer to {method} ({type(error).__name__}): {_short(error)}"
        if status is not None:
            text = f"HTTP {status} instead of an answer to {method}"
        elif isinstance(error, ValueError):
            text = f"what answers {method} is no JSON: {_short(error)}"
        failure = NodeError(text, method, may_be_sent=method in SENDING, connected=not unconnected)
        if method not in SHAPES or (status is not None and status < 500 and status not in (408, 429)):
            return failure
        if unconnected:
            # Who was never there is not waited for: more likely the address is wrong.
            return _LaterError(failure, self.memory.patience) if self.memory.answered else failure
        return self._later(method, params, failure, rate=status == 429)

    def _judge(self, method: str, params: Any, error: dict) -> None:
        """Returns where web3 knows what an error means: a contract's refusal, or that there is no such thing."""
        text, code = error["message"].lower(), error["code"]
        if code == 3 or "revert" in text or isinstance(error.get("data"), str):
            return
        refusal = NodeRefusedError(error["message"], method, code)
        if method in SHAPES and (code in LATER_CODES or any(words in text for words in LATER_WORDS)):
            raise self._later(method, params, refusal, rate=any(words in text for words in RATE_WORDS))
        if method in SHAPES and "not found" in text:
            return
        raise refusal

    def _later(self, method: str, params: Any, error: NodeError, *, rate: bool = False) -> Exception:
        """Another attempt; but logs of several blocks may be too many for the node."""
        several = method == "eth_getLogs" and params[0].get("fromBlock") != params[0].get("toBlock")
        return error if several and not rate else _LaterError(error, self.memory.patience)

    def _behind(self, method: str, params: Any, response: Any) -> bool:
        """Whether another machine answered before, and this one has not got there."""
        if self.embedded:
            return False
        if method == "eth_getBlockByNumber" and response.get("result", 0) is None:
            return params[0].startswith("0x") and int(params[0], 16) <= self.memory.highest
        return (head := _head(method, params, response)) is not None and head < self.memory.highest

    def _note(self, method: str, params: Any, response: Any) -> None:
        head = None if self.embedded else _head(method, params, response)
        if head is not None:
            self.memory.highest = head


def _head(method: str, params: Any, response: Any) -> int | None:
    """The number of the newest block, where a response tells it."""
    result = response.get("result")
    if method == "eth_blockNumber":
        return int(result, 16)
    if method == "eth_getBlockByNumber" and params[0] == "latest" and result is not None:
        return int(result["number"], 16)
    return None


def fault_of(method: str, params: Any, response: Any, *, shaped: bool = True) -> str:
    """What is wrong with a node's answer, as JSON-RPC and as the answer to this method, "" if nothing is.

    Of an answer that is not `shaped` (the embedded chain's) the types of the result do not count.
    """
    if not isinstance(response, dict) or ("result" in response) == ("error" in response):
        return f"neither a result nor an error: {_short(response)}"
    if "error" in response:
        error = response["error"]
        good = isinstance(error, dict) and isinstance(error.get("message"), str) and type(error.get("code")) is int
        return "" if good else f"an error without code and message: {_short(error)}"
    result = response["result"]
    if result is None and method == "eth_getBlockByNumber" and params[0] in NEWEST:
        return f"null to {method}: there is always a newest block"
    if not shaped:
        never = method in SENDING or (method in SHAPES and method not in MAY_BE_NULL)
        return f"null to {method}" if never and result is None else ""
    shape = SENT if method in SENDING else SHAPES.get(method)
    if shape is None:
        return ""
    try:
        shape.validate_python(result)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'result'} is {_short(first['input'])}"
    if (
        method in BLOCKS
        and result is not None
        and params[0] != "pending"
        and None in (result["number"], result["hash"])
    ):
        return "a block without number or hash"
    return ""


def _short(value: Any) -> str:
    return " ".join((str(value) if isinstance(value, Exception) else repr(value)).split())[:200]
