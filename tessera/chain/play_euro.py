"""PlayEuro: the play money of a club of friends."""

from collections.abc import Sequence
from dataclasses import dataclass

from tessera.chain.contract import EventLog, OwnershipTransferred, OwnershipTransferStarted, Receipt
from tessera.chain.erc20 import Approval, Erc20, Transfer
from tessera.chain.wallet import Wallet


@dataclass(frozen=True, kw_only=True)
class EscrowSet(EventLog):
    escrow: str


@dataclass(frozen=True, kw_only=True)
class Invited(EventLog):
    account: str


@dataclass(frozen=True, kw_only=True)
class Joined(EventLog):
    account: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class RoleMinterChanged(EventLog):
    minter: str
    status: bool


class PlayEuro(Erc20):
    """A token of 6 decimals that moves between a member and Escrow alone."""

    NAME = "PlayEuro"
    EVENTS = (
        EscrowSet,
        Invited,
        Joined,
        Transfer,
        Approval,
        RoleMinterChanged,
        OwnershipTransferStarted,
        OwnershipTransferred,
    )

    def escrow(self) -> str:
        """Its Escrow; the zero address until it is set."""
        return self.read("escrow")

    def invited(self, account: str) -> bool:
        """Whether an account may join."""
        return self.read("invited", account)

    def joined(self, account: str) -> bool:
        """Whether an account has joined."""
        return self.read("joined", account)

    def invite(self, sender: Wallet, accounts: Sequence[str]) -> Receipt:
        """Lets accounts join, at most 256 at once. Owner only."""
        return self.write(sender, "invite", list(accounts))

    def join(self, sender: Wallet, *, consent: int) -> Receipt:
        """50 EUR in the sender's Escrow balance, once; `consent` is the bit mask of products that may debit it."""
        return self.write(sender, "join", consent)
