"""Sending transactions as one account, and the contract's own reason where it says no."""

import time
from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol

from eth_account.messages import SignableMessage
from hexbytes import HexBytes
from web3 import EthereumTesterProvider, Web3
from web3.exceptions import TransactionNotFound
from web3.types import TxParams, TxReceipt

from tessera.chain.errors import (
    ChainError,
    NodeError,
    NodeRefusedError,
    NoGasMoneyError,
    NonceTakenError,
    NotMinedError,
    Reverted,
    TooDearError,
    calling,
)
from tessera.chain.fees import GWEI, GasPrice, gas_price
from tessera.chain.node import prepared
from tessera.chain.waiting import LAG_SECONDS, wait_until

NEW_WORD_GAS = 22_100  # a cold word that becomes non-zero (EIP-2929)
MOST_UNDER_WAY = 16  # transactions of an account: as many nodes keep in any case (geth's accountslots)
PRICES = 3  # that a transaction is offered at, one after the other
SECONDS_PER_PRICE = 90  # for a transaction to be mined
BLOCK_SECONDS = 12  # between two prices that were too low
RAISE = (5, 4)  # of a price that was too low; nodes replace a transaction from an eighth more on
HAND_INS = 4  # of a transaction to a node that fails
HAND_IN_PAUSE = 0.5  # seconds before the second, twice as long before each further one
# How nodes word a refusal, in lower case and without spaces.
NONCE_TAKEN = ("noncetoolow", "nonceistoolow", "invalidnonce", "invalidtransactionnonce", "oldnonce")
# Refused for a transaction of the same nonce that waits. It comes before what is too low for any.
OUTBID = ("replacementtransactionunderpriced", "replacementnotallowed", "toolowtoreplace")
PRICE_TOO_LOW = ("underpriced", "feetoolow", "gaspricetoolow", "lessthanblockbasefee")
ALREADY_THERE = ("alreadyknown", "knowntransaction", "alreadyimported", "existingtxwithsamehash")
FOR_A_MOMENT = ("ratelimit", "limitexceeded", "toomanyrequests", "timeout", "timedout", "-32005")
EMBEDDED_GAS = 10_000_000  # of one transaction: more than any deployment takes, a third of a block


def with_margin(estimate: int) -> int:
    """The gas to offer for a call: a fifth more, and two storage words that somebody else may empty meanwhile."""
    return estimate * 6 // 5 + 2 * NEW_WORD_GAS


class Signed(Protocol):
    """A signed transaction, ready to be sent."""

    @property
    def raw_transaction(self) -> HexBytes: ...

    @property
    def hash(self) -> HexBytes: ...


class Signer(Protocol):
    """What a wallet needs of an account; eth_account's LocalAccount is one."""

    @property
    def address(self) -> str: ...

    def sign_transaction(self, transaction_dict: dict[str, Any], /) -> Signed: ...

    def sign_message(self, signable_message: SignableMessage, /) -> Any: ...


class HandIn(Enum):
    """What became of a transaction that was handed to a node."""

    TAKEN = "taken"
    UNKNOWN = "unknown"  # no answer that says anything: it may be there
    NONCE = "nonce"  # refused: the account has sent another one of that nonce
    OUTBID = "outbid"  # refused: another one of that nonce waits, and offers more
    PRICE = "price"  # refused: it offers too little


class Planned(NamedTuple):
    """A call that would succeed now, and the gas to offer for it."""

    call: TxParams
    function: str
    gas: int


class _Offered(NamedTuple):
    """A transaction that a node has, or may have; most price and tip in wei."""

    transaction: HexBytes
    most: int
    tip: int


