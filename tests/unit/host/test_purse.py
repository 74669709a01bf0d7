"""Players without money or consent, and what they would cost a host; leave for bets of their own hand."""

import pytest

from tessera.chain import Reverted, Wallet
from tessera.chain.embedded import known_account
from tessera.chain.erc20 import Erc20
from tessera.chain.hosted_bets import HostSignature
from tessera.host.purse import Product, Purse
from tests.habits import within
from tests.unit.host.conftest import BARE, EUR, ODDS, PANEL
from tests.unit.host.test_frames import Client

WIN, LOSS = 0, 1
START = 50 * EUR


@pytest.fixture
def enter(world, door):
    """Connects a player to a host, which then takes a look at the account."""

    def made(node, number: int) -> Client:
        client = Client(door(node)(), world.players[number])
        client.sign_in()
        before = node.view
        node.step()
        concerned = node.view.concerns(before)
        if concerned is None or client.account.address in concerned:  # else there is no news
            client.bets = client.next("bets")
        return client

    return made


def info(amount, bet_id: int = 0, prediction: str = "win") -> dict:
    desc = ("A wins on B", "B wins on C")[bet_id]
    return {"bet_id": bet_id, "desc": desc, "prediction": prediction, "bet_amount": amount}


def test_a_purse_says_what_is_lacking():
    product = Product("ProrataBets", 3)
    purse = Purse(balance=5_500_000, consent=0b1000, promised=2_000_000)
    assert purse.refusal(product, 3_500_000, 6) is None
    code, text = purse.refusal(product, 3_500_001, 6)
    assert (code, text) == ("no_balance", "you have 5.5 in Escrow, 2 of it promised: deposit 0.000001 more first")
    code, text = Purse(balance=10**9, consent=0b10111).refusal(product, 1, 6)
    assert (code, text) == (
        "no_consent", "Escrow may not debit you for ProrataBets: send set_consent(31) to Escrow first"
    )  # fmt: skip


def test_what_nobody_can_pay_for_is_refused_before_it_is_signed(world, enter):
    client = enter(world.node(BARE), 0)
    error = client.refused("no_balance", method="bets_selected", bets_info=[info(51)])
    assert error["message"] == "you have 50 in Escrow, 0 of it promised: deposit 1 more first"
    # Each is covered, all of them are not.
    both = [info(30), info(30, bet_id=1)]
    error = client.refused("no_balance", method="bets_selected", bets_info=both)
    assert error["message"] == "you have 50 in Escrow, 30 of it promised: deposit 10 more first"
    client.select(0, "win", 50)


def test_what_was_deposited_since_the_node_looked_counts(world, enter):
    """The chain is asked before a player is refused; where it cannot be, what was seen counts."""
    player = Wallet(world.web3, world.players[0])
    world.tessera.escrow.set_consent(player, 0b101)
    world.tessera.escrow.withdraw(player, 45 * EUR)
    client = enter(world.node(BARE), 0)
    client.refused("no_consent", method="bets_selected", bets_info=[info(20)])
    world.tessera.escrow.set_consent(player, 0b111)
    error = client.refused("no_balance", method="bets_selected", bets_info=[info(20)])
    assert error["message"] == "you have 5 in Escrow, 0 of it promised: deposit 15 more first"
    Erc20(world.web3, world.tessera.escrow.token()).approve(player, world.tessera.escrow.address, 45 * EUR)
    world.tessera.escrow.deposit(player, 45 * EUR)
    with within(world.web3, methods=("eth_call",), failures=("drop",), rate=1):
        client.refused("no_consent", method="bets_selected", bets_info=[info(20)])
    client.select(0, "win", 20)


def test_what_is_signed_and_not_landed_is_promised(world, enter):
    node = world.node(BARE)
    client = enter(node, 0)
    node.lander.land = lambda *_: None
    node.take([world.sign(node, 1, 0, WIN, 45 * EUR)])
    node.step()
    client.bets = client.next("bets")
    error = client.refused("no_balance", method="bets_selected", bets_info=[info(6)])
    assert error["message"] == "you have 50 in Escrow, 45 of it promised: deposit 1 more first"
    client.select(0, "win", 5)


