"""The host node's own thread: reads the chain, lists, lands, confirms, settles and pays, and says what players see.

Whatever it knows it reads from the chain and from its store: killed anywhere, it goes on when it is started again.
Others talk to it by `take`, `watch` and `look`, which only leave something for the next `step`.
"""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event
from typing import Protocol

from hexbytes import HexBytes
from web3.exceptions import TransactionNotFound

from tessera.chain.contract import decode_logs
from tessera.chain.deployments import LOCAL_CHAINS, Tessera
from tessera.chain.errors import ChainError, NodeError, NodeRefusedError
from tessera.chain.hosted_bets import BetPlaced
from tessera.chain.logs import Block
from tessera.chain.odds_bets import TicketQueued
from tessera.chain.wallet import Wallet
from tessera.host import payout
from tessera.host.bets_file import Bet
from tessera.host.catalogue import Catalogue
from tessera.host.gas import Spending
from tessera.host.land import Lander
from tessera.host.purse import purses_of
from tessera.host.store import CONFIRMING, OWN, Cost, SignedBet, Store
from tessera.host.view import ListedBet, Stake, View, listed_bets, stakes_of
from tessera.index.index import Index

log = logging.getLogger(__name__)

MOST_WAIT = 60  # seconds, after failures one after the other
LOOK_SECONDS = 120  # for a transaction that a player names
MOST_LOOKED_FOR, MOST_ASKED = 1_000, 16  # of these: in all, and in one look
END_SECONDS = 60  # between looks at what ends without a new block: only its time is over
MOST_REORG = 256  # blocks, after which what is paid stays paid
MOST_NONCES = 10_000  # accounts whose last nonce is remembered

Publish = Callable[[set[str] | None], None]  # accounts whose bets or money changed; None: what everybody sees


class Tell(Protocol):
    """Tells an account what became of a bet that it signed, or of a transaction that it named: then without a nonce."""

    def __call__(self, account: str, code: str, text: str, nonce: int | None = None, /) -> None: ...


@dataclass(frozen=True)
class Named:
    """A transaction that a player named."""

    account: str
    transaction: str
    until: float  # monotonic


