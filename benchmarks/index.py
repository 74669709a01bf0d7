"""What one page of a long list costs the event index: `python -m benchmarks.index`.

An event with 50,000 predictors, all of them paid but one in ten, and a market with 50,000 bets. The goal is 20 ms for
`limit=1` of any list; no test asserts a time.
"""

import random
import time
from tempfile import TemporaryDirectory

from fastapi.testclient import TestClient

from tessera.chain.escrow import Entry
from tessera.chain.lmsr_markets import BetPlaced, MarketCreated
from tessera.chain.prediction_events import Claimed, EventCreated, EventSettled, Predicted
from tessera.chain.prize_pool import PeriodClosed
from tessera.index import Index
from tessera.index.api import app_of
from tests.unit.index.conftest import PEOPLE, chance_log
from tests.unit.index.node import Node, deployment

MANY = 50_000
GOAL = 0.02  # seconds
PATHS = (
    "/health",
    "/markets",
    "/markets/1/prices",
    "/events",
    "/events/1/predictors",
    "/events/1/winners",
    "/events/2/predictors",
    "/forfeited",
    "/weeks",
    f"/accounts/{PEOPLE[0]}/ledger",
)


def filled(folder: str) -> Index:
    """An index of a chain with all that is asked for."""
    rng, node = random.Random(1), Node()
    people = [f"0x{number:040x}" for number in range(1, MANY + 1)]
    outcomes = ["no", "yes"]
    blocks = [
        [
            chance_log(rng, EventCreated, event_id=event, outcomes=outcomes, start_block=1, stop_block=9)
            for event in (1, 2)
        ],
        [chance_log(rng, MarketCreated, market_id=1)],
    ]
    blocks += [
        [chance_log(rng, Predicted, event_id=event, account=one, outcome=1) for one in people] for event in (1, 2)
    ]
    blocks.append([chance_log(rng, EventSettled, event_id=1, outcome=1, tickets=5, prize=10**12)])
    blocks.append([chance_log(rng, Claimed, event_id=1, account=one, amount=10**6) for one in people[MANY // 10 :]])
    blocks.append([chance_log(rng, BetPlaced, market_id=1, account=one) for one in people])
    blocks.append([chance_log(rng, PeriodClosed, period=number) for number in range(MANY)])
    blocks.append([chance_log(rng, Entry, account=PEOPLE[0]) for _ in range(MANY)])
    node.mine(*blocks)
    index = Index(f"sqlite:///{folder}/index.db", node.web3, deployment())
    index.sync()
    return index


def main() -> None:
    with TemporaryDirectory() as folder:
        client = TestClient(app_of(filled(folder)))
        for path in PATHS:
            took = []
            for _ in range(5):
                begun = time.process_time()
                answer = client.get(path, params={"limit": 1})
                took.append(time.process_time() - begun)
            total = answer.json().get("total", "")
            verdict = "" if min(took) <= GOAL else f"  over {GOAL * 1000:.0f} ms"
            print(f"{path.split('/0x')[0]:24} {min(took) * 1000:8.1f} ms of CPU  {total:>8}{verdict}")


if __name__ == "__main__":
    main()
