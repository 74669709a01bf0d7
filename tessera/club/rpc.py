"""The way of phones to the chain's node: named methods, bounded; what does not change within a block is asked for once.

Whoever serves phones asks a public node what all of them want to know once a block. What moves money is signed on the
phone; nothing here can make the node sign, mine or change its state, or work for strangers' contracts.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import aiohttp
import orjson
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from tessera.chain.node import fault_of
from tessera.club.refusals import RefusedError

log = logging.getLogger(__name__)

MOST_CALLS = 100  # of a batch
MOST_BYTES = 256_000  # of a request
MOST_GAS = 10_000_000
MOST_BLOCKS = 2_000  # of logs
MOST_HISTORY = 100  # blocks of fees
MOST_RAW = 8_192  # bytes of a signed transaction
MOST_CACHED = 32_000_000  # bytes of answers, and of what was asked, that are kept
MOST_ANSWER = 8_000_000  # bytes, of a batch: a hundred calls for one cached answer are a hundred copies of it
NODE_SECONDS = 20
HEAD_SECONDS = 0.5  # that the newest block is taken for the newest
AT_ONCE = 32  # requests to the node
NO_METHOD, BAD_PARAMS, LIMITED = -32601, -32602, -32005

NO_NODE = "The chain's node does not answer. Try again in a moment."
NO_SENSE = "The chain's node gives an answer that makes no sense. Try again in a moment."

Call = dict[str, Any]


class Answer(NamedTuple):
    """What the node says to a call, `content` as JSON without the braces around it."""

    is_error: bool
    content: bytes

    @classmethod
    def of(cls, response: Call) -> "Answer":
        """Of a response of JSON-RPC."""
        said = {"error": response["error"]} if "error" in response else {"result": response.get("result")}
        return cls("error" in said, orjson.dumps(said)[1:-1])


Batch = list[tuple[Call, asyncio.Future[Answer]]]  # calls to the node, and their answers to come
Key = tuple[str, bytes]  # of a method and its parameters
# Its answers, and a refusal in the place of each that is none.
Upstream = Callable[[list[Call]], Awaitable[Sequence[Call | RefusedError]]]
NEWEST = "latest"
BLOCKS = ("latest", "pending", "safe", "finalized")
FOR_GOOD = ("eth_chainId", "net_version")
# What the newest block decides; a state that is named by number is not cached: nobody asks for it twice.
BY_BLOCK = frozenset(
    """
    eth_blockNumber eth_call eth_estimateGas eth_feeHistory eth_gasPrice eth_getBalance eth_getBlockByNumber eth_getCode
    eth_getLogs eth_getTransactionCount eth_maxPriorityFeePerGas
    """.split()  # noqa: SIM905
)
MAY_REFUSE = ("eth_call", "eth_estimateGas")  # a contract, for the whole block
SHOW_A_BLOCK = ("eth_getTransactionByHash", "eth_getTransactionReceipt")
METHODS = BY_BLOCK | {
    *FOR_GOOD,
    "eth_getBlockByHash",
    "eth_getTransactionByHash",
    "eth_getTransactionReceipt",
    "eth_sendRawTransaction",
}
TOO_LONG = Answer.of({"error": {"code": LIMITED, "message": "the answers before it are many bytes: ask for it alone"}})


class CallError(Exception):
    """A call that is refused, with JSON-RPC's code."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code


class Cache:
    """Answers that are there or to come, so many bytes at most; who was put in first goes first."""

    def __init__(self):
        self.size = 0
        self._answers: OrderedDict[Key, asyncio.Future[Answer]] = OrderedDict()
        self._sizes: dict[Key, int] = {}  # bytes of each that are counted: an answer's once it was put there

    def get(self, key: Key) -> asyncio.Future[Answer] | None:
        """The answer to what was asked, if there is one."""
        return self._answers.get(key)

    def put(self, key: Key, answer: asyncio.Future[Answer]) -> None:
        """Keeps an answer; one that is none worth keeping is forgotten when it comes."""
        self._answers[key] = answer
        self._grow(key, len(key[1]))
        answer.add_done_callback(lambda done: self._came(key, done))

    def clear(self) -> None:
        """Forgets all of them."""
        self._answers.clear()
        self._sizes.clear()
        self.size = 0

    def _came(self, key: Key, answer: asyncio.Future[Answer]) -> None:
        failed = answer.cancelled() or answer.exception() is not None
        if self._answers.get(key) is not answer:
            return
        if failed or (answer.result().is_error and key[0] not in MAY_REFUSE):
            del self._answers[key]
            self.size -= self._sizes.pop(key)
        else:
            self._grow(key, len(answer.result().content))

    def _grow(self, key: Key, size: int) -> None:
        self._sizes[key] = self._sizes.get(key, 0) + size
        self.size += size
        while self.size > MOST_CACHED:
            oldest, _ = self._answers.popitem(last=False)
            self.size -= self._sizes.pop(oldest)


