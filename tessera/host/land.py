"""Landing what players signed: in batches, each bet once, and none that harms another.

The relayer is the host's own account, so its private bets need no voucher. Several transactions are under way at the
same time, while the next bets gather. A bet is tried until its deadline; its nonce lets it count once, whatever happens
in between.
Gas is the host's: nothing is listed or landed for a bet that its player cannot pay for or may not place, or that costs
the host more than it spends for its player (`tessera.host.gas`).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from web3 import Web3
from web3.types import TxParams, TxReceipt

from tessera.chain.contract import receipt_of
from tessera.chain.deployments import Tessera
from tessera.chain.errors import Reverted, calling
from tessera.chain.hosted_bets import NO_SIGNATURE, BetSkipped, compact_words
from tessera.chain.signatures import signer_of
from tessera.chain.wallet import MOST_UNDER_WAY, Planned, Wallet
from tessera.host.catalogue import Catalogue, Offered
from tessera.host.purse import Purse
from tessera.host.store import SignedBet
from tessera.host.view import View
from tessera.model.odds import Book

MOST_AT_ONCE = 64  # bets that a contract takes in one call
TRY_ALONE = ("odds: group is not covered", "odds: others wait before")  # what waits after being placed alone

Key = tuple[str, bytes]  # of a listing: its contract and its id
Drop = Callable[[list[SignedBet], str | None, str], None]


class Charge(Protocol):
    """Counts what was paid for gas, wei, for these accounts."""

    def __call__(self, accounts: Sequence[str], wei: int, /, *, is_listing: bool = False) -> None: ...


@dataclass(frozen=True)
class Transaction:
    """Bets of one listing that land together, in groups, by a call that was tried; or one that lands by itself."""

    offered: Offered
    groups: list[list[SignedBet]]
    call: TxParams | None = None

    @property
    def bets(self) -> list[SignedBet]:
        return [signed for group in self.groups for signed in group]


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
    charge: Charge
    landed: dict[tuple, Landed] = field(default_factory=dict)
    _used: set[tuple] = field(default_factory=set)  # nonces: landed by this host before it was started again, or burned
    _alone: set[tuple] = field(default_factory=set)
    _by_key: dict[tuple, bool] = field(default_factory=dict)  # whether a bet was signed by its account's key

    def forget(self, now: int, head: int, transactions: set[str], signed: list[SignedBet]) -> list[SignedBet]:
        """Those of the signed bets whose deadline is not over; lands again, later, what the chain took back.

        `transactions` are those in which the chain, up to its block `head`, has bets of this host.
        """
        for key, landed in list(self.landed.items()):
            if landed.block <= head and landed.transaction not in transactions:
                del self.landed[key]
        self._used = {landed.key for landed in signed if landed.key in self._used and self._is_used(landed)}
        over = [landed for landed in signed if landed.bet.deadline < now]
        for landed in over:
            was_placed = self.landed.pop(landed.key, None) is not None or self._is_used(landed)
            code = None if was_placed else "deadline_over"
            self._drop([landed], code, "the bet was not placed before its deadline; nothing was taken")
        return [landed for landed in signed if landed.bet.deadline >= now]

    def waits(self, signed: SignedBet) -> bool:
        """Whether a bet is still to be landed."""
        return signed.key not in self.landed and signed.key not in self._used

    def land(self, waiting: list[SignedBet], view: View) -> None:
        """Lands bets of `waiting`, who came first goes first, in as many transactions as can be under way at once."""
        offered: dict[Key, Offered] = {(one.contract.address, one.bet_id): one for one in self.catalogue.offered}
        purses = {account: replace(purse, promised=0) for account, purse in view.purses.items()}
        for landed in self.landed.values():
            if landed.block > view.head.number:  # the view does not show yet that it is paid
                bet = landed.bet.bet
                purses[bet.account] = purses[bet.account].with_promise(bet.amount)
        wanted = dict.fromkeys((one.contract, one.bet_id) for one in waiting)
        missing = {key for key in wanted if key in offered and not self.catalogue.is_listed(offered[key])}
        gas = view.gas and view.gas.copy()
        by_bet = defaultdict(list)
        for one in waiting:
            key, account = (one.contract, one.bet_id), one.bet.account
            bet, lists = offered.get(key), key in missing and key not in by_bet
            if bet is None:
                self._give_up(one, "bet_gone", "the host does not offer this bet any more")
            elif refusal := (
                self._refusal(bet, one, view, purses[account]) or (gas and gas.refusal(account, lists=lists))
            ):
                self._give_up(one, *refusal)
            else:
                purses[account] = purses[account].with_promise(one.bet.amount)
                by_bet[key].append(one)
                if gas:
                    gas.take(account, lists=lists)
        listed = self._listed(offered, by_bet, missing)
        transactions = [transaction for key in listed for transaction in self._transactions(offered[key], by_bet[key])]
        place = {signed.key: number for number, signed in enumerate(waiting)}
        transactions.sort(key=lambda transaction: min(place[signed.key] for signed in transaction.bets))
        self._send(transactions[:MOST_UNDER_WAY])

    def _refusal(self, offered: Offered, signed: SignedBet, view: View, purse: Purse) -> tuple[str, str] | None:
        """What a bet would be refused for, as far as it is known without asking the chain: a code and a sentence."""
        if offered.excludes(signed.bet.account):
            return "excluded", "the host and the members of the panel cannot take part"
        is_least = offered.bet.has_odds or offered.bet_id not in view.listed  # else it may add to a position
        if signed.bet.amount > offered.bet.max_stake or (is_least and signed.bet.amount < offered.bet.min_stake):
            return "bad_amount", f"bet {offered.bet.number} takes stakes in its range alone"
        return purse.refusal(offered.product, signed.bet.amount, self.decimals)

    def _listed(self, offered: dict[Key, Offered], by_bet: dict[Key, list[SignedBet]], missing: set[Key]) -> list[Key]:
        """Those of the bets that are on the chain, once as many of the missing as can be under way were listed."""
        planned: dict[Key, Planned] = {}
        for key in [key for key in by_bet if key in missing][:MOST_UNDER_WAY]:
            try:
                content = tuple(offered[key].listing), tuple(NO_SIGNATURE)
                planned[key] = offered[key].contract.plan(self.wallet, "list_bet", *content)
            except Reverted as refusal:
                for signed in by_bet[key]:
                    self._give_up(signed, "not_listed", f"the bet cannot be listed: {refusal}")
        receipts = self.wallet.submit_all(list(planned.values())) if planned else []
        done = set()
        for key, receipt in zip(planned, receipts, strict=False):
            self.charge([by_bet[key][0].bet.account], _paid(receipt), is_listing=True)
            if receipt["status"] == 1:
                done.add(key)
        return [key for key in by_bet if key not in missing or key in done]

    def _transactions(self, offered: Offered, bets: list[SignedBet]) -> list[Transaction]:
        """How bets of one listing land. What cannot be placed now is refused: gas is the host's. Of bets at odds there
        is one batch: what the next one may hold depends on it."""
        bets = bets[: MOST_AT_ONCE if offered.bet.has_odds else MOST_AT_ONCE * MOST_UNDER_WAY]
        self._alone |= {signed.key for signed in bets if not self._is_by_key(offered, signed)}
        keys = [signed for signed in bets if signed.key not in self._alone]
        batches, refused = [], []
        for first in range(0, len(keys), MOST_AT_ONCE):
            part = keys[first : first + MOST_AT_ONCE]
            batch = self._batch(offered, part)
            call = self._call(offered, batch)
            if batch and self._placed_by(call) < sum(map(len, batch)):
                placeable = self._sifted(offered, part)
                refused += [signed for signed in part if signed not in placeable]
                batch = self._batch(offered, placeable)
                call = self._call(offered, batch)
            if batch:
                batches.append(Transaction(offered, batch, call))
        together = {signed.key for signed in refused} | {signed.key for batch in batches for signed in batch.bets}
        others = [Transaction(offered, [[signed]]) for signed in bets if signed.key not in together]
        return [*batches, *others]

    def _send(self, transactions: list[Transaction]) -> None:
        planned: list[tuple[Transaction, Planned]] = []
        for transaction in transactions:
            try:
                planned.append((transaction, self._plan(transaction)))
            except Reverted as refusal:
                self._refuse_all(transaction, refusal)
        if not planned:
            return
        receipts = self.wallet.submit_all([plan for _, plan in planned])
        for (transaction, plan), receipt in zip(planned, receipts, strict=False):  # a node may take the first alone
            self._note(transaction, plan, receipt)

    def _plan(self, transaction: Transaction) -> Planned:
        contract = transaction.offered.contract
        if (call := transaction.call) is not None:  # was tried a moment ago
            function = f"{contract.NAME}.place_many"
            return Planned(call, function, self.wallet.gas(call, function))
        (signed,) = transaction.bets
        arguments = (signed.bet_id, tuple(signed.bet), signed.signature, tuple(NO_SIGNATURE))
        return contract.plan(self.wallet, "place_signed", *arguments)

    def _note(self, transaction: Transaction, plan: Planned, receipt: TxReceipt) -> None:
        self.charge([signed.bet.account for signed in transaction.bets], _paid(receipt))
        try:
            done = receipt_of(self.wallet.succeeded(receipt, plan.function))
        except Reverted as refusal:
            return self._refuse_all(transaction, refusal)
        skipped = {(row.account, row.nonce): row.reason for row in done.events if isinstance(row, BetSkipped)}
        for group in transaction.groups:
            for signed in group:
                reason = skipped.get((signed.bet.account, signed.bet.nonce))
                if reason is None:
                    self.landed[signed.key] = Landed(signed, done.transaction, done.block)
                elif reason in TRY_ALONE or len(group) > 1:
                    self._alone.add(signed.key)  # another one of its group may have been refused
                else:
                    self._refuse(signed, reason)
        return None

    def _refuse_all(self, transaction: Transaction, refusal: Reverted) -> None:
        for signed in transaction.bets:
            self._refuse(signed, refusal.reason)

    def _is_by_key(self, offered: Offered, signed: SignedBet) -> bool:
        """Whether a batch takes the signature: those of contract wallets are landed one by one, whatever their form."""
        if signed.key not in self._by_key:
            message = offered.signer.typed_bet(signed.bet_id, signed.bet, self.wallet.address)
            self._by_key[signed.key] = signer_of(message, signed.signature) == signed.bet.account
        return self._by_key[signed.key]

    def _batch(self, offered: Offered, bets: list[SignedBet]) -> list[list[SignedBet]]:
        return self._groups(offered, bets) if offered.bet.has_odds else [[signed] for signed in bets]

    def _call(self, offered: Offered, batch: list[list[SignedBet]]) -> TxParams:
        data = offered.contract.calldata("place_many", *self._arguments(offered, batch))
        return {"to": offered.contract.address, "data": Web3.to_hex(data)}

    def _arguments(self, offered: Offered, batch: list[list[SignedBet]]) -> tuple:
        bets = [signed for group in batch for signed in group]
        sizes = ([len(group) for group in batch],) if offered.bet.has_odds else ()
        signatures = [compact_words(signed.signature) for signed in bets]
        return offered.bet_id, *sizes, [tuple(signed.bet) for signed in bets], signatures

    def _placed_by(self, call: TxParams) -> int:
        """How many bets a batch would place now."""
        try:
            with calling("place_many"):
                placed = self.wallet.web3.eth.call({"from": self.wallet.address, **call}, "pending")
                return int.from_bytes(placed, "big")
        except Reverted:
            return 0

    def _sifted(self, offered: Offered, bets: list[SignedBet]) -> list[SignedBet]:
        """The bets that can be placed now, each by itself; the others are refused."""
        placeable = []
        for signed in bets:
            arguments = (offered.bet_id, tuple(signed.bet), signed.signature, tuple(NO_SIGNATURE))
            data = offered.contract.calldata("place_signed", *arguments)
            try:
                self.wallet.simulate({"to": offered.contract.address, "data": Web3.to_hex(data)}, "place_signed")
                placeable.append(signed)
            except Reverted as refusal:
                self._refuse(signed, refusal.reason)
        return placeable

    def _groups(self, offered: Offered, bets: list[SignedBet]) -> list[list[SignedBet]]:
        """What is covered now: each bet that is by itself, and then as many of the others, in their order, as are
        together."""
        lens, listing = self.tessera.odds_lens, offered.listing
        lines = [lens.line(offered.bet_id, prediction) for prediction in range(len(listing.predictions))]
        book = Book(list(listing.profits), listing.validator_bps, lens.book(offered.bet_id).bankroll)
        book.stakes = [line.staked for line in lines]
        waits = [line.waiting > 0 for line in lines]

        def fits(group: list[SignedBet]) -> bool:
            added = [
                sum(signed.bet.amount for signed in group if signed.bet.prediction == k) for k in range(len(lines))
            ]
            return book.with_stakes(added) and not any(waits[signed.bet.prediction] for signed in group)

        def add(group: list[SignedBet]) -> list[SignedBet]:
            for signed in group:
                book.stakes[signed.bet.prediction] += signed.bet.amount
            return group

        known = [signed for signed in bets if signed.bet.prediction < len(lines)]
        groups, others = [], []
        for signed in known:
            groups.append(add([signed])) if fits([signed]) else others.append(signed)
        for size in range(len(others), 1, -1):
            if fits(others[:size]):
                groups.append(add(others[:size]))
                break
        return groups

    def _refuse(self, signed: SignedBet, reason: str) -> None:
        self._give_up(signed, "not_placed", reason or "the contract refuses it")

    def _give_up(self, signed: SignedBet, code: str, text: str) -> None:
        """Drops a bet, unless its nonce is used: its player burned it, or it was placed, perhaps before this process
        began, which a chain may undo."""
        if self._is_used(signed):
            self._used.add(signed.key)
        else:
            self._drop([signed], code, f"{text}; nothing was taken")

    def _is_used(self, signed: SignedBet) -> bool:
        return self.catalogue.at(signed.contract).is_used(signed.bet.account, self.wallet.address, signed.bet.nonce)

    def _drop(self, bets: list[SignedBet], code: str | None, text: str) -> None:
        for signed in bets:
            self._by_key.pop(signed.key, None)
        self._alone -= {signed.key for signed in bets}
        self._used -= {signed.key for signed in bets}
        self.drop(bets, code, text)


def _paid(receipt: TxReceipt) -> int:
    """What a transaction cost, wei."""
    return receipt["gasUsed"] * receipt["effectiveGasPrice"]
