"""docs/live.md says what the engine does."""

import re
from pathlib import Path

from tessera.live.refusals import REASONS

PAGE = (Path(__file__).parents[3] / "docs" / "live.md").read_text()


def test_the_page_has_every_code_with_its_number_and_reason():
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(code.name.lower(), str(int(code)), reason) for code, reason in REASONS.items()]
