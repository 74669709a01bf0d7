"""The chain inside this process: py-evm behind Ape's `ethereum:local:test` and web3's EthereumTesterProvider.

Needs eth-tester (dependency group `ops`). Good for one thread.
"""

from functools import cache
from typing import Any

from eth.exceptions import TransactionNotFound
from eth_account.signers.local import LocalAccount
from eth_tester import EthereumTester, PyEVMBackend
from eth_tester.backends.pyevm import main as pyevm
from web3 import EthereumTesterProvider, Web3
from web3.providers.eth_tester.defaults import API_ENDPOINTS, static_return

from tessera.chain.accounts import KEY_PATH, from_mnemonic

CHAIN_ID = 1337
ACCOUNTS = 20
MNEMONIC = "test test test test test test test test test test test junk"  # anvil's and Ape's: everybody knows its keys

_walk = pyevm._get_transaction_by_hash


def _by_index(chain, transaction_hash):
    try:
        number, index = chain.chaindb.get_transaction_index(transaction_hash)
    except TransactionNotFound:
        return _walk(chain, transaction_hash)  # not in a block yet
    block = chain.get_canonical_block_by_number(number)
    return block, block.transactions[index], index


def read_logs_fast() -> None:
    """Lets eth-tester find a transaction by its index; as it comes, it walks back from the head for every receipt."""
    pyevm._get_transaction_by_hash = _by_index


def embedded_web3(chain_id: int = CHAIN_ID) -> Web3:
    """A new chain of its own where each `known_account` has money; every transaction is mined at once."""
    read_logs_fast()
    backend = PyEVMBackend.from_mnemonic(MNEMONIC, num_accounts=ACCOUNTS, hd_path=KEY_PATH)
    tester = EthereumTester(backend)
    chain: Any = backend.chain
    type(chain).chain_id = chain_id  # the class belongs to this chain alone
    endpoints = {**API_ENDPOINTS, "eth": {**API_ENDPOINTS["eth"], "chainId": static_return(chain_id)}}
    web3 = Web3(EthereumTesterProvider(tester, api_endpoints=endpoints))
    web3.eth.default_account = known_account(0).address  # or web3 looks for one before every call, which costs more
    return web3


@cache
def known_account(index: int) -> LocalAccount:
    """One of the accounts that have money on every local chain: this one, Ape's and a devnet. Index 0 to 19."""
    return from_mnemonic(MNEMONIC, index)