def test_without_consent_a_player_hears_what_to_send(world, enter):
    player = Wallet(world.web3, world.players[0])
    world.tessera.escrow.set_consent(player, 0b101)
    node = world.node(BARE)
    client = enter(node, 0)
    error = client.refused("no_consent", method="bets_selected", bets_info=[info(5)])
    mask = int(error["message"].partition("set_consent(")[2].partition(")")[0])
    assert mask == 0b111
    world.tessera.escrow.set_consent(player, mask)
    node.step()
    client.bets = client.next("bets")
    client.select(0, "win", 5)


def test_players_without_money_cost_the_host_no_gas(world):
    """A bet that its player cannot pay for, on what nobody took yet, would cost the host 144,859 gas for the listing;
    landed without looking, 102,382 more for a batch that skips it. Here it costs nothing.
    """
    node = world.node(BARE)
    player, host = Wallet(world.web3, world.players[1]), Wallet(world.web3, world.host)
    broke = [world.sign(node, number, 0, WIN, 51 * EUR) for number in (0, 1)]
    unwilling = world.sign(node, 1, 1, LOSS, 5 * EUR)
    world.tessera.escrow.set_consent(player, 0b101)
    before, gas_money = world.sent(), host.balance()
    node.take([*broke, unwilling])
    node.step()
    assert (world.sent(), host.balance()) == (before, gas_money)
    told = [(account, code) for account, code, _ in world.told]
    assert told == [(broke[0].bet.account, "no_balance")] * 2 + [(player.address, "no_consent")]
    assert node.store.signed() == []
    # What it would have been.
    first = node.catalogue.offered[1]
    listing = first.contract.list_bet(host, first.listing)
    skipped = first.contract.write(host, "place_many", *node.lander._arguments(first, [[broke[1]]]))
    assert listing.gas_used > 140_000
    assert skipped.gas_used > 60_000
    assert [row.reason for row in skipped.events] == ["prorata: debit refused"]
    assert world.balance(0) == START


def test_one_balance_pays_for_one_of_many_bets(world):
    """Signed at once by many connections: what an earlier bet of the queue takes is gone for the others."""
    node = world.node(BARE)
    bets = [world.sign(node, number, 0, WIN, 30 * EUR) for number in (0, 1, 0, 1)]
    before = world.sent()
    node.take(bets)
    node.step()
    assert world.sent() == before + 2  # one listing, one batch
    assert [code for _, code, _ in world.told] == ["no_balance"] * 3
    assert world.stakes(node, 0) == [(WIN, 30 * EUR, "confirmed")]
    assert world.balance(0) == 20 * EUR


def test_what_is_landed_and_not_seen_yet_is_not_spent_twice(world):
    node = world.node(BARE)
    node.take([world.sign(node, 0, 0, WIN, 30 * EUR)])
    sync = node.index.sync
    node.index.sync = lambda: None  # the index is behind from now on
    node._look()
    node.lander.land(node._signed, node._look())
    assert world.balance(0) == 20 * EUR
    second = world.sign(node, 1, 0, WIN, 30 * EUR)
    node.take([second])
    before = world.sent()
    view = node._look()
    node.lander.land([second], view)
    assert world.sent() == before
    assert [code for _, code, _ in world.told] == ["no_balance"]
    node.index.sync = sync


def test_a_player_who_withdraws_after_signing_costs_nothing(world):
    node = world.node(ODDS + "bankroll = 20\n")
    node.step()
    before = world.sent()
    node.take([world.sign(node, 0, 0, WIN, 10 * EUR)])
    world.tessera.escrow.withdraw(Wallet(world.web3, world.players[0]), 45 * EUR)
    node.step()
    assert world.sent() == before
    assert [code for _, code, _ in world.told] == ["no_balance"]


