"""Attempts to take other people's money by the way a friends' market is decided: what each party gains, in EUR.

Every story plays at chain id 1 with its dispute windows of 12 h, and the truth is YES. A docstring's "before" is what
the attack gained under the first rules (votes cast alone decided, and a silent referee let the proposal stand).
"""

from math import exp, log

import boa
import pytest

from tessera.model.lmsr import WAD
from tests.attacks.friends_market import ROOT, STORIES, Friends, markdown
from tests.club import ANSWER, BET_INTERVAL, DAY, HOUR, INVALID, NO, RULING, VOTING, YES, Status, at, now
from tests.custody import EUR, NOBODY

DOCS = ROOT / "docs" / "markets.md"


@pytest.fixture(scope="session")
def deployed(evm):
    evm.patch.chain_id = 1
    friends = Friends()
    evm.patch.chain_id = 31_337  # or it would be what titanoboa takes the chain back to after each test
    return friends


@pytest.fixture
def friends(deployed, evm_clock, evm):
    evm.patch.chain_id = 1
    with boa.env.anchor():
        deployed.closes_at, deployed.due_at = now() + 10 * DAY, now() + 11 * DAY
        yield deployed
    evm.patch.chain_id = 31_337


@pytest.fixture
def winners(friends):
    """Eight people who bet on the truth."""
    return friends.people[1:9]


@pytest.fixture
def losers(friends):
    """Six people who bet against it."""
    return friends.people[9:15]


def eur(gains, *people) -> float:
    """What people gain together, EUR."""
    return sum(gains[person] for person in people) / EUR


def winnings(count: int) -> float:
    """What so many bets of 1 EUR, all on the side that wins, gain at even odds: C(shares, 0) = 10 + count."""
    b = 10 / log(2)
    return b * log(exp((10 + count) / b) - 1) - count


def refuses_shorter_windows(friends):
    with boa.reverts("lmsr: bad dispute window"):
        friends.create(dispute_window=12 * HOUR - 1)


# Referees (a silent referee let the creator's proposal stand)


@pytest.mark.parametrize("who", ["dead", "market contract", "Escrow"])
def test_a_referee_who_cannot_act_never_gets_a_market_open(friends, winners, who):
    """Before: +40.00 for the creator, -5.00 for each of eight bettors. Now nobody can bet, and the seed comes back."""
    referee = {"dead": "0x" + "00" * 18 + "dEaD", "market contract": friends.markets, "Escrow": friends.escrow}[who]
    refuses_shorter_windows(friends)
    market_id = friends.create(accepted=False, referee=getattr(referee, "address", referee))
    with boa.reverts("lmsr: market not open"):
        friends.markets.bet(market_id, YES, 1, sender=winners[0])
    with boa.reverts("lmsr: referee has not accepted"):
        friends.markets.propose(market_id, NO, sender=friends.creator)
    at(friends.closes_at)
    friends.markets.expire(market_id, sender=winners[0])
    assert set(friends.gains(market_id).values()) == {0}


def test_an_accomplice_who_accepts_and_keeps_silent_gains_nothing(friends, winners):
    """Before: +40.00 for the creator, who lied, -5.00 for each of eight bettors. Now everybody is paid back."""
    accomplice = friends.people[15]
    market_id = friends.create(referee=accomplice)
    friends.place(market_id, dict.fromkeys(winners, 5))
    friends.propose(market_id, NO)
    friends.complain(market_id, YES, sender=winners[0])
    at(now() + RULING - 1)
    with boa.reverts("lmsr: too early to finalize"):
        friends.markets.finalize(market_id)
    assert set(friends.end(market_id).values()) == {0}


def test_a_silent_referee_refuses_an_early_lie_and_the_truth_can_be_proposed_later(friends, winners):
    market_id = friends.create(referee=friends.people[15])
    friends.place(market_id, dict.fromkeys(winners, 1))
    friends.propose(market_id, NO, now() + 60)
    friends.complain(market_id, YES, sender=winners[0])
    at(now() + RULING)
    friends.markets.finalize(market_id)
    assert friends.status(market_id) == Status.CLOSED
    friends.propose(market_id, YES, friends.due_at + DAY, sender=winners[1])
    assert eur(friends.end(market_id), *winners) == pytest.approx(winnings(8), abs=1e-5)


