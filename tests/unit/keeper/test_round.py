"""A round does all that is due and nothing twice, whoever else does it and wherever it dies."""

import pytest

from tessera.chain import WAD, Reverted
from tessera.chain.prediction_events import Claimed
from tessera.chain.prize_pool import PeriodClosed
from tessera.keeper.alarms import Limits, Watch
from tessera.keeper.money_flow import money_flow
from tessera.keeper.plan import due
from tessera.keeper.round import Watcher, _submit, run
from tessera.keeper.steps.base import Call, Status, gas_room
from tessera.keeper.steps.pay import batch_size
from tessera.model.prizes import period_of
from tests.staked import DAY, STRANGER
from tests.undo import undone
from tests.unit.keeper.conftest import RIGHT, WRONG

KINDS = ["harvest", "harvest", "close", "settle", "settle", "pay", "poke"]  # a transaction each


class KilledError(BaseException):
    """The process ends here."""


def statuses(done):
    return [(outcome.step.kind, outcome.status) for outcome in done.outcomes]


def killed_after(keeper, count):
    """The keeper dies when its so-many-th transaction is in a block, before it sees the receipt."""
    submit = keeper.wallet.submit

    def dying(*call):
        nonlocal count
        sent = submit(*call)
        count -= 1
        if not count:
            raise KilledError
        return sent

    keeper.wallet.submit = dying


def test_all_that_is_due_is_done_in_the_order_of_the_plan(keeper, world):
    plan = due(keeper.view)
    assert [step.kind for step in plan.steps] == KINDS
    before = [world.balance(world.wallet(person).address) for person in RIGHT]
    shares = world.events.result_of(1)
    done = run(keeper.view, keeper.wallet, plan)
    assert statuses(done) == [(kind, Status.DONE) for kind in KINDS]
    assert (done.exit_code, not shares.settled) == (0, True)
    assert world.prizes.period() == period_of(world.time)
    _, outcome, prize, unpaid = world.events.result_of(1)
    assert (outcome, unpaid) == (1, 0)
    won = [world.balance(world.wallet(person).address) - old for person, old in zip(RIGHT, before, strict=True)]
    assert all(won)
    assert 0 <= prize - sum(won) < len(RIGHT)
    assert due(keeper.view).steps == []
    assert done.gas_used == sum(
        world.web3.eth.get_transaction_receipt(sent.transaction)["gasUsed"]
        for outcome in done.outcomes
        for sent in outcome.sent
    )


@pytest.mark.parametrize("count", range(1, len(KINDS) + 1))
def test_killed_after_any_transaction_the_next_round_ends_as_if_nothing_had_been(keeper_of, state, undisturbed, count):
    first = keeper_of()
    killed_after(first, count)
    with pytest.raises(KilledError):
        first.run()
    done = keeper_of().run()
    assert sorted(statuses(done)) == sorted((kind, Status.DONE) for kind in KINDS[count:])
    assert done.exit_code == 0
    assert state() == undisturbed


def test_a_second_keeper_with_an_old_plan_finds_all_done_and_pays_nobody_twice(
    keeper, keeper_of, world, state, undisturbed
):
    other = keeper_of(world.wallet(STRANGER))
    plan = due(other.view)
    assert keeper.run().exit_code == 0
    done = run(other.view, other.wallet, plan)
    # A harvest is open to anybody at any time; it moves nothing that was moved before.
    assert {status for kind, status in statuses(done) if kind != "harvest"} == {Status.OTHERS}
    assert done.exit_code == 0
    assert state() == undisturbed


def test_two_keepers_step_by_step_end_as_one_does(keeper, keeper_of, world, state, undisturbed):
    """Whatever the one has simulated and is about to send, the other has put into a block just before."""
    other = keeper_of(world.wallet(STRANGER))
    simulate = keeper.wallet.simulate

    def overtaken(call, name):
        simulate(call, name)
        receipt = other.wallet.send(call, name)
        assert receipt["status"] == 1

    keeper.wallet.simulate = overtaken
    keeper.wallet.gas = lambda *_: 10_000_000  # no estimate can see the other either
    done = keeper.run()
    assert {status for kind, status in statuses(done) if kind != "harvest"} == {Status.OTHERS, Status.DONE}
    by_kind = dict(statuses(done))
    assert by_kind["close"] == by_kind["settle"] == Status.OTHERS  # reverted, and the chain shows them as done
    assert by_kind["pay"] == Status.DONE  # a batch in which everybody was skipped
    assert done.exit_code == 0
    assert state() == undisturbed


def test_a_reorg_of_all_it_did_is_done_again(keeper, keeper_of, world, state, undisturbed):
    with undone(world.web3):
        keeper.run()
    world.mine(1)
    done = keeper.run()  # the same index: it has to forget
    assert statuses(done) == [(kind, Status.DONE) for kind in KINDS]
    assert state() == undisturbed


