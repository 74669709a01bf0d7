"""OddsBets: bankroll, settling and claims."""

import boa
import pytest

from tessera.chain.escrow import Kind
from tests.custody import entry
from tests.hosted import COIN, INVALID
from tests.logs import event, events


@pytest.fixture
def played(house, evm_clock):
    """1 % commission, 50 on 80 % and 60 on 110 %, all confirmed, a bankroll of 100; and a ticket of 500 that waits."""
    listing = house.listed(bankroll=100 * COIN)
    house.place(listing, house.players[0], 0, 50 * COIN)
    house.place(listing, house.players[1], 1, 60 * COIN)
    house.place(listing, house.players[2], 1, 500 * COIN)
    return listing


WAITS = 1 << 32 | 1


def test_host_funds_and_takes_back_what_is_spare(house, funded):
    host = house.host.address
    before = house.balance(host)
    house.bets.fund(funded.bet_id, 10 * COIN, sender=host)
    assert events(house.bets) == [
        event(house.bets, "BankrollChanged", bet_id=funded.bet_id, bankroll=110 * COIN),
        entry(house.escrow, host, Kind.FUNDING, 10 * COIN, before - 10 * COIN, house.bets, funded.bet_id),
    ]
    house.bets.defund(funded.bet_id, 110 * COIN, sender=host)
    assert events(house.bets) == [
        event(house.bets, "BankrollChanged", bet_id=funded.bet_id, bankroll=0),
        entry(house.escrow, host, Kind.REFUND, 110 * COIN, before + 100 * COIN, house.bets, funded.bet_id),
    ]
    assert house.pot(funded) == 0


def test_only_the_host_moves_the_bankroll(house, funded, stranger):
    for somebody in (stranger, house.players[0].address, house.members[0]):
        with boa.reverts("hosting: not the host"):
            house.bets.fund(funded.bet_id, COIN, sender=somebody)
        with boa.reverts("hosting: not the host"):
            house.bets.defund(funded.bet_id, COIN, sender=somebody)


@pytest.mark.parametrize("side", [0, 1])
def test_the_bankroll_never_falls_below_what_an_outcome_needs(house, funded, side):
    """Nor can stakes on the other side, or what waits, be taken for it."""
    player, host = house.players[0], house.host.address
    house.place(funded, player, side, 50 * COIN)
    needed = [40, 55][side] * COIN
    assert house.lens.book(funded.bet_id).needed == needed
    for amount in (100 * COIN - needed + 1, 2**256 - 1):
        with boa.reverts("odds: bankroll is needed"):
            house.bets.defund(funded.bet_id, amount, sender=host)
    house.bets.defund(funded.bet_id, 100 * COIN - needed, sender=host)
    with boa.reverts("odds: bankroll is needed"):
        house.bets.defund(funded.bet_id, 1, sender=host)
    house.settled(funded, side)
    assert house.bets.claim(funded.bet_id, player.address, [side], []) == 50 * COIN + needed
    assert house.pot(funded) == 0


def test_defund_works_until_settled_and_fund_while_open(house, funded):
    host = house.host.address
    boa.env.timestamp = funded.closes_at
    with boa.reverts("hosting: bet is closed"):
        house.bets.fund(funded.bet_id, COIN, sender=host)
    house.bets.defund(funded.bet_id, 30 * COIN, sender=host)
    house.settled(funded, 0)
    with boa.reverts("odds: already settled"):
        house.bets.defund(funded.bet_id, COIN, sender=host)