def test_a_referee_who_speaks_for_a_lie_is_believed(friends, winners):
    """The whole trust in a referee, who is named and has accepted before anybody bets: +40.00 for the creator."""
    accomplice = friends.people[15]
    market_id = friends.create(referee=accomplice)
    friends.place(market_id, dict.fromkeys(winners, 5))
    friends.propose(market_id, NO)
    friends.complain(market_id, YES, sender=winners[0])
    friends.markets.rule(market_id, NO, sender=accomplice)
    assert eur(friends.gains(market_id), friends.creator, accomplice) == 40


# Votes (the votes cast decided, however few)


def test_the_only_bettor_complains_against_the_truth(friends, losers):
    """Before: +9.38 for 3 EUR, -9.38 for the creator. Now the stake comes back."""
    market_id = friends.create(p0=99 * 10**16)
    friends.place(market_id, {losers[0]: 3}, NO)
    friends.propose(market_id, YES)
    friends.complain(market_id, NO, sender=losers[0])
    assert set(friends.end(market_id).values()) == {0}


def test_one_loser_against_eight_sleepers(friends, winners, losers):
    """Before: +2.22 for the loser, +5.78 for the creator, -1.00 for each of eight. Now the loser's stake comes back."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners, 1))
    friends.place(market_id, {losers[0]: 1}, NO)
    friends.propose(market_id, YES)
    friends.complain(market_id, NO, sender=losers[0])
    with boa.env.anchor():
        assert set(friends.end(market_id).values()) == {0}
    friends.vote(market_id, {winners[0]: YES})  # and with one of the eight awake the truth stands
    assert eur(friends.end(market_id), losers[0]) == -1


@pytest.mark.parametrize("awake", [0, 1, 2, 5, 6])
def test_six_one_euro_bets_in_the_last_25_seconds(friends, winners, losers, awake):
    """Before: +35.30 for the six accounts with up to five of eight honest people awake. Now the stakes come back."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners, 5))
    at(friends.closes_at - 6 * BET_INTERVAL)
    friends.place(market_id, dict.fromkeys(losers, 1), NO)
    assert now() == friends.closes_at - BET_INTERVAL
    friends.propose(market_id, YES)
    friends.dispute(market_id, dict.fromkeys(losers, NO) | dict.fromkeys(winners[:awake], YES))
    assert eur(friends.end(market_id), *losers) == (-6 if awake == 6 else 0)


@pytest.mark.parametrize(("awake", "settled"), [(2, INVALID), (3, INVALID), (4, INVALID), (5, YES)])
def test_a_creator_with_a_second_account(friends, winners, losers, awake, settled):
    """A lie is paid only with at least as many helpers as there are honest people awake."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners, 1))
    friends.place(market_id, {losers[0]: 1}, NO)
    friends.propose(market_id, NO)
    friends.dispute(market_id, dict.fromkeys(winners[:awake], YES) | {losers[0]: NO})
    gains = friends.end(market_id)
    assert friends.markets.market(market_id).outcome == settled
    assert eur(gains, friends.creator, losers[0]) == (0 if settled == INVALID else pytest.approx(-5.12, abs=0.005))


def test_a_lie_is_complained_of_and_nobody_votes(friends, winners):
    """Before: +8.00 for the creator: the complaint was no vote. Now everybody is paid back."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners, 1))
    friends.propose(market_id, NO)
    friends.complain(market_id, YES, sender=winners[0])
    assert set(friends.end(market_id).values()) == {0}


