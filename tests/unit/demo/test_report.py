"""The page from recorded data: complete in itself, and saying what the record says."""

import json
import re
from types import SimpleNamespace

import pytest

from tessera.chain import Outcome
from tessera.demo.record import read
from tessera.demo.report import write
from tessera.demo.terminal import meaning
from tests.unit.demo.conftest import NAMES


@pytest.fixture
def played_of(record_of):
    def played_of(outcome):
        recorded = record_of(outcome)
        return SimpleNamespace(
            record=read(recorded.rows, recorded.fixtures, NAMES), fixtures=recorded.fixtures, findings=["it <adds> up"]
        )

    return played_of


@pytest.fixture
def page_of(played_of, tmp_path):
    def page_of(outcome):
        path = write(played_of(outcome), tmp_path / "report")
        assert path == tmp_path / "report" / "index.html"
        assert [each.name for each in path.parent.iterdir()] == ["index.html"]
        return path.read_text(encoding="utf-8")

    return page_of


@pytest.mark.parametrize("outcome", Outcome)
def test_page_needs_nothing_from_elsewhere(page_of, outcome):
    page = page_of(outcome)
    assert re.findall(r"(?:src|href)=\"(?!#)", page) == []
    assert set(re.findall(r"https?://[^\"' ]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert "@import" not in page
    assert "url(" not in page


def test_page_says_what_happened(page_of):
    page = page_of(Outcome.YES)
    for text in ("Spain", "England", "Do Spain beat England?", "2–1", "Bruno", "the bettors had voted: 1 YES", "+0.75"):
        assert text in page
    assert "ended INVALID" in page
    assert "$" not in page.replace("${", "")


def test_what_people_wrote_is_text_and_not_html(page_of):
    page = page_of(Outcome.NO)
    assert "2–1 &lt;b&gt;&amp;" in page
    assert "2–1 <b>" not in page
    assert "It &lt;adds&gt; up" in page


def test_data_is_what_the_record_holds(page_of):
    (text,) = re.findall(r"const DATA = (.*);$", page_of(Outcome.YES), re.MULTILINE)
    data = json.loads(text)
    (game,) = data["games"]
    assert [bet["who"] for bet in game["bets"]] == ["Bruno", "Chiara"]
    assert [bet["when"] for bet in game["bets"]] == ["60 min before kick-off", "10 s after 1–0"]
    assert [goal["score"] for goal in game["goals"]] == ["1–0", "1–1", "2–1"]
    assert game["opened"] < game["kickoff"] < game["closes"] <= game["end"]
    assert {one["name"]: one["curve"][-1] for one in data["race"]["curves"]} == {
        "Ada": 0.75,
        "Bruno": -1,
        "Chiara": 0.25,
    }
    assert data["books"][0]["gain"] == 0.75


def test_meaning_tells_the_cost_and_the_sum(played_of):
    text = " ".join(map(str, meaning(played_of(Outcome.YES))))
    # Bets of 13.6 and 50 cents lost to moving the price, see test_record.
    assert "loses 31.8 cents of a euro" in text
    assert "together +0.75 EUR" in text
