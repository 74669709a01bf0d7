"""What went wrong in other pools, bookmakers, quorums, relays and batches, harmless in hosted bets: one test a case.

Cases that cannot apply, and why:

- stale price, rounds that halt (PancakeSwap): no price is read, and there are no rounds.
- vaults, shares, swaps, rewards, feeds: a bet holds one token and reads no price.
- permits, fees on transfer, tokens that return nothing or re-enter: Escrow's, tests/unit/escrow.
- a quorum of half or less (Degens), bonds of silent oracles (Azuro): Panels', tests/unit/test_known_bugs_panels.py.
"""

import boa
import pytest

from tests.hosted import COIN, DAY, INVALID, odds, pools
from tests.logs import events
from tests.unit.conftest import NOW, load

__all__ = ["load", "odds", "pools"]

YEAR = 365 * DAY


@pytest.fixture(params=["pools", "odds"])
def house(request, evm_clock):
    return request.getfixturevalue(request.param)


def claim(house, listing, player) -> int:
    """What somebody's claim for a player pays: of all positions, and of the first three tickets of each side."""
    tickets = [k << 32 | n for k in range(len(listing.predictions)) for n in (1, 2, 3)]
    more = ([*range(len(listing.predictions))], tickets) if house.has_odds else ()
    return house.bets.claim(listing.bet_id, player.address, *more)


def skipped(house) -> list[str]:
    return [fields["reason"] for _, name, fields in events(house.bets) if name == "BetSkipped"]


def test_pancakeswap_lone_loser_everybody_gets_the_stake_back(pools, evm_clock):
    """There 97 % stay in the contract where nobody is on the winning side."""
    listing = pools.listed(predictions=["a", "b", "c"])
    pools.place(listing, pools.players[0], 0, 10 * COIN)
    pools.place(listing, pools.players[1], 1, 30 * COIN)
    pools.settled(listing, 2)
    assert [claim(pools, listing, player) for player in pools.players[:2]] == [10 * COIN, 30 * COIN]
    assert pools.pot(listing) == 0


def test_pancakeswap_tie_the_house_takes_nothing(house):
    listing = house.listed()
    before = house.balance(house.host)
    house.place(listing, house.players[0], 0, 10 * COIN)
    house.place(listing, house.players[1], 1, 10 * COIN)
    house.settled(listing, INVALID)
    assert [claim(house, listing, player) for player in house.players[:2]] == [10 * COIN, 10 * COIN]
    assert house.pot(listing) == 0
    # The bankroll of odds goes back; it was funded before.
    assert house.balance(house.host) - before == (10_000 * COIN if house.has_odds else 0)


def test_bodhi_core_81_avsb_1_no_winning_bet_divides_by_nothing(house):
    """One side alone, and the other comes true."""
    listing = house.listed()
    house.place(listing, house.players[0], 0, 10 * COIN)
    house.settled(listing, 1)
    if house.has_odds:
        with boa.reverts("odds: nothing to claim"):
            claim(house, listing, house.players[0])
    else:
        assert claim(house, listing, house.players[0]) == 10 * COIN
    assert house.pot(listing) == 0


def test_pooltogether_84_71_112_the_last_winner_gets_as_much_as_the_first(house):
    listing = house.listed()
    winners = house.players[:4]
    for player in winners:
        house.place(listing, player, 0, 10 * COIN)
    house.place(listing, house.players[4], 1, 40 * COIN)
    house.settled(listing, 0)
    paid = [claim(house, listing, player) for player in reversed(winners)]
    assert paid == [18 * COIN if house.has_odds else 19 * COIN] * 4
    assert house.pot(listing) == 0


def test_pooltogether_claims_expire_here_they_never_do(house):
    """And Overtime: nobody, the host included, gets at what is not claimed."""
    listing = house.listed()
    house.place(listing, house.players[0], 0, 10 * COIN)
    house.place(listing, house.players[1], 1, 10 * COIN)
    house.settled(listing, 0)
    host = house.balance(house.host)
    boa.env.timestamp += 20 * YEAR
    if house.has_odds:
        with boa.reverts("odds: already settled"):
            house.bets.defund(listing.bet_id, 1, sender=house.host.address)
    with boa.reverts("odds: already settled" if house.has_odds else "prorata: already settled"):
        house.bets.settle(listing.bet_id, sender=house.host.address)
    assert house.balance(house.host) == host
    assert claim(house, listing, house.players[0]) == (18 if house.has_odds else 19) * COIN
    assert house.pot(listing) == 0


