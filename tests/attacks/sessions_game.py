"""The protocol of sessions, reduced until every line of play can be tried: one session, two bets, one dishonest side.

Each bet is fair: stake and liability are 1, each outcome has probability one half, so an honest side's expectation is 0
where both outcomes count alike. The dishonest side sees each outcome when the world does and then chooses what is
worst for the other. The honest side follows docs/micro.md to the letter, less the rules that are switched off. The
contract's part is `settled`: which state is final, and whether its newest bet counts.

`worst_for_player` and `worst_for_house` are the least expectation over all that the other side can do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import product

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Rules:
    """Each rule can be taken away, to see what it is for."""

    # of the player's client
    takes_receipts_in_time: bool = True  # before lock + 2 s, later only a leaf of a book seen by lock + 5 s
    ignores_late_states: bool = True  # never builds on what was completed later
    one_at_a_time: bool = True  # signs no state while one is unanswered
    # of the contract
    player_s_post_counts: bool = True  # the newest bet counts where the player posted
    newest_needs_either: bool = True  # else it goes back, unless it is in the book
    same_state_answer: bool = True  # the player may answer with the state that the house posted
    long_window: bool = True  # what the house posts can be answered for a day, not an hour
    later_replaces: bool = True  # a state of a higher seq replaces the posted one
    waits_for_proof: bool = True  # nobody finalizes before the book could be shown
    exclusion_grace: bool = True  # a self-exclusion does not touch bets that run
    # of the engine
    last_completed_only: bool = True  # takes only what is built on its last completed state
    results_are_folded: bool = True  # a state carries all known results
    one_per_seq: bool = True  # completes one state of a seq
    checks_lock: bool = True  # takes no bet after its lock
    close_needs_results: bool = True  # no agreement while an open bet has no result
    close_freezes: bool = True  # no state after an agreement


@dataclass(frozen=True)
class Bets:
    """A state: its place in the order, the older bets that it contains, and its newest."""

    seq: int
    older: frozenset[int]
    newest: int | None


FIRST = Bets(1, frozenset(), None)  # activated, no bet yet


def add(base: Bets, seq: int, bet: int) -> Bets:
    """The state that adds a bet to `base`."""
    return Bets(seq, base.older | ({base.newest} if base.newest else set()), bet)


def worth(state: Bets, newest_counts: bool, gains: dict[int, int]) -> int:
    """What a final state pays the player."""
    counted = set(state.older) | ({state.newest} if newest_counts and state.newest else set())
    return sum(gains[bet] for bet in counted)


class Answer(Enum):
    """What a dishonest house does with a signed state before it can know the outcome."""

    AT_ONCE = "a receipt, and in the book"
    UNBOOKED = "a receipt, and left out of the book"
    LATER = "a receipt just before the lock, and in the book"
    LATER_UNBOOKED = "a receipt just before the lock, and left out of the book"
    BOOK_ONLY = "no receipt, and in the book"
    SILENCE = "nothing"

    @property
    def has_receipt(self) -> bool:
        return self not in (Answer.BOOK_ONLY, Answer.SILENCE)

    @property
    def in_book(self) -> bool:
        return self in (Answer.AT_ONCE, Answer.LATER, Answer.BOOK_ONLY)

    @property
    def is_taken(self) -> bool:
        """Whether an honest client has it by lock + 5 s."""
        return self is not Answer.SILENCE


class When(Enum):
    """When the second bet is placed."""

    BEFORE_FIRST_LOCK = 0
    AFTER_FIRST_LOCK = 1
    AFTER_FIRST_RESULT = 2


OUTCOMES = (1, -1)


def worst_for_player(rules: Rules) -> Fraction:
    """The honest player's least expectation against any house."""
    return min(_over_first_answer(rules, when, answer) for when in When for answer in Answer)


def _over_first_answer(rules: Rules, when: When, first: Answer) -> Fraction:
    if when is When.AFTER_FIRST_RESULT:
        # The first outcome is known before the second bet, and before the house decides whether to answer late.
        late_answers = (False,) if first.is_taken else (False, True)
        return sum(
            HALF * min(_second_bet(rules, when, first, late, gain) for late in late_answers) for gain in OUTCOMES
        )
    return _second_bet(rules, when, first, False, None)


