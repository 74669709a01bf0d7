"""A member's session: an account proves itself by signing a text (EIP-4361) that this club made, good for ten minutes.

Nothing is kept of a text that was not signed yet. Its nonce says when it was made and carries the club's own mark over
account, domain, chain and time, so that any of its nodes knows it again, and a stranger's text is refused.
"""

import hmac
import secrets
import time
from datetime import datetime
from hashlib import sha256

from eth_account.messages import encode_defunct
from siwe import SiweMessage
from web3 import Web3

from tessera.chain.sign_in_text import sign_in_text
from tessera.chain.signatures import is_signed_by_code, signer_of
from tessera.club.refusals import RefusedError

SECONDS = 600  # that a text is good for
SESSION_SECONDS = 30 * 86_400
STATEMENT = "Sign in to your club. This costs nothing and moves no money."
RANDOM, MARK = 16, 32  # hexadecimal digits


def challenge(secret: bytes, *, account: str, domain: str, url: str, chain_id: int) -> str:
    """A text for an account to sign."""
    return _text(secret, account, domain, url, chain_id, int(time.time()), secrets.token_hex(RANDOM // 2))


def check(secret: bytes, text: str, signature: bytes, *, web3: Web3, domain: str, url: str, chain_id: int) -> str:
    """The account that a signed text proves. Raises RefusedError `bad_challenge` or `bad_signature`, NodeError."""
    not_ours = RefusedError("bad_challenge", "This is no text of this club's: ask for a new one.")
    try:
        message = SiweMessage.from_message(text)
        account, random = str(message.address), message.nonce[:RANDOM]
        made_at = int(datetime.fromisoformat(str(message.issued_at)).timestamp())
        expected = _text(secret, account, domain, url, chain_id, made_at, random)
    except (ValueError, TypeError):  # also of a time in a year that there is not
        raise not_ours from None
    if not hmac.compare_digest(expected.encode(), text.encode()):
        raise not_ours
    if not made_at <= time.time() + 1 or time.time() >= made_at + SECONDS:
        raise RefusedError("bad_challenge", "This text is too old: ask for a new one.")
    signed = encode_defunct(text=text)
    if signer_of(signed, signature) != account and not is_signed_by_code(web3, account, signed, signature):
        raise RefusedError("bad_signature", f"This is not signed by {account}.")
    return account


def _text(secret: bytes, account: str, domain: str, url: str, chain_id: int, made_at: int, random: str) -> str:
    marked = "\n".join((account, domain, url, str(chain_id), str(made_at), random))
    mark = hmac.new(secret, marked.encode(), sha256).hexdigest()[:MARK]
    return sign_in_text(
        domain=domain,
        address=account,
        uri=url,
        chain_id=chain_id,
        nonce=random + mark,
        statement=STATEMENT,
        issued_at=made_at,
        seconds=SECONDS,
    )
