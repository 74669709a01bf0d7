"""Break the contracts on purpose and see whether the tests notice.

`python -m tests.mutation` takes a seeded sample of one-place changes of each contract, throws away those that do not
compile or that leave the bytecode as it was, runs the tests that stand for the contract, and fails where fewer than
nine of ten are noticed. Survivors are printed with their line; those that cannot matter are explained in
docs/mutants.md.

A target has a process of its own in a copy of the tree. It loads what is not changed once and forks for each mutant, so
that a mutant costs the compilation of one contract and the tests up to the first that fails.
"""

import gc
import json
import multiprocessing
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import boa
import click
import pytest
from hypothesis import Phase, settings
from rich.progress import Progress

from tests.prize_system import load

ROOT = Path(__file__).resolve().parent.parent
COPIED = ["contracts", "tests", "tessera", "scripts", "docs", "frontend-abi", "pyproject.toml", "ape-config.yaml"]
STAKING = ("TestToken", "YieldVault", "PriceFeed", "Pair", "Router")
TICKETS = (
    "tests/unit/prediction_events",
    "tests/unit/test_known_bugs_tickets.py",
    "tests/differential/test_prize_machine.py",
)
NOT_REAL = 99  # exit code of a run with nothing to test
TIMEOUT = 600  # seconds; a mutant that makes a test hang is noticed

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
# Changes without effect, explained in docs/mutants.md: they count as none. 0 and 1 are changed by two swaps each: a
# change is here as the first one writes it.
EQUIVALENT = {
    ("LmsrMarkets.vy", "b: uint256 = 1"),
    ("LmsrMarkets.vy", "head_start: uint256 = 1"),
    ("LmsrMarkets.vy", "price_after: uint256 = 1"),
    ("LmsrMarkets.vy", "gap if p0 * 2 <= lmsr.WAD else -gap,"),
    ("modules/state_word.vy", "MASK_16: constant(uint256) = 2**16 - 2"),
    ("modules/markets.vy", "if word != 1:"),
    ("modules/lmsr.vy", "return favourite if gap < 0 else WAD - favourite"),
    ("modules/lmsr.vy", "return favourite if gap <= 1 else WAD - favourite"),
    ("StakingPool.vy", "paid: uint256 = 1"),
    ("StakingPool.vy", "taken: uint256 = 1"),
    ("modules/vault_calls.vy", "ok: bool = True"),
    ("modules/feeds.vy", "ok: bool = True"),
    ("modules/stake_history.vy", "for _: uint256 in range((40 + 1)):"),
    ("PredictionEvents.vy", "stake: uint256 = 1"),
    ("PredictionEvents.vy", "forfeits: uint256 = 1"),
    ("PredictionEvents.vy", "final: bool = True"),
    ("PredictionEvents.vy", "outcome: uint256 = 1"),
    ("PredictionEvents.vy", "ok: bool = True"),
    ("modules/permits.vy", "return 1"),
    ("PredictionEvents.vy", "if result >> 8 & 2**128 - 2 == 0:"),
    ("modules/disputes.vy", "conclusion: uint256 = 1"),
    ("modules/disputes.vy", "ends_at: uint256 = 1"),
    ("modules/resolution.vy", "conclusion: uint256 = 1"),
    ("modules/resolution.vy", "ends_at: uint256 = 1"),
    ("modules/exits.vy", "final: bool = True"),
    ("modules/exits.vy", "outcome: uint256 = 1"),
    ("modules/hosting.vy", "final: bool = True"),
    ("modules/hosting.vy", "outcome: uint256 = 1"),
    ("OddsBets.vy", "confirmed: uint256 = 1"),
    ("OddsBets.vy", "open: uint256 = 1"),
    ("modules/queues.vy", "confirmed: uint256 = 1"),
    ("modules/queues.vy", "open: uint256 = 1"),
    ("ProrataBets.vy", "MAX_PREDICTIONS: constant(uint256) = (16 + 1)"),
    ("modules/tickets.vy", "NO_TICKETS: constant(int256) = 2"),
    ("modules/tickets.vy", "if new >= old:"),
    ("modules/tickets.vy", "change: int256 = 1"),
    ("modules/mining.vy", "total: uint256 = 1"),
    ("modules/asset_feeds.vy", "price: uint256 = 1"),
    ("modules/asset_feeds.vy", "old_price: uint256 = 1"),
    ("modules/asset_feeds.vy", "updated_at: uint256 = 1"),
    ("modules/asset_feeds.vy", "old_at: uint256 = 1"),
    ("modules/asset_feeds.vy", "answers: bool = True"),
    ("modules/asset_feeds.vy", "old_answers: bool = True"),
    ("modules/harvests.vy", "paid: uint256 = 1"),
    ("modules/harvests.vy", "due: uint256 = 1"),
    ("modules/harvests.vy", "burned: uint256 = 1"),
    ("modules/mining.vy", "last: uint256 = 1"),
    ("modules/mining.vy", "accumulator: uint256 = 1"),
    ("modules/harvests.vy", "if worth >= kept and cap > moved:"),
}
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
    Target(
        "Escrow",
        ("Escrow.vy", "modules/account_word.vy", "modules/pot_word.vy", "modules/permits.vy"),
        ("tests/unit/modules/test_words.py", "tests/unit/escrow", "tests/invariant/test_escrow.py"),
    ),
    Target("Timelock", ("Timelock.vy",), ("tests/unit/timelock",)),
    Target("PlayEuro", ("PlayEuro.vy",), ("tests/unit/play_euro", "tests/unit/escrow")),
    Target(
        "LmsrMarkets",
        (
            "LmsrMarkets.vy",
            "modules/markets.vy",
            "modules/disputes.vy",
            "modules/resolution.vy",
            "modules/book_word.vy",
            "modules/state_word.vy",
            "modules/schedule_word.vy",
            "modules/position_word.vy",
            "modules/proposal_word.vy",
            "modules/tally_word.vy",
            "modules/vote_rule.vy",
        ),
        (
            "tests/unit/modules/test_market_words.py",
            "tests/unit/modules/test_vote_rule.py",
            "tests/unit/lmsr_markets",
            "tests/differential/test_resolution.py",
            "tests/unit/test_known_bugs_markets.py",
            "tests/invariant/test_markets.py",
        ),
    ),
    Target(
        "LmsrMarkets",
        ("modules/lmsr.vy",),
        ("tests/differential/test_lmsr_bound.py", "tests/differential/test_lmsr_evm.py", "tests/unit/lmsr_markets"),
    ),
    Target("BetToken", ("BetToken.vy",), ("tests/unit/bet_token",)),
    Target(
        "Panels",
        ("Panels.vy", "modules/report_word.vy", "modules/seat_word.vy", "modules/short_signature.vy"),
        ("tests/unit/modules/test_words.py", "tests/unit/panels", "tests/differential/test_panels.py"),
    ),
    Target(
        "PrizePool",
        (
            "PrizePool.vy",
            "modules/periods.vy",
            "modules/twap.vy",
            "modules/split_word.vy",
            "modules/prize_event_word.vy",
            "modules/period_word.vy",
            "modules/kept_word.vy",
        ),
        ("tests/unit/modules/test_words.py", "tests/unit/prize_pool", *TICKETS),
    ),
    Target(
        "StakingPool",
        (
            "StakingPool.vy",
            "modules/vaults.vy",
            "modules/losses.vy",
            "modules/harvests.vy",
            "modules/vault_calls.vy",
            "modules/listing.vy",
            "modules/asset_feeds.vy",
            "modules/feeds.vy",
            "modules/stake_history.vy",
            "modules/mining.vy",
            "modules/asset_word.vy",
            "modules/holding_word.vy",
            "modules/loss_word.vy",
            "modules/principal_word.vy",
            "modules/stake_word.vy",
        ),
        (
            "tests/unit/modules/test_words.py",
            "tests/unit/staking_pool",
            "tests/attacks/test_owner.py",
            "tests/attacks/test_vaults.py",
            *TICKETS,
        ),
    ),
    Target(
        "PredictionEvents",
        (
            "PredictionEvents.vy",
            "modules/tickets.vy",
            "modules/event_word.vy",
            "modules/event_registry.vy",
            "modules/open_list.vy",
            "modules/prediction_word.vy",
            "modules/result_word.vy",
            "modules/unclaimed_word.vy",
        ),
        ("tests/unit/modules", "tests/unit/staking_pool", "tests/differential/test_ticket_vectors.py", *TICKETS),
    ),
    Target(
        "ProrataBets",
        ("ProrataBets.vy", "modules/pool_word.vy", "modules/hosting.vy", "modules/relayed.vy", "modules/signatures.vy"),
        ("tests/unit/prorata_bets", "tests/unit/hosted_bets", "tests/invariant/test_prorata.py"),
    ),
    Target(
        "OddsBets",
        (
            "OddsBets.vy",
            "modules/odds.vy",
            "modules/queues.vy",
            "modules/line_word.vy",
            "modules/cover_word.vy",
            "modules/verdict_word.vy",
            "modules/ticket_word.vy",
        ),
        ("tests/unit/odds_bets", "tests/invariant/test_odds.py", "tests/attacks/test_hosted.py"),
    ),
    Target(
        "MicroSessions",
        (
            "MicroSessions.vy",
            "modules/exits.vy",
            "modules/sessions.vy",
            "modules/streams.vy",
            "modules/session_types.vy",
            "modules/offer_words.vy",
            "modules/session_word.vy",
            "modules/stream_word.vy",
            "modules/exclusion_word.vy",
        ),
        ("tests/unit/micro_sessions", "tests/invariant/test_sessions.py"),
    ),
]


