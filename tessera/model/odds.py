"""Fixed odds backed by a bankroll: what is covered, in which order it is confirmed, and who is paid.

With R the bankroll, x_k the stakes confirmed on k, p_k its profit, X all of them and f the validators' commission, for
every k: x_k * (1 + p_k) + f * X <= X + R. Source: docs/hosted.md. `greatest` is exact; everything else is in whole
units and rounds as OddsBets does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

BPS = 10_000
ONE = 1_000  # of a profit in tenths of a percent


def greatest(
    profits: Sequence[Fraction], fee: Fraction, bankroll: Fraction | int, stakes: Sequence[Fraction | int]
) -> list[Fraction]:
    """The most of each stake that can be covered together: every other vector that is covered is nowhere greater.

    For a sum X each stake is at most (X * (1 - fee) + bankroll) / (1 + profit). The sum of those bounds is concave and
    linear between the sums at which a stake is covered whole, so the greatest sum that its bounds reach lies between
    two of these.
    """
    factors = [1 + profit for profit in profits]
    kept = 1 - fee

    def bounds(total: Fraction) -> list[Fraction]:
        return [min(Fraction(s), (total * kept + bankroll) / m) for s, m in zip(stakes, factors, strict=True)]

    def excess(total: Fraction) -> Fraction:
        return sum(bounds(total), Fraction(0)) - total

    whole = [(s * m - bankroll) / kept for s, m in zip(stakes, factors, strict=True)]
    top = Fraction(sum(stakes))
    corners = sorted({Fraction(0), top, *(w for w in whole if 0 < w < top)}, reverse=True)
    above = corners[0]
    for corner in corners:
        if excess(corner) >= 0:
            break
        above = corner
    if excess(corner) == 0 or corner == above:
        return bounds(corner)
    # Linear between the two corners, at least 0 at the lower and below 0 at the upper.
    low, high = excess(corner), excess(above)
    return bounds(corner + (above - corner) * low / (low - high))


def greatest_in_units(profits: Sequence[int], validator_bps: int, bankroll: int, stakes: Sequence[int]) -> list[int]:
    """The same in whole units, each product rounded up; profits in tenths of a percent."""
    exact = greatest([Fraction(p, ONE) for p in profits], Fraction(validator_bps, BPS), bankroll, stakes)
    units = [int(x) for x in exact]
    while True:
        total = sum(units)
        room = total + bankroll + (-total * validator_bps // BPS)  # the fee is rounded up
        lowered = [min(x, max(room, 0) * ONE // (ONE + p)) for x, p in zip(units, profits, strict=True)]
        if lowered == units:
            return units
        units = lowered


def covers(profits: Sequence[int], validator_bps: int, bankroll: int, stakes: Sequence[int]) -> bool:
    """Whether every outcome can be paid, the commission included."""
    total = sum(stakes)
    fee = -(-total * validator_bps // BPS)
    return all(-(-x * (ONE + p) // ONE) + fee <= total + bankroll for x, p in zip(stakes, profits, strict=True))


def margin(profits: Sequence[int]) -> Fraction:
    """What a stake loses on average, as a part of it, where each prediction is as likely as its odds say in proportion.

    A prediction that returns m = 1 + profit has the probability (1 / m) / Σ (1 / m), so each stake is worth
    1 / Σ (1 / m) of itself. Below 0 where the odds pay more than they take.
    """
    return 1 - 1 / sum((Fraction(ONE, ONE + profit) for profit in profits), Fraction(0))


@dataclass
class Ticket:
    """A stake that was not covered when it was placed. `amount` is less what was cancelled."""

    account: str
    amount: int
    confirmed: int = 0

    @property
    def pending(self) -> int:
        return self.amount - self.confirmed


class Settled(NamedTuple):
    """What is due to each (account, prediction) position and each (prediction, index) ticket, and where the rest goes.

    `host` is what the host gets at once, `residue` with the last winner's claim, `member` each deciding validator.
    """

    positions: dict[tuple[str, int], int]
    tickets: dict[tuple[int, int], int]
    host: int
    member: int
    residue: int


@dataclass
class Book:
    """One bet. `positions` are stakes confirmed outside of tickets, `queues` all tickets of a prediction in order."""

    profits: list[int]
    validator_bps: int
    bankroll: int = 0
    positions: dict[tuple[str, int], int] = field(default_factory=dict)
    queues: list[list[Ticket]] = field(default_factory=list)
    stakes: list[int] = field(default_factory=list)

    def __post_init__(self):
        self.queues = [[] for _ in self.profits]
        self.stakes = [0] * len(self.profits)

    @property
    def pot(self) -> int:
        """What the bet holds."""
        return self.bankroll + sum(self.stakes) + sum(ticket.pending for queue in self.queues for ticket in queue)

    def waits(self, prediction: int) -> bool:
        """Whether somebody waits on a prediction."""
        return any(ticket.pending for ticket in self.queues[prediction])

    def with_stakes(self, added: Sequence[int]) -> bool:
        """Whether so much more on each prediction is covered."""
        stakes = [x + more for x, more in zip(self.stakes, added, strict=True)]
        return covers(self.profits, self.validator_bps, self.bankroll, stakes)

    def at_once(self, prediction: int, amount: int) -> int:
        """How much of a stake placed now is confirmed: nothing where somebody waits before."""
        if self.waits(prediction):
            return 0
        low, high = 0, amount
        while low < high:
            middle = (low + high + 1) // 2
            added = [middle if k == prediction else 0 for k in range(len(self.profits))]
            low, high = (middle, high) if self.with_stakes(added) else (low, middle - 1)
        return low

    def place(self, account: str, prediction: int, amount: int) -> tuple[int, int | None]:
        """Returns what is confirmed at once, and the index of the ticket for the rest, None where there is none."""
        confirmed = self.at_once(prediction, amount)
        if confirmed:
            self.add(account, prediction, confirmed)
        if confirmed == amount:
            return confirmed, None
        self.queues[prediction].append(Ticket(account, amount - confirmed))
        return confirmed, len(self.queues[prediction]) - 1

    def add(self, account: str, prediction: int, amount: int) -> None:
        """Confirms a stake into a position."""
        self.positions[account, prediction] = self.positions.get((account, prediction), 0) + amount
        self.stakes[prediction] += amount

    def group_fits(self, added: Sequence[int]) -> bool:
        """Whether stakes of a group are covered together, and leave whoever waits as much room as before."""
        total = sum(added)
        fee = -(-total * self.validator_bps // BPS)
        return self.with_stakes(added) and all(
            -(-more * (ONE + profit) // ONE) + fee <= total
            for k, (more, profit) in enumerate(zip(added, self.profits, strict=True))
            if more and self.waits(k)
        )

    def pending(self) -> list[int]:
        """What waits on each prediction."""
        return [sum(ticket.pending for ticket in queue) for queue in self.queues]

    def can_confirm(self, totals: Sequence[int]) -> bool:
        """Whether stakes may be raised to these totals."""
        raised = [max(total, x) for total, x in zip(totals, self.stakes, strict=True)]
        reachable = all(
            total <= x + waiting for total, x, waiting in zip(raised, self.stakes, self.pending(), strict=True)
        )
        return reachable and covers(self.profits, self.validator_bps, self.bankroll, raised)

    def confirm(self, totals: Sequence[int]) -> None:
        """Raises stakes to totals that can be confirmed, first come first served."""
        for k, total in enumerate(totals):
            more = max(total - self.stakes[k], 0)
            self.stakes[k] += more
            for ticket in self.queues[k]:
                taken = min(more, ticket.pending)
                ticket.confirmed += taken
                more -= taken

    def cancel(self, prediction: int, index: int) -> int:
        """Takes what waits out of a ticket, and returns it."""
        ticket = self.queues[prediction][index]
        pending = ticket.pending
        ticket.amount = ticket.confirmed
        return pending

    def needed(self) -> int:
        """The least bankroll that covers every outcome."""
        total = sum(self.stakes)
        fee = -(-total * self.validator_bps // BPS)
        due = [-(-x * (ONE + p) // ONE) + fee - total for x, p in zip(self.stakes, self.profits, strict=True)]
        return max(0, *due)

    def settle(self, outcome: int | None, members: int) -> Settled:
        """Pays by an outcome, None for INVALID; so many members share the commission."""
        tickets = {(k, n): ticket for k, queue in enumerate(self.queues) for n, ticket in enumerate(queue)}
        if outcome is None:
            return Settled(
                dict(self.positions), {key: ticket.amount for key, ticket in tickets.items()}, self.bankroll, 0, 0
            )
        factor = ONE + self.profits[outcome]
        positions = {key: x * factor // ONE if key[1] == outcome else 0 for key, x in self.positions.items()}
        won = {key: ticket.confirmed * factor // ONE if key[0] == outcome else 0 for key, ticket in tickets.items()}
        owed = -(-self.stakes[outcome] * factor // ONE)
        member = sum(self.stakes) * self.validator_bps // BPS // members
        return Settled(
            positions,
            {key: won[key] + ticket.pending for key, ticket in tickets.items()},
            self.bankroll + sum(self.stakes) - owed - member * members,
            member,
            owed - sum(positions.values()) - sum(won.values()),
        )
