"""What waits for a person, at each stage of a market."""

import pytest

from tessera.chain import WAD, Outcome, Wallet
from tessera.chain.embedded import known_account
from tessera.chain.lmsr_markets import MarketCreated
from tessera.club.waiting import waiting_for
from tests.embedded_club import HOUR, TERMS, WINDOW
from tests.unit.club.conftest import refusal

DAY = 24 * HOUR


@pytest.fixture
def waits(world):
    """`waits(wallet)`: what waits for somebody now, as (kind, seconds until the deadline)."""

    def look(wallet: Wallet) -> list[tuple[str, int | None]]:
        world.node.index.sync()
        with world.node.index.snapshot() as snapshot:
            now = snapshot.head.timestamp
            items = waiting_for(snapshot, wallet.address, now)
        return [(item.kind, None if item.deadline is None else item.deadline - now) for item in items]

    return look


def test_nothing_waits_while_bets_are_taken(waits, market, bet, creator, bettor):
    bet(bettor, market, Outcome.YES)
    assert waits(creator) == waits(bettor) == []


def test_the_creator_proposes_when_the_result_is_due_and_bettors_a_day_later(
    world, waits, market, bet, creator, bettor, other_bettor, travel
):
    bet(bettor, market, Outcome.YES)
    due = world.tessera.markets.market(market).expected_result_at
    travel(due - world.web3.eth.get_block("latest")["timestamp"])
    world.web3.provider.ethereum_tester.mine_block()
    [(kind, left)] = waits(creator)
    assert (kind, 7 * DAY - 60 < left <= 7 * DAY) == ("propose", True)
    assert waits(bettor) == []
    travel(DAY)
    world.web3.provider.ethereum_tester.mine_block()
    assert [kind for kind, _ in waits(bettor)] == ["propose"]
    assert waits(other_bettor) == []  # who did not bet


def test_bettors_dispute_while_the_window_is_open_and_then_somebody_settles(
    world, waits, market, bet, creator, bettor, travel
):
    bet(bettor, market, Outcome.YES)
    travel(HOUR)
    world.tessera.markets.propose(creator, market, Outcome.NO)
    assert [kind for kind, _ in waits(bettor)] == ["dispute"]
    assert 0 < waits(bettor)[0][1] <= WINDOW
    assert waits(creator) == []
    travel(WINDOW)
    world.web3.provider.ethereum_tester.mine_block()
    assert waits(bettor) == waits(creator) == [("finalize", None)]


def test_who_has_not_voted_votes(world, waits, market, bet, creator, bettor, other_bettor, travel):
    bet(bettor, market, Outcome.YES)
    bet(other_bettor, market, Outcome.NO)
    travel(HOUR)
    world.tessera.markets.propose(creator, market, Outcome.NO)
    world.tessera.markets.complain(bettor, market, Outcome.YES, "It did rain.")
    assert [kind for kind, _ in waits(other_bettor)] == ["vote"]
    assert (
        waits(other_bettor)[0][1]
        == world.tessera.markets.tally(market).ends_at - world.web3.eth.get_block("latest")["timestamp"]
    )
    assert waits(bettor) == []
    assert waits(creator) == []
    world.tessera.markets.vote(other_bettor, market, Outcome.NO)
    assert waits(other_bettor) == []


def test_a_referee_accepts_and_rules(world, waits, creator, bettor, bet, travel):
    referee = Wallet(world.web3, known_account(4))
    now = world.web3.eth.get_block("latest")["timestamp"]
    created = world.tessera.markets.create_market(
        creator,
        TERMS,
        p0=WAD // 2,
        expected_result_at=now + HOUR,
        dispute_window=WINDOW,
        referee=referee.address,
    )
    market = created.event(MarketCreated).market_id
    assert [kind for kind, _ in waits(referee)] == ["accept"]
    world.tessera.markets.accept_referee(referee, market)
    assert waits(referee) == []
    bet(bettor, market, Outcome.YES)
    travel(HOUR)
    world.tessera.markets.propose(creator, market, Outcome.NO)
    world.tessera.markets.complain(bettor, market, Outcome.YES, "It did rain.")
    assert [kind for kind, _ in waits(referee)] == ["rule"]
    assert waits(bettor) == []


@pytest.mark.parametrize(("outcome", "winner"), [(Outcome.YES, True), (Outcome.NO, False), (Outcome.INVALID, True)])
def test_winnings_wait_until_they_are_paid(world, waits, market, bet, bettor, settle, outcome, winner):
    bet(bettor, market, Outcome.YES)
    settle(market, outcome)
    assert waits(bettor) == ([("claim", None)] if winner else [])
    if winner:
        world.tessera.markets.claim(bettor, market)
        assert waits(bettor) == []


def test_the_list_is_a_members_own(world):
    assert refusal(world.client.get("/club/waiting")) == (401, "no_session")
    phone = world.member()
    world.node.index.sync()
    phone.sign_in()
    assert world.client.get("/club/waiting").json()["items"] == []
