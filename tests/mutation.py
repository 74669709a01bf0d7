"""Break the contracts on purpose and see whether the tests notice.

`python -m tests.mutation` takes a seeded sample of one-place changes of each contract, throws away those that do not
compile or that leave the bytecode as it was, runs the tests that stand for the contract, and fails where fewer than
nine of ten are noticed. Survivors are printed with their line; those that cannot matter are explained in
docs/mutants.md.
"""

import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import click
from rich.progress import Progress

ROOT = Path(__file__).resolve().parent.parent
COPIED = ["contracts", "tests", "tessera", "scripts", "frontend-abi", "pyproject.toml", "ape-config.yaml"]
PYTHON = Path(sys.executable)
TIMEOUT = 900  # seconds; a mutant that makes a test hang is noticed

# What is changed, one match at a time. Words and signs stand alone, so that `<` in `<=` is not one.
SWAPS = [
    (r"(?<![<>=!-])>=", ">"), (r"(?<![<>=!-])>=", "=="), (r"(?<![<>=!])<=", "<"),
    (r"(?<![<>=!-])>(?![=>])", ">="), (r"(?<![<>=!])<(?![=<])", "<="), (r"(?<![<>=!])==", "!="), (r"!=", "=="),
    (r" \+ ", " - "), (r" - ", " + "), (r" \* ", " // "), (r" // ", " * "), (r" \+= ", " -= "), (r" -= ", " += "),
    (r"<<", ">>"), (r">>", "<<"), (r" \| ", " & "), (r" & ", " | "), (r"\band\b", "or"), (r"\bor\b", "and"),
    (r"\bnot ", ""), (r"\bTrue\b", "False"), (r"\bFalse\b", "True"), (r"\bmin\(", "max("), (r"\bmax\(", "min("),
    (r"(?<![\w.])0(?![\w.])", "1"), (r"(?<![\w.])1(?![\w.])", "2"), (r"(?<![\w.])(\d[\d_]*)(?![\w.*])", r"(\1 + 1)"),
    (r"\bmsg\.sender\b", "self"), (r"\bunsafe_add\(", "unsafe_sub("), (r"\bunsafe_sub\(", "unsafe_add("),
]  # fmt: skip
STATEMENT = re.compile(
    r"^(\s+)(assert|extcall|log|self\.|[a-z_]+\.[a-z_.\[\]]+.*=|[a-z_]+\._[a-z_]+\(|[a-z_]+ [-+]?= )"
)


