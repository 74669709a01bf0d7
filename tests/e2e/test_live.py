"""The Live tab against a running engine: open a session, play many bets, close; limits; an end without the engine."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from scripts import audit_stream, web
from tessera.chain import EUR, Wallet
from tessera.chain.micro_sessions import SessionClosed, SessionOpened, Stage
from tests.e2e.conftest import PHONE, Visit
from tests.e2e.test_hosted import fits
from tests.streams import LiveStream, free_port, live_stream

DEPOSIT, ACTIVATION = 20 * EUR, EUR // 2
WHOLE_MINUTE = 70_000  # ms: an open bet is settled within 15 s, and the machine may be slow


@pytest.fixture(scope="module")
def stream(tmp_path_factory) -> Iterator[LiveStream]:
    with live_stream(tmp_path_factory.mktemp("stream")) as stream:
        yield stream


@contextmanager
def page_of(stream: LiveStream, engines: str) -> Iterator[str]:
    """The page, which finds the stream's engines at these addresses."""
    record = stream.tessera.deployment
    deployment = {
        "chainId": record.chain_id,
        "rpcUrl": stream.node,
        "firstBlock": record.first_block,
        "addresses": record.addresses,
        "liveUrl": engines,
    }
    with web.serving(deployment, 0, node=stream.node) as address:
        yield address


@pytest.fixture(scope="module")
def site(built, stream) -> Iterator[str]:
    with page_of(stream, f"ws://127.0.0.1:{free_port()}/ws {stream.engine}") as address:  # nobody is at the first one
        yield address


def joined(visit, stream: LiveStream, site: str, name: str) -> tuple[Visit, Wallet]:
    """The Live tab of somebody new, who has joined."""
    wallet = stream.new_person(name)
    page = visit("live", wallet=wallet, at=site, node=stream.node, size=PHONE)
    page.press("Join and get 50.00 EUR", "Welcome.")
    return page, wallet


@pytest.fixture
def player(visit, stream, site):
    return partial(joined, visit, stream, site)


def open_session(page: Visit, most: int = 15) -> None:
    page.tab.get_by_label("Betting balance in EUR").fill("20")
    page.tab.get_by_label("Most that this session may lose").fill(str(most))
    page.says("Activation cost")
    page.press("Open a session for 20.50 EUR", "Your session is open.")


def bet(page: Visit, side: str = "yes", stake: str = "0.10") -> None:
    """Bets on the newest question, as a person would; the page waits for the receipt."""
    newest = page.tab.locator("li.card", has=page.tab.get_by_role("radio")).last
    card = page.tab.locator("li.card", has_text=newest.locator("strong").first.inner_text())  # a newer one may come
    card.get_by_role("radio", name=f"{side}:").check()
    field = card.get_by_label("Stake in EUR")
    if field.input_value() != stake:
        field.fill(stake)
    row = page.text(card.locator("dl"))
    assert "House edge" in row
    assert "5.0" in row  # per cent, which the stream's terms have
    card.get_by_role("button", name=f"Bet {stake} EUR on {side}").click()


def bets_of(page: Visit) -> int:
    """How many bets the session's newest state stands for: each state but the first adds one."""
    return page.tab.evaluate(
        "Object.keys(localStorage).filter((name) => name.startsWith('tessera.session.'))"
        ".map((name) => Number(JSON.parse(localStorage[name]).state.seq) - 1)[0]"
    )


def play(page: Visit, count: int) -> None:
    """So many bets, each once the one before has its receipt, at most twelve open at a time."""
    for number in range(count):
        for _ in range(3):  # a question may end while it is chosen
            if page.tab.get_by_role("table", name="Open bets").get_by_role("row").count() > 12:
                page.tab.wait_for_function(
                    "document.querySelectorAll('table[aria-label=\"Open bets\"] tbody tr').length < 6", timeout=60_000
                )
            bet(page, "yes" if number % 3 else "no")
            try:
                page.tab.wait_for_function(
                    "(wanted) => Object.keys(localStorage).some((name) => name.startsWith('tessera.session.') &&"
                    " Number(JSON.parse(localStorage[name]).state.seq) >= wanted)",
                    arg=number + 2,
                    timeout=4_000,
                )
                break
            except Exception:
                continue
    assert bets_of(page) >= count


def the_page_and_the_files_say_how_fair_it_was(page: Visit) -> None:
    page.tab.locator("summary", has_text="Fairness").click()
    taken = page.tab.locator("dl div", has_text="Bets taken, of all that were asked for").locator("dd")
    expect(taken).to_contain_text("%")
    page.tab.locator("summary", has_text="Fairness").scroll_into_view_if_needed()
    page.picture("live-fairness")
    files = page.tab.get_by_role("link", name="stream.json").get_attribute("href").removesuffix("stream.json")
    kept = page.tab.evaluate(
        "Object.keys(localStorage).filter((name) => name.startsWith('tessera.receipts.'))"
        ".flatMap((name) => JSON.parse(localStorage[name]))"
    )
    with NamedTemporaryFile("w") as file:
        file.writelines(json.dumps(item) + "\n" for item in kept)
        file.flush()
        assert len(kept) > 12
        assert audit_stream.main(files, file.name) == audit_stream.CLEAN


