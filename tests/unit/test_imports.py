"""Imports point one way, as docs/architecture.md says."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What each part of the package may import of the others.
BELOW = {
    "model": set(),
    "chain": {"model"},
    "accounting": {"model", "chain"},
    "deployment": {"model", "chain"},
    "local": {"model", "chain", "deployment"},
    "index": {"model", "chain", "accounting"},
    "keeper": {"model", "chain", "accounting", "index"},
    "host": {"model", "chain", "index"},
    "live": {"model", "chain", "index"},
    "observe": {"model", "chain", "live"},
    "club": {"model", "chain", "index"},
    "cli": {"model", "chain", "accounting", "index", "keeper", "host", "live", "observe", "club", "deployment"},
    "demo": {"model", "chain", "accounting", "deployment", "local", "index", "keeper", "host", "live", "observe"},
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in (ROOT / "tessera").rglob("*.py")}


def imported(path: Path) -> set[str]:
    """The modules of tessera that a file names, wherever in it."""
    imports = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imports |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imports |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return imports & MODULES.keys()


IMPORTS = {name: imported(path) - {name} for name, path in MODULES.items()}


@pytest.mark.parametrize("part", BELOW)
def test_a_part_imports_only_what_is_below_it(part):
    own = f"tessera.{part}"
    above = {
        (name, other)
        for name, others in IMPORTS.items()
        if name == own or name.startswith(f"{own}.")
        for other in others
        if other.split(".")[1] not in BELOW[part] | {part}
    }
    assert above == set()


def test_every_part_is_listed():
    assert {name.split(".")[1] for name in MODULES if "." in name} <= BELOW.keys()


def test_no_modules_import_each_other_in_a_circle():
    TopologicalSorter(IMPORTS).prepare()


def test_nothing_but_scripts_and_tests_imports_scripts_or_tests():
    for path in MODULES.values():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.module.split(".")[0] not in ("scripts", "tests", "benchmarks"), path
