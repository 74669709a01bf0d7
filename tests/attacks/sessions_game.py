"""The protocol of sessions, reduced until every line of play can be tried: one session, two bets, one dishonest side.

Each bet is fair: stake and liability are 1, each outcome has probability one half, so an honest side's expectation is 0
where both outcomes count alike. The dishonest side sees each outcome when the world does. At each time it does whatever
it can, in any order, before and after the honest side acts; `worst` is the least that the honest side can expect. The
honest side follows docs/micro.md to the letter, less the rules that are switched off.

Times 0 to 5 are seconds apart: twice before the first lock, after it, first outcome known, second bet locked, second
outcome known. From then on each step is some hours on the chain: an honest house looks at it in each, an honest player
in each third. A short window lasts two steps, a long one and the wait for a proof four, so the honest look in once in
each of theirs. Results are due, and a book is on the chain, one step after time 5.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import NamedTuple

FIRST_LOCK, FIRST_OUTCOME, SECOND_LOCK, LAST = 2, 3, 4, 5  # times from which each is so
LOCKS, OUTCOMES = {1: FIRST_LOCK, 2: SECOND_LOCK}, {1: FIRST_OUTCOME, 2: LAST}
SHORT, LONG, PROOF_WAIT, DUE = 2, 4, 4, LAST + 1
PRESENCE = 3  # an honest player looks at the chain in each third step


@dataclass(frozen=True)
class Rules:
    """Each rule can be taken away, to see what it is for."""

    # of the player's client
    takes_receipts_in_time: bool = True  # before lock + 2 s, later only a leaf of a book seen by lock + 5 s
    ignores_late_states: bool = True  # never builds on what was completed later
    one_at_a_time: bool = True  # signs no state while one is unanswered
    # of the observers
    books_in_time: bool = True  # sign only a book whose lines they had at its lock
    # of the contract
    player_s_post_counts: bool = True  # the newest bet counts where the player posted
    posted_by_player_himself: bool = True  # and nobody posts for the player without the player's word
    newest_needs_either: bool = True  # else it goes back, unless it is in the book
    same_state_answer: bool = True  # the player may answer with the state that the house posted
    long_window: bool = True  # what the house posts can be answered for a day, not an hour
    later_replaces: bool = True  # a state of a higher seq replaces the posted one
    waits_for_proof: bool = True  # nobody finalizes before the book could be shown
    proof: bool = True  # a book shows that the newest bet of a posted state counts
    runs_on: bool = True  # a self-exclusion does not touch bets that run
    # of the engine
    last_completed_only: bool = True  # takes only what is built on its last completed state
    results_are_folded: bool = True  # a state carries all known results
    one_per_seq: bool = True  # completes one state of a seq
    checks_lock: bool = True  # takes no bet after its lock
    fresh_blocks: bool = True  # takes no bet while the newest block is old
    close_needs_results: bool = True  # no agreement while an open bet has no result
    close_freezes: bool = True  # no state after an agreement


class Bet(NamedTuple):
    """A bet on one of two sides, 1 or -1; `stale` where the chain's newest block was old when it was taken."""

    number: int
    side: int = 1
    stale: bool = False


class State(NamedTuple):
    """A state: its place in the order, the older bets that it contains, and its newest."""

    seq: int
    older: frozenset[Bet] = frozenset()
    newest: Bet | None = None

    @property
    def bets(self) -> frozenset[Bet]:
        return self.older | ({self.newest} if self.newest else set())

    def plus(self, bet: Bet, seq: int) -> "State":
        """The state that adds a bet to this one."""
        return State(seq, self.bets, bet)


EMPTY, ACTIVATED = State(0), State(1)


class Exit(NamedTuple):
    """What the contract stores of an exit."""

    state: State
    by_player: bool
    first_end: int
    end: int
    proven: bool = False


@dataclass(frozen=True)
class World:
    """All that has happened."""

    time: int = 0
    drawn: tuple[int, ...] = ()  # outcomes of the first and the second bet
    signed: frozenset[State] = frozenset()  # by the player
    taken: frozenset[State] = frozenset()  # completed in time, as the honest side sees it
    late: frozenset[State] = frozenset()  # completed too late
    newest: State = ACTIVATED  # of those the last that the honest side goes by
    booked: frozenset[State] = frozenset()
    exit: Exit | None = None
    agreed: int | None = None  # the net of an agreement that both signed
    excluded: bool = False
    has_acted: bool = False  # the honest side, at this time

    def gain(self, bet: Bet) -> int:
        return bet.side * self.drawn[bet.number - 1]

    def knows(self, bet: Bet) -> bool:
        return len(self.drawn) >= bet.number


