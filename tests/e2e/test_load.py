"""What the page asks of a node, how much of it moves while it loads, and where the focus is afterwards."""

import json
import re

import pytest

from tessera.chain import Outcome
from tests.e2e.conftest import DESK, PHONE, joined
from tests.e2e.play import bet, new_market

VIEWS = ("markets", "markets/1", "markets/new", "hosted", "tickets", "portfolio", "leaderboard")
MOST_CALLS = 5  # of JSON-RPC for a new block
MOST_SHIFT = 0.1  # what web.dev calls good
SHIFTS = """
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
"""


def calls(tab) -> list[str]:
    """The methods that the page calls from now on, as they come."""
    asked = []

    def note(request):
        try:
            body = json.loads(request.post_data or "")
        except ValueError:
            return
        asked.extend(call["method"] for call in (body if isinstance(body, list) else [body]))

    tab.on("request", note)
    return asked


def quiet(page) -> None:
    """Waits until nothing is being read."""
    page.quiet()
    page.tab.wait_for_timeout(1_500)


@pytest.mark.parametrize("path", VIEWS)
def test_a_new_block_costs_a_few_calls_on_any_view(visit, member, new_person, tessera, path):
    """Somebody bets on a market that is shown, and somebody joins: both are read, in five calls."""
    bettor = joined(new_person(), tessera)
    page = visit(path, wallet=member)
    quiet(page)
    asked = calls(page.tab)
    for attempt in range(3):
        minute = page.tab.evaluate("Math.floor(Date.now() / 60000)")
        asked.clear()
        block = tessera.web3.eth.block_number
        tessera.escrow.set_consent(bettor, attempt % 2)
        assert tessera.web3.eth.block_number == block + 1
        page.tab.wait_for_timeout(3_900)  # two looks for a block, one of which sees it
        if minute == page.tab.evaluate("Math.floor(Date.now() / 60000)"):
            break
    polls = asked.count("eth_getBlockByNumber") - 2  # a look without a new block is the latest and the pending one
    assert polls >= 0, asked
    others = [method for method in asked if method != "eth_getBlockByNumber"]
    assert len(others) + 2 <= MOST_CALLS, asked
    assert others.count("eth_getLogs") <= 1, asked


def test_a_bet_on_a_market_that_is_shown_is_read_in_as_many(visit, member, new_person, tessera):
    market, bettor = new_market(tessera, member, "Counted?"), joined(new_person(), tessera)
    for path in ("markets", f"markets/{market}"):
        page = visit(path, wallet=member)
        quiet(page)
        asked = calls(page.tab)
        bet(tessera, bettor, market, Outcome.YES)
        page.says("1 bet" if path == "markets" else "If YES, as bets stand")
        page.tab.wait_for_timeout(2_000)
        others = [method for method in asked if method != "eth_getBlockByNumber"]
        assert len(others) + 2 <= MOST_CALLS, asked
        tessera.web3.provider.make_request("evm_increaseTime", [6])


