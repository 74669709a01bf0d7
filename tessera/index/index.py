"""The index: reads the chain's logs into a database, and takes them out again where the chain took them back."""

import json
import math
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

from sqlalchemy import Connection, delete, insert, inspect, select, update
from web3 import Web3

from tessera.chain.blocks import Block, check_block_numbers
from tessera.chain.contract import Contract, EventLog, decode_logs
from tessera.chain.deployments import Deployment, Tessera
from tessera.chain.errors import ChainError
from tessera.chain.logs import BLOCKS_AT_ONCE, MOST_CHANGES, Pieces
from tessera.chain.node import prepared
from tessera.index.database import Database
from tessera.index.derived import Rewind, follow
from tessera.index.holes import IncompleteError, in_totals, in_what_runs
from tessera.index.schema import about, blocks, metadata, shape, table_of, values
from tessera.index.snapshot import EmptyIndexError, NoIndexError, Snapshot, stored

EMPTY_BLOCKS_KEPT = 256  # below the newest: what a reorg can reach back to without reading much again
FILL_SECONDS = 600  # between two readings of all logs for what was left out
Progress = Callable[[int, int], None]


class Index:
    """The events of a deployment's contracts in a database, the copy of a chain as of one block.

    The chain is the only truth: whatever is in the database can be deleted, and the next `sync` reads it again.
    """

    def __init__(self, url: str, web3: Web3, deployment: Deployment, *, blocks_at_once: int = BLOCKS_AT_ONCE):
        """`url` as SQLAlchemy wants it: `sqlite:///index.db`, `postgresql+psycopg://...`. Makes the tables.

        Raises ChainError where the node is on another chain than the record, the URL is none, or the database is an
        index of another deployment or version; NoIndexError, here and whenever it is used, where it does not work.
        """
        self._tessera = Tessera(web3, deployment)
        self.web3 = prepared(web3)
        self.chain_id = deployment.chain_id
        self.first_block = deployment.first_block
        # Tokens, vaults and markets that others made log what nobody asks here.
        known = {contract.NAME for contract in Contract.KNOWN}
        self.contracts: dict[str, str] = {
            name: address for name, address in deployment.addresses.items() if name in known
        }
        self._pieces = Pieces(web3, list(self.contracts.values()), blocks_at_once)
        self._counts_alike = False  # whether contracts are known to count blocks as the node does
        self._filled = -math.inf
        self._database = Database(url, self._failure)
        self.engine = self._database.engine
        self.name = self.engine.url.render_as_string(hide_password=True)
        self._claim()

    def sync(self, progress: Progress | None = None) -> int:
        """Reads what the chain has and the index has not, up to the newest block; the number of rows added.

        Each piece is committed with the block that it ends with: a sync killed anywhere goes on from there. Rows of
        blocks that are no longer on the chain are deleted first. `progress` gets the last block read and the newest.
        Where the node refuses a piece as too large, pieces are halved. Raises the node's error where it refuses a
        single block or is not there, ChainError where the chain changes 20 times meanwhile, OtherBlocksError where
        there are staked tickets on a chain whose contracts count other blocks than its logs do.
        """
        if "PredictionEvents" in self.contracts and not self._counts_alike:
            check_block_numbers(self.web3)
            self._counts_alike = True
        added = changes = 0
        while changes < MOST_CHANGES:
            head = self.head()
            if head is not None and not self._pieces.on_chain(head):
                self._rewind(head)
                changes += 1
                continue
            newest = self.web3.eth.block_number
            first = self.first_block if head is None else head.number + 1
            if first > newest:
                return added
            piece = self._pieces.read(head, first, newest)
            if piece is None:
                changes += 1
                continue
            rows = list(decode_logs(piece.logs))
            if not self._store(head, piece.blocks, rows):
                continue
            added += len(rows)
            if progress is not None:
                progress(piece.end.number, newest)
        raise ChainError(f"the chain changed {changes} times while it was read: is the node in sync?")

    def check(self, progress: Progress | None = None, *, thorough: bool = False) -> None:
        """Compares the rows with what the contracts count, and asks the node for all logs again where they differ.

        A call for each of a few totals; `thorough` one more for each event and market that is not over. Raises
        IncompleteError where the node still leaves logs out: nobody may act on such a history. NodeError, also where
        the node does not know the state of the index's block.
        """
        holes = self._holes(thorough)
        if holes and self.fill(progress):
            holes = self._holes(thorough)
        if holes:
            raise IncompleteError(holes)

    def fill(self, progress: Progress | None = None) -> bool:
        """Asks for all logs up to the head again; whether there were some that the index had not.

        From the first block of these on, all is read anew. Not again within ten minutes: False.
        """
        if time.monotonic() - self._filled < FILL_SECONDS:
            return False
        self._filled = time.monotonic()
        head = self.head()
        first = self._first_hole(head, progress) if head is not None else None
        if first is None:
            return False
        with self._database.writing() as db:
            db.execute(update(about).values(rereads=about.c.rereads + 1))
            _forget(db, first)
        self.sync(progress)
        return True

    def _holes(self, thorough: bool) -> list[str]:
        """As of the head; none of a head that is not on the chain any more: the next sync reads on."""
        try:
            with self.snapshot() as snapshot:
                holes = in_totals(snapshot, self._tessera)
                if thorough and not holes:
                    holes = in_what_runs(snapshot, self._tessera)
                return holes if holes and self._pieces.on_chain(snapshot.head) else []
        except EmptyIndexError:
            return []

    def _first_hole(self, head: Block, progress: Progress | None) -> int | None:
        """The first block of which the node shows more rows than were stored; None where there is none."""
        first = self.first_block
        while first <= head.number:
            piece = self._pieces.read(None, first, head.number)
            if piece is None:
                return None  # the chain changed: the next sync reads on
            rows = Counter(row.block for row in decode_logs(piece.logs))
            with self._database.connected() as db:
                query = select(blocks.c.number, blocks.c.logs).where(blocks.c.number.between(first, piece.end.number))
                stored_rows = {row.number: row.logs for row in db.execute(query)}
            if more := [number for number, count in rows.items() if count > stored_rows.get(number, 0)]:
                return min(more)
            first = piece.end.number + 1
            if progress is not None:
                progress(piece.end.number, head.number)
        return None

    def head(self) -> Block | None:
        """The last block that was read; None: nothing was."""
        with self._database.connected() as db:
            return stored(db)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """All queries, of one block: what is written meanwhile is not seen."""
        # SQLite's transactions see one state as they are.
        options = {} if self.engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        with self._database.connected(**options) as db:
            yield Snapshot(db, self.contracts)

    def _failure(self, reason: str) -> NoIndexError:
        return NoIndexError(f"the index {self.name} cannot be used: {reason}")

    def _claim(self) -> None:
        subject = json.dumps(
            {
                "chain": self.chain_id,
                "contracts": self.contracts,
                "first_block": self.first_block,
                "events": sha256(json.dumps(shape()).encode()).hexdigest()[:16],
            },
            sort_keys=True,
        )
        with self._database.making() as db:
            if not inspect(db).has_table(about.name):
                metadata.create_all(db)
            subjects = db.scalars(select(about.c.subject)).all()
            if not subjects:
                db.execute(insert(about), {"subject": subject, "rereads": 0})
            elif subjects != [subject]:
                raise ChainError(
                    f"the index {self.name} is of another deployment or version: delete it, it is read again"
                )

    def _store(self, head: Block | None, read: list[Block], rows: list[EventLog]) -> bool:
        """Adds what follows `head`. False where somebody else has moved it meanwhile."""
        names = {address: name for name, address in self.contracts.items()}
        by_kind, logs = defaultdict(list), defaultdict(int)
        for row in rows:
            by_kind[type(row)].append(values(row, names))
            logs[row.block] += 1
        end = max(block.number for block in read)
        with self._database.writing() as db:
            db.execute(select(about.c.subject).with_for_update())
            if stored(db) != head:
                return False
            db.execute(insert(blocks), [{**block._asdict(), "logs": logs[block.number]} for block in read])
            for kind, lines in by_kind.items():
                db.execute(insert(table_of(kind)), lines)
            follow(db, min(block.number for block in read))
            db.execute(delete(blocks).where(blocks.c.logs == 0, blocks.c.number < end - EMPTY_BLOCKS_KEPT))
        return True

    def _rewind(self, head: Block) -> None:
        """Deletes the blocks above the last stored one that is on the chain, with all rows in them."""
        with self._database.connected() as db:
            # Once a block is gone all later ones are.
            gone = bisect_left(
                range(head.number + 1), True, key=lambda number: not self._pieces.on_chain(stored(db, up_to=number))
            )
        with self._database.writing() as db:
            db.execute(select(about.c.subject).with_for_update())
            if stored(db) == head:
                _forget(db, gone)


def _forget(db: Connection, first: int) -> None:
    """Deletes the blocks from a number on, with all that hangs on them."""
    rewind = Rewind(db, first)
    db.execute(delete(blocks).where(blocks.c.number >= first))
    rewind.end()
