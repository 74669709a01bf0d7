"""Commands to an engine over a WebSocket: each has a number, by which its answer is known among all that comes."""

import asyncio
import json
from contextlib import suppress
from itertools import count
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tessera.live.messages import Message


class Requests:
    """Those of one client, over one connection after the other."""

    def __init__(self):
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[Message]] = {}

    async def ask(self, socket: ClientConnection, name: str, body: dict[str, Any], seconds: float) -> Message:
        """The answer of a command, a refusal too. Raises TimeoutError where there is none, and what `end` was given."""
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            with suppress(ConnectionClosed):  # which ends the answers that are waited for
                await socket.send(json.dumps({**body, "id": number, "do": name}))
            return await asyncio.wait_for(self._answers[number], seconds)
        finally:
            del self._answers[number]

    def take(self, message: Message) -> bool:
        """Whether a message is an answer that is waited for, which whoever waits has then."""
        waiting = self._answers.get(message.get("id"))  # pyright: ignore[reportArgumentType]
        if waiting is None or waiting.done():
            return False
        waiting.set_result(message)
        return True

    def end(self, error: Exception) -> None:
        """The connection is gone: whoever waits for an answer is told."""
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(error)
