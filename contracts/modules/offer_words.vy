# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title An offer of a session, in five words
@author Tessera
@license AGPL-3.0-only
@notice What operator and player agree to when a session opens. Packed, since it
        comes as calldata with every call that concerns the session.
@dev player_word: player from bit 96, deposit below.
     session_word: session key from bit 96, activation cost below.
     house_word: house key from bit 96, house lock below.
     caps_word: stream from bit 192, stake cap from bit 96, loss cap below.
     times_word: salt from bit 128, expiry from bit 64, valid until below, unix seconds.
     A getter never reverts, so that no item of a batch can stop the others.
"""


from ..interfaces import IMicroSessions


ADDRESS_SHIFT: constant(uint256) = 96
AMOUNT_MASK: constant(uint256) = 2**96 - 1
STREAM_SHIFT: constant(uint256) = 192
STAKE_CAP_SHIFT: constant(uint256) = 96
EXPIRY_SHIFT: constant(uint256) = 64
TIME_MASK: constant(uint256) = 2**64 - 1


@internal
@pure
def _player(offer: IMicroSessions.Offer) -> address:
    return convert(offer.player_word >> ADDRESS_SHIFT, address)


@internal
@pure
def _deposit(offer: IMicroSessions.Offer) -> uint256:
    return offer.player_word & AMOUNT_MASK


@internal
@pure
def _session_key(offer: IMicroSessions.Offer) -> address:
    return convert(offer.session_word >> ADDRESS_SHIFT, address)


@internal
@pure
def _activation(offer: IMicroSessions.Offer) -> uint256:
    return offer.session_word & AMOUNT_MASK


@internal
@pure
def _house_key(offer: IMicroSessions.Offer) -> address:
    return convert(offer.house_word >> ADDRESS_SHIFT, address)


@internal
@pure
def _house_lock(offer: IMicroSessions.Offer) -> uint256:
    return offer.house_word & AMOUNT_MASK


@internal
@pure
def _stream_id(offer: IMicroSessions.Offer) -> uint256:
    return offer.caps_word >> STREAM_SHIFT


@internal
@pure
def _stake_cap(offer: IMicroSessions.Offer) -> uint256:
    return (offer.caps_word >> STAKE_CAP_SHIFT) & AMOUNT_MASK


@internal
@pure
def _loss_cap(offer: IMicroSessions.Offer) -> uint256:
    return offer.caps_word & AMOUNT_MASK


@internal
@pure
def _expires_at(offer: IMicroSessions.Offer) -> uint256:
    return (offer.times_word >> EXPIRY_SHIFT) & TIME_MASK


@internal
@pure
def _valid_until(offer: IMicroSessions.Offer) -> uint256:
    return offer.times_word & TIME_MASK
