"""A search for attacks that nobody thought of: a coalition bets, proposes, complains, votes and waits at random.

The honest people who are awake look within three hours of whatever happens: they complain of what is not true, vote for
what is, and propose it where nobody has. The truth is YES and everybody knows it from the beginning. Whatever a
coalition does, NO is paid only where it has more heads than there are honest people awake, and of an honest proposal
only with more than twice their number and more than a quarter of everything staked (docs/markets.md).
"""

from contextlib import suppress
from dataclasses import dataclass

import boa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.attacks.friends_market import PURSE, Friends
from tests.club import ANSWER, BET_INTERVAL, DAY, HOUR, INVALID, NO, SILENCE, YES, Status, at, now
from tests.custody import EUR

LOOK = ANSWER - 1  # seconds until an honest person looks
ACTIONS = ("bet", "propose", "propose", "complain", "vote", "vote", "vote", "wait", "wait")
WAITS = st.one_of(
    st.integers(1, 3 * HOUR), st.sampled_from([1, 12 * HOUR - 1, DAY - 1, DAY, 45 * HOUR, 2 * DAY, 7 * DAY, 10 * DAY])
)
PLAN = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(0, 6), st.sampled_from([YES, NO, NO, NO, INVALID]), WAITS),
    min_size=3,
    max_size=30,
)
CASES = {
    "plan": PLAN,
    "colluders": st.integers(1, 6),
    "awake": st.integers(0, 5),
    "asleep": st.integers(0, 3),
    "creator_colludes": st.booleans(),
    "with_money": st.integers(1, 5),
    "stubborn": st.booleans(),
}


@dataclass
class Story:
    """People by number: 0 the creator, then the honest who are awake, those who sleep, and the coalition's bettors."""

    friends: Friends
    market_id: int
    honest: list
    coalition: list
    proposer_was_honest: bool = False

    def look(self) -> None:
        """What an honest person who is awake does, each in turn."""
        markets, market_id = self.friends.markets, self.market_id
        for person in self.honest:
            stored = markets.market(market_id)
            if stored.status in (Status.OPEN, Status.CLOSED):
                may = person == self.friends.creator or now() >= stored.expected_result_at + DAY
                if now() >= stored.expected_result_at and may:
                    with suppress(boa.BoaError):  # after seven days nobody can
                        markets.propose(market_id, YES, sender=person)
            elif stored.status == Status.PENDING and stored.outcome != YES:
                with suppress(boa.BoaError):  # the window may be over, if it began before anybody looked
                    markets.complain(market_id, YES, "It is not true", sender=person)
            elif stored.status == Status.DISPUTED and markets.vote_of(market_id, person) != YES:
                with suppress(boa.BoaError):  # the proposer has no vote
                    markets.vote(market_id, YES, sender=person)
            self.finalize()

    def finalize(self) -> None:
        """Anybody does, as soon as it can be done."""
        tally = self.friends.markets.tally(self.market_id)
        if tally.ends_at and now() >= tally.ends_at:
            self.proposer_was_honest = self.friends.markets.market(self.market_id).proposer in self.honest
            self.friends.markets.finalize(self.market_id)

    @property
    def settled(self) -> bool:
        return self.friends.status(self.market_id) in (Status.RESOLVED, Status.INVALID)

    def insist(self) -> None:
        """Everybody of the coalition tries to propose, complain and vote for NO."""
        markets, market_id = self.friends.markets, self.market_id
        for person in self.coalition:
            for call in (
                lambda who: markets.propose(market_id, NO, sender=who),
                lambda who: markets.complain(market_id, NO, "I say so", sender=who),
                lambda who: markets.vote(market_id, NO, sender=who),
            ):
                with suppress(boa.BoaError):
                    call(person)

    def wait_until(self, time: int) -> None:
        """Time passes. The honest look once, and again when there may be something to do."""
        while now() < time and not self.settled:
            if now() + LOOK <= time:
                at(now() + LOOK)
                self.look()
            stored = self.friends.markets.market(self.market_id)
            due_at, ends_at = stored.expected_result_at, self.friends.markets.tally(self.market_id).ends_at
            at(min([time, *(t for t in (due_at, due_at + DAY, ends_at) if t > now())]))
            self.finalize()


def search(friends: Friends, plan, colluders, awake, asleep, creator_colludes, with_money, stubborn):
    friends.closes_at, friends.due_at = now() + 10 * DAY, now() + 11 * DAY
    people = friends.people
    honest, sleepers = people[1 : 1 + awake], people[7 : 7 + asleep]
    bettors = people[12 : 12 + colluders]
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys([*honest, *sleepers], with_money))
    friends.place(market_id, dict.fromkeys(bettors, 1), NO)
    coalition = [*bettors, friends.creator] if creator_colludes else bettors
    story = Story(friends, market_id, honest if creator_colludes else [friends.creator, *honest], coalition)
    for action, who, outcome, wait in plan:
        if story.settled:
            break
        sender = coalition[who % len(coalition)]
        with suppress(boa.BoaError):  # what is refused was worth a try
            match action:
                case "bet":
                    at(now() + BET_INTERVAL)
                    friends.markets.bet(market_id, NO if outcome == INVALID else outcome, 1, sender=sender)
                case "propose":
                    friends.markets.propose(market_id, outcome, sender=sender)
                case "complain":
                    friends.markets.complain(market_id, outcome, "I say so", sender=sender)
                case "vote":
                    friends.markets.vote(market_id, outcome, sender=sender)
                case "wait":
                    story.wait_until(now() + wait)
    story.wait_until(friends.due_at)
    while not story.settled and now() < friends.due_at + 15 * DAY:
        if stubborn:
            story.insist()
        story.wait_until(now() + DAY)
        stored = friends.markets.market(market_id)
        if stored.status in (Status.OPEN, Status.CLOSED) and now() >= stored.expected_result_at + SILENCE:
            friends.markets.expire(market_id)
    check(story)


def check(story: Story):
    """What the coalition can have reached."""
    markets, market_id = story.friends.markets, story.market_id
    assert story.settled
    outcome, tally = markets.market(market_id).outcome, markets.tally(market_id)
    gains = story.friends.gains(market_id)
    if outcome == INVALID:
        assert set(gains.values()) == {0}
    if outcome == NO:
        # An honest creator who is awake proposes, and counts then; of a bettor's proposal he is a voter like others.
        heads, against = len(story.coalition), len(story.honest)
        assert heads > against
        if story.proposer_was_honest:
            assert heads > 2 * against
            assert 4 * tally.stakes[1] > tally.staked
    assert all(story.friends.escrow.balance_of(person) <= PURSE + tally.staked + 10 * EUR for person in gains)


@pytest.fixture(scope="module")
def deployed():
    boa.env.enable_fast_mode()
    boa.env.evm.patch.chain_id = 1
    yield Friends()
    boa.env.evm.patch.chain_id = 31_337


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(**CASES)
def test_no_coalition_gains_beyond_the_tables(deployed, **case):
    with boa.env.anchor():
        search(deployed, **case)


@pytest.mark.campaign
@settings(max_examples=3_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(**CASES)
def test_no_coalition_gains_beyond_the_tables_for_long(deployed, **case):
    with boa.env.anchor():
        search(deployed, **case)
