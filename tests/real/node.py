"""Anvil for a test, and its clock."""

from collections.abc import Iterator
from contextlib import contextmanager

from web3 import HTTPProvider, Web3

from scripts.devnet import anvil
from tessera.model.prizes import period_of, start_of

BLOCK_SECONDS = 3_600  # one block an hour: months take few blocks


@contextmanager
def running_anvil() -> Iterator[Web3]:
    """A chain of its own, at noon of a Monday; transactions are mined at once, `known_account`s have money."""
    with anvil(0) as (_, url):
        web3 = Web3(HTTPProvider(url))
        wait_until(web3, start_of(period_of(now(web3)) + 1) + 3 * 86_400 + 43_200, blocks=1)
        yield web3


@contextmanager
def undone(web3: Web3) -> Iterator[None]:
    """What happens within did not happen, the clock's moves included."""
    snapshot = _ask(web3, "evm_snapshot")
    then = now(web3)
    try:
        yield
    finally:
        assert _ask(web3, "evm_revert", snapshot) is True
        _ask(web3, "evm_setTime", then)


def now(web3: Web3) -> int:
    """Time of the newest block."""
    return web3.eth.get_block("latest")["timestamp"]


def wait_until(web3: Web3, timestamp: int, *, blocks: int | None = None) -> None:
    """Mines the blocks of that time (or as many as said), the last one at `timestamp`."""
    seconds = timestamp - now(web3)
    count = max(1, seconds // BLOCK_SECONDS) if blocks is None else blocks
    if count > 1:
        _ask(web3, "anvil_mine", hex(count - 1), hex(max(1, seconds // count)))
    _ask(web3, "evm_setNextBlockTimestamp", timestamp)
    _ask(web3, "evm_mine")


def wait(web3: Web3, seconds: int) -> None:
    """Time passes, and the blocks of that time."""
    wait_until(web3, now(web3) + seconds)


def _ask(web3: Web3, method: str, *parameters):
    answer = web3.provider.make_request(method, list(parameters))
    assert "error" not in answer, f"{method}: {answer['error']['message']}"
    return answer["result"]
