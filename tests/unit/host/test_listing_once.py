"""A host lists each bet once for all time: restarts, crashes, lost state, moved and edited sections."""

import pytest

from tessera.chain import Wallet
from tessera.chain.embedded import known_account
from tessera.chain.hosted_bets import BetListed
from tessera.chain.panels import PanelCreated
from tessera.host.bets_file import FileError
from tessera.host.catalogue import OPEN_SECONDS, REVOKED
from tessera.host.store import Store
from tests.unit.host.conftest import BARE, DAY, EUR, ODDS

BACKED = ODDS + "bankroll = 20\n"


def offered(node, number: int = 0):
    return next(one for one in node.catalogue.offered if one.bet.number == number)


def listed(node) -> list[bytes]:
    """The ids of all that was ever listed, in order."""
    node.index.sync()
    with node.index.snapshot() as snapshot:
        return [row.bet_id for row in snapshot.rows(BetListed)]


def test_a_bet_is_offered_signed_and_costs_nothing_until_somebody_bets(world):
    before = world.sent()
    node = world.node(BARE)
    node.step()
    assert world.sent() == before
    first = offered(node)
    assert first.listing.closes_at == first.offer.expires_at
    assert first.listing.result_deadline == first.listing.closes_at + 7 * DAY
    assert abs(first.listing.closes_at - world.now - OPEN_SECONDS) < 60
    # Anybody can list by the offer.
    world.tessera.prorata.list_bet(Wallet(world.web3, known_account(9)), first.listing, first.offer)
    assert world.tessera.prorata.bet_of(world.host.address, first.bet.salt) == first.bet_id


def test_a_restart_offers_the_very_same(world):
    before = world.node(BARE).catalogue.offered
    world.travel(world.now + 3_600)
    assert world.node(BARE).catalogue.offered[0].listing == before[0].listing
    assert world.node(BARE).catalogue.offered[1].offer == before[1].offer


def test_a_bankroll_lists_and_funds_a_bet_once(world):
    node = world.node(BACKED)
    node.step()
    sent = world.sent()
    node.step()
    world.node(BACKED).step()
    assert world.sent() == sent
    assert listed(node) == [offered(node).bet_id]
    assert world.tessera.odds_lens.book(offered(node).bet_id).bankroll == 20 * EUR
    assert node.view.listed[offered(node).bet_id].settled is False


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("transaction", [0, 1])
def test_a_crash_around_a_transaction_neither_loses_nor_doubles(world, dying, transaction, after):
    node = world.node(BACKED)
    dying(transaction, after=after)
    with pytest.raises(KeyboardInterrupt):
        node.step()
    again = world.node(BACKED)
    again.step()
    assert offered(again).listing == offered(node).listing
    assert listed(again) == [offered(node).bet_id]
    assert world.tessera.odds_lens.book(offered(node).bet_id).bankroll == 20 * EUR


def test_with_all_state_lost_the_chain_says_what_a_bet_became(world):
    node = world.node(BACKED)
    node.step()
    world.travel(world.now + 3_600)
    again = world.node(BACKED, store="another", index="another")
    again.step()
    assert offered(again).listing == offered(node).listing
    assert listed(again) == [offered(node).bet_id]


def test_with_the_offer_lost_before_anybody_bet_the_salt_still_counts_once(world):
    first, second = world.node(BACKED), None
    world.travel(world.now + 3_600)
    second = world.node(BACKED, store="another")
    assert offered(first).bet_id != offered(second).bet_id  # the clock filled in another closing time
    second.step()
    first.step()
    third = world.node(BACKED)
    assert offered(third).bet_id == offered(second).bet_id
    assert listed(third) == [offered(second).bet_id]


def test_a_moved_section_keeps_its_bet(world):
    node = world.node(BACKED)
    node.step()
    again = world.node(BACKED.replace("bets:0", "bets:5"))
    again.step()
    assert offered(again, 5).listing == offered(node).listing
    assert listed(again) == [offered(node).bet_id]


def test_a_section_that_changed_after_it_was_listed_is_refused(world):
    node = world.node(BACKED)
    node.step()
    with pytest.raises(
        FileError, match=rf"\[bets:0\] was changed after it was listed as 0x{offered(node).bet_id.hex()}"
    ):
        world.node(BACKED.replace("110%", "100%"))
    # Under a number of its own it is another bet.
    both = world.node(BACKED + BACKED.replace("110%", "100%").replace("bets:0", "bets:1"))
    both.step()
    assert listed(both) == [offered(both, 0).bet_id, offered(both, 1).bet_id]


@pytest.mark.parametrize("after", [False, True])
def test_what_was_offered_and_is_no_more_in_the_file_is_taken_back(world, dying, after):
    node = world.node(BARE)
    gone = offered(node)
    changed = BARE.replace("A wins on B", "A loses to B")
    dying(0, after=after)
    with pytest.raises(KeyboardInterrupt):
        world.node(changed).step()
    again = world.node(changed)
    again.step()
    assert world.tessera.prorata.bet_of(world.host.address, gone.bet.salt) == REVOKED
    assert (gone.contract.address, gone.bet.salt) not in again.store.offers()
    with pytest.raises(FileError, match=r"\[bets:0\] was taken back once and for all"):
        world.node(BARE)


def test_two_hosts_in_one_database_keep_their_offers_apart(world):
    node = world.node(BARE)
    other = Store(str(node.store.engine.url), world.players[0].address)
    assert len(node.store.offers()) == 2
    assert other.offers() == {}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("panel = 12345\n", "[bets:0] panel: there is no panel 12345"),
        ("time_lapse = 2126-01-01\n", "[bets:0] time_lapse: betting ends at most 365 days from now"),
    ],
)
def test_what_the_chain_would_refuse_is_named_at_the_start(world, lines, words):
    with pytest.raises(FileError) as error:
        world.node(ODDS + lines)
    assert str(error.value).startswith(words)


def test_a_host_on_the_panel_is_refused(world):
    host = Wallet(world.web3, world.host)
    own = world.tessera.panels.create_panel(host, [host.address], 1).event(PanelCreated).panel_id
    with pytest.raises(FileError, match="nobody judges bets of their own"):
        world.node(ODDS + f"panel = {own}\n")


def test_a_bet_whose_time_is_over_is_not_open(world):
    assert [one.bet.number for one in world.node(BARE).view.open_bets(None)] == [0, 1]
    world.travel(world.now + OPEN_SECONDS + 1)
    assert world.node(BARE).view.open_bets(None) == []
