"""What one line of a long list costs the event index: `python -m benchmarks.index [--postgres URL]`.

Behind each list are 50,000 rows: markets, bets of a market, events, predictions that stand, winners after nine tenths
are paid, predictions that can be purged, as many forfeited ones of a settled event, weeks, movements of an account,
accounts in the leaderboard. A block is mined and read before each request, so that nothing is answered from memory.
The first and the last line of each list are asked for (`limit=1`). The goal is 20 ms; no test asserts a time. Writes
benchmarks/index.json.
"""

import json
import random
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from fastapi.testclient import TestClient
from sqlalchemy import text
from web3 import Web3

from tessera.chain import EUR, WAD
from tessera.chain.blocks import Block
from tessera.chain.contract import EventLog
from tessera.chain.escrow import Entry, Kind
from tessera.chain.lmsr_markets import BetPlaced, MarketCreated
from tessera.chain.prediction_events import Claimed, EventCreated, EventSettled, Predicted
from tessera.chain.prize_pool import PeriodClosed
from tessera.chain.staking_pool import Forfeited
from tessera.index import Index
from tessera.index.api import app_of
from tessera.model.lmsr import Outcome
from tests.unit.index.conftest import PEOPLE, chance_log, rows_of
from tests.unit.index.node import Node, deployment

MANY = 50_000
GOAL = 0.02  # seconds
REPORT = Path(__file__).parent / "index.json"
WHALE, SOMEBODY = map(Web3.to_checksum_address, PEOPLE[:2])
PAID, OPEN, FORFEITED, FORFEITED_AND_SETTLED = 1, 2, 3, 4  # events
PATHS = (
    "/markets",
    "/markets/1/prices",
    "/events",
    f"/events/{PAID}/predictors",
    f"/events/{PAID}/winners",
    f"/events/{OPEN}/predictors",
    f"/events/{FORFEITED_AND_SETTLED}/winners",
    "/forfeited",
    "/weeks",
    f"/accounts/{WHALE}/ledger",
    "/leaderboard",
)


def row(kind: type[EventLog], /, **fields) -> dict:
    """A log with the least that matters here."""
    rng = random.Random(1)
    return chance_log(rng, kind, **fields)


