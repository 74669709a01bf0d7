# pragma version 0.4.3
"""
@title HostileToken
@notice A token that misbehaves as it is told: it returns false, keeps a fee, blocks
        a receiver, has no limit of supply, calls somebody in the middle of a
        transfer. It has no permit.
"""


from ethereum.ercs import IERC20


implements: IERC20


event HookCalled:
    succeeded: bool
    answer: Bytes[64]


decimals: public(constant(uint8)) = 6
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
totalSupply: public(uint256)
fee: public(uint256)
refuses: public(bool)
blocked: public(HashMap[address, bool])
_hook_target: address
_hook_data: Bytes[4096]


@external
def mint(account: address, amount: uint256):
    """
    @notice Anybody mints anything; the supply wraps around.
    @param account Whose balance grows.
    @param amount By how much.
    """
    self.balanceOf[account] = unsafe_add(self.balanceOf[account], amount)
    self.totalSupply = unsafe_add(self.totalSupply, amount)


@external
def set_fee(fee: uint256):
    """
    @param fee What is kept of every transfer from now on.
    """
    self.fee = fee


@external
def set_refuses(refuses: bool):
    """
    @param refuses Whether transfers return false from now on, and move nothing.
    """
    self.refuses = refuses


@external
def set_blocked(account: address, blocked: bool):
    """
    @param account Whom the rule is for.
    @param blocked Whether transfers to the account revert from now on.
    """
    self.blocked[account] = blocked


@external
def set_hook(target: address, data: Bytes[4096]):
    """
    @param target Who is called in every transfer from now on; empty: nobody.
    @param data With what.
    """
    self._hook_target = target
    self._hook_data = data


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @param spender Who may spend.
    @param amount How much.
    @return True.
    """
    self.allowance[msg.sender][spender] = amount
    log IERC20.Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @param to Who gets the tokens.
    @param amount Before the fee.
    @return False if it was told to refuse.
    """
    return self._transfer(msg.sender, to, amount)


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @param owner Who pays.
    @param to Who gets the tokens.
    @param amount Before the fee.
    @return False if it was told to refuse.
    """
    if not self.refuses:
        self.allowance[owner][msg.sender] -= amount
    return self._transfer(owner, to, amount)


@internal
def _transfer(owner: address, to: address, amount: uint256) -> bool:
    if self._hook_target != empty(address):
        succeeded: bool = False
        answer: Bytes[64] = b""
        succeeded, answer = raw_call(self._hook_target, self._hook_data, max_outsize=64, revert_on_failure=False)
        log HookCalled(succeeded=succeeded, answer=answer)
    if self.refuses:
        return False
    assert not self.blocked[to], "token: blocked"
    self.balanceOf[owner] -= amount
    self.balanceOf[to] = unsafe_add(self.balanceOf[to], amount - self.fee)
    log IERC20.Transfer(sender=owner, receiver=to, value=amount - self.fee)
    return True
