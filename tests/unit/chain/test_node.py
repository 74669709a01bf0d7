"""The way to a node: what is tried again, what never is, and that all else is one kind of error."""

from types import SimpleNamespace

import pytest
import requests
from web3 import HTTPProvider, Web3
from web3.providers import BaseProvider

from tessera.chain import NodeError, Tessera, Wallet, prepared
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.errors import ArgumentError, ChainError, NodeRefusedError, Reverted, calling
from tessera.chain.node import LAG_PATIENCE, LATEST, LONGEST_PAUSE, balances, connect
from tests.habits import FAILURES, within

BLOCK = {"number": "0x5", "hash": "0x" + "11" * 32, "timestamp": "0x10", "extraData": "0x" + "ab" * 97}


class Scripted(BaseProvider):
    """Answers one after another; an exception is raised, what is no answer is sent as a result."""

    def __init__(self, *answers):
        super().__init__()
        self.answers, self.asked = list(answers), []

    def make_request(self, method, params):
        self.asked.append(method)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        raw = isinstance(answer, tuple)
        return answer[0] if raw else {"jsonrpc": "2.0", "id": 1, "result": answer}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """What was waited for, in place of the waiting."""
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    # That module's alone: threads of others sleep as ever.
    monkeypatch.setattr("tessera.chain.node.time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    return clock


def node(*answers, **options) -> Web3:
    return prepared(Web3(Scripted("0x1", *answers)), **options)


def refusal(code, message, **more):
    return ({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message, **more}},)


PASSING = [
    ConnectionError("reset by peer"),
    requests.ConnectionError("reset by peer"),
    requests.Timeout("30 seconds"),
    ValueError("Could not decode '<html>'"),
    None,
    "0x",
    "0xzz",
    ["0x1"],
    ("[]",),
    ({"jsonrpc": "2.0", "id": 1},),
    ({"jsonrpc": "2.0", "id": 1, "error": "busy"},),
    ({"jsonrpc": "2.0", "id": 1, "error": {"code": "-1", "message": "busy"}},),
    refusal(-32005, "limit exceeded"),
    refusal(-32603, "internal error"),
    refusal(-32000, "header not found"),
    refusal(-32000, "execution aborted (timeout = 5s)"),
    refusal(429, "Too Many Requests"),
]


@pytest.mark.parametrize("failure", PASSING, ids=str)
def test_a_read_that_fails_once_is_tried_again(failure):
    web3 = node(failure, "0x7")
    assert web3.eth.chain_id == 1
    assert web3.eth.gas_price == 7


@pytest.mark.parametrize("failure", PASSING, ids=str)
def test_a_read_that_goes_on_failing_is_a_node_error_in_time(failure, no_pauses):
    web3 = node(*[failure] * 100)
    assert web3.eth.chain_id == 1
    with pytest.raises(NodeError) as raised:
        _ = web3.eth.gas_price
    assert 10 < no_pauses[0] <= 20
    assert raised.value.method == "eth_gasPrice"
    assert not raised.value.may_be_sent


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_an_http_error_of_the_server_passes(status):
    response = requests.Response()
    response.status_code = status
    web3 = node(requests.HTTPError("no", response=response), "0x7")
    assert web3.eth.chain_id == 1
    assert web3.eth.gas_price == 7


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
def test_an_http_error_of_the_caller_does_not(status, no_pauses):
    response = requests.Response()
    response.status_code = status
    web3 = node(requests.HTTPError("no", response=response))
    assert web3.eth.chain_id == 1
    with pytest.raises(NodeError, match=f"HTTP {status} instead of an answer to eth_gasPrice"):
        _ = web3.eth.gas_price
    assert no_pauses == [0]


@pytest.mark.parametrize("failure", PASSING, ids=str)
def test_what_is_sent_is_sent_once(failure, no_pauses):
    web3 = node(failure)
    assert web3.eth.chain_id == 1
    with pytest.raises(NodeError) as raised:
        web3.eth.send_raw_transaction(b"\1")
    assert raised.value.may_be_sent != isinstance(raised.value, NodeRefusedError)
    assert web3.provider.asked == ["eth_chainId", "eth_sendRawTransaction"]
    assert no_pauses == [0]