def test_a_reorg_of_the_last_transactions_is_done_again(keeper, world, state, undisturbed):
    killed_after(keeper, 4)
    with pytest.raises(KilledError):
        keeper.run()
    del keeper.wallet.submit
    with undone(world.web3):
        keeper.run()
    done = keeper.run()
    assert [kind for kind, _ in statuses(done)] == KINDS[4:]
    assert done.exit_code == 0
    assert state() == undisturbed


@pytest.mark.parametrize("weeks", [1, 2, 25, 53])
def test_off_for_weeks_loses_nothing(keeper, world, weeks):
    world.friday(weeks - 1) if weeks > 1 else None
    prizes = world.prizes
    first = prizes.period()
    done = keeper.run()
    assert done.exit_code == 0
    assert prizes.period() == first + weeks
    rows = [row for row in keeper.rows(PeriodClosed) if row.period >= first]
    assert [row.period for row in rows] == list(range(first, first + weeks))
    harvested = 30 * 10**6 - 15 * 10**2  # USDC: all but the basis point of 8,500 that stays as buffer
    money = money_flow(keeper.view, first, first + weeks - 1)
    assert money.sources["USDC stakes"] <= harvested + 10**6
    assert sum(money.sources.values()) == sum(money.sinks.values()) == sum(row.revenue for row in rows)
    # To the unit: what came in is what events got, the bucket, and what waits.
    assert money.total == sum(row.to_events + row.buyback for row in rows) + rows[-1].carried
    # What events got went to winners, came back, is what divisions by weight left, or is of an event that is still
    # open: whose fraction of a unit nobody has yet.
    paid = sum(row.amount for row in keeper.rows(Claimed))
    still_open = sum(prizes.event_prize(number) for number in (1, 2, 3) if not world.events.result_of(number).settled)
    left = prizes.remainder_wad() // WAD
    assert 0 <= sum(row.to_events for row in rows) - paid - prizes.waiting_revenue() - still_open - left < 2


def test_25_weeks_late_winners_get_a_fraction_of_their_prize(keeper_of, world):
    """Weeks that are closed together share equally: that nothing is lost is no comfort to the winners of the first."""
    with undone(world.web3):
        keeper_of().run()
        in_time = world.events.result_of(1).prize
    world.friday(24)
    late = keeper_of()
    text = Watch(late.view, late.wallet, Limits()).late()
    assert text.startswith("25 weeks are over and not closed")
    late.run()
    assert in_time > 10 * 10**6
    # One week of 25, and the capped harvests of 25 weeks instead of one.
    assert world.events.result_of(1).prize < in_time / 12


def test_a_harvest_that_fails_holds_up_nobody_for_more_than_a_day(keeper, world):
    world.refuse("DAI", world.pool.address)
    done = keeper.run()
    ends = {outcome.step.what: (outcome.status, outcome.message) for outcome in done.outcomes}
    status, message = ends["harvest DAI"]
    assert status == Status.UNDONE
    assert message.startswith("pool: vault refused")
    assert ends["harvest USDC"] == (Status.DONE, "")
    assert ends["close 1 week"][0] == Status.UNDONE
    assert ends["close 1 week"][1].startswith("prizes: harvest first")
    assert done.exit_code == 3

    world.wait_until(world.time + DAY)
    later = keeper.run()
    assert dict(statuses(later)) == {
        "harvest": Status.UNDONE,
        "close": Status.DONE,
        "settle": Status.DONE,
        "pay": Status.DONE,
    } | ({"poke": Status.DONE} if any(kind == "poke" for kind, _ in statuses(later)) else {})
    assert later.exit_code == 3

    world.refuse("DAI", world.pool.address, refused=False)
    assert statuses(keeper.run()) == [("harvest", Status.DONE)]


def test_a_winner_whom_the_token_refuses_waits_alone(keeper, keeper_of, world):
    outcast = world.wallet(RIGHT[0]).address
    world.refuse("USDC", outcast)
    done = keeper.run()
    assert dict(statuses(done))["pay"] == Status.REFUSED
    assert outcast in next(outcome.message for outcome in done.outcomes if outcome.step.kind == "pay")
    assert done.exit_code == 4
    for person in RIGHT[1:]:
        assert not world.events.read("prediction_of", 1, world.wallet(person).address)[0]
    owed = world.events.prize_of(1, outcast)
    assert owed > 0

    sent = world.web3.eth.get_transaction_count(world.keeper.address)
    again = keeper_of().run()
    assert statuses(again) == [("pay", Status.REFUSED)]
    assert again.exit_code == 4
    assert world.web3.eth.get_transaction_count(world.keeper.address) == sent  # nobody pays for trying

    world.refuse("USDC", outcast, refused=False)
    before = world.balance(outcast)
    assert statuses(keeper_of().run()) == [("pay", Status.DONE)]
    assert world.balance(outcast) - before == owed


