"""The command `tessera` on the embedded chain."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from web3 import Web3

from tessera.chain import Tessera, Wallet, prepared
from tessera.chain.embedded import embedded_web3, known_account
from tessera.cli.main import cli
from tessera.deployment.deploy import deploy
from tests.undo import undone

WINDOW = 60
DAY = 86_400


@pytest.fixture(scope="session")
def deployed(tmp_path_factory) -> tuple[Tessera, str]:
    """A club whose members 1 to 3 have joined; account 4 is invited."""
    web3 = embedded_web3()
    path = tmp_path_factory.mktemp("cli") / "devnet.json"
    owner = Wallet(web3, known_account(0))
    tessera = Tessera(web3, deploy(owner, "friends", {"shortest_window": WINDOW}, path=path))
    friends = [Wallet(web3, known_account(index)) for index in range(1, 5)]
    tessera.play_euro.invite(owner, [friend.address for friend in friends])
    for friend in friends[:3]:
        tessera.play_euro.join(friend, consent=1)
    return tessera, str(path)


@pytest.fixture
def tessera(deployed) -> Tessera:
    with undone(deployed[0].web3):
        yield deployed[0]


@pytest.fixture
def web3(tessera) -> Web3:
    return tessera.web3


@pytest.fixture
def run(tessera, deployed, monkeypatch, tmp_path) -> Callable[..., Result]:
    """`run("markets", "list")`, as devnet account `by`; output and exit code come back."""
    return command(tessera.web3, deployed[1], monkeypatch, tmp_path)


def command(web3: Web3, record: str, monkeypatch, home) -> Callable[..., Result]:
    """The command on a chain inside this process."""
    monkeypatch.setattr("tessera.cli.session.connect", lambda url: prepared(Web3(web3.provider)))
    monkeypatch.setattr("tessera.cli.session.HOME", home)

    def invoke(*arguments, by: int | None = None, **options) -> Result:
        who = [] if by is None else ["--devnet-account", str(by)]
        return CliRunner().invoke(cli, ["--record", record, *who, *map(str, arguments)], **options)

    return invoke


@pytest.fixture
def ask(run) -> Callable:
    """What a command answers as JSON; it must succeed."""

    def invoke(*arguments, **options):
        result = run("--json", *arguments, **options)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return invoke