class Game:
    """What is the same whoever is dishonest: nature, contract and the search."""

    def __init__(self, rules: Rules):
        self.rules = rules
        self.value = cache(self._value)

    def worst(self) -> float:
        """The least that the honest side can expect."""
        return self.value(World())

    def _value(self, world: World) -> float:
        options = [*self.ends(world), *(self.value(after) for after in self.moves(world))]
        if world.exit and world.time >= self.ready_at(world):
            return min(options)  # anybody finalizes
        if world.has_acted:
            return min([*options, self._pass_time(world)])
        return min([*options, self.value(self.honest(replace(world, has_acted=True)))])

    def _pass_time(self, world: World) -> float:
        after = replace(world, time=world.time + 1, has_acted=False)
        if after.time not in OUTCOMES.values():
            return self.value(after)
        # Binary fractions: every sum is exact.
        return sum(self.value(replace(after, drawn=(*after.drawn, outcome))) for outcome in (1, -1)) / 2

    def counts(self, world: World) -> bool:
        """Whether the newest bet of the posted state counts."""
        _, by_player, _, _, proven = world.exit
        return (by_player and self.rules.player_s_post_counts) or proven or not self.rules.newest_needs_either

    def goes_back(self, world: World, bet: Bet) -> bool:
        return world.excluded and (bet.stale or not self.rules.runs_on)

    def ready_at(self, world: World) -> int:
        """When the posted state can be finalized."""
        state = world.exit.state
        ready = max(world.exit.end, DUE + 1) if state.bets else world.exit.end
        waits = state.newest and not self.counts(world) and not self.goes_back(world, state.newest)
        return ready + PROOF_WAIT if waits and self.rules.waits_for_proof else ready

    def paid(self, world: World) -> int:
        """What finalizing pays the player."""
        state = world.exit.state
        counted = state.bets if self.counts(world) else state.older
        return sum(world.gain(bet) for bet in counted if not self.goes_back(world, bet))

    def post(self, world: World, state: State, by_player: bool) -> World | None:
        """The world after somebody posts a state; None where the contract refuses."""
        is_player_s = by_player or not self.rules.posted_by_player_himself
        exit, now = world.exit, max(world.time, LAST)
        if exit is None:
            end = now + (SHORT if by_player or not self.rules.long_window else LONG)
            return replace(world, exit=Exit(state, is_player_s, end, end))
        if world.time >= exit.end:
            return None
        if by_player and not exit.by_player and state == exit.state and self.rules.same_state_answer:
            return replace(world, exit=exit._replace(by_player=True, proven=False))
        if state.seq <= exit.state.seq or not self.rules.later_replaces:
            return None
        if by_player:
            return replace(world, exit=Exit(state, True, exit.first_end, exit.end))
        if world.time >= exit.first_end:
            return None
        return replace(world, exit=Exit(state, is_player_s, exit.first_end, max(exit.end, now + SHORT)))

    def may_prove(self, world: World) -> bool:
        exit = world.exit
        return (
            self.rules.proof
            and exit is not None
            and not exit.proven
            and world.time >= DUE
            and exit.state in world.booked
        )

    def prove(self, world: World) -> World:
        return replace(world, exit=world.exit._replace(proven=True))


class AgainstHouse(Game):
    """An honest player against any house. `when` is when the player places the second bet, `presence` which steps the
    player looks at the chain in."""

    def __init__(self, rules: Rules, when: int, presence: int):
        super().__init__(rules)
        self.when, self.presence = when, presence
        # By the rules a receipt that comes too late changes nothing: the house could complete the state by itself.
        self.client_minds_late = not (rules.takes_receipts_in_time and rules.ignores_late_states)

    def _is_answerable(self, world: World, state: State) -> bool:
        return world.time < LOCKS[state.newest.number]

    def moves(self, world: World) -> Iterator[World]:
        for state in world.signed:
            # A receipt, whenever the house likes.
            if state not in world.taken | world.late:
                if self._is_answerable(world, state):
                    yield replace(world, taken=world.taken | {state})
                elif self.client_minds_late:
                    yield replace(world, late=world.late | {state})
            # A line of the book, before its lock; later only where observers sign what they did not hold.
            if state not in world.booked and (self._is_answerable(world, state) or not self.rules.books_in_time):
                yield replace(world, booked=world.booked | {state})
        for state in (EMPTY, ACTIVATED, *world.signed):
            if after := self.post(world, state, by_player=False):
                yield after
        if self.may_prove(world):
            yield self.prove(world)

    def ends(self, world: World) -> Iterator[float]:
        if world.exit and world.time >= self.ready_at(world):
            yield self.paid(world)

    def _newest(self, world: World) -> State:
        """The newest state that the player's client goes by."""
        completed = world.taken | {one for one in world.booked if not self._is_answerable(world, one)}
        if not self.rules.takes_receipts_in_time:
            completed |= world.late
        return max([ACTIVATED, *completed])

    def _base(self, world: World) -> State:
        return max([self._newest(world), *(() if self.rules.ignores_late_states else world.late)])

    def honest(self, world: World) -> World:
        if world.exit is None and world.time < LAST:
            if world.time == 0:
                world = replace(world, signed=world.signed | {ACTIVATED.plus(Bet(1), 2)})
            unanswered = [one for one in world.signed - world.taken if self._is_answerable(world, one)]
            if world.time == self.when and not (unanswered and self.rules.one_at_a_time):
                base = self._base(world)
                world = replace(world, signed=world.signed | {base.plus(Bet(2), 3)})
            return world
        if world.time < LAST or (world.time - self.presence) % PRESENCE:
            return world
        newest = self._newest(world)
        if world.exit is None or world.exit.state.seq <= newest.seq:
            return self.post(world, newest, by_player=True) or world
        return world


