"""market(market_id)"""

import boa

from tests.club import DAY, INVALID, NO, UNIT, WINS, YES, Status, at, now


def test_counts_bets_and_what_is_owed(club, markets, market, yes_bettor):
    stored = markets.market(market)
    assert (stored.bets, stored.last_bet_at) == (3, now())
    assert (stored.owed_if_yes, stored.owed_if_no) == (WINS[0] + WINS[2], WINS[1])
    shares = markets.position(market, yes_bettor)[0] + club.bet(market, yes_bettor, YES)
    after = markets.market(market)
    assert after == stored._replace(bets=4, last_bet_at=now(), owed_if_yes=shares // UNIT + WINS[2], owed_if_no=WINS[1])


def test_is_open_until_the_closing_time_and_closed_from_it_on(club, markets, market):
    stored = markets.market(market)
    at(club.closes_at - 1)
    assert markets.market(market) == stored
    assert stored.status == Status.OPEN
    for time in (club.closes_at, club.due_at, club.due_at + 30 * DAY):
        at(time)
        assert markets.market(market) == stored._replace(status=Status.CLOSED)


def test_shows_each_status(club, markets, market, creator, no_bettor, yes_bettor, third_bettor):
    statuses = [club.status(market)]
    markets.close(market, sender=creator)
    statuses.append(club.status(market))
    club.propose(market, INVALID)
    statuses.append(club.status(market))
    club.complain(market)
    statuses.append(club.status(market))
    club.vote(market, {no_bettor: NO, yes_bettor: NO, third_bettor: NO})
    at(now() + DAY)
    markets.finalize(market)
    statuses.append(club.status(market))
    assert statuses == [Status.OPEN, Status.CLOSED, Status.PENDING, Status.DISPUTED, Status.RESOLVED]


def test_shows_that_a_referee_has_not_accepted(club, markets, awaiting):
    stored = markets.market(awaiting)
    for time in (now(), club.closes_at, club.due_at):
        at(time)
        assert markets.market(awaiting) == stored
    assert stored.status == Status.AWAITING


def test_shows_a_void_market_as_invalid(club, markets, void):
    assert club.status(void) == Status.INVALID
    assert markets.market(void).outcome == INVALID


def test_keeps_its_numbers_through_settling_and_claims(markets, resolved, yes_bettor):
    stored = markets.market(resolved)
    markets.claim(resolved, sender=yes_bettor)
    assert markets.market(resolved) == stored
    assert (stored.owed_if_yes, stored.owed_if_no) == (WINS[0] + WINS[2], WINS[1])
    assert stored.outcome == YES


def test_reverts_in_an_unknown_market(markets, market):
    for market_id in (0, market + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.market(market_id)
