"""What counts as done when blocks can be replaced."""

import pytest
from web3 import Web3

from tessera.chain import Wallet, waiting
from tessera.chain.embedded import embedded_web3, known_account


class Clock:
    """Stands in for `time`: what a test wants to happen while a wallet waits, one callable a wait."""

    def __init__(self, *happenings):
        self.happenings = list(happenings)

    def monotonic(self) -> float:
        return 0

    def sleep(self, seconds: float) -> None:
        self.happenings.pop(0)()


@pytest.fixture
def web3() -> Web3:
    return embedded_web3()


def mine(web3: Web3) -> None:
    web3.provider.ethereum_tester.mine_block()


def test_waits_for_confirmations(web3, monkeypatch):
    clock = Clock(lambda: mine(web3), lambda: mine(web3))
    monkeypatch.setattr(waiting, "time", clock)
    sender = Wallet(web3, known_account(0), confirmations=2)
    receipt = sender.send({"to": sender.address, "data": "0x"}, "nothing")
    assert web3.eth.block_number == receipt["blockNumber"] + 2
    assert clock.happenings == []


def test_a_receipt_of_a_replaced_block_does_not_count(web3, monkeypatch):
    tester = web3.provider.ethereum_tester
    sender = Wallet(web3, known_account(0), confirmations=1)
    raw = sender.signed({"to": sender.address, "data": "0x"}, "nothing").raw_transaction
    before = tester.take_snapshot()

    def reorg():
        tester.revert_to_snapshot(before)
        mine(web3)  # a block without it, then one with it
        web3.eth.send_raw_transaction(raw)

    clock = Clock(reorg, lambda: mine(web3))
    monkeypatch.setattr(waiting, "time", clock)
    first = web3.eth.block_number + 1
    receipt = sender.wait(web3.eth.send_raw_transaction(raw), "nothing")
    assert receipt["blockNumber"] == first + 1
    assert web3.eth.get_transaction_receipt(receipt["transactionHash"])["blockHash"] == receipt["blockHash"]
    assert clock.happenings == []
