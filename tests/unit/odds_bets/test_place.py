"""OddsBets: what is confirmed at once, what waits, and confirming it in order."""

import boa
import pytest
from eth_utils import keccak

from tessera.chain.escrow import Kind
from tessera.chain.hosted_bets import NO_SIGNATURE
from tests.custody import entry
from tests.hosted import COIN
from tests.logs import event, events

FIRST = 1  # of a queue of prediction 0; of prediction k it is (k << 32) | 1


def line(house, listing, k) -> tuple:
    """Stakes, filled, head, tail, waiting."""
    return tuple(house.lens.line(listing.bet_id, k))[1:]


def test_lists_profits(house):
    listing = house.listed(bankroll=0, predictions=["a", "b", "c"], profits=[1, 65_535, 1_100])
    assert [house.lens.line(listing.bet_id, k).profit for k in range(3)] == [1, 65_535, 1_100]
    with boa.reverts("lens: unknown prediction"):
        house.lens.line(listing.bet_id, 3)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"profits": []}, "odds: one profit a prediction"),
        ({"profits": [800]}, "odds: one profit a prediction"),
        ({"profits": [800, 1_100, 1]}, "odds: one profit a prediction"),
        ({"profits": [0, 1_100]}, "odds: profit out of range"),
        ({"profits": [800, 65_536]}, "odds: profit out of range"),
        ({"host_bps": 1}, "odds: the host keeps the rest"),
    ],
)
def test_list_reverts_when_odds_are_out_of_range(house, changes, reason):
    with boa.reverts(reason):
        house.bets.list_bet(house.listing(**changes), NO_SIGNATURE, sender=house.host.address)


def test_odds_cannot_be_changed_once_listed(house, funded):
    changed = funded._replace(profits=[801, 1_100])
    with boa.reverts("hosting: salt is taken"):
        house.bets.list_bet(changed, NO_SIGNATURE, sender=house.host.address)


def test_what_is_covered_is_confirmed_at_once(house, funded):
    player = house.players[0]
    before = house.balance(player)
    assert house.place(funded, player, 0, 50 * COIN) == 0
    assert events(house.bets) == [
        event(
            house.bets, "BetPlaced", bet_id=funded.bet_id, account=player.address, prediction=0, amount=50 * COIN
        ),
        entry(house.escrow, player.address, Kind.BET_DEBIT, 50 * COIN, before - 50 * COIN, house.bets, funded.bet_id),
    ]  # fmt: skip
    assert house.bets.stake_of(funded.bet_id, 0, player.address) == 50 * COIN
    assert tuple(house.lens.book(funded.bet_id)) == (50 * COIN, 100 * COIN, 40 * COIN)
    assert line(house, funded, 0) == (50 * COIN, 0, 0, 0, 0)


def test_what_is_not_covered_waits(house, listing):
    player = house.players[0]
    before = house.balance(player)
    assert house.place(listing, player, 1, 5 * COIN) == 1 << 32 | FIRST
    assert events(house.bets) == [
        event(
            house.bets,
            "TicketQueued",
            bet_id=listing.bet_id,
            account=player.address,
            ticket_id=1 << 32 | FIRST,
            amount=5 * COIN,
        ),
        entry(house.escrow, player.address, Kind.BET_DEBIT, 5 * COIN, before - 5 * COIN, house.bets, listing.bet_id),
    ]
    assert tuple(house.lens.ticket(listing.bet_id, 1 << 32 | FIRST)) == (player.address, 0, 5 * COIN)
    assert line(house, listing, 1) == (0, 0, 0, 1, 1)
    assert house.bets.stake_of(listing.bet_id, 1, player.address) == 0


def test_a_stake_can_be_confirmed_in_part(house, funded):
    """110 % on a bankroll of 100: 90.909090 are covered; a unit more is not."""
    player = house.players[0]
    ticket = house.place(funded, player, 1, 100 * COIN)
    assert house.bets.stake_of(funded.bet_id, 1, player.address) == 90_909_090
    assert tuple(house.lens.ticket(funded.bet_id, ticket)) == (player.address, 0, 100 * COIN - 90_909_090)
    assert house.lens.book(funded.bet_id).needed == 99_999_999


