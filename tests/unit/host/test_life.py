"""Bets from signature to payout: landed in batches, confirmed, settled, paid; and what befalls a host in between."""

from threading import Event, Thread

import pytest

from tessera.chain import Wallet
from tessera.chain.errors import NodeError, NodeRefusedError, Reverted
from tessera.chain.hosted_bets import BetPlaced
from tessera.host import land
from tessera.host.node import MOST_REORG
from tests.habits import within
from tests.unit.host.conftest import BARE, EUR, ODDS

START = 50 * EUR
WIN, LOSS = 0, 1


def placed(node) -> list[tuple[str, int]]:
    """Account and amount of each confirmed bet on the chain."""
    node.index.sync()
    with node.index.snapshot() as snapshot:
        return [(row.account, row.amount) for row in snapshot.rows(BetPlaced)]


def test_pool_bets_land_in_one_batch_are_settled_and_everybody_is_paid(world):
    """U0 10 and U1 20 on win, U2 30 on loss, 5 % + 5 %: 27 go to 10 + 20 by stake."""
    node = world.node(BARE)
    node.take(
        [
            world.sign(node, 0, 0, WIN, 10 * EUR),
            world.sign(node, 0, 1, WIN, 20 * EUR),
            world.sign(node, 0, 2, LOSS, 30 * EUR),
        ]
    )
    before = world.sent()
    node.step()
    assert world.sent() == before + 2  # it is listed, and then all are placed
    assert world.stakes(node, 0) == [(WIN, 10 * EUR, "confirmed")]
    node.step()
    assert world.sent() == before + 2
    world.decide(node, 0, WIN)
    node.step()
    assert world.sent() == before + 4  # it is settled, and everybody is paid at once
    assert world.stakes(node, 0) == [(WIN, 10 * EUR, "settled")]
    assert [world.balance(player) for player in range(3)] == [START + 9 * EUR, START + 18 * EUR, START - 30 * EUR]
    assert world.tessera.escrow.balance_of(world.host.address) == START + 30 * EUR * 5 // 100
    node.step()
    assert world.sent() == before + 4
    assert world.told == []


def test_bets_at_odds_wait_until_the_sides_cover_each_other(world):
    """80 % and 110 % with 1 % for the validators and no bankroll. 20 on win needs loss to stake; 17 there is enough."""
    node = world.node(ODDS)
    node.take([world.sign(node, 0, 0, WIN, 20 * EUR)])
    node.step()
    assert world.stakes(node, 0) == [(WIN, 20 * EUR, "pending")]
    node.take([world.sign(node, 0, 1, LOSS, 17 * EUR)])
    node.step()
    # 20 * 1.8 + 0.01 * 37 = 36.37 <= 37 and 17 * 2.1 + 0.37 = 36.07 <= 37.
    assert world.stakes(node, 0) == [(WIN, 20 * EUR, "confirmed")]
    assert world.stakes(node, 1) == [(LOSS, 17 * EUR, "confirmed")]
    world.decide(node, 0, WIN)
    node.step()
    assert world.balance(0) == START + 16 * EUR
    assert world.balance(1) == START - 17 * EUR
    commission = 370_000 // 2 * 2  # of two members
    assert world.tessera.escrow.balance_of(world.host.address) == START + EUR - commission
    assert world.stakes(node, 0) == [(WIN, 20 * EUR, "settled")]


def test_a_queue_longer_than_a_call_passes_is_confirmed_by_halves(world, monkeypatch):
    """A contract passes 256 tickets in a call; here 20 on win are too many for one, and a half of them is not."""
    node = world.node(ODDS)
    node.take([world.sign(node, 0, 0, WIN, 20 * EUR)])
    node.step()
    node.take([world.sign(node, 0, 1, LOSS, 17 * EUR)])
    confirm, tried = world.tessera.odds.confirm, []

    def few(wallet, bet_id, totals):
        tried.append(totals[WIN])
        if totals[WIN] > (10 if len(tried) < 3 else 20) * EUR:
            raise Reverted("odds: totals not reached", "OddsBets.confirm")
        return confirm(wallet, bet_id, totals)

    monkeypatch.setattr(world.tessera.odds, "confirm", few)
    node.step()
    assert world.stakes(node, 0) == [(WIN, 10 * EUR, "confirmed"), (WIN, 10 * EUR, "pending")]
    node.step()
    assert world.stakes(node, 0) == [(WIN, 20 * EUR, "confirmed")]
    assert tried == [20 * EUR, 10 * EUR, 20 * EUR]
    assert world.told == []