def test_votes_in_the_last_second_can_be_answered(friends, winners, losers):
    """Before: +3.50 for three losers who voted in the last second of the day, when nobody could answer."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners[:3], 1))
    friends.place(market_id, dict.fromkeys(losers[:3], 1), NO)
    friends.propose(market_id, YES)
    friends.complain(market_id, NO, sender=losers[0])
    friends.vote(market_id, {winners[0]: YES})
    at(now() + VOTING - 1)
    friends.vote(market_id, dict.fromkeys(losers[1:3], NO))
    with boa.env.anchor():
        assert eur(friends.end(market_id), *losers) == 0
    at(now() + ANSWER - 1)
    friends.vote(market_id, dict.fromkeys(winners[1:3], YES))
    assert eur(friends.end(market_id), *losers) == -3


def test_whoever_waits_until_the_end_of_the_two_days_can_only_have_everybody_paid_back(friends, winners, losers):
    """Six losers, against whom one winner is awake, hold five votes back: as long as it counts they can be answered."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners[:6], 1))
    friends.place(market_id, dict.fromkeys(losers, 1), NO)
    friends.propose(market_id, YES)
    friends.complain(market_id, NO, sender=losers[0])
    began_at = now()
    friends.vote(market_id, {winners[0]: YES})
    flip = YES
    while friends.markets.tally(market_id).ends_at < began_at + 2 * DAY - ANSWER + HOUR:  # turned again and again
        at(friends.markets.tally(market_id).ends_at - HOUR)
        flip = INVALID if flip == YES else YES
        friends.vote(market_id, {winners[1]: flip, losers[1]: flip})
    at(began_at + 2 * DAY - ANSWER)
    refused = 0
    for loser in losers:
        try:
            friends.markets.vote(market_id, NO, sender=loser)
        except boa.BoaError:
            refused += 1
    assert friends.markets.tally(market_id).conclusion in (YES, INVALID)
    assert eur(friends.end(market_id), *losers) <= 0


def test_heads_that_staked_both_sides_alike_take_nothing(friends, winners, losers):
    """Hedged accounts cost almost nothing: they can make doubt, as any head, and no money."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners, 1))
    for loser in losers:
        friends.place(market_id, {loser: 1}, YES)
        friends.place(market_id, {loser: 1}, NO)
    friends.propose(market_id, YES)
    friends.dispute(market_id, dict.fromkeys(losers, NO))
    assert friends.markets.tally(market_id).heads == [1, 6, 0]
    assert set(friends.end(market_id).values()) == {0}


@pytest.mark.parametrize(("hedge", "settled"), [(0, YES), (11, YES), (12, INVALID)])
def test_a_helper_who_bets_on_both_sides_keeps_honest_votes_below_the_quarter(friends, winners, losers, hedge, settled):
    """A known limit: with 12 EUR on each side a lie is refunded that would have cost 5.12 EUR. It gains nothing."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners, 1))
    friends.place(market_id, {losers[0]: hedge})
    friends.place(market_id, {losers[0]: hedge}, NO)
    friends.propose(market_id, NO)
    friends.dispute(market_id, dict.fromkeys(winners, YES))
    gains = friends.end(market_id)
    assert friends.markets.market(market_id).outcome == settled
    assert eur(gains, *winners) == (0 if settled == INVALID else pytest.approx(winnings(8), abs=1e-5))
    assert eur(gains, friends.creator, losers[0]) == -eur(gains, *winners)


# Proposals


@pytest.mark.parametrize(("awake", "gain"), [(1, 8), (2, 0), (4, 0), (5, -winnings(8))])
def test_a_creator_who_keeps_silent_so_that_a_helper_proposes_counts_no_more_than_one_who_lies(
    friends, winners, losers, awake, gain
):
    """The creator votes for the helper's lie: two heads, as where the creator lies and the helper votes (the table)."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners, 1))
    friends.place(market_id, {losers[0]: 1}, NO)
    friends.propose(market_id, NO, friends.due_at + DAY, sender=losers[0])
    friends.dispute(market_id, dict.fromkeys(winners[:awake], YES) | {friends.creator: NO})
    assert eur(friends.end(market_id), friends.creator, losers[0]) == pytest.approx(gain, abs=1e-5)


@pytest.mark.parametrize(("awake", "gain"), [(1, 0), (2, 0), (3, -winnings(8))])
def test_a_lie_a_second_early_costs_nothing_and_gains_nothing_where_somebody_is_awake(friends, winners, awake, gain):
    """One more try than a lie at the expected result time: it is refused, and the next one is worth what it was."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners, 1))
    friends.propose(market_id, NO, friends.due_at - 1)
    friends.complain(market_id, YES, sender=winners[0])
    at(now() + VOTING)
    friends.markets.finalize(market_id)
    assert friends.status(market_id) == Status.CLOSED
    friends.propose(market_id, NO, now())
    friends.dispute(market_id, dict.fromkeys(winners[:awake], YES))
    assert eur(friends.end(market_id), friends.creator) == pytest.approx(gain, abs=1e-5)


