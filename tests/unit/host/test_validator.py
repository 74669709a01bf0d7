"""`ape run validator`: what members sign by themselves, and what anybody submits for them together."""

import json
import re
import shlex
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from scripts import validator
from tessera.chain import ChainError, Deployment, Reverted, Wallet
from tessera.chain.embedded import known_account
from tessera.chain.errors import NotFoundError
from tessera.chain.hosted_bets import Listing
from tessera.chain.panels import INVALID
from tessera.deployment.operators import Commands
from tests.unit.host.conftest import BARE, DAY, EUR, PANEL

WIN = 0


@pytest.fixture
def run(world, monkeypatch, capsys, tmp_path):
    """Runs a command as the account of a number, as Ape would; what it prints."""

    def account(_, name: str):
        return known_account(int(name.removeprefix("TEST::")))

    monkeypatch.setattr(validator, "account_of", lambda *given: account(*given).address)
    monkeypatch.setattr(validator, "wallet_of", lambda *given: Wallet(world.web3, account(*given[:2])))
    monkeypatch.setattr(Deployment, "load", lambda path: world.tessera.deployment)
    provider = SimpleNamespace(web3=world.web3)
    where = {"index_url": f"sqlite:///{tmp_path}/validator.db", "record": tmp_path / "club.json"}

    def called(command, index: int, **options) -> str:
        defaults = {"passphrase_file": None, "dry_run": False, "only_sign": False}
        wanted = {parameter.name for parameter in command.params}
        given = {name: value for name, value in defaults.items() if name in wanted}
        command.callback(provider=provider, account=f"TEST::{index}", **where, **given | options)
        return capsys.readouterr().out

    return called


@pytest.fixture
def bet(world):
    """A bet that is over, 10 on win against 10 on loss, with the node that is to pay it."""
    node = world.node(BARE)
    node.take([world.sign(node, 0, 0, WIN, 10 * EUR), world.sign(node, 0, 1, 1, 10 * EUR)])
    node.step()
    offered = node.catalogue.offered[0]
    world.travel(offered.listing.closes_at + 1)
    return node, f"0x{offered.bet_id.hex()}"


@pytest.fixture
def signed(run, bet, tmp_path):
    """Files of what members printed with `report --sign`."""

    def made(outcome: str, *members: int):
        files = []
        for member in members:
            path = tmp_path / f"{member}-{outcome}.json"
            path.write_text(run(validator.report, member, bet_id=bet[1], outcome=outcome, only_sign=True))
            files.append(path)
        return tuple(files)

    return made


def decided(world, node) -> tuple[bool, int]:
    offered = node.catalogue.offered[0]
    question = offered.listing.question(offered.contract.address)
    return tuple(world.tessera.panels.result(world.panel_id, world.tessera.panels.question_id(question)))


def test_what_members_sign_is_submitted_by_anybody_and_the_bet_is_paid(world, run, bet, signed):
    node, bet_id = bet
    before = {index: world.web3.eth.get_transaction_count(known_account(index).address) for index in PANEL}
    files = signed("win", *PANEL[:2])
    first = json.loads(files[0].read_text())
    assert (first["bet_id"], first["outcome"], first["member"]) == (bet_id, "win", known_account(PANEL[0]).address)
    assert decided(world, node) == (False, 0)
    rehearsed = run(validator.submit, 9, files=files, dry_run=True)
    assert rehearsed == "2 reports of win can be submitted. Nothing was signed or sent.\n"
    assert decided(world, node) == (False, 0)
    assert run(validator.submit, 9, files=files).startswith("submitted in 0x")
    assert decided(world, node) == (True, WIN)
    # Members paid no gas.
    assert before == {index: world.web3.eth.get_transaction_count(known_account(index).address) for index in PANEL}
    node.step()
    assert (world.balance(0), world.balance(1)) == (59 * EUR, 40 * EUR)


def test_the_commands_of_the_page_make_a_panel_and_decide_a_bet(world, run, bet, tmp_path):
    """As docs/host.md has them, read as a shell and Ape read them: once a report is there, two signatures decide."""
    node, bet_id = bet
    page = (validator.ROOT / "docs" / "host.md").read_text()
    said = []
    for line in re.findall(r"^ape run validator (.*)$", page, re.MULTILINE):
        words, _, file = line.partition(" > ")
        name, *arguments = shlex.split(words.replace("BET_ID", bet_id))
        command = validator.cli.commands[name]
        given = command.make_context(name, arguments).params
        index = int(given["account"].removeprefix("TEST::"))
        if "files" in given:
            given["files"] = [tmp_path / path for path in given["files"]]
        own = {"account", "network", "record", "index_url", "provider_settings", "verbosity"}
        text = run(command, index, **{key: value for key, value in given.items() if key not in own})
        said.append((name, text))
        if file:
            (tmp_path / file).write_text(text)
    assert said[0] == ("create", f"panel {world.panel_id}\nIt was there before. Nothing was sent.\n")
    assert bet_id in said[1][1]
    assert said[-1][1].startswith("submitted in 0x")
    assert decided(world, node) == (True, WIN)


