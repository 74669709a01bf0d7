"""Typed access to Tessera's contracts from web3.py and eth-account: see docs/chain.md."""

from tessera.chain.contract import EUR, WAD, ZERO_ADDRESS, Done, Row
from tessera.chain.deployments import Deployment, Tessera
from tessera.chain.logs import LogReader
from tessera.chain.markets import Terms, price_history
from tessera.chain.permits import sign_permit
from tessera.chain.wallet import ChainError, Reverted, Wallet
from tessera.model.lmsr import Outcome

__all__ = [
    "EUR",
    "WAD",
    "ZERO_ADDRESS",
    "ChainError",
    "Deployment",
    "Done",
    "LogReader",
    "Outcome",
    "Reverted",
    "Row",
    "Terms",
    "Tessera",
    "Wallet",
    "price_history",
    "sign_permit",
]
