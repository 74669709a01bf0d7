"""Every revert reason of our contracts is tested, short, greppable and says one thing at one place."""

import re
from collections import Counter
from pathlib import Path

import pytest
from vyper import ast as vy_ast
from vyper.ast.parse import parse_to_ast

ROOT = Path(__file__).parents[2]
CONTRACTS = sorted((ROOT / "contracts").rglob("*.vy"))
REASON = re.compile(r"[a-z]+: \S.*")
# Said at several places, because the same mistake can be made there.
SHARED = {
    "escrow: not your own",
    "escrow: transfer failed",
    "escrow: wrong kind",
    "escrow: zero amount",
    "lmsr: already proposed",
    "lmsr: nothing to claim",
    "lmsr: that is proposed already",
    "lmsr: unknown market",
    "micro: session not open",
    "odds: already settled",
    "prorata: nothing to claim",
}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def parsed(path: Path):
    return parse_to_ast(path.read_text(), resolved_path=str(path))


def reasons(path: Path) -> list[str]:
    """The texts that have the form of a reason; some contracts keep them apart from the assert that uses them."""
    tree = parsed(path)
    docstrings = {id(node) for node in tree.get_descendants(vy_ast.DocStr)}
    texts = [node.value for node in tree.get_descendants(vy_ast.Str) if id(node) not in docstrings]
    return [text for text in texts if REASON.fullmatch(text)]


PLACES = [(reason, path) for path in CONTRACTS for reason in reasons(path)]
REASONS = sorted({reason for reason, _ in PLACES})


def test_finds_the_reasons():
    assert {"lmsr: price moved", "lmsr: nothing to dispute", "escrow: no consent"} <= set(REASONS)


@pytest.mark.parametrize("path", CONTRACTS, ids=name)
def test_every_assert_has_a_reason(path):
    for node in parsed(path).get_descendants((vy_ast.Assert, vy_ast.Raise)):
        reason = node.msg if isinstance(node, vy_ast.Assert) else node.exc
        assert reason is not None, f"line {node.lineno} has none"
        if isinstance(reason, vy_ast.Str):
            assert REASON.fullmatch(reason.value), f"line {node.lineno}: {reason.value!r}"


def test_every_reason_is_tested():
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    named = "\n".join(path.read_text() for path in tests)
    untested = [reason for reason in REASONS if reason not in named]
    assert not untested, "\n".join(untested)


@pytest.mark.parametrize("reason", REASONS)
def test_fits_a_slot_and_is_lower_case_but_for_names(reason):
    assert len(reason.encode()) <= 32
    words = re.findall(r"[A-Za-z]+", reason)
    assert [word for word in words if word != word.lower() and word != word.upper()] == []
    assert reason[-1] not in ".!"


def test_each_reason_stands_at_one_place_or_is_shared_on_purpose():
    counted = Counter(reason for reason, _ in PLACES)
    assert {reason for reason, count in counted.items() if count > 1} == SHARED


def test_no_prefix_is_used_by_two_contracts():
    """Whoever reads a reason knows the product it came from, or the module that products share."""
    users = {}
    for reason, path in PLACES:
        if path.parent.name != "modules":
            users.setdefault(reason.partition(":")[0], set()).add(path.stem)
    assert {prefix: names for prefix, names in users.items() if len(names) > 1} == {}
