"""Opening a stream, funding it, and taking its free bankroll out."""

import boa
import pytest

from tests.sessions import EUR, events_of, key

MOST = 2**32 - 1


def test_anybody_opens_one_for_good(micro, house, stranger):
    number = micro.open_stream(house.panel_id, house.operator.address, 7, sender=stranger)
    assert number == micro.stream_count() == house.stream_id + 1
    assert micro.stream(number) == (house.operator.address, 0, 7, house.panel_id)
    assert micro.panel_of(number) == house.panel_id


def test_opening_logs_who_and_how_much(micro, house, stranger):
    micro.open_stream(house.panel_id, stranger, MOST)
    (opened,) = events_of(micro, "StreamOpened")
    assert (opened.operator, opened.panel_id, opened.lock_cap) == (stranger, house.panel_id, MOST)


@pytest.mark.parametrize("cap", [0, MOST + 1])
def test_reverts_when_the_cap_is_none_or_has_no_room(micro, house, stranger, cap):
    with boa.reverts("micro: bad lock cap"):
        micro.open_stream(house.panel_id, stranger, cap)


def test_reverts_when_there_is_no_such_panel(micro, stranger):
    with boa.reverts("micro: no such panel"):
        micro.open_stream(1, stranger, 1)


def test_reverts_when_nobody_operates(micro, house):
    with boa.reverts("micro: zero operator"):
        micro.open_stream(house.panel_id, "0x" + "00" * 20, 1)


def test_reverts_when_all_numbers_are_used(micro, house, stranger):
    micro.eval("streams.stream_count = 2**64 - 1")
    with boa.reverts("micro: too many streams"):
        micro.open_stream(house.panel_id, stranger, 1)


def test_an_unknown_stream(micro, house):
    for call in (lambda: micro.stream(99), lambda: micro.fund_stream(99, 1), lambda: micro.withdraw_bankroll(99, 1)):
        with boa.reverts("micro: unknown stream"):
            call()


def test_the_operator_funds_and_withdraws_what_is_free(micro, house, money, coin_escrow):
    operator = house.operator.address
    micro.fund_stream(house.stream_id, 5 * EUR, sender=operator)
    assert money()[1:] == (1_005 * EUR, 1_005 * EUR)
    micro.withdraw_bankroll(house.stream_id, 1_005 * EUR, sender=operator)
    assert money()[1:] == (0, 0)
    assert coin_escrow.balance_of(operator) == 2_000 * EUR


@pytest.mark.parametrize("function", ["fund_stream", "withdraw_bankroll"])
def test_reverts_when_it_is_not_the_operator(micro, house, function):
    with boa.reverts("micro: not the operator"):
        getattr(micro, function)(house.stream_id, 1, sender=key("somebody").address)


def test_reverts_when_more_is_withdrawn_than_no_session_locks(micro, house, session):
    operator = house.operator.address
    with boa.reverts("micro: more than is free"):
        micro.withdraw_bankroll(house.stream_id, 970 * EUR + 1, sender=operator)
    micro.withdraw_bankroll(house.stream_id, 970 * EUR, sender=operator)


def test_reverts_when_a_bankroll_has_no_room_in_its_word(micro, house):
    operator = house.operator.address
    with boa.reverts("micro: bankroll too large"):
        micro.fund_stream(house.stream_id, 2**64 - 1_000 * EUR, sender=operator)
    # One unit less has room, and is refused for want of money.
    with boa.reverts("escrow: balance too low"):
        micro.fund_stream(house.stream_id, 2**64 - 1_000 * EUR - 1, sender=operator)


def test_streams_do_not_touch_each_other(micro, house, money, coin_escrow):
    operator = house.operator.address
    other = micro.open_stream(house.panel_id, operator, 10)
    micro.fund_stream(other, 3 * EUR, sender=operator)
    assert money()[1:] == (1_000 * EUR, 1_000 * EUR)
    assert coin_escrow.pot_balance(micro, other.to_bytes(32)) == 3 * EUR
    with boa.reverts("micro: more than is free"):
        micro.withdraw_bankroll(other, 3 * EUR + 1, sender=operator)
