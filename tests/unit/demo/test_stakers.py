"""Six weeks of staked tickets, end to end on the embedded chain; and an audit that sees a unit go missing."""

from dataclasses import replace

import pytest

from tessera.chain import WAD
from tessera.chain.panels import INVALID, OutcomeDecided
from tessera.chain.prediction_events import Claimed, EventSettled, Predicted
from tessera.chain.prize_pool import BoughtBack, PeriodClosed, PrizeTaken, RevenueAdded
from tessera.chain.staking_pool import Withdrawn
from tessera.demo.audit import AuditError
from tessera.demo.report.stakers import sections
from tessera.demo.stakers import LATE, PLANS, STAKERS, WEEKS, play
from tessera.demo.stakers_audit import audit, sums
from tessera.demo.stakers_record import events, people, weeks, yields
from tests.unit.demo.changes import with_row


@pytest.fixture(scope="module")
def staked():
    return play()


def changed(staked, kind, index=0, **fields):
    """The same weeks with one row of a kind changed."""
    row = [row for row in staked.rows if isinstance(row, kind)][index]
    return with_row(staked, row, **{name: getattr(row, name) + by for name, by in fields.items()})


def test_every_week_is_closed_and_one_of_them_late(staked):
    closed = weeks(staked)
    assert [week.number for week in closed] == list(range(1, WEEKS + 1))
    assert [week.late for week in closed].index(True) == LATE
    assert closed[LATE].closed.transaction == closed[LATE + 1].closed.transaction
    for week in closed:
        split = week.closed.to_events + week.closed.buyback + week.closed.carried
        assert split == week.closed.pool
        assert week.closed.to_events == week.closed.pool * 90 // 100
        assert week.closed.buyback == week.closed.pool * 3 // 100


def test_every_event_is_decided_by_signatures_and_paid_or_returned(staked):
    decided = [row.outcome for row in staked.rows if isinstance(row, OutcomeDecided)]
    assert sorted(decided) == sorted(plan.truth for plan in PLANS)
    ended = {row.event_id: row.outcome for row in staked.rows if isinstance(row, EventSettled)}
    assert ended == {number: plan.truth for number, plan in enumerate(PLANS, 1)}
    returned = [row.event_id for row in staked.rows if isinstance(row, PrizeTaken) and not row.paid]
    assert returned == [3, 5]
    assert PLANS[4].truth == INVALID
    assert [bool(event.paid) for event in events(staked)] == [True, True, False, True, False, True]


def test_people_get_prizes_principal_and_bet(staked):
    shown = {person.name: person for person in people(staked)}
    assert set(shown) == {person.name for person in STAKERS}
    assert all(person.bet > 0 for person in shown.values())
    assert sum(person.prizes for person in shown.values()) == sums(staked).prizes
    assert all(put_in == back for person in shown.values() for put_in, back in [person.principal.get("USDC", (0, 0))])
    put_in, back = shown["Noor"].principal["DAI"]
    assert 0.97 < back / put_in < 0.985
    partly = [row for row in staked.rows if isinstance(row, Withdrawn) and row.paid == row.amount == 2_000 * 10**6]
    assert len(partly) == 1


def test_the_treasury_buys_once(staked):
    (row,) = (row for row in staked.rows if isinstance(row, BoughtBack))
    assert sums(staked).bucket == 0
    assert 9 * WAD < row.bought * 10**6 // row.spent < 10 * WAD


def test_yields_are_of_the_order_of_the_lending_yields(staked):
    shown = yields(staked)
    assert 0.052 * 1.6 <= shown.apy1 <= 0.061 * 1.6
    assert shown.apy1_net == shown.apy1 * 90 / 93
    assert shown.apy == shown.apy1 + shown.apy2


def test_the_page_tells_it(staked):
    text = "".join(section.body for section in sections(staked))
    for wanted in (
        "closed a week late",
        "back to the pool",
        "takes part in all events",
        *(person.name for person in STAKERS),
    ):
        assert wanted in text


@pytest.mark.parametrize(
    ("kind", "fields", "fault"),
    [
        (Claimed, {"amount": 1}, "accounted for are"),
        (Claimed, {"amount": -5}, "paid,"),
        (BoughtBack, {"spent": 1}, "accounted for are"),
        (RevenueAdded, {"amount": 1}, "harvested, .* came in"),
        (PeriodClosed, {"pool": 5}, "week .*: pool"),
        (Withdrawn, {"paid": 1}, "paid, "),
        (Predicted, {"outcome": 1}, "in event"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_audit_fails_over_a_changed_log(staked, kind, fields, fault):
    with pytest.raises(AuditError, match=fault):
        audit(changed(staked, kind, **fields))


@pytest.mark.parametrize("by", [2 * WAD, -2 * WAD])
def test_audit_fails_over_two_tickets_of_millions(staked, by):
    (account, (actual, prize)), *_ = staked.tickets[1].items()
    more = staked.tickets | {1: staked.tickets[1] | {account: (actual, prize + by)}}
    with pytest.raises(AuditError, match=f"{staked.names[account]} in event 1: .* prize tickets"):
        audit(replace(staked, tickets=more))


def test_audit_fails_over_an_unfair_share_of_the_loss(staked):
    worth, principal = staked.fair
    with pytest.raises(AuditError, match=r"of .* DAI, fair are"):
        audit(replace(staked, fair=(worth * 999 // 1000, principal)))
