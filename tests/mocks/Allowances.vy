# pragma version 0.4.3
"""
@title Whether anybody may move what an account holds
@license AGPL-3.0-only
"""


from ethereum.ercs import IERC20


@external
@view
def first_movable(owner: address, tokens: DynArray[address, 16], spenders: DynArray[address, 32]) -> address:
    """
    @return A token that `owner` holds and one of the spenders has an allowance on, or the zero address.
    """
    for token: address in tokens:
        if staticcall IERC20(token).balanceOf(owner) != 0:
            for spender: address in spenders:
                if staticcall IERC20(token).allowance(owner, spender) != 0:
                    return token
    return empty(address)
