"""Landing what players signed: in batches, each bet once, and none that harms another.

The relayer is the host's own account, so its private bets need no voucher. While a transaction is under way the next
batch gathers. A bet is tried until its deadline; its nonce lets it count once, whatever happens in between.
Gas is the host's: nothing is listed or landed for a bet that its player cannot pay for or may not place.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from web3 import Web3

from tessera.chain.deployments import Tessera
from tessera.chain.errors import Reverted, calling
from tessera.chain.hosted_bets import NO_SIGNATURE, BetSkipped, compact_words
from tessera.chain.signatures import signer_of
from tessera.chain.wallet import Wallet
from tessera.host.catalogue import Catalogue, Offered
from tessera.host.purse import Purse
from tessera.host.store import SignedBet
from tessera.host.view import View
from tessera.model.odds import Book

MOST_AT_ONCE = 64
TRY_ALONE = ("odds: group is not covered", "odds: others wait before")  # what waits after being placed alone

USED = "relayed: nonce is used"

Drop = Callable[[list[SignedBet], str | None, str], None]


@dataclass
class Landed:
    """Where a bet landed."""

    bet: SignedBet
    transaction: str
    block: int


@dataclass
class Lander:
    """Lands signed bets. `drop` forgets bets that cannot land, and says why: a code, None where their players know, and
    a sentence."""

    tessera: Tessera
    catalogue: Catalogue
    wallet: Wallet
    decimals: int
    drop: Drop
    landed: dict[tuple, Landed] = field(default_factory=dict)
    _used: set[tuple] = field(default_factory=set)  # nonces: landed by this host before it was started again, or burned
    _alone: set[tuple] = field(default_factory=set)

    def forget(self, now: int, head: int, transactions: set[str], signed: list[SignedBet]) -> list[SignedBet]:
        """Those of the signed bets whose deadline is not over; lands again, later, what the chain took back.

        `transactions` are those in which the chain, up to its block `head`, has bets of this host.
        """
        for key, one in list(self.landed.items()):
            if one.block <= head and one.transaction not in transactions:
                del self.landed[key]
        self._used = {one.key for one in signed if one.key in self._used and self._is_used(one)}
        over = [one for one in signed if one.bet.deadline < now]
        for one in over:
            was_placed = self.landed.pop(one.key, None) is not None or self._is_used(one)
            code = None if was_placed else "deadline_over"
            self._drop([one], code, "the bet was not placed before its deadline; nothing was taken")
        return [one for one in signed if one.bet.deadline >= now]

    def waits(self, one: SignedBet) -> bool:
        """Whether a bet is still to be landed."""
        return one.key not in self.landed and one.key not in self._used

    def land(self, waiting: list[SignedBet], view: View) -> None:
        """Sends one batch of each bet with signed bets that wait, those of `waiting`, in the order they came."""
        offered: dict[tuple[str, bytes], Offered] = {
            (one.contract.address, one.bet_id): one for one in self.catalogue.offered
        }
        purses = {account: replace(purse, promised=0) for account, purse in view.purses.items()}
        for landed in self.landed.values():
            if landed.block > view.head.number:  # the view does not show yet that it is paid
                bet = landed.bet.bet
                purses[bet.account] = purses[bet.account].with_promise(bet.amount)
        by_bet = defaultdict(list)
        for one in waiting:
            bet = offered.get((one.contract, one.bet_id))
            if bet is None:
                self._drop([one], "bet_gone", "the host does not offer this bet any more; nothing was taken")
            elif refusal := self._refusal(bet, one, view, purses[one.bet.account]):
                code, text = refusal
                self._drop([one], code, f"{text}; nothing was taken")
            else:
                purses[one.bet.account] = purses[one.bet.account].with_promise(one.bet.amount)
                by_bet[one.contract, one.bet_id].append(one)
        for key, bets in by_bet.items():
            self._land(offered[key], bets[:MOST_AT_ONCE])

    def _refusal(self, offered: Offered, one: SignedBet, view: View, purse: Purse) -> tuple[str, str] | None:
        """What a bet would be refused for, as far as it is known without asking the chain: a code and a sentence."""
        if offered.excludes(one.bet.account):
            return "excluded", "the host and the members of the panel cannot take part"
        is_least = offered.bet.has_odds or offered.bet_id not in view.listed  # else it may add to a position
        if one.bet.amount > offered.bet.max_stake or (is_least and one.bet.amount < offered.bet.min_stake):
            return "bad_amount", f"bet {offered.bet.number} takes stakes in its range alone"
        return purse.refusal(offered.product, one.bet.amount, self.decimals)

    def _land(self, offered: Offered, bets: list[SignedBet]) -> None:
        try:
            self.catalogue.list_bet(self.wallet, offered)
        except Reverted as refusal:
            return self._drop(bets, "not_listed", f"the bet cannot be listed: {refusal}; nothing was taken")
        self._alone |= {one.key for one in bets if not self._is_by_key(offered, one)}
        keys = [one for one in bets if one.key not in self._alone]
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

    def _is_by_key(self, offered: Offered, one: SignedBet) -> bool:
        """Whether a batch takes the signature: those of contract wallets are landed one by one, whatever their form."""
        message = offered.signer.typed_bet(one.bet_id, one.bet, self.wallet.address)
        return signer_of(message, one.signature) == one.bet.account

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
        """Gives a bet up, unless its nonce is used: it was placed, which a chain may undo, or its player burned it."""
        if reason == USED:
            self._used.add(one.key)
        else:
            self._drop([one], "not_placed", f"{reason or 'the contract refuses it'}; nothing was taken")

    def _is_used(self, one: SignedBet) -> bool:
        return self.catalogue.at(one.contract).is_used(one.bet.account, self.wallet.address, one.bet.nonce)

    def _drop(self, bets: list[SignedBet], code: str | None, text: str) -> None:
        self._alone -= {one.key for one in bets}
        self._used -= {one.key for one in bets}
        self.drop(bets, code, text)


def _refused(refusal: Reverted) -> str:
    return f"{refusal}; nothing was taken"
