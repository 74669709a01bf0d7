"""Invariants 2 and 3: a market's pot always covers what is sold, and in the end everybody gets exactly what is theirs.

Members and a stranger act at random in several markets, in time and out of it. A model in plain Python says of every
call whether it succeeds or which reason refuses it; shares are known from BetPlaced alone. After each step the pot of
the market covers either outcome, is what was paid in less what was paid out, and status, owed sums, votes and what they
would conclude are the model's (tessera/model/resolution.py). At the end of each run time moves on, somebody settles and
claims everything: each pot is 0, each balance is the model's, and all gains and losses add up to nothing.
"""

from collections import Counter, defaultdict
from copy import deepcopy
from dataclasses import dataclass, field

import boa
import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tessera.model.lmsr import WAD, Outcome
from tessera.model.resolution import Dispute, TooLate, window_end
from tests.club import BET_INTERVAL, DAY, HOUR, INVALID, NO, RULING, SEED, SILENCE, TERMS, UNIT, YES, Status
from tests.custody import EUR, NOBODY
from tests.logs import events
from tests.machines import run
from tests.prize_system import load

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
    "accept": (4, lambda book: book.status == Status.AWAITING),
    "cancel": (1, lambda book: book.status == Status.AWAITING),
    "propose": (4, lambda book: book.status in PROPOSABLE),
    "replace": (3, lambda book: book.status == Status.PENDING),
    "dispute_early": (3, lambda book: book.status in PROPOSABLE),
    "complain": (12, lambda book: book.status in (Status.PENDING, Status.DISPUTED)),
    "vote": (16, lambda book: book.status == Status.DISPUTED and book.referee is None),
    "rule_on_it": (6, lambda book: book.status == Status.DISPUTED and book.referee is not None),
    "finalize": (6, lambda book: book.status in (Status.PENDING, Status.DISPUTED)),
    "expire": (1, lambda book: book.status in (Status.AWAITING, *PROPOSABLE)),
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
    play_euro = load("contracts/PlayEuro.vy").deploy()
    escrow = load("contracts/Escrow.vy").deploy(play_euro, True)
    play_euro.set_escrow(escrow)
    contract = load("contracts/LmsrMarkets.vy").deploy(escrow, True, HOUR)
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
    window_ends_at: int = 0
    replaced: bool = False
    refused: bool = False
    disputed_at: int = 0
    dispute: Dispute | None = None  # of the bettors' votes
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

    def net(self, person: int) -> int:
        """The stake of a person's vote."""
        return abs(self.staked[person, YES] - self.staked[person, NO])

    def ends_at(self) -> int:
        """When what is proposed can be finalized; 0: never."""
        if self.status == Status.PENDING:
            return self.window_ends_at
        if self.status == Status.DISPUTED:
            return self.dispute.ends_at if self.referee is None else self.disputed_at + RULING
        return 0

    def would_be(self) -> Outcome | None:
        """What it would be finalized as; None: an early proposal would be refused."""
        if self.status != Status.DISPUTED:
            return self.outcome
        if self.referee is None:
            return self.dispute.conclusion
        return None if self.is_early() else INVALID

    def is_early(self) -> bool:
        return self.proposer is not None and self.proposed_at < self.due_at

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
            if referee is not None:
                self.accept(self.books[-1], referee, None, None)
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
            status = Status.OPEN if referee is None else Status.AWAITING
            self.books.append(Book(len(self.books) + 1, creator, referee, closes_at, due_at, window, status))
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

    def accept(self, book, m, outcome, late):
        if late is not None and m % 7 == 0 and book.status == Status.AWAITING:
            self.wait_until(book.closes_at + late)
        person = m if late is None and outcome is None else self.person(m, lambda p: p == book.referee)
        refusals = [
            ("lmsr: nothing to accept", book.status != Status.AWAITING),
            ("lmsr: not the referee", person != book.referee),
            ("lmsr: too late to accept", self.now >= book.closes_at),
        ]
        if self.act(refusals, "accept_referee", person, book.number):
            book.status = Status.OPEN
            self.check(book)

    def cancel(self, book, m, outcome, late):
        person = self.person(m, lambda p: p == book.creator)
        refusals = [
            ("lmsr: not the creator", person != book.creator),
            ("lmsr: too late to cancel", book.status != Status.AWAITING),
        ]
        if self.act(refusals, "cancel", person, book.number):
            self.settle(book, INVALID)

    def propose(self, book, m, outcome, late):
        bettors_turn = m // 5 % 3 == 1
        if not book.settled and (late is not None or m % 5):
            self.wait_until(book.due_at + (SILENCE if m % 49 == 0 else DAY if bettors_turn else 0) + (late or 0))
        person = self.person(m // 10, lambda p: book.has_bet(p) if bettors_turn else p == book.creator)
        self.say(book, person, outcome)

    def replace(self, book, m, outcome, late):
        """The proposer says something else, often at the end of the window."""
        if late is not None and book.status == Status.PENDING:
            self.wait_until(book.window_ends_at + late)
        self.say(book, self.person(m, lambda p: p == book.proposer), outcome)

    def say(self, book, person, outcome):
        is_creator, replaces = person == book.creator, book.status not in (Status.AWAITING, *PROPOSABLE)
        own = replaces and book.status == Status.PENDING and person == book.proposer
        refusals = [
            ("lmsr: referee has not accepted", book.status == Status.AWAITING),
            ("lmsr: already proposed", replaces and not own),
            ("lmsr: replaced already", own and book.replaced),
            ("lmsr: dispute window is over", own and self.now >= book.window_ends_at),
            ("lmsr: that is proposed already", own and outcome == book.outcome),
            ("lmsr: too late to propose", not own and self.now >= book.due_at + SILENCE),
            ("lmsr: result not due yet", not own and is_creator and book.refused and self.now < book.due_at),
            ("lmsr: not a bettor", not own and not is_creator and not book.has_bet(person)),
            ("lmsr: creator's day to propose", not own and not is_creator and self.now < book.due_at + DAY),
        ]
        if self.act(refusals, "propose", person, book.number, outcome):
            book.status, book.outcome = Status.PENDING, outcome
            book.proposer, book.proposed_at, book.replaced = person, self.now, own
            book.window_ends_at = window_end(self.now, book.due_at, book.window, by_creator=is_creator, replaces=own)
            self.check(book)

    def complain(self, book, m, outcome, late):
        if late is not None and m % 3 == 0:
            self.wait_until(book.ends_at() + late)
        person = self.person(m, lambda p: p != book.proposer and (book.has_bet(p) or p == book.creator))
        if outcome == book.outcome and m % 11:
            outcome = next(o for o in ANSWERS[m % 2 :] if o != book.outcome)
        first, later = book.status == Status.PENDING, book.status == Status.DISPUTED
        refusals = [
            ("lmsr: nothing to dispute", not first and not later),
            *self.not_a_voter(book, person),
            ("lmsr: that is proposed already", outcome == book.outcome),
            ("lmsr: dispute window is over", first and self.now >= book.window_ends_at),
            ("lmsr: dispute is over", later and self.now >= book.ends_at()),
            (
                "lmsr: too late to turn the vote",
                later and book.referee is None and self.too_late(book, person, outcome),
            ),
        ]
        if self.act(refusals, "complain", person, book.number, outcome, "No!"):
            if first:
                book.status, book.disputed_at = Status.DISPUTED, self.now
                book.dispute = Dispute(
                    book.outcome, book.bets * EUR, self.now, book.is_early(), book.net(book.proposer)
                )
            if book.referee is None:
                book.dispute.cast(person, outcome, book.net(person), self.now)
            self.check(book)

    def not_a_voter(self, book, person):
        return [
            ("lmsr: your own proposal", person == book.proposer),
            ("lmsr: not a bettor", person != book.creator and not book.has_bet(person)),
        ]

    def too_late(self, book, person, outcome) -> bool:
        """Whether a vote would turn the conclusion when only doubt counts."""
        if book.dispute is None or self.now >= book.dispute.ends_at:
            return False
        before = deepcopy(book.dispute)
        try:
            before.cast(person, outcome, book.net(person), self.now)
        except TooLate:
            return True
        return False

    def dispute_early(self, book, m, outcome, late):
        """The way to a market that is closed again, too long to be found often by chance."""
        if book.status in PROPOSABLE and not book.refused:
            self.say(book, book.creator, outcome)
        self.complain(book, m, NO if outcome == YES else YES, None)

    def vote(self, book, m, outcome, late):
        if late is not None and book.status == Status.DISPUTED:
            # Around the end as it is, or of the time when a vote can turn the conclusion.
            turns = book.disputed_at + 45 * HOUR
            self.wait_until((turns if m % 3 == 0 and turns < book.ends_at() else book.ends_at()) + late)
        person = self.person(m, lambda p: p != book.proposer and (book.has_bet(p) or p == book.creator))
        outcome = ANSWERS[m // 25 % 3]
        refusals = [
            ("lmsr: not disputed", book.status != Status.DISPUTED),
            ("lmsr: the referee decides", book.referee is not None),
            ("lmsr: dispute is over", self.now >= book.ends_at()),
            *self.not_a_voter(book, person),
            ("lmsr: too late to turn the vote", self.too_late(book, person, outcome)),
        ]
        if self.act(refusals, "vote", person, book.number, outcome):
            book.dispute.cast(person, outcome, book.net(person), self.now)
            self.check(book)

    def rule_on_it(self, book, m, outcome, late):
        if late is not None and m % 3 == 0 and book.status == Status.DISPUTED:
            self.wait_until(book.disputed_at + RULING + late)
        person = self.person(m, lambda p: p == book.referee)
        outcome = ANSWERS[m // 25 % 3]
        refusals = [
            ("lmsr: not disputed", book.status != Status.DISPUTED),
            ("lmsr: not the referee", person != book.referee),
            ("lmsr: dispute is over", self.now >= book.ends_at()),
        ]
        if self.act(refusals, "rule", person, book.number, outcome):
            self.conclude(book, None if book.is_early() and outcome != book.outcome else outcome)

    def finalize(self, book, m, outcome, late):
        if late is not None:
            self.wait_until(book.ends_at() + late)
        refusals = [
            ("lmsr: nothing to finalize", book.status not in (Status.PENDING, Status.DISPUTED)),
            ("lmsr: too early to finalize", self.now < book.ends_at()),
        ]
        if self.act(refusals, "finalize", m % (MEMBERS + 1), book.number):
            self.conclude(book, book.would_be())

    def expire(self, book, m, outcome, late):
        waits = book.status == Status.AWAITING
        if late is not None and not book.settled:
            self.wait_until((book.closes_at if waits else book.due_at + SILENCE) + late)
        refusals = [
            ("lmsr: still time to accept", waits and self.now < book.closes_at),
            ("lmsr: already proposed", not waits and book.status not in PROPOSABLE),
            ("lmsr: still time to propose", not waits and self.now < book.due_at + SILENCE),
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
        """A market is settled, or goes back to CLOSED where an early proposal was refused."""
        if outcome is None:
            book.status, book.outcome, book.refused = Status.CLOSED, None, True
            book.due_at = max(book.due_at, self.now)
            book.proposer, book.proposed_at, book.window_ends_at, book.replaced = None, 0, 0, False
            book.disputed_at, book.dispute = 0, None
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
        assert (stored.proposer, stored.proposed_at, stored.window_ends_at, stored.disputed_at) == (
            proposer,
            book.proposed_at,
            book.window_ends_at,
            book.disputed_at,
        )
        assert (stored.replaced, stored.early_refused) == (book.replaced, book.refused)
        tally = self.contract.tally(book.number)
        assert (tally.conclusion, tally.ends_at, tally.early) == (book.would_be() or 0, book.ends_at(), book.is_early())
        assert tally.staked == book.bets * EUR
        if book.dispute is not None and book.referee is None:
            assert tally.heads == list(book.dispute.heads.values())
            assert tally.stakes == list(book.dispute.stakes.values())
            assert tally.doubt_only_from == book.dispute.doubt_only_from
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
                if book.status in (Status.AWAITING, *PROPOSABLE):
                    self.expire(book, STRANGER, None, 0)
                assert book.settled
                self.claim_for(book, list(range(MEMBERS + 1)))
                assert book.pot == self.escrow.pot_balance(self.contract, book.number.to_bytes(32)) == 0
            balances = [self.escrow.balance_of(account) for account in self.addresses]
            assert balances == [self.balances[n] for n in range(MEMBERS + 1)]
            assert sum(balances) == MEMBERS * PURSE
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
