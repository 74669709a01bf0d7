"""The staking contracts over Uniswap V2 and, if wanted, Aave V3 or Gearbox V3: what is devnet's elsewhere is real here.

What remains of `contracts/devnet` are the two stablecoins and the price feeds.
"""

from dataclasses import dataclass
from typing import Literal

import pytest
from web3 import Web3

from tessera.chain.contract import WAD, Receipt
from tessera.chain.deployments import Deployed, Deployment, Tessera
from tessera.chain.embedded import known_account
from tessera.chain.errors import Reverted
from tessera.chain.panels import PanelCreated, ascending
from tessera.chain.prediction_events import EventCreated
from tessera.chain.prize_pool import PeriodClosed
from tessera.chain.staking_pool import Withdrawn
from tessera.chain.wallet import Wallet
from tessera.deployment.artifacts import ROOT, compiled, compiled_file
from tessera.deployment.deploy import address_of_nonce
from tessera.model.prizes import period_of, start_of
from tests.real.aave import Aave
from tests.real.foreign import Foreign
from tests.real.gearbox import Gearbox
from tests.real.node import now, wait, wait_until
from tests.real.uniswap import MAX, Uniswap

BLOCKS_PER_HOUR = 1
MIN_BLOCKS = 24
BET_PER_BLOCK = 10 * WAD
MINED_BLOCKS = 100_000
BET_CAP = 10_000_000 * WAD
ONE = 10**8  # of a feed


