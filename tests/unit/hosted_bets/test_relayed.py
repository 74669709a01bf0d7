"""Bets that accounts sign and a relayer lands: once, in time, by that relayer, for that bet, chain and contract."""

import boa
import pytest

from tessera.chain.hosted_bets import NO_SIGNATURE, Signer
from tests.hosted import CHAIN_ID, COIN
from tests.logs import event, events
from tests.panels import SECP256K1_N
from tests.unit.conftest import NOW

NOT_SIGNED = "relayed: not signed by account"


@pytest.fixture
def player(house):
    return house.players[0]


def skipped(house) -> list[str]:
    return [fields["reason"] for _, name, fields in events(house.bets) if name == "BetSkipped"]


def refused(house, listing, player, bet, reason, **how) -> None:
    """A bet is refused alone, and skipped with the same reason in a batch, and no money moves."""
    before = house.balance(player)
    with boa.reverts(reason):
        house.place_signed(listing, player, bet, **how)
    if not how:
        assert house.place_many(listing, [(player, bet)]) == 0
        assert skipped(house) == [reason]
    assert house.balance(player) == before


def test_relayer_lands_a_signed_bet(house, listing, player):
    before = house.balance(player)
    house.place_signed(listing, player, house.bet(player, 1, 3 * COIN, nonce=300))
    assert before - house.balance(player) == 3 * COIN
    assert house.bets.is_used(player.address, house.relayer.address, 300)
    assert not house.bets.is_used(player.address, house.relayer.address, 301)
    assert not house.bets.is_used(player.address, house.relayer.address, 44)
    assert not house.bets.is_used(player.address, player.address, 300)
    assert not house.bets.is_used(house.relayer.address, house.relayer.address, 300)


def test_a_bet_counts_once(house, listing, player):
    """Alone or in a batch, whatever way it landed first."""
    bet = house.bet(player, 0, COIN, nonce=7)
    house.place_signed(listing, player, bet)
    refused(house, listing, player, bet, "relayed: nonce is used")
    other = house.bet(player, 0, COIN, nonce=8)
    assert house.place_many(listing, [(player, other), (player, other)]) == 1
    assert skipped(house) == ["relayed: nonce is used"]
    refused(house, listing, player, other, "relayed: nonce is used")


def test_a_retry_under_the_same_nonce_cannot_land_twice(house, listing, player):
    """A second bet that replaces the first shares its nonce: one of the two lands."""
    first, second = (house.bet(player, side, COIN, nonce=9) for side in (0, 1))
    house.place_signed(listing, player, second)
    refused(house, listing, player, first, "relayed: nonce is used")


def test_nonces_do_not_need_any_order(house, listing, player):
    for nonce in (255, 0, 256, 2**256 - 1, 254):
        house.place_signed(listing, player, house.bet(player, 0, COIN, nonce=nonce))
        assert house.bets.is_used(player.address, house.relayer.address, nonce)


def test_burning_a_nonce_takes_a_bet_back(house, listing, player):
    bet = house.bet(player, 0, COIN, nonce=5)
    house.bets.burn(house.relayer.address, 5, sender=player.address)
    assert events(house.bets) == [
        event(house.bets, "NonceBurned", account=player.address, relayer=house.relayer.address, nonce=5)
    ]
    refused(house, listing, player, bet, "relayed: nonce is used")
    with boa.reverts("relayed: nonce is used"):
        house.bets.burn(house.relayer.address, 5, sender=player.address)


def test_nobody_burns_another_accounts_nonce(house, listing, player):
    house.bets.burn(house.relayer.address, 6, sender=house.relayer.address)
    house.bets.burn(house.relayer.address, 6, sender=house.players[1].address)
    house.place_signed(listing, player, house.bet(player, 0, COIN, nonce=6))


