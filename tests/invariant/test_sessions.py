"""Invariants 1, 7 and 8 of sessions: money of both sides is constant, ends with who it belongs to, and nothing stays.

Two players, two streams' houses, observers and strangers act in any order: co-signed states of any content (also
nonsense that honest sides never sign), agreements, exits, challenges, proofs, results, top-ups, exclusions. After each
step a stream's pot is its free bankroll and what its open sessions hold. At the end everybody may be gone: a stranger
ends every session by what was logged, and every unit is withdrawn.
"""

import boa
import pytest
from eth_utils import keccak
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tessera.model.sessions import record, states
from tessera.model.sessions.states import Exclusion
from tessera.model.sessions.typed import OpenBet, State
from tests.machines import run
from tests.sessions import (
    CLOSED,
    EUR,
    EXITING,
    NO_BOOK,
    NO_POST,
    NO_RECEIPT,
    NO_SIGNATURE,
    OPEN,
    House,
    deployed_house,
    key,
    sign,
)

DAY = 86_400
START = 1_800_000_000
PLAYERS = [key("player A"), key("player B")]
KEYS = [key("session key A"), key("session key B")]
STRANGER = key("stranger")
QUESTIONS = 3
PURSE = 200 * EUR

who = st.integers(0, 1)
nets = st.one_of(st.integers(-20 * EUR, 40 * EUR), st.sampled_from([0, 2**255 - 1, -(2**255), 30 * EUR, -15 * EUR]))
amounts = st.one_of(st.integers(1, 6 * EUR), st.sampled_from([0, 2**128, 2**256 - 1]))
bets = st.lists(st.tuples(st.integers(0, QUESTIONS - 1), st.integers(0, 16), amounts, amounts), max_size=4)
outcomes = st.sampled_from([0, 1, 2, 15, 16, 17, 2**256 - 1])


@pytest.fixture(scope="module")
def houses():
    """Two streams of one contract, each with its own operator, and the coin's Escrow."""
    boa.env.enable_fast_mode()
    boa.env.evm.patch.chain_id = 31_337
    boa.env.evm.patch.timestamp = START
    return deployed_house(PLAYERS, PURSE, streams=2)


