"""Break the Python on purpose and see whether the unit tests notice; the contracts' part is tests/mutation.py.

`python -m tests.mutation_python` takes a seeded sample of one-place changes of each target's functions and constants,
runs the unit tests that execute what was changed, and fails where fewer than 85 % are noticed. Survivors are printed
with their line; those that cannot matter are explained in docs/mutants.md.

The tests run once as they are, which says what each of them executes. Then this process forks for each mutant, puts the
changed code into the functions that are loaded, and runs the quickest tests first, a minute of the processor at most:
nothing is deployed twice, and what a minute's tests do not notice counts as a survivor.
"""

import ast
import gc
import importlib
import multiprocessing
import os
import random
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import accumulate
from math import ceil
from pathlib import Path
from types import CodeType, FunctionType

import click
import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).resolve().parent.parent
# Of the processor, so that a busy machine tries as many tests as a quiet one.
MOST_SECONDS = 60  # of tests for one mutant, as long as they took before
LEAST_SECONDS, TIMES_SLOWER = 20, 3  # that a mutant's tests may take
MOST_WAITING = 600  # seconds of the clock, for one that waits for ever
LEAST_NOTICED = 0.85


@dataclass(frozen=True)
class Target:
    """Files of the package, and the unit tests that stand for them."""

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def paths(self) -> list[Path]:
        """All files, without those that only describe a package."""
        found = [path for pattern in self.files for path in sorted((ROOT / "tessera").glob(pattern))]
        return [path for path in found if path.name != "__init__.py"]


TARGETS = [
    Target("keeper", ("keeper/**/*.py",), ("tests/unit/keeper",)),
    Target(
        "sender",
        ("chain/wallet.py", "chain/fees.py", "chain/waiting.py"),
        ("tests/unit/chain/test_wallet.py", "tests/unit/chain/test_calls.py"),
    ),
    # Its wrappers are what everything else works with.
    Target(
        "chain",
        ("chain/*.py",),
        ("tests/unit/chain", "tests/unit/cli", "tests/unit/keeper", "tests/unit/host", "tests/unit/index/test_sync.py"),
    ),
    Target("index", ("index/*.py",), ("tests/unit/index", "tests/unit/keeper")),
    Target("accounting", ("accounting/*.py",), ("tests/unit/accounting", "tests/unit/cli/test_tickets.py")),
    Target("cli", ("cli/*.py",), ("tests/unit/cli", "tests/unit/club/test_commands.py")),
    Target("live", ("live/**/*.py",), ("tests/unit/live",)),
]

COMPARED = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
COMPUTED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}

# Changes without effect, explained in docs/mutants.md, as `file: before -> after`: they count as none.
EQUIVALENT: set[str] = set()


@dataclass(frozen=True)
class Mutant:
    """One change: of a function, by its qualified name, or of a module's constant."""

    path: Path
    line: int
    name: str
    text: str  # before -> after
    tree: ast.Module

    @property
    def where(self) -> str:
        """The file in the package."""
        return str(self.path.relative_to(ROOT / "tessera"))


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """What a node can be changed into."""
    match node:
        case ast.Compare(ops=[operator]):
            for other in COMPARED.get(type(operator), ()):
                yield ast.Compare(node.left, [other()], node.comparators)
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp() if type(node.op) in COMPUTED and not _is_text(node):
            yield ast.BinOp(node.left, COMPUTED[type(node.op)](), node.right)
        case ast.AugAssign() if type(node.op) in COMPUTED:
            yield ast.AugAssign(node.target, COMPUTED[type(node.op)](), node.value)
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            yield ast.Constant(node.value + 1)
        case ast.If() | ast.While():
            changed = deepcopy(node)
            changed.test = ast.UnaryOp(ast.Not(), node.test)
            yield changed
        case ast.IfExp():
            yield ast.IfExp(node.test, node.orelse, node.body)
        case ast.comprehension(ifs=[_, *_]):
            yield ast.comprehension(node.target, node.iter, [], node.is_async)
        case ast.Call(func=ast.Name(id=name)) if name in CALLED:
            yield ast.Call(ast.Name(CALLED[name], ast.Load()), node.args, node.keywords)
        case ast.Expr(value=ast.Call() | ast.Await() | ast.Yield()) | ast.Raise() | ast.Continue():
            yield ast.Pass()
        case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
            yield ast.Return(ast.Constant(None))


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.JoinedStr) or isinstance(getattr(side, "value", None), str)
        for side in (node.left, node.right)
    )


