"""Limits, sizes and headers; the page's files; settings."""

import asyncio
import json

import anyio
import anyio.to_thread
import httpx
import pytest

from tessera.club.limits import Door, Sessions, visitor
from tessera.club.settings import Limits, SettingsError, read_settings
from tests.unit.club.conftest import SETTINGS, URL, refusal


def test_the_page_comes_compressed_with_headers_and_is_kept_by_hash(world):
    page = world.client.get("/")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["content-encoding"] == "gzip"
    assert page.headers["cache-control"] == "no-cache"
    assert "max-age" in page.headers["strict-transport-security"]
    script = world.client.get("/assets/main-abc.js")
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-type"].startswith("text/javascript")
    assert world.client.get("/", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    plain = world.client.get("/", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == page.text


def test_an_invitations_link_opens_the_page(world):
    assert world.client.get("/join").text == world.client.get("/").text


@pytest.mark.parametrize(
    "path", ["/../club.db", "/%2e%2e/club.db", "/assets/../../club.db", "/.env", "/club.db", "/docs"]
)
def test_nothing_but_the_page_is_served(world, path):
    assert refusal(world.client.get(path)) == (404, "not_found")


def test_deployment_says_where_everything_is(world):
    record = world.client.get("/deployment.json").json()
    assert record["chainId"] == 1337
    assert record["addresses"]["PlayEuro"] == world.tessera.play_euro.address
    assert (record["rpcUrl"], record["indexUrl"], record["eventsUrl"], record["clubUrl"]) == (
        "rpc",
        "api",
        "events",
        "club",
    )


def test_the_index_answers_below_api(world, market):
    world.node.index.sync()
    assert world.client.get("/api/markets").json()["total"] == 1
    assert refusal(world.client.get("/api/markets/99")) == (404, "not_found")
    assert refusal(world.client.get("/api/markets?limit=1001")) == (422, "bad_request")
    assert world.client.get("/api/health").json()["chain_id"] == 1337


@pytest.mark.parametrize(
    ("headers", "content", "expected"),
    [
        ({"Content-Type": "text/plain"}, b"{}", (415, "not_json")),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=1", (415, "not_json")),
        ({"Content-Type": "application/json"}, b"x" * 16_385, (413, "too_large")),
        ({"Content-Type": "application/json"}, b"{", (422, "bad_request")),
        ({"Content-Type": "application/json"}, b"[]", (422, "bad_request")),
    ],
)
def test_a_body_is_json_of_a_bounded_size(world, headers, content, expected):
    assert refusal(world.client.post("/club/join", headers=headers, content=content)) == expected


class Wire:
    """An app behind the door, and requests to it by hand."""

    def __init__(self, **limits):
        self.reached, self.open = 0, asyncio.Event()
        self.sessions = Sessions("tessera_club")
        self.door = Door(self._app, Limits.model_validate(limits), self.sessions, secure=False)

    async def _app(self, scope, receive, send):
        self.reached += 1
        await self.open.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def get(self, address: str, path: str = "/club", token: str = "") -> tuple[int, dict]:
        headers = [(b"cookie", f"a=b; tessera_club={token}".encode())] if token else []
        scope = {"type": "http", "method": "GET", "path": path, "headers": headers, "client": (address, 1)}
        return await self._ask(scope, iter(()))

    async def post(self, address: str, chunks: list[bytes]) -> tuple[int, dict]:
        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/club/join", "headers": headers, "client": (address, 1)}
        return await self._ask(scope, iter(chunks))

    async def _ask(self, scope, chunks):
        answers = []

        async def receive():
            chunk = next(chunks, None)
            if chunk is None:
                await asyncio.sleep(3_600)
            return {"type": "http.request", "body": chunk, "more_body": True}

        async def send(message):
            answers.append(message)

        await self.door(scope, receive, send)
        return answers[0]["status"], json.loads(answers[1]["body"])


def test_a_hundred_requests_of_one_address_at_once_disturb_nobody_else_and_wait_for_each_other():
    async def run():
        wire = Wire(at_once=32, requests=1_000)
        crowd = [asyncio.create_task(wire.get("192.0.2.1")) for _ in range(100)]
        await asyncio.sleep(0.01)
        assert wire.reached == 32
        friend = asyncio.create_task(wire.get("192.0.2.2"))
        await asyncio.sleep(0.01)
        assert wire.reached == 33
        wire.open.set()
        # Twelve friends who open the page in one room are as many, and each part of it is needed.
        assert [(await task)[0] for task in crowd] == [200] * 100
        assert (await friend)[0] == 200

    asyncio.run(run())


def test_beyond_those_that_wait_there_is_a_sentence_and_so_it_is_after_a_while(monkeypatch):
    monkeypatch.setattr("tessera.club.limits.MOST_WAITING", 10)
    monkeypatch.setattr("tessera.club.limits.WAITING_SECONDS", 0.05)

    async def run():
        wire = Wire(at_once=32, requests=1_000)
        crowd = [asyncio.create_task(wire.get("192.0.2.1")) for _ in range(100)]
        while sum(task.done() for task in crowd) < 68:
            await asyncio.sleep(0.01)
        assert wire.reached == 32
        refused = [task.result() for task in crowd if task.done()]
        assert {(status, body["code"]) for status, body in refused} == {(429, "too_many_requests")}
        wire.open.set()
        assert sorted([(await task)[0] for task in crowd]) == [200] * 32 + [429] * 68
        assert (await wire.get("192.0.2.1"))[0] == 200  # once they are answered there is room again

    asyncio.run(run())


def test_members_behind_one_address_have_limits_of_their_own():
    async def run():
        wire = Wire(requests=1)
        wire.open.set()
        wire.sessions.note("Anna-1", "0xA")
        wire.sessions.note("Anna-2", "0xA")
        assert [(await wire.get("192.0.2.1"))[0] for _ in range(7)] == [200] * 6 + [429]
        tokens = ["Anna-1", "Anna-2"] * 4
        assert [(await wire.get("192.0.2.1", token=token))[0] for token in tokens] == [200] * 6 + [429] * 2
        assert (await wire.get("192.0.2.1", token="nobodys"))[0] == 429

    asyncio.run(run())


def test_a_member_is_known_by_the_session_wherever_it_was_opened(world):
    phone = world.member()
    token = phone.sign_in().cookies["tessera_club"]
    scope = {"type": "http", "client": ("192.0.2.1", 1), "headers": [(b"cookie", f"tessera_club={token}".encode())]}
    assert world.client.app.state.sessions.member(scope) == phone.address
    other = Sessions("tessera_club")
    assert other.member(scope) is None
    world.client.app.state.sessions = other  # of a node that was started again
    assert world.client.get("/club/session").status_code == 200
    assert other.member(scope) == phone.address


def test_so_many_requests_a_second_and_then_a_sentence():
    async def run():
        wire = Wire(requests=1)
        wire.open.set()
        statuses = [(await wire.get("192.0.2.1"))[0] for _ in range(8)]
        assert statuses == [200] * 6 + [429] * 2
        assert (await wire.get("192.0.2.2"))[0] == 200

    asyncio.run(run())


def test_a_body_that_grows_or_never_ends_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("tessera.club.limits.BODY_SECONDS", 0.05)

    async def run():
        wire = Wire()
        assert (await wire.post("192.0.2.1", [b"x" * 10_000] * 2))[0] == 413
        status, body = await wire.post("192.0.2.1", [b"{"])
        assert (status, body["code"]) == (422, "bad_request")
        assert wire.reached == 0

    asyncio.run(run())


def test_a_household_of_ipv6_is_one_visitor():
    def who(address: str) -> str:
        return visitor({"type": "http", "client": (address, 1)})

    assert who("2001:db8:1:2::1") == who("2001:db8:1:2:ffff::9") != who("2001:db8:1:3::1")
    assert who("192.0.2.1") != who("192.0.2.2")
    # As a proxy writes them that listens for both kinds: they were all one visitor.
    assert who("::ffff:192.0.2.1") == who("192.0.2.1") != who("::ffff:192.0.2.2")


def test_settings_are_read_with_paths_beside_the_file(tmp_path):
    (tmp_path / "club.toml").write_text(SETTINGS)
    settings = read_settings(tmp_path / "club.toml")
    assert settings.record == tmp_path / "club.json"
    assert settings.database == f"sqlite:///{tmp_path}/club.db"
    assert settings.gas.quota == 10**16 // 40
    assert settings.domain == "club.example"


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ("name", "name: Field required"),
        (('"https://club.example"', '"https://club.example/page"'), "url: "),
        (("budget = 0.01", "budget = -1"), "gas.budget: "),
        (("budget = 0.01", "budget = true"), "gas.budget: "),
        (("budget = 0.01", "budget = 0.01\nspend = 1"), "gas.spend: Extra inputs"),
        (('key_file = "node.json"', ""), "key_file"),
        (('name = "Friday club"', "name = "), "is no TOML"),
        (('name = "Friday club"', 'name = "Friday club"\nport = 70000'), "port: "),
    ],
)
def test_a_mistake_in_the_settings_is_named(tmp_path, changed, fault):
    text = (
        "\n".join(line for line in SETTINGS.splitlines() if not line.startswith(f"{changed} "))
        if isinstance(changed, str)
        else SETTINGS.replace(*changed)
    )
    (tmp_path / "club.toml").write_text(text)
    with pytest.raises(SettingsError, match=fault):
        read_settings(tmp_path / "club.toml")


