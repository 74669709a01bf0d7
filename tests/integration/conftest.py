"""A devnet for the tests that want one, started once."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest
from web3 import HTTPProvider, Web3

from tests.real.node import undone
from tests.real.tickets import RealTickets

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 120


def run(arguments: list, **options) -> subprocess.CompletedProcess:
    """Runs a command, by default in the checkout."""
    return subprocess.run(
        list(map(str, arguments)), **{"cwd": ROOT, **options}, capture_output=True, text=True, check=False
    )


@contextmanager
def running_devnet(folder: Path) -> Iterator[str]:
    """`python scripts/devnet.py` in a process of its own; yields its URL and stops it as Ctrl-C does."""
    command = [sys.executable, "-u", "scripts/devnet.py", "--port", "0", "--into", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    stop_waiting = Timer(READY_SECONDS, process.kill)
    stop_waiting.start()
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("ready"):
            break
    stop_waiting.cancel()
    try:
        ready = re.search(r"chain 31337 at (\S+)", said)
        assert ready, said
        yield ready.group(1)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        process.stdout.close()
    assert process.returncode == 0


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
