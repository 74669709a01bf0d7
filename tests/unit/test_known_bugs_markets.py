"""What went wrong in other prediction markets and AMMs, and attacks on our own, harmless here.

Cases that cannot apply to friends' markets, and why:

- stale oracle price, halted oracle rounds (PancakeSwap, #56): no price is read, people propose outcomes.
- losses, pauses and rounding of a vault (PoolTogether #44, #51, #116, #90; Aave, MetaMorpho): no money leaves Escrow.
- rewards per second that truncate, dilute or are not funded (StakingRewards, velocimeter, UniStaker, tokemak,
  PoolTogether #47): nothing accrues; what a bet pays is fixed and in the pot when it is placed.
- claim fees and code called for winners (PoolTogether #84, #37, #131): a claim credits Escrow and calls nobody.
- buybacks and quotes taken in the same transaction: nothing is swapped.
- first depositor: shares of a market are no share of a common sum.
- permits, replays, fees on transfer: Escrow's, tests/unit/escrow. Re-entrancy: lmsr_markets/test_hostile_collateral.py.
"""

import boa
import pytest

from tessera.model.lmsr import WAD, opening
from tests.club import (
    BET_INTERVAL,
    DAY,
    INVALID,
    NO,
    RULING,
    SEED,
    SILENCE,
    UNIT,
    VOTING,
    WINS,
    YES,
    Club,
    Status,
    at,
    now,
)
from tests.custody import EUR, NOBODY, Kind
from tests.logs import events


@pytest.fixture(scope="session")
def club(markets, escrow, members):
    return Club(markets, escrow, members)


def club_of_coins(load, owner, escrow, members, *, friends: bool) -> Club:
    """Markets on coins, which anybody can buy; each member has 50 EUR there and consents to them."""
    markets = load("LmsrMarkets").deploy(escrow, friends, DAY, sender=owner)
    escrow.register_product(markets, sender=owner)
    ((_, _, registered),) = events(escrow)
    for account in members:
        escrow.deposit(50 * EUR, account, 1 << registered["index"], sender=account)
    return Club(markets, escrow, members)


def everybody(club):
    return [club.creator, club.yes_bettor, club.no_bettor, club.third_bettor]


def balances(club):
    return [club.escrow.balance_of(account) for account in everybody(club)]


# Nobody has won


@pytest.mark.parametrize("outcome", [YES, NO])
def test_pancakeswap_lone_loser_bodhi_81_no_winning_bet_locks_nothing(club, markets, outcome):
    market_id = club.create()
    club.bet(market_id, club.yes_bettor, outcome.other)
    club.settle(market_id, outcome)
    assert club.pot(market_id) == 0
    assert club.escrow.balance_of(club.creator) == 51 * EUR


@pytest.mark.parametrize("outcome", [YES, NO, INVALID])
def test_avsb_1_tokemak_432_a_market_without_bets_divides_by_nothing_and_keeps_nothing(club, outcome):
    market_id = club.settle(club.create(), outcome)
    assert club.pot(market_id) == 0
    assert balances(club) == [50 * EUR] * 4


def test_pancakeswap_tie_gives_everything_back(club, markets):
    market_id = club.complain(club.propose(club.three_bets(club.create()), YES))
    club.vote(market_id, {club.yes_bettor: YES, club.third_bettor: NO})
    assert markets.tally(market_id).heads == [2, 2, 0]
    at(now() + VOTING)
    markets.finalize(market_id)
    assert markets.claim_many(market_id, everybody(club)) == 3
    assert balances(club) == [50 * EUR] * 4


# Late, early, never


def test_pooltogether_84_the_last_to_claim_is_paid_as_the_first(club, markets):
    market_id = club.settle(club.three_bets(club.create()), YES)
    paid = []
    for order in ([0, 1], [1, 0]):
        with boa.env.anchor():
            winners = [club.yes_bettor, club.third_bettor]
            paid.append({i: markets.claim(market_id, sender=winners[i]) for i in order})
            assert club.pot(market_id) == 0
    assert paid == [{0: WINS[0], 1: WINS[2]}] * 2