def test_only_the_named_relayer_lands_it(house, listing, player, stranger):
    bet = house.bet(player, 0, COIN)
    refused(house, listing, player, bet, NOT_SIGNED, sender=stranger)
    refused(house, listing, player, bet, NOT_SIGNED, relayer=stranger, sender=house.relayer.address)
    refused(house, listing, player, bet, NOT_SIGNED, sender=player.address)
    assert house.place_many(listing, [(player, bet)], relayer=stranger) == 1


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(-1, "relayed: deadline is over"), (0, None), (120, None), (121, "relayed: deadline too far")],
)
def test_deadline_is_two_minutes_ahead_at_most(house, listing, player, seconds, reason):
    bet = house.bet(player, 0, COIN, deadline=NOW + seconds)
    if reason:
        refused(house, listing, player, bet, reason)
    else:
        house.place_signed(listing, player, bet)
        assert house.place_many(listing, [(player, bet._replace(nonce=1))]) == 1


def test_a_deadline_at_the_end_of_time_is_too_far(house, listing, player):
    refused(house, listing, player, house.bet(player, 0, COIN, deadline=2**256 - 1), "relayed: deadline too far")


def test_minimum_over_the_amount_is_refused(house, listing, player):
    bet = house.bet(player, 0, COIN, min_confirmed=COIN + 1)
    refused(house, listing, player, bet, "relayed: minimum over amount")
    house.place_signed(listing, player, bet._replace(min_confirmed=COIN))


@pytest.mark.parametrize(
    "field",
    [
        {"account": 1},
        {"prediction": 1},
        {"amount": COIN + 1},
        {"min_confirmed": 1},
        {"nonce": 1},
        {"deadline": NOW + 59},
    ],
)
def test_nothing_of_a_signed_bet_can_be_changed(house, listing, player, field):
    signed = house.bet(player, 0, COIN)
    changes = {name: house.players[1].address if name == "account" else value for name, value in field.items()}
    changed = signed._replace(**changes)
    relayer = house.relayer.address
    with boa.reverts(NOT_SIGNED):
        house.bets.place_signed(
            listing.bet_id,
            changed,
            house.signer.bet(player, listing.bet_id, signed, relayer),
            NO_SIGNATURE,
            sender=relayer,
        )
    compact = house.signer.compact_bet(player, listing.bet_id, signed, relayer)
    assert house.land(listing, [changed], [compact], relayer) == 0
    assert skipped(house) == [NOT_SIGNED]


def test_a_bet_for_another_listing_chain_or_contract_does_not_count(house, listing, player, stranger):
    bet, other, relayer = house.bet(player, 0, COIN), house.listed(), house.relayer.address
    for signer, bet_id in (
        (house.signer, other.bet_id),
        (Signer(house.name, 1, house.bets.address), listing.bet_id),
        (Signer(house.name, CHAIN_ID, stranger), listing.bet_id),
        (Signer("Escrow", CHAIN_ID, house.bets.address), listing.bet_id),
    ):
        with boa.reverts(NOT_SIGNED):
            house.bets.place_signed(
                listing.bet_id, bet, signer.bet(player, bet_id, bet, relayer), NO_SIGNATURE, sender=relayer
            )
        assert house.land(listing, [bet], [signer.compact_bet(player, bet_id, bet, relayer)], relayer) == 0


def test_void_signatures_stop_nobody_else(house, listing, player):
    """Signatures of which nothing can be recovered, nobody's bets among them, harm no other bet of the batch."""
    relayer, nobody = house.relayer.address, "0x" + "00" * 20
    good = house.bet(player, 0, COIN)
    bets = [house.bet(nobody, 0, COIN), house.bet(player, 0, COIN, nonce=1), good, house.bet(nobody, 0, COIN, nonce=2)]
    signatures = [
        (0, 0),
        (SECP256K1_N, 1),
        house.signer.compact_bet(player, listing.bet_id, good, relayer),
        (2**256 - 1, 2**256 - 1),
    ]
    assert house.land(listing, bets, signatures, relayer) == 1
    assert skipped(house) == [NOT_SIGNED] * 3


def test_nobody_cannot_bet_alone_either(house, listing):
    bet = house.bet("0x" + "00" * 20, 0, COIN)
    with boa.reverts(NOT_SIGNED):
        house.bets.place_signed(listing.bet_id, bet, bytes(65), NO_SIGNATURE, sender=house.relayer.address)


