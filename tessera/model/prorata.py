"""Pool bets: winners get their stake back and a share, by stake, of what the others lost less commissions.

Source: docs/hosted.md. `settle` is exact; `settle_in_units` rounds as ProrataBets does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

BPS = 10_000


@dataclass(frozen=True)
class Settlement:
    """What each bet is paid, in the order of the bets, and the commissions, before any rounding."""

    refunded: bool
    payouts: list[Fraction]
    host: Fraction
    validators: Fraction


@dataclass(frozen=True)
class Units:
    """The same in whole units: what each account is paid, and where the rest goes.

    `member` is what each deciding validator gets; `host` what the host gets at once, and `residue` with the last claim.
    """

    refunded: bool
    payouts: dict[str, int]
    host: int
    member: int
    residue: int


def settle(bets: Sequence[tuple], outcome, *, host_bps: int, validator_bps: int) -> Settlement:
    """Pays bets (prediction, amount) by an outcome; one that nobody predicted, None included, refunds everybody."""
    won = Fraction(sum(amount for prediction, amount in bets if prediction == outcome))
    lost = sum(amount for _, amount in bets) - won
    if won == 0 or lost == 0:
        return Settlement(True, [Fraction(amount) for _, amount in bets], Fraction(0), Fraction(0))
    host, validators = lost * Fraction(host_bps, BPS), lost * Fraction(validator_bps, BPS)
    share = (lost - host - validators) / won
    payouts = [amount * (1 + share) if prediction == outcome else Fraction(0) for prediction, amount in bets]
    return Settlement(False, payouts, host, validators)


def settle_in_units(
    bets: Sequence[tuple[str, int, int]], outcome: int | None, *, host_bps: int, validator_bps: int, members: int
) -> Units:
    """Pays bets (account, prediction, amount) by an outcome. Commissions and payouts are rounded down.

    An account's bets on one prediction are one position. `members` share the validators' commission.
    """
    positions: dict[tuple[str, int], int] = {}
    for account, prediction, amount in bets:
        positions[account, prediction] = positions.get((account, prediction), 0) + amount
    total = sum(positions.values())
    won = sum(amount for (_, prediction), amount in positions.items() if prediction == outcome)
    lost = total - won
    payouts: dict[str, int] = {}
    if won == 0 or lost == 0:
        for (account, _), amount in positions.items():
            payouts[account] = payouts.get(account, 0) + amount
        return Units(True, payouts, 0, 0, 0)
    host, validators = lost * host_bps // BPS, lost * validator_bps // BPS
    shared = lost - host - validators
    for (account, prediction), amount in positions.items():
        if prediction == outcome:
            payouts[account] = amount + shared * amount // won
    member = validators // members
    host += validators - member * members
    return Units(False, payouts, host, member, total - sum(payouts.values()) - host - member * members)


def expected_loss(
    staked: Sequence[int], prediction: int, amount: int, *, host_bps: int, validator_bps: int
) -> Fraction:
    """What a further stake loses on average, money, where each prediction is as likely as its share of the pool then.

    With w the share of the prediction and c both commissions, the stake is worth w * (1 + (1 - c) * (1 - w) / w) of
    itself, so it loses c * (1 - w) of itself: nothing where nobody is on another side, since then it goes back.
    """
    total = sum(staked) + amount
    others = total - staked[prediction] - amount
    return Fraction((host_bps + validator_bps) * amount * others, BPS * total)