@pytest.mark.parametrize("page", [".", "..", "here"])
def test_a_pages_folder_that_has_the_nodes_key_in_it_is_refused(tmp_path, page):
    # All that is in it is served: key, passphrase and database were files of the page, like any other.
    (tmp_path / "here").symlink_to(tmp_path)
    (tmp_path / "club.toml").write_text(SETTINGS.replace('"dist"', f'"{page}"'))
    with pytest.raises(SettingsError, match=r"page: everybody can read .* club\.toml, node\.json, club\.db would be"):
        read_settings(tmp_path / "club.toml")


def test_many_who_ask_at_once_are_all_answered(world, market):
    """Each answer had a connection and waited for a thread, and all threads waited for a connection: for 30 seconds."""
    world.node.index.sync()
    paths = [path for _ in range(10) for path in (f"/api/markets/{market}/prices", "/atom.xml", "/api/markets")]

    async def ask(address: str) -> list[int]:
        transport = httpx.ASGITransport(world.client.app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            return [answer.status_code for answer in await asyncio.gather(*map(client.get, paths))]

    async def all_ask() -> list[list[int]]:
        return await asyncio.gather(*(ask(f"192.0.2.{number}") for number in range(8)))

    assert asyncio.run(all_ask()) == [[200] * len(paths)] * 8


def test_the_page_comes_while_every_thread_waits_for_a_database_or_the_chains_node(world):
    # A database that another program has locked keeps a thread for 30 seconds, and there are forty in all.
    paths = ["/", "/deployment.json", "/assets/main-abc.js"]

    async def ask() -> list[int]:
        limiter = anyio.to_thread.current_default_thread_limiter()
        borrowers = [object() for _ in range(int(limiter.total_tokens))]
        for borrower in borrowers:
            limiter.acquire_on_behalf_of_nowait(borrower)
        transport = httpx.ASGITransport(world.client.app)
        async with asyncio.timeout(10), httpx.AsyncClient(transport=transport, base_url=URL) as client:
            return [(await client.get(path)).status_code for path in paths]

    assert asyncio.run(ask()) == [200] * 3
