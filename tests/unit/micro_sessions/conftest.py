"""A stream of 1,000 EUR whose panel is two of three, and a player with 100 EUR and a session key."""

from types import SimpleNamespace

import pytest

from tessera.model.sessions import states
from tessera.model.sessions.typed import State
from tests.sessions import EUR, NO_BOOK, NO_POST, NO_RECEIPT, NO_SIGNATURE, fund, houses, key, sign
from tests.unit.conftest import HOUR


@pytest.fixture(scope="session")
def house(load, owner, coin, coin_escrow, evm):
    """The stream's house: operator with 2,000 EUR in Escrow, of which 1,000 are the bankroll."""
    (house,) = houses(load, coin, coin_escrow, owner, HOUR, 24 * HOUR)
    return house


@pytest.fixture(scope="session")
def micro(house):
    return house.micro


@pytest.fixture(scope="session")
def wallet(house, coin, coin_escrow, owner):
    """The player's wallet: 100 EUR in Escrow, and consent."""
    account = key("wallet")
    fund(coin, coin_escrow, owner, account.address, 100 * EUR)
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


class Desk:
    """One open session: makes its states, and posts them by whomever a test names."""

    def __init__(self, house, offer, session, session_key, wallet):
        self.house, self.offer, self.session = house, offer, session
        self.session_key, self.wallet = session_key, wallet

    def state(self, questions, base=None, stake=EUR, choice=0, **outcomes) -> State:
        """A state with one open bet on each question, built on an activated one."""
        state = base or states.activation(State())
        for number, question in enumerate(questions):
            bet = self.house.bet(question, choice=choice, stake=stake, number=number)
            state = states.successor(self.offer, state, bet, {}, state.seq + 1)
        return state

    def arguments(self, state, by=None, receipt=None, book=NO_BOOK, post=NO_POST) -> tuple:
        """A posting: player's signature, the house's receipt or a book, a Post."""
        if state.seq == 0:
            return self.offer.words, state.fields, NO_SIGNATURE, NO_RECEIPT, book, post
        signature = sign(by or self.session_key, self.house.state_hash(self.session, state))
        if receipt is None:
            receipt = self.house.receipt(self.session, state) if book == NO_BOOK else NO_RECEIPT
        return self.offer.words, state.fields, signature, receipt, book, post

    def exit(self, state, sender=None, **more) -> None:
        arguments = self.arguments(state, **more)
        self.house.micro.start_exit(*arguments, sender=(sender or self.wallet).address)

    def challenge(self, state, sender=None, **more) -> None:
        arguments = self.arguments(state, **more)
        self.house.micro.challenge(*arguments, sender=(sender or self.house.operator).address)

    def finalize(self, state) -> None:
        self.house.micro.finalize(self.offer.words, state.fields)

    @property
    def stored(self) -> SimpleNamespace:
        """What the contract stores of it."""
        names = "stage", "top_ups", "first_end", "end", "by_player", "proven", "seq"
        return SimpleNamespace(**dict(zip(names, self.house.micro.session(self.session), strict=True)))


@pytest.fixture
def desk(house, offer, session, session_key, wallet):
    return Desk(house, offer, session, session_key, wallet)
