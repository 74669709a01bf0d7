"""What a person has, had and set: balances, ledger, consents, limits, leaders."""

import csv
import re
from pathlib import Path

from click.testing import CliRunner

from scripts import devnet
from tessera.accounting.profit import results
from tessera.accounting.worth import in_markets
from tessera.chain import EUR, Outcome
from tessera.chain.escrow import Entry
from tessera.cli.main import cli
from tessera.local.chain import DAY, let_pass
from tests.e2e.conftest import joined
from tests.e2e.play import bet, new_market


def test_the_ledger_and_its_csv_are_the_chains(visit, member, new_person, tessera, url, folder, monkeypatch, tmp_path):
    bettor = joined(new_person(), tessera)
    market = new_market(tessera, member, "For the ledger?")
    bet(tessera, bettor, market, Outcome.NO)
    page = visit("portfolio", wallet=bettor)
    page.says(f"bet, market {market}")
    page.picture("portfolio")
    with page.tab.expect_download() as saved:
        page.button("Save as CSV").click()
    text = Path(saved.value.path()).read_text()
    lines = list(csv.DictReader(text.splitlines()))
    entries = [row for row in tessera.log_reader().read() if isinstance(row, Entry) and row.account == bettor.address]
    assert [line["kind"] for line in lines] == [entry.kind.name for entry in entries] == ["DEPOSIT", "BET_DEBIT"]
    assert [line["amount_eur"] for line in lines] == ["50.000000", "-1.000000"]
    assert [line["balance_after_eur"] for line in lines] == ["50.000000", "49.000000"]
    assert [line["transaction"] for line in lines] == [entry.transaction for entry in entries]

    monkeypatch.setattr("tessera.cli.session.HOME", tmp_path)
    command = ["--rpc", url, "--record", folder / devnet.RECORD, "portfolio", "ledger", bettor.address, "--csv"]
    assert CliRunner().invoke(cli, list(map(str, command))).stdout == text


def test_withdraw_and_deposit_again_with_a_permit(visit, member, tessera):
    page = visit("portfolio", wallet=member)
    page.tab.get_by_label("Amount in EUR (empty: all)").fill("12.34")
    page.press("Withdraw 12.34 EUR", "It is in your wallet.")
    assert tessera.escrow.balance_of(member.address) == 37_660_000
    assert tessera.play_euro.balance_of(member.address) == 12_340_000
    page.tab.locator("summary", has_text="Deposit").click()
    page.button("All, 12.34 EUR").click()
    page.press("Deposit 12.34 EUR", "It is in your balance.")
    assert tessera.escrow.balance_of(member.address) == 50 * EUR
    calls = page.tab.evaluate("window.testWallet.calls")
    assert calls.count("eth_signTypedData_v4") == 1
    assert calls.count("eth_sendTransaction") == 2


def test_consent_is_taken_back_and_given_again(visit, member, tessera):
    page = visit("portfolio", wallet=member)
    page.press("Take back", "you have not said yes, or took it back")
    assert tessera.escrow.consent_of(member.address) == 0
    page.press("Let the markets take my stakes", "may take your bets")
    assert tessera.escrow.consent_of(member.address) == 1


def test_a_limit_counts_at_once_and_loosens_after_a_day(visit, member, new_person, tessera):
    bettor = joined(new_person(), tessera)
    later = tessera.web3.eth.get_block("latest")["timestamp"] + 30 * DAY
    market = new_market(tessera, member, "Over the limit?", expected_result_at=later)
    bet(tessera, bettor, market, Outcome.YES)
    let_pass(tessera.web3, 10, tessera.events.blocks_per_hour())
    page = visit("portfolio", wallet=bettor)
    page.says("In the last 24 hours: 1.00 EUR.")
    set_limit(page, "1.50")
    page.says("At most 1.50 EUR in 24 hours.")
    set_limit(page, "20")
    page.says("It becomes 20.00 EUR on")
    page.says("At most 1.50 EUR in 24 hours.")
    page.go(f"markets/{market}")
    yes = page.button("Bet 1.00 EUR on YES").and_(page.tab.locator("[aria-disabled=false]"))
    yes.click()
    page.says("This would pass your own limit of 1.50 EUR a day: 1.00 EUR went into bets in the last 24 hours.")
    assert tessera.markets.position(market, bettor.address).staked[Outcome.YES] == EUR
    assert "eth_sendTransaction" not in page.tab.evaluate("window.testWallet.calls")

    let_pass(tessera.web3, DAY + 60, tessera.events.blocks_per_hour())
    page.says("ends in 28 d")
    yes.click()
    page.tab.get_by_text("for 2.00 EUR").wait_for()
    assert tessera.markets.position(market, bettor.address).staked[Outcome.YES] == 2 * EUR


def set_limit(page, euros: str):
    page.tab.get_by_label("Most to put into bets in 24 hours, in EUR").fill(euros)
    page.button("Set limit").click()


def test_leaders_are_those_of_the_one_definition(visit, tessera):
    rows = list(tessera.log_reader().read())
    known = results(rows, tessera.markets.address)
    page = visit("leaderboard")
    leaders = page.tab.get_by_role("region", name="Leaders")
    leaders.wait_for()
    table = {}
    for row in leaders.get_by_role("row").all()[1:]:
        rank, who, gain, running, *_ = page.text(row).split("\t")
        table[who] = int(rank), gain, running
    worth = in_markets(rows, tessera.markets.address)
    gains = {one: result.profit + worth.get(one, 0) for one, result in known.items() if result.put_in}
    order = sorted(gains, key=lambda one: (-gains[one], one))
    assert table == {
        f"{one[:6]}…{one[-4:]}": (order.index(one) + 1, written(gains[one]), written(worth.get(one, 0)))
        for one in gains
    }


def test_anybodys_portfolio_can_be_read(visit, member, new_person, tessera):
    market, bettor = new_market(tessera, member, "Whose is this?"), joined(new_person(), tessera)
    bet(tessera, bettor, market, Outcome.NO)
    page = visit(f"portfolio/{bettor.address}", wallet=member)
    page.says("Balance: 49.00 EUR")
    page.says("Whose is this?")
    page.says(f"bet, market {market}")
    assert (
        page.tab.get_by_role("heading", level=1).inner_text()
        == f"Portfolio of {bettor.address[:6]}…{bettor.address[-4:]}"
    )
    assert page.tab.get_by_role("button", name=re.compile("^(Withdraw|Take|Set limit)")).count() == 0
    page.go("portfolio")
    page.button("Withdraw 40.00 EUR").wait_for()


def written(units: int) -> str:
    text = f"{abs(units) // 10**4 / 100:,.2f} EUR"
    if units > 0:
        return f"+{text}"
    return f"−{text}" if re.search("[1-9]", text) and units < 0 else text
