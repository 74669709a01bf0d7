"""One deployed club on the embedded chain for all tests of tessera.chain; each test is undone."""

from collections.abc import Callable

import pytest
from web3 import Web3

from tessera.chain import WAD, Outcome, Terms, Tessera, Wallet
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.lmsr_markets import MarketCreated
from tessera.deployment.deploy import deploy
from tests.undo import undone

__all__ = [
    "bet",
    "bettor",
    "creator",
    "deployed",
    "market",
    "other_bettor",
    "owner",
    "settle",
    "stranger",
    "tessera",
    "travel",
    "web3",
]

WINDOW = 60
HOUR = 3600
TERMS = Terms("Will it rain?", "It does.", "It does not.", "As the source reports it.", "The newspaper.")


@pytest.fixture(scope="session")
def deployed() -> Tessera:
    web3 = embedded_web3()
    # Ahead of the clock on the wall: from now on a block is a second after the one before, however slow the machine.
    web3.provider.ethereum_tester.time_travel(web3.eth.get_block("latest")["timestamp"] + 24 * HOUR)
    owner = Wallet(web3, known_account(0))
    tessera = Tessera(web3, deploy(owner, "friends", {"shortest_window": WINDOW}))
    members = [Wallet(web3, known_account(index)) for index in range(1, 4)]
    tessera.play_euro.invite(owner, [member.address for member in members])
    for member in members:
        tessera.play_euro.join(member, consent=1)
    return tessera


@pytest.fixture
def tessera(deployed: Tessera):
    with undone(deployed.web3):
        yield deployed


@pytest.fixture
def web3(tessera: Tessera) -> Web3:
    return tessera.web3


@pytest.fixture
def owner(web3: Web3) -> Wallet:
    return Wallet(web3, known_account(0))


@pytest.fixture
def creator(web3: Web3) -> Wallet:
    return Wallet(web3, known_account(1))


@pytest.fixture
def bettor(web3: Web3) -> Wallet:
    return Wallet(web3, known_account(2))


@pytest.fixture
def other_bettor(web3: Web3) -> Wallet:
    return Wallet(web3, known_account(3))


@pytest.fixture
def stranger(web3: Web3) -> Wallet:
    return Wallet(web3, known_account(4))


@pytest.fixture
def travel(web3: Web3) -> Callable[[int], None]:
    """Puts the next block so many seconds after the last one; an empty one takes up the time before it."""

    def go(seconds: int):
        now = web3.eth.get_block("latest")["timestamp"]
        web3.provider.ethereum_tester.time_travel(now + seconds)

    return go


@pytest.fixture
def market(tessera: Tessera, creator: Wallet) -> int:
    """An open market at 0.4 whose result is expected in an hour."""
    now = tessera.web3.eth.get_block("latest")["timestamp"]
    done = tessera.markets.create_market(
        creator, TERMS, p0=WAD * 4 // 10, expected_result_at=now + HOUR, dispute_window=WINDOW
    )
    return done.event(MarketCreated).market_id


@pytest.fixture
def bet(tessera: Tessera, travel) -> Callable:
    """Places a bet, five seconds after the last one."""

    def place(who: Wallet, market: int, side: Outcome):
        travel(5)
        return tessera.markets.bet(who, market, side, min_shares=WAD)

    return place


@pytest.fixture
def settle(tessera: Tessera, creator: Wallet, travel) -> Callable[[int, Outcome], None]:
    """Lets the creator propose an outcome when it is due, and finalizes it."""

    def end(market: int, outcome: Outcome):
        travel(HOUR)
        tessera.markets.propose(creator, market, outcome)
        travel(WINDOW)
        tessera.markets.finalize(creator, market)

    return end
