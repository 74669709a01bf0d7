"""Buy back: what weeks left for it buys BET for the treasury."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tessera.chain.errors import Reverted
from tessera.keeper.steps import close
from tessera.keeper.steps.base import BPS, Call, Step, refusal
from tessera.keeper.view import Clock, View

NEEDS = "PrizePool"
GAS = 140_000
SECONDS = 600  # a swap is mined by then, or not at all
SLIPPAGE_BPS = 50  # what the market may move between looking and being mined
# A quarter of what the contract allows: the swap fee of 0.3 %, which a sandwich pays on both of its legs, is more than
# what it can take from a swap of less than 0.3 % of the reserve.
MAX_RESERVE_BPS = 25
NOT_FRESH = "twap: price is not fresh"
TOO_LOW = "prizes: min_out too low"


@dataclass(frozen=True)
class BuyBack(Step):
    """The bucket buys BET for the treasury, at most a quarter of a per cent of the market at once; the rest waits."""

    bucket: int  # before
    kind: ClassVar[str] = "buy back"

    def calls(self, view: View) -> Iterator[Call]:
        amount = spendable(view)
        reserve, bet_reserve = view.prizes.market()
        # Uniswap V2 with its fee of 0.3 % (whitepaper, 3.2.1).
        quote = amount * 997 * bet_reserve // (reserve * 1000 + amount * 997)
        deadline = view.clock().time + SECONDS
        yield Call(view.prizes, "buy_back", (amount, quote * (BPS - SLIPPAGE_BPS) // BPS, deadline))

    def is_done(self, view: View) -> bool:
        return view.prizes.buyback_bucket() < self.bucket

    def advice(self, refusal: Reverted) -> str:
        if refusal.reason == TOO_LOW:
            return "the market pays over 2 % less than its average of a day: left for next time, the bucket waits"
        return super().advice(refusal)


def due(view: View, now: Clock) -> Iterator[Step | str]:
    """Where the bucket has a whole token and the market a fresh price."""
    if not view.choices.buy_back:
        return
    bucket, token = view.prizes.buyback_bucket(), view.prize_token
    least = 10**token.decimals
    if bucket < least:
        if bucket and not any(close.due(view, now)):
            yield f"buyback: {token.text(bucket)} wait until there is one {token.symbol}"
    elif spendable(view) < least:
        yield f"buyback: {token.text(bucket)} wait, the market of {view.bet.symbol} is too small"
    else:
        step = BuyBack(f"buy back {view.bet.symbol}", f"{token.text(bucket)} in the bucket", GAS, bucket=bucket)
        if refusal(view, next(step.calls(view))) == NOT_FRESH:
            yield f"buyback: {token.text(bucket)} wait, it is possible 24 to 72 h after a noted price"
        else:
            yield step


def spendable(view: View) -> int:
    """What of the bucket one buyback spends, in units of the prize token."""
    return min(view.prizes.buyback_bucket(), view.prizes.market()[0] * MAX_RESERVE_BPS // BPS)