def _second_bet(rules: Rules, when: When, first: Answer, late: bool, gain: int | None) -> Fraction:
    a = add(FIRST, 2, 1)
    taken_a = first.is_taken or (late and not rules.takes_receipts_in_time)
    is_pending = not first.has_receipt or first in (Answer.LATER, Answer.LATER_UNBOOKED)
    if when is When.BEFORE_FIRST_LOCK and is_pending:
        # A client that waits for its answer signs the second bet later; one that does not builds on what it has.
        base = FIRST if not rules.one_at_a_time else (a if taken_a else FIRST)
    else:
        base = a if taken_a or (late and not rules.ignores_late_states) else FIRST
    b = add(base, 3, 2)
    return min(_over_outcomes(rules, first, second, a, b, taken_a, late, gain) for second in Answer)


def _over_outcomes(
    rules: Rules, first: Answer, second: Answer, a: Bets, b: Bets, taken_a: bool, late_a: bool, gain: int | None
) -> Fraction:
    booked = {bet for bet, answer in ((1, first), (2, second)) if answer.in_book}
    total = Fraction(0)
    first_gains = OUTCOMES if gain is None else (gain,)
    for gains in product(first_gains, OUTCOMES):
        by_bet = dict(zip((1, 2), gains, strict=True))
        # With all outcomes known the house decides whether to answer late, and what to post.
        worst = min(
            _exit_against_house(rules, by_bet, booked, [a, b], newest)
            for newest in _newest_taken(rules, a, b, taken_a, second)
        )
        total += Fraction(worst, len(first_gains) * len(OUTCOMES))
    return total


def _newest_taken(rules: Rules, a: Bets, b: Bets, taken_a: bool, second: Answer) -> Iterator[Bets]:
    newest = b if second.is_taken else a if taken_a else FIRST
    yield newest
    if not rules.takes_receipts_in_time:
        # A late receipt makes any signed state the newest that such a client has.
        yield from (state for state in (a, b) if state.seq > newest.seq)


def _exit_against_house(rules: Rules, gains: dict[int, int], booked: set[int], signed: list[Bets], own: Bets) -> int:
    """What the player ends with where the house posts what is worst of all that the player ever signed."""

    def counts(state: Bets, by_player: bool) -> bool:
        return not rules.newest_needs_either or (by_player and rules.player_s_post_counts) or state.newest in booked

    def posted_by_house(state: Bets) -> int:
        silent = worth(state, counts(state, by_player=False), gains)
        if not rules.same_state_answer:
            return silent
        return max(silent, worth(state, counts(state, by_player=True), gains))

    by_player = worth(own, counts(own, by_player=True), gains)
    ends = [by_player]
    for state in [FIRST, *signed]:
        if state.seq >= own.seq:
            ends.append(posted_by_house(state))
        elif not rules.long_window:
            ends.append(worth(state, counts(state, by_player=False), gains))
    return min(ends)


def worst_for_house(rules: Rules) -> Fraction:
    """The honest house's least expectation against any player."""
    return -max(_two_bets(rules, twins) for twins in ((False, True) if not rules.one_per_seq else (False,)))


def _two_bets(rules: Rules, twins: bool) -> Fraction:
    """The most that a player gets. Each bet is completed in time, booked, and its result known before the next."""
    total = Fraction(0)
    for gain in OUTCOMES:
        # Of two states of one seq on opposite choices, the player shows the one that won.
        first = 1 if twins else gain
        excluded = 0 if not rules.exclusion_grace else first
        options = [Fraction(max(first, excluded)), *_second_bets(rules, first)]
        if not rules.close_needs_results:
            options.append(Fraction(max(first, 0)))  # an agreement at 0, signed while the bet was open
        if not rules.later_replaces:
            options.append(Fraction(max(first, 0)))  # the state before it stands
        if not rules.waits_for_proof:
            options.append(Fraction(max(first, 0)))  # the house's post, finalized before the book is shown
        total += HALF * max(options)
    return total


def _second_bets(rules: Rules, first: int) -> Iterator[Fraction]:
    carried = [first]
    if not rules.last_completed_only:
        carried.append(0)  # built on the state before the first bet
    if not rules.results_are_folded:
        carried.append(0)  # the first bet is neither open nor in the net
    for net in carried:
        yield Fraction(sum(net + gain for gain in OUTCOMES), 2)
        if not rules.checks_lock:
            yield Fraction(net + 1)  # placed when the outcome was known
        if not rules.close_freezes:
            yield Fraction(sum(max(net + gain, net) for gain in OUTCOMES), 2)  # the agreement, if the bet lost
