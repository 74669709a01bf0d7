"""Listing a hosted bet, by its host or by anybody who carries the host's offer; revoking what was not listed."""

import boa
import pytest

from tessera.chain.hosted_bets import NO_SIGNATURE, HostSignature, Terms
from tests.hosted import DAY, HOUR
from tests.logs import event, events
from tests.panels import accounts
from tests.unit.conftest import NOW

YEAR = 365 * DAY
REVOKED = b"\xff" * 32


def test_host_lists(house):
    listing = house.listing()
    bet_id = house.bets.list_bet(listing, NO_SIGNATURE, sender=house.host.address)
    (logged,) = events(house.bets)
    assert bet_id == listing.bet_id
    assert logged[:2] == (str(house.bets.address), "BetListed")
    assert logged[2]["bet_id"] == bet_id
    assert logged[2]["host"] == house.host.address
    assert tuple(logged[2]["listing"]) == tuple(listing)
    assert house.bets.bet_of(house.host.address, listing.salt) == bet_id
    assert Terms(*house.lens.terms(bet_id)) == Terms(
        host=house.host.address,
        panel_id=house.panel_id,
        predictions=2,
        min_stake=listing.min_stake,
        max_stake=listing.max_stake,
        closes_at=listing.closes_at,
        listed_closes_at=listing.closes_at,
        result_deadline=listing.result_deadline,
        host_bps=listing.host_bps,
        validator_bps=listing.validator_bps,
        is_private=False,
    )


def test_widest_listing(house):
    """Every field at the end of its range comes back as it was."""
    profits = [65_535] * 16 if house.has_odds else []
    listing = house.listing(
        description="d" * 256,
        predictions=["p" * 64] * 16,
        profits=profits,
        min_stake=2**84 - 1,
        max_stake=2**84 - 1,
        closes_at=NOW + YEAR,
        result_deadline=NOW + YEAR + 30 * DAY,
        host_bps=0 if house.has_odds else 1_000,
        validator_bps=1_000,
        is_private=True,
    )
    house.bets.list_bet(listing, NO_SIGNATURE, sender=house.host.address)
    terms = Terms(*house.lens.terms(listing.bet_id))
    assert (terms.predictions, terms.min_stake, terms.max_stake) == (16, 2**84 - 1, 2**84 - 1)
    assert (terms.closes_at, terms.listed_closes_at) == (NOW + YEAR, NOW + YEAR)
    assert terms.result_deadline == NOW + YEAR + 30 * DAY
    assert (terms.host_bps, terms.validator_bps, terms.is_private) == (listing.host_bps, 1_000, True)


def test_narrowest_listing(house):
    listing = house.listing(
        description="d",
        predictions=["a", "b"],
        min_stake=1,
        max_stake=1,
        closes_at=NOW + 1,
        result_deadline=NOW + 1 + HOUR,
        host_bps=0,
        validator_bps=0,
    )
    house.bets.list_bet(listing, NO_SIGNATURE, sender=house.host.address)
    terms = Terms(*house.lens.terms(listing.bet_id))
    assert (terms.min_stake, terms.max_stake, terms.closes_at) == (1, 1, NOW + 1)
    assert (terms.host_bps, terms.validator_bps, terms.is_private) == (0, 0, False)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"description": ""}, "hosting: text is missing"),
        ({"predictions": ["a"], "profits": 1}, "hosting: text is missing"),
        ({"predictions": [], "profits": 0}, "hosting: text is missing"),
        ({"predictions": ["a", ""]}, "hosting: text is missing"),
        ({"min_stake": 0}, "hosting: bad range of stakes"),
        ({"min_stake": 11, "max_stake": 10}, "hosting: bad range of stakes"),
        ({"max_stake": 2**84}, "hosting: bad range of stakes"),
        ({"closes_at": NOW}, "hosting: bad closing time"),
        ({"closes_at": 0}, "hosting: bad closing time"),
        ({"closes_at": NOW + YEAR + 1}, "hosting: bad closing time"),
        ({"closes_at": 2**256 - 1}, "hosting: bad closing time"),
        ({"result_deadline": NOW + 2 * HOUR - 1}, "hosting: bad result deadline"),
        ({"result_deadline": NOW + HOUR + 30 * DAY + 1}, "hosting: bad result deadline"),
        ({"host_bps": 1_001}, "hosting: commission over 10 %"),
        ({"validator_bps": 1_001}, "hosting: commission over 10 %"),
        ({"panel_id": 1}, "hosting: no such panel"),
    ],
)
def test_reverts_when_a_field_is_out_of_range(house, changes, reason):
    if "profits" in changes:
        changes = changes | {"profits": [800] * changes["profits"] if house.has_odds else []}
    if house.has_odds and "host_bps" in changes:
        pytest.skip("with odds there is no such commission")
    with boa.reverts(reason):
        house.bets.list_bet(house.listing(**changes), NO_SIGNATURE, sender=house.host.address)


def test_reverts_when_the_host_sits_on_the_panel(house):
    member = house.validators[3].address
    with boa.reverts("hosting: host on the panel"):
        house.bets.list_bet(house.listing(host=member), NO_SIGNATURE, sender=member)


def test_anybody_lists_what_the_host_offers(house, stranger):
    listing = house.listing()
    offer = house.offer(listing, NOW)
    assert house.bets.list_bet(listing, offer, sender=stranger) == listing.bet_id
    assert house.bets.bet_of(house.host.address, listing.salt) == listing.bet_id


def test_reverts_when_an_offer_is_expired(house, stranger):
    listing = house.listing()
    with boa.reverts("hosting: offer expired"):
        house.bets.list_bet(listing, house.offer(listing, NOW - 1), sender=stranger)


