"""Invariants of OddsBets: every outcome is covered at all times, stakes are confirmed in order, and nothing sticks.

Players, a hostile host and hostile validators act at random in several bets, in time and out of it. A model in plain
Python says of every call whether it succeeds or which reason refuses it. After each step every prediction is covered,
every pot is bankroll + confirmed stakes + what waits, every ticket is as far as the model's, and Escrow holds exactly
what it owes. At the end of each run somebody settles and claims everything: every pot is 0.
"""

from collections import defaultdict
from dataclasses import dataclass, field

import boa
import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tessera.chain.hosted_bets import NO_SIGNATURE, Listing
from tessera.model.odds import Book, Settled, covers, greatest_in_units
from tests.hosted import HOUR, INVALID, NOW, PURSE, THRESHOLD, House
from tests.machines import run

PLAYERS = 4
# Near fair for two outcomes; generous to the host; unfair to it with a commission; three outcomes.
MARKETS = [([1_000, 1_001], 0), ([800, 1_100], 100), ([1, 65_535], 1_000), ([2_001, 1_999, 2_000], 7)]
numbers = st.integers(0, 2**16)
amounts = st.one_of(st.integers(1, 30), st.integers(1, 5_000), st.sampled_from([0, 5_001, 2**256 - 1]))


@pytest.fixture(scope="module")
def house():
    boa.env.evm.patch.timestamp = NOW
    return House("OddsBets")


@dataclass
class Bet:
    """A listing, what the model says of it, and once it is settled what is still due."""

    listing: Listing
    model: Book
    closes_at: int
    outcome: int | None = None
    due: Settled | None = None
    left: int = 0  # in the pot, once settled
    winners: set = field(default_factory=set)  # positions and tickets with winning stakes to be paid

    @property
    def settled(self) -> bool:
        return self.due is not None


