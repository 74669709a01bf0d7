"""PostgreSQL for tests: clusters of their own, from Debian's package."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
OWNER = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root; the package makes this user
_numbers = count()


def run(program: str, *arguments: object) -> None:
    subprocess.run(
        [PROGRAMS[-1] / program, *map(str, arguments)], user=OWNER, check=True, cwd="/", stdout=subprocess.DEVNULL
    )


class Cluster:
    """A cluster that listens on a socket in its own folder."""

    def __init__(self, folder: Path, options: str = ""):
        self.folder, self.data, self.options = folder, folder / "data", options

    @property
    def url(self) -> str:
        return f"postgresql://tessera@/postgres?host={self.folder}"

    def make(self) -> None:
        run("initdb", "-D", self.data, "-U", "tessera", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses='' {self.options}"
        run("pg_ctl", "-D", self.data, "-o", options, "-l", self.folder / "log", "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def kill(self) -> None:
        """As a machine that loses its power."""
        pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGQUIT)  # ends its children at once, and syncs nothing

    def database(self) -> str:
        """The URL of a new database."""
        name = f"test_{next(_numbers)}"
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute(f"CREATE DATABASE {name}")
        return self.url.replace("/postgres?", f"/{name}?")


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL may use, whose path is short enough for a socket's."""
    made = Path(tempfile.mkdtemp(prefix="tessera-pg-"))
    if OWNER is not None:
        shutil.chown(made, OWNER)
    try:
        yield made
    finally:
        shutil.rmtree(made)


@contextmanager
def cluster(options: str = "") -> Iterator[Cluster]:
    """A cluster that runs."""
    with folder() as made:
        running = Cluster(made, options)
        running.make()
        running.start()
        try:
            yield running
        finally:
            running.stop()
