"""ProrataBets: settling, commissions, claims, and every case in which all stakes go back."""

import json
from fractions import Fraction
from math import floor
from pathlib import Path

import boa
import pytest

from tessera.chain.escrow import Kind
from tests.custody import entry
from tests.hosted import COIN, INVALID
from tests.logs import event, events

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "prorata.json").read_text())["cases"]


def settled(house, listing, outcome, **fields) -> tuple:
    defaults = {"refunded": True, "won": 0, "lost": 0, "host_commission": 0, "validator_commission": 0}
    return event(house.bets, "BetSettled", bet_id=listing.bet_id, outcome=outcome, **(defaults | fields))


def reward(house, listing, account, amount, before) -> tuple:
    return entry(house.escrow, account, Kind.COMMISSION, amount, before + amount, house.bets, listing.bet_id)


@pytest.fixture
def opposed(house, listing):
    """10 on the first prediction, 30 on the second."""
    house.place(listing, house.players[0], 0, 10 * COIN)
    house.place(listing, house.players[1], 1, 30 * COIN)
    return listing


@pytest.mark.parametrize("case", CASES)
def test_golden_values(house, case):
    """Whole tokens, where every figure is a whole number of units: nothing is rounded, nothing left."""
    names = sorted({prediction for prediction, _ in case["bets"]} | {case["winner"]})
    listing = house.listed(
        predictions=names if len(names) > 1 else [*names, "other"],
        host_bps=case["host_bps"],
        validator_bps=case["validator_bps"],
    )
    for player, (prediction, amount) in zip(house.players, case["bets"], strict=False):
        house.place(listing, player, names.index(prediction), amount * COIN)
    host, validators = house.balance(house.host), [house.balance(member) for member in house.members]
    house.settled(listing, names.index(case["winner"]))
    for player, payout in zip(house.players, case["payouts"], strict=False):
        before = house.balance(player)
        if payout != "0":
            house.bets.claim(listing.bet_id, player.address)
        assert house.balance(player) - before == Fraction(payout) * COIN
    assert house.balance(house.host) - host == Fraction(case["host"]) * COIN
    paid = [house.balance(member) - before for member, before in zip(house.members, validators, strict=True)]
    assert paid == [Fraction(case["validators"]) * COIN / 3] * 3 + [0] * 2
    assert house.pot(listing) == 0


def test_the_worked_example(house):
    """U1 true 100, U2 false 200, U3 true 400, U4 true 300, U5 false 100, 5 % + 5 %, outcome true."""
    listing = house.listed(predictions=["true", "false"])
    for player, (prediction, amount) in zip(
        house.players, [(0, 100), (1, 200), (0, 400), (0, 300), (1, 100)], strict=False
    ):
        house.place(listing, player, prediction, amount * COIN)
    house.settled(listing, 0)
    claimed = [house.bets.claim(listing.bet_id, house.players[n].address) for n in (0, 2, 3)]
    assert claimed == [133_750_000, 535_000_000, 401_250_000]


