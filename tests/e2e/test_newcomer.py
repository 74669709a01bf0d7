"""A person who has never seen the project, on a phone: joins, bets, stakes, predicts, gets paid and withdraws."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.request import Request, urlopen

from web3 import Web3

from tessera.chain import EUR, WAD, Outcome, Wallet
from tessera.chain.embedded import known_account
from tessera.local.chain import DAY
from tessera.local.devnet import report
from tests.e2e.conftest import own_key
from tests.e2e.play import keep, new_market, open_event

DOLLAR = 10**6


def test_six_who_try_at_once_are_all_funded(tessera, local, address):
    """And so is whoever was cut off between gas and invitation."""
    people = [Web3.to_checksum_address(Web3.keccak(text=f"newcomer {number}")[-20:]) for number in range(6)]
    tessera.web3.provider.make_request("anvil_setBalance", [people[0], hex(10**18)])  # and then the page was reloaded

    def fund(person: str) -> int:
        body = json.dumps({"account": person}).encode()
        with urlopen(Request(f"{address}devnet/fund", body, {"Content-Type": "application/json"})) as answer:
            return answer.status

    with ThreadPoolExecutor(len(people)) as pool:
        assert list(pool.map(fund, people)) == [200] * len(people)
    for person in people:
        assert tessera.web3.eth.get_balance(person) == 10**18
        assert tessera.play_euro.invited(person)
        assert local.token("USDC").balance_of(person) == 10_000 * DOLLAR
    assert fund(people[0]) == 200
    assert local.token("USDC").balance_of(people[0]) == 10_000 * DOLLAR  # nothing twice


def test_a_newcomer_joins_bets_stakes_predicts_is_paid_and_withdraws(visit, tessera, local):
    creator = Wallet(tessera.web3, known_account(3))
    market = new_market(tessera, creator, "Will the newcomer like it?", p0=WAD * 40 // 100)
    event = open_event(tessera, local)

    page = visit()
    page.picture("newcomer-1-first-sight")
    page.button("Start").click()
    page.tab.get_by_label("I am 18 or older").check()
    page.button("Try with play money").click()
    page.press("Join and get 50.00 EUR", "Welcome.")
    me = Wallet(tessera.web3, tessera.web3.eth.account.from_key(own_key(page)))
    assert tessera.escrow.balance_of(me.address) == 50 * EUR

    page.tab.get_by_role("searchbox").fill("newcomer")
    page.tab.get_by_text("Will the newcomer like it?").click()
    page.says("on average")
    quote = tessera.markets.quote(market, Outcome.YES)
    page.says(f"pays at most {quote.max_payoff // 10**4 / 100:.2f} EUR")
    page.picture("newcomer-2-before-the-bet")
    page.confirm("Bet 1.00 EUR on YES", "Your bet is placed.")
    position = tessera.markets.position(market, me.address)
    assert position.shares[Outcome.YES] == quote.shares
    assert tessera.escrow.balance_of(me.address) == 49 * EUR

    page.tab.get_by_role("link", name="Tickets").click()
    usdc = local.token("USDC")
    before = usdc.balance_of(me.address)
    page.tab.get_by_label("Stake, in USDC").fill("250")
    page.press("Stake 250.00 USDC", "Staked.")
    assert tessera.staking.principal_of(me.address, usdc.address) == 250 * DOLLAR
    card = page.tab.locator("article", has_text="Will the newcomer win?")
    card.get_by_role("button", name="Predict yes").click()
    card.get_by_text("your prediction").wait_for()
    assert tessera.events.prediction_of(event, me.address) == (True, 0)
    page.picture("newcomer-3-staked")

    local.let_pass(3 * DAY)
    tessera.markets.propose(creator, market, Outcome.YES)
    report(tessera, event, 0)
    local.let_pass(8 * DAY)
    keep(tessera, local)

    page.go(f"markets/{market}")
    page.press("Make it final", "You won")
    page.picture("newcomer-4-won")
    page.tab.get_by_role("button", name=re.compile("^Take .* EUR$")).click()
    page.says("are in your balance")
    won = tessera.escrow.balance_of(me.address) - 49 * EUR
    assert won == quote.max_payoff

    page.go("tickets")
    card.get_by_role("button", name="Settle it").click()
    page.says("are yours")
    prize = tessera.events.prize_of(event, me.address)
    assert prize > 0
    card.get_by_role("button", name="Take").click()
    page.says("You won")
    assert usdc.balance_of(me.address) == before - 250 * DOLLAR + prize
    page.press("Withdraw 250.00 USDC", "It is in your wallet.")
    assert usdc.balance_of(me.address) == before + prize
    page.tab.get_by_role("button", name=re.compile("^Take .* BET$")).click()
    page.says("The BET are in your wallet.")
    assert tessera.bet_token.balance_of(me.address) > 0
    page.picture("newcomer-5-tickets-done")

    page.tab.get_by_role("navigation").get_by_role("link", name="Portfolio").click()
    page.tab.get_by_role("button", name=re.compile("^Withdraw .* EUR$")).click()
    page.says("It is in your wallet.")
    assert tessera.escrow.balance_of(me.address) == 0
    assert tessera.play_euro.balance_of(me.address) == 49 * EUR + won
    page.picture("newcomer-6-portfolio-done")
