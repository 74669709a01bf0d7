"""bet(market_id, outcome, min_shares)"""

import json
from pathlib import Path

import boa
import pytest

from tessera.chain.escrow import Kind
from tessera.model.lmsr import WAD, Market, exact
from tests.club import BET_INTERVAL, INVALID, NO, SEED, UNIT, WINS, YES, at, now
from tests.custody import EUR
from tests.logs import event, events

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "lmsr.json").read_text())["cases"]
RELATIVE = exact.mpf(10) ** -15  # how far shares may be below the exact value


@pytest.mark.parametrize("side", [YES, NO])
def test_buys_shares_at_the_markets_price(club, markets, yes_bettor, side):
    market_id = club.create()
    _, price_after = markets.quote(market_id, side)
    shares = markets.bet(market_id, side, 1, sender=yes_bettor)
    logged = events(markets)
    assert logged == [
        event(
            markets,
            "BetPlaced",
            market_id=market_id,
            account=yes_bettor,
            side=side,
            shares=shares,
            stake=EUR,
            price_after=price_after,
            effective_odds=shares,  # of a stake of 1
            timestamp=now(),
        ),
        club.entry(market_id, yes_bettor, Kind.BET_DEBIT, EUR, 49 * EUR),
    ]
    # The golden values of a first bet at even odds are 1.93515567481549116... and 0.53348350423159629...
    assert shares // 1000 == 1_935_155_674_815_491
    assert price_after // 1000 == 533_483_504_231_596
    assert club.pot(market_id) == SEED + EUR


@pytest.fixture
def stakes(play_euro, owner, markets):
    """300 stakes of 1 EUR: who pays for each. Six more members with 50 EUR."""
    people = [boa.env.generate_address() for _ in range(6)]
    play_euro.invite(people, sender=owner)
    for account in people:
        play_euro.join(1, sender=account)
    return [account for account in people for _ in range(50)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"p0={case['p0']}")
def test_replays_the_golden_values(club, markets, stakes, case):
    market_id = club.create(p0=int(exact.mpf(case["p0"]) * WAD))
    for number, step in enumerate(case["steps"], 1):
        shares = club.bet(market_id, stakes[number - 1], YES if step["side"] == "YES" else NO)
        wanted = exact.mpf(step["shares"]) * WAD
        # On either side here: the contract's own b and its earlier roundings are part of the state that a bet meets.
        # That none gets more than the exact value from that state is the next test's matter.
        assert abs(shares - wanted) <= RELATIVE * wanted
        assert abs(markets.prices(market_id)[0] - exact.mpf(step["p_yes_after"]) * WAD) <= 1000  # 1e-15
        for gain, name in zip(markets.exposure(market_id), ("creator_if_yes", "creator_if_no"), strict=True):
            above = gain - exact.mpf(step[name]) * EUR
            # Each position is cut to a unit, so the creator is better off by less than one per person who bet. Shares
            # up to 1e-15 above the golden ones (earlier roundings) are not a unit together.
            assert -1 < above < len(set(stakes[:number])) + 1


def test_never_more_and_at_most_1e_15_less_than_exact_from_the_state_it_meets(club, markets, stakes):
    market_id = club.create()
    model = Market("0.5")  # at even odds nobody has a head start, so the state is b and the shares sold, both known
    model.b = exact.mpf(markets.market(market_id).b) / WAD
    for number in range(200):
        side = YES if number < 120 else NO
        wanted = model.quote(side).shares * WAD
        shares = club.bet(market_id, stakes[number], side)
        assert wanted * (1 - RELATIVE) <= shares <= wanted
        model.sold[side] += exact.mpf(shares) / WAD


