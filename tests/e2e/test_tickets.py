"""Staked tickets on the page: in and out, predictions, mining; every step is looked up on the chain."""

import re
from fractions import Fraction

import pytest

from tessera.chain import WAD
from tessera.chain.prize_pool import PeriodClosed
from tessera.local.chain import DAY, UNITS, YEAR
from tessera.local.devnet import TICKETS
from tessera.model.apy import ASSUMPTIONS, figures
from tests.e2e.conftest import DESK
from tests.e2e.play import keep, open_event


@pytest.mark.parametrize("asset", UNITS)
def test_stake_with_a_permit_and_take_it_out_again(visit, new_person, tessera, local, asset):
    person, token = new_person(), local.token(asset)
    before = token.balance_of(person.address)
    page = visit("tickets", wallet=person)
    page.tab.get_by_label("Asset").select_option(index=list(UNITS).index(asset))
    page.tab.get_by_label(f"Stake, in {asset}").fill("120.50")
    page.press(f"Stake 120.50 {asset}", "Staked.")
    calls = page.tab.evaluate("window.testWallet.calls")
    assert [calls.count(name) for name in ("eth_signTypedData_v4", "eth_sendTransaction")] == [1, 1]
    staked = 1205 * UNITS[asset] // 10
    assert tessera.staking.principal_of(person.address, token.address) == staked

    page.tab.get_by_label(f"Withdraw, in {asset}").fill("20.5")
    page.press(f"Withdraw 20.50 {asset}", "It is in your wallet.")
    assert tessera.staking.principal_of(person.address, token.address) == 100 * UNITS[asset]
    page.press(f"Withdraw 100.00 {asset}", "You stake 0.00 USDC and 0.00 DAI")
    assert token.balance_of(person.address) == before


def test_a_wallet_that_takes_several_calls_confirms_once(visit, new_person, tessera, local):
    person, token = new_person(), local.token("USDC")
    page = visit("tickets", wallet=person)
    page.tab.evaluate("window.testWallet.batches = true")
    page.tab.get_by_label("Stake, in USDC").fill("120.50")
    page.press("Stake 120.50 USDC", "Staked.")
    calls = page.tab.evaluate("window.testWallet.calls")
    assert [calls.count(name) for name in ("wallet_sendCalls", "eth_signTypedData_v4")] == [1, 0]
    assert tessera.staking.principal_of(person.address, token.address) == 1205 * 10**5


def test_a_stake_that_leaves_dust_is_refused_with_advice(visit, new_person, tessera, local):
    person = new_person()
    page = visit("tickets", wallet=person)
    page.tab.get_by_label("Stake, in USDC").fill("10")
    page.press("Stake 10.00 USDC", "Staked.")
    page.tab.get_by_label("Withdraw, in USDC").fill("9.5")
    page.says("leaves less than 1 USD")
    assert tessera.staking.principal_of(person.address, local.token("USDC").address) == 10 * UNITS["USDC"]


def test_a_vault_that_is_short_of_cash_pays_what_it_has(visit, new_person, tessera, local):
    person, usdc = new_person(), local.token("USDC")
    page = visit("tickets", wallet=person)
    page.tab.get_by_label("Stake, in USDC").fill("100")
    page.press("Stake 100.00 USDC", "Staked.")
    local.call("YieldVault:USDC", "set_liquidity", 20 * UNITS["USDC"])
    try:
        local.let_pass(60)  # the page asks a vault once a minute what it pays
        page.says("The vault pays 20.00 USDC now")
        page.press("Withdraw 100.00 USDC", "Withdraw 80.00 USDC")
        assert tessera.staking.principal_of(person.address, usdc.address) == 80 * UNITS["USDC"]
        assert usdc.balance_of(person.address) == 920 * UNITS["USDC"]
        page.says("vault cannot pay now")
    finally:
        local.call("YieldVault:USDC", "set_liquidity", 2**256 - 1)
    page.press("Withdraw 80.00 USDC", "You stake 0.00 USDC and 0.00 DAI")
    assert usdc.balance_of(person.address) == 1_000 * UNITS["USDC"]


