"""Tickets of a prize event in exact fractions: what the contracts round, nothing is rounded here.

Stake is in USD, time in blocks. Actual tickets are USD-hours of stake within the event; prize tickets are those times a
multiplier. Source: the ticket rules in docs/tickets.md.
"""

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass
class _Person:
    stake: Fraction = Fraction(0)
    # Sum of stake over the event's blocks up to `last`.
    stake_blocks: Fraction = Fraction(0)
    # Prize tickets up to `last`, and what a block adds, both in USD-blocks.
    accrued: Fraction = Fraction(0)
    rate: Fraction = Fraction(0)
    last: int = 0
    outcome: str | int | None = None


@dataclass
class TicketEvent:
    """One event and everybody in it. Calls come in the order of their blocks; those from `stop` on change nothing."""

    created: int
    stop: int
    e0: Fraction
    blocks_per_hour: int
    _people: dict = field(default_factory=dict)

    def multiplier(self, block: int) -> Fraction:
        """Early bird: falls in a straight line from `e0` at creation to 1 at the stop block, and stays there."""
        past = min(max(block, self.created), self.stop) - self.created
        return self.e0 - (self.e0 - 1) * Fraction(past, self.stop - self.created)

    def change_stake(self, person, block: int, change: Fraction | int, *, known: bool = False) -> None:
        """Adds to a person's stake, or takes away. Raises ValueError where less than nothing would remain.

        What is added takes the multiplier of its own moment, or none where the result may be `known`; what is taken
        scales the rate of what is still to come.
        """
        them = self._at(person, block)
        new = them.stake + change
        if new < 0:
            raise ValueError(f"{person} has less than {-change} USD staked")
        if block < self.stop and them.outcome is not None:
            if change < 0:
                them.rate = them.rate * new / them.stake
            elif not known:
                them.rate += change * self.multiplier(block)
        them.stake = new

    def predict(self, person, block: int, outcome: str | int) -> None:
        """Sets a person's prediction; another one than before re-dates the multiplier of all that they have.

        Raises ValueError after the stop block, or where there is neither stake nor a ticket.
        """
        them = self._at(person, block)
        if block >= self.stop:
            raise ValueError("predictions are over")
        if not them.stake and not them.stake_blocks:
            raise ValueError(f"{person} has neither stake nor tickets")
        if outcome != them.outcome:
            them.outcome = outcome
            them.accrued = them.stake_blocks * self.multiplier(block)
            them.rate = them.stake * self.multiplier(block)

    def forfeit(self, person, block: int) -> None:
        """The prediction counts nowhere any more; a later one starts from the person's actual tickets."""
        them = self._at(person, block)
        if block < self.stop:
            them.outcome, them.accrued, them.rate = None, Fraction(0), Fraction(0)

    def actual_tickets(self, person, block: int) -> Fraction:
        """USD-hours of stake since the event's creation."""
        return self._at(person, block).stake_blocks / self.blocks_per_hour

    def prize_tickets(self, person, block: int) -> Fraction:
        """Tickets times multiplier, 0 for who predicts nothing."""
        return self._at(person, block).accrued / self.blocks_per_hour

    def outcome_tickets(self, outcome: str | int, block: int) -> Fraction:
        """Prize tickets of all who predict an outcome."""
        return sum(
            (self.prize_tickets(p, block) for p, them in self._people.items() if them.outcome == outcome), Fraction(0)
        )

    def prizes(self, winner: str | int, prize: Fraction | int) -> dict:
        """What each winner gets of a prize; nobody gets anything where nobody was right."""
        total = self.outcome_tickets(winner, self.stop)
        if not total:
            return {}
        return {
            person: prize * self.prize_tickets(person, self.stop) / total
            for person, them in self._people.items()
            if them.outcome == winner
        }

    def _at(self, person, block: int) -> _Person:
        """A person brought forward to a block, or to the stop block if that was before."""
        them = self._people.setdefault(person, _Person(last=self.created))
        to = min(block, self.stop)
        if to > them.last:
            them.stake_blocks += them.stake * (to - them.last)
            them.accrued += them.rate * (to - them.last)
            them.last = to
        return them
