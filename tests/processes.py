"""Processes that tests start: read until a line says that they are ready, and then told to end."""

import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 120
BY_SIGTERM = -signal.SIGTERM  # how a process ends that does not handle it


class Running:
    """A process whose output is read all the time, so that it never waits for a reader."""

    def __init__(self, command: Sequence[object], ready: str, **options):
        self.process = subprocess.Popen(
            list(map(str, command)),
            **{"cwd": ROOT, **options},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said, self._ready, self._is_ready = "", re.compile(ready), Event()
        self.match: re.Match[str] | None = None
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait(self) -> re.Match[str]:
        """What the line that says that it is ready matched, as soon as there is one."""
        self._is_ready.wait(READY_SECONDS)
        if self.match is None:
            self.process.kill()
            raise AssertionError(f"not ready:\n{self.said}")
        return self.match

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tells it to end, and waits; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=READY_SECONDS)
        self._reader.join()
        self.process.stdout.close()
        return code

    def _read(self) -> None:
        for line in self.process.stdout:
            self.said += line
            if self.match is None and (found := self._ready.search(line)):
                self.match = found
                self._is_ready.set()
        self._is_ready.set()


@contextmanager
def running(
    command: Sequence[object], ready: str, *, by: int = signal.SIGTERM, codes: tuple[int, ...] = (0,), **options
) -> Iterator[Running]:
    """A process, once a line of it matches `ready`; in the end it gets a signal, and has to end with one of `codes`."""
    process = Running(command, ready, **options)
    try:
        process.wait()
        yield process
    finally:
        code = process.stop(by)
    assert code in codes, process.said
