"""The engine's door: the same commands over REST and WebSocket, and what is no message of this API."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from tessera.chain.errors import NodeError
from tessera.chain.micro_sessions import SessionOpened
from tessera.live.accounts import follow_text, limit_text, offer_text
from tessera.live.chain import News
from tessera.live.commands import COMMANDS
from tessera.live.refusals import Refused
from tessera.live.runner import Runner
from tessera.live.server import MOST_BYTES, Connection, _growing, app_of
from tessera.live.visitors import Visitor, Visitors
from tessera.live.wire import encode
from tests.live import DOMAIN, EUR, EVENT, STREAM, key


class NoChain:
    """A chain on which nothing happens, whose newest block is of this second."""

    tessera = None

    def __init__(self, stage, signs=lambda *_: False):
        """`signs` is what contract wallets say of an account, a text and a signature."""
        self.stage, self.is_signed_by_code = stage, signs

    def look(self) -> News:
        return News([], 1, self.stage.time // 1_000, False)


@pytest.fixture
def served(stage):
    """An engine behind its door, with an open session and question."""
    player, quoted = stage.opened(), stage.ask()
    with TestClient(app_of(Runner(stage.engine, NoChain(stage), None))) as client:
        yield client, stage, player, quoted


def bet_of(stage, player, quoted, **more) -> dict:
    session, state, signature = stage.signed(player, stage.next_state(player, stage.bet(quoted, **more)))
    return encode({"session": session, "state": state, "signature": signature})


def wish_of(stage, number: int, by: int | None = None, **more) -> dict:
    """What the wallet of a number asks for to be offered a session, signed by its key or that of another number."""
    at = more.get("at", stage.time)
    text = offer_text(DOMAIN, STREAM, key("session").address, EUR, None, at)
    signature = wallet(number if by is None else by).sign_message(text)
    body = {"player": wallet(number).address, "session_key": key("session").address, "deposit": EUR, "at": at}
    return encode(body | {"signature": signature})


def wallet(number: int):
    return key(f"wallet {number}")


def test_rest_takes_a_bet_and_gives_its_receipt(served):
    client, stage, player, quoted = served
    body = bet_of(stage, player, quoted)
    answer = client.post("/place", json=body)
    assert (answer.status_code, answer.json()["type"]) == (200, "receipt")
    assert answer.json()["state"] == body["state"]
    assert client.post("/place", json=body).json() == answer.json()
    line = client.get("/record", params={"first": answer.json()["receipt"]["n"], "count": 1}).json()
    assert line[0]["leaf"] == answer.json()["state_hash"]


def test_a_refusal_has_code_number_reason_and_the_house_s_signature(served):
    client, stage, player, quoted = served
    answer = client.post("/place", json=bet_of(stage, player, quoted, stake=1))
    body = answer.json()
    assert (answer.status_code, body["type"], body["code"], body["number"]) == (400, "refused", "stake", 40)
    assert body["reason"]
    assert {"refusal", "signature", "completed"} <= body.keys()


def test_what_there_is_to_read(served):
    client, stage, _, quoted = served
    about = client.get("/stream").json()
    assert (about["house_key"], about["n"]) == (stage.engine.house.address, str(stage.engine.published[0]))
    kinds = [message["type"] for message in client.get("/questions").json()]
    assert kinds[0] == "question"
    assert kinds.count("quote") == kinds.count("question")
    digest = encode(quoted.quote.question)
    assert [one["type"] for one in client.get(f"/questions/{digest}").json()] == ["question"]
    assert client.get("/questions/0x55").json()["code"] == "malformed"
    assert client.get(f"/questions/{encode(bytes(32))}").json()["code"] == "unknown_question"
    assert client.get("/record", params={"count": 0}).json()["code"] == "malformed"


def test_what_is_public_is_served_as_figures_and_files(stage, tmp_path, monkeypatch):
    monkeypatch.setattr("tessera.live.runner.PUBLISH_SECONDS", 0.02)
    player, quoted = stage.opened(), stage.ask()
    runner = Runner(stage.engine, NoChain(stage), None, files=tmp_path / "public")
    with TestClient(app_of(runner)) as client:
        client.post("/place", json=bet_of(stage, player, quoted, stake=1))
        client.post("/place", json=bet_of(stage, player, quoted))
        stage.time += 1_000
        while (told := client.get("/fairness").json())["accepted"] != "2":  # the activation, and a bet
            time.sleep(0.05)
        assert (told["type"], told["refusals"], told["files"]) == ("fairness", {"stake": "1"}, "/files/")
        for name in ("stream.json", "record-1.jsonl", "fairness.json"):
            assert client.get(f"/files/{name}").text == (tmp_path / "public" / name).read_text()
        assert json.loads(client.get("/files/fairness.json").text)["refusals"] == {"stake": 1}
        assert client.get("/files/stream.db").json()["code"] == "malformed"
        assert "/fairness" in client.get("/openapi.json").json()["paths"]
        with client.websocket_connect("/ws") as socket:
            socket.send_json({"id": 1, "do": "fairness"})
            while (answer := socket.receive_json()).get("id") != 1:
                pass
        assert answer == {"id": 1, **client.get("/fairness").json()}


def test_a_file_that_grows_is_sent_as_long_as_it_was(stage, tmp_path):
    path = tmp_path / "record-1.jsonl"
    path.write_bytes(b"1" * 200_000)
    response = _growing(path, Visitor(Visitors(None, 1), "somebody"))
    with path.open("ab") as file:
        file.write(b"2" * 10)

    async def content() -> bytes:
        return b"".join([part async for part in response.body_iterator])

    assert response.headers["content-length"] == "200000"
    assert asyncio.run(content()) == b"1" * 200_000


def test_an_engine_without_a_folder_has_figures_and_no_files(served):
    client, *_ = served
    assert client.get("/fairness").json()["files"] is None
    assert client.get("/files/record-1.jsonl").status_code == 404


def test_the_openapi_document_has_every_command_with_its_form(served):
    client, *_ = served
    document = client.get("/openapi.json").json()
    for name in COMMANDS:
        post = document["paths"][f"/{name}"]["post"]
        assert post["requestBody"]["content"]["application/json"]["schema"]
    assert {"Placing", "State", "OpenBet"} <= document["components"]["schemas"].keys()


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("body", [None, [], "text", 5, {}, {"session": 5}, {"session": "0x5"}, {"luck": "1"}])
def test_what_is_no_command_is_malformed(served, name, body):
    client, stage, *_ = served
    before = stage.engine.memory.n
    answer = client.post(f"/{name}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert stage.engine.memory.n == before


def test_a_socket_tells_the_stream_and_what_is_open_and_answers_by_id(served):
    client, stage, player, quoted = served
    with client.websocket_connect("/ws") as socket:
        first = [socket.receive_json() for _ in range(3)]
        assert [message["type"] for message in first] == ["stream", "question", "quote"]
        socket.send_json({"id": 7, "do": "place", **bet_of(stage, player, quoted)})
        kinds = {}
        while not {"line", "receipt"} <= kinds.keys():
            message = socket.receive_json()
            kinds[message["type"]] = message
        assert kinds["receipt"]["id"] == 7
        assert kinds["line"]["leaf"] == kinds["receipt"]["state_hash"]


@pytest.mark.parametrize(
    "text", ["", "no json", "[]", "5", "[" * 100_000, json.dumps({"do": "luck"}), json.dumps({"do": ["place"]})]
)
def test_a_message_that_is_none_is_answered_and_the_socket_stays_open(served, text):
    client, *_ = served
    with client.websocket_connect("/ws") as socket:
        for sent in (text, json.dumps({"id": 1, "do": "place"})):
            socket.send_text(sent)
            while (message := socket.receive_json())["type"] != "refused":
                pass
            assert message["code"] == "malformed"
        assert message["id"] == 1


def test_only_the_session_key_hears_of_a_session(served):
    client, stage, player, _ = served
    with client.websocket_connect("/ws") as socket:
        text = follow_text(DOMAIN, player.session, stage.time)
        for by, kind in ((key("a stranger"), "refused"), (player.key, "session")):
            signature = encode(by.sign_message(text))
            body = {"session": encode(player.session), "at": str(stage.time), "signature": signature}
            socket.send_json({"id": 1, "do": "follow", **body})
            while (message := socket.receive_json()).get("id") != 1:
                pass
            assert message["type"] == kind
    assert message["balance"] == str(20 * EUR)


def test_many_at_once_share_their_commits(served):
    client, stage, *_ = served
    with ThreadPoolExecutor(8) as pool:
        wishes = [wish_of(stage, number) for number in range(24)]
        answers = list(pool.map(lambda wish: client.post("/offer", json=wish), wishes))
    assert {answer.json()["type"] for answer in answers} == {"offer"}
    assert len({answer.json()["session"] for answer in answers}) == len(wishes)


def test_a_stranger_cannot_use_up_what_a_wallet_may_be_offered(served):
    """Three offers that anybody asked for in a wallet's name kept it out of the stream for ten minutes."""
    client, stage, *_ = served
    for number in range(4):
        stranger = client.post("/offer", json=wish_of(stage, 1, by=2, at=stage.time - number)).json()
        assert (stranger["type"], stranger["code"]) == ("refused", "signature")
    unsigned = {name: value for name, value in wish_of(stage, 1).items() if name not in ("at", "signature")}
    assert client.post("/offer", json=unsigned).json()["code"] == "malformed"
    for number in range(2):  # of what the wallet signed for somebody reads it and says it again
        wish = wish_of(stage, 1, at=stage.time - number)
        assert len({client.post("/offer", json=wish).json()["session"] for _ in range(4)}) == 1
    assert client.post("/offer", json=wish_of(stage, 1, at=stage.time - 2)).json()["type"] == "offer"
    assert client.post("/offer", json=wish_of(stage, 1, at=stage.time - 3)).json()["code"] == "too_many_offers"