@pytest.mark.parametrize("least", [90_909_090, 90_909_091])
def test_min_confirmed_protects_the_player(house, funded, least):
    player = house.players[0]
    if least == 90_909_090:
        house.place(funded, player, 1, 100 * COIN, min_confirmed=least)
    else:
        with boa.reverts("odds: less is confirmed"):
            house.place(funded, player, 1, 100 * COIN, min_confirmed=least)
        with boa.reverts("odds: less is confirmed"):
            house.place_signed(funded, player, house.bet(player, 1, 100 * COIN, min_confirmed=least))


def test_nothing_is_confirmed_past_somebody_who_waits(house, listing):
    """Even where there is cover for it since."""
    first, second = house.players[:2]
    house.place(listing, first, 0, 10 * COIN)
    house.bets.fund(listing.bet_id, 100 * COIN, sender=house.host.address)
    ticket = house.place(listing, second, 0, COIN)
    assert house.lens.ticket(listing.bet_id, ticket).pending == COIN
    assert house.place(listing, second, 1, COIN) == 0


def test_the_range_is_for_each_stake(house):
    listing, player = house.listed(min_stake=10, max_stake=20), house.players[0]
    for amount in (0, 9, 21, 2**256 - 1):
        with boa.reverts("odds: stake out of range"):
            house.place(listing, player, 0, amount)
    house.place(listing, player, 0, 10)
    house.place(listing, player, 0, 20)
    assert house.bets.stake_of(listing.bet_id, 0, player.address) == 30


def test_confirms_in_strict_order_and_the_last_in_part(house, listing):
    players = house.players[:3]
    tickets = [house.place(listing, player, 0, 10 * COIN) for player in players]
    house.bets.fund(listing.bet_id, 20 * COIN, sender=house.host.address)
    house.bets.confirm(listing.bet_id, [25 * COIN, 0])
    assert events(house.bets) == [event(house.bets, "StakesConfirmed", bet_id=listing.bet_id, totals=[25 * COIN, 0])]
    confirmed = [house.lens.ticket(listing.bet_id, ticket).confirmed for ticket in tickets]
    assert confirmed == [10 * COIN, 10 * COIN, 5 * COIN]
    assert line(house, listing, 0) == (25 * COIN, 5 * COIN, 2, 3, 1)
    with boa.reverts("odds: totals not covered"):
        house.bets.confirm(listing.bet_id, [25 * COIN + 1, 0])
    house.bets.fund(listing.bet_id, 4 * COIN, sender=house.host.address)
    house.bets.confirm(listing.bet_id, [30 * COIN, 0])
    assert line(house, listing, 0) == (30 * COIN, 0, 3, 3, 0)
    assert house.lens.ticket(listing.bet_id, tickets[2]).confirmed == 10 * COIN


def test_players_cover_each_other(house, listing):
    """The golden value: 100 on 80 % and 200 on 110 % without a bankroll confirm 100 and 90.909090."""
    house.place(listing, house.players[0], 0, 100 * COIN)
    house.place(listing, house.players[1], 1, 200 * COIN)
    with boa.reverts("odds: totals not covered"):
        house.bets.confirm(listing.bet_id, [100 * COIN, 90_909_091])
    house.bets.confirm(listing.bet_id, [100 * COIN, 90_909_090])
    assert [house.lens.line(listing.bet_id, k).staked for k in (0, 1)] == [100 * COIN, 90_909_090]


def test_a_total_that_is_reached_is_no_error(house, funded):
    house.place(funded, house.players[0], 0, 10 * COIN)
    for totals in ([0, 0], [10 * COIN, 0], [1, 0]):
        house.bets.confirm(funded.bet_id, totals)
    assert line(house, funded, 0)[0] == 10 * COIN


