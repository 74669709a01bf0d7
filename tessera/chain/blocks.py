"""Block numbers as contracts see them: on some chains (Arbitrum) they are not the node's.

A node numbers logs and blocks in its own way. What compares those numbers with a block that a contract stored calls
`check_block_numbers` first; what needs the present block alone asks `contract_block`.
"""

from typing import Any, Literal, NamedTuple

from eth_typing import HexStr
from web3 import EthereumTesterProvider, Web3

from tessera.chain.errors import OtherBlocksError, calling
from tessera.chain.node import prepared

# Code that answers its block number: NUMBER, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN.
BLOCK_NUMBER = HexStr("0x4360005260206000f3")
# Contracts there see an estimate of Ethereum's block number (docs.arbitrum.io, "Block gas limit, numbers and time").
ARBITRUM = {42_161: "Arbitrum One", 42_170: "Arbitrum Nova", 421_614: "Arbitrum Sepolia"}

BlockName = int | Literal["latest", "pending"]


class Block(NamedTuple):
    """A block by number and hash, with its unix time."""

    number: int
    hash: str
    timestamp: int


def block_at(web3: Web3, block: BlockName = "latest") -> Block:
    """A block as the node numbers it, the newest if none is named; one that is still being made has the hash "0x".

    Raises NodeError, web3's BlockNotFound.
    """
    header: Any = prepared(web3).eth.get_block(block)  # `prepared` sees to it that it has all of these
    return Block(header["number"], Web3.to_hex(header["hash"] or b""), header["timestamp"])


def contract_block(web3: Web3) -> int:
    """The block number that a contract sees in the newest block; on the embedded chain that of the next one.

    Whatever a contract has stored as a block (an event's stop block, the first mined block) is compared with this,
    never with the node's number: on Arbitrum contracts count the blocks of Ethereum. Raises NodeError.
    """
    if isinstance(prepared(web3).provider, EthereumTesterProvider):
        return block_at(web3, "pending").number
    return _number_in(web3, "latest")


def check_block_numbers(web3: Web3) -> None:
    """Raises OtherBlocksError where contracts see another block number than the node gives: by the chain's id, or by
    what a contract answers. Raises NodeError."""
    chain_id = prepared(web3).eth.chain_id
    if chain_id in ARBITRUM:
        raise OtherBlocksError(f"{ARBITRUM[chain_id]} (chain {chain_id})")
    block = web3.eth.block_number
    # Some simulated nodes run every call as if it were in the next block.
    if _number_in(web3, block) not in (block, block + 1):
        raise OtherBlocksError(f"chain {chain_id}")


def _number_in(web3: Web3, block: BlockName) -> int:
    with calling("block number"):
        return int.from_bytes(web3.eth.call({"data": BLOCK_NUMBER}, block), "big")
