"""The table of matches against what everybody knows of the tournament, and the clock's stated convention."""

from collections import Counter, defaultdict

import pytest

from tessera.observe.matches import DAY, HOUR, MINUTE, TABLE, WEEK, ahead, load, second_of


@pytest.fixture(scope="module")
def matches():
    return load()


def test_table_has_every_match(matches):
    assert len(matches) == 51
    assert Counter(match.round for match in matches if not match.round.startswith("Group")) == {
        "Round of 16": 8,
        "Quarter-finals": 4,
        "Semi-finals": 2,
        "Final": 1,
    }
    groups = defaultdict(Counter)
    for match in matches[:36]:
        groups[match.round].update(match.teams)
    assert len(groups) == 6
    assert all(sorted(teams.values()) == [3, 3, 3, 3] for teams in groups.values())


def test_scores_are_those_of_the_goals(matches):
    for match in matches:
        assert match.score(match.full_time) == f"{match.home_score}–{match.away_score}"
        assert all(match.kickoff < goal.at < match.full_time for goal in match.goals)
        assert [goal.at for goal in match.goals] == sorted({goal.at for goal in match.goals})


def test_goals_are_those_of_the_tournament(matches):
    # 117 in all: 115 within 90 minutes, England's in minute 91 and Spain's in minute 119.
    assert sum(match.home_score + match.away_score for match in matches) == 115
    assert TABLE.read_text().count(" 91,") == TABLE.read_text().count(" 119,") == 1


def test_groups_end_as_they_did(matches):
    points = defaultdict(Counter)
    for match in matches[:36]:
        for team in match.teams:
            lead = match.lead(team, match.full_time)
            points[match.round][team] += 3 if lead > 0 else 1 if lead == 0 else 0
    assert points["Group A"] == {"Germany": 7, "Switzerland": 5, "Hungary": 3, "Scotland": 1}
    assert points["Group B"] == {"Spain": 9, "Italy": 4, "Croatia": 2, "Albania": 1}
    assert points["Group C"] == {"England": 5, "Denmark": 3, "Slovenia": 3, "Serbia": 2}
    assert points["Group D"] == {"Austria": 6, "France": 5, "Netherlands": 4, "Poland": 1}
    assert points["Group E"] == {"Romania": 4, "Belgium": 4, "Slovakia": 4, "Ukraine": 4}
    assert points["Group F"] == {"Portugal": 6, "Turkey": 6, "Georgia": 4, "Czech Republic": 1}


def test_knockouts_lead_to_the_champion(matches):
    beaten = {team for match in matches[36:] for team in match.teams if team != match.winner}
    assert matches[-1].winner == "Spain"
    assert len(beaten) == 15
    assert "Spain" not in beaten
    for match in matches[36:]:
        assert (match.decided_in == "90 minutes") == match.won(match.winner)


@pytest.mark.parametrize(
    ("minute", "second"),
    [("1", 30), ("45", 44 * 60 + 30), ("45+2", 46 * 60 + 30), ("46", 63 * 60 + 30), ("90+3", (92 + 18) * 60 + 30)],
)
def test_second_of_a_minute(minute, second):
    assert second_of(minute) == second


def test_extra_time_has_no_second():
    assert second_of("91") is None


def test_first_half_goals_fall_before_the_second_half(matches):
    (stoppage,) = [goal for match in matches for goal in match.goals if goal.minute == "45+4"]
    georgia = next(match for match in matches if stoppage in match.goals)
    assert georgia.teams == ("Georgia", "Czech Republic")
    assert stoppage.at < georgia.kickoff + 63 * MINUTE


def test_left_falls_from_one_to_nothing_and_rests_at_half_time(matches):
    match = matches[0]
    left = [match.left(match.kickoff + minute * MINUTE) for minute in range(-10, 130)]
    assert left == sorted(left, reverse=True)
    assert left[:11] == [1.0] * 11
    assert match.left(match.kickoff + 45 * MINUTE) == match.left(match.kickoff + 63 * MINUTE) == 1 - 45 / 95
    assert left[-1] == 0


@pytest.mark.parametrize("after", [1_800_000_000, 1_800_000_000 + 3 * DAY, 1_700_000_000])
@pytest.mark.parametrize("count", [1, 15, 51])
def test_ahead_moves_by_the_fewest_whole_weeks(matches, after, count):
    moved = ahead(count, after)
    shift = moved[0].kickoff - matches[0].kickoff
    assert shift >= 0
    assert shift % WEEK == 0
    assert {match.kickoff - old.kickoff for match, old in zip(moved, matches, strict=True)} == {shift}
    assert moved[-count].kickoff - after > DAY + HOUR
    assert shift == 0 or moved[-count].kickoff - WEEK - after <= DAY + HOUR


@pytest.mark.parametrize("count", [-1, 0, 52])
def test_ahead_refuses_other_counts(count):
    with pytest.raises(ValueError, match="matches: 1 to 51"):
        ahead(count, 0)
