"""A devnet for the tests that want one, started once."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

from tests.processes import ROOT, running
from tests.real.node import undone
from tests.real.tickets import RealTickets


def run(arguments: list, **options) -> subprocess.CompletedProcess:
    """Runs a command, by default in the checkout."""
    return subprocess.run(
        list(map(str, arguments)), **{"cwd": ROOT, **options}, capture_output=True, text=True, check=False
    )


@contextmanager
def running_devnet(folder: Path) -> Iterator[str]:
    """`python scripts/devnet.py` in a process of its own; yields its URL and stops it as Ctrl-C does."""
    command = [sys.executable, "-u", "scripts/devnet.py", "--port", "0", "--into", folder]
    with running(command, "^ready", by=signal.SIGINT) as process:
        yield re.search(r"chain 31337 at (\S+)", process.said).group(1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("devnet")


@pytest.fixture(scope="session")
def url(folder) -> Iterator[str]:
    with running_devnet(folder) as url:
        yield url


@pytest.fixture
def web3(url) -> Iterator[Web3]:
    """The devnet that all share, as it was once the test is over: for tests that let days pass in it."""
    web3 = Web3(HTTPProvider(url))
    with undone(web3):
        yield web3


@pytest.fixture
def system(deployed: RealTickets) -> Iterator[RealTickets]:
    """The module's `deployed`; what a test does to it is undone."""
    with undone(deployed.web3):
        yield deployed
