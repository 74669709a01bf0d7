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
     Unpacking never reverts, so that no item of a batch can stop the others.
"""


from ..interfaces import IMicroSessions


struct Terms:
    player: address
    session_key: address
    house_key: address
    stream_id: uint256
    deposit: uint256
    activation: uint256
    house_lock: uint256
    stake_cap: uint256
    loss_cap: uint256
    expires_at: uint256
    valid_until: uint256


ADDRESS_SHIFT: constant(uint256) = 96
AMOUNT_MASK: constant(uint256) = 2**96 - 1
STREAM_SHIFT: constant(uint256) = 192
STAKE_CAP_SHIFT: constant(uint256) = 96
EXPIRY_SHIFT: constant(uint256) = 64
TIME_MASK: constant(uint256) = 2**64 - 1


@internal
@pure
def _unpacked(offer: IMicroSessions.Offer) -> Terms:
    return Terms(
        player=convert(offer.player_word >> ADDRESS_SHIFT, address),
        session_key=convert(offer.session_word >> ADDRESS_SHIFT, address),
        house_key=convert(offer.house_word >> ADDRESS_SHIFT, address),
        stream_id=offer.caps_word >> STREAM_SHIFT,
        deposit=offer.player_word & AMOUNT_MASK,
        activation=offer.session_word & AMOUNT_MASK,
        house_lock=offer.house_word & AMOUNT_MASK,
        stake_cap=(offer.caps_word >> STAKE_CAP_SHIFT) & AMOUNT_MASK,
        loss_cap=offer.caps_word & AMOUNT_MASK,
        expires_at=(offer.times_word >> EXPIRY_SHIFT) & TIME_MASK,
        valid_until=offer.times_word & TIME_MASK,
    )
