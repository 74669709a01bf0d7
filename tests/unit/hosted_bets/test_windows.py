"""When a hosted bet can be placed, how its host ends that, and who may bet in a private one."""

import boa
import pytest

from tessera.chain.hosted_bets import NO_SIGNATURE
from tests.hosted import COIN
from tests.logs import event, events
from tests.unit.conftest import NOW


def test_placing_ends_at_closes_at(house, listing):
    boa.env.timestamp = listing.closes_at - 1
    house.place(listing, house.players[0], 0, COIN)
    boa.env.timestamp = listing.closes_at
    with boa.reverts("hosting: bet is closed"):
        house.place(listing, house.players[0], 0, COIN)
    with boa.reverts("hosting: bet is closed"):
        house.place_signed(listing, house.players[0], house.bet(house.players[0], 0, COIN))
    with boa.reverts("hosting: bet is closed"):
        house.place_many(listing, [(house.players[0], house.bet(house.players[0], 0, COIN))])


def test_host_closes_early_and_the_question_keeps_its_times(house, listing):
    house.place(listing, house.players[0], 0, COIN)
    boa.env.timestamp = NOW + 60
    house.bets.close(listing.bet_id, sender=house.host.address)
    assert events(house.bets) == [event(house.bets, "BetClosed", bet_id=listing.bet_id, closes_at=NOW + 60)]
    terms = house.lens.terms(listing.bet_id)
    assert (terms.closes_at, terms.listed_closes_at) == (NOW + 60, listing.closes_at)
    with boa.reverts("hosting: bet is closed"):
        house.place(listing, house.players[0], 0, COIN)


def test_close_reverts_when_not_the_host_or_not_open(house, listing):
    for other in (house.players[0].address, house.relayer.address, house.members[0]):
        with boa.reverts("hosting: not the host"):
            house.bets.close(listing.bet_id, sender=other)
    house.bets.close(listing.bet_id, sender=house.host.address)
    with boa.reverts("hosting: bet is closed"):
        house.bets.close(listing.bet_id, sender=house.host.address)
    with boa.reverts("hosting: unknown bet"):
        house.bets.close(b"\x01" * 32, sender=house.host.address)


@pytest.mark.parametrize("position", [0, 1])
def test_unknown_bet_and_prediction(house, listing, position):
    player = house.players[position]
    with boa.reverts("hosting: unknown bet"):
        house.place(listing._replace(salt=b"\x77" * 32), player, 0, COIN)
    for prediction in (2, 16, 2**256 - 1):
        with boa.reverts("hosting: unknown prediction"):
            house.place(listing, player, prediction, COIN)


def test_host_and_members_cannot_bet(house, listing):
    """By their own hand, or by signature; a relayer's batch goes on without them."""
    with boa.reverts("hosting: host cannot bet"):
        house.place(listing, house.host, 0, COIN)
    with boa.reverts("hosting: host cannot bet"):
        house.place_signed(listing, house.host, house.bet(house.host, 0, COIN))
    for member in house.validators:
        with boa.reverts("hosting: member cannot bet"):
            house.place(listing, member, 0, COIN)
        with boa.reverts("hosting: member cannot bet"):
            house.place_signed(listing, member, house.bet(member, 0, COIN))
    batch = [(person, house.bet(person, 0, COIN)) for person in (house.host, house.players[0], house.validators[0])]
    assert house.place_many(listing, batch) == 1
    skipped = [(fields["account"], fields["reason"]) for _, name, fields in events(house.bets) if name == "BetSkipped"]
    assert skipped == [
        (house.host.address, "hosting: host cannot bet"),
        (house.validators[0].address, "hosting: member cannot bet"),
    ]


