"""docs/live.md and docs/scale.md say what the engine does."""

import re
from pathlib import Path

import pytest

from tessera.index.limits import BURST
from tessera.live import clock, row_files, server, visitors
from tessera.live.journal import postgres
from tessera.live.refusals import REASONS
from tessera.live.service import TRY_SECONDS
from tessera.live.terms import LAND_MS

DOCS = Path(__file__).parents[3] / "docs"
PAGE, SCALE = (DOCS / "live.md").read_text(), (DOCS / "scale.md").read_text()


def test_the_page_has_every_code_with_its_number_and_reason():
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(code.name.lower(), str(int(code)), reason) for code, reason in REASONS.items()]


@pytest.mark.parametrize(
    ("page", "sentence", "is_so"),
    [
        (SCALE, "An owner says five times a second that it lives.", postgres.BEAT_SECONDS == 1 / 5),
        (SCALE, "Ten times a second it looks whether the owner's connection", TRY_SECONDS == 1 / 10),
        (SCALE, "no sign of life for a second by the database's clock", postgres.SILENT_SECONDS == 1),
        (PAGE, "at most 30 s old and not ahead of the clock", clock.OLDEST_BLOCK_MS == 30_000),
        (PAGE, "`lock` is at most 60 s after it", clock.AHEAD_MS == 60_000),
        (PAGE, "within 0.5 s of it, and was compared in the last ten minutes", clock.MOST_DRIFT_MS == 500),
        (PAGE, "Results are taken until 10 minutes before `report_by`", LAND_MS == 600_000),
        (PAGE, "A file of the record has 64 MiB at most", row_files.MOST_BYTES == 64 * 2**20),
        (PAGE, "A body or a message has at most 65,536 bytes", server.MOST_BYTES == 65_536),
        (PAGE, "more than 10,000 messages wait is closed", server.MOST_WAITING == 10_000),
        (PAGE, "six times as much of it at once", BURST == 6),
        (PAGE, "| requests over REST | 50 a second |", server.REQUESTS_A_SECOND == 50),
        (PAGE, "| commands over WebSocket | 500 a second |", visitors.COMMANDS_A_SECOND == 500),
        (PAGE, "its connection is not read for 0.2 s", server.HOLD_SECONDS == 0.2),
        (PAGE, "| of both, offers and limits | 10 a second |", visitors.WISHES_A_SECOND == 10),
        (PAGE, "| connections that are made | 100 a second |", visitors.COMINGS_A_SECOND == 100),
        (PAGE, "follow no session | 200, or `--connections` |", visitors.MOST_CONNECTIONS == 200),
        (PAGE, "`/files/` | 10,000 a second |", visitors.LINES_A_SECOND == 10_000),
        (PAGE, "320 bytes for one", server.PART_LINES == server.PART // 320),
        (PAGE, "up to eight of them", visitors.MOST_OF_SESSION == 8),
    ],
)
def test_the_pages_have_the_numbers_that_hold(page, sentence, is_so):
    assert sentence in page
    assert is_so
