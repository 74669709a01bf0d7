"""Golden values of everything that is signed about sessions: `python -m tests.session_vectors` writes them.

`tests/vectors/sessions.json` holds, for fixed values, the digests and signatures that eth-account's own EIP-712
computes from the values' JSON, and a record's heads by eth-abi. Python, contract and TypeScript are compared with it:
tests/unit/micro_sessions/test_vectors.py, web/tests/signed.test.ts. Numbers are decimal text: JSON's are too small.
"""

import json
from pathlib import Path
from typing import Any

from eth_abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak, to_checksum_address

from tessera.chain.panels import DOMAIN_NAME, DOMAIN_VERSION, REPORT_TYPE
from tessera.model.sessions import record
from tessera.model.sessions.questions import Kind, pattern
from tessera.model.sessions.record import Line, LineKind
from tessera.model.sessions.typed import (
    OFFER_LAYOUT,
    Book,
    Choice,
    Close,
    Domain,
    Offer,
    OpenBet,
    Post,
    Question,
    Quote,
    Receipt,
    Refusal,
    State,
)

PATH = Path(__file__).parent / "vectors" / "sessions.json"
DOMAIN = Domain(31_337, to_checksum_address("0x" + "5e55" * 10))
PANELS = to_checksum_address("0x" + "9a9e" * 10)
SESSION, HEAD, ROOT = (keccak(text=name) for name in ("session", "head", "root"))
SIGNER = Account.from_key(keccak(text="who signs the vectors"))
PLAYER, SESSION_KEY, HOUSE_KEY = ("0x" + digit * 40 for digit in "1a9")
LARGEST = 2**256 - 1
LOCK = 1_800_000_010_000

OFFER = Offer(
    PLAYER,
    SESSION_KEY,
    HOUSE_KEY,
    stream_id=7,
    deposit=20_000_000,
    activation=500_000,
    house_lock=30_000_000,
    stake_cap=5_000_000,
    loss_cap=15_000_000,
    expires_at=1_800_086_400,
    valid_until=1_800_000_120,
    salt=42,
)
FULL_OFFER = Offer(
    "0x" + "f" * 40, "0x" + "e" * 40, "0x" + "d" * 40, 2**64 - 1, *[2**96 - 1] * 5, 2**64 - 1, 2**64 - 1, 2**128 - 1
)
TIMES = (LOCK, LOCK + 3_000, LOCK + 63_000, LOCK + 3_600_000)
BINARY = Question(Kind.BINARY, 7, "Does it turn left?", *TIMES, 0, (Choice(0, 0), Choice(1, 1)))
PATTERN = Question(
    Kind.PATTERN,
    7,
    "äöü \N{SOCCER BALL} 左?",
    *TIMES,
    2,
    tuple(Choice(pattern(symbols), pattern(symbols)) for symbols in (b"LL", b"LR", b"RR")),
)
BETS = tuple(
    OpenBet(
        keccak(text=f"question {i}"), keccak(text=f"quote {i}"), LOCK + i, LOCK + 3_600_000, i, 10**6 + i, 8 * 10**5
    )
    for i in range(16)
)
# Name, value, and the fields that the value does not carry itself.
SIGNED: list[tuple[str, Any, dict]] = [
    ("an offer", OFFER, {}),
    ("an offer whose words are full", FULL_OFFER, {}),
    ("the empty state", State(), {"session": SESSION}),
    ("an activated state", State(1, 0, 0, True), {"session": SESSION}),
    ("a state with one open bet", State(2, 1, -123, True, BETS[:1]), {"session": SESSION}),
    ("a state with sixteen open bets", State(2**64 - 1, 17, -(2**255), True, BETS), {"session": SESSION}),
    ("a receipt", Receipt(keccak(text="state"), 7, 9, 2, HEAD), {}),
    ("an agreement to close", Close(-5_000_000, True, 1_800_000_600), {"session": SESSION}),
    ("a post", Post(keccak(text="state"), 1_800_000_600), {"session": SESSION}),
    ("a binary question", BINARY, {}),
    ("a pattern question", PATTERN, {}),
    ("a quote", Quote(7, keccak(text="question 0"), (1_800, 2_100, 9_999), 10**9, 4, LOCK), {}),
    ("a book", Book(keccak(text="question 0"), 7, ROOT, 12, HEAD), {}),
    ("a refusal", Refusal(keccak(text="state"), 7, 4, LOCK), {}),
]
LINES = [
    Line(1, LineKind.EPOCH, 1, record.NO_QUESTION, bytes(32)),
    Line(2, LineKind.QUOTE, 1, keccak(text="question 0"), keccak(text="quote 0")),
    Line(3, LineKind.BET, 1, keccak(text="question 0"), keccak(text="state")),
    Line(4, LineKind.LOCK, 2, keccak(text="question 0"), keccak(text="state")),
    Line(5, LineKind.RESULT, 2, keccak(text="question 0"), keccak(b"\x01")),
]


