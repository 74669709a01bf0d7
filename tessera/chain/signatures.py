"""Whether an account signed a message: by its key or its code (EIP-1271), as `contracts/modules/signatures.vy` asks.

Reading a key's signature asks nobody. Asking an account's code is a call to a stranger's contract, so it is bounded.
"""

from typing import Any

from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import SignableMessage
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError
from web3 import Web3

from tessera.chain.errors import NodeRefusedError, Reverted, calling

VOID = (BadSignature, ValidationError, ValueError, TypeError)  # how eth-account refuses bytes as a signature
MAGIC = bytes.fromhex("1626ba7e")  # of EIP-1271
WALLET_GAS = 100_000  # as in the contract: also of what a call answers with, so that is below 210,000 bytes
CALL_GAS, BYTE_GAS = 21_000, 16  # what any call costs before the account's code runs
MOST_BYTES = 1_024  # of a signature that the contracts take
SECP256K1_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # the order of the curve


def signer_of(message: SignableMessage, signature: bytes) -> str | None:
    """Whose key signed a message; None where the bytes are no key's signature that `standard_form` knows."""
    standard = standard_form(signature)
    if len(standard) != 65 or standard[64] not in (27, 28):
        return None  # eth-account takes a `v` with a chain's number in it, too, which no contract does
    try:
        return Account.recover_message(message, signature=standard)
    except VOID:
        return None


def standard_form(signature: bytes) -> bytes:
    """A key's signature as contracts take it: `v` of 27 or 28, where a wallet wrote 0 or 1, and the lower `s`, since
    the two words of EIP-2098 have no room for a higher one. Other bytes as they are.

    It is the same consent of the same key.
    """
    if len(signature) != 65 or signature[64] not in (0, 1, 27, 28):
        return signature
    s, parity = int.from_bytes(signature[32:64], "big"), signature[64] % 27
    if SECP256K1_N // 2 < s < SECP256K1_N:
        s, parity = SECP256K1_N - s, 1 - parity
    return signature[:32] + s.to_bytes(32, "big") + bytes([27 + parity])


def is_signed_by_code(web3: Web3, account: str, message: SignableMessage, signature: bytes) -> bool:
    """Whether an account's code takes a signature (EIP-1271), asked with 100,000 gas; an account without code does not.

    Whatever the code does instead of answering counts as no. Raises NodeError where the node cannot be asked.
    """
    if len(signature) > MOST_BYTES:
        return False
    data = MAGIC + encode(["bytes32", "bytes"], [digest_of(message), signature])
    gas = WALLET_GAS + CALL_GAS + BYTE_GAS * len(data)
    call: Any = {"to": account, "data": Web3.to_hex(data), "gas": gas}
    try:
        with calling("isValidSignature"):
            return bytes(web3.eth.call(call)) == MAGIC.ljust(32, b"\0")
    except (Reverted, NodeRefusedError):  # nodes name a lack of gas in either way
        return False


def digest_of(message: SignableMessage) -> bytes:
    """What is signed of a message (EIP-191), 32 bytes."""
    return keccak(b"\x19" + message.version + message.header + message.body)
