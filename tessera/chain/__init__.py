"""Typed access to Tessera's contracts from web3.py and eth-account: see docs/chain.md."""

from tessera.chain.contract import EUR, WAD, ZERO_ADDRESS, EventLog, Receipt
from tessera.chain.deployments import Deployment, Tessera
from tessera.chain.errors import ChainError, NodeError, Reverted
from tessera.chain.lmsr_markets import Terms, price_history
from tessera.chain.logs import LogReader
from tessera.chain.node import connect, prepared
from tessera.chain.permits import sign_permit
from tessera.chain.wallet import Wallet
from tessera.model.lmsr import Outcome

__all__ = [
    "EUR",
    "WAD",
    "ZERO_ADDRESS",
    "ChainError",
    "Deployment",
    "EventLog",
    "LogReader",
    "NodeError",
    "Outcome",
    "Receipt",
    "Reverted",
    "Terms",
    "Tessera",
    "Wallet",
    "connect",
    "prepared",
    "price_history",
    "sign_permit",
]