def test_a_silent_panel_costs_nobody_a_stake(world):
    node = world.node(ODDS + "bankroll = 20\n")
    node.take([world.sign(node, 0, 0, WIN, 30 * EUR)])  # 25 of them are covered by 20, the rest waits
    node.step()
    statuses = {status for _, _, status in world.stakes(node, 0)}
    assert statuses == {"confirmed", "pending"}
    world.travel(node.catalogue.offered[0].listing.result_deadline + 1)
    node.step()
    assert world.balance(0) == START
    assert world.tessera.escrow.balance_of(world.host.address) == START
    assert {status for _, _, status in world.stakes(node, 0)} == {"refunded"}


def test_what_cannot_be_placed_is_refused_and_harms_nobody(world):
    node = world.node(BARE.replace("[1, 100]", "[1, 40]"))
    node.take([world.sign(node, 0, 2, WIN, 20 * EUR)])
    node.step()
    good = world.sign(node, 0, 0, WIN, 10 * EUR)
    world.tessera.escrow.withdraw(Wallet(world.web3, world.players[1]), 45 * EUR)
    poor = world.sign(node, 0, 1, WIN, 10 * EUR)
    large = world.sign(node, 0, 2, WIN, 21 * EUR)
    forged = world.sign(node, 0, 3, WIN, 10 * EUR)
    forged = type(forged)(forged.contract, forged.bet_id, forged.bet._replace(amount=11 * EUR), forged.signature)
    late = world.sign(node, 0, 3, WIN, 10 * EUR, deadline=world.now - 1)
    before = world.sent()
    node.take([poor, large, forged, good, late])
    node.step()
    assert world.sent() == before + 1
    assert placed(node)[1:] == [(good.bet.account, 10 * EUR)]
    told = {(account, code, text.partition(";")[0]) for account, code, text in world.told}
    assert told == {
        (poor.bet.account, "no_balance", "you have 5 in Escrow, 0 of it promised: deposit 5 more first"),
        (large.bet.account, "not_placed", "prorata: stake above range"),
        (forged.bet.account, "not_placed", "relayed: not signed by account"),
        (late.bet.account, "deadline_over", "the bet was not placed before its deadline"),
    }


def test_more_bets_than_a_batch_takes_are_under_way_at_once(world, monkeypatch):
    """Batches of two: five bets on one pool and one on another are four transactions, handed in before any is waited
    for, in the order the bets came; each bet is placed once."""
    monkeypatch.setattr(land, "MOST_AT_ONCE", 2)
    node = world.node(BARE)
    bets = [world.sign(node, 0, player, WIN, (player + 1) * EUR) for player in range(4)]
    bets += [world.sign(node, 1, 0, WIN, 7 * EUR), world.sign(node, 0, 0, LOSS, 9 * EUR)]
    node.take(bets)
    steps, send, wait = [], world.web3.eth.send_raw_transaction, Wallet._receipt

    def noted(step, action):
        return lambda *arguments: (steps.append(step), action(*arguments))[1]

    monkeypatch.setattr(world.web3.eth, "send_raw_transaction", noted("send", send))
    monkeypatch.setattr(Wallet, "_receipt", noted("wait", wait))
    node.step()
    assert steps == [*["send"] * 2, *["wait"] * 2, *["send"] * 4, *["wait"] * 4]  # both are listed first
    assert [amount for _, amount in placed(node)] == [1 * EUR, 2 * EUR, 3 * EUR, 4 * EUR, 7 * EUR, 9 * EUR]
    node.step()
    assert steps.count("send") == 6
    assert world.told == []


