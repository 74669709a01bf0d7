"""What people may ask of the engine, over REST and WebSocket alike: the form of each command, and what it does."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

from eth_account.messages import SignableMessage
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from tessera.live import messages
from tessera.live.accounts import limit_text, offer_text
from tessera.live.engine import Engine
from tessera.live.messages import Message
from tessera.live.refusals import Code, Refused
from tessera.live.wire import Address, Bytes32, Int, Signed, WalletSigned, form_of, value_of
from tessera.model.sessions.typed import Close, Quote, Receipt, State


class Command(NamedTuple):
    """A command: its form, what answers it, and one sentence about it.

    `consent` is the text that its `player`'s wallet has to have signed, by key or code, before it is run.
    """

    form: type[BaseModel]
    run: Callable[[Engine, Any], tuple[Future | None, Callable[[Any], Message]]]
    text: str
    consent: Callable[[Engine, Any], SignableMessage] | None = None


def _form(name: str, **fields: Any) -> type[BaseModel]:
    required: dict[str, Any] = {key: kind if isinstance(kind, tuple) else (kind, ...) for key, kind in fields.items()}
    return create_model(name, __config__=ConfigDict(extra="forbid"), **required)


def _taken(_: Any) -> Message:
    return {"type": "taken"}


def _signed_line(body: Any) -> Quote | Receipt:
    if (body.quote is None) == (body.receipt is None):
        raise Refused(Code.MALFORMED, "a quote or a receipt")
    return value_of(Receipt, body.receipt) if body.quote is None else value_of(Quote, body.quote)


COMMANDS = {
    "offer": Command(
        _form(
            "OfferWanted",
            player=Address,
            session_key=Address,
            deposit=Int,
            loss_cap=(Int | None, None),
            at=Int,
            signature=WalletSigned,
        ),
        lambda engine, body: (
            engine.offer(body.player, body.session_key, body.deposit, body.loss_cap, body.at),
            messages.offered,
        ),
        "An offer that opens a session on chain, for the wallet that signed for it.",
        lambda engine, body: offer_text(
            engine.domain, engine.stream_id, body.session_key, body.deposit, body.loss_cap, body.at
        ),
    ),
    "place": Command(
        _form("Placing", session=Bytes32, state=form_of(State), signature=Signed),
        lambda engine, body: (
            engine.place(body.session, value_of(State, body.state), body.signature),
            messages.completed,
        ),
        "The next state of a session, which activates it or adds a bet; the answer is its receipt.",
    ),
    "close": Command(
        _form("Closing", session=Bytes32, agreement=form_of(Close), signature=Signed),
        lambda engine, body: (
            engine.close(body.session, value_of(Close, body.agreement), body.signature),
            _taken,
        ),
        "The player's agreement to close, which freezes the session; the operator lands it.",
    ),
    "limit": Command(
        _form("LimitWanted", player=Address, kind=str, value=(Int | None, None), at=Int, signature=WalletSigned),
        lambda engine, body: (engine.limit(body.player, body.kind, body.value, body.at), lambda limits: limits),
        "A limit that a wallet sets for itself; the answer is what holds then, and what waits.",
        lambda engine, body: limit_text(engine.domain, engine.stream_id, body.kind, body.value, body.at),
    ),
    "report": Command(
        _form("Reporting", question=Bytes32, outcome=Int, signature=Signed),
        lambda engine, body: (engine.report(body.question, body.outcome, body.signature), _taken),
        "A member's report of a result.",
    ),
    "book": Command(
        _form("Booking", question=Bytes32, root=Bytes32, signature=Signed),
        lambda engine, body: (engine.confirm_book(body.question, body.root, body.signature), _taken),
        "A member's signature of a question's book.",
    ),
    "tail": Command(
        _form("TailKnown", n=Int, head=Bytes32, signature=Signed),
        lambda engine, body: (engine.tail(body.n, body.head, body.signature), _taken),
        "A member's word on the last line of the record that it has, signed for the engine's epoch.",
    ),
    "lost": Command(
        _form(
            "LineLost", quote=(form_of(Quote) | None, None), receipt=(form_of(Receipt) | None, None), signature=Signed
        ),
        lambda engine, body: (engine.lost(_signed_line(body), body.signature), _taken),
        "A quote or receipt that the house signed, of a line that the record does not have: the stream ends.",
    ),
}


def parsed(command: Command, body: Any) -> BaseModel:
    """The form of a command's body. Raises Refused (MALFORMED), with the field that is at fault."""
    try:
        return command.form.model_validate(body)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise Refused(Code.MALFORMED, f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None


def refusal(error: Refused) -> Message:
    """A refusal as it is answered."""
    return {"type": "refused", "code": error.name, "number": int(error.number), "reason": str(error), **error.details}
