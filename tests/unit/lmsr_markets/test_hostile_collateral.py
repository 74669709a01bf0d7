"""Markets over an Escrow of a token that misbehaves: betting, settling and claims never call the token."""

import boa
import pytest
from eth_abi import encode
from eth_utils import function_signature_to_4byte_selector

from tessera.chain.escrow import Kind
from tessera.model.lmsr import WAD
from tests.club import DAY, HOUR, INVALID, NO, SEED, TERMS, WINS, YES, Club, Status, at, now
from tests.custody import EUR, NOBODY
from tests.logs import events

PURSE = 50 * EUR


@pytest.fixture(scope="session")
def hostile(load, owner, members):
    """(token, club): the club's people, and the token itself, have 50 EUR in Escrow and consent to the markets."""
    token = load("HostileToken").deploy()
    escrow = load("Escrow").deploy(token, False, sender=owner)
    markets = load("LmsrMarkets").deploy(escrow, True, HOUR, sender=owner)
    escrow.register_product(markets, sender=owner)
    for account in members:
        token.mint(account, 2 * PURSE)
        token.approve(escrow, 2**256 - 1, sender=account)
        escrow.deposit(PURSE, account, 1, sender=account)
    escrow.deposit(PURSE, token, 0, sender=members[0])
    token.set_hook(escrow, call("set_consent(uint256)", ["uint256"], [1]))
    token.transfer(members[0], 1, sender=members[1])
    token.set_hook(NOBODY, b"")
    assert (escrow.balance_of(token), escrow.consent_of(token)) == (PURSE, 1)
    return token, Club(markets, escrow, members)


@pytest.fixture(scope="session")
def token(hostile):
    return hostile[0]


@pytest.fixture(scope="session")
def club(hostile):
    return hostile[1]


@pytest.fixture
def market(club, token):
    """An open market with the three bets, and one of the token's by a hook."""
    market_id = club.three_bets(club.create())
    at(now() + 5)
    token.set_hook(club.markets, call("bet(uint256,uint256,uint256)", ["uint256"] * 3, [market_id, NO, 1]))
    token.transfer(club.creator, 1, sender=club.outsider)
    token.set_hook(NOBODY, b"")
    assert club.markets.position(market_id, token)[3] == EUR
    return market_id


def call(signature: str, types: list[str], arguments: list) -> bytes:
    return function_signature_to_4byte_selector(signature) + encode(types, arguments)


def withdraw(club):
    club.escrow.withdraw(1, club.outsider, sender=club.outsider)


def deposit(club):
    club.escrow.deposit(1, club.outsider, 0, sender=club.outsider)


def hooked(club, token, data: bytes, transfer=withdraw) -> dict:
    """What became of a call to the markets that the token makes while it moves tokens: `succeeded` and `answer`."""
    token.set_hook(club.markets, data)
    transfer(club)
    (outcome,) = [fields for _, name, fields in events(club.escrow) if name == "HookCalled"]
    token.set_hook(NOBODY, b"")
    return outcome


