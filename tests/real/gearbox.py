"""Lending pools of Gearbox V3 (PoolV3, an ERC-4626 vault of one token), compiled from `@gearbox-protocol/core-v3`.

The pool and its interest model are Gearbox's own code. Roles, the register of contracts and the credit manager, which
lends without collateral, are tests/mocks/CreditManager.vy; nobody pays for quotas.
"""

from dataclasses import dataclass
from fractions import Fraction

from tessera.chain.wallet import Wallet
from tessera.deployment.artifacts import ROOT, compiled_file
from tests.real.foreign import Foreign
from tests.real.solidity import compiled_files
from tests.real.uniswap import MAX

FILES = tuple(
    f"@gearbox-protocol/core-v3/contracts/pool/{name}.sol" for name in ("PoolV3", "LinearInterestRateModelV3")
)
REMAPPINGS = ("@openzeppelin/contracts/=openzeppelin-4/",)
PACKAGES = ("@gearbox-protocol/core-v3", "openzeppelin-4")
# 1inch's package has hundreds of others behind it, and the pool takes three calls of an ERC-20 from it.
STAND_INS = (("@1inch/solidity-utils/contracts/libraries/SafeERC20.sol", ROOT / "tests" / "real" / "SafeERC20.sol"),)
CREDIT = ROOT / "tests" / "mocks" / "CreditManager.vy"
# Usage and yearly interest in basis points: 6 % at 90 % of usage, 12 % at 95 %, 52 % where all is lent out.
FIRST_USAGE, SECOND_USAGE = 9_000, 9_500
BASE, SLOPE1, SLOPE2, SLOPE3 = 0, 600, 600, 4_000
BPS = 10_000


@dataclass(frozen=True)
class Gearbox:
    """One token's pool. Whoever deployed it has every role; `treasury` would get the fees, and covers losses first."""

    admin: Wallet
    token: Foreign
    pool: Foreign
    credit: Foreign

    @classmethod
    def deploy(cls, admin: Wallet, token: Foreign, treasury: str) -> "Gearbox":
        """A pool without deposits that lends all it has."""

        def create(name: str, *arguments) -> Foreign:
            contract = compiled_files(FILES, REMAPPINGS, PACKAGES, STAND_INS)[name]
            return Foreign.deploy(admin, contract["abi"], contract["evm"]["bytecode"]["object"], *arguments)

        rates = create(
            "LinearInterestRateModelV3", FIRST_USAGE, SECOND_USAGE, BASE, SLOPE1, SLOPE2, SLOPE3, False
        ).address
        artifact = compiled_file(CREDIT)
        credit = Foreign.deploy(admin, artifact.abi, artifact.initcode)
        symbol = token.read("symbol")
        pool = create(
            "PoolV3",
            *(credit.address, credit.address, token.address, treasury, rates, MAX),
            *(f"Diesel {symbol}", f"d{symbol}"),
        )
        credit.write(admin, "set_pool", pool.address)
        pool.write(admin, "setCreditManagerDebtLimit", credit.address, MAX)
        return cls(admin, token, pool, credit)

    def set_paused(self, is_paused: bool) -> None:
        """Stops deposits and withdrawals, or lets them go on."""
        self.pool.write(self.admin, "pause" if is_paused else "unpause")

    def borrow(self, sender: Wallet, amount: int) -> int:
        """Borrows at the rate of the moment; gives the number of the block."""
        return self.credit.write(sender, "borrow", amount)["blockNumber"]

    def repay(self, sender: Wallet) -> None:
        """Repays all that the sender owes, with its interest."""
        self.token.write(sender, "approve", self.credit.address, MAX)
        self.credit.write(sender, "repay")

    def write_off(self, sender: Wallet, borrower: Wallet, recovered: int) -> None:
        """Ends a bad loan for what the sender pays for its collateral: the pool loses the rest."""
        self.token.write(sender, "approve", self.credit.address, MAX)
        self.credit.write(sender, "write_off", borrower.address, recovered)

    def liquidity(self) -> int:
        """What is there to be withdrawn or borrowed."""
        return self.pool.read("availableLiquidity")

    def debt(self, borrower: Wallet) -> int:
        """What a borrower owes now, with interest."""
        return self.credit.read("debt_of", borrower.address)


def yearly_rate(usage: Fraction) -> Fraction:
    """What borrowers pay a year where that part of a pool is lent out: three straight lines, as Gearbox's pages say."""
    first, second = Fraction(FIRST_USAGE, BPS), Fraction(SECOND_USAGE, BPS)
    if usage <= first:
        return (BASE + SLOPE1 * usage / first) / BPS
    if usage <= second:
        return (BASE + SLOPE1 + SLOPE2 * (usage - first) / (second - first)) / BPS
    return (BASE + SLOPE1 + SLOPE2 + SLOPE3 * (usage - second) / (1 - second)) / BPS
