"""Event logs as rows, read in pieces that the node takes, each of one chain."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from web3 import EthereumTesterProvider, Web3
from web3.exceptions import BlockNotFound
from web3.types import LogReceipt

from tessera.chain.blocks import Block, block_at
from tessera.chain.contract import EventLog, address_of, decode_logs
from tessera.chain.errors import ChainError, NodeError, NodeRefusedError, calling
from tessera.chain.node import prepared

BLOCKS_AT_ONCE = 2_000  # what public nodes commonly allow in one request; pieces that one refuses are halved
MOST_CHANGES = 20  # of the chain while it is read, before it is given up
# Blocks below the newest whose headers are looked at: a machine that is behind leaves out logs of these.
NEAR = 16
ENDS_KEPT = 256  # of pieces: as far back as a reader of logs finds out which blocks were taken back


class ReorgError(ChainError):
    """The chain took back blocks whose rows were handed out: those from `block` on are void. Read again from there."""

    code = "reorg"

    def __init__(self, block: int):
        super().__init__(f"the chain took back what was read from block {block} on: drop these rows, and read again")
        self.block = block


class Piece(NamedTuple):
    """Logs in the chain's order, the blocks that have some, and the last block of the piece (also in `blocks`)."""

    logs: list[LogReceipt]
    blocks: list[Block]
    end: Block


class Pieces:
    """Asks a node for the logs of some contracts: fewer blocks where it refuses, more again where it does not."""

    def __init__(self, web3: Web3, addresses: Sequence[str], blocks_at_once: int = BLOCKS_AT_ONCE):
        self.web3 = prepared(web3)
        self.addresses = [address_of(address) for address in addresses]
        self.blocks_at_once = self._size = blocks_at_once
        self._embedded = isinstance(self.web3.provider, EthereumTesterProvider)

    def block(self, number: int) -> Block | None:
        """A block of the chain; None where there is none of this number."""
        try:
            return block_at(self.web3, number)
        except BlockNotFound:
            return None

    def on_chain(self, block: Block | None) -> bool:
        """Whether a block is on the chain; None, before all blocks, always is."""
        return block is None or self.block(block.number) == block

    def read(self, before: Block | None, first: int, newest: int) -> Piece | None:
        """The logs of some blocks from `first` on, at most to `newest`; None where the chain changed meanwhile.

        `before` is the last block that was read. Raises NodeError where the node refuses a single block or is gone.
        """
        while True:
            last = min(first + self._size - 1, newest)
            if first <= newest - NEAR < last:
                last = newest - NEAR  # what is near the newest is a piece of its own
            try:
                piece = self._read(before, first, last, near=first > newest - NEAR)
            except NodeError as error:
                if first == last or not error.connected:
                    raise
                self._size = (last - first + 1) // 2
                continue
            self._size = min(2 * self._size, self.blocks_at_once)
            return piece

    def _read(self, before: Block | None, first: int, last: int, *, near: bool) -> Piece | None:
        end = self.block(last)
        if end is None:
            return None
        logs = self._logs({"fromBlock": first, "toBlock": last})
        if near and not self._embedded:
            logs = self._with_what_was_left_out(logs, first, last)
            if logs is None:
                return None
        blocks = {last: end}
        for log in logs:
            number = log["blockNumber"]
            block = blocks.get(number) or self._block_of(log)
            if block is None or block.hash != Web3.to_hex(log["blockHash"]):
                return None
            blocks[number] = block
        # A hash stands for all blocks before it: with both ends on the chain, what is between them is. And the logs of
        # one answer are of one chain: if the last block with one is on it, all are.
        ends = {before, end, blocks[max((log["blockNumber"] for log in logs), default=last)]}
        if not all(map(self.on_chain, ends)):
            return None
        return Piece(sorted(logs, key=lambda log: (log["blockNumber"], log["logIndex"])), list(blocks.values()), end)

    def _with_what_was_left_out(self, logs: list[LogReceipt], first: int, last: int) -> list[LogReceipt] | None:
        """The logs of blocks near the newest, by each block's hash where its header says that there may be some.

        A machine that has not got a block yet answers an empty list to its number, and an error to its hash.
        """
        by_block = {number: [log for log in logs if log["blockNumber"] == number] for number in range(first, last + 1)}
        for number in by_block:
            try:
                header: Any = self.web3.eth.get_block(number)
            except BlockNotFound:
                return None
            bloom = bytes(header.get("logsBloom") or b"")
            if any(_may_have_logged(bloom, address) for address in self.addresses):
                try:
                    by_block[number] = self._logs({"blockHash": Web3.to_hex(header["hash"])})
                except NodeRefusedError:
                    return None
        return [log for number in by_block for log in by_block[number]]

    def _logs(self, blocks: dict[str, int | str]) -> list[LogReceipt]:
        query: Any = {**blocks, "address": self.addresses}
        with calling("logs"):
            return list(self.web3.eth.get_logs(query))

    def _block_of(self, log: LogReceipt) -> Block | None:
        """The block of a log, as far as the node tells its time with it; as it is on the chain, where it does not."""
        if time := log.get("blockTimestamp"):
            return Block(log["blockNumber"], Web3.to_hex(log["blockHash"]), int(str(time), 0))
        return self.block(log["blockNumber"])


class LogReader:
    """Reads the events of some contracts from a block on, each once. `next_block` is where to resume."""

    def __init__(self, web3: Web3, addresses: Sequence[str], next_block: int, *, blocks_at_once: int = BLOCKS_AT_ONCE):
        self.web3 = prepared(web3)
        self.next_block = next_block
        self._pieces = Pieces(web3, addresses, blocks_at_once)
        self._ends: list[Block] = []  # of pieces that were handed out, oldest first

    def read(self, last_block: int | None = None) -> Iterator[EventLog]:
        """The rows from `next_block` to `last_block` (the newest if None), in the chain's order.

        `next_block` moves on only when all rows before it were handed out: whoever stops half way and stores it reads
        some rows again and misses none. Raises ReorgError where the chain took back blocks that this reader has read,
        and goes on from there when it is called again; NodeError where the node fails.
        """
        changes = 0
        last = self.web3.eth.block_number if last_block is None else last_block
        while self.next_block <= last:
            before = self._ends[-1] if self._ends else None
            if not self._pieces.on_chain(before):
                self._step_back()
            piece = self._pieces.read(before, self.next_block, last)
            if piece is None:
                changes += 1
                if changes == MOST_CHANGES:
                    raise ChainError(f"the chain changed {changes} times while it was read: is the node in sync?")
                continue
            yield from decode_logs(piece.logs)
            self._ends = [*self._ends[1 - ENDS_KEPT :], piece.end]
            self.next_block = piece.end.number + 1

    def _step_back(self) -> None:
        gone = bisect_left(self._ends, True, key=lambda block: not self._pieces.on_chain(block))
        first = self._ends[gone - 1].number + 1 if gone else self._ends[0].number
        del self._ends[gone:]
        self.next_block = first
        raise ReorgError(first)


def _may_have_logged(bloom: bytes, address: str) -> bool:
    """Whether a contract may have logged in a block, by its header (Yellow Paper, 4.3.1); if False it has not.

    Also False where the header has no bloom filter of 2,048 bits.
    """
    if len(bloom) != 256:
        return False
    digest = Web3.keccak(hexstr=address)
    bits = (int.from_bytes(digest[start : start + 2], "big") % 2048 for start in (0, 2, 4))
    return all(bloom[255 - bit // 8] >> bit % 8 & 1 for bit in bits)
