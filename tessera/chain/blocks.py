"""Block numbers as contracts see them: on some chains (Arbitrum) they are not the node's."""

from web3 import EthereumTesterProvider, Web3

from tessera.chain.errors import calling
from tessera.chain.node import prepared

# Code that answers its block number: NUMBER, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN.
BLOCK_NUMBER = "0x4360005260206000f3"


def contract_block(web3: Web3) -> int:
    """The block number that a contract sees in the newest block; on the embedded chain that of the next one.

    Whatever a contract has stored as a block (an event's stop block, the first mined block) is compared with this,
    never with the node's number: on Arbitrum contracts count the blocks of Ethereum. Raises NodeError.
    """
    if isinstance(prepared(web3).provider, EthereumTesterProvider):
        return web3.eth.get_block("pending")["number"]
    with calling("block number"):
        return int.from_bytes(web3.eth.call({"data": BLOCK_NUMBER}, "latest"), "big")  # type: ignore[typeddict-item]
