"""`python -m tessera.index`: what is wrong is said in one line, and nothing is made."""

from json import JSONDecodeError

import pytest
from click.testing import CliRunner
from web3 import HTTPProvider, Web3

from tessera.chain.node import prepared
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

    def sync(node, record, database=f"sqlite:///{tmp_path}/index.db"):
        monkeypatch.setattr(commands, "connect", lambda url: prepared(Web3(node), patience=0))
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
    assert "Error: the node at http://127.0.0.1:8545 failed: no answer to eth_chainId (ConnectionError)" in done.output
    assert not (tmp_path / "index.db").exists()


def test_another_deployment_s_index(run, record, tmp_path):
    run(Node(), record)
    deployment(first_block=7).save(record)
    done = run(Node(), record)
    assert done.exit_code == 1
    message = (
        f"Error: the index sqlite:///{tmp_path}/index.db is of another deployment or version: delete it, it is read"
    )
    assert message in done.output


@pytest.mark.parametrize(
    ("database", "message"),
    [
        ("rubbish", "no database at this URL: Could not parse"),
        ("oracle+nothing://x", "no database at this URL: Can't load plugin"),
        ("sqlite:////nonexistent/index.db", "the index sqlite:////nonexistent/index.db cannot be used: unable to open"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/x", "the index postgresql+psycopg://me:***@127.0.0.1:1/x cannot"),
    ],
)
def test_no_database(run, record, database, message):
    done = run(Node(), record, database)
    assert (done.exit_code, done.output.startswith("Error: ")) == (1, True)
    assert message in done.output
    assert "secret" not in done.output


def test_a_file_that_is_no_database(run, record, tmp_path):
    (tmp_path / "index.db").write_text("a letter\n" * 500)
    done = run(Node(), record)
    assert done.exit_code == 1
    assert f"Error: the index sqlite:///{tmp_path}/index.db cannot be used: file is not a database" in done.output


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            ConnectionError("reset"),
            "the node at http://127.0.0.1:8545 failed: no answer to eth_getLogs (Conn",
        ),
        (
            JSONDecodeError("Could not decode '<html>'", "<html>", 0),
            "failed: what answers eth_getLogs is no JSON: Could",
        ),
    ],
)
def test_a_node_that_fails_on_the_way(run, record, error, message):
    node = Node()
    node.mine([])

    def fail(method):
        if method == "eth_getLogs":
            raise error

    node.before = fail
    done = run(node, record)
    assert (done.exit_code, message in done.output) == (1, True), done.output
