"""stream.toml: what it may contain, and what is at fault in one that is refused."""

import re
from pathlib import Path

import pytest

from tessera.live.stream_file import Feed, read_stream
from tessera.live.terms import TermsError
from tessera.model.sessions import questions
from tessera.model.sessions.questions import Kind
from tessera.model.sessions.typed import Choice

PAGE = (Path(__file__).parents[3] / "docs" / "live.md").read_text()
EXAMPLE = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL).group(1)


def read(tmp_path, text: str):
    (tmp_path / "stream.toml").write_text(text)
    return read_stream(tmp_path / "stream.toml")


def test_the_page_s_example_has_each_kind(tmp_path):
    terms, askings = read(tmp_path, EXAMPLE)
    assert terms.edge_ppm == 50_000
    assert [asking.kind for asking in askings] == list(Kind)
    never = Choice(questions.NEVER, questions.NEVER)
    assert askings[2].choices == (Choice(0, 20_000), Choice(20_001, 60_000), never)
    ab = questions.pattern(b"RB")
    assert askings[3].choices[0] == Choice(ab, ab)
    assert askings[0].chances_ppm == (450_000, 550_000)
    asked = askings[0].question(1, 0)
    assert asked.report_by - asked.end == 3 * 3_600_000  # for observers, where the file does not say


def test_questions_are_asked_when_they_are_due(tmp_path, stage):
    _, askings = read(tmp_path, EXAMPLE)
    feed, asked = Feed(askings), stage.engine.memory.questions
    feed(stage.engine)
    assert len(asked) == 4
    feed(stage.engine)
    assert len(asked) == 4
    stage.pass_time(30_000)
    feed(stage.engine)
    stage.engine.flush()
    assert len(asked) == 5
    assert [one.question.text for one in asked.values()][-1] != askings[0].text  # its number is in it


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[terms]", "[terms", "stream.toml"),
        ("[terms]", "[term]", "unknown: term"),
        ("edge_ppm", "edges", "unknown: terms.edges"),
        ("edge_ppm = 50000", "edge_ppm = 2000000", "edge_ppm = 2000000: a whole number from 0"),
        ("activation = 500000", "# none", "activation"),
        ('kind = "binary"', 'kind = "luck"', "question 1: 'LUCK'"),
        ("window = 10\n", "window = 4\n", "question 1: the window of this kind"),
        ("window = 10\n", "", "question 1: 'window'"),
        ("choices = [0, 1]", "choices = [0, 2]", "question 1: not a choice of a binary"),
        ("every = 30 ", "every = 0 ", "question 1: every and open_for"),
        ("every = 30 ", "luck = 1\nevery = 30 ", "question 1: luck"),
        ("chances = [45, 55]", "chances = [45]", "question 1: as many chances"),
        ("chances = [45, 55]", "chances = [45, 56]", "question 1: chances sum to at most"),
        ("chances = [45, 55]", "chances = [97, 3]", "question 1: the choice is too likely"),
        ("every = 30 ", "results_within = 1199\nevery = 30 ", "question 1: results are due 20 minutes"),
        pytest.param(
            *("Does car {n} turn left?", "?" * 495 + "{n}", "question 1: Question: text: Value error, text of at most"),
            id="a text that grows too long by its number",
        ),
    ],
)
def test_what_is_at_fault_is_named(tmp_path, old, new, reason):
    assert old in EXAMPLE
    with pytest.raises(TermsError, match=re.escape(reason)):
        read(tmp_path, EXAMPLE.replace(old, new, 1))


def test_the_same_question_twice(tmp_path):
    """The second one would end the engine in its first tick."""
    first = EXAMPLE[EXAMPLE.index("[[question]]") :].split("[[question]]")[1]
    with pytest.raises(TermsError, match="two of its questions are the same"):
        read(tmp_path, f"{EXAMPLE}\n[[question]]{first}")


def test_a_file_without_questions(tmp_path):
    with pytest.raises(TermsError, match="no \\[\\[question\\]\\]"):
        read(tmp_path, "[terms]\n")
