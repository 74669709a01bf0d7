"""Tests share a chain inside this process: what one does to it is undone."""

from collections.abc import Iterator
from contextlib import contextmanager

from web3 import Web3


@contextmanager
def undone(web3: Web3) -> Iterator[None]:
    """What happens within did not happen."""
    tester = web3.provider.ethereum_tester
    before = tester.take_snapshot()
    try:
        yield
    finally:
        tester.revert_to_snapshot(before)