def test_predict_and_change(visit, new_person, tessera, local):
    event = open_event(tessera, local)
    person = new_person()
    page = visit("tickets", wallet=person)
    card = page.tab.locator("article", has_text="Will the newcomer win?").first
    card.get_by_role("button", name="Predict yes").and_(page.tab.locator("[aria-disabled=true]")).wait_for()
    page.tab.get_by_label("Stake, in USDC").fill("50")
    page.press("Stake 50.00 USDC", "Staked.")
    local.let_pass(DAY)
    card.get_by_role("button", name="Predict yes").click()
    card.get_by_text("yes · your prediction").wait_for()
    assert tessera.events.prediction_of(event, person.address) == (True, 0)
    card.get_by_role("button", name="Change to no").click()
    card.get_by_text("no · your prediction").wait_for()
    assert tessera.events.prediction_of(event, person.address) == (True, 1)

    actual, prize = tessera.events.tickets(event, person.address)
    card.get_by_text(f"Your tickets: {actual // WAD:,} (50 more each hour), {prize // WAD:,} prize tickets.").wait_for()
    card.get_by_text(f"multiplier now {tessera.events.multiplier(event) * 100 // WAD / 100:.2f}").wait_for()


def test_yields_are_those_of_the_model(visit, tessera, local):
    """The page measures lending on the chain; the devnet's parameters are known here."""
    local.let_pass(3 * DAY)  # BET is mined from block 200 on
    window = 4 * 7 * 24 * local.blocks_per_hour
    head = tessera.web3.eth.get_block("latest")
    assets = []
    for asset, unit in UNITS.items():
        share = local.contract(f"YieldVault:{asset}").functions.convertToAssets(unit * 10**12)
        since = max(head["number"] - window, tessera.web3.eth.get_transaction(created(tessera, asset))["blockNumber"])
        elapsed = head["timestamp"] - tessera.web3.eth.get_block(since)["timestamp"]
        grown = Fraction(share.call(), share.call(block_identifier=since)) - 1
        principal = tessera.staking.asset_state(local.token(asset).address).principal
        assets.append((Fraction(principal, unit), grown * YEAR / elapsed))
    usdc, bet = local.tessera.prizes.market()
    price = Fraction(usdc, UNITS["USDC"]) / Fraction(bet, WAD) * Fraction(997, 1000)  # what selling one would bring
    blocks_per_year = 24 * 365 * local.blocks_per_hour
    known = figures(assets, Fraction(TICKETS["bet_per_block"], WAD), price, blocks_per_year)

    page = visit("tickets")
    page.says("Together")
    shown = [
        float(text) for text in re.findall(r"\n([\d.]+) %", page.text(page.tab.locator("dl", has_text="From prizes")))
    ]
    # Two decimals are shown. Stakes below 1 USD a dollar and the pool's slippage are far below that.
    assert shown == pytest.approx(
        [float(rate) * 100 for rate in (known.apy1, known.apy1_net, known.apy2, known.apy)], abs=0.011
    )
    for assumption in ASSUMPTIONS:
        page.says(assumption.replace("takes part", "you take part").replace("is right", "you are right"))
    page.picture("tickets-yields")


def test_weeks_are_told_as_they_were_closed(visit, tessera, local):
    local.let_pass(8 * DAY)
    keep(tessera, local)
    week = [row for row in tessera.log_reader().read() if isinstance(row, PeriodClosed)][-1]
    assert week.pool > 0
    page = visit("tickets", size=DESK)
    row = page.tab.get_by_role("table").get_by_role("row").nth(1)
    for amount in (week.revenue, week.pool, week.to_events, week.buyback, week.carried):
        assert f"{amount // 10**4 / 100:,.2f} USDC" in page.text(row)


def created(tessera, asset: str) -> str:
    return tessera.deployment.contracts[f"YieldVault:{asset}"].transaction
