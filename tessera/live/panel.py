"""What observers sign: results and books, as reports that `Panels` takes."""

from dataclasses import dataclass
from functools import cached_property

from eth_utils.crypto import keccak

from tessera.chain.panels import DOMAIN_NAME, DOMAIN_VERSION, REPORT_TYPE, Question
from tessera.model.sessions import record
from tessera.model.sessions.questions import panel_times
from tessera.model.sessions.typed import Domain, OpenBet
from tessera.model.sessions.typed import Question as Asked

BOOKED = 1  # the outcome that confirms a book
_FIELDS = ",".join(f"{field['type']} {field['name']}" for field in REPORT_TYPE["Report"])
_REPORT_HASH = keccak(text=f"Report({_FIELDS})")
_DOMAIN_HASH = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")


def _word(value: int) -> bytes:
    return value.to_bytes(32)


@dataclass(frozen=True)
class Panel:
    """A stream's panel: who reports, how many must agree, and which sessions contract asks."""

    panel_id: int
    contract: str
    members: tuple[str, ...]
    threshold: int
    sessions: Domain

    @cached_property
    def _separator(self) -> bytes:
        names = keccak(text=DOMAIN_NAME) + keccak(text=DOMAIN_VERSION)
        chain = _word(self.sessions.chain_id) + _word(int(self.contract, 16))
        return keccak(_DOMAIN_HASH + names + chain)

    def asked(self, key: bytes, question: Asked | OpenBet) -> Question:
        """What is asked on `Panels` under a key: a question's hash, or its book's key. A bet has the same times."""
        return Question(self.sessions.contract, key, *panel_times(question.lock, question.report_by))

    def result(self, digest: bytes, question: Asked, outcome: int) -> bytes:
        """What a member signs to report an outcome of a question whose hash is `digest`, 32 bytes."""
        return self._report(self.asked(digest, question), outcome)

    def book(self, digest: bytes, question: Asked, root: bytes) -> bytes:
        """What a member signs to confirm a question's book, 32 bytes."""
        return self._report(self.asked(record.book_key(digest, root), question), BOOKED)

    def _report(self, asked: Question, outcome: int) -> bytes:
        fields = (self.panel_id, int(asked.product, 16), int.from_bytes(asked.key), *asked[2:], outcome)
        return keccak(b"\x19\x01" + self._separator + keccak(_REPORT_HASH + b"".join(map(_word, fields))))
