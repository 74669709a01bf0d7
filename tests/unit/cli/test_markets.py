"""`tessera markets` and the betting balance: each command, and each way to be told no."""

import json
import re
from datetime import UTC, datetime

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from tessera.chain import EUR, WAD, Outcome
from tessera.chain.embedded import known_account
from tessera.chain.lmsr_markets import Status
from tessera.chain.permits import NoPermits
from tessera.cli.main import cli
from tessera.model.resolution import conclusion

CREATE = (
    "markets", "create", "--question", "Will it rain?", "--means-yes", "It does.", "--means-no", "It does not.",
    "--rules", "As the source reports it.", "--source", "The newspaper.", "--p0", "62%", "--window", "60", "--yes",
)  # fmt: skip


def address(number: int) -> str:
    return known_account(number).address


@pytest.fixture
def market(ask, web3) -> int:
    at = web3.eth.get_block("latest")["timestamp"] + 86_400
    return ask(*CREATE, "--result", iso(at), by=1)["market_id"]


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
            "market_id": market,
            "question": "Will it rain?",
            "status": "OPEN",
            "p_yes": ask("markets", "list", "--search", "RAIN")[0]["p_yes"],
            "bets": 0,
            "expected_result_at": ask("markets", "list", "--state", "open")[0]["expected_result_at"],
        }
    ]
    assert int(ask("markets", "list")[0]["p_yes"]) == pytest.approx(0.62 * WAD)
    assert ask("markets", "list", "--search", "snow") == []
    assert ask("markets", "list", "--state", "resolved") == []
    assert "no such market" in run("markets", "list", "--search", "snow").output
    assert re.search(r"Will it rain\? +OPEN +62\.0%", run("markets", "list").output)


def test_quote_is_the_contracts(ask, run, tessera, market):
    quoted = tessera.markets.quote(market, Outcome.NO, bets=3)
    shown = ask("markets", "quote", market, "no", "--bets", 3)
    names = ("stake", "shares", "odds", "max_payoff", "price", "price_impact", "expected_loss")
    assert [int(shown[name]) for name in names] == [getattr(quoted, name) for name in names]
    # What the market keeps of 1 EUR on average is the expected loss over the stake.
    assert int(shown["edge"]) / WAD == pytest.approx(quoted.expected_loss / quoted.stake, abs=1e-6)
    assert (shown["outcome"], shown["decided_by"]) == ("NO", None)
    said = run("markets", "quote", market, "no").output
    assert re.search(r"you lose on average, if the market is right +0\.\d{4} EUR", said)
    assert re.search(r"disputes are decided by +the bettors' votes, a head each", said)


def test_bet_buys_what_was_quoted(ask, tessera, market):
    quoted = tessera.markets.quote(market, Outcome.YES)
    done = ask("markets", "bet", market, "yes", "--yes", by=2)
    assert tessera.markets.position(market, address(2)).shares[Outcome.YES] == quoted.shares
    assert int(done["shares"]) == quoted.shares


def test_bet_asks_first(run, tessera, market):
    result = run("markets", "bet", market, "yes", by=2, input="n\n")
    assert result.exit_code == 1
    assert "Go on?" in result.output
    assert "odds" in result.output
    assert tessera.markets.market(market).bets == 0


def test_json_asks_about_what_it_shows(run, tessera, market):
    result = run("--json", "markets", "bet", market, "yes", by=2, input="n\n")
    assert result.exit_code == 1
    before, after = result.output.split("Go on?")
    assert re.search(r"you lose on average, if the market is right +0\.\d{4} EUR", before)
    assert "disputes are decided by" in before
    assert '"code": "interrupted"' in after
    assert tessera.markets.market(market).bets == 0


def test_times_ahead_are_the_chains(ask, tessera, web3):
    """A devnet's clock can be weeks ahead of this computer's."""
    pass_time(web3, 60 * 86_400)
    now = web3.eth.get_block("latest")["timestamp"]
    market = ask(*CREATE, "--result", "3d", "--closes", "12h", by=1)["market_id"]
    assert tessera.markets.market(market).expected_result_at - now == pytest.approx(3 * 86_400, abs=60)
    assert tessera.markets.market(market).closes_at - now == pytest.approx(12 * 3_600, abs=60)


