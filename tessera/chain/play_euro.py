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
class Uninvited(EventLog):
    account: str


@dataclass(frozen=True, kw_only=True)
class InviterSet(EventLog):
    account: str
    was_inviter: bool
    is_inviter: bool


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
        Uninvited,
        InviterSet,
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

    def invited_each(self, accounts: Sequence[str]) -> list[bool]:
        """Whether each of some accounts may join, in their order; few requests for many of them."""
        return self.read_each("invited", accounts)

    def joined(self, account: str) -> bool:
        """Whether an account has joined."""
        return self.read("joined", account)

    def joined_each(self, accounts: Sequence[str]) -> list[bool]:
        """Whether each of some accounts has joined, in their order; few requests for many of them."""
        return self.read_each("joined", accounts)

    def invite(self, sender: Wallet, accounts: Sequence[str]) -> Receipt:
        """Lets accounts join, at most 256 at once. Owner and inviters."""
        return self.write(sender, "invite", list(accounts))

    def uninvite(self, sender: Wallet, accounts: Sequence[str]) -> Receipt:
        """Takes invitations back that were not used, at most 256 at once. Owner and inviters."""
        return self.write(sender, "uninvite", list(accounts))

    def is_inviter(self, account: str) -> bool:
        """Whether an account may invite beside the owner."""
        return self.read("is_inviter", account)

    def set_inviter(self, sender: Wallet, account: str, is_inviter: bool) -> Receipt:
        """Says who may invite beside the owner. Owner only."""
        return self.write(sender, "set_inviter", account, is_inviter)

    def join(self, sender: Wallet, *, consent: int) -> Receipt:
        """50 EUR in the sender's Escrow balance, once; `consent` is the bit mask of products that may debit it."""
        return self.write(sender, "join", consent)
