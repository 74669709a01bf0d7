"""A search for attacks that nobody thought of: a coalition bets, proposes, complains, votes and waits at random.

The honest people who are awake look within three hours of whatever happens: they complain of what is not true, vote for
what is, and propose it where nobody has. The truth is YES and everybody knows it from the beginning. Whatever a
coalition does, NO is paid only where it has more heads than there are honest people awake, and of an honest proposal
only with more than twice their number and more than a quarter of everything staked (docs/markets.md). Some markets have
a referee, who never rules: there NO is paid only where nobody honest is awake.

That the search can see a hole is tested too: it has to find one in contracts whose rule is weaker.
"""

import shutil
from contextlib import suppress
from dataclasses import dataclass, field

import boa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.attacks.friends_market import PURSE, ROOT, Friends
from tests.club import ANSWER, BET_INTERVAL, DAY, HOUR, INVALID, NO, SILENCE, YES, Status, at, now
from tests.custody import EUR, NOBODY

LOOK = ANSWER - 1  # seconds until an honest person looks
PAUSE = 2 * ANSWER  # between attempts of a stubborn coalition: the shortest window, 12 h, is longer
ACTIONS = ("bet", "propose", "propose", "complain", "vote", "vote", "vote", "wait", "wait")
WAITS = st.one_of(
    st.integers(1, 3 * HOUR), st.sampled_from([1, 12 * HOUR - 1, DAY - 1, DAY, 45 * HOUR, 2 * DAY, 7 * DAY, 10 * DAY])
)
PLAN = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(0, 6), st.sampled_from([YES, NO, NO, NO, INVALID]), WAITS),
    max_size=20,
)
CASES = {
    "plan": PLAN,
    "colluders": st.integers(1, 6),
    "awake": st.integers(0, 3),
    "asleep": st.integers(0, 4),
    "creator_colludes": st.booleans(),
    "with_money": st.integers(1, 8),
    "stubborn": st.sampled_from([True, True, True, False]),
    "refereed": st.sampled_from([False, False, False, True]),
}


@dataclass
class Story:
    """A market, the honest people who are awake, and the coalition."""

    friends: Friends
    market_id: int
    honest: list
    coalition: list
    proposer_was_honest: bool = False
    seen_at: int = field(default_factory=now)  # until when nothing has escaped the honest

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
        """Time passes. The honest look in time, and again when there may be something to do."""
        while now() < time and not self.settled:
            stored = self.friends.markets.market(self.market_id)
            if stored.status in (Status.OPEN, Status.CLOSED) and now() < stored.expected_result_at:
                at(min(time, stored.expected_result_at))  # until then the honest have nothing to do
                self.seen_at = now()
                continue
            looks = self.seen_at + LOOK <= time
            if looks:
                at(max(now(), self.seen_at + LOOK))
                self.look()
            stored = self.friends.markets.market(self.market_id)
            due_at, ends_at = stored.expected_result_at, self.friends.markets.tally(self.market_id).ends_at
            at(min([time, *(t for t in (due_at, due_at + DAY, ends_at) if t > now())]))
            if looks:
                self.seen_at = now()
            self.finalize()


def search(friends: Friends, plan, colluders, awake, asleep, creator_colludes, with_money, stubborn, refereed):
    friends.closes_at, friends.due_at = now() + 10 * DAY, now() + 11 * DAY
    people = friends.people
    honest, sleepers = people[1 : 1 + awake], people[7 : 7 + asleep]
    bettors = people[12 : 12 + colluders]
    market_id = friends.create(referee=people[19] if refereed else NOBODY)
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
        story.wait_until(now() + PAUSE)
        stored = friends.markets.market(market_id)
        if stored.status in (Status.OPEN, Status.CLOSED) and now() >= stored.expected_result_at + SILENCE:
            friends.markets.expire(market_id)
    check(story)


def check(story: Story):
    """What the coalition can have reached."""
    markets, market_id = story.friends.markets, story.market_id
    assert story.settled
    stored, tally = markets.market(market_id), markets.tally(market_id)
    outcome = stored.outcome
    gains = story.friends.gains(market_id)
    if outcome == INVALID:
        assert set(gains.values()) == {0}
    if outcome == NO:
        # An honest creator who is awake proposes, and counts then; of a bettor's proposal he is a voter like others.
        heads, against = len(story.coalition), len(story.honest)
        assert heads > against, "heads"
        assert against == 0 or stored.referee == NOBODY, "heads of a silent referee's market"
        if story.proposer_was_honest:
            assert heads > 2 * against, "heads of a flip"
            assert 4 * tally.stakes[1] > tally.staked, "stake"
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


# Rules that are too weak: a file of the contracts, what stands in it, what stands there instead, and which of the
# searches that leaves a hole to: whether the creator colludes, and whether there is a referee.
WEAKER = {
    "half of the heads flip": ("vote_rule", "no * 3 > all * 2", "no * 2 > all", False, False),
    "a flip needs no stake": ("vote_rule", "tally_word._stake(tally, 1) * 4 > bets", "True", False, False),
    "half of the heads let it stand": ("vote_rule", "* 2 > all:", "* 2 >= all:", True, False),
    "silence confirms": ("disputes", "return vote_rule._doubt(early), tally", "return proposed, tally", True, True),
}


@pytest.mark.parametrize("rule", WEAKER)
def test_the_search_finds_what_a_weaker_rule_gives_away(deployed, tmp_path, rule):
    """And the same attack takes nothing under the real rule."""
    file, stands, instead, creator_colludes, refereed = WEAKER[rule]
    shutil.copytree(ROOT / "contracts", tmp_path / "contracts")
    path = tmp_path / "contracts" / "modules" / f"{file}.vy"
    source = path.read_text()
    assert source.count(stands) == 1
    path.write_text(source.replace(stands, instead))
    weak, tried = Friends(tmp_path / "contracts"), []

    cases = CASES | {
        "stubborn": st.just(True),
        "creator_colludes": st.just(creator_colludes),
        "refereed": st.just(refereed),
    }

    @settings(max_examples=100, deadline=None, derandomize=True, phases=[Phase.generate], database=None)
    @given(**cases)
    def attack(**case):
        tried.append(case)
        with boa.env.anchor():
            search(weak, **case)

    with pytest.raises(AssertionError, match=r"heads|stake"):
        attack()
    with boa.env.anchor():
        search(deployed, **tried[-1])
