"""What is still in markets, at present value: what of it will come back if prices are right."""

from collections import defaultdict
from collections.abc import Iterable

from tessera.chain.contract import WAD, WAD_PER_UNIT, EventLog
from tessera.chain.escrow import Entry, Kind
from tessera.chain.lmsr_markets import BetPlaced, MarketCreated, MarketFinalized, Position, price_history
from tessera.model.lmsr import Outcome

RETURNED = (Kind.PAYOUT, Kind.REFUND)
NONE = {Outcome.YES: 0, Outcome.NO: 0}


def in_markets(rows: Iterable[EventLog], product: str) -> dict[str, int]:
    """By account, in units: what its bets and seeds in markets are worth now, rounded down for each market.

    `rows` are all rows of the markets and of their Escrow, in the chain's order; `product` is the markets' address.
    While a market runs a share is worth its price, and a seed what shares leave of the pot. After it, what is not
    claimed yet counts.
    """
    created: dict[int, MarketCreated] = {}
    bets: dict[int, list[BetPlaced]] = defaultdict(list)
    ended: dict[int, Outcome] = {}
    seeds: dict[int, int] = defaultdict(int)
    returned = set()
    for row in rows:
        match row:
            case MarketCreated():
                created[row.market_id] = row
            case BetPlaced():
                bets[row.market_id].append(row)
            case MarketFinalized():
                ended[row.market_id] = row.outcome
            case Entry() if row.product == product and row.kind == Kind.DEPOSIT_SEED:
                seeds[int.from_bytes(row.pot, "big")] += row.amount
            case Entry() if row.product == product and row.kind in RETURNED:
                returned.add((row.account, int.from_bytes(row.pot, "big")))
    worth: dict[str, int] = defaultdict(int)
    for market, terms in created.items():
        positions = _positions(bets[market])
        if market in ended:
            for account, position in positions.items():
                if (account, market) not in returned:
                    worth[account] += position.payoff(ended[market])
            continue
        p_yes = price_history([terms, *bets[market][-1:]], market)[-1].p_yes
        prices = {Outcome.YES: p_yes, Outcome.NO: WAD - p_yes}
        owed = 0
        for account, position in positions.items():
            value = sum(position.shares[side] * price for side, price in prices.items())
            worth[account] += value // WAD // WAD_PER_UNIT
            owed += value
        put_in = seeds[market] + sum(bet.stake for bet in bets[market])
        worth[terms.creator] += put_in + -owed // WAD // WAD_PER_UNIT
    return worth


def _positions(bets: list[BetPlaced]) -> dict[str, Position]:
    positions: dict[str, Position] = {}
    # A bet is on YES or NO: the contract takes no other, and one bad log must not stop the table of everybody.
    for bet in (bet for bet in bets if bet.side in NONE):
        position = positions.setdefault(bet.account, Position(shares=dict(NONE), staked=dict(NONE)))
        position.shares[bet.side] += bet.shares
        position.staked[bet.side] += bet.stake
    return positions
