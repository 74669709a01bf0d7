"""Attacks on hosted bets: hosts, relayers, players and validators who try to take or to hold up what is not theirs.

Each test says what everybody gained. Money is in coins of 1e6 units.
"""

import boa
import pytest

from tessera.chain.hosted_bets import NO_SIGNATURE
from tests.hosted import COIN, HOUR, INVALID, PURSE, RICH, House, odds, pools
from tests.logs import events
from tests.unit.conftest import NOW, load

__all__ = ["load", "odds", "pools"]


def gains(house, *people) -> list[int]:
    """What each has more than at the start."""
    return [house.balance(person) - PURSE for person in people]


def test_lone_loser(pools, evm_clock):
    """PancakeSwap keeps 97 % where nobody is right. Here everybody gets the stake back, and nobody else anything."""
    listing = pools.listed(predictions=["a", "b", "c"])
    a, b = pools.players[:2]
    pools.place(listing, a, 0, 10 * COIN)
    pools.place(listing, b, 1, 30 * COIN)
    pools.settled(listing, 2)
    for player in (a, b):
        pools.bets.claim(listing.bet_id, player.address)
    assert gains(pools, a, b, pools.host) == [0, 0, 0]
    assert pools.pot(listing) == 0


def test_host_closes_right_after_its_second_account_bet(pools, evm_clock):
    """Whoever bets last in a pool sees the others' stakes: the host may see to be last, at the price of commissions."""
    listing = pools.listed()
    puppet, honest = pools.players[:2]
    pools.place(listing, honest, 0, 10 * COIN)
    pools.place(listing, puppet, 1, 10 * COIN)
    pools.bets.close(listing.bet_id, sender=pools.host.address)
    pools.settled(listing, 0)
    pools.bets.claim(listing.bet_id, honest.address)
    # Nothing but the stake is at risk, and the honest side won it less 10 %.
    assert gains(pools, honest, puppet) == [9 * COIN, -10 * COIN]


def test_host_changes_the_listing_under_a_signed_bet(pools, evm_clock):
    """After a reorganisation a host lists other content under the salt: the signed bet does not count there."""
    player = pools.players[0]
    listing = pools.listing()
    swapped = listing._replace(predictions=list(reversed(listing.predictions)))
    bet = pools.bet(player, 0, 10 * COIN)
    signature = pools.signer.bet(player, listing.bet_id, bet, pools.relayer.address)
    pools.bets.list_bet(swapped, NO_SIGNATURE, sender=pools.host.address)
    with boa.reverts("relayed: not signed by account"):
        pools.bets.place_signed(swapped.bet_id, bet, signature, NO_SIGNATURE, sender=pools.relayer.address)
    with boa.reverts("hosting: unknown bet"):
        pools.bets.place_signed(listing.bet_id, bet, signature, NO_SIGNATURE, sender=pools.relayer.address)
    assert gains(pools, player) == [0]


def test_relayer_keeps_a_bet_until_the_result_is_known(odds, evm_clock):
    """It can wait 120 seconds, and never past the end of placing."""
    listing = odds.listed(closes_at=NOW + 60, result_deadline=NOW + 60 + HOUR)
    player = odds.players[0]
    bet = odds.bet(player, 0, 10 * COIN, deadline=NOW + 120)
    boa.env.timestamp = NOW + 60
    with boa.reverts("hosting: bet is closed"):
        odds.place_signed(listing, player, bet)
    assert gains(odds, player) == [0]


def test_relayer_lands_one_bet_in_two_contracts(pools, odds, evm_clock):
    """Both contracts list the very same content: the signature names one of them."""
    listing = pools.listed()
    player, relayer = pools.players[0], pools.relayer.address
    bet = pools.bet(player, 0, 10 * COIN)
    signature = pools.signer.bet(player, listing.bet_id, bet, relayer)
    pools.bets.place_signed(listing.bet_id, bet, signature, NO_SIGNATURE, sender=relayer)
    other = odds.listed()
    with boa.reverts("relayed: not signed by account"):
        odds.bets.place_signed(other.bet_id, bet, signature, NO_SIGNATURE, sender=relayer)


