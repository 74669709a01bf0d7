# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Calls to vaults
@author Tessera
@license AGPL-3.0-only
@notice Every call to an ERC-4626 vault. Whatever form its own refusals have, they get
        one reason here.
"""


# Vaults of the present generation spend up to half of it where they withdraw from several markets.
TRY_GAS: constant(uint256) = 2_000_000


@internal
def _deposit(vault: address, amount: uint256) -> uint256:
    """
    @return Shares that the vault gave.
    """
    return self._asked(vault, abi_encode(amount, self, method_id=method_id("deposit(uint256,address)")))


@internal
@view
def _worth(vault: address, shares: uint256) -> uint256:
    """
    @return What the vault would give for shares.
    """
    ok: bool = False
    worth: uint256 = 0
    ok, worth = self._view(vault, abi_encode(shares, method_id=method_id("previewRedeem(uint256)")))
    self._check(ok)
    return worth


@internal
def _pay(vault: address, amount: uint256, receiver: address) -> (uint256, uint256):
    """
    @notice Has the vault pay `amount`, or, where that fails, what it says it can pay.
    @return What the vault was made to pay; shares that it took.
    """
    ok: bool = False
    liquid: uint256 = 0
    # Only a hint: some vaults say 0 and pay all the same.
    ok, liquid = self._view(vault, abi_encode(self, method_id=method_id("maxWithdraw(address)")))
    if ok and liquid >= amount:
        return amount, self._withdraw(vault, amount, receiver)
    shares: uint256 = 0
    # A vault that fails leaves nothing behind, and one that eats gas not more than this.
    ok, shares = self._call(vault, self._withdrawal(amount, receiver), TRY_GAS)
    if ok:
        return amount, shares
    assert liquid != 0, "pool: vault cannot pay now"
    return liquid, self._withdraw(vault, liquid, receiver)


@internal
def _withdraw(vault: address, amount: uint256, receiver: address) -> uint256:
    """
    @return Shares that the vault took.
    """
    return self._asked(vault, self._withdrawal(amount, receiver))


@internal
@view
def _withdrawal(amount: uint256, receiver: address) -> Bytes[100]:
    return abi_encode(amount, receiver, self, method_id=method_id("withdraw(uint256,address,address)"))


@internal
def _asked(vault: address, call: Bytes[100]) -> uint256:
    ok: bool = False
    answer: uint256 = 0
    ok, answer = self._call(vault, call, msg.gas)
    self._check(ok)
    return answer


@internal
def _call(vault: address, call: Bytes[100], most_gas: uint256) -> (bool, uint256):
    ok: bool = False
    answer: Bytes[32] = b""
    ok, answer = raw_call(vault, call, max_outsize=32, gas=most_gas, revert_on_failure=False)
    if not ok:
        return False, 0
    # What a call did that does not say what it did cannot be counted.
    self._check(len(answer) == 32)
    return True, convert(answer, uint256)


@internal
@pure
def _check(answered: bool):
    assert answered, "pool: vault refused"


@internal
@view
def _view(vault: address, call: Bytes[36]) -> (bool, uint256):
    ok: bool = False
    answer: Bytes[32] = b""
    ok, answer = raw_call(vault, call, max_outsize=32, is_static_call=True, revert_on_failure=False)
    if not ok or len(answer) != 32:
        return False, 0
    return True, convert(answer, uint256)