def test_confirm_reaches_its_totals_or_reverts(house, listing):
    house.place(listing, house.players[0], 0, 10 * COIN)
    house.bets.fund(listing.bet_id, 100 * COIN, sender=house.host.address)
    for totals in ([10 * COIN + 1, 0], [0, 1], [2**256 - 1, 0]):
        with boa.reverts("odds: totals not reached"):
            house.bets.confirm(listing.bet_id, totals)
    for totals in ([], [10 * COIN], [10 * COIN, 0, 0]):
        with boa.reverts("odds: one total a prediction"):
            house.bets.confirm(listing.bet_id, totals)
    with boa.reverts("hosting: unknown bet"):
        house.bets.confirm(b"\x01" * 32, [1, 1])
    assert line(house, listing, 0) == (0, 0, 0, 1, 1)


def test_confirming_ends_with_placing(house, listing):
    house.place(listing, house.players[0], 0, COIN)
    house.bets.fund(listing.bet_id, 100 * COIN, sender=house.host.address)
    boa.env.timestamp = listing.closes_at
    with boa.reverts("hosting: bet is closed"):
        house.bets.confirm(listing.bet_id, [COIN, 0])


def test_a_call_passes_256_tickets_at_most(house, listing):
    """Cancelled ones included; a call that confirms nothing passes them, and the next goes on."""
    player, other = house.players[:2]
    tickets = [house.place(listing, player, 0, COIN) for _ in range(258)]
    for ticket in tickets[1:257]:
        house.bets.cancel(listing.bet_id, ticket, sender=player.address)
    house.place(listing, other, 0, COIN)
    house.bets.fund(listing.bet_id, 1_000 * COIN, sender=house.host.address)
    with boa.reverts("odds: totals not reached"):
        house.bets.confirm(listing.bet_id, [2 * COIN, 0])
    house.bets.confirm(listing.bet_id, [COIN, 0])
    assert line(house, listing, 0) == (COIN, 0, 256, 259, 2)
    house.bets.confirm(listing.bet_id, [3 * COIN, 0])
    assert line(house, listing, 0) == (3 * COIN, 0, 259, 259, 0)


def test_256_tickets_are_confirmed_at_once_and_257_are_not(house, listing):
    """Nor a unit of the 257th; smaller totals succeed, and a second call goes on."""
    for _ in range(257):
        house.place(listing, house.players[0], 0, COIN)
    house.bets.fund(listing.bet_id, 1_000 * COIN, sender=house.host.address)
    for total in (257 * COIN, 256 * COIN + 1):
        with boa.reverts("odds: totals not reached"):
            house.bets.confirm(listing.bet_id, [total, 0])
    with boa.env.anchor():
        house.bets.confirm(listing.bet_id, [256 * COIN - 1, 0])
        assert line(house, listing, 0) == (256 * COIN - 1, COIN - 1, 255, 257, 2)
    house.bets.confirm(listing.bet_id, [256 * COIN, 0])
    assert line(house, listing, 0) == (256 * COIN, 0, 256, 257, 1)
    house.bets.confirm(listing.bet_id, [257 * COIN, 0])
    assert line(house, listing, 0) == (257 * COIN, 0, 257, 257, 0)


def test_256_tickets_are_of_all_predictions_together(house, listing):
    """250 on one and 7 on the other, all of them but the first and the last two of each side cancelled."""
    player = house.players[0]
    sizes = {0: 250, 1: 7}
    tickets = {k: [house.place(listing, player, k, COIN) for _ in range(size)] for k, size in sizes.items()}
    for mine in tickets.values():
        for ticket in mine[1:-1]:
            house.bets.cancel(listing.bet_id, ticket, sender=player.address)
    house.bets.fund(listing.bet_id, 1_000 * COIN, sender=house.host.address)
    with boa.reverts("odds: totals not reached"):
        house.bets.confirm(listing.bet_id, [2 * COIN, 2 * COIN])
    house.bets.confirm(listing.bet_id, [2 * COIN, COIN])
    assert [line(house, listing, k)[2:] for k in (0, 1)] == [(250, 250, 0), (6, 7, 1)]
    house.bets.confirm(listing.bet_id, [2 * COIN, 2 * COIN])
    assert line(house, listing, 1) == (2 * COIN, 0, 7, 7, 0)


