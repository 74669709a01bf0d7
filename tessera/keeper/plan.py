"""What is due now, read from the chain alone, and what waits for what. Nothing here sends or changes anything."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from tessera.chain import ChainError
from tessera.keeper.scene import Clock, Scene
from tessera.keeper.steps import (
    NOT_FRESH,
    POKED,
    BuyBack,
    Call,
    Close,
    Harvest,
    Pay,
    Poke,
    Purge,
    Settle,
    Step,
    refusal,
    spendable,
)
from tessera.model.prizes import period_of, start_of

PURGE_HOURS = 24  # PredictionEvents.PURGE_HOURS
# Gas as a rule, measured on anvil (snapshots/gas.json, benchmarks/keeper.json); runs estimate each transaction anew.
HARVEST_GAS, CLOSE_GAS, A_WEEK_MORE_GAS = 260_000, 125_000, 6_000
POKE_GAS, BUY_BACK_GAS, PURGE_GAS, SETTLE_GAS = 140_000, 140_000, 60_000, 140_000
PAY_GAS = 34_000  # of a winner


@dataclass(frozen=True)
class Plan:
    """The steps that are due in their order, and in `waiting` what is not, each a sentence."""

    network: str
    chain_id: int
    clock: Clock
    late: int
    steps: list[Step]
    waiting: list[str]

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
                {"key": one.key, "kind": one.kind, "what": one.what, "why": one.why, "gas": one.gas}
                for one in self.steps
            ],
            "waiting": self.waiting,
        }


def due(scene: Scene, *, buy_back: bool = True) -> Plan:
    """What is due now, as if each step before another had been done.

    `buy_back` False leaves the buyback to others. Raises ChainError, or an error of the node's.
    """
    scene.known.sync()
    clock = scene.clock()
    first, running = scene.prizes.period(), period_of(clock.time)
    steps = [*_harvests(scene, running), *_close(first, running)]
    waiting: list[str] = []
    if buy_back:
        _buyback(scene, running > first, steps, waiting)
    steps += _purges(scene)
    _settlements(scene, clock, running, steps, waiting)
    steps += _payments(scene)
    if missing := scene.events.event_count() - len(scene.known.events()):
        waiting.append(f"{missing} events are not in the node's logs: it lags, or leaves some out")
    deployment = scene.tessera.deployment
    return Plan(deployment.network, deployment.chain_id, clock, late(clock, first), steps, waiting)


def late(clock: Clock, period: int) -> int:
    """Seconds since the end of a week that is not closed; 0 before it."""
    return max(0, clock.time - start_of(period + 1))


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


def _harvests(scene: Scene, running: int) -> list[Step]:
    steps: list[Step] = []
    boundary = start_of(running)
    for asset in scene.assets:
        harvested_at = scene.pool.asset_state(asset.address).harvested_at
        if harvested_at < boundary:
            last = f"harvested {moment(harvested_at)}" if harvested_at else "never harvested"
            why = f"last week ended {moment(boundary)}, {last}"
            steps.append(Harvest(f"harvest {asset.symbol}", why, HARVEST_GAS, asset=asset.address, since=boundary))
    return steps


def _close(first: int, running: int) -> list[Step]:
    if running <= first:
        return []
    weeks = running - first
    what = f"close {weeks} week{'s' if weeks > 1 else ''}"
    why = f"the {'first' if weeks > 1 else 'week'} ended {moment(start_of(first + 1))}"
    return [Close(what, why, CLOSE_GAS + (weeks - 1) * A_WEEK_MORE_GAS, first=first, running=running)]


def _buyback(scene: Scene, closing: bool, steps: list[Step], waiting: list[str]) -> None:
    bucket = scene.prizes.buyback_bucket()
    least = 10**scene.prize_token.decimals
    if bucket < least and not closing:
        if bucket:
            waiting.append(
                f"buyback: {scene.prize_token.text(bucket)} wait until there is one {scene.prize_token.symbol}"
            )
        return
    if refusal(scene, Call(scene.prizes, "poke", ())) != POKED:
        why = "the buyback is bounded by an average of 24 to 72 h"
        steps.append(Poke("note the market's price", why, POKE_GAS))
    if bucket < least:
        return
    if spendable(scene) < least:
        waiting.append(f"buyback: {scene.prize_token.text(bucket)} wait, the market of {scene.bet.symbol} is too small")
        return
    step = BuyBack(
        f"buy back {scene.bet.symbol}", f"{scene.prize_token.text(bucket)} in the bucket", BUY_BACK_GAS, bucket=bucket
    )
    if refusal(scene, next(step.calls(scene))) == NOT_FRESH:
        waiting.append(f"buyback: {scene.prize_token.text(bucket)} wait, it is possible 24 to 72 h after a noted price")
    else:
        steps.append(step)


def _purges(scene: Scene) -> list[Step]:
    # Before settling: a prediction that is still in its outcome's total then takes a share, which goes to the pool.
    return [
        Purge(
            f"purge {account} in event {event_id}",
            "a withdrawal that could not be told forfeited it",
            PURGE_GAS,
            event_id=event_id,
            account=account,
        )
        for event_id, account in scene.known.forfeited()
    ]


def _settlements(scene: Scene, clock: Clock, running: int, steps: list[Step], waiting: list[str]) -> None:
    hour = scene.events.blocks_per_hour()
    purging = scene.tessera.staking.total_forfeits() != 0
    for event in scene.known.unsettled():
        event_id = event.event_id
        if clock.block < event.stop_block:
            continue
        last = period_of(event.not_before)
        purged = event.stop_block + PURGE_HOURS * hour
        final, outcome = scene.tessera.panels.result(event.panel_id, event.question_id)
        title = scene.title(event_id)
        if not final and clock.time <= event.result_deadline:
            waiting.append(f"{title}: the panel has not decided; INVALID after {moment(event.result_deadline)}")
        elif last >= running:
            waiting.append(f"{title}: its last week ends {moment(start_of(last + 1))}")
        elif purging and clock.block < purged:
            waiting.append(f"{title}: forfeited predictions can be purged until block {purged}")
        else:
            valid = final and outcome < len(event.outcomes)
            named = event.outcomes[outcome] if valid else "INVALID"
            why = f"the panel decided: {named}" if final else "no result until the deadline: INVALID"
            steps.append(Settle(f"settle {title}", why, SETTLE_GAS, event_id=event_id))
            if winners := scene.known.predicting(event_id, outcome) if valid else []:
                steps.append(_pay(scene, event_id, len(winners)))


def _payments(scene: Scene) -> list[Step]:
    # Of an event with a prize that nobody seems to get, too: then the logs leave somebody out, and the step says so.
    return [_pay(scene, event_id, len(scene.known.winners(event_id).everybody)) for event_id in scene.known.unpaid()]


def _pay(scene: Scene, event_id: int, count: int) -> Step:
    what = f"pay {count:,} winner{'' if count == 1 else 's'} of event {event_id}"
    why = f"{'who was' if count == 1 else 'they were'} right about {scene.known.event(event_id).description!r}"
    return Pay(what, why, PAY_GAS * count + 30_000, event_id=event_id, count=count)


def moment(timestamp: int) -> str:
    """A time for people, UTC."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%a %d %b %Y %H:%M UTC")
