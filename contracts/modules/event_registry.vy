# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Event registry
@author Tessera
@license AGPL-3.0-only
@notice Who may create prize events, and what is fixed at their creation.
@dev All of it but the panel is one word (modules/event_word.vy).
"""


from snekmate.auth import ownable

from ..interfaces import IPanels
from ..interfaces import IPredictionEvents
from ..interfaces import IPrizePool
from . import event_word
from . import periods
from . import tickets


uses: ownable


MIN_RESULT_SECONDS: constant(uint256) = 48 * 3600
MAX_RESULT_SECONDS: constant(uint256) = 366 * 86_400
MAX_EVENT_HOURS: constant(uint256) = 366 * 24


PRIZES: public(immutable(address))
PANELS: public(immutable(address))
BLOCKS_PER_HOUR: public(immutable(uint256))
MIN_BLOCKS: public(immutable(uint256))  # least length of an event


event_count: public(uint256)  # ids start at 1
is_manager: public(HashMap[address, bool])
approved_panels: public(HashMap[uint256, bool])
_events: HashMap[uint256, uint256]
_panels: HashMap[uint256, uint256]
# Event, outcome: a total, see modules/tickets.vy.
_totals: HashMap[uint256, HashMap[uint256, int256]]


@deploy
def __init__(prizes: address, panels: address, blocks_per_hour: uint256, min_blocks: uint256):
    assert prizes != empty(address), "events: zero prize pool"
    assert panels.is_contract, "events: panels has no code"
    assert blocks_per_hour != 0 and blocks_per_hour <= 14_400, "events: bad blocks per hour"
    assert min_blocks != 0 and min_blocks <= MAX_EVENT_HOURS * blocks_per_hour, "events: bad least length"
    PRIZES = prizes
    PANELS = panels
    BLOCKS_PER_HOUR = blocks_per_hour
    MIN_BLOCKS = min_blocks


@external
def create_event(
    description: String[256],
    outcomes: DynArray[String[64], 16],
    stop_block: uint256,
    e0: uint256,
    weight: uint256,
    panel_id: uint256,
    result_deadline: uint256,
) -> uint256:
    """
    @notice Opens an event from this block on. It shares in the prize of each week
            from this one to the one of its expected end. Managers only.
    @param description What is predicted.
    @param outcomes Names of 2 to 16 outcomes.
    @param stop_block First block in which predicting is over and stake counts no more.
    @param e0 First multiplier in hundredths, 100 to 1,000.
    @param weight Share in the prize, 1 to 10,000.
    @param panel_id An approved panel.
    @param result_deadline Unix seconds; without a result until then the event is INVALID.
    @return The event's id.
    """
    assert self.is_manager[msg.sender], "events: not a manager"
    assert len(outcomes) >= 2, "events: one outcome"
    assert stop_block >= block.number + MIN_BLOCKS, "events: too short"
    length: uint256 = stop_block - block.number
    assert length <= MAX_EVENT_HOURS * BLOCKS_PER_HOUR, "events: too long"
    assert e0 >= 100 and e0 <= 1000, "events: bad first multiplier"
    assert weight >= 1 and weight <= 10_000, "events: bad weight"
    assert self.approved_panels[panel_id], "events: panel not approved"
    not_before: uint256 = block.timestamp + (length * 3600 + BLOCKS_PER_HOUR - 1) // BLOCKS_PER_HOUR
    assert result_deadline >= not_before + MIN_RESULT_SECONDS, "events: deadline too early"
    assert result_deadline <= not_before + MAX_RESULT_SECONDS, "events: deadline too late"

    event_id: uint256 = self.event_count + 1
    assert event_id < 2**32, "events: too many events"
    self.event_count = event_id
    word: uint256 = event_word._pack(stop_block, e0, len(outcomes), not_before, result_deadline)
    self._events[event_id] = word
    self._panels[event_id] = panel_id
    for outcome: uint256 in range(len(outcomes), bound=16):
        self._totals[event_id][outcome] = tickets.NO_TICKETS
    log IPredictionEvents.EventCreated(
        event_id=event_id,
        panel_id=panel_id,
        question_id=self._question_id(event_id, word),
        description=description,
        outcomes=outcomes,
        start_block=block.number,
        stop_block=stop_block,
        e0=e0,
        weight=weight,
        not_before=not_before,
        result_deadline=result_deadline,
    )
    extcall IPrizePool(PRIZES).open_event(event_id, weight, periods._period(not_before))
    return event_id


@external
def set_manager(account: address, is_manager: bool):
    """
    @notice Says who may create events. Owner only.
    @param account Who.
    @param is_manager Whether.
    """
    ownable._check_owner()
    log IPredictionEvents.ManagerSet(
        account=account, was_manager=self.is_manager[account], is_manager=is_manager
    )
    self.is_manager[account] = is_manager


@external
def approve_panel(panel_id: uint256, is_approved: bool = True):
    """
    @notice Says which panels new events may use. Owner only.
    @param panel_id An existing panel.
    @param is_approved Whether; False does not touch events that there are.
    """
    ownable._check_owner()
    assert not is_approved or staticcall IPanels(PANELS).threshold_of(panel_id) != 0, "events: no such panel"
    log IPredictionEvents.PanelApproved(
        panel_id=panel_id, was_approved=self.approved_panels[panel_id], is_approved=is_approved
    )
    self.approved_panels[panel_id] = is_approved


@external
@view
def event_info(event_id: uint256) -> IPredictionEvents.EventInfo:
    """
    @notice What was fixed at an event's creation.
    @param event_id The event.
    @return Blocks, E0 in hundredths, number of outcomes, unix seconds, panel.
    """
    word: uint256 = self._event(event_id)
    return IPredictionEvents.EventInfo(
        start_block=event_word._start(word),
        stop_block=event_word._stop(word),
        e0=event_word._e0(word),
        outcomes=event_word._outcomes(word),
        not_before=event_word._not_before(word),
        result_deadline=event_word._deadline(word),
        panel_id=self._panels[event_id],
    )


@internal
@view
def _event(event_id: uint256) -> uint256:
    word: uint256 = self._events[event_id]
    assert word != 0, "events: unknown event"
    return word


@internal
@view
def _question_id(event_id: uint256, word: uint256) -> bytes32:
    return staticcall IPanels(PANELS).hash_question(
        IPanels.Question(
            product=self,
            key=convert(event_id, bytes32),
            not_before=event_word._not_before(word),
            deadline=event_word._deadline(word),
        )
    )
