"""The node with habits does what tests rely on: each habit, and nothing without one."""

from json import JSONDecodeError

import pytest
from requests import ConnectionError as NoConnection
from web3 import Web3
from web3.exceptions import BadResponseFormat, BlockNotFound, ExtraDataLengthError, TransactionNotFound, Web3RPCError

from tessera.chain.embedded import embedded_web3, known_account
from tests.habits import FAILURES, within

NUMBER = "0x4360005260206000f3"  # code that answers the block number that contracts see


@pytest.fixture(scope="module")
def web3() -> Web3:
    web3 = embedded_web3()
    web3.provider.ethereum_tester.mine_blocks(10)
    return web3


def test_without_habits_nothing_changes(web3):
    plain = web3.eth.get_block("latest")
    with within(web3) as node:
        assert web3.eth.get_block("latest") == plain
        assert node.asked == {"eth_getBlockByNumber": 1}
        assert not node.failed


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        ("page", JSONDecodeError),
        ("truncated", JSONDecodeError),
        ("refusal", Web3RPCError),
        ("drop", NoConnection),
    ],
)
def test_every_request_fails_as_it_does_over_http(web3, failure, error):
    with within(web3, rate=1, failures=(failure,)) as node:
        with pytest.raises(error):
            web3.eth.get_balance(known_account(0).address)
        assert node.failed == {failure: 1}


def test_null_is_no_block(web3):
    with within(web3, rate=1, failures=("null",)), pytest.raises((BlockNotFound, BadResponseFormat)):
        web3.eth.get_block("latest")


def test_the_rate_is_a_share_of_the_requests_and_comes_again_from_its_seed(web3):
    def failed():
        with within(web3, rate=0.05, failures=FAILURES) as node:
            for _ in range(1000):
                try:
                    web3.eth.get_balance(known_account(0).address)
                except Exception:
                    continue
        return node.failed

    assert failed() == failed()
    assert 25 < sum(failed().values()) < 75
    assert set(failed()) == set(FAILURES)


def test_a_node_can_go_away_after_some_requests(web3):
    with within(web3, good=2, failures=("drop",)) as node:
        assert web3.eth.block_number == web3.eth.block_number
        with pytest.raises(NoConnection):
            web3.eth.block_number  # noqa: B018
        node.good = None
        assert web3.eth.block_number == 10


def test_only_some_methods_fail(web3):
    with within(web3, rate=1, failures=("drop",), methods=("eth_call",)):
        assert web3.eth.block_number == 10
        with pytest.raises(NoConnection):
            web3.eth.call({"data": NUMBER})


def test_a_machine_that_is_behind_knows_nothing_of_the_newest_blocks(web3):
    account = known_account(1)
    sent = web3.eth.send_transaction({"from": account.address, "to": account.address, "value": 1})
    newest = web3.eth.block_number
    with within(web3, behind=3):
        assert web3.eth.block_number == newest - 3
        assert web3.eth.get_block("latest")["number"] == newest - 3
        assert web3.eth.get_transaction_count(account.address) == 0
        with pytest.raises(BlockNotFound):
            web3.eth.get_block(newest)
        with pytest.raises(TransactionNotFound):
            web3.eth.get_transaction_receipt(sent)
    assert web3.eth.get_transaction_count(account.address) == 1


def test_logs_are_refused_above_a_range(web3):
    with within(web3, most_blocks=3):
        assert web3.eth.get_logs({"fromBlock": 1, "toBlock": 3}) == []
        with pytest.raises(Web3RPCError, match="max block range of 3"):
            web3.eth.get_logs({"fromBlock": 1, "toBlock": 4})


def test_blocks_of_a_chain_with_many_validators_have_97_bytes_of_extra_data(web3):
    with within(web3, extra_data=97), pytest.raises(ExtraDataLengthError):
        web3.eth.get_block("latest")


def test_contracts_see_another_block_number_than_the_node_says(web3):
    newest = web3.eth.block_number
    with within(web3, ahead=1_000_000):
        block = web3.eth.get_block("latest")
        assert web3.eth.block_number == block["number"] == newest + 1_000_000
        assert web3.eth.get_block(block["number"])["hash"] == block["hash"]
        assert int.from_bytes(web3.eth.call({"data": NUMBER})) == newest


def test_receipts_and_advice_can_lie(web3):
    account = known_account(1)
    sent = web3.eth.send_transaction({"from": account.address, "to": account.address, "value": 1})
    with within(web3, receipts=lambda receipt: {**receipt, "status": 0}, tip=60 * 10**9):
        assert web3.eth.get_transaction_receipt(sent)["status"] == 0
        assert web3.eth.max_priority_fee == 60 * 10**9
