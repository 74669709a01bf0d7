# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Permits (EIP-2612)
@author Tessera
@license AGPL-3.0-only
@notice Uses a signed allowance, and says whether it was used by this very call.
@dev A token without `permit` may have a fallback that takes any call (WETH): that
     the call succeeded proves nothing. EIP-2612 counts each permit in `nonces`, so
     a permit was used if and only if its signer's nonce grew.
"""


@internal
def _permit(
    token: address, owner: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32
) -> bool:
    """
    @notice Lets this contract spend `amount` of the owner's tokens, if the owner signed that.
    @dev False is no fault of the owner's: anybody may have submitted the permit before,
         and then the allowance is there. It proves nothing about who calls, either: only
         the owner's own call may go on with an allowance that is there.
    @return Whether the permit was used now.
    """
    before: uint256 = self._nonce(token, owner)
    called: bool = raw_call(
        token,
        abi_encode(
            owner,
            self,
            amount,
            deadline,
            v,
            r,
            s,
            method_id=method_id("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"),
        ),
        revert_on_failure=False,
    )
    return called and self._nonce(token, owner) != before


@internal
@view
def _nonce(token: address, owner: address) -> uint256:
    """
    @notice How many permits of an owner were used; 0 for ever where the token does not count them.
    """
    answered: bool = False
    answer: Bytes[32] = b""
    answered, answer = raw_call(
        token,
        abi_encode(owner, method_id=method_id("nonces(address)")),
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not answered or len(answer) != 32:
        return 0
    return convert(answer, uint256)