def test_a_dry_run_sends_nothing(run, tessera, market):
    before = tessera.web3.eth.block_number
    result = run("--dry-run", "markets", "bet", market, "yes", by=2)
    assert (result.exit_code, tessera.web3.eth.block_number) == (0, before)
    assert "dry run: LmsrMarkets.bet would succeed" in result.output
    answer = json.loads(run("--json", "--dry-run", "markets", "bet", market, "yes", by=2).stdout)
    assert (answer["dry_run"], answer["function"], answer["gas_limit"] > 0) == (True, "LmsrMarkets.bet", True)


def test_a_dry_run_tells_what_would_be_refused(run, market):
    result = run("--dry-run", "markets", "bet", market, "yes", by=4)
    assert (result.exit_code, result.output.splitlines()[-1][:15]) == (1, "Error: escrow: ")
    assert result.output.splitlines()[-1].endswith("Nothing was sent. [reverted]")


def test_show_tells_terms_history_and_what_you_hold(ask, run, market):
    ask("markets", "bet", market, "yes", "--yes", by=2)
    shown = ask("markets", "show", market, by=2)
    assert (shown["question"], shown["bets"], shown["creator"]) == ("Will it rain?", 1, address(1))
    assert (shown["position"]["yes"]["staked"], "no" in shown["position"]) == (str(EUR), False)
    assert [int(point["p_yes"]) < WAD for point in shown["history"]] == [True, True]  # the start and a bet
    assert ask("markets", "show", market)["position"] is None
    text = run("markets", "show", market, by=2).output
    assert re.search(r"price of YES over time +[▁▂▃▄▅▆▇█]+ ", text)
    assert "shares for 1.00 EUR, odds 1." in text


def test_from_proposal_to_claim(ask, run, tessera, web3, market):
    ask("markets", "bet", market, "yes", "--yes", by=2)
    pass_time(web3, 5)
    ask("markets", "bet", market, "no", "--yes", by=3)
    ask("markets", "close", market, by=1)
    pass_time(web3, 2 * 86_400)
    assert ask("markets", "propose", market, "yes", by=3)["status"] == "PENDING"
    assert ask("markets", "complain", market, "no", "It did not rain.", by=1)["status"] == "DISPUTED"
    done = ask("markets", "vote", market, "yes", by=2)
    assert (done["conclusion"], done["ends_at"]) == ("YES", tessera.markets.tally(market).ends_at)
    pass_time(web3, 8 * 86_400)
    if tessera.markets.market(market).status == Status.DISPUTED:
        ask("markets", "finalize", market, by=4)
    due = tessera.markets.position(market, address(2)).payoff(Outcome.YES)
    before = tessera.escrow.balance_of(address(2))
    assert int(ask("markets", "claim", market, by=2)["paid"]) == due
    assert tessera.escrow.balance_of(address(2)) == before + due > before


def test_votes_show_what_would_be_concluded_as_the_model_says(ask, run, tessera, web3, market):
    ask("markets", "bet", market, "yes", "--yes", by=2)
    pass_time(web3, 5)
    ask("markets", "bet", market, "no", "--yes", by=3)
    pass_time(web3, 2 * 86_400)
    assert ask("markets", "votes", market)["conclusion"] is None
    ask("markets", "propose", market, "no", by=1)
    ask("markets", "complain", market, "yes", "It did rain.", by=2)

    def check(heads: dict, stakes: dict, voter: int, vote: str | None) -> None:
        shown = ask("markets", "votes", market, by=voter)
        names = [outcome.name for outcome in Outcome]
        assert shown["heads"] == {name: heads.get(name, 0) for name in names}
        assert shown["stakes"] == {name: str(stakes.get(name, 0) * EUR) for name in names}
        counted = {outcome: heads.get(outcome.name, 0) for outcome in Outcome}
        weighed = {outcome: stakes.get(outcome.name, 0) for outcome in Outcome}
        assert shown["conclusion"] == conclusion(Outcome.NO, counted, weighed, 2).name
        assert (shown["staked"], shown["early"], shown["your_vote"]) == (str(2 * EUR), False, vote)
        assert shown["ends_at"] == tessera.markets.tally(market).ends_at

    check({"NO": 1, "YES": 1}, {"YES": 1}, 2, "YES")
    assert ask("markets", "vote", market, "no", by=3)["conclusion"] == "NO"
    check({"NO": 2, "YES": 1}, {"YES": 1, "NO": 1}, 3, "NO")
    ask("markets", "vote", market, "invalid", by=3)  # a vote can be changed
    check({"NO": 1, "YES": 1, "INVALID": 1}, {"YES": 1, "INVALID": 1}, 3, "INVALID")
    ask("markets", "vote", market, "yes", by=3)
    check({"NO": 1, "YES": 2}, {"YES": 2}, 3, "YES")  # two thirds are not more than two thirds
    text = run("markets", "votes", market).output
    assert "INVALID: all money goes back" in text
    assert f"{address(2)}, YES: It did rain." in text


