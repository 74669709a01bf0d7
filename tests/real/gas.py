"""`python -m tests.real.gas`: gas of staked tickets over Aave V3, Gearbox V3 and the devnet's vault. Needs Node.

Each figure is of a transaction alone in its block, an hour after the one before, with borrowers' interest accruing.
"""

from rich.console import Console
from rich.table import Table
from web3 import Web3

from tests.real.node import now, running_anvil, wait_until
from tests.real.tickets import RealTickets

USDC = 10**6
DAI = WETH = 10**18
HOUR = 3_600


def measure(web3: Web3, lending: str | None) -> dict[str, int]:
    """Gas by action; a staker has one open prediction unless said otherwise."""
    system = RealTickets.deploy(web3, lending)
    staking, prizes = system.tessera.staking, system.tessera.prizes
    system.fill_market(system.dai, 1_000_000 * DAI, 1_000_000 * USDC)
    system.fill_market(system.bet, 1_000_000 * DAI, 1_000_000 * USDC)
    first, staker, keeper = system.wallet(7), system.wallet(8), system.wallet(2)
    gas = {}

    def later():
        wait_until(web3, now(web3) + HOUR, blocks=1)

    for token, amount in ((system.usdc, 100_000 * USDC), (system.dai, 100_000 * DAI)):
        system.stake(first, token, amount)
        _start_earning(system, token, amount)
    later()
    gas["stake, a new person"] = system.stake(staker, system.usdc, 10_000 * USDC).gas_used
    system.tessera.events.predict(staker, system.create_event(days=10), 0)
    later()
    gas["stake again"] = system.stake(staker, system.usdc, 10_000 * USDC).gas_used
    later()
    gas["withdraw a part"] = staking.withdraw(staker, system.usdc.address, 5_000 * USDC, 0).gas_used
    system.end_week(blocks=1)
    direct, swapped = system.harvest()
    gas["harvest"], gas["harvest with a swap"] = direct.gas_used, swapped.gas_used
    prizes.close_periods(keeper, prizes.period(), 1)
    later()
    gas["withdraw all"] = staking.withdraw(first, system.usdc.address, 100_000 * USDC, 0).gas_used
    return gas


def _start_earning(system: RealTickets, token, amount: int) -> None:
    if system.gearbox is not None:
        system.gearbox[token.address].borrow(system.wallet(12), amount * 8 // 10)
        return
    if system.aave is None:
        system.give(system.wallet(7), token, amount // 1_000)
        token.write(system.wallet(7), "transfer", system.fronts[token.address].address, amount // 1_000)
        return
    borrower = system.wallet(12)
    system.give(borrower, system.weth, 100 * WETH)
    system.aave.supply(borrower, system.weth, 100 * WETH)
    system.aave.borrow(borrower, token, amount * 8 // 10)


def main() -> None:
    with running_anvil() as web3:
        devnet, aave, gearbox = (measure(web3, lending) for lending in (None, "aave", "gearbox"))
    table = Table(title="Gas of staked tickets")
    for column in ("action", "devnet's vault", "Aave V3.6 StataToken", "Gearbox V3 PoolV3"):
        table.add_column(column, justify="left" if column == "action" else "right")
    for action, figure in devnet.items():
        table.add_row(action, f"{figure:,}", f"{aave[action]:,}", f"{gearbox[action]:,}")
    Console().print(table)


if __name__ == "__main__":
    main()