@pytest.mark.parametrize("garbage", ["0x12", "done", 5, {"hash": "0x1"}, "0x" + "zz" * 32])
def test_a_garbage_answer_to_what_is_sent_is_told_as_such(garbage):
    """It was binascii.Error, or a hash that is none."""
    web3 = node(garbage)
    assert web3.eth.chain_id == 1
    with pytest.raises(NodeError, match="the node's answer to eth_sendRawTransaction makes no sense") as raised:
        web3.eth.send_raw_transaction(b"\1")
    assert raised.value.may_be_sent


@pytest.mark.parametrize("error", [requests.ConnectionError("refused"), ConnectionRefusedError("refused")])
def test_a_node_that_was_never_there_is_not_waited_for(error, no_pauses):
    web3 = prepared(Web3(Scripted(error)))
    with pytest.raises(NodeError) as raised:
        _ = web3.eth.chain_id
    assert (raised.value.connected, no_pauses) == (False, [0])


def test_a_refusal_that_will_not_change_is_handed_on_at_once(no_pauses):
    web3 = node(refusal(-32601, "the method eth_feeHistory does not exist"))
    assert web3.eth.chain_id == 1
    with pytest.raises(NodeRefusedError) as raised:
        web3.eth.fee_history(1, "latest")
    assert (raised.value.rpc_code, no_pauses) == (-32601, [0])


@pytest.mark.parametrize("error", [refusal(3, "execution reverted: lmsr: no"), refusal(-32603, "VM Exception: revert")])
def test_a_contract_s_refusal_is_no_failure_of_the_node(error, no_pauses):
    web3 = node(error)
    assert web3.eth.chain_id == 1
    with pytest.raises((Reverted, NodeRefusedError)), calling("f"):
        web3.eth.call({"to": "0x" + "11" * 20})
    assert no_pauses == [0]


@pytest.mark.parametrize(
    "broken",
    [
        {**BLOCK, "timestamp": None},
        {**BLOCK, "number": "five"},
        {"number": "0x5", "timestamp": "0x10"},
        "0x5",
        [BLOCK],
    ],
)
def test_a_block_of_wrong_types_is_asked_for_again(broken):
    """They were KeyError and TypeError somewhere later."""
    web3 = node(broken, BLOCK)
    assert web3.eth.chain_id == 1
    assert web3.eth.get_block("latest")["timestamp"] == 16


def test_97_bytes_of_extra_data_are_taken():
    web3 = node(BLOCK)
    assert web3.eth.chain_id == 1
    assert len(web3.eth.get_block("latest")["proofOfAuthorityData"]) == 97


@pytest.mark.parametrize("failure", [refusal(-32005, "block range too large"), None, requests.Timeout("30 s")], ids=str)
def test_logs_of_several_blocks_are_not_asked_for_again(failure, no_pauses):
    """Whoever reads them asks for fewer."""
    web3 = node(failure)
    assert web3.eth.chain_id == 1
    with pytest.raises(NodeError):
        web3.eth.get_logs({"fromBlock": 1, "toBlock": 2})
    assert no_pauses == [0]


@pytest.mark.parametrize("failure", [refusal(-32005, "rate limit"), ConnectionError("reset")], ids=str)
def test_logs_of_several_blocks_wait_for_a_rate_limit_or_a_connection(failure):
    web3 = node(failure, [])
    assert web3.eth.chain_id == 1
    assert web3.eth.get_logs({"fromBlock": 1, "toBlock": 2}) == []


def test_a_machine_that_is_behind_another_is_waited_for():
    web3 = node("0x9", "0x6", "0x6", "0x9", None, BLOCK)
    assert web3.eth.chain_id == 1
    assert [web3.eth.block_number, web3.eth.block_number] == [9, 9]
    assert web3.eth.get_block(9)["number"] == 5


def test_a_chain_that_became_shorter_is_believed_after_a_while(no_pauses):
    web3 = node("0x9", *["0x6"] * 50)
    assert web3.eth.chain_id == 1
    assert web3.eth.block_number == 9
    assert web3.eth.block_number == 6
    # The last pause before it is believed is at most the longest one.
    assert LAG_PATIENCE <= no_pauses[0] < LAG_PATIENCE + LATEST * LONGEST_PAUSE
    before = no_pauses[0]
    assert web3.eth.block_number == 6
    assert no_pauses[0] == before


def test_prepared_twice_is_prepared_once():
    web3 = prepared(prepared(Web3(Scripted("0x1"))), patience=5)
    assert len([layer for layer in web3.middleware_onion if "_Maker" in repr(layer)]) == 1
    assert web3.eth.chain_id == 1


