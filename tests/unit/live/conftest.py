"""An engine whose clock tests turn, without a chain."""

from collections.abc import Iterator

import pytest

from tests.live import Stage


@pytest.fixture
def stage(tmp_path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.journal.close()
