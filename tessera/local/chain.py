"""What only local chains have: time passes at will, tokens are free, vaults earn what they are told to.

For the product `tickets` with its stand-ins. Needs the compiler (dependency group `ops`).
"""

from typing import Any

from eth_typing import ChecksumAddress
from web3 import EthereumTesterProvider, Web3
from web3.types import RPCEndpoint

from tessera.chain.blocks import block_at
from tessera.chain.contract import WAD
from tessera.chain.deployments import LOCAL_CHAINS, Tessera
from tessera.chain.erc20 import Erc20
from tessera.chain.errors import ChainError
from tessera.chain.timelock import Operation
from tessera.chain.wallet import Wallet
from tessera.deployment.deploy import code_of

HOUR, DAY, YEAR = 3600, 86_400, 365 * 86_400
UNITS = {"USDC": 10**6, "DAI": 10**18}  # of a token
INTEREST_BPS = {"USDC": 520, "DAI": 610}  # of each vault in a year
MARKET_USD, MARKET_BET = 100_000, 1_000_000 * WAD
BLOCKS_A_REQUEST = 200  # anvil takes some milliseconds for each, and a request must not time out


def let_pass(web3: Web3, seconds: int, blocks_per_hour: int) -> None:
    """Mines what is mined in that time, at least two blocks; the newest is then so many seconds after the newest now.

    Raises ChainError where the chain is not a local one.
    """
    require_local(web3)
    blocks = max(2, seconds * blocks_per_hour // HOUR)
    if isinstance(web3.provider, EthereumTesterProvider):
        tester: Any = web3.provider.ethereum_tester
        end = block_at(web3).timestamp + seconds
        tester.backend.mine_blocks(blocks - 2)
        tester.time_travel(end)  # mines a block before it
        tester.mine_block()
        return
    interval, rest = divmod(seconds, blocks)
    ask_node(web3, "evm_increaseTime", rest)
    while blocks:
        some = min(blocks, BLOCKS_A_REQUEST)
        ask_node(web3, "anvil_mine", hex(some), hex(interval))
        blocks -= some


def require_local(web3: Web3) -> None:
    """Raises ChainError unless the chain is the embedded one or an anvil of one's own."""
    chain_id = web3.eth.chain_id
    if chain_id not in LOCAL_CHAINS:
        raise ChainError(f"chain {chain_id} is no local chain")
    if not isinstance(web3.provider, EthereumTesterProvider) and not web3.client_version.startswith("anvil/"):
        raise ChainError(f"{web3.client_version} is not anvil")


class LocalChain:
    """The stand-ins of a product `tickets` on a local chain. Raises ChainError where it is not one."""

    def __init__(self, tessera: Tessera, owner: Wallet):
        """`owner` deployed it, and pays for what nobody else does."""
        require_local(tessera.web3)
        self.tessera, self.web3, self.owner = tessera, tessera.web3, owner
        self.blocks_per_hour = tessera.events.blocks_per_hour()

    def token(self, asset: str) -> Erc20:
        """A stablecoin, "USDC" or "DAI"."""
        return Erc20(self.web3, self._address(f"TestToken:{asset}"))

    def give(self, account: str, asset: str, amount: int) -> None:
        """Makes tokens, in units of the asset."""
        self.call(f"TestToken:{asset}", "mint", account, amount)

    def now(self) -> int:
        """Unix seconds of the newest block."""
        return block_at(self.web3).timestamp

    def let_pass(self, seconds: int) -> None:
        """Lets vaults earn and blocks be mined for so long."""
        self.earn(seconds)
        let_pass(self.web3, seconds, self.blocks_per_hour)

    def earn(self, seconds: int) -> dict[str, int]:
        """Pays each vault the interest of so long on all principal, and says how much, in units of each asset."""
        earned = {}
        for asset, bps in INTEREST_BPS.items():
            principal = self.tessera.staking.asset_state(self.token(asset).address).principal
            earned[asset] = principal * bps * seconds // (10_000 * YEAR)
            if earned[asset]:
                self.give(self._address(f"YieldVault:{asset}"), asset, earned[asset])
        return earned

    def open_markets(self) -> None:
        """DAI against USDC at 1, and the treasury's BET against USDC at 0.10: what it gives is public for its delay."""
        dai, bet = self._address("Pair:DAI"), self._address("Pair:BET")
        grant = Operation.of(self.tessera.bet_token, "transfer", bet, MARKET_BET)
        self.tessera.timelock.schedule(self.owner, grant)
        let_pass(self.web3, self.tessera.timelock.least_delay(), self.blocks_per_hour)
        self.tessera.timelock.execute(self.owner, grant)
        self.give(bet, "USDC", MARKET_USD * UNITS["USDC"])
        for asset, unit in UNITS.items():
            self.give(dai, asset, 10 * MARKET_USD * unit)
        for pair in ("Pair:DAI", "Pair:BET"):
            self.call(pair, "mint", self.tessera.timelock.address)

    def contract(self, name: str):
        """A contract of the product with all of its functions, those of stand-ins included."""
        return self.web3.eth.contract(address=self._address(name), abi=code_of(name).abi)

    def call(self, name: str, function: str, *arguments) -> None:
        """A transaction of the owner's to a contract of the product."""
        data = self.contract(name).encode_abi(function, arguments)
        self.owner.send({"to": self._address(name), "data": data}, f"{name}.{function}")

    def _address(self, name: str) -> ChecksumAddress:
        return self.tessera.deployment.address_of(name)


def ask_node(web3: Web3, method: str, *parameters) -> None:
    """Has a node of one's own do what no public node does. Raises ChainError where it refuses."""
    answer = web3.provider.make_request(RPCEndpoint(method), list(parameters))
    if "error" in answer:
        raise ChainError(f"{method}: {answer['error']['message']}")
