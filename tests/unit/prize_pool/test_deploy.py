"""What a prize pool is deployed with is checked once and for good."""

import boa
import pytest

from tessera.model.prizes import period_of
from tests.prize_system import load

ZERO = "0x" + "00" * 20


@pytest.fixture
def arguments(system):
    return [
        system.usdc,
        system.bet,
        system.events,
        system.pool,
        system.market,
        system.router,
        system.treasury,
    ]


def test_knows_its_parts(system):
    prizes = system.prizes
    assert (prizes.PRIZE_TOKEN(), prizes.BET()) == (system.usdc.address, system.bet.address)
    assert (prizes.EVENTS(), prizes.STAKING()) == (system.events.address, system.pool.address)
    assert (prizes.ROUTER(), prizes.TREASURY()) == (system.router.address, system.treasury)
    assert prizes.PAIR() == system.market.address
    assert prizes.split_of(prizes.period()) == (9_000, 300)
    assert prizes.period() == period_of(boa.env.timestamp)


@pytest.mark.parametrize("number", [2, 3, 6])
def test_reverts_when_an_address_is_zero(arguments, number):
    arguments[number] = ZERO
    with boa.reverts("prizes: zero address"):
        load("contracts/PrizePool.vy").deploy(*arguments)


@pytest.mark.parametrize("number", [0, 1, 5])
def test_reverts_when_there_is_no_code(arguments, number, stranger):
    arguments[number] = stranger
    with boa.reverts("prizes: no code"):
        load("contracts/PrizePool.vy").deploy(*arguments)


@pytest.mark.parametrize("known", ["usdc", "bet"])
@pytest.mark.parametrize("place", ["0x" + "00" * 18 + "1234", "0x" + "ff" * 18 + "1234"], ids=["second", "first"])
def test_reverts_when_pair_is_of_other_tokens(system, arguments, known, place):
    """One of the two is not enough, whichever and wherever it is in the pair."""
    other = load("contracts/devnet/TestToken.vy").deploy("Other", "OTH", 6, override_address=place)
    arguments[4] = load("contracts/devnet/Pair.vy").deploy(getattr(system, known), other)
    with boa.reverts("twap: wrong pair"):
        load("contracts/PrizePool.vy").deploy(*arguments)