def test_owner_cancels_what_waits(house, listing):
    player = house.players[0]
    before = house.balance(player)
    ticket = house.place(listing, player, 0, 5 * COIN)
    house.bets.cancel(listing.bet_id, ticket, sender=player.address)
    assert events(house.bets) == [
        event(
            house.bets,
            "TicketCancelled",
            bet_id=listing.bet_id,
            account=player.address,
            ticket_id=ticket,
            amount=5 * COIN,
        ),
        entry(house.escrow, player.address, Kind.REFUND, 5 * COIN, before, house.bets, listing.bet_id),
    ]
    assert tuple(house.lens.ticket(listing.bet_id, ticket)) == ("0x" + "00" * 20, 0, 0)
    # Nobody waits any more: what is covered is confirmed at once again.
    assert line(house, listing, 0) == (0, 0, 1, 1, 0)
    house.bets.fund(listing.bet_id, 100 * COIN, sender=house.host.address)
    assert house.place(listing, player, 0, COIN) == 0


def test_cancelling_the_head_keeps_what_is_confirmed_of_it(house, listing):
    first, second = house.players[:2]
    tickets = [house.place(listing, player, 0, 10 * COIN) for player in (first, second)]
    house.bets.fund(listing.bet_id, 100 * COIN, sender=house.host.address)
    house.bets.confirm(listing.bet_id, [4 * COIN, 0])
    house.bets.cancel(listing.bet_id, tickets[0], sender=first.address)
    assert tuple(house.lens.ticket(listing.bet_id, tickets[0])) == (first.address, 4 * COIN, 0)
    assert tuple(house.lens.ticket(listing.bet_id, tickets[1])) == (second.address, 0, 10 * COIN)
    with boa.reverts("odds: nothing is pending"):
        house.bets.cancel(listing.bet_id, tickets[0], sender=first.address)
    house.bets.confirm(listing.bet_id, [14 * COIN, 0])
    assert [house.lens.ticket(listing.bet_id, t).confirmed for t in tickets] == [4 * COIN, 10 * COIN]


def test_cancelling_the_last_that_waits_at_a_part_filled_head(house, listing):
    player = house.players[0]
    ticket = house.place(listing, player, 0, 10 * COIN)
    house.bets.fund(listing.bet_id, 100 * COIN, sender=house.host.address)
    house.bets.confirm(listing.bet_id, [4 * COIN, 0])
    house.bets.cancel(listing.bet_id, ticket, sender=player.address)
    assert line(house, listing, 0) == (4 * COIN, 0, 1, 1, 0)
    assert house.lens.ticket(listing.bet_id, ticket).confirmed == 4 * COIN
    house.settled(listing, 0)
    assert house.bets.claim(listing.bet_id, player.address, [], [ticket]) == 7_200_000


def test_cancel_reverts_when_confirmed_or_not_the_owners(house, listing, stranger):
    player = house.players[0]
    ticket = house.place(listing, player, 0, COIN)
    for somebody in (stranger, house.host.address, house.relayer.address):
        with boa.reverts("odds: not your ticket"):
            house.bets.cancel(listing.bet_id, ticket, sender=somebody)
    for unknown in (0, 2, 1 << 32 | 1, 2**256 - 1):
        with boa.reverts("odds: not your ticket"):
            house.bets.cancel(listing.bet_id, unknown, sender=player.address)
    house.bets.fund(listing.bet_id, 100 * COIN, sender=house.host.address)
    house.bets.confirm(listing.bet_id, [COIN, 0])
    with boa.reverts("odds: nothing is pending"):
        house.bets.cancel(listing.bet_id, ticket, sender=player.address)


