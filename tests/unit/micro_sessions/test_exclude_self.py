"""Self-exclusion: it begins at once, can only be moved later, and its beginning stays while it runs."""

import boa
import pytest

from tests.sessions import EUR, events_of
from tests.unit.conftest import NOW

DAY = 86_400


def test_begins_now(micro, wallet):
    micro.exclude_self(NOW + DAY, sender=wallet.address)
    (logged,) = events_of(micro, "SelfExcluded")
    assert (logged.account, logged.start, logged.end) == (wallet.address, NOW, NOW + DAY)
    assert micro.exclusion_of(wallet.address) == (NOW, NOW + DAY)


def test_moved_later_it_keeps_its_beginning(micro, wallet, evm):
    micro.exclude_self(NOW + DAY, sender=wallet.address)
    evm.patch.timestamp = NOW + 100
    micro.exclude_self(NOW + 2 * DAY, sender=wallet.address)
    assert micro.exclusion_of(wallet.address) == (NOW, NOW + 2 * DAY)


def test_another_one_after_it_begins_then(micro, wallet, evm):
    micro.exclude_self(NOW + DAY, sender=wallet.address)
    evm.patch.timestamp = NOW + DAY
    micro.exclude_self(NOW + 2 * DAY, sender=wallet.address)
    assert micro.exclusion_of(wallet.address) == (NOW + DAY, NOW + 2 * DAY)


@pytest.mark.parametrize("end", [0, NOW - 1, NOW, NOW + DAY - 1, NOW + DAY, 2**64, 2**256 - 1])
def test_reverts_when_it_is_not_later(micro, wallet, end):
    micro.exclude_self(NOW + DAY, sender=wallet.address)
    with boa.reverts("micro: exclusion only later"):
        micro.exclude_self(end, sender=wallet.address)
    micro.exclude_self(2**64 - 1, sender=wallet.address)


@pytest.mark.parametrize("end", [NOW - 1, NOW, 2**64])
def test_reverts_when_it_is_over_before_it_begins(micro, wallet, end):
    with boa.reverts("micro: exclusion only later"):
        micro.exclude_self(end, sender=wallet.address)


def test_stops_new_sessions_and_top_ups_until_its_end(micro, house, offer, session, wallet, evm):
    micro.exclude_self(NOW + 100, sender=wallet.address)
    evm.patch.timestamp = NOW + 99
    again = house.offer(wallet.address, offer.session_key, deposit=EUR)
    with boa.reverts("micro: self-excluded"):
        house.open(again)
    with boa.reverts("micro: self-excluded"):
        micro.top_up(offer.words, EUR, sender=wallet.address)
    evm.patch.timestamp = NOW + 100
    house.open(again)
    micro.top_up(offer.words, EUR, sender=wallet.address)


def test_money_leaves_all_the_same(micro, house, offer, session, wallet, session_key, money):
    micro.exclude_self(NOW + 10 * DAY, sender=wallet.address)
    agreed = house.close(session_key, session, 0, False, NOW + DAY)
    micro.close(offer.words, 0, False, NOW + DAY, agreed, (0, 0), sender=house.operator.address)
    assert money()[0] == 100 * EUR
