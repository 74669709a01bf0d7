"""Closing together: both agree, the money is shared, and no agreement is used twice."""

from dataclasses import replace

import boa
import pytest

from tessera.model.sessions import states
from tessera.model.sessions.typed import Close, Domain, State
from tests.sessions import CLOSED, EUR, NO_BOOK, NO_POST, NO_RECEIPT, NO_SIGNATURE, NONE, events_of, key, sign
from tests.unit.conftest import NOW

UNTIL = NOW + 600


@pytest.fixture
def close(house, session, offer, session_key):
    """Returns what closes the session; whatever is not said is as it should be."""

    def close(net=0, activated=True, until=UNTIL, by=None, player=None, house_signature=None, sender=None):
        agreed = player or house.close(by or session_key, session, net, activated, until)
        signature = house_signature or house.close(house.house_key, session, net, activated, until)
        house.micro.close(
            offer.words, net, activated, until, agreed, signature, sender=(sender or key("anybody")).address
        )

    return close


@pytest.mark.parametrize("net", [0, 1, -1, 30 * EUR, 30 * EUR + 1, -15 * EUR, -15 * EUR - 1, 2**255 - 1, -(2**255)])
@pytest.mark.parametrize("activated", [True, False])
def test_pays_what_the_model_says(close, offer, money, micro, net, activated):
    free, player = money()[1], money()[0]
    close(net, activated)
    (logged,) = events_of(micro, "SessionClosed")
    paid = states.settle(offer, net, activated)
    assert money() == (player + paid.paid, free + paid.house, free + paid.house)
    assert paid.paid + paid.house == offer.deposit + offer.activation + offer.house_lock
    assert (logged.net, logged.activated) == (paid.net, activated)


def test_a_loss_cap_above_the_deposit_is_the_deposit(house, wallet, session_key, micro, money):
    offer = house.offer(wallet.address, session_key.address, deposit=10 * EUR, loss_cap=15 * EUR)
    session = house.open(offer)
    micro.top_up(offer.words, 2 * EUR, sender=wallet.address)
    agreed = house.close(session_key, session, -(10**9), True, UNTIL)
    micro.close(offer.words, -(10**9), True, UNTIL, agreed, NO_SIGNATURE, sender=house.operator.address)
    assert money()[0] == 100 * EUR - 13 * EUR


def test_the_wallet_may_agree_as_well(close, wallet, money):
    close(by=wallet)
    assert money()[0] == 99 * EUR


def test_the_operator_as_sender_stands_for_the_house(close, house, money):
    close(house_signature=NO_SIGNATURE, sender=house.operator)
    assert money()[0] == 99 * EUR


def test_gives_the_room_back(close, house):
    assert house.micro.stream(house.stream_id)[2] == 470
    close()
    assert house.micro.stream(house.stream_id)[2] == 500


def test_in_the_last_second_and_not_after_it(close, evm):
    evm.patch.timestamp = UNTIL
    with boa.env.anchor():
        close()
    evm.patch.timestamp = UNTIL + 1
    with boa.reverts("micro: agreement has expired"):
        close()


def test_is_forgotten_once_its_offer_is_void(close, evm, micro, session):
    evm.patch.timestamp = NOW + 121
    close()
    assert micro.session(session)[0] == NONE


def test_is_marked_while_its_offer_is_good(close, evm, micro, session):
    evm.patch.timestamp = NOW + 120
    close()
    assert micro.session(session)[0] == CLOSED


@pytest.mark.parametrize("wait", [0, 121])
def test_reverts_when_it_was_closed(close, evm, wait):
    evm.patch.timestamp = NOW + wait
    close()
    with boa.reverts("micro: session is not there"):
        close()


def test_ends_an_exit_that_has_begun(close, offer, micro, wallet, session, money):
    micro.start_exit(offer.words, State().fields, NO_SIGNATURE, NO_RECEIPT, NO_BOOK, NO_POST, sender=wallet.address)
    assert micro.posted(session) != bytes(32)
    close(3 * EUR)
    assert micro.posted(session) == bytes(32)
    assert money()[0] == 102 * EUR


def test_reverts_when_the_player_did_not_agree(close, house, session, session_key, offer):
    other = Domain(31_337, offer.player)
    digest = house.domain.digest
    void = {
        "stranger": house.close(key("stranger"), session, 0, True, UNTIL),
        "house": house.close(house.house_key, session, 0, True, UNTIL),
        "operator": house.close(house.operator, session, 0, True, UNTIL),
        "none": NO_SIGNATURE,
        "other net": house.close(session_key, session, 1, True, UNTIL),
        "not activated": house.close(session_key, session, 0, False, UNTIL),
        "other time": house.close(session_key, session, 0, True, UNTIL + 1),
        "other session": house.close(session_key, bytes(32), 0, True, UNTIL),
        "other contract": sign(session_key, other.digest(Close(0, True, UNTIL), session=session)),
        "a state": sign(session_key, digest(State(1, 0, 0, True), session=session)),
    }
    for signature in void.values():
        with boa.reverts("micro: player did not agree"):
            close(player=signature)


def test_reverts_when_the_house_did_not_agree(close, house, session, session_key, wallet):
    for signature in (
        NO_SIGNATURE,
        house.close(session_key, session, 0, True, UNTIL),
        house.close(house.operator, session, 0, True, UNTIL),
        house.close(house.house_key, session, 1, True, UNTIL),
    ):
        for sender in (wallet, session_key, house.house_key):
            with boa.reverts("micro: not signed by house"):
                close(house_signature=signature, sender=sender)


def test_reverts_when_another_offer_is_shown(house, session, offer, session_key, micro):
    other = replace(offer, house_lock=31 * EUR)
    agreed = house.close(session_key, session, 0, True, UNTIL)
    with boa.reverts("micro: session is not there"):
        micro.close(other.words, 0, True, UNTIL, agreed, NO_SIGNATURE, sender=house.operator.address)


def test_the_operator_of_another_stream_is_nobody_here(house, session, offer, session_key, micro):
    other = key("other operator")
    micro.open_stream(house.panel_id, other.address, 1)
    agreed = house.close(session_key, session, 0, True, UNTIL)
    with boa.reverts("micro: not signed by house"):
        micro.close(offer.words, 0, True, UNTIL, agreed, NO_SIGNATURE, sender=other.address)
