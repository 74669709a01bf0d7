"""Invariant 1: an Escrow never owes more than it holds, equal unless tokens came unasked; logs tell who owns what.

People, two products and an intruder act at random, within the rules and outside them. A model in plain Python says
of every call whether it succeeds or which reason refuses it. After each step the chain's balances, consents and pots
equal the model's, the ledger rebuilt from all logs equals both, and the tokens held are what is owed and donated.
"""

from collections import defaultdict
from pathlib import Path

import boa
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tessera.accounting.ledger import COLLECTED, PAID, rebuild
from tessera.chain.escrow import Kind
from tests.machines import run

ROOT = Path(__file__).parents[2]
PEOPLE = 3
PRODUCTS = 2
INTRUDER = PEOPLE + PRODUCTS  # a contract that is no product; people and products are numbered before it
SOURCES = ["tests/mocks/Coin.vy", "contracts/Escrow.vy", "tests/mocks/Product.vy"]
POTS = [n.to_bytes(32) for n in (0, 7)]
PURSE = 1_000  # tokens of each person at the start


def mostly(common, *rare):
    """One in sixteen draws is against the rules, so that long chains of calls still go through."""
    return st.integers(0, 15).flatmap(lambda n: st.one_of(rare) if n == 15 else common)


people = st.integers(0, PEOPLE - 1)
accounts = mostly(people, st.integers(PEOPLE, INTRUDER))
callers = mostly(st.integers(PEOPLE, INTRUDER - 1), st.just(INTRUDER))
pots = st.sampled_from(POTS)
masks = mostly(st.integers(0, 2**PRODUCTS - 1), st.sampled_from([2**PRODUCTS, 2**127, 2**128, 2**256 - 1]))
amounts = mostly(st.integers(1, 40), st.sampled_from([0, PURSE, 2**128 - 1, 2**128, 2**256 - 1]))
any_kind = st.sampled_from([*Kind, Kind(0), Kind.BET_DEBIT | Kind.PAYOUT])
collected = mostly(st.sampled_from(COLLECTED), any_kind)
paid = mostly(st.sampled_from(PAID), any_kind)
payments = st.lists(st.tuples(accounts, mostly(st.integers(1, 9), st.just(0))), max_size=5)


@pytest.fixture(scope="module")
def stacks():
    """By own_only: coin, Escrow with its products, everybody's address. People hold and have approved their purse."""
    boa.env.enable_fast_mode()
    coins, escrows, products = (boa.load_partial(str(ROOT / path)) for path in SOURCES)
    stacks = {}
    for own_only in (False, True):
        coin = coins.deploy()
        escrow = escrows.deploy(coin, own_only)
        actors = [boa.env.generate_address() for _ in range(PEOPLE)]
        actors += [products.deploy().address for _ in range(PRODUCTS + 1)]
        for product in actors[PEOPLE:INTRUDER]:
            escrow.register_product(product)
        for person in actors[:PEOPLE]:
            coin.mint(person, PURSE)
            coin.approve(escrow, 2**256 - 1, sender=person)
        stacks[own_only] = coin, escrow, actors
    return stacks


