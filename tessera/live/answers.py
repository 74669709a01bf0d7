"""What an engine tells whoever comes: its stream, what is open and undecided, one question, one session."""

from typing import Any

from tessera.live import messages
from tessera.live.accounts import follow_text
from tessera.live.asked import Asked
from tessera.live.engine import Engine
from tessera.live.keys import is_signed_by
from tessera.live.messages import Message
from tessera.live.refusals import Code, Refused
from tessera.live.wire import decode_hash, encode


def identity(engine: Engine) -> Message:
    """Which stream it is, who decides it, and by which terms: what does not change while it runs."""
    panel = engine.panel
    return {
        "chain_id": encode(engine.domain.chain_id),
        "contract": engine.domain.contract,
        "stream_id": encode(engine.stream_id),
        "house_key": engine.house.address,
        "operator": engine.operator.address,
        "panel": encode(panel.panel_id),
        "panels": panel.contract,
        "members": list(panel.members),
        "threshold": encode(panel.threshold),
        "terms": encode(engine.terms),
    }


def about(engine: Engine) -> Message:
    """What a client has to know of a stream before it trusts it: compare it with the chain."""
    n, head = engine.published
    return {
        "type": "stream",
        **identity(engine),
        "epoch": encode(engine.journal.epoch),
        "n": encode(n),
        "head": encode(head),
        "is_asking": engine.is_asking,
        "has_ended": engine.memory.has_ended,
        "now": encode(engine.guard.now()),
    }


def opened(engine: Engine) -> list[Message]:
    """Questions that are open, with their quotes."""
    delay, frames = engine.terms.picture_delay_ms, []
    for asked in engine.memory.open.values():
        frames.append(messages.question(asked, delay))
        if asked.quoted is not None:
            frames.append(messages.quote(asked.quoted, delay))
    return frames


def undecided(engine: Engine) -> list[Message]:
    """Questions that are locked and wait for their result, with their books."""
    delay = engine.terms.picture_delay_ms
    now, frames = engine.guard.now(), []
    for asked in engine.memory.undecided.values():
        if _is_published(engine, asked) and now <= asked.question.report_by:
            frames += [messages.question(asked, delay), engine.book(asked)]
    return frames


def question(engine: Engine, digest: bytes) -> list[Message]:
    """A question with its book and result, as far as they are published. Raises Refused where there is none."""
    asked = engine.memory.questions.get(digest)
    if asked is None:
        raise Refused(Code.UNKNOWN_QUESTION)
    frames = [messages.question(asked, engine.terms.picture_delay_ms)]
    if _is_published(engine, asked):
        frames.append(engine.book(asked))
        if asked.result is not None:
            frames.append(messages.result(asked))
    return frames


def _is_published(engine: Engine, asked: Asked) -> bool:
    """Whether a question's lock is in the journal: before that the house must not sign its book. The line may never
    be there, and another engine's line have its number: two signatures, which convict."""
    return asked.book is not None and asked.book.n <= engine.published[0]


def follow(engine: Engine, body: dict[str, Any]) -> Message:
    """A session's view, for whoever has its session key sign for it. Raises Refused."""
    session = engine.session(decode_hash(body.get("session")))
    try:
        at, signature = int(str(body.get("at"))), bytes.fromhex(str(body.get("signature")).removeprefix("0x"))
    except ValueError:
        raise Refused(Code.MALFORMED, "at: unix milliseconds, signature: 65 bytes as 0x hex") from None
    text = follow_text(engine.domain, session.digest, at)
    if not engine.is_fresh(at) or not is_signed_by(session.offer.session_key, text, signature):
        raise Refused(Code.SIGNATURE)
    engine.check_asks(session.offer.session_key)  # a gateway passes what it is told of open bets on to all its clients
    return engine.view(session)
