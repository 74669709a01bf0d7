"""create_market(terms, p0, expected_result_at, closes_at, event_start_at, referee, dispute_window)"""

import re

import boa
import pytest
from eth.exceptions import Revert
from eth_abi import encode
from eth_utils import keccak

from tessera.chain.escrow import Kind
from tessera.model.lmsr import WAD, exact, opening
from tests.club import DAY, HOUR, SEED, TERMS, YES, Status, at, now
from tests.custody import EUR, NOBODY
from tests.logs import event, events

YEAR = 365 * DAY
B_OF_EVEN_ODDS = 14_426_950_408_889_634_073  # golden value, cut to 18 decimals


@pytest.fixture
def public_markets(load, coin_escrow, owner, creator):
    """Markets on a token that anybody can buy: not among friends. The creator has a seed there."""
    markets = load("LmsrMarkets").deploy(coin_escrow, False, 12 * HOUR)
    coin_escrow.register_product(markets, sender=owner)
    ((_, _, registered),) = events(coin_escrow)
    coin_escrow.deposit(SEED, creator, 1 << registered["index"], sender=creator)
    return markets


def test_opens_a_market_with_the_seed_of_its_creator(club, markets, creator, referee):
    start = now() + 9 * DAY
    assert club.create(event_start_at=start, referee=referee, dispute_window=DAY, accepted=False) == 1
    logged = events(markets)
    b = markets.market(1).b
    assert logged == [
        event(
            markets,
            "MarketCreated",
            market_id=1,
            creator=creator,
            referee=referee,
            terms=TERMS,
            p0=WAD // 2,
            b=b,
            expected_result_at=club.due_at,
            closes_at=club.closes_at,
            event_start_at=start,
            dispute_window=DAY,
            timestamp=now(),
        ),
        club.entry(1, creator, Kind.DEPOSIT_SEED, SEED, 40 * EUR),
    ]
    assert 0 <= B_OF_EVEN_ODDS - b < 50  # b is rounded down; an ulp of a logarithm is b / ln 2 = 21 units of it
    assert club.pot(1) == SEED
    assert markets.max_loss(1) == SEED


def test_stores_what_it_was_told(club, markets, creator, referee):
    market_id = club.create(referee=referee, dispute_window=DAY, accepted=False)
    stored = markets.market(market_id)
    terms_hash = keccak(encode(["(string,string,string,string,string)"], [TERMS]))
    assert stored == (
        creator,
        referee,
        Status.AWAITING,
        0,
        stored.b,
        club.closes_at,
        club.due_at,
        DAY,
        False,
        terms_hash,
        0,
        0,
        0,
        0,
        NOBODY,
        0,
        0,
        False,
        0,
    )


def test_numbers_markets_from_one(club, markets, outsider):
    assert [club.create(), club.create(sender=outsider), club.create()] == [1, 2, 3]
    assert markets.market_count() == 3
    assert [markets.market(i).creator for i in (1, 2, 3)] == [club.creator, outsider, club.creator]


def test_a_closing_time_of_zero_is_the_expected_result_time(club, markets):
    market_id = club.create(closes_at=0)
    assert markets.market(market_id).closes_at == club.due_at