def test_whoever_shares_a_bit_of_the_filter_with_a_member_may_bet(house, listing):
    """The filter has 48 bits: a hit is looked up, and counts only where it is true."""
    host, members = house.host.address, house.members
    bits = {int(account, 16) % 48 for account in (host, *members)}
    sharing = 0
    for n in range(1, 200):
        account = "0x" + n.to_bytes(20).hex()
        if int(account, 16) % 48 in bits and sharing < 6:
            sharing += 1
            with boa.reverts("escrow: balance too low"):
                house.place(listing, account, 0, COIN)
    assert sharing == 6


def test_a_private_bet_takes_its_list(house, private):
    admitted, other = house.players[:2]
    house.bets.admit(private.bet_id, [admitted.address], sender=house.host.address)
    assert events(house.bets) == [
        event(house.bets, "AccountsAdmitted", bet_id=private.bet_id, accounts=[admitted.address])
    ]
    assert house.bets.is_admitted(private.bet_id, admitted.address)
    house.place(private, admitted, 0, COIN)
    house.place_signed(private, admitted, house.bet(admitted, 0, COIN))
    assert not house.bets.is_admitted(private.bet_id, other.address)
    with boa.reverts("hosting: not admitted"):
        house.place(private, other, 0, COIN)


def test_a_private_bet_takes_vouchers(house, private):
    player = house.players[0]
    voucher = house.voucher(private, player, NOW)
    house.place(private, player, 0, COIN, voucher)
    house.place_signed(private, player, house.bet(player, 0, COIN), voucher)


def test_reverts_when_a_voucher_does_not_hold(house, private):
    player, other = house.players[:2]
    good = house.voucher(private, player, NOW + 60)
    with boa.reverts("hosting: not the host's voucher"):
        house.place(private, other, 0, COIN, good)
    with boa.reverts("hosting: not the host's voucher"):
        house.place(private, player, 0, COIN, good._replace(expires_at=NOW + 61))
    with boa.reverts("hosting: not the host's voucher"):
        house.place(private, player, 0, COIN, house.voucher(private, player, NOW + 60, host=other))
    with boa.reverts("hosting: not the host's voucher"):
        house.place(house.listed(is_private=True), player, 0, COIN, good)
    boa.env.timestamp = NOW + 61
    with boa.reverts("hosting: not admitted"):
        house.place(private, player, 0, COIN, good)


def test_its_own_host_lands_bets_in_a_private_bet_without_vouchers(house, private):
    player, host = house.players[0], house.host.address
    house.place_signed(private, player, house.bet(player, 0, COIN), relayer=host)
    assert house.place_many(private, [(player, house.bet(player, 0, COIN, nonce=1))], relayer=host) == 1
    with boa.reverts("hosting: not admitted"):
        house.place_signed(private, player, house.bet(player, 0, COIN, nonce=2))
    assert house.place_many(private, [(player, house.bet(player, 0, COIN, nonce=3))]) == 0
    assert events(house.bets)[0][2]["reason"] == "hosting: not admitted"


def test_a_relayer_lands_bets_of_the_list(house, private):
    admitted, other = house.players[:2]
    house.bets.admit(private.bet_id, [admitted.address], sender=house.host.address)
    assert house.place_many(private, [(p, house.bet(p, 0, COIN)) for p in (admitted, other)]) == 1


def test_admit_reverts_when_not_the_host_not_private_or_closed(house, listing, private):
    host, somebody = house.host.address, house.players[0].address
    with boa.reverts("hosting: not the host"):
        house.bets.admit(private.bet_id, [somebody], sender=somebody)
    with boa.reverts("hosting: bet is not private"):
        house.bets.admit(listing.bet_id, [somebody], sender=host)
    house.bets.admit(private.bet_id, [], sender=host)
    boa.env.timestamp = private.closes_at
    with boa.reverts("hosting: bet is closed"):
        house.bets.admit(private.bet_id, [somebody], sender=host)


def test_a_public_bet_asks_for_no_voucher(house, listing):
    house.place(listing, house.players[0], 0, COIN, NO_SIGNATURE)
    house.place(listing, house.players[0], 0, COIN, house.voucher(listing, house.players[1], NOW - 1))
