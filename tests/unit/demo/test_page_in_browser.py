"""The page in a browser: every graph is drawn, nothing is wider than the screen, marks tell whose bet they are."""

import shutil
from types import SimpleNamespace

import pytest

from tessera.chain import Outcome
from tessera.demo.record import read
from tessera.demo.report import write
from tests.unit.demo.conftest import NAMES

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs Debian's chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def address(record_of, tmp_path):
    recorded = record_of(Outcome.YES)
    record = read(recorded.rows, recorded.fixtures, NAMES)
    played = SimpleNamespace(record=record, fixtures=recorded.fixtures, findings=["it adds up"])
    return write(played, tmp_path).as_uri()


@pytest.fixture(params=[(1280, "light"), (360, "dark")], ids=["desk", "phone"])
def page(browser, address, request):
    width, scheme = request.param
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda sent: faults.append(sent.url) if sent.url != address else None)
    page.goto(address)
    yield page
    page.close()
    assert faults == []


def test_every_graph_is_drawn(page):
    figures = page.locator("figure[data-draw]")
    for index in range(figures.count()):
        figures.nth(index).locator("svg path, svg rect").first.wait_for(state="attached")
    assert figures.count() == 4
    assert "NaN" not in page.locator("main").inner_html()


def test_page_is_no_wider_than_the_screen(page):
    page.locator("figure svg").last.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_mark_tells_whose_bet_it_is(page):
    mark = page.locator("figure[data-draw=match] svg path.yes").first
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert "Chiara: 1 EUR on YES, odds 1.25" in page.locator("#tip").inner_text()


def test_chips_choose_matches(page):
    page.locator(".chips button", has_text="All").click()
    assert page.locator(".match:visible").count() == 1
