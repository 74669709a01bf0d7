"""Sending one transaction after another: simulated, under a price ceiling, and never stuck behind an older one."""

from dataclasses import dataclass
from json import JSONDecodeError

from web3 import Web3
from web3.exceptions import TransactionNotFound, Web3Exception, Web3RPCError
from web3.types import TxReceipt

from tessera.chain import ChainError, Wallet
from tessera.keeper.patience import comes_true
from tessera.keeper.steps import Call

GWEI = 10**9
# What a node that fails, or the way to it, raises; a proxy's error page is no JSON.
NODE_ERRORS = (Web3Exception, OSError, JSONDecodeError)
PATIENCE = 90  # seconds that one price gets to be mined
ATTEMPTS = 3  # prices
RAISE = (5, 4)  # of a price that was too low; nodes replace a transaction from an eighth more on
# How nodes word it, in lower case and without spaces.
NONCE_TAKEN = ("noncetoolow", "nonceistoolow", "invalidnonce", "invalidtransactionnonce", "oldnonce")
PRICE_TOO_LOW = ("underpriced", "feetoolow", "gaspricetoolow", "replacementnotallowed", "lessthanblockbasefee")
KNOWN = ("alreadyknown", "knowntransaction", "alreadyimported")


class TooDearError(ChainError):
    """Gas costs more than the keeper may pay."""


class NotMinedError(ChainError):
    """A transaction was sent, or may have been, and nobody mined it in time."""


class NoGasMoneyError(ChainError):
    """The account cannot pay for the gas."""


@dataclass(frozen=True)
class Sent:
    """A transaction that a node says is in a block; `fee` in wei."""

    name: str
    transaction: str
    block: int
    gas_used: int
    fee: int
    succeeded: bool


class Sender:
    """Sends as one account, which should be the keeper's alone: what else of it waits to be mined is replaced."""

    def __init__(
        self,
        wallet: Wallet,
        *,
        max_gas_price: int | None = None,
        patience: float = PATIENCE,
    ):
        """`max_gas_price` in wei, base fee and tip together; `patience` in seconds."""
        self.wallet, self.web3 = wallet, wallet.web3
        self.max_gas_price, self.patience = max_gas_price, patience

    @property
    def address(self) -> str:
        return self.wallet.address

    def balance(self) -> int:
        """Gas money in wei."""
        return self.web3.eth.get_balance(self.address)

    def price(self) -> tuple[int, int]:
        """Base fee and tip now, in wei."""
        return self.web3.eth.get_block("latest")["baseFeePerGas"], self.web3.eth.max_priority_fee

    def check_price(self) -> tuple[int, int]:
        """Base fee and tip now, in wei. Raises TooDearError above the ceiling."""
        base, tip = self.price()
        if self.max_gas_price is not None and base + tip > self.max_gas_price:
            raise TooDearError(
                f"gas costs {(base + tip) / GWEI:.3f} gwei, the ceiling is {self.max_gas_price / GWEI:.3f} gwei"
            )
        return base, tip

    def check_money(self, gas: int) -> None:
        """Raises NoGasMoneyError where the account cannot pay for so much gas now."""
        base, tip = self.price()
        need, held = gas * (base + tip), self.balance()
        if held < need:
            raise NoGasMoneyError(
                f"{self.address} has {held / 1e18:.6f} ETH for gas, this takes about {need / 1e18:.6f} ETH"
            )

    def send(self, call: Call) -> Sent:
        """One transaction, in a block.

        Raises Reverted before anything is sent where the contract refuses, TooDearError, NoGasMoneyError,
        NotMinedError, or an error of the node's.
        """
        self.wallet.simulate(call.data, call.name)
        gas = self.wallet.gas(call.data, call.name)
        base, tip = self.check_price()
        # Not the pending count: a transaction of this account that nobody mines is replaced by this one.
        nonce = self.web3.eth.get_transaction_count(self.address, "latest")
        most, sent = self._capped(2 * base + tip), []
        if (held := self.balance()) < gas * (base + tip):
            raise NoGasMoneyError(f"{self.address} has {held / 1e18:.6f} ETH left, not enough for {call.name}")
        for _ in range(ATTEMPTS):
            most = min(most, max(held // gas, base + tip))
            signed = self.wallet.account.sign_transaction(
                {
                    "chainId": self.wallet.chain_id,
                    "nonce": nonce,
                    "value": 0,
                    "gas": gas,
                    "maxFeePerGas": most,
                    "maxPriorityFeePerGas": min(tip, most),
                    **call.data,
                }
            )
            sent.append(bytes(signed.hash))
            refused = self._submit(signed.raw_transaction)
            # A nonce is taken by one at a lower price, or by what else the account has sent.
            receipt = None if refused == "price" else self._receipt(sent, 0 if refused else self.patience)
            if receipt is not None:
                return _sent(call, receipt)
            if refused == "nonce":
                raise NotMinedError(f"nonce {nonce} was taken by another transaction of {self.address}")
            raised = self._capped(most * RAISE[0] // RAISE[1])
            if raised == most:
                break
            most, tip = raised, tip * RAISE[0] // RAISE[1] + 1
        raise NotMinedError(
            f"{call.name} with nonce {nonce} waits to be mined at {most / GWEI:.3f} gwei; the next round replaces it"
        )

    def _capped(self, price: int) -> int:
        return price if self.max_gas_price is None else min(price, self.max_gas_price)

    def _submit(self, raw: bytes) -> str:
        """Hands a transaction to the node. "" if it took it or may have, "price" or "nonce" where that was wrong."""
        try:
            self.web3.eth.send_raw_transaction(raw)
        except Web3RPCError as error:
            text = str(error).lower().replace(" ", "")
            if any(words in text for words in NONCE_TAKEN):
                return "nonce"
            if any(words in text for words in PRICE_TOO_LOW):
                return "price"
            if not any(words in text for words in KNOWN):
                raise
        except (OSError, JSONDecodeError):
            pass  # it may have got there all the same: wait for it
        return ""

    def _receipt(self, sent: list[bytes], seconds: float) -> TxReceipt | None:
        """The receipt of any of these transactions, once the node's head is there too; None after so many seconds."""
        found: TxReceipt | None = None

        def is_there() -> bool:
            nonlocal found
            try:
                for transaction in sent:
                    found = self._receipt_of(transaction)
                    if found is not None and self.web3.eth.block_number >= found["blockNumber"]:
                        return True
            except NODE_ERRORS:
                pass  # the node may come back
            return False

        return found if comes_true(is_there, seconds) else None

    def _receipt_of(self, transaction: bytes) -> TxReceipt | None:
        try:
            return self.web3.eth.get_transaction_receipt(transaction)
        except TransactionNotFound:
            return None


def _sent(call: Call, receipt: TxReceipt) -> Sent:
    return Sent(
        call.name,
        Web3.to_hex(receipt["transactionHash"]),
        receipt["blockNumber"],
        receipt["gasUsed"],
        receipt["gasUsed"] * receipt["effectiveGasPrice"],
        receipt["status"] == 1,
    )
