# pragma version 0.4.3
"""
@title Wallet1271
@notice A contract wallet of one owner: signs by its owner's key (EIP-1271), and does
        whatever anybody says.
"""


OWNER: immutable(address)


@deploy
def __init__(owner: address):
    OWNER = owner


@external
@view
def isValidSignature(digest: bytes32, signature: Bytes[1024]) -> bytes4:
    """
    @param digest What was signed.
    @param signature 65 bytes of the owner's key.
    @return The magic value, or nothing like it.
    """
    r: uint256 = extract32(signature, 0, output_type=uint256)
    s: uint256 = extract32(signature, 32, output_type=uint256)
    if ecrecover(digest, convert(slice(signature, 64, 1), uint256), r, s) == OWNER:
        return 0x1626BA7E
    return 0xFFFFFFFF


@external
def execute(target: address, data: Bytes[4096]) -> Bytes[4096]:
    """
    @param target What is called.
    @param data Selector and arguments.
    @return What it returned.
    """
    return raw_call(target, data, max_outsize=4096)
