"""claim(market_id)"""

import boa
import pytest

from tests.club import INVALID, NO, SEED, UNIT, WINS, YES, at
from tests.custody import EUR, Kind
from tests.logs import events


def test_pays_a_winners_shares(club, markets, escrow, resolved, yes_bettor, third_bettor):
    assert markets.claim(resolved, sender=yes_bettor) == WINS[0]
    assert events(markets) == [club.entry(resolved, yes_bettor, Kind.PAYOUT, WINS[0], 49 * EUR + WINS[0])]
    assert club.pot(resolved) == WINS[2]
    assert markets.claim(resolved, sender=third_bettor) == WINS[2]
    assert escrow.balance_of(third_bettor) == 49 * EUR + WINS[2]
    assert club.pot(resolved) == 0


def test_pays_the_winner_of_no(club, markets, resolved_no, no_bettor):
    assert markets.claim(resolved_no, sender=no_bettor) == WINS[1]
    assert events(markets) == [club.entry(resolved_no, no_bettor, Kind.PAYOUT, WINS[1], 49 * EUR + WINS[1])]
    assert club.pot(resolved_no) == 0


def test_gives_every_stake_back_after_invalid(club, markets, void, yes_bettor, no_bettor, third_bettor):
    for account in (yes_bettor, no_bettor, third_bettor):
        assert markets.claim(void, sender=account) == EUR
        assert events(markets) == [club.entry(void, account, Kind.REFUND, EUR, 50 * EUR)]
    assert club.pot(void) == 0


def test_gives_the_stakes_of_both_sides_back_after_invalid(club, markets, escrow, yes_bettor):
    market_id = club.create()
    for side in (YES, NO, YES, YES, NO):
        club.bet(market_id, yes_bettor, side)
    club.settle(market_id, INVALID)
    assert markets.claim(market_id, sender=yes_bettor) == 5 * EUR
    assert escrow.balance_of(yes_bettor) == 50 * EUR
    assert club.pot(market_id) == 0


@pytest.mark.parametrize("outcome", [YES, NO])
def test_who_bet_on_both_sides_is_paid_the_winning_one(club, markets, yes_bettor, outcome):
    market_id = club.create()
    won = {side: club.bet(market_id, yes_bettor, side) // UNIT for side in (YES, NO)}
    club.settle(market_id, outcome)
    assert markets.claim(market_id, sender=yes_bettor) == won[outcome]
    with boa.reverts("lmsr: nothing to claim"):
        markets.claim(market_id, sender=yes_bettor)
    assert club.pot(market_id) == 0


def test_shares_of_many_bets_are_rounded_down_once(club, markets, yes_bettor):
    market_id = club.create()
    shares = [club.bet(market_id, yes_bettor, YES) for _ in range(8)]
    assert sum(shares) // UNIT > sum(s // UNIT for s in shares)  # or this test shows nothing
    club.settle(market_id, YES)
    assert markets.claim(market_id, sender=yes_bettor) == sum(shares) // UNIT
    assert club.pot(market_id) == 0


@pytest.mark.parametrize("state", ["resolved", "void"], indirect=True)
def test_reverts_the_second_time(club, markets, escrow, state, yes_bettor):
    paid = markets.claim(state, sender=yes_bettor)
    left = club.pot(state)
    with boa.reverts("lmsr: nothing to claim"):
        markets.claim(state, sender=yes_bettor)
    assert (escrow.balance_of(yes_bettor), club.pot(state)) == (49 * EUR + paid, left)


@pytest.mark.parametrize("state", ["resolved", "void"], indirect=True)
def test_reverts_for_who_did_not_bet(markets, state, creator, referee, outsider, stranger):
    for account in (creator, referee, outsider, stranger):
        with boa.reverts("lmsr: nothing to claim"):
            markets.claim(state, sender=account)


def test_reverts_for_a_loser(markets, resolved, no_bettor):
    with boa.reverts("lmsr: nothing to claim"):
        markets.claim(resolved, sender=no_bettor)


@pytest.mark.parametrize("state", ["market", "pending", "disputed", "ruled"], indirect=True)
def test_reverts_before_the_market_is_settled(markets, state, yes_bettor):
    with boa.reverts("lmsr: not settled"):
        markets.claim(state, sender=yes_bettor)


def test_reverts_on_a_market_closed_again(club, markets, refused, yes_bettor):
    with boa.reverts("lmsr: not settled"):
        markets.claim(refused, sender=yes_bettor)


def test_reverts_in_an_unknown_market(markets, resolved, yes_bettor):
    for market_id in (0, resolved + 1, resolved + 2**95):
        with boa.reverts("lmsr: unknown market"):
            markets.claim(market_id, sender=yes_bettor)


def test_needs_no_consent_and_has_no_deadline(club, markets, escrow, resolved, yes_bettor):
    escrow.set_consent(0, sender=yes_bettor)
    at(club.due_at + 50 * 365 * 86_400)
    assert markets.claim(resolved, sender=yes_bettor) == WINS[0]


def test_one_market_pays_nothing_of_another(club, markets, yes_bettor, no_bettor):
    one, two = (club.three_bets(club.create()) for _ in range(2))
    club.settle(one, YES)
    pot = club.pot(two)
    markets.claim(one, sender=yes_bettor)
    assert club.pot(two) == pot == SEED + 3 * EUR
    with boa.reverts("lmsr: not settled"):
        markets.claim(two, sender=yes_bettor)