class Node:
    """One host. `step` does all that is due now; only one thread may call it."""

    def __init__(
        self,
        tessera: Tessera,
        index: Index,
        store: Store,
        wallet: Wallet,
        bets: list[Bet],
        *,
        decimals: int,
        budget: int | None = None,
    ):
        """`budget` is what may be spent on gas in 24 hours, wei.

        Raises FileError where the file's bets cannot be offered.
        """
        self.tessera, self.index, self.store, self.wallet, self.decimals = tessera, index, store, wallet, decimals
        self.publish: Publish = lambda concerned: None
        self.tell: Tell = lambda account, code, text, nonce=None: None
        self.catalogue = Catalogue(tessera, index, store, wallet.account)
        self._spending = Spending(store, wallet, budget)
        self.lander = Lander(tessera, self.catalogue, wallet, decimals, self._drop_signed, self._spending.charge)
        self._watched: SimpleQueue[tuple[str, bool]] = SimpleQueue()
        self._to_look: SimpleQueue[Named] = SimpleQueue()
        self._named: list[Named] = []
        self._players: dict[str, int] = {}
        self._wake = Event()
        self._ended_at: Block | None = None
        self._has_failed = False
        self._end_again_at = 0.0
        self._empty_since: dict[bytes, int] = {}  # block
        self._failed: dict[str, str] = {}  # what was said last of each kind of work
        self._nonces: dict[str, int] = {}
        self._first_nonce = secrets.randbits(240) << 8
        self._looked_at = time.monotonic()
        index.sync()
        self._gone = self.catalogue.open(bets, self.now())
        self._unbacked = [offered for offered in self.catalogue.offered if offered.bet.bankroll]
        self._signed: list[SignedBet] = []
        self._spending.look(self.now())
        self.view = self._look()

    def now(self) -> int:
        """Unix seconds by the chain or by the clock, whichever is later."""
        is_local = self.tessera.deployment.chain_id in LOCAL_CHAINS  # whose clock goes on without blocks
        newest = "pending" if is_local else "latest"
        return max(int(time.time()), self.index.web3.eth.get_block(newest).get("timestamp", 0))

    def clock(self) -> int:
        """The chain's time without asking it. Any thread."""
        return self.view.now + int(time.monotonic() - self._looked_at)

    def nonce(self, account: str) -> int:
        """A number that no other bet of an account has, whatever was lost: 256 in a row share a word. One thread."""
        if len(self._nonces) >= MOST_NONCES:
            self._nonces.clear()
            self._first_nonce = secrets.randbits(240) << 8
        self._nonces[account] = self._nonces.get(account, self._first_nonce - 1) + 1
        return self._nonces[account]

    def take(self, bets: list[SignedBet]) -> None:
        """Keeps signed bets of a player, to be landed; on return they survive the process. Any thread."""
        self.store.keep_signed(bets)
        self._wake.set()

    def watch(self, account: str, watched: bool) -> None:
        """Begins or ends to say what an account has. Any thread."""
        self._watched.put((account, watched))
        self._wake.set()

    def look(self, account: str, transactions: list[str]) -> None:
        """Looks for bets in transactions that a player sent. Any thread."""
        for transaction in transactions:
            self._to_look.put(Named(account, transaction, time.monotonic() + LOOK_SECONDS))
        self._wake.set()

    def run(self, stopping: Event, every: float) -> None:
        """Steps every so many seconds, and at once where somebody wants something, until `stopping` is set."""
        failures = 0
        while not stopping.is_set():
            try:
                self.step()
                failures = 0
            except Exception as error:  # players' bets are not to wait for whoever reads the log
                failures += 1
                log.warning("%s", error, exc_info=not isinstance(error, NodeError))
            self._wake.wait(min(every * 2**failures, max(every, MOST_WAIT)))
            self._wake.clear()

    def stop(self) -> None:
        """Lets `run` see at once that it is to stop. Any thread."""
        self._wake.set()

    def step(self) -> None:
        """Does all that is due. Raises what a node fails with; what was done until then stays done."""
        self._spending.look(self.now())
        self._show()
        self._do("take back", self._take_back)
        self._list()
        if waiting := [signed for signed in self._signed if self.lander.waits(signed)]:
            self._do("land", lambda: self.lander.land(waiting, self.view))
            self._show()
        if self.view.head != self._ended_at or time.monotonic() >= self._end_again_at:
            head, self._has_failed = self.view.head, False
            for bet in self.view.listed.values():
                self._end(bet)
            self._ended_at = None if self._has_failed else head
            self._end_again_at = time.monotonic() + END_SECONDS
            self._show()

    def _end(self, bet: ListedBet) -> None:
        """Confirms what waits in a bet while it is open; settles and pays it when it is decided."""
        if bet.has_odds and self.view.now < bet.closes_at:
            self._do("confirm", lambda: self._confirm(bet), CONFIRMING)
        elif self.view.now >= bet.listing.closes_at and self._has_money(bet):
            if not bet.settled:
                if not payout.is_decided(self.tessera, bet, self.view.now):
                    return
                if not self._do("settle", lambda: payout.settle(self.tessera, self.wallet, bet)):
                    return
            self._do("pay", lambda: payout.pay(self.tessera, self.wallet, self.index, bet))

    def _confirm(self, bet: ListedBet) -> None:
        """Players cause it by own transactions, so it is paid from what they may make the host spend, not from what is
        kept for settling and paying."""
        waiting, gas = self.view.waiting(bet), self.view.gas
        if any(waiting) and gas is not None and gas.together <= 0:
            raise ChainError("the gas for players of 24 hours is spent: what waits is confirmed later, or by anybody")
        payout.confirm(self.tessera, self.wallet, bet, waiting)

    def _has_money(self, bet: ListedBet) -> bool:
        """Whether a bet has money; one that had none for long is not asked for again."""
        head = self.view.head.number
        if head - self._empty_since.get(bet.bet_id, head) > MOST_REORG:
            return False
        if payout.has_money(self.tessera, bet):
            self._empty_since.pop(bet.bet_id, None)
            return True
        self._empty_since.setdefault(bet.bet_id, head)
        return False

    def _list(self) -> None:
        """Lists and funds what has a bankroll; the others wait until somebody bets."""
        self._unbacked = [
            offered
            for offered in self._unbacked
            if self.view.closes_at(offered) > self.view.now
            and not self._do(
                f"list and fund [bets:{offered.bet.number}]",
                partial(self.catalogue.list_bet, self.wallet, offered),
            )
        ]

    def _take_back(self) -> None:
        while self._gone:
            self.catalogue.take_back(self.wallet, *self._gone[0])
            del self._gone[0]

    def _do(self, what: str, action: Callable[[], object], cost: Cost = OWN) -> bool:
        """Whether it succeeded; what a contract, the node or the budget refuses is logged and tried later. `cost` is
        what its gas is spent on, as far as it is not charged to players."""
        try:
            with self._spending.counting(self.view.now, cost):
                action()
            return True
        except ChainError as error:
            if isinstance(error, NodeError) and not isinstance(error, NodeRefusedError):
                raise
            if self._failed.get(what) != error.explained:
                log.warning("%s: %s", what, error.explained)
            self._failed[what] = error.explained
            self._has_failed = True
            return False

    def _show(self) -> None:
        self.index.sync()
        view = self._look()
        before, self.view = self.view, view
        concerned = view.concerns(before)
        if concerned is None or concerned:
            self.publish(concerned)

    def _look(self) -> View:
        for account, watched in _all(self._watched):
            count = self._players.get(account, 0) + (1 if watched else -1)
            self._players[account] = count
            if count <= 0:
                del self._players[account]
        now, self._looked_at = self.now(), time.monotonic()
        signed = self.store.signed()
        with self.index.snapshot() as snapshot:
            listed = listed_bets(snapshot, host=self.wallet.address)
            stakes = stakes_of(self.tessera, snapshot, listed)
            purses = purses_of(snapshot, {*self._players, *(signed_bet.bet.account for signed_bet in signed)})
            head = snapshot.head
        transactions = {stake.transaction for mine in stakes.values() for stake in mine if stake.transaction}
        self._signed = self.lander.forget(now, head.number, transactions, signed)
        described = listed.keys() | {offered.bet_id for offered in self.catalogue.offered}
        for signed_bet in self._signed:
            landed, bet = self.lander.landed.get(signed_bet.key), signed_bet.bet
            if self.lander.waits(signed_bet) or (landed and landed.transaction not in transactions):
                purses[bet.account] = purses[bet.account].with_promise(bet.amount)
                if signed_bet.bet_id in described:  # else the file has it no more, and it is given up when it is landed
                    its = Stake(signed_bet.bet_id, bet.prediction, bet.amount, "pending", landed and landed.transaction)
                    stakes[bet.account] = (*stakes.get(bet.account, ()), its)
        self._find_named(transactions)
        return View(head, now, tuple(self.catalogue.offered), listed, stakes, purses, self._spending.left)

    def _find_named(self, transactions: set[str]) -> None:
        """Tells players of transactions that have no bet of this host, or are not there. Naming one is free, so the
        chain is asked for few of them at a time, for each in its turn."""
        self._named = [*self._named, *_all(self._to_look)][-MOST_LOOKED_FOR:]
        unknown = [named for named in self._named if named.transaction not in transactions]
        left = unknown[MOST_ASKED:]
        for named in unknown[:MOST_ASKED]:
            try:
                receipt = self.index.web3.eth.get_transaction_receipt(HexBytes(named.transaction))
            except TransactionNotFound:
                if named.until > time.monotonic():
                    left.append(named)
                else:
                    self.tell(named.account, "unknown_transaction", f"{named.transaction} is not on the chain")
                continue
            rows = decode_logs(receipt["logs"]) if receipt["status"] == 1 else ()
            if not any(isinstance(row, BetPlaced | TicketQueued) for row in rows):
                self.tell(named.account, "no_bet", f"{named.transaction} placed no bet")
        self._named = left

    def _drop_signed(self, bets: list[SignedBet], code: str | None, text: str) -> None:
        """Forgets signed bets, and says why, unless their players know."""
        self.store.drop_signed(bets)
        if code is not None:
            for signed in bets:
                self.tell(signed.bet.account, code, text, signed.bet.nonce)


def _all(queue: SimpleQueue) -> list:
    items = []
    try:
        while True:
            items.append(queue.get_nowait())
    except Empty:
        return items
