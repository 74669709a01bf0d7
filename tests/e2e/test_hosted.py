"""Hosted bets on the page: two people bet against each other through a host's node, one needs no host to be paid, and a
host that lies is refused."""

import json
import re
import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from tessera.chain import EUR, Wallet
from tessera.chain.contract import decode_logs
from tessera.chain.embedded import known_account
from tessera.chain.hosted_bets import Bet, BetPlaced, Listing
from tessera.chain.odds_bets import ticket_id_of
from tessera.chain.waiting import wait_until
from tessera.host.sign_in import Challenge
from tessera.local import devnet
from tessera.local.chain import let_pass
from tests.e2e.conftest import DESK, PHONE, ROOT, Visit, own_key
from tests.e2e.test_look import AXE, grave
from tests.processes import READY_SECONDS, running

HOST = 5
OPEN_SECONDS, VOTING_SECONDS = 900, 3_600
COMMAND = re.findall(r"^ape run host .*$", (ROOT / "docs" / "host.md").read_text(), re.MULTILINE)[-1]


def time_of(tessera) -> int:
    """The chain's time, which goes on without blocks."""
    return tessera.web3.eth.get_block("pending")["timestamp"]


@pytest.fixture
def panel(tessera) -> int:
    """The number of the devnet's own panel, two of three."""
    return tessera.events.event_info(1).panel_id


def report(tessera, contract, bet_id: bytes, prediction: int) -> None:
    """Lets two validators say what came true, as soon as they can."""
    listing = listing_of(tessera, bet_id)
    let_pass(tessera.web3, max(1, listing.closes_at + 1 - time_of(tessera)), devnet.BLOCKS_PER_HOUR)
    members = {known_account(index).address: known_account(index) for index in devnet.PANEL}
    for member in tessera.panels.members_of(listing.panel_id)[:2]:
        voter = Wallet(tessera.web3, members[member])
        tessera.panels.report(voter, listing.panel_id, listing.question(contract.address), prediction)


def listing_of(tessera, bet_id: bytes) -> Listing:
    """What was listed under an id."""
    rows = tessera.log_reader().read()
    return next(row.listing for row in rows if getattr(row, "bet_id", None) == bet_id and hasattr(row, "listing"))


@contextmanager
def running_host(url: str, folder: Path, own: Path, panel: int, bets: str) -> Iterator[str]:
    """The node as docs/host.md starts it, in a process of its own; yields where players connect."""
    (own / "bets.ini").write_text(bets)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = COMMAND.replace("bets.ini", str(own / "bets.ini")).replace("PANEL", str(panel))
    command = command.replace("http://127.0.0.1:8545", url).replace(
        "deployments/devnet.json", str(folder / devnet.RECORD)
    )
    command += f" --port {port} --database sqlite:///{own}/host.db --index sqlite:///{own}/index.db"
    with running(shlex.split(command), "ws://"):
        yield f"ws://127.0.0.1:{port}/"


def at_host(address: str, host: str) -> str:
    return f"{address}?host={quote(host, safe='')}"


def choose(page: Visit, bet: str, prediction: str, stake: str) -> None:
    """Opens a bet and fills in what the person wants."""
    page.tab.get_by_role("link", name=bet).click()
    page.tab.get_by_role("heading", name=bet).wait_for()
    page.tab.get_by_role("radio", name=prediction).check()
    page.tab.get_by_label("Stake in EUR").fill(stake)


def bets_by_own_transaction(page: Visit, tessera, player: Wallet) -> None:
    """Nobody has bet on it and no bankroll is behind it: the page lists it, and all of the stake waits."""
    choose(page, "C wins on D", "win", "7")
    row = page.tab.locator("dl div", has_text="Covered at once")
    assert "0.00 EUR; 7.00 EUR wait to be covered" in page.text(row)
    page.tab.get_by_text("Without the host's help").click()
    page.press("Send the bet yourself", "Your bet is placed.")
    bet_id = bytes.fromhex(page.tab.url.rsplit("0x", 1)[1])
    assert tessera.odds_lens.ticket(bet_id, ticket_id_of(0, 0)).pending == 7 * EUR
    page.tab.get_by_text("Your balance: 33.00 EUR.").wait_for()