def test_adds_up_in_the_position_and_in_the_market(club, markets, yes_bettor, no_bettor):
    market_id = club.create()
    first = club.bet(market_id, yes_bettor, YES)
    second = club.bet(market_id, yes_bettor, YES)
    other = club.bet(market_id, yes_bettor, NO)
    strangers = club.bet(market_id, no_bettor, YES)
    assert markets.position(market_id, yes_bettor) == (first + second, 2 * EUR, other, EUR)
    assert markets.position(market_id, no_bettor) == (strangers, EUR, 0, 0)
    stored = markets.market(market_id)
    assert (stored.bets, stored.last_bet_at) == (4, now())
    # Positions are cut to a unit one by one, not bets, and not their sum.
    assert stored.owed_if_yes == (first + second) // UNIT + strangers // UNIT
    assert stored.owed_if_no == other // UNIT


def test_the_fractions_of_a_unit_of_two_bets_add_up(club, markets, yes_bettor, no_bettor, third_bettor):
    market_id = club.create()
    shares = [club.bet(market_id, yes_bettor, YES) for _ in range(8)]
    assert sum(shares) // UNIT > sum(s // UNIT for s in shares)  # or this test shows nothing
    assert markets.market(market_id).owed_if_yes == sum(shares) // UNIT


def test_the_three_bets_of_the_fixtures_win_what_the_golden_values_say(markets, market):
    stored = markets.market(market)
    assert (stored.owed_if_yes, stored.owed_if_no) == (WINS[0] + WINS[2], WINS[1])


def test_takes_the_first_bet_at_once_and_the_next_after_five_seconds(club, markets, yes_bettor, no_bettor):
    market_id = club.create()
    markets.bet(market_id, YES, 1, sender=yes_bettor)
    start = now()
    for account in (yes_bettor, no_bettor):  # the whole market waits, not the person
        for passed in (0, 1, BET_INTERVAL - 1):
            at(start + passed)
            with boa.reverts("lmsr: a bet every 5 seconds"):
                markets.bet(market_id, YES, 1, sender=account)
    at(start + BET_INTERVAL)
    markets.bet(market_id, NO, 1, sender=no_bettor)
    assert markets.market(market_id).last_bet_at == start + BET_INTERVAL


def test_two_markets_do_not_wait_for_each_other(club, markets, yes_bettor):
    one, two = club.create(), club.create()
    markets.bet(one, YES, 1, sender=yes_bettor)
    markets.bet(two, YES, 1, sender=yes_bettor)
    assert (markets.market(one).bets, markets.market(two).bets) == (1, 1)


def test_takes_bets_until_a_second_before_the_closing_time(club, markets, market, yes_bettor):
    at(club.closes_at - 1)
    markets.bet(market, YES, 1, sender=yes_bettor)
    at(club.closes_at)
    with boa.reverts("lmsr: market not open"):
        markets.bet(market, YES, 1, sender=yes_bettor)


def test_reverts_in_an_unknown_market(club, markets, yes_bettor):
    club.create()
    for market_id in (0, 2, 2**95 + 1, 2**256 - 1):
        with boa.reverts("lmsr: unknown market"):
            markets.bet(market_id, YES, 1, sender=yes_bettor)


def test_reverts_after_a_proposal(markets, yes_bettor, past_proposal):
    with boa.reverts("lmsr: market not open"):
        markets.bet(past_proposal, YES, 1, sender=yes_bettor)


def test_reverts_once_the_creator_has_closed(markets, market, creator, yes_bettor):
    markets.close(market, sender=creator)
    at(now() + BET_INTERVAL)
    with boa.reverts("lmsr: market not open"):
        markets.bet(market, YES, 1, sender=yes_bettor)


@pytest.mark.parametrize("outcome", [0, 3, INVALID, 5, 6, 7])
def test_reverts_on_anything_but_yes_or_no(club, markets, yes_bettor, outcome):
    market_id = club.create()
    with boa.reverts("lmsr: not YES or NO"):
        markets.bet(market_id, outcome, 1, sender=yes_bettor)


def test_reverts_when_min_shares_is_zero(club, markets, yes_bettor):
    market_id = club.create()
    with boa.reverts("lmsr: zero min_shares"):
        markets.bet(market_id, YES, 0, sender=yes_bettor)


