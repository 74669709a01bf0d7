"""The page in a browser: every graph is drawn, nothing is wider than the screen, marks tell whose bet they are."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from tessera.chain import Outcome
from tessera.demo.plan import Ending
from tessera.demo.record import read
from tessera.demo.report import write
from tests.chromium import SIZES, found_by_axe, opened
from tests.unit.demo.conftest import NAMES

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address_of(record_of, tmp_path_factory):
    """Returns the address of the page of a market that came to its end in such a way."""

    def address_of(ending):
        recorded = record_of(Outcome.YES)
        fixtures = [replace(fixture, ending=ending) for fixture in recorded.fixtures]
        record = read(recorded.rows, fixtures, NAMES)
        played = SimpleNamespace(record=record, fixtures=fixtures, findings=["it adds up"])
        return write(played, tmp_path_factory.mktemp("report")).as_uri()

    return address_of


@pytest.fixture
def address(address_of):
    return address_of(Ending.VOTED)


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


@pytest.mark.parametrize("ending", Ending, ids=lambda ending: ending.name)
def test_no_ending_is_wider_than_a_telephone(browser, address_of, ending):
    with opened(browser, address_of(ending), SIZES["phone"]) as page:
        page.locator("figure svg").last.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"][0]


@pytest.mark.parametrize("width", [width for width, _ in SIZES.values()])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_everybody_can_read_it(browser, address, width, colours):
    with opened(browser, address, (width, colours)) as page:
        page.locator("figure svg").last.wait_for()
        assert found_by_axe(page) == []


def test_a_mark_tells_whose_bet_it_is(page):
    mark = page.locator("figure[data-draw=match] svg path.yes").first
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert "Chiara: 1 EUR on YES, odds 1.25" in page.locator("#tip").inner_text()


def test_chips_choose_matches(page):
    page.locator(".chips button", has_text="All").click()
    assert page.locator(".match:visible").count() == 1
