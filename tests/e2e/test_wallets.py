"""Wallets and what can go wrong with them and with the node: plain words, and nothing lost."""

import re

from tessera.chain import EUR, Outcome
from tessera.local.chain import let_pass
from tests.e2e.conftest import joined
from tests.e2e.play import bet, new_market


def sent(route) -> str:
    return route.request.post_data or ""


def test_without_a_wallet_everything_can_be_read(visit, member, tessera):
    market = new_market(tessera, member, "Readable?")
    page = visit(f"markets/{market}")
    page.says("on average")
    assert page.tab.get_by_role("button", name=re.compile("^Bet")).count() == 0
    for path, heading in (("tickets", "Tickets"), ("portfolio", "Portfolio"), ("leaderboard", "Leaders")):
        page.go(path)
        assert page.tab.locator("h1").inner_text() == heading
    page.go("markets/999")
    page.says("There is no market number 999.")


def test_a_declined_signature_sends_nothing(visit, new_person, tessera):
    person = new_person()
    page = visit("portfolio", wallet=person)
    page.tab.evaluate("window.testWallet.rejects = true")
    page.press("Join and get 50.00 EUR", "You declined in your wallet.")
    assert tessera.escrow.balance_of(person.address) == 0
    page.tab.evaluate("window.testWallet.rejects = false")
    page.press("Join and get 50.00 EUR", "Welcome.")
    assert tessera.escrow.balance_of(person.address) == 50 * EUR


def test_a_wallet_on_another_network_is_led_here(visit, new_person, tessera):
    person = new_person()
    page = visit("portfolio", wallet=person)
    page.tab.evaluate("window.testWallet.goTo('0x1')")
    page.says("Your wallet is on another network.")
    page.tab.evaluate("window.testWallet.rejects = true")
    page.press("Go to Tessera devnet", "You declined in your wallet.")
    page.tab.evaluate("window.testWallet.rejects = false")
    page.press("Go to Tessera devnet", "You are invited.")
    assert page.tab.get_by_text("another network").count() == 0


def test_a_refusal_is_shown_with_advice_before_anything_is_sent(visit, member, new_person, tessera):
    market, person = new_market(tessera, member, "Too late?"), joined(new_person(), tessera)
    page = visit(f"markets/{market}", wallet=person)
    yes = page.button("Bet 1.00 EUR on YES").and_(page.tab.locator("[aria-disabled=false]"))
    yes.wait_for()
    see_no_new_block(page)  # nor the end of betting
    tessera.markets.close(member, market)
    yes.click()
    page.says("Betting has ended.")
    assert tessera.escrow.balance_of(person.address) == 50 * EUR
    assert "eth_sendTransaction" not in page.tab.evaluate("window.testWallet.calls")


def test_a_bet_that_others_made_dearer_is_not_placed(visit, member, new_person, tessera):
    market = new_market(tessera, member, "Dearer?")
    person, faster = (joined(new_person(), tessera) for _ in range(2))
    page = visit(f"markets/{market}", wallet=person)
    page.button("Bet 1.00 EUR on YES").and_(page.tab.locator("[aria-disabled=false]")).wait_for()
    see_no_new_block(page)  # nor the other bet
    bet(tessera, faster, market, Outcome.YES)
    let_pass(tessera.web3, 5, tessera.events.blocks_per_hour())
    page.button("Bet 1.00 EUR on YES").click()
    page.says("Others bet first")
    assert tessera.markets.position(market, person.address).staked[Outcome.YES] == 0


def see_no_new_block(page):
    page.tab.route(
        re.compile("127"), lambda route: route.abort() if "getBlockByNumber" in sent(route) else route.continue_()
    )


def test_a_bet_that_waits_is_sent_when_its_turn_comes_or_called_off(visit, member, new_person, tessera):
    """Whoever pressed once need not press again, as long as what was seen holds."""
    market = new_market(tessera, member, "Whose turn?")
    faster, person = (joined(new_person(), tessera) for _ in range(2))
    page = visit(f"markets/{market}", wallet=person)
    no = page.button("Bet 1.00 EUR on NO")
    no.and_(page.tab.locator("[aria-disabled=false]")).wait_for()
    bet(tessera, faster, market, Outcome.YES)  # which makes NO cheaper
    no.click()
    page.says("Your bet is placed.")
    assert tessera.markets.position(market, person.address).staked[Outcome.NO] == EUR
    no.click()
    page.says("Your bet waits for its turn")
    page.tab.get_by_role("button", name="Call it off").click()
    page.says("You called it off. Nothing was sent.")
    assert tessera.markets.position(market, person.address).staked[Outcome.NO] == EUR


