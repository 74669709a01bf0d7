"""What phones may ask of the chain's node, and how often it is asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from eth_account import Account

from tessera.club.refusals import RefusedError
from tessera.club.rpc import METHODS, MOST_BLOCKS, MOST_GAS, Answer, Cache, HttpNode, Proxy

CONTRACT, OTHER = "0x" + "aA" * 20, "0x" + "22" * 20
CHAIN_ID = 1337


class ChainNode:
    """A node that answers with its block's number, and counts what it is asked."""

    def __init__(self):
        self.block, self.asked, self.requests = 5, [], 0
        self.down = False

    async def __call__(self, calls: list[dict]) -> list[dict]:
        await asyncio.sleep(0)
        if self.down:
            raise RefusedError("no_node", "down")
        self.requests += 1
        return [self.answer(call["method"], call["params"]) for call in calls]

    def answer(self, method: str, params: list) -> dict:
        self.asked.append((method, params))
        if method == "eth_getBlockByNumber":
            return {"result": {"number": hex(self.block), "hash": f"0x{self.block:064x}"}}
        if method == "eth_getTransactionReceipt":
            return {"result": {"blockNumber": hex(self.block), "blockHash": f"0x{self.block:064x}"}}
        return {"result": hex(self.block)}


@pytest.fixture
def chain() -> ChainNode:
    return ChainNode()


@pytest.fixture
def ask(chain, monkeypatch):
    """`ask(method, *params)`: what a proxy before this node answers; a list of calls is a batch."""
    proxy = Proxy(chain, CHAIN_ID, [CONTRACT])
    monkeypatch.setattr("tessera.club.rpc.HEAD_SECONDS", 0)
    loop = asyncio.new_event_loop()

    def run(method, *params, allow=lambda count: True):
        calls = method if isinstance(method, list) else {"id": 7, "method": method, "params": list(params)}
        return json.loads(loop.run_until_complete(proxy.answer(json.dumps(calls).encode(), allow)))

    run.proxy = proxy
    yield run
    loop.close()


def asked(chain, method: str) -> int:
    return sum(name == method for name, _ in chain.asked)


FORBIDDEN = """
anvil_setBalance anvil_mine evm_snapshot eth_sendTransaction eth_sign eth_accounts personal_sign debug_traceCall
eth_getStorageAt eth_newFilter eth_subscribe txpool_content eth_getProof eth_createAccessList eth_callMany
"""


@pytest.mark.parametrize("method", FORBIDDEN.split())
def test_methods_that_are_not_named_do_not_reach_the_node(chain, ask, method):
    assert method not in METHODS
    assert ask(method)["error"]["code"] == -32601
    assert asked(chain, method) == 0