@pytest.mark.parametrize(("awake", "gain"), [(0, 0), (1, 0), (2, 0), (3, -1)])
def test_a_loser_who_proposes_first_that_it_was_invalid(friends, winners, losers, awake, gain):
    """The first to propose when the creator is silent needs less: three are awake before the truth is paid."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners, 1))
    friends.place(market_id, {losers[0]: 1}, NO)
    friends.propose(market_id, INVALID, friends.due_at + DAY, sender=losers[0])
    friends.dispute(market_id, dict.fromkeys(winners[:awake], YES))
    assert eur(friends.end(market_id), losers[0]) == gain


def test_whoever_ends_a_market_that_waits_for_its_referee_first_the_seed_comes_back_once(friends):
    """At the closing second the creator and anybody else can end it, the referee can no longer open it."""
    referee = friends.people[15]
    for first in ("cancel", "expire"):
        with boa.env.anchor():
            market_id = friends.create(accepted=False, referee=referee)
            at(friends.closes_at)
            with boa.reverts("lmsr: too late to accept"):
                friends.markets.accept_referee(market_id, sender=referee)
            getattr(friends.markets, first)(market_id, sender=friends.creator)
            with boa.reverts("lmsr: too late to cancel"):
                friends.markets.cancel(market_id, sender=friends.creator)
            with boa.reverts("lmsr: already proposed"):
                friends.markets.expire(market_id)
            with boa.reverts("lmsr: nothing to accept"):
                friends.markets.accept_referee(market_id, sender=referee)
            assert set(friends.gains(market_id).values()) == {0}


def test_a_bettor_who_proposes_a_lie_when_the_creator_is_silent(friends, winners, losers):
    """One head against whom anybody awake complains; the creator too may complain and vote."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners, 1))
    friends.place(market_id, {losers[0]: 1}, NO)
    friends.propose(market_id, NO, friends.due_at + DAY, sender=losers[0])
    at(now() + DAY - 1)
    friends.complain(market_id, YES, sender=friends.creator)
    with boa.env.anchor():
        assert set(friends.end(market_id).values()) == {0}
    friends.vote(market_id, dict.fromkeys(winners[:3], YES))  # the creator has no stake: it takes 3 of 9 EUR
    assert eur(friends.end(market_id), losers[0]) == -1


def test_bait_and_switch_in_the_last_second_of_the_window(friends, winners):
    """The truth is proposed and replaced by a lie at the last moment: a whole day to complain, and only once."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners, 1))
    friends.propose(market_id, YES)
    friends.propose(market_id, NO, friends.due_at + 12 * HOUR - 1)
    at(now() + DAY - 1)
    with boa.reverts("lmsr: replaced already"):
        friends.markets.propose(market_id, YES, sender=friends.creator)
    friends.complain(market_id, YES, sender=winners[0])
    assert set(friends.end(market_id).values()) == {0}


def test_a_creator_who_pressed_no_for_yes_repairs_it(friends, winners):
    """Before: -1.00 for each bettor who did not complain in time, +3.00 for a creator who could not repair it."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners[:3], 1))
    friends.propose(market_id, NO)
    friends.propose(market_id, YES, friends.due_at + 60)
    assert eur(friends.end(market_id), *winners) == pytest.approx(winnings(3), abs=1e-5)


