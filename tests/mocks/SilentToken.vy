# pragma version 0.4.3
"""
@title SilentToken
@notice A token whose transfers return nothing and that swallows any unknown call, a
        permit included (a phantom permit: it seems to succeed and does nothing). As
        in wrapped ether, who moves tokens of its own needs no allowance.
"""


decimals: public(constant(uint8)) = 6
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])


@external
@payable
def __default__():
    pass


@external
def mint(account: address, amount: uint256):
    """
    @param account Whose balance grows.
    @param amount By how much.
    """
    self.balanceOf[account] += amount


@external
def approve(spender: address, amount: uint256):
    """
    @param spender Who may spend.
    @param amount How much.
    """
    self.allowance[msg.sender][spender] = amount


@external
def transfer(to: address, amount: uint256):
    """
    @param to Who gets the tokens.
    @param amount How many.
    """
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[to] += amount


@external
def transferFrom(owner: address, to: address, amount: uint256):
    """
    @param owner Who pays.
    @param to Who gets the tokens.
    @param amount How many.
    """
    if owner != msg.sender:
        self.allowance[owner][msg.sender] -= amount
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
