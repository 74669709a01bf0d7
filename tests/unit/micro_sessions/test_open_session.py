"""Opening a session: whose offer, how long it is good, and that it is good once."""

from dataclasses import replace

import boa
import pytest

from tessera.model.sessions.typed import Domain
from tests.sessions import EUR, NO_SIGNATURE, NONE, OPEN, events_of, key, sign
from tests.unit.conftest import NOW

DAY = 86_400


def test_logs_whose_it_is(house, offer, micro):
    session = house.open(offer)
    (opened,) = events_of(micro, "SessionOpened")
    assert (opened.session, opened.player, opened.stream_id) == (session, offer.player, house.stream_id)
    assert micro.session(session) == (OPEN, 0, 0, 0, False, False, 0)


def test_without_an_activation_cost(house, offer, money):
    house.open(replace(offer, activation=0))
    assert money() == (80 * EUR, 970 * EUR, 1_020 * EUR)


def test_in_the_last_second_and_not_after_it(house, offer, evm):
    evm.patch.timestamp = NOW + 120
    with boa.env.anchor():
        house.open(offer)
    evm.patch.timestamp = NOW + 121
    with boa.reverts("micro: offer has expired"):
        house.open(offer)


@pytest.mark.parametrize("expires_in", [0, 30 * DAY + 1])
def test_reverts_when_it_ends_now_or_after_a_month(house, offer, expires_in):
    with boa.reverts("micro: bad expiry"):
        house.open(replace(offer, expires_at=NOW + expires_in))


def test_lasts_a_second_or_a_month(house, offer):
    house.open(replace(offer, expires_at=NOW + 1))
    house.open(replace(offer, expires_at=NOW + 30 * DAY))


def test_reverts_when_somebody_else_sends(house, offer, micro):
    session = house.domain.digest(offer)
    with boa.reverts("micro: not your offer"):
        micro.open_session(offer.words, sign(house.operator, session), sender=key("thief").address)


@pytest.mark.parametrize(
    ("name", "reason"), [("session_key", "micro: zero session key"), ("house_key", "micro: zero house key")]
)
def test_reverts_when_a_key_is_nobody_s(house, offer, name, reason):
    with boa.reverts(reason):
        house.open(replace(offer, **{name: "0x" + "00" * 20}))


def test_reverts_when_it_is_used_again(house, offer, session, micro, session_key, evm):
    with boa.reverts("micro: offer is used"):
        house.open(offer)
    # Closed while the offer is good: it stays used, and one agreement closes one session.
    close = house.close(session_key, session, 0, True, NOW + DAY)
    micro.close(offer.words, 0, True, NOW + DAY, close, NO_SIGNATURE, sender=house.operator.address)
    assert micro.session(session)[0] == 3
    with boa.reverts("micro: offer is used"):
        house.open(offer)
    evm.patch.timestamp = NOW + 121
    with boa.reverts("micro: offer has expired"):
        house.open(offer)


def test_reverts_when_the_operator_did_not_sign(house, offer, micro):
    session = house.domain.digest(offer)
    others = {
        "another": sign(key("other"), session),
        "house key": sign(house.house_key, session),
        "void": NO_SIGNATURE,
        "other offer": sign(house.operator, house.domain.digest(replace(offer, deposit=1))),
        "other contract": sign(house.operator, Domain(31_337, offer.player).digest(offer)),
        "other chain": sign(house.operator, Domain(1, micro.address).digest(offer)),
    }
    for signature in others.values():
        with boa.reverts("micro: not by operator"):
            micro.open_session(offer.words, signature, sender=offer.player)


def test_a_malleable_signature_is_void(house, offer, micro):
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    r, vs = sign(house.operator, house.domain.digest(offer))
    parity, s = vs >> 255, vs % 2**255
    # The twin of a low s does not fit the 255 bits of EIP-2098, unless it is low itself: it never is.
    assert order - s >= 2**255 or order - s > order // 2
    with boa.reverts("micro: not by operator"):
        micro.open_session(offer.words, (r, (1 - parity) << 255 | (order - s) % 2**255), sender=offer.player)


def test_reverts_when_the_stream_is_unknown(house, offer):
    with boa.reverts("micro: unknown stream"):
        house.open(replace(offer, stream_id=house.stream_id + 1))


def test_reverts_when_the_bankroll_is_too_small(house, offer, micro):
    micro.withdraw_bankroll(house.stream_id, 970 * EUR + 1, sender=house.operator.address)
    with boa.reverts("micro: bankroll too small"):
        house.open(offer)


def test_locks_as_much_as_the_stream_allows_and_no_more(house, offer, micro):
    house.open(replace(offer, house_lock=500 * EUR - 1))
    assert micro.stream(house.stream_id)[2] == 0
    with boa.reverts("micro: too much is locked"):
        house.open(replace(offer, house_lock=1, salt=1))


def test_a_lock_takes_whole_tokens_of_room(house, offer, micro):
    house.open(replace(offer, house_lock=1))
    assert micro.stream(house.stream_id)[1:3] == (1_000 * EUR - 1, 499)
    house.open(replace(offer, house_lock=0, salt=1))
    assert micro.stream(house.stream_id)[1:3] == (1_000 * EUR - 1, 499)


@pytest.mark.parametrize(("name", "amount"), [("deposit", 100 * EUR), ("deposit", 0)])
def test_reverts_when_the_player_cannot_pay(house, offer, micro, money, name, amount):
    before = money()
    reason = "escrow: balance too low" if amount else "escrow: zero amount"
    with boa.reverts(reason):
        house.open(replace(offer, **{name: amount}))
    assert money() == before
    assert micro.session(house.domain.digest(offer))[0] == NONE


def test_reverts_without_consent(house, offer, coin_escrow):
    coin_escrow.set_consent(0, sender=offer.player)
    with boa.reverts("escrow: no consent"):
        house.open(offer)
