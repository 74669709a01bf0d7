"""Escrow: balances, consent, pots, and the ledger of every movement."""

from dataclasses import dataclass
from enum import IntFlag

from tessera.chain.blocks import BlockName
from tessera.chain.contract import Contract, EventLog, OwnershipTransferred, OwnershipTransferStarted, Receipt
from tessera.chain.permits import Permit
from tessera.chain.wallet import Wallet


class Kind(IntFlag):
    """What an Entry is for, as `IEscrow.Kind` encodes it. Exactly one bit is set in a log."""

    DEPOSIT = 1
    WITHDRAWAL = 2
    DEPOSIT_SEED = 4
    BET_DEBIT = 8
    ACTIVATION = 16
    FUNDING = 32
    PAYOUT = 64
    REFUND = 128
    COMMISSION = 256
    RESIDUE = 512


@dataclass(frozen=True, kw_only=True)
class Entry(EventLog):
    account: str
    product: str
    pot: bytes
    kind: Kind
    amount: int
    balance_after: int
    timestamp: int


@dataclass(frozen=True, kw_only=True)
class Moved(EventLog):
    product: str
    from_pot: bytes
    to_pot: bytes
    amount: int
    timestamp: int


@dataclass(frozen=True, kw_only=True)
class ConsentChanged(EventLog):
    account: str
    products: int


@dataclass(frozen=True, kw_only=True)
class ProductRegistered(EventLog):
    product: str
    index: int


class Escrow(Contract):
    """Custody of the betting balances of one token. Amounts are in its smallest unit."""

    NAME = "Escrow"
    EVENTS = (Entry, Moved, ConsentChanged, ProductRegistered, OwnershipTransferStarted, OwnershipTransferred)

    def token(self) -> str:
        """The one collateral."""
        return self.read("TOKEN")

    def balance_of(self, account: str, *, block: BlockName = "latest") -> int:
        """What an account can bet or withdraw."""
        return self.read("balance_of", account, block=block)

    def consent_of(self, account: str) -> int:
        """Bit mask of the products that may debit an account."""
        return self.read("consent_of", account)

    def pot_balance(self, product: str, pot: int | bytes, *, block: BlockName = "latest") -> int:
        """What a pot of a product holds; a market's pot is its number."""
        return self.read("pot_balance", product, pot_id(pot), block=block)

    def products(self, index: int) -> str:
        """The product of an index. Raises Reverted (without a reason) past the last."""
        return self.read("products", index)

    def deposit(self, sender: Wallet, amount: int, *, receiver: str | None = None, consent: int = 0) -> Receipt:
        """Moves approved tokens of the sender into a balance, the sender's own unless said otherwise."""
        return self.write(sender, "deposit", amount, receiver or sender.address, consent)

    def deposit_with_permit(self, sender: Wallet, permit: Permit, *, consent: int = 0) -> Receipt:
        """Permit, deposit and consent in one transaction; the permit's signer is credited."""
        return self.write(
            sender,
            "deposit_with_permit",
            permit.owner,
            permit.amount,
            permit.deadline,
            permit.v,
            permit.r,
            permit.s,
            consent,
        )

    def withdraw(self, sender: Wallet, amount: int, *, receiver: str | None = None) -> Receipt:
        """Moves tokens out of the sender's balance, to the sender unless said otherwise."""
        return self.write(sender, "withdraw", amount, receiver or sender.address)

    def set_consent(self, sender: Wallet, products: int) -> Receipt:
        """Says which products may debit the sender from now on; 0: none."""
        return self.write(sender, "set_consent", products)

    def register_product(self, sender: Wallet, product: str) -> Receipt:
        """Gives a product the next index. Owner only."""
        return self.write(sender, "register_product", product)


def pot_id(pot: int | bytes) -> bytes:
    """A pot's number as the contract spells it."""
    return pot.to_bytes(32, "big") if isinstance(pot, int) else pot