def test_pooltogether_claims_expire_curve_fee_distributor_years_late_nothing_is_lost(club, markets):
    market_id = club.three_bets(club.create())
    decade = 10 * 365 * DAY
    club.propose(market_id, YES, club.due_at + SILENCE - 1)
    at(now() + decade)
    markets.finalize(market_id)
    at(now() + decade)
    assert markets.claim(market_id, sender=club.yes_bettor) == WINS[0]
    at(now() + decade)
    assert markets.claim_many(market_id, [club.third_bettor]) == 1
    assert club.pot(market_id) == 0


def test_manifold_538_a_market_that_everybody_forgot_gives_everything_back_years_later(club, markets, stranger):
    market_id = club.three_bets(club.create())
    at(club.due_at + 10 * 365 * DAY)
    markets.expire(market_id, sender=stranger)
    assert markets.claim_many(market_id, everybody(club), sender=stranger) == 3
    assert balances(club) == [50 * EUR] * 4


def test_manifold_538_a_creator_cannot_escape_a_loss_by_silence(club, markets):
    market_id = club.three_bets(club.create())
    club.propose(market_id, YES, club.due_at + DAY, sender=club.yes_bettor)
    at(now() + DAY)
    markets.finalize(market_id)
    loss = WINS[0] + WINS[2] - 3 * EUR
    assert loss > 0
    assert club.escrow.balance_of(club.creator) == 50 * EUR - loss


def test_azuro_safe_oracle_sx_bet_a_silent_referee_stops_nothing_and_gains_nothing(club, markets, stranger):
    market_id = club.complain(club.propose(club.three_bets(club.create(referee=club.referee)), YES))
    at(now() + RULING)
    markets.finalize(market_id, sender=stranger)
    assert club.status(market_id) == Status.INVALID
    assert markets.claim_many(market_id, everybody(club)) == 3
    assert balances(club) == [50 * EUR] * 4
    assert club.escrow.balance_of(club.referee) == 50 * EUR


def test_omen_905_908_no_bet_at_the_closing_time_or_later_and_every_market_has_one(club, markets):
    with boa.reverts("lmsr: closes in the past"):
        club.create(closes_at=0, expected_result_at=0)
    market_id = club.create(closes_at=0)
    for time in (club.due_at, club.due_at + DAY, club.due_at + SILENCE):
        at(time)
        with boa.reverts("lmsr: market not open"):
            markets.bet(market_id, YES, 1, sender=club.yes_bettor)


def test_pooltogether_28_142_the_view_and_the_action_agree_at_each_boundary(club, markets):
    market_id = club.three_bets(club.create())
    for time, is_open in ((club.closes_at - 1, True), (club.closes_at, False)):
        at(time)
        assert (club.status(market_id) == Status.OPEN) is is_open
        for call in (
            lambda: markets.quote(market_id, YES),
            lambda: markets.bet(market_id, YES, 1, sender=club.yes_bettor),
            lambda: markets.close(market_id, sender=club.creator),
        ):
            with boa.env.anchor():
                if is_open:
                    call()
                else:
                    with boa.reverts("lmsr: market not open"):
                        call()


def test_velocimeter_233_nothing_is_bet_in_the_second_of_a_closing_after_it(club, markets):
    for close in (
        lambda market_id: markets.close(market_id, sender=club.creator),
        lambda market_id: markets.propose(market_id, INVALID, sender=club.creator),
    ):
        market_id = club.create()
        close(market_id)
        with boa.reverts("lmsr: market not open"):
            markets.bet(market_id, YES, 1, sender=club.yes_bettor)
        assert club.pot(market_id) == SEED


# Money that is not there, or somebody's who should not have it


def test_polymarket_ghost_fills_a_bet_is_paid_for_when_it_is_placed(club, markets, escrow):
    market_id = club.create()
    club.bet(market_id, club.yes_bettor, YES)
    escrow.set_consent(0, sender=club.yes_bettor)
    escrow.withdraw(49 * EUR, club.yes_bettor, sender=club.yes_bettor)
    assert club.pot(market_id) == SEED + EUR
    club.settle(market_id, YES)
    assert markets.claim(market_id, sender=club.yes_bettor) == WINS[0]


