"""One round: every step that is due is tried, and what became of it is read from the chain."""

from collections.abc import Callable
from dataclasses import dataclass, field

from web3 import Web3
from web3.types import TxReceipt

from tessera.chain import ChainError, NodeError, Reverted, Wallet
from tessera.chain.waiting import LAG_SECONDS, wait_until
from tessera.keeper.plan import Plan
from tessera.keeper.steps.base import Call, Status, Step, refusal
from tessera.keeper.view import View

STOPPED = "the keeper was stopped"
MOST_NAMED = 3  # accounts in a message
REFUSED_SECONDS = 2  # until a refusal is believed


@dataclass(frozen=True)
class Sent:
    """A transaction that a node says is in a block; `fee` in wei."""

    name: str
    transaction: str
    block: int
    gas_used: int
    fee: int
    succeeded: bool


@dataclass(frozen=True)
class Outcome:
    """A step, what became of it, and its transactions."""

    step: Step
    status: Status
    message: str
    sent: tuple[Sent, ...] = ()


@dataclass
class Round:
    """What one round did. Fees in wei."""

    plan: Plan
    account: str
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def gas_used(self) -> int:
        """Gas of all transactions."""
        return sum(sent.gas_used for outcome in self.outcomes for sent in outcome.sent)

    @property
    def fees(self) -> int:
        """What all transactions cost, wei."""
        return sum(sent.fee for outcome in self.outcomes for sent in outcome.sent)

    def of(self, status: Status) -> list[Outcome]:
        """The steps that ended so."""
        return [outcome for outcome in self.outcomes if outcome.status is status]

    @property
    def exit_code(self) -> int:
        """0: all that was due is done. 3: something was left undone, or the node leaves logs out. 4: all is done but
        for winners whom the token refuses."""
        return 3 if self.of(Status.UNDONE) or self.plan.hole else 4 if self.of(Status.REFUSED) else 0


class Watcher:
    """Whoever looks on. This one looks away."""

    def begin(self, step: Step) -> None:
        """A step is tried."""

    def paid(self, people: int) -> None:
        """A transaction of it is in a block; so many people of `step.size`."""

    def end(self, outcome: Outcome) -> None:
        """What became of it."""


def run(
    view: View,
    wallet: Wallet,
    plan: Plan,
    *,
    budget: int | None = None,
    watcher: Watcher | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Round:
    """Tries every step of a plan in its order; one that fails, or that there is no money for, does not hold up the
    others.

    `budget` is what the round may spend on gas, wei. `stopping` is asked before each transaction.
    """
    watcher = watcher or Watcher()
    wallet.budget = budget
    done = Round(plan, wallet.address)
    for step in plan.steps:
        watcher.begin(step)
        done.outcomes.append(_attempt(view, wallet, step, watcher, stopping))
        watcher.end(done.outcomes[-1])
    return done


def _attempt(view: View, wallet: Wallet, step: Step, watcher: Watcher, stopping: Callable[[], bool]) -> Outcome:
    sent: list[Sent] = []
    fault = ""
    try:
        if stopping():
            raise ChainError(STOPPED)
        for call in step.calls(view):
            if stopping():
                raise ChainError(STOPPED)
            try:
                sent.append(_submit(view, wallet, call))
            except Reverted as refused:
                fault = step.advice(refused)
                continue  # other batches of winners may be paid
            if not sent[-1].succeeded:
                fault = _failed(view, call, sent[-1])
            watcher.paid(call.people)
    except NodeError as error:
        fault = _node_failed(error)
    except ChainError as error:
        fault = str(error)
    # A receipt is a node's word, and others may have been faster: the state decides. It may come from another machine
    # than the receipt, one that is some blocks behind.
    patience = 0 if fault else min(wallet.seconds_per_price, LAG_SECONDS)
    try:
        if wait_until(lambda: step.is_done(view), patience):
            return _done(view, step, tuple(sent))
    except NodeError as error:
        fault = fault or _node_failed(error)
    except ChainError as error:
        fault = fault or str(error)
    fault = fault or "a node says that it is in a block, and the chain does not show it"
    return Outcome(step, Status.UNDONE, fault, tuple(sent))


def _submit(view: View, wallet: Wallet, call: Call) -> Sent:
    """Sends a call. A refusal that was simulated may be of a machine that is some blocks behind: it is asked for again
    before it is believed."""
    try:
        receipt = wallet.submit(call.data, call.name)
    except Reverted:
        if not wait_until(lambda: refusal(view, call) is None, min(wallet.seconds_per_price, REFUSED_SECONDS)):
            raise
        receipt = wallet.submit(call.data, call.name)
    return _sent(call, receipt)


def _done(view: View, step: Step, sent: tuple[Sent, ...]) -> Outcome:
    if refused := step.refused(view):
        return Outcome(step, Status.REFUSED, f"the token refuses to pay {_named(refused)}; what is theirs waits", sent)
    if any(transaction.succeeded for transaction in sent):
        return Outcome(step, Status.DONE, step.note(view), sent)
    return Outcome(step, Status.OTHERS, step.note(view) or "the chain shows it as done", sent)


def _sent(call: Call, receipt: TxReceipt) -> Sent:
    return Sent(
        call.name,
        Web3.to_hex(receipt["transactionHash"]),
        receipt["blockNumber"],
        receipt["gasUsed"],
        receipt["gasUsed"] * receipt["effectiveGasPrice"],
        receipt["status"] == 1,
    )


def _named(accounts: list[str]) -> str:
    more = len(accounts) - MOST_NAMED
    return ", ".join(accounts[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _failed(view: View, call: Call, sent: Sent) -> str:
    reason = refusal(view, call)
    return f"reverted in {sent.transaction}: {reason or 'others were faster, or it ran out of gas'}"


def _node_failed(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return f"the node failed: {text[:200]}"
