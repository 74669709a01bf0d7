"""The read API: freshness, paging, amounts as strings, what is refused; and the thread that keeps up with the chain."""

import random
import re
from pathlib import Path
from threading import Event

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter
from sqlalchemy import event

from tessera.chain import EUR, WAD, Outcome
from tessera.chain.escrow import Entry
from tessera.chain.lmsr_markets import BetPlaced, MarketCreated, MarketFinalized
from tessera.chain.prediction_events import Claimed, EventCreated, EventSettled
from tessera.chain.prize_pool import PeriodClosed
from tessera.index import Index, Snapshot
from tessera.index.answers import Standing
from tessera.index.api import app_of
from tessera.index.snapshot import NoIndexError
from tessera.index.syncer import Syncer
from tests.unit.index.conftest import PEOPLE, chance_log
from tests.unit.index.node import Node, deployment

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def index(node, open_index) -> Index:
    return open_index(node)


@pytest.fixture
def client(index) -> TestClient:
    return TestClient(app_of(index))


@pytest.fixture
def weeks(node, index) -> list[int]:
    """Five closed weeks, each with more revenue than a float holds."""
    pools = [2**100 + number for number in range(5)]
    for number, pool in enumerate(pools):
        node.mine([chance_log(random.Random(1), PeriodClosed, period=number, pool=pool)])
    index.sync()
    return pools


@pytest.fixture
def club(tessera, bettor, market, bet, tmp_path):
    """The API of a club with one bet, and the club."""
    bet(bettor, market, Outcome.YES)
    index = Index(f"sqlite:///{tmp_path}/club.db", tessera.web3, tessera.deployment)
    index.sync()
    return TestClient(app_of(index)), tessera


def test_an_answer_says_as_of_which_block_it_is_true(client, node, weeks):
    answer = client.get("/weeks")
    block = node.blocks[5]
    body = answer.json()
    assert (body["block"], body["block_hash"], body["block_time"]) == (5, block.hash, block.timestamp)
    assert answer.headers["etag"] == f'"{block.hash}"'
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("form", ["{}", "W/{}", '"another", {}'])
def test_nothing_new_is_not_sent_again(client, node, index, weeks, form):
    tag = client.get("/weeks").headers["etag"]
    again = client.get("/weeks", headers={"If-None-Match": form.format(tag)})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    node.drop(1)
    node.mine([])
    index.sync()
    after = client.get("/weeks", headers={"If-None-Match": tag})
    assert after.status_code == 200
    assert after.json()["total"] == 4


def test_amounts_are_decimal_strings_with_a_unit(client, weeks):
    assert [week["pool"] for week in client.get("/weeks").json()["answers"]] == list(map(str, weeks))
    schema = client.get("/openapi.json").json()["components"]["schemas"]["Week"]["properties"]["pool"]
    assert (schema["type"], schema["description"]) == ("string", "the prize token's smallest unit")


@pytest.mark.parametrize(
    ("query", "periods"),
    [("", [0, 1, 2, 3, 4]), ("?limit=2", [0, 1]), ("?offset=3&limit=2", [3, 4]), ("?offset=4", [4]), ("?offset=9", [])],
)
def test_a_page_of_a_list(client, weeks, query, periods):
    body = client.get(f"/weeks{query}").json()
    assert body["total"] == 5
    assert [week["period"] for week in body["answers"]] == periods