CALL = {"to": CONTRACT, "data": "0x01"}
OVERRIDE = {CONTRACT: {"code": "0x60"}}
NEAR, FAR = hex(1 + MOST_BLOCKS - 1), hex(1 + MOST_BLOCKS)
FIRST = hex(1)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_call", []),
        ("eth_call", ["0x"]),
        ("eth_call", [{"data": "0x60"}, "latest"]),  # code of the caller's own
        ("eth_call", [{"to": OTHER, "data": "0x01"}, "latest"]),
        ("eth_call", [CALL, "latest", OVERRIDE]),
        ("eth_call", [CALL, "latest", {}, {"number": "0x1"}]),
        ("eth_call", [{**CALL, "accessList": []}, "latest"]),
        ("eth_call", [{**CALL, "authorizationList": []}, "latest"]),
        ("eth_call", [{**CALL, "gas": "many"}, "latest"]),
        ("eth_estimateGas", [{"to": OTHER}]),
        ("eth_getLogs", []),
        ("eth_getLogs", [{"fromBlock": FIRST, "toBlock": FIRST}]),  # of any contract
        ("eth_getLogs", [{"address": [CONTRACT, OTHER], "fromBlock": FIRST, "toBlock": FIRST}]),
        ("eth_getLogs", [{"address": [], "fromBlock": FIRST, "toBlock": FIRST}]),
        ("eth_getLogs", [{"address": CONTRACT, "fromBlock": FIRST, "toBlock": FAR}]),
        ("eth_getLogs", [{"address": CONTRACT, "fromBlock": "earliest", "toBlock": "latest"}]),
        ("eth_getLogs", [{"address": CONTRACT, "fromBlock": 1, "toBlock": 2}]),
        ("eth_getBlockByNumber", ["latest", True]),
        ("eth_getBlockByNumber", []),
        ("eth_feeHistory", ["0x400", "latest", [50]]),
        ("eth_feeHistory", []),
        ("eth_sendRawTransaction", []),
        ("eth_sendRawTransaction", ["0x"]),
        ("eth_sendRawTransaction", ["0x02"]),
        ("eth_sendRawTransaction", ["0x" + "00" * 8_193]),
        ("eth_sendRawTransaction", [["0x02"]]),
        ("eth_getBalance", {"address": CONTRACT}),
    ],
)
def test_refuses_what_is_out_of_bounds_at_its_place_and_answers_the_rest(chain, ask, method, params):
    answers = ask([{"id": 1, "method": method, "params": params}, {"id": 2, "method": "eth_chainId"}])
    assert answers[0]["error"]["code"] in (-32602, -32005)
    assert (answers[1]["id"], answers[1]["result"]) == (2, "0x5")
    assert {name for name, _ in chain.asked} <= {"eth_getBlockByNumber", "eth_chainId"}


def test_a_call_has_at_most_so_much_gas(chain, ask):
    ask("eth_call", {**CALL, "gas": "0xffffffff"}, "latest")
    ask("eth_call", {**CALL, "gas": "0x5208"}, "pending")
    ask("eth_estimateGas", CALL)
    gas = [params[0]["gas"] for method, params in chain.asked if method in ("eth_call", "eth_estimateGas")]
    assert gas == [hex(MOST_GAS), "0x5208", hex(MOST_GAS)]


def test_logs_of_a_bounded_range_are_read(chain, ask):
    wanted = {"address": CONTRACT.lower(), "fromBlock": FIRST, "toBlock": NEAR}
    assert ask("eth_getLogs", wanted)["result"] == "0x5"


def signed(chain_id: int | None) -> str:
    fields = {"nonce": 0, "to": OTHER, "value": 1, "gas": 21_000}
    fields |= (
        {"gasPrice": 1} if chain_id is None else {"maxFeePerGas": 1, "maxPriorityFeePerGas": 1, "chainId": chain_id}
    )
    return Account.from_key(b"\1" * 32).sign_transaction(fields).raw_transaction.to_0x_hex()


def test_a_signed_transaction_of_this_chain_is_handed_on_and_no_other(chain, ask):
    assert "result" in ask("eth_sendRawTransaction", signed(CHAIN_ID))
    assert ask("eth_sendRawTransaction", signed(1))["error"]["code"] == -32602
    assert ask("eth_sendRawTransaction", signed(None))["error"]["code"] == -32602  # good on any chain
    assert asked(chain, "eth_sendRawTransaction") == 1


def test_what_all_phones_ask_within_a_block_is_asked_once(chain, ask):
    for _ in range(12):
        ask([{"id": 1, "method": "eth_call", "params": [CALL, "latest"]}, {"id": 2, "method": "eth_gasPrice"}])
    ask([{"id": number, "method": "eth_call", "params": [CALL, "latest"]} for number in range(50)])
    assert (asked(chain, "eth_call"), asked(chain, "eth_gasPrice")) == (1, 1)
    chain.block = 6
    assert ask("eth_call", CALL, "latest")["result"] == "0x6"
    assert asked(chain, "eth_call") == 2


def test_who_was_shown_a_receipt_reads_on_in_its_block(chain, ask, monkeypatch):
    assert ask("eth_getBalance", OTHER, "latest")["result"] == "0x5"
    monkeypatch.setattr("tessera.club.rpc.HEAD_SECONDS", 1_000)  # the node is not asked for its block
    chain.block = 6
    ask("eth_getTransactionReceipt", "0x" + "00" * 32)
    assert ask("eth_getBalance", OTHER, "latest")["result"] == "0x6"


