"""A club on phones: friends who have neither ether nor a wallet come in by a link, and play on 360 pixels."""

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import segno
from eth_account import Account

from scripts import devnet
from tessera.chain import EUR, WAD, Outcome, Wallet
from tessera.chain.embedded import known_account
from tessera.chain.lmsr_markets import BetPlaced, MarketCreated
from tessera.local.chain import DAY, HOUR
from tessera.local.page import DIST
from tests.chromium import FLAGS
from tests.e2e.conftest import PATIENCE, PHONE, ROOT, Visit, joined, own_key
from tests.e2e.play import bet, new_market
from tests.e2e.test_load import MOST_SHIFT, SHIFTS
from tests.e2e.test_look import AXE, grave
from tests.postgres import PROGRAMS, cluster
from tests.processes import READY_SECONDS

if TYPE_CHECKING:
    from playwright.sync_api import Response

NODE, OTHER_NODE = 19, 18  # of clubs; no other test acts with these accounts
BLOCK_SECONDS = 2
GWEI = 10**9
MOST_TAPS = 5
SLOWER = 4  # times, than this machine: a phone's processor
NAMES = ("Ada", "Ben", "Cem", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jo", "Kim", "Lea")
PHONE_OPTIONS = {"has_touch": True, "is_mobile": True, "device_scale_factor": 2}


@dataclass
class Club:
    """A club's node, and its settings."""

    address: str
    config: Path
    process: subprocess.Popen | None = None

    def start(self) -> None:
        """`tessera club serve` in a process of its own, once it answers."""
        log = self.config.with_name("log")
        with log.open("a") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tessera.cli", "club", "serve", "--config", str(self.config)],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        for _ in range(READY_SECONDS * 4):
            assert self.process.poll() is None, log.read_text()
            try:
                with urlopen(f"http://localhost:{urlsplit(self.address).port}/club"):
                    return
            except (URLError, ConnectionError):
                time.sleep(0.25)
        raise AssertionError(log.read_text())

    def stop(self) -> None:
        """Ends the process, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=READY_SECONDS)

    def links(self, count: int) -> list[str]:
        """New invitations, as the owner makes them."""
        made = self.run("--json", "club", "invite", "--config", str(self.config), "--count", str(count))
        return [one["link"] for one in json.loads(made)["invitations"]]

    @staticmethod
    def run(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "tessera.cli", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout


@pytest.fixture(scope="module")
def club(url, folder, built, tessera, local, tmp_path_factory) -> Iterator[Club]:
    """The devnet with a block every two seconds, and a club's node on it."""
    ask = tessera.web3.provider.make_request
    for node in (known_account(NODE).address, known_account(OTHER_NODE).address):
        ask("anvil_setBalance", [node, hex(100 * 10**18)])
        tessera.play_euro.set_inviter(local.owner, node, True)
    ask("evm_setAutomine", [False])
    ask("evm_setIntervalMining", [BLOCK_SECONDS])
    try:
        with serving(url, folder, tmp_path_factory.mktemp("club")) as running:
            yield running
    finally:
        ask("evm_setIntervalMining", [0])
        ask("evm_setAutomine", [True])


@contextmanager
def serving(
    url: str,
    folder: Path,
    own: Path,
    *,
    node: int = NODE,
    settings: str = "",
    gas: str = "budget = 20",
    host: str = "localhost",
) -> Iterator[Club]:
    """A club's node that runs, with more settings than it needs; its files are in `own`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    club = Club(f"http://{host}:{port}", own / "club.toml")
    club.config.write_text(
        f"""
        name = "Friday club"
        url = "{club.address}"
        rpc = "{url}"
        record = "{folder / devnet.RECORD}"
        page = "{DIST}"
        listen = "127.0.0.1"
        port = {port}
        devnet_account = {node}
        every = 0.25
        {settings}
        [gas]
        own = 50
        {gas}
        """
    )
    try:
        club.start()
        yield club
    finally:
        club.stop()


@dataclass
class Friend:
    """Somebody with a phone, who counts the taps."""

    visit: Visit
    name: str
    taps: int = 0

    @property
    def tab(self):
        return self.visit.tab

    def tap(self, part):
        part.tap()
        self.taps += 1

    def button(self, name: str):
        return self.visit.button(name)

    def join(self):
        """From the open link to the first market: name, of age, in."""
        self.tap(self.tab.get_by_label("What are you called?"))
        self.tab.keyboard.type(self.name)
        self.tap(self.tab.get_by_role("checkbox", name="I am 18 or older"))
        self.tap(self.button("Join"))

    def arrive(self):
        """Waits until the invitation has been of use."""
        for _ in range(PATIENCE // 100):
            if self.tab.evaluate("localStorage['tessera.invitation'] === undefined"):
                return
            self.tab.wait_for_timeout(100)
        raise AssertionError(self.tab.locator("main").inner_text())

    def bet(self, side: str):
        """Presses once and says yes; the page does the rest."""
        ready = self.button(f"Bet 1.00 EUR on {side}").and_(self.tab.locator("[aria-disabled=false]"))
        ready.wait_for()
        self.tap(ready)
        self.tap(self.button(f"Yes: Bet 1.00 EUR on {side}"))

    def wallet(self, tessera) -> Wallet:
        return Wallet(tessera.web3, Account.from_key(own_key(self.visit)))


def invited(visit, club: Club, name: str, link: str, **options) -> Friend:
    return Friend(visit(link=link, at=f"{club.address}/", **{**PHONE_OPTIONS, **options}), name)


def bets_on(tessera, market: int) -> list[BetPlaced]:
    """The bets on a market, in the chain's order."""
    return [row for row in tessera.log_reader().read() if isinstance(row, BetPlaced) and row.market_id == market]


@pytest.fixture
def creator(new_person, tessera) -> Wallet:
    """Who opens markets, somebody new for each test: their 50 EUR are the seeds of five."""
    return joined(new_person(), tessera)


def test_from_a_link_to_the_first_bet_in_five_taps(visit, club, tessera, creator, capsys):
    market = new_market(tessera, creator, "Will the first bet be easy?", p0=WAD * 40 // 100)
    page = visit(at=f"{club.address}/", link=f"{club.address}/", **PHONE_OPTIONS)  # what a browser knows of chat links
    slow = page.tab.context.new_cdp_session(page.tab)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    started = time.monotonic()
    page.tab.goto(club.links(1)[0])
    friend = Friend(page, "Zoë")
    friend.join()
    page.says("Will the first bet be easy?")
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    friend.bet("YES")
    page.says("Your bet is placed.")
    seconds = time.monotonic() - started
    with capsys.disabled():
        sys.stdout.write(
            f"\nfrom the link to the first bet: {friend.taps} taps, {seconds:.1f} s, {SLOWER} times slower\n"
        )
    assert friend.taps <= MOST_TAPS
    me = friend.wallet(tessera)
    assert tessera.markets.position(market, me.address).staked[Outcome.YES] == EUR
    assert tessera.escrow.balance_of(me.address) == 49 * EUR
    assert page.button("Zoë").is_visible()  # the name, not the address
    assert page.tab.url == f"{club.address}/#/markets/{market}"  # the code is gone from the address
    page.picture("club-1-first-bet")


def test_everything_of_an_account_survives_a_reload_and_goes_to_another_phone(visit, club, tessera, tmp_path):
    friend = invited(visit, club, "Mia", club.links(1)[0])
    friend.join()
    friend.arrive()
    page = friend.visit
    page.tab.goto(f"{club.address}/#/markets/new")
    page.tab.get_by_label("Question").fill("Half typed?")
    page.tab.get_by_label("Referee").fill("mia")
    page.says("Mia, 0x")
    page.tab.reload()
    friend.button("Mia").wait_for()
    assert page.tab.get_by_label("Question").input_value() == "Half typed?"
    account = own_key(page)

    page.tab.goto(f"{club.address}/#/foryou")
    page.tab.get_by_text("Keep your account").tap()
    page.tab.locator("h1", has_text="Mia").wait_for()
    page.tab.get_by_label("Passphrase of the file", exact=True).fill("four words of mine")
    page.tab.get_by_label("Passphrase of the file, once more").fill("four words of mien")
    page.button("Save the key file").tap()
    page.says("You typed two different ones.")
    page.tab.get_by_label("Passphrase of the file, once more").fill("four words of mine")
    with page.tab.expect_download() as saved:
        page.button("Save the key file").tap()
    page.says(f"Look for {saved.value.suggested_filename}")
    assert page.tab.get_by_text("It is in this browser alone.").is_visible()  # until the person has seen the file
    page.button("It is there").tap()
    page.tab.get_by_text("It is in this browser alone.").wait_for(state="detached")
    file = json.loads(Path(saved.value.path()).read_text())
    assert Account.decrypt(file, "four words of mine").hex() == account.removeprefix("0x")  # any wallet can
    page.button("Show the code to scan").tap()
    page.tab.locator("img.qr").wait_for()
    page.picture("club-2-account")
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.button("It is scanned: show what opens it").tap()
    assert re.fullmatch(r"[0-9A-Z]{5}-[0-9A-Z]{5}", page.tab.locator(".code").inner_text())
    assert page.tab.locator("img.qr").count() == 0  # never both on one picture
    page.button("Done").tap()

    (tmp_path / "key.json").write_text(json.dumps(file))
    other = visit("account", at=f"{club.address}/", **PHONE_OPTIONS)
    other.tab.get_by_label("Key file").set_input_files(tmp_path / "key.json")
    other.tab.get_by_label("Its passphrase").fill("four words of mine")
    other.button("Bring my account here").tap()
    other.button("Mia").wait_for()
    assert own_key(other) == account

    # A phone that was borrowed is nobody to the node when the account is gone from it.
    other.tab.get_by_text("Remove it from this browser").tap()
    other.tab.get_by_label("I have a copy").check()
    with other.tab.expect_response(lambda answer: answer.request.method == "DELETE") as ended:
        other.button("Remove it").tap()
    assert ended.value.status == 204
    assert other.tab.evaluate("fetch('/club/session').then(({ status }) => status)") == 401


def test_a_locked_account_asks_for_its_passphrase_when_something_is_sent(visit, club, tessera, creator):
    new_market(tessera, creator, "Locked?")
    friend = invited(visit, club, "Lio", club.links(1)[0])
    friend.join()
    friend.arrive()
    page, helpers = friend.visit, []
    page.tab.on("worker", lambda helper: helpers.append(helper.url))
    page.tab.goto(f"{club.address}/#/account")
    page.tab.get_by_text("Lock it with a passphrase").tap()
    page.tab.get_by_label("Passphrase", exact=True).fill("secret words")
    page.tab.get_by_label("Passphrase, once more").fill("secret words")
    page.button("Lock it").tap()
    page.says("It is under your passphrase now.")
    stored = page.tab.evaluate("localStorage['tessera.account']")
    assert "key" not in json.loads(stored)
    page.tab.reload()
    page.tab.goto(f"{club.address}/#/markets")
    page.tab.get_by_text("Locked?").first.tap()
    friend.bet("NO")
    page.tab.get_by_label("It opens your account").fill("other words")
    page.button("Open it").tap()
    page.says("This passphrase does not open it.")
    page.tab.get_by_label("It opens your account").fill("secret words")
    page.button("Open it").tap()
    page.says("Your bet is placed.")
    assert len(helpers) == 3  # what a passphrase takes of the processor halts no page: locking, two tries


@contextmanager
def camera_phone(browser, film):
    """A tab of another phone whose camera sees a film, y4m."""
    camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    arguments = [*FLAGS, *camera, f"--use-file-for-fake-video-capture={film}"]
    with browser.browser_type.launch(executable_path=shutil.which("chromium"), args=arguments) as other:
        tab = other.new_context(viewport=PHONE, **PHONE_OPTIONS).new_page()
        tab.set_default_timeout(PATIENCE)
        yield tab


def test_another_phone_scans_the_account_with_the_pages_own_camera(visit, club, tmp_path, browser):
    friend = invited(visit, club, "Pia", club.links(1)[0])
    friend.join()
    friend.arrive()
    page = friend.visit
    page.tab.goto(f"{club.address}/#/account")
    page.button("Show the code to scan").tap()
    page.tab.locator("img.qr").wait_for()
    film = tmp_path / "screen.y4m"
    film.write_bytes(film_of(b64decode(page.tab.evaluate(SCREEN))))
    page.button("It is scanned: show what opens it").tap()
    code = page.tab.locator(".code").inner_text()
    with camera_phone(browser, film) as tab:
        tab.goto(f"{club.address}/#/account")
        tab.get_by_role("button", name="Scan the code of my other phone").tap()
        tab.get_by_label("The code that the other phone shows now").fill(code.lower().replace("-", " "))
        tab.get_by_role("button", name="Bring my account here").tap()
        tab.get_by_role("button", name="Pia", exact=True).wait_for()
        assert own_key(Visit(tab, club.address)) == own_key(page)


# What a camera in front of the screen sees: the brightness of 1280 x 720 points, as letters of base 64.
WIDE, HIGH = 1280, 720
SCREEN = """() => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [1280, 720];
  const paint = canvas.getContext("2d");
  paint.fillStyle = "white";
  paint.fillRect(0, 0, 1280, 720);
  paint.drawImage(document.querySelector("img.qr"), 300, 20, 680, 680);
  const { data } = paint.getImageData(0, 0, 1280, 720);
  let text = "";
  for (let at = 0; at < data.length; at += 4) text += String.fromCharCode(data[at]);
  return btoa(text);
}"""


def test_a_camera_that_saw_an_invitation_says_so_and_looks_again(club, tmp_path, browser):
    """Codes of invitations lie about when phones are set up, and are no accounts."""
    film = tmp_path / "link.y4m"
    film.write_bytes(film_of(drawn(club.links(1)[0])))
    with camera_phone(browser, film) as tab:
        tab.goto(f"{club.address}/#/account")
        tab.get_by_role("button", name="Scan the code of my other phone").tap()
        tab.get_by_text("This is not the code of an account.").wait_for()
        tab.get_by_role("button", name="Scan the code of my other phone").tap()
        tab.get_by_role("button", name="Stop the camera").wait_for()


def drawn(text: str) -> bytes:
    """A QR code in the middle of a screen, as the brightness of its points."""
    rows = [bytes(0 if dark else 255 for dark in row) for row in segno.make(text, micro=False).matrix_iter(scale=12)]
    side = (WIDE - len(rows[0])) // 2
    white = [bytes([255]) * WIDE] * ((HIGH - len(rows)) // 2)
    wide = [bytes([255]) * side + row + bytes([255]) * (WIDE - side - len(row)) for row in rows]
    return b"".join([*white, *wide, *white, *white[:1]])[: WIDE * HIGH]


def film_of(screen: bytes) -> bytes:
    """A film of one picture, grey, as Chromium's camera of tests plays it."""
    frame = b"FRAME\n" + screen + bytes([128]) * (WIDE * HIGH // 2)
    return f"YUV4MPEG2 W{WIDE} H{HIGH} F10:1 Ip C420jpeg\n".encode() + frame * 2


def test_a_passkey_opens_the_account(visit, club, tessera, creator):
    new_market(tessera, creator, "By passkey?")
    friend = invited(visit, club, "Uli", club.links(1)[0])
    device = friend.tab.context.new_cdp_session(friend.tab)
    device.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal", "hasResidentKey": True}
    options |= {"hasUserVerification": True, "isUserVerified": True, "hasPrf": True}
    device.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, "automaticPresenceSimulation": True}})
    friend.join()
    friend.arrive()
    page = friend.visit
    page.tab.goto(f"{club.address}/#/account")
    page.button("Lock it with this device").tap()
    page.says("It is under your passkey now.")
    stored = json.loads(page.tab.evaluate("localStorage['tessera.account']"))
    assert "key" not in stored
    page.tab.goto(f"{club.address}/#/markets")
    page.tab.reload()  # what was opened is forgotten
    page.tab.get_by_text("By passkey?").first.tap()
    friend.bet("YES")
    page.says("Your bet is placed.")


# Whether the page has loaded what makes keys.
CAN_SIGN = """async () => {
  const part = performance.getEntriesByType("resource").find(({ name }) => name.includes("/signing-"));
  return part !== undefined && (await import(part.name)) !== undefined;
}"""


def test_the_page_waits_for_its_node_opens_without_it_and_takes_another_one(
    visit, url, folder, club, tessera, creator, tmp_path
):
    market = new_market(tessera, creator, "Without the club?")
    with serving(url, folder, tmp_path, node=OTHER_NODE) as away:
        link, late_link = away.links(2)
        # Other nodes are behind https, but for the test's, which the page's policy would not let it ask.
        friend = invited(visit, away, "Eva", link, bypass_csp=True)
        friend.join()
        friend.arrive()
        page = friend.visit
        page.tab.reload()  # the browser has kept the page by now
        page.button("Eva").wait_for()
        page.tab.goto(f"{away.address}/#/markets/new")
        page.tab.get_by_label("Question").fill("Half typed?")
        page.tab.goto(f"{away.address}/#/markets/{market}")
        page.button("Bet 1.00 EUR on YES").and_(page.tab.locator("[aria-disabled=false]")).wait_for()
        late = invited(visit, away, "Ida", late_link)
        while not late.tab.evaluate(CAN_SIGN):
            late.tab.wait_for_timeout(100)

        away.stop()
        page.says("The node does not answer.")
        friend.bet("YES")
        page.says("your bet is sent when it does")
        late.join()
        late.visit.says("it goes on when it does")
        page.picture("club-4-away")
        away.start()
        page.says("Your bet is placed.")
        late.arrive()
        page.tab.get_by_text("The node does not answer.").wait_for(state="detached")
        assert [bet.account for bet in bets_on(tessera, market)] == [friend.wallet(tessera).address]
        page.tab.goto(f"{away.address}/#/markets/new")
        assert page.tab.get_by_label("Question").input_value() == "Half typed?"
    page.tab.goto(f"{away.address}/#/markets/{market}")
    page.tab.reload()
    page.says("The node does not answer.")
    page.tab.get_by_text("Another node").first.tap()
    page.tab.get_by_label("Address of a node").fill(url)
    page.button("Use this node").tap()
    page.says("Without the club?")
    friend.bet("NO")
    page.says("Your bet is placed.")


def test_a_friend_with_a_wallet_of_their_own_is_told_when_the_bet_is_in(visit, club, tessera, creator, new_person):
    """A block comes every two seconds, so the wallet's transaction is not in one when the page first looks."""
    market = new_market(tessera, creator, "With a wallet?")
    person = joined(new_person(), tessera)
    page = visit(f"markets/{market}", at=f"{club.address}/", wallet=person)
    page.button("Bet 1.00 EUR on YES").and_(page.tab.locator("[aria-disabled=false]")).click()
    page.says("Your bet is placed.")
    assert len(bets_on(tessera, market)) == 1


def test_a_tab_that_nobody_looks_at_holds_up_no_bet_of_another_one(visit, club, tessera, creator):
    """Each link in a chat opens a tab of its own, and the browser lets those behind it sleep."""
    first, second = (new_market(tessera, creator, question) for question in ("Behind?", "In front?"))
    friend = invited(visit, club, "Noa", club.links(1)[0])
    friend.join()
    friend.arrive()
    friend.tab.goto(f"{club.address}/#/markets/{first}")
    other = Friend(Visit(friend.tab.context.new_page(), club.address), "Noa")
    other.tab.goto(f"{club.address}/#/markets/{second}")
    other.button("Bet 1.00 EUR on NO").and_(other.tab.locator("[aria-disabled=false]")).wait_for()
    with friend.tab.expect_request(lambda asked: "eth_sendRawTransaction" in (asked.post_data or "")):
        friend.bet("YES")
    friend.tab.evaluate("Object.defineProperty(document, 'hidden', { get: () => true, configurable: true })")
    other.bet("NO")
    other.visit.says("Your bet is placed.")
    friend.tab.evaluate(
        "delete document.hidden || document.dispatchEvent(new Event('visibilitychange'));"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    friend.visit.says("Your bet is placed.")
    assert [len(bets_on(tessera, market)) for market in (first, second)] == [1, 1]


def test_whoever_says_yes_to_odds_gets_those_or_none(visit, club, tessera, creator, new_person):
    """Somebody bets between the question and the yes to it, and the page behind the question has the new odds."""
    market = new_market(tessera, creator, "At these odds?")
    faster = joined(new_person(), tessera)
    friend = invited(visit, club, "Odo", club.links(1)[0])
    friend.join()
    friend.arrive()
    friend.tab.goto(f"{club.address}/#/markets/{market}")
    friend.button("Bet 1.00 EUR on YES").and_(friend.tab.locator("[aria-disabled=false]")).tap()
    asked = friend.tab.locator("dialog[open] p").inner_text().replace("\xa0", " ")
    assert "If YES wins, it pays at least 1.93 EUR." in asked
    bet(tessera, faster, market, Outcome.YES)
    friend.tab.locator(".bet.yes .price strong", has_text="50.0").first.wait_for(state="detached")
    assert friend.tab.locator("dialog[open] p").inner_text().replace("\xa0", " ") == asked
    friend.button("Yes: Bet 1.00 EUR on YES").tap()
    friend.visit.says("The price has moved while you waited. Nothing was sent: look at the new odds.")
    assert [row.account for row in bets_on(tessera, market)] == [faster.address]


def test_a_market_is_opened_once_though_the_page_was_loaded_anew_while_it_was_sent(visit, club, tessera):
    """The words are there again after the reload, and so is the button: the seed of 10 EUR is put in once."""
    friend = invited(visit, club, "Una", club.links(1)[0])
    friend.join()
    friend.arrive()
    tab, opens = friend.tab, "Open the market with 10.00 EUR"
    tab.goto(f"{club.address}/#/markets/new")
    tab.get_by_label("Question").fill("Sent twice?")
    ready = friend.button(opens).and_(tab.locator("[aria-disabled=false]"))
    ready.wait_for()
    with tab.expect_request(lambda asked: "eth_sendRawTransaction" in (asked.post_data or "")):
        ready.tap()
    tab.reload()
    assert tab.get_by_label("Question").input_value() == "Sent twice?"
    ready.tap()
    # It is waited for, or it is there already; the page says of it what it says last.
    said = re.compile("You have opened market|The market is open|What you sent before is done")
    tab.get_by_text(said).first.wait_for()
    tab.wait_for_timeout(2 * BLOCK_SECONDS * 1_000)
    assert tessera.escrow.balance_of(friend.wallet(tessera).address) == 40 * EUR


def test_by_plain_http_in_a_local_network_an_account_can_be_locked_copied_and_shared(
    url, folder, club, tessera, creator, tmp_path, browser
):
    """As `make club` serves phones: neither UUIDs nor the clipboard, which browsers keep for encrypted pages."""
    host = "--host-resolver-rules=MAP club.test 127.0.0.1"
    with (
        serving(url, folder, tmp_path, node=OTHER_NODE, host="club.test") as plain,
        browser.browser_type.launch(executable_path=shutil.which("chromium"), args=[*FLAGS, host]) as other,
    ):
        tab = other.new_context(viewport=PHONE, **PHONE_OPTIONS).new_page()
        tab.set_default_timeout(PATIENCE)
        page = Visit(tab, plain.address)
        tab.goto(plain.links(1)[0])
        assert not tab.evaluate("window.isSecureContext")
        friend = Friend(page, "Lan")
        friend.join()
        friend.arrive()
        tab.goto(f"{plain.address}/#/account")
        for label in ("Passphrase of the file", "Passphrase of the file, once more"):
            tab.get_by_label(label, exact=True).fill("four words of mine")
        with tab.expect_download() as saved:
            page.button("Save the key file").tap()
        file = json.loads(Path(saved.value.path()).read_text())
        assert Account.decrypt(file, "four words of mine").hex() == own_key(page).removeprefix("0x")
        market = new_market(tessera, creator, "Sent on?")
        tab.goto(f"{plain.address}/#/markets/{market}")
        page.button("Share").tap()
        page.says(f"Copy this link: {plain.address}/m/{market}")


class BaseFee:
    """Keeps the chain's base fee where a test wants it, block after block."""

    def __init__(self, tessera):
        self._ask, self._stopped = tessera.web3.provider.make_request, Event()
        self.gwei: float = 1
        self._thread = Thread(target=self._keep)

    def __enter__(self) -> "BaseFee":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stopped.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._stopped.wait(0.25):
            self._ask("anvil_setNextBlockBaseFeePerGas", [hex(int(self.gwei * GWEI))])


def gifts(tessera, node: str, first: int) -> dict[str, int]:
    """What a node has given to whom since a block, by the chain."""
    given: dict[str, int] = {}
    for number in range(first, tessera.web3.eth.block_number + 1):
        for transaction in tessera.web3.eth.get_block(number, full_transactions=True)["transactions"]:
            if transaction["from"] == node and transaction["value"]:
                given[transaction["to"]] = given.get(transaction["to"], 0) + transaction["value"]
    return given


@pytest.mark.campaign
def test_where_fees_rise_tenfold_phones_bet_on_and_are_told_what_they_wait_for(
    visit, url, folder, club, tessera, creator, tmp_path
):
    """A friend has gas money for bets at the tenfold fee, and is told when more is too dear or the day's is used up.

    The club gives no more than its budget, and who runs it is told."""
    market = new_market(tessera, creator, "As dear as gas?")
    budget, node = 21 * 10**15, known_account(OTHER_NODE).address
    set_balance = "anvil_setBalance"
    with Mailbox() as mailbox, BaseFee(tessera) as fee:
        first = tessera.web3.eth.block_number + 1
        (tmp_path / "services").write_text(f"json://127.0.0.1:{mailbox.port}/\n")
        gas = f"budget = {budget / 10**18}\nmembers = 2\nmax_price = 6"
        with serving(url, folder, tmp_path, node=OTHER_NODE, settings='messages_file = "services"', gas=gas) as own:
            friend = invited(visit, own, "Ulf", own.links(1)[0])
            friend.join()
            friend.arrive()
            page, account = friend.visit, friend.wallet(tessera).address
            page.tab.goto(f"{own.address}/#/markets/{market}")
            fee.gwei = 10
            friend.bet("YES")
            page.says("Your bet is placed.")

            tessera.web3.provider.make_request(set_balance, [account, hex(GWEI)])  # after many more
            before = gifts(tessera, node, first)
            friend.bet("YES")
            page.says("The network is dear just now. Gas money comes when the price has fallen.")
            mailbox.wait_for("The network is dear just now.")
            assert gifts(tessera, node, first) == before
            page.picture("club-5-dear")
            fee.gwei = 4
            page.says("Your bet is placed.")

            tessera.web3.provider.make_request(set_balance, [account, hex(GWEI)])
            friend.bet("YES")
            page.says("You have used today's gas money. More comes after midnight UTC.")
            page.button("Call it off").tap()
            page.says("You called it off. Nothing was sent.")
            given = gifts(tessera, node, first)
            assert before[account] < given[account] <= budget // 2
            assert sum(given.values()) <= budget
    assert len(bets_on(tessera, market)) == 2


class Mailbox:
    """A service that messages are posted to."""

    def __init__(self):
        self.texts: list[str] = []
        mailbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                mailbox.texts.append(json.loads(body)["message"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port

    def __enter__(self) -> "Mailbox":
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, text: str) -> None:
        """Waits until somebody has written this."""
        ends = time.monotonic() + PATIENCE / 1_000
        while not any(text in written for written in self.texts):
            assert time.monotonic() < ends, self.texts
            time.sleep(0.2)


def test_a_window_of_a_chat_app_is_left_before_a_key_is_made(visit, club):
    agent = (
        "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 Version/4.0 Chrome/120 Mobile Safari/537.36"
    )
    page = visit(link=club.links(1)[0], at=f"{club.address}/", user_agent=agent, **PHONE_OPTIONS)
    page.says("This is a window of another app.")
    assert page.tab.evaluate("localStorage['tessera.account']") is None


def test_every_page_of_a_club_fits_and_axe_finds_nothing_serious(visit, club):
    page = visit(
        at=f"{club.address}/", bypass_csp=True, reduced_motion="reduce", link=club.links(1)[0], **PHONE_OPTIONS
    )
    page.tab.add_script_tag(path=AXE)
    assert grave(page, "document") == []
    # What is said in it is heard only where a screen reader knew it before.
    assert page.tab.locator(".notice").evaluate("(region) => getComputedStyle(region).display") != "none"
    friend = Friend(page, "Nea")
    friend.join()
    friend.arrive()
    page.tab.context.add_init_script(SHIFTS)
    for path in ("join", "foryou", "account", "markets", "markets/new"):
        page.tab.goto(f"{club.address}/#/{path}")
        page.tab.reload()
        page.tab.locator("h1").wait_for()
        page.quiet()
        page.tab.wait_for_timeout(1_000)
        shifted = page.tab.evaluate("window.shifted")
        assert shifted < MOST_SHIFT, f"{path}: {shifted}"
        page.tab.add_script_tag(path=AXE)
        for details in page.tab.locator("main details").all():
            details.evaluate("(element) => (element.open = true)")
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
        assert grave(page, "document") == [], path


ON_POSTGRESQL = [
    pytest.mark.campaign,
    pytest.mark.postgres,
    pytest.mark.skipif(not PROGRAMS, reason="no PostgreSQL here (Debian: apt-get install postgresql)"),
]


@pytest.fixture
def club_on(club, url, folder, tmp_path) -> Callable[[str], AbstractContextManager[Club]]:
    """`club_on(database)`: the club with a node on it; on PostgreSQL a node of its own with a new database."""

    @contextmanager
    def on(database: str) -> Iterator[Club]:
        if database == "SQLite":
            yield club
            return
        with cluster("-c fsync=off") as running:
            new = running.database().replace("postgresql://", "postgresql+psycopg://")
            settings = f'database = "{new}"\nindex = "{new}"'
            with serving(url, folder, tmp_path, node=OTHER_NODE, settings=settings) as other:
                yield other

    return on


@pytest.mark.parametrize(
    ("friends", "database"),
    [
        pytest.param(4, "SQLite", id="four"),
        pytest.param(12, "SQLite", id="twelve", marks=pytest.mark.campaign),
        pytest.param(12, "PostgreSQL", id="twelve on PostgreSQL", marks=ON_POSTGRESQL),
    ],
)
def test_friends_play_a_whole_market_from_links_to_paid_winnings(
    visit, club_on, tessera, local, friends, database, capsys
):
    """After a goal all bet at once: everybody presses once, and the bets come in the order of their turns."""
    with club_on(database) as club:
        seconds = play(visit, club, tessera, local, [f"{name} {database[0]}{friends}" for name in NAMES[:friends]])
    with capsys.disabled():
        sys.stdout.write(f"\n{friends - 1} bets after a goal, on {database}: {seconds} s from the first to the last\n")


def play(visit, club: Club, tessera, local, names: list[str]) -> int:
    """A market of friends who come by links; the seconds between the first and the last bet, by the chain."""
    # Twelve screens that are painted by this machine's processor need not be as fine as phones'.
    plain = {"device_scale_factor": 1, "reduced_motion": "reduce"}
    people = [
        invited(visit, club, name, link, **plain) for name, link in zip(names, club.links(len(names)), strict=True)
    ]
    for friend in people:
        friend.join()
    for friend in people:
        friend.arrive()
    creator, *bettors = people
    creator.tab.goto(f"{club.address}/#/markets/new")
    creator.tab.get_by_label("Question").fill("Does our team win?")
    creator.button("Open the market with 10.00 EUR").and_(creator.tab.locator("[aria-disabled=false]")).tap()
    creator.tab.get_by_role("heading", name="Does our team win?").wait_for()
    market = max(row.market_id for row in tessera.log_reader().read() if isinstance(row, MarketCreated))

    for friend in bettors:
        friend.tab.goto(f"{club.address}/#/markets/{market}")
        friend.tab.get_by_label("If others come first, I bet").select_option("if it pays at most half less")
        friend.button("Bet 1.00 EUR on YES").and_(friend.tab.locator("[aria-disabled=false]")).wait_for()
        assert friend.tab.get_by_role("button", name=creator.name).first.is_visible()  # names instead of addresses
    turns: dict[str, Response] = {}  # the first that each was given
    for friend in bettors:
        friend.tab.on("response", lambda answer, name=friend.name: note_turn(turns, name, answer))
        friend.taps = 0
    for friend in bettors:  # the goal
        friend.bet("YES")
    for friend in bettors:  # whose turns come one after another
        friend.tab.get_by_text("Your balance: 49.00 EUR").wait_for(timeout=len(bettors) * PATIENCE)
        assert friend.taps == 2  # pressed once, and said yes
    by_account = {friend.wallet(tessera).address: friend for friend in bettors}
    bets = bets_on(tessera, market)
    order = [by_account[bet.account].name for bet in bets]
    given = {name: answer.json()["at"] for name, answer in turns.items()}
    assert order == sorted(given, key=given.__getitem__), given
    assert len(order) == len(bettors)
    creator.visit.picture("club-3-after-the-goal")

    local.let_pass(DAY + HOUR)
    creator.tab.goto(f"{club.address}/#/foryou")
    creator.tab.get_by_role("link", name="Does our team win?").tap()
    creator.tap(creator.button("Propose YES"))
    creator.tap(creator.button("Yes: Propose YES"))
    creator.visit.says("Proposed: YES")
    local.let_pass(DAY)
    # As a keeper does: nobody has to collect.
    tessera.markets.finalize(local.owner, market)
    tessera.markets.claim_many(local.owner, market, list(by_account))
    for account, friend in by_account.items():
        shares = tessera.escrow.balance_of(account)
        assert shares > 50 * EUR
        friend.tab.goto(f"{club.address}/#/portfolio")
        friend.visit.says(f"{shares // 10**4 / 100:.2f}")
    return bets[-1].timestamp - bets[0].timestamp


def note_turn(turns: dict[str, "Response"], name: str, answer: "Response") -> None:
    """Keeps a phone's first turn."""
    if answer.url.endswith("/club/turns") and answer.request.method == "POST" and answer.ok:
        turns.setdefault(name, answer)