@pytest.fixture
def crowd(node, index) -> Index:
    """Five markets and five events with bets, ends and payments by chance."""
    rng = random.Random(1)
    for number in range(1, 6):
        terms = {"p0": WAD // 2, "b": WAD}
        node.mine([chance_log(rng, MarketCreated, market_id=number, **terms)])
        node.mine([chance_log(rng, EventCreated, event_id=number)])
    for _ in range(40):
        bet, paid = (chance_log(rng, kind, **{name: rng.randrange(1, 6)}) for kind, name in MOVES)
        node.mine([bet, paid])
    node.mine([chance_log(rng, MarketFinalized, market_id=4, outcome=Outcome.NO)])
    node.mine([chance_log(rng, EventSettled, event_id=2, outcome=0, tickets=5, prize=2**255)])
    index.sync()
    return index


MOVES = ((BetPlaced, "market_id"), (Claimed, "event_id"))


@pytest.mark.parametrize(("path", "number"), [("markets", "market_id"), ("events", "event_id")])
@pytest.mark.parametrize(("offset", "limit"), [(0, 5), (0, 2), (3, 1), (1, 3), (4, 9), (5, 1)])
def test_a_page_of_markets_or_events_is_that_part_of_all(client, crowd, path, number, offset, limit):
    whole = client.get(f"/{path}").json()["answers"]
    assert [one[number] for one in whole] == [1, 2, 3, 4, 5]
    body = client.get(f"/{path}?offset={offset}&limit={limit}").json()
    assert (body["total"], body["answers"]) == (5, whole[offset : offset + limit])
    assert all(client.get(f"/{path}/{one[number]}").json()["answer"] == one for one in body["answers"])
    with crowd.snapshot() as seen:
        assert len(getattr(seen, path)()) == 5
        assert getattr(seen, path)() == getattr(seen, path)(limit=5)


def test_a_page_of_markets_reads_the_bets_of_no_other(client, crowd):
    read = []
    event.listen(crowd.engine, "before_cursor_execute", lambda *call: read.append((call[2], call[3])))
    client.get("/markets?offset=1&limit=2")
    asked = [parameters for statement, parameters in read if "FROM lmsr_markets_bet_placed" in statement]
    assert asked
    assert {parameters[0] for parameters in asked} == {2, 3}


PRODUCT = deployment().address_of("LmsrMarkets")


def entry(rng: random.Random, market_id: int, **fields) -> dict:
    """A movement of a market's pot."""
    return chance_log(rng, Entry, product=PRODUCT, pot=market_id.to_bytes(32, "big"), **fields)


def some_blocks(node: Node, rng: random.Random, count: int) -> None:
    """Bets, movements and ends of three markets by chance."""
    for _ in range(count):
        market_id, side = rng.randrange(1, 4), rng.choice((Outcome.YES, Outcome.NO))
        bet = {"market_id": market_id, "side": side, "stake": EUR, "shares": rng.randrange(1, 5) * WAD}
        logs = [chance_log(rng, BetPlaced, price_after=rng.randrange(WAD), **bet), entry(rng, market_id, amount=EUR)]
        if rng.random() < 0.1:
            logs.append(chance_log(rng, MarketFinalized, market_id=market_id))
        node.mine(logs)


def test_the_leaderboard_goes_on_where_it_was(client, node, index):
    """Page by page it is what is counted afresh, after blocks that were added and blocks that were taken back."""
    rng = random.Random(1)
    node.mine([chance_log(rng, MarketCreated, market_id=number, p0=WAD // 2, b=WAD) for number in (1, 2, 3)])
    for taken_back in (0, 0, 1, 3, 0, 9, 0):
        node.drop(taken_back)
        some_blocks(node, rng, 6)
        node.mine([])
        index.sync()
        with index.snapshot() as seen:
            afresh = seen.leaderboard()
        pages = [client.get(f"/leaderboard?limit=2&offset={offset}").json() for offset in range(0, len(afresh), 2)]
        assert {(page["total"], page["block_hash"]) for page in pages} == {(len(afresh), node.blocks[-1].hash)}
        body = [line for page in pages for line in page["answers"]]
        assert body == [TypeAdapter(Standing).dump_python(line, mode="json") for line in afresh]
        assert [int(line["profit"]) for line in body] == sorted((int(line["profit"]) for line in body), reverse=True)


def test_the_leaderboard_reads_what_is_new_alone(client, node, index):
    rng, read = random.Random(1), []
    node.mine([chance_log(rng, MarketCreated, market_id=number, p0=WAD // 2, b=WAD) for number in (1, 2, 3)])
    some_blocks(node, rng, 20)
    index.sync()
    before = client.get("/leaderboard").json()
    some_blocks(node, rng, 2)
    index.sync()
    event.listen(index.engine, "before_cursor_execute", lambda *call: read.append((call[2], call[3])))
    after = client.get("/leaderboard").json()
    assert after["answers"] != before["answers"]
    asked = {
        statement.split("FROM ")[1].split()[0]: parameters for statement, parameters in read if "FROM " in statement
    }
    assert {asked[table] for table in ("lmsr_markets_bet_placed", "entry", "market_finalized")} == {(21,)}


def test_a_leaderboard_that_failed_half_way_counts_nothing_twice(client, node, index, monkeypatch):
    rng = random.Random(1)
    node.mine([chance_log(rng, MarketCreated, market_id=number, p0=WAD // 2, b=WAD) for number in (1, 2, 3)])
    some_blocks(node, rng, 5)
    index.sync()
    whole, rows_after = TestClient(app_of(index)).get("/leaderboard").json(), Snapshot.rows_after

    def half(seen, *arguments):
        yield from list(rows_after(seen, *arguments))[:6]
        raise NoIndexError("the connection broke")

    monkeypatch.setattr(Snapshot, "rows_after", half)
    assert client.get("/leaderboard").status_code == 503
    monkeypatch.undo()
    assert client.get("/leaderboard").json() == whole


def test_the_leaderboard_is_not_sent_again(client, node, crowd):
    tag = client.get("/leaderboard").headers["etag"]
    assert client.get("/leaderboard", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    ("path", "indexes"),
    [
        ("/markets", ["market_created_in_order", "lmsr_markets_bet_placed_by_market_id"]),
        ("/markets/1/prices", ["lmsr_markets_bet_placed_by_market_id", "market_created_by_market_id"]),
        ("/events", ["event_created_in_order", "event_settled_by_event_id"]),
        ("/events/2/predictors", ["predictions_in_order", "event_created_by_event_id"]),
        ("/events/2/winners", ["predictions_by_outcome", "event_settled_by_event_id"]),
        ("/forfeited", ["predictions_purgeable"]),
        ("/weeks", ["period_closed_in_order"]),
        (f"/accounts/{PEOPLE[0]}/ledger", ["entry_by_account"]),
    ],
)
def test_a_page_is_cut_by_indexes_and_nothing_is_sorted(client, crowd, path, indexes):
    statements = []
    event.listen(crowd.engine, "before_cursor_execute", lambda *call: statements.append((call[2], call[3])))
    assert client.get(f"{path}?limit=1&offset=1").status_code == 200
    selects = [(statement, parameters) for statement, parameters in statements if statement.startswith("SELECT")]
    with crowd.engine.connect() as db:
        plans = [
            step.detail
            for statement, parameters in selects
            for step in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    assert set(indexes) <= {word for step in plans for word in step.split()}
    assert not [step for step in plans if "TEMP B-TREE" in step]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/weeks?limit=0", 422),
        ("/weeks?limit=1001", 422),
        ("/weeks?offset=-1", 422),
        (f"/weeks?offset={10**30}", 422),
        ("/events/1", 404),
        (f"/events/{2**255}/winners", 404),
        (f"/events/{2**256}", 422),
        ("/events/-1", 422),
        ("/markets/1/prices", 404),
        ("/accounts/0x12/ledger", 422),
        ("/accounts/nobody/portfolio", 422),
        ("/anything", 404),
    ],
)
def test_what_is_not_there_or_makes_no_sense(client, weeks, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_the_schema_names_what_else_is_answered(client):
    paths = client.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        answers = {"200", "304", "503"} | ({"404"} if "_id}" in path else set())
        assert answers <= set(methods["get"]["responses"]), path
        assert ("404" in methods["get"]["responses"]) == ("_id}" in path)


def test_nothing_can_be_written(client, weeks):
    paths = client.get("/openapi.json").json()["paths"]
    assert {method for path in paths.values() for method in path} == {"get"}
    assert client.post("/weeks").status_code == 405


def test_pages_of_any_origin_may_read(client, weeks):
    answer = client.get("/weeks", headers={"Origin": "https://elsewhere.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "ETag" in answer.headers["access-control-expose-headers"]
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    assert client.options("/weeks", headers=asked).status_code == 400


def test_before_anything_was_read(client):
    assert client.get("/weeks").status_code == 503
    body = client.get("/health").json()
    assert (body["block"], body["error"], body["chain_id"]) == (None, None, 31_337)
    assert body["contracts"] == deployment().addresses


def test_a_database_that_fails_is_said_without_naming_it(index, weeks):
    """It may be back soon: that is no reason for a client to believe that there is nothing."""
    client = TestClient(app_of(index))
    with index.engine.connect() as db:
        db.exec_driver_sql("DROP TABLE period_closed")
        db.commit()
    answer = client.get("/weeks")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {"detail": "nothing was read yet, or the database does not answer"}


def test_a_market_and_who_bet_in_it(club, bettor, market):
    client, tessera = club
    (body,) = client.get("/markets").json()["answers"]
    assert body == client.get(f"/markets/{market}").json()["answer"]
    assert (body["status"], body["outcome"], body["bets"], body["staked"]) == ("OPEN", None, 1, str(EUR))
    first, last = client.get(f"/markets/{market}/prices").json()["answers"]
    assert first["p_yes"] == str(WAD * 4 // 10)
    assert last["p_yes"] == body["p_yes"]
    mine = client.get(f"/accounts/{bettor.address}/portfolio").json()["answer"]
    assert mine == client.get(f"/accounts/{bettor.address.lower()}/portfolio").json()["answer"]
    assert mine["balance"] == str(tessera.escrow.balance_of(bettor.address))
    assert [(one["market_id"], one["profit"], one["no_odds"]) for one in mine["markets"]] == [(market, str(-EUR), None)]
    ledger = client.get(f"/accounts/{bettor.address}/ledger?offset=1").json()
    assert (ledger["total"], [line["kind"] for line in ledger["answers"]]) == (2, ["BET_DEBIT"])
    assert [one["profit"] for one in client.get("/leaderboard").json()["answers"]] == [str(-EUR), str(-10 * EUR)]


@pytest.mark.parametrize("path", ["/events", "/forfeited", "/weeks"])
def test_lists_of_a_deployment_without_tickets_are_empty(club, path):
    client, _ = club
    assert client.get(path).json()["answers"] == []


def test_a_thread_reads_on_while_the_app_lives(node, index):
    """And outlives a node that fails."""
    seen, failed, broken = Event(), Event(), Event()

    def before(method):
        if broken.is_set():
            failed.set()
            raise OSError("no node")

    node.before = before
    syncer = Syncer(index, every=0.01, checks=False)  # no contract logged what this chain has
    read_on = index.sync

    def sync(progress):
        rows = read_on(progress)
        seen.set()
        return rows

    index.sync = sync
    with TestClient(app_of(index, syncer)) as client:
        for blocks in (1, 2):
            node.mine([chance_log(random.Random(1), PeriodClosed)])
            seen.clear()
            assert seen.wait(20)
            seen.clear()
            assert seen.wait(20)
            assert client.get("/weeks").json()["total"] == blocks
        broken.set()
        assert failed.wait(20)
        failed.clear()
        assert failed.wait(20)
        assert client.get("/health").json()["error"] == "no answer to eth_getBlockByNumber (OSError): no node"
        assert client.get("/weeks").json()["total"] == 2
        broken.clear()
        seen.clear()
        assert seen.wait(20)
        seen.clear()
        assert seen.wait(20)
        assert client.get("/health").json()["error"] is None
    assert not syncer._thread.is_alive()


def test_the_page_names_every_path_and_none_besides(client):
    page = (ROOT / "docs" / "index.md").read_text()
    named = set(re.findall(r"`(/[a-z{}/]+)`", page)) - {"/docs", "/openapi.json"}
    paths = {re.sub(r"\{\w+_id\}", "{id}", path) for path in client.get("/openapi.json").json()["paths"]}
    assert named == paths
