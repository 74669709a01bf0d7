"""EIP-2612 permits: an approval signed off chain, so that a deposit is one transaction."""

from dataclasses import dataclass

from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from web3 import Web3

from tessera.chain.blocks import block_at
from tessera.chain.contract import address_of
from tessera.chain.errors import ChainError, NodeError, calling
from tessera.chain.node import prepared
from tessera.model.eip712 import DOMAIN

HOUR = 3600
PACKED = 64  # bytes of a compact signature (EIP-2098)
PERMIT = [
    {"name": "owner", "type": "address"},
    {"name": "spender", "type": "address"},
    {"name": "value", "type": "uint256"},
    {"name": "nonce", "type": "uint256"},
    {"name": "deadline", "type": "uint256"},
]
# What a token must tell: EIP-2612's nonce and EIP-5267's domain.
TOKEN_ABI = [
    {
        "type": "function",
        "name": "nonces",
        "stateMutability": "view",
        "inputs": [{"name": "owner", "type": "address"}],
        "outputs": [{"name": "", "type": "uint256"}],
    },
    {
        "type": "function",
        "name": "eip712Domain",
        "stateMutability": "view",
        "inputs": [],
        "outputs": [
            {"name": "", "type": kind}
            for kind in ("bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]")
        ],
    },
]


class NoPermits(ChainError):
    """A token or an account that knows no permits: the amount has to be approved by a transaction."""

    code = "no_permits"


@dataclass(frozen=True)
class Permit:
    """A signed permit, good once."""

    owner: str
    spender: str
    amount: int
    deadline: int
    v: int
    r: bytes
    s: bytes


def permit_data(web3: Web3, token: str, owner: str, spender: str, amount: int, deadline: int | None = None) -> dict:
    """The EIP-712 message that lets `spender` take `amount` of `owner`, for any wallet to sign.

    Reads the token's domain (EIP-5267) and the owner's next nonce. `deadline` is in unix seconds; None: an hour from
    now, by the chain's clock. Raises NoPermits where the token has neither.
    """
    contract = prepared(web3).eth.contract(address=address_of(token), abi=TOKEN_ABI)
    owner, spender = address_of(owner), address_of(spender)
    try:
        with calling("permit"):
            _, name, version, chain_id, verifying, _, _ = contract.functions.eip712Domain().call()
            nonce = contract.functions.nonces(owner).call()
    except NodeError:
        raise
    except ChainError:
        raise NoPermits(f"{token} knows no permits: approve it by a transaction") from None
    if deadline is None:
        deadline = block_at(web3).timestamp + HOUR
    return {
        "types": {"EIP712Domain": DOMAIN, "Permit": PERMIT},
        "primaryType": "Permit",
        "domain": {"name": name, "version": version, "chainId": chain_id, "verifyingContract": verifying},
        "message": {
            "owner": owner,
            "spender": spender,
            "value": amount,
            "nonce": nonce,
            "deadline": deadline,
        },
    }


def sign_permit(
    web3: Web3, account: LocalAccount, token: str, spender: str, amount: int, deadline: int | None = None
) -> Permit:
    """A permit of `account`, signed; good for an hour if no `deadline` (unix seconds) is given.

    Raises NoPermits where the token knows none, or the account's signatures are none that tokens take.
    """
    message = permit_data(web3, token, account.address, spender, amount, deadline)
    signed = account.sign_message(encode_typed_data(full_message=message))
    return permit_of(message, bytes(signed.signature))


def permit_of(message: dict, signature: bytes) -> Permit:
    """A permit from what a wallet signed: the message of `permit_data`, and 65 bytes or a compact signature (EIP-2098).

    Raises NoPermits for what is neither, as of smart wallets (EIP-1271): approve the amount by a transaction instead.
    """
    if len(signature) == PACKED:
        r, packed = signature[:32], int.from_bytes(signature[32:], "big")
        v, s = 27 + (packed >> 255), (packed & (2**255 - 1)).to_bytes(32, "big")
    elif len(signature) == PACKED + 1:
        r, s, v = signature[:32], signature[32:PACKED], signature[PACKED]
        v += 27 if v < 27 else 0  # some hardware wallets count from 0
    else:
        raise NoPermits(f"a signature of {len(signature)} bytes is no permit: approve it by a transaction")
    fields = message["message"]
    return Permit(fields["owner"], fields["spender"], fields["value"], fields["deadline"], v, r, s)
