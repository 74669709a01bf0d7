"""Staked tickets from the index beside the contracts: histories by chance, withdrawals that forfeit included."""

import random

import boa
import pytest
from boa import BoaError
from web3 import Web3

from tessera.chain import ChainError
from tessera.chain.deployments import Deployed, Deployment
from tessera.index import Index, Snapshot
from tests.prize_system import MIN_BLOCKS, USD, PrizeSystem, block_number, refusing
from tests.unit.index.node import CHAIN_ID, Mined, Node

PEOPLE = 5


class Recorder:
    """A node that hands on what the staking contracts log, in the blocks in which they log it."""

    def __init__(self, system: PrizeSystem):
        self.system, self.node = system, Node()
        parts = {"StakingPool": system.pool, "PredictionEvents": system.events, "PrizePool": system.prizes}
        contracts = {name: Deployed(part.address, 1, [], "0x", "0x", "", "", None) for name, part in parts.items()}
        self.index = Index("sqlite://", self.node.web3, Deployment("test", CHAIN_ID, {}, contracts))
        self.heard = True

    def note(self, entries=()) -> None:
        """Blocks up to the present one, with a transaction's logs in it."""
        while len(self.node.blocks) <= block_number():
            self.node.mine([])
        logs = tuple(
            {
                "address": Web3.to_checksum_address(address),
                "topics": ["0x" + topic.to_bytes(32, "big").hex() for topic in topics],
                "data": Web3.to_hex(data),
            }
            for _, address, topics, data in entries
        )
        last = self.node.blocks[-1]
        self.node.blocks[-1] = Mined(last.hash, boa.env.timestamp, last.logs + logs)

    def attempt(self, call, *arguments, **options) -> list[str]:
        """The events that a call would log; none where it is refused. Nothing of it stays."""
        self.heard = False
        try:
            with boa.env.anchor():
                call(*arguments, **options)
                return [type(log).__name__ for log in self.system.events.get_logs()]
        except BoaError:
            return []
        finally:
            self.heard = True

    def synced(self):
        """A snapshot of now; what happens next is in a later block."""
        self.note()
        self.index.sync()
        self.system.mine(1)
        return self.index.snapshot()


@pytest.fixture
def recorder(system, monkeypatch) -> Recorder:
    recorder, execute = Recorder(system), boa.env.execute_code

    def execute_and_note(*arguments, **options):
        done = execute(*arguments, **options)
        if options["is_modifying"] and not options["simulate"] and not done.is_error and recorder.heard:
            recorder.note(done.get_raw_log_entries())
        return done

    monkeypatch.setattr(boa.env, "execute_code", execute_and_note)
    return recorder


@pytest.fixture
def people(system, recorder) -> list[str]:
    return [system.newcomer() for _ in range(PEOPLE)]


