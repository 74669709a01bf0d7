"""Closing many sessions of a stream at once: a bad item harms nobody."""

from dataclasses import replace

import boa
import pytest

from tessera.model.sessions import states
from tests.sessions import EUR, NO_SIGNATURE, NONE, OPEN, events_of, key
from tests.unit.conftest import NOW

UNTIL = NOW + 600


@pytest.fixture
def opened(house, wallet, session_key):
    """Four sessions of 5 EUR each of one player."""
    offers = [
        house.offer(wallet.address, session_key.address, deposit=5 * EUR, loss_cap=5 * EUR, salt=i) for i in range(4)
    ]
    return [(offer, house.open(offer)) for offer in offers]


@pytest.fixture
def item(house, session_key):
    def item(offer, session, net=0, activated=True, until=UNTIL, by=session_key):
        return offer.words, (net, activated, until), house.close(by, session, net, activated, until)

    return item


def test_pays_everybody(house, opened, item, money):
    nets = [1 * EUR, -5 * EUR, 0, 30 * EUR]
    player, free, _ = money()
    items = [item(*one, net) for one, net in zip(opened, nets, strict=True)]
    assert house.micro.close_many(house.stream_id, items, sender=house.operator.address) == 4
    assert [one.net for one in events_of(house.micro, "SessionClosed")] == nets
    paid = [states.settle(offer, net, True) for (offer, _), net in zip(opened, nets, strict=True)]
    assert money() == (
        player + sum(one.paid for one in paid),
        free + sum(one.house for one in paid),
        free + sum(one.house for one in paid),
    )
    assert house.micro.stream(house.stream_id)[2] == 500


def test_one_who_lost_all_is_left_out_of_the_payment(house, opened, item, micro, money):
    player = money()[0]
    items = [item(*opened[0], -5 * EUR), item(*opened[1], 2)]
    micro.close_many(house.stream_id, items, sender=house.operator.address)
    assert money()[0] == player + 5 * EUR + 2
    micro.close_many(house.stream_id, [item(*opened[2], -5 * EUR)], sender=house.operator.address)
    assert money()[0] == player + 5 * EUR + 2


def test_bad_items_are_skipped_and_logged(house, opened, item, micro, money):
    offer, session = opened[0]
    player = money()[0]
    stranger = replace(offer, salt=99)
    items = [
        item(offer, session, until=NOW - 1),
        item(offer, session, by=key("thief")),
        (offer.words, (1, True, UNTIL), NO_SIGNATURE),
        item(stranger, house.domain.digest(stranger)),
        item(offer, session, 7),
        item(offer, session, 8),
        item(*opened[1], 9),
    ]
    assert micro.close_many(house.stream_id, items, sender=house.operator.address) == 2
    assert [one.reason for one in events_of(micro, "CloseSkipped")] == [
        "micro: agreement has expired",
        "micro: player did not agree",
        "micro: player did not agree",
        "micro: session is not there",
        "micro: session is not there",
    ]
    assert money()[0] == player + 10 * EUR + 16


def test_a_session_of_another_stream_is_skipped(house, opened, item, micro, wallet, session_key):
    operator = house.operator.address
    other = micro.open_stream(house.panel_id, operator, 100)
    micro.fund_stream(other, 100 * EUR, sender=operator)
    offer = house.offer(wallet.address, session_key.address, deposit=EUR, loss_cap=EUR, stream_id=other)
    session = house.open(offer)
    assert micro.close_many(house.stream_id, [item(offer, session), item(*opened[0])], sender=operator) == 1
    assert [one.reason for one in events_of(micro, "CloseSkipped")] == ["micro: of another stream"]
    assert micro.session(session)[0] == OPEN
    assert micro.stream(other)[1] == 70 * EUR


def test_nothing_to_close(house, micro):
    assert micro.close_many(house.stream_id, [], sender=house.operator.address) == 0


def test_reverts_when_it_is_not_the_operator(house, opened, item, micro, wallet):
    with boa.reverts("micro: not the operator"):
        micro.close_many(house.stream_id, [item(*opened[0])], sender=wallet.address)


def test_sessions_whose_offers_are_void_are_forgotten(house, opened, item, micro, evm):
    evm.patch.timestamp = NOW + 121
    micro.close_many(house.stream_id, [item(*one) for one in opened], sender=house.operator.address)
    assert {micro.session(session)[0] for _, session in opened} == {NONE}
