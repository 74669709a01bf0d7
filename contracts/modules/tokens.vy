# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Calls to tokens
@author Tessera
@license AGPL-3.0-only
@notice What the staking pool asks of ERC-20 tokens, also of those that return nothing.
"""


from ethereum.ercs import IERC20


@internal
@view
def _balance(token: address, account: address) -> uint256:
    return staticcall IERC20(token).balanceOf(account)


@internal
def _pull(token: address, amount: uint256):
    """
    @notice Takes tokens of the caller.
    """
    assert extcall IERC20(token).transferFrom(
        msg.sender, self, amount, default_return_value=True
    ), "pool: transfer failed"


@internal
def _approve(token: address, spender: address, amount: uint256):
    assert extcall IERC20(token).approve(spender, amount, default_return_value=True), "pool: approve failed"
