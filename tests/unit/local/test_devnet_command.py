"""What the commands for a running devnet say where it is gone. All else: tests/integration/test_devnet_month.py."""

import json
import socket

import pytest
from click.testing import CliRunner

from scripts import devnet


@pytest.fixture(params=[["pass", "--days", "7"], ["report", "1", "0"]], ids=["pass", "report"])
def said(request, tmp_path):
    """Returns what a command prints, which fails with it and nothing else."""

    def said() -> str:
        done = CliRunner().invoke(devnet.cli, [*request.param, "--into", str(tmp_path)])
        assert (done.exit_code, type(done.exception)) == (1, SystemExit)
        return " ".join(done.output.split())

    return said


def test_says_that_the_devnet_of_the_file_does_not_answer(said, tmp_path):
    """A devnet that was killed leaves its files behind."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    (tmp_path / devnet.PAGE).parent.mkdir()
    (tmp_path / devnet.PAGE).write_text(json.dumps({"rpcUrl": url}))
    assert f"no devnet answers at {url}" in said()
