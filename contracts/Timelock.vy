# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Timelock
@author Tessera
@license AGPL-3.0-only
@notice The DAO's treasury, which holds the BET bought back, and the owner of
        the contracts that have one: snekmate's timelock. What proposers schedule
        is public for the least delay before executors can carry it out, and that is
        1 to 30 days, whatever proposers schedule.
@dev It accepts ownership, spends and changes its delay only through an operation of its own.
     On the chain ids of local nodes (1337, 31337) a delay may be shorter: a devnet's
     clock is the one that people see.
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
)


MIN_DELAY: constant(uint256) = 86_400
MAX_DELAY: constant(uint256) = 30 * 86_400
LOCAL_CHAINS: constant(uint256[2]) = [1337, 31337]


@deploy
def __init__(least_delay: uint256, proposers: DynArray[address, 128], executors: DynArray[address, 128]):
    """
    @param least_delay Seconds between scheduling and executing, 1 to 30 days.
    @param proposers Who schedules and cancels.
    @param executors Who executes; the zero address lets anybody.
    """
    assert len(proposers) != 0, "timelock: no proposers"
    self._check_delay(least_delay)
    access_control.__init__()
    # No admin of its own: roles change through a scheduled operation, as everything does.
    timelock_controller.__init__(least_delay, proposers, executors, empty(address))


@external
def update_delay(new_delay: uint256):
    """
    @notice Changes the least delay of what is scheduled from now on. The timelock
            itself only, through an operation that waited for the delay there is.
    @param new_delay Seconds, 1 to 30 days.
    """
    assert msg.sender == self, "timelock: only by an operation"
    self._check_delay(new_delay)
    log timelock_controller.MinimumDelayChange(
        old_duration=timelock_controller.get_minimum_delay, new_duration=new_delay
    )
    timelock_controller.get_minimum_delay = new_delay


@internal
@view
def _check_delay(delay: uint256):
    assert delay <= MAX_DELAY, "timelock: delay above 30 days"
    assert delay >= MIN_DELAY or (delay != 0 and chain.id in LOCAL_CHAINS), "timelock: delay below a day"
