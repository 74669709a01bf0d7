"""A command started again and again, its imports made once: what is killed fifty times is up in a second each time.

As a program: reads a JSON list of arguments and a log's path a line, runs `tessera` with them in a child of its own,
and says its number.
"""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.processes import ROOT


class Forked:
    """A child of the program; like a Popen, as far as tests that kill need it."""

    def __init__(self, pid: int):
        self.pid = pid

    def kill(self) -> None:
        """Ends it at once, wherever it is."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Returns when it is gone."""
        with suppress(ProcessLookupError):
            while True:
                os.kill(self.pid, 0)
                time.sleep(0.01)


class Forks:
    """What starts children."""

    def __init__(self, program: subprocess.Popen):
        self._program = program

    def start(self, arguments: list, log: Path) -> Forked:
        """`tessera` with these arguments, its output at the end of a log."""
        self._program.stdin.write(json.dumps([list(map(str, arguments)), str(log)]) + "\n")
        self._program.stdin.flush()
        return Forked(int(self._program.stdout.readline()))


@contextmanager
def forks() -> Iterator[Forks]:
    """The program, as long as it is needed."""
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.forked"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Forks(program)
    finally:
        program.stdin.close()
        program.wait()
        program.stdout.close()


def main() -> None:
    """The program."""
    import tessera.club.node
    import tessera.club.server  # noqa: F401  what `tessera club serve` imports
    from tessera.cli.main import cli

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for children: the system clears them away
    for line in sys.stdin:
        arguments, log = json.loads(line)
        if pid := os.fork():
            sys.stdout.write(f"{pid}\n")
            sys.stdout.flush()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for number, file in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
            os.dup2(file, number)
        try:
            cli(arguments)
        except BaseException:
            traceback.print_exc()
        os._exit(1)  # whatever it was: the parent's loop is not the child's


if __name__ == "__main__":
    main()
