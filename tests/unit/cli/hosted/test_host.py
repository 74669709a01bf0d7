"""`tessera host`: what a host checks, sees and decides."""

import pytest

from tessera.chain import Wallet
from tessera.chain.embedded import known_account
from tests.unit.cli.hosted.conftest import refused
from tests.unit.host.conftest import BARE, EUR, HOST, ODDS

BACKED = ODDS + "bankroll = 20\n"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "mine.ini"


def test_check_needs_no_node_and_shows_what_would_be_offered(run, file):
    file.write_text(BARE + ODDS.replace("bets:0", "bets:2").replace("A wins", "C wins"))
    result = run("--rpc", "http://127.0.0.1:1", "--json", "host", "check", file, "--panel", "7")
    assert result.exit_code == 0, result.output
    for words in ('"min_stake": "1000000"', '"description": "C wins on B"', '"1100000000000000000"'):
        assert words in result.output
    assert "24 h after it is offered" in run("host", "check", file, "--panel", "7").output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BARE, "[bets:0] panel is missing: the number of a panel"),
        ("[bets]\npanel = 1\n[bets:3]\ndesc = A\npredictions = [a]\nrange = [1, 2]\n", "[bets:3] predictions = [a]"),
        (ODDS + "panel = 1\nodd = 3\n", "[bets:0] odd is unknown"),
        (ODDS.replace("110%", "180%") + "panel = 1\nallow_loss = maybe\n", "[bets:0] allow_loss = maybe"),
        ("[bets:0\n", "mine.ini"),
    ],
)
def test_check_names_section_and_key_of_a_mistake(run, file, text, said):
    file.write_text(text)
    error = refused(run, "host", "check", file)
    assert (error["code"], said in error["message"]) == ("bets_file", True), error


def test_check_says_where_there_is_no_file(run, file):
    assert str(file) in refused(run, "host", "check", file)["message"]


def test_status_says_what_is_at_stake_and_what_waits(run, ask, world):
    node = world.node(BACKED)
    node.take([world.sign(node, 0, 0, 0, 30 * EUR)])
    node.step()
    shown = ask("host", "status", by=HOST)
    # 20 cover 24.691357 at 80 % with 1 % for validators; 5.308643 wait.
    assert (shown["staked"], shown["bankroll"]) == ("24691357", "20000000")
    assert shown["waiting"] == "5308643"
    assert int(shown["free"]) == 20 * EUR - world.tessera.odds_lens.book(node.catalogue.offered[0].bet_id).needed
    assert shown["balance"] == str(30 * EUR)
    assert shown["bets"][0]["status"] == "OPEN"
    assert shown["bets"][0]["pot"] == str(50 * EUR)
    assert ask("host", "status", world.host.address)["bets"] == shown["bets"]
    assert ask("host", "status", by=1)["bets"] == []
    said = run("host", "status", by=HOST).output
    assert "24.69 EUR staked, 20.00 EUR bankroll" in said
    world.decide(node, 0, 0)
    node.step()
    (settled,) = ask("host", "status", by=HOST)["bets"]
    assert (settled["status"], settled["pot"], settled["staked"]) == ("SETTLED", "0", "0")
    assert (settled["bankroll"], settled["free"], settled["waiting"]) == ("0", "0", "0")


def test_a_host_backs_takes_back_and_ends_its_own_bets_alone(run, ask, world):
    node = world.node(BACKED)
    node.step()
    bet_id = "0x" + node.catalogue.offered[0].bet_id.hex()
    assert ask("host", "fund", bet_id, "10", "--yes", by=HOST)["bankroll"] == "30000000"
    assert ask("--dry-run", "host", "defund", bet_id, "5", by=HOST)["function"] == "OddsBets.defund"
    assert ask("host", "defund", bet_id, "5", by=HOST)["bankroll"] == "25000000"
    node.take([world.sign(node, 0, 0, 0, 10 * EUR)])
    node.step()
    assert refused(run, "host", "defund", bet_id, "25", by=HOST)["reason"] == "odds: bankroll is needed"
    # 10 at 80 % owe 18 and 0.1 to validators; 10 are in.
    assert ask("host", "defund", bet_id, "all", by=HOST)["bankroll"] == "8100000"
    assert "nothing can be taken back" in refused(run, "host", "defund", bet_id, "all", by=HOST)["message"]
    for command in (("close", bet_id), ("fund", bet_id, "1"), ("defund", bet_id, "1")):
        assert refused(run, "host", *command, by=1)["code"] == "not_found"
    ended = run("host", "close", bet_id, by=HOST, input="n\n")
    assert "nobody can stake on it any more" in ended.output
    ask("host", "close", bet_id, "--yes", by=HOST)
    assert ask("bets", "show", bet_id)["status"] == "CLOSED"
    assert refused(run, "bets", "place", bet_id, "win", "2", "--yes", by=1)["code"] == "reverted"


def test_an_offer_that_is_taken_back_can_not_be_listed(run, ask, world, file):
    node = world.node(BARE)
    file.write_text(BARE)
    panel = ("--panel", str(world.panel_id))
    revoke = ("host", "revoke", file, 1, *panel, "--yes")
    assert refused(run, "host", "revoke", file, 7, *panel, "--yes", by=HOST)["code"] == "not_found"
    ask(*revoke, by=HOST)
    offered = node.catalogue.offered[1]
    player = Wallet(world.web3, known_account(1))
    with pytest.raises(Exception, match="hosting: salt is taken"):
        offered.contract.list_bet(player, offered.listing, offered.offer)
    assert refused(run, *revoke, by=HOST)["code"] == "reverted"
