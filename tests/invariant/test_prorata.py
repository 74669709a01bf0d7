"""Invariants of ProrataBets: payouts and commissions are all stakes exactly, and nothing sticks.

Players, a stranger, a hostile host and hostile validators act at random in several bets, in time and out of it. A
model in plain Python says of every call whether it succeeds or which reason refuses it. After each step every pot is
what was staked in it less what was paid out, and Escrow holds exactly what it owes. At the end of each run time moves
on and somebody settles and claims everything: payouts and commissions are the model's, and every pot is 0.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import boa
import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tessera.chain.hosted_bets import NO_SIGNATURE, Listing
from tessera.model.prorata import settle_in_units
from tests.hosted import COIN, HOUR, INVALID, NOW, PURSE, THRESHOLD, House
from tests.logs import events
from tests.machines import run

MOST_BETS = 3
PLAYERS = 5
numbers = st.integers(0, 2**16)
amounts = st.one_of(st.integers(0, 30), st.integers(0, 3 * COIN), st.sampled_from([COIN, 2 * COIN, PURSE, 2**256 - 1]))


@pytest.fixture(scope="module")
def house():
    boa.env.evm.patch.timestamp = NOW
    return House("ProrataBets")


@dataclass
class Book:
    """What the rules say of one bet. `bets` are (account, prediction, amount) in order."""

    listing: Listing
    closes_at: int
    bets: list[tuple[str, int, int]] = field(default_factory=list)
    reports: dict[int, int] = field(default_factory=dict)  # validator -> outcome
    settled: bool = False
    due: dict[str, int] = field(default_factory=dict)  # account -> what it can claim
    residue: int = 0
    pot: int = 0

    def stake(self, account: str, prediction: int) -> int:
        return sum(amount for who, side, amount in self.bets if (who, side) == (account, prediction))

    def decided(self) -> tuple[bool, int]:
        """Whether the outcome is final, and which; what the bet does not know is INVALID."""
        outcome, count = Counter(self.reports.values()).most_common(1)[0] if self.reports else (INVALID, 0)
        known = outcome < len(self.listing.predictions)
        return count == THRESHOLD, outcome if known else INVALID


class ProrataMachine(RuleBasedStateMachine):
    house: House

    def __init__(self):
        super().__init__()
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()
        boa.env.timestamp = NOW
        self.bets = self.house.bets
        self.people = self.house.players[:PLAYERS]
        self.books: list[Book] = []
        self.balances = defaultdict(int, {p.address: PURSE for p in (self.house.host, *self.house.players)})
        self.consents = {p.address: True for p in self.people}
        self.nonces = Counter()
        self.begin([2, COIN * 5, 500, 500, False])
        self.begin([1, 2**84 - 1, 1_000, 1_000, False])

    def begin(self, terms):
        least, most, host_bps, validator_bps, is_private = terms
        listing = self.house.listed(
            predictions=["a", "b", "c"][: 2 + len(self.books) % 2],
            min_stake=least,
            max_stake=most,
            host_bps=host_bps,
            validator_bps=validator_bps,
            is_private=is_private,
            closes_at=boa.env.timestamp + HOUR,
            result_deadline=boa.env.timestamp + 3 * HOUR,
        )
        self.books.append(Book(listing, listing.closes_at))

    def book(self, n) -> Book:
        return self.books[n % len(self.books)]

    def person(self, n):
        return self.people[n % len(self.people)]

    def expect(self, refusals, call, *arguments, sender):
        """Calls, and compares with the first refusal that holds. True where it went through."""
        reason = next((reason for reason, holds in refusals if holds), None)
        if reason is None:
            call(*arguments, sender=sender)
            self.logged = events(self.bets)
            return True
        with boa.reverts(reason):
            call(*arguments, sender=sender)
        return False

    def refusals(self, book, account, prediction, amount, by_host=False):
        listing = book.listing
        stake = book.stake(account, prediction)
        return [
            ("hosting: not admitted", listing.is_private and not by_host),
            ("hosting: unknown prediction", prediction >= len(listing.predictions)),
            ("hosting: host cannot bet", account == self.house.host.address),
            ("hosting: member cannot bet", account in self.house.members),
            ("prorata: stake above range", stake + amount > listing.max_stake),
            ("prorata: stake below range", stake + amount < listing.min_stake),
            ("escrow: zero amount", amount == 0),
            ("escrow: balance too low", self.balances[account] < amount),
            ("escrow: no consent", not self.consents.get(account, False)),
        ]

    def staked(self, book, account, prediction, amount):
        book.bets.append((account, prediction, amount))
        book.pot += amount
        self.balances[account] -= amount

    @rule(n=numbers, m=numbers, k=numbers, amount=amounts)
    def place(self, n, m, k, amount):
        """A bet of a player's, the host's or a member's own hand."""
        book = self.book(n)
        insider = [self.house.host, self.house.validators[k % 5]][m % 2]
        account = (insider if k % 7 == 6 else self.person(m)).address
        prediction = k % 5 % (len(book.listing.predictions) + (k % 11 == 0))
        refusals = [("hosting: bet is closed", boa.env.timestamp >= book.closes_at)]
        refusals += self.refusals(book, account, prediction, amount)
        call = self.bets.place
        if self.expect(refusals, call, book.listing.bet_id, prediction, amount, NO_SIGNATURE, sender=account):
            self.staked(book, account, prediction, amount)
        self.check()

    @rule(n=numbers, m=numbers, several=st.lists(st.tuples(numbers, amounts), min_size=1, max_size=5))
    def land(self, n, m, several):
        """A relayer's batch, of which some bets do not count; every third relayer is the host, every fourth repeats."""
        book = self.book(n)
        relayer = (self.house.host if m % 3 == 0 else self.house.relayer).address
        signed = []
        for k, amount in several:
            player = self.person(k)
            self.nonces[player.address] += k % 4 != 0
            prediction = k // 5 % len(book.listing.predictions)
            signed.append((player, self.house.bet(player, prediction, amount, self.nonces[player.address])))
        if boa.env.timestamp >= book.closes_at:
            with boa.reverts("hosting: bet is closed"):
                self.house.place_many(book.listing, signed, relayer)
            return
        used = {(p.address, b.nonce): self.bets.is_used(p.address, relayer, b.nonce) for p, b in signed}
        expected = []
        for player, bet in signed:
            refusals = self.refusals(book, player.address, bet.prediction, bet.amount, relayer == book.listing.host)
            refusals.insert(1, ("relayed: nonce is used", used[player.address, bet.nonce]))
            reason = next((reason for reason, holds in refusals if holds), None)
            if reason is None:
                used[player.address, bet.nonce] = True
                self.staked(book, player.address, bet.prediction, bet.amount)
            else:
                expected.append("prorata: debit refused" if reason.startswith("escrow:") else reason)
        assert self.house.place_many(book.listing, signed, relayer) == len(signed) - len(expected)
        assert [f["reason"] for _, name, f in events(self.bets) if name == "BetSkipped"] == expected
        self.check()

    @rule(m=numbers)
    def change_mind(self, m):
        """A player takes consent back, or gives it again."""
        account = self.person(m).address
        self.consents[account] = not self.consents[account]
        self.house.escrow.set_consent(int(self.consents[account]), sender=account)

    @rule(seconds=st.sampled_from([1, 60, HOUR, 2 * HOUR]))
    def wait(self, seconds):
        boa.env.timestamp += seconds

    @rule(m=numbers)
    def open_another(self, m):
        if len(self.books) < MOST_BETS:
            self.begin([1 + m % 3, [3, 50, 2**84 - 1][m % 3], [0, 333, 1_000][m // 3 % 3], m % 1_001, m % 4 == 0])

    @rule(n=numbers, m=numbers)
    def close(self, n, m):
        """The host ends placing when it likes, even where that is absurd; others cannot."""
        book = self.book(n)
        sender = (self.house.host if m % 2 else self.person(m)).address
        refusals = [
            ("hosting: bet is closed", boa.env.timestamp >= book.closes_at),
            ("hosting: not the host", m % 2 == 0),
        ]
        if m % 8 == 1 or m % 2 == 0:
            if self.expect(refusals, self.bets.close, book.listing.bet_id, sender=sender):
                book.closes_at = boa.env.timestamp
            self.check()

    @rule(n=numbers, m=numbers, outcome=st.sampled_from([0, 0, 0, 1, 1, 2, 7, INVALID]))
    def report(self, n, m, outcome):
        """A validator says whatever it likes."""
        book = self.book(n)
        validator = m % 5
        now, listing = boa.env.timestamp, book.listing
        refusals = [
            ("panels: already reported", book.reports.get(validator) == outcome),
            ("panels: reported otherwise", validator in book.reports),
            ("panels: already final", book.decided()[0]),
            ("panels: too early", now < listing.closes_at),
            ("panels: too late", now > listing.result_deadline),
        ]
        reason = next((reason for reason, holds in refusals if holds), None)
        arguments = self.house.panel_id, listing.question(self.bets.address), outcome
        if reason is None:
            self.house.panels.report(*arguments, sender=self.house.members[validator])
            book.reports[validator] = outcome
        else:
            with boa.reverts(reason):
                self.house.panels.report(*arguments, sender=self.house.members[validator])

    @rule(n=numbers)
    def decide(self, n):
        """Three validators agree in time, so that bets with winners are seen often."""
        book = self.book(n)
        boa.env.timestamp = max(boa.env.timestamp, book.listing.closes_at)
        for validator in range(5):
            self.report(self.books.index(book), validator, n % 2)
        self.settle(self.books.index(book), n)

    @rule(n=numbers, m=numbers)
    def settle(self, n, m):
        book = self.book(n)
        final, outcome = book.decided()
        refusals = [
            ("prorata: already settled", book.settled),
            ("hosting: no result yet", not final and boa.env.timestamp <= book.listing.result_deadline),
        ]
        if self.expect(refusals, self.bets.settle, book.listing.bet_id, sender=self.person(m).address):
            self.settle_book(book, outcome if final else INVALID)
        self.check()

    def settle_book(self, book, outcome):
        listing = book.listing
        units = settle_in_units(
            book.bets, outcome, host_bps=listing.host_bps, validator_bps=listing.validator_bps, members=THRESHOLD
        )
        book.settled, book.due, book.residue = True, units.payouts, units.residue
        self.balances[listing.host] += units.host
        book.pot -= units.host + units.member * THRESHOLD
        for validator, reported in book.reports.items():
            if reported == outcome and not units.refunded:
                self.balances[self.house.members[validator]] += units.member

    @rule(n=numbers, m=numbers)
    def claim(self, n, m):
        book, account = self.book(n), self.person(m).address
        refusals = [
            ("prorata: not settled", not book.settled),
            ("prorata: nothing to claim", not book.due.get(account)),
        ]
        sender = self.house.relayer.address
        if self.expect(refusals, self.bets.claim, book.listing.bet_id, account, sender=sender):
            self.pay(book, account)
        self.check()

    @rule(n=numbers, several=st.lists(numbers, max_size=6))
    def claim_many(self, n, several):
        book = self.book(n)
        accounts = [self.person(k).address for k in several]
        call, sender = self.bets.claim_many, self.house.relayer.address
        if self.expect(
            [("prorata: not settled", not book.settled)], call, book.listing.bet_id, accounts, sender=sender
        ):
            for account in accounts:
                if book.due.get(account):
                    self.pay(book, account)
        self.check()

    def pay(self, book, account):
        amount = book.due.pop(account)
        self.balances[account] += amount
        book.pot -= amount
        if not book.due:
            self.balances[book.listing.host] += book.residue
            book.pot -= book.residue

    def check(self):
        escrow, pots = self.house.escrow, 0
        for book in self.books:
            pots += book.pot
            assert self.house.pot(book.listing) == book.pot
            for prediction in range(len(book.listing.predictions)):
                total = sum(amount for _, side, amount in book.bets if side == prediction)
                assert self.bets.staked(book.listing.bet_id, prediction) == total
        everybody = {p.address for p in (self.house.host, *self.house.players)} | set(self.house.members)
        for account in everybody:
            assert escrow.balance_of(account) == self.balances[account]
        assert self.house.coin.balanceOf(escrow) == pots + sum(self.balances.values())

    def teardown(self):
        """Time passes, and a stranger settles and claims everything."""
        boa.env.timestamp = max([boa.env.timestamp, *(b.listing.result_deadline + 1 for b in self.books)])
        for n, book in enumerate(self.books):
            if not book.settled:
                self.settle(n, 0)
            self.bets.claim_many(book.listing.bet_id, [person.address for person in self.people])
            for account in list(book.due):
                self.pay(book, account)
            assert book.pot == 0
        self.check()
        self.anchor.__exit__(None, None, None)


def test_everybody_gets_what_is_theirs(house):
    run(ProrataMachine, {"house": house}, examples=6, steps=35, phases=[Phase.generate])


@pytest.mark.campaign
def test_everybody_gets_what_is_theirs_in_long_runs(house):
    run(ProrataMachine, {"house": house}, examples=300, steps=100, derandomize=False)
