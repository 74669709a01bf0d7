"""The replay of a match: what each kind of question comes to, and a panel of three with a faulty member."""

import asyncio

import pytest

from tessera.model.sessions import questions
from tessera.model.sessions.questions import NEVER, Kind, pattern
from tessera.model.sessions.typed import Choice, Question
from tessera.observe import football
from tessera.observe.matches import load
from tessera.observe.witness import SETTLE_MS, Sighting, Topic, Witness
from tests.unit.observe.test_camera import agreed

BEGIN, SPEED = 1_800_000_000_000, 30
OPENER = load()[0]  # Germany 5-1 Scotland: 10 19 45+1 68 90+3 and 87
MINUTE = 60_000 // SPEED  # of the match, in milliseconds of the replay


def asked(kind: Kind, text: str, start: int, end: int, choices, symbols: int = 0) -> Question:
    times = (BEGIN + start - 3_000, BEGIN + start, BEGIN + end, BEGIN + end + 3_600_000)
    question = Question(kind, 3, text, *times, symbols, tuple(Choice(*choice) for choice in choices))
    questions.check(question)
    return question


def witness(seed: int = 0, **noise) -> Witness:
    seen = football.with_noise(football.replay(OPENER, BEGIN, SPEED), seed, **noise)
    return Witness(football.TOPICS, seen, lambda: BEGIN + 10**7)


@pytest.mark.parametrize(
    ("question", "observed"),
    [
        (asked(Kind.BINARY, "A goal in the next minutes?", 9 * MINUTE, 12 * MINUTE, [(0, 0), (1, 1)]), 1),
        (asked(Kind.BINARY, "A goal in the next minutes?", 11 * MINUTE, 14 * MINUTE, [(0, 0), (1, 1)]), 0),
        (asked(Kind.QUANTITY, "How many goals by half time?", 0, 48 * MINUTE, [(0, 1), (2, 9)]), 3),
        (
            asked(Kind.TIMING, "When does the next goal fall?", 12 * MINUTE, 30 * MINUTE, [(0, 5), (NEVER, NEVER)]),
            13_000,
        ),
        (
            asked(Kind.TIMING, "When does the next goal fall?", 20 * MINUTE, 40 * MINUTE, [(0, 5), (NEVER, NEVER)]),
            NEVER,
        ),
        (
            asked(Kind.PATTERN, "Which side scores next, then next?", 80 * MINUTE, 115 * MINUTE, [(1, 1), (2, 2)], 2),
            pattern(b"HA"),
        ),
        (
            asked(Kind.PATTERN, "Which side scores next, then next?", 102 * MINUTE, 115 * MINUTE, [(1, 1), (2, 2)], 2),
            pattern(b"AH"),
        ),
    ],
)
def test_what_a_replay_says_of_each_kind(question, observed):
    assert asyncio.run(witness()(question)) == observed


def test_nothing_is_said_before_it_is_over_nor_of_another_topic():
    question = asked(Kind.BINARY, "A goal in the next minutes?", 9 * MINUTE, 12 * MINUTE, [(0, 0), (1, 1)])
    other = asked(Kind.BINARY, "A yellow card?", 9 * MINUTE, 12 * MINUTE, [(0, 0), (1, 1)])
    seen, now = football.replay(OPENER, BEGIN, SPEED), [question.end + SETTLE_MS - 1]
    early = Witness(football.TOPICS, seen, lambda: now[0])
    assert asyncio.run(early(question)) is None
    now[0] += 1
    assert asyncio.run(early(question)) == 1
    assert asyncio.run(early(other)) is None


def test_a_window_has_both_its_ends():
    question = asked(Kind.QUANTITY, "Goals?", 20_000, 40_000, [(0, 0), (1, 9)])
    times = (question.start - 1, question.start, question.end, question.end + 1)
    seen = [Sighting(at, "goal", "H") for at in times]
    assert Witness([Topic("goal", "goal")], seen).observed(question) == 2


@pytest.mark.parametrize("faulty", [witness(2, missed=1.0), Witness(football.TOPICS)])
def test_one_of_three_may_miss_all_or_say_nothing(faulty):
    others = [witness(seed, jitter_ms=200) for seed in (0, 1)]
    question = asked(Kind.QUANTITY, "How many goals by half time?", 0, 48 * MINUTE, [(0, 1), (2, 9)])
    assert agreed(question, [*others, faulty]) == 1
    assert agreed(question, [others[0], faulty, Witness(football.TOPICS)]) is None


def test_a_replay_is_as_long_as_its_match():
    assert football.length(OPENER, SPEED) == (OPENER.full_time - OPENER.kickoff) * 1_000 // SPEED
    assert max(seen.at for seen in football.replay(OPENER, BEGIN, SPEED)) <= BEGIN + football.length(OPENER, SPEED)
