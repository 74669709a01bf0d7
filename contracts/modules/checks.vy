# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Checks of what is rarely called
@author Tessera
@license AGPL-3.0-only
@notice An assert that takes half the code of one in place, and 150 gas more.
"""


@internal
@pure
def _check(holds: bool, reason: String[32]):
    assert holds, reason
