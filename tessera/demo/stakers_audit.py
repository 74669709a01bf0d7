"""Do the six weeks add up? Money to the unit, tickets and prizes beside the exact models."""

from dataclasses import dataclass
from fractions import Fraction

from tessera.chain import WAD
from tessera.chain.erc20 import Erc20
from tessera.chain.panels import INVALID
from tessera.chain.prediction_events import Claimed, EventCreated, EventSettled, Predicted, ResidueReturned
from tessera.chain.prize_pool import BoughtBack, EventOpened, PeriodClosed, PrizeTaken, RevenueAdded
from tessera.chain.staking_pool import AssetSeeded, Harvested, Revalued, RewardsClaimed, Staked, Withdrawn
from tessera.demo.audit import AuditError
from tessera.demo.stakers_plan import BET_CAP, BET_PER_BLOCK, BLOCKS_PER_HOUR, MINING, STAKERS, funds
from tessera.demo.stakers_record import WeeksPlayed
from tessera.model.prizes import PrizeWeeks
from tessera.model.tickets import TicketEvent

# A week's pool is cut by less than a unit where late weeks share, by what the carry of the week before lost or gained
# (7 % of it goes on), and the event share is rounded down: less than four units a week in all.
UNITS_A_WEEK = 4


@dataclass(frozen=True)
class Sums:
    """Prize tokens: `revenue` is all that stakes earned, the rest is where it went."""

    revenue: int
    prizes: int
    bought_back: int
    carried: int
    waiting: int
    bucket: int
    remainder: int

    @property
    def accounted(self) -> int:
        """All that revenue became."""
        return self.prizes + self.bought_back + self.carried + self.waiting + self.bucket + self.remainder


def sums(played: WeeksPlayed) -> Sums:
    """Where all revenue went, from the logs and the chain."""
    prizes = played.tessera.prizes
    pool = played.tessera.staking.address
    return Sums(
        revenue=sum(row.amount for row in _all(played, RevenueAdded) if row.payer == pool),
        prizes=sum(row.amount for row in _all(played, Claimed)),
        bought_back=sum(row.spent for row in _all(played, BoughtBack)),
        carried=prizes.carried(),
        waiting=prizes.waiting_revenue(),
        bucket=prizes.buyback_bucket(),
        # All events are settled, so their fractions are whole units together.
        remainder=prizes.remainder_wad() // WAD,
    )


def audit(played: WeeksPlayed) -> list[str]:
    """What was found to hold, in sentences. Raises AuditError with all that does not hold."""
    totals = sums(played)
    faults = _money(played, totals) + _principal(played) + _weeks(played) + _tickets(played) + _mining(played)
    if faults:
        raise AuditError("\n".join(faults))
    events = len(_all(played, EventCreated))
    return [
        f"prizes, buyback, carry and named remainders are all {totals.revenue / 10**6:.6f} USDC of revenue, "
        "to the unit",
        "every USDC of principal came back to the unit, every DAI at the same share of the loss",
        f"pools, splits and prizes of all weeks are the exact model’s, to {UNITS_A_WEEK} units a week",
        f"the tickets of {len(STAKERS)} people in {events} events are the exact model’s, never one more",
        "BET mined is what its schedule allows, and all of it was paid",
    ]


def _all(played: WeeksPlayed, kind: type) -> list:
    return [row for row in played.rows if isinstance(row, kind)]


