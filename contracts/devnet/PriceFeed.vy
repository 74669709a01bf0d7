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


decimals: public(immutable(uint8))
description: public(String[32])
version: public(constant(uint256)) = 4


# As lean as Chainlink's own: reading a price costs three words.
_answers: HashMap[uint80, int256]
# Round: updated at in bits 144 and up, started at in 80 to 143, round the answer is of in 0 to 79.
_rounds: HashMap[uint80, uint256]
# Id in bits 1 and up, whether it is always fresh in bit 0.
_latest: uint256


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
    self._latest = convert(round_id, uint256) << 1
    self._set_round(round_id, answer, started_at, updated_at, answered_in_round)


@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    """
    @notice The latest price.
    @return Round id, answer, started at, updated at, round the answer is of.
    """
    return self._answer(convert(self._latest >> 1, uint80))


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
    number: uint256 = (self._latest >> 1) + 1
    self._latest = number << 1 | 1
    round_id: uint80 = convert(number, uint80)
    self._set_round(round_id, answer, block.timestamp, block.timestamp, round_id)


@internal
def _set_round(round_id: uint80, answer: int256, started_at: uint256, updated_at: uint256, answered_in_round: uint80):
    assert max(started_at, updated_at) < 2**64, "feed: time out of range"
    self._answers[round_id] = answer
    self._rounds[round_id] = updated_at << 144 | started_at << 80 | convert(answered_in_round, uint256)


@internal
@view
def _answer(round_id: uint80) -> (uint80, int256, uint256, uint256, uint80):
    word: uint256 = self._rounds[round_id]
    updated_at: uint256 = word >> 144
    if self._latest == convert(round_id, uint256) << 1 | 1:
        updated_at = block.timestamp
    # A round that never was is all zeros.
    known: uint80 = round_id if word != 0 else 0
    return (
        known,
        self._answers[round_id],
        word >> 80 & 2**64 - 1,
        updated_at,
        convert(word & 2**80 - 1, uint80),
    )