class SessionsMachine(RuleBasedStateMachine):
    houses: list[House]

    def __init__(self):
        super().__init__()
        self.chain = boa.env.anchor()
        self.chain.__enter__()
        boa.env.evm.patch.timestamp = START
        self.micro, self.escrow = self.houses[0].micro, self.houses[0].escrow
        self.sessions = {}  # id -> (house, player's number, offer, top-ups)
        self.signed = {}  # id -> states that both signed
        self.posted = {}  # id -> (state, whether its newest bet counts)
        self.results = {}  # (stream, question's number) -> outcome
        self.exclusions = {}
        self.questions = [
            [house.question(f"question {i}", lock_in=60 * (i + 1), due_in=1_800 * (i + 1)) for i in range(QUESTIONS)]
            for house in self.houses
        ]

    @property
    def now(self) -> int:
        return boa.env.evm.patch.timestamp

    @initialize()
    def begin(self):
        for number in (0, 1):
            self.opens(number, 0, 20 * EUR, 30 * EUR)

    @rule(number=who, stream=who, deposit=st.integers(1, 30 * EUR), lock=st.integers(0, 40 * EUR))
    def opens(self, number, stream, deposit, lock):
        house = self.houses[stream]
        offer = house.offer(
            PLAYERS[number].address, KEYS[number].address, deposit=deposit, house_lock=lock, salt=len(self.sessions)
        )
        if self.excluded(number):
            with boa.reverts("micro: self-excluded"):
                house.open(offer)
            return
        free, room = self.micro.stream(house.stream_id)[1:3]
        if deposit + offer.activation > self.escrow.balance_of(offer.player) or lock > free or -(-lock // EUR) > room:
            with boa.reverts():
                house.open(offer)
            return
        session = house.open(offer)
        self.sessions[session] = [house, number, offer, 0]
        self.signed[session] = [State(), states.activation(State())]

    def running(self, stage=(OPEN, EXITING)):
        return [one for one in self.sessions if self.micro.session(one)[0] in stage]

    def pick(self, data, stage=(OPEN, EXITING)):
        candidates = self.running(stage)
        return data.draw(st.sampled_from(candidates)) if candidates else None

    @rule(data=st.data(), net=nets, content=bets, activated=st.booleans())
    def both_sign_a_state(self, data, net, content, activated):
        session = self.pick(data)
        if session is None:
            return
        house = self.sessions[session][0]
        asked = self.questions[self.houses.index(house)]
        open_bets = tuple(
            OpenBet(
                house.domain.digest(asked[i]), keccak(b"quote"), asked[i].lock, asked[i].report_by, choice, stake, owed
            )
            for i, choice, stake, owed in content
        )
        seq = self.signed[session][-1].seq + data.draw(st.integers(1, 3))
        self.signed[session].append(State(seq, self.signed[session][-1].seq, net, activated, open_bets))

    @rule(data=st.data(), amount=st.integers(1, 10 * EUR))
    def tops_up(self, data, amount):
        session = self.pick(data)
        if session is None:
            return
        _, number, offer, _ = self.sessions[session]
        try:
            self.micro.top_up(offer.words, amount, sender=offer.player)
        except boa.BoaError:
            assert (
                self.micro.session(session)[0] != OPEN
                or self.now >= offer.expires_at
                or self.excluded(number)
                or amount > self.escrow.balance_of(offer.player)
            )
        else:
            self.sessions[session][3] += amount

    def excluded(self, number) -> bool:
        return self.now < self.exclusions.get(number, (0, 0))[1]

    @rule(number=who, seconds=st.integers(1, 3 * DAY))
    def excludes_self(self, number, seconds):
        start, end = self.exclusions.get(number, (0, 0))
        if self.now + seconds <= end:
            with boa.reverts("micro: exclusion only later"):
                self.micro.exclude_self(self.now + seconds, sender=PLAYERS[number].address)
            return
        self.micro.exclude_self(self.now + seconds, sender=PLAYERS[number].address)
        self.exclusions[number] = (start if self.now < end else self.now, self.now + seconds)

    @rule(data=st.data(), net=nets, activated=st.booleans())
    def both_agree_to_close(self, data, net, activated):
        session = self.pick(data)
        if session is None:
            return
        house, number, offer, top_ups = self.sessions[session]
        agreed = house.close(KEYS[number], session, net, activated, self.now)
        self.ends(
            session,
            states.settle(offer, net, activated, top_ups),
            lambda: self.micro.close(
                offer.words, net, activated, self.now, agreed, NO_SIGNATURE, sender=house.operator.address
            ),
        )

    @rule(data=st.data(), by_player=st.booleans(), newest=st.booleans())
    def somebody_posts(self, data, by_player, newest):
        session = self.pick(data)
        if session is None:
            return
        house, number, offer, _ = self.sessions[session]
        state = self.signed[session][-1] if newest else data.draw(st.sampled_from(self.signed[session]))
        stage, _, first_end, end, was_by_player, _, seq = self.micro.session(session)
        signature = sign(KEYS[number], house.state_hash(session, state)) if state.seq else NO_SIGNATURE
        receipt = house.receipt(session, state) if state.seq else NO_RECEIPT
        arguments = (offer.words, state.fields, signature, receipt, NO_BOOK, NO_POST)
        sender = (PLAYERS[number] if by_player else house.operator).address
        if stage == OPEN:
            self.micro.start_exit(*arguments, sender=sender)
        else:
            same = by_player and not was_by_player and state == self.posted[session][0]
            in_time = self.now < (end if by_player else first_end)
            if self.now >= end or not ((state.seq > seq and in_time) or same):
                with boa.reverts():
                    self.micro.challenge(*arguments, sender=sender)
                return
            self.micro.challenge(*arguments, sender=sender)
        self.posted[session] = (state, by_player)

    @rule(data=st.data(), stream=who, question=st.integers(0, QUESTIONS - 1), outcome=outcomes)
    def observers_report(self, data, stream, question, outcome):
        house, asked = self.houses[stream], self.questions[stream][question]
        opens, deadline = -(-asked.lock // 1_000), asked.report_by // 1_000
        house.result(asked, outcome)
        if opens <= self.now <= deadline:
            self.results.setdefault((stream, question), outcome)

    @rule(data=st.data())
    def somebody_proves(self, data):
        session = self.pick(data, (EXITING,))
        if session is None:
            return
        house, _, offer, _ = self.sessions[session]
        state, _ = self.posted[session]
        if not state.open_bets:
            return
        newest = state.open_bets[-1]
        leaf = house.state_hash(session, state)
        leaves = [keccak(b"another"), leaf]
        root = record.book_root(leaves)
        house.report(record.book_key(newest.question, root), newest.lock, newest.report_by, 1)
        book = (root, record.book_proof(leaves, leaf))
        if newest.lock // 1_000 <= self.now <= newest.report_by // 1_000:
            self.micro.prove(offer.words, state.fields, book)
            self.posted[session] = (state, True)
        else:
            with boa.reverts("micro: no such book"):
                self.micro.prove(offer.words, state.fields, book)

    @rule(data=st.data())
    def somebody_finalizes(self, data):
        session = self.pick(data, (EXITING,))
        if session is not None:
            self.finalize(session)

    def finalize(self, session) -> bool:
        house, number, offer, top_ups = self.sessions[session]
        state, counts = self.posted[session]
        exclusion = Exclusion(*self.exclusions.get(number, (0, 0)))
        stream = self.houses.index(house)
        by_hash = {house.domain.digest(one): i for i, one in enumerate(self.questions[stream])}
        if self.now < states.ready_at(offer, state, self.micro.session(session)[3], counts, exclusion):
            with boa.reverts("micro: too early to finalize"):
                self.micro.finalize(offer.words, state.fields, sender=STRANGER.address)
            return False
        expected = states.finalized(
            offer,
            state,
            lambda bet: self.results.get((stream, by_hash[bet.question])),
            counts,
            top_ups,
            exclusion,
        )
        self.ends(
            session,
            expected,
            lambda: self.micro.finalize(offer.words, state.fields, sender=STRANGER.address),
        )
        return True

    def ends(self, session, expected, act) -> None:
        """A session ends: what both sides put in is what both get."""
        house, _, offer, top_ups = self.sessions[session]
        before, free = self.escrow.balance_of(offer.player), self.micro.stream(house.stream_id)[1]
        act()
        assert self.escrow.balance_of(offer.player) - before == expected.paid
        assert self.micro.stream(house.stream_id)[1] - free == expected.house
        put_in = offer.deposit + top_ups + offer.activation + offer.house_lock
        assert expected.paid + expected.house == put_in
        assert self.micro.session(session)[0] in (0, CLOSED)

    @rule(stream=who, amount=st.integers(1, 50 * EUR), into=st.booleans())
    def the_operator_moves_bankroll(self, stream, amount, into):
        house = self.houses[stream]
        free = self.micro.stream(house.stream_id)[1]
        operator = house.operator.address
        if into and amount <= self.escrow.balance_of(operator):
            self.micro.fund_stream(house.stream_id, amount, sender=operator)
        elif not into and amount <= free:
            self.micro.withdraw_bankroll(house.stream_id, amount, sender=operator)

    @rule(seconds=st.sampled_from([1, 59, 600, 1_800, 3_600, DAY // 2, DAY]))
    def time_passes(self, seconds):
        boa.env.evm.patch.timestamp += seconds

    @invariant()
    def each_pot_is_bankroll_and_sessions(self):
        for house in self.houses:
            open_now = [self.sessions[one] for one in self.running() if self.sessions[one][0] is house]
            inside = sum(
                offer.deposit + top_ups + offer.activation + offer.house_lock for _, _, offer, top_ups in open_now
            )
            _, free, room, _ = self.micro.stream(house.stream_id)
            assert self.escrow.pot_balance(self.micro, house.stream_id.to_bytes(32)) == free + inside
            assert room == house.lock_cap - sum(-(-offer.house_lock // EUR) for _, _, offer, _ in open_now)

    def teardown(self):
        try:
            # Everybody is gone. A stranger ends every session, whatever its state.
            boa.env.evm.patch.timestamp += 60 * DAY
            for session in self.running((OPEN,)):
                house, _, offer, _ = self.sessions[session]
                arguments = (offer.words, State().fields, NO_SIGNATURE, NO_RECEIPT, NO_BOOK, NO_POST)
                self.micro.start_exit(*arguments, sender=STRANGER.address)
                self.posted[session] = (State(), False)
            boa.env.evm.patch.timestamp += 60 * DAY
            for session in self.running((EXITING,)):
                assert self.finalize(session)
            for house in self.houses:
                operator, free = house.operator.address, self.micro.stream(house.stream_id)[1]
                if free:
                    self.micro.withdraw_bankroll(house.stream_id, free, sender=operator)
                assert self.escrow.pot_balance(self.micro, house.stream_id.to_bytes(32)) == 0
        finally:
            self.chain.__exit__(None, None, None)


def test_money_of_both_sides_is_constant(houses):
    run(SessionsMachine, {"houses": houses}, examples=25, steps=25)


@pytest.mark.campaign
def test_money_of_both_sides_is_constant_for_long(houses):
    run(SessionsMachine, {"houses": houses}, examples=400, steps=60, derandomize=False)
