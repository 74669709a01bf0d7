"""`tessera markets` and the betting balance: each command, and each way to be told no."""

import json
import re
from datetime import UTC, datetime

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from tessera.chain import EUR, WAD, Outcome, Wallet
from tessera.chain.embedded import known_account
from tessera.chain.errors import NodeError, NodeRefusedError, NotMinedError
from tessera.chain.lmsr_markets import Status
from tessera.chain.permits import NoPermits
from tessera.cli.main import cli

CREATE = (
    "markets", "create", "--question", "Will it rain?", "--means-yes", "It does.", "--means-no", "It does not.",
    "--rules", "As the source reports it.", "--source", "The newspaper.", "--p0", "62%", "--window", "60", "--yes",
)  # fmt: skip


def address(number: int) -> str:
    return known_account(number).address


@pytest.fixture
def market(ask, web3) -> int:
    at = web3.eth.get_block("latest")["timestamp"] + 86_400
    return ask(*CREATE, "--result", iso(at), by=1)["market"]


def iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def pass_time(web3, seconds: int) -> None:
    web3.provider.ethereum_tester.time_travel(web3.eth.get_block("latest")["timestamp"] + seconds)


def test_create_opens_a_market(tessera, market):
    assert tessera.markets.market(market).creator == address(1)
    assert tessera.markets.prices(market)[Outcome.YES] == pytest.approx(0.62 * WAD, rel=1e-12)
    assert tessera.markets.market(market).dispute_window == 60


def test_create_shows_what_is_risked_and_asks(run, tessera, web3):
    at = web3.eth.get_block("latest")["timestamp"] + 86_400
    result = run(*CREATE[:-1], "--result", iso(at), by=1, input="n\n")
    assert result.exit_code == 1
    assert re.search(r"you lose at most +10\.00 EUR", result.output)
    assert tessera.markets.market_count() == 0


def test_list_shows_and_searches(ask, run, market):
    assert ask("markets", "list") == [
        {
            "market": market,
            "question": "Will it rain?",
            "state": "OPEN",
            "YES": ask("markets", "list", "--search", "RAIN")[0]["YES"],
            "bets": 0,
            "result": ask("markets", "list", "--state", "open")[0]["result"],
        }
    ]
    assert float(ask("markets", "list")[0]["YES"]) == pytest.approx(0.62)
    assert ask("markets", "list", "--search", "snow") == []
    assert ask("markets", "list", "--state", "resolved") == []
    assert "no such market" in run("markets", "list", "--search", "snow").output
    assert re.search(r"Will it rain\? +OPEN +62\.0%", run("markets", "list").output)


def test_quote_is_the_contracts(ask, run, tessera, market):
    quoted = tessera.markets.quote(market, Outcome.NO, bets=3)
    shown = ask("markets", "quote", market, "no", "--bets", 3)
    assert float(shown["odds"]) == pytest.approx(quoted.odds / WAD)
    assert float(shown["pays if NO, at most"]) == quoted.max_payoff / EUR
    assert float(shown["loses on average, if that is right"]) == quoted.expected_loss / EUR
    assert re.search(r"loses on average, if that is right +0\.\d+ EUR", run("markets", "quote", market, "no").output)


def test_bet_buys_what_was_quoted(ask, tessera, market):
    quoted = tessera.markets.quote(market, Outcome.YES)
    done = ask("markets", "bet", market, "yes", "--yes", by=2)
    assert tessera.markets.position(market, address(2)).shares[Outcome.YES] == quoted.shares
    assert float(done["shares"]) == pytest.approx(quoted.shares / WAD)


def test_bet_asks_first(run, tessera, market):
    result = run("markets", "bet", market, "yes", by=2, input="n\n")
    assert result.exit_code == 1
    assert "Go on?" in result.output
    assert "odds" in result.output
    assert tessera.markets.market(market).bets == 0


def test_json_asks_about_what_it_shows(run, tessera, market):
    result = run("--json", "markets", "bet", market, "yes", by=2, input="n\n")
    assert result.exit_code == 1
    assert re.search(r"loses on average, if that is right +0\.\d+ EUR\s+Go on\?", result.output)
    assert tessera.markets.market(market).bets == 0