class AgainstPlayer(Game):
    """An honest house, whose engine takes and books what it should, against any player."""

    def moves(self, world: World) -> Iterator[World]:
        for base, state in self._requests(world):
            if after := self._engine(world, base, state):
                yield after
        if world.agreed is None and world.exit is None and (after := self._agreement(world)):
            yield after
        for state in (EMPTY, ACTIVATED, *world.taken):
            if after := self.post(world, state, by_player=True):
                yield after
        if not world.excluded and any(self.goes_back(replace(world, excluded=True), one.newest) for one in world.taken):
            yield replace(world, excluded=True)

    def _requests(self, world: World) -> Iterator[tuple[State, State]]:
        """All states that a player can sign, each with what it is built on."""
        known = {(bet.number, bet.side) for state in world.taken for bet in state.bets}
        # Sides are alike: the other one is of use only beside the first.
        sides = [
            (n, side) for n in LOCKS for side in (1, -1) if (n, side) not in known and (side == 1 or (n, 1) in known)
        ]
        last = max([ACTIVATED, *world.taken], key=lambda state: state.seq).seq
        for base in (ACTIVATED, *world.taken):
            for number, side in sides:
                for stale in (False, True):
                    for seq in {last + 1, base.seq + 1}:
                        yield base, base.plus(Bet(number, side, stale), seq)
                        yield base, State(seq, newest=Bet(number, side, stale))  # without what the base holds

    def _engine(self, world: World, base: State, state: State) -> World | None:
        """The world after the engine completed a state; None where it refuses."""
        rules, bet = self.rules, state.newest
        is_twin = any(one.seq == state.seq for one in world.taken)
        if world.exit or world.time > LAST or (world.agreed is not None and rules.close_freezes):
            return None
        if rules.checks_lock and world.time >= LOCKS[bet.number]:
            return None
        if rules.fresh_blocks and bet.stale:
            return None
        if is_twin and rules.one_per_seq:
            return None
        # Twins are built on the same state; else the last completed one is what a bet must be built on.
        if base != world.newest and rules.last_completed_only and not is_twin:
            return None
        if any(known.number == bet.number for known in base.bets):
            return None
        if state.older != base.bets and (rules.results_are_folded or not all(map(world.knows, base.bets))):
            return None
        return replace(
            world,
            taken=world.taken | {state},
            booked=world.booked | {state},
            newest=max(world.newest, state, key=lambda either: either.seq),
        )

    def _agreement(self, world: World) -> World | None:
        """The engine signs the net of all known results."""
        open_bets = [bet for bet in world.newest.bets if not world.knows(bet)]
        if open_bets and self.rules.close_needs_results:
            return None
        return replace(world, agreed=sum(world.gain(bet) for bet in world.newest.bets if world.knows(bet)))

    def ends(self, world: World) -> Iterator[float]:
        if world.agreed is not None:
            yield -world.agreed
        if world.exit and world.time >= self.ready_at(world):
            yield -self.paid(world)

    def honest(self, world: World) -> World:
        if world.time < LAST:
            return world
        if world.exit is None:
            return self.post(world, world.newest, by_player=False)
        # The book lands when results are due; a look later it is shown.
        if world.exit.state.seq < world.newest.seq:
            return self.post(world, world.newest, by_player=False) or world
        if world.time > DUE and self.may_prove(world):
            return self.prove(world)
        return world


def against_houses(rules: Rules) -> Iterator[float]:
    """The honest player's least expectation against any house, for each time of the second bet and of looking in."""
    for when, presence in product(range(1, SECOND_LOCK), range(PRESENCE)):
        yield AgainstHouse(rules, when, presence).worst()


def against_players(rules: Rules) -> Iterator[float]:
    """The honest house's least expectation against any player."""
    yield AgainstPlayer(rules).worst()
