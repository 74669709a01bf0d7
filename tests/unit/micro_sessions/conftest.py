"""A stream of 1,000 EUR whose panel is two of three, and a player with 100 EUR and a session key."""

import boa
import pytest

from tessera.model.sessions.typed import Domain
from tests.panels import accounts
from tests.sessions import EUR, House, key
from tests.unit.conftest import HOUR


@pytest.fixture(scope="session")
def house(load, owner, coin, coin_escrow, evm):
    """The stream's house: operator with 2,000 EUR in Escrow, of which 1,000 are the bankroll."""
    panels = load("Panels").deploy()
    micro = load("MicroSessions").deploy(coin_escrow, panels, HOUR, 24 * HOUR)
    coin_escrow.register_product(micro, sender=owner)
    observers = accounts(3)
    panel_id = panels.create_panel([one.address for one in observers], 2)
    operator = key("operator")
    consent = 1 << (len_of(coin_escrow) - 1)
    fund(coin, coin_escrow, owner, operator.address, 2_000 * EUR, consent)
    stream_id = micro.open_stream(panel_id, operator.address, 500)
    micro.fund_stream(stream_id, 1_000 * EUR, sender=operator.address)
    domain = Domain(evm.patch.chain_id, micro.address)
    return House(micro, panels, stream_id, panel_id, observers, domain, operator, key("house key"))


def len_of(escrow) -> int:
    """How many products an Escrow has."""
    count = 0
    while True:
        try:
            escrow.products(count)
        except boa.BoaError:
            return count
        count += 1


def fund(coin, escrow, owner, account, amount, consent):
    """Gives an account money in Escrow, and has it consent."""
    coin.mint(account, amount, sender=owner)
    coin.approve(escrow, amount, sender=account)
    escrow.deposit(amount, account, consent, sender=account)


@pytest.fixture(scope="session")
def micro(house):
    return house.micro


@pytest.fixture(scope="session")
def wallet(house, coin, coin_escrow, owner):
    """The player's wallet: 100 EUR in Escrow, and consent."""
    account = key("wallet")
    fund(coin, coin_escrow, owner, account.address, 100 * EUR, 1 << (len_of(coin_escrow) - 1))
    return account


@pytest.fixture(scope="session")
def session_key():
    return key("session key")


@pytest.fixture
def offer(house, wallet, session_key):
    return house.offer(wallet.address, session_key.address)


@pytest.fixture
def session(house, offer):
    """An open session of that offer."""
    return house.open(offer)


@pytest.fixture
def money(coin_escrow, house, wallet):
    """Returns what player, free bankroll and pot have now."""

    def money():
        free = house.micro.stream(house.stream_id)[1]
        pot = coin_escrow.pot_balance(house.micro, house.stream_id.to_bytes(32))
        return coin_escrow.balance_of(wallet.address), free, pot

    return money