def mutants(target: Target, only: str | None, chance: random.Random) -> Iterator[Mutant]:
    """Every one-place change of a target's code, or of one file of it, in an order that the seed decides."""
    changes = []
    for file in [only] if only in target.files else target.files:
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
                    changes.append(Mutant(target, file, number, changed))
            if (statement := STATEMENT.match(code)) and code.count("(") == code.count(")"):
                changes.append(Mutant(target, file, number, statement[1] + "pass"))
    chance.shuffle(changes)
    for mutant in changes:
        text = mutant.text.strip().replace("(0 + 1)", "1").replace("(1 + 1)", "2")
        if (mutant.file, text) not in EQUIVALENT:
            yield mutant


class Order:
    """A pytest plugin: tests that noticed mutants of lines near this one come first, and the one that fails is kept."""

    def __init__(self, noticed: dict[str, int], line: int):
        """`noticed` is the line of the last mutant that a test noticed, by the test's name."""
        self.noticed = noticed
        self.line = line

    def pytest_collection_modifyitems(self, items: list[pytest.Item]):
        items.sort(key=lambda item: abs(self.noticed.get(item.nodeid, 10**6) - self.line))

    def pytest_runtest_logreport(self, report: pytest.TestReport):
        if report.failed:
            Path("noticed_by").write_text(report.nodeid)