def a_session_from_its_beginning_to_its_end(player, stream, count: int) -> None:
    page, wallet = player(f"player of {count} bets")
    sessions, escrow = stream.tessera.sessions, stream.tessera.escrow
    open_session(page)
    assert escrow.balance_of(wallet.address) == 50 * EUR - DEPOSIT - ACTIVATION
    play(page, count)
    page.picture("live-playing")
    fits(page)
    button = page.tab.get_by_role("button", name="Close the session")
    expect(button).to_have_attribute("aria-disabled", "false", timeout=WHOLE_MINUTE)
    button.click()
    page.says("It is over.")
    page.picture("live-closed")
    the_page_and_the_files_say_how_fair_it_was(page)
    events = list(stream.tessera.log_reader().read())
    opened = [event for event in events if isinstance(event, SessionOpened) and event.player == wallet.address]
    assert len(opened) == 1
    [closed] = [event for event in events if isinstance(event, SessionClosed) and event.session == opened[0].session]
    assert sessions.session(opened[0].session).stage is Stage.CLOSED
    assert escrow.balance_of(wallet.address) == 50 * EUR - ACTIVATION + closed.net


def test_a_session_from_its_beginning_to_its_end(player, stream):
    a_session_from_its_beginning_to_its_end(player, stream, 12)


@pytest.mark.campaign
def test_a_hundred_bets(player, stream):
    a_session_from_its_beginning_to_its_end(player, stream, 100)


@pytest.mark.campaign
def test_a_session_goes_on_at_the_next_engine_when_its_own_is_killed(visit, built, tmp_path):
    with (
        live_stream(tmp_path) as stream,
        stream.next_engine() as following,
        page_of(stream, f"{stream.engine} {following}") as site,
    ):
        page, wallet = joined(visit, stream, site, "player on two engines")
        open_session(page, most=23)
        play(page, 2)
        page.tab.locator("summary", has_text="Top up").click()
        page.tab.get_by_label("More to bet with in EUR, up to 3.00").fill("3")
        page.press("Top up by 3.00 EUR", "more could never be bet")
        assert stream.tessera.escrow.balance_of(wallet.address) == 50 * EUR - DEPOSIT - ACTIVATION - 3 * EUR
        page.picture("live-topped-up")
        stream.stop_engine(signal.SIGKILL)
        bet(page)  # which no engine, or the next one, answers
        page.says(f"Connected to {urlsplit(following).netloc}.")
        play(page, 6)
        button = page.tab.get_by_role("button", name="Close the session")
        expect(button).to_have_attribute("aria-disabled", "false", timeout=WHOLE_MINUTE)
        button.click()
        page.says("It is over.")
        [closed] = [event for event in stream.tessera.log_reader().read() if isinstance(event, SessionClosed)]
        assert stream.tessera.escrow.balance_of(wallet.address) == 50 * EUR - ACTIVATION + closed.net


def test_limits_hold_and_a_session_ends_without_its_engine(player, stream):
    page, wallet = player("player who stops")
    sessions, escrow = stream.tessera.sessions, stream.tessera.escrow
    open_session(page)
    page.tab.get_by_label("Limit").select_option("stake")
    page.tab.get_by_label("At most, in EUR").fill("0")
    page.press("Set limit", "Your limit is kept.")
    row = page.tab.locator("dl div", has_text="One stake")
    expect(row).to_contain_text("0.00")
    bet(page)
    page.says("a limit that you have set (stake)")
    page.press("Remove it", "It ends in a day.")
    expect(row).to_contain_text("none from")  # and 0 until then
    expect(row).to_contain_text("0.00")
    page.picture("live-limits")

    page.tab.reload()  # all that an exit needs is in the browser
    page.says("Balance to bet with")
    stream.stop_engine()
    page.says("does not answer")
    page.tab.get_by_text("End it alone, without the engine").click()
    page.confirm("End it alone", "The exit has begun.")
    [opened] = [
        event
        for event in stream.tessera.log_reader().read()
        if isinstance(event, SessionOpened) and event.player == wallet.address
    ]
    assert sessions.session(opened.session).stage is Stage.EXITING
    web3 = stream.tessera.web3
    web3.provider.make_request("evm_increaseTime", [120])
    web3.provider.make_request("evm_mine", [])
    page.press("End the exit and be paid", "It is over.")
    assert escrow.balance_of(wallet.address) == 50 * EUR - ACTIVATION
    page.tab.get_by_text("Begin another").click()
    page.picture("live-without-engine")
