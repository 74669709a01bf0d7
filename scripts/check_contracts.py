"""Compile every deployable with warnings as errors, and hold it to the rules of the house.

`python scripts/check_contracts.py` compares runtime sizes with `snapshots/sizes.json`; `--write` renews it.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
SNAPSHOT = ROOT / "snapshots" / "sizes.json"
LIMIT = 24_576  # EIP-170; the compiler only warns
HEADER = ["# pragma version 0.4.3", "# pragma nonreentrancy on"]


def runtime_size(path: Path) -> int:
    """Bytes of runtime code of one contract, compiled with warnings as errors."""
    out = subprocess.run(  # noqa: S603 - our own compiler on our own files
        [str(Path(sys.executable).parent / "vyper"), "-Werror", "-f", "bytecode_runtime", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if out.returncode:
        raise click.ClickException(f"{path.relative_to(ROOT)} does not compile:\n{out.stderr}")
    return (len(out.stdout.strip()) - 2) // 2


def faults(path: Path, *, deployable: bool) -> list[str]:
    """What a contract's text breaks of the rules that a compiler cannot see."""
    text = path.read_text()
    faults = []
    if text.splitlines()[:2] != HEADER:
        faults.append(f"the first two lines are not {HEADER}")
    if deployable and "@custom:halt" not in text:
        faults.append("no @custom:halt says how it is stopped")
    faults += [f"line {n} is over 120 columns" for n, line in enumerate(text.splitlines(), 1) if len(line) > 120]
    faults += [f"reason over 32 bytes: {r}" for r in re.findall(r'assert .*?, "([^"]+)"', text) if len(r.encode()) > 32]
    return faults


@click.command(help=__doc__)
@click.option("--write", is_flag=True, help="Renew the snapshot of sizes.")
def cli(write: bool):
    contracts = sorted((ROOT / "contracts").glob("*.vy")) + sorted((ROOT / "contracts" / "devnet").glob("*.vy"))
    problems = []
    for path in contracts + sorted((ROOT / "contracts" / "modules").glob("*.vy")):
        deployable = path.parent.name == "contracts"
        problems += [f"{path.relative_to(ROOT)}: {fault}" for fault in faults(path, deployable=deployable)]
    sizes = {path.stem: runtime_size(path) for path in contracts}
    problems += [f"{name}: {size} bytes, over {LIMIT}" for name, size in sizes.items() if size > LIMIT]
    if write:
        SNAPSHOT.parent.mkdir(exist_ok=True)
        SNAPSHOT.write_text(json.dumps(sizes, indent=2) + "\n")
    known = json.loads(SNAPSHOT.read_text()) if SNAPSHOT.exists() else {}
    for name in sorted(sizes.keys() | known.keys()):
        click.echo(f"{name:20} {sizes.get(name, 0):>7,} bytes")
        if sizes.get(name) != known.get(name):
            problems.append(f"{name}: {known.get(name)} -> {sizes.get(name)} bytes; `make snapshot` if it is meant")
    if problems:
        raise click.ClickException("\n".join(problems))


if __name__ == "__main__":
    cli()