def test_a_block_that_the_chain_took_back_is_forgotten(chain, ask):
    ask("eth_getBalance", OTHER, "latest")
    answer = chain.__class__.__call__

    async def other_hash(self, calls):
        answers = await answer(self, calls)
        if calls[0]["method"] == "eth_getBlockByNumber":
            answers[0]["result"]["hash"] = "0x" + "ff" * 32
        return answers

    chain.__class__ = type("Reorged", (ChainNode,), {"__call__": other_hash})
    ask("eth_getBalance", OTHER, "latest")
    assert asked(chain, "eth_getBalance") == 2


def test_what_waits_to_be_mined_and_who_sent_what_are_never_cached(chain, ask):
    for _ in range(3):
        ask("eth_getTransactionCount", OTHER, "pending")
        ask("eth_getTransactionReceipt", "0x" + "00" * 32)
        ask("eth_getLogs", {"address": CONTRACT, "fromBlock": FIRST, "toBlock": "latest"})
    assert asked(chain, "eth_getTransactionCount") == asked(chain, "eth_getTransactionReceipt") == 3
    assert asked(chain, "eth_getLogs") == 3


def test_logs_of_blocks_that_there_are_are_asked_once_for_all_phones(chain, ask):
    wanted = {"address": CONTRACT, "fromBlock": FIRST, "toBlock": hex(5)}
    for _ in range(12):
        ask("eth_getLogs", wanted)
        ask("eth_getLogs", {**wanted, "toBlock": hex(6)})  # which may be there soon
    assert [params[0]["toBlock"] for method, params in chain.asked if method == "eth_getLogs"].count(hex(5)) == 1
    assert asked(chain, "eth_getLogs") == 1 + 12
    chain.block = 6
    ask("eth_getLogs", wanted)
    assert asked(chain, "eth_getLogs") == 1 + 12 + 1  # another block: what is before it may be another, too


def test_what_one_phone_asks_at_once_is_one_request_to_the_node(chain, ask):
    ask("eth_chainId")
    before = chain.requests
    balances = [{"id": number, "method": "eth_getBalance", "params": [f"0x{number:040x}"]} for number in range(20)]
    answers = ask([*balances, {"id": 99, "method": "eth_sign"}, {"id": 100, "method": "eth_chainId"}])
    assert [answer["id"] for answer in answers] == [*range(20), 99, 100]
    assert [answer.get("result") for answer in answers] == ["0x5"] * 20 + [None, "0x5"]
    assert chain.requests - before == 2  # for the newest block, and for all the rest


def test_a_block_that_pages_are_told_of_is_the_newest_at_once(chain, ask, monkeypatch):
    """A page that was told of a block and asked at once was answered as of the one before, and looked no more."""
    assert ask("eth_getBalance", OTHER, "latest")["result"] == "0x5"
    monkeypatch.setattr("tessera.club.rpc.HEAD_SECONDS", 1_000)  # the node is not asked for its block
    chain.block = 6
    assert ask("eth_getBalance", OTHER, "latest")["result"] == "0x5"
    ask.proxy.learns_of(6, f"0x{6:064x}")
    assert ask("eth_getBalance", OTHER, "latest")["result"] == "0x6"
    ask.proxy.learns_of(4, f"0x{4:064x}")  # an index may be behind
    assert ask("eth_getBalance", OTHER, "latest")["result"] == "0x6"
    assert asked(chain, "eth_getBalance") == 2


def test_refuses_what_is_nested_too_deep_and_answers_the_rest(chain, ask):
    deep: list = []
    for _ in range(300):
        deep = [deep]
    answers = ask([{"id": 1, "method": "eth_getBalance", "params": deep}, {"id": deep, "method": "eth_chainId"}])
    assert (answers[0]["error"]["code"], answers[1]) == (-32602, {"jsonrpc": "2.0", "id": None, "result": "0x5"})