def test_an_early_proposal_can_only_be_accepted_or_refused(ask, run, tessera, market):
    ask("markets", "bet", market, "yes", "--yes", by=2)
    proposed = ask("markets", "propose", market, "no", by=1)
    assert (proposed["early"], proposed["conclusion"], proposed["status"]) == (True, "NO", "PENDING")
    assert ask("markets", "propose", market, "yes", by=1)["conclusion"] == "YES"  # replaced, once
    assert "lmsr: " in run("markets", "propose", market, "no", by=1).output
    done = ask("markets", "complain", market, "no", "Not yet.", by=2)
    assert (done["early"], done["conclusion"]) == (True, "REFUSED")
    assert "the proposal is refused, and the market waits for its result" in run("markets", "votes", market).output


def test_a_referee_has_to_accept_and_a_creator_can_cancel(ask, run, tessera, web3):
    at = web3.eth.get_block("latest")["timestamp"] + 3_600
    market = ask(*CREATE, "--result", iso(at), "--referee", address(3).lower(), by=1)["market_id"]
    assert (ask("markets", "list")[0]["status"], ask("markets", "show", market)["decided_by"]) == (
        "AWAITING",
        address(3),
    )
    assert "who has to accept before anybody can bet" in run("markets", "show", market).output
    assert run("markets", "cancel", market, by=1, input="n\n").exit_code == 1
    assert ask("markets", "cancel", market, "--yes", by=1)["status"] == "INVALID"
    assert tessera.escrow.balance_of(address(1)) == 50 * EUR


def test_invitations_are_given_and_taken_back(ask, run, tessera):
    ask("members", "invite", address(6), address(7).lower(), by=0)
    assert ask("members", "show", address(7)) == {
        "account": address(7), "invited": True, "joined": False, "is_inviter": False,
    }  # fmt: skip
    ask("members", "uninvite", address(7), by=0)
    assert "not invited" in run("join", by=7).output
    assert "Error" in run("members", "invite", address(8), by=6).output
    ask("members", "inviter", address(6), by=0)
    ask("members", "invite", address(8), by=6)
    assert ask("members", "show", address(8))["invited"] is True
    ask("members", "inviter", address(6), "--remove", by=0)
    assert ask("members", "show", address(6))["is_inviter"] is False


def test_expire_gives_back(ask, tessera, web3, market):
    ask("markets", "bet", market, "yes", "--yes", by=2)
    pass_time(web3, 30 * 86_400)
    assert ask("markets", "expire", market, by=4)["status"] == "INVALID"
    assert ask("markets", "claim", market, by=2)["paid"] == str(EUR)


def test_a_referee_rules(ask, tessera, web3):
    at = web3.eth.get_block("latest")["timestamp"] + 3_600
    market = ask(*CREATE, "--result", iso(at), "--referee", address(3), by=1)["market_id"]
    ask("markets", "accept-referee", market, by=3)
    ask("markets", "bet", market, "yes", "--yes", by=2)
    pass_time(web3, 7_200)
    ask("markets", "propose", market, "no", by=1)
    ask("markets", "complain", market, "yes", "It did rain.", by=2)
    assert ask("markets", "rule", market, "yes", "--yes", by=3)["status"] == "RESOLVED"


