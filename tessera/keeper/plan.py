"""What is due now, read from the chain alone, and what waits for what. Nothing here sends or changes anything."""

from dataclasses import asdict, dataclass

from tessera.chain import ChainError
from tessera.chain.fees import GWEI, GasPrice
from tessera.keeper.steps import (
    buy_back,
    close,
    harvest,
    note_loss,
    pay,
    pay_bettors,
    poke,
    purge,
    revalue,
    settle,
    settle_market,
)
from tessera.keeper.steps.base import Step
from tessera.keeper.view import Clock, View

# In the order of their weight: where gas money is short, what comes last is left. Each as if those before were done.
# Purging comes before settling, because afterwards a forfeited share can only go back to the pool.
ORDER = (harvest, close, purge, settle, settle_market, pay, pay_bettors, note_loss, revalue, poke, buy_back)
# Who has to be purged, paid or revalued, and what can be settled before, only logs say: on a history with holes the
# others go on, because a week that is closed late costs its winners.
FROM_LOGS = (purge, settle, settle_market, pay, pay_bettors, revalue)


@dataclass(frozen=True)
class Plan:
    """The steps that are due in their order, and in `waiting` what is not, each a sentence.

    `hole` says what logs the node leaves out: the steps that follow from logs are left then.
    """

    network: str
    chain_id: int
    clock: Clock
    late: int
    steps: list[Step]
    waiting: list[str]
    hole: str = ""

    @property
    def gas(self) -> int:
        """What all steps take as a rule."""
        return sum(step.gas for step in self.steps)

    def as_mapping(self) -> dict:
        """The plan for a JSON file; `steps[].key` is what a run compares."""
        return {
            "network": self.network,
            "chain_id": self.chain_id,
            **asdict(self.clock),
            "late_seconds": self.late,
            "gas": self.gas,
            "steps": [
                {"key": step.key, "kind": step.kind, "what": step.what, "why": step.why, "gas": step.gas}
                for step in self.steps
            ],
            "waiting": self.waiting,
        }


@dataclass(frozen=True)
class Costs:
    """What a plan's gas costs now and may cost, in wei; `balance` None: of nobody in particular."""

    gas: int
    price: GasPrice
    budget: int | None
    balance: int | None = None

    def __str__(self) -> str:
        """For people, with the options that change it."""
        now, ceiling = self.price.total / GWEI, self.price.ceiling / GWEI
        budget = "all the account has" if self.budget is None else f"{self.budget / 1e18:g} ETH"
        text = (
            f"Gas costs {now:.3f} gwei, all steps about {self.gas * self.price.total / 1e18:.6f} ETH. "
            f"Nothing is sent above {ceiling:.3f} gwei (--max-gas-price), a round spends at most {budget} (--budget)."
        )
        if self.balance is not None and self.balance < self.gas * self.price.total:
            text += f" The account has {self.balance / 1e18:.6f} ETH: the last steps will be left."
        return text

    def as_mapping(self) -> dict:
        """For a JSON file, in wei."""
        return {
            "gas_price_wei": self.price.total,
            "max_gas_price_wei": self.price.ceiling,
            "budget_wei": self.budget,
            "balance_wei": self.balance,
        }


def due(view: View) -> Plan:
    """What is due now, as if each step before another had been done. Raises ChainError, or an error of the node's."""
    view.history.sync()
    now = view.clock()
    steps: list[Step] = []
    waiting: list[str] = []
    deployment = view.tessera.deployment
    hole = view.history.hole()
    for module in ORDER:
        if module.NEEDS in deployment.contracts and not (hole and module in FROM_LOGS):
            for item in module.due(view, now):
                if isinstance(item, str):
                    waiting.append(item)
                else:
                    steps.append(item)
    if hole:
        waiting.append(f"nobody is purged, paid or revalued, nothing settled: {hole}")
    late = close.late(now, view.prizes.period()) if view.has_tickets else 0
    return Plan(deployment.network, deployment.chain_id, now, late, steps, waiting, hole)


def check_same(plan: Plan, earlier: dict) -> None:
    """Raises ChainError, with all that differs, where a plan read from a file is not what is due now."""
    try:
        chain, keys = earlier["chain_id"], [step["key"] for step in earlier["steps"]]
    except (KeyError, TypeError):
        raise ChainError("that file is not a plan: make one with `keeper plan --json`") from None
    if chain != plan.chain_id:
        raise ChainError(f"the plan is of chain {chain}, the node is on {plan.chain_id}")
    now = [step.key for step in plan.steps]
    if keys != now:
        gone = [f"  not due any more: {key}" for key in keys if key not in now]
        new = [f"  due since: {key}" for key in now if key not in keys]
        differing = "\n".join(gone + new) or "  the order differs"
        raise ChainError(f"the plan has changed, nothing was sent:\n{differing}")
