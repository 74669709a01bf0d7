"""The page in a browser: every graph is drawn, nothing is wider than the screen, marks tell whose bet they are."""

from types import SimpleNamespace

import pytest

from tessera.chain import Outcome
from tessera.demo.record import read
from tessera.demo.report import write
from tests.chromium import SIZES, opened, running_chromium
from tests.unit.demo.conftest import NAMES

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def address(record_of, tmp_path):
    recorded = record_of(Outcome.YES)
    record = read(recorded.rows, recorded.fixtures, NAMES)
    played = SimpleNamespace(record=record, fixtures=recorded.fixtures, findings=["it adds up"])
    return write(played, tmp_path).as_uri()


@pytest.fixture(params=SIZES.values(), ids=SIZES)
def page(browser, address, request):
    with opened(browser, address, request.param) as page:
        yield page


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
