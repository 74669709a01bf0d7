"""What a round is made of: each step knows its transactions, and whether the chain shows it as done.

A step is done when the chain's state says so, whoever did it and whatever a receipt says.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from web3.exceptions import Web3RPCError

from tessera.chain.contract import Contract
from tessera.chain.prediction_events import Result
from tessera.chain.wallet import ChainError, Reverted, reason_of, refusals, with_margin
from tessera.keeper.known import Winners
from tessera.keeper.patience import LAG_SECONDS, comes_true
from tessera.keeper.scene import Scene

MAX_TRANSACTION_GAS = 16_777_216  # of one transaction (EIP-7825)
MAX_PERIODS = 520  # closed in one call
MAX_BATCH = 256  # of claim_many
GAS_A_WINNER = 45_000  # at most, forfeitures and a first balance included; 34,000 as a rule
GAS_A_BATCH = 150_000  # at most, with the residue back to the pool
BUY_BACK_SECONDS = 600  # a swap is mined by then, or not at all
SLIPPAGE_BPS = 50  # what the market may move between looking and being mined
BPS = 10_000
# A quarter of what the contract allows: the swap fee of 0.3 %, which a sandwich pays on both of its legs, is more than
# what it can take from a swap of less than 0.3 % of the reserve.
MAX_RESERVE_BPS = 25

NOT_FRESH = "twap: price is not fresh"
TOO_LOW = "prizes: min_out too low"
POKED = "prizes: poked within 24 h"


class Status(StrEnum):
    """What became of a step."""

    DONE = "done"
    OTHERS = "done by others"
    REFUSED = "refused"  # by the token, for some winners: no keeper can do more
    UNDONE = "left undone"


@dataclass(frozen=True)
class Call:
    """One transaction: a contract's function and what it is called with."""

    contract: Contract
    function: str
    arguments: tuple
    people: int = 1  # whom it pays, for a progress bar

    @property
    def name(self) -> str:
        return f"{self.contract.NAME}.{self.function}"

    @property
    def data(self) -> dict:
        """Receiver and data, as a wallet takes them."""
        return {"to": self.contract.address, "data": self.contract.calldata(self.function, *self.arguments)}


@dataclass(frozen=True)
class Step(ABC):
    """One thing that is due. `what` and `why` are for people; `gas` is what it takes as a rule."""

    what: str
    why: str
    gas: int
    kind: ClassVar[str]

    @property
    @abstractmethod
    def key(self) -> str:
        """What is due, for a comparison of plans."""

    @property
    def size(self) -> int:
        """How many `people` its calls pay together."""
        return 1

    @abstractmethod
    def calls(self, scene: Scene) -> Iterator[Call]:
        """Its transactions, each made when it is asked for."""

    @abstractmethod
    def is_done(self, scene: Scene) -> bool:
        """Whether the chain shows it as done."""

    def advice(self, refusal: Reverted) -> str:
        """What a refusal of its simulation means, for people."""
        return f"{refusal}. {refusal.advice}" if refusal.advice else str(refusal)

    def refused(self, scene: Scene) -> list[str]:
        """Whom the token refused though the step is done."""
        return []


@dataclass(frozen=True)
class Harvest(Step):
    """An asset's yield goes to the prize pool."""

    asset: str
    since: int
    kind: ClassVar[str] = "harvest"

    @property
    def key(self) -> str:
        return f"{self.kind} {self.asset}"

    def calls(self, scene: Scene) -> Iterator[Call]:
        yield Call(scene.pool, "harvest", (self.asset,))

    def is_done(self, scene: Scene) -> bool:
        return scene.pool.asset_state(self.asset).harvested_at >= self.since

    def advice(self, refusal: Reverted) -> str:
        return f"{super().advice(refusal)} The yield stays in the vault; the week can be closed 24 h after its end."


@dataclass(frozen=True)
class Close(Step):
    """Weeks that are over are closed, all of them."""

    first: int
    running: int
    kind: ClassVar[str] = "close"

    @property
    def key(self) -> str:
        return f"{self.kind} {self.first} to {self.running - 1}"

    def calls(self, scene: Scene) -> Iterator[Call]:
        for _ in range(self.first, self.running, MAX_PERIODS):
            yield Call(scene.prizes, "close_periods", (scene.prizes.period(), MAX_PERIODS))

    def is_done(self, scene: Scene) -> bool:
        return scene.prizes.period() >= self.running


@dataclass(frozen=True)
class Poke(Step):
    """The market's price is noted, for the average that bounds the buyback."""

    kind: ClassVar[str] = "poke"

    @property
    def key(self) -> str:
        return self.kind

    def calls(self, scene: Scene) -> Iterator[Call]:
        yield Call(scene.prizes, "poke", ())

    def is_done(self, scene: Scene) -> bool:
        return refusal(scene, Call(scene.prizes, "poke", ())) == POKED