def test_a_tab_that_nobody_looks_at_asks_nothing(visit, tessera, new_person):
    page = visit()
    quiet(page)
    asked = calls(page.tab)
    hide = (
        "Object.defineProperty(document, 'hidden', {{value: {}, configurable: true}});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    page.tab.evaluate(hide.format("true"))
    page.tab.wait_for_timeout(500)
    asked.clear()
    joined(new_person(), tessera)
    page.tab.wait_for_timeout(5_000)
    assert asked == []
    page.tab.evaluate(hide.format("false"))
    page.tab.wait_for_timeout(2_000)
    assert "eth_getBlockByNumber" in asked


def test_a_second_visit_reads_no_old_logs(visit, member, tessera):
    page = visit("markets", wallet=member)
    quiet(page)
    asked = []
    page.tab.on("request", lambda sent: asked.append(sent.post_data or ""))
    page.tab.reload()
    quiet(page)
    ranges = [
        [int(call["params"][0][end], 16) for end in ("fromBlock", "toBlock")]
        for body in asked
        if "eth_getLogs" in body
        for call in (json.loads(body) if body.startswith("[") else [json.loads(body)])
        if call["method"] == "eth_getLogs"
    ]
    newest = tessera.web3.eth.block_number
    assert all(newest - start < 50 for start, _ in ranges), ranges


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_moves_while_a_view_loads(visit, member, size):
    page = visit(wallet=member, size=size)
    page.tab.context.add_init_script(SHIFTS)
    for path in VIEWS:
        page.go(path)
        page.tab.reload()
        page.tab.locator("h1").wait_for()
        quiet(page)
        shifted = page.tab.evaluate("window.shifted")
        assert shifted < MOST_SHIFT, f"{path}: {shifted}"


def test_the_first_bet_is_above_the_fold_of_a_phone(visit, new_person, member, tessera):
    market, person = new_market(tessera, member, "Above the fold?"), new_person()
    tessera.play_euro.join(person, consent=1)
    page = visit(f"markets/{market}", wallet=person)
    button = page.button("Bet 1.00 EUR on YES")
    button.wait_for()
    box = button.bounding_box()
    assert box["y"] + box["height"] <= PHONE["height"], box


def test_the_focus_is_kept_by_whoever_does_something(visit, new_person, member, tessera):
    market, person = new_market(tessera, member, "Focus?"), new_person()
    page = visit(f"markets/{market}", wallet=person)
    focused = "document.activeElement.matches('main, main *')"
    page.press("Join and get 50.00 EUR", "Welcome.")
    page.button("Join and get 50.00 EUR").wait_for(state="detached")
    assert page.tab.evaluate(focused), "what was pressed is gone"
    page.press("Bet 1.00 EUR on YES", "Your bet is placed.")
    assert page.tab.evaluate("document.activeElement.textContent.trim()") == "Bet 1.00\xa0EUR on YES"


def test_the_focus_can_be_seen(visit, member):
    """Three to one against what lies around it (WCAG 1.4.11), in both schemes."""
    page = visit("markets", wallet=member)
    for scheme in ("light", "dark"):
        page.tab.emulate_media(color_scheme=scheme)
        page.tab.reload()
        page.tab.locator(".card").first.wait_for()
        page.tab.keyboard.press("Tab")
        page.tab.keyboard.press("Tab")
        ring, width, around = page.tab.evaluate(
            "(() => { const style = getComputedStyle(document.activeElement);"
            " const around = getComputedStyle(document.documentElement).backgroundColor;"
            " return [style.outlineColor, style.outlineWidth, around] })()"
        )
        assert float(width.removesuffix("px")) >= 2
        assert contrast(ring, around) >= 3, (scheme, ring, around)


def contrast(one: str, other: str) -> float:
    """Of two colours as browsers write them (WCAG 2)."""

    def brightness(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((brightness(one), brightness(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_text_twice_as_large_still_fits_a_phone(visit, member):
    page = visit("markets/1", wallet=member)
    for path in VIEWS:
        page.go(path)
        quiet(page)
        page.tab.evaluate("document.documentElement.style.setProperty('--pico-font-size', '200%')")
        page.tab.wait_for_timeout(300)
        page.picture(f"large-{path.replace('/', '-')}")
        width = page.tab.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], f"{path} is {width} px wide"


def test_long_and_blank_and_turned_texts_stay_in_their_place(visit, member, tessera):
    for question in ("W" * 200, "   ", "Is \u202ethis turned?"):
        new_market(tessera, member, question)
    page = visit("markets", wallet=member)
    page.says("(no question)")
    page.says("Is [U+202E]this turned?")
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.picture("texts-of-strangers")


def test_a_node_that_is_away_at_the_start_is_said_to_be(browser, address):
    tab = browser.new_page()
    tab.route("**/rpc", lambda route: route.abort())
    for path in ("markets", "tickets", "leaderboard"):
        tab.goto(f"{address}#/{path}")
        tab.locator("main").get_by_text("The node does not answer.").first.wait_for()
        for claim in ("There is no market yet.", "Nobody has played yet.", "No event runs now."):
            assert tab.get_by_text(claim).count() == 0
    tab.unroute("**/rpc")
    tab.goto(f"{address}#/markets")
    tab.locator(".card").first.wait_for()
    tab.close()