def filled(url: str, node: Node) -> Index:
    """An index of a chain with all that is asked for."""
    people = [Web3.to_checksum_address(f"0x{number:040x}") for number in range(1, MANY + 1)]
    product, first_pot = deployment().address_of("LmsrMarkets"), (1).to_bytes(32, "big")
    terms = {"p0": WAD // 2, "b": 5 * WAD}
    yes_or_no = {"outcomes": ["no", "yes"], "start_block": 1, "stop_block": 10**9}
    bet = {"market_id": 1, "side": Outcome.YES, "stake": EUR, "shares": 2 * WAD, "price_after": WAD // 2}
    entry = {"product": product, "pot": first_pot, "kind": Kind.BET_DEBIT, "amount": EUR}

    def many(kind: type[EventLog], name: str, values: Iterable, /, **fields) -> list[EventLog]:
        return [_made(kind, {**fields, name: value}) for value in values]

    def settled(event_id: int) -> list[EventLog]:
        return many(EventSettled, "event_id", [event_id], outcome=1, tickets=5, prize=10**12)

    index = Index(url, node.web3, deployment())
    for rows in (
        [_made(MarketCreated, {"market_id": i, "creator": who, **terms}) for i, who in enumerate(people, 1)],
        many(EventCreated, "event_id", range(1, MANY + 1), **yes_or_no),
        *(
            many(Predicted, "account", people, event_id=event, outcome=1)
            for event in (FORFEITED, FORFEITED_AND_SETTLED)
        ),
        many(Forfeited, "account", people, number=0),
        *(many(Predicted, "account", people, event_id=event, outcome=1) for event in (PAID, OPEN)),
        settled(PAID) + settled(FORFEITED_AND_SETTLED),
        # Who predicted last waits: all others have to be known as paid.
        many(Claimed, "account", people[: -MANY // 10], event_id=PAID, amount=10**6),
        many(BetPlaced, "account", people, **bet),
        many(PeriodClosed, "period", range(MANY)),
        many(Entry, "account", people, **entry),
        many(Entry, "balance_after", range(MANY), account=WHALE, **entry),
    ):
        _put(index, node, rows)
    return index


def spent(index: Index) -> float:
    """Seconds of CPU of this process, in which SQLite works, and of the processes of a PostgreSQL on this machine."""
    seconds = time.process_time()
    if index.engine.dialect.name != "sqlite":
        with index.engine.connect() as db:
            pids = db.scalars(text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")).all()
        seconds += sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9
    return seconds


def measured(client: TestClient, index: Index, node: Node, path: str, offset: int) -> tuple[float, dict]:
    """Seconds of CPU of a request just after a block with news of everything, the least of five, and the answer."""
    took = []
    for _ in range(5):
        product = deployment().address_of("LmsrMarkets")
        entry = row(Entry, account=SOMEBODY, product=product, pot=b"\0" * 31 + b"\1", kind=Kind.BET_DEBIT, amount=EUR)
        node.mine([row(Predicted, event_id=5, account=SOMEBODY, outcome=0), entry])
        index.sync()
        begun = spent(index)
        answer = client.get(path, params={"limit": 1, "offset": offset})
        took.append(spent(index) - begun)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["answers"]) == 1, (path, offset)
    return min(took), answer.json()


def _made(kind: type[EventLog], fields: dict) -> EventLog:
    """A row as it is read from a log, without the log: encoding and decoding 600,000 takes minutes."""
    if kind not in _SAMPLES:
        node = Node()
        node.mine([row(kind)])
        (_SAMPLES[kind],) = rows_of(node)
    return kind(**{**vars(_SAMPLES[kind]), **fields})


_SAMPLES: dict[type[EventLog], EventLog] = {}


def _put(index: Index, node: Node, rows: list[EventLog]) -> None:
    node.mine([])
    number, block = len(node.blocks) - 1, node.blocks[-1]
    placed = [type(row)(**{**vars(row), "block": number, "log_index": i}) for i, row in enumerate(rows)]
    assert index._store(index.head(), [Block(number, block.hash, block.timestamp)], placed)


@click.command()
@click.option("--postgres", help="URL of an empty PostgreSQL database, measured besides SQLite.")
def main(postgres: str | None) -> None:
    """Measures and writes the report."""
    report = {}
    with TemporaryDirectory() as folder:
        for url in filter(None, (f"sqlite:///{folder}/index.db", postgres)):
            node = Node()
            index = filled(url, node)
            client = TestClient(app_of(index))
            name = index.engine.dialect.name
            if name == "postgresql":  # as it does by itself within a minute or two
                with index.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
                    db.execute(text("VACUUM ANALYZE"))
            report[name] = {}
            for path in PATHS:
                first, answer = measured(client, index, node, path, 0)
                last, _ = measured(client, index, node, path, answer["total"] - 1)
                verdict = "" if max(first, last) <= GOAL else f"  over {GOAL * 1000:.0f} ms"
                shown = path.split("/0x")[0]
                figures = {
                    "total": answer["total"],
                    "first_ms": round(first * 1000, 1),
                    "last_ms": round(last * 1000, 1),
                }
                report[name][shown] = figures
                click.echo(
                    f"{name:11}{shown:24} {first * 1000:8.1f} {last * 1000:8.1f} ms  {answer['total']:>8}{verdict}"
                )
            index.engine.dispose()
    REPORT.write_text(json.dumps({"rows": MANY, "goal_ms": GOAL * 1000, **report}, indent=2) + "\n")


if __name__ == "__main__":
    main()
