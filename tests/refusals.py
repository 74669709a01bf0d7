"""Refusals that name no reason."""

from collections.abc import Iterator
from contextlib import contextmanager

import boa
import pytest


@contextmanager
def refused_without_a_text() -> Iterator[None]:
    """What happens within reverts with nothing to read, as the ABI decoder does and no assert of ours."""
    with pytest.raises(boa.BoaError) as refused:
        yield
    assert refused.value.stack_trace.last_frame.vm_error.args == (b"",)