def test_times_ahead_are_the_chains(ask, tessera, web3):
    """A devnet's clock can be weeks ahead of this computer's."""
    pass_time(web3, 60 * 86_400)
    now = web3.eth.get_block("latest")["timestamp"]
    market = ask(*CREATE, "--result", "3d", "--closes", "12h", by=1)["market"]
    assert tessera.markets.market(market).expected_result_at - now == pytest.approx(3 * 86_400, abs=60)
    assert tessera.markets.market(market).closes_at - now == pytest.approx(12 * 3_600, abs=60)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            NodeRefusedError("Insufficient funds for gas * price + value", "eth_sendRawTransaction", -32000),
            "needs ETH of this network for the fee",
        ),
        (NotMinedError("not mined in 120 s"), "It may still be mined"),
        (NodeError("gone", "eth_sendRawTransaction", may_be_sent=True), "what was sent may be done"),
    ],
)
def test_a_node_that_fails_is_told_in_words(run, market, monkeypatch, error, said):
    def fails(*_):
        raise error

    monkeypatch.setattr(Wallet, "send", fails)
    result = run("markets", "bet", market, "yes", "--yes", by=2)
    assert (result.exit_code, said in result.output) == (1, True), result.output
    assert "Traceback" not in result.output


def test_a_dry_run_sends_nothing(run, tessera, market):
    before = tessera.web3.eth.block_number
    result = run("--dry-run", "markets", "bet", market, "yes", by=2)
    assert (result.exit_code, tessera.web3.eth.block_number) == (0, before)
    assert "dry run: LmsrMarkets.bet would succeed" in result.output
    told = json.loads(run("--json", "--dry-run", "markets", "bet", market, "yes", by=2).stdout)
    assert (told["would_succeed"], told["gas_limit"] > 0) == ("LmsrMarkets.bet", True)


def test_a_dry_run_tells_what_would_be_refused(run, market):
    result = run("--dry-run", "markets", "bet", market, "yes", by=4)
    assert (result.exit_code, result.output.splitlines()[-1][:15]) == (1, "Error: escrow: ")


def test_show_tells_terms_history_and_what_you_hold(ask, run, market):
    ask("markets", "bet", market, "yes", "--yes", by=2)
    shown = ask("markets", "show", market, by=2)
    assert (shown["question"], shown["bets"], shown["creator"]) == ("Will it rain?", 1, address(1))
    assert "shares for 1.00 EUR" in shown["your YES"]
    assert set(shown["its history"]) <= set("▁▂▃▄▅▆▇█")
    assert "your YES" not in ask("markets", "show", market)


def test_from_proposal_to_claim(ask, run, tessera, web3, market):
    ask("markets", "bet", market, "yes", "--yes", by=2)
    pass_time(web3, 5)
    ask("markets", "bet", market, "no", "--yes", by=3)
    ask("markets", "close", market, by=1)
    pass_time(web3, 2 * 86_400)
    assert ask("markets", "propose", market, "yes", by=3)["state"] == "PENDING"
    assert ask("markets", "complain", market, "no", "It did not rain.", by=1)["state"] == "DISPUTED"
    ask("markets", "vote", market, "yes", by=2)
    pass_time(web3, 8 * 86_400)
    if tessera.markets.market(market).status == Status.DISPUTED:
        ask("markets", "finalize", market, by=4)
    due = tessera.markets.position(market, address(2)).payoff(Outcome.YES)
    before = tessera.escrow.balance_of(address(2))
    assert float(ask("markets", "claim", market, by=2)["paid"]) == due / EUR
    assert tessera.escrow.balance_of(address(2)) == before + due > before


def test_expire_gives_back(ask, tessera, web3, market):
    ask("markets", "bet", market, "yes", "--yes", by=2)
    pass_time(web3, 30 * 86_400)
    assert ask("markets", "expire", market, by=4)["state"] == "INVALID"
    assert float(ask("markets", "claim", market, by=2)["paid"]) == 1.0


def test_a_referee_rules(ask, tessera, web3):
    at = web3.eth.get_block("latest")["timestamp"] + 3_600
    market = ask(*CREATE, "--result", iso(at), "--referee", address(3), by=1)["market"]
    ask("markets", "accept-referee", market, by=3)
    ask("markets", "bet", market, "yes", "--yes", by=2)
    pass_time(web3, 7_200)
    ask("markets", "propose", market, "no", by=1)
    ask("markets", "complain", market, "yes", "It did rain.", by=2)
    assert ask("markets", "rule", market, "yes", by=3)["state"] == "RESOLVED"


