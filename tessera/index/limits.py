"""How many requests one address may make: so that a stranger's loop does not take the index from everybody."""

import time
from collections import OrderedDict

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

BURST = 6.0  # seconds' worth of requests at once
MOST_ADDRESSES = 10_000  # that are remembered; the one that asked longest ago is forgotten first
APART = ("/health",)


class Limits:
    """Answers 429 to an address that asks more than `per_second` requests a second, after a burst of six times that."""

    def __init__(self, app: ASGIApp, per_second: float):
        self.app, self.per_second = app, per_second
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # requests left, as of a time

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = (scope.get("client") or ("",))[0]
        if scope["type"] != "http" or scope["path"] in APART or self._take(address):
            return await self.app(scope, receive, send)
        seconds = str(max(1, round(1 / self.per_second)))
        refusal = JSONResponse({"detail": "too many requests"}, status_code=429, headers={"Retry-After": seconds})
        return await refusal(scope, receive, send)

    def _take(self, address: str) -> bool:
        """Whether an address has a request left; it is taken."""
        now, most = time.monotonic(), self.per_second * BURST
        left, since = self._left.pop(address, (most, now))
        left = min(most, left + (now - since) * self.per_second)
        taken = left >= 1
        self._left[address] = (left - taken, now)
        if len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)
        return taken
