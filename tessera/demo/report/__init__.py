"""The season as one page to look at: `index.html`, complete in itself, for a desk or a telephone, in light or dark."""

from pathlib import Path

from tessera.demo.play import Played
from tessera.demo.report import markets
from tessera.demo.report.page import assemble


def write(played: Played, folder: Path) -> Path:
    """Write the report and return the path of its page. What another product adds is one more list of sections."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "index.html"
    page.write_text(assemble(markets.head(played), markets.sections(played), markets.data(played)), encoding="utf-8")
    return page
