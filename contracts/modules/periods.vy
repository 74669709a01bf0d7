# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Prize weeks
@author Tessera
@license AGPL-3.0-only
@notice A period is a week that starts, inclusive, on Friday 00:00 UTC.
"""


WEEK: constant(uint256) = 604_800
# 1970-01-01 was a Thursday: period 0 starts a day later.
OFFSET: constant(uint256) = 86_400


@internal
@pure
def _period(timestamp: uint256) -> uint256:
    return (timestamp - OFFSET) // WEEK


@internal
@pure
def _start(period: uint256) -> uint256:
    return period * WEEK + OFFSET
