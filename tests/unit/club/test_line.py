"""Attacks on a market's line: what each gains who takes turns and does not bet, and what it costs those behind."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tessera.club.play import LONGEST_TURN, MOST_TURNS, SLOW_PHONE
from tessera.club.store import RECOVERY_SECONDS, Store

MARKET, APART, INTERVAL = 7, 6.0, 5  # bets are whole blocks of two seconds apart, and by the contract five seconds
ASK_SECONDS = 4  # between two questions of a page: web/src/lib/turn.ts
START = 1_780_000_000.0
HOUR = 3_600


@dataclass
class Phone:
    """Somebody who takes a turn after the other: sends a bet when it is first, which takes so many seconds, or never;
    a silent one asks for its turn and then no more."""

    name: str
    takes: float | None = None
    silent: bool = False
    asked_at: float = -1.0  # for the first time since its last bet
    lands_at: float | None = None  # its bet, which it has sent
    waits: list[float] = field(default_factory=list)  # until each of its bets was in


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store("sqlite://")
    yield store
    store.engine.dispose()


def play(store: Store, *phones: Phone, outsider: bool = False, seconds: int = HOUR) -> int:
    """Lets phones take turns for a time, and an `outsider` bet without turns whenever nobody bets for a second; how
    many bets that were."""
    last_bet, outsiders_bets, asked = START - APART, 0, dict.fromkeys((phone.name for phone in phones), 0.0)
    for now in (START + second for second in range(seconds)):
        line = store.turns(MARKET, now)
        for phone in phones:
            if phone.name in line and (phone.silent or now - asked[phone.name] < ASK_SECONDS):
                continue
            asked[phone.name] = now
            turn = store.turn(
                MARKET, phone.name, now=now, first=max(now, last_bet + INTERVAL), apart=APART, lasts=SLOW_PHONE,
                longest=LONGEST_TURN, most=MOST_TURNS,
            )  # fmt: skip
            if phone.asked_at < 0:
                phone.asked_at = now
            if phone.takes is not None and phone.lands_at is None and turn.place == 0 and turn.at <= now:
                phone.lands_at = now + phone.takes
        landing = [phone for phone in phones if phone.lands_at is not None and phone.lands_at <= now]
        for phone in landing:
            phone.lands_at = None  # refused by the contract, it tries again
            if now >= last_bet + INTERVAL:
                store.end_turn(MARKET, phone.name, now)
                phone.waits.append(now - phone.asked_at)
                last_bet, phone.asked_at = now, -1.0
        if outsider and now > last_bet + INTERVAL:
            last_bet, outsiders_bets = now, outsiders_bets + 1
    return outsiders_bets


# What a friend waits for who bets again and again while somebody else does: for that bet, and for its own turn.
FAIR = 2 * APART + ASK_SECONDS
# Two minutes at once, and two more in the hour in which they come back.
MOST_HELD = 2 * LONGEST_TURN
NEEDS_SECONDS = (SLOW_PHONE - APART) / (LONGEST_TURN - APART) * RECOVERY_SECONDS


def held(friend: Phone) -> float:
    """Seconds that a friend waited for somebody, beyond the time of a bet each."""
    return sum(max(0.0, wait - FAIR) for wait in friend.waits)


def test_who_takes_turns_and_never_bets_holds_the_line_two_minutes_and_then_no_longer_than_whoever_bets(store):
    # It held 120 s of every 126, hour after hour: the friend placed 29 bets, and waited 118 s for each.
    holder, friend = Phone("holder"), Phone("friend", takes=2)
    play(store, holder, friend)
    assert max(friend.waits) <= LONGEST_TURN + ASK_SECONDS
    assert held(friend) <= MOST_HELD
    assert len(friend.waits) > (HOUR - MOST_HELD) / (FAIR - 1)
    assert sorted(friend.waits)[-2] <= FAIR  # all but one


def test_who_puts_the_phone_away_again_and_again_holds_the_line_no_longer(store):
    # It held 20 s of every 26: the friend placed 179 bets.
    silent, friend = Phone("silent", silent=True), Phone("friend", takes=2)
    play(store, silent, friend)
    assert max(friend.waits) <= SLOW_PHONE + ASK_SECONDS
    assert held(friend) <= MOST_HELD


def test_who_bets_in_the_last_moment_of_each_turn_holds_the_line_no_longer(store):
    # A bet each two minutes was what it paid: the friend placed 28.
    late, friend = Phone("late", takes=117), Phone("friend", takes=2)
    play(store, late, friend)
    assert held(friend) <= MOST_HELD
    assert max(friend.waits) <= LONGEST_TURN + ASK_SECONDS


def test_a_second_account_that_bets_without_turns_gains_the_bets_of_the_time_that_the_line_is_held(store):
    # Whoever sends without turns races those who have one, and wins here: that is so without a holder, too.
    alone = Store("sqlite://")
    friend, other = Phone("friend", takes=2), Phone("friend", takes=2)
    without = play(alone, friend, Phone("third", takes=2), outsider=True, seconds=HOUR // 3)
    gained = play(store, other, Phone("holder"), outsider=True, seconds=HOUR // 3) - without
    alone.engine.dispose()
    assert gained <= (LONGEST_TURN + MOST_HELD) / INTERVAL


def test_a_slow_phone_in_a_line_that_never_ends_bets_again_and_again(store):
    """It takes as long as a silent phone is waited for; in order as long as the others have patience with it, then
    when the line has a gap, or they are patient again."""
    friends = 5
    slow, others = Phone("slow", takes=SLOW_PHONE), [Phone(f"friend {number}", takes=2) for number in range(friends)]
    play(store, slow, *others)
    assert len(slow.waits) > 2 * (LONGEST_TURN - APART) // (SLOW_PHONE - APART)
    assert max(slow.waits) <= NEEDS_SECONDS + (friends + 1) * SLOW_PHONE
    # A friend whose bet the chain refused, as the slow one's came in its moment, goes round once more.
    assert max(wait for friend in others for wait in friend.waits) <= 2 * (friends + 1) * FAIR


def test_a_phone_that_was_put_away_once_has_a_whole_turn_when_it_comes_again(store):
    terms = {"apart": APART, "lasts": SLOW_PHONE, "longest": LONGEST_TURN, "most": MOST_TURNS}
    store.turn(MARKET, "away", now=START, first=START, **terms)
    later = START + 60
    turn = store.turn(MARKET, "away", now=later, first=later, **terms)
    assert (turn.at, turn.ends_at) == (later, later + SLOW_PHONE)