def test_pooltogether_28_142_the_last_second_is_the_same_for_all(house):
    """Placing ends in the second in which reports begin to count."""
    listing = house.listed()
    question = listing.question(house.bets.address)
    boa.env.timestamp = listing.closes_at - 1
    house.place(listing, house.players[0], 0, COIN)
    with boa.reverts("panels: too early"):
        house.panels.report(house.panel_id, question, 0, sender=house.members[0])
    boa.env.timestamp = listing.closes_at
    house.panels.report(house.panel_id, question, 0, sender=house.members[0])
    with boa.reverts("hosting: bet is closed"):
        house.place(listing, house.players[0], 0, COIN)


@pytest.mark.parametrize("mode", range(5))
def test_pooltogether_37_131_no_code_of_a_winner_runs(pools, load, evm_clock, mode):
    """A winner whose code reverts or burns gas is paid in a batch like anybody else."""
    winner = load("OddWallet").deploy(mode)
    pools.coin.mint(pools.players[0].address, 10 * COIN)
    pools.escrow.deposit(10 * COIN, winner.address, 0, sender=pools.players[0].address)
    with boa.env.prank(winner.address):
        pools.escrow.set_consent(1)
    listing = pools.listed()
    pools.place(listing, winner.address, 0, 10 * COIN)
    pools.place(listing, pools.players[1], 1, 10 * COIN)
    pools.settled(listing, 0)
    assert pools.bets.claim_many(listing.bet_id, [winner.address, pools.players[1].address]) == 1
    assert pools.escrow.balance_of(winner.address) == 19 * COIN


