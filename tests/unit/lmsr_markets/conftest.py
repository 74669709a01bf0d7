"""Roles of a friends' market, and markets in each state. Bettors bet YES, NO, YES: the first three golden values."""

import pytest

from tests.club import INVALID, NO, VOTING, YES, Club, at, now


@pytest.fixture(scope="session")
def club(markets, escrow, members):
    return Club(markets, escrow, members)


@pytest.fixture(scope="session")
def creator(club):
    return club.creator


@pytest.fixture(scope="session")
def yes_bettor(club):
    return club.yes_bettor


@pytest.fixture(scope="session")
def no_bettor(club):
    return club.no_bettor


@pytest.fixture(scope="session")
def third_bettor(club):
    """Bets YES after the other two."""
    return club.third_bettor


@pytest.fixture(scope="session")
def referee(club):
    return club.referee


@pytest.fixture(scope="session")
def outsider(club):
    """A member who has not bet in the market."""
    return club.outsider


@pytest.fixture
def market(club):
    """An open market with the three bets, on whose disputes the bettors vote."""
    return club.three_bets(club.create())


@pytest.fixture
def awaiting(club, referee):
    """A market whose referee has not accepted yet."""
    return club.create(referee=referee, accepted=False)


@pytest.fixture
def refereed(club, referee):
    """An open market with the three bets and a referee, who has accepted."""
    return club.three_bets(club.create(referee=referee))


@pytest.fixture
def pending(club, market):
    """The creator has proposed YES at the expected result time."""
    return club.propose(market, YES)


@pytest.fixture
def disputed(club, pending):
    """The NO bettor has disputed it at once: bettors vote."""
    return club.complain(pending)


@pytest.fixture
def ruled(club, refereed):
    """The same, where the referee rules."""
    return club.complain(club.propose(refereed, YES))


@pytest.fixture
def early(club, market):
    """The creator has proposed YES ten days early, and the NO bettor has disputed it."""
    return club.complain(club.propose(market, YES, club.due_at - 864_000))


@pytest.fixture
def refused(club, markets, early):
    """Nobody has voted for it: the market is CLOSED again."""
    at(now() + VOTING)
    markets.finalize(early)
    return early


@pytest.fixture
def resolved(club, market):
    """YES, undisputed."""
    return club.settle(market, YES)


@pytest.fixture
def resolved_no(club, market):
    return club.settle(market, NO)


@pytest.fixture
def void(club, market):
    """INVALID, undisputed."""
    return club.settle(market, INVALID)


@pytest.fixture
def state(request):
    """A market in the state that a test names by `indirect`."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["pending", "disputed", "ruled", "resolved", "void"])
def past_proposal(request):
    """A market in each state from the proposal on."""
    return request.getfixturevalue(request.param)
