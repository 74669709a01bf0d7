"""A command that fails says why in one line with a code, and what became of its transactions."""

import json

import pytest
import requests
from click.testing import CliRunner
from web3 import Web3

from tessera.chain import NodeError, Wallet
from tessera.chain.embedded import known_account
from tessera.cli.failures import Failure
from tessera.cli.main import cli
from tessera.cli.session import record_transactions
from tessera.index.holes import IncompleteError

from .test_markets import CREATE, iso, market  # noqa: F401  a fixture

HOSTILE = "Will it \x1b]8;;https://evil.example\x1b\\rain\u202e\u200b?"


@pytest.fixture
def node(tessera, monkeypatch):
    """`node(method, failure)`: from now on the node fails so at a method; `failure` may also get the usual answer."""
    provider = tessera.web3.provider
    answer = provider.make_request

    def fail(method: str, failure) -> None:
        def make_request(asked, params):
            if asked == method:
                return failure(lambda: answer(asked, params))
            return answer(asked, params)

        monkeypatch.setattr(provider, "make_request", make_request)

    return fail


@pytest.fixture
def apart(run, deployed):
    """Runs a command with --json; its stdout and what it says on stderr."""

    def invoke(*arguments, by=2):
        who = ["--record", deployed[1], "--devnet-account", str(by), "--json"]
        result = CliRunner(mix_stderr=False).invoke(cli, [*who, *map(str, arguments)])
        return result.exit_code, result.stdout, json.loads(result.stderr)["error"]

    return invoke


def refuse(message: str):
    return lambda _: {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": message}}


def take_and_drop(answer):
    answer()
    raise requests.ConnectionError("gone")


@pytest.mark.parametrize(
    ("arguments", "by", "exit_code", "code", "said"),
    [
        (("markets", "bet", 99, "yes", "--yes"), 2, 1, "reverted", "lmsr: unknown market"),
        (("markets", "bet", 1, "maybe"), 2, 2, "usage", "'maybe' is not one of"),
        (("markets", "bet"), 2, 2, "usage", "Missing argument"),
        (("markets", "bat"), 2, 2, "usage", "No such command"),
        (("deposit", "1,000"), 2, 2, "usage", "without a separator of thousands"),
        (("portfolio", "show", "0x12"), 2, 2, "usage", "is not an address"),
        (("withdraw", "1000000"), 2, 1, "reverted", "escrow: "),
    ],
)
def test_a_refusal_has_a_code_and_nothing_was_sent(apart, run, tessera, market, arguments, by, exit_code, code, said):  # noqa: F811
    before = tessera.web3.eth.block_number
    status, output, error = apart(*arguments, by=by)
    assert (status, output, error["code"], error["sent"]) == (exit_code, "", code, False)
    assert said in error["message"]
    assert (" --help'" in error["message"]) == (code == "usage")
    (line,) = run(*arguments, by=by).output.splitlines()
    assert said in line
    assert line.endswith(f"Nothing was sent. [{code}]")
    assert tessera.web3.eth.block_number == before


def test_a_reason_of_a_contract_is_a_value_of_its_own(apart, market):  # noqa: F811
    assert apart("markets", "bet", market, "yes", "--yes", by=4)[2]["reason"].startswith("escrow: ")


def test_a_refusal_of_the_node_sends_nothing(apart, node, market):  # noqa: F811
    node("eth_sendRawTransaction", refuse("insufficient funds for gas * price + value"))
    _, _, error = apart("markets", "bet", market, "yes", "--yes")
    assert (error["sent"], error["transactions"]) == (False, {})
    assert "ETH of this network" in error["message"]


def test_every_transaction_is_noted_until_its_receipt_is_seen(tessera, node):
    node("eth_sendRawTransaction", take_and_drop)
    web3, notes = Web3(tessera.web3.provider), {}
    record_transactions(web3, notes)
    wallet = Wallet(web3, known_account(2))
    call = {"to": tessera.escrow.address, "data": Web3.to_hex(tessera.escrow.calldata("set_consent", 0))}
    signed = wallet.signed(call, "Escrow.set_consent")
    with pytest.raises(NodeError):
        web3.eth.send_raw_transaction(signed.raw_transaction)
    assert notes == {Web3.to_hex(signed.hash): "unknown"}
    web3.eth.get_transaction_receipt(signed.hash)
    assert notes == {Web3.to_hex(signed.hash): "done"}
    # An offer of the same transaction at another price is void once one of them is mined.
    notes |= {"0x01": "unknown", "0x02": "failed"}
    web3.eth.get_transaction_receipt(signed.hash)
    assert notes == {Web3.to_hex(signed.hash): "done", "0x02": "failed"}


def test_what_is_not_known_of_a_transaction_is_said():
    failure = Failure("node", "the node failed")
    assert (failure.sent, failure.line()) == (False, "Error: the node failed. Nothing was sent. [node]")
    failure.transactions = {"0x01": "unknown"}
    assert failure.sent is None
    assert "Transaction 0x01 may have been sent and may still be mined: look before you try again." in failure.line()
    failure.transactions = {"0x01": "done", "0x02": "failed"}
    assert failure.as_mapping()["error"] == {
        "code": "node", "message": "the node failed", "sent": True, "transactions": {"0x01": "done", "0x02": "failed"},
    }  # fmt: skip
    assert "0x01 was sent and stays done. Transaction 0x02 was sent and failed" in failure.line()


def test_ctrl_c_says_what_was_sent(apart, market, monkeypatch):  # noqa: F811
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Wallet, "submit", interrupted)
    status, _, error = apart("markets", "bet", market, "yes", "--yes")
    assert (status, error["code"], error["sent"]) == (1, "interrupted", False)


def test_a_strangers_text_moves_no_cursor(run, ask, web3):
    at = web3.eth.get_block("latest")["timestamp"] + 86_400
    texts = ("--question", HOSTILE, "--rules", "\u2066\x9b31mred", "--source", "\u3164")
    made = ask(*CREATE, *texts, "--result", iso(at), by=1)["market_id"]
    shown = [
        run("markets", "list").output,
        run("markets", "show", made).output,
        run(*CREATE, *texts, "--result", iso(at), by=1, input="n\n").output,
        run("--dry-run", *CREATE, *texts, "--result", iso(at), by=1).output,
        run("markets", "list", "--state", HOSTILE).output,
        run("portfolio", "show", HOSTILE).output,
        run("--record", HOSTILE, "markets", "list").output,
        run("--json", "markets", "list").output,
        run("--json", "portfolio", "show", HOSTILE).output,
    ]
    assert [text for text in shown if any(character in text for character in "\x1b\x9b\u202e\u200b\u2066\u3164")] == []
    assert "Will it ␛]8;;https://evil.example␛\\rain<U+202E><U+200B>?" in shown[0]
    assert "<U+2066><U+009B>31mred" in shown[1]
    assert json.loads(shown[7])[0]["question"] == HOSTILE  # for programs it is what was written


def test_logs_that_a_node_leaves_out_are_no_answer(apart, market, monkeypatch):  # noqa: F811
    def check(_):
        raise IncompleteError(["of market 1"])

    monkeypatch.setattr("tessera.index.Index.check", check)
    status, output, error = apart("markets", "list")
    assert (status, output, error["code"], error["sent"]) == (1, "", "incomplete_logs", False)