@asynccontextmanager
async def node_that(answer: Callable[[Any], Any], seconds: float = 0.0) -> AsyncIterator[HttpNode]:
    """A node over HTTP that answers so to each body, after so many seconds."""

    async def handle(request: web.Request) -> web.Response:
        await asyncio.sleep(seconds)
        return web.json_response(answer(await request.json()))

    app = web.Application()
    app.router.add_post("/", handle)
    async with TestServer(app) as server:
        node = HttpNode(str(server.make_url("/")))
        try:
            yield node
        finally:
            await node.close()


def by_method(results: dict, otherwise: Any, *, batches: bool) -> Callable[[Any], Any]:
    """What a node answers that has these results of methods; `batches`: it takes several calls at once."""

    def answer(asked: Any) -> Any:
        if isinstance(asked, list):
            refusal = {"id": None, "error": {"code": -32600, "message": "one by one"}}
            return [answer(call) for call in asked] if batches else refusal
        return {"jsonrpc": "2.0", "id": asked["id"], "result": results.get(asked["method"], otherwise)}

    return answer


@pytest.fixture
def served():
    """`served(answer, calls)`: what HttpNode makes of a node that answers so to each body, and the bodies."""

    def ask(answer, calls: list[dict]) -> tuple[list[dict], list]:
        bodies: list = []

        def heard(body: Any) -> Any:
            bodies.append(body)
            return answer(body)

        async def go() -> list[dict]:
            async with node_that(heard) as node:
                await node(calls)
                answers = await node(calls)
            for each in answers:
                if isinstance(each, RefusedError):
                    raise each
            return answers

        return asyncio.run(go()), bodies

    return ask


CALLS = [{"jsonrpc": "2.0", "id": number, "method": "eth_getBalance", "params": []} for number in (1, 2, 3)]


def one(call: dict) -> dict:
    return {"id": call["id"], "result": hex(call["id"])}


def test_a_node_is_asked_for_many_at_once_and_may_answer_in_any_order(served):
    answers, bodies = served(lambda body: [one(call) for call in reversed(body)], CALLS)
    assert [answer["result"] for answer in answers] == ["0x1", "0x2", "0x3"]
    assert bodies == [CALLS, CALLS]


def test_a_node_that_takes_no_batches_is_asked_one_by_one(served):
    refusal = {"id": None, "error": {"code": -32600, "message": "batches are not for free"}}
    answers, bodies = served(lambda body: refusal if isinstance(body, list) else one(body), CALLS)
    assert [answer["result"] for answer in answers] == ["0x1", "0x2", "0x3"]
    assert sum(isinstance(body, list) for body in bodies) == 1


@pytest.mark.parametrize("answer", [lambda body: body[:2] and [one(call) for call in body[:2]], lambda body: [7, 7, 7]])
def test_a_node_that_leaves_answers_out_gives_none(served, answer):
    with pytest.raises(RefusedError) as refused:
        served(answer, CALLS)
    assert refused.value.code == "no_node"


def test_over_the_limit_a_call_is_refused_and_cached_answers_still_come(chain, ask):
    ask("eth_gasPrice")
    answers = ask(
        [{"id": 1, "method": "eth_gasPrice"}, {"id": 2, "method": "eth_getBalance", "params": [OTHER, "latest"]}],
        allow=lambda count: False,
    )
    assert answers[0]["result"] == "0x5"
    assert answers[1]["error"]["code"] == -32005
    assert ask("eth_getBalance", OTHER, "latest")["result"] == "0x5"  # the refusal was not kept


