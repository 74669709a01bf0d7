"""The built page as the node serves it: read once, compressed once, with the headers that keep others out of it."""

import gzip
import mimetypes
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fastapi import Request, Response

from tessera.chain.errors import ChainError

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # the chart places its parts with styles
    "img-src": "'self' data: blob:",  # wallets bring their icons
    "media-src": "'self' blob:",  # the camera that scans a key
    "worker-src": "'self' blob:",
    "manifest-src": "'self'",
    # Who plays names hosts of bets, which are WebSockets anywhere, and may name another node.
    "connect-src": "'self' https: ws: wss:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in POLICY.items()),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), publickey-credentials-get=(self), publickey-credentials-create=(self), "
    "microphone=(), geolocation=()",
}
SECURE = {"Strict-Transport-Security": "max-age=31536000"}  # behind TLS
LASTING, NEW = "public, max-age=31536000, immutable", "no-cache"
COMPRESSED = ("text/", "application/javascript", "application/json", "application/manifest", "image/svg+xml")
LEAST_COMPRESSED = 500  # bytes


@dataclass(frozen=True)
class File:
    """A file as it is sent: plain, and compressed where that is smaller."""

    content: bytes
    packed: bytes | None
    kind: str
    tag: str
    lasting: bool


class Page:
    """All files of a built page."""

    def __init__(self, folder: Path):
        """Raises ChainError where there is no built page."""
        if not (folder / "index.html").is_file():
            raise ChainError(f"{folder} has no built page: build it with `npm run build` in web/, or name its folder")
        root = folder.resolve()
        self._files = {
            path.relative_to(root).as_posix(): _file(path, lasting=path.parent.name == "assets")
            for path in sorted(root.rglob("*"))
            if path.is_file() and path.resolve().is_relative_to(root) and not path.name.startswith(".")
        }

    def answer(self, name: str, request: Request) -> Response | None:
        """A file, or that the visitor has it already; None where there is none of this name."""
        file = self._files.get(name)
        if file is None:
            return None
        headers = {"ETag": file.tag, "Cache-Control": LASTING if file.lasting else NEW, "Vary": "Accept-Encoding"}
        if file.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.kind)
        return Response(file.content, headers=headers, media_type=file.kind)


def _file(path: Path, *, lasting: bool) -> File:
    content, kind = path.read_bytes(), mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    kind = "text/javascript" if path.suffix == ".js" else kind  # some systems have another one, which browsers refuse
    packed = None
    if len(content) >= LEAST_COMPRESSED and kind.startswith(COMPRESSED):
        packed = gzip.compress(content, 9, mtime=0)
    smaller = packed if packed is not None and len(packed) < len(content) else None
    return File(content, smaller, kind, f'"{sha256(content).hexdigest()[:32]}"', lasting)
