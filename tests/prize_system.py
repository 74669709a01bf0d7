"""The staking contracts, deployed together in titanoboa with tokens, vaults, feeds, a market and a panel.

Its pytest plugin rolls state and time back where a fixture ends: a `PrizeSystem` in a fixture leaves no trace.
"""

from contextlib import contextmanager
from functools import cache
from pathlib import Path

import boa

from tessera.model.prizes import period_of, start_of

ROOT = Path(__file__).parents[1]
BLOCKS_PER_HOUR = 6  # a block every ten minutes
MIN_BLOCKS = 24 * BLOCKS_PER_HOUR
USD = 10**6  # stakes and the prize token have 6 decimals
WAD = 10**18
INVALID = 2**256 - 1
ALL = 2**256 - 1  # no limit to a harvest
SEED = 10  # whole tokens, of which half stay in a vault for good
BET_PER_BLOCK = 10 * WAD
MINING_BLOCKS = 10_000
BET_CAP = 10_000_000 * WAD


def block_number() -> int:
    """Of the block that the next transaction is in."""
    return boa.env.evm.patch.block_number


@cache
def load(path: str):
    """A deployer of a contract of this repository, compiled once."""
    return boa.load_partial(str(ROOT / path))


class PrizeSystem:
    """Everything deployed, `usdc` (6 decimals) the prize token and `dai` (18 decimals) a second asset.

    The owner of all contracts is `owner`; `manager` creates events, `keeper` buys back, `reporters` are a panel of
    three of whom two decide. `usdc` may be a token of the caller's. Tokens, vaults and feeds can be moved by anybody.
    """

    def __init__(self, usdc=None, blocks_per_hour=BLOCKS_PER_HOUR, min_blocks=MIN_BLOCKS):
        self.blocks_per_hour, self.block_seconds = blocks_per_hour, 3600 // blocks_per_hour
        # A Monday noon, so that a week's end is not near.
        boa.env.timestamp = start_of(period_of(boa.env.timestamp) + 1) + 3 * 86_400 + 43_200
        names = ("owner", "manager", "keeper", "treasury")
        self.owner, self.manager, self.keeper, self.treasury = (boa.env.generate_address(name) for name in names)
        self.reporters = sorted((boa.env.generate_address() for _ in range(3)), key=lambda a: int(a, 16))
        pool, events, prizes = (boa.env.generate_address() for _ in range(3))
        with boa.env.prank(self.owner):
            token, vault, feed, pair = (
                load(f"contracts/devnet/{name}.vy") for name in ("TestToken", "YieldVault", "PriceFeed", "Pair")
            )
            self.usdc = usdc or token.deploy("USD Coin", "USDC", 6)
            self.dai = token.deploy("Dai", "DAI", 18)
            self.bet = load("contracts/BetToken.vy").deploy(BET_CAP, BET_PER_BLOCK * MINING_BLOCKS, self.treasury)
            self.vault = {t: vault.deploy(t) for t in (self.usdc, self.dai)}
            self.feed = {t: feed.deploy(8, "USD", 10**8) for t in (self.usdc, self.dai)}
            self.swap = pair.deploy(self.usdc, self.dai)
            self.market = pair.deploy(self.usdc, self.bet)
            self.router = load("contracts/devnet/Router.vy").deploy()
            self.panels = load("contracts/Panels.vy").deploy()
            mined = block_number()
            self.pool = load("contracts/StakingPool.vy").deploy(
                events,
                prizes,
                self.usdc,
                self.bet,
                self.router,
                BET_PER_BLOCK,
                mined,
                mined + MINING_BLOCKS,
                override_address=pool,
            )
            self.events = load("contracts/PredictionEvents.vy").deploy(
                pool, prizes, self.panels, self.usdc, blocks_per_hour, min_blocks, override_address=events
            )
            self.prizes = load("contracts/PrizePool.vy").deploy(
                self.usdc, self.bet, events, pool, self.market, self.router, self.treasury, override_address=prizes
            )
            self.bet.set_minter(self.pool)
            for asset in (self.usdc, self.dai):
                self.add_asset(asset, self.vault[asset], self.feed[asset])
            self.panel_id = self.panels.create_panel(self.reporters, 2)
            self.events.approve_panel(self.panel_id)
            self.events.set_manager(self.manager, True)
            self.prizes.set_keeper(self.keeper, True)
        self.dai.mint(self.swap, 1_000_000 * WAD)
        self.bet.transfer(self.market, 1_000_000 * WAD, sender=self.treasury)
        for market in (self.swap, self.market):
            self.usdc.mint(market, 1_000_000 * USD)
            self.router.add_pair(market)
            market.mint(self.treasury)

    def resume(self):
        """Sets the clock to when the system was `deployed`, for a test that is rolled back."""
        boa.env.evm.patch.timestamp, boa.env.evm.patch.block_number = self.stands_at

    def unit(self, asset) -> int:
        """One whole token."""
        return 10 ** asset.decimals()

    def add_asset(self, asset, vault, feed=None):
        """The owner lists an asset, and seeds it.

        The half of the seed that stays is taken out of the vault again, so that what a vault earns or loses falls on
        people's stakes alone and figures are round.
        """
        self.pool.add_asset(asset, vault, feed or self.feed[self.usdc], sender=self.owner)
        self.seed(asset)
        left = vault.previewRedeem(vault.balanceOf(self.pool))
        vault.withdraw(left, self.treasury, self.pool, sender=self.pool.address)

    def seed(self, asset):
        """Opens a listed asset with tokens made for it."""
        self.fund(self.owner, asset, SEED * self.unit(asset))
        self.pool.seed_asset(asset, SEED * self.unit(asset), sender=self.owner)

    def fund(self, account: str, asset, amount: int):
        """Mints tokens to an account and lets the staking pool take them."""
        asset.mint(account, amount)
        asset.approve(self.pool, 2**256 - 1, sender=account)

    def newcomer(self) -> str:
        """An account with 10,000 of each asset that the staking pool may take."""
        account = boa.env.generate_address()
        for asset in (self.usdc, self.dai):
            self.fund(account, asset, 10_000 * self.unit(asset))
        return account

    def stake(self, account: str, usd: int, asset=None):
        """Mints and stakes whole dollars."""
        asset = asset or self.usdc
        self.fund(account, asset, usd * self.unit(asset))
        self.pool.stake(asset, usd * self.unit(asset), sender=account)

    def earn(self, asset, amount: int):
        """Yield of a vault."""
        asset.mint(self.vault[asset], amount)

    def lose(self, asset, amount: int):
        """Loss of a vault."""
        self.vault[asset].lose(amount)

    def revenue(self, amount: int):
        """Revenue from outside, straight to the prize pool."""
        sponsor = boa.env.generate_address()
        self.usdc.mint(sponsor, amount)
        self.usdc.approve(self.prizes, amount, sender=sponsor)
        self.prizes.add_revenue(amount, sender=sponsor)

    def mine(self, blocks: int):
        """Blocks pass, and the time they take."""
        boa.env.time_travel(blocks=blocks, block_delta=self.block_seconds)

    def wait_until(self, timestamp: int):
        """Time passes up to a second, if that is to come, and the blocks of that time."""
        timestamp = max(timestamp, boa.env.timestamp)
        seconds = timestamp - boa.env.timestamp
        boa.env.evm.patch.block_number += seconds // self.block_seconds
        boa.env.timestamp = timestamp

    def create_event(self, blocks=10 * MIN_BLOCKS, e0=250, weight=1, outcomes=("A", "B", "C"), days=7) -> int:
        """An event of that many blocks; its result deadline `days` after its expected end."""
        now = boa.env.timestamp
        return self.events.create_event(
            "Who wins?",
            list(outcomes),
            block_number() + blocks,
            e0,
            weight,
            self.panel_id,
            now + blocks * self.block_seconds + days * 86_400,
            sender=self.manager,
        )

    def contested(self, *accounts: str) -> int:
        """An event in which each stakes 1,000 USDC and predicts an outcome of its own; its week has 1,000 USDC."""
        for account in accounts:
            self.pool.stake(self.usdc, 1_000 * USD, sender=account)
        event = self.create_event()
        for outcome, account in enumerate(accounts):
            self.events.predict(event, outcome, sender=account)
        self.revenue(1_000 * USD)
        return event

    def fill_bucket(self, revenue: int):
        """Closes a week of an event and that revenue, 3 % of which wait for the buyback; the price is noted twice."""
        self.create_event()
        self.revenue(revenue)
        self.prizes.poke()
        self.wait_until(start_of(self.prizes.period() + 1))
        self.close()
        self.prizes.poke()

    def question(self, event_id: int) -> tuple:
        """The panel's question of an event."""
        info = self.events.event_info(event_id)
        return (self.events.address, event_id.to_bytes(32, "big"), info.not_before, info.result_deadline)

    def report(self, event_id: int, outcome: int):
        """Two of three report an outcome."""
        for reporter in self.reporters[:2]:
            self.panels.report(self.panel_id, self.question(event_id), outcome, sender=reporter)

    def harvest(self) -> int:
        """Harvests every asset; prize tokens moved."""
        return sum(self.pool.harvest(asset, ALL) for asset in (self.usdc, self.dai))

    def close(self, max_periods: int = 520):
        """Harvests and closes whatever has elapsed."""
        self.harvest()
        self.prizes.close_periods(self.prizes.period(), max_periods)

    def finish(self, event_id: int, outcome: int):
        """Waits for the event's end, reports, closes its weeks and settles it."""
        info = self.events.event_info(event_id)
        self.wait_until(info.not_before)
        self.report(event_id, outcome)
        self.mine(max(0, info.stop_block - block_number()) + 24 * self.blocks_per_hour)
        self.wait_until(start_of(period_of(info.not_before) + 1))
        if self.prizes.period() < period_of(boa.env.timestamp):
            self.close()
        self.events.settle(event_id)


@contextmanager
def refusing(contract):
    """While it lasts, every call to the contract reverts."""
    code = boa.env.get_code(contract.address)
    boa.env.set_code(contract.address, bytes.fromhex("5f5ffd"))
    try:
        yield
    finally:
        boa.env.set_code(contract.address, code)


def deployed(**options) -> PrizeSystem:
    """A system for a fixture wider than a test. The clock is as it was; `resume` takes it to the system's."""
    patch = boa.env.evm.patch
    with patch.anchor():
        system = PrizeSystem(**options)
        system.stands_at = patch.timestamp, patch.block_number
    return system
