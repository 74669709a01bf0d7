"""A stranger's connections: so many of an address, none that says nothing; everybody else is served."""

import json
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import pytest
import uvicorn

from tessera.club.connections import bounded

MOST, CROWD = 5, 1_000
PART, PARTS = b" " * 1_000_000, 100  # more than the system keeps for a connection


async def app(scope, receive, send):
    assert scope["type"] == "http"
    if scope["path"] == "/large":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(PARTS):
            await send({"type": "http.response.body", "body": PART, "more_body": True})
        await send({"type": "http.response.body"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def port(monkeypatch) -> Iterator[int]:
    """A server on a free port, which is patient for half a second."""
    monkeypatch.setattr("tessera.club.connections.SILENT_SECONDS", 0.5)
    monkeypatch.setattr("tessera.club.connections.STALLED_SECONDS", 0.5)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        protocol = bounded(MOST, ["127.0.0.9"])
        server = uvicorn.Server(
            uvicorn.Config(app, http=protocol, lifespan="off", log_level="warning", timeout_keep_alive=600)
        )
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


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