def as_json(value: Any) -> Any:
    """Bytes as 0x hex, numbers as decimal text, everything else as it is."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(int(value)) if isinstance(value, int) and not isinstance(value, bool) else value


def case(name: str, data: dict) -> dict:
    """A case of typed data, as `eth_signTypedData_v4` takes it."""
    signable = encode_typed_data(full_message=data)
    digest = keccak(b"\x19\x01" + signable.header + signable.body)
    signed = SIGNER.sign_message(signable)
    return {
        "name": name,
        "type": data["primaryType"],
        "message": as_json(data["message"]),
        "digest": as_json(digest),
        "signature": as_json(bytes(signed.signature)),
        "r": as_json(signed.r),
        "vs": as_json(signed.s | (signed.v - 27) << 255),
    }


def report(key: bytes, outcome: int) -> dict:
    """A report to Panels about a question's result or book, as typed data."""
    kinds = {"name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address"}
    asked = {"product": DOMAIN.contract, "key": key, "not_before": LOCK // 1_000, "deadline": LOCK // 1_000 + 3_600}
    return {
        "types": {"EIP712Domain": [{"name": name, "type": kind} for name, kind in kinds.items()], **REPORT_TYPE},
        "primaryType": "Report",
        "domain": {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": DOMAIN.chain_id,
            "verifyingContract": PANELS,
        },
        "message": {"panel_id": 3, **asked, "outcome": outcome},
    }


def _heads() -> list[bytes]:
    """The heads of LINES, the empty record's first, by eth-abi."""

    def hashed(fields: str, *values) -> bytes:
        return keccak(encode([field.split()[0] for field in fields.split(",")], values))

    heads = [hashed(record.FIRST_HEAD_FIELDS, DOMAIN.chain_id, DOMAIN.contract, 7)]
    for line in LINES:
        heads.append(hashed(record.HEAD_FIELDS, heads[-1], line.n, line.kind, line.epoch, line.question, line.leaf))
    return heads


def vectors() -> dict:
    """What the file should hold."""
    question = keccak(text="question 0")
    return {
        "chain_id": DOMAIN.chain_id,
        "contract": DOMAIN.contract,
        "panels": PANELS,
        "signer": {"key": as_json(bytes(SIGNER.key)), "address": SIGNER.address},
        "offers": [
            as_json({field: getattr(offer, field) for _, field, _, _ in OFFER_LAYOUT}) for offer in (OFFER, FULL_OFFER)
        ],
        "signed": [case(name, DOMAIN.typed_data(value, **more)) for name, value, more in SIGNED],
        "reports": [
            case("a result", report(question, 16)),
            case("a book", report(record.book_key(question, ROOT), 1)),
            case("that nobody could see it", report(question, LARGEST)),
        ],
        "book": as_json({"question": question, "root": ROOT, "key": record.book_key(question, ROOT)}),
        "record": as_json({"stream_id": 7, "lines": [vars(line) for line in LINES], "heads": _heads()}),
    }


if __name__ == "__main__":
    PATH.write_text(json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n")
