"""JSON of everything that is signed or sent: integers are decimal text, bytes and addresses 0x hex.

The forms are made from the model's own dataclasses, so that a field is named once.
"""

import dataclasses
import re
import types
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import orjson
from eth_utils.address import to_checksum_address
from pydantic import (
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StrictBool,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic.dataclasses import dataclass as validated

from tessera.chain.micro_sessions import Signature
from tessera.chain.signatures import MOST_BYTES
from tessera.live.refusals import Code, Refused
from tessera.model.sessions import typed

T = TypeVar("T")
SIGNED_TEXT = re.compile(f"0x([0-9a-fA-F]{{2}}){{1,{MOST_BYTES}}}")  # by a key 65 bytes, by a contract's code any
INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,77})")
MOST_CHOICES, MOST_TEXT = 16, 500
MOST_KNOWN = 2**16  # bets whose JSON is remembered
ADDRESS_FIELDS = ("player", "session_key", "house_key")


def _integer(value: Any) -> int:
    if isinstance(value, str) and INTEGER.fullmatch(value) and -(2**255) <= int(value) < 2**256:
        return int(value)
    raise ValueError("an integer of at most 256 bits, as decimal text")


def _bytes(size: int):
    form = re.compile(f"0x[0-9a-fA-F]{{{2 * size}}}")

    def parsed(value: Any) -> bytes:
        if isinstance(value, str) and form.fullmatch(value):
            return bytes.fromhex(value[2:])
        raise ValueError(f"{size} bytes as 0x hex")

    return parsed


def _address(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch("0x[0-9a-fA-F]{40}", value):
        return to_checksum_address(value)
    raise ValueError("an address as 0x hex")


def _wallet_signature(value: Any) -> bytes:
    if isinstance(value, str) and SIGNED_TEXT.fullmatch(value):
        return bytes.fromhex(value[2:])
    raise ValueError(f"1 to {MOST_BYTES} bytes as 0x hex")


def _signature(value: Any) -> Signature:
    both = _bytes(64)(value)
    return Signature(int.from_bytes(both[:32]), int.from_bytes(both[32:]))


def hexed(value: bytes) -> str:
    """Bytes as 0x hex."""
    return "0x" + value.hex()


def signature_text(signature: Signature) -> str:
    """A signature as 64 bytes of EIP-2098 in 0x hex."""
    return hexed(signature.r.to_bytes(32) + signature.vs.to_bytes(32))


def _form(kind: Any, pattern: str) -> Any:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "examples": [kind]})


Int = Annotated[int, BeforeValidator(_integer), PlainSerializer(str), _form("1000000", INTEGER.pattern)]
Bytes32 = Annotated[
    bytes, BeforeValidator(_bytes(32)), PlainSerializer(hexed), _form("0x" + 32 * "5e", "0x[0-9a-fA-F]{64}")
]
Address = Annotated[str, BeforeValidator(_address), _form("0x" + 20 * "5e", "0x[0-9a-fA-F]{40}")]
Signed = Annotated[
    Any,
    BeforeValidator(_signature),
    PlainSerializer(signature_text),
    _form("0x" + 64 * "5e", "0x[0-9a-fA-F]{128}"),
]
WalletSigned = Annotated[
    bytes, BeforeValidator(_wallet_signature), PlainSerializer(hexed), _form("0x" + 65 * "5e", SIGNED_TEXT.pattern)
]


def _wired(name: str, kind: Any) -> Any:
    if kind is int:
        return Int
    if kind is bytes:
        return Bytes32
    if kind is str:
        return Address if name in ADDRESS_FIELDS else Annotated[str, BeforeValidator(_text)]
    if get_origin(kind) is tuple:
        return Annotated[tuple[_wired(name, get_args(kind)[0]), ...], BeforeValidator(_short)]
    if dataclasses.is_dataclass(kind):
        return Annotated[form_of(kind), _model_value(kind)]
    return StrictBool if kind is bool else kind


def _text(value: Any) -> str:
    if isinstance(value, str) and len(value) <= MOST_TEXT:
        return value
    raise ValueError(f"text of at most {MOST_TEXT} characters")


