"""A browser, a devnet and the page on it. Each test acts with accounts of its own: the chain is everybody's."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Lock

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from web3 import HTTPProvider, Web3

from scripts import devnet, web
from tessera.chain import Deployment, Tessera, Wallet
from tessera.chain.embedded import known_account
from tessera.local.chain import UNITS, LocalChain
from tessera.local.newcomers import Newcomers
from tessera.local.page import build
from tests.integration.conftest import ROOT, running_devnet

PHONE, DESK = {"width": 360, "height": 780}, {"width": 1280, "height": 800}
PICTURES = ROOT / ".cache" / "e2e"
PATIENCE = 30_000  # ms: a poll of the chain is 2 s
WALLET = (Path(__file__).parent / "wallet.js").read_text()
PURSE = 1_000
FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def browser(url, browser):
    """Opened after the chain and so closed before it: anvil does not end while a browser keeps a connection open."""
    return browser


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("devnet")


@pytest.fixture(scope="session")
def built() -> None:
    build()


@pytest.fixture(scope="session")
def url(folder) -> Iterator[str]:
    with running_devnet(folder) as url:
        yield url


@pytest.fixture(scope="session")
def tessera(url, folder) -> Tessera:
    return Tessera(Web3(HTTPProvider(url)), Deployment.load(folder / devnet.RECORD))


@pytest.fixture(scope="session")
def local(tessera) -> LocalChain:
    """The chain's clock and its tokens for nothing."""
    return LocalChain(tessera, Wallet(tessera.web3, known_account(0)))


@pytest.fixture(scope="session")
def deployment(url, folder) -> dict:
    return json.loads((folder / devnet.PAGE).read_text())


@pytest.fixture(scope="session")
def behind(url, local) -> dict:
    """How `make web` serves a page: the node and the devnet's gifts behind the page's address."""
    return {"node": url, "answers": web.gifts(Newcomers(local, Lock()))}


@pytest.fixture(scope="session")
def address(built, deployment, behind) -> Iterator[str]:
    with web.serving(deployment, 0, **behind) as address:
        yield address


@pytest.fixture(scope="session")
def new_person(tessera, local) -> Callable[[], Wallet]:
    """People who are new: gas money, an invitation, dollars of each asset."""
    numbers = count(1)

    def new() -> Wallet:
        wallet = Wallet(tessera.web3, Account.from_key(Web3.keccak(text=f"person {next(numbers)}")))
        tessera.web3.provider.make_request("anvil_setBalance", [wallet.address, hex(10**18)])
        tessera.play_euro.invite(local.owner, [wallet.address])
        for asset, unit in UNITS.items():
            local.give(wallet.address, asset, PURSE * unit)
        return wallet

    return new


@pytest.fixture
def member(new_person, tessera) -> Wallet:
    """Somebody new who has joined the club."""
    return joined(new_person(), tessera)


def joined(wallet: Wallet, tessera: Tessera) -> Wallet:
    tessera.play_euro.join(wallet, consent=1)
    return wallet


def signed(wallet: Wallet, message: str) -> str:
    """What eth_signTypedData_v4 answers."""
    return Web3.to_hex(wallet.account.sign_typed_data(full_message=json.loads(message)).signature)


def signed_text(wallet: Wallet, text: str) -> str:
    """What personal_sign answers."""
    return Web3.to_hex(wallet.account.sign_message(encode_defunct(hexstr=text)).signature)


@dataclass
class Visit:
    """A tab with the page in it."""

    tab: object
    address: str

    def go(self, path: str = ""):
        self.tab.goto(f"{self.address}#/{path}")
        self.tab.locator("h1").wait_for()

    def button(self, name: str):
        return self.tab.get_by_role("button", name=name, exact=True)

    def press(self, name: str, then: str):
        """Presses a button and waits until the page says so."""
        self.button(name).click()
        self.says(then)

    def confirm(self, name: str, then: str):
        """Presses a button that asks once more, says yes, and waits until the page says so."""
        self.button(name).click()
        self.press(f"Yes: {name}", then)

    def quiet(self):
        """Waits until nothing is being read; a page that allows no strings as scripts is asked again and again."""
        for _ in range(PATIENCE // 100):
            if not self.tab.evaluate("document.querySelector('main [aria-busy=true]') !== null"):
                return
            self.tab.wait_for_timeout(100)
        raise AssertionError("the page reads and reads")

    def says(self, text: str):
        self.tab.get_by_text(text).locator("visible=true").first.wait_for()

    def enter(self):
        """Comes in with the wallet that the browser has."""
        self.button("Connect").click()
        self.tab.get_by_label("I am 18 or older").check()
        self.button("Test wallet").click()
        self.tab.locator("dialog[open]").wait_for(state="hidden")

    def text(self, part) -> str:
        """What a part of the page says; the space before a unit, at which no line ends, is a space here."""
        return part.inner_text().replace("\xa0", " ")

    def picture(self, name: str):
        """Saves what a person would see, for people to look at."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        width = self.tab.viewport_size["width"]
        self.tab.screenshot(path=PICTURES / f"{name}-{width}.png", full_page=True)


def own_key(visit: Visit) -> str:
    """The key of the account that the page made and keeps plainly."""
    return visit.tab.evaluate("JSON.parse(localStorage['tessera.account']).key")


@pytest.fixture
def visit(browser, address, url, request) -> Iterator[Callable[..., Visit]]:
    """Opens the page in a browser of its own; `wallet` is what the person has there, `node` what that wallet asks, and
    `link` what was sent to the person."""
    faults, contexts, visits = [], [], []

    def open_page(
        path: str = "",
        *,
        wallet: Wallet | None = None,
        size: dict = PHONE,
        at: str = address,
        link: str | None = None,
        node: str = url,
        **options,
    ) -> Visit:
        # The wallet of the tests asks the node itself, which the page's policy does not let anything do.
        options.setdefault("bypass_csp", wallet is not None)
        context = browser.new_context(viewport=size, timezone_id="UTC", locale="en-GB", **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        if wallet is not None:
            context.add_init_script(f"({WALLET})({json.dumps([wallet.address, node])})")
            context.expose_function("testSign", lambda message: signed(wallet, message))
            context.expose_function("testSignText", lambda text: signed_text(wallet, text))
            # Transactions are sent by the node, which acts for whoever it is told to.
            wallet.web3.provider.make_request("anvil_impersonateAccount", [wallet.address])
        tab = context.new_page()
        tab.on("pageerror", lambda error: faults.append(str(error)))
        visit = Visit(tab, at)
        visits.append(visit)
        if link is None:
            visit.go(path)
        else:
            tab.goto(link)
            tab.locator("h1").wait_for()
        if wallet is not None:
            visit.enter()
        return visit

    yield open_page
    if request.node.stash.get(FAILED, False):
        for number, visit in enumerate(visits):
            visit.picture(f"failed-{request.node.name}-{number}")
    for context in contexts:
        context.close()
    assert faults == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    item.stash[FAILED] = report.failed
    return report


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
