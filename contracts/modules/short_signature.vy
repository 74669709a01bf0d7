# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Short signatures (EIP-2098)
@author Tessera
@license AGPL-3.0-only
@dev Two words: r, and one with s in bits 0 to 254 and v less 27 in bit 255.
"""


from snekmate.utils import ecdsa


S_MASK: constant(uint256) = 2**255 - 1
V_SHIFT: constant(uint256) = 255


@internal
@pure
def _signer(digest: bytes32, r: uint256, vs: uint256) -> address:
    """
    @notice Who signed a digest; the zero address where the signature is void.
    @dev snekmate's own recovery reverts on a void signature: one of them would stop all
         the others of a batch.
    """
    s: uint256 = vs & S_MASK
    if s > ecdsa._MALLEABILITY_THRESHOLD:
        return empty(address)
    return ecrecover(digest, unsafe_add(vs >> V_SHIFT, 27), r, s)
