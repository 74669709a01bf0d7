"""The exact ticket model against the golden values and the rules it was written from."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from tessera.model.tickets import TicketEvent

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "tickets.json").read_text())["cases"]


def play(case) -> TicketEvent:
    """The model after all that a case says."""
    event = TicketEvent(case["created_block"], case["stop_block"], Fraction(case["e0"]), case["blocks_per_hour"])
    # Within a block stakes change first.
    actions = [
        action
        for person, user in enumerate(case["users"])
        for action in [(block, 0, person, change) for block, change in user["stake_changes"]]
        + [(block, 1, person, outcome) for block, outcome in user["predictions"]]
    ]
    for block, kind, person, what in sorted(actions, key=lambda a: a[:3]):
        if kind:
            event.predict(person, block, what)
        else:
            event.change_stake(person, block, what)
    return event


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"e0={case['e0']}, {case['winner']} wins")
def test_golden_values(case):
    event, stop = play(case), case["stop_block"]
    won = event.prizes(case["winner"], case["event_prize"])
    for person, user in enumerate(case["users"]):
        assert event.actual_tickets(person, stop) == Fraction(user["actual_tickets"])
        assert event.prize_tickets(person, stop) == Fraction(user["prize_tickets"])
        assert won.get(person, 0) == Fraction(user["prize"])
    for outcome, total in case["outcome_totals"].items():
        assert event.outcome_tickets(outcome, stop) == Fraction(total)
    assert case["event_prize"] - sum(won.values()) == Fraction(case["returned_to_pool"])


@pytest.fixture
def event():
    """100 blocks, an hour each ten, first multiplier 3; "holder" has 50 USD from before."""
    event = TicketEvent(1_000, 1_100, Fraction(3), 10)
    event.change_stake("holder", 900, 50)
    return event


def test_multiplier_falls_to_one(event):
    assert [event.multiplier(b) for b in (1_000, 1_050, 1_100, 1_200)] == [3, 2, 1, 1]


def test_tickets_count_from_creation_where_predicted_later(event):
    event.predict("holder", 1_050, "A")
    assert event.actual_tickets("holder", 1_050) == 250
    assert event.prize_tickets("holder", 1_050) == 500


def test_same_outcome_again_changes_nothing(event):
    event.predict("holder", 1_000, "A")
    event.predict("holder", 1_050, "A")
    assert event.prize_tickets("holder", 1_100) == 1_500


def test_another_outcome_re_dates_everything_but_actual_tickets(event):
    event.predict("holder", 1_000, "A")
    event.predict("holder", 1_050, "B")
    assert event.prize_tickets("holder", 1_100) == 1_000
    assert event.actual_tickets("holder", 1_100) == 500
    assert event.outcome_tickets("A", 1_100) == 0


def test_stake_added_late_takes_the_multiplier_of_its_own_moment(event):
    event.predict("holder", 1_000, "A")
    event.change_stake("holder", 1_050, 950)
    assert event.prize_tickets("holder", 1_100) == (50 * 100 * 3 + 950 * 50 * 2) / 10


def test_withdrawal_keeps_what_has_accrued(event):
    event.predict("holder", 1_000, "A")
    event.change_stake("holder", 1_050, -25)
    assert event.prize_tickets("holder", 1_100) == (50 * 50 * 3 + 25 * 50 * 3) / 10


def test_nothing_counts_from_the_stop_block(event):
    event.predict("holder", 1_000, "A")
    event.change_stake("holder", 1_100, 10_000)
    assert event.actual_tickets("holder", 2_000) == 500
    with pytest.raises(ValueError, match="predictions are over"):
        event.predict("holder", 1_100, "B")


def test_refuses_a_prediction_without_stake_and_tickets(event):
    with pytest.raises(ValueError, match="neither stake nor tickets"):
        event.predict("visitor", 1_010, "A")


def test_refuses_to_take_more_than_there_is(event):
    with pytest.raises(ValueError, match="less than 51 USD"):
        event.change_stake("holder", 1_010, -51)


def test_forfeited_prediction_counts_nowhere(event):
    event.predict("holder", 1_000, "A")
    event.forfeit("holder", 1_050)
    assert event.outcome_tickets("A", 1_100) == event.prize_tickets("holder", 1_100) == 0
    assert event.actual_tickets("holder", 1_100) == 500