def test_settles_pays_and_refunds(house, played):
    """Outcome 1: winners get 126, validators 1 % of 110, the host the rest; what waited goes back."""
    host, loser, winner, waiter = house.host.address, *(p.address for p in house.players[:3])
    before = house.balance(host)
    confirmed = 110 * COIN + (500 * COIN - house.lens.ticket(played.bet_id, WAITS).pending)
    stakes = house.lens.line(played.bet_id, 1).staked
    house.decide(played, 1)
    house.bets.settle(played.bet_id)
    owed = -(-stakes * 2_100 // 1_000)
    member = confirmed // 100 // 3
    rest = 100 * COIN + confirmed - owed - 3 * member
    logged = [log for log in events(house.bets) if log[1] == "BetSettled"]
    assert logged == [
        event(
            house.bets,
            "BetSettled",
            bet_id=played.bet_id,
            outcome=1,
            stakes=stakes,
            owed=owed,
            host_amount=rest,
            validator_commission=3 * member,
        )
    ]
    assert [house.balance(m) for m in house.members] == [member] * 3 + [0, 0]
    assert house.balance(host) - before == rest
    assert tuple(house.lens.verdict(played.bet_id)) == (True, False, 1, stakes, owed)
    assert house.lens.book(played.bet_id).bankroll == 0
    assert house.bets.claim(played.bet_id, winner, [0, 1], [WAITS]) == 126 * COIN
    with boa.reverts("odds: nothing to claim"):
        house.bets.claim(played.bet_id, loser, [0, 1], [1, WAITS])
    waited = house.lens.ticket(played.bet_id, WAITS).pending
    part = house.bets.stake_of(played.bet_id, 1, waiter)
    assert house.bets.claim(played.bet_id, waiter, [1, 1], [WAITS, WAITS]) == waited + part * 2_100 // 1_000
    assert house.pot(played) == 0
    assert tuple(house.lens.verdict(played.bet_id))[3:] == (0, 0)


@pytest.mark.parametrize("end", ["invalid", "unknown outcome", "silence", "too few"])
def test_dead_ends_give_every_stake_and_the_bankroll_back(house, played, end):
    host, players = house.balance(house.host), house.players[:3]
    before = [house.balance(player) for player in players]
    parts = [500 * COIN if player is players[2] else 0 for player in players]
    if end == "silence":
        house.expired(played)
    elif end == "too few":
        house.decide(played, 0, members=2)
        house.expired(played)
    else:
        house.settled(played, INVALID if end == "invalid" else 2)
    assert house.lens.verdict(played.bet_id).refunded
    assert house.balance(house.host) - host == 100 * COIN
    assert [house.balance(m) for m in house.members] == [0] * 5
    for player in players:
        house.bets.claim(played.bet_id, player.address, [0, 1], [1, WAITS])
    returned = [house.balance(player) - b for player, b in zip(players, before, strict=True)]
    assert returned == [50 * COIN, 60 * COIN, parts[2]]
    assert house.pot(played) == 0


@pytest.mark.parametrize("outcome", [0, 1, INVALID])
def test_a_ticket_that_was_confirmed_in_part_pays_once(house, outcome):
    """100 on 80 % and 200 on 110 % confirm 100 and 90.909090 of each other; 109.090910 still wait."""
    listing, players = house.listed(bankroll=0, validator_bps=0), house.players[:2]
    before = [house.balance(player) for player in players]
    tickets = [
        house.place(listing, player, side, stake * COIN)
        for side, (player, stake) in enumerate(zip(players, (100, 200), strict=True))
    ]
    house.bets.confirm(listing.bet_id, [100 * COIN, 90_909_090])
    house.settled(listing, outcome)
    won = {
        0: [80 * COIN, -90_909_090],
        1: [-100 * COIN, 90_909_090 * 11 // 10],
        INVALID: [0, 0],
    }[outcome]
    for side, (player, ticket) in enumerate(zip(players, tickets, strict=True)):
        if won[side] > -100 * COIN:  # whoever loses all has nothing to claim
            house.bets.claim(listing.bet_id, player.address, [], [ticket])
            assert house.bets.words(listing.bet_id, side, ticket).ticket == 0
            with boa.reverts("odds: nothing to claim"):
                house.bets.claim(listing.bet_id, player.address, [], [ticket])
    assert [house.balance(player) - b for player, b in zip(players, before, strict=True)] == won
    assert house.pot(listing) == 0


def test_nobody_right_leaves_the_stakes_to_the_host(house, funded):
    """As with any bookmaker; validators are paid all the same."""
    listing = house.listed(bankroll=100 * COIN)
    house.place(listing, house.players[0], 0, 50 * COIN)
    host = house.balance(house.host)
    house.settled(listing, 1)
    assert house.balance(house.host) - host == 150 * COIN - 3 * (500_000 // 3)
    assert house.pot(listing) == 0
    with boa.reverts("odds: nothing to claim"):
        house.bets.claim(listing.bet_id, house.players[0].address, [0, 1], [])


def test_what_rounding_leaves_goes_to_the_host_with_the_last_claim(house):
    """80 % of 3 units is 2.4: each of two winners gets 5 of 5.4, 11 are kept for them, 1 is left."""
    listing = house.listed(bankroll=100, min_stake=1, validator_bps=0)
    for player in house.players[:2]:
        house.place(listing, player, 0, 3)
    house.settled(listing, 0)
    host = house.balance(house.host)
    assert house.bets.claim(listing.bet_id, house.players[0].address, [0], []) == 5
    assert house.balance(house.host) == host
    assert house.bets.claim(listing.bet_id, house.players[1].address, [0], []) == 5
    assert house.balance(house.host) == host + 1
    assert house.pot(listing) == 0


def test_settle_and_claims_wait(house, played):
    with boa.reverts("hosting: no result yet"):
        house.bets.settle(played.bet_id)
    with boa.reverts("odds: not settled"):
        house.bets.claim(played.bet_id, house.players[0].address, [0], [])
    assert tuple(house.lens.verdict(played.bet_id)) == (False, False, 0, 0, 0)
    house.settled(played, 0)
    with boa.reverts("odds: already settled"):
        house.bets.settle(played.bet_id)
    with boa.reverts("hosting: unknown bet"):
        house.bets.settle(b"\x01" * 32)


def test_claims_pay_once(house, played, stranger):
    player = house.players[0].address
    house.settled(played, 0)
    assert house.bets.claim(played.bet_id, player, [0], [], sender=stranger) == 90 * COIN
    with boa.reverts("odds: nothing to claim"):
        house.bets.claim(played.bet_id, player, [0], [])


def test_a_claim_takes_no_ticket_of_others(house, played):
    thief = house.players[0].address
    house.settled(played, 0)
    before = house.lens.ticket(played.bet_id, WAITS)
    assert house.bets.claim(played.bet_id, thief, [0], [WAITS]) == 90 * COIN
    assert house.lens.ticket(played.bet_id, WAITS) == before


def test_deploy_lens_reverts_when_bets_has_no_code(load, stranger):
    with boa.reverts("lens: bets has no code"):
        load("OddsLens").deploy(stranger)
