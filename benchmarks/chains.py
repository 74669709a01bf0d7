"""The two chains that gas is measured on, behind one small face: accounts, deploy, send, wait, and gas by name."""

from contextlib import ExitStack

from eth_tester import EthereumTester, PyEVMBackend
from web3 import EthereumTesterProvider, HTTPProvider, Web3

from scripts.devnet import anvil, require_anvil
from tessera.chain.embedded import ACCOUNTS, MNEMONIC
from tessera.chain.permits import sign_permit
from tessera.deployment.artifacts import ROOT, compiled, compiled_file

START = 2_000_000_000  # so that timestamps, and with them calldata, are the same in every run


class Chain:
    """A chain on which each transaction is alone in its block, so that storage is cold. `gas` maps a name, such as
    "Escrow.deposit" or "LmsrMarkets.bet (first)", to the receipt's gasUsed of its first measurement.

    Every transaction may use `limit`: estimating would run each of them several times."""

    limit: int

    def __init__(self, web3: Web3):
        self.web3 = web3
        self.accounts = web3.eth.accounts
        self.gas: dict[str, int] = {}
        self.wait_until(START)

    @property
    def now(self) -> int:
        """Unix seconds of the newest block."""
        return self.web3.eth.get_block("latest")["timestamp"]

    def wait(self, seconds: int) -> None:
        """The newest block is so many seconds later."""
        self.wait_until(self.now + seconds)

    def deploy(self, name: str, *args):
        """A contract of `contracts/` by name, or of another folder by its path without ".vy"."""
        made = compiled_file(ROOT / f"{name}.vy") if "/" in name else compiled(name)
        created = self.web3.eth.contract(abi=made.abi, bytecode=made.initcode).constructor(*args)
        receipt = self.web3.eth.wait_for_transaction_receipt(
            created.transact({"from": self.accounts[0], "gas": self.limit})
        )
        contract = self.web3.eth.contract(receipt["contractAddress"], abi=made.abi)
        contract.tessera_name = made.name
        return contract

    def send(self, contract, function: str, *args, by: int | str = 0, case: str = "", measure: bool = True) -> int:
        """Gas used by one call, kept under "Contract.function (case)" unless measured before.

        `by` is the sender, an account or the number of one. Raises where the transaction fails.
        """
        sender = self.accounts[by] if isinstance(by, int) else by
        sent = getattr(contract.functions, function)(*args).transact({"from": sender, "gas": self.limit})
        receipt = self.web3.eth.wait_for_transaction_receipt(sent)
        assert receipt["status"] == 1, f"{contract.tessera_name}.{function} reverted"
        if measure:
            name = f"{contract.tessera_name}.{function}" + (f" ({case})" if case else "")
            self.gas.setdefault(name, receipt["gasUsed"])
        return receipt["gasUsed"]

    def send_signed(self, signer, contract, function: str, *args, measure: bool = True) -> int:
        """Gas used by one call of an account whose key is here, kept under "Contract.function" if it is measured."""
        transaction = getattr(contract.functions, function)(*args).build_transaction(
            {
                "from": signer.address,
                "nonce": self.web3.eth.get_transaction_count(signer.address),
                "gas": 3_000_000,
                "gasPrice": 10**10,
            }
        )
        sent = self.web3.eth.send_raw_transaction(signer.sign_transaction(transaction).raw_transaction)
        receipt = self.web3.eth.wait_for_transaction_receipt(sent)
        assert receipt["status"] == 1, f"{contract.tessera_name}.{function} reverted"
        if measure:
            self.gas[f"{contract.tessera_name}.{function}"] = receipt["gasUsed"]
        return receipt["gasUsed"]


class Embedded(Chain):
    """py-evm in this process: no binary, the same figures on every machine."""

    limit = 16_000_000

    def __init__(self):
        backend = PyEVMBackend.from_mnemonic(MNEMONIC, num_accounts=ACCOUNTS)
        super().__init__(Web3(EthereumTesterProvider(EthereumTester(backend))))

    def wait_until(self, timestamp: int) -> None:
        self.web3.provider.ethereum_tester.time_travel(timestamp)

    def mine(self, blocks: int) -> None:
        self.web3.provider.ethereum_tester.mine_blocks(blocks)

    def close(self) -> None:
        pass


class Anvil(Chain):
    """A node of its own on a free port, from the npm package that package.json pins."""

    limit = 800_000_000  # a crowd in few blocks: each costs the node time by the size of the state

    def __init__(self):
        require_anvil()
        self._running = ExitStack()
        options = "--hardfork", "prague", "--gas-limit", str(self.limit), "--prune-history"
        _, url = self._running.enter_context(anvil(0, *options))
        super().__init__(Web3(HTTPProvider(url)))

    def wait_until(self, timestamp: int) -> None:
        self.web3.provider.make_request("evm_setNextBlockTimestamp", [timestamp])
        self.web3.provider.make_request("evm_mine", [])

    def mine(self, blocks: int) -> None:
        self.web3.provider.make_request("anvil_mine", [hex(blocks)])

    def close(self) -> None:
        self._running.close()


def permit(chain: Chain, token, signer, spender: str, amount: int, deadline: int) -> tuple[int, bytes, bytes]:
    """v, r and s of an EIP-2612 permit."""
    signed = sign_permit(chain.web3, signer, token.address, spender, amount, deadline)
    return signed.v, signed.r, signed.s
