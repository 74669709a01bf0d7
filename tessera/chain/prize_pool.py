"""PrizePool: revenue shared week by week, and the buyback."""

from dataclasses import dataclass

from tessera.chain.contract import Contract, EventLog, OwnershipTransferred, OwnershipTransferStarted, Receipt
from tessera.chain.wallet import Wallet

# What is read of a Uniswap V2 pair.
PAIR_ABI = [
    {"type": "function", "name": "token0", "stateMutability": "view", "inputs": [], "outputs": [{"type": "address"}]},
    {
        "type": "function",
        "name": "getReserves",
        "stateMutability": "view",
        "inputs": [],
        "outputs": [{"type": "uint112"}, {"type": "uint112"}, {"type": "uint32"}],
    },
]


@dataclass(frozen=True, kw_only=True)
class RevenueAdded(EventLog):
    payer: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class PeriodClosed(EventLog):
    period: int
    revenue: int
    pool: int
    to_events: int
    buyback: int
    carried: int
    weight: int


@dataclass(frozen=True, kw_only=True)
class EventOpened(EventLog):
    event_id: int
    weight: int
    first_period: int
    last_period: int


@dataclass(frozen=True, kw_only=True)
class PrizeTaken(EventLog):
    event_id: int
    amount: int
    paid: bool


@dataclass(frozen=True, kw_only=True)
class BoughtBack(EventLog):
    keeper: str
    spent: int
    bought: int


@dataclass(frozen=True, kw_only=True)
class KeeperSet(EventLog):
    account: str
    was_keeper: bool
    is_keeper: bool


@dataclass(frozen=True, kw_only=True)
class SplitSet(EventLog):
    first_period: int
    old_event_bps: int
    old_buyback_bps: int
    event_bps: int
    buyback_bps: int


class PrizePool(Contract):
    """The weekly prize; amounts in units of the prize token."""

    NAME = "PrizePool"
    EVENTS = (
        OwnershipTransferred,
        OwnershipTransferStarted,
        RevenueAdded,
        PeriodClosed,
        EventOpened,
        PrizeTaken,
        BoughtBack,
        KeeperSet,
        SplitSet,
    )

    def prize_token(self) -> str:
        """What prizes are paid in."""
        return self.read("PRIZE_TOKEN")

    def market(self) -> tuple[int, int]:
        """Prize tokens and BET in the pair where the buyback buys."""
        pair = self.web3.eth.contract(self.read("PAIR"), abi=PAIR_ABI)
        reserves = pair.functions.getReserves().call()[:2]
        return tuple(reserves if pair.functions.token0().call() == self.prize_token() else reserves[::-1])

    def period(self) -> int:
        """The first week that is not closed."""
        return self.read("period")

    def waiting_revenue(self) -> int:
        """Revenue of the weeks not closed."""
        return self.read("waiting_revenue")

    def carried(self) -> int:
        """What the last closed week left to the next."""
        return self.read("carried")

    def split_of(self, period: int) -> tuple[int, int]:
        """Basis points of a week's pool for its events, and for the buyback; the rest is carried.

        Raises Reverted for a week that is closed.
        """
        return tuple(self.read("split_of", period))

    def buyback_bucket(self) -> int:
        """What waits for the buyback."""
        return self.read("buyback_bucket")

    def remainder_wad(self) -> int:
        """What dividing by weight left, in 1e-18 units; the next week shares it."""
        return self.read("remainder_wad")

    def event_prize(self, event_id: int) -> int:
        """An event's prize from the weeks closed so far."""
        return self.read("event_prize", event_id)

    def add_revenue(self, sender: Wallet, amount: int) -> Receipt:
        """Adds prize tokens of the sender to the running week. Anyone."""
        return self.write(sender, "add_revenue", amount)

    def close_periods(self, sender: Wallet, expected_period: int, max_periods: int) -> Receipt:
        """Closes weeks that are over; rows `PeriodClosed`. Anyone, once everything is harvested or 24 h later."""
        return self.write(sender, "close_periods", expected_period, max_periods)

    def poke(self, sender: Wallet) -> Receipt:
        """Notes the pair's price for the average of the buyback. Anyone, once in 24 h."""
        return self.write(sender, "poke")

    def set_keeper(self, sender: Wallet, account: str, is_keeper: bool) -> Receipt:
        """Says who may buy back. Owner only."""
        return self.write(sender, "set_keeper", account, is_keeper)

    def buy_back(self, sender: Wallet, amount_in: int, min_out: int, deadline: int) -> Receipt:
        """Buys BET for the treasury. Keepers only."""
        return self.write(sender, "buy_back", amount_in, min_out, deadline)
