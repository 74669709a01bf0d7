"""`python -m tessera.index`: what is wrong is said in one line, and nothing is made."""

import pytest
from click.testing import CliRunner
from web3 import HTTPProvider

from tessera.index import cli as commands
from tests.unit.index.node import Node, deployment


@pytest.fixture
def record(tmp_path):
    path = tmp_path / "record.json"
    deployment().save(path)
    return path


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Returns what runs `sync` with a record, on a node; the answer of the command."""

    def sync(node, record):
        monkeypatch.setattr(commands, "HTTPProvider", lambda url: node)
        database = f"sqlite:///{tmp_path}/index.db"
        return CliRunner().invoke(commands.cli, ["--database", database, "--record", str(record), "sync"])

    return sync


def test_reads_up_to_the_newest_block(run, record):
    node = Node()
    node.mine([], [])
    done = run(node, record)
    assert done.exit_code == 0
    assert done.output.endswith("0 rows read; the index is at block 2\n")


def test_a_chain_before_the_deployment(run, record):
    done = run(Node(), record)
    assert done.exit_code == 0
    assert done.output.endswith("0 rows read; the index is at its beginning\n")


def test_no_record(run, tmp_path):
    done = run(Node(), tmp_path / "none.json")
    assert done.exit_code == 1
    assert f"Error: no deployment record {tmp_path}/none.json" in done.output


def test_no_node(run, record, tmp_path):
    done = run(HTTPProvider("http://127.0.0.1:9", exception_retry_configuration=None), record)
    assert done.exit_code == 1
    assert "Error: no node answers at http://127.0.0.1:8545: ConnectionError" in done.output
    assert not (tmp_path / "index.db").exists()


def test_another_deployment_s_index(run, record, tmp_path):
    run(Node(), record)
    deployment(first_block=7).save(record)
    done = run(Node(), record)
    assert done.exit_code == 1
    assert "Error: the index is of another deployment or version: delete it, it is read again" in done.output