@dataclass(frozen=True)
class Target:
    """A deployable with the files it is made of and the tests that stand for it."""

    contract: str
    files: tuple[str, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Mutant:
    """One changed line of one file."""

    target: Target
    file: str
    line: int
    text: str


TARGETS = [
    Target("Escrow", ("Escrow.vy",), ("tests/unit/escrow", "tests/invariant/test_escrow.py")),
    Target("PlayEuro", ("PlayEuro.vy",), ("tests/unit/play_euro", "tests/unit/escrow")),
    Target(
        "LmsrMarkets",
        ("LmsrMarkets.vy", "modules/markets.vy", "modules/resolution.vy"),
        ("tests/unit/lmsr_markets", "tests/unit/test_known_bugs_markets.py", "tests/invariant/test_markets.py"),
    ),
    Target("LmsrMarkets", ("modules/lmsr.vy",), ("tests/differential", "tests/unit/lmsr_markets")),
]


def mutants(target: Target, chance: random.Random) -> Iterator[Mutant]:
    """Every one-place change of a target's code, in an order that the seed decides."""
    found = []
    for file in target.files:
        lines = (ROOT / "contracts" / file).read_text().splitlines()
        in_docstring = False
        for number, line in enumerate(lines, 1):
            quotes = line.count('"""')
            if in_docstring or quotes:
                in_docstring ^= quotes == 1
                continue
            code = line.partition("  # ")[0]
            if code.lstrip().startswith("#") or not code.strip():
                continue
            body = re.sub(r'"[^"]*"', lambda text: "\0" * len(text[0]), code)  # texts stay as they are
            for pattern, swap in SWAPS:
                for match in re.finditer(pattern, body):
                    changed = code[: match.start()] + match.expand(swap) + code[match.end() :]
                    found.append(Mutant(target, file, number, changed))
            if (statement := STATEMENT.match(code)) and code.count("(") == code.count(")"):
                found.append(Mutant(target, file, number, statement[1] + "pass"))
    chance.shuffle(found)
    yield from found


def bytecode(root: Path, contract: str) -> str | None:
    """Creation code of a contract, or None where it does not compile."""
    out = subprocess.run(
        [str(PYTHON.parent / "vyper"), f"contracts/{contract}.vy"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return out.stdout if out.returncode == 0 else None


def survives(root: Path, mutant: Mutant, original: str) -> bool | None:
    """Whether the tests pass with the mutant in place; None where it does not compile or changes no bytecode."""
    path = root / "contracts" / mutant.file
    kept = path.read_text()
    lines = kept.splitlines()
    lines[mutant.line - 1] = mutant.text
    path.write_text("\n".join(lines) + "\n")
    try:
        if bytecode(root, mutant.target.contract) in (None, original):
            return None
        return passes(root, mutant.target)
    except subprocess.TimeoutExpired:
        return False
    finally:
        path.write_text(kept)


def passes(root: Path, target: Target) -> bool:
    """Whether the tests of a target pass on the files under `root`."""
    command = [str(PYTHON), "-m", "pytest", "-x", "-q", "-m", "not campaign", "-p", "no:cacheprovider", *target.tests]
    return subprocess.run(command, cwd=root, capture_output=True, timeout=TIMEOUT, check=False).returncode == 0


def try_all(target: Target, sample: int, seed: int, root: Path, advance) -> tuple[int, list[Mutant]]:
    """How many real mutants of a target were tried, and which survived."""
    if not passes(root, target):
        raise click.ClickException(f"the tests of {target.contract} fail before anything is changed")
    original = bytecode(root, target.contract)
    real, survivors = 0, []
    for mutant in islice(mutants(target, random.Random(seed)), sample * 6):
        verdict = survives(root, mutant, original)
        if verdict is None:
            continue
        real += 1
        advance()
        if verdict:
            survivors.append(mutant)
        if real == sample:
            break
    return real, survivors


@click.command(help=__doc__)
@click.option("--sample", default=60, show_default=True, help="Mutants that compile, for each target.")
@click.option("--seed", default=1, show_default=True)
@click.option("--only", help="One contract's name, or a file's.")
@click.option("--jobs", default=2, show_default=True)
def cli(sample: int, seed: int, only: str | None, jobs: int):
    targets = [t for t in TARGETS if only in (None, t.contract, *t.files)]
    with tempfile.TemporaryDirectory() as scratch, Progress() as progress, ThreadPoolExecutor(jobs) as pool:
        runs = []
        for number, target in enumerate(targets):
            root = Path(scratch) / str(number)
            root.mkdir()
            for source in (ROOT / name for name in COPIED):
                (shutil.copytree if source.is_dir() else shutil.copy)(source, root / source.name)
            bar = progress.add_task(f"{target.contract}: {target.files[0]}", total=sample)
            runs.append(pool.submit(try_all, target, sample, seed, root, lambda bar=bar: progress.advance(bar)))
        results = [run.result() for run in runs]
    failed = False
    for target, (real, survivors) in zip(targets, results, strict=True):
        killed = real - len(survivors)
        click.echo(f"{target.contract} ({', '.join(target.files)}): {killed} of {real} noticed")
        for mutant in survivors:
            click.echo(f"  {mutant.file}:{mutant.line}: {mutant.text.strip()}")
        failed |= killed < 0.9 * real
    sys.exit(failed)


if __name__ == "__main__":
    cli()
