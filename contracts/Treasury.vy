# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Treasury
@author Tessera
@license AGPL-3.0-only
@notice The DAO's treasury: snekmate's timelock. What it holds moves, and what it
        owns changes, only by an operation that was announced before.
@dev Nobody is its admin: roles change through the timelock itself. Its functions
     have no lock, as in snekmate: an operation is marked as done after its
     calls, and a call that comes back meets an operation that is done twice.
@custom:halt A canceller stops an operation that was scheduled.
"""


from snekmate.auth import access_control
from snekmate.governance import timelock_controller


initializes: access_control
initializes: timelock_controller[access_control := access_control]


exports: timelock_controller.__interface__


@deploy
def __init__(minimum_delay: uint256, proposers: DynArray[address, 128], executors: DynArray[address, 128]):
    """
    @param minimum_delay Between scheduling and execution, seconds.
    @param proposers Who may schedule and cancel.
    @param executors Who may execute.
    """
    access_control.__init__()
    timelock_controller.__init__(minimum_delay, proposers, executors, empty(address))