def _money(played: WeeksPlayed, totals: Sums) -> list[str]:
    tessera = played.tessera
    balance = _balance(played, "USDC", tessera.prizes.address)
    faults = []
    if totals.accounted != totals.revenue:
        faults.append(f"revenue is {totals.revenue}, accounted for are {totals.accounted}")
    if tessera.prizes.remainder_wad() % WAD:
        faults.append("fractions of settled events do not add up to whole units")
    if balance != totals.carried + totals.waiting + totals.bucket + totals.remainder:
        faults.append(f"the PrizePool holds {balance}")
    if rest := _balance(played, "USDC", tessera.events.address):
        faults.append(f"PredictionEvents still holds {rest}")
    for asset in ("USDC", "DAI"):
        token = tessera.deployment.address_of(f"TestToken:{asset}")
        harvested = sum(row.amount for row in _all(played, Harvested) if row.asset == token)
        staked = sum(row.amount for row in _all(played, Staked) if row.asset == token)
        paid = sum(row.paid for row in _all(played, Withdrawn) if row.asset == token)
        lost = played.lost if asset == "DAI" else 0
        # What a vault proved its exit with, and kept.
        seeds = sum(row.amount - row.returned for row in _all(played, AssetSeeded) if row.asset == token)
        if staked + seeds + played.donated[asset] != paid + harvested + lost + played.left[asset]:
            faults.append(f"{asset}: {staked} staked, {paid} paid, {harvested} harvested, {played.left[asset]} left")
    moved = sum(row.revenue for row in _all(played, Harvested))
    if moved != totals.revenue:
        faults.append(f"{moved} harvested, {totals.revenue} came in")
    return faults


def _principal(played: WeeksPlayed) -> list[str]:
    tessera, faults = played.tessera, []
    addresses = {name: address for address, name in played.names.items()}
    usdc, dai = (tessera.deployment.address_of(f"TestToken:{asset}") for asset in ("USDC", "DAI"))
    worth, principal = played.fair
    for staker in STAKERS:
        address = addresses[staker.name]
        prizes = sum(row.amount for row in _all(played, Claimed) if row.account == address)
        if (balance := _balance(played, "USDC", address)) != funds(staker, "USDC") + prizes:
            faults.append(f"{staker.name} has {balance} USDC, brought {funds(staker, 'USDC')} and won {prizes}")
        mine = [row for row in _all(played, Withdrawn) if row.account == address and row.asset == dai]
        # Since the loss everybody takes the same share. Each withdrawal rounds down once and burns at most one share
        # too many: two units a withdrawal, over all who left.
        for row in mine:
            fair = row.amount if row.block < played.crash_block else row.amount * worth // principal
            if abs(row.paid - fair) > (0 if fair == row.amount else 2 * len(STAKERS)):
                faults.append(f"{staker.name} got {row.paid} of {row.amount} DAI, fair are {fair}")
        paid = sum(row.paid for row in mine)
        staked = sum(row.amount for row in _all(played, Staked) if row.account == address and row.asset == dai)
        if (balance := _balance(played, "DAI", address)) != funds(staker, "DAI") - staked + paid:
            faults.append(f"{staker.name} has {balance} DAI, was paid {paid}")
        owed = [tessera.staking.principal_of(address, token) for token in (usdc, dai)]
        if any(owed):
            faults.append(f"{staker.name} is still owed {owed}")
    if total := tessera.staking.total_stake():
        faults.append(f"{total} still count as staked")
    return faults


def _weeks(played: WeeksPlayed) -> list[str]:
    """Replays revenue and events in exact fractions; what comes back from events is revenue of their week."""
    faults: list[str] = []
    first = next((row.period for row in played.rows if isinstance(row, PeriodClosed)), None)
    if first is None:
        return faults
    model = PrizeWeeks(first)
    for index, row in enumerate(played.rows):
        match row:
            case PeriodClosed():
                if row.period == model.period:
                    later = [each for each in played.rows[index:] if each.transaction == row.transaction]
                    model.close(max(each.period for each in later if isinstance(each, PeriodClosed)) + 1)
                exact = next(each for each in model.closed if each.period == row.period)
                for name in ("pool", "to_events", "buyback", "carried"):
                    if abs(getattr(row, name) - getattr(exact, name)) >= UNITS_A_WEEK:
                        faults.append(f"week {row.period}: {name} {getattr(row, name)}, {getattr(exact, name)} exactly")
            case RevenueAdded():
                model.add_revenue(row.amount)
            case EventOpened():
                model.open_event(row.event_id, row.weight, row.last_period)
            case PrizeTaken():
                exact = model.prize(row.event_id)
                weeks = len(model.closed)
                if abs(row.amount - exact) > UNITS_A_WEEK * weeks + 1:
                    faults.append(f"event {row.event_id}: prize {row.amount}, {float(exact)} exactly")
                if not row.paid:
                    model.add_revenue(row.amount)
    return faults


