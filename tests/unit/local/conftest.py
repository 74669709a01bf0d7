"""The fixtures of a deployed club: tests/embedded_club.py."""

from tests.embedded_club import (
    bet,
    bettor,
    creator,
    deployed,
    market,
    other_bettor,
    owner,
    settle,
    stranger,
    tessera,
    travel,
    web3,
)

__all__ = [
    "bet",
    "bettor",
    "creator",
    "deployed",
    "market",
    "other_bettor",
    "owner",
    "settle",
    "stranger",
    "tessera",
    "travel",
    "web3",
]
