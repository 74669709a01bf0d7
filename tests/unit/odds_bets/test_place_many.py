"""OddsBets.place_many: groups of signed bets, each confirmed whole or skipped whole."""

import boa
import pytest

from tests.hosted import COIN
from tests.logs import events


def land(house, listing, groups) -> int:
    """Lands groups of (player, bet)."""
    signed = [pair for group in groups for pair in group]
    relayer = house.relayer.address
    return house.bets.place_many(
        listing.bet_id,
        [len(group) for group in groups],
        [bet for _, bet in signed],
        [house.signer.compact_bet(player, listing.bet_id, bet, relayer) for player, bet in signed],
        sender=relayer,
    )


def skipped(house) -> list[tuple]:
    return [(f["account"], f["reason"]) for _, name, f in events(house.bets) if name == "BetSkipped"]


def staked(house, listing) -> list[int]:
    return [house.lens.line(listing.bet_id, k).staked for k in (0, 1)]


@pytest.fixture
def pair(house):
    """100 on 80 % and 90 on 110 %: covered by each other alone."""
    a, b = house.players[:2]
    return [(a, house.bet(a, 0, 100 * COIN)), (b, house.bet(b, 1, 90 * COIN))]


def test_a_pair_covers_itself(house, listing, pair):
    assert land(house, listing, [pair]) == 2
    assert staked(house, listing) == [100 * COIN, 90 * COIN]
    assert house.bets.stake_of(listing.bet_id, 1, house.players[1].address) == 90 * COIN
    assert house.pot(listing) == 190 * COIN


def test_a_group_that_is_not_covered_is_skipped_whole(house, listing, pair):
    c, d = house.players[2:4]
    uncovered = [(c, house.bet(c, 0, 100 * COIN)), (d, house.bet(d, 1, 91 * COIN))]
    assert land(house, listing, [uncovered, pair]) == 2
    assert skipped(house) == [(p.address, "odds: group is not covered") for p in (c, d)]
    assert staked(house, listing) == [100 * COIN, 90 * COIN]
    assert not house.bets.is_used(c.address, house.relayer.address, 0)


def test_groups_count_on_those_before_them(house, listing, pair):
    """What the first group leaves over covers the second."""
    c = house.players[2]
    single = [(c, house.bet(c, 1, 900_000))]
    assert land(house, house.listed(bankroll=0, validator_bps=0, min_stake=1), [single]) == 0
    small = house.listed(bankroll=0, validator_bps=0, min_stake=1)
    assert land(house, small, [pair, single]) == 3


@pytest.mark.parametrize("bad", [0, 1])
def test_a_failing_debit_pays_the_group_back(house, listing, pair, bad):
    """Whoever takes consent back spoils the own group, and no other."""
    house.escrow.set_consent(0, sender=house.players[bad].address)
    before = [house.balance(player) for player in house.players[:4]]
    others = [(p, house.bet(p, k, (100 - 10 * k) * COIN)) for k, p in enumerate(house.players[2:4])]
    assert land(house, listing, [pair, others]) == 2
    assert skipped(house) == [(p.address, "odds: debit refused") for p in house.players[:2]]
    after = [house.balance(player) for player in house.players[:4]]
    assert [x - y for x, y in zip(before, after, strict=True)] == [0, 0, 100 * COIN, 90 * COIN]
    assert staked(house, listing) == [100 * COIN, 90 * COIN]
    assert [house.bets.is_used(p.address, house.relayer.address, 0) for p in house.players[:4]] == [False] * 2 + [
        True
    ] * 2
    assert house.pot(listing) == 190 * COIN


def test_one_bad_bet_skips_its_group_alone(house, listing, pair):
    c, d = house.players[2:4]
    late = [(c, house.bet(c, 0, 90 * COIN)), (d, house.bet(d, 1, 90 * COIN, deadline=0))]
    assert land(house, listing, [late, pair]) == 2
    assert skipped(house) == [(p.address, "relayed: deadline is over") for p in (c, d)]
    assert not house.bets.is_used(c.address, house.relayer.address, 0)


def test_a_nonce_counts_once_within_a_group(house, listing):
    a, b = house.players[:2]
    bet = house.bet(a, 0, 10 * COIN)
    assert land(house, listing, [[(a, bet), (a, bet), (b, house.bet(b, 1, 18 * COIN))]]) == 0
    assert {reason for _, reason in skipped(house)} == {"relayed: nonce is used"}
    assert not house.bets.is_used(a.address, house.relayer.address, 0)


def test_a_group_may_not_pass_whoever_waits_unless_it_makes_room(house, listing):
    waiting, a, b = house.players[:3]
    house.place(listing, waiting, 1, 50 * COIN)
    house.bets.fund(listing.bet_id, 40 * COIN, sender=house.host.address)
    jump = [(a, house.bet(a, 0, 90 * COIN)), (b, house.bet(b, 1, 90 * COIN))]
    assert land(house, listing, [jump]) == 0
    assert skipped(house) == [(p.address, "odds: others wait before") for p in (a, b)]
    makes_room = [(a, house.bet(a, 0, 90 * COIN)), (b, house.bet(b, 1, 81 * COIN))]
    assert land(house, listing, [makes_room]) == 2
    assert house.lens.line(listing.bet_id, 1).waiting == 1
    house.bets.confirm(listing.bet_id, [90 * COIN, 81 * COIN + 36 * COIN])


def test_the_other_side_of_whoever_waits_takes_single_bets(house, listing):
    waiting, a = house.players[:2]
    house.place(listing, waiting, 1, 50 * COIN)
    house.bets.fund(listing.bet_id, 100 * COIN, sender=house.host.address)
    assert land(house, listing, [[(a, house.bet(a, 0, 50 * COIN))]]) == 1
    assert staked(house, listing) == [50 * COIN, 0]


@pytest.mark.parametrize("sizes", [[1], [3], [2, 1], [1, 2**256 - 1], [2**256 - 1, 3], []])
def test_reverts_when_groups_do_not_add_up(house, listing, pair, sizes):
    relayer = house.relayer.address
    signatures = [house.signer.compact_bet(p, listing.bet_id, bet, relayer) for p, bet in pair]
    with boa.reverts():
        house.bets.place_many(listing.bet_id, sizes, [bet for _, bet in pair], signatures, sender=relayer)
    assert staked(house, listing) == [0, 0]


def test_says_that_groups_do_not_add_up(house, listing, pair):
    relayer = house.relayer.address
    signatures = [house.signer.compact_bet(p, listing.bet_id, bet, relayer) for p, bet in pair]
    for sizes in ([1], [3], [2, 1]):
        with boa.reverts("odds: groups do not add up"):
            house.bets.place_many(listing.bet_id, sizes, [bet for _, bet in pair], signatures, sender=relayer)


def test_empty_groups_change_nothing(house, listing, pair):
    assert land(house, listing, [[], pair, []]) == 2


def test_a_group_of_sixteen_sides(house):
    """Each of them pays 15 times the stake: fair odds, so the group covers itself exactly."""
    listing = house.listed(bankroll=0, validator_bps=0, predictions=[f"p{n}" for n in range(16)], profits=[15_000] * 16)
    group = [(p, house.bet(p, k + 8 * n, COIN, nonce=n)) for n in range(2) for k, p in enumerate(house.players[:8])]
    assert land(house, listing, [group]) == 16
    assert house.lens.book(listing.bet_id).needed == 0