def test_an_early_lie_on_a_random_night_does_not_pass_in_a_day(friends, winners):
    """The creator closes the market ten days early with a lie: a week to complain, and a complaint refuses it."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners, 1))
    friends.propose(market_id, NO, now() + 60)
    at(now() + 7 * DAY - 1)
    with boa.reverts("lmsr: too early to finalize"):
        friends.markets.finalize(market_id)
    friends.complain(market_id, YES, sender=winners[0])
    at(now() + VOTING)
    friends.markets.finalize(market_id)
    assert friends.status(market_id) == Status.CLOSED
    friends.propose(market_id, YES)
    assert eur(friends.end(market_id), *winners) == pytest.approx(winnings(8), abs=1e-5)


def test_invalid_again_and_again(friends, winners):
    """Before: nine rounds of proposal, complaint and vote before the result was due. Now one."""
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners[:3], 1))
    friends.propose(market_id, INVALID, now() + 60)
    friends.complain(market_id, YES, sender=winners[0])
    at(now() + VOTING)
    friends.markets.finalize(market_id)
    for time in (now(), friends.due_at - 1):
        at(time)
        with boa.reverts("lmsr: result not due yet"):
            friends.markets.propose(market_id, INVALID, sender=friends.creator)


def test_a_result_known_early_does_not_wait_for_the_expected_result_time(friends, winners):
    """Before: a result known in June of a market until 31 December was paid in January."""
    market_id = friends.create(closes_at=0, expected_result_at=now() + 200 * DAY)
    friends.place(market_id, dict.fromkeys(winners, 1))
    proposed_at = now() + 60
    friends.propose(market_id, YES, proposed_at)
    assert eur(friends.end(market_id), *winners) == pytest.approx(winnings(8), abs=1e-5)
    assert now() == proposed_at + 7 * DAY


def test_a_market_on_an_event_that_has_started(friends):
    """Before: refused, so that such a market had to say a wrong time or none."""
    market_id = friends.create(event_start_at=now() - HOUR)
    assert friends.status(market_id) == Status.OPEN


def test_a_creator_against_whom_everybody_is_right_loses_the_seed_and_no_more(friends):
    """25 bets of 1 EUR on YES at a first price of 0.01, and YES it is: the creator loses nearly 10 EUR."""
    market_id = friends.create(p0=WAD // 100)
    for count in range(25):
        friends.bet(market_id, friends.people[1 + count % 2], YES)
    friends.propose(market_id, YES)
    assert 9.999 < -eur(friends.end(market_id), friends.creator) <= 10


def test_who_takes_every_bet_of_a_minute_holds_the_others_off_for_cents(friends, winners):
    """A market takes a bet every 5 s. Whoever is first each time, on both sides in turn, keeps others out for a minute.

    It takes 12 EUR until the market is settled, and loses 0.29 of them if it is YES, gains 0.28 if it is NO. The others
    lose the minute and nothing else: their odds on either side are about what they were.
    """
    attacker, other = friends.people[15], winners[0]
    market_id = friends.create()
    quoted = friends.markets.quote(market_id, YES)[0]
    for count in range(12):
        friends.bet(market_id, attacker, NO if count % 2 else YES)
        with boa.reverts("lmsr: a bet every 5 seconds"):
            friends.markets.bet(market_id, YES, 1, sender=other)
    assert 1 < friends.markets.quote(market_id, YES)[0] / quoted < 1.02
    gains = []
    for outcome in (YES, NO, INVALID):
        with boa.env.anchor():
            friends.propose(market_id, outcome)
            gains.append(round(eur(friends.end(market_id), attacker), 2))
    assert gains == [-0.29, 0.28, 0]


def test_nobody_can_vote_or_propose_who_has_not_bet_and_nobody_bets_once_the_result_is_proposed(friends, winners):
    late = friends.people[15]
    market_id = friends.create()
    friends.place(market_id, dict.fromkeys(winners, 1))
    friends.propose(market_id, YES, now() + 60)
    at(now() + BET_INTERVAL)
    with boa.reverts("lmsr: market not open"):
        friends.markets.bet(market_id, NO, 1, sender=late)
    with boa.reverts("lmsr: not a bettor"):
        friends.markets.complain(market_id, NO, "x", sender=late)
    assert friends.markets.market(market_id).referee == NOBODY


# The table


@pytest.mark.parametrize("story", STORIES)
def test_nobody_gains_beyond_the_table_of_the_page(friends, story):
    """docs/markets.md shows what k colluding people do to h honest ones; this makes it anew by the contracts."""
    table = "\n".join(markdown(friends, story))
    assert table in DOCS.read_text(), table
