"""Sign-In with Ethereum (EIP-4361): a player proves an address by signing a text that is good for one connection.

The text is sent with the zero address in its second line. The player puts the own address there, with its checksum,
and changes nothing else: whatever differs is refused.
"""

from datetime import UTC, datetime, timedelta

from eth_account.messages import SignableMessage, encode_defunct
from siwe import SiweMessage, generate_nonce
from web3 import Web3

from tessera.chain.contract import ZERO_ADDRESS
from tessera.chain.errors import ChainError
from tessera.chain.sign_in_text import sign_in_text

SECONDS = 600  # that a challenge is good for
STATEMENT = "Sign in to bet with this host. This costs nothing and moves no money."


class SignInError(ChainError):
    """Somebody did not prove an address."""

    code = "sign_in_failed"


class Challenge:
    """One challenge, for one connection."""

    def __init__(self, domain: str, uri: str, chain_id: int):
        now = datetime.now(UTC).replace(microsecond=0)
        self._ends = now + timedelta(seconds=SECONDS)
        self.text = sign_in_text(
            domain=domain,
            address=ZERO_ADDRESS,
            uri=uri,
            chain_id=chain_id,
            nonce=generate_nonce(),
            statement=STATEMENT,
            issued_at=int(now.timestamp()),
            seconds=SECONDS,
        )

    def signable(self, message: str) -> tuple[str, SignableMessage]:
        """The address that a text is about to prove, and what it has to have signed. Raises SignInError."""
        lines = message.split("\n")
        address = lines[1] if len(lines) > 1 else ""
        if not Web3.is_checksum_address(address) or address == ZERO_ADDRESS:
            raise SignInError("the second line of the text is your address, with its checksum")
        if message != self.text.replace(ZERO_ADDRESS, address, 1):
            raise SignInError("the text is not the one that was sent, with your address in its second line")
        if datetime.now(UTC) >= self._ends:
            raise SignInError("the challenge is too old: connect again")
        return address, encode_defunct(text=message)


def text_to_sign(challenge: str, address: str, domain: str, chain_id: int) -> str:
    """A host's challenge with an address in it, as its owner signs it.

    Raises SignInError where it is no such text, or one of another domain or chain: who signs that signs in there.
    """
    try:
        message = SiweMessage.from_message(challenge)
    except ValueError:
        raise SignInError("the host's challenge is no text of EIP-4361") from None
    if message.domain != domain:
        raise SignInError(f"the challenge is for {message.domain}, not for {domain}: connect to the host by that name")
    if (message.address, message.chain_id, message.statement) != (ZERO_ADDRESS, chain_id, STATEMENT):
        raise SignInError("the challenge is not the one of a host on this chain")
    return challenge.replace(ZERO_ADDRESS, address, 1)