class Proxy:
    """Passes calls on to a node. One event loop's."""

    def __init__(self, upstream: Upstream, chain_id: int, contracts: list[str]):
        """`contracts` are those that may be called, with or without their checksum."""
        self._upstream, self._chain_id = upstream, chain_id
        self._contracts = {contract.lower() for contract in contracts}
        self._for_good, self._cache = Cache(), Cache()  # the other one is of the newest block
        self._sending: set[asyncio.Task] = set()
        self._head, self._hash, self._head_at = -1, "", 0.0
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def answer(self, body: bytes, allow: Callable[[int], bool] = lambda count: True) -> bytes:
        """The answers to a request, as JSON. `allow` says whether so many calls may go on to the node.

        Raises RefusedError where the request as a whole is none that can be answered.
        """
        try:
            asked = orjson.loads(body)
        except ValueError:
            raise RefusedError("bad_request", "The request is no JSON.") from None
        calls = asked if isinstance(asked, list) else [asked]
        if not calls or len(calls) > MOST_CALLS:
            raise RefusedError("too_large", f"A batch has 1 to {MOST_CALLS} calls.")
        await self._look()
        batch: Batch = []
        try:
            answers = [self._answer(call, allow, batch) for call in calls]
        finally:  # others may wait for what is in it already
            if batch:
                task = asyncio.create_task(self._send(batch))
                self._sending.add(task)  # or nothing would refer to it
                task.add_done_callback(self._sending.discard)
        # Others may wait for the same: whoever leaves does not take it from them.
        said = await asyncio.gather(*map(asyncio.shield, answers))
        written, size = [], 0
        for call, answer in zip(calls, said, strict=True):
            if written and size > MOST_ANSWER:
                answer = TOO_LONG
            written.append(b'{"jsonrpc":"2.0","id":%b,%b}' % (orjson.dumps(_id_of(call)), answer.content))
            size += len(written[-1])
        return b"[%b]" % b",".join(written) if isinstance(asked, list) else written[0]

    def learns_of(self, number: int, block_hash: str) -> None:
        """Notes a block that pages are told of: what they ask then is answered as of it."""
        if number > self._head:
            self._is_at(number, block_hash)

    def _answer(self, call: Any, allow: Callable[[int], bool], batch: Batch) -> asyncio.Future[Answer]:
        """A call's answer, when it is there; what the node has to be asked for is put into a batch."""
        try:
            method, params = self._checked(call)
            if method == "eth_sendRawTransaction":
                _take(allow)  # first: reading a signature takes as long as hundreds of other calls
                self._check_raw(params[0] if params else None)
                return _put(method, params[:1], batch)
            return self._asked(method, params, allow, batch)
        except CallError as error:
            refused = asyncio.get_running_loop().create_future()
            refused.set_result(Answer.of({"error": {"code": error.code, "message": str(error)}}))
            return refused

    def _checked(self, call: Any) -> tuple[str, list]:
        """A call's method and parameters as they go on to the node. Raises CallError."""
        if not isinstance(call, dict) or not isinstance(call.get("method"), str):
            raise CallError(-32600, "this is no call of JSON-RPC")
        method, params = call["method"], call.get("params") or []
        if method not in METHODS:
            raise CallError(NO_METHOD, f"this club's node does not answer {method[:60]}")
        if method in FOR_GOOD:
            return method, []  # whatever else is said with it: it would be kept for good
        if not isinstance(params, list) or len(params) > 4:
            raise CallError(BAD_PARAMS, "params are a list")
        if method in ("eth_call", "eth_estimateGas"):
            return method, self._checked_call(params)
        if method == "eth_getLogs":
            return method, [self._checked_filter(params[0] if params else None)]
        if method.startswith("eth_getBlockBy"):
            if not params or not isinstance(params[0], str):
                raise CallError(BAD_PARAMS, "name a block")
            if any(params[1:]):
                raise CallError(BAD_PARAMS, "blocks come without their transactions here")
            return method, [params[0], False]
        if method == "eth_feeHistory" and _quantity(params[0] if params else None, "blocks") > MOST_HISTORY:
            raise CallError(BAD_PARAMS, f"at most {MOST_HISTORY} blocks")
        return method, params

    def _checked_call(self, params: list) -> list:
        call = params[0] if params else None
        if not isinstance(call, dict):
            raise CallError(BAD_PARAMS, "name a call")
        if len(params) > 2:
            raise CallError(BAD_PARAMS, "state is not overridden here")
        if str(call.get("to", "")).lower() not in self._contracts:
            raise CallError(BAD_PARAMS, "only this club's contracts can be called here")
        unknown = call.keys() - {"from", "to", "data", "input", "value", "gas", "nonce", "type", "chainId"}
        unknown -= {"gasPrice", "maxFeePerGas", "maxPriorityFeePerGas"}
        if unknown:
            raise CallError(BAD_PARAMS, f"a call has no {', '.join(sorted(map(str, unknown)))[:60]} here")
        gas = MOST_GAS if call.get("gas") is None else min(MOST_GAS, _quantity(call["gas"], "gas"))
        block = params[1] if len(params) == 2 else NEWEST
        return [{**call, "gas": hex(gas)}, block]

    def _checked_filter(self, wanted: Any) -> dict:
        if not isinstance(wanted, dict):
            raise CallError(BAD_PARAMS, "say which logs")
        addresses = wanted.get("address")
        addresses = [addresses] if isinstance(addresses, str) else addresses
        if not isinstance(addresses, list) or not addresses:
            raise CallError(BAD_PARAMS, "name the contracts whose logs are wanted")
        if any(str(address).lower() not in self._contracts for address in addresses):
            raise CallError(BAD_PARAMS, "only logs of this club's contracts are read here")
        if wanted.get("blockHash") is None:
            first, last = (self._number(wanted.get(name, NEWEST)) for name in ("fromBlock", "toBlock"))
            if last - first >= MOST_BLOCKS:
                raise CallError(LIMITED, f"block range too large: at most {MOST_BLOCKS} blocks")
        return wanted

    def _number(self, block: Any) -> int:
        if block in BLOCKS:
            return self._head
        return _quantity(block, "a block's number")

    def _check_raw(self, raw: Any) -> None:
        if not isinstance(raw, str) or not raw.startswith("0x") or len(raw) > 2 + 2 * MOST_RAW:
            raise CallError(BAD_PARAMS, f"a signed transaction has at most {MOST_RAW} bytes")
        try:
            data = HexBytes(raw)
            chain_id = TypedTransaction.from_bytes(data).as_dict()["chainId"] if data[0] < 0x80 else None
            Account.recover_transaction(data)
        except Exception:  # whatever else is no transaction
            raise CallError(BAD_PARAMS, "this is no signed transaction") from None
        if chain_id != self._chain_id:
            raise CallError(BAD_PARAMS, f"this transaction is not for chain {self._chain_id}")

    def _asked(self, method: str, params: list, allow: Callable[[int], bool], batch: Batch) -> asyncio.Future[Answer]:
        """An answer that is known or comes already, else a new one. Raises CallError."""
        try:
            key = method, orjson.dumps(params, option=orjson.OPT_SORT_KEYS)
        except TypeError:
            raise CallError(BAD_PARAMS, "params are nested too deep") from None
        if method in FOR_GOOD:
            cache = self._for_good
        elif method in BY_BLOCK and self._is_of_newest(method, params):
            cache = self._cache
        else:
            _take(allow)
            return _put(method, params, batch)
        if (known := cache.get(key)) is None:
            _take(allow)
            known = _put(method, params, batch)
            cache.put(key, known)
        return known

    async def _send(self, batch: Batch) -> None:
        """Asks the node for a batch, which is one visitor's: nobody waits for what another one asks."""
        try:
            answers = await self._ask_node([call for call, _ in batch])
            for (call, _), response in zip(batch, answers, strict=True):
                if call["method"] in SHOW_A_BLOCK and not isinstance(response, RefusedError):
                    self._saw(response)
            for (_, future), response in zip(batch, answers, strict=True):
                if isinstance(response, RefusedError):
                    future.set_exception(response)
                else:
                    future.set_result(Answer.of(response))
        except BaseException as error:
            refused = error if isinstance(error, RefusedError) else RefusedError("no_node", NO_NODE)
            for _, future in batch:
                if not future.done():
                    future.set_exception(refused)
            if refused is not error:
                raise

    async def _ask_node(self, calls: list[Call]) -> Sequence[Call | RefusedError]:
        async with self._gate:
            return await self._upstream(calls)

    async def _look(self) -> None:
        """Learns of a new block: what was read before it is read anew."""
        if time.monotonic() - self._head_at < HEAD_SECONDS:
            return
        self._head_at = time.monotonic()
        try:
            [answer] = await self._ask_node([_call(1, "eth_getBlockByNumber", [NEWEST, False])])
            if isinstance(answer, RefusedError):
                raise answer
        except RefusedError:
            self._head_at = 0.0
            raise
        block = answer.get("result")
        if isinstance(block, dict):
            self._is_at(int(block["number"], 16), block["hash"])

    def _saw(self, answer: Call) -> None:
        """Who was shown a transaction in a block reads on in that block, not in the one before."""
        result = answer.get("result")
        if isinstance(result, dict) and isinstance(result.get("blockNumber"), str):
            number = int(result["blockNumber"], 16)
            if number > self._head:
                self._is_at(number, result.get("blockHash") or "")

    def _is_at(self, head: int, block_hash: str) -> None:
        if (head, block_hash) != (self._head, self._hash):
            self._head, self._hash = head, block_hash
            self._cache.clear()

    def _is_of_newest(self, method: str, params: list) -> bool:
        """Whether an answer holds until the next block."""
        if method == "eth_getLogs":  # of blocks that there are: all phones ask for the same ones
            return all(str(params[0].get(name, NEWEST)).startswith("0x") for name in ("fromBlock", "toBlock")) and (
                params[0].get("blockHash") is None and self._number(params[0]["toBlock"]) <= self._head
            )
        return _is_newest(method, params)


