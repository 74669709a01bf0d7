"""A rendered street as three cameras see it, each by a method of its own, with noise of its own."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from tessera.model.sessions import questions
from tessera.model.sessions.questions import NEVER, Kind
from tessera.model.sessions.typed import Choice, Question
from tessera.observe import traffic
from tessera.observe.witness import Sighting, Witness

camera = pytest.importorskip("tessera.observe.camera")
BEGIN, SECONDS, SEED = 1_800_000_000_000, 40, 79
ASKED = (
    ("Does a car turn left?", Kind.BINARY, 10, ((0, 0), (1, 1)), 0),
    ("How many pedestrians cross?", Kind.QUANTITY, 15, ((0, 0), (1, 1), (2, 99)), 0),
    ("When does the next bus arrive?", Kind.TIMING, 20, ((0, 10_000), (10_001, 20_000), (NEVER, NEVER)), 0),
    ("Does a blue car follow a red one?", Kind.BINARY, 15, ((0, 0), (1, 1)), 0),
    ("Which colours come next?", Kind.PATTERN, 15, tuple((a << 8 | b,) * 2 for a in b"RB" for b in b"RB"), 2),
)


@pytest.fixture(scope="module")
def street() -> list:
    return traffic.scene(SEED, SECONDS)


@pytest.fixture(scope="module")
def pictures(street) -> list:
    return list(traffic.frames(street, SECONDS))


@pytest.fixture(scope="module")
def watched(pictures) -> dict[str, list[Sighting]]:
    """What each method sees."""
    return {
        method: camera.watched(pictures, method, BEGIN, noise=5, seed=seed)
        for seed, method in enumerate(camera.METHODS)
    }


def test_the_same_seed_is_the_same_street(street, pictures):
    assert street == traffic.scene(SEED, SECONDS)
    assert street != traffic.scene(SEED + 1, SECONDS)
    assert all((one == other).all() for one, other in zip(pictures, traffic.frames(street, SECONDS), strict=True))
    happens = Counter(seen.what for seen in traffic.truth(street, BEGIN) if seen.at < BEGIN + SECONDS * 1_000)
    assert happens.keys() == {"car", "left turn", "person", "bus", "blue after red"}


@pytest.mark.parametrize("method", camera.METHODS)
def test_each_method_sees_what_happens_within_half_a_second(street, watched, method):
    end = BEGIN + SECONDS * 1_000
    happens = [seen for seen in traffic.truth(street, BEGIN) if seen.at < end - 1_000]
    for event in happens:
        same = [seen for seen in watched[method] if (seen.what, seen.symbol) == (event.what, event.symbol)]
        assert any(abs(seen.at - event.at) <= 500 for seen in same), event
    assert len(watched[method]) <= len(happens) + 3  # at most a few at the very end


def asked(number: int, at: int) -> Question:
    """A question of ASKED whose window begins so many seconds after the beginning."""
    text, kind, window, choices, symbols = ASKED[number]
    start = BEGIN + at * 1_000
    times = (start - 3_000, start, start + window * 1_000, start + 3_600_000)
    question = Question(kind, 3, text, *times, symbols, tuple(Choice(*choice) for choice in choices))
    questions.check(question)
    return question


@pytest.mark.parametrize("method", camera.METHODS)
def test_what_passed_while_it_learned_the_street_is_in_no_window(pictures, method):
    """All methods see it in the first picture after that: two of three agreed on a car that had turned before."""
    begin = BEGIN + 5_500  # cars turn 1,167 and 4,493 ms later
    seen = camera.watched(pictures[55:105], method, begin)
    assert [sighting.at - begin for sighting in seen if sighting.what == "left turn"][:1] == [1_500]
    witness = Witness(camera.TOPICS, seen, known_from=camera.known_from(begin))
    witness.look(begin + 5_000)
    question = replace(asked(0, 0), start=begin + 1_200, end=begin + 4_000)
    assert witness.observed(question) == 1  # which is not so
    assert asyncio.run(witness(question)) is None
    assert asyncio.run(witness(replace(question, start=camera.known_from(begin)))) == 0


def agreed(question: Question, witnesses: list[Witness]) -> int | None:
    """What two of three report, as the panel counts."""
    answers = [asyncio.run(witness(question)) for witness in witnesses]
    reported = Counter(questions.winning_choice(question, answer) for answer in answers if answer is not None)
    [(choice, count)] = reported.most_common(1) or [(None, 0)]
    return choice if count >= 2 else None


@pytest.mark.parametrize("number", range(len(ASKED)))
@pytest.mark.parametrize("fault", ["nobody", "one is silent", "one lies"])
def test_two_of_three_agree_on_the_truth(street, watched, number, fault):
    witnesses = [Witness(camera.TOPICS, seen) for seen in watched.values()]
    for witness in witnesses:
        witness.look(BEGIN + SECONDS * 1_000)
    if fault == "one is silent":
        witnesses[0] = Witness(camera.TOPICS)  # has looked at nothing yet
    if fault == "one lies":
        witnesses[1] = Witness(
            camera.TOPICS,
            [
                Sighting(BEGIN + second * 1_000, what, "B")
                for second in range(SECONDS)
                for what in ("left turn", "person", "bus")
            ],
        )
        witnesses[1].look(BEGIN + SECONDS * 1_000)
    truth = Witness(camera.TOPICS, traffic.truth(street, BEGIN))
    decided = 0
    for at in range(4, SECONDS - ASKED[number][2] - 1, 3):
        question = asked(number, at)
        what = next(topic.what for topic in camera.TOPICS if topic.is_of(question))
        own = [seen.at for seen in traffic.truth(street, BEGIN) if seen.what == what]
        if any(abs(seen - edge) <= 500 for seen in own for edge in (question.start, question.end)):
            continue  # what happens at the very edge may be seen on either side of it
        observed = truth.observed(question)
        if number == 2 and abs(observed - 10_000) <= 500:
            continue  # likewise at the edge of a choice
        assert agreed(question, witnesses) == questions.winning_choice(question, observed)
        decided += 1
    assert decided >= 2


def test_a_clip_on_the_disk_shows_the_same(pictures, watched, tmp_path):
    path = tmp_path / "street.avi"
    camera.save(pictures[:150], path)
    seen = camera.watched(camera.clip(path), "difference", BEGIN)
    whole = [one for one in watched["difference"] if one.at < BEGIN + 14_000]
    assert [(one.what, one.symbol) for one in seen][: len(whole)] == [(one.what, one.symbol) for one in whole]
    with pytest.raises(OSError, match="cannot be read as a clip"):
        next(camera.clip(tmp_path / "nothing.avi"))