CREATE = "create_market((string,string,string,string,string),uint256,uint256,uint256,uint256,address,uint256)"
CREATE_TYPES = ["(string,string,string,string,string)", *["uint256"] * 4, "address", "uint256"]
MOVES_MONEY = {
    "bet": lambda club, token, market_id: call("bet(uint256,uint256,uint256)", ["uint256"] * 3, [market_id, YES, 1]),
    "create": lambda club, token, market_id: call(
        CREATE, CREATE_TYPES, [TERMS, WAD // 2, now() + DAY, 0, 0, NOBODY, DAY]
    ),
    "claim": lambda club, token, market_id: call("claim(uint256)", ["uint256"], [market_id]),
    "claim_many": lambda club, token, market_id: call(
        "claim_many(uint256,address[])", ["uint256", "address[]"], [market_id, [token.address, club.yes_bettor]]
    ),
    "finalize": lambda club, token, market_id: call("finalize(uint256)", ["uint256"], [market_id]),
    "expire": lambda club, token, market_id: call("expire(uint256)", ["uint256"], [market_id]),
}


def bring_to_where_it_would_work(club, market_id: int, name: str):
    if name in ("claim", "claim_many"):
        club.settle(market_id, INVALID)
    elif name == "finalize":
        club.propose(market_id, YES)
        at(club.due_at + club.window)
    elif name == "expire":
        at(club.due_at + 7 * DAY)
    else:
        at(now() + 5)


@pytest.mark.parametrize("transfer", [withdraw, deposit])
@pytest.mark.parametrize("name", MOVES_MONEY)
def test_nothing_that_moves_money_works_in_the_middle_of_a_transfer(club, token, market, name, transfer):
    markets, escrow = club.markets, club.escrow
    bring_to_where_it_would_work(club, market, name)
    data = MOVES_MONEY[name](club, token, market)
    pot, purse, stored = club.pot(market), escrow.balance_of(token), markets.market(market)
    assert not hooked(club, token, data, transfer)["succeeded"]
    assert (club.pot(market), escrow.balance_of(token), markets.market(market)) == (pot, purse, stored)
    # The same call works once the transfer is over: it was the lock that refused it.
    boa.env.raw_call(markets.address, data=data, sender=token.address)


def test_what_moves_no_money_is_an_ordinary_call_of_the_token(club, token, market):
    club.propose(market, YES)
    complaint = call("complain(uint256,uint256,string)", ["uint256", "uint256", "string"], [market, NO, "Says who"])
    assert hooked(club, token, complaint)["succeeded"]
    assert club.status(market) == Status.DISPUTED
    vote = call("vote(uint256,uint256)", ["uint256"] * 2, [market, INVALID])
    for _ in range(2):
        assert hooked(club, token, vote)["succeeded"]
        assert club.markets.tally(market).heads == [1, 0, 1]  # one vote, as for everybody


@pytest.mark.parametrize(
    ("signature", "arguments"),
    [("prices(uint256)", []), ("exposure(uint256)", []), ("quote(uint256,uint256)", [YES])],
)
def test_views_say_the_same_in_the_middle_of_a_transfer(club, token, market, signature, arguments):
    data = call(signature, ["uint256"] * (1 + len(arguments)), [market, *arguments])
    outside = boa.env.raw_call(club.markets.address, data=data).output
    assert hooked(club, token, data) == {"succeeded": True, "answer": outside}


@pytest.mark.parametrize("outcome", [YES, NO, INVALID])
def test_a_market_lives_and_pays_while_the_token_refuses_every_transfer(club, token, outcome):
    """The token is asked for nothing between a deposit and a withdrawal: it can hold nobody's payout up."""
    markets, escrow = club.markets, club.escrow
    token.set_refuses(True)
    token.set_fee(10**30)
    token.set_hook(token, b"")
    for account in (club.creator, club.yes_bettor, club.no_bettor, club.third_bettor):
        token.set_blocked(account, True)
    market_id = club.settle(club.three_bets(club.create()), outcome)
    winners = {YES: 2, NO: 1, INVALID: 3}[outcome]
    assert markets.claim_many(market_id, [club.yes_bettor, club.no_bettor, club.third_bettor]) == winners
    assert club.pot(market_id) == 0
    paid = {YES: WINS[0], NO: 0, INVALID: EUR}[outcome]
    assert escrow.balance_of(club.yes_bettor) == 49 * EUR + paid
    people = (club.creator, club.yes_bettor, club.no_bettor, club.third_bettor)
    assert sum(escrow.balance_of(account) for account in people) == 4 * PURSE


def test_a_winner_whom_the_token_blocks_hurts_nobody_else(club, token):
    market_id = club.settle(club.three_bets(club.create()), YES)
    token.set_blocked(club.yes_bettor, True)
    assert club.markets.claim_many(market_id, [club.yes_bettor, club.third_bettor]) == 2
    with boa.reverts("token: blocked"):
        club.escrow.withdraw(1, club.yes_bettor, sender=club.yes_bettor)
    club.escrow.withdraw(1, club.third_bettor, sender=club.third_bettor)


def test_markets_over_a_token_that_returns_nothing(load, owner, members):
    token = load("SilentToken").deploy()
    escrow = load("Escrow").deploy(token, False, sender=owner)
    markets = load("LmsrMarkets").deploy(escrow, True, HOUR, sender=owner)
    escrow.register_product(markets, sender=owner)
    for account in members:
        token.mint(account, PURSE)
        token.approve(escrow, PURSE, sender=account)
        escrow.deposit(PURSE, account, 1, sender=account)
    club = Club(markets, escrow, members)
    market_id = club.settle(club.three_bets(club.create()), NO)
    markets.claim(market_id, sender=club.no_bettor)
    assert events(markets) == [club.entry(market_id, club.no_bettor, Kind.PAYOUT, WINS[1], 49 * EUR + WINS[1])]
    escrow.withdraw(49 * EUR + WINS[1], club.no_bettor, sender=club.no_bettor)
    assert token.balanceOf(club.no_bettor) == 49 * EUR + WINS[1]
    assert club.pot(market_id) == 0
    assert escrow.balance_of(club.creator) == 40 * EUR + SEED + 3 * EUR - WINS[1]