def _call(number: int, method: str, params: list) -> Call:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def _take(allow: Callable[[int], bool]) -> None:
    """Raises CallError where a visitor has had enough."""
    if not allow(1):
        raise CallError(LIMITED, "too many requests: rate limit, try again in a second")


def _put(method: str, params: list, batch: Batch) -> asyncio.Future[Answer]:
    """Puts a call into a batch; its answer, when it is there."""
    future = asyncio.get_running_loop().create_future()
    batch.append((_call(len(batch) + 1, method, params), future))
    return future


def _id_of(call: Any) -> Any:
    number = call.get("id") if isinstance(call, dict) else None
    return number if isinstance(number, str | int | float) else None


def _is_newest(method: str, params: list) -> bool:
    """Whether a call asks for the newest block, whose answer holds until the next one."""
    if method in ("eth_gasPrice", "eth_maxPriorityFeePerGas", "eth_blockNumber"):
        return True
    place = 0 if method == "eth_getBlockByNumber" else 1
    return len(params) <= place or params[place] == NEWEST


def _quantity(value: Any, what: str) -> int:
    try:
        return int(value, 16)
    except (TypeError, ValueError):
        raise CallError(BAD_PARAMS, f"{what}: a number as 0x and hexadecimal digits") from None


class HttpNode:
    """A node behind an HTTP URL."""

    def __init__(self, url: str):
        self._url, self._session, self._takes_batches = url, None, True

    async def __call__(self, calls: list[Call]) -> list[Call | RefusedError]:
        """The node's answers, and a refusal in the place of each that is missing or makes no sense: others wait for the
        rest. Raises RefusedError where it does not answer."""
        if len(calls) > 1 and self._takes_batches:
            answers = await self._post(calls)
            if isinstance(answers, list):
                by_number = {str(answer.get("id")): answer for answer in answers if isinstance(answer, dict)}
                return [_checked_answer(call, by_number.get(str(call["id"]))) for call in calls]
            self._takes_batches = False  # it refuses all of it as one
        answers = await asyncio.gather(*map(self._post, calls))
        return [_checked_answer(call, answer) for call, answer in zip(calls, answers, strict=True)]

    async def _post(self, body: Any) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=NODE_SECONDS), connector=aiohttp.TCPConnector(limit=AT_ONCE)
            )
        try:
            async with self._session.post(self._url, json=body) as answer:
                return orjson.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError, ValueError):
            raise RefusedError("no_node", NO_NODE) from None

    async def close(self) -> None:
        """Ends the connections."""
        if self._session is not None:
            await self._session.close()


def _checked_answer(call: Call, answer: Any) -> Call | RefusedError:
    """The same answer, or a refusal where it is none that the call can have."""
    if answer is None:
        return RefusedError("no_node", NO_NODE)
    if fault := fault_of(call["method"], call["params"], answer):
        log.warning("the node's answer to %s makes no sense: %s", call["method"], fault)
        return RefusedError("no_node", NO_SENSE)
    return answer