def test_a_batch_of_signed_transactions_over_the_limit_costs_the_node_no_work(chain, ask, monkeypatch):
    # Half a millisecond each: fifty batches a second of one address kept two processors busy, and the loop that all
    # others wait for with them.
    read = []
    check = Proxy._check_raw
    monkeypatch.setattr(Proxy, "_check_raw", lambda proxy, raw: read.append(raw) or check(proxy, raw))
    left = iter([True, True])
    call = {"id": 1, "method": "eth_sendRawTransaction", "params": [signed(CHAIN_ID)]}
    wrong = {**call, "params": [signed(1)]}
    answers = ask([call, wrong, *[wrong] * 97, call], allow=lambda count: next(left, False))
    assert "result" in answers[0]
    assert [answer["error"]["code"] for answer in answers[1:]] == [-32602] + [-32005] * 98
    assert len(read) == 2
    assert asked(chain, "eth_sendRawTransaction") == 1


def test_a_hundred_copies_of_a_large_answer_are_not_sent(chain, ask, monkeypatch):
    # It takes one call of the node, and was 100 MB for logs of 1 MB: 32 such requests at once are all the memory.
    monkeypatch.setattr("tessera.club.rpc.MOST_ANSWER", 100_000)
    answer, large = chain.answer, {"result": "0x" + "00" * 20_000}
    monkeypatch.setattr(
        chain, "answer", lambda method, params: large if method == "eth_call" else answer(method, params)
    )
    calls = [{"id": number, "method": "eth_call", "params": [CALL, "latest"]} for number in range(100)]
    answers = ask(calls)
    assert [answer["id"] for answer in answers] == list(range(100))
    whole = [answer for answer in answers if "result" in answer]
    assert len(whole) == 3  # of 40,000 bytes each, which is more than 100,000
    assert {answer["error"]["code"] for answer in answers[3:]} == {-32005}
    assert len(ask("eth_call", CALL, "latest")["result"]) == 40_002


@pytest.mark.parametrize(("calls", "code"), [([], "too_large"), ([{}] * 101, "too_large")])
def test_a_batch_has_1_to_100_calls(ask, calls, code):
    with pytest.raises(RefusedError) as refused:
        ask(calls)
    assert refused.value.code == code


@pytest.mark.parametrize("call", [{}, {"id": 1}, 5, None, "eth_call", {"method": 5}])
def test_refuses_what_is_no_call(ask, call):
    assert ask([call])[0]["error"]["code"] == -32600


def test_a_node_that_is_away_is_asked_again_when_it_is_back(chain, ask):
    chain.down = True
    with pytest.raises(RefusedError) as refused:
        ask("eth_gasPrice")
    assert refused.value.code == "no_node"
    chain.down = False
    assert ask("eth_gasPrice")["result"] == "0x5"


def test_over_http_a_request_is_json_and_not_too_large(world):
    headers = {"Content-Type": "application/json"}
    assert world.client.post("/rpc", content=b"[", headers=headers).json()["code"] == "bad_request"
    assert world.client.post("/rpc", content=b"{}").json()["code"] == "not_json"
    assert world.client.post("/rpc", content=b" " * 256_001, headers=headers).status_code == 413


def test_what_is_kept_has_so_many_bytes_and_not_so_many_answers(chain, ask, monkeypatch):
    # It was 5,000 answers of any size: of logs of 8 MB each, 40 GB.
    most = 100_000
    monkeypatch.setattr("tessera.club.rpc.MOST_CACHED", most)
    answer, large = chain.answer, {"result": "0x" + "00" * 20_000}

    def answer_large(method: str, params: list) -> dict:
        small = answer(method, params)
        return large if method == "eth_call" else small

    monkeypatch.setattr(chain, "answer", answer_large)
    for number in range(10):
        ask("eth_call", {**CALL, "data": hex(number)}, "latest")
        assert ask.proxy._cache.size <= most
    assert len(ask.proxy._cache._answers) == 2  # of 40,000 bytes each
    assert asked(chain, "eth_call") == 10
    ask("eth_call", {**CALL, "data": hex(9)}, "latest")
    assert asked(chain, "eth_call") == 10
    ask("eth_call", {**CALL, "data": hex(0)}, "latest")
    assert asked(chain, "eth_call") == 11
    ask("eth_getBalance", "0x" + "00" * most, "latest")  # what is asked for counts, too
    assert ask.proxy._cache.size <= most
    chain.block = 6
    ask("eth_gasPrice")
    assert ask.proxy._cache.size < 1_000