def test_two_people_bet_against_each_other_through_a_host(
    visit, new_person, tessera, url, address, folder, tmp_path, panel
):
    closes_at = datetime.fromtimestamp(time_of(tessera) + OPEN_SECONDS, UTC).replace(tzinfo=None)
    bets = "[bets:0]\ndesc = A wins on B\npredictions = [win, loss]\nrange = [1, 100]\n"
    bets += f"time_lapse = {closes_at.isoformat()}\n"
    bets += "[bets:1]\ndesc = C wins on D\npredictions = [win, loss]\nodds = 80%, 110%\nrange = [1, 40]\n"
    with running_host(url, folder, tmp_path, panel, bets) as host:
        first = visit("hosted", at=at_host(address, host))
        first.button("Start").click()
        first.tab.get_by_label("I am 18 or older").check()
        first.button("Try with play money").click()
        first.press("Join and get 50.00 EUR", "Welcome.")
        key = own_key(first)
        winner = Wallet(tessera.web3, tessera.web3.eth.account.from_key(key))
        loser = new_person()
        second = visit("hosted", at=at_host(address, host), wallet=loser, size=DESK)
        second.press("Join and get 50.00 EUR", "Welcome.")

        first.picture("hosted-open")
        choose(first, "A wins on B", "win", "5")
        first.says("2 of 3 validators have to say the same")
        first.says("every stake goes back")
        first.says("for 60 seconds")
        name = f"Sign in to {host.split('/')[2]}"
        first.press(name, "You are signed in.")
        first.confirm("Bet 5.00 EUR on win", "The host took your bet.")
        bet_id = bytes.fromhex(first.tab.url.rsplit("0x", 1)[1])
        first.says("5.00 EUR in the pool, 5.00 EUR yours")  # read from the chain
        assert tessera.prorata.stake_of(bet_id, 0, winner.address) == 5 * EUR

        choose(second, "A wins on B", "loss", "10")
        second.press(name, "You are signed in.")
        row = second.tab.locator("dl div", has_text="Pays if it wins").first
        assert "14.50 EUR" in second.text(row)  # 10 and 5 less a tenth
        row = second.tab.locator("dl div", has_text="Loses on average at most").first
        assert "1.000 EUR" in second.text(row)
        second.picture("hosted-before-signing")
        second.press("Bet 10.00 EUR on loss", "The host took your bet.")
        second.says("10.00 EUR in the pool, 10.00 EUR yours")
        assert tessera.prorata.stake_of(bet_id, 1, loser.address) == 10 * EUR

        second.tab.get_by_role("link", name="← Hosted bets").click()
        bets_by_own_transaction(second, tessera, loser)

        for page in (first, second):
            page.tab.get_by_role("link", name="← Hosted bets").click()
            row = page.tab.get_by_role("row", name="A wins on B")
            row.get_by_text("confirmed", exact=True).wait_for()
        report(tessera, tessera.prorata, bet_id, 0)
        first.tab.get_by_role("row", name="A wins on B").get_by_text("settled: win, won").wait_for()
        second.tab.get_by_role("row", name="A wins on B").get_by_text("settled: win").wait_for()
        for page, result in ((first, "Result: +9.00 EUR"), (second, "Result: −10.00 EUR")):
            page.says(result)
            page.picture("hosted-settled")
    assert tessera.escrow.balance_of(winner.address) == 59 * EUR
    assert tessera.escrow.balance_of(loser.address) == 33 * EUR


def listed(tessera, panel: int, description: str, **changes) -> Listing:
    """A listing of the host's that closes soon."""
    now = time_of(tessera)
    terms = {
        "host": known_account(HOST).address,
        "salt": tessera.web3.keccak(text=f"{description} {now}"),
        "description": description,
        "predictions": ["win", "loss"],
        "profits": [],
        "min_stake": EUR,
        "max_stake": 20 * EUR,
        "closes_at": now + OPEN_SECONDS,
        "result_deadline": now + OPEN_SECONDS + VOTING_SECONDS,
        "panel_id": panel,
        "host_bps": 500,
        "validator_bps": 500,
    }
    return Listing(**{**terms, **changes})