def test_winners_of_a_token_that_refused_everybody_are_paid_in_batches_later(keeper, keeper_of, world):
    """A stablecoin that is paused refuses all of them at once."""
    outcasts = [world.wallet(person).address for person in RIGHT]
    for outcast in outcasts:
        world.refuse("USDC", outcast)
    done = keeper.run()
    (pay,) = (outcome for outcome in done.outcomes if outcome.step.kind == "pay")
    assert (done.exit_code, pay.status) == (4, Status.REFUSED)
    assert pay.message.endswith(" and 1 more; what is theirs waits")
    assert keeper_of().run().gas_used == 0
    for outcast in outcasts[1:]:
        world.refuse("USDC", outcast, refused=False)
    owed = [world.events.prize_of(1, outcast) for outcast in outcasts]
    before = [world.balance(outcast) for outcast in outcasts]
    again = keeper_of().run()
    (pay,) = again.outcomes
    assert (again.exit_code, pay.status, len(pay.sent)) == (4, Status.REFUSED, 1)
    paid = [world.balance(outcast) - old for outcast, old in zip(outcasts, before, strict=True)]
    assert paid == [0, *owed[1:]]


def test_stopped_between_two_transactions_it_leaves_the_rest(keeper, world):
    sent = []

    class Counting(Watcher):
        def paid(self, people):
            sent.append(people)

    done = keeper.run(watcher=Counting(), stopping=lambda: len(sent) == 3)
    assert statuses(done) == [(kind, Status.DONE) for kind in KINDS[:3]] + [(k, Status.UNDONE) for k in KINDS[3:]]
    assert {outcome.message for outcome in done.outcomes[3:]} == {"the keeper was stopped"}
    assert done.exit_code == 3


def test_losers_and_the_undecided_get_nothing(keeper, world):
    before = [world.balance(world.wallet(person).address) for person in WRONG]
    keeper.run()
    assert [world.balance(world.wallet(person).address) for person in WRONG] == before
    assert not world.events.result_of(3).settled


def test_batches_are_as_large_as_a_transaction_may_be(keeper, world, monkeypatch):
    monkeypatch.setattr("tessera.keeper.steps.pay.MAX_BATCH", 3)
    done = keeper.run()
    (pay,) = (outcome for outcome in done.outcomes if outcome.step.kind == "pay")
    assert len(pay.sent) == 2
    assert pay.status == Status.DONE


@pytest.mark.parametrize(("limit", "room", "people"), [(30_000_000, 16_777_216, 256), (5_000_000, 4_500_000, 96)])
def test_a_batch_is_bounded_by_the_block_and_by_what_one_transaction_may_take(keeper, monkeypatch, limit, room, people):
    monkeypatch.setattr(keeper.view.web3.eth, "get_block", lambda _: {"gasLimit": limit})
    assert gas_room(keeper.view) == room
    assert batch_size(keeper.view) == people


def test_a_batch_that_does_not_fit_is_halved(keeper, monkeypatch):
    monkeypatch.setattr("tessera.keeper.steps.pay.fits", lambda _, call: len(call.arguments[1]) < 3)
    done = keeper.run()
    (pay,) = (outcome for outcome in done.outcomes if outcome.step.kind == "pay")
    assert len(pay.sent) == 2
    assert pay.status == Status.DONE


@pytest.mark.parametrize(("seconds_per_price", "waited"), [(20, 2), (1, 1)])
def test_a_refusal_is_asked_for_again_for_two_seconds_at_most(patient, monkeypatch, seconds_per_price, waited):
    waits = []

    def no_wait(_, seconds):
        waits.append(seconds)
        return False

    monkeypatch.setattr("tessera.keeper.round.wait_until", no_wait)
    patient.wallet.seconds_per_price = seconds_per_price
    call = Call(patient.view.events, "settle", (10**6,))  # there is none
    with pytest.raises(Reverted):
        _submit(patient.view, patient.wallet, call)
    assert waits == [waited]


def test_one_batch_that_is_refused_does_not_hold_up_the_next(keeper, monkeypatch):
    monkeypatch.setattr("tessera.keeper.steps.pay.MAX_BATCH", 2)
    simulate, refused = keeper.wallet.simulate, []

    def refuses_the_first_batch(call, name):
        if name.endswith("claim_many") and call["data"] in (refused or [call["data"]]):
            refused.append(call["data"])
            raise Reverted("erc20: something", name)
        simulate(call, name)

    keeper.wallet.simulate = refuses_the_first_batch
    (pay,) = (outcome for outcome in keeper.run().outcomes if outcome.step.kind == "pay")
    assert (len(pay.sent), pay.status, pay.message) == (1, Status.UNDONE, "erc20: something")
    keeper.wallet.simulate = simulate
    assert keeper.run().exit_code == 0
