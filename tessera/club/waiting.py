"""What waits for a person in the friends' markets: by what is in the index, as of its newest block."""

from collections import defaultdict
from dataclasses import dataclass

from tessera.chain.contract import WAD_PER_UNIT, ZERO_ADDRESS, E, EventLog
from tessera.chain.escrow import Entry, Kind
from tessera.chain.lmsr_markets import (
    BetPlaced,
    MarketCreated,
    MarketFinalized,
    MarketReopened,
    OutcomeDisputed,
    OutcomeProposed,
    Status,
    VoteCast,
)
from tessera.index.snapshot import Snapshot
from tessera.index.states import STEPS, status_of
from tessera.model.lmsr import Outcome
from tessera.model.resolution import BETTORS_WAIT, RULING, SILENCE, VOTING

PAID = (Kind.PAYOUT, Kind.REFUND)
NO_DEADLINE = 2**63


@dataclass(frozen=True)
class Item:
    """Something that waits for a person. `since` and `deadline` are unix seconds, None: there is no end."""

    kind: str
    market_id: int
    question: str
    since: int
    deadline: int | None
    detail: str


def waiting_for(snapshot: Snapshot, account: str, now: int) -> list[Item]:
    """What waits for an account at a time, unix seconds, the most urgent first."""
    bets: dict[int, list[BetPlaced]] = defaultdict(list)
    for bet in snapshot.rows(BetPlaced, account=account):
        bets[bet.market_id].append(bet)
    own = [*snapshot.rows(MarketCreated, creator=account), *snapshot.rows(MarketCreated, referee=account)]
    ids = sorted({row.market_id for row in own} | set(bets))
    steps: dict[int, list[EventLog]] = defaultdict(list)
    for row in snapshot.rows(*STEPS, VoteCast, market_id=ids):
        steps[vars(row)["market_id"]].append(row)
    paid = {int.from_bytes(entry.pot, "big") for entry in snapshot.rows(Entry, account=account) if entry.kind in PAID}
    items = []
    for created in snapshot.rows(MarketCreated, market_id=ids):
        market = _Market(created, steps[created.market_id], bets[created.market_id], account, snapshot, now)
        item = market.item(is_paid=created.market_id in paid)
        if item is not None:
            items.append(item)
    return sorted(items, key=lambda item: (item.deadline or NO_DEADLINE, item.market_id))


class _Market:
    """A market as one person sees it."""

    def __init__(
        self,
        created: MarketCreated,
        steps: list[EventLog],
        bets: list[BetPlaced],
        account: str,
        snapshot: Snapshot,
        now: int,
    ):
        self.created, self.steps, self.bets, self.account, self.now = created, steps, bets, account, now
        self.status, self.outcome = status_of(created, steps, snapshot.head)

    def item(self, *, is_paid: bool) -> Item | None:
        """What waits here; None: nothing."""
        match self.status:
            case Status.AWAITING:
                if self.account == self.created.referee and self.now < self.created.closes_at:
                    return self._item("accept", self.created.timestamp, self.created.closes_at, "You are its referee.")
            case Status.OPEN | Status.CLOSED:
                return self._to_propose()
            case Status.PENDING:
                return self._to_dispute()
            case Status.DISPUTED:
                return self._to_decide()
            case _:
                if self._has_won() and not is_paid:
                    return self._item(
                        "claim", self._last(MarketFinalized).timestamp, None, "There is money for you here."
                    )
        return None

    def _to_propose(self) -> Item | None:
        reopened = [row.expected_result_at for row in self.steps if isinstance(row, MarketReopened)]
        due = [self.created.expected_result_at, *reopened][-1]
        since = due if self._is_creator else due + BETTORS_WAIT
        if (self._is_creator or self.bets) and since <= self.now < due + SILENCE:
            return self._item("propose", since, due + SILENCE, "Say how it ended; later every stake goes back.")
        return None

    def _to_dispute(self) -> Item | None:
        proposal = self._last(OutcomeProposed)
        if self.now >= proposal.ends_at:
            return self._to_finalize(proposal.ends_at)
        if proposal.proposer == self.account or not self._may_vote:
            return None
        outcome = proposal.outcome.name
        return self._item(
            "dispute", proposal.timestamp, proposal.ends_at, f"It ended {outcome}, it is said: dispute it?"
        )

    def _to_decide(self) -> Item | None:
        dispute = self._last(OutcomeDisputed)
        if self.created.referee != ZERO_ADDRESS:
            ends_at = dispute.timestamp + RULING
            if self.now >= ends_at:
                return self._to_finalize(ends_at)
            if self.account != self.created.referee:
                return None
            return self._item("rule", dispute.timestamp, ends_at, "It is disputed: say how it ended.")
        cast = [row for row in self.steps if isinstance(row, VoteCast) and row.timestamp >= dispute.timestamp]
        ends_at = max((row.ends_at for row in cast), default=dispute.timestamp + VOTING)
        if self.now >= ends_at:
            return self._to_finalize(ends_at)
        spoke = {row.account for row in cast} | {dispute.account, self._last(OutcomeProposed).proposer}
        if self.account in spoke or not self._may_vote:
            return None
        return self._item("vote", dispute.timestamp, ends_at, "It is disputed: your vote counts.")

    def _to_finalize(self, since: int) -> Item | None:
        if not self._may_vote:
            return None
        return self._item("finalize", since, None, "Its time is over: anybody can settle it now.")

    @property
    def _is_creator(self) -> bool:
        return self.account == self.created.creator

    @property
    def _may_vote(self) -> bool:
        return bool(self.bets) or self._is_creator

    def _has_won(self) -> bool:
        if self.outcome == Outcome.INVALID:
            return bool(self.bets)
        return sum(bet.shares for bet in self.bets if bet.side == self.outcome) >= WAD_PER_UNIT

    def _last(self, kind: type[E]) -> E:
        return next(row for row in reversed(self.steps) if isinstance(row, kind))

    def _item(self, kind: str, since: int, deadline: int | None, detail: str) -> Item:
        return Item(kind, self.created.market_id, self.created.terms.question, since, deadline, detail)
