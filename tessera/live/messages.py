"""What the engine publishes, as JSON: each message has a `type`."""

from typing import Any

from tessera.live.accounts import Completed, Session
from tessera.live.asked import Asked, Quoted
from tessera.live.journal import Headed
from tessera.live.wire import encode
from tessera.model.loss.limits import Kind, Limits

Message = dict[str, Any]


def line(headed: Headed) -> Message:
    """A line of the record, with the head after it."""
    return {"type": "line", **encode(headed.line), "head": encode(headed.head)}


def question(asked: Asked, picture_delay_ms: int) -> Message:
    """A question, and by how much the picture is late."""
    return {
        "type": "question",
        "hash": encode(asked.digest),
        "question": encode(asked.question),
        "picture_delay_ms": str(picture_delay_ms),
    }


def quote(quoted: Quoted, picture_delay_ms: int) -> Message:
    """A quote: never without edge, expected losses and the picture's delay."""
    return {
        "type": "quote",
        "hash": encode(quoted.digest),
        "quote": encode(quoted.quote),
        "signature": encode(quoted.signature),
        **encode(quoted.shown),
        "picture_delay_ms": str(picture_delay_ms),
    }


def book(asked: Asked, house_signature: Any) -> Message:
    """A locked question's book, its leaves, and the observers' signatures once there are enough."""
    return {
        "type": "book",
        "book": encode(asked.book),
        "signature": encode(house_signature),
        "leaves": encode(asked.leaves),
        "signatures": encode(asked.book_signatures) if asked.is_booked else {},
    }


def result(asked: Asked) -> Message:
    """A question's result, and the observers' signatures that say so; outcome null: none came in time."""
    assert asked.result is not None
    return {"type": "result", "question": encode(asked.digest), **encode(asked.result._asdict())}


def completed(done: Completed) -> Message:
    """A state with both signatures."""
    receipt = done.receipt
    return {
        "type": "receipt",
        "state_hash": encode(done.state_hash),
        "state": encode(done.state),
        "player_signature": encode(done.player_signature),
        "receipt": encode(receipt._asdict()),
    }


def offered(session: Session) -> Message:
    """An offer with the operator's signature: what opens the session on chain."""
    return {
        "type": "offer",
        "session": encode(session.digest),
        "offer": encode(session.offer),
        "signature": encode(session.operator_signature),
    }


def limits(own: Limits, now: int) -> Message:
    """What a wallet's own limits are at a time, null: none; which looser ones wait, and from when on; its cool-off."""
    waiting = {kind: own.waiting(kind, now) for kind in Kind}
    return {
        "type": "limits",
        "limits": {str(kind): encode(own.at(kind, now)) for kind in Kind},
        "limits_later": {str(kind): encode({"value": at[0], "at": at[1]}) for kind, at in waiting.items() if at},
        "cool_off_until": str(own.cool_off_until),
    }


def fairness(figures: dict[str, Any], picture_delay_ms: int, files: str | None) -> Message:
    """How the stream treats those who bet; `files` is where the public record is from which it can be recomputed."""
    return {"type": "fairness", **encode(figures), "picture_delay_ms": str(picture_delay_ms), "files": files}
