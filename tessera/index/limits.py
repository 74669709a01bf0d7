"""How many requests one address may make: so that a stranger's loop does not take the index from everybody."""

import time
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

BURST = 6.0  # seconds' worth of requests at once
MOST_ADDRESSES = 10_000  # that are remembered; the one that asked longest ago is forgotten first
APART = ("/health",)


def household(host: str) -> str:
    """Who counts as the one at an address: of IPv6 the network that one household has; IPv4 in IPv6 is IPv4."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))


class Allowance:
    """So many a second for each of whoever asks, after a burst of `BURST` times that. Not thread-safe."""

    def __init__(self, per_second: float):
        self.per_second = per_second
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # left to somebody, as of a time

    def take(self, who: str, count: int = 1) -> bool:
        """Whether somebody has so many left; they are taken if so."""
        now, most = time.monotonic(), self.per_second * BURST
        left, since = self._left.pop(who, (most, now))
        left = min(most, left + (now - since) * self.per_second)
        taken = left >= count
        self._left[who] = (left - count * taken, now)
        if len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)
        return taken


class Limits:
    """Answers 429 to an address that asks more than `per_second` requests a second, after a burst of six times that."""

    def __init__(self, app: ASGIApp, per_second: float):
        self.app, self.per_second = app, per_second
        self._allowance = Allowance(per_second)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = household((scope.get("client") or ("",))[0])
        if scope["type"] != "http" or scope["path"] in APART or self._allowance.take(address):
            return await self.app(scope, receive, send)
        seconds = str(max(1, round(1 / self.per_second)))
        refusal = JSONResponse({"detail": "too many requests"}, status_code=429, headers={"Retry-After": seconds})
        return await refusal(scope, receive, send)
