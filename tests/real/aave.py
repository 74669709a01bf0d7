"""A whole Aave V3.6 market with its ERC-4626 fronts (StataTokenV2), compiled from `@aave-dao/aave-v3-origin`.

Pool, configurator, tokens, interest rates and liquidations are Aave's own code, set up in the order of its own
deployment scripts; prices are constants that `set_price` replaces, and no rewards are paid.
"""

from dataclasses import dataclass
from typing import NamedTuple

from eth_abi import encode
from web3 import Web3

from tessera.chain.contract import ZERO_ADDRESS
from tessera.chain.wallet import Wallet
from tests.real.foreign import Foreign
from tests.real.solidity import compiled_files

AAVE = "@aave-dao/aave-v3-origin/src/contracts"
LOGIC = f"{AAVE}/protocol/libraries/logic"
FILES = (
    *(f"{LOGIC}/{name}Logic.sol" for name in ("Borrow", "FlashLoan", "Liquidation", "Pool", "Supply", "Configurator")),
    f"{AAVE}/protocol/configuration/PoolAddressesProvider.sol",
    f"{AAVE}/protocol/configuration/ACLManager.sol",
    f"{AAVE}/instances/PoolInstance.sol",
    f"{AAVE}/instances/PoolConfiguratorInstance.sol",
    f"{AAVE}/instances/ATokenInstance.sol",
    f"{AAVE}/instances/VariableDebtTokenInstance.sol",
    f"{AAVE}/misc/DefaultReserveInterestRateStrategyV2.sol",
    f"{AAVE}/misc/AaveOracle.sol",
    f"{AAVE}/rewards/RewardsController.sol",
    f"{AAVE}/mocks/oracle/CLAggregators/MockAggregator.sol",
    f"{AAVE}/extensions/stata-token/StataTokenV2.sol",
    f"{AAVE}/extensions/stata-token/StataTokenFactory.sol",
    "@bgd-labs/solidity-utils/src/contracts/transparent-proxy/TransparentProxyFactory.sol",
)
REMAPPINGS = (
    "openzeppelin-contracts/contracts/=@openzeppelin/contracts/",
    "openzeppelin-contracts-upgradeable/contracts/=@openzeppelin/contracts-upgradeable/",
    "solidity-utils/=@bgd-labs/solidity-utils/src/",
)
PACKAGES = (
    "@aave-dao/aave-v3-origin",
    "@bgd-labs/solidity-utils",
    "@openzeppelin/contracts",
    "@openzeppelin/contracts-upgradeable",
)
USD = 10**8  # of Aave's prices
VARIABLE = 2  # interest rate mode
MAX = 2**256 - 1


class Rates(NamedTuple):
    """An asset's interest, in basis points: the borrow rate is base + slope1 * usage / optimal up to the optimal usage,
    and rises by slope2 from there to full usage."""

    optimal_usage: int = 9_000
    base: int = 0
    slope1: int = 600
    slope2: int = 4_000


