"""The text of Sign-In with Ethereum (EIP-4361), as hosts and clubs ask for it."""

from datetime import UTC, datetime

from siwe import SiweMessage


def sign_in_text(
    *, domain: str, address: str, uri: str, chain_id: int, nonce: str, statement: str, issued_at: int, seconds: int
) -> str:
    """A text to sign, good for so many seconds from a time, unix seconds. Raises ValueError where a part is none."""
    fields = {
        "domain": domain,
        "address": address,
        "uri": uri,
        "version": "1",
        "chain_id": chain_id,
        "nonce": nonce,
        "statement": statement,
        "issued_at": _iso(issued_at),
        "expiration_time": _iso(issued_at + seconds),
    }
    return SiweMessage.model_validate(fields).prepare_message()


def _iso(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat().replace("+00:00", "Z")