@pytest.mark.parametrize(
    "p0", [WAD // 100, WAD // 3, WAD // 2 - 1, WAD // 2, WAD // 2 + 1, 6 * WAD // 10, 99 * WAD // 100]
)
def test_the_first_price_is_p0_and_the_liquidity_spends_the_seed(club, markets, p0):
    market_id = club.create(p0=p0)
    seed = SEED // EUR
    b, _ = opening(exact.mpf(p0) / WAD, seed)
    # Both bounds are proved in docs/lmsr-error-bound.md, `_opening`, where -ln(p) is seed / b.
    assert 0 <= b * WAD - markets.market(market_id).b < 2.06 * b * b / seed + 1
    assert abs(markets.prices(market_id)[0] - p0) <= 2


@pytest.mark.parametrize("p0", [0, WAD // 100 - 1, 99 * WAD // 100 + 1, WAD, 2**256 - 1])
def test_reverts_when_p0_is_out_of_range(club, p0):
    with boa.reverts("lmsr: p0 out of range"):
        club.create(p0=p0)


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        (0, "lmsr: empty text"),
        (1, "lmsr: empty text"),
        (2, "lmsr: empty text"),
        (3, "lmsr: empty rules or source"),
        (4, "lmsr: empty rules or source"),
    ],
    ids=["question", "yes", "no", "rules", "source"],
)
def test_reverts_when_a_text_is_empty(club, missing, reason):
    with boa.reverts(reason):
        club.create(terms=tuple("" if i == missing else text for i, text in enumerate(TERMS)))


def test_texts_may_be_as_long_as_their_bounds_and_no_longer(club, markets):
    bounds = 256, 256, 256, 1024, 256
    longest = tuple("x" * bound for bound in bounds)
    market_id = club.create(terms=longest)
    assert markets.market(market_id).terms_hash == keccak(encode(["(string,string,string,string,string)"], [longest]))
    for i in range(5):
        overlong = tuple(text + "x" * (i == j) for j, text in enumerate(longest))
        with pytest.raises(Revert, match=re.escape("b''")):  # by the ABI decoder, without a reason
            raw_create(markets, club, overlong)


def raw_create(markets, club, terms):
    selector = keccak(
        b"create_market((string,string,string,string,string),uint256,uint256,uint256,uint256,address,uint256)"
    )[:4]
    types = ["(string,string,string,string,string)", *["uint256"] * 4, "address", "uint256"]
    data = encode(types, [terms, WAD // 2, club.due_at, club.closes_at, 0, NOBODY, DAY])
    boa.env.raw_call(markets.address, data=selector + data, sender=club.creator)


def test_accepts_each_time_at_its_limit(club, markets):
    # Closing in a second, an event that starts now, and a result expected exactly a year ahead.
    assert club.create(closes_at=now() + 1, event_start_at=now(), expected_result_at=now() + YEAR) == 1
    # All three at once.
    soon = now() + 1
    assert club.create(closes_at=soon, event_start_at=soon, expected_result_at=soon) == 2


def test_reverts_when_betting_would_end_now_or_earlier(club):
    for closes_at in (1, now() - 1, now()):
        with boa.reverts("lmsr: closes in the past"):
            club.create(closes_at=closes_at)
    for due_at in (0, now()):
        with boa.reverts("lmsr: closes in the past"):
            club.create(closes_at=0, expected_result_at=due_at)


def test_an_event_may_have_started_at_any_time_before_betting_ends(club, markets):
    for number, start in enumerate((1, now() - 1, club.closes_at), 1):
        assert club.create(event_start_at=start) == number
        assert events(markets)[0][2]["event_start_at"] == start


def test_is_open_at_once_where_bettors_decide(club):
    assert club.status(club.create()) == Status.OPEN


def test_reverts_when_times_are_out_of_order(club):
    with boa.reverts("lmsr: times out of order"):
        club.create(closes_at=club.due_at + 1)
    with boa.reverts("lmsr: times out of order"):
        club.create(event_start_at=club.closes_at + 1)
    with boa.reverts("lmsr: times out of order"):
        club.create(closes_at=2**256 - 1)
    with boa.reverts("lmsr: times out of order"):
        club.create(closes_at=0, event_start_at=club.due_at + 1)
    with boa.reverts("lmsr: times out of order"):
        club.create(expected_result_at=now())


def test_reverts_when_the_result_is_more_than_a_year_ahead(club):
    for due_at in (now() + YEAR + 1, 2**256 - 1):
        with boa.reverts("lmsr: more than a year ahead"):
            club.create(expected_result_at=due_at)


@pytest.mark.parametrize("window", [HOUR, DAY])
def test_accepts_each_dispute_window_at_its_limit(club, markets, window):
    assert markets.market(club.create(dispute_window=window)).dispute_window == window


@pytest.mark.parametrize("window", [0, HOUR - 1, DAY + 1, 2**256 - 1])
def test_reverts_when_the_dispute_window_is_out_of_range(club, window):
    with boa.reverts("lmsr: bad dispute window"):
        club.create(dispute_window=window)


def test_reverts_when_the_creator_is_the_referee(club, creator):
    with boa.reverts("lmsr: creator as referee"):
        club.create(referee=creator)


def test_reverts_when_votes_can_be_bought_and_nobody_rules(club, public_markets, creator, referee):
    arguments = TERMS, WAD // 2, club.due_at, 0, 0
    with boa.reverts("lmsr: referee needed"):
        public_markets.create_market(*arguments, NOBODY, DAY, sender=creator)
    assert public_markets.create_market(*arguments, referee, DAY, sender=creator) == 1
    assert public_markets.market(1).referee == referee


def test_reverts_when_the_balance_is_below_the_seed(club, escrow, creator):
    for _ in range(4):
        club.create()
    escrow.withdraw(1, creator, sender=creator)
    with boa.reverts("escrow: balance too low"):
        club.create()
    assert club.markets.market_count() == 4


def test_reverts_without_consent(club, escrow, creator):
    escrow.set_consent(0, sender=creator)
    with boa.reverts("escrow: no consent"):
        club.create()
    assert club.markets.market_count() == 0
    assert club.pot(1) == 0


def test_reverts_when_the_markets_are_not_a_product_of_their_escrow(load, club, escrow, creator):
    unregistered = load("LmsrMarkets").deploy(escrow, True, HOUR)
    with boa.reverts("escrow: not a product"):
        unregistered.create_market(TERMS, WAD // 2, club.due_at, 0, 0, NOBODY, DAY, sender=creator)


def test_reverts_for_somebody_who_has_not_joined(club, stranger, newcomer):
    for account in (stranger, newcomer):
        with boa.reverts("escrow: balance too low"):
            club.create(sender=account)


def test_two_markets_have_pots_of_their_own(club, creator, outsider, yes_bettor):
    club.create()
    club.create(sender=outsider)
    club.bet(1, yes_bettor, YES)
    assert (club.pot(1), club.pot(2)) == (11 * EUR, SEED)
    at(club.closes_at)
    assert (club.pot(1), club.pot(2)) == (11 * EUR, SEED)
