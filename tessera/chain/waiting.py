"""Waiting for what a node will show: behind one address may be machines that are some blocks apart."""

import time
from collections.abc import Callable

POLL_SECONDS = 0.25
LAG_SECONDS = 15  # that one machine may be behind another


def wait_until(ask: Callable[[], bool], seconds: float) -> bool:
    """Whether the answer is yes within so many seconds; it is asked at least once."""
    deadline = time.monotonic() + seconds
    while not ask():
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
