import pytest

from tessera.demo.ratings import START, WEIGHT, Ratings, first_price, win_chance
from tessera.observe.matches import load


def test_every_team_starts_once():
    teams = [team for names in START.values() for team in names]
    assert len(teams) == len(set(teams)) == 24
    assert set(teams) == {team for match in load() for team in match.teams}


def test_points_move_from_loser_to_winner():
    ratings = Ratings()
    total = sum(ratings.points.values())
    opener = load()[0]
    before = dict(ratings.points)
    ratings.tell(opener)
    # Germany (1700) beat Scotland (1600): 50 points times what Elo did not expect, 1 - 1 / (1 + 10^(-1/4)).
    assert ratings.points["Germany"] - before["Germany"] == pytest.approx(WEIGHT * 0.35993, abs=1e-3)
    assert sum(ratings.points.values()) == pytest.approx(total)


def test_draw_moves_points_to_the_weaker():
    ratings = Ratings()
    draw = next(match for match in load() if match.teams == ("Slovenia", "Denmark"))
    ratings.tell(draw)
    assert ratings.points["Slovenia"] > 1500
    assert ratings.points["Denmark"] < 1700


@pytest.mark.parametrize("edge", range(0, 301, 50))
def test_chances_are_elos(edge):
    # A draw counts half. The bound is what the documentation of the ratings promises.
    win, loss = win_chance(edge), win_chance(-edge)
    expected = 1 / (1 + 10 ** (-edge / 400))
    assert win + (1 - win - loss) / 2 == pytest.approx(expected, abs=0.04)


def test_chances_rise_with_edge_and_lead():
    chances = [win_chance(edge) for edge in range(-400, 401, 50)]
    assert chances == sorted(chances)
    leads = [win_chance(0, lead, 0.5) for lead in range(-3, 4)]
    assert leads == sorted(leads)
    assert 0 < leads[0] < leads[-1] < 1


@pytest.mark.parametrize(("lead", "chance"), [(-1, 0), (0, 0), (1, 1)])
def test_at_full_time_the_score_is_all(lead, chance):
    assert win_chance(100, lead, 0) == chance


def test_even_teams_without_a_goal_yet():
    # Skellam of two means of 1.25: P(draw) = e^-2.5 I_0(2.5) = 0.2700, the rest is shared.
    assert win_chance(0) == pytest.approx((1 - 0.2700) / 2, abs=1e-4)


@pytest.mark.parametrize("edge", [-2000, -300, 0, 77, 300, 2000])
def test_first_price_is_whole_hundredths_in_bounds(edge):
    price = first_price(edge)
    assert 0.05 <= price <= 0.95
    assert price == round(price, 2)