@pytest.mark.parametrize("when", ["closed", "expired", "settled"])
def test_cancelling_never_ends(house, listing, when):
    player = house.players[0]
    ticket = house.place(listing, player, 0, COIN)
    if when == "closed":
        house.bets.close(listing.bet_id, sender=house.host.address)
    elif when == "expired":
        boa.env.timestamp = listing.result_deadline + 10**8
    else:
        house.settled(listing, 0)
    before = house.balance(player)
    house.bets.cancel(listing.bet_id, ticket, sender=player.address)
    assert house.balance(player) - before == COIN
    assert house.pot(listing) == 0


def test_anybody_lands_a_cancellation_that_the_owner_signed(house, listing, stranger):
    player, other = house.players[:2]
    ticket = house.place(listing, player, 0, COIN)
    with boa.reverts("odds: not signed by owner"):
        house.bets.cancel_signed(
            listing.bet_id, ticket, house.signer.cancel(other, listing.bet_id, ticket), sender=stranger
        )
    signature = house.signer.cancel(player, listing.bet_id, ticket)
    second = house.place(listing, player, 0, COIN)
    with boa.reverts("odds: not signed by owner"):
        house.bets.cancel_signed(listing.bet_id, second, signature, sender=stranger)
    with boa.reverts("odds: not signed by owner"):
        house.bets.cancel_signed(house.listed().bet_id, ticket, signature, sender=stranger)
    house.bets.cancel_signed(listing.bet_id, ticket, signature, sender=stranger)
    assert house.pot(listing) == COIN
    with boa.reverts("odds: not signed by owner"):
        house.bets.cancel_signed(listing.bet_id, ticket, signature, sender=stranger)
    with boa.reverts("odds: not signed by owner"):
        house.bets.cancel_signed(listing.bet_id, 77, bytes(65), sender=stranger)


def test_a_queue_takes_268_million_tickets(house, listing):
    """The last index is never used; what is covered is confirmed all the same."""
    layout = house.bets.compiler_data.storage_layout["storage_layout"]
    slot = int.from_bytes(keccak(layout["queues"]["lines"]["slot"].to_bytes(32) + listing.bet_id))
    last = 2**28 - 2
    boa.env.set_storage(
        house.bets.address, int.from_bytes(keccak(slot.to_bytes(32) + bytes(32))), last << 172 | last << 200
    )
    assert line(house, listing, 0) == (0, 0, last, last, 0)
    assert house.place(listing, house.players[0], 0, COIN) == last + 1
    with boa.reverts("odds: queue is full"):
        house.place(listing, house.players[1], 0, COIN)
    house.bets.fund(listing.bet_id, 10 * COIN, sender=house.host.address)
    house.bets.confirm(listing.bet_id, [COIN, 0])
    assert house.place(listing, house.players[1], 0, COIN) == 0


def test_an_account_that_may_not_be_debited_leaves_no_ticket(house, listing):
    player = house.players[0]
    house.escrow.set_consent(0, sender=player.address)
    with boa.reverts("escrow: no consent"):
        house.place(listing, player, 0, COIN)
    assert line(house, listing, 0) == (0, 0, 0, 0, 0)


def test_stakes_that_a_line_cannot_hold_are_not_covered(house):
    """88 bits of confirmed stakes a prediction; the rest waits."""
    most = 2**84 - 1
    listing = house.listed(bankroll=0, profits=[1, 1], max_stake=most, validator_bps=0)
    whale, host = house.players[0].address, house.host.address
    for account in (whale, host):
        house.coin.mint(account, 2**100)
        house.escrow.deposit(2**99, account, 0, sender=account)
    house.bets.fund(listing.bet_id, 2**95, sender=host)
    for _ in range(16):
        assert house.place(listing, whale, 0, most) == 0
    ticket = house.place(listing, whale, 0, most)
    assert house.lens.line(listing.bet_id, 0).staked == 2**88 - 1
    assert house.lens.ticket(listing.bet_id, ticket).pending == most - 15
    with boa.reverts("odds: bankroll too large"):
        house.bets.fund(listing.bet_id, 2**96 - 2**95, sender=host)
