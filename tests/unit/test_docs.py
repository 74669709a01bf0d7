"""The README and the pages name only what exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_names_only_make_targets_that_exist(page):
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE))
    assert named <= TARGETS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_links_only_to_files_that_exist(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


KNOWN_BUGS = (ROOT / "docs" / "known-bugs.md").read_text()
CASES = [cell for cell in re.findall(r"^\| ([^|]+) \|", KNOWN_BUGS, re.MULTILINE) if cell != "case"]


@pytest.mark.parametrize("case", CASES)
def test_every_known_bug_has_a_test_of_its_name(case):
    """By its numbers, or else by one of its words."""
    places = [ROOT / place for place in re.findall(r"`(tests/[^`]+)`", KNOWN_BUGS)]
    files = [file for path in places for file in ([path] if path.is_file() else path.glob("*.py"))]
    names = " ".join(re.findall(r"def (test_\w+)", "".join(file.read_text() for file in files)))
    numbers = re.findall(r"(?:#|PR )(\d+)", case)
    assert [number for number in numbers if not re.search(rf"_{number}(?:_|\b)", names)] == []
    words = [word.lower() for word in re.findall(r"[A-Za-z][a-z]{4,}", case)]
    assert numbers or [word for word in words if word[:6] in names]


def test_readme_starts_with_the_two_commands():
    first_block = (ROOT / "README.md").read_text().split("```")[1]
    assert first_block.split() == ["sh", "make", "demo", "make", "test"]


def test_where_names_only_places_that_exist():
    places = re.findall(r"`([\w./-]+/[\w./-]*)`", (ROOT / "docs" / "where.md").read_text())
    assert len(places) > 40
    assert [place for place in places if not (ROOT / place).exists()] == []


POWERS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "README.md").read_text())


@pytest.mark.parametrize(("file", "name"), POWERS)
def test_what_the_readme_says_nobody_can_has_its_test(file, name):
    assert re.search(rf"^\s*def {name}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_every_role_of_the_readme_has_something_that_it_cannot_do():
    table = (ROOT / "README.md").read_text().split("| role | can | cannot |")[1].split("\n\n")[0]
    roles = [line for line in table.splitlines() if line.startswith("| ")]
    assert len(roles) >= 9
    assert [role for role in roles if "::test_" not in role.split(" | ")[-1]] == []


def test_the_glossary_is_in_order():
    words = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)[1:]
    assert words == sorted(words, key=str.casefold)
    assert len(words) >= 30


MAP = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=lambda page: page.name)
def test_the_readme_leads_to_every_page(page):
    assert f"(docs/{page.name})" in MAP


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=lambda page: page.name)
def test_a_page_begins_with_what_its_reader_can_do_after_it(page):
    assert page.read_text().split("\n")[2].startswith("After this page ")


WRITTEN = [page for page in PAGES if page.name != "api.md"]  # which is made from docstrings
SENTENCE_ENDS = re.compile(r'(?<=[a-z)`][.!?])[")*_]*\s+(?=["(*_\[`]*[A-Z])')


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_line_of_a_page_is_one_sentence(page):
    """So that a change of a sentence is a change of a line. A bold word or two before a sentence are part of it."""
    prose = re.sub(r"^(```|~~~).*?^\1", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    lines = [re.sub(r"\*\*[^*]+\.\*\* ", "", line) for line in prose.splitlines() if not line.startswith("|")]
    ends = [(line, line[: end.start()]) for line in lines for end in SENTENCE_ENDS.finditer(line)]
    assert [line for line, before in ends if not before.count("`") % 2 and before.count("[") <= before.count("]")] == []


def test_a_number_is_that_of_one_decision():
    numbers = [page.name[:4] for page in ROOT.glob("docs/decisions/*.md")]
    assert len(numbers) == len(set(numbers)) > 40
