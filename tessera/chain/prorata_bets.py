"""ProrataBets: pool bets, their positions and how they were settled."""

from collections.abc import Sequence
from dataclasses import dataclass

from tessera.chain.contract import EventLog, Receipt
from tessera.chain.hosted_bets import LISTING_EVENTS, NO_SIGNATURE, Bet, HostedBets, HostSignature, Listing, Terms
from tessera.chain.wallet import Wallet


@dataclass(frozen=True, kw_only=True)
class BetSettled(EventLog):
    bet_id: bytes
    outcome: int
    refunded: bool
    won: int
    lost: int
    host_commission: int
    validator_commission: int


@dataclass(frozen=True, kw_only=True)
class ClaimSkipped(EventLog):
    bet_id: bytes
    account: str
    reason: str


@dataclass(frozen=True)
class Settlement:
    """How a bet was settled; money in units. `unclaimed` are winning stakes that are still to be paid."""

    settled: bool
    refunded: bool
    outcome: int
    won: int
    winnings: int
    unclaimed: int


class ProrataBets(HostedBets):
    """Pool bets: winners share what losers staked."""

    NAME = "ProrataBets"
    EVENTS = (*LISTING_EVENTS, BetSettled, ClaimSkipped)

    def terms(self, bet_id: bytes) -> Terms:
        """What is stored of a listing. Raises Reverted where the bet is not listed."""
        return Terms(*self.read("terms", bet_id))

    def stake_of(self, bet_id: bytes, prediction: int, account: str) -> int:
        """What an account has staked on a prediction and not claimed, money."""
        return self.read("stake_of", bet_id, prediction, account)

    def staked(self, bet_id: bytes, prediction: int) -> int:
        """All stakes on a prediction, money."""
        return self.read("staked", bet_id, prediction)

    def settlement(self, bet_id: bytes) -> Settlement:
        """How a bet was settled; all zero where it is not."""
        return Settlement(*self.read("settlement", bet_id))

    def list_and_place(
        self,
        sender: Wallet,
        listing: Listing,
        offer: HostSignature,
        prediction: int,
        amount: int,
        voucher: HostSignature = NO_SIGNATURE,
    ) -> Receipt:
        """Lists a bet that its host offers, unless somebody was faster, and stakes on it."""
        return self.write(sender, "list_and_place", tuple(listing), tuple(offer), prediction, amount, tuple(voucher))

    def place(
        self, sender: Wallet, bet_id: bytes, prediction: int, amount: int, voucher: HostSignature = NO_SIGNATURE
    ) -> Receipt:
        """Stakes on a prediction, for good."""
        return self.write(sender, "place", bet_id, prediction, amount, tuple(voucher))

    def place_many(
        self, sender: Wallet, bet_id: bytes, bets: Sequence[Bet], signatures: Sequence[tuple[int, int]]
    ) -> Receipt:
        """Lands at most 64 bets that accounts signed for the sender; those that do not count are rows BetSkipped."""
        return self.write(sender, "place_many", bet_id, [tuple(bet) for bet in bets], list(signatures))

    def claim(self, sender: Wallet, bet_id: bytes, account: str) -> Receipt:
        """Pays an account what a settled bet owes it. Anyone."""
        return self.write(sender, "claim", bet_id, account)

    def claim_many(self, sender: Wallet, bet_id: bytes, accounts: Sequence[str]) -> Receipt:
        """Pays at most 256 accounts. Anyone; those that have nothing to claim are rows ClaimSkipped."""
        return self.write(sender, "claim_many", bet_id, list(accounts))