@dataclass(frozen=True)
class BuyBack(Step):
    """The bucket buys BET for the treasury, at most a quarter of a per cent of the market at once; the rest waits."""

    bucket: int  # before
    kind: ClassVar[str] = "buy back"

    @property
    def key(self) -> str:
        return self.kind

    def calls(self, scene: Scene) -> Iterator[Call]:
        prizes = scene.prizes
        amount = spendable(scene)
        reserve, bet_reserve = prizes.market()
        # Uniswap V2 with its fee of 0.3 % (whitepaper, 3.2.1).
        quote = amount * 997 * bet_reserve // (reserve * 1000 + amount * 997)
        deadline = scene.clock().time + BUY_BACK_SECONDS
        yield Call(prizes, "buy_back", (amount, quote * (BPS - SLIPPAGE_BPS) // BPS, deadline))

    def is_done(self, scene: Scene) -> bool:
        return scene.prizes.buyback_bucket() < self.bucket

    def advice(self, refusal: Reverted) -> str:
        if refusal.reason == TOO_LOW:
            return "the market pays over 2 % less than its average of a day: left for next time, the bucket waits"
        return super().advice(refusal)


@dataclass(frozen=True)
class Purge(Step):
    """A forfeited prediction leaves its outcome's total, so that the winners share all of the prize."""

    event_id: int
    account: str
    kind: ClassVar[str] = "purge"

    @property
    def key(self) -> str:
        return f"{self.kind} {self.event_id} {self.account}"

    def calls(self, scene: Scene) -> Iterator[Call]:
        yield self._call(scene)

    def is_done(self, scene: Scene) -> bool:
        return refusal(scene, self._call(scene)) is not None

    def _call(self, scene: Scene) -> Call:
        return Call(scene.events, "purge", (self.event_id, self.account))


@dataclass(frozen=True)
class Settle(Step):
    """An event's outcome is fixed and its prize fetched."""

    event_id: int
    kind: ClassVar[str] = "settle"

    @property
    def key(self) -> str:
        return f"{self.kind} {self.event_id}"

    def calls(self, scene: Scene) -> Iterator[Call]:
        yield Call(scene.events, "settle", (self.event_id,))

    def is_done(self, scene: Scene) -> bool:
        return scene.events.result_of(self.event_id).settled


@dataclass(frozen=True)
class Pay(Step):
    """All winners of an event are paid in batches; whom the token refused before, once it takes them."""

    event_id: int
    count: int
    kind: ClassVar[str] = "pay"

    @property
    def key(self) -> str:
        return f"{self.kind} {self.event_id} {self.count}"

    @property
    def size(self) -> int:
        return self.count

    def calls(self, scene: Scene) -> Iterator[Call]:
        if not self._result(scene).settled:
            raise ChainError("the event is not settled")
        if not comes_true(lambda: self._is_logged(scene), LAG_SECONDS):
            raise ChainError(f"the logs lag behind the state: they do not show that event {self.event_id} is settled")
        found = self._winners(scene)
        left = [*found.payable, *(one for one in found.refused if self._is_taken(scene, one))]
        size = batch_size(scene)
        while left and self._result(scene).unpaid:
            batch = left[:size]
            call = self._call(scene, batch)
            # The bounds are rules, the estimate is what counts.
            while len(batch) > 1 and not fits(scene, call):
                batch = batch[: len(batch) // 2]
                call = self._call(scene, batch)
            yield call
            unpaid = set(self._winners(scene).everybody)
            left = [one for one in left[len(batch) :] if one in unpaid]
        if not comes_true(lambda: self._is_explained(scene), LAG_SECONDS):
            raise ChainError(
                f"the logs do not show all winners of event {self.event_id}: the node leaves some out. Delete the "
                "index and take another node"
            )

    def is_done(self, scene: Scene) -> bool:
        if not self._result(scene).settled or not self._is_logged(scene):
            return False
        found = self._winners(scene)
        if not self._result(scene).unpaid:
            return True
        if found.payable or not found.refused:
            return False
        return not any(self._is_taken(scene, one) for one in found.refused)

    def refused(self, scene: Scene) -> list[str]:
        return self._winners(scene).refused if self._result(scene).unpaid else []

    def _result(self, scene: Scene) -> Result:
        return scene.events.result_of(self.event_id)

    def _winners(self, scene: Scene) -> Winners:
        scene.known.sync()
        return scene.known.winners(self.event_id)

    def _is_logged(self, scene: Scene) -> bool:
        scene.known.sync()
        return scene.known.is_settled(self.event_id)

    def _is_explained(self, scene: Scene) -> bool:
        """Logs can be left out, the contract's sum cannot: what is not paid is somebody's."""
        return not self._result(scene).unpaid or bool(self._winners(scene).everybody)

    def _is_taken(self, scene: Scene, account: str) -> bool:
        return refusal(scene, Call(scene.events, "claim", (self.event_id, account))) is None

    def _call(self, scene: Scene, batch: list[str]) -> Call:
        return Call(scene.events, "claim_many", (self.event_id, batch), people=len(batch))


def refusal(scene: Scene, call: Call) -> str | None:
    """The reason with which a contract refuses a call now; None where it would not."""
    sender = {} if scene.account is None else {"from": scene.account}
    try:
        scene.web3.eth.call({**sender, **call.data}, "pending")
    except refusals() as error:
        return reason_of(error)
    return None


def spendable(scene: Scene) -> int:
    """What of the bucket one buyback spends, in units of the prize token."""
    return min(scene.prizes.buyback_bucket(), scene.prizes.market()[0] * MAX_RESERVE_BPS // BPS)


def batch_size(scene: Scene) -> int:
    """How many winners fit into a transaction by what one takes at most."""
    return max(1, min(MAX_BATCH, (gas_room(scene) - GAS_A_BATCH) // GAS_A_WINNER))


def gas_room(scene: Scene) -> int:
    """What one transaction may take: nine tenths of a block, since others want in, too."""
    return min(scene.web3.eth.get_block("latest")["gasLimit"] * 9 // 10, MAX_TRANSACTION_GAS)


def fits(scene: Scene, call: Call) -> bool:
    """Whether a call takes no more than a transaction may, by the node's estimate; False where it cannot be made."""
    if scene.embedded:
        return True  # that chain cannot estimate at the time of its next block
    sender = {} if scene.account is None else {"from": scene.account}
    try:
        estimate = scene.web3.eth.estimate_gas({**sender, **call.data}, "pending")
        return with_margin(estimate) <= gas_room(scene)
    except (*refusals(), Web3RPCError):
        return False