def test_who_has_no_host_settles_and_is_paid_by_own_transactions(visit, new_person, tessera, panel):
    host, person, other = Wallet(tessera.web3, known_account(HOST)), new_person(), new_person()
    for player in (person, other):
        tessera.play_euro.join(player, consent=0b111)
    pool = listed(tessera, panel, "A pool without a host")
    odds = listed(tessera, panel, "Odds without a host", profits=[500, 500], host_bps=0, validator_bps=100)
    tessera.prorata.list_bet(host, pool)
    tessera.odds.list_bet(host, odds)
    tessera.prorata.place(person, pool.bet_id, 0, 4 * EUR)
    tessera.prorata.place(other, pool.bet_id, 1, 8 * EUR)
    for stake in (6, 3):  # nothing covers them: they wait
        tessera.odds.place(person, odds.bet_id, 1, stake * EUR, min_confirmed=0)
    page = visit("hosted", wallet=person)

    page.says("6.00 EUR wait to be covered")
    page.press("Take back 6.00 EUR", "6.00 EUR are in your balance.")
    ticket = tessera.odds_lens.ticket(odds.bet_id, ticket_id_of(1, 0))
    assert ticket.pending == 0
    page.says("If it does not, every stake goes back.")
    report(tessera, tessera.prorata, pool.bet_id, 0)
    page.press("Settle it yourself: the panel has decided", "Settled: what is yours can be taken.")
    page.picture("hosted-alone")
    page.press("Take 11.20 EUR", "11.20 EUR are in your balance.")  # 4, and 8 less a tenth
    page.says("Result: +7.20 EUR")
    assert tessera.escrow.balance_of(person.address) == 5_420 * EUR // 100

    let_pass(tessera.web3, VOTING_SECONDS, devnet.BLOCKS_PER_HOUR)
    silent = page.tab.locator("li.card", has_text="Odds without a host")
    silent.get_by_role("button", name="Settle it yourself: the panel's time is over").click()
    silent.get_by_role("button", name="Take 3.00 EUR").click()
    silent.get_by_text("Every stake goes back").wait_for()
    silent.get_by_text("Result: 0.00 EUR").wait_for()
    assert tessera.odds_lens.verdict(odds.bet_id).refunded
    assert tessera.escrow.balance_of(person.address) == 5_720 * EUR // 100


class FakeHost:
    """A host's end of the conversation, which says what a test wants it to say."""

    def __init__(self, tessera):
        self.tessera, self.open_bets, self.asked, self.calls = tessera, [], [], 0
        self.typed = lambda typed: typed
        self._server = serve(self._talk, "127.0.0.1", 0)
        self.port = self._server.socket.getsockname()[1]
        self._sockets: list[ServerConnection] = []
        self.answers = Event()
        self.answers.set()
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def offer(self, number: int, listing: Listing, /, **changes) -> None:
        """An open bet as an honest host tells of it, and what is to be changed."""
        contract = self.tessera.odds if listing.profits else self.tessera.prorata
        offer = contract.signer().offer(known_account(HOST), listing.bet_id, listing.closes_at)
        content = {
            name: f"0x{value.hex()}" if isinstance(value, bytes) else str(value) if type(value) is int else value
            for name, value in listing._asdict().items()
        }
        told = {
            "bet_id": number,
            "desc": listing.description,
            "predictions": f"[{','.join(listing.predictions)}]",
            "onchain_id": f"0x{listing.bet_id.hex()}",
            "time_lapse": datetime.fromtimestamp(listing.closes_at, UTC).isoformat(),
            "contract": contract.address,
            "tx": None,
            "listing": content,
            "host_signature": {"expires_at": str(offer.expires_at), "signature": f"0x{offer.signature.hex()}"},
        }
        self.open_bets.append((listing, told | changes | {"listing": content | changes.get("listing", {})}))

    def drop(self) -> None:
        """Ends all conversations, and answers nobody."""
        self.answers.clear()
        for connection in self._sockets:
            connection.close()

    def heard(self, method: str) -> dict:
        """A frame of this method, as soon as it is there."""
        found: list[dict] = []

        def is_there() -> bool:
            found.extend(frame for frame in self.asked if frame["method"] == method)
            return bool(found)

        assert wait_until(is_there, READY_SECONDS)
        return found[0]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()

    def _talk(self, connection: ServerConnection) -> None:
        self.calls += 1
        if not self.answers.is_set():
            return
        self._sockets.append(connection)
        domain = f"127.0.0.1:{self.port}"
        bets = {"method": "bets", "open_bets": [told for _, told in self.open_bets]}
        challenge = Challenge(domain, f"http://{domain}", 31337).text
        if len(self._sockets) == 1:  # who signs in late needs another
            challenge = re.sub(r"(?<=Expiration Time: )\d{4}", "2020", challenge)
        self._send(connection, {"method": "challenge", "message": challenge})
        self._send(connection, {**bets, "placed_bets": [], "confirmed_bets": []})
        try:
            for message in connection:
                frame = json.loads(message)
                self.asked.append(frame)
                if frame["method"] == "sign_in":
                    self._send(connection, {"method": "signed_in", "account": frame["message"].split("\n")[1]})
                    self.account = frame["message"].split("\n")[1]
                if frame["method"] == "bets_selected":
                    typed = self.typed(self._asked_for(frame["bets_info"][0]))
                    self._send(connection, {"method": "bets_to_sign", "bets": [typed]})
                if frame["method"] == "bets_signed":
                    self._send(connection, {"method": "bets_accepted", "nonces": [typed["message"]["nonce"]]})
        except ConnectionClosed:
            pass

    def _asked_for(self, info: dict) -> dict:
        listing = next(listing for listing, told in self.open_bets if told["bet_id"] == info["bet_id"])
        prediction, amount = listing.predictions.index(info["prediction"]), int(info["bet_amount_units"])
        bet = Bet(self.account, prediction, amount, 0, len(self.asked), time_of(self.tessera) + 60)
        return self.tessera.prorata.signer().json_bet(listing.bet_id, bet, listing.host)

    def _send(self, connection: ServerConnection, frame: dict) -> None:
        connection.send(json.dumps(frame))


