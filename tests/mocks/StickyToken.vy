# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title StickyToken
@notice A token like USDT: its functions return nothing, and an allowance that is not 0 can only be changed to 0.
"""


decimals: public(constant(uint8)) = 6
allowance: public(HashMap[address, HashMap[address, uint256]])


@external
def approve(spender: address, amount: uint256):
    """
    @param spender Who may spend.
    @param amount How much.
    """
    assert amount == 0 or self.allowance[msg.sender][spender] == 0
    self.allowance[msg.sender][spender] = amount