@pytest.mark.parametrize(
    ("arguments", "by", "said"),
    [
        (("markets", "bet", 1, "yes", "--yes"), None, "say who you are"),
        (("markets", "bet", 99, "yes", "--yes"), 2, "lmsr: unknown market"),
        (("markets", "propose", 1, "yes"), 2, "lmsr: "),
        (("markets", "claim", 1), 2, "lmsr: "),
        (("markets", "rule", 1, "yes", "--yes"), 2, "lmsr: "),
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
        ((*CREATE, "--result", "tomorrow"), "say 3d, 12h, 90m, 2027-01-31T18:00 (which is UTC) or"),
        ((*CREATE, "--p0", "100", "--result", "1d"), "between 1% and 99%"),
        ((*CREATE, "--question", "x" * 257, "--result", "1d"), "question: 1 to 256 bytes"),
        (("deposit", "0"), "more than 0"),
        (("deposit", "0.0000001"), "at most 6 digits"),
        (("deposit", "nan"), "say an amount like 12.50"),
        (("deposit", "much"), "say an amount like 12.50"),
    ],
)
def test_is_told_what_to_say(run, market, arguments, said):
    result = run(*arguments, by=2)
    assert result.exit_code == 2, result.output
    assert said in result.output


def test_join_withdraw_and_deposit_again(ask, tessera):
    assert int(ask("join", by=4)["balance"]) == 50 * EUR
    assert tessera.escrow.consent_of(address(4)) == 1
    ask("withdraw", "20", by=4)
    assert tessera.play_euro.balance_of(address(4)) == 20 * EUR
    assert int(ask("deposit", "20", "--yes", by=4)["balance"]) == 50 * EUR
    assert tessera.escrow.consent_of(address(4)) == 1
    ask("withdraw", "all", by=4)
    assert tessera.play_euro.balance_of(address(4)) == 50 * EUR


def test_a_token_without_permits_is_approved_first(ask, tessera, monkeypatch):
    def no_permits(*_):
        raise NoPermits("none")

    ask("withdraw", "20", by=2)
    monkeypatch.setattr("tessera.chain.sign_permit", no_permits)
    sent = tessera.web3.eth.get_transaction_count(address(2))
    assert int(ask("deposit", "20", "--yes", by=2)["balance"]) == 50 * EUR
    assert tessera.web3.eth.get_transaction_count(address(2)) == sent + 2


def test_consent_can_be_taken_back(ask, run, tessera, market):
    assert ask("consents", "show", by=2) == [
        {"product": 0, "name": "Friends' markets", "address": tessera.markets.address, "allowed": True}
    ]
    assert ask("consents", "take-back", by=2)["products"][0]["allowed"] is False
    assert tessera.escrow.consent_of(address(2)) == 0
    assert "escrow: no consent" in run("markets", "bet", market, "yes", "--yes", by=2).output
    assert ask("consents", "allow", by=2)["products"][0]["allowed"] is True
    assert tessera.escrow.consent_of(address(2)) == 1
    assert "escrow: unknown product" in run("consents", "allow", 7, by=2).output


def test_the_shell_completes():
    completion = BashComplete(cli, {}, "tessera", "_TESSERA_COMPLETE")
    assert [offered.value for offered in completion.get_completions(["markets"], "cl")] == ["claim", "close"]
    assert [offered.value for offered in completion.get_completions(["markets", "bet", "1"], "")] == ["yes", "no"]


def test_one_account_at_a_time(run, tmp_path):
    result = run("--key-file", tmp_path / "key.json", "join", by=4)
    assert (result.exit_code, "name one account" in result.output) == (1, True)


def test_no_node(monkeypatch):
    result = CliRunner().invoke(cli, ["--rpc", "http://127.0.0.1:1", "markets", "list"])
    assert (result.exit_code, "no node answers at http://127.0.0.1:1" in result.output) == (1, True)


def test_no_record(run, tmp_path):
    result = run("--record", tmp_path / "none.json", "markets", "list")
    assert (result.exit_code, "no deployment record" in result.output) == (1, True)
