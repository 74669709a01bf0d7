"""`tessera portfolio` and `tessera limits`: figures from the contracts and the one definition of profit and loss."""

import csv
import io
import json
import re

import pytest

from tessera.accounting.profit import results
from tessera.chain import EUR, WAD, Outcome
from tessera.chain.embedded import known_account
from tessera.chain.escrow import Entry, Kind
from tessera.chain.lmsr_markets import BetPlaced
from tessera.cli.failures import Refused
from tessera.cli.limits import Limit, Limits
from tessera.cli.portfolio import WORDS
from tessera.deployment.artifacts import ROOT
from tessera.model.lmsr import brier

from .test_markets import address, market, pass_time  # noqa: F401  a fixture

HOUR, DAY = 3_600, 86_400


@pytest.fixture
def settled(ask, tessera, web3, market) -> int:  # noqa: F811
    """A market of account 1 that ended YES; 2 was right, 3 was wrong."""
    ask("markets", "bet", market, "yes", "--yes", by=2)
    pass_time(web3, 5)
    ask("markets", "bet", market, "no", "--yes", by=3)
    pass_time(web3, 2 * DAY)
    ask("markets", "propose", market, "yes", by=2)
    pass_time(web3, 2 * DAY)
    ask("markets", "finalize", market, by=4)
    ask("markets", "claim", market, by=2)
    return market


def test_profit_is_the_one_definition(ask, tessera, settled):
    profits = results(tessera.log_reader().read(), tessera.markets.address)
    for number in (1, 2, 3):
        shown = ask("portfolio", "show", address(number))
        assert int(shown["profit"]) == profits[address(number)].profit
        assert int(shown["balance"]) == tessera.escrow.balance_of(address(number))
    assert sum(holding.profit for holding in profits.values()) == 0


def test_positions(ask, settled):
    (holding,) = ask("portfolio", "markets", by=2)
    assert (holding["market_id"], holding["status"], holding["outcome"]) == (settled, "RESOLVED", "YES")
    assert (holding["yes_staked"], holding["no_odds"]) == (str(EUR), None)
    assert 1 < int(holding["yes_odds"]) / WAD < 1 / 0.62


def test_the_leaderboard_puts_the_right_one_first(ask, tessera, settled):
    board = {holding["account"]: holding for holding in ask("portfolio", "leaderboard")}
    right, wrong = board[address(2)], board[address(3)]
    assert right["rank"] < wrong["rank"]
    odds = {row.account: row.effective_odds / WAD for row in tessera.log_reader().read() if isinstance(row, BetPlaced)}
    assert right["brier"] == pytest.approx(float(brier(1 / odds[address(2)], True)))
    assert wrong["brier"] == pytest.approx(float(brier(1 / odds[address(3)], False)))
    assert board[address(1)]["brier"] is None


def test_the_ledger_as_csv(run, tessera, settled):
    result = run("portfolio", "ledger", "--csv", by=2)
    lines = list(csv.DictReader(io.StringIO(result.stdout)))
    entries = [row for row in tessera.log_reader().read() if isinstance(row, Entry) and row.account == address(2)]
    assert [(line["kind"], round(float(line["amount_eur"]) * EUR)) for line in lines] == [
        (row.kind.name, -row.amount if row.kind == Kind.BET_DEBIT else row.amount) for row in entries
    ]
    assert entries[-1].kind == Kind.PAYOUT
    assert re.search(r"-1\.00 EUR +49\.00 EUR", run("portfolio", "ledger", by=2).output)
    assert "payout" in run("portfolio", "ledger", by=2).output


def test_every_kind_of_movement_has_the_pages_word():
    said = re.search(r"WORDS: .*?= \{\n(.*?)\n\};", (ROOT / "web/src/lib/ledger.ts").read_text(), re.DOTALL).group(1)
    assert re.findall(r'(\w+): "(.*)",', said) == list(WORDS.items())
    assert list(WORDS) == [kind.name for kind in Kind]


def test_somebody_elses_address_must_be_one(run, settled):
    result = run("portfolio", "show", "0x12")
    assert (result.exit_code, "0x12 is not an address" in result.output) == (2, True)


