"""The staking contracts of the unit tests, at their own time; roles are addresses."""

from tests.unit.conftest import evm, evm_clock, rival, sign_permit, staker, staking_contracts, stranger, system

__all__ = ["evm", "evm_clock", "rival", "sign_permit", "staker", "staking_contracts", "stranger", "system"]
