"""More money for a running session."""

from dataclasses import replace

import boa
import pytest

from tessera.model.sessions.typed import State
from tests.sessions import EUR, NO_BOOK, NO_POST, NO_RECEIPT, NO_SIGNATURE, events_of, key


def test_adds_to_the_deposit(house, session, offer, micro, money, wallet):
    micro.top_up(offer.words, 5 * EUR, sender=wallet.address)
    (logged,) = events_of(micro, "ToppedUp")
    assert (logged.session, logged.amount) == (session, 5 * EUR)
    micro.top_up(offer.words, 2 * EUR, sender=wallet.address)
    assert micro.session(session)[1] == 7 * EUR
    assert money() == (72 * EUR, 970 * EUR, 1_028 * EUR)


def test_reverts_when_the_wallet_does_not_send(session, offer, micro, session_key, house):
    for sender in (session_key, house.operator, key("stranger")):
        with boa.reverts("micro: not your session"):
            micro.top_up(offer.words, EUR, sender=sender.address)


def test_reverts_when_there_is_no_such_session(offer, micro, wallet, session):
    with boa.reverts("micro: session not open"):
        micro.top_up(replace(offer, salt=9).words, EUR, sender=wallet.address)


def test_reverts_once_an_exit_has_begun(session, offer, micro, wallet):
    micro.start_exit(offer.words, State().fields, NO_SIGNATURE, NO_RECEIPT, NO_BOOK, NO_POST, sender=wallet.address)
    with boa.reverts("micro: session not open"):
        micro.top_up(offer.words, EUR, sender=wallet.address)


def test_reverts_when_the_session_has_expired(session, offer, micro, wallet, evm):
    evm.patch.timestamp = offer.expires_at
    with boa.reverts("micro: session has expired"):
        micro.top_up(offer.words, EUR, sender=wallet.address)
    evm.patch.timestamp = offer.expires_at - 1
    micro.top_up(offer.words, EUR, sender=wallet.address)


@pytest.mark.parametrize("amount", [2**64, 2**256 - 1])
def test_reverts_when_it_has_no_room_in_the_word(session, offer, micro, wallet, amount):
    with boa.reverts("micro: top-up too large"):
        micro.top_up(offer.words, amount, sender=wallet.address)
    with boa.reverts("escrow: balance too low"):
        micro.top_up(offer.words, 2**64 - 1, sender=wallet.address)
    micro.top_up(offer.words, EUR, sender=wallet.address)  # which takes from the room
    with boa.reverts("micro: top-up too large"):
        micro.top_up(offer.words, 2**64 - EUR, sender=wallet.address)
    with boa.reverts("escrow: balance too low"):
        micro.top_up(offer.words, 2**64 - EUR - 1, sender=wallet.address)


def test_reverts_when_it_is_nothing(session, offer, micro, wallet):
    with boa.reverts("escrow: zero amount"):
        micro.top_up(offer.words, 0, sender=wallet.address)