def test_ghost_fill(odds, evm_clock):
    """Matched bets fail when the maker moves the money. Here that group alone is skipped, and the taker paid back."""
    listing = odds.listed(bankroll=0, validator_bps=0)
    ghost, taker, *honest = odds.players[:4]
    relayer = odds.relayer.address
    signed = [
        (taker, odds.bet(taker, 0, 100 * COIN)), (ghost, odds.bet(ghost, 1, 90 * COIN)),
        (honest[0], odds.bet(honest[0], 0, 100 * COIN)), (honest[1], odds.bet(honest[1], 1, 90 * COIN)),
    ]  # fmt: skip
    odds.escrow.withdraw(PURSE, ghost.address, sender=ghost.address)
    signatures = [odds.signer.compact_bet(p, listing.bet_id, bet, relayer) for p, bet in signed]
    bets = [bet for _, bet in signed]
    assert odds.bets.place_many(listing.bet_id, [2, 2], bets, signatures, sender=relayer) == 2
    assert {f["reason"] for _, name, f in events(odds.bets) if name == "BetSkipped"} == {"odds: debit refused"}
    assert gains(odds, taker, *honest) == [0, -100 * COIN, -90 * COIN]


def test_host_takes_the_bankroll_when_it_sees_the_reports(odds, evm_clock):
    """Placing is over, two of three validators have reported: the host gets what no outcome needs, and winners all."""
    listing = odds.listed(bankroll=100 * COIN, validator_bps=0)
    winner = odds.players[0]
    odds.place(listing, winner, 0, 50 * COIN)
    odds.decide(listing, 0, members=2)
    for amount in range(100 * COIN, 60 * COIN, -10 * COIN):
        with boa.reverts("odds: bankroll is needed"):
            odds.bets.defund(listing.bet_id, amount, sender=odds.host.address)
    odds.bets.defund(listing.bet_id, 60 * COIN, sender=odds.host.address)
    odds.panels.report(odds.panel_id, listing.question(odds.bets.address), 0, sender=odds.members[2])
    odds.bets.settle(listing.bet_id)
    odds.bets.claim(listing.bet_id, winner.address, [0], [])
    assert gains(odds, winner, odds.host) == [40 * COIN, -40 * COIN]


def test_host_holds_a_queue_with_a_second_account(odds, evm_clock):
    """A dust ticket at the head delays nobody: anyone confirms past it as far as the bankroll goes."""
    listing = odds.listed(bankroll=0, validator_bps=0)
    puppet, honest = odds.players[:2]
    odds.place(listing, puppet, 0, COIN)
    ticket = odds.place(listing, honest, 0, 10 * COIN)
    odds.bets.fund(listing.bet_id, 100 * COIN, sender=odds.host.address)
    odds.bets.confirm(listing.bet_id, [11 * COIN, 0], sender=honest.address)
    assert odds.lens.ticket(listing.bet_id, ticket).confirmed == 10 * COIN


def test_queue_filled_with_cancelled_tickets(odds, evm_clock):
    """As soon as the last of them is cancelled bets are confirmed at once again, without anybody's help."""
    listing = odds.listed(bankroll=0, validator_bps=0)
    griefer, honest = odds.players[:2]
    tickets = [odds.place(listing, griefer, 0, COIN) for _ in range(20)]
    for ticket in tickets:
        odds.bets.cancel(listing.bet_id, ticket, sender=griefer.address)
    odds.bets.fund(listing.bet_id, 100 * COIN, sender=odds.host.address)
    assert odds.place(listing, honest, 0, 10 * COIN, min_confirmed=10 * COIN) == 0
    assert gains(odds, griefer) == [0]


def test_cancelled_twice_or_after_a_claim(odds, evm_clock):
    listing = odds.listed(bankroll=0)
    player, other = odds.players[:2]
    first, second = (odds.place(listing, player, 0, COIN) for _ in range(2))
    odds.place(listing, other, 0, COIN)
    odds.bets.cancel(listing.bet_id, first, sender=player.address)
    with boa.reverts("odds: not your ticket"):
        odds.bets.cancel(listing.bet_id, first, sender=player.address)
    odds.settled(listing, INVALID)
    odds.bets.claim(listing.bet_id, player.address, [0], [first, second, second])
    with boa.reverts("odds: not your ticket"):
        odds.bets.cancel(listing.bet_id, second, sender=player.address)
    assert gains(odds, player) == [0]
    assert odds.pot(listing) == COIN


def test_silence_of_validators_pays_nobody(odds, evm_clock):
    """Neither they nor the host gain by it: stakes and bankroll go back."""
    listing = odds.listed(bankroll=100 * COIN)
    player = odds.players[0]
    odds.place(listing, player, 0, 50 * COIN)
    odds.expired(listing)
    odds.bets.claim(listing.bet_id, player.address, [0], [])
    assert gains(odds, player, odds.host) == [0, 0]
    assert [odds.balance(member) for member in odds.members] == [0] * 5


