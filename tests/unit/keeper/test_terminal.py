"""What the keeper's commands share."""

import os
import signal

import pytest

from tessera.keeper.terminal import stopped_by_signal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_is_a_wish_and_the_second_an_order(number):
    before = signal.getsignal(number)
    with stopped_by_signal() as stopping:
        assert not stopping.is_set()
        os.kill(os.getpid(), number)
        assert stopping.is_set()
        assert signal.getsignal(number) is signal.SIG_DFL
    assert signal.getsignal(number) is before