def test_bets_beyond_what_can_be_under_way_wait_for_the_next_step(world, monkeypatch):
    monkeypatch.setattr(land, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(land, "MOST_UNDER_WAY", 2)
    node = world.node(BARE)
    node.take([world.sign(node, 0, player, WIN, (player + 1) * EUR) for player in range(3)])
    node.step()
    assert [amount for _, amount in placed(node)] == [1 * EUR, 2 * EUR]
    node.step()
    assert [amount for _, amount in placed(node)] == [1 * EUR, 2 * EUR, 3 * EUR]


def test_where_a_node_takes_the_first_transaction_alone_the_others_come_later(world, monkeypatch):
    """A full pool: nothing is lost, nothing is placed twice, and nobody is told anything."""
    monkeypatch.setattr(land, "MOST_AT_ONCE", 1)
    node = world.node(BARE)
    node.take([world.sign(node, 0, 0, WIN, 1 * EUR)])
    node.step()
    node.take([world.sign(node, 0, player, WIN, (player + 1) * EUR) for player in range(1, 4)])
    send, left = world.web3.eth.send_raw_transaction, [1]

    def full(raw):
        left[0] -= 1
        if left[0] < 0:
            raise NodeRefusedError("txpool is full", "eth_sendRawTransaction", -32000)
        return send(raw)

    monkeypatch.setattr(world.web3.eth, "send_raw_transaction", full)
    node.step()
    assert [amount for _, amount in placed(node)] == [1 * EUR, 2 * EUR]
    monkeypatch.setattr(world.web3.eth, "send_raw_transaction", send)
    node.step()
    assert [amount for _, amount in placed(node)] == [1 * EUR, 2 * EUR, 3 * EUR, 4 * EUR]
    assert world.told == []


def test_a_batch_that_would_place_nothing_is_not_sent(world):
    node = world.node(BARE)
    node.take([world.sign(node, 0, 0, WIN, 10 * EUR)])
    node.step()
    before = world.sent()
    node.take([world.sign(node, 0, 1, WIN, 51 * EUR)])
    node.step()
    assert world.sent() == before


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("transaction", [0, 1, 2])
def test_killed_around_a_transaction_a_signed_bet_is_placed_exactly_once(world, dying, monkeypatch, transaction, after):
    monkeypatch.setattr(land, "MOST_AT_ONCE", 1)  # so that two are under way
    node = world.node(BARE)
    node.take([world.sign(node, 0, 0, WIN, 10 * EUR), world.sign(node, 0, 1, LOSS, 10 * EUR)])
    dying(transaction, after=after)
    with pytest.raises(KeyboardInterrupt):
        node.step()
    again = world.node(BARE)
    again.step()
    again.step()
    assert sorted(placed(again)) == sorted((world.players[n].address, 10 * EUR) for n in (0, 1))
    assert world.told == []


@pytest.mark.parametrize("file", [BARE, BARE.replace("A wins", "X wins")], ids=["same", "other bets"])
def test_started_again_a_host_says_of_no_placed_bet_that_nothing_was_taken(world, file):
    """The new process has the signed bet, whose money is gone: into that very bet."""
    node = world.node(BARE)
    bet = world.sign(node, 0, 0, WIN, 40 * EUR)
    node.take([bet])
    node.step()
    assert world.balance(0) == 10 * EUR
    again = world.node(file.replace("[bets:0]", "[bets:7]"))
    again.step()
    assert world.told == []
    assert placed(again) == [(bet.bet.account, 40 * EUR)]
    world.travel(world.now + 61)
    again.step()
    assert (world.told, again.store.signed()) == ([], [])


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("transaction", [0, 1])
def test_killed_around_settling_and_paying_everybody_is_paid_once(world, dying, transaction, after):
    node = world.node(BARE)
    node.take([world.sign(node, 0, 0, WIN, 10 * EUR), world.sign(node, 0, 1, LOSS, 10 * EUR)])
    node.step()
    world.decide(node, 0, WIN)
    dying(transaction, after=after)
    with pytest.raises(KeyboardInterrupt):
        node.step()
    world.node(BARE).step()
    assert (world.balance(0), world.balance(1)) == (START + 9 * EUR, START - 10 * EUR)


def test_with_all_state_lost_open_bets_are_still_settled_and_paid(world):
    node = world.node(BARE)
    node.take([world.sign(node, 0, 0, WIN, 10 * EUR), world.sign(node, 0, 1, LOSS, 10 * EUR)])
    node.step()
    world.decide(node, 0, LOSS)
    # The file has other bets meanwhile.
    world.node(ODDS.replace("A wins", "C wins"), store="another", index="another").step()
    assert (world.balance(0), world.balance(1)) == (START - 10 * EUR, START + 9 * EUR)


def test_a_bet_that_the_chain_took_back_is_placed_again(world):
    tester = world.web3.provider.ethereum_tester
    node = world.node(BARE)
    before = tester.take_snapshot()
    node.take([world.sign(node, 0, 0, WIN, 10 * EUR)])
    node.step()
    assert len(placed(node)) == 1
    tester.revert_to_snapshot(before)
    tester.mine_blocks(5)
    node.step()
    assert placed(node) == [(world.players[0].address, 10 * EUR)]
    assert world.balance(0) == START - 10 * EUR


def test_while_the_node_fails_nothing_is_lost(world):
    node = world.node(BARE)
    node.take([world.sign(node, 0, 0, WIN, 10 * EUR, deadline=world.now + 110)])
    failed = 0
    with within(world.web3, rate=0.05, failures=("refusal", "drop", "page"), seed=3) as habits:
        for _ in range(30):
            try:
                node.step()
                if placed(node):
                    break
            except NodeError:
                failed += 1
    assert sum(habits.failed.values()) > 0
    node.step()
    assert placed(node) == [(world.players[0].address, 10 * EUR)]
    assert world.told == []


def test_without_budget_nothing_is_sent_and_the_player_hears_of_it(world):
    node = world.node(BARE, budget=1)
    before = world.sent()
    node.take([world.sign(node, 0, 0, WIN, 10 * EUR)])
    node.step()
    assert world.sent() == before
    assert [(account, code) for account, code, _ in world.told] == [(world.players[0].address, "no_gas")]
    assert world.balance(0) == START


def test_a_players_own_transaction_is_shown_and_one_without_a_bet_is_named(world):
    node = world.node(BARE)
    player = Wallet(world.web3, world.players[0])
    first = node.catalogue.offered[0]
    placing = world.tessera.prorata.list_and_place(player, first.listing, first.offer, WIN, 10 * EUR)
    consent = world.tessera.escrow.set_consent(player, 0b111)
    node.look(player.address, [placing.transaction, consent.transaction])
    node.watch(player.address, True)
    node.step()
    assert world.stakes(node, 0) == [(WIN, 10 * EUR, "confirmed")]
    assert {account: purse.balance for account, purse in node.view.purses.items()} == {player.address: START - 10 * EUR}
    assert world.told == [(player.address, "no_bet", f"{consent.transaction} placed no bet")]
    node.watch(player.address, False)
    node.step()
    assert node.view.purses == {}


def test_named_transactions_that_nobody_sent_hold_up_nobody(world, monkeypatch):
    """Naming costs nothing but a sign-in. The chain was asked for each of them again in every look, which kept signed
    bets waiting; now for sixteen in a look, each in its turn, and whoever named one hears of it all the same."""
    node = world.node(BARE)
    griefer, player = (Wallet(world.web3, account) for account in world.players[:2])
    consent = world.tessera.escrow.set_consent(player, 0b111)
    node.look(griefer.address, [f"0x{number:064x}" for number in range(1, 41)])
    node.look(player.address, [consent.transaction])
    asked, receipt_of = [], world.web3.eth.get_transaction_receipt
    monkeypatch.setattr(
        world.web3.eth, "get_transaction_receipt", lambda name: (asked.append(name), receipt_of(name))[1]
    )
    counts = []
    for _ in range(3):
        before = len(asked)
        node._look()
        counts.append(len(asked) - before)
    assert counts == [16, 16, 16]
    assert len(set(asked)) == 41
    assert world.told == [(player.address, "no_bet", f"{consent.transaction} placed no bet")]


def test_a_block_alone_is_no_news_and_what_is_paid_is_not_asked_for_for_ever(world):
    node = world.node(BARE)
    news = []
    node.publish = news.append
    node.take([world.sign(node, 0, 0, WIN, 10 * EUR)])
    node.step()
    assert news != []
    news.clear()
    world.travel(world.now + 5)
    node.step()
    assert news == []
    assert node.view.head.number == world.web3.eth.block_number
    world.decide(node, 0, LOSS)
    node.step()
    assert world.balance(0) == START
    node.step()
    world.web3.provider.ethereum_tester.mine_blocks(MOST_REORG + 1)
    node.step()
    bet = next(iter(node.view.listed.values()))
    with within(world.web3, methods=("eth_call",), failures=("drop",), rate=1):
        assert node._has_money(bet) is False


def test_after_a_restart_the_chain_takes_back_listing_and_bets_and_both_come_again(world):
    """The new process knows neither what was listed nor what was landed but from the chain and its database."""
    tester = world.web3.provider.ethereum_tester
    before = tester.take_snapshot()
    node = world.node(BARE)
    bets = [world.sign(node, 0, 0, WIN, 10 * EUR, deadline=world.now + 110), world.sign(node, 1, 1, WIN, 5 * EUR)]
    node.take(bets)
    node.step()
    again = world.node(BARE)
    again.step()
    tester.revert_to_snapshot(before)
    tester.mine_blocks(3)
    assert world.tessera.prorata.bet_of(world.host.address, again.catalogue.offered[0].bet.salt) == bytes(32)
    again.step()
    again.step()
    assert sorted(placed(again)) == sorted([(bets[0].bet.account, 10 * EUR), (bets[1].bet.account, 5 * EUR)])
    assert (world.balance(0), world.balance(1)) == (START - 10 * EUR, START - 5 * EUR)
    assert world.told == []


def test_what_the_chain_takes_back_of_settling_and_paying_is_done_again_and_nobody_is_paid_twice(world):
    tester = world.web3.provider.ethereum_tester
    node = world.node(BARE)
    node.take([world.sign(node, 0, 0, WIN, 10 * EUR), world.sign(node, 0, 1, LOSS, 10 * EUR)])
    node.step()
    world.decide(node, 0, WIN)
    before = tester.take_snapshot()
    node.step()
    assert world.balance(0) == START + 9 * EUR
    tester.revert_to_snapshot(before)
    tester.mine_blocks(3)
    assert world.balance(0) == START - 10 * EUR
    for _ in range(3):
        node.step()
    assert (world.balance(0), world.balance(1)) == (START + 9 * EUR, START - 10 * EUR)
    assert world.stakes(node, 0) == [(WIN, 10 * EUR, "settled")]


def test_a_running_node_outlives_failures_of_its_own_and_of_the_chains(world, monkeypatch):
    """Steps fail in both ways for a while: `run` goes on, takes a bet, and lands it in the first step that succeeds."""
    node = world.node(BARE)
    bet = world.sign(node, 0, 0, WIN, 10 * EUR)
    failures = [NodeError("no connection", "eth_call"), RuntimeError("a fault"), NodeError("no connection", "eth_call")]
    stopping, step = Event(), node.step

    def failing():
        if failures:
            raise failures.pop()
        step()
        stopping.set()
        node.stop()

    monkeypatch.setattr(node, "step", failing)
    worker = Thread(target=node.run, args=(stopping, 0.01))
    worker.start()
    node.take([bet])
    worker.join(60)
    assert not worker.is_alive()
    assert failures == []
    node.step = step
    node.step()
    assert world.stakes(node, 0) == [(WIN, 10 * EUR, "confirmed")]


def test_a_local_chains_clock_goes_on_without_blocks(world, monkeypatch):
    """A devnet whose clock was moved ahead stays ahead while nobody sends anything: deadlines are of that time."""
    node = world.node(BARE)
    times = {"latest": world.now, "pending": world.now + 3_600}
    monkeypatch.setattr(node.index.web3.eth, "get_block", lambda block: {"timestamp": times[block]})
    assert node.now() == times["pending"]