@pytest.mark.parametrize(
    ("arguments", "by", "said"),
    [
        (("markets", "bet", 1, "yes", "--yes"), None, "say who you are"),
        (("markets", "bet", 99, "yes", "--yes"), 2, "lmsr: unknown market"),
        (("markets", "propose", 1, "yes"), 2, "lmsr: "),
        (("markets", "claim", 1), 2, "lmsr: "),
        (("markets", "rule", 1, "yes"), 2, "lmsr: "),
        (("join",), 2, "already"),
        (("join",), 7, "not invited"),
        (("withdraw", "1000000"), 2, "escrow: "),
    ],
)
def test_is_told_why_not(run, tessera, market, arguments, by, said):
    before = tessera.web3.eth.block_number
    result = run(*arguments, by=by)
    assert result.exit_code == 1, result.output
    assert said in result.output
    assert "Traceback" not in result.output
    assert tessera.web3.eth.block_number == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("markets", "bet", 1, "maybe"), "'maybe' is not one of 'yes', 'no'"),
        (("markets", "quote", 1, "yes", "--bets", 101), "101 is not in the range"),
        (("markets", "bet", 1, "yes", "--slippage", "60%"), "between 0% and 50%"),
        (("markets", "bet", 1, "yes", "--slippage", "few"), "say 62% or 0.62"),
        ((*CREATE, "--result", "tomorrow"), "say 3d, 12h, 90m or"),
        ((*CREATE, "--p0", "100", "--result", "1d"), "between 1% and 99%"),
        ((*CREATE, "--question", "x" * 257, "--result", "1d"), "question: 1 to 256 bytes"),
        (("deposit", "0"), "more than 0"),
        (("deposit", "0.0000001"), "at most 6 digits"),
        (("deposit", "nan"), "more than 0"),
        (("deposit", "much"), "say an amount like 12.50"),
    ],
)
def test_is_told_what_to_say(run, market, arguments, said):
    result = run(*arguments, by=2)
    assert result.exit_code == 2, result.output
    assert said in result.output


def test_join_withdraw_and_deposit_again(ask, tessera):
    assert float(ask("join", by=4)["balance"]) == 50
    assert tessera.escrow.consent_of(address(4)) == 1
    ask("withdraw", "20", by=4)
    assert tessera.play_euro.balance_of(address(4)) == 20 * EUR
    assert float(ask("deposit", "20", "--yes", by=4)["balance"]) == 50
    assert tessera.escrow.consent_of(address(4)) == 1
    ask("withdraw", "all", by=4)
    assert tessera.play_euro.balance_of(address(4)) == 50 * EUR


def test_a_token_without_permits_is_approved_first(ask, tessera, monkeypatch):
    def no_permits(*_):
        raise NoPermits("none")

    ask("withdraw", "20", by=2)
    monkeypatch.setattr("tessera.cli.session.sign_permit", no_permits)
    sent = tessera.web3.eth.get_transaction_count(address(2))
    assert float(ask("deposit", "20", "--yes", by=2)["balance"]) == 50
    assert tessera.web3.eth.get_transaction_count(address(2)) == sent + 2


def test_consent_can_be_taken_back(ask, run, tessera, market):
    assert ask("consents", "show", by=2) == {"0: Friends' markets": "may take your bets"}
    assert ask("consents", "take-back", by=2)["0: Friends' markets"] == "may not"
    assert tessera.escrow.consent_of(address(2)) == 0
    assert "escrow: no consent" in run("markets", "bet", market, "yes", "--yes", by=2).output
    assert ask("consents", "allow", by=2)["0: Friends' markets"] == "may take your bets"
    assert tessera.escrow.consent_of(address(2)) == 1
    assert "escrow: unknown product" in run("consents", "allow", 7, by=2).output


def test_the_shell_completes():
    completion = BashComplete(cli, {}, "tessera", "_TESSERA_COMPLETE")
    assert [found.value for found in completion.get_completions(["markets"], "cl")] == ["claim", "close"]
    assert [found.value for found in completion.get_completions(["markets", "bet", "1"], "")] == ["yes", "no"]


def test_one_account_at_a_time(run, tmp_path):
    result = run("--key-file", tmp_path / "key.json", "join", by=4)
    assert (result.exit_code, "name one account" in result.output) == (1, True)


def test_no_node(monkeypatch):
    result = CliRunner().invoke(cli, ["--rpc", "http://127.0.0.1:1", "markets", "list"])
    assert (result.exit_code, "no node answers at http://127.0.0.1:1" in result.output) == (1, True)


def test_no_record(run, tmp_path):
    result = run("--record", tmp_path / "none.json", "markets", "list")
    assert (result.exit_code, "no deployment record" in result.output) == (1, True)