@pytest.mark.parametrize("change", [{"deposit": "2"}, {"loss_cap": "2"}, {"session_key": "0x" + 40 * "1"}])
def test_an_offer_is_made_for_what_was_signed_alone(served, change):
    client, stage, *_ = served
    assert client.post("/offer", json=wish_of(stage, 1) | change).json()["code"] == "signature"


def opening_of(number: int) -> SessionOpened:
    """A session of the wallet of a number, on chain."""
    return SessionOpened(session=bytes(32), player=wallet(number).address, stream_id=STREAM, **EVENT)


def limit_of(stage, by: int, kind: str = "stake") -> dict:
    signature = wallet(by).sign_message(limit_text(DOMAIN, STREAM, kind, 5, stage.time))
    body = {"player": wallet(1).address, "kind": kind, "value": 5, "at": stage.time, "signature": signature}
    return encode(body)


def test_only_its_wallet_changes_a_limit(served):
    client, stage, *_ = served
    stage.learn(opening_of(1))
    assert client.post("/limit", json=limit_of(stage, by=2)).json()["code"] == "signature"
    assert client.post("/limit", json=limit_of(stage, by=1)).json()["limits"]["stake"] == "5"
    # Half of a pair of UTF-16, which REST lets through and nobody can sign: it was no answer, but an error.
    halved = json.dumps(limit_of(stage, by=1)).replace('"stake"', '"\\ud800"')
    assert client.post("/limit", content=halved, headers={"content-type": "application/json"}).status_code == 400