def test_either_form_of_a_signature_counts_once(house, listing, player):
    """The mirrored form of a signature is the same consent: the nonce stops its second use."""
    bet, relayer = house.bet(player, 0, COIN), house.relayer.address
    signature = house.signer.bet(player, listing.bet_id, bet, relayer)
    r, s, v = signature[:32], int.from_bytes(signature[32:64]), signature[64]
    mirrored = r + (SECP256K1_N - s).to_bytes(32) + bytes([55 - v])
    house.bets.place_signed(listing.bet_id, bet, mirrored, NO_SIGNATURE, sender=relayer)
    with boa.reverts("relayed: nonce is used"):
        house.bets.place_signed(listing.bet_id, bet, signature, NO_SIGNATURE, sender=relayer)


def test_contract_wallets_bet(house, listing, load, player):
    """By EIP-1271: the wallet's code says whether its owner signed."""
    wallet = load("Wallet1271").deploy(player.address)
    house.coin.mint(wallet.address, 10 * COIN)
    wallet.execute(house.coin.address, house.coin.approve.prepare_calldata(house.escrow, 10 * COIN))
    wallet.execute(house.escrow.address, house.escrow.deposit.prepare_calldata(10 * COIN, wallet.address, 1))
    bet = house.bet(wallet.address, 0, COIN)
    house.place_signed(listing, player, bet)
    assert house.balance(wallet.address) == 9 * COIN
    with boa.reverts(NOT_SIGNED):
        house.place_signed(listing, house.players[1], bet._replace(nonce=1))
    assert house.place_many(listing, [(player, bet._replace(nonce=2))]) == 0
    assert skipped(house) == [NOT_SIGNED]


@pytest.mark.parametrize("answer", ["wrong", "empty", "long", "revert", "burn gas"])
def test_wallets_that_answer_anything_else_do_not_bet(house, listing, load, player, answer):
    wallet = load("OddWallet").deploy(["wrong", "empty", "long", "revert", "burn gas"].index(answer))
    with boa.reverts(NOT_SIGNED):
        house.place_signed(listing, player, house.bet(wallet.address, 0, COIN))


def test_a_key_signs_for_an_account_with_code(house, listing, player):
    """A delegated account (EIP-7702) has code and a key: the key is asked first."""
    boa.env.set_code(player.address, bytes.fromhex("60006000fd"))
    house.place_signed(listing, player, house.bet(player, 0, COIN))


def test_signed_bets_need_consent_and_money(house, listing, player):
    """Alone it reverts with Escrow's reason; in a batch it is skipped, and can be tried again."""
    poor, bet = house.players[1], house.bet(player, 0, COIN)
    house.escrow.withdraw(house.balance(poor), poor.address, sender=poor.address)
    house.escrow.set_consent(0, sender=player.address)
    with boa.reverts("escrow: no consent"):
        house.place_signed(listing, player, bet)
    with boa.reverts("escrow: balance too low"):
        house.place_signed(listing, poor, house.bet(poor, 0, COIN))
    third = house.players[2]
    batch = [(player, bet), (third, house.bet(third, 0, COIN)), (poor, house.bet(poor, 0, COIN))]
    assert house.place_many(listing, batch) == 1
    assert len(skipped(house)) == 2
    assert not house.bets.is_used(player.address, house.relayer.address, 0)
    house.escrow.set_consent(1, sender=player.address)
    assert house.place_many(listing, batch[:1]) == 1


def test_place_many_reverts_when_lengths_differ(house, listing, player):
    bet, relayer = house.bet(player, 0, COIN), house.relayer.address
    signature = house.signer.compact_bet(player, listing.bet_id, bet, relayer)
    for bets, signatures in (([bet], []), ([], [signature]), ([bet], [signature] * 2)):
        with boa.reverts("odds: lengths differ" if house.has_odds else "prorata: lengths differ"):
            house.land(listing, bets, signatures, relayer)


def test_nothing_to_land_changes_nothing(house, listing):
    assert house.place_many(listing, []) == 0
    assert events(house.bets) == []


def test_64_bets_in_a_batch(house, listing):
    batch = [(p, house.bet(p, n % 2, COIN, nonce=n)) for n in range(8) for p in house.players[:8]]
    before = house.pot(listing)
    assert house.place_many(listing, batch) == 64
    assert house.pot(listing) - before == 64 * COIN
