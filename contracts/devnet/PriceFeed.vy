# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title PriceFeed
@author Tessera
@license AGPL-3.0-only
@notice A price that anybody can set, behind Chainlink's AggregatorV3 interface:
        a stand-in for oracles on local chains. Its price is always fresh until a
        round is set by hand.
@custom:halt Nothing halts it. Never deployed elsewhere.
"""


from ..interfaces import IPriceFeed


implements: IPriceFeed


struct Round:
    round_id: uint80
    answer: int256
    started_at: uint256
    updated_at: uint256
    answered_in_round: uint80


decimals: public(immutable(uint8))
description: public(String[32])
version: public(constant(uint256)) = 4


_rounds: HashMap[uint80, Round]
_latest_id: uint80
_is_fresh: bool  # the latest round


@deploy
def __init__(decimals_: uint8, description: String[32], answer: int256):
    """
    @param decimals_ Of the price; Chainlink's USD feeds have 8.
    @param description For example "USDC / USD".
    @param answer First price.
    """
    decimals = decimals_
    self.description = description
    self._set_price(answer)


@external
def set_price(answer: int256):
    """
    @notice Sets a price that is always as fresh as the latest block.
    @param answer In units of `decimals`; also zero and negative ones.
    """
    self._set_price(answer)


@external
def set_round(round_id: uint80, answer: int256, started_at: uint256, updated_at: uint256, answered_in_round: uint80):
    """
    @notice Sets all that `latestRoundData` answers, for oracles that misbehave.
    @param round_id Of the round.
    @param answer In units of `decimals`.
    @param started_at Unix seconds.
    @param updated_at Unix seconds.
    @param answered_in_round Round the answer is of.
    """
    self._is_fresh = False
    self._latest_id = round_id
    self._rounds[round_id] = Round(
        round_id=round_id,
        answer=answer,
        started_at=started_at,
        updated_at=updated_at,
        answered_in_round=answered_in_round,
    )


@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    """
    @notice The latest price.
    @return Round id, answer, started at, updated at, round the answer is of.
    """
    return self._answer(self._latest_id)


@external
@view
def getRoundData(round_id: uint80) -> (uint80, int256, uint256, uint256, uint80):
    """
    @notice The price of a round.
    @param round_id Of the round.
    @return Round id, answer, started at, updated at, round the answer is of; zeros where it never was.
    """
    return self._answer(round_id)


@internal
def _set_price(answer: int256):
    round_id: uint80 = self._latest_id + 1
    self._is_fresh = True
    self._latest_id = round_id
    self._rounds[round_id] = Round(
        round_id=round_id,
        answer=answer,
        started_at=block.timestamp,
        updated_at=block.timestamp,
        answered_in_round=round_id,
    )


@internal
@view
def _answer(round_id: uint80) -> (uint80, int256, uint256, uint256, uint80):
    data: Round = self._rounds[round_id]
    if self._is_fresh and round_id == self._latest_id:
        data.updated_at = block.timestamp
    return data.round_id, data.answer, data.started_at, data.updated_at, data.answered_in_round
