"""Debian's chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# Debian's chromium looks for its services otherwise, and finds nobody.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = Path(__file__).parents[1] / "web" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"desk": (1280, "light"), "phone": (360, "dark")}  # width and colours


@contextmanager
def running_chromium() -> Iterator:
    """A browser; skips the test where there is none. For the fixture `browser`: Playwright starts one at a time."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs Debian's chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(browser, address: str, size: tuple[int, str]) -> Iterator:
    """A page that asks for nothing but itself and raises nothing, which is asserted in the end."""
    width, scheme = size
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda sent: faults.append(sent.url) if sent.url != address else None)
    page.goto(address)
    yield page
    page.close()
    assert faults == []


def found_by_axe(page) -> list[tuple[str, list[str]]]:
    """What a screen reader or weak eyes would stumble over: each rule that is broken, and where."""
    page.add_script_tag(path=AXE)
    violations = page.evaluate("axe.run().then((found) => found.violations)")
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations]
