"""What is signed about sessions: EIP-712 types, their digests, and an offer's five words.

`TYPES` is the one definition: the contract's type hashes, TypeScript's and these digests are compared with it.
"""

from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from eth_hash.backends.pysha3 import keccak256 as keccak  # eight times faster, and a bet takes seven

from tessera.model.eip712 import DOMAIN, DOMAIN_TYPE

NAME, VERSION = "Tessera MicroSessions", "1"

TYPES: dict[str, list[dict[str, str]]] = {
    name: [{"name": field_name, "type": kind} for kind, field_name in (pair.split() for pair in fields.split(","))]
    for name, fields in {
        "Offer": "uint256 player_word,uint256 session_word,uint256 house_word,uint256 caps_word,uint256 times_word",
        "OpenBet": "bytes32 question,bytes32 quote,uint256 lock,uint256 report_by,uint256 choice,uint256 stake,"
        "uint256 liability",
        "State": "bytes32 session,uint256 seq,uint256 prev,int256 net,bool activated,OpenBet[] open_bets",
        "Receipt": "bytes32 state,uint256 stream_id,uint256 n,uint256 epoch,bytes32 head",
        "Close": "bytes32 session,int256 net,bool activated,uint256 valid_until",
        "Post": "bytes32 session,bytes32 state,uint256 valid_until",
        "Choice": "uint256 low,uint256 high",
        "Question": "uint256 kind,uint256 stream_id,string text,uint256 lock,uint256 start,uint256 end,"
        "uint256 report_by,uint256 symbols,Choice[] choices",
        "Quote": "uint256 stream_id,bytes32 question,uint256[] odds,uint256 greatest_liability,uint256 number,"
        "uint256 valid_until",
        "Book": "bytes32 question,uint256 stream_id,bytes32 root,uint256 n,bytes32 head",
        "Refusal": "bytes32 state,uint256 stream_id,uint256 code,uint256 refused_at",
    }.items()
}
# Which types a type contains; EIP-712 appends them to its name.
CONTAINS = {"State": ["OpenBet"], "Question": ["Choice"]}
# Where an offer's terms are in its words: word, field, first bit, number of bits. As contracts/modules/offer_words.vy.
OFFER_LAYOUT = (
    ("player_word", "player", 96, 160),
    ("player_word", "deposit", 0, 96),
    ("session_word", "session_key", 96, 160),
    ("session_word", "activation", 0, 96),
    ("house_word", "house_key", 96, 160),
    ("house_word", "house_lock", 0, 96),
    ("caps_word", "stream_id", 192, 64),
    ("caps_word", "stake_cap", 96, 96),
    ("caps_word", "loss_cap", 0, 96),
    ("times_word", "salt", 128, 128),
    ("times_word", "expires_at", 64, 64),
    ("times_word", "valid_until", 0, 64),
)


def type_text(name: str) -> str:
    """A type as EIP-712 writes it, with what it contains."""
    texts = []
    for part in [name, *CONTAINS.get(name, [])]:
        fields = ",".join(f"{item['type']} {item['name']}" for item in TYPES[part])
        texts.append(f"{part}({fields})")
    return "".join(texts)


TYPE_HASHES = {name: keccak(type_text(name).encode()) for name in TYPES}


def _word(value: int) -> bytes:
    return (int(value) % 2**256).to_bytes(32)


def _encoder(kind: str) -> Callable[[Any], bytes]:
    """What makes the bytes of a field of a type."""
    if kind == "bytes32":
        return bytes
    if kind == "string":
        return lambda value: keccak(value.encode())
    if kind.endswith("[]"):
        of_part = _word if kind == "uint256[]" else _hash_part
        return lambda value: keccak(b"".join(map(of_part, value)))
    return _word


def hash_struct(value: "Typed", **more: Any) -> bytes:
    """EIP-712's hashStruct. `more` are fields of the type that the value does not carry itself."""
    name = type(value).__name__
    parts = [encoded(more[field] if field in more else getattr(value, field)) for field, encoded in _FIELDS[name]]
    return keccak(TYPE_HASHES[name] + b"".join(parts))


@lru_cache(2**16)
def _hash_part(value: "Typed") -> bytes:
    """Of what a list contains: the open bets of a session are in each of its next states."""
    return hash_struct(value)


_FIELDS = {name: [(item["name"], _encoder(item["type"])) for item in fields] for name, fields in TYPES.items()}


class Typed:
    """What has an EIP-712 type of its own name."""


@dataclass(frozen=True)
class Domain:
    """One MicroSessions on one chain: what every signature is bound to."""

    chain_id: int
    contract: str

    @cached_property
    def separator(self) -> bytes:
        """EIP-712's domain separator, 32 bytes."""
        contract = int(self.contract, 16)
        return keccak(
            b"".join(keccak(text.encode()) for text in (DOMAIN_TYPE, NAME, VERSION))
            + _word(self.chain_id)
            + _word(contract)
        )

    def digest(self, value: Typed, **more: Any) -> bytes:
        """What is signed: the EIP-712 digest of a value, 32 bytes."""
        return keccak(b"\x19\x01" + self.separator + hash_struct(value, **more))

    def typed_data(self, value: Typed, **more: Any) -> dict[str, Any]:
        """The same as `eth_signTypedData_v4` takes it."""
        name = type(value).__name__
        types = {one: TYPES[one] for one in [name, *CONTAINS.get(name, [])]}
        return {
            "types": {"EIP712Domain": DOMAIN, **types},
            "primaryType": name,
            "domain": {
                "name": NAME,
                "version": VERSION,
                "chainId": self.chain_id,
                "verifyingContract": self.contract,
            },
            "message": _message(name, value, more),
        }