@pytest.mark.parametrize("amount", [EUR - 1, 41 * EUR])
@pytest.mark.parametrize("file", [BARE.replace("[1, 100]", "[1, 40]"), ODDS], ids=["pool", "odds"])
def test_a_stake_out_of_the_range_does_not_make_the_host_list(world, file, amount):
    node = world.node(file)
    before = world.sent()
    node.take([world.sign(node, 0, 0, WIN, amount)])
    node.step()
    assert world.sent() == before
    assert [code for _, code, _ in world.told] == ["bad_amount"]


def test_the_host_and_the_panel_do_not_make_the_host_list(world, enter):
    node = world.node(BARE)
    member = known_account(PANEL[0])
    world.players += [world.host, member]
    before = world.sent()
    node.take([world.sign(node, 0, 4, WIN, 5 * EUR), world.sign(node, 0, 5, WIN, 5 * EUR)])
    node.step()
    assert world.sent() == before
    assert [(account, code) for account, code, _ in world.told] == [
        (world.host.address, "excluded"),
        (member.address, "excluded"),
    ]
    enter(node, 4).refused("excluded", method="bets_selected", bets_info=[info(5)])


def test_the_range_is_for_the_position_that_a_player_has(world, enter):
    node = world.node(BARE.replace("[1, 100]", "[2, 10]"))
    node.take([world.sign(node, 0, 0, WIN, 9 * EUR)])
    node.step()
    client = enter(node, 0)
    client.refused("bad_amount", method="bets_selected", bets_info=[info(2)])
    client.refused("bad_amount", method="bets_selected", bets_info=[info(1, prediction="loss")])
    client.select(0, "win", 1)


@pytest.mark.parametrize("file", [BARE, ODDS], ids=["pool", "odds"])
def test_a_voucher_lets_an_admitted_player_bet_by_an_own_transaction(world, enter, file):
    """The list of a private bet is the host's file, not the chain: the voucher stands for it."""
    admitted, other = (Wallet(world.web3, world.players[number]) for number in (1, 0))
    node = world.node(file.replace("[bets:0]", f"[bets:0]\nprivate = {admitted.address}"))
    assert all(bet["desc"] != "A wins on B" for bet in enter(node, 0).bets["open_bets"])
    client = enter(node, 1)
    (shown,) = [bet for bet in client.bets["open_bets"] if bet["bet_id"] == 0]
    assert all(bet["voucher"] is None for bet in client.bets["open_bets"] if bet["bet_id"] != 0)
    voucher, offer = (
        HostSignature(int(shown[name]["expires_at"]), bytes.fromhex(shown[name]["signature"][2:]))
        for name in ("voucher", "host_signature")
    )
    offered = next(one for one in node.catalogue.offered if one.bet.number == 0)
    assert voucher.expires_at == offered.listing.closes_at
    offered.contract.list_bet(other, offered.listing, offer)
    terms = {"voucher": voucher} | ({"min_confirmed": 0} if offered.bet.has_odds else {})
    with pytest.raises(Reverted, match="hosting: not the host's voucher"):
        offered.contract.place(other, offered.bet_id, WIN, 5 * EUR, **terms)
    placed = offered.contract.place(admitted, offered.bet_id, WIN, 5 * EUR, **terms)
    assert world.balance(1) == START - 5 * EUR
    node.look(admitted.address, [placed.transaction])
    node.step()
    assert [amount for _, amount, _ in world.stakes(node, 1)] == [5 * EUR]
    # Those that its own host lands need none.
    node.take([world.sign(node, 0, 1, LOSS, 5 * EUR)])
    node.step()
    assert world.balance(1) == START - 10 * EUR
    assert world.told == []


def test_a_voucher_is_for_those_on_the_list(world):
    node = world.node(ODDS + f"private = {world.players[1].address}\n")
    assert set(node.catalogue.vouchers(world.players[1].address)) == {node.catalogue.offered[0].bet_id}
    assert node.catalogue.vouchers(world.players[0].address) == {}
