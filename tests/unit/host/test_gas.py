"""Players who make a host spend its gas: what they gain, what it costs the host, and who is still served.

Gas is the host's: whoever spends it for nothing keeps the host from serving others until the next day.
"""

from datetime import UTC, datetime

import pytest

from tessera.chain import Wallet, wallet
from tessera.host.gas import BET_GAS, LIST_GAS
from tessera.host.node import Node
from tests.unit.host.conftest import DAY, EUR, ODDS
from tests.unit.host.test_life import placed
from tests.unit.host.test_purse import enter, info

__all__ = ["enter"]

WIN, LOSS = 0, 1
START = 50 * EUR
FIRST_GAS = LIST_GAS + BET_GAS
POOL = "predictions = [win,loss]\nrange = [1, 100]\n"


def offers(world, count: int, body: str = POOL) -> str:
    """A file of so many bets that are open for a month."""
    closes_at = datetime.fromtimestamp(world.now // DAY * DAY + 30 * DAY, UTC)
    return "".join(
        f"[bets:{number}]\ndesc = {'A wins on B' if number == 0 else f'Game {number}'}\n{body}"
        f"time_lapse = {closes_at:%Y-%m-%dT%H:%M}\n"
        for number in range(count)
    )


@pytest.fixture(autouse=True)
def steady(world, monkeypatch) -> None:
    """A price of gas that stays, and transactions that offer little more gas than they take."""
    world.web3.provider.ethereum_tester.mine_blocks(100)  # without transactions: the base fee falls to nothing
    monkeypatch.setattr(wallet, "EMBEDDED_GAS", 300_000)


def with_budget(world, text: str, gas: int) -> Node:
    """A node that may spend so much gas in 24 hours, at the price of now."""
    current = Wallet(world.web3, world.host).gas_price()
    return world.node(text, budget=gas * min(current.total, current.ceiling))


def listings(node) -> int:
    return sum(node.catalogue.is_listed(offered) for offered in node.catalogue.offered)


def refusals(world) -> list[tuple[int, str]]:
    """Players, by number, and why their bets were refused, in order; they are asked for once."""
    numbers = {player.address: number for number, player in enumerate(world.players)}
    told = [(numbers[account], code) for account, code, _ in world.told]
    world.told.clear()
    return told


def test_one_account_that_bets_first_on_everything_costs_the_host_a_twentieth(world):
    """The attacker gets four bets of the least stake and has paid no gas. Without the bound it makes the host list all
    ten, and of a hundred offered all hundred. Others are served, also by a host that is started again."""
    text, budget = offers(world, 10), 20 * 4 * FIRST_GAS
    node, host = with_budget(world, text, budget), Wallet(world.web3, world.host)
    money, began = host.balance(), world.now
    for numbers in (range(5), range(5, 9)):
        node.take([world.sign(node, number, 0, WIN, EUR) for number in numbers])
        node.step()
    assert (listings(node), len(placed(node))) == (4, 4)
    assert refusals(world) == [(0, "gas_share")] * 5
    assert money - host.balance() <= node.view.gas.share
    assert world.balance(0) == START - 4 * EUR

    node = with_budget(world, text, budget)  # the same one, started again
    node.take([world.sign(node, 8, player, WIN, EUR) for player in (0, 1, 2)])
    node.step()
    assert refusals(world) == [(0, "gas_share")]
    assert [account for account, _ in placed(node)[4:]] == [world.players[number].address for number in (1, 2)]

    world.travel(began + DAY + 2 * 3_600)
    node.take([world.sign(node, 9, 0, WIN, EUR)])
    node.step()
    assert refusals(world) == []
    assert listings(node) == 6


def test_many_accounts_use_up_listings_but_neither_bets_on_what_is_listed_nor_what_is_paid(world):
    """Each stays below what one account may cost, and has a stake at risk. What they list costs a third of the budget
    at most, what is landed with it three quarters: the others bet on, until nothing but settling and paying is left."""
    node = with_budget(world, offers(world, 4), 7 * LIST_GAS + LIST_GAS // 2)
    for number in range(3):
        node.take([world.sign(node, number, number, WIN, EUR)])
        node.step()
    assert listings(node) == 2
    assert refusals(world) == [(2, "no_listing")]
    for player in (2, 3, 2, 3, 2, 3):
        node.take([world.sign(node, 0, player, LOSS, 5 * EUR)])
        node.step()
    assert {account for account, _ in placed(node)} == {player.address for player in world.players}
    assert {code for _, code in refusals(world)} == {"no_gas"}
    world.decide(node, 0, LOSS)
    node.step()
    lost = world.tessera.prorata.settlement(node.catalogue.offered[0].bet_id)
    assert lost.outcome == LOSS
    assert world.balance(0) == START - EUR
    assert sum(world.balance(player) for player in (2, 3)) == 2 * START + EUR - EUR // 10


def test_where_gas_is_dear_everybody_still_has_a_first_bet(world):
    """A twentieth of what the budget buys then is less than a listing."""
    node = with_budget(world, offers(world, 1), 19 * FIRST_GAS)
    node.take([world.sign(node, 0, 0, WIN, EUR)])
    node.step()
    assert [amount for _, amount in placed(node)] == [EUR]
    assert refusals(world) == []


def test_what_the_host_will_not_pay_for_is_refused_before_it_is_signed(world, enter):
    node = with_budget(world, offers(world, 3), 40 * FIRST_GAS)
    client = enter(node, 0)
    chosen = [
        info(1) | {"bet_id": offered.bet.number, "desc": offered.bet.description} for offered in node.catalogue.offered
    ]
    error = client.refused("gas_share", method="bets_selected", bets_info=chosen)
    assert error["message"].endswith("place this bet by a transaction of your own")
    client.send(method="bets_selected", bets_info=chosen[:2])
    assert len(client.next("bets_to_sign")["bets"]) == 2


@pytest.mark.parametrize("amount", [1, EUR - 1])
def test_stakes_too_small_to_be_worth_their_gas_are_not_landed(world, enter, amount):
    """The contract's range is for a position: whoever has one could add a unit to it, four times a second, and each
    would cost the host 35,000 gas. By own transactions anybody may."""
    node = world.node(offers(world, 1))
    node.take([world.sign(node, 0, 0, WIN, 5 * EUR)])
    node.step()
    client = enter(node, 0)
    chosen = info(0) | {"bet_amount_units": str(amount)}
    client.refused("bad_amount", method="bets_selected", bets_info=[chosen])
    offered = node.catalogue.offered[0]
    world.tessera.prorata.place(Wallet(world.web3, world.players[0]), offered.bet_id, WIN, amount)
    assert world.balance(0) == START - 5 * EUR - amount


def test_stakes_that_make_a_host_confirm_leave_what_settling_takes(world, monkeypatch):
    """Two accounts of somebody cover each other by own transactions, again and again: each time the host confirms, and
    it had nothing left to settle with, nor to pay. They pay more gas than they make it spend."""
    closes_at = datetime.fromtimestamp(world.now + 2 * 3_600, UTC)
    node = with_budget(world, f"{ODDS}time_lapse = {closes_at:%Y-%m-%dT%H:%M}\n", 1_200_000)
    offered, odds = node.catalogue.offered[0], world.tessera.odds
    first, second = (Wallet(world.web3, player) for player in world.players[:2])
    odds.list_bet(first, offered.listing, offered.offer)
    monkeypatch.setattr(wallet, "EMBEDDED_GAS", 150_000)
    node.step()
    confirmed = 0
    for _ in range(20):
        for player, prediction, amount in ((first, WIN, 2 * EUR), (second, LOSS, 17 * EUR // 10)):
            odds.place(player, offered.bet_id, prediction, amount, min_confirmed=0)
        node.step()
        confirmed += all(status == "confirmed" for player in (0, 1) for _, _, status in world.stakes(node, player))
    assert 0 < confirmed < 20
    world.decide(node, 0, WIN)
    monkeypatch.setattr(wallet, "EMBEDDED_GAS", 200_000)
    node.step()
    assert world.tessera.odds_lens.verdict(offered.bet_id).settled
