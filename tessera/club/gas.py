"""What members get for gas: enough for a number of bets, topped up as they use it, within a quota and a budget a day.

The invariant: what all members are given in a day (UTC) is never more than the budget, and what one is given never more
than its share of it, whatever becomes of the money. So who sends gas money away loses it, and nobody else does.
"""

from dataclasses import dataclass

from tessera.chain.fees import GasPrice
from tessera.club.settings import BET_GAS, ENTRY_GAS, Gas

DAY = 86_400
TOP_UP_BELOW = 2  # one part in so many of what a member should have
# Why nobody gets gas money, or not enough, by a code: what members are told, and whoever runs the node. Never more than
# is on the chain, and no address of the chain's node, which may have a key in it.
TROUBLES = {
    "budget_spent": "The club has used today's gas money. More comes after midnight UTC.",
    "too_dear": "The network is dear just now. Gas money comes when the price has fallen.",
    "node_empty": "The club's node has run out of gas money. Who runs it has to refill it.",
    "no_gas_money": "The club's node has spent what it may spend itself in a day, or all that it had.",
    "reverted": "The club's contract refuses what the node sends. The owner has to let it invite.",
}


@dataclass(frozen=True)
class Purse:
    """A member's gas money, wei, and what the node does about it.

    `state`: "enough", "coming" with `amount` to be given, or why nothing is: "over_quota", "budget_spent", "too_dear",
    "node_empty", these two until the price falls or somebody refills the node, "has_code" for good. `again_at` is in
    unix seconds.
    """

    state: str
    balance: int
    target: int
    given_today: int
    quota: int
    amount: int = 0
    again_at: int | None = None

    @property
    def detail(self) -> str:
        """What a member is told."""
        sentences = {
            "enough": "There is enough for gas.",
            "coming": "Gas money is on its way.",
            "has_code": "This account has code of its own, so the club gives it no gas money: it needs ETH from you.",
            "over_quota": "You have used today's gas money. More comes after midnight UTC.",
            **TROUBLES,
        }
        return sentences[self.state]


def day_of(now: int) -> int:
    """When the day began (UTC), unix seconds."""
    return now - now % DAY


def purse(
    gas: Gas, price: GasPrice, *, balance: int, joined: bool, own: int, everybody: int, node: int, now: int
) -> Purse:
    """What a member has and gets. `own` and `everybody` were given today, `node` is what the node has, all in wei."""
    entry = 0 if joined else ENTRY_GAS
    target = (gas.bets * BET_GAS + entry) * price.offered
    needed = max(target // TOP_UP_BELOW, entry * price.offered)

    def as_it_is(state: str, amount: int = 0, again_at: int | None = None) -> Purse:
        return Purse(state, balance, target, own, gas.quota, amount, again_at)

    if balance >= needed:
        return as_it_is("enough")
    if price.total > price.ceiling:
        return as_it_is("too_dear")
    amount, least = min(target - balance, gas.quota - own), BET_GAS * price.total
    if amount < least:
        return as_it_is("over_quota", again_at=day_of(now) + DAY)
    amount = min(amount, gas.budget - everybody)
    if amount < least:
        return as_it_is("budget_spent", again_at=day_of(now) + DAY)
    return as_it_is("node_empty") if node < amount else as_it_is("coming", amount)
