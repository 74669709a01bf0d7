"""`tessera club init`: a club's files, its node's account, and the right to invite."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tessera.chain.accounts import from_key_file, secret_of
from tessera.club.settings import read_settings
from tests.quick_keys import quick_keys  # noqa: F401

OWNER, MEMBER = 0, 1
ABOUT = ("--name", "Friday club", "--url", "https://club.example", "--members", 12)


@pytest.fixture
def init(run, tmp_path, quick_keys) -> Callable:  # noqa: F811
    """`init(...)`: the command, into the folder `club`."""

    def invoke(*arguments, by: int = OWNER, options: tuple = (), **more):
        page = ("--page", tmp_path / "page")
        return run(*options, "club", "init", "--folder", tmp_path / "club", *page, *ABOUT, *arguments, by=by, **more)

    return invoke


def test_the_owner_s_club_is_ready_for_its_node(init, tessera, tmp_path):
    done = init("--budget", 0.25, "--yes", options=("--json",))
    assert done.exit_code == 0, done.output
    answer, folder = json.loads(done.output), tmp_path / "club"
    node = from_key_file(folder / "node.json", secret_of(folder / "node.txt")).address
    settings = read_settings(Path(answer["config"]))
    assert (answer["node"], answer["may_invite"], settings.gas.budget) == (node, True, 10**18 // 4)
    assert tessera.play_euro.is_inviter(node)
    sent, built, *commands = answer["then"]
    assert (f"send {node}" in sent, "0.250000 ETH" in sent, "build the page" in built) == (True, True, True)
    assert [command.split(" --")[0] for command in commands] == ["`tessera club serve", "`tessera club invite"]
    assert "--count 12`" in commands[1]


def test_a_budget_that_nobody_named_is_twice_a_start_of_all(init, tessera, tmp_path):
    """Docs/club.md: an entry is 166,000 gas, a bet 59,607, at the price that the chain asks for."""
    assert init("--yes").exit_code == 0
    gas = read_settings(tmp_path / "club" / "club.toml").gas
    price = tessera.web3.eth.gas_price
    start = 12 * (gas.bets * 59_607 + 166_000)
    # Base fee counts twice, for dearer blocks; the node rounds what things take up, by less than a tenth.
    assert 2 * start * price <= gas.budget <= 2 * 1.1 * (2 * start * price)


def test_who_does_not_own_the_club_is_told_what_the_owner_does(init, tessera, tmp_path):
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("")
    answer = json.loads(init("--budget", 0.25, "--yes", options=("--json",), by=MEMBER).output)
    assert answer["may_invite"] is False
    assert f"have the owner run `tessera members inviter {answer['node']}`" in answer["then"]
    assert not any("build the page" in each for each in answer["then"])
    assert not tessera.play_euro.is_inviter(answer["node"])


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [((), (), "at most"), (("--yes",), ("--dry-run",), "nothing was sent and no file was written")],
    ids=["who says no", "a dry run"],
)
def test_nothing_is_written_or_sent(arguments, options, said, init, tessera, tmp_path):
    block = tessera.web3.eth.block_number
    done = init(*arguments, options=options, input="n\n")
    assert said in done.output
    assert (tessera.web3.eth.block_number, (tmp_path / "club").exists()) == (block, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--url", "https://club.example/friday"), "url: "), ((), "is there already")],
    ids=["an address with a path", "a folder with a club"],
)
def test_what_no_node_takes_is_said_before_anything_is_sent(arguments, said, init, tessera, tmp_path):
    """It was said at the end, when the contracts were deployed and paid for."""
    config = tmp_path / "club" / "club.toml"
    if not arguments:
        config.parent.mkdir()
        config.write_text("")
    block = tessera.web3.eth.block_number
    done = init("--budget", 0.25, "--yes", *arguments)
    assert (done.exit_code, said in done.output) == (1, True), done.output
    assert tessera.web3.eth.block_number == block
    assert [path.name for path in tmp_path.rglob("*") if path.name in ("node.json", "node.txt")] == []
