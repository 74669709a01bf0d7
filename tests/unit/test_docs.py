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