def mutants(path: Path) -> Iterator[Mutant]:
    """Every one-place change of a file's functions and constants."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for owner, name in _owners(tree, ""):
        for node, field in _fields(owner):
            value = getattr(node, field)
            for index, child in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(child, ast.AST):
                    for changed in changes(child):
                        place = index if isinstance(value, list) else None
                        yield _mutant(path, tree, name, node, field, place, child, changed)


def _mutant(path, tree, name, node, field, index, child, changed) -> Mutant:
    """The tree is copied with the change in it and restored."""

    def put(what):
        if index is None:
            setattr(node, field, what)
        else:
            getattr(node, field)[index] = what

    put(ast.copy_location(changed, child) if hasattr(child, "lineno") else changed)
    copy = ast.fix_missing_locations(deepcopy(tree))
    put(child)
    texts = (ast.unparse(each).partition("\n")[0] for each in (child, changed))
    return Mutant(path, getattr(child, "lineno", getattr(node, "lineno", 0)), name, " -> ".join(texts), copy)


def _owners(node: ast.AST, prefix: str) -> Iterator[tuple[ast.AST, str]]:
    """Functions by their qualified names, and assignments of constants by theirs."""
    for child in getattr(node, "body", []):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield child, prefix + child.name
            case ast.ClassDef():
                yield from _owners(child, f"{prefix}{child.name}.")
            case ast.Assign(targets=[ast.Name(id=name)]) if name.isupper() and not prefix:
                yield child, name


def run_when_loaded(tree: ast.Module) -> set[str]:
    """Functions of a module that its own statements call, and those that these call: what they did stays as it was."""
    functions = {name: owner for owner, name in _owners(tree, "") if isinstance(owner, FUNCTIONS)}
    reached: set[str] = set()
    waiting: list[ast.AST] = [node for node in tree.body if not isinstance(node, FUNCTIONS | ast.ClassDef)]
    while waiting:
        for node in ast.walk(waiting.pop()):
            if isinstance(node, ast.Name) and node.id in functions and node.id not in reached:
                reached.add(node.id)
                waiting.append(functions[node.id])
    return reached


def _fields(owner: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Nodes of a function or a constant with their fields, but for what was evaluated when the module was loaded: its
    decorators and defaults; and for annotations, which nobody evaluates."""
    waiting = [owner]
    while waiting:
        node = waiting.pop()
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns") or (node is owner and field in ("args", "decorator_list", "targets")):
                continue
            yield node, field
            waiting += [
                child for child in (value if isinstance(value, list) else [value]) if isinstance(child, ast.AST)
            ]


def codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and all within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


class Loaded:
    """The functions and modules of a target as this process has them."""

    def __init__(self, paths: list[Path]):
        self.modules = {
            path: importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts)) for path in paths
        }
        files = {str(path): path for path in paths}
        # By file, name and line: there are files with several functions of a name.
        self.functions: dict[tuple[Path, str, int], list[FunctionType]] = defaultdict(list)
        gc.unfreeze()  # else the collector does not list them
        for function in gc.get_objects():
            if isinstance(function, FunctionType) and (code := function.__code__).co_filename in files:
                self.functions[files[code.co_filename], code.co_qualname, code.co_firstlineno].append(function)
        self.executed: set[tuple[Path, str]] = set()

    def record(self) -> None:
        """From now on every function notes in `executed` that it was called."""
        for path, module in self.modules.items():
            vars(module)["_executed"] = lambda name, path=path: self.executed.add((path, name))
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for owner, name in _owners(tree, ""):
                if isinstance(owner, FUNCTIONS):
                    owner.body.insert(ast.get_docstring(owner) is not None, ast.parse(f"_executed({name!r})").body[0])
            self.put(path, ast.fix_missing_locations(tree))

    def put(self, path: Path, tree: ast.Module, only: str | None = None) -> bool:
        """Replaces the code of a file's functions, or of one; False where that one is not loaded."""
        put = False
        for code in codes(compile(tree, str(path), "exec")):
            for function in self.functions.get((path, code.co_qualname, code.co_firstlineno), []):
                if only in (None, code.co_qualname) and code.co_freevars == function.__code__.co_freevars:
                    function.__code__ = code
                    put = True
        for value in vars(self.modules[path]).values():
            if hasattr(value, "cache_clear"):  # it kept what the code before made
                value.cache_clear()
        return put

    def apply(self, mutant: Mutant) -> bool:
        """Puts a mutant into this process; False where it cannot be."""
        if not mutant.name.isupper():
            return self.put(mutant.path, mutant.tree, mutant.name)
        (statement,) = (owner for owner, name in _owners(mutant.tree, "") if name == mutant.name)
        scope = dict(vars(self.modules[mutant.path]))
        before = scope[mutant.name]
        exec(compile(ast.Module([statement], []), str(mutant.path), "exec"), scope)
        # Whoever has imported it has it by name.
        for name, module in list(sys.modules.items()):
            if name.startswith("tessera.") and vars(module).get(mutant.name) is before:
                setattr(module, mutant.name, scope[mutant.name])
        return True