def test_a_contract_wallet_signs_by_its_code(stage, monkeypatch):
    """The chain is asked so often a second for all of them, and holds up no other command."""
    stands = time.monotonic()
    monkeypatch.setattr("tessera.index.limits.time", SimpleNamespace(monotonic=lambda: stands))
    asked = []

    def signs(account: str, text, signature: bytes) -> bool:
        asked.append(account)
        if signature == b"broken":
            raise NodeError("eth_call", "does not answer")
        return signature == b"by code"

    with TestClient(app_of(Runner(stage.engine, NoChain(stage, signs), None))) as client:
        offers = [wish_of(stage, 1) | {"signature": encode(by)} for by in (b"by code", b"by nobody", b"broken")]
        answers = [client.post("/offer", json=offer).json() for offer in offers]
        assert [answer.get("code") for answer in answers] == [None, "signature", "too_many_requests"]
        assert "the chain cannot be asked" in answers[2]["reason"]
        stage.learn(opening_of(1))
        limit = limit_of(stage, by=1) | {"signature": offers[0]["signature"]}
        assert client.post("/limit", json=limit).json()["type"] == "limits"
        assert asked == [wallet(1).address] * 4
        codes = [client.post("/offer", json=offers[1]).json()["code"] for _ in range(57)]
        assert codes == ["signature"] * 56 + ["too_many_requests"]  # ten a second, after a burst of six times that
        client._transport.client = ("10.1.1.1", 1)  # from another address, which has its own allowance of offers
        assert client.post("/offer", json=wish_of(stage, 2)).json()["type"] == "offer"  # by a key


def test_wallets_do_not_wait_without_end_for_a_chain_that_answers_slowly(stage):
    """Ten a second were let in, however many a node answered: who asked in the name of nobody filled memory, and
    whoever came later waited for all of them."""
    answers = Event()

    async def scene():
        runner = Runner(stage.engine, NoChain(stage, lambda *_: answers.wait(60)), None)
        running = asyncio.create_task(runner.run())
        wishes = [wish_of(stage, number) | {"signature": encode(b"by code")} for number in range(22)]
        waiting = [asyncio.create_task(runner.ask("offer", wish)) for wish in wishes[:20]]
        await asyncio.sleep(0)
        with pytest.raises(Refused, match="too many signatures of contract wallets"):
            await asyncio.wait_for(runner.ask("offer", wishes[20]), 5)
        waiting[0].cancel()
        await asyncio.wait(waiting[:1])
        waiting.append(asyncio.create_task(runner.ask("offer", wishes[21])))
        answers.set()
        assert {(await answer)["type"] for answer in waiting[1:]} == {"offer"}
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scene())


