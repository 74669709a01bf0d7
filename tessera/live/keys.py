"""Keys that sign digests, and who signed one: by libsecp256k1, ten times faster than in Python."""

from functools import lru_cache

from coincurve import PrivateKey, PublicKey
from eth_account.messages import SignableMessage
from eth_hash.backends.pysha3 import keccak256 as keccak
from eth_utils.address import to_checksum_address

from tessera.chain.micro_sessions import Signature
from tessera.chain.signatures import SECP256K1_N, digest_of

HALF_ORDER = SECP256K1_N // 2
S_MASK = 2**255 - 1


class Key:
    """A private key in memory. The same digest gives the same signature (RFC 6979)."""

    def __init__(self, secret: bytes):
        self._key = PrivateKey(secret)
        self.address = _address(self._key.public_key)

    def sign(self, digest: bytes) -> Signature:
        """A signature of a digest, as contracts take it."""
        signed = self._key.sign_recoverable(digest, hasher=None)
        return Signature(int.from_bytes(signed[:32]), int.from_bytes(signed[32:64]) | signed[64] << 255)

    def sign_message(self, message: SignableMessage) -> bytes:
        """A signature of a text (EIP-191), 65 bytes as wallets give them."""
        r, vs = self.sign(digest_of(message))
        return r.to_bytes(32) + (vs & S_MASK).to_bytes(32) + bytes([27 + (vs >> 255)])


def signer_of(digest: bytes, signature: Signature) -> str | None:
    """The address that signed a digest; None where the signature is none, also where contracts would not take it."""
    r, vs = signature
    s = vs & S_MASK
    if not (0 < r < 2**256 and 0 < vs < 2**256 and 0 < s <= HALF_ORDER):
        return None
    try:
        return _address(
            PublicKey.from_signature_and_message(
                r.to_bytes(32) + s.to_bytes(32) + bytes([vs >> 255]), digest, hasher=None
            )
        )
    except Exception:  # libsecp256k1 says no in several ways: none of them is a signature
        return None


def is_signed_by(account: str, message: SignableMessage, signature: bytes) -> bool:
    """Whether an account signed a text (EIP-191), by 65 bytes as wallets give them."""
    if len(signature) != 65 or signature[64] not in (0, 1, 27, 28):
        return False
    r, s, v = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64]), signature[64] % 27
    return s < 2**255 and signer_of(digest_of(message), Signature(r, s | v << 255)) == account


def _address(key: PublicKey) -> str:
    return _checksummed(keccak(key.format(compressed=False)[1:])[12:])


@lru_cache(2**16)
def _checksummed(address: bytes) -> str:
    return to_checksum_address(address)
