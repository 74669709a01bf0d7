"""The public rows of a stream as files of bounded size: record-1.jsonl, record-2.jsonl and so on.

Where one ends follows from the rows alone, so that every machine has the same files; one that is full never changes.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from tessera.live.messages import Message

MOST_BYTES = 64 * 2**20  # of a file, unless one row is larger


class RowFiles:
    """The files of a folder. They are read before anything is added."""

    def __init__(self, folder: Path, most: int = MOST_BYTES):
        self._folder, self._most = folder, most
        self._count, self._size = 1, 0  # files, and the bytes of the last one
        self._row = 0  # of that file, which was read last

    @property
    def place(self) -> str:
        """The row that was read last, as people find it."""
        return f"{self._path(self._count)}, line {self._row}"

    @property
    def names(self) -> list[str]:
        """The files, in the order of their rows."""
        return [name_of(number) for number in range(1, self._count + 1)]

    def read(self) -> Iterator[Message]:
        """All rows there are, up to the first that is missing or was cut off; what follows it is taken away."""
        self._count, is_whole = 0, True
        while self._count == 0 or (is_whole and self._is_full()):
            self._count, self._size = self._count + 1, 0
            with self._path(self._count).open("ab+") as file:
                size = file.tell()
                file.seek(0)
                for self._row, line in enumerate(file, 1):
                    try:
                        row = _row(line)
                    except (ValueError, RecursionError):  # or brackets within brackets without end
                        break
                    self._size += len(line)
                    yield row
                file.truncate(self._size)
            is_whole = self._size == size
        for path in self._folder.glob(name_of("*")):
            if path.name not in self.names:
                path.unlink()

    def add(self, rows: Iterable[Message]) -> None:
        """Adds rows to the last file, and to the next ones where that is full. Raises OSError."""
        for number, placed in groupby(map(self._placed, rows), key=lambda one: one[0]):
            with self._path(number).open("ab") as file:
                file.write(b"".join(text for _, text in placed))

    def _placed(self, row: Message) -> tuple[int, bytes]:
        text = json.dumps(row, separators=(",", ":")).encode() + b"\n"
        if self._size and self._size + len(text) > self._most:
            self._count, self._size = self._count + 1, 0
        self._size += len(text)
        return self._count, text

    def _is_full(self) -> bool:
        """Whether the last file has no room for the first row of the one after it, which is there."""
        following = self._path(self._count + 1)
        if not following.exists():
            return False
        with following.open("rb") as file:
            return self._size + len(file.readline()) > self._most

    def _path(self, number: int) -> Path:
        return self._folder / name_of(number)


def name_of(number: int | str) -> str:
    """The name of a file of rows, from 1 on; * stands for all."""
    return f"record-{number}.jsonl"


def _row(line: bytes) -> Message:
    if not line.endswith(b"\n"):
        raise ValueError("a row that was cut off")
    return json.loads(line)
