"""Friends' markets from the index beside the contracts on the embedded chain, at every step of their lives."""

import pytest

from tessera.accounting.profit import results
from tessera.chain import EUR, WAD, ChainError, Outcome, price_history
from tessera.chain.escrow import Entry, Kind
from tessera.chain.lmsr_markets import BetPlaced, Status
from tessera.index import Index, Snapshot
from tests.embedded_club import HOUR, TERMS, WINDOW


@pytest.fixture
def index(tessera) -> Index:
    return Index("sqlite://", tessera.web3, tessera.deployment)


@pytest.fixture
def check(tessera, index, creator, bettor, other_bettor):
    """Returns what compares the whole index with contracts and logs, and hands out the snapshot's answers."""

    def compare(snapshot: Snapshot) -> None:
        rows = list(tessera.log_reader().read())
        product = tessera.markets.address
        shown = snapshot.markets()
        assert [one.market_id for one in shown] == list(range(1, tessera.markets.market_count() + 1))
        for one in shown:
            stored = tessera.markets.market(one.market_id)
            assert (one.status, one.outcome) == (stored.status, stored.outcome)
            assert (one.creator, one.b, one.bets, one.staked) == (
                stored.creator,
                stored.b,
                stored.bets,
                stored.bets * EUR,
            )
            assert (one.closes_at, one.expected_result_at) == (stored.closes_at, stored.expected_result_at)
            # Two prices of one state, computed in different ways, are each less than 2 units off.
            assert abs(one.p_yes - tessera.markets.prices(one.market_id)[Outcome.YES]) <= 4
            history = [(point.timestamp, point.p_yes) for point in snapshot.price_history(one.market_id)]
            assert history == price_history(rows, one.market_id)
            assert snapshot.market(one.market_id) == one
        standings = {one.account: one for one in snapshot.leaderboard()}
        assert {a: one.profit for a, one in standings.items()} == {
            a: r.profit for a, r in results(rows, product).items()
        }
        assert [one.profit for one in standings.values()] == sorted(
            (one.profit for one in standings.values()), reverse=True
        )
        # All that was put in is somebody's: but for what each market's sums are rounded down by.
        left_over = -sum(one.profit + one.running for one in standings.values())
        assert 0 <= left_over <= 3 * len(shown)
        people = [who.address for who in (creator, bettor, other_bettor)]
        entries = {row.account: row for row in rows if isinstance(row, Entry) and row.account in people}
        assert snapshot.newest(Entry, "account", [*people, product]) == entries
        for who in (creator, bettor, other_bettor):
            mine = snapshot.portfolio(who.address)
            assert (
                mine.balance == tessera.escrow.balance_of(who.address) == snapshot.ledger(who.address)[-1].balance_after
            )
            assert mine.profit == mine.got - mine.put_in == sum(one.profit for one in mine.markets)
            for one in mine.markets:
                by_pot = results(rows, product, one.market_id)[who.address]
                assert (one.put_in, one.got) == (by_pot.put_in, by_pot.got)
                position = tessera.markets.position(one.market_id, who.address)
                if one.got == 0:
                    assert {Outcome.YES: one.yes_shares, Outcome.NO: one.no_shares} == position.shares
                    assert (one.yes_odds, one.no_odds) == tuple(map(position.average_odds, (Outcome.YES, Outcome.NO)))

    def check_now() -> None:
        index.sync()
        with index.snapshot() as snapshot:
            compare(snapshot)

    return check_now


@pytest.fixture
def pass_time(tessera, travel):
    """Returns what lets time pass up to a block in which nothing else happens."""

    def go(seconds: int) -> None:
        travel(seconds)
        tessera.web3.provider.ethereum_tester.mine_block()

    return go


def test_a_disputed_market(tessera, creator, bettor, other_bettor, market, bet, pass_time, check, index):
    bet(bettor, market, Outcome.YES)
    bet(other_bettor, market, Outcome.NO)
    bet(bettor, market, Outcome.YES)
    check()
    pass_time(HOUR)
    check()
    tessera.markets.propose(creator, market, Outcome.NO)
    check()
    tessera.markets.propose(creator, market, Outcome.YES)
    check()
    tessera.markets.complain(other_bettor, market, Outcome.NO, "It was fog")
    check()
    tessera.markets.vote(bettor, market, Outcome.YES)
    pass_time(24 * HOUR)
    check()
    tessera.markets.finalize(creator, market)
    check()
    tessera.markets.claim(bettor, market)
    check()
    with index.snapshot() as snapshot:
        assert snapshot.market(market).status == Status.RESOLVED
        assert snapshot.leaderboard()[0].account == bettor.address
        assert sum(one.profit for one in snapshot.leaderboard()) == 0


