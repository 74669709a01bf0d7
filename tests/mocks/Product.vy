# pragma version 0.4.3
"""
@title Product
@notice A product that does whatever it is told, so the worst one possible.
"""


@external
@payable
def execute(target: address, data: Bytes[4096]) -> Bytes[4096]:
    """
    @notice Calls anything with anything; reverts with its reason.
    @param target What is called.
    @param data Selector and arguments.
    @return What it returned.
    """
    return raw_call(target, data, max_outsize=4096)
