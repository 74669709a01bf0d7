"""The club's own transactions: it invites those who redeemed a code, and gives members gas money.

Nobody is paid twice or forgotten, wherever the process is killed and however many nodes run. Each transaction has its
intent, which is written down by its nonce before it is sent; those of a step have nonces in a row. The first free
nonce is read before the balances that intents are made of. So whoever sends an intent sends it with a nonce that was
free when the balances were read: a transaction that landed since has that nonce, and the chain refuses a second one.
Whoever is started again, or takes over, carries the intents from the next free nonce on out before it makes others.
"""

import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Event, Lock, Thread

from web3 import Web3
from web3.types import Wei

from tessera.chain.deployments import Tessera
from tessera.chain.errors import ChainError, NoGasMoneyError, NonceTakenError, Reverted
from tessera.chain.fees import GasPrice, gas_price
from tessera.chain.node import balances
from tessera.chain.wallet import MOST_UNDER_WAY, Planned, Wallet
from tessera.club.gas import TROUBLES, Purse, day_of, purse
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
IN_THE_LOG = "The club's node cannot send just now. It tries again by itself."


class Sender:
    """Of the nodes that share a database, the one with the lease sends. `run` is one thread's; the rest is for any."""

    def __init__(self, tessera: Tessera, store: Store, wallet: Wallet, gas: Gas, reader: Web3):
        """`reader` asks the chain's node for those who answer members, and does not wait for it for long."""
        self.tessera, self.store, self.wallet, self.gas, self.reader = tessera, store, wallet, gas, reader
        self.holder = secrets.token_hex(8)
        self.trouble: str | None = None  # why the last step did less than was due, as members may know it
        self._epoch: int | None = None
        self._joined: set[str] = set()
        self._refused: dict[str, float] = {}
        self._wake, self._stopping = Event(), Event()
        self._quote_lock, self._quoted_at = Lock(), -QUOTE_SECONDS
        self._quoted: tuple[GasPrice, int] | None = None
        self._threads: list[Thread] = []

    # For those who answer members

    def wake(self) -> None:
        """Lets it look at once."""
        self._wake.set()

    def purse(self, account: str, *, joined: bool) -> Purse:
        """What an account of a member has for gas, and what is being done about it. Raises NodeError."""
        now, (price, money) = int(time.time()), self.quote()
        balance = self.reader.eth.get_balance(Web3.to_checksum_address(account))
        return self._purse(self.reader, account, self.store.given(day_of(now)), price, money, balance, joined, now)

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
            has_sent = self.attempt()
            failures = failures + 1 if has_sent is None else 0
            idle_since = time.monotonic()
            pause = min(2**failures, MOST_WAIT) if failures else PAUSE if has_sent else SWEEP_SECONDS
            self._wake.wait(pause)
            self._wake.clear()
            if not has_sent:  # whoever asks again and again does not make it ask the chain as often
                self._stopping.wait(max(0.0, idle_since + LEAST_WAIT - time.monotonic()))

    def attempt(self) -> bool | None:
        """`step`, but None where it fails: members' gas is not to wait for whoever reads the log."""
        try:
            return self.step()
        except Exception as error:
            kind = error.code if isinstance(error, ChainError) else type(error).__name__
            # What the chain's node says of itself may have its address, with a key in it: not for members.
            self._is_troubled(kind, TROUBLES.get(kind, IN_THE_LOG), error)
            return None

    def _is_troubled(self, kind: str, sentence: str, error: Exception | None = None) -> None:
        """Says it to members as long as it lasts, and to whoever runs the node once."""
        self.trouble = sentence
        try:
            is_news = self.store.note_trouble(kind)
        except ChainError:  # the trouble is the database's, perhaps
            is_news = True
        if is_news:
            log.warning("%s", error or sentence, exc_info=error is not None and not isinstance(error, ChainError))

    def step(self) -> bool:
        """Sends what is due, if this node has the lease; whether it sent anything. Raises ChainError."""
        self._epoch = self.store.hold_lease(self.holder, LEASE_SECONDS)
        if self._epoch is None:
            return False
        self.wallet.budget = max(0, self.gas.own - self.store.spent(day_of(int(time.time()))))
        # Before all else that is read of the chain: see above.
        nonce = self.wallet.nonce()
        self.store.end_before(nonce)
        self.trouble = None
        due: dict[Intent, Planned] = {}
        intents = self.store.intents(nonce)
        if not intents:
            due = self._due(nonce)
            intents = list(due)
        if not intents:
            return False
        try:
            intents = self.store.intend(intents, self._epoch)
        except LostLeaseError:
            return False
        return self._carry_out(intents, due)

    def _carry_out(self, intents: Sequence[Intent], plans: Mapping[Intent, Planned]) -> bool:
        """Sends the first of some intents, as many as there is money for; what is left comes in the next step.

        `plans`: of those that were made just now.
        """
        planned: list[Planned] = []
        refused: set[int] = set()
        money = self.wallet.balance()
        price = self.wallet.gas_price().total
        for intent in intents[:MOST_UNDER_WAY]:
            try:
                call = plans.get(intent) or self._plan(intent)
            except Reverted as error:
                # Since it was written down. Others have the next nonces, so this one is used up, for nothing.
                self._is_refused(intent.kind, error)
                refused.add(intent.nonce)
                call = self.wallet.plan({"to": self.wallet.address, "value": Wei(0)}, "club.nothing")
            money -= call.call.get("value", 0) + call.gas * price
            if money < 0:
                break
            planned.append(call)
        if not planned:
            raise NoGasMoneyError(f"{self.wallet.address} has too little left to give members gas money: refill it")
        had = self.wallet.budget or 0
        try:
            receipts = self.wallet.submit_all(planned, nonce=intents[0].nonce)
        except NonceTakenError:
            return True  # by this very intent, sent by a process that was killed: what is due is looked at anew
        finally:
            self.store.note_spent(day_of(int(time.time())), had - (self.wallet.budget or 0))
        for intent, receipt in zip(intents, receipts, strict=False):
            failed, transaction = receipt["status"] != 1, Web3.to_hex(receipt["transactionHash"])
            self.store.end_intent(intent.nonce, transaction, failed=failed or intent.nonce in refused)
            if intent.kind == "gas" and (failed or intent.nonce in refused):
                self._refuses(intent.accounts[0])
            log.info("%s %s: %s", intent.kind, ", ".join(intent.accounts), transaction)
        return True

    def _plan(self, intent: Intent) -> Planned:
        """An intent's call. Raises Reverted where it would fail now."""
        function = f"club.{intent.kind}"
        if intent.kind != "gas":
            euro = self.tessera.play_euro
            data = euro.calldata(intent.kind, list(intent.accounts))
            return self.wallet.plan({"to": euro.address, "data": Web3.to_hex(data)}, function)
        to = Web3.to_checksum_address(intent.accounts[0])
        if self.wallet.web3.eth.get_code(to):  # it may have got it since the intent was written down
            raise Reverted("the account has code of its own", function)
        return self.wallet.plan({"to": to, "value": Wei(intent.amount)}, function)

    def _due(self, nonce: int) -> dict[Intent, Planned]:
        """What is to be done next, from a nonce on and in this order, by what the chain has after it was read."""
        now, members = int(time.time()), self.store.members()
        invited = self._invited(members)
        waiting = [member for member in members if member.account in invited]
        due: dict[Intent, Planned] = {}

        def add(kind: str, accounts: Sequence[str], amount: int = 0) -> bool:
            intent = Intent(nonce + len(due), kind, tuple(accounts), amount, now)
            try:
                due[intent] = self._plan(intent)
            except Reverted as error:
                self._is_refused(kind, error)
                return False
            return True

        for kind, is_meant in (("invite", self._is_to_be_invited), ("uninvite", self._is_to_be_uninvited)):
            accounts = [member.account for member in waiting if is_meant(member, invited[member.account])]
            if accounts and add(kind, accounts[:MOST_AT_ONCE]):
                invited.update(dict.fromkeys(accounts[:MOST_AT_ONCE], kind == "invite"))
        given, price, money = self.store.given(day_of(now)), self.wallet.gas_price(), self.wallet.balance()
        lately = self.store.given_lately(now - SETTLE_SECONDS)
        # Who has not joined waits with the phone in the hand.
        accounts = [
            Web3.to_checksum_address(member.account)
            for member in sorted(members, key=lambda member: member.account in self._joined)
            if not member.replaced
            and (member.account in self._joined or invited[member.account])
            and member.account not in lately
            and not self._is_refusing(member.account)
        ]
        troubles: set[str] = set()
        for account, balance in zip(accounts, balances(self.wallet.web3, accounts), strict=True):
            is_in = account in self._joined
            state = self._purse(self.wallet.web3, account, given, price, money, balance, is_in, now)
            troubles |= {state.state} & TROUBLES.keys()
            if state.state != "coming":
                continue
            if not add("gas", [account], state.amount):
                self._refuses(account)
                continue
            given[account] = given.get(account, 0) + state.amount
            money -= state.amount
            if len(due) >= MOST_UNDER_WAY:
                break
        for kind in sorted(troubles):
            self._is_troubled(kind, TROUBLES[kind])
        return due

    def _is_refused(self, kind: str, error: Reverted) -> None:
        """Notes what a contract refuses; an account that refuses its gas money is its member's own matter."""
        if kind == "gas":
            self.trouble = f"{kind}: {error}"
        else:
            self._is_troubled(error.code, f"{kind}: {error}")

    @staticmethod
    def _is_to_be_invited(member: Member, invited: bool) -> bool:
        return not member.replaced and not invited

    @staticmethod
    def _is_to_be_uninvited(member: Member, invited: bool) -> bool:
        return member.replaced and invited

    def _refuses(self, account: str) -> None:
        self._refused[account] = time.monotonic() + REFUSED_SECONDS

    def _is_refusing(self, account: str) -> bool:
        return self._refused.get(account, 0) > time.monotonic()

    def _invited(self, members: Sequence[Member]) -> dict[str, bool]:
        """Of members who have not joined: whether they may. Notes those who have, for good."""
        euro = self.tessera.play_euro
        accounts = [member.account for member in members if member.account not in self._joined]
        invited = dict(zip(accounts, euro.invited_each(accounts), strict=True))
        # Who may not join has not joined: an invitation that was used cannot be taken back.
        maybe = [account for account in accounts if invited[account]]
        self._joined.update(account for account, joined in zip(maybe, euro.joined_each(maybe), strict=True) if joined)
        return {account: invited[account] for account in accounts if account not in self._joined}

    def _purse(
        self,
        web3: Web3,
        account: str,
        given: dict[str, int],
        price: GasPrice,
        money: int,
        balance: int,
        joined: bool,
        now: int,
    ) -> Purse:
        state = purse(
            self.gas,
            price,
            balance=balance,
            joined=joined,
            own=given.get(account, 0),
            everybody=sum(given.values()),
            node=money,
            now=now,
        )
        # Code that receives ether uses as much gas of the node's as it likes, which no quota counts.
        if state.state == "coming" and web3.eth.get_code(Web3.to_checksum_address(account)):
            return replace(state, state="has_code", amount=0)
        return state
