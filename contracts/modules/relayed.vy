# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Bets that their account signed and a relayer lands
@author Tessera
@license AGPL-3.0-only
@notice A signed bet names the one relayer that may land it, counts once, and is
        good for two minutes at most.
@dev Nonces are the bits of a bitmap for each relayer and account, set only for
     bets that were placed or burned: what was skipped can be tried again, and a
     retry under the same nonce cannot land twice.
"""


from snekmate.utils import eip712_domain_separator

from ..interfaces import IHostedBets
from . import signatures


uses: eip712_domain_separator


MAX_DELAY: constant(uint256) = 120
NOT_SIGNED: constant(String[32]) = "relayed: not signed by account"
USED: constant(String[32]) = "relayed: nonce is used"
BET_TYPE_HASH: constant(bytes32) = keccak256(
    "Bet(address account,bytes32 bet_id,uint256 prediction,uint256 amount,"
    "uint256 min_confirmed,address relayer,uint256 nonce,uint256 deadline)"
)


_used: HashMap[bytes32, uint256]  # hash of relayer, account and nonce // 256 -> a bit for each nonce that is used


@external
def burn(relayer: address, nonce: uint256):
    """
    @notice Takes back a signed bet of the caller that has not been placed.
    @param relayer Whom the bet named.
    @param nonce Of the bet.
    """
    assert self._take(relayer, msg.sender, nonce), USED
    log IHostedBets.NonceBurned(account=msg.sender, relayer=relayer, nonce=nonce)


@external
@view
def is_used(account: address, relayer: address, nonce: uint256) -> bool:
    """
    @notice Whether a nonce is placed or burned.
    @param account Who signs.
    @param relayer Who lands.
    @param nonce Any number.
    @return True where no bet with it can be placed any more.
    """
    return (self._used[self._key(relayer, account, nonce)] >> (nonce & 255)) & 1 == 1


@internal
@view
def _refusal(bet: IHostedBets.Bet) -> String[32]:
    """
    @notice Why a signed bet does not count now, whatever it is about; empty where
            it may. Signature and nonce are checked apart.
    """
    if bet.deadline < block.timestamp:
        return "relayed: deadline is over"
    if bet.deadline > block.timestamp + MAX_DELAY:
        return "relayed: deadline too far"
    if bet.min_confirmed > bet.amount:
        return "relayed: minimum over amount"
    return ""


@internal
@view
def _digest(bet_id: bytes32, bet: IHostedBets.Bet) -> bytes32:
    """
    @notice What the account signed if it named the caller as relayer.
    """
    return eip712_domain_separator._hash_typed_data_v4(
        keccak256(
            abi_encode(
                BET_TYPE_HASH,
                bet.account,
                bet_id,
                bet.prediction,
                bet.amount,
                bet.min_confirmed,
                msg.sender,
                bet.nonce,
                bet.deadline,
            )
        )
    )


@internal
def _check(bet_id: bytes32, bet: IHostedBets.Bet, signature: Bytes[1024]):
    """
    @notice Uses the nonce of a bet that counts; reverts where it does not.
    """
    refusal: String[32] = self._refusal(bet)
    assert len(refusal) == 0, refusal
    assert signatures._is_signed_by(bet.account, self._digest(bet_id, bet), signature), NOT_SIGNED
    assert self._take(msg.sender, bet.account, bet.nonce), USED


@internal
@view
def _is_signed(bet_id: bytes32, bet: IHostedBets.Bet, signature: IHostedBets.Signature) -> bool:
    return bet.account != empty(address) and bet.account == signatures._signer(self._digest(bet_id, bet), signature)


@internal
def _take(relayer: address, account: address, nonce: uint256) -> bool:
    """
    @notice Uses a nonce; False where it was used already.
    """
    key: bytes32 = self._key(relayer, account, nonce)
    bits: uint256 = self._used[key]
    bit: uint256 = 1 << (nonce & 255)
    if bits & bit != 0:
        return False
    self._used[key] = bits | bit
    return True


@internal
def _give_back(relayer: address, account: address, nonce: uint256):
    """
    @notice Undoes `_take`, for a bet that could not be placed after all.
    """
    self._used[self._key(relayer, account, nonce)] ^= 1 << (nonce & 255)


@internal
@pure
def _key(relayer: address, account: address, nonce: uint256) -> bytes32:
    return keccak256(abi_encode(relayer, account, nonce >> 8))
