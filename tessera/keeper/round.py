"""One round: every step that is due is tried, and what became of it is read from the chain."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tessera.chain import ChainError, Reverted
from tessera.keeper.patience import LAG_SECONDS, comes_true
from tessera.keeper.plan import Plan
from tessera.keeper.scene import Scene
from tessera.keeper.sender import NODE_ERRORS, Sender, Sent
from tessera.keeper.steps import Call, Status, Step, refusal

STOPPED = "the keeper was stopped"
MOST_NAMED = 3  # accounts in a message


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
        return sum(sent.gas_used for outcome in self.outcomes for sent in outcome.sent)

    @property
    def fees(self) -> int:
        return sum(sent.fee for outcome in self.outcomes for sent in outcome.sent)

    def of(self, status: Status) -> list[Outcome]:
        """The steps that ended so."""
        return [outcome for outcome in self.outcomes if outcome.status is status]

    @property
    def exit_code(self) -> int:
        """0: all that was due is done. 3: something was left undone. 4: all is done but for winners whom the token
        refuses."""
        return 3 if self.of(Status.UNDONE) else 4 if self.of(Status.REFUSED) else 0


class Watcher:
    """Whoever looks on. This one looks away."""

    def begin(self, step: Step) -> None:
        """A step is tried."""

    def paid(self, people: int) -> None:
        """A transaction of it is in a block; so many people of `step.size`."""

    def end(self, outcome: Outcome) -> None:
        """What became of it."""


def run(
    scene: Scene,
    sender: Sender,
    plan: Plan,
    *,
    watcher: Watcher | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Round:
    """Tries every step of a plan in its order; one that fails does not hold up the others.

    `stopping` is asked before each transaction. Raises ChainError, and has sent nothing, where the account cannot pay
    for the gas of the whole plan.
    """
    watcher = watcher or Watcher()
    done = Round(plan, sender.address)
    if plan.steps:
        sender.check_money(plan.gas)
    for step in plan.steps:
        watcher.begin(step)
        done.outcomes.append(_attempt(scene, sender, step, watcher, stopping))
        watcher.end(done.outcomes[-1])
    return done


def _attempt(scene: Scene, sender: Sender, step: Step, watcher: Watcher, stopping: Callable[[], bool]) -> Outcome:
    sent: list[Sent] = []
    trouble = ""
    try:
        if stopping():
            raise ChainError(STOPPED)
        for call in step.calls(scene):
            if stopping():
                raise ChainError(STOPPED)
            try:
                sent.append(sender.send(call))
            except Reverted as refused:
                trouble = step.advice(refused)
                continue  # other batches of winners may be paid
            if not sent[-1].succeeded:
                trouble = _failed(scene, call, sent[-1])
            watcher.paid(call.people)
    except ChainError as error:
        trouble = str(error)
    except NODE_ERRORS as error:
        trouble = _node_failed(error)
    # A receipt is a node's word, and others may have been faster: the state decides. It may come from another machine
    # than the receipt, one that is some blocks behind.
    patience = 0 if trouble else min(sender.patience, LAG_SECONDS)
    try:
        if comes_true(lambda: step.is_done(scene), patience):
            return _done(scene, step, tuple(sent))
    except ChainError as error:
        trouble = trouble or str(error)
    except NODE_ERRORS as error:
        trouble = trouble or _node_failed(error)
    trouble = trouble or "a node says that it is in a block, and the chain does not show it"
    return Outcome(step, Status.UNDONE, trouble, tuple(sent))


def _done(scene: Scene, step: Step, sent: tuple[Sent, ...]) -> Outcome:
    if refused := step.refused(scene):
        return Outcome(step, Status.REFUSED, f"the token refuses to pay {_named(refused)}; what is theirs waits", sent)
    if any(one.succeeded for one in sent):
        return Outcome(step, Status.DONE, "", sent)
    return Outcome(step, Status.OTHERS, "the chain shows it as done", sent)


def _named(accounts: list[str]) -> str:
    more = len(accounts) - MOST_NAMED
    return ", ".join(accounts[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _failed(scene: Scene, call: Call, sent: Sent) -> str:
    reason = refusal(scene, call)
    return f"reverted in {sent.transaction}: {reason or 'others were faster, or it ran out of gas'}"


def _node_failed(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return f"the node failed: {text[:200]}"
