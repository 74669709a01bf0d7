"""ProrataBets: stakes and the positions they make."""

import boa
import pytest

from tessera.chain.escrow import Kind
from tessera.chain.hosted_bets import NO_SIGNATURE
from tests.custody import entry
from tests.hosted import COIN
from tests.logs import event, events
from tests.unit.conftest import NOW

ABOVE, BELOW = "prorata: stake above range", "prorata: stake below range"


def placed(house, listing, player, prediction, amount) -> tuple:
    return event(
        house.bets,
        "BetPlaced",
        bet_id=listing.bet_id,
        account=player.address,
        prediction=prediction,
        amount=amount,
    )


def test_a_stake_moves_into_the_pot(house, listing):
    player = house.players[0]
    before = house.balance(player)
    house.place(listing, player, 1, 3 * COIN)
    assert events(house.bets) == [
        placed(house, listing, player, 1, 3 * COIN),
        entry(house.escrow, player.address, Kind.BET_DEBIT, 3 * COIN, before - 3 * COIN, house.bets, listing.bet_id),
    ]
    assert house.pot(listing) == 3 * COIN
    assert house.bets.stake_of(listing.bet_id, 1, player.address) == 3 * COIN
    assert house.bets.stake_of(listing.bet_id, 0, player.address) == 0
    assert [house.bets.staked(listing.bet_id, k) for k in (0, 1)] == [0, 3 * COIN]


def test_stakes_on_a_prediction_are_one_position(house, listing):
    player, other = house.players[:2]
    house.place(listing, player, 0, 2 * COIN)
    house.place_signed(listing, player, house.bet(player, 0, 3 * COIN))
    house.place_many(listing, [(player, house.bet(player, 0, 4 * COIN, nonce=1)), (other, house.bet(other, 0, COIN))])
    assert house.bets.stake_of(listing.bet_id, 0, player.address) == 9 * COIN
    assert house.bets.stake_of(listing.bet_id, 0, other.address) == COIN
    assert house.bets.staked(listing.bet_id, 0) == house.pot(listing) == 10 * COIN


def test_the_range_is_for_the_position(house):
    """The least for the first stake, the most for all together."""
    listing, player = house.listed(min_stake=10, max_stake=20), house.players[0]
    for amount, reason in ((0, BELOW), (9, BELOW), (21, ABOVE), (2**256 - 1, ABOVE)):
        with boa.reverts(reason):
            house.place(listing, player, 0, amount)
    house.place(listing, player, 0, 10)
    house.place(listing, player, 1, 20)
    house.place(listing, player, 0, 1)
    for amount in (10, 2**256 - 1, 2**256 - 11, 2**256 - 10):
        with boa.reverts(ABOVE):
            house.place(listing, player, 0, amount)
    house.place(listing, player, 0, 9)
    with boa.reverts(ABOVE):
        house.place(listing, player, 0, 1)
    with boa.reverts("escrow: zero amount"):
        house.place(listing, player, 0, 0)


def test_out_of_range_in_a_batch_is_skipped_and_can_be_tried_again(house):
    listing, player = house.listed(min_stake=10, max_stake=20), house.players[0]
    amounts = [2**256 - 1, 9, 21, 20, 0, 1]
    batch = [(player, house.bet(player, 0, amount, nonce=n)) for n, amount in enumerate(amounts)]
    assert house.place_many(listing, batch) == 1
    skipped = [(f["nonce"], f["reason"]) for _, name, f in events(house.bets) if name == "BetSkipped"]
    assert skipped == [(0, ABOVE), (1, BELOW), (2, ABOVE), (4, "prorata: debit refused"), (5, ABOVE)]
    used = [house.bets.is_used(player.address, house.relayer.address, n) for n in range(len(amounts))]
    assert used == [False, False, False, True, False, False]


def test_a_refused_debit_leaves_nothing_behind(house, listing):
    player, other = house.players[:2]
    house.escrow.set_consent(0, sender=player.address)
    batch = [(player, house.bet(player, 0, COIN)), (other, house.bet(other, 0, 2 * COIN))]
    assert house.place_many(listing, batch) == 1
    assert events(house.bets)[0] == event(
        house.bets,
        "BetSkipped",
        bet_id=listing.bet_id,
        account=player.address,
        nonce=0,
        reason="prorata: debit refused",
    )
    assert house.bets.stake_of(listing.bet_id, 0, player.address) == 0
    assert house.bets.staked(listing.bet_id, 0) == house.pot(listing) == 2 * COIN


@pytest.mark.parametrize("predictions", [2, 3, 16])
def test_a_prediction_is_full_at_its_part_of_84_bits(house, predictions):
    """So no sum of stakes is cut where a settled bet keeps it."""
    most = 2**84 - 1
    listing = house.listed(predictions=["p"] * predictions, max_stake=most)
    house.coin.mint(house.players[0].address, 2**90)
    house.escrow.deposit(2**90, house.players[0].address, 0, sender=house.players[0].address)
    cap = most // predictions
    house.place(listing, house.players[0], 1, cap)
    with boa.reverts("prorata: prediction is full"):
        house.place(listing, house.players[1], 1, COIN)
    house.place(listing, house.players[1], 0, COIN)
    house.settled(listing, 1)
    lost = COIN - COIN * 500 // 10_000 - COIN * 500 // 10_000
    assert house.bets.claim(listing.bet_id, house.players[0].address) == cap + lost
    assert house.pot(listing) == 0


def test_places_with_a_listing_that_its_host_offers(house):
    """The first bet carries the listing; whoever was slower with the same one bets all the same."""
    listing = house.listing()
    offer = house.offer(listing, NOW + 60)
    for player in house.players[:2]:
        placed = house.bets.list_and_place(listing, offer, 0, COIN, NO_SIGNATURE, sender=player.address)
        assert placed == listing.bet_id
    assert house.pot(listing) == 2 * COIN
    with boa.reverts("prorata: stake below range"):
        house.bets.list_and_place(listing, offer, 1, 1, NO_SIGNATURE, sender=house.players[2].address)


def test_list_and_place_in_a_private_bet_takes_a_voucher(house):
    listing, player = house.listing(is_private=True), house.players[0]
    offer, voucher = house.offer(listing, NOW + 60), house.voucher(listing, player, NOW + 60)
    with boa.reverts("hosting: not admitted"):
        house.bets.list_and_place(listing, offer, 0, COIN, NO_SIGNATURE, sender=player.address)
    house.bets.list_and_place(listing, offer, 0, COIN, voucher, sender=player.address)
    assert house.pot(listing) == COIN


def test_reverts_when_odds_are_listed(house):
    with boa.reverts("prorata: odds are not fixed"):
        house.bets.list_bet(house.listing(profits=[800, 1_100]), NO_SIGNATURE, sender=house.host.address)
