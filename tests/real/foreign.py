"""A contract that is not Tessera's: deployed and called by name, through the same wallets."""

from pathlib import Path
from typing import Any

from web3 import Web3
from web3.types import TxReceipt

from tessera.chain.errors import calling
from tessera.chain.wallet import Wallet
from tessera.deployment.artifacts import ROOT, compiled

NODE_MODULES = ROOT / "node_modules"


def node_module(path: str) -> Path:
    """A file of an npm package. Raises FileNotFoundError that says what to do where it is not installed."""
    file = NODE_MODULES / path
    if not file.exists():
        raise FileNotFoundError(f"node_modules/{path} is missing: run `npm ci` (Node 20 or later)")
    return file


class Foreign:
    """A contract with its ABI. `write` raises Reverted with the contract's reason before anything is sent."""

    def __init__(self, web3: Web3, address: str, abi: list[dict[str, Any]]):
        self.web3 = web3
        self.address = Web3.to_checksum_address(address)
        self.abi = abi
        self._contract = web3.eth.contract(address=self.address, abi=abi)

    @classmethod
    def deploy(cls, sender: Wallet, abi: list[dict[str, Any]], initcode: bytes | str, *arguments) -> "Foreign":
        """Creates it, libraries linked already."""
        factory = sender.web3.eth.contract(abi=abi, bytecode=initcode)
        receipt = sender.send({"data": factory.constructor(*arguments).data_in_transaction}, "constructor")
        return cls(sender.web3, receipt["contractAddress"], abi)

    @classmethod
    def ours(cls, sender: Wallet, name: str, *arguments) -> "Foreign":
        """Creates a contract of `contracts/` that needs no typed class in a test, such as a TestToken."""
        artifact = compiled(name)
        return cls.deploy(sender, artifact.abi, artifact.initcode, *arguments)

    def read(self, function: str, *arguments, block: int | str = "latest"):
        """What a view returns. Raises Reverted."""
        with calling(function):
            return self._contract.functions[function](*arguments).call(block_identifier=block)

    def write(self, sender: Wallet, function: str, *arguments) -> TxReceipt:
        """Sends a call and waits for it. Raises Reverted."""
        return sender.send({"to": self.address, "data": self.calldata(function, *arguments)}, function)

    def calldata(self, function: str, *arguments) -> str:
        """What a transaction that calls a function carries."""
        return self._contract.encode_abi(function, list(arguments))

    def events(self, name: str, receipt: TxReceipt) -> list[dict[str, Any]]:
        """The arguments of this contract's events of a name in a receipt."""
        logs = [log for log in receipt["logs"] if log["address"] == self.address]
        return [dict(row["args"]) for row in self._contract.events[name]().process_receipt({**receipt, "logs": logs})]