def test_owner_of_escrow_registers_a_thief(pools, load, evm_clock):
    """A product that the owner registers reaches neither pots of others nor accounts that did not consent to it."""
    listing = pools.listed()
    player = pools.players[0]
    pools.place(listing, player, 0, 10 * COIN)
    thief = load("Product").deploy()
    pools.escrow.register_product(thief)
    for call, reason in (
        (pools.escrow.pay.prepare_calldata(listing.bet_id, thief.address, 10 * COIN, 1 << 6), "escrow: pot too small"),
        (pools.escrow.collect.prepare_calldata(player.address, bytes(32), COIN, 1 << 3), "escrow: no consent"),
    ):
        with boa.reverts(reason):
            thief.execute(pools.escrow.address, call)
    assert pools.pot(listing) == 10 * COIN


@pytest.mark.parametrize("outcome", [0, 1, INVALID])
def test_host_uses_every_power_against_players(odds, evm_clock, outcome):
    """Defunding to the unit after every move, closing early, refunding itself: winners and refunds are paid in full."""
    listing = odds.listed(bankroll=1_000 * COIN, validator_bps=100)
    a, b, c = odds.players[:3]
    host = odds.host.address

    def squeeze():
        book = odds.lens.book(listing.bet_id)
        if book.bankroll > book.needed:
            odds.bets.defund(listing.bet_id, book.bankroll - book.needed, sender=host)
        with boa.reverts("odds: bankroll is needed"):
            odds.bets.defund(listing.bet_id, 1, sender=host)

    odds.place(listing, a, 0, 100 * COIN)
    squeeze()
    odds.place(listing, b, 1, 70 * COIN)
    squeeze()
    ticket = odds.place(listing, c, 1, 500 * COIN)
    squeeze()
    part = odds.bets.stake_of(listing.bet_id, 1, c.address)
    late = odds.lens.ticket(listing.bet_id, ticket).pending
    odds.bets.cancel(listing.bet_id, ticket, sender=c.address)
    squeeze()
    odds.bets.close(listing.bet_id, sender=host)
    squeeze()
    odds.settled(listing, outcome)
    for player in (a, b, c):
        owed = outcome == INVALID or odds.bets.stake_of(listing.bet_id, outcome, player.address)
        if owed and (player is not c or part):
            odds.bets.claim(listing.bet_id, player.address, [0, 1], [ticket])
    assert late <= 500 * COIN
    expected = {
        0: [80 * COIN, -70 * COIN, -part],
        1: [-100 * COIN, 77 * COIN, part * 2_100 // 1_000 - part],
        INVALID: [0, 0, 0],
    }[outcome]
    assert gains(odds, a, b, c) == expected
    assert odds.pot(listing) == 0


@pytest.mark.parametrize("end", [0, 1, INVALID, None], ids=["win", "loss", "invalid", "silent"])
@pytest.mark.parametrize("leaves", ["listed", "placed", "closed", "reported"])
@pytest.mark.parametrize("name", ["pools", "odds"])
def test_host_is_gone(pools, odds, evm_clock, name, leaves, end):
    """From any moment on the host does nothing more, of what it does otherwise: a stranger settles and pays everybody.

    The panel is heard where `end` is an outcome. Nobody loses but by the outcome, and nothing stays in the pot.
    """
    house = {"pools": pools, "odds": odds}[name]
    start = [house.balance(person) for person in (*house.players[:3], house.host)]
    listing = house.listed(**({"bankroll": 40 * COIN} if house.has_odds else {}))
    a, b, c = house.players[:3]
    staked = [(a, 0, 10 * COIN), (b, 1, 20 * COIN), (c, 0, 100 * COIN)]  # at odds not all of c's is covered: it waits
    tickets: list[int] = []
    if leaves != "listed":
        placed = [house.place(listing, player, prediction, amount) for player, prediction, amount in staked]
        tickets = placed[2:] if house.has_odds else []
    if leaves == "closed":
        house.bets.close(listing.bet_id, sender=house.host.address)
    if leaves == "reported" and end is not None:
        house.decide(listing, end)
    stranger = house.relayer.address
    if end is None:
        boa.env.timestamp = listing.result_deadline + 1
    elif leaves != "reported":
        house.decide(listing, end)
    house.bets.settle(listing.bet_id, sender=stranger)
    waits = sum(house.lens.ticket(listing.bet_id, ticket).pending for ticket in tickets)
    for player, prediction, _ in staked if leaves != "listed" else ():
        own = ([0, 1], tickets if player is c else []) if house.has_odds else ()
        if end in (None, INVALID, prediction) or (player is c and waits):
            house.bets.claim(listing.bet_id, player.address, *own, sender=stranger)
    after = [house.balance(person) for person in (*house.players[:3], house.host)]
    gained = [now - then for now, then in zip(after, start, strict=True)]
    assert house.pot(listing) == 0
    if leaves == "listed" or end in (None, INVALID):
        assert gained == [0, 0, 0, 0]
    elif not house.has_odds and end == 0:  # 18 of 20 in shares of 10 and 100
        assert gained[:3] == [1_636_363, -20 * COIN, 16_363_636]
    elif not house.has_odds:  # 99 of 110
        assert gained[:3] == [-10 * COIN, 99 * COIN, -100 * COIN]
    elif end == 0:
        assert waits > 0
        assert gained[:3] == [8 * COIN, -20 * COIN, (100 * COIN - waits) * 8 // 10]
    else:
        assert gained[:3] == [-10 * COIN, 22 * COIN, waits - 100 * COIN]


@pytest.mark.parametrize("watches", [False, True])
def test_host_covers_what_waits_once_it_will_lose(odds, evm_clock, watches):
    """What waits is an option of whoever may cover it: news came, and the host funds and confirms what looks lost now.

    Who watches cancels first and loses nothing; who does not is held to the odds of before.
    """
    listing = odds.listed(bankroll=0, validator_bps=0)
    player, host = odds.players[0], odds.host
    before = odds.balance(host)
    ticket = odds.place(listing, player, 0, 10 * COIN)
    if watches:
        odds.bets.cancel(listing.bet_id, ticket, sender=player.address)
    odds.bets.fund(listing.bet_id, 8 * COIN, sender=host.address)
    if watches:
        with boa.reverts("odds: totals not reached"):
            odds.bets.confirm(listing.bet_id, [10 * COIN, 0], sender=host.address)
    else:
        odds.bets.confirm(listing.bet_id, [10 * COIN, 0], sender=host.address)
        with boa.reverts("odds: nothing is pending"):
            odds.bets.cancel(listing.bet_id, ticket, sender=player.address)
    odds.settled(listing, 1)
    assert gains(odds, player) == [0 if watches else -10 * COIN]
    assert odds.balance(host) - before == (0 if watches else 10 * COIN)


def test_relayer_lands_its_accomplice_first(odds, evm_clock):
    """Until the deadline the relayer chooses the order: the honest bet, signed before, finds the cover gone.

    It waits and can be taken back; signed with the least that must be confirmed, it is not placed at all.
    """
    listing = odds.listed(bankroll=8 * COIN, validator_bps=0)
    honest, careful, accomplice = odds.players[:3]
    signed = odds.bet(honest, 0, 10 * COIN)
    sure = odds.bet(careful, 0, 10 * COIN, min_confirmed=10 * COIN)
    odds.place_signed(listing, accomplice, odds.bet(accomplice, 0, 10 * COIN))
    with boa.reverts("odds: less is confirmed"):
        odds.place_signed(listing, careful, sure)
    ticket = odds.place_signed(listing, honest, signed)
    assert odds.lens.ticket(listing.bet_id, ticket).pending == 10 * COIN
    odds.bets.cancel(listing.bet_id, ticket, sender=honest.address)
    odds.settled(listing, 0)
    odds.bets.claim(listing.bet_id, accomplice.address, [0], [])
    # What the accomplice won is what the host lost.
    assert gains(odds, honest, careful, accomplice, odds.host) == [0, 0, 8 * COIN, -8 * COIN]


def test_hostile_token_that_calls_back(load, evm_clock):
    """A token moves only in deposits and withdrawals: from inside of one nothing of a bet can be changed twice."""
    token = load("HostileToken").deploy()
    house = House("ProrataBets", token)
    listing = house.listed()
    a, b = house.players[:2]
    house.place(listing, a, 0, 10 * COIN)
    house.place(listing, b, 1, 10 * COIN)
    house.settled(listing, 0)
    token.set_hook(house.bets, house.bets.claim.prepare_calldata(listing.bet_id, a.address))
    with boa.env.anchor():
        house.escrow.withdraw(COIN, b.address, sender=b.address)
        assert gains(house, a, b) == [-10 * COIN, -11 * COIN]  # Escrow is locked: nothing was paid meanwhile
    token.set_hook("0x" + "00" * 20, b"")
    house.bets.claim(listing.bet_id, a.address)
    assert gains(house, a, b) == [9 * COIN, -10 * COIN]


@pytest.mark.parametrize("places_first", [True, False])
@pytest.mark.parametrize("name", ["pools", "odds"])
def test_host_closes_in_the_block_in_which_somebody_bets(pools, odds, evm_clock, name, places_first):
    """What was placed before it in the block counts; what comes after costs nothing. The question stays as it is."""
    house = {"pools": pools, "odds": odds}[name]
    listing, player = house.listed(), house.players[0]
    before = house.balance(player)
    if places_first:
        house.place(listing, player, 0, 10 * COIN)
    house.bets.close(listing.bet_id, sender=house.host.address)
    for late in (
        lambda: house.place(listing, player, 0, 10 * COIN),
        lambda: house.place_signed(listing, player, house.bet(player, 0, 10 * COIN)),
        lambda: house.place_many(listing, [(player, house.bet(player, 0, 10 * COIN, nonce=1))]),
        lambda: house.bets.close(listing.bet_id, sender=house.host.address),
    ):
        with boa.reverts("hosting: bet is closed"):
            late()
    assert before - house.balance(player) == 10 * COIN * places_first
    house.expired(listing)
    if places_first:
        house.bets.claim(listing.bet_id, player.address, *(([0], []) if house.has_odds else ()))
    assert house.balance(player) == before
    assert house.pot(listing) == 0


def test_host_takes_the_bankroll_back_before_it_is_used(odds, evm_clock):
    """A bet that names its least is refused; a ticket that waits stays its owner's, and is not confirmed."""
    listing = odds.listed(bankroll=8 * COIN, validator_bps=0)
    careful, trusting = odds.players[:2]
    odds.bets.defund(listing.bet_id, 8 * COIN, sender=odds.host.address)
    with boa.reverts("odds: less is confirmed"):
        odds.place(listing, careful, 0, 10 * COIN, min_confirmed=10 * COIN)
    ticket = odds.place(listing, trusting, 0, 10 * COIN)
    odds.bets.fund(listing.bet_id, 8 * COIN, sender=odds.host.address)
    odds.bets.defund(listing.bet_id, 8 * COIN, sender=odds.host.address)
    with boa.reverts("odds: totals not covered"):
        odds.bets.confirm(listing.bet_id, [10 * COIN, 0])
    odds.bets.cancel(listing.bet_id, ticket, sender=trusting.address)
    assert gains(odds, careful, trusting) == [0, 0]
    assert odds.pot(listing) == 0


@pytest.mark.parametrize("name", ["pools", "odds"])
def test_wallet_that_changes_its_mind(pools, odds, load, evm_clock, name):
    """It denies its signature when the relayer lands the bet: the relayer loses gas. It owns up to it once, and once it
    counts; denying it afterwards takes nothing back."""
    house = {"pools": pools, "odds": odds}[name]
    listing, wallet = house.listed(), load("FickleWallet").deploy()
    house.escrow.deposit(20 * COIN, wallet.address, 0, sender=house.players[0].address)
    wallet.execute(house.escrow.address, house.escrow.set_consent.prepare_calldata(1))
    bet, relayer = house.bet(wallet, 0, 10 * COIN), house.relayer.address

    def land():
        house.bets.place_signed(listing.bet_id, bet, b"whatever", NO_SIGNATURE, sender=relayer)

    with boa.reverts("relayed: not signed by account"):
        land()
    assert not house.bets.is_used(wallet.address, relayer, bet.nonce)
    wallet.set_signs(True)
    land()
    with boa.reverts("relayed: nonce is used"):
        land()
    wallet.set_signs(False)
    assert house.balance(wallet) == 10 * COIN
    assert house.bets.stake_of(listing.bet_id, 0, wallet.address) == 10 * COIN


@pytest.mark.parametrize("name", ["pools", "odds"])
def test_relayer_starves_a_batch_of_gas(pools, odds, evm_clock, name):
    """Whatever gas it gives, a batch reverts, or each bet is placed and paid for or is neither. The last of five is a
    group with the first at odds: what runs dry between its debits takes none of them."""
    house = {"pools": pools, "odds": odds}[name]
    listing, relayer = house.listed(), house.relayer.address
    players = house.players[:5]
    bets = [house.bet(player, 0, 10 * COIN) for player in players]
    signatures = [
        house.signer.compact_bet(player, listing.bet_id, bet, relayer)
        for player, bet in zip(players, bets, strict=True)
    ]
    groups = ([1, 1, 1, 2],) if house.has_odds else ()
    before, pot = [house.balance(player) for player in players], house.pot(listing)
    placed_by_gas = set()
    for gas in range(60_000, 500_000, 22_000):
        with boa.env.anchor():
            try:
                placed = house.bets.place_many(listing.bet_id, *groups, bets, signatures, sender=relayer, gas=gas)
            except boa.BoaError:
                placed = 0
            taken = [now < then for now, then in zip(map(house.balance, players), before, strict=True)]
            staked = [house.bets.stake_of(listing.bet_id, 0, player.address) for player in players]
            assert staked == [10 * COIN * is_taken for is_taken in taken]
            assert house.pot(listing) - pot == sum(staked) == placed * 10 * COIN
            assert [house.bets.is_used(player.address, relayer, 0) for player in players] == taken
            if house.has_odds:
                assert taken[3] == taken[4]
            placed_by_gas.add(placed)
    assert {0, 5} <= placed_by_gas


@pytest.mark.parametrize("outcome", [0, 7, 15, INVALID])
@pytest.mark.parametrize("profits", [[1] * 16, [65_535] * 16, [1, 65_535] * 8], ids=["0.1 %", "6553.5 %", "both"])
def test_units_at_the_ends_of_odds(odds, evm_clock, profits, outcome):
    """Sixteen predictions, stakes of 1, 2 and 999 units, the bankroll taken down to what is needed: nobody is paid a
    unit more than the odds say, nor less but for the part of a unit, and the host's loss is what winners gained."""
    players = odds.players[:3]
    before = [odds.balance(person) for person in (*players, odds.host)]
    listing = odds.listed(
        predictions=[str(k) for k in range(16)], profits=profits, min_stake=1, bankroll=10 * COIN, validator_bps=1_000
    )
    staked = 0
    for k in range(16):
        for player, amount in zip(players, (1, 2, 999), strict=True):
            assert odds.place(listing, player, k, amount, min_confirmed=amount) == 0
            staked += amount
    book = odds.lens.book(listing.bet_id)
    odds.bets.defund(listing.bet_id, book.bankroll - book.needed, sender=odds.host.address)
    with boa.reverts("odds: bankroll is needed"):
        odds.bets.defund(listing.bet_id, 1, sender=odds.host.address)
    members = [odds.balance(member) for member in odds.members]
    odds.settled(listing, outcome)
    for player in players:
        odds.bets.claim(listing.bet_id, player.address, list(range(16)), [])
    gained = [odds.balance(person) - then for person, then in zip((*players, odds.host), before, strict=True)]
    earned = sum(odds.balance(member) for member in odds.members) - sum(members)
    if outcome == INVALID:
        assert (gained, earned) == ([0, 0, 0, 0], 0)
    else:
        paid = [amount * (1_000 + profits[outcome]) // 1_000 for amount in (1, 2, 999)]
        assert gained[:3] == [back - 16 * amount for back, amount in zip(paid, (1, 2, 999), strict=True)]
        assert earned == staked // 10 // 3 * 3
        assert sum(gained) + earned == 0
    assert odds.pot(listing) == 0


def test_fortune_that_comes_and_goes_in_one_block(odds, evm_clock):
    """Borrowed for a block: whatever is placed beyond the cover waits and is taken back, what is covered cannot be. Who
    waited before is where they were, and the fortune confirmed nothing for its owner."""
    listing = odds.listed(bankroll=0, validator_bps=0, max_stake=2**84 - 1)
    honest, rich = odds.players[:2]
    waits = odds.place(listing, honest, 0, 10 * COIN)
    odds.escrow.deposit(RICH // 2, rich.address, 0, sender=rich.address)
    own = odds.place(listing, rich, 0, COIN)
    fortune = odds.place(listing, rich, 1, RICH // 2)
    assert odds.lens.ticket(listing.bet_id, fortune).pending == RICH // 2  # nothing covers it
    odds.bets.cancel(listing.bet_id, fortune, sender=rich.address)
    odds.bets.cancel(listing.bet_id, own, sender=rich.address)
    with boa.reverts("odds: totals not reached"):
        odds.bets.confirm(listing.bet_id, [11 * COIN, 0], sender=rich.address)
    odds.escrow.withdraw(RICH // 2, rich.address, sender=rich.address)
    assert odds.lens.ticket(listing.bet_id, waits).pending == 10 * COIN
    assert gains(odds, rich, honest) == [0, -10 * COIN]
