"""A limit that a person sets: tighter at once, looser after a day. The one rule of terminal and live engine."""

from dataclasses import dataclass

DAY = 86_400


@dataclass(frozen=True)
class Limit:
    """At most `amount`, None for no limit, 0 allows nothing; from the time `changes_at` on, unless 0, `next_amount`.

    Amounts and times in the caller's units.
    """

    amount: int | None = None
    next_amount: int | None = None
    changes_at: int = 0

    def at(self, now: int) -> int | None:
        """The limit of a moment."""
        return self.next_amount if self.changes_at and now >= self.changes_at else self.amount

    def waiting(self, now: int) -> tuple[int | None, int] | None:
        """The looser limit that waits, and from when on it holds; None where none does."""
        return (self.next_amount, self.changes_at) if now < self.changes_at else None

    def changed(self, amount: int | None, now: int, day: int = DAY) -> "Limit":
        """The limit after its owner asked for another: at once where it is tighter, a day later where it is looser.

        A new wish takes the place of one that waits. `day` is a day in the unit of `now`, seconds if not said.
        """
        current = self.at(now)
        tighter = amount is not None and (current is None or amount <= current)
        return Limit(amount) if tighter else Limit(current, amount, now + day)