@pytest.fixture
def liar(tessera) -> Iterator[FakeHost]:
    host = FakeHost(tessera)
    yield host
    host.close()


def fits(page: Visit) -> None:
    """What is there is no wider than a phone, and axe finds nothing serious in it."""
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.tab.add_script_tag(path=AXE)
    assert grave(page, "document") == []


def test_a_host_that_lies_is_refused_and_nothing_is_signed(visit, new_person, tessera, address, panel, liar):
    person = new_person()
    tessera.play_euro.join(person, consent=0b111)
    honest = listed(tessera, panel, "An honest bet")
    liar.offer(0, honest)
    liar.offer(1, listed(tessera, panel, "Other terms"), listing={"validator_bps": "1000"})
    liar.offer(2, listed(tessera, panel, "Other words"), desc="Something nicer")
    liar.offer(3, listed(tessera, panel, "Not signed"), host_signature={"expires_at": "1", "signature": "0x5c1f"})
    page = visit("hosted", at=at_host(address, f"ws://127.0.0.1:{liar.port}/"), wallet=person)
    page.says("the host shows something else than you would sign")
    page.says("in other words than it signed")
    page.says("The host did not sign this bet.")
    assert page.tab.locator("main a.card").count() == 1
    fits(page)

    choose(page, "An honest bet", "win", "7.50")
    page.press(f"Sign in to 127.0.0.1:{liar.port}", "You are signed in.")
    button = page.button("Bet 7.50 EUR on win")
    for field, value, refusal in (
        ("amount", "9000000", "another stake than you chose"),
        ("prediction", "1", "another prediction than you chose"),
        ("relayer", known_account(1).address, "let somebody else land your bet"),
        ("deadline", str(time_of(tessera) + 110), "for longer than 60 seconds"),
    ):
        liar.typed = lambda typed, field=field, value=value: typed | {"message": typed["message"] | {field: value}}
        button.click()
        page.says(refusal)
        expect(button).to_have_attribute("aria-disabled", "false")
    assert "eth_signTypedData_v4" not in page.tab.evaluate("window.testWallet.calls")
    page.picture("hosted-refused")
    fits(page)

    hide = (
        "Object.defineProperty(document, 'hidden', {{value: {}, configurable: true}});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    page.tab.evaluate(hide.format("true"))
    calls = liar.calls
    liar.drop()
    page.says("nothing you typed is lost")
    page.tab.wait_for_timeout(2_500)  # the first of them would come after a second
    assert liar.calls == calls  # nothing is tried for a tab that nobody looks at
    page.tab.evaluate(hide.format("false"))
    assert page.tab.get_by_label("Stake in EUR").input_value() == "7.50"
    liar.answers.set()
    page.press(f"Sign in to 127.0.0.1:{liar.port}", "You are signed in.")
    liar.typed = lambda typed: typed
    button.click()
    page.says("The host took your bet.")
    signature = next(frame for frame in liar.asked if frame["method"] == "bets_signed")["signatures"][0]
    assert len(signature) == 2 + 2 * 65

    page.tab.get_by_label("Stake in EUR").fill("2")
    page.tab.get_by_text("Without the host's help").click()
    page.press("Send the bet yourself", "Your bet is placed.")
    (transaction,) = liar.heard("bets_placed")["transactions"]
    placed = decode_logs(tessera.web3.eth.get_transaction_receipt(transaction)["logs"])
    assert [(row.account, row.amount) for row in placed if isinstance(row, BetPlaced)] == [(person.address, 2 * EUR)]
    # What was signed counts in the person's own limit before it is on the chain.
    page.tab.evaluate('(key) => localStorage.setItem(key, \'{"limit":"10000000"}\')', f"tessera.limit.{person.address}")
    page.tab.get_by_label("Stake in EUR").fill("1")
    page.button("Bet 1.00 EUR on win").click()
    page.says("This would pass your own limit of 10.00 EUR a day: 9.50 EUR went into bets in the last 24 hours.")
