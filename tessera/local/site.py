"""The page, its node and a devnet's gifts behind one address, for people in the same network.

A devnet's node signs for accounts that everybody knows and lets anybody change everything. So it stays out of reach,
and what pages need of it is passed on by name.
"""

import gzip
import json
import mimetypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

# All that reads or hands in what somebody signed elsewhere. Nothing here makes the node sign, mine or change its state.
METHODS = frozenset(
    """
    eth_blockNumber eth_call eth_chainId eth_estimateGas eth_feeHistory eth_gasPrice eth_getBalance eth_getBlockByHash
    eth_getBlockByNumber eth_getBlockReceipts eth_getCode eth_getLogs eth_getTransactionByHash eth_getTransactionCount
    eth_getTransactionReceipt eth_maxPriorityFeePerGas eth_sendRawTransaction eth_syncing net_version web3_clientVersion
    """.split()  # noqa: SIM905
)
MOST_BYTES = 2_000_000  # of a request
NODE_SECONDS = 60
COMPRESSED = (".html", ".js", ".css", ".json", ".svg")
JSON = "application/json"
NO_METHOD = -32601

Answers = dict[str, Callable[[dict], None]]


def allowed(call: object) -> bool:
    """Whether a JSON-RPC call may go on to the node."""
    return isinstance(call, dict) and isinstance(call.get("method"), str) and call["method"] in METHODS


def policy(deployment: dict) -> str:
    """The content security policy of a page: its own files, and the hosts that its deployment names."""
    hosts = {
        f"{parts.scheme}://{parts.netloc}"
        for name in ("rpcUrl", "indexUrl")
        if (parts := urlsplit(deployment.get(name, ""))).netloc
    }
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",  # the chart places its parts with styles
        "img-src": "'self' data:",  # wallets bring their icons
        # Who plays names hosts of bets, which are WebSockets anywhere, and may name another node.
        "connect-src": " ".join(["'self'", *sorted(hosts), "https:", "ws:", "wss:"]),
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


class Site:
    """Files of a folder, deployment.json, /rpc where there is a node, and what `answers` names for POST."""

    def __init__(self, folder: Path, deployment: dict, *, node: str | None = None, answers: Answers | None = None):
        """`node` is the URL that /rpc passes calls on to; the page is told of it instead of its own."""
        self.folder, self.node = folder.resolve(), node
        self.deployment = {**deployment, **({"rpcUrl": "rpc"} if node else {})}
        self.answers = answers or {}
        if self.answers:
            self.deployment["devnet"] = "devnet/"
        self.headers = {
            "Content-Security-Policy": policy(self.deployment),
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
        }

    def file(self, path: str) -> tuple[bytes, str] | None:
        """A file's content and type; None where there is none in the folder."""
        if path == "/deployment.json":
            return json.dumps(self.deployment).encode(), JSON
        wanted = (self.folder / unquote(path).lstrip("/")).resolve()
        if wanted.is_dir():
            wanted /= "index.html"
        if not wanted.is_relative_to(self.folder) or not wanted.is_file():
            return None
        return wanted.read_bytes(), mimetypes.guess_type(wanted.name)[0] or "application/octet-stream"

    def rpc(self, body: bytes) -> bytes:
        """The node's answer to the calls that it may be asked, and a refusal of the others. Raises ValueError."""
        asked = json.loads(body)
        calls = asked if isinstance(asked, list) else [asked]
        passed = [call for call in calls if allowed(call)]
        refused = [_refusal(call) for call in calls if not allowed(call)]
        answered = self._ask(passed) if passed else []
        answers = answered + refused
        return json.dumps(answers if isinstance(asked, list) else answers[0]).encode()

    def _ask(self, calls: list[dict]) -> list[dict]:
        if self.node is None:
            raise ValueError("there is no node behind this page")
        request = Request(self.node, json.dumps(calls).encode(), {"Content-Type": JSON})  # noqa: S310
        with urlopen(request, timeout=NODE_SECONDS) as answer:  # noqa: S310
            return json.load(answer)


def _refusal(call: object) -> dict:
    name = call.get("method") if isinstance(call, dict) else None
    number = call.get("id") if isinstance(call, dict) else None
    error = {"code": NO_METHOD, "message": f"this page's node does not answer {name}"}
    return {"jsonrpc": "2.0", "id": number, "error": error}


class Handler(BaseHTTPRequestHandler):
    """Serves one site."""

    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        """Answers with a file, compressed where the browser takes it."""
        file = self.site.file(urlsplit(self.path).path) if self._is_ours() else None
        if file is None:
            self._answer(HTTPStatus.NOT_FOUND, b"There is no such page here.", "text/plain")
        else:
            # Names of scripts and styles have a hash of what is in them.
            self._answer(HTTPStatus.OK, *file, lasting=self.path.startswith("/assets/"))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Passes calls on to the node, and does what the page may ask of a devnet."""
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= MOST_BYTES:
            self.close_connection = True
            return self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"{}")
        body, path = self.rfile.read(length), urlsplit(self.path).path
        # A page of another site can send neither this type nor another host's name without asking first.
        if not self._is_ours() or self.headers.get_content_type() != JSON:
            return self._answer(HTTPStatus.FORBIDDEN, b"{}")
        try:
            if path == "/rpc" and self.site.node:
                return self._answer(HTTPStatus.OK, self.site.rpc(body))
            if (answer := self.site.answers.get(path.removeprefix("/devnet/"))) is None:
                return self._answer(HTTPStatus.NOT_FOUND, b"{}")
            answer(json.loads(body))
            return self._answer(HTTPStatus.OK, b"{}")
        except (ValueError, TypeError, KeyError) as error:
            return self._answer(HTTPStatus.BAD_REQUEST, json.dumps({"error": str(error)}).encode())
        except (URLError, TimeoutError, ConnectionError):
            return self._answer(HTTPStatus.BAD_GATEWAY, b'{"error": "the node does not answer"}')
        except Exception as error:
            return self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, json.dumps({"error": str(error)}).encode())

    def _is_ours(self) -> bool:
        """Whether the browser asks for an address, not for a name that somebody else may point here."""
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname or ""
        try:
            ip_address(host)
        except ValueError:
            return host == "localhost" or "." not in host or host.endswith(".local")
        return True

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = JSON, *, lasting: bool = False) -> None:
        self.send_response(status)
        for name, value in self.site.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "max-age=31536000, immutable" if lasting else "no-cache")
        if "gzip" in self.headers.get("Accept-Encoding", "") and len(body) > 1000 and kind != "image/png":
            body = gzip.compress(body, 6)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Vary", "Accept-Encoding")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_) -> None:
        """Says nothing: a browser asks every two seconds."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_) -> None:
        """A browser that goes away is no error."""


@contextmanager
def serving(site: Site, host: str, port: int) -> Iterator[int]:
    """Serves a site; yields the port. Port 0: a free one. Raises OSError where it cannot be had."""
    handler = type("SiteHandler", (Handler,), {"site": site})
    with _Server((host, port), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
