"""An index over a chain that the test writes."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tessera.chain.contract import EventLog, decode_logs, fields_of
from tessera.chain.escrow import Kind
from tessera.index import Index
from tessera.index.derived import payments, predictions
from tessera.index.schema import blocks, table_of
from tessera.model.lmsr import Outcome

# One deployed club on the embedded chain, and what can be done in it.
from tests.embedded_club import (  # noqa: F401
    bet,
    bettor,
    creator,
    deployed,
    market,
    other_bettor,
    owner,
    settle,
    stranger,
    tessera,
    travel,
    web3,
)
from tests.unit.index.node import KINDS, Node, deployment, inputs, log

NUMBERS = (0, 1, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 10**30, 2**256 - 1)
TEXTS = ("", "Wer gewinnt? ⚽", 'it\'s 100 %; -- \\ "x"', "a\nb\tc")
PEOPLE = [f"0x{i:040x}" for i in range(0xA1, 0xA6)]
ALL_KINDS = list(KINDS)


def _value(abi_type: str, kind: type, name: str, rng: random.Random):
    if issubclass(kind, Outcome | Kind):
        return rng.choice(list(kind))
    if name in ("market_id", "event_id"):
        return rng.choice((1, 2))
    if abi_type.endswith("[]"):
        return [_value(abi_type[:-2], str, "", rng) for _ in range(rng.randrange(4))]
    choices = {"uint256": NUMBERS, "address": PEOPLE, "bool": (True, False), "string": TEXTS}
    if abi_type in choices:
        return rng.choice(choices[abi_type])
    if abi_type == "int256":
        return rng.choice((-(2**63) + 1, -1, 0, 2**255 - 1))
    if abi_type.startswith("uint"):
        return rng.randrange(2 ** min(8, int(abi_type.removeprefix("uint"))))
    return rng.randbytes(32)  # bytes32, bytes


def _drawn(item: dict, kind: type, rng: random.Random):
    if item["type"].startswith("tuple"):
        drawn = [tuple(_drawn(part, object, rng) for part in item["components"]) for _ in range(2)]
        return drawn if item["type"].endswith("[]") else drawn[0]
    return _value(item["type"], kind, item["name"], rng)


def chance_log(rng: random.Random, kind: type[EventLog] | None = None, /, **fields) -> dict:
    """An event of a kind (any if None) with fields by chance, but for those named."""
    kind = kind or rng.choice(ALL_KINDS)
    kinds = fields_of(kind)
    drawn = {item["name"]: _drawn(item, kinds[item["name"]], rng) for item in inputs(kind)}
    return log(kind, **(drawn | fields))


def rows_of(node: Node) -> list[EventLog]:
    """What the chain says, read without an index."""
    with_formats = node.web3.eth.get_logs
    node.before = lambda method: None
    addresses = list(deployment().addresses.values())
    last = len(node.blocks) - 1
    return list(decode_logs(with_formats({"fromBlock": 0, "toBlock": last, "address": addresses})))


def dump(index: Index) -> tuple:
    """All that is in an index: its head, every row, what is derived of them, and the blocks with logs."""
    with index.engine.connect() as db:
        return (
            index.head(),
            {kind: db.execute(table_of(kind).select().order_by("block", "log_index")).all() for kind in ALL_KINDS},
            [db.execute(table.select().order_by(*table.primary_key)).all() for table in (predictions, payments)],
            db.execute(blocks.select().where(blocks.c.logs > 0).order_by("number")).all(),
        )


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture(scope="session")
def empty(tmp_path_factory) -> Path:
    """An index of nothing, to be copied: making its tables takes longer than most tests."""
    path = tmp_path_factory.mktemp("index") / "empty.db"
    index = Index(f"sqlite:///{path}", Node().web3, deployment())
    index.engine.dispose()  # the last one to leave writes everything into the one file
    return path


def open_copy(empty: Path, path: Path, node: Node, **options) -> Index:
    """The index of a file, an empty one if there is none."""
    if not path.exists():
        shutil.copy(empty, path)
    return Index(f"sqlite:///{path}", node.web3, deployment(), **options)


@pytest.fixture
def open_index(tmp_path, empty) -> Callable[..., Index]:
    """Opens an index of a node's chain, always the same one."""

    def open_it(node: Node, **options) -> Index:
        return open_copy(empty, tmp_path / "index.db", node, **options)

    return open_it
