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


def signer_of(message: SignableMessage, signature: bytes) -> str | None:
    """Whose key signed a message; None where the bytes are no key's signature."""
    try:
        return Account.recover_message(message, signature=signature)
    except VOID:
        return None


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