def test_a_market_that_is_reopened_and_then_void(
    tessera,
    creator,
    bettor,
    other_bettor,
    market,
    bet,
    pass_time,
    check,
    index,
):
    due_at = tessera.markets.market(market).expected_result_at
    tessera.markets.create_market(other_bettor, TERMS, p0=WAD // 2, expected_result_at=due_at, dispute_window=WINDOW)
    tessera.markets.close(other_bettor, market + 1)
    bet(bettor, market, Outcome.YES)
    bet(other_bettor, market, Outcome.YES)
    tessera.markets.propose(creator, market, Outcome.INVALID)
    check()
    tessera.markets.complain(bettor, market, Outcome.YES, "Too early")
    tessera.markets.vote(bettor, market, Outcome.YES)
    pass_time(24 * HOUR)
    tessera.markets.finalize(creator, market)
    assert tessera.markets.market(market).expected_result_at > due_at
    check()
    pass_time(7 * 24 * HOUR)
    tessera.markets.expire(creator, market)
    tessera.markets.claim_many(creator, market, [bettor.address, other_bettor.address])
    check()
    with index.snapshot() as snapshot:
        assert [one.status for one in snapshot.markets()] == [Status.INVALID, Status.CLOSED]
        assert [one.brier for one in snapshot.leaderboard()] == [None] * 3


def test_the_brier_score_by_hand(tessera, bettor, other_bettor, market, bet, settle, index):
    """The probability at which a bet breaks even is stake over shares."""
    shares = [
        bet(who, market, side).event(BetPlaced).shares / WAD
        for who, side in ((bettor, Outcome.YES), (other_bettor, Outcome.NO), (bettor, Outcome.NO))
    ]
    settle(market, Outcome.YES)
    index.sync()
    with index.snapshot() as snapshot:
        shown = {one.account: (one.bets, one.brier) for one in snapshot.leaderboard()}
    right, wrong, again = ((1 / each - hit) ** 2 for each, hit in zip(shares, (1, 0, 0), strict=True))
    assert shown[other_bettor.address] == (1, pytest.approx(wrong, rel=1e-12))
    assert shown[bettor.address] == (2, pytest.approx((right + again) / 2, rel=1e-12))


def test_a_ledger_in_pages(tessera, bettor, market, bet, index):
    for _ in range(3):
        bet(bettor, market, Outcome.YES)
    tessera.escrow.withdraw(bettor, 5 * EUR)
    index.sync()
    with index.snapshot() as snapshot:
        lines = snapshot.ledger(bettor.address)
        assert [(one.kind, one.amount) for one in lines] == [
            (Kind.DEPOSIT, 50 * EUR),
            *[(Kind.BET_DEBIT, EUR)] * 3,
            (Kind.WITHDRAWAL, 5 * EUR),
        ]
        assert [one.pot for one in lines[1:4]] == [market] * 3
        assert snapshot.ledger(bettor.address, offset=1, limit=2) == lines[1:3]
        assert snapshot.ledger(bettor.address, offset=4, limit=9) == lines[4:]
        assert snapshot.count(Entry, account=bettor.address) == 5


@pytest.mark.parametrize("limit", [1, 2, 3, 9, None])
@pytest.mark.parametrize("offset", range(6))
def test_a_page_of_prices_is_that_part_of_all(index, bettor, other_bettor, market, bet, offset, limit):
    for who, side in ((bettor, Outcome.YES), (other_bettor, Outcome.NO), (bettor, Outcome.YES)):
        bet(who, market, side)
    index.sync()
    with index.snapshot() as snapshot:
        whole = snapshot.price_history(market)
        assert len(set(whole)) == 4
        end = None if limit is None else offset + limit
        assert snapshot.price_history(market, offset=offset, limit=limit) == whole[offset:end]


def test_what_is_not_there(tessera, stranger, index):
    index.sync()
    with index.snapshot() as snapshot:
        for ask in (snapshot.market, snapshot.price_history):
            with pytest.raises(ChainError, match="there is no market 1"):
                ask(1)
        nobody = snapshot.portfolio(stranger.address)
        assert (nobody.balance, nobody.profit, nobody.markets, nobody.prizes) == (0, 0, [], [])
        assert snapshot.ledger(stranger.address) == snapshot.leaderboard() == []
