"""Random months of stakes, predictions, forfeitures, weeks and prizes, the contracts beside the exact models.

Checked after every step: stakes and principal, tickets, prizes; after every settlement: payouts.
"""

from collections import Counter
from contextlib import nullcontext
from fractions import Fraction

import boa
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tessera.model.prizes import PrizeWeeks, period_of, start_of
from tessera.model.tickets import TicketEvent
from tests.prize_system import BET_PER_BLOCK, USD, WAD, PrizeSystem, block_number, deployed, refusing

PEOPLE, OUTCOMES = 4, 3
people = st.integers(0, PEOPLE - 1)


class PrizeMachine(RuleBasedStateMachine):
    """Stakes are in USD with 6 decimals in the ticket models, prizes in units of the prize token."""

    system: PrizeSystem

    @initialize()
    def begin(self):
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()
        self.system.resume()
        self.accounts = [boa.env.generate_address() for _ in range(PEOPLE)]
        self.start = block_number()
        self.models, self.outcomes, self.settled, self.withdrawals = {}, {}, {}, Counter()
        self.weeks = PrizeWeeks(self.system.prizes.period())
        self.received = self.mined = 0
        self.stale = set()  # (event, account): forfeited and not purged
        # Something to begin with, or most runs end before anybody wins.
        for person in range(PEOPLE):
            self.stake(person, 10**5 * (person + 1), person % 2 == 0)
        self.create_event(200, 250, 3)

    def teardown(self):
        if not hasattr(self, "anchor"):
            return
        try:
            # Every run ends with all events settled, their winners paid and the invariants checked once more.
            for number in range(len(self.models) - len(self.settled)):
                self.settle(number % 2, 10**9 + number)
            self.stakes_add_up()
            self.tickets_add_up()
            self.prizes_add_up()
        finally:
            self.anchor.__exit__(None, None, None)

    def _changed(self, person, before):
        change = self.system.pool.stake_of(self.accounts[person]) - before
        for model in self.models.values():
            model.change_stake(person, block_number(), Fraction(change, USD))

    @rule(person=people, cents=st.integers(100, 10**7), dai=st.booleans())
    def stake(self, person, cents, dai):
        system, account = self.system, self.accounts[person]
        asset = system.dai if dai else system.usdc
        before = system.pool.stake_of(account)
        system.fund(account, asset, cents * system.unit(asset) // 100)
        system.pool.stake(asset, cents * system.unit(asset) // 100, sender=account)
        assert system.pool.stake_of(account) == before + cents * USD // 100
        self._changed(person, before)

    @rule(person=people, share=st.fractions(0, 1), dai=st.booleans(), fails=st.sampled_from([False] * 4 + [True]))
    def withdraw(self, person, share, dai, fails):
        system, account = self.system, self.accounts[person]
        asset = system.dai if dai else system.usdc
        principal, before = system.pool.principal_of(account, asset), system.pool.stake_of(account)
        amount = int(principal * share)
        # What remains is worth a dollar or nothing.
        if principal - amount < 2 * system.unit(asset):
            amount = principal
        if not amount:
            return
        held = asset.balanceOf(account)
        with refusing(system.events) if fails else nullcontext():
            paid = system.pool.withdraw(asset, amount, sender=account)
        assert asset.balanceOf(account) - held == paid
        # The vault rounds a worth down by less than a share per withdrawal; nothing was lost.
        assert 0 <= amount - paid <= 1
        self.withdrawals[person] += 1
        self._changed(person, before)
        if fails:
            for event, model in self.models.items():
                if block_number() < model.stop and (event, person) in self.outcomes:
                    model.forfeit(person, block_number())
                    self.stale.add((event, person))

    @precondition(lambda self: len(self.models) < 4)
    @rule(hours=st.integers(24, 400), e0=st.integers(100, 1_000), weight=st.integers(1, 10_000))
    def create_event(self, hours, e0, weight):
        system = self.system
        if system.prizes.period() != period_of(boa.env.timestamp):
            self.close(1_000)
        blocks = hours * system.blocks_per_hour
        event = system.create_event(blocks, e0=e0, weight=weight)
        model = TicketEvent(block_number(), block_number() + blocks, Fraction(e0, 100), system.blocks_per_hour)
        for person, account in enumerate(self.accounts):
            model.change_stake(person, block_number(), Fraction(system.pool.stake_of(account), USD))
        self.models[event] = model
        self.weeks.open_event(event, weight, period_of(system.events.event_info(event).not_before))
        for person in range(PEOPLE - 1):
            self._predict(event, person, person % 2)

    @precondition(lambda self: self.models)
    @rule(data=st.data(), person=people, outcome=st.integers(0, OUTCOMES - 1))
    def predict(self, data, person, outcome):
        self._predict(data.draw(st.sampled_from(sorted(self.models))), person, outcome)

    def _predict(self, event, person, outcome):
        model, block = self.models[event], block_number()
        info = self.system.events.event_info(event)
        if block >= model.stop or boa.env.timestamp >= info.not_before:
            with boa.reverts():
                self.system.events.predict(event, outcome, sender=self.accounts[person])
            return
        if not model.actual_tickets(person, block) and not self.system.pool.stake_of(self.accounts[person]):
            with boa.reverts("events: no stake, no tickets"):
                self.system.events.predict(event, outcome, sender=self.accounts[person])
            return
        self.system.events.predict(event, outcome, sender=self.accounts[person])
        model.predict(person, block, outcome)
        self.outcomes[event, person] = outcome
        self.stale.discard((event, person))

    @precondition(lambda self: self.stale)
    @rule()
    def purge(self):
        event, person = self.stale.pop()
        if event in self.settled:
            return
        self.system.events.purge(event, self.accounts[person])
        del self.outcomes[event, person]

    @rule(blocks=st.integers(1, 300))
    def wait(self, blocks):
        self.system.mine(blocks)

    @rule()
    def wait_for_friday(self):
        self.system.wait_until(start_of(period_of(boa.env.timestamp) + 1))

    @rule(amount=st.integers(1, 10**12))
    def add_revenue(self, amount):
        self.system.revenue(amount)
        self.weeks.add_revenue(amount)
        self.received += amount

    @rule(most=st.integers(1, 3))
    def close(self, most):
        running = period_of(boa.env.timestamp)
        if self.system.prizes.period() == running:
            with boa.reverts("prizes: period is not over"):
                self.system.prizes.close_periods(running, most)
            return
        self.received += self.system.harvest()
        self.system.prizes.close_periods(self.system.prizes.period(), most)
        self.weeks.close(running, most)

    @precondition(lambda self: set(self.models) - set(self.settled))
    @rule(outcome=st.sampled_from([0, 0, 1, 1, 2, OUTCOMES]), revenue=st.integers(1, 10**12))
    def settle(self, outcome, revenue):
        system = self.system
        self.add_revenue(revenue)
        event = min(set(self.models) - set(self.settled))
        info, model = system.events.event_info(event), self.models[event]
        system.wait_until(info.not_before)
        if boa.env.timestamp > info.result_deadline:
            outcome = OUTCOMES
        else:
            system.report(event, outcome)  # OUTCOMES is one that the event does not have
        system.mine(max(0, model.stop + 24 * system.blocks_per_hour - block_number()))
        system.wait_until(start_of(period_of(info.not_before) + 1))
        if system.prizes.period() <= period_of(info.not_before):
            self.close(1_000)
        prize, exact = system.prizes.event_prize(event), self.weeks.prize(event)
        # Per closed period: a floor in the share, one in what is carried to it, one in the revenue of a late one.
        assert abs(prize - exact) <= 1 + 3 * len(self.weeks.closed)
        total = system.events.outcome_tickets(event, outcome) if outcome < OUTCOMES else 0
        system.events.settle(event)
        if total == 0:
            self.weeks.add_revenue(prize)
        self._claim_all(event, outcome if total else OUTCOMES, prize)
        self.settled[event] = prize

    def _claim_all(self, event, winner, prize):
        """Every winner is paid a floor of the exact share, the rest goes back: nothing of the prize stays."""
        system = self.system
        waiting = system.prizes.waiting()
        winners = [p for p in range(PEOPLE) if self.outcomes.get((event, p)) == winner]
        due = {p: system.events.prize_of(event, self.accounts[p]) for p in range(PEOPLE)}
        held = {p: system.usdc.balanceOf(self.accounts[p]) for p in range(PEOPLE)}
        if winners:
            system.events.claim_many(event, self.accounts)
        paid = {p: system.usdc.balanceOf(self.accounts[p]) - held[p] for p in range(PEOPLE)}
        assert paid == due
        assert not any(paid[p] for p in range(PEOPLE) if p not in winners or (event, p) in self.stale)
        returned = system.prizes.waiting() - waiting
        if winners:
            assert sum(paid.values()) + returned == prize
            self.weeks.add_revenue(returned)
            if not any((event, p) in self.stale for p in winners):
                assert returned < max(1, len(winners))
                exact = self.models[event].prizes(winner, prize)
                for p in winners:
                    # Ticket counts are within 2e-6 of the exact ones, a unit is floored.
                    assert abs(paid[p] - exact[p]) <= 1 + prize * Fraction(4, 10**6)
        assert all(system.events.prize_of(event, account) == 0 for account in self.accounts)

    @invariant()
    def stakes_add_up(self):
        if not hasattr(self, "accounts"):
            return
        pool = self.system.pool
        assert pool.total_stake() == sum(pool.stake_of(account) for account in self.accounts)
        for asset in (self.system.usdc, self.system.dai):
            principal, shares, _, _ = pool.asset_state(asset)
            assert principal == sum(pool.principal_of(account, asset) for account in self.accounts)
            assert shares == self.system.vault[asset].balanceOf(pool)
        pending = sum(pool.pending_rewards(account) for account in self.accounts)
        assert pending <= BET_PER_BLOCK * (block_number() - self.start)

    @invariant()
    def tickets_add_up(self):
        if not hasattr(self, "accounts"):
            return
        events, block = self.system.events, block_number()
        for event, model in self.models.items():
            if event in self.settled:
                assert all(events.tickets(event, account) == (0, 0) for account in self.accounts)
                continue
            totals = Counter()
            for person, account in enumerate(self.accounts):
                line, _ = events.lines_of(event, account, 0)
                totals[self.outcomes.get((event, person))] += line
                actual, prize = events.tickets(event, account)
                assert actual == model.actual_tickets(person, block) * WAD // 1
                exact = model.prize_tickets(person, block)
                # Multipliers are rounded down to 1e-6, a withdrawal's rate to 1e-12 USD a block.
                blocks = min(block, model.stop) - model.created
                slack = model.actual_tickets(person, block) / 10**6 + Fraction(
                    blocks * self.withdrawals[person], model.blocks_per_hour * 10**12
                )
                assert exact - slack - Fraction(1, WAD) <= Fraction(prize, WAD) <= exact
            for outcome in range(OUTCOMES):
                assert totals[outcome] == events.lines_of(event, self.accounts[0], outcome)[1]

    @invariant()
    def prizes_add_up(self):
        if not hasattr(self, "accounts"):
            return
        system = self.system
        prizes = system.prizes
        assert prizes.period() == self.weeks.period
        # 3 units a period: see `settle`.
        slack = 1 + 3 * len(self.weeks.closed)
        assert abs(prizes.pool() - (self.weeks.waiting + self.weeks.carried)) <= slack
        assert abs(prizes.buyback_bucket() - self.weeks.bucket) <= slack
        # What is shared with events and not yet taken, to the last 1e-18 of a unit.
        live = sum(
            prizes.eval(f"self._scaled_prize(self._events[{event}])")
            for event in self.models
            if event not in self.settled
        )
        held = system.usdc.balanceOf(prizes) - prizes.pool() - prizes.buyback_bucket()
        assert held * WAD == live + prizes.rem()
        left = sum(system.events.result_of(event)[3] for event in self.models)
        assert system.usdc.balanceOf(system.events) == left


@pytest.fixture(scope="module", autouse=True)
def system():
    PrizeMachine.system = deployed()


def run(examples: int, steps: int):
    run_state_machine_as_test(
        PrizeMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            # Shrinking would take longer than reading a run of 20 steps.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_contracts_follow_the_models():
    run(5, 20)


@pytest.mark.campaign
def test_contracts_follow_the_models_for_long():
    run(100, 60)
