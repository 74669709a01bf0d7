"""Profit and loss, the ledger against the chain, and the price history: all from logs."""

from dataclasses import replace

import pytest

from tessera.accounting.ledger import LedgerError
from tessera.accounting.profit import Result, ledger_differences, results
from tessera.chain import EUR, WAD, Outcome, price_history
from tessera.chain.escrow import Entry, Kind


def rows_of(tessera):
    return list(tessera.log_reader().read())


@pytest.fixture
def two_bets(tessera, bettor, other_bettor, market, bet):
    bet(bettor, market, Outcome.YES)
    bet(other_bettor, market, Outcome.NO)
    bet(bettor, market, Outcome.NO)


@pytest.mark.usefixtures("two_bets")
@pytest.mark.parametrize("outcome", [Outcome.YES, Outcome.NO, Outcome.INVALID])
def test_profit_from_logs_is_the_position_s_and_the_balance_s(
    tessera, creator, bettor, other_bettor, market, settle, outcome
):
    people = [bettor.address, other_bettor.address]
    foreseen = {one: tessera.markets.position(market, one).profit(outcome) for one in people}
    foreseen[creator.address] = tessera.markets.exposure(market)[outcome]
    settle(market, outcome)
    tessera.markets.claim_many(creator, market, people)

    computed = results(rows_of(tessera), tessera.markets.address, market)
    assert {one: result.profit for one, result in computed.items()} == foreseen
    assert foreseen == {one: tessera.escrow.balance_of(one) - 50 * EUR for one in foreseen}
    assert sum(foreseen.values()) == 0
    assert computed[bettor.address].put_in == 2 * EUR
    assert computed[creator.address].put_in == 10 * EUR


@pytest.mark.usefixtures("two_bets")
def test_deposits_and_withdrawals_are_no_result(tessera, bettor, market):
    tessera.escrow.withdraw(bettor, 5 * EUR)
    assert results(rows_of(tessera), tessera.markets.address)[bettor.address] == Result(put_in=2 * EUR, got=0)


@pytest.mark.usefixtures("two_bets")
def test_results_of_a_pot_leave_the_others_out(tessera, bettor, market):
    rows = rows_of(tessera)
    assert results(rows, tessera.markets.address, market + 1) == {}
    assert results(rows, tessera.escrow.address) == {}


@pytest.mark.usefixtures("two_bets")
def test_the_ledger_of_the_logs_is_the_chain_s(tessera, creator, bettor, other_bettor, market, settle):
    half_way = tessera.web3.eth.block_number
    assert ledger_differences(tessera.escrow, rows_of(tessera), half_way) == []
    settle(market, Outcome.YES)
    tessera.markets.claim(bettor, market)
    tessera.escrow.withdraw(bettor, EUR)
    rows = rows_of(tessera)
    assert ledger_differences(tessera.escrow, rows, tessera.web3.eth.block_number) == []
    assert ledger_differences(tessera.escrow, rows, half_way) == []


@pytest.mark.usefixtures("two_bets")
def test_a_ledger_that_lacks_the_last_entry_differs(tessera, bettor, market):
    rows = rows_of(tessera)
    *others, last = [row for row in rows if isinstance(row, Entry)]
    assert ledger_differences(tessera.escrow, others, tessera.web3.eth.block_number) == [
        f"balance of {bettor.address}: {49 * EUR} by the logs, {48 * EUR} on chain",
        f"pot {market} of {tessera.markets.address}: {12 * EUR} by the logs, {13 * EUR} on chain",
    ]
    with pytest.raises(LedgerError):
        ledger_differences(tessera.escrow, [*others, replace(last, amount=2 * EUR)], last.block)
    forged = replace(last, kind=Kind.DEPOSIT, amount=100 * EUR, balance_after=149 * EUR)
    computed = ledger_differences(tessera.escrow, [*others, forged], last.block)
    assert f"the Escrow holds {150 * EUR} and owes {250 * EUR}" in computed


@pytest.mark.usefixtures("two_bets")
def test_price_history_starts_at_p0_and_ends_at_the_price(tessera, market):
    history = price_history(rows_of(tessera), market)
    prices = [point.p_yes for point in history]
    assert len(history) == 4
    assert prices[0] == WAD * 4 // 10
    assert prices[0] < prices[1] > prices[2] > prices[3]
    # Two prices of one state, computed in different ways, are each less than 2 units off (docs/lmsr-error-bound.md).
    assert abs(prices[3] - tessera.markets.prices(market)[Outcome.YES]) <= 4
    assert [point.timestamp for point in history] == sorted(point.timestamp for point in history)
    assert price_history(rows_of(tessera), market + 1) == []
