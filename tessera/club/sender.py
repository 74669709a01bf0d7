"""The club's own transactions: it invites those who redeemed a code, and gives members gas money.

Nobody is paid twice or forgotten, wherever the process is killed and however many nodes run. Each transaction has its
intent, which is written down by its nonce before it is sent. The nonce is read before the balances that an intent is
made of. So whoever sends an intent sends it with a nonce that was free when the balances were read: a transaction that
landed since has that nonce, and the chain refuses a second one. Whoever is started again, or takes over, carries the
intent of the next free nonce out before it makes another one.
"""

import logging
import secrets
import time
from collections.abc import Sequence
from threading import Event, Lock, Thread
from typing import Any

from web3 import Web3

from tessera.chain.deployments import Tessera
from tessera.chain.errors import ChainError, NoGasMoneyError, NonceTakenError, Reverted
from tessera.chain.fees import GasPrice, gas_price
from tessera.chain.wallet import Wallet
from tessera.club.gas import DAY, Purse, day_of, purse
from tessera.club.settings import Gas
from tessera.club.store import Intent, LostLeaseError, Member, Store

log = logging.getLogger(__name__)

MOST_AT_ONCE = 256  # accounts that PlayEuro takes
SWEEP_SECONDS = 20  # between looks at everybody
LEASE_SECONDS = 15.0  # after which another node sends in place of one that is gone
REFUSED_SECONDS = 600  # before an account that refused its gas money is tried again
SETTLE_SECONDS = 30  # between two gifts to one account: machines behind one node may be some blocks apart
PAUSE, LEAST_WAIT, MOST_WAIT = 0.2, 1.0, 60
QUOTE_SECONDS = 3.0
TRANSFER_GAS = 21_000


