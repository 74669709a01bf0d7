"""docs/hosted.md: each rule names tests that are there."""

import re

from tests.mutation import ROOT

PAGE = (ROOT / "docs" / "hosted.md").read_text()


def test_every_rule_has_its_tests():
    rows = re.findall(r"^\| [^|]+ \| (`test_.*`) \|$", PAGE, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(test_\w+)`", row)}
    sources = [
        file for kind in ("unit", "invariant", "differential") for file in (ROOT / "tests" / kind).rglob("test_*.py")
    ]
    known = set(re.findall(r"^def (test_\w+)", "\n".join(path.read_text() for path in sources), re.MULTILINE))
    assert len(rows) >= 20
    assert named <= known
