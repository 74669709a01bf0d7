"""Invariants 2 and 3: a market's pot always covers what is sold, and in the end everybody gets exactly what is theirs.

Members and a stranger act at random in several markets, in time and out of it. A model in plain Python says of every
call whether it succeeds or which reason refuses it; shares are known from BetPlaced alone. After each step the pot of
the market covers either outcome, is what was paid in less what was paid out, and status, owed sums and votes are the
model's. At the end of each run time moves on, somebody settles and claims everything: each pot is 0, each balance is
the model's, and all gains and losses add up to nothing.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import boa
import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tessera.model.lmsr import WAD, Outcome
from tests.club import BET_INTERVAL, DAY, HOUR, INVALID, NO, RULING, SEED, SILENCE, TERMS, UNIT, VOTING, YES, Status
from tests.custody import EUR, NOBODY
from tests.logs import events
from tests.machines import run

ROOT = Path(__file__).parents[2]
MEMBERS = 5
STRANGER = MEMBERS  # people are numbered; the last has not joined
PURSE = 50 * EUR
MOST_MARKETS = 4

PROPOSABLE = (Status.OPEN, Status.CLOSED)
SETTLED = (Status.RESOLVED, Status.INVALID)
# How often each is done, and in which markets mostly.
ACTIONS = {
    "bet": (5, lambda book: book.status == Status.OPEN),
    "create": (1, lambda book: True),
    "close": (1, lambda book: book.status == Status.OPEN),
    "propose": (4, lambda book: book.status in PROPOSABLE),
    "dispute_early": (3, lambda book: book.status in PROPOSABLE),
    "complain": (12, lambda book: book.status == Status.PENDING),
    "vote": (12, lambda book: book.status == Status.DISPUTED and book.referee is None),
    "rule_on_it": (6, lambda book: book.status == Status.DISPUTED and book.referee is not None),
    "finalize": (6, lambda book: book.status in (Status.PENDING, Status.DISPUTED)),
    "expire": (1, lambda book: book.status in PROPOSABLE),
    "claim": (2, lambda book: book.settled),
    "claim_many": (1, lambda book: book.settled),
}

ANSWERS = list(Outcome)  # of voters and referees; `outcome` is what was proposed all too often
numbers = st.integers(0, 9_999)
outcomes = st.sampled_from(list(Outcome))


@pytest.fixture(scope="module")
def deployed():
    """PlayEuro's Escrow, the markets, and everybody's address: members have 50 EUR and consent."""
    boa.env.enable_fast_mode()
    boa.env.evm.patch.chain_id = 31_337
    play_euro = boa.load(str(ROOT / "contracts/PlayEuro.vy"))
    escrow = boa.load(str(ROOT / "contracts/Escrow.vy"), play_euro, True)
    play_euro.set_escrow(escrow)
    contract = boa.load(str(ROOT / "contracts/LmsrMarkets.vy"), escrow, True, HOUR)
    escrow.register_product(contract)
    addresses = [boa.env.generate_address() for _ in range(MEMBERS + 1)]
    play_euro.invite(addresses[:MEMBERS])
    for member in addresses[:MEMBERS]:
        play_euro.join(1, sender=member)
    return contract, escrow, addresses


@dataclass
class Book:
    """What the rules say of one market. `shares` and `staked` are by person and side, until claimed."""

    number: int
    creator: int
    referee: int | None
    closes_at: int
    due_at: int
    window: int
    status: Status = Status.OPEN
    outcome: Outcome | None = None
    proposer: int | None = None
    proposed_at: int = 0
    disputed_at: int = 0
    votes: dict[int, Outcome] = field(default_factory=dict)
    last_bet_at: int = 0
    bets: int = 0
    pot: int = SEED
    shares: Counter = field(default_factory=Counter)
    staked: Counter = field(default_factory=Counter)
    sold: Counter = field(default_factory=Counter)  # all shares of a side ever sold
    owed: Counter = field(default_factory=Counter)  # the same in money, each position cut to a unit

    @property
    def settled(self) -> bool:
        return self.status in SETTLED

    def is_open(self, now: int) -> bool:
        return self.status == Status.OPEN and now < self.closes_at

    def has_bet(self, person: int) -> bool:
        return any(self.staked[person, side] for side in (YES, NO))

    def ends_at(self) -> int:
        """When what is proposed can be finalized."""
        if self.status == Status.PENDING:
            return self.proposed_at + self.window
        return self.disputed_at + (VOTING if self.referee is None else RULING)

    def decided(self) -> Outcome:
        """What a dispute ends with when its time is over."""
        if self.referee is not None:
            return self.outcome if self.proposer == self.creator else INVALID
        if not self.votes:
            return self.outcome
        counted = Counter(self.votes.values())
        if self.is_early() and 2 * counted[INVALID] < len(self.votes):
            return YES  # or NO: the proposal is refused
        return next((o for o in Outcome if 2 * counted[o] > len(self.votes)), INVALID)

    def is_early(self) -> bool:
        return self.outcome == INVALID and self.proposed_at < self.due_at

    def payout(self, person: int) -> int:
        """What a person may claim."""
        if self.outcome == INVALID:
            return self.staked[person, YES] + self.staked[person, NO]
        return self.shares[person, self.outcome] // UNIT


def pick(n: int, wanted, everything):
    """The n-th of what is wanted, modulo its length; every fifth time, or where nothing is, of everything."""
    among = wanted if wanted and n % 5 != 4 else everything
    return among[n // 5 % len(among)]


class MarketsMachine(RuleBasedStateMachine):
    deployed: tuple

    def __init__(self):
        super().__init__()
        self.anchor = boa.env.anchor()
        self.anchor.__enter__()
        self.contract, self.escrow, self.addresses = self.deployed
        self.books: list[Book] = []
        self.balances = defaultdict(int, dict.fromkeys(range(MEMBERS), PURSE))
        self.begin()

    @property
    def now(self) -> int:
        return boa.env.timestamp

    def wait_until(self, time: int):
        boa.env.timestamp = max(self.now, time)

    @rule(k=numbers, n=numbers, m=numbers, outcome=outcomes, late=st.sampled_from([None, None, None, -1, 0, 1]))
    def somebody_acts(self, k, n, m, outcome, late):
        """What is done (k), in which market (n), by whom (m); at once, or seconds around the end of the time for it."""
        likely = [a for a, (weight, wanted) in ACTIONS.items() if any(map(wanted, self.books)) for _ in range(weight)]
        action = likely[k % len(likely)]
        book = pick(n, list(filter(ACTIONS[action][1], self.books)), self.books)
        getattr(self, action)(book, m, outcome, late)

    def person(self, m: int, eligible) -> int:
        """One of the people, mostly one for whom the action is made."""
        return pick(m, [person for person in range(MEMBERS) if eligible(person)], range(MEMBERS + 1))

    def act(self, refusals, function, person, *arguments) -> list | None:
        """Call, and compare with the first refusal that holds. Events where it went through, else None."""
        reason = next((reason for reason, holds in refusals if holds), None)
        call, sender = getattr(self.contract, function), self.addresses[person]
        if reason is None:
            call(*arguments, sender=sender)
            return [(name, fields) for _, name, fields in events(self.contract)]
        with boa.reverts(reason):
            call(*arguments, sender=sender)
        return None

    def begin(self):
        """One market whose bettors vote and one with a referee; two of the people bet in both."""
        for creator, p0, referee in ((0, WAD // 2, None), (1, WAD // 20, 4)):
            self.open(creator, p0, self.now + 10 * DAY, self.now + 10 * DAY, referee, DAY)
            for person, side in ((2, YES), (3, NO), (4 if referee is None else 0, NO)):
                self.wait_until(self.books[-1].last_bet_at + BET_INTERVAL)
                self.place(self.books[-1], person, side, 1)

    def create(self, book, m, outcome, late):
        if len(self.books) == MOST_MARKETS:
            return
        closes_at = self.now + [1, HOUR, 10 * DAY, 10 * DAY][m % 4]
        due_at = closes_at + (DAY if outcome == INVALID else 0)
        p0 = [WAD // 100, WAD // 4, WAD * 7 // 10, WAD * 99 // 100][m // 4 % 4]
        referee = None if outcome == YES else m // 16 % MEMBERS
        self.open(m // 80 % MEMBERS, p0, closes_at, due_at, referee, [HOUR, 12 * HOUR, DAY][m // 16 % 3])

    def open(self, creator, p0, closes_at, due_at, referee, window):
        referee_address = NOBODY if referee is None else self.addresses[referee]
        arguments = TERMS, p0, due_at, closes_at, 0, referee_address, window
        refusals = [
            ("lmsr: creator as referee", referee == creator),
            ("escrow: balance too low", self.balances[creator] < SEED),
        ]
        if self.act(refusals, "create_market", creator, *arguments):
            self.books.append(Book(len(self.books) + 1, creator, referee, closes_at, due_at, window))
            self.balances[creator] -= SEED
            self.check(self.books[-1])

    def bet(self, book, m, outcome, late):
        person = self.person(m, lambda p: p not in (book.creator, book.referee))
        self.wait_until(book.last_bet_at + BET_INTERVAL + (late or 0))
        side = (YES, NO)[m // 5 % 2] if outcome == INVALID and late is None else outcome
        is_open, is_side = book.is_open(self.now), side != INVALID
        quoted = self.contract.quote(book.number, side)[0] if is_open and is_side else 1
        least = (1, 1, 1, quoted, quoted + 1, 0)[m // 10 % 6]
        refusals = [
            ("lmsr: market not open", not is_open),
            ("lmsr: not YES or NO", not is_side),
            ("lmsr: zero min_shares", least == 0),
            ("lmsr: a bet every 5 seconds", self.now < book.last_bet_at + BET_INTERVAL),
            ("lmsr: creator cannot bet", person == book.creator),
            ("lmsr: referee cannot bet", person == book.referee),
            ("lmsr: price moved", least > quoted),
            ("escrow: balance too low", self.balances[person] < EUR),
        ]
        if any(holds for _, holds in refusals):
            self.act(refusals, "bet", person, book.number, side, least)
        else:
            assert self.place(book, person, side, least) == quoted

    def place(self, book, person, side, least) -> int:
        """A bet that goes through. Returns its shares."""
        placed, debited = self.act([], "bet", person, book.number, side, least)
        assert (placed[0], debited[0]) == ("BetPlaced", "Entry")
        shares = placed[1]["shares"]
        book.owed[side] -= book.shares[person, side] // UNIT
        book.shares[person, side] += shares
        book.owed[side] += book.shares[person, side] // UNIT
        book.sold[side] += shares
        book.staked[person, side] += EUR
        book.bets += 1
        book.pot += EUR
        book.last_bet_at = self.now
        self.balances[person] -= EUR
        self.check(book)
        return shares

    def close(self, book, m, outcome, late):
        person = self.person(m, lambda p: p == book.creator)
        refusals = [
            ("lmsr: market not open", not book.is_open(self.now)),
            ("lmsr: not the creator", person != book.creator),
        ]
        if self.act(refusals, "close", person, book.number):
            book.status = Status.CLOSED
            self.check(book)

    def propose(self, book, m, outcome, late):
        bettors_turn = m // 5 % 3 == 1
        if not book.settled and (late is not None or outcome != INVALID):
            self.wait_until(book.due_at + (SILENCE if m % 49 == 0 else DAY if bettors_turn else 0) + (late or 0))
        person = self.person(m // 10, lambda p: book.has_bet(p) if bettors_turn else p == book.creator)
        is_creator = person == book.creator
        refusals = [
            ("lmsr: already proposed", book.status not in PROPOSABLE),
            ("lmsr: too late to propose", self.now >= book.due_at + SILENCE),
            ("lmsr: result not due yet", is_creator and outcome != INVALID and self.now < book.due_at),
            ("lmsr: not a bettor", not is_creator and not book.has_bet(person)),
            ("lmsr: creator's day to propose", not is_creator and self.now < book.due_at + DAY),
        ]
        if self.act(refusals, "propose", person, book.number, outcome):
            book.status, book.outcome = Status.PENDING, outcome
            book.proposer, book.proposed_at = person, self.now
            self.check(book)

    def complain(self, book, m, outcome, late):
        if late is not None and m % 3 == 0 and book.status == Status.PENDING:
            self.wait_until(book.ends_at() + late)
        person = self.person(m, lambda p: book.has_bet(p) or p == book.creator != book.proposer)
        refusals = [
            ("lmsr: nothing to dispute", book.status != Status.PENDING),
            ("lmsr: your own proposal", person == book.creator == book.proposer),
            ("lmsr: not a bettor", person != book.creator and not book.has_bet(person)),
            ("lmsr: dispute window is over", self.now >= book.proposed_at + book.window),
        ]
        if self.act(refusals, "complain", person, book.number, "No!"):
            book.status, book.disputed_at = Status.DISPUTED, self.now
            self.check(book)

    def dispute_early(self, book, m, outcome, late):
        """The way to a market that is closed again, too long to be found often by chance."""
        self.propose(book, 0, INVALID, None)
        self.complain(book, m, outcome, None)

    def vote(self, book, m, outcome, late):
        if late is not None and m % 3 == 0 and book.status == Status.DISPUTED:
            self.wait_until(book.disputed_at + VOTING + late)
        person = self.person(m, lambda p: book.has_bet(p) and p not in book.votes)
        outcome = ANSWERS[m // 25 % 3]
        refusals = [
            ("lmsr: not disputed", book.status != Status.DISPUTED),
            ("lmsr: the referee decides", book.referee is not None),
            ("lmsr: voting is over", self.now >= book.disputed_at + VOTING),
            ("lmsr: not a bettor", not book.has_bet(person)),
            ("lmsr: already voted", person in book.votes),
        ]
        if self.act(refusals, "vote", person, book.number, outcome):
            book.votes[person] = outcome
            self.check(book)

    def rule_on_it(self, book, m, outcome, late):
        if late is not None and m % 3 == 0 and book.status == Status.DISPUTED:
            self.wait_until(book.disputed_at + RULING + late)
        person = self.person(m, lambda p: p == book.referee)
        outcome = ANSWERS[m // 25 % 3]
        refusals = [
            ("lmsr: not disputed", book.status != Status.DISPUTED),
            ("lmsr: not the referee", person != book.referee),
            ("lmsr: ruling is over", self.now >= book.disputed_at + RULING),
        ]
        if self.act(refusals, "rule", person, book.number, outcome):
            self.conclude(book, outcome)

    def finalize(self, book, m, outcome, late):
        disputed = book.status == Status.DISPUTED
        if late is not None and (disputed or book.status == Status.PENDING):
            self.wait_until(book.ends_at() + late)
        over = self.now >= book.ends_at()
        refusals = [
            ("lmsr: nothing to finalize", book.status not in (Status.PENDING, Status.DISPUTED)),
            ("lmsr: dispute window is open", not disputed and not over),
            ("lmsr: voting is open", disputed and book.referee is None and not over),
            ("lmsr: ruling is open", disputed and book.referee is not None and not over),
        ]
        if self.act(refusals, "finalize", m % (MEMBERS + 1), book.number):
            self.conclude(book, book.decided() if disputed else book.outcome)

    def expire(self, book, m, outcome, late):
        if late is not None and not book.settled:
            self.wait_until(book.due_at + SILENCE + late)
        refusals = [
            ("lmsr: already proposed", book.status not in PROPOSABLE),
            ("lmsr: still time to propose", self.now < book.due_at + SILENCE),
        ]
        if self.act(refusals, "expire", m % (MEMBERS + 1), book.number):
            self.settle(book, INVALID)

    def claim(self, book, m, outcome, late):
        person = self.person(m, lambda p: book.settled and book.payout(p))
        refusals = [
            ("lmsr: not settled", not book.settled),
            ("lmsr: nothing to claim", book.settled and book.payout(person) == 0),
        ]
        if self.act(refusals, "claim", person, book.number):
            self.pay(book, person)
            self.check(book)

    def claim_many(self, book, m, outcome, late):
        self.claim_for(book, [p for p in range(MEMBERS + 1) if m >> p & 1] * (1 + m % 2))

    def claim_for(self, book, listed):
        accounts = [self.addresses[p] for p in listed]
        logged = self.act([("lmsr: not settled", not book.settled)], "claim_many", STRANGER, book.number, accounts)
        if logged is not None:
            paid = {p for p in listed if book.payout(p)}
            names = Counter(name for name, _ in logged)
            assert (names["Entry"], names["ClaimSkipped"]) == (len(paid), len(listed) - len(paid))
            for p in paid:
                self.pay(book, p)
            self.check(book)

    def conclude(self, book, outcome):
        """A word or a vote: an INVALID proposed too early is upheld, or the market goes back to CLOSED."""
        if book.is_early() and outcome != INVALID:
            book.status, book.outcome = Status.CLOSED, None
            book.due_at = max(book.due_at, self.now)
            book.proposer, book.proposed_at, book.disputed_at, book.votes = None, 0, 0, {}
            self.check(book)
        else:
            self.settle(book, outcome)

    def settle(self, book, outcome):
        book.status, book.outcome = (Status.INVALID if outcome == INVALID else Status.RESOLVED), outcome
        creators = SEED if outcome == INVALID else book.pot - book.owed[outcome]
        assert creators >= 0
        self.balances[book.creator] += creators
        book.pot -= creators
        self.check(book)

    def pay(self, book, person):
        amount = book.payout(person)
        self.balances[person] += amount
        book.pot -= amount
        for side in (YES, NO) if book.outcome == INVALID else (book.outcome,):
            book.shares[person, side] = book.staked[person, side] = 0

    def check(self, book):
        """A market against its model, and invariant 2."""
        stored = self.contract.market(book.number)
        status = book.status
        if status == Status.OPEN and self.now >= book.closes_at:
            status = Status.CLOSED
        proposer = NOBODY if book.proposer is None else self.addresses[book.proposer]
        assert (stored.status, stored.outcome, stored.expected_result_at) == (status, book.outcome or 0, book.due_at)
        assert (stored.proposer, stored.proposed_at, stored.disputed_at) == (
            proposer,
            book.proposed_at,
            book.disputed_at,
        )
        if not book.settled:  # votes stay as they were counted
            assert stored.votes == [list(book.votes.values()).count(outcome) for outcome in Outcome]
        assert (stored.bets, stored.last_bet_at) == (book.bets, book.last_bet_at)
        assert (stored.owed_if_yes, stored.owed_if_no) == (book.owed[YES], book.owed[NO])
        pot = self.escrow.pot_balance(self.contract, book.number.to_bytes(32))
        assert pot == book.pot
        if not book.settled:
            assert pot == SEED + book.bets * EUR
            assert pot * UNIT >= max(book.sold[YES], book.sold[NO])

    def teardown(self):
        """Invariant 3: whatever happened, a stranger can end it, and nothing is left."""
        try:
            for book in self.books:
                if book.status in (Status.PENDING, Status.DISPUTED):
                    self.finalize(book, STRANGER, None, 0)
                if book.status in PROPOSABLE:
                    self.expire(book, STRANGER, None, 0)
                assert book.settled
                self.claim_for(book, list(range(MEMBERS + 1)))
                assert book.pot == self.escrow.pot_balance(self.contract, book.number.to_bytes(32)) == 0
            found = [self.escrow.balance_of(account) for account in self.addresses]
            assert found == [self.balances[n] for n in range(MEMBERS + 1)]
            assert sum(found) == MEMBERS * PURSE
        finally:
            self.anchor.__exit__(None, None, None)


def test_covers_what_it_sold_and_leaves_nothing_behind(deployed):
    # No shrinking: it takes minutes, and what is found here is found again by the campaign.
    run(MarketsMachine, {"deployed": deployed}, examples=30, steps=50, phases=[Phase.generate])


@pytest.mark.campaign
def test_covers_what_it_sold_and_leaves_nothing_behind_for_long(deployed):
    run(
        MarketsMachine,
        {"deployed": deployed},
        examples=500,
        steps=120,
        derandomize=False,
        phases=[Phase.generate, Phase.shrink],
    )
