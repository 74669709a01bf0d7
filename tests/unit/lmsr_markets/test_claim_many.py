"""claim_many(market_id, accounts)"""

import boa
import pytest

from tests.club import BET_INTERVAL, WINS, YES, at, now
from tests.custody import EUR, NOBODY, Kind
from tests.logs import event, events
from tests.refusals import refused_without_a_text


def skipped(markets, market_id, account):
    return event(markets, "ClaimSkipped", market_id=market_id, account=account, reason="lmsr: nothing to claim")


def test_anybody_pays_all_winners(club, markets, resolved, yes_bettor, third_bettor, stranger):
    assert markets.claim_many(resolved, [third_bettor, yes_bettor], sender=stranger) == 2
    assert events(markets) == [
        club.entry(resolved, third_bettor, Kind.PAYOUT, WINS[2], 49 * EUR + WINS[2]),
        club.entry(resolved, yes_bettor, Kind.PAYOUT, WINS[0], 49 * EUR + WINS[0]),
    ]
    assert club.pot(resolved) == 0


def test_gives_every_stake_back_after_invalid(club, markets, void, yes_bettor, no_bettor, third_bettor):
    bettors = [yes_bettor, no_bettor, third_bettor]
    assert markets.claim_many(void, bettors) == 3
    assert events(markets) == [club.entry(void, account, Kind.REFUND, EUR, 50 * EUR) for account in bettors]
    assert club.pot(void) == 0


def test_skips_and_logs_who_has_nothing_to_claim(
    club, markets, resolved, creator, yes_bettor, no_bettor, third_bettor, outsider, stranger
):
    nobodies = [no_bettor, creator, outsider, stranger, NOBODY, markets.address]
    accounts = [*nobodies[:3], yes_bettor, *nobodies[3:], third_bettor]
    assert markets.claim_many(resolved, accounts) == 2
    assert events(markets) == [
        *(skipped(markets, resolved, account) for account in nobodies),
        club.entry(resolved, yes_bettor, Kind.PAYOUT, WINS[0], 49 * EUR + WINS[0]),
        club.entry(resolved, third_bettor, Kind.PAYOUT, WINS[2], 49 * EUR + WINS[2]),
    ]
    assert club.pot(resolved) == 0


def test_pays_who_is_named_twice_once(club, markets, escrow, resolved, yes_bettor):
    assert markets.claim_many(resolved, [yes_bettor] * 3) == 1
    assert events(markets) == [
        skipped(markets, resolved, yes_bettor),
        skipped(markets, resolved, yes_bettor),
        club.entry(resolved, yes_bettor, Kind.PAYOUT, WINS[0], 49 * EUR + WINS[0]),
    ]
    assert escrow.balance_of(yes_bettor) == 49 * EUR + WINS[0]
    assert club.pot(resolved) == WINS[2]


def test_skips_who_has_claimed_and_who_claims_after_it_gets_nothing(club, markets, resolved, yes_bettor, third_bettor):
    markets.claim(resolved, sender=yes_bettor)
    assert markets.claim_many(resolved, [yes_bettor, third_bettor]) == 1
    assert events(markets)[0] == skipped(markets, resolved, yes_bettor)
    with boa.reverts("lmsr: nothing to claim"):
        markets.claim(resolved, sender=third_bettor)
    assert markets.claim_many(resolved, [yes_bettor, third_bettor]) == 0
    assert events(markets) == [skipped(markets, resolved, account) for account in (yes_bettor, third_bettor)]
    assert club.pot(resolved) == 0


@pytest.mark.parametrize("state", ["resolved", "void"], indirect=True)
def test_an_empty_list_pays_nobody(club, markets, state):
    left = club.pot(state)
    assert markets.claim_many(state, []) == 0
    assert events(markets) == []
    assert club.pot(state) == left


@pytest.mark.parametrize("winners", [40, pytest.param(256, marks=pytest.mark.campaign)])
def test_pays_winners_among_256(club, markets, play_euro, owner, winners):
    market_id = club.create()
    people = [boa.env.generate_address() for _ in range(256)]
    play_euro.invite(people, sender=owner)
    for account in people[:winners]:
        play_euro.join(1, sender=account)
        at(now() + BET_INTERVAL)
        markets.bet(market_id, YES, 1, sender=account)
    club.settle(market_id, YES)
    owed = club.pot(market_id)
    assert markets.claim_many(market_id, people) == winners
    logged = events(markets)
    assert logged[: 256 - winners] == [skipped(markets, market_id, account) for account in people[winners:]]
    payments = [fields for _, _, fields in logged[256 - winners :]]
    assert [(fields["account"], fields["kind"]) for fields in payments] == [(a, Kind.PAYOUT) for a in people[:winners]]
    assert sum(fields["amount"] for fields in payments) == owed
    assert club.pot(market_id) == 0


def test_more_than_256_are_refused_by_the_decoder(markets, resolved, yes_bettor):
    with refused_without_a_text():
        markets.claim_many(resolved, [yes_bettor] * 257)


@pytest.mark.parametrize("state", ["market", "pending", "disputed", "ruled"], indirect=True)
def test_reverts_before_the_market_is_settled(markets, state, yes_bettor):
    for accounts in ([], [yes_bettor]):
        with boa.reverts("lmsr: not settled"):
            markets.claim_many(state, accounts)


def test_reverts_in_an_unknown_market(markets, resolved, yes_bettor):
    for market_id in (0, resolved + 1, resolved + 2**95):
        with boa.reverts("lmsr: unknown market"):
            markets.claim_many(market_id, [yes_bettor])
