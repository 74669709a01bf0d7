# pragma version 0.4.3
"""
@title OddWallet
@notice A contract that answers whether it signed in a way that is not EIP-1271's.
"""


MODE: immutable(uint256)


counter: uint256


@deploy
def __init__(mode: uint256):
    MODE = mode


@external
@raw_return
def isValidSignature(digest: bytes32, signature: Bytes[1024]) -> Bytes[64]:
    """
    @param digest Ignored.
    @param signature Ignored.
    @return Zeros, nothing, or the magic value where it does not belong; or no answer.
    """
    if MODE == 1:
        return b""
    if MODE == 2:
        return concat(empty(bytes32), 0x1626BA7E00000000000000000000000000000000000000000000000000000000)
    if MODE == 3:
        raise "wallet: no"
    if MODE == 4:
        for _: uint256 in range(1_000_000):
            self.counter += 1
    return concat(empty(bytes32), b"")