def _message(name: str, value: Typed, more: dict[str, Any]) -> dict[str, Any]:
    content_by_key = {}
    for item in TYPES[name]:
        key, kind = item["name"], item["type"].removesuffix("[]")
        content = more[key] if key in more else getattr(value, key)
        if kind in TYPES:
            content = [_message(kind, part, {}) for part in content]
        content_by_key[key] = list(content) if isinstance(content, tuple) else content
    return content_by_key


@dataclass(frozen=True)
class Offer(Typed):
    """What operator and player agree to. Money in the smallest unit, times in unix seconds.

    `OFFER_LAYOUT` says where each is in the five words that are signed.
    """

    player: str
    session_key: str
    house_key: str
    stream_id: int
    deposit: int
    activation: int
    house_lock: int
    stake_cap: int
    loss_cap: int
    expires_at: int
    valid_until: int
    salt: int = 0

    def __post_init__(self):
        """Raises ValueError where a number has no room in its word."""
        for _, name, _, bits in OFFER_LAYOUT:
            if not 0 <= self._number(name) < 2**bits:
                raise ValueError(f"an offer's {name} has {bits} bits")

    def _number(self, name: str) -> int:
        value = getattr(self, name)
        return int(value, 16) if isinstance(value, str) else value

    def _packed(self, word: str) -> int:
        return sum(self._number(name) << shift for of, name, shift, _ in OFFER_LAYOUT if of == word)

    @property
    def player_word(self) -> int:
        return self._packed("player_word")

    @property
    def session_word(self) -> int:
        return self._packed("session_word")

    @property
    def house_word(self) -> int:
        return self._packed("house_word")

    @property
    def caps_word(self) -> int:
        return self._packed("caps_word")

    @property
    def times_word(self) -> int:
        return self._packed("times_word")

    @property
    def words(self) -> tuple[int, int, int, int, int]:
        """The offer as the contract takes it."""
        return self.player_word, self.session_word, self.house_word, self.caps_word, self.times_word


@dataclass(frozen=True)
class OpenBet(Typed):
    """A bet that waits for its result. `lock` and `report_by` are its question's, unix milliseconds of the source.

    The player puts `stake` at risk, the house `liability`, in money; `choice` is the number of the question's choice.
    """

    question: bytes
    quote: bytes
    lock: int
    report_by: int
    choice: int
    stake: int
    liability: int


@dataclass(frozen=True)
class State(Typed):
    """Where a session stands: `net` is what the player won or lost so far, `open_bets` wait, the newest last."""

    seq: int = 0
    prev: int = 0
    net: int = 0
    activated: bool = False
    open_bets: tuple[OpenBet, ...] = field(default=())

    @property
    def fields(self) -> tuple:
        """The state as the contract takes it."""
        return self.seq, self.prev, self.net, self.activated, [astuple(bet) for bet in self.open_bets]


@dataclass(frozen=True)
class Receipt(Typed):
    """The house's signature of a state: line `n` of the stream's record, whose head is then `head`."""

    state: bytes
    stream_id: int
    n: int
    epoch: int
    head: bytes


@dataclass(frozen=True)
class Close(Typed):
    """An agreement to close at a net, signed by both sides; valid until unix seconds."""

    net: int
    activated: bool
    valid_until: int


@dataclass(frozen=True)
class Post(Typed):
    """The player's word that somebody else may post a state for the player, until unix seconds."""

    state: bytes
    valid_until: int


@dataclass(frozen=True)
class Choice(Typed):
    """What a choice covers, from `low` to `high`, both included: see tessera.model.sessions.questions."""

    low: int
    high: int


@dataclass(frozen=True)
class Question(Typed):
    """What is bet on. Times are unix milliseconds of the source, `symbols` the length of a pattern, else 0."""

    kind: int
    stream_id: int
    text: str
    lock: int
    start: int
    end: int
    report_by: int
    symbols: int
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Quote(Typed):
    """Odds of each choice in thousandths (1,800 pays 1.8 for 1), the same for everybody, until unix milliseconds."""

    stream_id: int
    question: bytes
    odds: tuple[int, ...]
    greatest_liability: int
    number: int
    valid_until: int


@dataclass(frozen=True)
class Book(Typed):
    """At a question's lock: the root of its bets, and the record's line and head."""

    question: bytes
    stream_id: int
    root: bytes
    n: int
    head: bytes


@dataclass(frozen=True)
class Refusal(Typed):
    """The house's signed no to a state, with a code, unix milliseconds."""

    state: bytes
    stream_id: int
    code: int
    refused_at: int