def passes(target: Target, order: Order, original: bytes | None = None) -> bool | None:
    """Whether the tests of a target pass here; None where its contract does not compile or is the original."""
    child = multiprocessing.get_context("fork").Process(target=run_tests, args=(target, order, original))
    child.start()
    child.join(TIMEOUT)
    if child.is_alive():
        child.kill()
        child.join()
    return {0: True, NOT_REAL: None}.get(child.exitcode, False)


def run_tests(target: Target, order: Order, original: bytes | None):
    """Ends this process with pytest's exit code, or with `NOT_REAL`."""
    with open("tests.log", "w") as log:
        sys.stdout = sys.stderr = log
        try:
            code = bytecode(target)
        except Exception:
            sys.exit(NOT_REAL)
        if code == original:
            sys.exit(NOT_REAL)
        options = ["-x", "-m", "not campaign", "-p", "no:cacheprovider", "--hypothesis-profile=mutants"]
        sys.exit(int(pytest.main([*options, *target.tests], plugins=[order])))


def bytecode(target: Target) -> bytes:
    """Creation code of a target's contract."""
    return load(f"contracts/{target.contract}.vy").compiler_data.bytecode


def try_all(target: Target, only: str | None, sample: int, seed: int):
    """Tries real mutants of a target in the tree that this process runs in, and prints a line of JSON for each."""
    for name in ("BetToken", "Panels", "StakingPool", "PredictionEvents", "PrizePool", *STAKING):
        path = f"contracts/{'devnet/' if name in STAKING else ''}{name}.vy"
        if name != target.contract:
            _ = load(path).compiler_data.bytecode
    boa.interpret.set_cache_dir("cache")  # mutants are compiled once
    # A mutant is noticed by the first example that fails: it need not be the smallest.
    settings.register_profile("mutants", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate])
    gc.freeze()
    original = boa.load_partial(f"contracts/{target.contract}.vy").compiler_data.bytecode
    if not passes(target, Order({}, 0)):
        raise click.ClickException(f"the tests of {target.contract} fail before anything is changed")
    noticed: dict[str, dict[str, int]] = defaultdict(dict)  # of each file
    real = 0
    for mutant in islice(mutants(target, only, random.Random(seed)), sample * 6):
        path = Path("contracts", mutant.file)
        kept = path.read_text()
        lines = kept.splitlines()
        lines[mutant.line - 1] = mutant.text
        path.write_text("\n".join(lines) + "\n")
        verdict = passes(target, Order(noticed[mutant.file], mutant.line), original)
        path.write_text(kept)
        if verdict is None:
            continue
        if not verdict:
            noticed[mutant.file][Path("noticed_by").read_text()] = mutant.line
        click.echo(json.dumps({"survives": verdict, "where": f"{mutant.file}:{mutant.line}", "text": mutant.text}))
        real += 1
        if real == sample:
            break


