# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What a symbolic test assumes and claims
@author Tessera
@license AGPL-3.0-only
@dev Halmos gives up a path where `assume` fails, and reports one that ends with Panic(1).
"""


interface Halmos:
    def assume(condition: bool): nonpayable
    def fee(base_fee: uint256): nonpayable
    def warp(timestamp: uint256): nonpayable


HALMOS: constant(address) = 0x7109709ECfa91a80626fF3989D68f67F5b1DD12D  # where Foundry's cheat codes are called


@internal
def _assume(condition: bool):
    extcall Halmos(HALMOS).assume(condition, skip_contract_check=True)


@internal
@pure
def _holds(condition: bool):
    if not condition:
        raw_revert(abi_encode(convert(1, uint256), method_id=method_id("Panic(uint256)")))


@internal
@pure
def _reached(condition: bool):
    """
    @notice Says that some path gets here with this true, so that what is claimed is not claimed of nothing. The runner
            puts the opposite claim in the place below, which then has to be refuted.
    """
    pass  # the place


@internal
def _any_base_fee(base_fee: uint256):
    """
    @notice From here on the block's base fee is any number: how a test hands one to a module that cannot be given it.
    """
    extcall Halmos(HALMOS).fee(base_fee, skip_contract_check=True)


@internal
def _at(timestamp: uint256):
    """
    @notice From here on it is that time.
    """
    extcall Halmos(HALMOS).warp(timestamp, skip_contract_check=True)