def test_a_panel_is_made_once_and_rehearsed_before(world, run):
    members = tuple(known_account(index).address for index in PANEL)
    made = {"members": members, "threshold": 3}
    rehearsed = run(validator.create, 9, **made, dry_run=True)
    assert rehearsed.endswith("It would be created. Nothing was signed or sent.\n")
    number = int(re.search(r"panel (\d+)", rehearsed).group(1))
    assert world.tessera.panels.members_of(number) == []
    assert run(validator.create, 9, **made) == f"panel {number}\n"
    assert set(world.tessera.panels.members_of(number)) == set(members)
    sent = world.web3.eth.get_transaction_count(known_account(9).address)
    assert run(validator.create, 9, **made) == f"panel {number}\nIt was there before. Nothing was sent.\n"
    assert world.web3.eth.get_transaction_count(known_account(9).address) == sent
    with pytest.raises(Reverted, match="panels: bad threshold"):
        run(validator.create, 9, members=members, threshold=1)


def test_a_bet_is_called_invalid_by_signatures(world, run, bet, signed):
    node, _ = bet
    run(validator.submit, 9, files=signed("invalid", *PANEL[:2]))
    assert decided(world, node) == (True, INVALID)
    node.step()
    assert (world.balance(0), world.balance(1)) == (50 * EUR, 50 * EUR)


def test_a_signature_too_few_decides_nothing_and_a_second_one_does(world, run, bet, signed):
    node, _ = bet
    run(validator.submit, 9, files=signed("win", PANEL[0]))
    assert decided(world, node) == (False, 0)
    run(validator.submit, 9, files=signed("win", PANEL[2]))
    assert decided(world, node) == (True, WIN)


def test_signing_needs_a_seat_on_the_panel(run, bet):
    with pytest.raises(ChainError, match="is not on the bet's panel"):
        run(validator.report, 9, bet_id=bet[1], outcome="win", only_sign=True)


def test_reports_of_several_outcomes_are_not_mixed(world, run, bet, signed):
    files = signed("win", PANEL[0]) + signed("loss", PANEL[1])
    with pytest.raises(ChainError, match="of several bets or outcomes"):
        run(validator.submit, 9, files=files)
    assert decided(world, bet[0]) == (False, 0)


def test_a_file_that_is_no_report_is_named(run, bet, tmp_path):
    path = tmp_path / "letter.json"
    for text in ("", "[]", '{"bet_id": "0x12"}'):
        path.write_text(text)
        with pytest.raises(ChainError, match=r"letter\.json is no signed report: `report --sign` prints one"):
            run(validator.submit, 9, files=(path,))


def test_a_report_by_transaction_is_sent_once(run, bet):
    _, bet_id = bet
    rehearsed = run(validator.report, PANEL[0], bet_id=bet_id, outcome="win", dry_run=True)
    assert rehearsed.endswith("can report win. Nothing was signed or sent.\n")
    assert run(validator.report, PANEL[0], bet_id=bet_id, outcome="win").startswith("reported win in 0x")
    with pytest.raises(Reverted):
        run(validator.report, PANEL[0], bet_id=bet_id, outcome="loss")
    assert "0 bets await a report" in run(validator.awaits, PANEL[0], as_json=False)
    waiting = json.loads(run(validator.awaits, PANEL[1], as_json=True))
    assert [one["bet_id"] for one in waiting if one["description"] == "A wins on B"] == [bet_id]


@pytest.fixture
def trap(world):
    """A bet that a stranger lists with this panel, in words that are to mislead it; and what it asks."""
    stranger, tessera = Wallet(world.web3, known_account(9)), world.tessera
    listing = Listing(
        host=stranger.address,
        salt=bytes(32),
        description="A wins\x1b[2J\u202eon B",
        predictions=("win\x1b]0;owned\x07", "invalid"),
        profits=(),
        min_stake=EUR,
        max_stake=EUR,
        closes_at=world.now + 100,
        result_deadline=world.now + 100 + 7 * DAY,
        panel_id=world.panel_id,
        host_bps=0,
        validator_bps=0,
    )
    tessera.prorata.list_bet(stranger, listing)
    world.travel(listing.closes_at + 1)
    return listing


def test_what_strangers_wrote_moves_nothing_in_a_validators_terminal(run, trap):
    """Anybody lists bets with anybody's panel."""
    said = run(validator.awaits, PANEL[0], as_json=False)
    assert "A wins␛[2J<U+202E>on B: win␛]0;owned␇, invalid, invalid" in said

    @click.group(cls=Commands)
    def typed():
        pass

    @typed.command()
    def report():
        run(validator.report, PANEL[0], bet_id=f"0x{trap.bet_id.hex()}", outcome="draw")

    error = CliRunner().invoke(typed, ["report"]).output
    assert "there is no outcome 'draw': win␛]0;owned␇, invalid, invalid" in error


def test_a_prediction_called_invalid_is_not_reported_for_giving_stakes_back(world, run, trap):
    """Members who wanted to give all stakes back would have let that prediction win."""
    bet_id = f"0x{trap.bet_id.hex()}"
    for how in ({"dry_run": True}, {"only_sign": True}, {}):
        with pytest.raises(NotFoundError, match="report nothing, and every stake goes back"):
            run(validator.report, PANEL[0], bet_id=bet_id, outcome="invalid", **how)