@dataclass
class RealTickets:
    """One deployment. `known_account(0)` owns it and is Aave's admin, 1 creates events, 2 is the keeper, 3 to 5 are
    a panel of whom two decide, 6 is the treasury; people may have 7 to 19.

    `tessera` has the typed contracts and a record of where they are; `fronts` the vaults by asset. Over Aave there are
    `aave` and `weth` (collateral at 2,000 USD), over Gearbox there is `gearbox` with a pool for each asset; else these
    are None, and the devnet's vaults take their place.
    """

    web3: Web3
    tessera: Tessera
    uniswap: Uniswap
    usdc: Foreign
    dai: Foreign
    bet: Foreign
    feeds: dict[str, Foreign]
    fronts: dict[str, Foreign]
    panel_id: int
    aave: Aave | None = None
    weth: Foreign | None = None
    gearbox: dict[str, Gearbox] | None = None

    @classmethod
    def deploy(
        cls, web3: Web3, lending: Literal["aave", "gearbox"] | None = None, *, bet_first: bool = False
    ) -> "RealTickets":
        """Everything, with nothing in the markets. `bet_first`: BET is token 0 of its pair, USDC otherwise."""
        owner, treasury = wallet(web3, 0), wallet(web3, 6)
        record = Deployment("real", web3.eth.chain_id)

        def create(name: str, *arguments) -> Foreign:
            found = Foreign.ours(owner, name, *arguments)
            artifact = compiled(name)
            record.contracts[name] = Deployed(
                address=found.address,
                block=web3.eth.block_number,
                arguments=list(arguments),
                transaction=Web3.to_hex(web3.eth.get_block("latest")["transactions"][0]),
                deployer=owner.address,
                compiler=artifact.compiler,
                initcode_hash=artifact.initcode_hash,
                commit=None,
            )
            return found

        usdc = Foreign.ours(owner, "TestToken", "USD Coin", "USDC", 6)
        dai = Foreign.ours(owner, "TestToken", "Dai", "DAI", 18)
        feeds = {token.address: Foreign.ours(owner, "PriceFeed", 8, "USD", ONE) for token in (usdc, dai)}
        aave = weth = gearbox = None
        if lending == "aave":
            weth = Foreign.ours(owner, "TestToken", "Wrapped Ether", "WETH", 18)
            aave = Aave.deploy(owner, treasury.address)
            aave.list(weth, 2_000 * ONE, ltv=8_000)
            fronts = {token.address: aave.list(token, ONE) for token in (usdc, dai)}
        elif lending == "gearbox":
            gearbox = {token.address: Gearbox.deploy(owner, token, treasury.address) for token in (usdc, dai)}
            fronts = {token: market.pool for token, market in gearbox.items()}
        else:
            fronts = {token.address: Foreign.ours(owner, "YieldVault", token.address) for token in (usdc, dai)}
        uniswap = Uniswap.deploy(owner)
        bet = None
        while bet is None or (int(bet.address, 16) < int(usdc.address, 16)) != bet_first:
            bet = create("BetToken", BET_CAP, BET_PER_BLOCK * MINED_BLOCKS, treasury.address)
        market = uniswap.create_pair(owner, usdc.address, bet.address)
        panels = create("Panels")
        nonce = web3.eth.get_transaction_count(owner.address)
        pool, events, prizes = (address_of_nonce(owner.address, nonce + k) for k in range(3))
        router, first = uniswap.router.address, web3.eth.block_number + 2
        mining = (BET_PER_BLOCK, first, first + MINED_BLOCKS)
        staking = create("StakingPool", events, prizes, usdc.address, bet.address, router, *mining)
        create("PredictionEvents", pool, prizes, panels.address, usdc.address, BLOCKS_PER_HOUR, MIN_BLOCKS)
        create("PrizePool", usdc.address, bet.address, events, pool, market.address, router, treasury.address)
        tessera = Tessera(web3, record)
        assert tessera.prizes.address == prizes

        bet.write(owner, "set_minter", pool)
        for token in (usdc.address, dai.address):
            staking.write(owner, "add_asset", token, fronts[token].address, feeds[token].address)
        for token in (usdc, dai):
            seed = 10 * 10 ** token.read("decimals")
            token.write(owner, "mint", owner.address, seed)
            token.write(owner, "approve", staking.address, seed)
            staking.write(owner, "seed_asset", token.address, seed)
        members = ascending(wallet(web3, index).address for index in (3, 4, 5))
        panel_id = tessera.panels.create_panel(owner, members, 2).event(PanelCreated).panel_id
        tessera.events.write(owner, "approve_panel", panel_id, True)
        tessera.events.write(owner, "set_manager", wallet(web3, 1).address, True)
        tessera.prizes.write(owner, "set_keeper", wallet(web3, 2).address, True)
        return cls(web3, tessera, uniswap, usdc, dai, bet, feeds, fronts, panel_id, aave, weth, gearbox)

    def wallet(self, index: int) -> Wallet:
        """One of the accounts that have money for gas."""
        return wallet(self.web3, index)

    def give(self, to: Wallet, token: Foreign, amount: int) -> None:
        """Mints tokens; BET comes from the treasury."""
        if token is self.bet:
            token.write(self.wallet(6), "transfer", to.address, amount)
        else:
            token.write(to, "mint", to.address, amount)

    def secure(self, borrower: Wallet) -> None:
        """Lets somebody borrow: two million dollars of collateral with Aave."""
        self.give(borrower, self.weth, 1_000 * WAD)
        self.aave.supply(borrower, self.weth, 1_000 * WAD)

    def stake(self, staker: Wallet, token: Foreign, amount: int) -> Receipt:
        """Gives the staker that much and stakes it."""
        self.give(staker, token, amount)
        token.write(staker, "approve", self.tessera.staking.address, MAX)
        return self.tessera.staking.stake(staker, token.address, amount)

    def leave(self, staker: Wallet, token: Foreign, amount: int | None = None) -> tuple[int, int]:
        """Withdraws, by default all; what was paid off and what was paid, the latter as the token has it."""
        before = token.read("balanceOf", staker.address)
        amount = amount or self.tessera.staking.principal_of(staker.address, token.address)
        row = self.tessera.staking.withdraw(staker, token.address, amount, 0).event(Withdrawn)
        assert token.read("balanceOf", staker.address) - before == row.paid
        return row.amount, row.paid

    def worth(self, token: Foreign, block: int | str = "latest") -> int:
        """What the vault would return for all of the pool's shares, in the second of a block."""
        _, shares, *_ = self.tessera.staking.read("asset_state", token.address, block=block)
        return self.fronts[token.address].read("previewRedeem", shares, block=block)

    def within_flash_loan(self, lender: Foreign, token: Foreign, amount: int, calls: list[tuple]) -> list[bytes | None]:
        """Borrows, makes calls (a contract and its calldata) before it is repaid, all in one transaction of account 8.

        What each call was refused with; None where it went through.
        """
        artifact = compiled_file(ROOT / "tests" / "mocks" / "FlashBorrower.vy")
        thief = self.wallet(8)
        loan = Foreign.deploy(thief, artifact.abi, artifact.initcode, lender.address)
        self.give(thief, token, 1_000 * 10 ** token.read("decimals"))
        token.write(thief, "transfer", loan.address, 1_000 * 10 ** token.read("decimals"))  # for the fee, if any
        contracts, data = zip(*calls, strict=True)
        loan.write(thief, "run", token.address, amount, [contract.address for contract in contracts], list(data))
        return [
            None if loan.read("succeeded", number) else loan.read("answers", number) for number in range(len(calls))
        ]

    def fill_market(self, token: Foreign, amount: int, usdc: int) -> Foreign:
        """Adds that much of a token and of USDC to their pair, the owner's from now on."""
        owner = self.wallet(0)
        self.give(owner, token, amount)
        self.give(owner, self.usdc, usdc)
        pair = self.uniswap.add_liquidity(owner, token, amount, self.usdc, usdc)
        # The first trade in a later second than the first deposit fills two more slots: one whose gas was estimated in
        # the same second would run out of it in the next. Nobody trades that early on a main chain.
        wait_until(self.web3, now(self.web3) + 12, blocks=1)
        pair.write(owner, "sync")
        return pair

    def create_event(self, days: int, *, outcomes: int = 2, e0: int = 200, weight: int = 1) -> int:
        """An event that long, its result due a week after it."""
        created = self.tessera.events.create_event(
            self.wallet(1),
            "Who wins?",
            [f"team {index}" for index in range(outcomes)],
            stop_block=self.web3.eth.block_number + 1 + days * 24 * BLOCKS_PER_HOUR,
            e0=e0,
            weight=weight,
            panel_id=self.panel_id,
            result_deadline=now(self.web3) + (days + 7) * 86_400,
        )
        return created.event(EventCreated).event_id

    def report(self, event_id: int, outcome: int) -> None:
        """Two of three members of the panel report, which decides."""
        question = self.tessera.events.question(event_id)
        for index in (3, 4):
            self.tessera.panels.report(self.wallet(index), self.panel_id, question, outcome)

    def harvest(self) -> list[Receipt]:
        """Harvests both assets."""
        keeper = self.wallet(2)
        return [self.tessera.staking.harvest(keeper, token.address) for token in (self.usdc, self.dai)]

    def end_week(self, *, blocks: int | None = None) -> None:
        """Waits for the first second of the next prize week; `blocks` as `wait_until` has it."""
        wait_until(self.web3, start_of(period_of(now(self.web3)) + 1), blocks=blocks)

    def close_without(self, token: Foreign) -> list[PeriodClosed]:
        """Closes a week whose yield of one token the vault cannot pay: the week waits a day for it, and no longer."""
        keeper, (other,) = self.wallet(2), [front for front in (self.usdc, self.dai) if front is not token]
        with pytest.raises(Reverted, match=r"^pool: vault cannot pay now$"):
            self.tessera.staking.harvest(keeper, token.address)
        self.tessera.staking.harvest(keeper, other.address)
        with pytest.raises(Reverted, match=r"^prizes: harvest first$"):
            self.close()
        wait(self.web3, 86_400)
        return self.close()

    def close(self) -> list[PeriodClosed]:
        """Closes the weeks that are over."""
        done = self.tessera.prizes.close_periods(self.wallet(2), self.tessera.prizes.period(), 520)
        return [row for row in done.events if isinstance(row, PeriodClosed)]


def wallet(web3: Web3, index: int) -> Wallet:
    """`known_account(index)` on a chain."""
    return Wallet(web3, known_account(index))
