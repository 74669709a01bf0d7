"""Landing what players signed: in batches, each bet once, and none that harms another.

The relayer is the host's own account, so its private bets need no voucher. While a transaction is under way the next
batch gathers. A bet is tried until its deadline; its nonce lets it count once, whatever happens in between.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from web3 import Web3

from tessera.chain.deployments import Tessera
from tessera.chain.errors import Reverted, calling
from tessera.chain.hosted_bets import NO_SIGNATURE, BetSkipped, compact_words
from tessera.chain.wallet import Wallet
from tessera.host.catalogue import Catalogue, Offered
from tessera.host.store import SignedBet, Store
from tessera.model.odds import Book

MOST_AT_ONCE = 64
KEY_BYTES = 65  # of a key's signature; others are a wallet's own
TRY_ALONE = ("odds: group is not covered", "odds: others wait before")  # what waits after being placed alone

USED = "relayed: nonce is used"

Tell = Callable[[SignedBet, str, str], None]


@dataclass
class Landed:
    """Where a bet landed."""

    bet: SignedBet
    transaction: str
    block: int


@dataclass
class Lander:
    """Lands signed bets. `tell` hears of those that cannot land: the bet, a code and a sentence."""

    tessera: Tessera
    catalogue: Catalogue
    store: Store
    wallet: Wallet
    tell: Tell
    landed: dict[tuple, Landed] = field(default_factory=dict)
    _alone: set[tuple] = field(default_factory=set)

    def waiting(self) -> list[SignedBet]:
        """Bets that are still to be landed, in the order they came."""
        return [one for one in self.store.signed() if one.key not in self.landed]

    def forget(self, now: int, head: int, transactions: set[str]) -> None:
        """Drops bets whose deadline is over, and lands again what the chain took back.

        `transactions` are those in which the chain, up to its block `head`, has bets of this host.
        """
        for key, one in list(self.landed.items()):
            if one.block <= head and one.transaction not in transactions:
                del self.landed[key]
        over = [one for one in self.store.signed() if one.bet.deadline < now]
        for one in over:
            if self.landed.pop(one.key, None) is None and not self._is_used(one):
                self.tell(one, "deadline_over", "the bet was not placed before its deadline; nothing was taken")
            self._alone.discard(one.key)
        self.store.drop_signed(over)

    def land(self) -> None:
        """Sends one batch of each bet with signed bets that wait."""
        by_bet = defaultdict(list)
        for one in self.waiting():
            by_bet[one.contract, one.bet_id].append(one)
        offered = {(one.contract.address, one.bet_id): one for one in self.catalogue.offered}
        for key, bets in by_bet.items():
            if key in offered:
                self._land(offered[key], bets[:MOST_AT_ONCE])
            else:
                self._drop(bets, "bet_gone", "the host does not offer this bet any more; nothing was taken")

    def _land(self, offered: Offered, bets: list[SignedBet]) -> None:
        try:
            self.catalogue.list_bet(self.wallet, offered)
        except Reverted as refusal:
            return self._drop(bets, "not_listed", f"the bet cannot be listed: {refusal}; nothing was taken")
        keys = [one for one in bets if len(one.signature) == KEY_BYTES and one.key not in self._alone]
        batch = self._batch(offered, keys)
        if self._placed_by(offered, batch) < sum(map(len, batch)):
            # Gas is the host's: what cannot be placed is not sent.
            bets = self._sifted(offered, bets)
            batch = self._batch(offered, [one for one in keys if one in bets])
        together = [one for group in batch for one in group]
        if together:
            self._land_together(offered, batch)
        for one in bets:
            if one not in together:
                self._land_alone(offered, one)
        return None

    def _land_together(self, offered: Offered, batch: list[list[SignedBet]]) -> None:
        try:
            receipt = offered.contract.write(self.wallet, "place_many", *self._arguments(offered, batch))
        except Reverted as refusal:
            return self._drop([one for group in batch for one in group], "not_placed", _refused(refusal))
        skipped = {(row.account, row.nonce): row.reason for row in receipt.events if isinstance(row, BetSkipped)}
        for group in batch:
            for one in group:
                reason = skipped.get((one.bet.account, one.bet.nonce))
                if reason is None:
                    self.landed[one.key] = Landed(one, receipt.transaction, receipt.block)
                elif reason in TRY_ALONE or len(group) > 1:
                    self._alone.add(one.key)  # another one of its group may have been refused
                else:
                    self._refuse(one, reason)
        return None

    def _batch(self, offered: Offered, bets: list[SignedBet]) -> list[list[SignedBet]]:
        return self._groups(offered, bets) if offered.bet.has_odds else [[one] for one in bets]

    def _arguments(self, offered: Offered, batch: list[list[SignedBet]]) -> tuple:
        bets = [one for group in batch for one in group]
        sizes = ([len(group) for group in batch],) if offered.bet.has_odds else ()
        signatures = [compact_words(one.signature) for one in bets]
        return offered.bet_id, *sizes, [tuple(one.bet) for one in bets], signatures

    def _placed_by(self, offered: Offered, batch: list[list[SignedBet]]) -> int:
        """How many bets a batch would place now."""
        if not batch:
            return 0
        data = offered.contract.calldata("place_many", *self._arguments(offered, batch))
        call: Any = {"from": self.wallet.address, "to": offered.contract.address, "data": Web3.to_hex(data)}
        try:
            with calling("place_many"):
                return int.from_bytes(self.wallet.web3.eth.call(call, "pending"), "big")
        except Reverted:
            return 0

    def _sifted(self, offered: Offered, bets: list[SignedBet]) -> list[SignedBet]:
        """The bets that can be placed now, each by itself; the others are refused."""
        found = []
        for one in bets:
            arguments = (offered.bet_id, tuple(one.bet), one.signature, tuple(NO_SIGNATURE))
            data = offered.contract.calldata("place_signed", *arguments)
            try:
                self.wallet.simulate({"to": offered.contract.address, "data": Web3.to_hex(data)}, "place_signed")
                found.append(one)
            except Reverted as refusal:
                self._refuse(one, refusal.reason)
        return found

    def _land_alone(self, offered: Offered, one: SignedBet) -> None:
        try:
            receipt = offered.contract.place_signed(self.wallet, offered.bet_id, one.bet, one.signature)
            self.landed[one.key] = Landed(one, receipt.transaction, receipt.block)
        except Reverted as refusal:
            self._refuse(one, refusal.reason)

    def _groups(self, offered: Offered, bets: list[SignedBet]) -> list[list[SignedBet]]:
        """What is covered now: each bet that is by itself, and then as many of the others, in their order, as are
        together."""
        lens, listing = self.tessera.odds_lens, offered.listing
        lines = [lens.line(offered.bet_id, prediction) for prediction in range(len(listing.predictions))]
        book = Book(list(listing.profits), listing.validator_bps, lens.book(offered.bet_id).bankroll)
        book.stakes = [line.staked for line in lines]
        waits = [line.waiting > 0 for line in lines]

        def fits(group: list[SignedBet]) -> bool:
            added = [sum(one.bet.amount for one in group if one.bet.prediction == k) for k in range(len(lines))]
            return book.with_stakes(added) and not any(waits[one.bet.prediction] for one in group)

        def add(group: list[SignedBet]) -> list[SignedBet]:
            for one in group:
                book.stakes[one.bet.prediction] += one.bet.amount
            return group

        known = [one for one in bets if one.bet.prediction < len(lines)]
        groups, others = [], []
        for one in known:
            groups.append(add([one])) if fits([one]) else others.append(one)
        for size in range(len(others), 1, -1):
            if fits(others[:size]):
                groups.append(add(others[:size]))
                break
        return groups

    def _refuse(self, one: SignedBet, reason: str) -> None:
        """Gives a bet up; silently where its nonce is used: it was placed before, or its player took it back."""
        self.store.drop_signed([one])
        self._alone.discard(one.key)
        if reason != USED:
            self.tell(one, "not_placed", f"{reason or 'the contract refuses it'}; nothing was taken")

    def _is_used(self, one: SignedBet) -> bool:
        return self.catalogue.at(one.contract).is_used(one.bet.account, self.wallet.address, one.bet.nonce)

    def _drop(self, bets: list[SignedBet], code: str, text: str) -> None:
        self.store.drop_signed(bets)
        for one in bets:
            self._alone.discard(one.key)
            self.tell(one, code, text)


def _refused(refusal: Reverted) -> str:
    return f"{refusal}; nothing was taken"