def test_reverts_when_the_price_went_up_and_passes_when_it_came_down(club, markets, market, yes_bettor, no_bettor):
    at(now() + BET_INTERVAL)
    expected, _ = markets.quote(market, YES)
    with boa.reverts("lmsr: price moved"):
        markets.bet(market, YES, expected + 1, sender=yes_bettor)
    club.bet(market, no_bettor, YES)
    at(now() + BET_INTERVAL)
    with boa.reverts("lmsr: price moved"):
        markets.bet(market, YES, expected, sender=yes_bettor)
    club.bet(market, no_bettor, NO)
    club.bet(market, no_bettor, NO)
    at(now() + BET_INTERVAL)
    assert markets.bet(market, YES, expected, sender=yes_bettor) > expected


def test_gets_exactly_min_shares_when_nothing_moved(markets, market, yes_bettor):
    at(now() + BET_INTERVAL)
    for side in (YES, NO):
        expected, _ = markets.quote(market, side)
        assert markets.bet(market, side, expected, sender=yes_bettor) == expected
        at(now() + BET_INTERVAL)


def test_reverts_for_the_creator(club, markets, creator):
    market_id = club.create()
    for side in (YES, NO):
        with boa.reverts("lmsr: creator cannot bet"):
            markets.bet(market_id, side, 1, sender=creator)


def test_reverts_for_the_referee(club, markets, referee):
    market_id = club.create(referee=referee)
    for side in (YES, NO):
        with boa.reverts("lmsr: referee cannot bet"):
            markets.bet(market_id, side, 1, sender=referee)


def test_creator_and_referee_bet_in_markets_of_others(club, markets, creator, referee, outsider):
    market_id = club.create(sender=outsider)
    club.bet(market_id, creator, YES)
    club.bet(market_id, referee, NO)
    assert markets.market(market_id).bets == 2


def member_at(play_euro, owner, number: int):
    """A member whose address is the number."""
    account = boa.util.abi.Address("0x" + number.to_bytes(20).hex())
    play_euro.invite([account], sender=owner)
    play_euro.join(1, sender=account)
    return account


def test_an_address_that_ends_like_the_referees_may_bet(club, markets, play_euro, owner, referee):
    # The state word keeps the referee's lowest 16 bits alone.
    market_id = club.create(referee=referee)
    twin = member_at(play_euro, owner, (1 << 159) + int(referee, 16) % 2**16)
    club.bet(market_id, twin, YES)
    assert markets.position(market_id, twin)[1] == EUR


def test_an_address_that_ends_in_zeros_may_bet_where_there_is_no_referee(club, markets, play_euro, owner):
    market_id = club.create()
    account = member_at(play_euro, owner, 7 << 16)
    club.bet(market_id, account, NO)
    assert markets.position(market_id, account)[3] == EUR


def test_reverts_when_the_balance_is_below_the_stake(club, markets, escrow, yes_bettor, stranger, newcomer):
    market_id = club.create()
    escrow.withdraw(49 * EUR, yes_bettor, sender=yes_bettor)
    club.bet(market_id, yes_bettor, YES)  # the last euro
    at(now() + BET_INTERVAL)
    for account in (yes_bettor, stranger, newcomer):
        with boa.reverts("escrow: balance too low"):
            markets.bet(market_id, YES, 1, sender=account)
    assert club.pot(market_id) == SEED + EUR
    assert markets.market(market_id).bets == 1


def test_reverts_without_consent(club, markets, escrow, yes_bettor):
    market_id = club.create()
    escrow.set_consent(0, sender=yes_bettor)
    with boa.reverts("escrow: no consent"):
        markets.bet(market_id, YES, 1, sender=yes_bettor)
    assert markets.position(market_id, yes_bettor) == (0, 0, 0, 0)
    assert club.pot(market_id) == SEED
    escrow.set_consent(1, sender=yes_bettor)
    markets.bet(market_id, YES, 1, sender=yes_bettor)
    assert club.pot(market_id) == SEED + EUR