def _short(value: Any) -> Any:
    if isinstance(value, list | tuple) and len(value) <= MOST_CHOICES:
        return value
    raise ValueError(f"a list of at most {MOST_CHOICES}")


def _model_value(kind: Any) -> WrapValidator:
    """Parses a dataclass inside another one to the model's value, once for the same text.

    The open bets of a session come again in each of its next states.
    """
    known: dict[tuple, Any] = {}

    def parsed(data: Any, form: ValidatorFunctionWrapHandler) -> Any:
        try:
            items = tuple(data.items())
            if (value := known.get(items)) is not None:
                return value
        except (AttributeError, TypeError):
            items = ()  # the form says what is at fault
        value = value_of(kind, form(data))
        if len(known) >= MOST_KNOWN:
            known.clear()
        if items:
            known[items] = value
        return value

    return WrapValidator(parsed)


@cache
def form_of(kind: type) -> Any:
    """A dataclass of the model, with the JSON form of each field: pydantic, and OpenAPI through it."""
    hints = get_type_hints(kind)
    fields = dataclasses.fields(kind)
    namespace: dict[str, Any] = {
        "__annotations__": {field.name: _wired(field.name, hints[field.name]) for field in fields},
        "__module__": __name__,
        "__doc__": kind.__doc__,
    }
    made = types.new_class(kind.__name__, (), {}, lambda body: body.update(namespace))
    return validated(made, config=ConfigDict(extra="forbid"), frozen=True)


@cache
def _adapter(kind: type) -> TypeAdapter:
    return TypeAdapter(form_of(kind))


def encode(value: Any) -> Any:
    """A value of the model as JSON, also one in lists and dictionaries."""
    return _encoder(type(value))(value)


@cache
def _encoder(kind: type) -> Callable[[Any], Any]:
    """What makes JSON of values of a type."""
    if issubclass(kind, bool | str | types.NoneType):
        return lambda value: value
    if issubclass(kind, int):
        return lambda value: str(int(value))
    if issubclass(kind, bytes):
        return hexed
    if issubclass(kind, Signature):
        return signature_text
    if issubclass(kind, dict):
        return lambda value: {name: encode(part) for name, part in value.items()}
    if issubclass(kind, list | tuple):
        return lambda value: [encode(part) for part in value]
    return _encoded_bet if kind is typed.OpenBet else _encoded


def _encoded(value: Any) -> dict[str, Any]:
    return {name: encode(getattr(value, name)) for name in _names(type(value))}


@lru_cache(MOST_KNOWN)
def _encoded_bet(bet: typed.OpenBet) -> dict[str, Any]:
    """The open bets of a session are in each of its next states."""
    return _encoded(bet)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def text_of(content: Any) -> str:
    """What `encode` gave as the text that is sent or kept. Raises TypeError where it is not JSON."""
    return orjson.dumps(content).decode()


def value_of(kind: type[T], form: Any) -> T:
    """The model's value of a form of it. Raises Refused where the numbers have no room."""
    try:
        return kind(**{name: getattr(form, name) for name in _names(kind)})
    except ValueError as error:
        raise Refused(Code.MALFORMED, str(error)) from None


def _fault(error: ValidationError) -> str:
    """The first field that is at fault, and how."""
    fault = error.errors(include_url=False)[0]
    where = ".".join(map(str, fault["loc"]))
    return f"{where}: {fault['msg']}" if where else fault["msg"]


def decode(kind: type[T], data: Any) -> T:
    """A value of the model from JSON. Raises Refused (MALFORMED), with the field that is at fault."""
    try:
        return value_of(kind, _adapter(kind).validate_python(data))
    except ValidationError as error:
        raise Refused(Code.MALFORMED, f"{kind.__name__}: {_fault(error)}") from None


def decode_signature(value: Any) -> Signature:
    """A signature from JSON. Raises Refused (MALFORMED)."""
    try:
        return _signature(value)
    except ValueError as error:
        raise Refused(Code.MALFORMED, f"signature: {error}") from None


def decode_hash(value: Any) -> bytes:
    """32 bytes from JSON. Raises Refused (MALFORMED)."""
    try:
        return _bytes(32)(value)
    except ValueError as error:
        raise Refused(Code.MALFORMED, str(error)) from None
