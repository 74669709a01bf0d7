"""How an engine treats those who bet: what it answered, how fast, and what the public rows of a stream come to.

An answer is noted in memory when it is given, and once a second the notes become a line of the record, whose leaf is
their hash. So what the house says of its answers is bound to every head that it signs later, and costs a bet nothing
but a note. Of a refusal the hash of the house's own signature stands there: whoever has the refusal can look for it,
and nobody else can say whose it was, or of what state.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, TypeVar

from eth_hash.backends.pysha3 import keccak256 as keccak

from tessera.chain.micro_sessions import Signature
from tessera.live.messages import Message
from tessera.live.refusals import Code
from tessera.live.wire import hexed, signature_text
from tessera.model.loss.expected import PPM
from tessera.model.sessions.record import LineKind

T = TypeVar("T")

NOTED_MS = 1_000  # after which answers become a line
MOST_NOTED = 1_000  # answers of one line


@dataclass
class Answers:
    """What was answered since a time, unix milliseconds, and is not in the record yet."""

    since: int
    bets: list[tuple[int, int]] = field(default_factory=list)
    refused: list[tuple[Code, Signature, int]] = field(default_factory=list)
    too_many: int = 0  # requests beyond what a session may ask, which cost the record nothing else

    def took(self, n: int, took_ns: int) -> None:
        """A bet was taken: the number of its line, and the nanoseconds from its arrival to its receipt."""
        self.bets.append((n, took_ns))

    def refuse(self, code: Code, signature: Signature, took_ns: int) -> None:
        """A state was refused, which the house has signed."""
        self.refused.append((code, signature, took_ns))

    def is_due(self, now: int) -> bool:
        """Whether they are to become a line."""
        count = len(self.bets) + len(self.refused)
        return count >= MOST_NOTED or (now >= self.since + NOTED_MS and count + self.too_many > 0)

    def batch(self, until: int) -> Message:
        """The answers as the record has them, those from `since` on and before `until`."""
        return {
            "since": self.since,
            "until": until,
            "bets": [[n, microseconds(took)] for n, took in self.bets],
            "refused": [
                [refusal_id(signature), int(code), code.name.lower(), microseconds(took)]
                for code, signature, took in self.refused
            ],
            "too_many": self.too_many,
        }


def microseconds(nanoseconds: int) -> int:
    """Microseconds, rounded up to two digits: few values, so that they can be counted, and nothing looks faster."""
    whole = -(-nanoseconds // 1_000)
    unit = 10 ** max(len(str(whole)) - 2, 0)
    return -(-whole // unit) * unit


def refusal_id(signature: Signature) -> str:
    """By what its owner finds a refusal in the record: the hash of the house's signature, 64 bytes of EIP-2098."""
    return hexed(keccak(bytes.fromhex(signature_text(signature)[2:])))


def leaf_of(batch: Message) -> bytes:
    """The leaf of a line of answers: the hash of the batch as JSON without spaces."""
    return keccak(json.dumps(batch, separators=(",", ":")).encode())


class Tally:
    """What a stream's public rows (`tessera.live.publication`) come to, row after row."""

    def __init__(self):
        self.rows = self.n = self.after = 0  # rows; the last line's number; rows since then
        self.head: str | None = None
        self._lines: Counter[int] = Counter()  # by kind
        self._others: Counter[str] = Counter()  # rows that are no line, by what they are
        self._unreported = 0
        self._receipts: Counter[int] = Counter()  # microseconds
        self._refusals: Counter[int] = Counter()
        self._codes: Counter[str] = Counter()
        self._since: int | None = None
        self._covered = 0

    def take(self, row: Message) -> None:
        """The next row. Raises LookupError, TypeError or ValueError for JSON that is none, and is of no use then."""
        self.rows += 1
        if "n" not in row:
            self._others[row["what"]] += 1
            self.after += 1
            return
        if row["n"] != self.n + 1:
            raise ValueError(f"line {row['n']!r} where {self.n + 1} should be")
        self.n, self.head, self.after = self.n + 1, _of(str, row["head"]), 0
        kind = LineKind(row["kind"])
        self._lines[kind] += 1
        if kind is LineKind.RESULT:
            self._unreported += row["outcome"] is None
        elif kind is LineKind.ANSWERS:
            self._take_answers(row["answers"])

    def _take_answers(self, batch: Message) -> None:
        since, until, too_many = (_of(int, batch[name]) for name in ("since", "until", "too_many"))
        self._since = since if self._since is None else self._since
        self._covered += until - since
        for _, took in batch["bets"]:
            self._receipts[_of(int, took)] += 1
        for _, _, name, took in batch["refused"]:
            self._refusals[_of(int, took)] += 1
            self._codes[_of(str, name)] += 1
        if too_many:
            self._codes[Code.TOO_MANY_REQUESTS.name.lower()] += too_many

    def figures(self) -> dict[str, Any]:
        """What is published of the rows so far."""
        lines, others = self._lines, self._others
        accepted, refused = self._receipts.total(), self._codes.total()
        asked = accepted + refused
        return {
            "rows": self.rows,
            "n": self.n,
            "head": self.head,
            "epochs": lines[LineKind.EPOCH],
            "questions": others["question"],
            "quotes": lines[LineKind.QUOTE],
            "bets": lines[LineKind.BET],
            "books": lines[LineKind.LOCK],
            "books_confirmed": others["book"],
            "results": lines[LineKind.RESULT],
            "results_missing": self._unreported,
            "accepted": accepted,
            "refused": refused,
            "acceptance_ppm": accepted * PPM // asked if asked else None,
            "refusals": dict(sorted(self._codes.items())),
            "receipt_us": _quantiles(self._receipts),
            "refusal_us": _quantiles(self._refusals),
            "since": self._since,
            "covered_ms": self._covered,
        }


def _of(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _quantiles(counts: Counter[int]) -> dict[str, int | None]:
    """The times that 50 and 99 of 100 answers did not exceed, and the longest; None: there are no answers."""
    total, passed = counts.total(), 0
    found: dict[str, int | None] = {"p50": None, "p99": None, "most": max(counts, default=None)}
    for value in sorted(counts):
        passed += counts[value]
        for name, percent in (("p50", 50), ("p99", 99)):
            if found[name] is None and passed * 100 >= total * percent:
                found[name] = value
    return found