def test_uniswap_donation_tokens_sent_unasked_change_no_price_and_no_payout(load, owner, coin, coin_escrow, members):
    club = club_of_coins(load, owner, coin_escrow, members, friends=True)
    markets = club.markets
    market_id = club.create(dispute_window=DAY)
    club.three_bets(market_id)
    before = markets.prices(market_id), markets.exposure(market_id), club.pot(market_id)
    coin.mint(coin_escrow, 1_000 * EUR, sender=owner)
    coin.mint(markets, 1_000 * EUR, sender=owner)
    assert (markets.prices(market_id), markets.exposure(market_id), club.pot(market_id)) == before


def test_overtime_gnosis_funding_nobody_owns_the_markets_and_nobody_adds_or_takes_funds(markets):
    changing = sorted(f["name"] for f in markets.abi if f["type"] == "function" and f["stateMutability"] != "view")
    life = "accept_referee bet cancel claim claim_many close complain create_market expire finalize propose rule vote"
    assert " ".join(changing) == life
    assert not any(f.get("stateMutability") == "payable" for f in markets.abi)


def test_manifold_203_nobody_is_below_zero_after_a_market_is_void(club, markets):
    market_id = club.create(p0=WAD // 100)
    for account, side in (
        (club.yes_bettor, YES),
        (club.no_bettor, NO),
        (club.yes_bettor, NO),
        (club.third_bettor, YES),
    ):
        for _ in range(5):
            club.bet(market_id, account, side)
    club.settle(market_id, INVALID)
    assert markets.claim_many(market_id, everybody(club)) == 3
    assert balances(club) == [50 * EUR] * 4
    assert club.pot(market_id) == 0


def test_batch_poisoning_one_bad_item_stops_nobody(club, markets):
    market_id = club.settle(club.three_bets(club.create()), YES)
    bad = [NOBODY, club.no_bettor, club.creator, markets.address, club.escrow.address]
    assert markets.claim_many(market_id, [*bad, club.yes_bettor, *bad, club.third_bettor, *bad]) == 2
    assert club.pot(market_id) == 0


def test_batch_poisoning_somebody_who_claims_first_does_not_make_the_batch_fail(club, markets):
    market_id = club.settle(club.three_bets(club.create()), YES)
    markets.claim(market_id, sender=club.yes_bettor)
    assert markets.claim_many(market_id, [club.yes_bettor, club.third_bettor]) == 1
    assert club.pot(market_id) == 0


def test_claiming_by_both_entries_pays_once(club, markets):
    market_id = club.settle(club.three_bets(club.create()), YES)
    assert markets.claim_many(market_id, [club.yes_bettor, club.yes_bettor]) == 1
    with boa.reverts("lmsr: nothing to claim"):
        markets.claim(market_id, sender=club.yes_bettor)
    assert club.pot(market_id) == WINS[2]


def test_a_market_number_beyond_95_bits_reaches_no_other_markets_position(club, markets):
    market_id = club.settle(club.three_bets(club.create()), YES)
    for alias in (market_id + 2**95, market_id + 2**255):
        for call in (
            lambda alias=alias: markets.claim(alias, sender=club.yes_bettor),
            lambda alias=alias: markets.claim_many(alias, [club.yes_bettor]),
            lambda alias=alias: markets.position(alias, club.yes_bettor),
        ):
            with boa.reverts("lmsr: unknown market"):
                call()


def test_pooltogether_22_31_no_field_of_a_market_can_be_filled(club):
    """The longest market there can be: a bet every 5 s for a year. The layout is in modules/markets.vy."""
    with boa.reverts("lmsr: more than a year ahead"):
        club.create(expected_result_at=now() + 365 * DAY + 1)
    most_bets = 365 * DAY // BET_INTERVAL
    most_money = SEED + most_bets * EUR
    assert most_bets < 2**24
    assert most_money < 2**44
    assert most_money * UNIT < 2**87  # no share count, head start included, passes the money in the pot
    assert opening("0.5", 10)[0] * WAD < 2**64  # b is greatest at even odds


# Prices


def test_omen_exchange_1901_a_limit_of_zero_is_refused_instead_of_meaning_none(club, markets):
    with boa.reverts("lmsr: zero min_shares"):
        markets.bet(club.create(), YES, 0, sender=club.yes_bettor)


def test_tidechain_356_a_limit_does_not_stop_a_price_that_moved_in_favour(club, markets):
    market_id = club.create()
    expected, _ = markets.quote(market_id, YES)
    club.bet(market_id, club.no_bettor, NO)
    at(now() + BET_INTERVAL)
    assert markets.bet(market_id, YES, expected, sender=club.yes_bettor) > expected


def test_pooltogether_141_a_bet_that_is_overtaken_costs_nothing(club, markets, escrow):
    """Nobody can sandwich: the overtaken bet fails, and shares cannot be sold."""
    market_id = club.create()
    expected, _ = markets.quote(market_id, YES)
    markets.bet(market_id, YES, expected, sender=club.third_bettor)
    with boa.reverts("lmsr: a bet every 5 seconds"):
        markets.bet(market_id, YES, expected, sender=club.yes_bettor)
    at(now() + BET_INTERVAL)
    with boa.reverts("lmsr: price moved"):
        markets.bet(market_id, YES, expected, sender=club.yes_bettor)
    assert escrow.balance_of(club.yes_bettor) == 50 * EUR


@pytest.mark.parametrize("p0", [WAD // 100, WAD // 3, WAD // 2, WAD * 99 // 100])
@pytest.mark.parametrize("rhythm", [[YES, NO], [YES, YES, NO], [NO, NO, NO, YES]])
def test_betting_on_both_sides_never_pays_whatever_happens(club, markets, p0, rhythm):
    """Rounding farming: what pays in either outcome, minus what it cost, is never above nothing after any bet."""
    market_id = club.create(p0=p0)
    for number in range(24):
        club.bet(market_id, club.yes_bettor, rhythm[number % len(rhythm)])
        yes, yes_staked, no, no_staked = markets.position(market_id, club.yes_bettor)
        assert min(yes, no) // UNIT < yes_staked + no_staked


def test_many_small_positions_win_no_more_than_one_large_one(club, markets, members):
    """Splitting a stake over sock puppets only loses fractions of a unit."""
    together, apart = club.create(sender=members[6]), club.create(sender=members[6])
    for account in (club.yes_bettor, club.no_bettor, club.third_bettor):
        club.bet(together, club.outsider, YES)
        club.bet(apart, account, YES)
    owed = [markets.market(market_id).owed_if_yes for market_id in (together, apart)]
    assert 0 <= owed[0] - owed[1] <= 2


# Disputes


def test_degens_two_outcomes_never_both_have_a_majority(club, markets):
    """Half of the votes for each of two outcomes: neither is paid."""
    market_id = club.three_bets(club.create())
    club.bet(market_id, club.outsider, NO)
    club.complain(club.propose(market_id, YES))
    club.vote(market_id, {club.yes_bettor: YES, club.outsider: NO})
    assert markets.tally(market_id).heads == [2, 2, 0]
    at(now() + VOTING)
    markets.finalize(market_id)
    assert club.status(market_id) == Status.INVALID


def test_one_euro_votes_cannot_be_bought_on_a_currency_that_anybody_can_buy(load, owner, coin_escrow, members):
    club = club_of_coins(load, owner, coin_escrow, members, friends=False)
    markets = club.markets
    with boa.reverts("lmsr: referee needed"):
        club.create(dispute_window=DAY)
    market_id = club.three_bets(club.create(dispute_window=DAY, referee=club.referee))
    puppets = members[5:8]
    for puppet in puppets:
        club.bet(market_id, puppet, NO)
    club.complain(club.propose(market_id, YES), NO, sender=puppets[0])
    for puppet in puppets:
        with boa.reverts("lmsr: the referee decides"):
            markets.vote(market_id, NO, sender=puppet)
    markets.rule(market_id, YES, sender=club.referee)
    assert markets.market(market_id).outcome == YES


def test_votes_cannot_be_bought_once_the_dispute_is_known(club, markets):
    market_id = club.complain(club.propose(club.three_bets(club.create()), YES))
    at(now() + BET_INTERVAL)
    with boa.reverts("lmsr: market not open"):
        markets.bet(market_id, NO, 1, sender=club.outsider)
    with boa.reverts("lmsr: not a bettor"):
        markets.vote(market_id, NO, sender=club.outsider)


def test_a_complaint_is_a_vote_and_one_person_who_believes_the_proposal_outweighs_it(club, markets):
    market_id = club.complain(club.propose(club.three_bets(club.create()), YES))
    markets.vote(market_id, YES, sender=club.yes_bettor)
    at(now() + VOTING)
    markets.finalize(market_id)
    assert markets.market(market_id).outcome == YES


def test_a_false_proposal_cannot_be_disputed_by_its_own_proposer_to_cut_the_window_short(club, markets):
    market_id = club.three_bets(club.create())
    club.propose(market_id, NO, club.due_at + DAY, sender=club.no_bettor)
    with boa.reverts("lmsr: your own proposal"):
        markets.complain(market_id, YES, "x", sender=club.no_bettor)
    at(now() + DAY - 1)
    club.complain(market_id, YES, sender=club.yes_bettor)
    club.vote(market_id, {club.third_bettor: YES, club.creator: YES})
    at(now() + VOTING)
    markets.finalize(market_id)
    assert markets.market(market_id).outcome == YES


def test_a_creator_who_proposes_invalid_again_and_again_gains_nothing_but_time(club, markets):
    """Once it is refused; a proposal at the result time or later is decided on its merits."""
    market_id = club.three_bets(club.create())
    club.complain(club.propose(market_id, INVALID, now() + 60), YES)
    at(now() + VOTING)
    markets.finalize(market_id)
    assert club.status(market_id) == Status.CLOSED
    assert club.pot(market_id) == SEED + 3 * EUR
    with boa.reverts("lmsr: result not due yet"):
        markets.propose(market_id, INVALID, sender=club.creator)
    club.complain(club.propose(market_id, INVALID), YES)
    club.vote(market_id, {club.yes_bettor: YES, club.third_bettor: YES})
    at(now() + VOTING)
    markets.finalize(market_id)
    assert markets.market(market_id).outcome == YES
    assert club.status(market_id) == Status.RESOLVED


def test_a_creator_who_proposes_invalid_so_late_that_refusing_it_takes_a_week_cannot_expire_the_market(club, markets):
    market_id = club.three_bets(club.create())
    club.complain(club.propose(market_id, INVALID, club.due_at - 1), YES)
    at(club.due_at + SILENCE)  # nobody looked for a week
    for attempt in (markets.expire, lambda m: markets.propose(m, YES, sender=club.creator)):
        with boa.reverts("lmsr: already proposed"):
            attempt(market_id)
    markets.finalize(market_id)
    with boa.reverts("lmsr: still time to propose"):
        markets.expire(market_id)
    club.propose(market_id, YES, now() + DAY, sender=club.yes_bettor)
    at(now() + DAY)
    markets.finalize(market_id)
    assert markets.market(market_id).outcome == YES


def test_a_closed_market_never_takes_bets_again(club, markets):
    """No creator closes on bad news and opens again on good news."""
    market_id = club.three_bets(club.create(referee=club.referee))
    club.complain(club.propose(market_id, INVALID, now() + 60), NO)
    markets.rule(market_id, NO, sender=club.referee)
    assert now() < club.closes_at
    at(now() + BET_INTERVAL)
    with boa.reverts("lmsr: market not open"):
        markets.bet(market_id, YES, 1, sender=club.yes_bettor)


def test_a_creator_cannot_settle_past_the_bettors_by_complaining_and_voting(club, markets):
    """The creator counts for the own proposal and no more."""
    market_id = club.propose(club.three_bets(club.create()), NO)
    with boa.reverts("lmsr: your own proposal"):
        markets.complain(market_id, YES, "x", sender=club.creator)
    club.complain(market_id, YES, sender=club.yes_bettor)
    with boa.reverts("lmsr: your own proposal"):
        markets.vote(market_id, NO, sender=club.creator)
    assert markets.tally(market_id).heads == [1, 1, 0]


def test_a_referee_with_the_bettors_last_16_bits_cannot_bet_and_the_bettor_can(club, markets, play_euro, owner):
    twin = boa.util.abi.Address("0x" + (2**159 + int(club.referee, 16) % 2**16).to_bytes(20).hex())
    play_euro.invite([twin], sender=owner)
    play_euro.join(1, sender=twin)
    market_id = club.create(referee=club.referee)
    with boa.reverts("lmsr: referee cannot bet"):
        markets.bet(market_id, YES, 1, sender=club.referee)
    markets.bet(market_id, YES, 1, sender=twin)
    assert events(markets)[1] == club.entry(market_id, twin, Kind.BET_DEBIT, EUR, 49 * EUR)
