"""Gas of every external function.

`python -m benchmarks.gas --check` measures on the embedded chain and compares with `snapshots/gas.json`; `--write`
renews the snapshot; `--anvil` measures on anvil and prints and writes the figures beside the peers', and how gas grows.
"""

import json
from collections.abc import Callable

import click
from rich.console import Console
from rich.table import Table

from benchmarks import friends, hosted, picture, sessions, tickets
from benchmarks.chains import Anvil, Chain, Embedded
from benchmarks.growth import SERIES, Points
from tessera.deployment.artifacts import ROOT, compiled

SNAPSHOT = ROOT / "snapshots" / "gas.json"
PUBLISHED = ROOT / "benchmarks" / "gas.json"
GROWTH = ROOT / "benchmarks" / "growth.json"
PICTURE = ROOT / "benchmarks" / "growth.svg"
PEERS = ROOT / "benchmarks" / "peers.json"
SCENARIOS = [friends, tickets, sessions, hosted]
CONTRACTS = [
    "Escrow",
    "PlayEuro",
    "LmsrMarkets",
    "Panels",
    "BetToken",
    "StakingPool",
    "PredictionEvents",
    "PrizePool",
    "MicroSessions",
    "ProrataBets",
    "OddsBets",
]
# Not measured alone: snekmate's own functions; those that only another contract may call, inside its figures; and
# `purge`, which needs a forfeiture, and that a call which has all the gas it wants fails.
ELSEWHERE = {
    *("permit", "approve", "transfer_ownership", "accept_ownership"),
    *("transfer", "transferFrom", "mint", "on_stake", "open_event", "take_prize"),
    "purge",
}


def measure(start: Callable[[], Chain]) -> dict[str, int]:
    """Run every scenario on a chain of its own and give gas by name, the first measurement of each; fails where an
    external function was never measured. So no scenario changes another's addresses, and with them signatures."""
    gas: dict[str, int] = {}
    for scenario in SCENARIOS:
        chain = start()
        try:
            scenario.run(chain)
        finally:
            chain.close()
        gas = chain.gas | gas
    covered = {name.split(" (")[0] for name in gas}
    missing = [
        f"{name}.{item['name']}"
        for name in CONTRACTS
        for item in compiled(name).abi
        if item["type"] == "function" and item["stateMutability"] not in ("view", "pure")
        if item["name"] not in ELSEWHERE and f"{name}.{item['name']}" not in covered
    ]
    if missing:
        raise click.ClickException("no gas was measured of " + ", ".join(missing))
    return dict(sorted(gas.items()))


def compare(known: dict[str, int], measured: dict[str, int]) -> list[str]:
    """What differs between two measurements, a line each."""
    return [
        f"{name}: {known.get(name)} -> {measured.get(name)}"
        for name in sorted(known.keys() | measured.keys())
        if known.get(name) != measured.get(name)
    ]


def publish(measured: dict[str, int]) -> dict[str, int]:
    """The figures under their published names."""
    return {key: measured[name] for scenario in SCENARIOS for key, name in scenario.PUBLISHED.items()}


def grow() -> dict[str, Points]:
    """Measure every series on an anvil of its own; draw it, and print it."""
    measured = {}
    for key, series in SERIES.items():
        chain = Anvil()
        try:
            measured[key] = series.measure(chain, series.counts)
        finally:
            chain.close()
        Console(width=120).print(picture.table(series, measured[key]))
    GROWTH.write_text(json.dumps(measured, indent=2) + "\n")
    PICTURE.write_text(picture.svg([(series, measured[key]) for key, series in SERIES.items()]))
    return measured


def show(measured: dict[str, int]) -> None:
    """Print our figures beside the peers' and the goals, a table for each scenario."""
    rows = json.loads(PEERS.read_text())
    for scenario in SCENARIOS:
        keys = [*scenario.PUBLISHED, *(["history_lookup_500"] if scenario is tickets else [])]
        peers = list(dict.fromkeys(peer for key in keys for peer in rows[key]["peers"]))
        table = Table(title=f"Gas of {scenario.TITLE}, each transaction alone in its block")
        for column in ["action", *peers, "goal", "Tessera"]:
            table.add_column(column, justify="left" if column == "action" else "right")
        for key in keys:
            row = rows[key]
            colour = "green" if measured[key] <= row["goal"] else "red"
            cells = [f"{row['peers'][peer]:,}" if peer in row["peers"] else "" for peer in peers]
            table.add_row(row["action"], *cells, f"{row['goal']:,}", f"[{colour}]{measured[key]:,}[/]")
        Console(width=120).print(table)


@click.command(help=__doc__)
@click.option("--check", "mode", flag_value="check", default=True, help="Compare with the snapshot (the default).")
@click.option("--write", "mode", flag_value="write", help="Renew the snapshot.")
@click.option("--anvil", "mode", flag_value="anvil", help="Measure on anvil, beside the peers' figures.")
def cli(mode: str):
    if mode == "anvil":
        measured = publish(measure(Anvil))
        measured["history_lookup_500"] = grow()["history_by_checkpoints"][500]
        PUBLISHED.write_text(json.dumps(measured, indent=2) + "\n")
        show(measured)
        return
    measured = measure(Embedded)
    if mode == "write":
        SNAPSHOT.parent.mkdir(exist_ok=True)
        SNAPSHOT.write_text(json.dumps(measured, indent=2) + "\n")
    known = json.loads(SNAPSHOT.read_text()) if SNAPSHOT.exists() else {}
    if differences := compare(known, measured):
        raise click.ClickException("gas changed (`make snapshot` if it is meant):\n" + "\n".join(differences))
    click.echo(f"gas of {len(measured)} calls is as in {SNAPSHOT.relative_to(ROOT)}")


if __name__ == "__main__":
    cli()
