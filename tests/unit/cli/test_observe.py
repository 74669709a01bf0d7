"""`tessera live observe` against an engine on the embedded chain: two members of three decide what the engine asks."""

import json
import re
import sys
from datetime import UTC, datetime

import pytest

from tessera.model.sessions import questions
from tessera.model.sessions.questions import Kind
from tessera.model.sessions.typed import Choice, Question
from tessera.observe import football, traffic
from tessera.observe.matches import load
from tests.live_world import HOUR, OBSERVERS, PLAYER
from tests.unit.cli.test_live import deployed, live, served  # noqa: F401

SPEED = 60
MINUTE = 60_000 // SPEED  # of the match, in milliseconds of the replay
OPENER = load()[0]  # Germany 5-1 Scotland: goals in minutes 10, 19, 45+1 ...


@pytest.fixture
def world(served):  # noqa: F811
    """The engine's world, whose own observers sign books and report nothing."""
    served.world.outcome = None
    return served.world


@pytest.fixture
def asked(world, served):  # noqa: F811
    """Asks a question whose window begins so many milliseconds from now."""

    def ask(kind: Kind, text: str, after: int, window: int, choices, symbols: int = 0) -> bytes:
        start = world.ms + after
        times = (start - 3_000, start, start + window, start + 3 * HOUR * 1_000)
        question = Question(kind, world.stream_id, text, *times, symbols, tuple(Choice(*each) for each in choices))
        questions.check(question)

        async def add() -> None:
            chance = 1_000_000 // len(choices)
            world.engine.ask(question, (chance,) * len(choices))
            await served.connection.until(lambda: world.engine.domain.digest(question) in served.connection.questions)

        served.wait(add())
        return world.engine.domain.digest(question)

    return ask


def iso(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def answer(result) -> dict:
    assert result.exit_code == 0, result.output
    return json.loads(re.search(r"^\{.*^\}", result.output, re.DOTALL | re.MULTILINE).group())


def over(served, question: bytes) -> None:  # noqa: F811
    """The window of a question is over, and half a second more."""
    world, connection = served.world, served.connection
    asked_question = connection.questions[question]
    world.travel(asked_question.lock - world.ms)
    served.wait(connection.until(lambda: question in connection.books))
    world.travel(asked_question.end + 1_000 - world.ms)


def test_two_members_watch_a_match_and_decide(world, served, asked, live):  # noqa: F811
    kickoff = world.ms // 1_000 * 1_000
    words = ("observe", "football", "--kickoff", iso(kickoff), "--speed", SPEED, "--until-over")
    # Of minutes 8 to 18 of the match, in which one goal fell.
    question = asked(Kind.BINARY, "A goal in the next ten minutes?", 8 * MINUTE, 10 * MINUTE, [(0, 0), (1, 1)])
    other = asked(Kind.BINARY, "A yellow card?", 8 * MINUTE, 10 * MINUTE, [(0, 0), (1, 1)])
    rehearsed = answer(live(*words, by=OBSERVERS[0], options=("--dry-run",)))
    assert {row["question"]: row["reports"] for row in rehearsed["would_report"]} == {
        "A goal in the next ten minutes?": "nothing yet",
        "A yellow card?": "nothing",
    }
    over(served, question)
    rehearsed = answer(live(*words, by=OBSERVERS[0], options=("--dry-run",)))
    assert rehearsed["would_report"][0]["reports"] == "yes"
    assert world.engine.memory.questions[question].reports == {}  # nothing was signed

    world.travel(kickoff + football.length(OPENER, SPEED) + 1_000 - world.ms)
    faults = (("--misses", 100), (), ("--late", 300, "--seed", 1))
    said = [live(*words, *fault, by=index) for index, fault in zip(OBSERVERS, faults, strict=True)]
    assert [(answer(result)["reports"], answer(result)["refused"]) for result in said] == [(1, 0)] * 3
    assert served.connection.results[question] == 1  # two of three, against the one that missed it
    assert other not in served.connection.results
    assert "reported no on 'A goal in the next ten minutes?'" in said[0].output
    assert "reported yes on 'A goal in the next ten minutes?'" in said[1].output
    assert f"--kickoff {iso(kickoff)}" in said[1].output


def test_cameras_watch_a_street_and_decide(world, served, asked, live):  # noqa: F811
    pytest.importorskip("cv2")
    begin, seconds, street = world.ms // 1_000 * 1_000 + 5_000, 20, 79
    happens = traffic.truth(traffic.scene(street, seconds), begin)
    window = (begin + 4_000, begin + 18_000)
    people = sum(seen.what == "person" and window[0] <= seen.at <= window[1] for seen in happens)
    question = asked(Kind.QUANTITY, "How many people cross?", window[0] - world.ms, 14_000, [(n, n) for n in range(5)])
    before = asked(Kind.QUANTITY, "How many persons?", 4_000, 10_000, [(0, 0), (1, 9)])
    over(served, question)
    words = ("observe", "camera", "--begin", iso(begin), "--street", street, "--seconds", seconds, "--until-over")
    world.travel(5_000)
    for index, method in zip(OBSERVERS, ("background", "colour"), strict=False):
        said = live(*words, "--method", method, "--noise", 5, "--seed", index, by=index)
        assert answer(said)["reports"] == 1
    assert served.connection.results[question] == people
    assert world.engine.memory.questions[before].reports == {}  # it had begun before anybody watched


def test_who_is_no_member_signs_nothing(served, live):  # noqa: F811
    result = live("observe", "football", by=PLAYER, as_json=False)
    assert result.exit_code != 0
    assert "is none of the 3 members of panel" in result.output
    assert "Nothing was sent. [account]" in result.output


def test_without_opencv_the_camera_says_how_to_install_it(live, monkeypatch):  # noqa: F811
    monkeypatch.setitem(sys.modules, "cv2", None)
    result = live("observe", "camera", by=OBSERVERS[0], as_json=False)
    assert result.exit_code != 0
    assert "uv sync --group vision" in result.output
    assert "Nothing was sent. [not_installed]" in result.output


def test_a_clip_that_is_none(live, tmp_path):  # noqa: F811
    pytest.importorskip("cv2")
    (tmp_path / "no.avi").write_text("no clip")
    result = live("observe", "camera", "--clip", tmp_path / "no.avi", by=OBSERVERS[0], as_json=False)
    assert "cannot be read as a clip. Nothing was sent. [source]" in result.output


def test_the_methods_that_the_command_names_are_the_camera_s():
    from tessera.cli.observe import METHODS

    assert tuple(pytest.importorskip("tessera.observe.camera").METHODS) == METHODS
