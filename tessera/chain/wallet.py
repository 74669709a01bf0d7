"""Sending transactions as one account, and the contract's own reason where it says no."""

import sys
import time
from typing import Protocol

from eth_abi import decode
from eth_abi.exceptions import DecodingError
from web3 import EthereumTesterProvider, Web3
from web3.exceptions import ContractLogicError
from web3.types import TxReceipt

from tessera.chain.reasons import advice

ERROR_STRING = "0x08c379a0"  # selector of Error(string)
NO_REASON = ("", "no data", "b''", "None")  # how nodes word a revert without data
RECEIPT_TIMEOUT = 120
NEW_WORD_GAS = 22_100  # a cold word that becomes non-zero (EIP-2929)
POLL_SECONDS = 0.5
EMBEDDED_GAS = 10_000_000  # of one transaction: more than any deployment takes, a third of a block


class ChainError(Exception):
    """Anything that tessera.chain says no to."""


class Reverted(ChainError):
    """A contract refused. `str(error)` is its reason, word for word.

    The reason is empty where the contract gave none: an argument that the ABI decoder refuses (a text that is too
    long), an overflow, too little gas. `transaction` is None where the refusal was seen before anything was sent.
    """

    def __init__(self, reason: str, function: str, transaction: str | None = None):
        super().__init__(reason or f"{function} reverted without a reason")
        self.reason = reason
        self.function = function
        self.transaction = transaction

    @property
    def advice(self) -> str:
        """What to do about it, for people; empty where the reason says all."""
        return advice(self.reason)


def refusals() -> tuple[type[Exception], ...]:
    """What a call that a contract refuses raises: web3's error or, where it is in use, the embedded chain's own."""
    # Not imported for its sake: that takes as long as all the rest of this package.
    embedded = sys.modules.get("eth_tester.exceptions")
    return (ContractLogicError,) if embedded is None else (ContractLogicError, embedded.TransactionFailed)


def reason_of(refusal: Exception) -> str:
    """The text that a contract reverted with, "" if there is none. `refusal` is one of `refusals`."""
    data = getattr(refusal, "data", None)
    if isinstance(data, str) and data.startswith(ERROR_STRING):
        try:
            return decode(["string"], bytes.fromhex(data.removeprefix(ERROR_STRING)))[0]
        except (DecodingError, UnicodeDecodeError):
            return ""
    text = str(refusal.args[0] if refusal.args else "").removeprefix("execution reverted").removeprefix(": ")
    return "" if text in NO_REASON else text


def with_margin(estimate: int) -> int:
    """The gas to offer for a call: a fifth more, and two storage words that somebody else may empty meanwhile."""
    return estimate * 6 // 5 + 2 * NEW_WORD_GAS


class Signer(Protocol):
    """What a wallet needs of an account; eth_account's LocalAccount is one."""

    address: str

    def sign_transaction(self, transaction: dict): ...


class Wallet:
    """One account on one chain. Not thread-safe: one wallet of an account at a time, since nonces are counted."""

    def __init__(self, web3: Web3, account: Signer, *, confirmations: int = 0):
        """Sends as `account`: one of `tessera.chain.accounts`, or whatever signs like it.

        A transaction counts as done when `confirmations` more blocks stand on its block, so that a reorg of as many
        cannot undo what was reported.
        """
        self.web3 = web3
        self.account = account
        self.confirmations = confirmations
        self.address = Web3.to_checksum_address(account.address)
        self.chain_id = web3.eth.chain_id

    def simulate(self, call: dict, function: str) -> None:
        """Runs a call on top of the newest state and changes nothing. Raises Reverted."""
        try:
            self.web3.eth.call({"from": self.address, **call}, "pending")
        except refusals() as error:
            raise Reverted(reason_of(error), function) from None

    def signed(self, call: dict, function: str):
        """A transaction ready to be sent, and its hash known. Raises Reverted if it would fail now."""
        self.simulate(call, function)
        eth = self.web3.eth
        tip = eth.max_priority_fee
        transaction = {
            "chainId": self.chain_id,
            "nonce": eth.get_transaction_count(self.address, "pending"),
            "value": 0,
            "maxPriorityFeePerGas": tip,
            # Enough for six full blocks in a row (an eighth more each) before it is mined.
            "maxFeePerGas": 2 * eth.get_block("latest")["baseFeePerGas"] + tip,
            **call,
        }
        transaction["gas"] = self.gas(call, function)
        return self.account.sign_transaction(transaction)

    def send(self, call: dict, function: str) -> TxReceipt:
        """Simulates, signs, sends and waits. Raises Reverted, or web3's TimeExhausted where nobody mines it."""
        return self.wait(self.web3.eth.send_raw_transaction(self.signed(call, function).raw_transaction), function)

    def wait(self, transaction: bytes, function: str) -> TxReceipt:
        """The receipt of a transaction that was sent, once confirmed. Raises Reverted where it failed on chain."""
        receipt = self._confirmed(transaction)
        if receipt["status"] != 1:
            raise Reverted(self._reason_on_chain(receipt), function, Web3.to_hex(transaction))
        return receipt

    def _confirmed(self, transaction: bytes) -> TxReceipt:
        eth = self.web3.eth
        while True:
            # A reorg may have put it into another block, or back among those that wait.
            receipt = eth.wait_for_transaction_receipt(transaction, timeout=RECEIPT_TIMEOUT)
            if eth.block_number - receipt["blockNumber"] >= self.confirmations:
                return receipt
            time.sleep(POLL_SECONDS)

    def gas(self, call: dict, function: str) -> int:
        """A gas limit for a call, with a margin over the node's estimate. Raises Reverted."""
        if isinstance(self.web3.provider, EthereumTesterProvider):
            return EMBEDDED_GAS  # that chain cannot estimate at the time of its next block
        try:
            return with_margin(self.web3.eth.estimate_gas({"from": self.address, **call}, "pending"))
        except refusals() as error:
            raise Reverted(reason_of(error), function) from None

    def _reason_on_chain(self, receipt) -> str:
        # The state moved between simulation and block. Ask again in that block's own state: as good as can be had.
        sent = self.web3.eth.get_transaction(receipt["transactionHash"])
        call = {"from": sent["from"], "data": sent["input"]} | ({"to": sent["to"]} if sent.get("to") else {})
        try:
            self.web3.eth.call(call, receipt["blockNumber"])
        except refusals() as error:
            return reason_of(error)
        return ""
