"""`tessera bets`: each command against the real node's server, and against hosts that lie."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from tessera.chain import Wallet
from tessera.chain.embedded import CHAIN_ID, known_account
from tessera.chain.hosted_bets import HostSignature, Signer
from tessera.host import client
from tessera.host.frames import bets_frame
from tessera.host.server import served
from tests.unit.cli.hosted.conftest import refused
from tests.unit.host.conftest import BARE, EUR, ODDS, World

FIRST, SECOND = 1, 2  # players, by their devnet accounts
WIN, LOSS = 0, 1
BACKED = ODDS + "bankroll = 20\n"


@contextmanager
def hosted(world: World, text: str = BARE) -> Iterator[tuple]:
    """A node of this file that serves, and what names it to a command."""
    node = world.node(text)
    node.step()
    with served(node, world.web3.eth.chain_id) as url:
        yield node, ("--host", url)


@contextmanager
def lying(world: World, node, change: Callable[[dict], object]) -> Iterator[tuple]:
    """A host that shows a node's bets otherwise than they are."""
    frame = json.loads(json.dumps(bets_frame(node.view, None, 6)))
    change(frame)

    def talk(socket):
        socket.send(json.dumps({"method": "challenge", "message": "Sign this, please."}))
        socket.send(json.dumps(frame))
        for _ in socket:
            pass

    with serve(talk, "127.0.0.1", 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield ("--host", f"ws://127.0.0.1:{server.socket.getsockname()[1]}")


def address(number: int) -> str:
    return known_account(number).address


def test_list_says_what_is_bet_on_for_how_much_until_when_and_who_decides(run, ask, world):
    with hosted(world, BACKED) as (node, where):
        (line,) = ask("bets", "list", *where)
        listing = node.catalogue.offered[0].listing
        assert line == {
            "number": 0,
            "bet_id": f"0x{listing.bet_id.hex()}",
            "description": "A wins on B",
            "predictions": ["win", "loss"],
            "odds": ["800000000000000000", "1100000000000000000"],
            "range": ["1000000", "40000000"],
            "closes_at": listing.closes_at,
            # 1 - 1 % - 1 / (1 / 1.8 + 1 / 2.1): what a balanced book keeps.
            "house_edge": str(int((1 - 0.01 - 1 / (1 / 1.8 + 1 / 2.1)) * 10**6)) + line["house_edge"][-12:],
            "panel": {"members": world.tessera.panels.members_of(world.panel_id), "threshold": 2},
        }
        said = run("bets", "list", *where).output
        assert "A wins on B" in said
        assert "2 of 3" in said


def test_show_says_returns_and_losses_of_a_stake_and_what_silence_means(run, ask, world):
    with hosted(world, BACKED) as (_, where):
        shown = ask("bets", "show", 0, "--stake", "10", *where)
        assert shown["status"] == "OPEN"
        win, loss = shown["predictions"]
        assert [(each["staked"], each["tickets_waiting"]) for each in (win, loss)] == [("0", 0)] * 2
        assert (win["returns"], loss["returns"]) == ("18000000", "21000000")
        # The margin of 80 % and 110 % is 1 - 1 / (1 / 1.8 + 1 / 2.1) = 1.2 / 39, of 10 EUR, rounded up.
        assert win["expected_loss"] == loss["expected_loss"] == str(-(-10 * EUR * 12 // 390))
        # 20 cover 10 at both odds: 8 and 11 are to be won, and 0.1 goes to validators.
        assert win["confirmed_at_once"] == loss["confirmed_at_once"] == str(10 * EUR)
        said = run("bets", "show", 0, *where).output
        assert "every stake goes back" in said
        assert "of all confirmed stakes; nothing where stakes go back" in said
        assert all(member in said for member in world.tessera.panels.members_of(world.panel_id))


def test_a_pool_bet_is_listed_and_placed_in_one_transaction_and_the_host_hears_of_it(ask, world):
    with hosted(world) as (node, where):
        done = ask("bets", "place", 0, "win", "12.50", "--yes", *where, by=FIRST)
        assert (done["confirmed"], done["waits"], done["ticket_id"]) == ("12500000", "0", None)
        assert done["host_shows_it"] is False  # its node has not made a step
        assert world.tessera.prorata.stake_of(bytes.fromhex(done["bet_id"][2:]), WIN, address(FIRST)) == 12_500_000
        assert node._to_look.get_nowait().transaction == done["transaction"]
        node.step()
        assert world.stakes(node, 0) == [(WIN, 12_500_000, "confirmed")]
        # The loser's side by its id alone; the bet is on the chain by now.
        again = ask("bets", "place", done["bet_id"][:12], "loss", "5", "--yes", *where, by=SECOND)
        assert again["bet_id"] == done["bet_id"]


def test_a_host_that_shows_the_bet_is_said_to(ask, world, monkeypatch):
    monkeypatch.setattr(client.Client, "shows", lambda self, transaction: True)
    with hosted(world) as (_, where):
        assert ask("bets", "place", 0, "win", "2", "--yes", *where, by=FIRST)["host_shows_it"] is True


def test_before_a_stake_all_that_matters_is_shown_and_asked(run, world):
    with hosted(world) as (_, where):
        result = run("bets", "place", 1, "loss", "20", *where, by=FIRST, input="n\n")
        assert result.exit_code == 1
        for words in (
            "B wins on C", r"comes back if it is right +20\.00 EUR", r"if odds or pool are right +0\.0000 EUR",
            r"and at most, as the pool changes +2\.0000 EUR",  # 5 % + 5 %, though nobody has staked yet
            r"house edge +\S+% of what losers staked", r"5\.0% of what losers staked", "2 of these 3:",
            "every stake goes back", "Go on\\?", "Nothing was sent",
        ):  # fmt: skip
            assert re.search(words, result.output), words


def test_a_dry_run_sends_nothing(ask, world):
    with hosted(world) as (_, where):
        before = world.web3.eth.block_number
        assert ask("--dry-run", "bets", "place", 0, "win", "5", *where, by=FIRST)["function"] == (
            "ProrataBets.list_and_place"
        )
        assert world.web3.eth.block_number == before


def test_what_odds_do_not_cover_is_refused_unless_it_may_wait(run, ask, world):
    with hosted(world, BACKED) as (_, where):
        place = ("bets", "place", 0, "win", "30", "--yes", *where)
        assert refused(run, *place, by=FIRST)["reason"] == "odds: less is confirmed"
        done = ask(*place, "--min-confirmed", "20", by=FIRST)
        # 20 + x >= 1.8 x + 0.01 x for x up to 24.691358; with both products rounded up it is a unit less.
        assert (done["confirmed"], done["waits"]) == ("24691357", str(30 * EUR - 24_691_357))
        confirmed, waiting = ask("bets", "mine", by=FIRST)[::-1]
        assert (confirmed["bet_status"], waiting["bet_status"], waiting["next"]) == ("confirmed", "pending", "cancel")
        back = ask("bets", "cancel", done["bet_id"], waiting["ticket_id"], by=FIRST)
        assert back["came_back"] == done["waits"]
        assert world.balance(0) == 50 * EUR - 24_691_357


def test_an_offer_at_odds_is_listed_by_its_first_player_who_may_have_to_wait(run, ask, world):
    with hosted(world, ODDS) as (_, where):
        place = ("bets", "place", 0, "win", "20", "--yes", *where)
        assert "--min-confirmed 0" in refused(run, *place, by=FIRST)["message"]
        large = ("bets", "place", 0, "win", "41", "--min-confirmed", "0")
        assert "outside of the bet's range" in refused(run, *large, *where, by=FIRST)["message"]
        waits = (*place, "--min-confirmed", "0")
        world.tessera.escrow.set_consent(Wallet(world.web3, known_account(FIRST)), 0b011)
        assert "tessera consents allow 2" in refused(run, *waits, by=FIRST)["message"]
        world.tessera.escrow.set_consent(Wallet(world.web3, known_account(FIRST)), 0b111)
        escrow, player = world.tessera.escrow, Wallet(world.web3, known_account(FIRST))
        too_much = escrow.balance_of(player.address) - 20 * EUR + 1
        escrow.withdraw(player, too_much)
        assert "your balance is 19.99 EUR: `tessera deposit`" in refused(run, *waits, by=FIRST)["message"]
        world.tessera.play_euro.approve(player, escrow.address, 1)
        escrow.deposit(player, 1)
        done = ask(*waits, by=FIRST)
        assert (done["confirmed"], done["waits"]) == ("0", str(20 * EUR))


def test_ones_own_limit_counts_for_hosted_bets(run, world):
    with hosted(world) as (_, where):
        run("limits", "set", "10", by=FIRST)
        assert refused(run, "bets", "place", 0, "win", "11", "--yes", *where, by=FIRST)["code"] == "own_limit"
        assert run("bets", "place", 0, "win", "10", "--yes", *where, by=FIRST).exit_code == 0
        assert refused(run, "bets", "place", 0, "win", "1", "--yes", *where, by=FIRST)["code"] == "own_limit"


def test_nobody_needs_the_host_to_be_paid(run, ask, world):
    with hosted(world) as (node, where):
        bet_id = ask("bets", "place", 0, "win", "10", "--yes", *where, by=FIRST)["bet_id"]
        ask("bets", "place", 0, "loss", "20", "--yes", *where, by=SECOND)
    # From here on there is no host.
    assert refused(run, "bets", "list", *where)["code"] == "host"
    assert ask("bets", "mine", by=FIRST)[0]["next"] is None
    assert refused(run, "bets", "settle", bet_id, by=FIRST)["reason"] == "hosting: no result yet"
    assert "not settled yet" in refused(run, "bets", "claim", bet_id, by=FIRST)["message"]
    world.decide(node, 0, WIN)
    assert ask("bets", "mine", by=FIRST)[0]["next"] == "settle"
    assert ask("bets", "settle", bet_id[:10], by=SECOND)["outcome"] == "win"
    assert ask("bets", "mine", by=FIRST)[0]["next"] == "claim"
    # 20 were lost, 5 % + 5 % of it are commissions.
    assert ask("bets", "claim", bet_id, by=FIRST)["paid"] == str(28 * EUR)
    assert "owes you nothing" in refused(run, "bets", "claim", bet_id, by=FIRST)["message"]
    assert "owes you nothing" in refused(run, "bets", "claim", bet_id, by=SECOND)["message"]
    (stake,) = ask("bets", "mine", by=SECOND)
    assert (stake["bet_status"], stake["outcome"], stake["next"]) == ("settled", "win", None)
    assert ask("bets", "show", bet_id)["outcome"] == "win"
    assert world.tessera.escrow.pot_balance(world.tessera.prorata.address, bytes.fromhex(bet_id[2:])) == 0


def test_where_the_panel_is_silent_anybody_gives_every_stake_back(ask, world):
    with hosted(world, BACKED) as (node, where):
        bet_id = ask("bets", "place", 0, "win", "30", "--min-confirmed", "0", "--yes", *where, by=FIRST)["bet_id"]
    world.travel(node.catalogue.offered[0].listing.result_deadline + 1)
    assert {stake["next"] for stake in ask("bets", "mine", by=FIRST)} == {"settle"}
    assert ask("bets", "settle", bet_id, by=SECOND)["outcome"] is None
    assert ask("bets", "claim", bet_id, by=FIRST)["paid"] == str(30 * EUR)
    assert world.balance(0) == 50 * EUR


def changed(name: str, value) -> Callable[[dict], None]:
    return lambda frame: frame["open_bets"][0]["listing"].update({name: value})


def signed(**values) -> Callable[[dict], None]:
    return lambda frame: frame["open_bets"][0]["host_signature"].update(values)


def shown(**values) -> Callable[[dict], None]:
    return lambda frame: frame["open_bets"][0].update(values)


def forged(frame: dict) -> None:
    """A listing that somebody else signed in the host's name."""
    told = frame["open_bets"][0]
    signer = Signer("ProrataBets", CHAIN_ID, told["contract"])
    expires_at = int(told["host_signature"]["expires_at"])
    offer = signer.offer(known_account(SECOND), bytes.fromhex(told["onchain_id"][2:]), expires_at)
    told["host_signature"]["signature"] = f"0x{offer.signature.hex()}"


LIES = [
    (changed("description", "B wins on A"), "bad_listing", "listing was changed"),
    (changed("host_bps", "1000"), "bad_listing", "listing was changed"),
    (changed("host", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"), "bad_listing", "listing was changed"),
    (forged, "bad_listing", "not signed by its host"),
    (signed(signature="0x00"), "bad_listing", "not signed"),
    (signed(expires_at="99999999999"), "bad_listing", "not signed"),
    (shown(contract="0x" + "00" * 20), "bad_listing", "which is not ProrataBets"),
    (shown(desc="A surely wins on B"), "bad_listing", "and listed otherwise"),
    (changed("panel_id", "-1"), "host", "cannot be read: 0.listing.panel_id"),
    (changed("max_stake", "9" * 78), "host", "more than a contract can count"),
    (lambda frame: frame.pop("open_bets"), "host", "cannot be read"),
    (lambda frame: frame.update(method="error", code="busy", message="no"), "host", "the host refuses: no"),
    (lambda frame: frame.update(method=7), "host", "does not answer as a host does"),
]


@pytest.mark.parametrize(("lie", "code", "said"), LIES)
def test_what_a_host_shows_otherwise_than_it_signed_it_is_refused(run, world, lie, code, said):
    with lying(world, world.node(BARE), lie) as where:
        error = refused(run, "bets", "list", *where)
        assert (error["code"], said in error["message"]) == (code, True), error


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("closes_at", 2**255),
        ("result_deadline", 2**64),
        ("min_stake", 0),
        ("min_stake", 2**84),
        ("max_stake", 2**84),
        ("host_bps", 1_001),
        ("validator_bps", 2**200),
        ("profits", (800,)),
        ("profits", (800, 2**16)),
        ("profits", (0, 800)),
        ("profits", (800, 1_100)),
    ],
)
def test_what_no_contract_lists_is_refused_though_its_host_signed_it(run, world, field, value):
    """Such a listing ended the command in the middle of its table."""
    node = world.node(BARE)
    listing = node.catalogue.offered[0].listing._replace(**{field: value})

    def resign(frame: dict) -> None:
        told, has_odds = frame["open_bets"][0], field == "profits"
        contract = world.tessera.odds if has_odds else world.tessera.prorata
        offer = contract.signer().offer(world.host, listing.bet_id, listing.closes_at)
        told["listing"][field] = [str(profit) for profit in value] if has_odds else str(value)
        told |= {"onchain_id": f"0x{listing.bet_id.hex()}", "contract": contract.address}
        told["host_signature"] = {"expires_at": str(offer.expires_at), "signature": f"0x{offer.signature.hex()}"}

    with lying(world, node, resign) as where:
        for command in (("list",), ("show", "0")):
            error = refused(run, "bets", *command, *where)
            assert (error["code"], "cannot be read: 0.listing" in error["message"]) == ("host", True), error


def test_a_host_that_never_stops_talking_keeps_nobody(run, world, monkeypatch):
    """Whatever else it sends, the answer is late."""
    monkeypatch.setattr(client, "SECONDS", 0.5)

    def talk(socket):
        with suppress(ConnectionClosed):
            while True:
                socket.send(json.dumps({"method": "news"}))

    with serve(talk, "127.0.0.1", 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        error = refused(run, "bets", "list", "--host", f"ws://127.0.0.1:{server.socket.getsockname()[1]}")
    assert (error["code"], "does not answer" in error["message"]) == ("host", True)


def test_a_text_that_is_no_challenge_of_that_host_is_not_signed(run, world):
    node = world.node(BARE)
    with lying(world, node, lambda frame: None) as where:
        assert refused(run, "bets", "place", 0, "win", "5", "--yes", *where, by=FIRST)["code"] == "sign_in_failed"
    with hosted(world) as (_, (_, url)):
        elsewhere = ("--host", url.replace("127.0.0.1", "localhost"))
        error = refused(run, "bets", "place", 0, "win", "5", "--yes", *elsewhere, by=FIRST)
        assert "connect to the host by that name" in error["message"]


def test_an_offer_that_its_host_took_back_or_replaced_is_refused(run, world):
    node = world.node(BARE)
    host, (first, second) = Wallet(world.web3, world.host), node.catalogue.offered
    first.contract.revoke(host, first.bet.salt)
    second.contract.list_bet(host, second.listing._replace(validator_bps=1_000), HostSignature())
    with lying(world, node, lambda frame: None) as where:
        for number, said in ((0, "took this bet back"), (1, "instead of this bet")):
            error = refused(run, "bets", "show", number, *where)
            assert (error["code"], said in error["message"]) == ("bad_listing", True), error


def test_bad_input_is_refused_before_anything_is_asked(run, world):
    with hosted(world) as (_, where):
        place = ("bets", "place")
        for arguments, code in (
            ((*place, "x", "win", "5"), "usage"),
            ((*place, "0x12", "win", "5"), "usage"),
            ((*place, "0", "win", "0"), "usage"),
            ((*place, "0", "win", "5", "--min-confirmed", "5"), "usage"),
            ((*place, "7", "win", "5"), "not_found"),
            ((*place, "0", "draw", "5"), "not_found"),
            ((*place, "0xabcdef", "win", "5"), "not_found"),
            ((*place, "0", "win", "0.5", "--yes"), "reverted"),
            (("bets", "cancel", "0xabcdef", "1"), "not_found"),
            (("bets", "show", "0", "--host", "http://127.0.0.1:1"), "host"),
            (("bets", "show", "0", "--host", "ws://127.0.0.1:1"), "host"),
        ):
            by_url = () if "--host" in arguments or "cancel" in arguments else where
            assert refused(run, *arguments, *by_url, by=FIRST)["code"] == code, arguments


def test_the_panels_members_cannot_bet(run, world):
    with hosted(world) as (_, where):
        assert refused(run, "bets", "place", 0, "win", "5", "--yes", *where, by=11)["code"] == "reverted"


def test_whoever_a_private_bet_admits_places_with_the_hosts_voucher(run, ask, world):
    private = BARE.replace("[bets]\n", f"[bets]\nprivate = {address(FIRST)}\n")
    with hosted(world, private) as (_, where):
        assert ask("bets", "list", *where, by=SECOND) == []
        for amount in ("10", "5"):  # the first lists it
            assert ask("bets", "place", 0, "win", amount, "--yes", *where, by=FIRST)["waits"] == "0"
        assert world.balance(0) == 35 * EUR