@pytest.mark.parametrize("has_failed", [True, False])
def test_what_has_just_come_and_goes_again_is_counted_as_it_was(monkeypatch, has_failed):
    """An answer is counted a moment after it is there: an error was raised at whoever asked for something else then."""
    monkeypatch.setattr("tessera.club.rpc.MOST_CACHED", 100)

    async def scene():
        cache, come, coming = Cache(), *(asyncio.get_running_loop().create_future() for _ in range(2))
        cache.put(("eth_call", b"1"), come)
        if has_failed:
            come.set_exception(RefusedError("no_node", "away"))
        else:
            come.set_result(Answer.of({"result": "0x" + "00" * 20}))
        cache.put(("eth_call", b"2" * 100), coming)
        assert cache.size == 100
        await asyncio.sleep(0)
        assert (cache.size, cache.get(("eth_call", b"1"))) == (100, None)
        coming.cancel()
        await asyncio.sleep(0)
        assert cache.size == 0
        return come.exception()

    asyncio.run(scene())


def test_an_answer_that_is_not_kept_takes_no_room(chain, ask, monkeypatch):
    monkeypatch.setattr(
        chain, "answer", lambda method, params: {"error": {"code": -32000, "message": "x" * 1_000, "data": params[:0]}}
    )
    ask.proxy.learns_of(5, "0x05")
    monkeypatch.setattr("tessera.club.rpc.HEAD_SECONDS", 1_000)
    for number in range(20):
        assert "error" in ask("eth_getBalance", f"0x{number:040x}", "latest")
    assert (ask.proxy._cache.size, len(ask.proxy._cache._answers)) == (0, 0)


def test_what_never_changes_is_kept_once_whatever_is_said_with_it(chain, ask):
    # Each request with other parameters was kept for good: 256 kB a request, until there was no memory left.
    for number in range(20):
        assert ask("eth_chainId", str(number) * 1_000)["result"] == "0x5"
        ask("net_version", number)
    assert (asked(chain, "eth_chainId"), asked(chain, "net_version")) == (1, 1)
    assert ask.proxy._for_good.size < 100
    assert ("eth_chainId", []) in chain.asked


HASH = "0x" + "11" * 32
GOOD_BLOCK = {"number": "0x5", "hash": HASH, "timestamp": "0x10", "baseFeePerGas": "0x7"}
RECEIPT = {"transactionHash": HASH, "blockNumber": "0x5", "gasUsed": "0x1", "logs": [], "blockHash": HASH}
MALFORMED = {
    "a block without its number": ("eth_getBlockByNumber", {**GOOD_BLOCK, "number": None}),
    "a block without its hash": ("eth_getBlockByNumber", {**GOOD_BLOCK, "hash": None}),
    "no newest block": ("eth_getBlockByNumber", None),
    "a block of nothing": ("eth_getBlockByNumber", {}),
    "a block that is a number": ("eth_getBlockByNumber", 5),
    "a block that is a list": ("eth_getBlockByNumber", [GOOD_BLOCK]),
    "a number that is none": ("eth_getBlockByNumber", {**GOOD_BLOCK, "number": "five"}),
    "a number without 0x": ("eth_getBlockByNumber", {**GOOD_BLOCK, "number": 5}),
    "a time that is none": ("eth_getBlockByNumber", {**GOOD_BLOCK, "timestamp": {}}),
    "a fee that is none": ("eth_getBlockByNumber", {**GOOD_BLOCK, "baseFeePerGas": "dear"}),
    "a receipt in no block": ("eth_getTransactionReceipt", {**RECEIPT, "blockNumber": None}),
    "a receipt in a block that is none": ("eth_getTransactionReceipt", {**RECEIPT, "blockNumber": "latest"}),
    "a receipt that is a text": ("eth_getTransactionReceipt", "0x"),
    "a transaction in a block that is none": (
        "eth_getTransactionByHash",
        {"hash": HASH, "nonce": "0x0", "input": "0x", "blockNumber": []},
    ),
    "a balance that is none": ("eth_getBalance", None),
    "logs that are none": ("eth_getLogs", {"logs": []}),
    "fees that are none": ("eth_feeHistory", {"baseFeePerGas": "0x1"}),
}
PARAMS = {
    "eth_getBlockByNumber": ["latest", False],
    "eth_getBalance": [OTHER, "latest"],
    "eth_getLogs": [{"address": CONTRACT, "fromBlock": "0x1", "toBlock": "0x1"}],
    "eth_feeHistory": ["0x5", "latest", [50]],
}


