"""Which states are legal, and what a session pays. The twin of `MicroSessions.finalize` and `close`.

Rules that the contract does not check, since both sides sign only what keeps them: the sums of open bets, their number,
and what a state may be built on. Money in the smallest unit, times in unix seconds unless they say milliseconds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tessera.model.sessions.questions import MS, NO_CHOICE, panel_times
from tessera.model.sessions.typed import Offer, OpenBet, State

MAX_OPEN = 16
LATE_RESULTS = 86_400
PROOF_WAIT = 86_400
EXCLUSION_GRACE = 60
BOUND = 2**128
ODDS_UNIT = 1_000  # odds are thousandths


class StateError(ValueError):
    """A state, bet or time that breaks a rule. `str(error)` says which."""


def liability_of(stake: int, odds: int) -> int:
    """What the house puts beside a stake at odds in thousandths, rounded down: it leaves to a person."""
    if odds <= ODDS_UNIT:
        raise StateError("odds must be above 1")
    return stake * (odds - ODDS_UNIT) // ODDS_UNIT


def gain(bet: OpenBet, outcome: int | None) -> int:
    """What a bet changes its player's net by, for a panel's outcome; 0 where there is none, or an unknown one."""
    if outcome is None or outcome > NO_CHOICE:
        return 0
    if outcome == bet.choice != NO_CHOICE:
        return min(bet.liability, BOUND)
    return -bet.stake


def greatest_loss(offer: Offer, top_ups: int = 0) -> int:
    """The most that a session can cost its player, besides the activation cost."""
    return min(offer.deposit + top_ups, offer.loss_cap)


def check(offer: Offer, state: State, top_ups: int = 0) -> None:
    """Raises StateError unless a state's sums and bets are ones that both sides may sign."""
    if not 0 <= state.prev <= state.seq < 2**64 or (state.seq and state.prev == state.seq):
        raise StateError("seq out of order")
    if len(state.open_bets) > MAX_OPEN:
        raise StateError("more than 16 open bets")
    if not state.activated and (state.open_bets or state.net):
        raise StateError("bets before the activation")
    for bet in state.open_bets:
        if not 0 < bet.stake <= offer.stake_cap or bet.liability <= 0:
            raise StateError("stake or liability out of range")
        if not 0 <= bet.choice < NO_CHOICE:
            raise StateError("no such choice")
        if bet.lock > offer.expires_at * MS or bet.report_by // MS > offer.expires_at + LATE_RESULTS:
            raise StateError("the bet outlives the session")
    if state.net - sum(bet.stake for bet in state.open_bets) < -greatest_loss(offer, top_ups):
        raise StateError("more than the player may lose")
    if state.net + sum(bet.liability for bet in state.open_bets) > offer.house_lock:
        raise StateError("more than the house can lose")


def activation(base: State) -> State:
    """The first state that is signed: it only says that access has started."""
    return replace(base, seq=base.seq + 1, prev=base.seq, activated=True)


def fold(state: State, outcomes: Mapping[bytes, int | None]) -> tuple[int, tuple[OpenBet, ...]]:
    """Net and open bets once results are known. `outcomes`: question hash to outcome, None: none came in time."""
    gains = [gain(bet, outcomes[bet.question]) for bet in state.open_bets if bet.question in outcomes]
    return state.net + sum(gains), tuple(bet for bet in state.open_bets if bet.question not in outcomes)


def successor(
    offer: Offer, base: State, bet: OpenBet, outcomes: Mapping[bytes, int | None], seq: int, top_ups: int = 0
) -> State:
    """The state that adds a bet to `base` and folds all known results. Raises StateError where it is illegal."""
    if not base.activated:
        raise StateError("bets before the activation")
    if seq <= base.seq:
        raise StateError("seq out of order")
    net, left = fold(base, outcomes)
    state = State(seq, base.seq, net, True, (*left, bet))
    check(offer, state, top_ups)
    return state


def check_successor(
    offer: Offer, base: State, state: State, outcomes: Mapping[bytes, int | None], top_ups: int = 0
) -> None:
    """Raises StateError unless `state` is `base` with all known results folded and one bet more, or its activation."""
    if not base.activated:
        if state != replace(activation(base), seq=state.seq) or state.seq <= base.seq:
            raise StateError("the first state only activates")
        return
    if not state.open_bets:
        raise StateError("a state adds one bet")
    if state != successor(offer, base, state.open_bets[-1], outcomes, state.seq, top_ups):
        raise StateError("not built on the last completed state")


@dataclass(frozen=True)
class Exclusion:
    """A person's self-exclusion; zeros where there never was any."""

    start: int = 0
    end: int = 0


def goes_back(offer: Offer, bet: OpenBet, exclusion: Exclusion = Exclusion()) -> bool:
    """Whether a bet broke what its session allows, so that stake and liability go back and nobody waits for it."""
    return (
        bet.stake > offer.stake_cap
        or bet.lock > offer.expires_at * MS
        or bet.report_by // MS > offer.expires_at + LATE_RESULTS
        or exclusion.start + EXCLUSION_GRACE < bet.lock // MS < exclusion.end
    )


@dataclass(frozen=True)
class Settlement:
    """What a session ends with: paid to the player, and to its stream's bankroll. Their sum is what was put in."""

    net: int
    paid: int
    house: int


def settle(offer: Offer, net: int, activated: bool, top_ups: int = 0) -> Settlement:
    """What a net pays, clamped to what the two sides put at risk."""
    clamped = max(min(net, offer.house_lock), -greatest_loss(offer, top_ups))
    deposit = offer.deposit + top_ups
    earned, returned = (offer.activation, 0) if activated else (0, offer.activation)
    return Settlement(clamped, deposit + clamped + returned, offer.house_lock - clamped + earned)


def ready_at(
    offer: Offer, state: State, window_end: int, newest_counts: bool, exclusion: Exclusion = Exclusion()
) -> int:
    """The first second in which an exit can be finalized."""
    bets = [(i, bet) for i, bet in enumerate(state.open_bets) if not goes_back(offer, bet, exclusion)]
    # A panel takes reports in the deadline's own second.
    ready = max([window_end, *(panel_times(bet.lock, bet.report_by)[1] + 1 for _, bet in bets)])
    waits = not newest_counts and any(i == len(state.open_bets) - 1 for i, _ in bets)
    return ready + PROOF_WAIT if waits else ready


def finalized(
    offer: Offer,
    state: State,
    outcome_of: Callable[[OpenBet], int | None],
    newest_counts: bool,
    top_ups: int = 0,
    exclusion: Exclusion = Exclusion(),
) -> Settlement:
    """What an exit pays. `outcome_of` is the panel's result for a bet, None where there is none.

    The newest bet counts where the player posted the state or somebody proved it (`newest_counts`), else it goes back.
    """
    net = max(min(state.net, BOUND), -BOUND)
    for i, bet in enumerate(state.open_bets):
        is_unproven = i == len(state.open_bets) - 1 and not newest_counts
        if not goes_back(offer, bet, exclusion) and not is_unproven:
            net += gain(bet, outcome_of(bet))
    return settle(offer, net, state.activated, top_ups)
