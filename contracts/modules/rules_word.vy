# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What settling a hosted bet reads of its listing, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 159 host, 160 to 191 when the listing said that placing ends, 192
     to 223 result deadline, both unix seconds, 224 to 233 the host's and 234 to
     243 the validators' commission in basis points, at most 1,000.
"""


TIME_MASK: constant(uint256) = 2**32 - 1
BPS_MASK: constant(uint256) = 2**10 - 1


@internal
@pure
def _pack(
    host: address, closes_at: uint256, result_deadline: uint256, host_bps: uint256, validator_bps: uint256
) -> uint256:
    return (
        convert(host, uint256)
        | (closes_at << 160)
        | (result_deadline << 192)
        | (host_bps << 224)
        | (validator_bps << 234)
    )


@internal
@pure
def _host(word: uint256) -> address:
    return convert(word & (2**160 - 1), address)


@internal
@pure
def _closes_at(word: uint256) -> uint256:
    return (word >> 160) & TIME_MASK


@internal
@pure
def _result_deadline(word: uint256) -> uint256:
    return (word >> 192) & TIME_MASK


@internal
@pure
def _host_bps(word: uint256) -> uint256:
    return (word >> 224) & BPS_MASK


@internal
@pure
def _validator_bps(word: uint256) -> uint256:
    return word >> 234