def test_a_replaced_transaction_is_told_apart(visit, new_person, tessera):
    """Nothing is mined until the wallet has put another transaction in the first one's place."""
    person, web3 = new_person(), tessera.web3
    page = visit("portfolio", wallet=person)
    web3.provider.make_request("evm_setAutomine", [False])
    try:
        with page.tab.expect_request(lambda asked: "getTransactionByHash" in (asked.post_data or "")):
            page.press("Join and get 50.00 EUR", "Waiting for the chain")
        page.tab.wait_for_timeout(1_000)  # the page has to have read the answer, or it cannot tell what replaced it
        fees = {"maxFeePerGas": hex(10**11), "maxPriorityFeePerGas": hex(10**11)}
        other = {"from": person.address, "to": person.address, "value": "0x0", "nonce": "0x0", "gas": "0x5208", **fees}
        web3.provider.make_request("eth_sendTransaction", [other])
        web3.provider.make_request("evm_mine", [])
        page.says("You cancelled this transaction")
    finally:
        web3.provider.make_request("evm_setAutomine", [True])
    assert not tessera.play_euro.joined(person.address)


def test_a_node_that_is_down_and_comes_back(visit):
    page = visit()
    page.tab.context.set_offline(True)
    page.says("The node does not answer.")
    # What is asked for meanwhile fails, and no block comes to ask again.
    page.tab.get_by_role("link", name="Leaders").click()
    page.tab.locator("main").get_by_text("The node does not answer.").first.wait_for()
    page.tab.context.set_offline(False)
    page.tab.get_by_text("The node does not answer.").wait_for(state="detached")


def test_a_node_that_needs_longer_than_a_block_is_read_all_the_same(visit, tessera):
    """Two and a half seconds for each answer, and the page sees a new block every two."""
    page, ask = visit(), tessera.web3.provider.make_request
    page.tab.set_default_timeout(120_000)  # some six answers one after the other, on a busy machine
    devtools = page.tab.context.new_cdp_session(page.tab)
    devtools.send("Network.enable")
    slow = {"offline": False, "latency": 2_500, "downloadThroughput": -1, "uploadThroughput": -1}
    devtools.send("Network.emulateNetworkConditions", slow)
    ask("evm_setIntervalMining", [1])
    try:
        page.tab.get_by_role("link", name="Leaders").click()
        page.tab.get_by_role("region", name="Leaders").wait_for()
        page.tab.get_by_role("link", name="Tickets").click()
        page.says("In the pool now")
    finally:
        ask("evm_setAutomine", [True])


def test_a_node_that_never_answers_keeps_nobody_from_another_one(browser, address):
    """A machine that is switched off does not refuse: it is silent, and is asked for most of a minute."""
    tab = browser.new_page()
    tab.route("**/*", lambda route: None if sent(route) else route.continue_())
    tab.goto(address)
    tab.get_by_text("The node has not answered yet.").wait_for()
    tab.get_by_text("Another node").click()
    tab.get_by_label("Address of a node").wait_for()
    tab.unroute_all(behavior="ignoreErrors")
    tab.close()


def test_a_page_without_its_deployment_says_so(browser, address):
    tab = browser.new_page()
    tab.route("**/deployment.json", lambda route: route.fulfill(status=404))
    tab.goto(address)
    tab.get_by_text("There is no deployment.json beside this page").wait_for()
    tab.close()


NO_STORAGE = """Object.defineProperty(window, "localStorage", {
  get: () => { throw new DOMException("Access is denied for this document.", "SecurityError"); },
});"""


def test_a_browser_that_lets_pages_store_nothing_shows_everything_and_makes_no_account(browser, address):
    tab = browser.new_page()
    tab.add_init_script(NO_STORAGE)
    tab.goto(address)
    tab.get_by_role("heading", name="Markets").wait_for()
    tab.get_by_role("button", name="Connect", exact=True).click()
    tab.get_by_label("I am 18 or older").check()
    tab.get_by_role("button", name="Try with play money").click()
    tab.get_by_text("This browser keeps nothing").wait_for()
    tab.close()


def test_leaving_is_one_click_and_stays(visit, member):
    page = visit(wallet=member)
    page.tab.get_by_role("button", name=re.compile("^0x")).click()
    page.button("Leave").click()
    page.button("Connect").wait_for()
    page.tab.reload()
    page.button("Connect").wait_for()
