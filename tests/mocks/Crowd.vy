# pragma version 0.4.3
"""
@title Crowd
@notice As many people as one likes, or managers' events, many to a transaction: each
        person is a contract of its own that stakes and predicts like anybody.
"""


from ethereum.ercs import IERC20


interface IPool:
    def stake(asset: address, amount: uint256): nonpayable


interface IEvents:
    def predict(event_id: uint256, outcome: uint256): nonpayable
    def create_event(
        description: String[256],
        outcomes: DynArray[String[64], 16],
        stop_block: uint256,
        e0: uint256,
        weight: uint256,
        panel_id: uint256,
        result_deadline: uint256,
    ) -> uint256: nonpayable


interface IToken:
    def mint(owner: address, amount: uint256): nonpayable


interface IMember:
    def join(
        pool: address, events: address, asset: address, amount: uint256, event_id: uint256, outcome: uint256
    ): nonpayable


@external
def join(pool: address, events: address, asset: address, amount: uint256, event_id: uint256, outcome: uint256):
    """
    @notice A person's two transactions: stakes all there is, and predicts.
    """
    extcall IERC20(asset).approve(pool, amount)
    extcall IPool(pool).stake(asset, amount)
    extcall IEvents(events).predict(event_id, outcome)


@external
def gather(
    count: uint256, pool: address, events: address, asset: address, amount: uint256, event_id: uint256, outcomes: uint256
):
    """
    @notice So many new people stake `amount` each and predict an event, evenly over its outcomes.
    """
    for i: uint256 in range(count, bound=10_000):
        member: address = create_minimal_proxy_to(self)
        extcall IToken(asset).mint(member, amount)
        extcall IMember(member).join(pool, events, asset, amount, event_id, i % outcomes)


@external
def create_events(
    count: uint256,
    events: address,
    outcomes: DynArray[String[64], 16],
    blocks: uint256,
    panel_id: uint256,
    deadline: uint256,
):
    """
    @notice So many events of that many blocks from now, of weight 100.
    """
    for _: uint256 in range(count, bound=10_000):
        extcall IEvents(events).create_event("Who wins?", outcomes, block.number + blocks, 250, 100, panel_id, deadline)
