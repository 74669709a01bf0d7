"""The golden values of tickets and prizes played on the contracts."""

import json
from fractions import Fraction
from pathlib import Path

import boa
import pytest

from tests.prize_system import USD, WAD, block_number, deployed

VECTORS = Path(__file__).parents[1] / "vectors"
TICKETS = json.loads((VECTORS / "tickets.json").read_text())["cases"]
PRIZES = json.loads((VECTORS / "prizes.json").read_text())["cases"]


@pytest.fixture(scope="module")
def tickets_system():
    return deployed(blocks_per_hour=300, min_blocks=1_000)


@pytest.mark.parametrize("case", TICKETS, ids=lambda case: f"e0={case['e0']}, {case['winner']} wins")
def test_tickets(tickets_system, case):
    system = tickets_system
    with boa.env.anchor():
        system.resume()
        zero = block_number()
        outcomes = ("A", "B", "C")
        people = [boa.env.generate_address() for _ in case["users"]]
        actions = [(case["created_block"], -1, 0, None), (case["stop_block"], 2, 0, None)]
        for person, user in enumerate(case["users"]):
            actions += [(block, 0, person, change) for block, change in user["stake_changes"]]
            actions += [(block, 1, person, outcome) for block, outcome in user["predictions"]]
        for block, kind, person, what in sorted(actions, key=lambda a: a[:3]):
            boa.env.evm.patch.block_number = zero + block
            if kind == -1:
                event = system.create_event(
                    case["stop_block"] - case["created_block"], int(Fraction(case["e0"]) * 100), outcomes=outcomes
                )
            elif kind == 1:
                system.events.predict(event, outcomes.index(what), sender=people[person])
            elif kind == 0 and what > 0:
                system.stake(people[person], what)
            elif kind == 0:
                system.pool.withdraw(system.usdc, -what * USD, 0, sender=people[person])

        def slack(user):
            """Multipliers are rounded down to 1e-6 and a withdrawal's rate to 1e-12 USD a block."""
            withdrawals = sum(change < 0 for _, change in user["stake_changes"])
            return (
                Fraction(user["actual_tickets"]) / 10**6
                + Fraction(3_000 * withdrawals, 300 * 10**12)
                + Fraction(1, WAD)
            )

        boa.env.evm.patch.block_number = zero + case["stop_block"]
        for person, user in zip(people, case["users"], strict=True):
            actual, prize = system.events.tickets(event, person)
            assert actual == Fraction(user["actual_tickets"]) * WAD // 1
            exact = Fraction(user["prize_tickets"])
            assert exact - slack(user) <= Fraction(prize, WAD) <= exact
        for number, name in enumerate(outcomes):
            exact = Fraction(case["outcome_totals"].get(name, 0))
            most = sum(slack(user) for user in case["users"] if user["outcome"] == name)
            assert exact - most <= Fraction(system.events.outcome_tickets(event, number), WAD) <= exact

        boa.env.evm.patch.block_number = zero + case["stop_block"]
        system.revenue(2_000 * USD)
        pool_before = system.prizes.pool()
        system.finish(event, outcomes.index(case["winner"]))
        prize = system.prizes.event_prize(event)
        assert prize == pool_before * 9 // 10
        if not any(Fraction(user["prize"]) for user in case["users"]):
            assert system.usdc.balanceOf(system.events) == 0
            assert system.prizes.waiting_revenue() == prize
            return
        for person, user in zip(people, case["users"], strict=True):
            exact = Fraction(user["prize"]) * prize / 1_000
            # Each ticket count is within 2e-6 of the exact one, E being at least 1: a share is within 4e-6 and a unit.
            assert abs(system.events.prize_of(event, person) - exact) <= 1 + exact * Fraction(4, 10**6)


@pytest.fixture(scope="module")
def prizes_system():
    return deployed(min_blocks=1)


@pytest.mark.parametrize("case", PRIZES, ids=["three events", "a week without events"])
def test_prizes(prizes_system, case):
    system, token = prizes_system, 10**6
    with boa.env.anchor():
        system.resume()
        first = system.prizes.period()
        week_blocks = 7 * 24 * 6
        ids = {}
        for expected in case["periods"]:
            assert system.prizes.period() == first + expected["period"]
            for number, event in enumerate(case["events"]):
                if event["first"] == expected["period"]:
                    weeks = event["last"] - event["first"]
                    ids[number] = system.create_event(weeks * week_blocks + 1, weight=event["weight"])
            if expected["revenue"]:
                system.revenue(expected["revenue"] * token)
            bucket = system.prizes.buyback_bucket()
            # The same hour of the week after.
            system.mine(week_blocks)
            system.close(1)
            closed = next(log for log in system.prizes.get_logs() if type(log).__name__ == "PeriodClosed")
            assert closed.revenue == expected["revenue"] * token
            # Floors of this period and what they made smaller in the ones before: under 2 units in all.
            for name in ("pool", "to_events", "buyback", "carried"):
                assert abs(getattr(closed, name) - Fraction(expected[name]) * token) < 2
            assert closed.pool == closed.to_events + closed.buyback + closed.carried
            assert system.prizes.buyback_bucket() - bucket == closed.buyback
        for number, exact in enumerate(case["event_prizes"]):
            # A unit for each period's floor and one for the event's own.
            assert abs(system.prizes.event_prize(ids[number]) - Fraction(exact) * token) < 2 + len(case["periods"])
