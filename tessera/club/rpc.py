"""The way of phones to the chain's node: named methods, bounded; what does not change within a block is asked for once.

Whoever serves phones asks a public node what all of them want to know once a block. What moves money is signed on the
phone; nothing here can make the node sign, mine or change its state, or work for strangers' contracts.
"""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from tessera.club.refusals import RefusedError

MOST_CALLS = 100  # of a batch
MOST_BYTES = 256_000  # of a request
MOST_GAS = 10_000_000
MOST_BLOCKS = 2_000  # of logs
MOST_HISTORY = 100  # blocks of fees
MOST_RAW = 8_192  # bytes of a signed transaction
MOST_CACHED = 5_000
NODE_SECONDS = 20
HEAD_SECONDS = 0.5  # that the newest block is taken for the newest
AT_ONCE = 32  # requests to the node
NO_METHOD, BAD_PARAMS, LIMITED = -32601, -32602, -32005

Call = dict[str, Any]
Upstream = Callable[[list[Call]], Awaitable[list[Call]]]
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
METHODS = BY_BLOCK | {
    *FOR_GOOD,
    "eth_getBlockByHash",
    "eth_getTransactionByHash",
    "eth_getTransactionReceipt",
    "eth_sendRawTransaction",
}


class CallError(Exception):
    """A call that is refused, with JSON-RPC's code."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code


class Proxy:
    """Passes calls on to a node. One event loop's."""

    def __init__(self, upstream: Upstream, chain_id: int, contracts: list[str]):
        """`contracts` are those that may be called, with or without their checksum."""
        self._upstream, self._chain_id = upstream, chain_id
        self._contracts = {contract.lower() for contract in contracts}
        self._cache: OrderedDict[str, asyncio.Future[Call]] = OrderedDict()
        self._head, self._hash, self._head_at = -1, "", 0.0
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def answer(self, body: bytes, allow: Callable[[int], bool] = lambda count: True) -> bytes:
        """The answers to a request, as JSON. `allow` says whether so many calls may go on to the node.

        Raises RefusedError where the request as a whole is none that can be answered.
        """
        try:
            asked = json.loads(body)
        except ValueError:
            raise RefusedError("bad_request", "The request is no JSON.") from None
        calls = asked if isinstance(asked, list) else [asked]
        if not calls or len(calls) > MOST_CALLS:
            raise RefusedError("too_large", f"A batch has 1 to {MOST_CALLS} calls.")
        await self._look()
        answers = await asyncio.gather(*(self._answer(call, allow) for call in calls))
        return json.dumps(answers if isinstance(asked, list) else answers[0]).encode()

    async def _answer(self, call: Any, allow: Callable[[int], bool]) -> Call:
        number = call.get("id") if isinstance(call, dict) else None
        try:
            method, params = self._checked(call)
            answer = await self._asked(method, params, allow)
        except CallError as error:
            answer = {"error": {"code": error.code, "message": str(error)}}
        return {"jsonrpc": "2.0", "id": number, **answer}

    def _checked(self, call: Any) -> tuple[str, list]:
        """A call's method and parameters as they go on to the node. Raises CallError."""
        if not isinstance(call, dict) or not isinstance(call.get("method"), str):
            raise CallError(-32600, "this is no call of JSON-RPC")
        method, params = call["method"], call.get("params") or []
        if method not in METHODS:
            raise CallError(NO_METHOD, f"this club's node does not answer {method[:60]}")
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
        if method == "eth_sendRawTransaction":
            self._check_raw(params[0] if params else None)
            return method, params[:1]
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

    async def _asked(self, method: str, params: list, allow: Callable[[int], bool]) -> Call:
        cached = method in FOR_GOOD or (method in BY_BLOCK and _is_newest(method, params))
        if not cached:
            answer = await self._ask(method, params, allow)
            if method.startswith("eth_getTransaction"):
                self._saw(answer)
            return answer
        key = json.dumps([method, params], sort_keys=True)
        known = self._cache.get(key)
        if known is None:
            known = asyncio.ensure_future(self._ask(method, params, allow))
            self._cache[key] = known
            while len(self._cache) > MOST_CACHED:
                self._cache.popitem(last=False)
        try:
            answer = await asyncio.shield(known)
        except BaseException:
            self._forget(key, known)
            raise
        if "error" in answer and method != "eth_call" and method != "eth_estimateGas":
            self._forget(key, known)
        return answer

    def _forget(self, key: str, known: asyncio.Future) -> None:
        if self._cache.get(key) is known:
            del self._cache[key]

    async def _ask(self, method: str, params: list, allow: Callable[[int], bool]) -> Call:
        if not allow(1):
            raise CallError(LIMITED, "too many requests: rate limit, try again in a second")
        async with self._gate:
            answers = await self._upstream([{"jsonrpc": "2.0", "id": 1, "method": method, "params": params}])
        answer = answers[0]
        return {"error": answer["error"]} if "error" in answer else {"result": answer.get("result")}

    async def _look(self) -> None:
        """Learns of a new block: what was read before it is read anew."""
        if time.monotonic() - self._head_at < HEAD_SECONDS:
            return
        self._head_at = time.monotonic()
        try:
            answer = await self._ask("eth_getBlockByNumber", [NEWEST, False], lambda count: True)
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
            for key in [key for key in self._cache if json.loads(key)[0] not in FOR_GOOD]:
                del self._cache[key]


def _is_newest(method: str, params: list) -> bool:
    """Whether a call asks for the newest block, whose answer holds until the next one."""
    if method == "eth_getLogs":
        return False
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
        self._url, self._session = url, None

    async def __call__(self, calls: list[Call]) -> list[Call]:
        """The node's answers. Raises RefusedError where it does not answer."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=NODE_SECONDS))
        try:
            async with self._session.post(self._url, json=calls[0]) as answer:
                answers = [await answer.json(content_type=None)]
        except (aiohttp.ClientError, TimeoutError, ValueError):
            raise RefusedError("no_node", "The chain's node does not answer. Try again in a moment.") from None
        if not all(isinstance(answer, dict) and ("result" in answer or "error" in answer) for answer in answers):
            raise RefusedError("no_node", "The chain's node does not answer. Try again in a moment.")
        return answers

    async def close(self) -> None:
        """Ends the connections."""
        if self._session is not None:
            await self._session.close()
