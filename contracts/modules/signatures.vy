# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Whether an account signed a digest
@author Tessera
@license AGPL-3.0-only
@dev Nothing here reverts, so that a void signature stops nobody else's. Both
     forms of a signature, and both values of s, count as the same consent:
     whoever relies on them keeps nonces, never signatures.
"""


from ..interfaces import IHostedBets


S_MASK: constant(uint256) = 2**255 - 1  # of the word that also holds v (EIP-2098)
MAGIC: constant(bytes4) = 0x1626BA7E  # of EIP-1271
WALLET_GAS: constant(uint256) = 100_000


@internal
@pure
def _signer(digest: bytes32, signature: IHostedBets.Signature) -> address:
    """
    @notice Who signed; the empty address where the signature is void.
    """
    return ecrecover(digest, unsafe_add(signature.vs >> 255, 27), signature.r, signature.vs & S_MASK)


@internal
@view
def _is_signed_by(account: address, digest: bytes32, signature: Bytes[1024]) -> bool:
    """
    @notice Whether an account signed: by its key, or else by its code (EIP-1271),
            so contract wallets and delegated accounts count. The code gets
            100,000 gas and can change nothing.
    """
    if account == empty(address):
        return False
    if len(signature) == 65:
        r: uint256 = extract32(signature, 0, output_type=uint256)
        s: uint256 = extract32(signature, 32, output_type=uint256)
        v: uint256 = convert(slice(signature, 64, 1), uint256)
        if ecrecover(digest, v, r, s) == account:
            return True
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        account,
        abi_encode(digest, signature, method_id=MAGIC),
        max_outsize=32,
        gas=WALLET_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    return success and len(answer) == 32 and convert(answer, bytes32) == convert(MAGIC, bytes32)
