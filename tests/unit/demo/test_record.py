"""Profit and loss, Brier score and the rest, of a season small enough to work out by hand."""

import pytest

from tessera.chain import EUR, Outcome
from tessera.chain.lmsr_markets import Position
from tessera.demo.record import by_information, price_brier, read, unpriced
from tests.unit.demo.conftest import NAMES

YES, NO, INVALID = Outcome.YES, Outcome.NO, Outcome.INVALID


@pytest.fixture
def read_of(record_of):
    def read_of(outcome):
        recorded = record_of(outcome)
        return read(recorded.rows, recorded.fixtures, NAMES)

    return read_of


@pytest.mark.parametrize(
    ("outcome", "creator", "early", "fast"),
    [(YES, 0.75, -1, 0.25), (NO, 0.4, 0.6, -1), (INVALID, 0, 0, 0)],
)
def test_gains_are_payouts_less_stakes(read_of, outcome, creator, early, fast):
    record = read_of(outcome)
    assert {standing.name: standing.total / EUR for standing in record.standings} == {
        "Ada": creator,
        "Bruno": early,
        "Chiara": fast,
    }
    assert sum(standing.total for standing in record.standings) == 0
    assert {standing.name: standing.creator_gain / EUR for standing in record.standings} == {
        "Ada": creator,
        "Bruno": 0,
        "Chiara": 0,
    }


def test_gains_are_those_of_a_position(read_of):
    # The one definition of profit is Position.profit; stakes and payouts in the logs must tell the same.
    for outcome in Outcome:
        (game,) = read_of(outcome).games
        for bet in game.bets:
            none = dict.fromkeys((YES, NO), 0)
            position = Position(none | {bet.side: bet.shares}, none | {bet.side: bet.stake})
            assert game.gains[bet.who] == position.profit(outcome)


def test_standings_begin_with_the_best_and_count(read_of):
    record = read_of(NO)
    assert [standing.name for standing in record.standings] == ["Bruno", "Ada", "Chiara"]
    best = record.standings[0]
    assert (best.bets, best.staked, best.paid, best.created) == (1, EUR, 1_600_000, 0)
    assert best.curve == [0, 600_000]


@pytest.mark.parametrize(("outcome", "early", "fast"), [(YES, 0.625**2, 0.2**2), (NO, 0.375**2, 0.8**2)])
def test_brier_is_of_the_probability_that_breaks_even(read_of, outcome, early, fast):
    # 1 EUR for 1.6 shares says 0.625 at least, 1 EUR for 1.25 shares says 0.8.
    scores = {standing.name: standing.brier for standing in read_of(outcome).standings}
    assert scores == {"Ada": None, "Bruno": pytest.approx(early), "Chiara": pytest.approx(fast)}


def test_brier_leaves_out_markets_without_an_answer(read_of):
    record = read_of(INVALID)
    assert [standing.brier for standing in record.standings] == [None, None, None]
    assert price_brier(record.games) is None
    assert all(group.count == 0 for group in by_information(record).values())


def test_price_brier_is_of_the_first_price_and_of_that_at_kickoff(read_of):
    # p0 is 0.46; after Bruno's bet NO is at 0.60, YES at 0.40.
    first, at_kickoff = price_brier(read_of(YES).games)
    assert first == pytest.approx(0.54**2)
    assert at_kickoff == pytest.approx(0.60**2)


def test_bets_are_told_apart_by_what_was_known(read_of):
    groups = by_information(read_of(YES))
    assert [group.count for group in groups.values()] == [1, 1, 0]
    assert groups["before kick-off"].realised == pytest.approx(-1)
    assert groups["in the minute after a goal"].realised == pytest.approx(0.25)


def test_expected_gain_and_cost_of_a_bet(read_of):
    (game,) = read_of(YES).games
    early, fast = game.bets
    # 1.6 shares on NO at a price of 0.54 of NO before: worth 0.864 of the euro; 1.25 shares on YES at 0.40: 0.50.
    assert early.price_paid_for_moving == pytest.approx(1 - 1.6 * 0.54)
    assert fast.price_paid_for_moving == pytest.approx(1 - 1.25 * 0.40)
    assert fast.since_goal == 10
    assert fast.expected_gain == pytest.approx(1.25 * game.fixture.fair(fast.at) - 1)
    assert early.expected_gain == pytest.approx(1.6 * (1 - game.fixture.fair(early.at)) - 1)


def test_price_is_that_of_the_last_bet(read_of):
    (game,) = read_of(YES).games
    early, fast = game.bets
    assert game.price(early.at - 1) == game.fixture.p0
    assert game.price(early.at) == game.price(fast.at - 1) == pytest.approx(0.40)
    assert game.price(fast.at) == pytest.approx(0.45)


def test_unpriced_is_the_distance_after_goals(read_of):
    (game,) = read_of(YES).games
    goals = game.fixture.match.goals
    # Betting ends with the 90th minute: after each of the three it stays open for longer than three minutes.
    assert [goal.minute for goal in goals] == ["47", "73", "86"]
    distances = dict(unpriced([game]))
    expected = [abs(game.fixture.fair(goal.at) - game.price(goal.at)) for goal in goals]
    assert distances[0] == pytest.approx(sum(expected) / 3)
    assert list(distances) == list(range(0, 181, 3))
    assert unpriced([]) == []


def test_a_market_on_no_fixture_is_refused(record_of):
    recorded = record_of(YES)
    with pytest.raises(KeyError):
        read(recorded.rows, [], NAMES)
