"""The page tells the same story from logs and from the event index."""

import re
from threading import Thread

import pytest
import uvicorn
from web3 import HTTPProvider, Web3

from scripts import web
from tessera.chain import Outcome
from tessera.index.api import app_of
from tessera.index.index import Index
from tessera.index.syncer import Syncer
from tests.e2e.conftest import joined
from tests.e2e.play import bet, new_market

CLOCKS = r"\d+\s(d|h|min|s)\b"


@pytest.fixture
def indexed(deployment, built, tessera, url, tmp_path):
    """The address of a page that is told of an index."""
    index = Index(f"sqlite:///{tmp_path / 'index.db'}", Web3(HTTPProvider(url)), tessera.deployment)
    server = uvicorn.Server(uvicorn.Config(app_of(index, Syncer(index, 0.2)), port=0, log_level="warning"))
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    with web.serving({**deployment, "indexUrl": f"http://127.0.0.1:{port}"}, 0) as address:
        yield address
    server.should_exit = True
    thread.join()


def test_an_index_that_is_down_is_no_empty_history(visit, deployment, built, member):
    with web.serving({**deployment, "indexUrl": "http://127.0.0.1:1"}, 0) as address:
        page = visit("portfolio", wallet=member, at=address)
        page.press("Withdraw 50.00 EUR", "It is in your wallet.")  # leaving does not need it
        page.says("The event index does not answer.")
        assert page.tab.get_by_text("Nothing has moved yet.").count() == 0
        assert page.tab.get_by_text("You have no bets yet.").count() == 0
        page.go("tickets")
        page.says("The event index does not answer.")
        assert page.tab.get_by_text("No week is closed yet.").count() == 0


def test_logs_and_index_tell_the_same(visit, indexed, member, new_person, tessera):
    bettor = joined(new_person(), tessera)
    market = new_market(tessera, member, "The same story?")
    bet(tessera, bettor, market, Outcome.NO)
    pages = [visit(wallet=bettor), visit(wallet=bettor, at=indexed)]
    for path, telling in (
        ("markets", "The same story?"),
        (f"markets/{market}", "on average"),
        ("tickets", "Does the bill pass?"),
        ("portfolio", f"bet, market {market}"),
        ("leaderboard", "Brier"),
    ):
        for page in pages:
            page.go(path)
            page.says(telling)
            page.quiet()
        # The index follows the chain: for a moment it tells of the block before.
        for _ in range(60):
            told = [re.sub(CLOCKS, "", page.tab.locator("main").text_content()) for page in pages]
            if told[0] == told[1]:
                break
            pages[0].tab.wait_for_timeout(500)
        assert told[0] == told[1], path
    requests = pages[1].tab.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert any("/accounts/" in request for request in requests)