def test_settle_pays_commissions_and_logs(house, opposed):
    host, members = house.balance(house.host), house.members[:3]
    before = [house.balance(member) for member in members]
    house.decide(opposed, 0)
    house.bets.settle(opposed.bet_id)
    commission = 30 * COIN * 500 // 10_000
    assert events(house.bets) == [
        settled(
            house, opposed, 0, refunded=False, won=10 * COIN, lost=30 * COIN,
            host_commission=commission, validator_commission=commission,
        ),
        *(reward(house, opposed, m, commission // 3, b) for m, b in zip(members, before, strict=True)),
        reward(house, opposed, house.host.address, commission, host),
    ]  # fmt: skip
    assert tuple(house.bets.settlement(opposed.bet_id)) == (True, False, 0, 10 * COIN, 27 * COIN, 10 * COIN)


def test_only_validators_who_were_with_the_consensus_are_paid(house, opposed):
    boa.env.timestamp = opposed.closes_at
    question = opposed.question(house.bets.address)
    house.panels.report(house.panel_id, question, 1, sender=house.members[0])
    for member in house.members[1:4]:
        house.panels.report(house.panel_id, question, 0, sender=member)
    house.bets.settle(opposed.bet_id)
    paid = [house.balance(member) for member in house.members]
    assert paid == [0, 500_000, 500_000, 500_000, 0]


def test_what_validators_cannot_share_goes_to_the_host(house):
    """A commission of 5 units among three members: 1 each, and 2 to the host besides its own 5."""
    listing = house.listed(min_stake=1)
    house.place(listing, house.players[0], 0, 100)
    house.place(listing, house.players[1], 1, 100)
    host = house.balance(house.host)
    house.settled(listing, 0)
    assert [house.balance(member) for member in house.members] == [1, 1, 1, 0, 0]
    assert house.balance(house.host) - host == 7
    assert house.bets.claim(listing.bet_id, house.players[0].address) == 190
    assert house.pot(listing) == 0


@pytest.mark.parametrize("lost", [1, 19, 20, 40, 59, 60])
def test_commissions_that_round_to_nothing_do_not_block_settling(house, lost):
    """Escrow refuses amounts of 0: they are left out."""
    listing = house.listed(min_stake=1)
    house.place(listing, house.players[0], 0, 7)
    house.place(listing, house.players[1], 1, lost)
    host = house.balance(house.host)
    house.settled(listing, 0)
    commission = lost * 500 // 10_000
    assert house.balance(house.members[0]) == commission // 3
    assert house.balance(house.host) - host == 2 * commission - commission // 3 * 3
    assert house.bets.claim(listing.bet_id, house.players[0].address) == 7 + lost - 2 * commission
    assert house.pot(listing) == 0


def test_no_commissions_at_all(house):
    listing = house.listed(host_bps=0, validator_bps=0)
    house.place(listing, house.players[0], 0, COIN)
    house.place(listing, house.players[1], 1, COIN)
    house.settled(listing, 1)
    assert house.bets.claim(listing.bet_id, house.players[1].address) == 2 * COIN
    assert house.pot(listing) == 0


def test_the_rest_of_rounding_goes_to_the_host_with_the_last_claim(house):
    """Three winners of 1 share 10 less commissions of 0: 3 each, and 1 is left."""
    listing = house.listed(min_stake=1)
    for player in house.players[:3]:
        house.place(listing, player, 0, 1)
    house.place(listing, house.players[3], 1, 10)
    house.settled(listing, 0)
    host = house.balance(house.host)
    for player in house.players[:2]:
        assert house.bets.claim(listing.bet_id, player.address) == 4
        assert house.balance(house.host) == host
    last, before = house.players[2].address, house.balance(house.players[2])
    house.bets.claim(listing.bet_id, last)
    assert events(house.bets) == [
        entry(house.escrow, last, Kind.PAYOUT, 4, before + 4, house.bets, listing.bet_id),
        entry(house.escrow, house.host.address, Kind.RESIDUE, 1, host + 1, house.bets, listing.bet_id),
    ]
    assert house.pot(listing) == 0
    assert house.bets.settlement(listing.bet_id).unclaimed == 0


@pytest.mark.parametrize("end", ["nobody was right", "one side", "invalid", "unknown outcome", "silence", "too few"])
def test_dead_ends_give_every_stake_back(house, listing, end):
    """No commission, whatever the panel says; the host is not needed either."""
    players = house.players[:3]
    sides = [0, 0, 0] if end == "one side" else [0, 1, 1]
    for n, (player, side) in enumerate(zip(players, sides, strict=True)):
        house.place(listing, player, side, (n + 1) * COIN)
    if end == "nobody was right":
        listing = house.listed(predictions=["a", "b", "c"])
        for n, (player, side) in enumerate(zip(players, sides, strict=True)):
            house.place(listing, player, side, (n + 1) * COIN)
    reported = {"invalid": INVALID, "unknown outcome": 2, "nobody was right": 2, "one side": 0, "too few": 0}
    if end == "silence":
        house.expired(listing)
    elif end == "too few":
        house.decide(listing, 0, members=2)
        house.expired(listing)
    else:
        house.settled(listing, reported[end])
    logged = [fields for _, name, fields in events(house.bets) if name == "BetSettled"]
    assert [fields["refunded"] for fields in logged] == [True]
    outcome = {"nobody was right": 2, "one side": 0}.get(end, INVALID)
    assert logged[0]["outcome"] == outcome
    for n, player in enumerate(players):
        before = house.balance(player)
        assert house.bets.claim(listing.bet_id, player.address) == (n + 1) * COIN
        assert house.balance(player) - before == (n + 1) * COIN
    assert [house.balance(member) for member in house.members] == [0] * 5
    assert house.pot(listing) == 0
    assert house.bets.settlement(listing.bet_id).refunded


def test_nobody_bet(house, listing):
    house.settled(listing, 0)
    assert events(house.bets) == [settled(house, listing, 0)]
    with boa.reverts("prorata: nothing to claim"):
        house.bets.claim(listing.bet_id, house.players[0].address)


def test_refunds_give_back_both_sides_of_an_account(house, listing):
    player = house.players[0]
    house.place(listing, player, 0, COIN)
    house.place(listing, player, 1, 2 * COIN)
    house.expired(listing)
    before = house.balance(player)
    house.bets.claim(listing.bet_id, player.address)
    assert events(house.bets) == [
        entry(house.escrow, player.address, Kind.REFUND, 3 * COIN, before + 3 * COIN, house.bets, listing.bet_id)
    ]
    assert house.pot(listing) == 0


def test_settle_waits_for_the_panel_or_its_deadline(house, opposed):
    with boa.reverts("hosting: no result yet"):
        house.bets.settle(opposed.bet_id)
    boa.env.timestamp = opposed.result_deadline
    with boa.reverts("hosting: no result yet"):
        house.bets.settle(opposed.bet_id)
    house.decide(opposed, 0)
    house.bets.settle(opposed.bet_id)
    assert not house.bets.settlement(opposed.bet_id).refunded


def test_a_result_in_time_counts_after_the_deadline(house, opposed):
    house.decide(opposed, 1)
    boa.env.timestamp = opposed.result_deadline + 10**8
    house.bets.settle(opposed.bet_id)
    assert not house.bets.settlement(opposed.bet_id).refunded


def test_settle_reverts_when_unknown_or_settled(house, opposed):
    with boa.reverts("hosting: unknown bet"):
        house.bets.settle(b"\x01" * 32)
    house.settled(opposed, 0)
    with boa.reverts("prorata: already settled"):
        house.bets.settle(opposed.bet_id)
    refunded = house.listed()
    house.settled(refunded, 0)
    with boa.reverts("prorata: already settled"):
        house.bets.settle(refunded.bet_id)


def test_claims_wait_for_settling(house, opposed):
    assert tuple(house.bets.settlement(opposed.bet_id)) == (False, False, 0, 0, 0, 0)
    house.decide(opposed, 0)
    for call in (
        lambda: house.bets.claim(opposed.bet_id, house.players[0].address),
        lambda: house.bets.claim_many(opposed.bet_id, [house.players[0].address]),
    ):
        with boa.reverts("prorata: not settled"):
            call()


def test_claims_pay_once_and_winners_alone(house, opposed, stranger):
    house.settled(opposed, 0)
    winner, loser = (player.address for player in house.players[:2])
    assert house.bets.claim(opposed.bet_id, winner, sender=stranger) == 37 * COIN
    for account in (winner, loser, stranger):
        with boa.reverts("prorata: nothing to claim"):
            house.bets.claim(opposed.bet_id, account)
    assert house.bets.stake_of(opposed.bet_id, 0, winner) == 0
    assert house.bets.stake_of(opposed.bet_id, 1, loser) == 30 * COIN


@pytest.mark.parametrize("outcome", [0, INVALID])
def test_the_least_stake_of_all_is_paid_once(house, outcome):
    """A stake of one unit leaves nothing behind, whether it won or goes back."""
    listing = house.listed(min_stake=1, host_bps=0, validator_bps=0)
    player, loser = house.players[:2]
    house.place(listing, player, 0, 1)
    house.place(listing, loser, 1, 2)
    house.settled(listing, outcome)
    assert house.bets.claim(listing.bet_id, player.address) == (3 if outcome == 0 else 1)
    assert house.bets.stake_of(listing.bet_id, 0, player.address) == 0
    with boa.reverts("prorata: nothing to claim"):
        house.bets.claim(listing.bet_id, player.address)


def test_claim_many_pays_whoever_is_owed(house, opposed, stranger):
    third = house.players[2]
    house.place(opposed, third, 0, 20 * COIN)
    house.settled(opposed, 0)
    winner, loser = (player.address for player in house.players[:2])
    before, host = [house.balance(account) for account in (winner, third.address)], house.balance(house.host)
    assert house.bets.claim_many(opposed.bet_id, [winner, loser, third.address, winner], sender=stranger) == 2
    skipped = [
        event(
            house.bets, "ClaimSkipped", bet_id=opposed.bet_id, account=account, reason="prorata: nothing to claim"
        )
        for account in (loser, winner)
    ]  # fmt: skip
    assert [logged for logged in events(house.bets) if logged[1] == "ClaimSkipped"] == skipped
    assert house.balance(winner) - before[0] == 19 * COIN
    assert house.balance(third) - before[1] == 38 * COIN
    assert house.balance(house.host) == host
    assert house.pot(opposed) == 0
    assert house.bets.claim_many(opposed.bet_id, [winner]) == 0
    assert house.bets.claim_many(opposed.bet_id, []) == 0


def test_claim_many_sweeps_what_rounding_left(house):
    listing = house.listed(min_stake=1)
    for player in house.players[:3]:
        house.place(listing, player, 0, 1)
    house.place(listing, house.players[3], 1, 10)
    house.settled(listing, 0)
    host = house.balance(house.host)
    assert house.bets.claim_many(listing.bet_id, [player.address for player in house.players[:2]]) == 2
    assert house.balance(house.host) == host
    assert house.bets.claim_many(listing.bet_id, [house.players[2].address]) == 1
    assert (house.balance(house.host), house.pot(listing)) == (host + 1, 0)


def test_claim_many_refunds(house, opposed):
    house.expired(opposed)
    accounts = [player.address for player in house.players[:3]]
    assert house.bets.claim_many(opposed.bet_id, accounts) == 2
    kinds = {fields["kind"] for _, name, fields in events(house.bets) if name == "Entry"}
    assert kinds == {Kind.REFUND}
    assert house.pot(opposed) == 0


def test_closing_early_neither_hurries_nor_delays_the_result(house, opposed):
    """Whoever closes early cannot have the bet decided before the listed time."""
    house.bets.close(opposed.bet_id, sender=house.host.address)
    question = opposed.question(house.bets.address)
    with boa.reverts("panels: too early"):
        house.panels.report(house.panel_id, question, 0, sender=house.members[0])
    house.settled(opposed, 0)
    assert house.bets.claim(opposed.bet_id, house.players[0].address) == floor(10 * COIN * Fraction(37, 10))


def test_refunds_of_sixteen_predictions(house):
    listing = house.listed(predictions=[f"p{n}" for n in range(16)])
    player = house.players[0]
    for prediction in range(16):
        house.place(listing, player, prediction, (prediction + 1) * COIN)
    house.expired(listing)
    assert house.bets.claim(listing.bet_id, player.address) == 136 * COIN


@pytest.mark.parametrize("winner", [0, 7, 15])
def test_any_of_sixteen_predictions_can_win(house, winner):
    listing = house.listed(predictions=[f"p{n}" for n in range(16)], host_bps=0, validator_bps=0)
    for prediction in range(16):
        house.place(listing, house.players[prediction % 8], prediction, COIN)
    house.settled(listing, winner)
    assert house.bets.settlement(listing.bet_id).outcome == winner
    assert house.bets.claim(listing.bet_id, house.players[winner % 8].address) == 16 * COIN
    assert house.pot(listing) == 0