def act(system: PrizeSystem, people: list[str], events: list[int], rng: random.Random) -> None:
    """One thing that somebody does or tries."""
    who, asset, event_id = rng.choice(people), rng.choice((system.usdc, system.dai)), rng.choice(events)
    try:
        match rng.choice(("stake", "predict", "predict", "predict", "withdraw", "forfeit", "purge", "wait")):
            case "stake":
                system.pool.stake(asset, rng.randrange(1, 500) * system.unit(asset), sender=who)
            case "predict":
                system.events.predict(event_id, rng.randrange(2), sender=who)
            case "withdraw":
                system.pool.withdraw(asset, system.pool.principal_of(who, asset) // rng.choice((1, 2)), 0, sender=who)
            case "forfeit":
                with refusing(system.events):
                    system.pool.withdraw(
                        asset, system.pool.principal_of(who, asset) // rng.choice((1, 3)), 0, sender=who
                    )
            case "purge":
                system.events.purge(event_id, who)
            case "wait":
                system.mine(rng.randrange(40))
    except BoaError:
        pass  # what the contracts refuse is no part of the history


def check(snapshot: Snapshot, recorder: Recorder, people: list[str], events: list[int]) -> None:
    """The index says what the contracts say, and what they would do."""
    system = recorder.system
    purgeable = {(one.event_id, one.account) for one in snapshot.forfeited()}
    for event_id in events:
        predictions = {one.account: one for one in snapshot.predictors(event_id)}
        winners = {one.account: one for one in snapshot.winners(event_id)}
        for who in people:
            exists, outcome = system.events.prediction_of(event_id, who)
            assert (who in predictions) == exists
            if exists:
                assert predictions[who].outcome == outcome
            would_purge = bool(recorder.attempt(system.events.purge, event_id, who))
            assert ((event_id, who) in purgeable) == would_purge
            would_pay = recorder.attempt(system.events.claim, event_id, who)
            assert (who in winners) == bool(would_pay)
            if who in winners:
                assert winners[who].forfeited == ("ForfeitClaimed" in would_pay)
        info, result = system.events.event_info(event_id), system.events.result_of(event_id)
        event = snapshot.event(event_id)
        assert event in snapshot.events()
        assert (event.start_block, event.stop_block, event.e0) == (info.start_block, info.stop_block, info.e0)
        assert (event.is_settled, event.prize, event.unpaid) == (result[0], result[2], result[3])
        assert event.outcome == (result[1] if result[0] and result[1] < 2**255 else None)
    for who in people:
        mine = snapshot.portfolio(who)
        assert mine.stake == system.pool.stake_of(who)
        principal = {one.asset: one.amount for one in mine.principal}
        for asset in (system.usdc, system.dai):
            assert principal.get(asset.address, 0) == system.pool.principal_of(who, asset)
        standing = {(one.event_id, one.outcome, one.forfeited) for one in mine.predictions}
        assert standing == {
            (one.event_id, one.outcome, one.forfeited)
            for event_id in events
            for one in snapshot.predictors(event_id)
            if one.account == who
        }


@pytest.mark.parametrize("seed", range(3))
def test_histories_by_chance(system, recorder, people, seed):
    rng = random.Random(seed)
    for who in people:
        system.pool.stake(system.usdc, 1_000 * USD, sender=who)
    events = [system.create_event(blocks=MIN_BLOCKS), system.create_event(blocks=3 * MIN_BLOCKS)]
    for _ in range(2):
        for _ in range(30):
            act(system, people, events, rng)
        with recorder.synced() as snapshot:
            check(snapshot, recorder, people, events)
    before = {who: system.usdc.balanceOf(who) for who in people}
    for event_id in events:
        system.revenue(7_777_777)
        system.finish(event_id, 0)
    with recorder.synced() as snapshot:
        check(snapshot, recorder, people, events)
        assert len(snapshot.prize_history()) == system.prizes.period() - snapshot.prize_history()[0].period
    system.events.claim_many(events[0], people[:3])
    with recorder.synced() as snapshot:
        check(snapshot, recorder, people, events)
    for event_id in events:
        system.events.claim_many(event_id, people)
    with recorder.synced() as snapshot:
        check(snapshot, recorder, people, events)
        assert [event.unpaid for event in snapshot.events()] == [0, 0]
        for who in people:
            prizes = sum(prize.amount for prize in snapshot.portfolio(who).prizes)
            assert prizes == system.usdc.balanceOf(who) - before[who]


def test_revalued_stake_counts_what_it_is_worth_and_stays_owed(system, recorder, people):
    """The stake comes from the last log that says it, also where that is no stake and no withdrawal."""
    system.pool.stake(system.usdc, 1_000 * USD, sender=people[0])
    event_id = system.create_event()
    system.lose(system.usdc, 400 * USD)
    system.pool.note_loss(system.usdc)
    system.wait_until(boa.env.timestamp + 86_400)
    system.pool.revalue(people[0], system.usdc)
    with recorder.synced() as snapshot:
        mine = snapshot.portfolio(people[0])
        assert (mine.stake, mine.principal[0].amount) == (600 * USD, 1_000 * USD)
        check(snapshot, recorder, people, [event_id])
    system.pool.withdraw(system.usdc, 500 * USD, 0, sender=people[0])
    with recorder.synced() as snapshot:
        assert snapshot.portfolio(people[0]).stake == 300 * USD
        check(snapshot, recorder, people, [event_id])


def test_an_event_without_winners_and_one_without_a_result(system, recorder, people):
    for who in people:
        system.pool.stake(system.usdc, 1_000 * USD, sender=who)
    events = [system.create_event(blocks=MIN_BLOCKS), system.create_event(blocks=MIN_BLOCKS)]
    for event_id in events:
        system.events.predict(event_id, 1, sender=people[0])
    with recorder.synced() as snapshot:
        assert [event.is_open for event in snapshot.events()] == [True, True]
    system.revenue(10**9)
    system.finish(events[0], 0)
    system.wait_until(system.events.event_info(events[1]).result_deadline + 1)
    system.events.settle(events[1])
    with recorder.synced() as snapshot:
        check(snapshot, recorder, people, events)
        assert [event.outcome for event in snapshot.events()] == [0, None]
        assert [(event.is_open, event.prize, event.tickets) for event in snapshot.events()] == [(False, 0, 0)] * 2
        assert [event.is_settled for event in snapshot.events()] == [True, True]


def test_a_stop_block_and_an_expected_end_close_an_event(system, recorder, people):
    by_block, by_clock = system.create_event(blocks=MIN_BLOCKS), system.create_event(blocks=MIN_BLOCKS)
    with boa.env.anchor():
        boa.env.evm.patch.block_number += MIN_BLOCKS
        with recorder.synced() as snapshot:
            assert not snapshot.event(by_block).is_open
    recorder.node.drop(MIN_BLOCKS)
    boa.env.timestamp = system.events.event_info(by_clock).not_before
    with recorder.synced() as snapshot:
        assert not snapshot.event(by_clock).is_open
        assert snapshot.head.number < snapshot.event(by_clock).stop_block


def test_no_such_event(system, recorder, people):
    system.create_event()
    with recorder.synced() as snapshot:
        for ask in (snapshot.event, snapshot.predictors, snapshot.winners):
            with pytest.raises(ChainError, match="there is no event 2"):
                ask(2)
