"""`make web`: one command, and there is a page to play on, alone."""

import json
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from web3 import HTTPProvider, Web3

from scripts import devnet
from tessera.chain import EUR, Deployment, Outcome, Tessera
from tessera.chain.waiting import wait_until
from tessera.local.bots import fate
from tests.e2e.conftest import own_key
from tests.processes import READY_SECONDS, running


@contextmanager
def running_page(folder: Path, *options: str) -> Iterator[str]:
    """The command in a process of its own; yields the address that it prints, and stops it as Ctrl-C does."""
    ports = ["--port", "0", "--chain-port", "0"]
    command = [sys.executable, "-u", "scripts/web.py", *ports, "--into", folder, *options]
    with running(command, r"^The page: .*?(\S+)$", by=signal.SIGINT) as process:
        yield process.match.group(1)


def test_one_command_starts_chain_and_page_and_ends_both(built, tmp_path):
    with running_page(tmp_path) as address:
        deployment = json.load(urlopen(f"{address}deployment.json"))
        assert deployment["chainId"] == 31337
        assert "LmsrMarkets" in deployment["addresses"]
        assert b"Tessera" in urlopen(address).read()
    assert list(tmp_path.glob("*/devnet.json")) == []


def test_a_phone_in_the_same_network_plays_and_reaches_no_key(built, visit, tmp_path):
    """From another address of this machine, with the page and its node behind it."""
    with running_page(tmp_path, "--host", "0.0.0.0") as address:
        elsewhere = address.replace("127.0.0.1", "127.0.0.2")
        page = visit(at=elsewhere)
        page.button("Start").click()
        page.tab.get_by_label("I am 18 or older").check()
        page.button("Try with play money").click()
        page.press("Join and get 50.00 EUR", "Welcome.")
        web3 = Web3(HTTPProvider(f"{elsewhere}rpc"))
        assert web3.eth.block_number > 0
        for method in ("eth_accounts", "eth_sendTransaction", "anvil_setBalance", "evm_mine", "debug_traceCall"):
            assert web3.provider.make_request(method, [])["error"]["code"] == -32601


def test_whoever_has_the_page_alone_is_paid(built, visit, tmp_path):
    """On a phone, and with nothing but the page: the clock is moved there, and the devnet's people do their part."""
    with running_page(tmp_path) as address:
        record = Deployment.load(tmp_path / devnet.RECORD)
        tessera = Tessera(Web3(HTTPProvider(f"{address}rpc")), record)
        play_alone(visit(at=address), tessera)


def play_alone(page, tessera: Tessera):
    page.button("Start").click()
    page.tab.get_by_label("I am 18 or older").check()
    page.button("Try with play money").click()
    page.press("Join and get 50.00 EUR", "Welcome.")
    key = own_key(page)
    me = tessera.web3.eth.account.from_key(key).address

    page.tab.get_by_text("Will it rain in Vienna tomorrow?").click()
    won = fate("market 1", (Outcome.YES, Outcome.NO))
    page.confirm(f"Bet 1.00 EUR on {won.name}", "Your bet is placed.")
    payoff = tessera.markets.position(1, me).payoff(won)
    page.tab.get_by_role("link", name="Tickets").click()
    page.tab.get_by_label("Stake, in USDC").fill("250")
    page.press("Stake 250.00 USDC", "Staked.")
    usdc = tessera.staking.assets()[0]
    card = page.tab.locator("article", has_text="Who wins the cup match?")
    right = fate("event 1", ("home", "draw", "away"))
    card.get_by_role("button", name=f"Predict {right}").click()
    card.get_by_text("your prediction").wait_for()

    page.tab.get_by_role("link", name="Markets").first.click()
    page.tab.get_by_text("Will it rain in Vienna tomorrow?").click()
    page.press("Let a week pass", f"Proposed: {won.name}")
    page.button("Let a day pass").click()
    page.press("Make it final", "You won")
    page.tab.get_by_role("button", name=re.compile("^Take .* EUR$")).click()
    page.says("are in your balance")
    assert tessera.escrow.balance_of(me) == 49 * EUR + payoff

    page.tab.get_by_role("link", name="Tickets").click()
    for _ in range(2):  # the event ends after ten days, and its last week on the Friday after
        week = tessera.prizes.period()
        page.button("Let a week pass").click()
        page.tab.locator(".clock [aria-busy=true]").wait_for(state="detached")
        assert wait_until(lambda week=week: tessera.prizes.period() > week, READY_SECONDS)  # bots do it
    page.says("are yours")
    prize = tessera.events.prize_of(1, me)
    assert prize > 0
    page.picture("alone-won")
    card.get_by_role("button", name="Take").click()
    page.says("You won")
    page.press("Withdraw 250.00 USDC", "It is in your wallet.")
    assert tessera.staking.principal_of(me, usdc) == 0
    page.tab.get_by_role("navigation").get_by_role("link", name="Portfolio").click()
    page.tab.get_by_text("It is in your wallet.").wait_for(state="hidden")  # said of the stake
    page.tab.get_by_role("button", name=re.compile("^Withdraw .* EUR$")).click()
    page.says("It is in your wallet.")
    assert tessera.play_euro.balance_of(me) == 49 * EUR + payoff