class Wallet:
    """One account on one chain: what sends transactions. Not thread-safe, since nonces are counted.

    `budget` is what may still be spent on gas, in wei; None: all that the account has.
    """

    def __init__(
        self,
        web3: Web3,
        account: Signer,
        *,
        confirmations: int = 0,
        max_gas_price: int | None = None,
        seconds_per_price: float = SECONDS_PER_PRICE,
        alone: bool = False,
    ):
        """Sends as `account`: one of `tessera.chain.accounts`, or whatever signs like it.

        A transaction counts as done when `confirmations` more blocks stand on its block, so that a reorg of as many
        cannot undo what was reported. `max_gas_price` is a ceiling in wei for base fee and tip together; without one it
        follows what others pay (`fees.gas_price`). `alone` says that nobody else sends as this account: what of it
        waits to be mined is replaced.
        """
        self.web3 = prepared(web3)
        self.account = account
        self.confirmations = confirmations
        self.max_gas_price = max_gas_price
        self.seconds_per_price = seconds_per_price
        self.alone = alone
        self.budget: int | None = None
        self.address = Web3.to_checksum_address(account.address)
        self.chain_id = web3.eth.chain_id

    def balance(self) -> int:
        """Gas money, wei."""
        return self.web3.eth.get_balance(self.address)

    def gas_price(self) -> GasPrice:
        """What gas costs now and may cost, in wei."""
        return gas_price(self.web3, self.max_gas_price)

    def simulate(self, call: TxParams, function: str) -> None:
        """Runs a call on top of the newest state and changes nothing. Raises Reverted."""
        with calling(function):
            self.web3.eth.call({"from": self.address, **call}, "pending")

    def gas(self, call: TxParams, function: str) -> int:
        """A gas limit for a call, with a margin over the node's estimate. Raises Reverted."""
        if isinstance(self.web3.provider, EthereumTesterProvider):
            return EMBEDDED_GAS  # that chain cannot estimate at the time of its next block
        with calling(function):
            return with_margin(self.web3.eth.estimate_gas({"from": self.address, **call}, "pending"))

    def signed(self, call: TxParams, function: str) -> Signed:
        """A transaction ready to be sent, and its hash known. Raises Reverted if it would fail now."""
        self.simulate(call, function)
        gas = self.gas(call, function)
        price, money = self._affordable(gas, function)
        return self._sign(call, gas, self.nonce(), min(price.offered, money // gas), price.tip)

    def send(self, call: TxParams, function: str) -> TxReceipt:
        """Simulates, signs, sends and waits. Raises Reverted, before anything is sent or where it failed on chain, and
        what `submit` raises."""
        return self.succeeded(self.submit(call, function), function)

    def submit(self, call: TxParams, function: str, *, nonce: int | None = None) -> TxReceipt:
        """The receipt of a call that was sent, whether it succeeded or not.

        It is offered at three prices, each read anew and higher than the one before, and waited for `seconds_per_price`
        at each. A `nonce` that is named is the only one it is sent with: where another transaction has it, nothing is
        sent. Raises Reverted, TooDearError or NoGasMoneyError before anything is sent, NonceTakenError, NotMinedError,
        or an error of the node's.
        """
        for _ in range(PRICES):
            self.simulate(call, function)
            gas = self.gas(call, function)
            receipt = self._offer(call, function, gas, self.nonce() if nonce is None else nonce)
            if receipt is not None:
                return self._paid(receipt)
            if nonce is not None:
                raise NonceTakenError(f"nonce {nonce} of {self.address} was used: nothing was sent")
        raise NotMinedError(f"{self.address} sends from elsewhere, too: nothing was sent. Wait, and try again")

    def nonce(self) -> int:
        """The nonce of the next transaction, which replaces one that waits where the account is `alone`."""
        return self.web3.eth.get_transaction_count(self.address, "latest" if self.alone else "pending")

    def plan(self, call: TxParams, function: str) -> Planned:
        """A call for `submit_all`. Raises Reverted where it would fail now."""
        self.simulate(call, function)
        return Planned(call, function, self.gas(call, function))

    def submit_all(self, planned: Sequence[Planned], *, nonce: int | None = None) -> list[TxReceipt]:
        """The receipts of calls that are under way at the same time, in their order, whether they succeeded or not.

        They have nonces in a row, so they happen in their order, and none needs another one to succeed. Where a node
        takes only the first of them there are receipts of these alone, of one at least. A `nonce` that is named is the
        first one's: each is sent with its own nonce and no other. Raises what `submit` raises: then what was sent may
        still happen.
        """
        named, gas = nonce, sum(call.gas for call in planned)
        nonce = self.nonce() if nonce is None else nonce
        try:
            price, money = self._affordable(gas, planned[0].function)
        except NoGasMoneyError:
            if len(planned) == 1:
                raise
            return self.submit_all(planned[: len(planned) // 2], nonce=named)
        most = min(price.offered, max(price.total, min(price.ceiling, money // gas)))
        offered: list[_Offered] = []
        for call, _, limit in planned:
            signed = self._sign(call, limit, nonce + len(offered), most, price.tip)
            try:
                if self._hand_in(signed.raw_transaction) not in (HandIn.TAKEN, HandIn.UNKNOWN):
                    break
            except NodeRefusedError:
                break
            offered.append(_Offered(signed.hash, most, price.tip))
        if not offered:
            return [self.submit(planned[0].call, planned[0].function, nonce=named)]
        receipts = []
        for (call, function, limit), first in zip(planned, offered, strict=False):
            receipt = self._offer(call, function, limit, nonce + len(receipts), first)
            assert receipt is not None, "a transaction of this nonce was sent"
            receipts.append(self._paid(receipt))
        return receipts

    def wait(self, transaction: bytes, function: str) -> TxReceipt:
        """The receipt of a transaction that was sent, once confirmed. Raises Reverted where it failed on chain,
        NotMinedError where it is not mined in time."""
        receipt = self._receipt([HexBytes(transaction)], PRICES * self.seconds_per_price)
        if receipt is None:
            raise NotMinedError(f"{function} in {Web3.to_hex(transaction)} was sent and waits to be mined")
        return self.succeeded(receipt, function)

    def _paid(self, receipt: TxReceipt) -> TxReceipt:
        if self.budget is not None:
            self.budget -= receipt["gasUsed"] * receipt["effectiveGasPrice"]
        return receipt

    def _offer(
        self, call: TxParams, function: str, gas: int, nonce: int, first: _Offered | None = None
    ) -> TxReceipt | None:
        """The receipt of a transaction with a nonce; None where another one had it and nothing was sent.

        `first` is a first offer that was made already.
        """
        sent: list[HexBytes] = []  # what the node took, or may have
        offered = least = least_tip = 0
        if first is not None:
            sent.append(first.transaction)
            offered = first.most
            least, least_tip = _raised(first.most, first.tip)
            if (receipt := self._receipt(sent, self.seconds_per_price)) is not None:
                return receipt
        for _ in range(PRICES if first is None else PRICES - 1):
            try:
                price, money = self._affordable(gas, function)
            except ChainError as error:
                if sent:
                    raise NotMinedError(f"{_waits(function, nonce, offered)} ({error})") from None
                raise
            ceiling = max(price.total, min(price.ceiling, money // gas))
            most = min(max(price.offered, least), ceiling)
            if most < least:
                break
            tip = min(max(price.tip, least_tip), most)
            signed = self._sign(call, gas, nonce, most, tip)
            answer = self._hand_in(signed.raw_transaction)
            if answer is HandIn.NONCE and not sent:
                return None
            if answer in (HandIn.TAKEN, HandIn.UNKNOWN):
                sent.append(signed.hash)
                offered = most
            least, least_tip = _raised(most, tip)
            if answer is HandIn.OUTBID and not sent:
                continue  # by the account's own, sent from elsewhere: more is offered at once
            patience = {HandIn.NONCE: LAG_SECONDS, HandIn.PRICE: BLOCK_SECONDS}.get(answer, self.seconds_per_price)
            receipt = self._receipt(sent, min(patience, self.seconds_per_price))
            if receipt is not None:
                return receipt
            if answer is HandIn.NONCE:
                raise NotMinedError(f"nonce {nonce} was taken by another transaction of {self.address}")
        if not sent:
            raise TooDearError(f"the node refuses {function} at {most / GWEI:.3f} gwei as too little: nothing was sent")
        raise NotMinedError(_waits(function, nonce, offered))

    def _affordable(self, gas: int, function: str) -> tuple[GasPrice, int]:
        """The price now and what there is to spend, wei. Raises TooDearError, NoGasMoneyError."""
        price = self.gas_price()
        if price.total > price.ceiling:
            raise TooDearError(
                f"gas costs {price.total / GWEI:.3f} gwei, the ceiling is {price.ceiling / GWEI:.3f} gwei"
            )
        money = self.balance()
        if money < gas * price.total:
            raise NoGasMoneyError(f"{self.address} has {money / 1e18:.6f} ETH left, not enough for {function}")
        if self.budget is not None and self.budget < gas * price.total:
            raise NoGasMoneyError(
                f"{max(0, self.budget) / 1e18:.6f} ETH of the budget are left, not enough for {function}"
            )
        return price, money if self.budget is None else min(money, self.budget)

    def _sign(self, call: TxParams, gas: int, nonce: int, most: int, tip: int) -> Signed:
        return self.account.sign_transaction(
            {
                "chainId": self.chain_id,
                "nonce": nonce,
                "value": 0,
                "gas": gas,
                "maxFeePerGas": most,
                "maxPriorityFeePerGas": min(tip, most),
                **call,
            }
        )

    def _hand_in(self, raw: bytes) -> HandIn:
        """Hands a transaction to the node, more than once where the answer says nothing. Raises the node's error where
        it refuses for good."""
        answer = HandIn.UNKNOWN
        for attempt in range(HAND_INS):
            if attempt:
                time.sleep(HAND_IN_PAUSE * 2 ** (attempt - 1))
            try:
                self.web3.eth.send_raw_transaction(raw)
                return HandIn.TAKEN
            except Exception as error:  # the embedded chain has its own kinds
                text = str(error).lower().replace(" ", "")
                if any(words in text for words in ALREADY_THERE):
                    return HandIn.TAKEN
                if any(words in text for words in NONCE_TAKEN):
                    # By itself, perhaps, where an answer before was lost.
                    return HandIn.UNKNOWN if attempt else HandIn.NONCE
                if any(words in text for words in OUTBID):
                    return HandIn.OUTBID
                if any(words in text for words in PRICE_TOO_LOW):
                    return HandIn.PRICE
                refused = isinstance(error, NodeRefusedError) and not any(words in text for words in FOR_A_MOMENT)
                if refused or not isinstance(error, NodeError):
                    raise
                # It may have got there all the same.
        return answer

    def _receipt(self, sent: list[HexBytes], seconds: float) -> TxReceipt | None:
        """The receipt of any of these transactions, confirmed; None after so many seconds."""
        receipt: TxReceipt | None = None

        def is_there() -> bool:
            nonlocal receipt
            try:
                for transaction in sent:
                    receipt = self._receipt_of(transaction)
                    # A receipt may come from another machine than the state that is asked for next.
                    if (
                        receipt is not None
                        and self.web3.eth.block_number >= receipt["blockNumber"] + self.confirmations
                    ):
                        return True
            except NodeError:
                pass  # the node may come back
            return False

        return receipt if wait_until(is_there, seconds) else None

    def _receipt_of(self, transaction: HexBytes) -> TxReceipt | None:
        try:
            return self.web3.eth.get_transaction_receipt(transaction)
        except TransactionNotFound:
            return None

    def succeeded(self, receipt: TxReceipt, function: str) -> TxReceipt:
        """The same receipt. Raises Reverted where the transaction failed on chain."""
        if receipt["status"] != 1:
            transaction = Web3.to_hex(receipt["transactionHash"])
            raise Reverted(self._reason_on_chain(receipt), function, transaction)
        return receipt

    def _reason_on_chain(self, receipt: TxReceipt) -> str:
        # The state moved between simulation and block. Ask again in that block's own state: as good as can be had.
        sent = self.web3.eth.get_transaction(receipt["transactionHash"])
        call: TxParams = {"from": sent.get("from", self.address), "data": sent.get("input", b"")}
        if to := sent.get("to"):
            call["to"] = to
        try:
            with calling("the transaction"):
                self.web3.eth.call(call, receipt["blockNumber"])
        except Reverted as error:
            return error.reason
        return ""


def _raised(most: int, tip: int) -> tuple[int, int]:
    """The least that a node takes in place of a transaction at this price."""
    return most * RAISE[0] // RAISE[1], tip * RAISE[0] // RAISE[1] + 1


def _waits(function: str, nonce: int, offered: int) -> str:
    return f"{function} with nonce {nonce} was sent and waits to be mined at {offered / GWEI:.3f} gwei"
