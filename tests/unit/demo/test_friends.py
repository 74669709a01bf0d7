from random import Random

import pytest

from tessera.chain import Outcome
from tessera.demo.friends import FRIENDS, View

YES, NO = Outcome.YES, Outcome.NO


def choice_of(name, **seen):
    friend = next(friend for friend in FRIENDS if friend.name == name)
    view = {
        "favourite": "Spain",
        "teams": ("Spain", "England"),
        "price": 0.5,
        "first": 0.5,
        "fair": 0.5,
        "scored": None,
    }
    return friend.choose(View(**view | seen, rng=Random(0)))


def test_twelve_friends_of_twelve_habits():
    assert len(FRIENDS) == 12
    assert len({friend.name for friend in FRIENDS}) == len({friend.habit for friend in FRIENDS}) == 12
    assert all(friend.early + friend.live + friend.late + friend.hands > 0 for friend in FRIENDS)


@pytest.mark.parametrize(
    ("name", "seen", "side"),
    [
        ("Ada", {"fair": 0.54}, YES),
        ("Ada", {"fair": 0.46}, NO),
        ("Ada", {"fair": 0.52}, None),
        ("Bruno", {"fair": 0.57}, None),
        ("Bruno", {"fair": 0.59}, YES),
        ("Elif", {}, None),
        ("Elif", {"scored": NO, "price": 0.01}, NO),
        ("Finn", {}, NO),
        ("Finn", {"price": 0.10}, None),
        ("Greta", {}, YES),
        ("Greta", {"price": 0.90}, None),
        ("Hugo", {"price": 0.65}, NO),
        ("Hugo", {"price": 0.35}, YES),
        ("Hugo", {"price": 0.55}, None),
        ("Ines", {"price": 0.53}, YES),
        ("Ines", {"price": 0.47}, NO),
        ("Ines", {"price": 0.51}, None),
        ("Jonas", {"teams": ("Spain", "Germany"), "favourite": "Spain"}, NO),
        ("Jonas", {"teams": ("Germany", "Spain"), "favourite": "Germany"}, YES),
        ("Jonas", {"favourite": "England"}, NO),
        ("Luis", {"price": 0.80}, YES),
        ("Luis", {"price": 0.20}, NO),
        ("Luis", {"price": 0.96}, None),
        ("Luis", {}, None),
    ],
)
def test_a_habit_is_what_it_says(name, seen, side):
    assert choice_of(name, **seen) is side


def test_a_coin_has_two_sides():
    kaja = next(friend for friend in FRIENDS if friend.name == "Kaja")
    view = View("Spain", ("Spain", "England"), 0.5, 0.5, 0.5, None, Random(1))
    tosses = [kaja.choose(view) for _ in range(100)]
    assert {YES, NO} == set(tosses)