def test_reverts_when_an_offer_is_not_the_hosts(house, stranger):
    listing, other = house.listing(), house.listing()
    refused = "hosting: not offered by the host"
    good = house.offer(listing, NOW + 60)
    forged = house.offer(listing, NOW + 60, house.players[0])
    for offer in (
        forged,
        NO_SIGNATURE._replace(expires_at=NOW + 60),
        good._replace(expires_at=NOW + 61),
        HostSignature(NOW + 60, good.signature[:-1]),
        HostSignature(NOW + 60, good.signature[:64] + b"\x00"),
    ):
        with boa.reverts(refused):
            house.bets.list_bet(listing, offer, sender=stranger)
    with boa.reverts(refused):
        house.bets.list_bet(other, good, sender=stranger)


def test_reverts_when_the_host_is_nobody(house, stranger):
    """The void signature of nobody is no offer."""
    listing = house.listing(host="0x" + "00" * 20)
    with boa.reverts("hosting: not offered by the host"):
        house.bets.list_bet(listing, HostSignature(NOW + 60, bytes(65)), sender=stranger)


def test_reverts_when_an_offer_is_for_another_chain(house, evm, stranger):
    listing = house.listing()
    offer = house.offer(listing, NOW + 60)
    evm.patch.chain_id = 1
    with boa.reverts("hosting: not offered by the host"):
        house.bets.list_bet(listing, offer, sender=stranger)


def test_a_contract_can_be_the_host(house, load, stranger):
    """Its code says whether it signed (EIP-1271)."""
    wallet = load("Wallet1271").deploy(house.host.address)
    listing = house.listing(host=wallet.address)
    offer = house.offer(listing, NOW + 60)
    assert house.bets.list_bet(listing, offer, sender=stranger) == listing.bet_id
    other = house.listing(host=wallet.address)
    with boa.reverts("hosting: not offered by the host"):
        house.bets.list_bet(other, house.offer(other, NOW + 60, house.players[0]), sender=stranger)


def test_listing_again_changes_nothing(house, listing, stranger):
    """Two people may carry the same offer; the slower one loses nothing."""
    house.bets.close(listing.bet_id, sender=house.host.address)
    before = house.lens.terms(listing.bet_id)
    assert house.bets.list_bet(listing, NO_SIGNATURE, sender=stranger) == listing.bet_id
    assert events(house.bets) == []
    assert house.lens.terms(listing.bet_id) == before


def test_a_salt_is_good_once(house, listing):
    """A second content under a salt is refused: what was signed for the first cannot come to mean the second."""
    changed = listing._replace(predictions=["loss", "win"])
    with boa.reverts("hosting: salt is taken"):
        house.bets.list_bet(changed, NO_SIGNATURE, sender=house.host.address)
    with boa.reverts("hosting: salt is taken"):
        house.bets.list_bet(changed, house.offer(changed, NOW + 60), sender=house.host.address)


def test_another_host_may_use_the_same_salt(house, listing):
    other = house.players[0].address
    same = listing._replace(host=other)
    house.bets.list_bet(same, NO_SIGNATURE, sender=other)
    assert same.bet_id != listing.bet_id
    assert house.bets.bet_of(house.host.address, listing.salt) == listing.bet_id


def test_a_revoked_salt_lists_nothing(house, stranger):
    listing = house.listing()
    offer = house.offer(listing, NOW + DAY)
    house.bets.revoke(listing.salt, sender=house.host.address)
    assert events(house.bets) == [event(house.bets, "SaltRevoked", host=house.host.address, salt=listing.salt)]
    assert house.bets.bet_of(house.host.address, listing.salt) == REVOKED
    with boa.reverts("hosting: salt is taken"):
        house.bets.list_bet(listing, offer, sender=stranger)


def test_revoke_reverts_when_the_salt_is_taken(house, listing):
    with boa.reverts("hosting: salt is taken"):
        house.bets.revoke(listing.salt, sender=house.host.address)
    house.bets.revoke(b"\x99" * 32, sender=house.host.address)
    with boa.reverts("hosting: salt is taken"):
        house.bets.revoke(b"\x99" * 32, sender=house.host.address)


def test_revoking_burns_only_the_callers_salt(house, stranger):
    listing = house.listing()
    house.bets.revoke(listing.salt, sender=stranger)
    house.bets.list_bet(listing, NO_SIGNATURE, sender=house.host.address)
    assert house.bets.bet_of(house.host.address, listing.salt) == listing.bet_id


def test_terms_revert_when_the_bet_is_unknown(house):
    with boa.reverts("lens: unknown bet" if house.has_odds else "hosting: unknown bet"):
        house.lens.terms(b"\x01" * 32)


def test_deploy_reverts_when_a_contract_has_no_code(house, load, stranger):
    with boa.reverts("hosting: escrow has no code"):
        load(house.name).deploy(stranger, house.panels)
    with boa.reverts("hosting: panels has no code"):
        load(house.name).deploy(house.escrow, stranger)
    assert (house.bets.ESCROW(), house.bets.PANELS()) == (house.escrow.address, house.panels.address)


def test_a_panel_of_one_and_of_32_can_be_asked(house):
    """Whoever of either panel tries to bet is refused, and nobody else."""
    for size in (1, 32):
        members = [account.address for account in accounts(size)]
        listing = house.listed(panel_id=house.panels.create_panel(members, size))
        house.place(listing, house.players[0], 0, listing.min_stake)
        for member in members:
            with boa.reverts("hosting: member cannot bet"):
                house.place(listing, member, 0, listing.min_stake)
