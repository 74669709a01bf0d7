"""Golden values of hosted bets for clients in other languages: `python -m tests.hosted_vectors` writes them.

`tests/vectors/hosted.json` holds listings with their ids by eth-abi and, by eth-account, the host's offers and signed
bets. tests/unit/hosted_bets/test_vectors.py compares Python with it, web/tests/listings.test.ts the page.
Numbers are decimal text, as in the frames of docs/host.md: JSON's are too small.
"""

import json
from pathlib import Path
from typing import Any

from eth_abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak, to_checksum_address

PATH = Path(__file__).parent / "vectors" / "hosted.json"
CHAIN_ID = 31_337
HOST, PLAYER = (Account.from_key(keccak(text=name)) for name in ("who hosts the vectors", "who bets in the vectors"))
CONTRACTS = {
    name: to_checksum_address("0x" + digits * 10) for name, digits in (("ProrataBets", "9001"), ("OddsBets", "0dd5"))
}
TYPES = "(address,bytes32,string,string[],uint256[],uint256,uint256,uint256,uint256,uint256,uint256,uint256,bool)"
BET = (
    "Bet(address account,bytes32 bet_id,uint256 prediction,uint256 amount,uint256 min_confirmed,address relayer,"
    "uint256 nonce,uint256 deadline)"
)
OFFER = "Offer(bytes32 bet_id,uint256 expires_at)"
POOL = {
    "host": HOST.address,
    "salt": keccak(text="a pool"),
    "description": "A wins on B",
    "predictions": ["win", "loss"],
    "profits": [],
    "min_stake": 1_000_000,
    "max_stake": 100_000_000,
    "closes_at": 1_796_205_600,
    "result_deadline": 1_796_810_400,
    "panel_id": 7,
    "host_bps": 500,
    "validator_bps": 500,
    "is_private": False,
}
LISTINGS = {
    "a pool": POOL,
    "fixed odds": POOL
    | {
        "salt": keccak(text="fixed odds"),
        "description": "Österreich – Türkei: wer gewinnt? 🏆",
        "predictions": ["Österreich", "keiner", "Türkei"],
        "profits": [800, 1_100, 65_535],
        "host_bps": 0,
        "validator_bps": 100,
    },
    "private, with the largest values": POOL
    | {
        "salt": b"\xff" * 32,
        "description": "x" * 256,
        "predictions": [f"{number:02}" + "y" * 62 for number in range(16)],
        "min_stake": 2**84 - 1,
        "max_stake": 2**84 - 1,
        "panel_id": 2**256 - 1,
        "is_private": True,
    },
}


def as_json(value: Any) -> Any:
    """A part of a listing or a message as frames have it."""
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, dict):
        return {name: as_json(part) for name, part in value.items()}
    if isinstance(value, list):
        return [as_json(part) for part in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def signed(signer, contract: str, type_: str, message: dict) -> str:
    """A signature of EIP-712, by eth-account; the type as it is hashed."""
    name, fields = type_.rstrip(")").split("(")
    typed = {name: [{"name": field, "type": kind} for kind, field in (part.split() for part in fields.split(","))]}
    domain = {
        "name": f"Tessera {contract}",
        "version": "1",
        "chainId": CHAIN_ID,
        "verifyingContract": CONTRACTS[contract],
    }
    return f"0x{signer.sign_message(encode_typed_data(domain, typed, message)).signature.hex()}"


def case(name: str, listing: dict) -> dict:
    """A listing with its id, the host's offer of it, and a bet on its second prediction."""
    contract = "OddsBets" if listing["profits"] else "ProrataBets"
    bet_id = keccak(encode([TYPES], [tuple(listing.values())]))
    bet = {
        "account": PLAYER.address,
        "bet_id": bet_id,
        "prediction": 1,
        "amount": listing["max_stake"],
        "min_confirmed": 0,
        "relayer": HOST.address,
        "nonce": 2**256 - 1,
        "deadline": 1_796_205_599,
    }
    expires_at = listing["closes_at"]
    return {
        "name": name,
        "contract": contract,
        "listing": as_json(listing),
        "bet_id": as_json(bet_id),
        "offer": {
            "expires_at": str(expires_at),
            "signature": signed(HOST, contract, OFFER, {"bet_id": bet_id, "expires_at": expires_at}),
        },
        "bet": as_json(bet),
        "signature": signed(PLAYER, contract, BET, bet),
    }


def vectors() -> dict:
    """What the file should hold."""
    return {
        "chain_id": CHAIN_ID,
        "contracts": CONTRACTS,
        "player": {"key": as_json(bytes(PLAYER.key)), "address": PLAYER.address},
        "cases": [case(name, listing) for name, listing in LISTINGS.items()],
    }


if __name__ == "__main__":
    PATH.write_text(json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
