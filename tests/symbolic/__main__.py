"""Prove properties of the contracts' bytecode for every input within stated bounds (docs/symbolic.md).

`python -m tests.symbolic` compiles the properties in this folder, runs their constructors in titanoboa, hands the
deployed code to Halmos as if Foundry had built it, and fails where a property has a counterexample, is not decided in
time, or has no path on which it could fail.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import boa
import click
from vyper.compiler.output import build_method_identifiers_output

ROOT = Path(__file__).resolve().parents[2]
HALMOS = ROOT / ".cache/halmos/bin"
SELF = "0x7FA9385bE102ac3EAc297483Dd6233D62b3e1496"  # where Halmos runs the contract under test
CONTRACTS = ["EscrowProperties", "MarketProperties", "PrizeProperties"]
# Where a property says that it gets somewhere, this makes it claim that it does not.
UNREACHED = ("tests/symbolic/claims.vy", "    pass  # the place", "    self._holds(not condition)")
# Contract, part of a property's name, file, and what a defect in it replaces by what.
DEFECTS = [
    (
        "EscrowProperties",
        "pay",
        "contracts/modules/pot_word.vy",
        "return unsafe_sub(word, amount)",
        "return unsafe_sub(word, amount - 1)",
    ),
    (
        "MarketProperties",
        "bet",
        "contracts/modules/state_word.vy",
        "unsafe_sub(124, unsafe_mul(44, side))",
        "124",
    ),
    (
        "MarketProperties",
        "bet",
        "contracts/LmsrMarkets.vy",
        "(before + shares) // markets.WAD_PER_UNIT - before // markets.WAD_PER_UNIT",
        "shares // markets.WAD_PER_UNIT",
    ),
    (
        "PrizeProperties",
        "prize",
        "contracts/PrizePool.vy",
        "self.remainder_wad += prize_wad % WAD",
        "self.remainder_wad += prize_wad % BPS",
    ),
]


def deployed(name: str, tree: Path) -> tuple[dict[str, str], bytes]:
    """Signatures with selectors, and the code, of properties in a tree after their constructor.

    What the constructor asks stands at the address that the properties have under Halmos: there they answer themselves.
    """
    boa.interpret.set_search_paths([str(tree)])
    boa.interpret.disable_cache()
    with boa.swap_env(boa.Env()):
        devnet = tree / "contracts/devnet"
        if name == "MarketProperties":
            token = boa.load(devnet / "TestToken.vy", "Any", "ANY", 6)
            arguments = [boa.load(tree / "contracts/Escrow.vy", token, False, override_address=SELF)]
        else:
            arguments = [boa.load(devnet / "TestToken.vy", "Any", "ANY", 6, override_address=SELF)]
        if name == "PrizeProperties":
            bet = boa.load(devnet / "TestToken.vy", "Bet", "BET", 18)
            arguments += [boa.load(devnet / "Pair.vy", arguments[0], bet), bet]
        properties = boa.load_partial(tree / f"tests/symbolic/{name}.vy")
        code = boa.env.get_code(properties.deploy(*arguments).address)
        return build_method_identifiers_output(properties.compiler_data), code


def write_artifact(folder: Path, name: str, functions: dict[str, str], code: bytes):
    """Writes what Halmos reads of a contract that Foundry built, with a constructor that only returns its code."""
    creation = bytes.fromhex(f"61{len(code):04x}80600a3d393df3") + code
    abi = []
    for signature in functions:
        function, _, types = signature.rstrip(")").partition("(")
        inputs = [{"name": f"input_{i}", "type": kind} for i, kind in enumerate(types.split(",")) if kind]
        abi.append(
            {"type": "function", "name": function, "inputs": inputs, "outputs": [], "stateMutability": "nonpayable"}
        )
    source = folder / "out" / f"{name}.sol"
    source.mkdir(parents=True)
    node = {"nodeType": "ContractDefinition", "name": name, "contractKind": "contract", "abstract": False, "nodes": []}
    build = {
        "abi": abi,
        "ast": {"absolutePath": f"tests/symbolic/{name}.vy", "nodeType": "SourceUnit", "nodes": [node]},
        "bytecode": {"object": "0x" + creation.hex(), "linkReferences": {}},
        "deployedBytecode": {"object": "0x" + code.hex(), "linkReferences": {}},
        "metadata": {"compiler": {"version": "vyper"}},
        "methodIdentifiers": {
            signature: selector.removeprefix("0x").zfill(8) for signature, selector in functions.items()
        },
    }
    (source / f"{name}.json").write_text(json.dumps(build))


def verdicts(name: str, match: str, timeout: int, change: tuple[str, str, str] | None = None) -> list[int]:
    """Halmos' verdict on each property of that name: 0 proved, 1 a counterexample, others undecided.

    `change` is a file of the tree, and what to replace in it by what before.
    """
    with tempfile.TemporaryDirectory() as root:
        tree = Path(root)
        shutil.copytree(ROOT / "contracts", tree / "contracts")
        shutil.copytree(ROOT / "tests/symbolic", tree / "tests/symbolic")
        (tree / "tests/symbolic/any_shares.vy").replace(tree / "contracts/modules/lmsr.vy")
        if change:
            file, before, after = change
            source = tree / file
            if source.read_text().count(before) != 1:
                raise click.ClickException(f"`{before}` has no place of its own in {file}")
            source.write_text(source.read_text().replace(before, after))
        write_artifact(tree, name, *deployed(name, tree))
        forge = tree / "bin/forge"
        forge.parent.mkdir()
        forge.write_text("#!/bin/sh\n")
        forge.chmod(0o755)
        command = [HALMOS / "halmos", f"--root={tree}", f"--contract={name}", f"--match-test={match}", "--no-status"]
        command += ["--storage-layout=generic", f"--solver-timeout-assertion={timeout}s", "--solver-threads=1"]
        command += ["--json-output=verdicts.json", "--minimal-json-output"]
        path = f"{forge.parent}:{HALMOS}:{os.environ['PATH']}"
        subprocess.run(command, cwd=tree, env=os.environ | {"PATH": path}, check=False)
        results = json.loads((tree / "verdicts.json").read_text())["test_results"]
        return [result["exitcode"] for properties in results.values() for result in properties]


@click.command(help=__doc__)
@click.option("--only", type=click.Choice(CONTRACTS), help="The properties of one contract.")
@click.option("--match", default="", help="Only properties whose name has this after `check_`.")
@click.option("--timeout", default=300, show_default=True, help="Seconds for the solver to decide one path.")
@click.option(
    "--defects/--no-defects", default=True, help="Whether each defect has to be noticed and each claim reached, too."
)
def cli(only: str | None, match: str, timeout: int, defects: bool):
    if not (HALMOS / "halmos").exists():
        raise click.ClickException("Halmos is not here: run `make .cache/halmos/.done`, which `make campaign` does")
    faults = []
    for name in [only] if only else CONTRACTS:
        if any(verdicts(name, match, timeout) or [1]):
            faults.append(f"{name}: not proved")
        if defects and set(verdicts(name, match, timeout, UNREACHED)) != {1}:
            faults.append(f"{name}: what is claimed may be claimed of nothing")
    for name, part, *change in DEFECTS:
        if defects and only in (None, name) and match in part and 1 not in verdicts(name, part, timeout, tuple(change)):
            faults.append(f"{name}: not noticed in {change[0]}: {change[2]}")
    for fault in faults:
        click.echo(fault)
    sys.exit(bool(faults))


if __name__ == "__main__":
    cli()
