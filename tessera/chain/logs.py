"""Event logs as rows, read in pieces and resumable."""

from collections.abc import Iterator, Sequence

from web3 import Web3

from tessera.chain.contract import EventLog, address_of, decode_logs
from tessera.chain.node import prepared

BLOCKS_AT_ONCE = 2_000  # what public nodes commonly allow in one request


class LogReader:
    """Reads the events of some contracts from a block on, each once. `next_block` is where to resume."""

    def __init__(self, web3: Web3, addresses: Sequence[str], next_block: int, *, blocks_at_once: int = BLOCKS_AT_ONCE):
        self.web3 = prepared(web3)
        self.addresses = [address_of(address) for address in addresses]
        self.next_block = next_block
        self.blocks_at_once = blocks_at_once

    def read(self, last_block: int | None = None) -> Iterator[EventLog]:
        """The rows from `next_block` to `last_block` (the newest if None), in the chain's order.

        `next_block` moves on only when all rows before it were handed out: whoever stops half way and stores it reads
        some rows again and misses none.
        """
        last = self.web3.eth.block_number if last_block is None else last_block
        while self.next_block <= last:
            end = min(self.next_block + self.blocks_at_once - 1, last)
            logs = self.web3.eth.get_logs({"fromBlock": self.next_block, "toBlock": end, "address": self.addresses})
            yield from decode_logs(sorted(logs, key=lambda log: (log["blockNumber"], log["logIndex"])))
            self.next_block = end + 1