@dataclass(frozen=True)
class Aave:
    """One market. Whoever deployed it is its admin; `treasury` gets the reserve factor."""

    admin: Wallet
    provider: Foreign
    pool: Foreign
    configurator: Foreign
    oracle: Foreign
    fronts: Foreign  # StataTokenFactory
    implementations: tuple[str, str]  # aToken, debt token
    treasury: str

    @classmethod
    def deploy(cls, admin: Wallet, treasury: str) -> "Aave":
        """A market without assets."""
        libraries: dict[str, str] = {}

        def create(name: str, *arguments) -> Foreign:
            contract = compiled_files(FILES, REMAPPINGS, PACKAGES)[name]
            return Foreign.deploy(admin, contract["abi"], _linked(contract["evm"]["bytecode"], libraries), *arguments)

        def at(name: str, address: str) -> Foreign:
            return Foreign(admin.web3, address, compiled_files(FILES, REMAPPINGS, PACKAGES)[name]["abi"])

        for path in FILES[:6]:  # FlashLoanLogic calls BorrowLogic: in this order
            name = path.removeprefix(f"{LOGIC}/").removesuffix(".sol")
            libraries[name] = create(name).address
        provider = create("PoolAddressesProvider", "Test", admin.address)
        strategy = create("DefaultReserveInterestRateStrategyV2", provider.address)
        oracle = create("AaveOracle", provider.address, [], [], ZERO_ADDRESS, ZERO_ADDRESS, USD)
        provider.write(admin, "setACLAdmin", admin.address)
        roles = create("ACLManager", provider.address)
        provider.write(admin, "setACLManager", roles.address)
        roles.write(admin, "addPoolAdmin", admin.address)
        provider.write(admin, "setPriceOracle", oracle.address)
        provider.write(admin, "setPoolImpl", create("PoolInstance", provider.address, strategy.address).address)
        provider.write(admin, "setPoolConfiguratorImpl", create("PoolConfiguratorInstance").address)
        pool = at("PoolInstance", provider.read("getPool"))
        rewards = create("RewardsController", admin.address).address
        implementations = (
            create("ATokenInstance", pool.address, rewards, treasury).address,
            create("VariableDebtTokenInstance", pool.address, rewards).address,
        )
        fronts = create(
            "StataTokenFactory",
            pool.address,
            admin.address,
            create("TransparentProxyFactory").address,
            create("StataTokenV2", pool.address, rewards).address,
        )
        configurator = at("PoolConfiguratorInstance", provider.read("getPoolConfigurator"))
        return cls(admin, provider, pool, configurator, oracle, fronts, implementations, treasury)

    def list(self, token: Foreign, price: int, *, rates: Rates | None = None, ltv: int = 0) -> Foreign:
        """Lists a token at a price (1e-8 USD) and gives its ERC-4626 front.

        With an `ltv` in basis points it is collateral, liquidated 5 % above that; it can always be borrowed. A tenth
        of the interest goes to the treasury.
        """
        self.set_price(token, price)
        symbol = token.read("symbol")
        names = [f"Aave {symbol}", f"a{symbol}", f"Aave debt {symbol}", f"d{symbol}"]
        interest = encode(["uint16", "uint32", "uint32", "uint32"], rates or Rates())
        reserve = (*self.implementations, token.address, *names, b"", interest)
        self.configurator.write(self.admin, "initReserves", [reserve])
        if ltv:
            self.configurator.write(self.admin, "configureReserveAsCollateral", token.address, ltv, ltv + 500, 10_500)
        self.configurator.write(self.admin, "setReserveBorrowing", token.address, True)
        self.configurator.write(self.admin, "setReserveFactor", token.address, 1_000)
        self.fronts.write(self.admin, "createStataTokens", [token.address])
        front = self.fronts.read("getStataToken", token.address)
        return Foreign(self.admin.web3, front, compiled_files(FILES, REMAPPINGS, PACKAGES)["StataTokenV2"]["abi"])

    def set_price(self, token: Foreign, price: int) -> None:
        """Sets a price in 1e-8 USD."""
        contract = compiled_files(FILES, REMAPPINGS, PACKAGES)["MockAggregator"]
        source = Foreign.deploy(self.admin, contract["abi"], contract["evm"]["bytecode"]["object"], price)
        self.oracle.write(self.admin, "setAssetSources", [token.address], [source.address])

    def set_paused(self, token: Foreign, is_paused: bool) -> None:
        """Stops everything of an asset, or lets it go on."""
        self.configurator.write(self.admin, "setReservePause(address,bool)", token.address, is_paused)

    def set_frozen(self, token: Foreign, is_frozen: bool) -> None:
        """Stops new deposits and loans of an asset."""
        self.configurator.write(self.admin, "setReserveFreeze", token.address, is_frozen)

    def supply(self, sender: Wallet, token: Foreign, amount: int) -> None:
        """Lends the sender's tokens out; also as collateral, where the asset may be."""
        token.write(sender, "approve", self.pool.address, MAX)
        self.pool.write(sender, "supply", token.address, amount, sender.address, 0)

    def withdraw(self, sender: Wallet, token: Foreign, amount: int = MAX) -> None:
        """Takes back what was supplied, by default all of it with its interest."""
        self.pool.write(sender, "withdraw", token.address, amount, sender.address)

    def borrow(self, sender: Wallet, token: Foreign, amount: int) -> None:
        """Borrows at the variable rate."""
        self.pool.write(sender, "borrow", token.address, amount, VARIABLE, 0, sender.address)

    def repay(self, sender: Wallet, token: Foreign, amount: int = MAX) -> None:
        """Repays, by default all of it with its interest."""
        token.write(sender, "approve", self.pool.address, MAX)
        self.pool.write(sender, "repay", token.address, amount, VARIABLE, sender.address)

    def liquidate(self, sender: Wallet, collateral: Foreign, debt: Foreign, borrower: str) -> None:
        """Repays as much of a bad loan as Aave lets the sender and takes the collateral for it."""
        debt.write(sender, "approve", self.pool.address, MAX)
        self.pool.write(sender, "liquidationCall", collateral.address, debt.address, borrower, MAX, False)

    def liquidity(self, token: Foreign) -> int:
        """What is there to be withdrawn or borrowed."""
        return self.pool.read("getVirtualUnderlyingBalance", token.address)

    def debt(self, token: Foreign) -> int:
        """What all borrowers owe now, with interest."""
        scaled = Foreign(self.admin.web3, self.pool.read("getReserveVariableDebtToken", token.address), token.abi)
        return scaled.read("totalSupply")

    def deficit(self, token: Foreign) -> int:
        """Bad debt that nobody owes any more and nobody has covered."""
        return self.pool.read("getReserveDeficit", token.address)

    def cover_deficit(self, sender: Wallet, token: Foreign) -> None:
        """Covers an asset's bad debt with the sender's money, as Aave's own safety fund (Umbrella) does."""
        deficit = self.deficit(token)
        self.provider.write(self.admin, "setAddress", b"UMBRELLA".ljust(32, b"\0"), sender.address)
        self.supply(sender, token, deficit + 2)  # rounding of the two steps
        self.pool.write(sender, "eliminateReserveDeficit", token.address, deficit)


def _linked(bytecode: dict, libraries: dict[str, str]) -> str:
    """Creation code with the addresses of its libraries in it."""
    code = bytecode["object"]
    for references in bytecode["linkReferences"].values():
        for name, places in references.items():
            address = Web3.to_checksum_address(libraries[name])[2:].lower()
            for place in places:
                start = 2 * place["start"]
                code = code[:start] + address + code[start + 2 * place["length"] :]
    return code
