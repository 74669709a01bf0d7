# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Timelock
@author Tessera
@license AGPL-3.0-only
@notice The DAO's treasury, which holds the BET bought back, and the owner of
        the contracts that have one: snekmate's timelock. What proposers schedule
        is public for the least delay before executors can carry it out.
@dev It accepts ownership, spends and changes its delay only through an operation of its own.
@custom:halt Proposers cancel what is scheduled. Nothing halts an operation that is ready.
"""


from snekmate.auth import access_control
from snekmate.governance import timelock_controller


initializes: access_control
initializes: timelock_controller[access_control := access_control]


exports: (
    access_control.DEFAULT_ADMIN_ROLE,
    access_control.hasRole,
    access_control.getRoleAdmin,
    access_control.grantRole,
    access_control.revokeRole,
    access_control.renounceRole,
    timelock_controller.PROPOSER_ROLE,
    timelock_controller.EXECUTOR_ROLE,
    timelock_controller.CANCELLER_ROLE,
    timelock_controller.get_minimum_delay,
    timelock_controller.get_timestamp,
    timelock_controller.get_operation_state,
    timelock_controller.is_operation,
    timelock_controller.is_operation_pending,
    timelock_controller.is_operation_ready,
    timelock_controller.is_operation_done,
    timelock_controller.hash_operation,
    timelock_controller.hash_operation_batch,
    timelock_controller.schedule,
    timelock_controller.schedule_batch,
    timelock_controller.cancel,
    timelock_controller.execute,
    timelock_controller.execute_batch,
    timelock_controller.update_delay,
)


@deploy
def __init__(least_delay: uint256, proposers: DynArray[address, 128], executors: DynArray[address, 128]):
    """
    @param least_delay Seconds between scheduling and executing; at most 30 days.
    @param proposers Who schedules and cancels.
    @param executors Who executes; the zero address lets anybody.
    """
    assert len(proposers) != 0, "timelock: no proposers"
    assert least_delay != 0 and least_delay <= 30 * 86_400, "timelock: bad delay"
    access_control.__init__()
    # No admin of its own: roles change through a scheduled operation, as everything does.
    timelock_controller.__init__(least_delay, proposers, executors, empty(address))
