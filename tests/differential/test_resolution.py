"""The contract's disputes beside tessera/model/resolution.py, over random positions, votes and times."""

import boa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tessera.model.lmsr import Outcome
from tessera.model.resolution import Dispute, TooLate, window_end
from tests.club import DAY, HOUR, INVALID, NO, YES, Club, Status, at, now
from tests.custody import EUR
from tests.prize_system import load

BETTORS = 9
TIMES = st.one_of(st.integers(0, 49 * HOUR), st.sampled_from([24 * HOUR, 27 * HOUR, 45 * HOUR, 48 * HOUR]))
# Who, for what, and how many seconds after the complaint, or -1: in the last second; voters are drawn as numbers.
VOTES = st.lists(
    st.tuples(st.integers(0, BETTORS), st.sampled_from(list(Outcome)), st.one_of(TIMES, st.just(-1))), max_size=30
)
CASES = {
    "staked": st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=BETTORS, max_size=BETTORS),
    "proposed": st.sampled_from(list(Outcome)),
    "before": st.sampled_from([0, 0, 1, 3 * HOUR, 2 * DAY, 9 * DAY]),
    "by_bettor": st.booleans(),
    "votes": VOTES,
}


@pytest.fixture(scope="module")
def club():
    boa.env.enable_fast_mode()
    boa.env.evm.patch.chain_id = 31_337
    play_euro = load("contracts/PlayEuro.vy").deploy()
    escrow = load("contracts/Escrow.vy").deploy(play_euro, True)
    play_euro.set_escrow(escrow)
    markets = load("contracts/LmsrMarkets.vy").deploy(escrow, True, 12 * HOUR)
    escrow.register_product(markets)
    people = [boa.env.generate_address() for _ in range(BETTORS + 1)]
    play_euro.invite(people)
    for person in people:
        play_euro.join(1, sender=person)
    club = Club(markets, escrow, people)
    club.people = people
    return club


def compare(club, staked, proposed, before, by_bettor, votes):
    with boa.env.anchor():
        _compare(club, staked, proposed, before, by_bettor, votes)


def _compare(club, staked, proposed, before, by_bettor, votes):
    """A dispute of which contract and model say the same after every vote, and in the end. Person 0 is the creator."""
    club.closes_at, club.due_at = now() + 10 * DAY, now() + 11 * DAY
    market_id, people = club.create(), club.people
    net = {0: 0}
    for number, sides in enumerate(staked, 1):
        for side, count in zip((YES, NO), sides, strict=True):
            for _ in range(count):
                club.bet(market_id, people[number], side)
        if any(sides):
            net[number] = abs(sides[0] - sides[1]) * EUR
    total = sum(map(sum, staked)) * EUR
    bettors = [number for number in net if number]
    proposer = bettors[-1] if by_bettor and bettors else 0
    proposed_at = club.due_at + DAY if proposer else club.due_at - before
    club.propose(market_id, proposed, proposed_at, sender=people[proposer])
    end = window_end(proposed_at, club.due_at, club.window, by_creator=proposer == 0)
    tally = club.markets.tally(market_id)
    assert (tally.conclusion, tally.ends_at, tally.staked) == (proposed, end, total)

    early = proposed_at < club.due_at
    dispute, voters = None, [number for number in net if number != proposer]
    for who, outcome, after in sorted(votes, key=lambda vote: DAY if vote[2] == -1 else vote[2]):
        if not voters:
            break
        voter = voters[who % len(voters)]
        if dispute is None:
            if outcome == proposed:
                continue
            at(proposed_at + after % (end - proposed_at))
            dispute = Dispute(proposed, total, now(), early, net[proposer])
            call = club.markets.complain, (market_id, outcome, "No")
        else:
            time = dispute.ends_at - 1 if after == -1 else dispute.disputed_at + after
            at(max(now(), time))
            call = club.markets.vote, (market_id, outcome)
        try:
            dispute.cast(voter, outcome, net[voter], now())
        except TooLate:
            with boa.reverts():
                call[0](*call[1], sender=people[voter])
        else:
            call[0](*call[1], sender=people[voter])
        tally = club.markets.tally(market_id)
        assert tally.heads == list(dispute.heads.values())
        assert tally.stakes == list(dispute.stakes.values())
        assert (tally.conclusion, tally.ends_at) == (dispute.conclusion or 0, dispute.ends_at)
        assert (tally.early, tally.doubt_only_from) == (early, dispute.doubt_only_from)

    at(max(now(), end if dispute is None else dispute.ends_at))
    club.markets.finalize(market_id)
    stored = club.markets.market(market_id)
    expected = proposed if dispute is None else dispute.conclusion
    status = Status.CLOSED if expected is None else Status.INVALID if expected == INVALID else Status.RESOLVED
    assert (stored.outcome, stored.status) == (expected or 0, status)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(**CASES)
def test_contract_and_model_conclude_the_same(club, **case):
    compare(club, **case)


@pytest.mark.campaign
@settings(max_examples=3_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(**CASES)
def test_contract_and_model_conclude_the_same_for_long(club, **case):
    compare(club, **case)