@pytest.fixture
def through():
    """`through(results, batches)`: what a club answers to a call of each method that is named, where the chain's node
    has these results; `batches`: it takes several calls at once."""

    def ask(results: dict, *, batches: bool = True) -> bytes:
        async def go() -> bytes:
            async with node_that(by_method(results, GOOD_BLOCK, batches=batches)) as node:
                calls = [{"id": 1, "method": name, "params": PARAMS.get(name, [HASH])} for name in results]
                return await Proxy(node, CHAIN_ID, [CONTRACT]).answer(json.dumps(calls).encode())

        return asyncio.run(go())

    return ask


@pytest.mark.parametrize("batches", [True, False])
@pytest.mark.parametrize("name", MALFORMED)
def test_an_answer_of_the_node_that_makes_no_sense_is_502_and_a_sentence(through, name, batches):
    # Of a block whose number was null it was 500 and a trace.
    method, result = MALFORMED[name]
    with pytest.raises(RefusedError) as refused:
        through({"eth_getTransactionReceipt": RECEIPT, method: result}, batches=batches)
    assert (refused.value.code, refused.value.status) == ("no_node", 502)
    assert "makes no sense" in str(refused.value)


@pytest.mark.parametrize("batches", [True, False])
def test_a_call_that_gets_an_answer_without_sense_takes_nobody_elses_along(batches):
    """A stranger asks for what all phones want to know of a new block, together with such a call: geth answers a
    history of no blocks with neither fees nor ratios. All phones were told 502 with it."""
    wanted = {"id": 1, "method": "eth_gasPrice"}
    odd = {"id": 2, "method": "eth_feeHistory", "params": ["0x0", "latest", []]}
    results = {"eth_getBlockByNumber": GOOD_BLOCK, "eth_blockNumber": "0x5", "eth_gasPrice": "0x7"}
    none = {"oldestBlock": "0x0", "gasUsedRatio": None}

    async def go() -> list:
        async with node_that(by_method(results, none, batches=batches), 0.05) as node:  # the others ask meanwhile
            proxy = Proxy(node, CHAIN_ID, [CONTRACT])
            await proxy.answer(json.dumps({"id": 0, "method": "eth_blockNumber"}).encode())
            asked = ([wanted, odd], wanted)
            return await asyncio.gather(
                *(proxy.answer(json.dumps(calls).encode()) for calls in asked), return_exceptions=True
            )

    stranger, friend = asyncio.run(go())
    assert isinstance(stranger, RefusedError)
    assert json.loads(friend)["result"] == "0x7"


def test_answers_that_make_sense_are_passed_on(through):
    waiting = {"hash": HASH, "nonce": "0x0", "input": "0x", "blockNumber": None, "blockHash": None}
    results = {"eth_getTransactionReceipt": None, "eth_getTransactionByHash": waiting, "eth_getLogs": []}
    assert [answer["result"] for answer in json.loads(through(results))] == [None, waiting, []]


@pytest.mark.parametrize("answer", [[], {}, {"id": {}}, [{"id": []}], [[]], {"result": 1, "error": {}}])
def test_a_node_that_answers_with_something_else_is_502(served, answer):
    with pytest.raises(RefusedError) as refused:
        served(lambda body: answer, CALLS)
    assert refused.value.code == "no_node"
