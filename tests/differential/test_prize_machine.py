"""Invariants 3, 6, 7 and 8 of the staked product: random months, the contracts beside the exact models.

Several people stake two assets in vaults that earn and lose, are predicting in several events at once, and weeks are
closed late. After every step principal, stakes, tickets, prizes and rewards are what the models say, and somebody could
leave. At the end of each run everything is settled, claimed and withdrawn, and nothing is left that has no name.
"""

import sys
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import boa
import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tessera.model.prizes import PrizeWeeks, period_of, start_of
from tessera.model.tickets import TicketEvent
from tests.differential.stake_rules import PEOPLE, StakeRules, people
from tests.machines import run
from tests.prize_system import INVALID, USD, WAD, block_number, deployed, load

OUTCOMES = 3
NOBODY_SAID = 4  # no result until the deadline
DAY = 86_400
TEN_YEARS = 520  # weeks, which one call can close
LIVE, EVER = 4, 10  # events at once, and in a run


@dataclass
class Settled:
    """What is still to be claimed of an event: tickets of each winner, in the contract's integers."""

    winner: int
    prize: int
    total: int
    held: dict[int, int]
    left: int = 0


class PrizeMachine(StakeRules):
    """Stakes are in USD in the ticket models, prizes in units of the prize token."""

    @initialize()
    def begin(self):
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()
        self.system.resume()
        self.models, self.outcomes, self.settled = {}, {}, {}
        self.withdrawals, self.given = Counter(), Counter()
        self.weeks = PrizeWeeks(self.system.prizes.period())
        self.received = self.paid = self.spent = 0
        self.stale = set()  # (event, person): forfeited and not purged
        self.open_books()
        # Something to begin with, or most runs end before anybody wins.
        for person in range(PEOPLE):
            self.stake(person, 10**5 * (person + 1), person % 2)
        self.create_event(200, 250, 3)
        self.wait(10)
        self.withdraw(2, Fraction(1, 3), 0, True)
        self.withdraw(3, Fraction(1, 3), 1, True)

    def teardown(self):
        if not hasattr(self, "anchor"):
            return
        try:
            # A run that failed is left as it is: what it says first is what is wrong.
            if sys.exc_info()[0] is None:
                self.drain()
        finally:
            self.anchor.__exit__(None, None, None)

    def drain(self):
        for number, (event, _) in enumerate(sorted(self.stale)):
            if number % 2 and event in self.live:
                self.purge(number)
        for number in range(len(self.live)):
            self.settle(number % 2, 10**9 + number)
        self.buy_back(Fraction(1, 2))
        # Whom the token refuses is paid later, when nobody has a stake any more.
        for person in range(2):
            self.trouble(0, "refused", 0, person)
        for leaves in (False, True):
            if leaves:
                self.everybody_leaves()
            for event in sorted(self.settled):
                self.claim(event, list(range(PEOPLE)), True)
        self.tickets_add_up()
        self.prizes_add_up()
        system, events = self.system, self.system.events
        for event, settled in self.settled.items():
            assert events.result_of(event) == (
                True, INVALID if settled.winner == INVALID else settled.winner, settled.prize, 0
            )  # fmt: skip
            assert not any(events.prize_of(event, account) for account in self.accounts)
        # Nothing is left with the events, and in the prize pool only what waits for the next week.
        assert system.usdc.balanceOf(events) == self.given[events.address]
        assert system.usdc.balanceOf(system.pool) == self.given[system.pool.address]
        assert system.dai.balanceOf(system.pool) == 0
        kept = system.usdc.balanceOf(system.prizes) - self.given[system.prizes.address]
        assert (kept - system.prizes.pool() - system.prizes.buyback_bucket()) * WAD == system.prizes.remainder_wad()

    @property
    def live(self) -> list[int]:
        return [event for event in self.models if event not in self.settled]

    def stake_changes(self, person, old, in_time):
        change = Fraction(self.stakes[person] - old, USD)
        self.withdrawals[person] += change < 0
        for event in self.live:
            model = self.models[event]
            model.change_stake(person, block_number(), change)
            if not in_time and block_number() < model.stop and (event, person) in self.outcomes:
                model.forfeit(person, block_number())
                self.stale.add((event, person))

    def revenue_came(self, amount):
        self.weeks.add_revenue(amount)
        self.received += amount

    @precondition(lambda self: len(self.live) < LIVE and len(self.models) < EVER)
    @rule(hours=st.integers(24, 400), e0=st.integers(100, 1_000), weight=st.integers(1, 10_000))
    def create_event(self, hours, e0, weight):
        system, running = self.system, period_of(boa.env.timestamp)
        blocks = hours * system.blocks_per_hour
        reason = "prizes: harvest first" if self.weeks.period < running and not self.can_close() else None
        event = self.act(reason, lambda: system.create_event(blocks, e0=e0, weight=weight))
        if event is None:
            return
        self.weeks.close(running)
        model = TicketEvent(block_number(), block_number() + blocks, Fraction(e0, 100), system.blocks_per_hour)
        for person, stake in self.stakes.items():
            model.change_stake(person, block_number(), Fraction(stake, USD))
        self.models[event] = model
        self.weeks.open_event(event, weight, period_of(system.events.event_info(event).not_before))
        for person in range(PEOPLE - 1):
            self.predict_in(event, person, person % 2)

    @precondition(lambda self: self.live)
    @rule(n=st.integers(0, EVER), person=people, outcome=st.integers(0, OUTCOMES - 1))
    def predict(self, n, person, outcome):
        self.predict_in(self.live[n % len(self.live)], person, outcome)

    def predict_in(self, event, person, outcome):
        model, block = self.models[event], block_number()
        refusals = [
            ("events: stop block reached", block >= model.stop),
            ("events: result may be known", boa.env.timestamp >= self.system.events.event_info(event).not_before),
            ("events: no stake, no tickets", not model.actual_tickets(person, block) and not self.stakes[person]),
        ]
        reason = next((reason for reason, holds in refusals if holds), None)
        self.act(reason, lambda: self.system.events.predict(event, outcome, sender=self.accounts[person]))
        if reason is None:
            model.predict(person, block, outcome)
            self.outcomes[event, person] = outcome
            self.stale.discard((event, person))

    @precondition(lambda self: self.stale)
    @rule(n=st.integers(0, EVER))
    def purge(self, n):
        event, person = sorted(self.stale)[n % len(self.stale)]
        reason = "events: too late to purge" if event in self.settled else None
        self.act(reason, lambda: self.system.events.purge(event, self.accounts[person]))
        if reason is None:
            self.stale.discard((event, person))
            del self.outcomes[event, person]

    @rule(blocks=st.integers(1, 300))
    def wait(self, blocks):
        self.system.mine(blocks)

    @rule(weeks=st.sampled_from([1, 1, 1, 2, 5, 60]))
    def wait_for_friday(self, weeks):
        self.system.wait_until(start_of(period_of(boa.env.timestamp) + weeks))

    @rule(amount=st.integers(1, 10**12))
    def add_revenue(self, amount):
        self.system.revenue(amount)
        self.revenue_came(amount)

    @rule(amount=st.integers(1, 10**9), n=st.integers(0, 2))
    def give(self, amount, n):
        """Tokens that nobody asked for change nothing."""
        target = (self.system.prizes, self.system.events, self.system.pool)[n].address
        self.system.usdc.mint(target, amount)
        self.given[target] += amount

    def can_close(self) -> bool:
        boundary = start_of(period_of(boa.env.timestamp))
        return boa.env.timestamp >= boundary + DAY or all(book.harvested_at >= boundary for book in self.books)

    @rule(most=st.integers(1, 60), harvests=st.booleans())
    def close(self, most, harvests):
        running = period_of(boa.env.timestamp)
        if harvests:
            self.harvest(0)
            self.harvest(1)
        refusals = [
            ("prizes: period is not over", self.weeks.period == running),
            ("prizes: harvest first", not self.can_close()),
        ]
        reason = next((reason for reason, holds in refusals if holds), None)
        self.act(reason, lambda: self.system.prizes.close_periods(self.system.prizes.period(), most))
        if reason is None:
            self.weeks.close(running, most)

    @rule(event_bps=st.integers(8_000, 10_000), share=st.fractions(0, 1))
    def set_split(self, event_bps, share):
        """Counts from the next week on, whenever that is closed; the running one has to be the first that is not."""
        running, buyback_bps = period_of(boa.env.timestamp), int((10_000 - event_bps) * share)
        system = self.system
        reason = None if self.weeks.period == running else "prizes: weeks are not closed"
        self.act(reason, lambda: system.prizes.set_split(event_bps, buyback_bps, sender=system.owner))
        if reason is None:
            self.weeks.set_split(running, Fraction(event_bps, 10_000), Fraction(buyback_bps, 10_000))

    @rule(share=st.fractions(0, 1))
    def buy_back(self, share):
        """Between two notes of the price nobody trades: what it gives is what the router says."""
        system = self.system
        for _ in range(2):
            system.mine(25 * system.blocks_per_hour)
            system.prizes.poke()
        system.mine(25 * system.blocks_per_hour)
        reserve = system.usdc.balanceOf(system.market)
        amount = int(min(system.prizes.buyback_bucket(), reserve // 100) * share)
        bought = system.router.getAmountsOut(amount, [system.usdc, system.bet])[-1] if amount else 0
        if not bought:
            return
        held, deadline = system.bet.balanceOf(system.treasury), boa.env.timestamp
        assert system.prizes.buy_back(amount, bought, deadline, sender=system.keeper) == bought
        assert system.bet.balanceOf(system.treasury) - held == bought
        self.weeks.bucket -= amount
        self.spent += amount

    @precondition(lambda self: self.live)
    @rule(said=st.sampled_from([0, 0, 1, 1, 2, OUTCOMES, INVALID, NOBODY_SAID]), revenue=st.integers(1, 10**12))
    def settle(self, said, revenue):
        """The oldest event ends; its result is one that it has, or none."""
        system, event = self.system, min(self.live)
        self.add_revenue(revenue)
        info, model = system.events.event_info(event), self.models[event]
        last = period_of(info.not_before)
        system.wait_until(info.not_before)
        if said != NOBODY_SAID and boa.env.timestamp <= info.result_deadline:
            system.report(event, said)
        else:
            said = INVALID
            system.wait_until(info.result_deadline + 1)
        purging = 24 * system.blocks_per_hour if system.pool.total_forfeits() else 0
        system.mine(max(0, model.stop + purging - block_number()))
        system.wait_until(start_of(last + 1))
        while self.weeks.period <= last:
            # An asset that cannot be harvested holds up a week for a day.
            system.wait_until(start_of(period_of(boa.env.timestamp)) + DAY)
            self.close(TEN_YEARS, True)
        prize, exact = system.prizes.event_prize(event), self.weeks.prize(event)
        # Per closed period: a floor in the share, one in what is carried to it, one in the revenue of a late one.
        assert abs(prize - exact) <= 1 + 3 * len(self.weeks.closed)
        winner = said if said < OUTCOMES else INVALID
        length = model.stop - model.created
        held = {
            person: tickets(system.events.lines_of(event, self.accounts[person], 0)[0], length)
            for person in range(PEOPLE)
            if self.outcomes.get((event, person)) == winner
        }
        total = sum(held.values())
        running = period_of(boa.env.timestamp)
        if not total and self.weeks.period < running:
            # What comes back is revenue of the running week, so those that are over are closed before.
            system.wait_until(start_of(running) + DAY)
            self.weeks.close(running)
        system.events.settle(event)
        if not total:
            self.weeks.add_revenue(prize)
            prize, held = 0, {}
        self.settled[event] = Settled(winner, prize, total, held, prize)

    @precondition(lambda self: self.settled)
    @rule(n=st.integers(0, EVER), who=st.lists(people, min_size=1, max_size=2 * PEOPLE), batch=st.booleans())
    def claim_some(self, n, who, batch):
        self.claim(sorted(self.settled)[n % len(self.settled)], who, batch)

    def claim(self, event, who, batch):
        """Pays who is to be paid, once: a batch skips the others with a reason, a claim for one is refused."""
        for part in [who] if batch else [[person] for person in who]:
            self.claim_once(event, part, batch)

    def claim_once(self, event, who, batch):
        system, settled = self.system, self.settled[event]
        due, skipped, to_pool = Counter(), [], 0
        for person in who:
            forfeited = (event, person) in self.stale
            share = settled.prize * settled.held.get(person, 0) // max(1, settled.total)
            predicted = (event, person) in self.outcomes
            refusals = [
                ("events: nothing left to claim", not predicted or self.outcomes[event, person] is None),
                ("events: not a winner", predicted and self.outcomes[event, person] != settled.winner),
                ("events: nobody was right", not settled.total),
                ("events: token refused", share and not forfeited and person in self.refused),
            ]
            reason = next((reason for reason, holds in refusals if holds), None)
            if reason is not None:
                skipped.append((self.accounts[person], reason))
                continue
            assert system.events.prize_of(event, self.accounts[person]) == (0 if forfeited else share)
            if forfeited:
                to_pool += share
            else:
                due[person] += share
                self.is_fair(event, person, share)
            del settled.held[person]
            self.outcomes[event, person] = None
        settled.left -= to_pool + sum(due.values())
        if not settled.held:
            # Each of the winners was cut by less than a unit, and what that leaves has a name.
            assert settled.left < PEOPLE
            to_pool += settled.left
            settled.left = 0
        before = [system.usdc.balanceOf(account) for account in self.accounts]
        waiting = system.prizes.waiting_revenue()
        if batch:
            system.events.claim_many(event, [self.accounts[person] for person in who])
            logs = [log for log in system.events.get_logs() if type(log).__name__ == "PrizeClaimSkipped"]
            assert [(log.account, log.reason) for log in logs] == skipped
        else:
            self.act(skipped[0][1] if skipped else None, lambda: system.events.claim(event, self.accounts[who[0]]))
        assert [system.usdc.balanceOf(account) - held for account, held in zip(self.accounts, before, strict=True)] == [
            due[person] for person in range(PEOPLE)
        ]
        assert system.prizes.waiting_revenue() - waiting == to_pool
        self.weeks.add_revenue(to_pool)
        self.paid += sum(due.values())

    def is_fair(self, event, person, share):
        """The share is never above that of the tickets that the contract counted, and these are near the exact ones."""
        settled, model = self.settled[event], self.models[event]
        assert share <= Fraction(settled.prize * settled.held[person], settled.total)
        if not any(stale == event for stale, _ in self.stale):
            # Anybody's tickets are within 2e-6 of the exact ones, below them; a unit is floored.
            exact = model.prizes(settled.winner, settled.prize)[person]
            slack = settled.prize * Fraction(2, 10**6)
            assert exact - 1 - slack <= share <= exact + slack

    @invariant()
    def tickets_add_up(self):
        """Invariant 7."""
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
        """Invariant 8."""
        system, prizes = self.system, self.system.prizes
        assert prizes.period() == self.weeks.period
        # 3 units a period: see `settle`.
        slack = 1 + 3 * len(self.weeks.closed)
        assert abs(prizes.pool() - (self.weeks.waiting + self.weeks.carried)) <= slack
        assert abs(prizes.buyback_bucket() - self.weeks.bucket) <= slack
        # What is shared with events and not yet taken, to the last 1e-18 of a unit.
        live = sum(prizes.inject.prize_wad(event) for event in self.live)
        kept = system.usdc.balanceOf(prizes) - self.given[prizes.address]
        assert (kept - prizes.pool() - prizes.buyback_bucket()) * WAD == live + prizes.remainder_wad()
        left = sum(system.events.result_of(event)[3] for event in self.models)
        assert left == sum(settled.left for settled in self.settled.values())
        assert system.usdc.balanceOf(system.events) == left + self.given[system.events.address]
        assert self.received == kept + left + self.paid + self.spent


def tickets(line: int, blocks: int) -> int:
    """Value of a line (contracts/modules/tickets.vy) so many blocks after the event's creation."""
    return (line >> 136) + (line >> 40 & 2**96 - 1) * blocks


@pytest.fixture(scope="module")
def system():
    """The staking contracts over a prize token that can refuse a receiver."""
    system = deployed(usdc=load("tests/mocks/Token.vy").deploy(6))
    system.prizes.inject_function(
        "@external\n@view\ndef prize_wad(number: uint256) -> uint256:\n    return self._prize_wad(self._events[number])"
    )
    return system


# Shrinking would take longer than reading a run of 20 steps.
NOT_SHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)


def test_contracts_follow_the_models(system):
    run(PrizeMachine, {"system": system}, 12, 20, phases=NOT_SHRUNK)


@pytest.mark.campaign
def test_contracts_follow_the_models_for_long(system):
    run(PrizeMachine, {"system": system}, 40, 60, derandomize=False, phases=NOT_SHRUNK)