class Sender:
    """Of the nodes that share a database, the one with the lease sends. `run` is one thread's; the rest is for any."""

    def __init__(self, tessera: Tessera, store: Store, wallet: Wallet, gas: Gas, reader: Web3):
        """`reader` asks the chain's node for those who answer members, and does not wait for it for long."""
        self.tessera, self.store, self.wallet, self.gas, self.reader = tessera, store, wallet, gas, reader
        self.holder = secrets.token_hex(8)
        self.trouble: str | None = None  # why the last step did less than was due
        self._epoch: int | None = None
        self._joined: set[str] = set()
        self._refused: dict[str, float] = {}
        self._wake, self._stopping = Event(), Event()
        self._refill_at = 0.0
        self._quote_lock, self._quoted_at = Lock(), -QUOTE_SECONDS
        self._quoted: tuple[GasPrice, int] | None = None
        self._threads: list[Thread] = []

    # For those who answer members

    def wake(self) -> None:
        """Lets it look at once."""
        self._wake.set()

    def purse(self, account: str, *, joined: bool) -> Purse:
        """What an account of a member has for gas, and what is being done about it. Raises NodeError."""
        price, money = self.quote()
        balance = self.reader.eth.get_balance(Web3.to_checksum_address(account))
        return self._purse(account, self.store.given(day_of(int(time.time()))), price, money, balance, joined)

    def quote(self) -> tuple[GasPrice, int]:
        """What gas costs and what the node has, wei, at most some seconds ago, since all ask it. Raises NodeError."""
        with self._quote_lock:
            if self._quoted is None or time.monotonic() - self._quoted_at >= QUOTE_SECONDS:
                money = self.reader.eth.get_balance(Web3.to_checksum_address(self.wallet.address))
                self._quoted = gas_price(self.reader, self.wallet.max_gas_price), money
                self._quoted_at = time.monotonic()
            return self._quoted

    @property
    def leads(self) -> bool:
        """Whether this node is the one that sends."""
        return self._epoch is not None

    # The thread

    def start(self) -> None:
        """Begins to send, where and as long as it has the lease."""
        self._threads = [Thread(target=self._run, name="club sender"), Thread(target=self._hold, name="club lease")]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Waits for the transaction that is under way, and lets another node send."""
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            thread.join()
        self.store.leave_lease(self.holder)

    def _hold(self) -> None:
        while not self._stopping.wait(LEASE_SECONDS / 3):
            try:
                self._epoch = self.store.hold_lease(self.holder, LEASE_SECONDS)
            except ChainError as error:
                log.warning("%s", error)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            has_sent = False
            try:
                has_sent = self.step()
                failures = 0
            except Exception as error:  # members' gas is not to wait for whoever reads the log
                failures += 1
                self.trouble = str(error)
                log.warning("%s", error, exc_info=not isinstance(error, ChainError))
            idle_since = time.monotonic()
            pause = min(2**failures, MOST_WAIT) if failures else PAUSE if has_sent else SWEEP_SECONDS
            self._wake.wait(pause)
            self._wake.clear()
            if not has_sent:  # whoever asks again and again does not make it ask the chain as often
                self._stopping.wait(max(0.0, idle_since + LEAST_WAIT - time.monotonic()))

    def step(self) -> bool:
        """Sends one transaction, if one is due and this node has the lease; whether it did. Raises ChainError."""
        self._epoch = self.store.hold_lease(self.holder, LEASE_SECONDS)
        if self._epoch is None:
            return False
        self._refill()
        # Before all else that is read of the chain: see above.
        nonce = self.wallet.nonce()
        self.store.end_before(nonce)
        self.trouble = None
        intent = self.store.intent(nonce) or self._due(nonce)
        if intent is None:
            return False
        try:
            intent = self.store.intend(intent, self._epoch)
        except LostLeaseError:
            return False
        return self._carry_out(intent)

    def _carry_out(self, intent: Intent) -> bool:
        try:
            receipt = self.wallet.submit(self._call(intent), f"club.{intent.kind}", nonce=intent.nonce)
        except NonceTakenError:
            return True  # by this very intent, sent by a process that was killed: what is due is looked at anew
        except Reverted as error:
            self.store.drop_intent(intent.nonce)
            self.trouble = f"{intent.kind}: {error}"
            if intent.kind == "gas":
                self._refused.update(dict.fromkeys(intent.accounts, time.monotonic() + REFUSED_SECONDS))
                return True
            raise
        self.store.end_intent(intent.nonce, Web3.to_hex(receipt["transactionHash"]), failed=receipt["status"] != 1)
        log.info("%s %s: %s", intent.kind, ", ".join(intent.accounts), Web3.to_hex(receipt["transactionHash"]))
        return True

    def _call(self, intent: Intent) -> Any:
        if intent.kind != "gas":
            euro = self.tessera.play_euro
            data = euro.calldata(intent.kind, list(intent.accounts))
            return {"to": euro.address, "data": Web3.to_hex(data)}
        if self.wallet.balance() < intent.amount + TRANSFER_GAS * self.wallet.gas_price().total:
            raise NoGasMoneyError(f"{self.wallet.address} has too little left to give members gas money: refill it")
        return {"to": Web3.to_checksum_address(intent.accounts[0]), "value": intent.amount}

    def _due(self, nonce: int) -> Intent | None:
        """What is to be done next, by what the chain has after the nonce was read."""
        now, euro, members = int(time.time()), self.tessera.play_euro, self.store.members()
        waiting = [member for member in members if not self._has_joined(member.account)]
        invited = {member.account: euro.invited(member.account) for member in waiting}
        for kind, accounts in (
            ("invite", _those(waiting, lambda member: not member.replaced and not invited[member.account])),
            ("uninvite", _those(waiting, lambda member: member.replaced and invited[member.account])),
        ):
            if accounts:
                return Intent(nonce, kind, tuple(accounts[:MOST_AT_ONCE]), 0, now)
        given, price, money = self.store.given(day_of(now)), self.wallet.gas_price(), self.wallet.balance()
        lately, refusing = self.store.given_lately(now - SETTLE_SECONDS), time.monotonic()
        # Who has not joined waits with the phone in the hand.
        for member in sorted(members, key=lambda member: member.account in self._joined):
            if member.replaced or member.account in lately or self._refused.get(member.account, 0) > refusing:
                continue
            balance = self.wallet.web3.eth.get_balance(Web3.to_checksum_address(member.account))
            state = self._purse(member.account, given, price, money, balance, member.account in self._joined)
            if state.state == "coming":
                return Intent(nonce, "gas", (member.account,), state.amount, now)
            if state.state in ("too_dear", "node_empty", "budget_spent"):
                self.trouble = state.detail
        return None

    def _has_joined(self, account: str) -> bool:
        if account not in self._joined and self.tessera.play_euro.joined(account):
            self._joined.add(account)
        return account in self._joined

    def _purse(
        self, account: str, given: dict[str, int], price: GasPrice, money: int, balance: int, joined: bool
    ) -> Purse:
        return purse(
            self.gas,
            price,
            balance=balance,
            joined=joined,
            own=given.get(account, 0),
            everybody=sum(given.values()),
            node=money,
            now=int(time.time()),
        )

    def _refill(self) -> None:
        if time.monotonic() >= self._refill_at:
            self.wallet.budget, self._refill_at = self.gas.own, time.monotonic() + DAY


def _those(members: Sequence[Member], is_meant) -> list[str]:
    return [member.account for member in members if is_meant(member)]
