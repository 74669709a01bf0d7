"""Friends' markets on the page, from creating one to being paid; every step is looked up on the chain."""

import re

from tessera.chain import EUR, WAD, Outcome
from tessera.chain.lmsr_markets import Status
from tessera.local.chain import DAY, let_pass
from tests.e2e.conftest import DESK, joined
from tests.e2e.play import bet, new_market


def test_a_market_is_created_with_a_preview_of_what_it_offers(visit, member, tessera):
    page = visit("markets/new", wallet=member, size=DESK)
    page.tab.get_by_label("Question").fill("Will the test pass?")
    page.tab.get_by_label("Chance of YES").fill("20")
    page.says("pays 3.89 EUR")  # what 1 EUR on YES at 20 % buys
    page.picture("market-new")
    page.press("Open the market with 10.00 EUR", "Your risk as creator")
    page.picture("market-created")

    market = tessera.markets.market_count()
    stored = tessera.markets.market(market)
    assert stored.creator == member.address
    assert stored.b // 10**16 == 621
    assert tessera.markets.prices(market)[Outcome.YES] // 10**15 == 200
    assert tessera.escrow.balance_of(member.address) == 40 * EUR
    page.says("You decide the outcome, so you cannot bet here.")


def test_the_preview_tells_what_the_contract_pays(visit, member, new_person, tessera):
    """The page computes b and shares itself only here; the contract is asked whether it is right."""
    market = new_market(tessera, member, "Is the preview right?", p0=WAD * 73 // 100)
    page = visit("markets/new", wallet=new_person())
    page.tab.get_by_label("Chance of YES").fill("73")
    for side in (Outcome.YES, Outcome.NO):
        quote = tessera.markets.quote(market, side)
        pays, moved = f"{quote.max_payoff // 10**4 / 100:.2f} EUR", f"{quote.price_after / WAD * 100:.1f} %"
        page.says(f"pays {pays}, moves {side.name} to {moved}")


def test_one_click_bets_after_the_first_transaction(visit, new_person, member, tessera):
    market = new_market(tessera, member, "One click?")
    person = new_person()
    page = visit(f"markets/{market}", wallet=person)
    page.press("Join and get 50.00 EUR", "Welcome.")
    for side, stake in ((Outcome.YES, 1), (Outcome.NO, 2)):
        quote = tessera.markets.quote(market, side)
        button = page.button(f"Bet 1.00 EUR on {side.name}")
        button.and_(page.tab.locator("[aria-disabled=false]")).click()  # and it waits for 5 s after the bet before
        page.tab.get_by_text(f"{side.name}: {quote.shares // 10**16 / 100:.2f} shares for 1.00 EUR").wait_for()
        assert tessera.escrow.balance_of(person.address) == (50 - stake) * EUR
        assert tessera.markets.position(market, person.address).shares[side] == quote.shares
    sent = page.tab.evaluate("window.testWallet.calls.filter((call) => call === 'eth_sendTransaction').length")
    assert sent == 3


def test_who_has_too_little_is_told_and_can_deposit(visit, member, new_person, tessera):
    market, person = new_market(tessera, member, "Out of money?"), joined(new_person(), tessera)
    tessera.escrow.withdraw(person, 50 * EUR - EUR // 2)
    page = visit(f"markets/{market}", wallet=person)
    page.says("This takes 1.00 EUR, and your balance is 0.50 EUR. There are 49.50 EUR in your wallet.")
    assert page.button("Bet 1.00 EUR on YES").get_attribute("aria-disabled") == "true"
    page.tab.get_by_label("Amount in EUR").fill("10")
    page.press("Deposit 10.00 EUR", "It is in your balance.")
    page.button("Bet 1.00 EUR on YES").and_(page.tab.locator("[aria-disabled=false]")).click()
    page.says("Your bet is placed.")
    assert tessera.escrow.balance_of(person.address) == 95 * EUR // 10


def test_a_text_over_its_bound_is_told_before_it_is_sent(visit, member, tessera):
    page, count = visit("markets/new", wallet=member), tessera.markets.market_count()
    page.tab.get_by_label("Question").fill("Ü" * 129)
    page.press("Open the market with 10.00 EUR", "The question: at most 256 bytes, and these are 258.")
    assert tessera.markets.market_count() == count
    page.tab.get_by_label("Question").fill("Ü" * 128)
    page.press("Open the market with 10.00 EUR", "Your risk as creator")
    assert tessera.markets.market_count() == count + 1


def test_depth_is_the_contracts(visit, member, tessera):
    market = new_market(tessera, member, "How deep?")
    page = visit(f"markets/{market}")
    page.tab.get_by_text("Depth: what more bets would do").click()
    shares = tessera.markets.quote(market, Outcome.NO, bets=25).shares
    row = page.tab.get_by_role("row", name=re.compile("^25 "))
    assert f"{shares // 10**16 / 100:.2f} EUR" in page.text(row)


def test_propose_dispute_vote_and_claim(visit, member, new_person, tessera):
    bettors = [joined(new_person(), tessera) for _ in range(2)]
    market = new_market(tessera, member, "A vote?")
    bet(tessera, bettors[0], market, Outcome.YES)
    let_pass(tessera.web3, 5, tessera.events.blocks_per_hour())
    bet(tessera, bettors[1], market, Outcome.NO)
    let_pass(tessera.web3, DAY, tessera.events.blocks_per_hour())

    page = visit(f"markets/{market}", wallet=member)
    page.confirm("Propose NO", "Proposed: NO")
    assert tessera.markets.market(market).status == Status.PENDING

    page = visit(f"markets/{market}", wallet=bettors[0])
    page.tab.get_by_label("What happened instead?").select_option("YES")
    page.tab.get_by_label("What is wrong with it?").fill("I saw it happen.")
    page.press("Dispute it", "I saw it happen.")
    page.says("If nothing else happens, everybody is paid back")
    page.says("YES · you")
    page.picture("market-voted")
    assert tessera.markets.vote_of(market, bettors[0].address) == Outcome.YES

    other = visit(f"markets/{market}", wallet=bettors[1])
    other.press("Vote YES", "You voted.")  # and so did both: two of three heads are not more than two thirds
    other.says("If nothing else happens, everybody is paid back")
    other.press("Vote NO", "it ends NO")  # a vote can be changed
    assert tessera.markets.vote_of(market, bettors[1].address) == Outcome.NO
    let_pass(tessera.web3, 2 * DAY, tessera.events.blocks_per_hour())
    other.press("Make it final", "You won")
    assert tessera.markets.market(market).outcome == Outcome.NO
    payoff = tessera.markets.position(market, bettors[1].address).payoff(Outcome.NO)
    other.press(f"Take {payoff // 10**4 / 100:.2f} EUR", "are in your balance.")
    assert tessera.escrow.balance_of(bettors[1].address) == 49 * EUR + payoff


def test_a_proposal_is_replaced_once(visit, member, new_person, tessera):
    market = new_market(tessera, member, "A slip?", dispute_window=DAY)
    let_pass(tessera.web3, DAY, tessera.events.blocks_per_hour())
    page = visit(f"markets/{market}", wallet=member)
    page.confirm("Propose NO", "Proposed: NO")
    page.tab.get_by_text("I was wrong").click()
    page.confirm("Propose YES", "in place of what was proposed before")
    assert tessera.markets.market(market).outcome == Outcome.YES
    assert page.tab.get_by_text("I was wrong").count() == 0


def test_a_referee_accepts_and_rules(visit, member, new_person, tessera):
    referee, bettor = new_person(), joined(new_person(), tessera)
    market = new_market(tessera, member, "A referee?", referee=referee.address)
    page = visit(f"markets/{market}", wallet=bettor)
    page.says("Nobody can bet until")
    page.says("If the referee is silent, every stake is paid back.")
    assert page.button("Bet 1.00 EUR on YES").count() == 0
    page = visit(f"markets/{market}", wallet=referee)
    page.confirm("Accept", "You are the referee.")
    assert tessera.markets.market(market).status == Status.OPEN
    page.says("You decide the outcome, so you cannot bet here.")
    bet(tessera, bettor, market, Outcome.YES)
    let_pass(tessera.web3, DAY, tessera.events.blocks_per_hour())
    tessera.markets.propose(member, market, Outcome.NO)
    tessera.markets.complain(bettor, market, Outcome.YES, "No.")
    page = visit(f"markets/{market}", wallet=referee)
    page.says("If nothing else happens, everybody is paid back")
    page.picture("market-referee")
    page.confirm("Rule cancelled", "every stake is paid back")
    assert tessera.markets.market(market).status == Status.INVALID


def test_a_creator_cancels_while_the_referee_is_silent(visit, member, new_person, tessera):
    market = new_market(tessera, member, "A silent referee?", referee=new_person().address)
    page = visit(f"markets/{market}", wallet=member)
    page.confirm("Cancel it", "your seed is back")
    assert tessera.escrow.balance_of(member.address) == 50 * EUR


def test_the_creator_cancels_early_and_silence_pays_everybody_back(visit, member, new_person, tessera):
    bettor = joined(new_person(), tessera)
    cancelled, forgotten = (new_market(tessera, member, question) for question in ("Cancelled?", "Forgotten?"))
    for market in (cancelled, forgotten):
        bet(tessera, bettor, market, Outcome.NO)
    page = visit(f"markets/{cancelled}", wallet=member)
    page.tab.get_by_text("End it before that").click()
    page.confirm("Propose to cancel", "Proposed: cancelled")
    page.says("before the result was expected")
    assert tessera.markets.market(cancelled).outcome == Outcome.INVALID

    let_pass(tessera.web3, 8 * DAY, tessera.events.blocks_per_hour())
    page = visit(f"markets/{forgotten}", wallet=bettor)
    page.press("Cancel and pay everybody back", "Your stakes come back")
    page.press("Take 1.00 EUR", "are in your balance.")
    assert tessera.markets.market(forgotten).status == Status.INVALID
    assert tessera.escrow.balance_of(bettor.address) == 49 * EUR


def test_the_list_finds_by_words_and_state(visit, member, tessera):
    new_market(tessera, member, "Find this needle?")
    page = visit()
    page.tab.get_by_role("searchbox").fill("NEEDLE")
    page.tab.get_by_text("Find this needle?").wait_for()
    page.tab.wait_for_function("document.querySelectorAll('.card').length === 1")
    page.tab.get_by_text("Find this needle?").click()
    page.says("on average")
    assert page.tab.evaluate("document.activeElement.id") == "main"  # where the next Tab goes on from
    page.tab.go_back()
    page.tab.get_by_text("Find this needle?").wait_for()
    assert page.tab.get_by_role("searchbox").input_value() == "NEEDLE"
    page.tab.get_by_label("State").select_option("RESOLVED")
    page.says("No market matches.")