class OddsMachine(RuleBasedStateMachine):
    house: House

    def __init__(self):
        super().__init__()
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()
        boa.env.timestamp = NOW
        self.contract, self.lens, self.host = self.house.bets, self.house.lens, self.house.host.address
        self.people = self.house.players[:PLAYERS]
        self.balances = defaultdict(int, {p.address: PURSE for p in (self.house.host, *self.house.players)})
        self.consents = dict.fromkeys((p.address for p in self.people), True)
        self.nonce = 0
        self.bets: list[Bet] = []
        for n in (0, 1):
            self.begin(n)

    def begin(self, n):
        profits, bps = MARKETS[n % len(MARKETS)]
        now = boa.env.timestamp
        listing = self.house.listed(
            bankroll=0, predictions=["a", "b", "c"][: len(profits)], profits=profits, validator_bps=bps,
            min_stake=1, max_stake=5_000, closes_at=now + HOUR, result_deadline=now + 3 * HOUR,
        )  # fmt: skip
        self.bets.append(Bet(listing, Book(list(profits), bps), listing.closes_at))

    def bet(self, n) -> Bet:
        return self.bets[n % len(self.bets)]

    def open(self, bet) -> list:
        return [("hosting: bet is closed", boa.env.timestamp >= bet.closes_at)]

    def expect(self, refusals, call, *arguments, sender) -> bool:
        """Calls, and compares with the first refusal that holds. True where it went through."""
        reason = next((reason for reason, holds in refusals if holds), None)
        if reason is None:
            self.answer = call(*arguments, sender=sender)
            return True
        with boa.reverts(reason):
            call(*arguments, sender=sender)
        return False

    def debit(self, account, amount) -> list:
        return [
            ("escrow: balance too low", self.balances[account] < amount),
            ("escrow: no consent", not self.consents.get(account, True)),
        ]

    @rule(n=numbers, m=numbers, k=numbers, amount=amounts, least=st.sampled_from([0, 0, 0, 1, 10]))
    def place(self, n, m, k, amount, least):
        """A bet of a player's own hand."""
        bet, account = self.bet(n), self.people[m % PLAYERS].address
        prediction = k % len(bet.listing.predictions)
        fits = 1 <= amount <= bet.listing.max_stake
        refusals = [
            *self.open(bet),
            ("odds: stake out of range", not fits),
            ("odds: less is confirmed", fits and bet.model.at_once(prediction, amount) < least),
            *self.debit(account, amount),
        ]
        arguments = bet.listing.bet_id, prediction, amount, least, NO_SIGNATURE
        if self.expect(refusals, self.contract.place, *arguments, sender=account):
            _, index = bet.model.place(account, prediction, amount)
            assert self.answer == (0 if index is None else prediction << 32 | index + 1)
            self.balances[account] -= amount
        self.check()

    @rule(n=numbers, groups=st.lists(st.lists(st.tuples(numbers, amounts), max_size=3), min_size=1, max_size=3))
    def land(self, n, groups):
        """A relayer's groups of signed bets; some players may have taken consent back."""
        bet = self.bet(n)
        signed = []
        for group in groups:
            signed.append([])
            for k, amount in group:
                self.nonce += 1
                player = self.people[k % PLAYERS]
                prediction = k // PLAYERS % len(bet.listing.predictions)
                signed[-1].append((player, self.house.bet(player, prediction, min(amount, 6_000), self.nonce)))
        bets = [each for group in signed for _, each in group]
        relayer, bet_id = self.house.relayer.address, bet.listing.bet_id
        signatures = [self.house.signer.compact_bet(p, bet_id, b, relayer) for group in signed for p, b in group]
        arguments = bet_id, [len(group) for group in signed], bets, signatures
        if self.expect(self.open(bet), self.contract.place_many, *arguments, sender=relayer):
            confirmed = 0
            for group in signed:
                added = [0] * len(bet.listing.predictions)
                spent = defaultdict(int)
                for player, each in group:
                    added[each.prediction] += each.amount
                    spent[player.address] += each.amount
                fits = all(1 <= each.amount <= bet.listing.max_stake for _, each in group)
                pays = all(self.balances[p] >= amount and self.consents[p] for p, amount in spent.items())
                if fits and pays and bet.model.group_fits(added):
                    confirmed += len(group)
                    for player, each in group:
                        bet.model.add(player.address, each.prediction, each.amount)
                        self.balances[player.address] -= each.amount
            assert self.answer == confirmed
        self.check()

    @rule(n=numbers, amount=amounts, by=numbers)
    def fund(self, n, amount, by):
        bet = self.bet(n)
        sender = self.people[0].address if by % 7 == 0 else self.host
        refusals = [
            *self.open(bet),
            ("hosting: not the host", sender != self.host),
            ("odds: bankroll too large", amount >= 2**96),
            ("escrow: zero amount", amount == 0),
            *self.debit(sender, amount),
        ]
        if self.expect(refusals, self.contract.fund, bet.listing.bet_id, amount, sender=sender):
            bet.model.bankroll += amount
            self.balances[sender] -= amount
        self.check()

    @rule(n=numbers, amount=st.one_of(amounts, st.none()), beyond=st.sampled_from([0, 0, 1]))
    def defund(self, n, amount, beyond):
        """The host takes what it can, to the unit, or tries to take one unit more."""
        bet = self.bet(n)
        spare = bet.model.bankroll - bet.model.needed() if not bet.settled else 0
        amount = spare + beyond if amount is None else amount
        refusals = [
            ("odds: already settled", bet.settled),
            ("odds: bankroll is needed", amount > spare),
            ("escrow: zero amount", amount == 0),
        ]
        if self.expect(refusals, self.contract.defund, bet.listing.bet_id, amount, sender=self.host):
            bet.model.bankroll -= amount
            self.balances[self.host] += amount
        self.check()

    @rule(n=numbers, cut=st.sampled_from([0, 0, 0, 1, 7]), beyond=st.sampled_from([0, 0, 0, 1]), m=numbers)
    def confirm(self, n, cut, beyond, m):
        """The greatest totals, or less, or a unit more, which must not pass."""
        bet = self.bet(n)
        model = bet.model
        wished = [x + waits for x, waits in zip(model.stakes, model.pending(), strict=True)]
        totals = [
            max(0, x - cut) for x in greatest_in_units(model.profits, model.validator_bps, model.bankroll, wished)
        ]
        totals[m % len(totals)] += beyond
        sender = self.people[m % PLAYERS].address
        reachable = all(total <= wish for total, wish in zip(totals, wished, strict=True))
        refusals = [
            *self.open(bet),
            ("odds: totals not reached", not reachable),
            ("odds: totals not covered", not model.can_confirm(totals)),
        ]
        if self.expect(refusals, self.contract.confirm, bet.listing.bet_id, totals, sender=sender):
            model.confirm(totals)
        self.check()

    @rule(n=numbers, m=numbers, k=numbers, by=numbers)
    def cancel(self, n, m, k, by):
        """The owner of a ticket, or somebody else, cancels it; at any time."""
        bet = self.bet(n)
        prediction = k % len(bet.model.queues)
        queue = bet.model.queues[prediction]
        if not queue:
            return
        index = m % len(queue)
        ticket = queue[index]
        gone = ticket.amount == 0
        sender = self.people[by % PLAYERS].address if by % 3 == 0 else ticket.account
        refusals = [
            ("odds: not your ticket", gone or sender != ticket.account),
            ("odds: nothing is pending", ticket.pending == 0),
        ]
        ticket_id = prediction << 32 | index + 1
        if self.expect(refusals, self.contract.cancel, bet.listing.bet_id, ticket_id, sender=sender):
            amount = bet.model.cancel(prediction, index)
            self.balances[ticket.account] += amount
            if bet.settled:
                bet.left -= amount
                bet.due.tickets[prediction, index] -= amount
        self.check()

    @rule(m=numbers)
    def change_mind(self, m):
        account = self.people[m % PLAYERS].address
        self.consents[account] = not self.consents[account]
        self.house.escrow.set_consent(int(self.consents[account]), sender=account)

    @rule(seconds=st.sampled_from([1, 60, HOUR // 2, HOUR]))
    def wait(self, seconds):
        boa.env.timestamp += seconds

    @rule(n=numbers)
    def open_another(self, n):
        if len(self.bets) < 3:
            self.begin(n)

    @rule(n=numbers, m=numbers)
    def close(self, n, m):
        bet = self.bet(n)
        if m % 5 == 0 and self.expect(self.open(bet), self.contract.close, bet.listing.bet_id, sender=self.host):
            bet.closes_at = boa.env.timestamp

    @rule(n=numbers, outcome=st.sampled_from([0, 0, 1, 1, 2, 9, INVALID, None]), rush=st.booleans())
    def settle(self, n, outcome, rush):
        """Validators decide, or are silent; somebody settles as soon as that is possible, or too early."""
        bet = self.bet(n)
        listing = bet.listing
        if not bet.settled and not rush:
            if outcome is None:
                boa.env.timestamp = max(boa.env.timestamp, listing.result_deadline + 1)
            elif bet.outcome is None and boa.env.timestamp <= listing.result_deadline:
                self.house.decide(listing, outcome)
                bet.outcome = outcome
        late = boa.env.timestamp > listing.result_deadline
        refusals = [
            ("odds: already settled", bet.settled),
            ("hosting: no result yet", bet.outcome is None and not late),
        ]
        if self.expect(refusals, self.contract.settle, listing.bet_id, sender=self.people[0].address):
            known = bet.outcome is not None and bet.outcome < len(listing.predictions)
            before = bet.model.pot
            bet.due = bet.model.settle(bet.outcome if known else None, THRESHOLD)
            self.balances[self.host] += bet.due.host
            for member in self.house.members[:THRESHOLD]:
                self.balances[member] += bet.due.member
            bet.left = before - bet.due.host - THRESHOLD * bet.due.member
            if known:
                bet.winners = {("position", key) for key in bet.due.positions if key[1] == bet.outcome}
                tickets = bet.model.queues[bet.outcome]
                bet.winners |= {
                    ("ticket", (bet.outcome, index)) for index, ticket in enumerate(tickets) if ticket.confirmed
                }
        self.check()

    @rule(n=numbers, m=numbers, several=st.lists(numbers, max_size=4))
    def claim(self, n, m, several):
        """Somebody claims for a player: all positions, and some tickets of whomever."""
        bet, account = self.bet(n), self.people[m % PLAYERS].address
        tickets = [(k, index) for k, queue in enumerate(bet.model.queues) for index in range(len(queue))]
        self.claim_for(bet, account, [tickets[x % len(tickets)] for x in several] if tickets else [])
        self.check()

    def claim_for(self, bet, account, tickets):
        owed, keys = 0, set()
        if bet.settled:
            keys = {("position", key) for key in bet.due.positions if key[0] == account}
            keys |= {("ticket", key) for key in tickets if bet.model.queues[key[0]][key[1]].account == account}
            owed = sum(self.of(bet, kind).get(key, 0) for kind, key in keys)
        refusals = [("odds: not settled", not bet.settled), ("odds: nothing to claim", owed == 0)]
        ids = [k << 32 | index + 1 for k, index in tickets]
        sides = list(range(len(bet.listing.predictions)))
        arguments = bet.listing.bet_id, account, sides, ids
        if self.expect(refusals, self.contract.claim, *arguments, sender=self.house.relayer.address):
            assert self.answer == owed
            self.balances[account] += owed
            bet.left -= owed
            for kind, key in keys:
                self.of(bet, kind).pop(key, None)
                if kind == "ticket":
                    ticket = bet.model.queues[key[0]][key[1]]
                    ticket.amount = ticket.confirmed = 0
            if bet.winners and not bet.winners - keys:
                self.balances[self.host] += bet.due.residue
                bet.left -= bet.due.residue
            bet.winners -= keys

    @staticmethod
    def of(bet, kind) -> dict:
        return bet.due.positions if kind == "position" else bet.due.tickets

    def check(self):
        escrow, pots = self.house.escrow, 0
        for bet in self.bets:
            model, bet_id = bet.model, bet.listing.bet_id
            pot = bet.left if bet.settled else model.pot
            pots += pot
            assert self.house.pot(bet.listing) == pot
            if bet.settled:
                continue
            assert covers(model.profits, model.validator_bps, model.bankroll, model.stakes)
            assert tuple(self.lens.book(bet_id)) == (sum(model.stakes), model.bankroll, model.needed())
            for k, queue in enumerate(model.queues):
                line = self.lens.line(bet_id, k)
                waiting = sum(1 for ticket in queue if ticket.pending)
                assert (line.staked, line.waiting, line.tail) == (model.stakes[k], waiting, len(queue))
                assert waiting or (line.head, line.filled) == (line.tail, 0)
                for index, ticket in enumerate(queue):
                    found = self.lens.ticket(bet_id, k << 32 | index + 1)
                    assert (found.confirmed, found.pending) == (ticket.confirmed, ticket.pending)
        for account in {p.address for p in (self.house.host, *self.house.players)} | set(self.house.members):
            assert escrow.balance_of(account) == self.balances[account]
        assert self.house.coin.balanceOf(escrow) == pots + sum(self.balances.values())

    def teardown(self):
        """Time passes, and a stranger settles and claims everything."""
        for n, bet in enumerate(self.bets):
            if not bet.settled:
                self.settle(n, [0, 1, None][n % 3], rush=False)
            if not bet.settled:
                self.settle(n, None, rush=False)
            tickets = [(k, index) for k, queue in enumerate(bet.model.queues) for index in range(len(queue))]
            for person in self.people:
                own = [key for key in tickets if bet.model.queues[key[0]][key[1]].account == person.address]
                self.claim_for(bet, person.address, own[:64])
            assert bet.left == 0
            assert self.house.pot(bet.listing) == 0
        self.check()
        self.anchor.__exit__(None, None, None)


def test_every_outcome_is_covered_and_paid(house):
    run(OddsMachine, {"house": house}, examples=6, steps=35, phases=[Phase.generate])


@pytest.mark.campaign
def test_every_outcome_is_covered_and_paid_in_long_runs(house):
    run(OddsMachine, {"house": house}, examples=300, steps=100, derandomize=False)