class EscrowMachine(RuleBasedStateMachine):
    stacks: dict

    def __init__(self):
        super().__init__()
        self.chain = boa.env.anchor()
        self.chain.__enter__()
        self.rows = []
        self.donated = 0
        self.tokens = defaultdict(int, dict.fromkeys(range(PEOPLE), PURSE))
        self.balances = defaultdict(int)
        self.consents = defaultdict(int)
        self.pots = defaultdict(int)

    @initialize(own_only=st.booleans(), consents=st.tuples(*[st.integers(1, 2**PRODUCTS - 1)] * PEOPLE))
    def begin(self, own_only, consents):
        """Everybody plays with half of the purse and consents to something; pots that can be filled are."""
        self.own_only = own_only
        self.coin, self.escrow, self.actors = self.stacks[own_only]
        for person, consent in enumerate(consents):
            self.deposit(person, PURSE // 2, person, consent)
            for product in (n for n in range(PRODUCTS) if consent >> n & 1):
                self.collect(PEOPLE + product, person, POTS[person % 2], PURSE // 10, Kind.FUNDING)

    def act(self, refusals, function, sender, *arguments):
        """Call, and compare with the first refusal that holds. True if it went through."""
        reason = next((reason for reason, holds in refusals if holds), None)
        if reason is not None:
            with boa.reverts(reason):
                getattr(self.escrow, function)(*arguments, sender=self.actors[sender])
            return False
        getattr(self.escrow, function)(*arguments, sender=self.actors[sender])
        for log in self.escrow.get_logs():
            if log.address == self.escrow.address:
                self.rows.append({"event": type(log).__name__} | log._asdict())
        return True

    @rule(payer=people, amount=amounts, receiver=accounts, own=st.booleans(), consent=masks)
    def somebody_deposits(self, payer, amount, receiver, own, consent):
        self.deposit(payer, amount, payer if own else receiver, consent)

    def deposit(self, payer, amount, receiver, consent):
        refusals = [
            ("escrow: not your own", self.own_only and receiver != payer),
            ("escrow: zero amount", amount == 0),
            ("escrow: balance overflow", self.balances[receiver] + amount >= 2**128),
            ("escrow: consent not yours", consent and receiver != payer),
            ("escrow: unknown product", consent >= 2**PRODUCTS),
            ("erc20: transfer amount exceeds balance", amount > self.tokens[payer]),
        ]
        if self.act(refusals, "deposit", payer, amount, self.actors[receiver], consent):
            self.tokens[payer] -= amount
            self.balances[receiver] += amount
            self.consents[receiver] |= consent

    @rule(payer=accounts, amount=amounts, receiver=accounts, own=st.booleans())
    def withdraw(self, payer, amount, receiver, own):
        receiver = payer if own else receiver
        refusals = [
            ("escrow: not your own", self.own_only and receiver != payer),
            ("escrow: zero amount", amount == 0),
            ("escrow: balance too low", amount > self.balances[payer]),
        ]
        if self.act(refusals, "withdraw", payer, amount, self.actors[receiver]):
            self.balances[payer] -= amount
            self.tokens[receiver] += amount

    @rule(who=people, products=masks)
    def set_consent(self, who, products):
        refusals = [("escrow: unknown product", products >= 2**PRODUCTS)]
        if self.act(refusals, "set_consent", who, products):
            self.consents[who] = products

    @rule(caller=callers, payer=accounts, pot=pots, amount=amounts, kind=collected)
    def product_collects(self, **arguments):
        self.collect(**arguments)

    def collect(self, caller, payer, pot, amount, kind):
        refusals = [
            ("escrow: not a product", caller == INTRUDER),
            ("escrow: wrong kind", kind not in COLLECTED),
            ("escrow: zero amount", amount == 0),
            ("escrow: balance too low", amount > self.balances[payer]),
            ("escrow: no consent", not self.consents[payer] >> (caller - PEOPLE) & 1),
        ]
        if self.act(refusals, "collect", caller, self.actors[payer], pot, amount, kind):
            self.balances[payer] -= amount
            self.pots[caller, pot] += amount

    @rule(caller=callers, pot=pots, account=accounts, amount=amounts, kind=paid)
    def pay(self, caller, pot, account, amount, kind):
        refusals = [("escrow: wrong kind", kind not in PAID), *self.cannot_take(caller, pot, amount)]
        if self.act(refusals, "pay", caller, pot, self.actors[account], amount, kind):
            self.pots[caller, pot] -= amount
            self.balances[account] += amount

    @rule(caller=callers, pot=pots, payments=payments, kind=paid)
    def pay_many(self, caller, pot, payments, kind):
        total = sum(amount for _, amount in payments)
        refusals = [
            ("escrow: wrong kind", kind not in PAID),
            *self.cannot_take(caller, pot, total),
            ("escrow: zero amount", any(amount == 0 for _, amount in payments)),
        ]
        names, sums = [self.actors[account] for account, _ in payments], [amount for _, amount in payments]
        if self.act(refusals, "pay_many", caller, pot, names, sums, kind):
            self.pots[caller, pot] -= total
            for account, amount in payments:
                self.balances[account] += amount

    @rule(caller=callers, from_pot=pots, to_pot=pots, amount=amounts)
    def move(self, caller, from_pot, to_pot, amount):
        if self.act(self.cannot_take(caller, from_pot, amount), "move", caller, from_pot, to_pot, amount):
            self.pots[caller, from_pot] -= amount
            self.pots[caller, to_pot] += amount

    def cannot_take(self, caller, pot, amount):
        return [
            ("escrow: zero amount", amount == 0),
            ("escrow: not a product", caller == INTRUDER),
            ("escrow: pot too small", amount > self.pots.get((caller, pot), 0)),
        ]

    @rule(who=people, amount=st.integers(1, 5))
    def donate(self, who, amount):
        if amount <= self.tokens[who]:
            self.coin.transfer(self.escrow, amount, sender=self.actors[who])
            self.tokens[who] -= amount
            self.donated += amount

    @invariant()
    def holds_what_it_owes_and_was_given(self):
        """All that storage holds is read, so nobody else can have got anything."""
        words = self.escrow._storage._accounts.get()
        assert words == {who: self.word(n) for n, who in enumerate(self.actors) if self.word(n)}
        pots = {
            (product, pot): word % 2**128
            for product, held in self.escrow._storage._pots.get().items()
            for pot, word in held.items()
        }
        assert pots == {(self.actors[n], pot): held for (n, pot), held in self.pots.items()}
        ledger = rebuild(self.rows)
        assert ledger.pots == pots
        assert without_zeros(ledger.balances) == without_zeros({who: word % 2**128 for who, word in words.items()})
        assert ledger.owed == sum(self.balances.values()) + sum(self.pots.values())
        assert self.coin.balanceOf(self.escrow) == ledger.owed + self.donated

    def word(self, n):
        return self.consents[n] << 128 | self.balances[n]

    def teardown(self):
        """Getters tell the same, and everybody can leave: what stays is in pots or was given."""
        try:
            for (n, pot), held in self.pots.items():
                assert self.escrow.pot_balance(self.actors[n], pot) == held
            for n, who in enumerate(self.actors):
                assert (self.escrow.balance_of(who), self.escrow.consent_of(who)) == (
                    self.balances[n],
                    self.consents[n],
                )
                assert self.coin.balanceOf(who) == self.tokens[n]
                if self.balances[n]:
                    self.escrow.withdraw(self.balances[n], who, sender=who)
            assert self.coin.balanceOf(self.escrow) == sum(self.pots.values()) + self.donated
        finally:
            self.chain.__exit__(None, None, None)


def without_zeros(holdings):
    return {holder: amount for holder, amount in holdings.items() if amount}


def test_holds_what_it_owes(stacks):
    run(EscrowMachine, {"stacks": stacks}, examples=60, steps=30)


@pytest.mark.campaign
def test_holds_what_it_owes_for_long(stacks):
    run(EscrowMachine, {"stacks": stacks}, examples=150, steps=100, derandomize=False)
