"""What is still in markets, at present value: what of it will come back if prices are right."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tessera.chain.contract import WAD, WAD_PER_UNIT, EventLog
from tessera.chain.escrow import Entry, Kind
from tessera.chain.lmsr_markets import BetPlaced, MarketCreated, MarketFinalized, Position, price_history
from tessera.model.lmsr import Outcome

RETURNED = (Kind.PAYOUT, Kind.REFUND)
NONE = {Outcome.YES: 0, Outcome.NO: 0}


@dataclass
class _Market:
    terms: MarketCreated | None = None
    last_bet: BetPlaced | None = None
    positions: dict[str, Position] = field(default_factory=dict)
    shares: dict[Outcome, int] = field(default_factory=lambda: dict(NONE))  # of all positions
    put_in: int = 0  # bets and the seed
    outcome: Outcome | None = None  # final

    def bet(self, row: BetPlaced) -> None:
        self.last_bet = row
        self.put_in += row.stake
        # A bet is on YES or NO: the contract takes no other, and one bad log must not stop the table of everybody.
        if row.side in NONE:
            position = self.positions.setdefault(row.account, Position(shares=dict(NONE), staked=dict(NONE)))
            position.shares[row.side] += row.shares
            position.staked[row.side] += row.stake
            self.shares[row.side] += row.shares

    def prices(self, terms: MarketCreated) -> dict[Outcome, int]:
        p_yes = price_history([terms, *([self.last_bet] if self.last_bet else [])], terms.market_id)[-1].p_yes
        return {Outcome.YES: p_yes, Outcome.NO: WAD - p_yes}

    def worth_of(self, account: str, is_returned: bool) -> int:
        if self.terms is None:
            return 0
        position = self.positions.get(account)
        if self.outcome is not None:
            return position.payoff(self.outcome) if position and not is_returned else 0
        prices = self.prices(self.terms)
        worth = _value(position.shares, prices) // WAD // WAD_PER_UNIT if position else 0
        if account == self.terms.creator:
            worth += self.put_in + -_value(self.shares, prices) // WAD // WAD_PER_UNIT
        return worth


class Worth:
    """What accounts have in markets at present value, as of the rows that were added in the chain's order.

    While a market runs a share is worth its price, and a seed what shares leave of the pot. After it, what is not
    claimed yet counts.
    """

    def __init__(self, product: str):
        """`product` is the markets' address."""
        self._product = product
        self._markets: dict[int, _Market] = defaultdict(_Market)
        self._of_account: dict[str, set[int]] = defaultdict(set)
        self._returned: set[tuple[str, int]] = set()

    def add(self, row: EventLog) -> None:
        """A row of the markets or of their Escrow; all others are passed over."""
        match row:
            case MarketCreated():
                self._markets[row.market_id].terms = row
                self._of_account[row.creator].add(row.market_id)
            case BetPlaced():
                self._markets[row.market_id].bet(row)
                self._of_account[row.account].add(row.market_id)
            case MarketFinalized():
                self._markets[row.market_id].outcome = row.outcome
            case Entry() if row.product == self._product and row.kind == Kind.DEPOSIT_SEED:
                self._markets[int.from_bytes(row.pot, "big")].put_in += row.amount
            case Entry() if row.product == self._product and row.kind in RETURNED:
                self._returned.add((row.account, int.from_bytes(row.pot, "big")))

    def of(self, account: str) -> int:
        """What an account's bets and seeds are worth, in units, rounded down for each market."""
        own = self._of_account.get(account, ())
        return sum(self._markets[market].worth_of(account, (account, market) in self._returned) for market in own)

    def all(self) -> dict[str, int]:
        """The worth of everybody who bet in a market or made one."""
        return {account: self.of(account) for account in self._of_account}


def in_markets(rows: Iterable[EventLog], product: str) -> dict[str, int]:
    """By account, in units: what its bets and seeds in markets are worth after all rows of the markets and of their
    Escrow, in the chain's order; see `Worth`."""
    worth = Worth(product)
    for row in rows:
        worth.add(row)
    return worth.all()


def _value(shares: dict[Outcome, int], prices: dict[Outcome, int]) -> int:
    return sum(shares[side] * price for side, price in prices.items())
