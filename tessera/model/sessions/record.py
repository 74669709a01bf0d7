"""A stream's record: everything that the house key signs, line after line, each head committing to all before it.

`head_0 = keccak256(chain id, contract, stream)`, `head_n = keccak256(head_{n-1}, n, kind, epoch, question hash, leaf)`,
as ABI words. A book is a Merkle tree over its question's leaves with sorted pairs, as OpenZeppelin's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from eth_hash.backends.pysha3 import keccak256 as keccak

from tessera.model.sessions.typed import Domain

NO_QUESTION = bytes(32)
# What heads hash, as `abi.encode` takes it.
FIRST_HEAD_FIELDS = "uint256 chain_id,address contract,uint256 stream_id"
HEAD_FIELDS = "bytes32 head,uint256 n,uint256 kind,uint256 epoch,bytes32 question,bytes32 leaf"


class LineKind(IntEnum):
    """What a line of the record is."""

    EPOCH = 0
    QUOTE = 1
    BET = 2
    LOCK = 3
    RESULT = 4
    ANSWERS = 5  # what the engine answered since the line of answers before it


@dataclass(frozen=True)
class Line:
    """One line. `leaf` is the hash of what was signed: a quote's, a state's, a book's root, a result's, a batch of
    answers."""

    n: int
    kind: LineKind
    epoch: int
    question: bytes
    leaf: bytes


def first_head(domain: Domain, stream_id: int) -> bytes:
    """The head of an empty record."""
    return keccak(domain.chain_id.to_bytes(32) + int(domain.contract, 16).to_bytes(32) + stream_id.to_bytes(32))


def next_head(head: bytes, line: Line) -> bytes:
    """The head after a line."""
    numbers = b"".join(number.to_bytes(32) for number in (line.n, line.kind, line.epoch))
    return keccak(head + numbers + line.question + line.leaf)


def heads(domain: Domain, stream_id: int, lines: Iterable[Line]) -> list[bytes]:
    """The head after each line. Raises ValueError where numbers do not run on from 1."""
    head, heads = first_head(domain, stream_id), []
    for number, line in enumerate(lines, start=1):
        if line.n != number:
            raise ValueError(f"line {line.n} where {number} should be")
        head = next_head(head, line)
        heads.append(head)
    return heads


def _parent(left: bytes, right: bytes) -> bytes:
    return keccak(min(left, right) + max(left, right))


def book_root(leaves: Sequence[bytes]) -> bytes:
    """The root of a question's book; the order of leaves is the record's. Raises ValueError where there are none."""
    if not leaves:
        raise ValueError("a book without bets has no root")
    level = list(leaves)
    while len(level) > 1:
        level = [_parent(*level[i : i + 2]) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]
    return level[0]


def book_proof(leaves: Sequence[bytes], leaf: bytes) -> list[bytes]:
    """The way from a leaf to the root. Raises ValueError where the leaf is not in the book."""
    level, place, proof = list(leaves), list(leaves).index(leaf), []
    while len(level) > 1:
        sibling = place ^ 1
        if sibling < len(level):
            proof.append(level[sibling])
        level = [_parent(*level[i : i + 2]) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]
        place //= 2
    return proof


def book_key(question: bytes, root: bytes) -> bytes:
    """The key under which a panel confirms a book, by outcome 1."""
    return keccak(b"book" + question + root)
