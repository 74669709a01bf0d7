"""Friends' markets, played: who looks at which market when, what they bet, and how each market comes to its end.

Everything random comes from the seed and the match's number, everything about money is asked of the chain.
"""

from collections.abc import Callable
from functools import partial
from random import Random

from tessera.chain.lmsr_markets import BET_INTERVAL, SEED, STAKE
from tessera.demo.agenda import Agenda
from tessera.demo.club import Club
from tessera.demo.friends import FRIENDS, LATE, Friend, View
from tessera.demo.plan import Ending, Fixture
from tessera.model.lmsr import Outcome
from tessera.model.resolution import BETTORS_WAIT, SILENCE, VOTING
from tessera.observe.matches import DAY, HOUR, MINUTE, Goal

YES, NO, INVALID = Outcome.YES, Outcome.NO, Outcome.INVALID
WINDOW = 12 * HOUR  # to dispute a proposal in
HAND = 7  # seconds between two bets of one hand
DISPUTED = (Ending.VOTED, Ending.RULED, Ending.DOUBTED, Ending.UNRULED)
SLIPPAGE = 0.98  # of the quoted shares that a friend accepts


class BrokeError(Exception):
    """Nobody can pay the seed of the next market."""


class Season:
    """Puts the life of each market on the agenda. `say(text)` hears what people would tell each other."""

    def __init__(self, club: Club, agenda: Agenda, fixtures: list[Fixture], seed: int, say: Callable[[str], None]):
        self.club, self.agenda, self.say = club, agenda, say
        self.creators = 0
        self.skipped_for_money = 0
        for fixture in fixtures:
            agenda.at(fixture.opens_at, Game(self, fixture, Random(f"{seed} {fixture.match.number}")).open)  # noqa: S311

    def next_creator(self) -> Friend:
        """Friends take turns; who cannot pay the seed just now is passed over.

        Raises BrokeError where nobody can: the season must not run dry unnoticed.
        """
        for _ in FRIENDS:
            friend = FRIENDS[self.creators % len(FRIENDS)]
            self.creators += 1
            if self.club.balances[friend.name] >= SEED:
                return friend
        raise BrokeError("nobody has 10 EUR left to create a market with: play fewer matches, or another seed")


