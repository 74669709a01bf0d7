"""The season as one page to look at: `index.html`, complete in itself, for a desk or a telephone, in light or dark."""

from collections.abc import Sequence
from pathlib import Path

from tessera.demo.play import Played
from tessera.demo.report import markets
from tessera.demo.report.page import Section, assemble


def write(played: Played, folder: Path, more: Sequence[Section] = ()) -> Path:
    """Write the report, with `more` sections of another product at its end, and return the path of its page."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "index.html"
    page.write_text(
        assemble(markets.head(played), [*markets.sections(played), *more], markets.data(played)), encoding="utf-8"
    )
    return page
