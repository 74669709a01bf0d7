"""What a stream publishes: its record as files, row after row as the journal grows, and the figures that it comes to.

The folder has `stream.json`, `fairness.json` and the files of rows that `stream.json` names, as docs/live.md says;
`scripts/audit_stream.py` reads them. All of it is a function of the journal: a file that a crash cut off is mended from
there, and a machine that takes a stream over has the same files.
"""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tessera.live.fairness import Tally
from tessera.live.journal import Entry, Journal
from tessera.live.keys import Key
from tessera.live.messages import Message
from tessera.live.row_files import RowFiles
from tessera.live.wire import encode, hexed
from tessera.model.sessions.record import LineKind
from tessera.model.sessions.typed import Book, Domain

log = logging.getLogger(__name__)

PAGE = 2_000  # rows that are read at once
STREAM, FAIRNESS = "stream.json", "fairness.json"
PUBLIC_NAME = r"^(stream\.json|fairness\.json|record-[1-9][0-9]{0,8}\.jsonl)$"  # what anybody may read of the folder


class Publication:
    """Keeps up with a journal. One thread at a time steps; `figures` may be asked by another one."""

    def __init__(
        self,
        journal: Journal,
        domain: Domain,
        stream_id: int,
        house: Key,
        about: Callable[[], Message],
        folder: Path | None,
    ):
        """`about` says what the stream is. Without a folder there are figures, and no files."""
        self._folder = folder
        self._files = None if folder is None else RowFiles(folder)
        self._journal, self._domain, self._stream_id = journal, domain, stream_id
        self._house, self._about = house, about
        self._tally: Tally | None = None
        self._is_foreign = False  # the folder has what this journal did not write
        self.figures: dict[str, Any] = Tally().figures()

    def step(self) -> bool:
        """Publishes the next rows; whether there may be more. Raises JournalError, OSError."""
        if self._is_foreign:
            return False
        tally, self._tally = self._tally or self._begun(), None  # after an error it begins again from the files
        if self._is_foreign:
            return False
        rows = [self._row(entry) for entry in self._journal.public(tally.n, tally.after, PAGE)]
        if rows:
            if self._files is not None:
                names = self._files.names
                self._files.add(rows)
                if self._files.names != names:
                    self._introduce()
            for row in rows:
                tally.take(row)
            self._show(tally)
        self._tally = tally
        return len(rows) == PAGE

    def _show(self, tally: Tally) -> None:
        self.figures = tally.figures()
        if self._folder is not None:
            _replace(self._folder / FAIRNESS, self.figures)

    def _introduce(self) -> None:
        """Says which stream it is, and in which files its rows are: before figures count rows of a new one."""
        assert self._folder is not None
        assert self._files is not None
        _replace(self._folder / STREAM, self._about() | {"record": self._files.names})

    def _begun(self) -> Tally:
        """What the files have already; a row that a crash cut off is taken away."""
        tally = Tally()
        if self._folder is None or self._files is None:
            return tally
        self._folder.mkdir(parents=True, exist_ok=True)
        for row in self._files.read():
            try:
                tally.take(row)
            except (LookupError, TypeError, ValueError) as error:  # whole, so that no crash has cut it off
                self._refuse(f"{self._files.place} is no row of a record ({error})")
                return tally
        if tally.n and [tally.head] != [hexed(headed.head) for headed in self._journal.lines(tally.n, 1)]:
            self._refuse(f"{self._folder} has the record of another journal")
            return tally
        self._introduce()
        self._show(tally)
        return tally

    def _refuse(self, why: str) -> None:
        self._is_foreign = True
        advice = "bets go on, and nothing more is published: move the folder away, and start again to write it anew"
        log.error("%s: %s", why, advice)

    def _row(self, entry: Entry) -> Message:
        if entry.headed is None:
            return {"what": entry.what, **entry.body}
        (n, kind, epoch, question, leaf), head = vars(entry.headed.line).values(), entry.headed.head
        row = {"n": n, "kind": int(kind), "epoch": epoch, "question": hexed(question), "leaf": hexed(leaf)}
        if kind is LineKind.LOCK:
            book = Book(question, self._stream_id, leaf, n, head)
            row["signature"] = encode(self._house.sign(self._domain.digest(book)))
        return row | entry.body | {"head": hexed(head)}


def _replace(path: Path, content: Message) -> None:
    """Writes a file so that whoever reads it has the old or the new one."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(content, indent=1) + "\n")
    new.replace(path)
