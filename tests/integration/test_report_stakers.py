"""Staked tickets on the demo's page, in a browser at desk and phone width: what is shown is what the logs say."""

from decimal import ROUND_HALF_EVEN, Decimal
from types import SimpleNamespace

import pytest

from tessera.chain import WAD, Outcome
from tessera.chain.prediction_events import Claimed, EventCreated, EventSettled
from tessera.chain.prize_pool import BoughtBack, PeriodClosed
from tessera.chain.staking_pool import Withdrawn
from tessera.demo.record import read
from tessera.demo.report import write
from tessera.demo.report.stakers import sections
from tessera.demo.stakers import LATE, PLANS, STAKERS, WEEKS, play
from tessera.model.apy import ASSUMPTIONS
from tessera.model.prizes import period_of
from tests.chromium import SIZES, opened
from tests.unit.demo.conftest import NAMES, record_of  # noqa: F401 (a fixture)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def staked():
    return play()


@pytest.fixture(scope="module")
def address(staked, record_of, tmp_path_factory):  # noqa: F811
    recorded = record_of(Outcome.YES)
    record = read(recorded.rows, recorded.fixtures, NAMES)
    played = SimpleNamespace(record=record, fixtures=recorded.fixtures, findings=["it adds up"])
    return write(played, tmp_path_factory.mktemp("report"), sections(staked)).as_uri()


@pytest.fixture(scope="module", params=SIZES.values(), ids=SIZES)
def page(browser, address, request):
    with opened(browser, address, request.param) as page:
        yield page


def table(page, section: str, number: int = 0) -> dict[str, dict[str, str]]:
    """Each visible row of a table by what stands in bold in its first cell: label of a cell to its text."""
    rows = {}
    for row in page.locator(f"#{section} table").nth(number).locator("tbody tr").all():
        assert row.is_visible()
        cells = {cell.get_attribute("data-label"): cell.inner_text() for cell in row.locator("td[data-label]").all()}
        rows[row.locator("b").inner_text()] = cells | {"small": row.locator("small").inner_text()}
    return rows


def usdc(amount: int) -> str:
    return f"{(Decimal(amount) / 10**6).quantize(Decimal('0.01'), ROUND_HALF_EVEN):,}"


def percent(share) -> str:
    return f"{float(share) * 100:.2f} %"


def all_of(staked, kind) -> list:
    return [row for row in staked.rows if isinstance(row, kind)]


def test_each_week_shows_its_prize_and_split(page, staked):
    first = period_of(staked.start)
    closed = {row.period - first + 1: row for row in all_of(staked, PeriodClosed) if row.period >= first}
    shown = table(page, "weeks")
    assert list(shown) == [f"Week {number}" for number in range(1, WEEKS + 1)]
    for number, row in closed.items():
        assert shown[f"Week {number}"] == {
            "Revenue": usdc(row.revenue),
            "Events, 90 %": usdc(row.to_events),
            "Buyback, 3 %": usdc(row.buyback),
            "Carried, 7 %": usdc(row.carried),
            "P": usdc(row.pool),
            "small": "closed a week late" if number == LATE + 1 else "closed on time",
        }


def test_bars_of_the_split_are_drawn_to_scale(page, staked):
    first = period_of(staked.start)
    closed = [row for row in all_of(staked, PeriodClosed) if row.period >= first]
    widest = max(row.pool for row in closed)
    bars = page.locator("#weeks table").first.locator("td.bar svg")
    assert bars.count() == WEEKS
    for bar, row in zip(bars.all(), closed, strict=True):
        drawn = [part.bounding_box()["width"] for part in bar.locator("rect").all()]
        whole = bar.bounding_box()["width"]
        for width, amount in zip(drawn, (row.to_events, row.buyback, row.carried), strict=True):
            # The page writes tenths of a pixel.
            assert width == pytest.approx(whole * amount / widest, abs=0.2)


def test_where_the_interest_went_adds_up(page, staked):
    prizes = staked.tessera.prizes
    claimed = sum(row.amount for row in all_of(staked, Claimed))
    (bought,) = all_of(staked, BoughtBack)
    text = page.locator("#weeks .card").nth(1).inner_text()
    for said in (
        f"{usdc(claimed)} to winners",
        f"{usdc(bought.spent)} bought {bought.bought / WAD:,.2f} BET",
        f"{usdc(prizes.carried() + prizes.waiting_revenue())} are carried to the next week",
        f"{usdc(prizes.buyback_bucket())} wait for a buyback",
    ):
        assert said in text, text


def test_events_show_their_prizes(page, staked):
    shown = table(page, "weeks", 1)
    settled = {row.event_id: row for row in all_of(staked, EventSettled)}
    assert len(shown) == len(PLANS)
    for created in all_of(staked, EventCreated):
        paid = [row for row in all_of(staked, Claimed) if row.event_id == created.event_id]
        row = shown[created.description]
        assert row["Weight"] == str(created.weight)
        assert row["First multiplier"] == f"{created.e0 / 100:.2f}"
        assert row["Winners"] == str(len(paid))
        assert row["Prize"] == usdc(settled[created.event_id].prize if paid else 0)
        assert ("back to the pool" in row["small"]) == (not paid)


def test_people_show_what_they_got(page, staked):
    shown = table(page, "stakers")
    addresses = {name: address for address, name in staked.names.items()}
    dai = staked.tessera.deployment.address_of("TestToken:DAI")
    assert set(shown) == {one.name for one in STAKERS}
    for name, row in shown.items():
        won = [each.amount for each in all_of(staked, Claimed) if each.account == addresses[name]]
        assert row["Prizes"] == usdc(sum(won))
        assert row["Wins"] == str(len(won))
        back = [each.paid for each in all_of(staked, Withdrawn) if (each.account, each.asset) == (addresses[name], dai)]
        if back:
            assert f"{sum(back) / 10**18:,.2f}".removesuffix(".00") + " DAI" in row["Paid back"]
    assert sum(Decimal(row["Prizes"].replace(",", "")) for row in shown.values()) == pytest.approx(
        Decimal(sum(row.amount for row in all_of(staked, Claimed))) / 10**6,
        abs=Decimal("0.005") * len(STAKERS),  # each is shown to the cent
    )


def test_yields_are_shown_with_what_they_assume(page, staked):
    """Counted here from principal, lending rates and the market's price alone."""
    principal = staked.snapshot["USDC"] / 10**6, staked.snapshot["DAI"] / 10**18
    lending = (principal[0] * 0.052 + principal[1] * 0.061) / sum(principal)
    price = staked.bet_price[0] / 10**6 / (staked.bet_price[1] / WAD)
    mining = 2 * 2 * 24 * 365 * price / sum(principal)  # two BET a block, two blocks an hour
    first, second, both = (one.inner_text() for one in page.locator("#yield .big").all())
    assert first == percent(lending * 1.6)
    assert second == percent(mining)
    assert both == percent(lending * 1.6 + mining)
    text = page.locator("#yield").inner_text()
    assert percent(lending * 1.6 * 90 / 93) in text
    assert f"{price:.4f} USDC" in text
    for assumption in ASSUMPTIONS:
        assert assumption in text


def test_nothing_is_wider_than_the_screen_or_cut_off(page):
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for section in ("weeks", "stakers", "yield"):
        cut = page.evaluate(
            """section => [...document.querySelectorAll(`#${section} td, #${section} p, #${section} li`)]
                .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)""",
            section,
        )
        assert cut == []