class Trial:
    """A pytest plugin: runs the tests once, then those that matter for each of a sample of mutants."""

    def __init__(self, target: Target, sample: int, seed: int):
        self.target, self.sample, self.seed = target, sample, seed
        self.results: list[tuple[Mutant, bool]] = []
        self.not_executed: list[Mutant] = []

    def pytest_runtestloop(self, session) -> bool:
        """Instead of pytest's own."""
        loaded = Loaded(self.target.paths)
        loaded.record()
        tests: dict = {}
        seconds: dict = {}
        for item, following in zip(session.items, [*session.items[1:], session.items[0]], strict=True):
            loaded.executed.clear()
            begun = time.process_time()
            # What lives as long as the session stays.
            reports = runtestprotocol(item, log=False, nextitem=following)
            if any(report.failed for report in reports):
                raise click.ClickException(f"{item.nodeid} fails before anything is changed")
            seconds[item] = time.process_time() - begun
            tests[item] = set(loaded.executed)
        for path in loaded.modules:
            loaded.put(path, ast.parse(path.read_text(encoding="utf-8")))
        self._try_all(session, loaded, tests, seconds)
        session._setupstate.teardown_exact(None)
        return True

    def _try_all(self, session, loaded: Loaded, tests: dict, seconds: dict) -> None:
        chosen = [mutant for path in self.target.paths for mutant in mutants(path)]
        random.Random(self.seed).shuffle(chosen)
        for mutant in chosen:
            if len(self.results) == self.sample:
                return
            if f"{mutant.where}: {mutant.text}" in EQUIVALENT:
                continue
            constant = mutant.name.isupper()
            items = [
                item
                for item, executed in tests.items()
                if any(path == mutant.path and (constant or name == mutant.name) for path, name in executed)
            ]
            if not items and mutant.name in run_when_loaded(ast.parse(mutant.path.read_text(encoding="utf-8"))):
                continue  # it has made what it makes
            items.sort(key=seconds.get)
            took = accumulate(map(seconds.get, items))
            items = [item for item, end in zip(items, took, strict=True) if end <= MOST_SECONDS]
            limit = LEAST_SECONDS + TIMES_SLOWER * ceil(sum(map(seconds.get, items)))
            survives = not items or self._passes(session, loaded, mutant, items, limit)
            if survives is not None:
                self.results.append((mutant, survives))
                sign = "survives" if survives else "noticed"
                click.echo(f"{sign}  {mutant.where}:{mutant.line} {mutant.name}: {mutant.text}", err=True)

    def _passes(self, session, loaded: Loaded, mutant: Mutant, items: list, limit: int) -> bool | None:
        """Whether all tests pass with a mutant; None where it cannot be put in."""

        def run():
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
            # Of what tests write here nobody wants to hear.
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            if not loaded.apply(mutant):
                os._exit(2)
            session._setupstate.teardown_exact(items[0])
            for item, following in zip(items, [*items[1:], None], strict=True):
                item._initrequest()
                if any(report.failed for report in runtestprotocol(item, log=False, nextitem=following or item)):
                    os._exit(1)
            os._exit(0)

        child = multiprocessing.get_context("fork").Process(target=run)
        child.start()
        child.join(MOST_WAITING)
        if child.is_alive():
            child.kill()
            child.join()
        return {0: True, 2: None}.get(child.exitcode, False)


@click.command(help=__doc__)
@click.option("--sample", default=60, show_default=True, help="Mutants of each target.")
@click.option("--seed", default=1, show_default=True)
@click.option("--only", type=click.Choice([target.name for target in TARGETS]))
def cli(sample: int, seed: int, only: str | None):
    failed = False
    for target in TARGETS:
        if only not in (None, target.name):
            continue
        trial = Trial(target, sample, seed)
        unit = "not campaign and not anvil and not browser and not postgres"
        pytest.main(["-q", "-p", "no:cacheprovider", "-m", unit, *target.tests], plugins=[trial])
        survivors = [mutant for mutant, survives in trial.results if survives]
        noticed = len(trial.results) - len(survivors)
        click.echo(f"{target.name}: {noticed} of {len(trial.results)} noticed")
        for mutant in survivors:
            click.echo(f"  {mutant.where}:{mutant.line} {mutant.name}: {mutant.text}")
        failed |= not trial.results or noticed < LEAST_NOTICED * len(trial.results)
    sys.exit(failed)


if __name__ == "__main__":
    cli()
