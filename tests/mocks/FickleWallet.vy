# pragma version 0.4.3
"""
@title FickleWallet
@notice A contract wallet that signs (EIP-1271) whatever it is asked, or nothing, as
        anybody tells it, and does whatever anybody says.
"""


signs: public(bool)


@external
def set_signs(signs: bool):
    """
    @param signs Whether it signs from now on.
    """
    self.signs = signs


@external
@view
def isValidSignature(digest: bytes32, signature: Bytes[1024]) -> bytes4:
    """
    @param digest Ignored.
    @param signature Ignored.
    @return The magic value, or nothing like it.
    """
    return 0x1626BA7E if self.signs else 0xFFFFFFFF


@external
def execute(target: address, data: Bytes[4096]) -> Bytes[4096]:
    """
    @param target What is called.
    @param data Selector and arguments.
    @return What it returned.
    """
    return raw_call(target, data, max_outsize=4096)
