"""The keeper of friends' markets: finalizes, expires and pays; a deployment may have nothing else."""

import pytest

from tessera.chain import EUR, Outcome, Wallet
from tessera.chain.embedded import known_account
from tessera.chain.lmsr_markets import Status as MarketStatus
from tessera.index import Index
from tessera.index.index import FILL_SECONDS
from tessera.keeper.plan import due
from tessera.keeper.round import run
from tessera.keeper.steps.base import Status
from tessera.keeper.view import Choices, View
from tests.embedded_club import *  # noqa: F403
from tests.embedded_club import HOUR, WINDOW
from tests.habits import within


@pytest.fixture
def view(tessera) -> View:
    return View(tessera, Index("sqlite://", tessera.web3, tessera.deployment), known_account(4).address)


@pytest.fixture
def keep(view):
    """Runs a round as somebody who is not of the club."""
    wallet = Wallet(view.web3, known_account(4), alone=True, seconds_per_price=0.5)
    return lambda: run(view, wallet, due(view))


def balances(tessera, *wallets):
    return [tessera.escrow.balance_of(wallet.address) for wallet in wallets]


def ends(done):
    return [(outcome.step.key, outcome.status) for outcome in done.outcomes]


def test_an_open_market_has_nothing_due(view, market, bet, bettor):
    bet(bettor, market, Outcome.YES)
    plan = due(view)
    assert (plan.steps, plan.waiting, plan.late) == ([], [], 0)


def test_a_market_is_finalized_after_its_window_and_its_winners_are_paid(
    tessera, view, keep, market, bet, creator, bettor, other_bettor, travel
):
    bet(bettor, market, Outcome.YES)
    bet(other_bettor, market, Outcome.NO)
    travel(HOUR)
    tessera.markets.propose(creator, market, Outcome.YES)
    assert due(view).steps == []
    travel(WINDOW)
    won = tessera.markets.position(market, bettor.address).payoff(Outcome.YES)
    before = balances(tessera, bettor, other_bettor)
    finalize, pay = due(view).steps
    assert (finalize.what, finalize.why) == (
        f"finalize market {market}, 'Will it rain?'",
        "the time to dispute, vote or rule is over",
    )
    assert (pay.what, pay.why) == (f"pay 2 bettors of market {market}", "the market will be settled")
    assert ends(keep()) == [(f"finalize market {market}", Status.DONE), (f"pay bettors {market} 2", Status.DONE)]
    assert balances(tessera, bettor, other_bettor) == [before[0] + won, before[1]]
    assert due(view).steps == []


def test_a_market_that_nobody_moved_on_expires_and_every_stake_comes_back(
    tessera, view, keep, market, bet, bettor, other_bettor, travel
):
    before = balances(tessera, bettor, other_bettor)
    bet(bettor, market, Outcome.YES)
    bet(other_bettor, market, Outcome.NO)
    travel(HOUR + 7 * 24 * HOUR - 60)
    assert due(view).steps == []
    travel(HOUR)
    assert ends(keep()) == [(f"expire market {market}", Status.DONE), (f"pay bettors {market} 2", Status.DONE)]
    assert tessera.markets.market(market).status == MarketStatus.INVALID
    assert due(view).steps == []
    assert balances(tessera, bettor, other_bettor) == before


def test_who_claimed_alone_is_not_paid_again(tessera, view, keep, market, bet, creator, bettor, other_bettor, settle):
    bet(bettor, market, Outcome.YES)
    bet(other_bettor, market, Outcome.YES)
    settle(market, Outcome.YES)
    tessera.markets.claim(bettor, market)
    (step,) = due(view).steps
    assert step.key == f"pay bettors {market} 1"
    tessera.markets.claim(other_bettor, market)
    done = run(view, Wallet(view.web3, known_account(4)), due(view))
    assert ends(done) == []


def test_paid_by_others_meanwhile_costs_nothing(tessera, view, market, bet, bettor, settle):
    bet(bettor, market, Outcome.YES)
    settle(market, Outcome.YES)
    plan = due(view)
    tessera.markets.claim(bettor, market)
    done = run(view, Wallet(view.web3, known_account(4)), plan)
    assert (ends(done), done.gas_used) == ([(f"pay bettors {market} 1", Status.OTHERS)], 0)


def test_payments_can_be_left_to_others(view, market, bet, bettor, settle):
    bet(bettor, market, Outcome.YES)
    settle(market, Outcome.YES)
    view.choices = Choices(pay=False)
    plan = due(view)
    assert plan.steps == []
    assert plan.waiting == [f"1 bettor of market {market}: paying is left to others (--no-pay)"]


def test_large_markets_are_paid_in_batches(tessera, view, keep, market, bet, bettor, other_bettor, settle, monkeypatch):
    bet(bettor, market, Outcome.YES)
    bet(other_bettor, market, Outcome.YES)
    settle(market, Outcome.YES)
    monkeypatch.setattr("tessera.keeper.steps.pay_bettors.MAX_BATCH", 1)
    (outcome,) = keep().outcomes
    assert (outcome.status, len(outcome.sent)) == (Status.DONE, 2)
    assert all(balance >= 49 * EUR for balance in balances(tessera, bettor, other_bettor))


def test_a_node_that_leaves_bets_out_pays_nobody_until_it_has_them(
    tessera, view, keep, market, bet, bettor, other_bettor, travel
):
    left_out = bet(bettor, market, Outcome.YES).block
    bet(other_bettor, market, Outcome.YES)
    with within(view.web3, leaves_out=[left_out]) as node:
        plan = due(view)
        assert plan.steps == []
        assert plan.waiting == [f"nobody is purged, paid or revalued, nothing settled: {plan.hole}"]
        assert f"market {market} has 2 bets, the logs show 1" in plan.hole
        assert keep().exit_code == 3
        asked = node.asked["eth_getLogs"]
        assert due(view).hole == plan.hole
        assert node.asked["eth_getLogs"] == asked
    view.history._index._filled = -FILL_SECONDS
    assert due(view).waiting == []
    assert view.history.bettors(market) == {bettor.address, other_bettor.address}


def test_a_market_whose_early_proposal_is_refused_is_closed_again_and_pays_nobody(
    tessera, view, keep, market, bet, creator, bettor, other_bettor, travel
):
    """It is done when the contract has nothing to finalize any more, settled or not."""
    bet(bettor, market, Outcome.NO)
    bet(other_bettor, market, Outcome.NO)
    travel(60)
    tessera.markets.propose(creator, market, Outcome.YES)
    for person in (bettor, other_bettor):
        tessera.markets.complain(person, market, Outcome.NO, "it is not over")
    travel(24 * HOUR)
    before = balances(tessera, bettor, other_bettor)
    done = keep()
    assert ends(done) == [(f"finalize market {market}", Status.DONE), (f"pay bettors {market} 2", Status.OTHERS)]
    assert tessera.markets.market(market).status == MarketStatus.CLOSED
    assert balances(tessera, bettor, other_bettor) == before
