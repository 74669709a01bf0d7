"""What holds for every test."""

import asyncio
import gc
from asyncio.events import _get_running_loop, _set_running_loop
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from boa.contracts.vyper.vyper_contract import VyperContract
from eth_hash.auto import keccak
from eth_hash.backends.pysha3 import keccak256
from hypothesis import settings

from tests import quick_evm, quick_state
from tests.chromium import running_chromium

# Hypothesis' own: the same examples in every run, however long one takes. `make campaign` looks for new ones.
settings.load_profile("ci")

# Chains inside this process: as fast as they can be. Keccak in C, where `eth_hash` prefers another.
quick_evm.be_quick()
quick_state.be_quick()
keccak.hasher = keccak256

# Titanoboa describes a contract in every revert with all of its storage, by traces that it never rolls back: a slot
# written by an undone contract of the same address makes it fail ("'IntegerT' object has no attribute 'key_type'").
VyperContract.__repr__ = lambda contract: f"<{contract.compiler_data.contract_path} at {contract.address}>"

_run = asyncio.run


def run_beside_a_browser(main: Coroutine, **options: Any) -> Any:
    """As asyncio.run, where this thread has a browser, too: Playwright's loop counts as running between its calls."""
    loop = _get_running_loop()
    _set_running_loop(None)
    try:
        return _run(main, **options)
    finally:
        _set_running_loop(loop)


asyncio.run = run_beside_a_browser

# Files that share a devnet and a browser, in two groups that take about as long.
PAGE = Path(__file__).parent / "e2e"
NODES = {"test_club", "test_command", "test_hosted", "test_live"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Workers share out files (`--dist loadgroup`), the page's in two groups, the longest file first."""
    for item in items:
        group = item.path.stem
        if PAGE in item.path.parents:
            group = "page of a node" if group in NODES else "page"
        if item.get_closest_marker("xdist_group") is None:  # or a part of a file says that it is one
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: item.path.stem != "test_keeper")


def pytest_collection_finish():
    """The compiler's and the tests' million objects stay: no collection walks through them again.

    Collections are rarer from then on: a compiled contract is 100,000 objects, none of which is to be collected.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def browser():
    """Of all tests of a process: Playwright starts one in it at a time."""
    with running_chromium() as browser:
        yield browser
