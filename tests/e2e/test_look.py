"""Every page fits a phone and a desk, light and dark, is usable by keyboard and screen reader, and is small."""

import gzip
import re

import pytest

from tessera.local.page import DIST, WEB
from tests.e2e.conftest import DESK, PHONE

AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ("markets", "markets/1", "markets/new", "hosted", "tickets", "portfolio", "leaderboard")
# Bytes, gzipped. Nobody loads all at once: the second bound keeps out what comes in by mistake, 10 kB or more.
MOST_SCRIPT, MOST_IN_ALL = 200_000, 270_000


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_every_page_fits_and_axe_finds_nothing_serious(visit, member, size):
    page = visit(wallet=member, size=size, reduced_motion="reduce")
    for path in PAGES:
        page.go(path)
        page.quiet()
        for details in page.tab.locator("main details").all():
            details.evaluate("(element) => (element.open = true)")
        width = page.tab.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"], f"{path} is {width} px wide"
        page.tab.add_script_tag(path=AXE)
        for scheme in ("light", "dark"):
            page.tab.emulate_media(color_scheme=scheme)
            page.picture(f"{path.replace('/', '-')}-{scheme}")
            assert grave(page, "document") == [], f"{path}, {scheme}"


def test_the_wallet_dialog_is_accessible(visit):
    page = visit(bypass_csp=True)  # the test brings a script of its own
    page.button("Start").click()
    page.tab.add_script_tag(path=AXE)
    assert grave(page, "'dialog'") == []


def grave(page, part: str) -> list:
    """What axe finds serious in a part of the page, and where."""
    found = page.tab.evaluate(f"axe.run({part}).then((found) => found.violations)")
    serious = (one for one in found if one["impact"] in ("serious", "critical"))
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious]


def test_a_bet_by_keyboard_alone(visit, member, tessera):
    page = visit("markets/2", wallet=member)
    page.tab.reload()  # the page knows the wallet, and nothing has the focus
    page.button("Bet 1.00 EUR on NO").and_(page.tab.locator("[aria-disabled=false]")).wait_for()
    press = page.tab.keyboard.press
    press("Tab")
    assert page.tab.evaluate("document.activeElement.textContent.trim()") == "To the content"
    press("Enter")
    assert page.tab.evaluate("document.activeElement.id") == "main"
    for _ in range(12):
        press("Tab")
        if page.button("Bet 1.00 EUR on NO").evaluate("(button) => button === document.activeElement"):
            break
    press("Enter")
    page.says("Your bet is placed.")
    assert tessera.escrow.balance_of(member.address) == 49_000_000


@pytest.mark.parametrize("path", ["markets", "portfolio", "tickets"])
def test_a_page_that_nothing_happens_on_asks_for_no_more_than_blocks(visit, member, path):
    """A public node counts requests. What is read at first, and all of it each minute, takes a slow machine a while."""
    page, asked = visit(path, wallet=member), []
    page.tab.on("request", lambda sent: asked.append(sent.post_data or ""))
    counts = []
    for _ in range(8):
        asked.clear()
        page.tab.wait_for_timeout(5_000)
        counts.append([sum(what in one for one in asked) for what in ("eth_getBlockByNumber", "eth_call")])
        blocks, calls = counts[-1]
        if blocks > 0 and calls <= 1:
            return
    pytest.fail(f"blocks and calls that were asked for in each 5 s: {counts}")


def test_script_is_small(built):
    """What a first visit loads, and with what only some ever need: key files, cameras, QR codes."""
    sizes = {file.name: len(gzip.compress(file.read_bytes())) for file in DIST.glob("assets/*.js")}
    first = set(re.findall(r"assets/([\w-]+\.js)", (DIST / "index.html").read_text()))
    assert first <= set(sizes)
    assert 0 < sum(sizes[name] for name in first) <= MOST_SCRIPT, sizes
    assert sum(sizes.values()) <= MOST_IN_ALL, sizes