def _tickets(played: WeeksPlayed) -> list[str]:
    created = {row.event_id: row for row in _all(played, EventCreated)}
    events = {
        number: TicketEvent(row.start_block, row.stop_block, Fraction(row.e0, 100), BLOCKS_PER_HOUR)
        for number, row in created.items()
    }
    stakes: dict[str, int] = {}
    for row in played.rows:
        if isinstance(row, Staked | Withdrawn | Revalued):
            change = Fraction(row.stake - stakes.get(row.account, 0), 10**6)
            stakes[row.account] = row.stake
            for event in events.values():
                event.change_stake(row.account, row.block, change)
        elif isinstance(row, Predicted):
            events[row.event_id].predict(row.account, row.block, row.outcome)
    faults = []
    for number, event in events.items():
        for account, (actual, prize) in played.tickets[number].items():
            exact = event.actual_tickets(account, event.stop), event.prize_tickets(account, event.stop)
            who = f"{played.names[account]} in event {number}"
            if actual != exact[0] * WAD // 1:
                faults.append(f"{who}: {actual} tickets, {float(exact[0])} exactly")
            # Multipliers are rounded down to 1e-6, at most once for each ticket; a withdrawal rounds the rate down.
            least = exact[1] - exact[0] / 10**6 - Fraction(1, 10**6)
            if not least <= Fraction(prize, WAD) <= exact[1]:
                faults.append(f"{who}: {prize} prize tickets, {float(exact[1])} exactly")
        faults += _shares(played, number, event)
    return faults


def _shares(played: WeeksPlayed, number: int, event: TicketEvent) -> list[str]:
    (settled,) = (row for row in _all(played, EventSettled) if row.event_id == number)
    paid = {row.account: row.amount for row in _all(played, Claimed) if row.event_id == number}
    if settled.outcome == INVALID or not settled.tickets:
        return [f"event {number} had no winner and paid {paid}"] if paid else []
    exact = event.prizes(settled.outcome, settled.prize)
    residue = sum(row.amount for row in _all(played, ResidueReturned) if row.event_id == number)
    faults = []
    if sum(paid.values()) + residue != settled.prize or residue >= max(1, len(paid)):
        faults.append(f"event {number}: {settled.prize} to share, {paid} paid, {residue} left")
    if paid.keys() != exact.keys():
        faults.append(f"event {number}: {len(paid)} were paid, {len(exact)} were right")
    # Tickets may be 1e-6 of themselves too few, a person's and everybody's; the share is rounded down.
    faults += [
        f"{played.names[account]} in event {number}: {paid.get(account)} paid, {float(share)} exactly"
        for account, share in exact.items()
        if abs(paid.get(account, 0) - share) > share / 10**6 * 2 + 1
    ]
    return faults


def _mining(played: WeeksPlayed) -> list[str]:
    bet = played.tessera.bet_token
    mined = sum(row.amount for row in _all(played, RewardsClaimed))
    last = max(row.block for row in _all(played, Withdrawn))
    faults = []
    if mined != bet.minted():
        faults.append(f"{mined} BET were paid, {bet.minted()} minted")
    # Rounded down for each person; nothing accrues once nobody stakes.
    if not 0 <= (last - MINING[0]) * BET_PER_BLOCK - mined <= WAD // 10**6:
        faults.append(f"{mined} BET were mined in {last - MINING[0]} blocks")
    if bet.total_supply() != BET_CAP - BET_PER_BLOCK * (MINING[1] - MINING[0]) + mined:
        faults.append(f"there are {bet.total_supply()} BET")
    return faults


def _balance(played: WeeksPlayed, asset: str, account: str) -> int:
    return Erc20(played.tessera.web3, played.tessera.deployment.address_of(f"TestToken:{asset}")).balance_of(account)