def test_pooltogether_22_31_sums_that_are_full_refuse_one_bet_and_stop_nobody(pools, evm_clock):
    listing = pools.listed(max_stake=2**84 - 1)
    rich, other = pools.players[:2]
    pools.coin.mint(rich.address, 2**90)
    pools.escrow.deposit(2**90, rich.address, 0, sender=rich.address)
    pools.place(listing, rich, 0, (2**84 - 1) // 2)
    with boa.reverts("prorata: prediction is full"):
        pools.place(listing, other, 0, COIN)
    pools.place(listing, other, 1, COIN)
    pools.settled(listing, 1)
    assert claim(pools, listing, other) > COIN
    assert pools.pot(listing) == 0


def test_pooltogether_141_a_late_bet_meets_another_state_and_costs_nothing(odds, evm_clock):
    """`min_confirmed`, and two minutes at most."""
    listing = odds.listed(bankroll=100 * COIN)
    player = odds.players[0]
    bet = odds.bet(player, 0, 100 * COIN, min_confirmed=100 * COIN)
    odds.place(listing, odds.players[1], 0, 100 * COIN)
    before = odds.balance(player)
    with boa.reverts("odds: less is confirmed"):
        odds.place_signed(listing, player, bet)
    boa.env.timestamp = NOW + 61
    with boa.reverts("relayed: deadline is over"):
        odds.place_signed(listing, player, bet)
    assert odds.balance(player) == before


def test_omen_1901_a_limit_of_nothing_is_no_leave_for_worse_odds(odds, evm_clock):
    """What is not covered waits at the odds that were listed, and its owner takes it back at any time."""
    listing = odds.listed(bankroll=8 * COIN, validator_bps=0)
    player = odds.players[0]
    before = odds.balance(player)
    ticket = odds.place(listing, player, 0, 30 * COIN, min_confirmed=0)
    assert odds.bets.stake_of(listing.bet_id, 0, player.address) == 10 * COIN
    odds.bets.cancel(listing.bet_id, ticket, sender=player.address)
    odds.settled(listing, 0)
    assert odds.bets.claim(listing.bet_id, player.address, [0], []) == 18 * COIN
    assert odds.balance(player) - before == 8 * COIN


def test_omen_905_908_betting_ends_whatever_the_panel_does(house):
    listing = house.listed()
    boa.env.timestamp = listing.closes_at
    with boa.reverts("hosting: bet is closed"):
        house.place(listing, house.players[0], 0, COIN)


def test_manifold_203_a_cancelled_bet_pays_nobody_less_than_the_stake(house):
    """Whatever one has on all sides."""
    listing = house.listed()
    player = house.players[0]
    for k, amount in ((0, 7), (1, 3), (0, 2)):
        house.place(listing, player, k, amount * COIN)
    house.settled(listing, INVALID)
    assert claim(house, listing, player) == 12 * COIN
    assert house.pot(listing) == 0


def test_manifold_538_sx_bet_azuro_nobody_has_to_come_back(house):
    """Host and validators are gone for good: a stranger ends the bet a second after its deadline."""
    listing = house.listed()
    player = house.players[0]
    house.place(listing, player, 0, 10 * COIN)
    boa.env.timestamp = listing.result_deadline
    with boa.reverts("hosting: no result yet"):
        house.bets.settle(listing.bet_id, sender=house.players[5].address)
    boa.env.timestamp += 1
    house.bets.settle(listing.bet_id, sender=house.players[5].address)
    assert claim(house, listing, player) == 10 * COIN
    assert house.pot(listing) == 0


def test_degens_two_outcomes_cannot_both_be_final(house):
    """Two of five say one thing, three another: the three decide, and the order does not matter."""
    with boa.reverts("panels: bad threshold"):
        house.panels.create_panel(house.members[:4], 2)
    listing = house.listed()
    house.place(listing, house.players[0], 0, 10 * COIN)
    house.place(listing, house.players[1], 1, 10 * COIN)
    house.decide(listing, 1, members=2)
    with boa.reverts("hosting: no result yet"):
        house.bets.settle(listing.bet_id)
    question = listing.question(house.bets.address)
    for member in house.members[2:]:
        house.panels.report(house.panel_id, question, 0, sender=member)
    house.bets.settle(listing.bet_id)
    assert claim(house, listing, house.players[0]) == (18 if house.has_odds else 19) * COIN


def test_polymarket_ghost_fill_moved_money_or_a_burned_nonce_spoils_its_own_bet_alone(house):
    """Matched off chain, then the maker moves the money or bumps the nonce: the other eight land."""
    listing = house.listed()
    ghost, burner, *honest = house.players
    signed = [(player, house.bet(player, 0, COIN)) for player in (ghost, burner, *honest)]
    house.escrow.withdraw(house.balance(ghost), ghost.address, sender=ghost.address)
    house.bets.burn(house.relayer.address, 0, sender=burner.address)
    assert house.place_many(listing, signed) == len(honest)
    assert sorted(skipped(house)) == sorted(
        ["odds: debit refused" if house.has_odds else "prorata: debit refused", "relayed: nonce is used"]
    )
    assert house.pot(listing) == len(honest) * COIN + (10_000 * COIN if house.has_odds else 0)


def test_batch_poisoning_one_bad_bet_of_ten_stops_no_other(house):
    """Every way in which a bet can be bad, among good ones."""
    listing = house.listed()
    a, b, c, d = house.players[:4]
    good = [(player, house.bet(player, 0, COIN, nonce=99)) for player in (a, b, c, d)]
    bad = [
        (a, house.bet(a, 2, COIN, nonce=1)),
        (b, house.bet(b, 0, 2**255, nonce=1)),
        (c, house.bet(c, 0, COIN, nonce=1, deadline=NOW - 1)),
        (d, house.bet(a, 0, COIN, nonce=2)),
        (house.host, house.bet(house.host, 0, COIN)),
        (house.validators[0], house.bet(house.validators[0], 0, COIN)),
        (a, house.bet(a, 2**256 - 1, 2**256 - 1, nonce=2**256 - 1)),
    ]
    for one in bad:
        with boa.env.anchor():
            assert house.place_many(listing, [*good[:2], one, *good[2:]]) == 4
            assert len(skipped(house)) == 1
    assert house.place_many(listing, [*bad, *good]) == 4


def test_coinbase_wallet_sdk_1379_stablecoin_evm_470_signatures_of_smart_wallets_are_not_of_65_bytes(house, load):
    """They land alone, and in a batch they are skipped like any void one."""
    owner = house.players[0]
    wallet = load("Wallet1271").deploy(owner.address)
    house.coin.mint(wallet.address, 10 * COIN)
    wallet.execute(house.coin.address, house.coin.approve.prepare_calldata(house.escrow, 10 * COIN))
    wallet.execute(house.escrow.address, house.escrow.deposit.prepare_calldata(10 * COIN, wallet.address, 1))
    listing = house.listed()
    bet = house.bet(wallet.address, 0, COIN)
    relayer = house.relayer.address
    signature = house.signer.bet(owner, listing.bet_id, bet, relayer) + bytes(100)
    house.bets.place_signed(listing.bet_id, bet, signature, (0, b""), sender=relayer)
    assert house.balance(wallet.address) == 9 * COIN


def test_replay_a_signed_bet_counts_once_whatever_form_it_has(house):
    listing, other = house.listed(), house.listed()
    player, relayer = house.players[0], house.relayer.address
    bet = house.bet(player, 0, COIN)
    compact = house.signer.compact_bet(player, listing.bet_id, bet, relayer)
    assert house.land(listing, [bet, bet], [compact, compact], relayer) == 1
    assert house.land(other, [bet], [compact], relayer) == 0
    with boa.reverts("relayed: nonce is used"):
        house.place_signed(listing, player, bet)