def test_a_limit_stops_a_bet(ask, run, tessera, web3, market):  # noqa: F811
    ask("limits", "set", "1.50", by=2)
    ask("markets", "bet", market, "yes", "--yes", by=2)
    pass_time(web3, 5)
    result = run("markets", "bet", market, "yes", "--yes", by=2)
    assert (result.exit_code, "your own limit: 1.50 EUR in 24 h, 1.00 EUR are used" in result.output) == (1, True)
    assert tessera.markets.position(market, address(2)).staked[Outcome.YES] == EUR
    ask("markets", "bet", market, "yes", "--yes", by=3)  # who has none


def test_a_limit_is_tighter_at_once_and_looser_after_a_day():
    limit = Limit().changed(10 * EUR, now=1_000)
    assert limit.at(1_000) == 10 * EUR
    looser = limit.changed(20 * EUR, now=2_000)
    assert [looser.at(now) for now in (2_000, 2_000 + DAY - 1, 2_000 + DAY)] == [10 * EUR, 10 * EUR, 20 * EUR]
    assert looser.changed(None, now=3_000).at(3_000 + DAY) is None
    assert looser.changed(5 * EUR, now=3_000) == Limit(5 * EUR)  # and the looser one is off
    # Asked again, the day starts again.
    assert looser.changed(20 * EUR, now=3_000).at(2_000 + DAY) == 10 * EUR


def test_a_limit_counts_a_day_of_stakes(tmp_path):
    limits = Limits(tmp_path / "limits.json", now=10 * DAY)
    me = known_account(2).address
    limits.keep(me, Limit(3 * EUR))

    def entry(kind: Kind, at: int, account: str = me) -> Entry:
        return Entry(
            contract="", block=1, log_index=0, transaction="", account=account, product="", pot=b"", kind=kind,
            amount=EUR, balance_after=0, timestamp=at,
        )  # fmt: skip

    spent = [entry(Kind.BET_DEBIT, 9 * DAY + 1), entry(Kind.DEPOSIT_SEED, 10 * DAY)]
    limits.check(me, EUR, spent)
    others = [entry(Kind.BET_DEBIT, 9 * DAY), entry(Kind.PAYOUT, 10 * DAY), entry(Kind.BET_DEBIT, 10 * DAY, "0x01")]
    limits.check(me, EUR, spent + others)
    with pytest.raises(Refused, match="your own limit"):
        limits.check(me, EUR + 1, spent)


def test_a_damaged_limit_is_no_limit_lost(tmp_path):
    path = tmp_path / "limits.json"
    for text in ("{", "[]", json.dumps({known_account(2).address: {"most": 5}})):
        path.write_text(text)
        with pytest.raises(Refused, match="is damaged"):
            Limits(path, now=DAY).check(known_account(2).address, EUR, [])


def test_limits_are_kept(run, ask, tmp_path):
    ask("limits", "set", "5", by=2)
    assert ask("limits", "show", by=2) == {"amount": str(5 * EUR), "next_amount": None, "changes_at": 0}
    shown = ask("limits", "remove", by=2)
    assert (shown["amount"], shown["next_amount"], shown["changes_at"] > 0) == (str(5 * EUR), None, True)
    (kept,) = tmp_path.glob("limits-*.json")
    assert json.loads(kept.read_text())[address(2)]["amount"] == 5 * EUR


def test_a_limit_of_0_stops_every_bet(ask, run, tessera, market):  # noqa: F811
    assert ask("limits", "set", "0", by=2)["amount"] == "0"
    result = run("markets", "bet", market, "yes", "--yes", by=2)
    assert (result.exit_code, "your own limit: 0.00 EUR in 24 h" in result.output) == (1, True), result.output
    assert tessera.markets.market(market).bets == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("limits", "set", "7"),
        ("limits", "remove"),
        ("markets", "list"),
        ("markets", "bet", 1, "yes"),
        ("portfolio", "show"),
        ("join",),
    ],
)
def test_a_dry_run_writes_no_file(run, market, tmp_path, arguments):  # noqa: F811
    def files() -> dict:
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    for path in files():  # the fixture's
        path.unlink()
    run("--dry-run", *arguments, by=2)
    assert files() == {}
    run("markets", "list")  # now there is an index
    run("limits", "set", "9", by=2)
    before = files()
    assert len(before) == 2
    run("--dry-run", *arguments, by=2)
    assert files() == before


def test_a_dry_run_says_what_a_limit_would_be(run, ask):
    ask("limits", "set", "5", by=2)
    output = run("--dry-run", "--json", "limits", "set", "3", by=2).output
    assert f'"amount": "{3 * EUR}"' in output
    assert "nothing was written" in output
    assert ask("limits", "show", by=2)["amount"] == str(5 * EUR)
