"""The keeper at scale: thousands of predictors on anvil, half of them right, paid by one command that is killed and
started again. `--write` keeps the figures in benchmarks/keeper.json, beside PoolTogether's."""

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.chains import ROOT, Anvil
from benchmarks.figures import show
from benchmarks.growth import GAS_OF_PERSON
from tessera.chain.errors import NodeError
from tessera.chain.prediction_events import Claimed
from tessera.deployment.deploy import code_of
from tests.staked import KEEPER, World

PUBLISHED = ROOT / "benchmarks" / "keeper.json"
PEERS = ROOT / "benchmarks" / "peers.json"
KEY = "prize_claim_batched"
STAKE = 10 * 10**6


def measure(people: int) -> dict:
    """Seeds so many predictors, lets the command pay half of them, and says what that took. Fails where anybody is paid
    twice or not at all."""
    chain = Anvil()
    try:
        with TemporaryDirectory() as folder:
            return _measure(chain, people, Path(folder))
    finally:
        chain.close()


def _measure(chain: Anvil, people: int, folder: Path) -> dict:
    started = time.monotonic()
    world = World(chain.web3, code_of)
    event = _seed(chain, world, people)
    seeded = time.monotonic() - started
    record = folder / "devnet.json"
    world.record.save(record)
    command = [
        *(str(Path(sys.executable).parent / "ape"), "run", "keeper", "run", "--account", f"TEST::{KEEPER}"),
        *("--network", f"ethereum:local:{chain.web3.provider.endpoint_uri}", "--record", str(record)),
        *("--index", f"sqlite:///{folder / 'index.sqlite'}", "--reports", str(folder)),
    ]
    started = time.monotonic()
    killed_after = _kill_after_a_batch(chain, world, event, command)
    # What is left: without a terminal the bar is not drawn.
    done = subprocess.run(command, cwd=ROOT, check=False)
    seconds = time.monotonic() - started
    if done.returncode:
        raise SystemExit(f"the keeper ended with {done.returncode}")
    return _result(chain, world, event, people) | {
        "killed_after": killed_after,
        "seconds_to_seed": round(seeded),
        "seconds_to_pay": round(seconds),
    }


def _seed(chain: Anvil, world: World, people: int) -> int:
    crowd = chain.deploy("tests/mocks/Crowd")
    event = world.event()
    where = (world.pool.address, world.events.address, world.token("USDC"), STAKE, event, 2)
    at_once = chain.limit // GAS_OF_PERSON // 2 * 2  # even: half of each part is right
    for first in range(0, people, at_once):
        chain.send(crowd, "gather", min(at_once, people - first), *where, measure=False)
    world.earn(max(10, people // 50))
    world.finish(event, 1)
    world.friday()
    return event


def _kill_after_a_batch(chain: Anvil, world: World, event: int, command: list[str]) -> int:
    """Starts the command and kills it when some winners are paid; how many they were."""
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    while running.poll() is None:
        time.sleep(0.02)
        try:
            result = world.events.result_of(event)
        except NodeError:
            continue  # anvil sometimes cannot read a block in the instant in which the next one is mined
        if result.settled and result.unpaid < result.prize:
            running.kill()
    return len(_claims(chain, world))


def _claims(chain: Anvil, world: World) -> list[Claimed]:
    return [row for row in world.tessera.log_reader().read() if isinstance(row, Claimed)]


def _result(chain: Anvil, world: World, event: int, people: int) -> dict:
    claims = _claims(chain, world)
    winners = people // 2
    assert len({row.account for row in claims}) == len(claims) == winners
    assert world.events.result_of(event).unpaid == 0
    assert all(world.balance(row.account) == row.amount for row in claims[::100])
    batches = {row.transaction for row in claims}
    gas = sum(chain.web3.eth.get_transaction_receipt(batch)["gasUsed"] for batch in batches)
    peers = json.loads(PEERS.read_text())[KEY]
    return {
        "predictors": people,
        "winners": winners,
        "transactions": len(batches),
        "gas_a_winner": round(gas / winners),
        "goal": peers["goal"],
        **peers["peers"],
    }


@click.command(help=__doc__)
@click.option("--people", default=10_000, show_default=True, type=click.IntRange(4))
@click.option("--write", is_flag=True, help="Keep the figures.")
def cli(people: int, write: bool):
    measured = measure(people)
    show("The keeper at scale", measured, PUBLISHED if write else None)
    if measured["gas_a_winner"] > measured["goal"]:
        raise click.ClickException("a winner costs more than the goal")


if __name__ == "__main__":
    cli()
