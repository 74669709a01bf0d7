from collections import Counter

import pytest

from tessera.demo.plan import Ending, plan
from tessera.observe.matches import DAY

AFTER = 1_800_000_000


def by_teams(fixtures, *teams):
    (found,) = [fixture for fixture in fixtures if set(fixture.match.teams) == set(teams)]
    return found


def test_same_arguments_give_the_same_plan():
    assert plan(51, AFTER) == plan(51, AFTER)


def test_another_day_gives_the_same_plan_weeks_later():
    now, later = plan(15, AFTER), plan(15, AFTER + 100 * DAY)
    assert [(fixture.favourite, fixture.p0, fixture.ending) for fixture in now] == [
        (fixture.favourite, fixture.p0, fixture.ending) for fixture in later
    ]
    assert len({second.match.kickoff - first.match.kickoff for first, second in zip(now, later, strict=True)}) == 1


def test_favourite_is_the_higher_rated_and_prices_follow():
    fixtures = plan(51, AFTER)
    assert by_teams(fixtures, "Germany", "Scotland").p0 == 0.49
    assert by_teams(fixtures, "Italy", "Albania").favourite == "Italy"
    for fixture in fixtures:
        assert fixture.edge >= 0
        assert {fixture.favourite, fixture.other} == set(fixture.match.teams)
        assert fixture.fair(fixture.opens_at) == pytest.approx(fixture.p0, abs=0.005)


def test_ratings_know_only_what_was_over():
    # The same matches with fewer played before them on the calendar, not fewer in the season: the prices stay.
    whole = {fixture.match.number: fixture.p0 for fixture in plan(51, AFTER)}
    assert all(whole[fixture.match.number] == fixture.p0 for fixture in plan(15, AFTER))
    # Both matches of Group A's last evening open before either is played.
    fixtures = plan(51, AFTER)
    assert (
        by_teams(fixtures, "Switzerland", "Germany").match.kickoff
        == by_teams(fixtures, "Scotland", "Hungary").match.kickoff
    )


def test_every_ending_is_played_where_the_quarrel_is():
    fixtures = plan(15, AFTER)
    assert Counter(fixture.ending for fixture in fixtures) == dict.fromkeys(Ending, 1) | {Ending.PLAIN: 7}
    assert by_teams(fixtures, "England", "Slovakia").ending is Ending.VOTED
    assert by_teams(fixtures, "Spain", "Germany").ending is Ending.RULED
    assert by_teams(fixtures, "Portugal", "Slovenia").ending is Ending.UNCLEAR


def test_few_matches_play_the_first_endings():
    assert {fixture.ending for fixture in plan(2, AFTER)} == {Ending.VOTED, Ending.RULED}


def test_times_are_in_the_order_that_the_contract_wants():
    for fixture in plan(51, AFTER):
        match = fixture.match
        assert (
            AFTER
            < fixture.opens_at
            < match.kickoff
            < fixture.closes_at
            <= match.full_time
            <= fixture.expected_result_at
        )


def test_terms_fit_the_contract():
    for fixture in plan(51, AFTER):
        terms = fixture.terms()
        assert all(0 < len(text.encode()) <= 256 for text in terms.values())
        assert ("penalties count" in terms["rules"]) == (fixture.ending is Ending.UNCLEAR)