def test_who_hangs_up_before_the_answer_ends_nothing(stage):
    """What waits for a command was cancelled through to the engine's own future, which the commit then could not set:
    a stranger who asked for an offer and hung up ended the engine."""

    async def scene():
        runner = Runner(stage.engine, NoChain(stage), None)
        running = asyncio.create_task(runner.run())
        await asyncio.sleep(0.05)
        gone = asyncio.create_task(runner.ask("offer", wish_of(stage, 1)))
        await asyncio.sleep(0)  # it is queued, and not committed
        gone.cancel()
        await asyncio.wait({running}, timeout=0.3)
        assert not running.done()
        assert (await runner.ask("offer", wish_of(stage, 1, at=stage.time - 1)))["type"] == "offer"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scene())
    assert [entry.what for entry in stage.entries()].count("offer") == 2


def test_two_who_wait_for_the_same_state_are_answered_apart(stage):
    player, quoted = stage.opened(), stage.ask()

    async def scene():
        runner = Runner(stage.engine, NoChain(stage), None)
        running = asyncio.create_task(runner.run())
        await asyncio.sleep(0.05)
        gone, there = (asyncio.create_task(runner.ask("place", bet_of(stage, player, quoted))) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        assert (await asyncio.wait_for(there, 5))["type"] == "receipt"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scene())


def test_a_client_that_reads_nothing_is_closed_at_what_may_wait_for_it(stage, monkeypatch):
    """What waits was counted between two sends alone: while one was stuck, as many answers as somebody asked for, and
    all that was published, stayed in memory."""
    monkeypatch.setattr("tessera.live.server.MOST_WAITING", 100)

    class Deaf:
        client = None
        closed = asyncio.Event()
        received = 0

        async def accept(self) -> None: ...

        async def receive(self) -> dict:
            self.received += 1
            await asyncio.sleep(0)
            return {"type": "websocket.receive", "text": "none"}

        async def send_text(self, text: str) -> None:
            await asyncio.Event().wait()

        async def close(self, code: int) -> None:
            self.closed.set()

    async def scene():
        socket, runner = Deaf(), Runner(stage.engine, NoChain(stage), None)
        connection = Connection(runner, socket, Visitor(Visitors(runner, 1), None), None, in_bundles=False)
        serving = asyncio.create_task(connection.serve())
        while socket.received < 1_000 and not serving.done():
            await asyncio.sleep(0)
        assert serving.done()
        assert socket.closed.is_set()
        assert not runner.listeners
        assert connection._out.qsize() < 150

    asyncio.run(scene())


def test_a_body_without_end_is_refused_at_what_a_message_may_have(stage):
    """All of it went into memory before anything was checked: one request of a stranger's could end the engine."""
    app = app_of(Runner(stage.engine, NoChain(stage), None))
    scope = {"type": "http", "method": "POST", "path": "/offer", "query_string": b"", "http_version": "1.1"}
    read, answered = [], []

    async def receive() -> dict:
        assert len(read) < 100, "it reads on"
        read.append(b" " * 4_096)
        return {"type": "http.request", "body": read[-1], "more_body": True}

    async def send(message: dict) -> None:
        answered.append(message)

    headers = [(b"content-type", b"application/json")]
    asyncio.run(app(scope | {"headers": headers, "client": ("a", 1), "server": ("b", 2)}, receive, send))
    assert answered[0]["status"] == 400
    assert json.loads(answered[1]["body"])["code"] == "malformed"
    assert sum(map(len, read)) == MOST_BYTES + 4_096


def test_who_wants_offers_without_end_over_the_websocket_is_held_up(served, monkeypatch):
    """Each is an entry of the journal, in any wallet's name: over REST an address was limited, and not here."""
    client, stage, player, quoted = served
    stands = time.monotonic()
    monkeypatch.setattr("tessera.index.limits.time", SimpleNamespace(monotonic=lambda: stands))
    with client.websocket_connect("/ws") as socket, client.websocket_connect("/ws") as another:
        codes = []
        for number, door in enumerate([socket, another] * 31):
            door.send_json({"id": number, "do": "offer", "player": "0x" + "11" * 20})  # not the form of an offer
            while (answer := door.receive_json()).get("id") != number:
                pass
            codes.append(answer["code"])
        assert codes == ["malformed"] * 60 + ["too_many_requests"] * 2
        socket.send_json({"id": "bet", "do": "place", **bet_of(stage, player, quoted)})
        while (answer := socket.receive_json()).get("id") != "bet":
            pass
        assert answer["type"] == "receipt"
