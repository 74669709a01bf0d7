"""What a page's server gives to whom: a devnet's node signs for accounts that everybody knows."""

import gzip
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tessera.local.site import METHODS, Site, allowed, policy, serving

HARMFUL = """
eth_accounts eth_sendTransaction eth_sign eth_signTransaction eth_signTypedData eth_signTypedData_v4 personal_sign
eth_sendUnsignedTransaction anvil_setBalance anvil_impersonateAccount anvil_mine hardhat_setCode evm_mine evm_revert
evm_increaseTime debug_traceTransaction txpool_content admin_peers ots_getApiLevel wallet_sendTransaction
""".split()  # noqa: SIM905


@pytest.fixture
def node() -> Iterator[tuple[str, list]]:
    """A node that answers its calls with their names; what it was asked."""
    asked = []

    class Node(BaseHTTPRequestHandler):
        def do_POST(self):
            calls = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.extend(calls)
            body = json.dumps(
                [{"jsonrpc": "2.0", "id": call["id"], "result": call["method"]} for call in calls]
            ).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Node) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.fixture
def passed() -> list:
    return []


@pytest.fixture
def connection(tmp_path, node, passed) -> Iterator[HTTPConnection]:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>Tessera</title>" + " " * 2000)
    (folder / "assets" / "index-1a.js").write_text("let page = 1;" * 200)
    (tmp_path / "secret.txt").write_text("not of the page")
    deployment = {"chainId": 31337, "rpcUrl": "http://127.0.0.1:8545", "firstBlock": 1}
    site = Site(folder, deployment, node=node[0], answers={"pass": lambda asked: passed.append(asked["days"])})
    with serving(site, "127.0.0.1", 0) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        yield connection
        connection.close()


def post(connection, path: str, body, **headers) -> tuple[int, object]:
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def get(connection, path: str, **headers):
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer, answer.read()


@pytest.mark.parametrize("method", HARMFUL)
def test_what_signs_or_changes_a_node_never_reaches_it(connection, node, method):
    status, answer = post(connection, "/rpc", {"jsonrpc": "2.0", "id": 7, "method": method, "params": []})
    assert (status, answer["id"], answer["error"]["code"]) == (200, 7, -32601)
    assert node[1] == []


@pytest.mark.parametrize(
    "call", [{}, {"method": None}, {"method": ["eth_call"]}, "eth_call", 1, None, {"method": "ETH_CALL"}]
)
def test_what_is_no_call_is_not_passed_on(call):
    assert not allowed(call)


def test_of_several_calls_only_the_harmless_are_passed_on(connection, node):
    calls = [
        {"jsonrpc": "2.0", "id": n, "method": name} for n, name in enumerate(("eth_call", "evm_mine", "eth_getLogs"))
    ]
    status, answers = post(connection, "/rpc", calls)
    assert status == 200
    assert {answer["id"]: answer.get("result") for answer in answers} == {0: "eth_call", 1: None, 2: "eth_getLogs"}
    assert [call["method"] for call in node[1]] == ["eth_call", "eth_getLogs"]


def test_a_single_call_gets_a_single_answer(connection):
    assert post(connection, "/rpc", {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"})[1]["result"] == "eth_chainId"


def test_no_method_that_is_passed_on_is_harmful():
    assert METHODS.isdisjoint(HARMFUL)
    assert not [name for name in METHODS if not name.startswith(("eth_", "net_", "web3_"))]


def test_the_page_is_told_of_the_node_behind_its_own_address(connection):
    told = json.loads(get(connection, "/deployment.json")[1])
    assert (told["rpcUrl"], told["devnet"]) == ("rpc", "devnet/")


def test_a_devnet_does_what_it_is_asked_and_says_what_it_cannot(connection, passed):
    assert post(connection, "/devnet/pass", {"days": 7})[0] == 200
    assert passed == [7]
    assert post(connection, "/devnet/pass", {})[0] == 400
    assert post(connection, "/devnet/mint", {})[0] == 404
    assert passed == [7]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},  # what a form or a script of another site can send unasked
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Host": "evil.example"},  # a name that somebody made point here
    ],
)
def test_pages_of_other_sites_can_ask_nothing(connection, node, passed, headers):
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
    assert post(connection, "/rpc", call, **headers)[0] == 403
    assert post(connection, "/devnet/pass", {"days": 7}, **headers)[0] == 403
    assert (node[1], passed) == ([], [])


def test_no_file_outside_the_folder_is_served(connection):
    for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/assets/../../secret.txt", "/nothing.js"):
        answer, body = get(connection, path)
        assert answer.status == 404, path
        assert b"not of the page" not in body


def test_files_come_compressed_with_headers_that_bound_what_a_page_can_do(connection):
    answer, body = get(connection, "/", **{"Accept-Encoding": "gzip"})
    assert gzip.decompress(body).startswith(b"<title>Tessera")
    assert answer.getheader("X-Frame-Options") == "DENY"
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    rules = dict(rule.split(" ", 1) for rule in answer.getheader("Content-Security-Policy").split("; "))
    assert (rules["default-src"], rules["script-src"], rules["frame-ancestors"]) == ("'none'", "'self'", "'none'")
    assert rules["connect-src"] == "'self' https: ws: wss:"
    script, body = get(connection, "/assets/index-1a.js")
    assert script.getheader("Content-Encoding") is None
    assert body.startswith(b"let page")
    assert "immutable" in script.getheader("Cache-Control")
    assert get(connection, "/")[0].getheader("Cache-Control") == "no-cache"


def test_a_page_may_reach_the_hosts_that_its_deployment_names():
    told = {"rpcUrl": "https://node.example/key", "indexUrl": "https://index.example:8600/"}
    assert "connect-src 'self' https://index.example:8600 https://node.example https: ws: wss:;" in policy(told)


def test_a_node_that_is_away_is_an_error_of_its_own(tmp_path):
    with serving(Site(tmp_path, {}, node="http://127.0.0.1:9"), "127.0.0.1", 0) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        assert post(connection, "/rpc", {"id": 1, "method": "eth_chainId"})[0] == 502
        connection.close()