def in_a_copy(number: int, only: str | None, sample: int, seed: int, progress: Progress) -> list[dict]:
    """What `try_all` prints for a target in a copy of the tree."""
    changes = []
    target = TARGETS[number]
    bar = progress.add_task(f"{target.contract}: {target.files[0]}", total=sample)
    with tempfile.TemporaryDirectory() as root:
        for source in (ROOT / name for name in COPIED):
            (shutil.copytree if source.is_dir() else shutil.copy)(source, Path(root, source.name))
        command = [sys.executable, "-m", "tests.mutation", f"--sample={sample}", f"--seed={seed}", f"--here={number}"]
        command += [f"--only={only}"] if only else []
        with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                changes.append(mutant := json.loads(line))
                if mutant["survives"]:
                    progress.console.print(f"survives: {mutant['where']}: {mutant['text'].strip()}", markup=False)
                progress.advance(bar)
        if process.returncode:
            raise click.ClickException(f"mutants of {target.contract} could not be tried")
    return changes


@click.command(help=__doc__)
@click.option("--sample", default=60, show_default=True, help="Mutants that compile, for each target.")
@click.option("--seed", default=1, show_default=True)
@click.option("--only", help="One contract's name, or a file's: then that file alone.")
@click.option("--jobs", default=2, show_default=True)
@click.option("--here", type=int, hidden=True, help="Number of the target to try in this tree, which is changed.")
def cli(sample: int, seed: int, only: str | None, jobs: int, here: int | None):
    if here is not None:
        try_all(TARGETS[here], only, sample, seed)
        return
    numbers = [n for n, t in enumerate(TARGETS) if only in (None, t.contract, *t.files)]
    with Progress() as progress, ThreadPoolExecutor(jobs) as pool:
        runs = [pool.submit(in_a_copy, number, only, sample, seed, progress) for number in numbers]
    failed = False
    for number, run in zip(numbers, runs, strict=True):
        survivors = [mutant for mutant in run.result() if mutant["survives"]]
        real = len(run.result())
        target = TARGETS[number]
        click.echo(f"{target.contract} ({', '.join(target.files)}): {real - len(survivors)} of {real} noticed")
        for mutant in survivors:
            click.echo(f"  {mutant['where']}: {mutant['text'].strip()}")
        failed |= len(survivors) > 0.1 * real
    sys.exit(failed)


if __name__ == "__main__":
    cli()
