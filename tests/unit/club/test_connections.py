"""A stranger's connections: so many of an address, none that says nothing; everybody else is served."""

import json
import resource
import socket
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import pytest
import uvicorn

from tessera.club.server import behind_proxies
from tessera.club.settings import Settings
from tests.unit.club.conftest import SETTINGS

MOST, CROWD = 5, 1_000
PART, PARTS = b" " * 1_000_000, 100  # more than the system keeps for a connection


async def app(scope, receive, send):
    assert scope["type"] == "http"
    if scope["path"] == "/who":
        who = scope["client"][0].encode()
        length = (b"content-length", str(len(who)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": who})
    elif scope["path"] == "/large":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(PARTS):
            await send({"type": "http.response.body", "body": PART, "more_body": True})
        await send({"type": "http.response.body"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def serving(host: str, *proxies: str) -> Iterator[int]:
    """A server on a free port of an address, behind some proxies."""
    settings = Settings.model_validate({**tomllib.loads(SETTINGS), "proxies": proxies, "limits": {"connections": MOST}})
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        if ":" in host:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # IPv4 comes to it, too
        listener.bind((host, 0))
        server = uvicorn.Server(
            uvicorn.Config(app, **behind_proxies(settings), lifespan="off", log_level="warning", timeout_keep_alive=600)
        )
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def port(monkeypatch) -> Iterator[int]:
    """A server on a free port, which is patient for half a second."""
    monkeypatch.setattr("tessera.club.connections.SILENT_SECONDS", 0.5)
    monkeypatch.setattr("tessera.club.connections.STALLED_SECONDS", 0.5)
    with serving("127.0.0.1", "127.0.0.9") as port:
        yield port


def connected(port: int, address: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(address, 0))


def asked(connection: socket.socket) -> str:
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    return everything(connection)


def everything(connection: socket.socket) -> str:
    text = b""
    while part := connection.recv(4_096):
        text += part
    return text.decode()


@pytest.fixture
def many_files() -> None:
    """Both ends of the connections are this process's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4 * CROWD:
        pytest.skip(f"this process may open {hard} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4 * CROWD), hard))


def test_beyond_so_many_connections_there_is_a_code_and_a_sentence_and_others_are_served(port, many_files):
    crowd = [connected(port, "127.0.0.2") for _ in range(MOST)]
    for connection in crowd:  # which has asked is not ended for its silence
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(4_096).startswith(b"HTTP/1.1 200 ")
    crowd += [connected(port, "127.0.0.2") for _ in range(CROWD - MOST)]
    refusals = [everything(connection) for connection in crowd[MOST:]]
    assert all(text.startswith("HTTP/1.1 429 ") for text in refusals)
    assert {json.loads(text.partition("\r\n\r\n")[2])["code"] for text in refusals} == {"too_many_requests"}
    assert asked(connected(port, "127.0.0.3")).endswith("ok")
    for connection in crowd:
        connection.close()


def test_a_connection_that_says_nothing_is_ended_and_makes_room(port):
    crowd = [connected(port, "127.0.0.2") for _ in range(MOST)]
    crowd[0].sendall(b"GET / HTTP/1.1\r\nX-Slow: ")  # and never the rest
    assert [everything(connection) for connection in crowd] == [""] * MOST
    assert asked(connected(port, "127.0.0.2")).endswith("ok")


def test_a_connection_that_takes_nothing_of_its_answer_is_ended_and_makes_room(port):
    # It held what waited for it in memory, and its place, for as long as its other end said that it was there.
    crowd = [connected(port, "127.0.0.2") for _ in range(MOST)]
    for connection in crowd:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    answer, until = "", time.monotonic() + 20
    while not answer.endswith("ok") and time.monotonic() < until:
        with suppress(ConnectionResetError):  # one that is refused while it asks
            answer = asked(connected(port, "127.0.0.2"))
        time.sleep(0.2)
    for connection in crowd:
        connection.close()
    assert answer.endswith("ok")


def test_a_proxys_connections_are_not_counted(port):
    crowd = [connected(port, "127.0.0.9") for _ in range(3 * MOST)]
    assert all(asked(connection).endswith("ok") for connection in crowd)


def said_of(connection: socket.socket, visitor: str) -> str:
    """Whom the server takes a connection for, which says that it comes from somebody else."""
    head = f"GET /who HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {visitor}\r\nConnection: close\r\n\r\n"
    connection.sendall(head.encode())
    return everything(connection).partition("\r\n\r\n")[2]


VISITOR = "203.0.113.7"


@pytest.mark.parametrize(
    ("host", "proxy", "source"),
    [
        ("127.0.0.1", "127.0.0.9", "127.0.0.9"),
        ("127.0.0.1", "127.0.0.8/29", "127.0.0.9"),
        ("::1", "::1", "::1"),
        ("::1", "::/64", "::1"),
        ("::", "127.0.0.8/29", "::ffff:127.0.0.9"),  # IPv4 at a socket of IPv6
    ],
)
def test_a_proxy_is_one_however_it_is_named_for_connections_and_for_addresses(host, proxy, source):
    # By a network or in IPv6 its word was taken, and its connections were those of one visitor: 100 for all behind it.
    with serving(host, proxy) as port:

        def connect() -> socket.socket:
            return socket.create_connection(
                (source.replace("9", "1") if host == "::" else host, port), timeout=30, source_address=(source, 0)
            )

        crowd = [connect() for _ in range(3 * MOST)]
        assert {said_of(connection, VISITOR) for connection in crowd} == {VISITOR}


@pytest.mark.parametrize(("host", "source"), [("127.0.0.1", "127.0.0.16"), ("::1", "::1")])
def test_who_is_no_proxy_is_counted_and_not_believed(host, source):
    with serving(host, "127.0.0.8/29", "2001:db8::/32") as port:
        crowd = [
            socket.create_connection((host, port), timeout=30, source_address=(source, 0)) for _ in range(MOST + 1)
        ]
        assert everything(crowd[-1]).startswith("HTTP/1.1 429 ")
        assert said_of(crowd[0], VISITOR) == source
        for connection in crowd:
            connection.close()


@pytest.mark.parametrize("proxy", ["*", "proxy.example", "10.0.0.1/8", "", 7])
def test_a_proxy_that_is_no_address_is_a_mistake_that_is_named(proxy):
    with pytest.raises(ValueError, match="an address or a network"):
        Settings.model_validate({**tomllib.loads(SETTINGS), "proxies": [proxy]})