class Game:
    """One market from its opening to the last claim."""

    def __init__(self, season: Season, fixture: Fixture, rng: Random):
        self.season, self.club, self.fixture, self.match, self.rng = season, season.club, fixture, fixture.match, rng
        self.positions: dict[Friend, set[Outcome]] = {}
        self.last_bet_at = 0

    def open(self) -> None:
        """The creator whose turn it is opens the market, and everybody's looks at it go on the agenda."""
        fixture = self.fixture
        self.creator = self.season.next_creator()
        others = [friend for friend in FRIENDS if friend is not self.creator]
        self.referee = self.rng.choice(others) if fixture.ending in (Ending.RULED, Ending.UNRULED) else None
        self.market_id = self.club.create_market(
            self.creator.name,
            fixture.terms(),
            p0=fixture.p0,
            expected_result_at=fixture.expected_result_at,
            closes_at=fixture.closes_at,
            event_start_at=self.match.kickoff,
            referee=self.referee.name if self.referee else None,
            dispute_window=WINDOW,
        )
        for goal in self.match.goals:
            if goal.at + MINUTE < fixture.closes_at:
                self._do(goal.at, partial(self.goal, goal))
        self.bettors = [friend for friend in others if friend is not self.referee]
        for friend in self.bettors:
            for at in self._looks(friend):
                self._do(at, partial(self.look, friend))
        if fixture.ending is Ending.EARLY:
            self._do(self.match.full_time + MINUTE, self.end)
        else:
            self._do(fixture.expected_result_at + self.rng.randrange(5, 50) * MINUTE, self.end)

    def goal(self, goal: Goal) -> None:
        """Hear of a goal, and a minute later of what it did to the price."""
        before = self.club.prices[self.market_id]

        def tell() -> None:
            price = self.club.prices[self.market_id]
            home, away = self.match.teams
            score = f"{home} {self.match.score(goal.at)} {away}"
            self.season.say(f"{goal.minute:>5}'  {score:<28} {before:.2f} → {price:.2f} within a minute")

        self._do(goal.at + MINUTE, tell)

    def _looks(self, friend: Friend) -> list[int]:
        """When a friend thinks about this market, unix seconds."""
        match, whole = self.match, self.fixture.closes_at - self.match.kickoff
        looks = [match.kickoff - int(DAY * self.rng.random() ** 2) for _ in range(friend.early)]
        looks += [match.kickoff + int(whole * self.rng.random()) for _ in range(friend.live)]
        looks += [match.kickoff + int(whole * self.rng.uniform(LATE, 1)) for _ in range(friend.late)]
        for goal in match.goals:
            looks += [goal.at + friend.delay + hand * HAND for hand in range(friend.hands)]
        return looks

    def look(self, friend: Friend) -> None:
        """Think of a bet, and perhaps place it; when somebody was faster, five seconds later."""
        now = self.club.now
        if now >= self.fixture.closes_at:
            return
        if now < self.last_bet_at + BET_INTERVAL:
            self._do(self.last_bet_at + BET_INTERVAL, partial(self.look, friend))
            return
        side = friend.choose(self._view(friend, now - friend.delay))
        if side is None:
            return
        if self.club.balances[friend.name] < STAKE:
            self.season.skipped_for_money += 1
            return
        least = self.club.quote(self.market_id, side) * SLIPPAGE
        self.club.bet(friend.name, self.market_id, side, min_shares=least)
        self.last_bet_at = now
        self.positions.setdefault(friend, set()).add(side)

    def _view(self, friend: Friend, until: int) -> View:
        goals = [goal for goal in self.match.goals if goal.at <= until]
        scored = (YES if goals[-1].team == self.fixture.favourite else NO) if goals else None
        return View(
            favourite=self.fixture.favourite,
            teams=self.match.teams,
            price=self.club.prices[self.market_id],
            first=self.fixture.p0,
            fair=self.fixture.fair(until),
            scored=scored,
            rng=self.rng,
        )

    def end(self) -> None:
        """The match is over: what the creator does now, or does not."""
        fixture, now = self.fixture, self.club.now
        truth = YES if fixture.happened else NO
        match fixture.ending:
            case Ending.PLAIN | Ending.EARLY:
                self._propose(self.creator, truth)
            case Ending.VOTED | Ending.RULED | Ending.DOUBTED | Ending.UNRULED:
                self._propose(self.creator, truth.other)
                self._do(now + self.rng.randrange(1, 6) * HOUR, self.dispute)
            case Ending.UNCLEAR:
                self._propose(self.creator, INVALID)
            case Ending.SILENT:
                wait = fixture.expected_result_at + BETTORS_WAIT + self.rng.randrange(1, 9) * HOUR
                self._do(wait, lambda: self._propose(self._richest_in(truth), truth))
            case Ending.EXPIRED:
                self._do(fixture.expected_result_at + SILENCE, self.expire)

    def _propose(self, friend: Friend, outcome: Outcome) -> None:
        self.club.propose(friend.name, self.market_id, outcome)
        if self.fixture.ending not in DISPUTED:
            # The market's window where the creator proposes on time; a day where a bettor does, or it is early.
            self._do(self.club.dispute_ends_at(self.market_id), self.finalize)

    def dispute(self) -> None:
        """A bettor on the true side objects to the creator's word; then the others vote, or the referee rules."""
        match, now = self.match, self.club.now
        truth = YES if self.fixture.happened else NO
        reason = f"It was {match.score(match.full_time)} after 90 minutes"
        if match.winner == self.fixture.favourite and match.decided_in != "90 minutes":
            reason += "; extra time does not count"
        complainer = self._richest_in(truth)
        self.club.complain(complainer.name, self.market_id, truth, reason)
        self.season.say(f" wait!  {complainer.name}: “{reason}”")
        match self.fixture.ending:
            case Ending.RULED:
                self._do(now + self.rng.randrange(2, 20) * HOUR, partial(self.rule, truth))
            case Ending.UNRULED | Ending.DOUBTED:  # nobody says anything more
                self._do(self.club.dispute_ends_at(self.market_id), self.finalize)
            case Ending.VOTED:
                # All who bet say what they saw, also those who lose by it; the creator's word is one head.
                for friend in sorted(self.positions.keys() - {complainer}, key=lambda friend: friend.name):
                    vote = partial(self.club.vote, friend.name, self.market_id, truth)
                    self._do(now + self.rng.randrange(10 * MINUTE, VOTING - HOUR), vote)
                self._do(now + VOTING, self.count)

    def count(self) -> None:
        """Voting is over, unless a late vote has made it longer."""
        ends_at = self.club.dispute_ends_at(self.market_id)
        if ends_at > self.club.now:
            self._do(ends_at, self.finalize)
        else:
            self.finalize()

    def rule(self, truth: Outcome) -> None:
        """The referee ends the dispute."""
        if self.referee is None:
            raise RuntimeError(f"market {self.market_id} has no referee")
        self.club.rule(self.referee.name, self.market_id, truth)
        self.pay_out()

    def finalize(self) -> None:
        """Somebody ends the market when its time has come."""
        self.club.finalize(self.rng.choice(FRIENDS).name, self.market_id)
        self.pay_out()

    def expire(self) -> None:
        """Somebody ends the market that nobody proposed an outcome for."""
        self.club.expire(self.rng.choice(FRIENDS).name, self.market_id)
        self.pay_out()

    def pay_out(self) -> None:
        """Some claim for themselves at once; an hour later somebody claims for everybody who has a position."""
        outcome = self.club.outcomes[self.market_id]
        home, away = self.match.teams
        score = f"{home} {self.match.score(self.match.full_time)} {away}"
        how = "" if self.fixture.ending is Ending.PLAIN else self.fixture.ending.value
        self.season.say(f" final  {score:<28} {self.fixture.favourite}: {outcome.name}".ljust(56) + how)
        paid = [friend for friend, sides in self.positions.items() if outcome is INVALID or outcome in sides]
        for friend in paid[:2]:
            self._do(
                self.club.now + self.rng.randrange(1, 50) * MINUTE,
                partial(self.club.claim, friend.name, self.market_id),
            )
        names = [friend.name for friend in self.positions]
        claim_many = partial(self.club.claim_many, self.creator.name, self.market_id, names)
        self._do(self.club.now + HOUR, claim_many)

    def _richest_in(self, side: Outcome) -> Friend:
        """Who has most to gain from an outcome."""
        return max(self.positions, key=lambda friend: self.club.holdings.get((self.market_id, friend.name, side), 0))

    def _do(self, at: int, action: Callable[[], None]) -> None:
        self.season.agenda.at(at, action)
