"""Markets on a euro that can be bought: no invitation, but a deposit; the first bet is the second transaction."""

import json

import pytest
from web3 import Web3

from scripts import web
from tessera.chain import EUR, WAD, Outcome, Terms, Wallet
from tessera.chain.erc20 import Erc20
from tessera.chain.escrow import Escrow
from tessera.chain.lmsr_markets import LmsrMarkets
from tessera.deployment.artifacts import compiled
from tessera.local.chain import DAY


@pytest.fixture(scope="module")
def club(local):
    """Token, Escrow and markets of their own on the devnet; a referee is needed there."""

    def create(name: str, *arguments) -> str:
        return local.owner.send({"data": compiled(name).creation_data(list(arguments))}, name)["contractAddress"]

    euro = create("TestToken", "Euro Coin", "EURC", 6)
    escrow = create("Escrow", euro, False)
    markets = create("LmsrMarkets", escrow, False, 12 * 3600)
    Escrow(local.web3, escrow).register_product(local.owner, markets)
    return {"Escrow": escrow, "LmsrMarkets": markets}, euro


@pytest.fixture(scope="module")
def at(club, deployment, built):
    with web.serving({**deployment, "addresses": club[0]}, 0) as address:
        yield address


def give_euros(local, euro: str, wallet: Wallet, amount: int) -> None:
    token = local.web3.eth.contract(address=euro, abi=compiled("TestToken").abi)
    local.owner.send({"to": euro, "data": token.encode_abi("mint", [wallet.address, amount])}, "mint")


def test_permit_deposit_and_consent_are_one_transaction(visit, at, club, new_person, local):
    addresses, euro = club
    escrow, markets = Escrow(local.web3, addresses["Escrow"]), LmsrMarkets(local.web3, addresses["LmsrMarkets"])
    creator, referee, bettor = (new_person() for _ in range(3))
    give_euros(local, euro, bettor, 30 * EUR)
    give_euros(local, euro, creator, 10 * EUR)
    Erc20(local.web3, euro).approve(creator, escrow.address, 10 * EUR)
    escrow.deposit(creator, 10 * EUR, consent=1)
    terms = Terms("Is it real?", "Yes.", "No.", "As it is.", "Everybody.")
    markets.create_market(
        creator,
        terms,
        p0=WAD // 2,
        expected_result_at=local.now() + DAY,
        dispute_window=12 * 3600,
        referee=referee.address,
    )
    markets.accept_referee(referee, 1)

    page = visit("markets/1", wallet=bettor, at=at)
    page.says("30.00 EUR there")
    page.tab.get_by_label("Amount in EUR").fill("20")
    page.press("Deposit 20.00 EUR", "It is in your balance.")
    assert (escrow.balance_of(bettor.address), escrow.consent_of(bettor.address)) == (20 * EUR, 1)
    yes = page.button("Bet 1.00 EUR on YES").and_(page.tab.locator("[aria-disabled=false]"))
    yes.click()
    page.says("Your bet is placed.")
    assert markets.position(1, bettor.address).staked[Outcome.YES] == EUR
    calls = page.tab.evaluate("window.testWallet.calls")
    assert [calls.count(name) for name in ("eth_signTypedData_v4", "eth_sendTransaction")] == [1, 2]

    page.go("tickets")
    page.says("There are no staked tickets on this chain.")
    page.go("portfolio")
    page.press("Withdraw 19.00 EUR", "It is in your wallet.")
    assert Erc20(local.web3, euro).balance_of(bettor.address) == 29 * EUR


def test_a_token_without_permits_is_approved_first(visit, at, club, new_person, local):
    """The page asks the token for its EIP-712 domain; where there is none it sends an approval before the deposit."""
    addresses, euro = club
    escrow, person = Escrow(local.web3, addresses["Escrow"]), new_person()
    give_euros(local, euro, person, 5 * EUR)
    page = visit("portfolio", wallet=person, at=at)
    domain = Web3.keccak(text="eip712Domain()")[:4].hex()  # in a call of several
    page.tab.route("**", lambda route: answer_without(route, domain))
    page.tab.get_by_label("Amount in EUR", exact=True).fill("5")
    page.press("Deposit 5.00 EUR", "It is in your balance.")
    calls = page.tab.evaluate("window.testWallet.calls")
    assert [calls.count(name) for name in ("eth_signTypedData_v4", "eth_sendTransaction")] == [0, 2]
    assert escrow.balance_of(person.address) == 5 * EUR


def answer_without(route, selector: str) -> None:
    """A node for which the token does not know a function."""
    if selector not in (route.request.post_data or ""):
        route.continue_()
        return
    asked = json.loads(route.request.post_data)
    refused = [
        {"jsonrpc": "2.0", "id": one["id"], "error": {"code": 3, "message": "execution reverted"}}
        for one in (asked if isinstance(asked, list) else [asked])
    ]
    route.fulfill(json=refused if isinstance(asked, list) else refused[0], headers={"Access-Control-Allow-Origin": "*"})