@pytest.mark.parametrize("url", ["", "localhost:8545", "ws://x", "/tmp/geth.ipc"])
def test_what_is_no_url_is_said(url):
    with pytest.raises(ArgumentError, match="is no URL of a node"):
        connect(url)


def test_every_kind_of_failure_of_one_request_in_five_ends_well():
    """As a node with habits has them, the chain inside the process behind it."""
    web3 = prepared(embedded_web3(), patience=60)
    wallet = Wallet(web3, known_account(0))
    with within(web3, rate=0.2, failures=tuple(kind for kind in FAILURES if kind != "behind"), seed=3) as habits:
        for _ in range(200):
            assert web3.eth.get_balance(wallet.address) > 0
    assert set(habits.failed) == {"page", "null", "truncated", "refusal", "drop"}


def test_every_error_has_a_code():
    kinds = [ChainError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    own = [kind for kind in kinds if "code" not in vars(kind) and kind.__module__ == "tessera.chain.errors"]
    assert own == []


def test_a_given_web3_is_prepared():
    web3 = embedded_web3()
    Wallet(web3, known_account(0))
    assert "tessera reads" in web3.middleware_onion
    other = embedded_web3()
    with pytest.raises(ChainError):
        Tessera(other, type("Record", (), {"chain_id": 5})())
    assert "tessera reads" in other.middleware_onion


class Batching(HTTPProvider):
    """A node that knows balances, and answers batches as it is told to."""

    def __init__(self, broken=lambda answers: answers):
        super().__init__("http://node.example")
        self.broken, self.alone, self.batches = broken, [], []

    def make_request(self, method, params):
        self.alone.append(params[0])
        return {"jsonrpc": "2.0", "id": 1, "result": params[0][:4]}

    def make_batch_request(self, batch_requests):
        self.batches.append(len(batch_requests))
        return self.broken(
            [
                {"jsonrpc": "2.0", "id": number, "result": params[0][:4]}
                for number, (_, params) in enumerate(batch_requests)
            ]
        )


ACCOUNTS = [f"0x{number:02x}{'0' * 38}" for number in range(1, 251)]


def test_balances_of_many_are_asked_for_a_hundred_at_once():
    provider = Batching()
    assert balances(prepared(Web3(provider)), ACCOUNTS) == list(range(1, 251))
    assert (provider.batches, provider.alone) == ([100, 100, 50], [])


def _raised(error):
    raise error


@pytest.mark.parametrize(
    "broken",
    [
        lambda answers: _raised(requests.HTTPError("413")),
        lambda answers: _raised(ValueError("no JSON")),
        lambda answers: {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no batches"}},
        lambda answers: answers[:-1],
        lambda answers: [{**answer, "id": 1} for answer in answers],
        lambda answers: [{**answer, "id": None} for answer in answers],
        lambda answers: [None for _ in answers],
    ],
)
def test_where_a_batch_is_odd_each_is_asked_for_alone(broken):
    provider = Batching(broken)
    assert balances(prepared(Web3(provider)), ACCOUNTS[:3]) == [1, 2, 3]
    assert provider.alone == ACCOUNTS[:3]


@pytest.mark.parametrize(
    "fault", [{"error": {"code": -32005, "message": "limit"}}, {"result": None}, {"result": "nonsense"}, {"result": 7}]
)
def test_of_a_batch_what_is_odd_is_asked_for_alone(fault):
    def broken(answers):
        answers[1].pop("result")
        answers[1] |= fault
        return answers

    provider = Batching(broken)
    assert balances(prepared(Web3(provider)), ACCOUNTS[:3]) == [1, 2, 3]
    assert provider.alone == ACCOUNTS[1:2]


@pytest.mark.parametrize("name", ["number", "hash"])
def test_the_newest_block_has_a_number_and_a_hash(name):
    # It was a TypeError, for which nobody was prepared.
    web3 = node({**BLOCK, name: None}, patience=0)
    assert web3.eth.chain_id == 1
    with pytest.raises(NodeError, match="a block without number or hash"):
        web3.eth.get_block("latest")
    web3 = node({**BLOCK, name: None})
    assert web3.eth.chain_id == 1
    assert web3.eth.get_block("pending")[name] is None


def test_fees_that_make_no_sense_are_the_nodes_failure():
    web3 = node({"oldestBlock": "0x1", "baseFeePerGas": "0x1", "gasUsedRatio": []}, patience=0)
    assert web3.eth.chain_id == 1
    with pytest.raises(NodeError, match="baseFeePerGas"):
        web3.eth.fee_history(1, "latest")
