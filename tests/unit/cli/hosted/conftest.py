"""The command `tessera` where hosts offer bets: the world of the node's own tests."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result

from tessera.host import client
from tests.unit.cli.conftest import command
from tests.unit.host.conftest import World, deployed, panel_id, world  # noqa: F401  fixtures


@pytest.fixture
def run(world: World, monkeypatch, tmp_path) -> Callable[..., Result]:  # noqa: F811
    """The command, which does not wait for a node's next step."""
    monkeypatch.setattr(client, "SHOWN_SECONDS", 0.2)
    world.tessera.deployment.save(tmp_path / "record.json")
    return command(world.web3, str(tmp_path / "record.json"), monkeypatch, tmp_path)


def refused(run, *arguments, **options) -> dict:
    """The error of a command that sent nothing."""
    result = run("--json", *arguments, **options)
    assert result.exit_code != 0, result.output
    error = json.loads(result.output[result.output.index('{\n  "error"') :])["error"]
    assert error["sent"] is False
    return error
