"""How a friends' market is decided: windows, votes, and what they conclude. Rules and reasons are in docs/markets.md.

Times are unix seconds; stakes are money, in any unit that is the same for all.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from tessera.model.lmsr import Outcome

HOUR = 3600
DAY = 24 * HOUR
BETTORS_WAIT = DAY  # the creator's time alone to propose
SILENCE = 7 * DAY  # to propose in
LONGEST_EARLY_WINDOW = 7 * DAY
VOTING = DAY
LONGEST_VOTING = 48 * HOUR
ANSWER = 3 * HOUR  # left to answer a vote that changes the conclusion
RULING = 48 * HOUR

STANDS = Fraction(1, 2)  # of all heads, and more
FLIPS = Fraction(2, 3)  # of all heads, and more
FLIPS_STAKE = Fraction(1, 4)  # of everything staked, and more


class TooLate(ValueError):
    """The time for a vote is over, or what is left of it is only for doubt."""


def window_end(
    proposed_at: int, expected_result_at: int, dispute_window: int, *, by_creator: bool, replaces: bool = False
) -> int:
    """When a proposal can no longer be disputed.

    The market's own window counts for a creator's first proposal at the expected result time or later; any other
    proposal can be disputed for 24 h at least. An early one can be until the window of a proposal made at the expected
    result time would end, but for no more than 7 days.
    """
    if proposed_at < expected_result_at:
        usual = min(proposed_at + LONGEST_EARLY_WINDOW, expected_result_at + dispute_window)
        return max(proposed_at + DAY, usual)
    return proposed_at + (dispute_window if by_creator and not replaces else DAY)


def conclusion(
    proposed: Outcome,
    heads: Mapping[Outcome, int],
    stakes: Mapping[Outcome, int],
    staked: int,
    *,
    early: bool = False,
) -> Outcome | None:
    """What votes conclude: half to stand, two thirds to flip, doubt refunds.

    `heads` counts the proposer for `proposed`. `stakes` is by outcome the sum of what each voter staked on one side
    more than on the other, `staked` everything staked in the market. None: an early proposal is refused.
    """
    everybody = sum(heads.values())
    if heads[proposed] > STANDS * everybody:
        return proposed
    if early:
        return None
    for outcome in (Outcome.YES, Outcome.NO):
        if heads[outcome] > FLIPS * everybody and stakes[outcome] > FLIPS_STAKE * staked:
            return outcome
    return Outcome.INVALID


@dataclass
class Dispute:
    """A disputed proposal on which bettors vote; `cast` the first complaint first.

    `staked` is everything staked in the market, `proposers_stake` what the proposer staked on one side more than on the
    other (0: the creator).
    """

    proposed: Outcome
    staked: int
    disputed_at: int
    early: bool = False
    proposers_stake: int = 0
    votes: dict[Hashable, tuple[Outcome, int]] = field(default_factory=dict)
    ends_at: int = field(init=False)

    def __post_init__(self):
        self.ends_at = self.disputed_at + VOTING

    @property
    def doubt_only_from(self) -> int:
        """From when on a vote can change the conclusion only to doubt."""
        return self.disputed_at + LONGEST_VOTING - ANSWER

    @property
    def doubt(self) -> Outcome | None:
        """What doubt concludes: INVALID, or that an early proposal is refused."""
        return None if self.early else Outcome.INVALID

    @property
    def heads(self) -> dict[Outcome, int]:
        """People for each outcome, the proposer for what was proposed."""
        return self._sum(1, lambda _: 1)

    @property
    def stakes(self) -> dict[Outcome, int]:
        """Their stakes."""
        return self._sum(self.proposers_stake, lambda stake: stake)

    @property
    def conclusion(self) -> Outcome | None:
        """What would be concluded now; None: an early proposal would be refused."""
        return conclusion(self.proposed, self.heads, self.stakes, self.staked, early=self.early)

    def cast(self, voter: Hashable, outcome: Outcome, stake: int, at: int) -> None:
        """A vote or complaint, or another one instead of the voter's former. Raises TooLate, and changes nothing."""
        if at >= self.ends_at:
            raise TooLate("voting is over")
        before, votes = self.conclusion, self.votes
        self.votes = votes | {voter: (outcome, stake)}
        after = self.conclusion
        if after == before:
            return
        if at >= self.doubt_only_from and after != self.doubt:
            self.votes = votes
            raise TooLate("a vote can only lead to doubt by now")
        self.ends_at = max(self.ends_at, min(at + ANSWER, self.disputed_at + LONGEST_VOTING))

    def _sum(self, proposers: int, weight) -> dict[Outcome, int]:
        total = dict.fromkeys(Outcome, 0) | {self.proposed: proposers}
        for outcome, stake in self.votes.values():
            total[outcome] += weight(stake)
        return total
