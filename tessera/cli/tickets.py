"""`tessera tickets`: stake, predict, and what the weekly prize is."""

from fractions import Fraction
from typing import TYPE_CHECKING

import click

from tessera.cli.failures import Refused
from tessera.cli.inputs import ACCOUNT, YES_TO_ALL, Money, MoneyOrAll
from tessera.cli.session import Session, pause
from tessera.cli.show import Amount, Moment, Percent, Said, ask, card, coins, rows, sent, usd, wad
from tessera.model.apy import ASSUMPTIONS
from tessera.model.prizes import start_of
from tessera.model.units import WAD

if TYPE_CHECKING:
    from tessera.chain.blocks import Block
    from tessera.chain.erc20 import Token
    from tessera.index.answers import EventState

BPS = WAD // 10_000
EVENT = click.argument("event_id", metavar="EVENT", type=click.IntRange(1))


@click.group()
def tickets():
    """Staked tickets: stakes earn the weekly prize, and come back whole."""


@tickets.command()
@click.pass_obj
def pool(session: Session):
    """The running week, what it is shared by, and yearly yields with what they assume."""
    api = session.tessera.prizes
    now = session.head.timestamp
    period = api.period()
    to_events, to_buyback = api.split_of(period)
    ends_at = start_of(period + 1)
    values = {
        "period": period,
        "ends_at": Said(ends_at, f"{Moment(ends_at)}, in {pause(ends_at - now)}"),
        "waiting_revenue": coins(session.prize_token, api.waiting_revenue()),
        "carried": coins(session.prize_token, api.carried()),
        "event_share": Percent(to_events * BPS),
        "buyback_share": Percent(to_buyback * BPS),
        "carried_share": Percent(WAD - (to_events + to_buyback) * BPS),
        "buyback_bucket": coins(session.prize_token, api.buyback_bucket()),
        "total_stake": usd(session.tessera.staking.total_stake()),
        **_yields(session),
    }
    card(session, "The weekly prize", values)


@tickets.command()
@click.pass_obj
def weeks(session: Session):
    """Every closed week: the pool and how it was split."""
    with session.index.snapshot() as snapshot:
        closed_weeks = snapshot.prize_history()
    rows(
        session,
        "Weeks",
        (
            {
                "period": week.period,
                "ends_at": Moment(start_of(week.period + 1)),
                "revenue": coins(session.prize_token, week.revenue),
                "pool": coins(session.prize_token, week.pool),
                "to_events": coins(session.prize_token, week.to_events),
                "buyback": coins(session.prize_token, week.buyback),
                "carried": coins(session.prize_token, week.carried),
            }
            for week in closed_weeks
        ),
        "no week is closed yet",
    )


@tickets.command()
@click.pass_obj
def events(session: Session):
    """All events, the newest first."""
    with session.index.snapshot() as snapshot:
        head, known = snapshot.head, snapshot.events()
    rows(
        session,
        "Events",
        (
            {
                "event_id": event.event_id,
                "description": event.description,
                "outcomes": Said(list(event.outcomes), ", ".join(event.outcomes)),
                "state": _state(event, head),
                "multiplier": wad(session.tessera.events.multiplier(event.event_id), places=2),
                "not_before": Moment(event.not_before),
                "prize": coins(session.prize_token, session.tessera.prizes.event_prize(event.event_id)),
            }
            for event in reversed(known)
        ),
        "no event yet",
    )


@tickets.command()
@EVENT
@click.pass_obj
def event(session: Session, event_id: int):
    """One event: outcomes with their prize tickets, and yours."""
    api = session.tessera.events
    with session.index.snapshot() as snapshot:
        head, known = snapshot.head, snapshot.event(event_id)
    prize = known.prize if known.is_settled else session.tessera.prizes.event_prize(event_id)
    totals = [wad(api.outcome_tickets(event_id, number), places=2) for number in range(len(known.outcomes))]
    values = {
        "event_id": event_id,
        "description": known.description,
        "state": _state(known, head),
        "stop_block": Said(
            known.stop_block,
            f"predicting ends at block {known.stop_block} or {Moment(known.not_before)}, whichever is first",
        ),
        "not_before": Moment(known.not_before),
        "multiplier": wad(api.multiplier(event_id), places=2),
        "weight": known.weight,
        "prize": coins(session.prize_token, prize),
        "outcomes": Said(
            [
                {"outcome": number, "name": name, "tickets": total}
                for number, (name, total) in enumerate(zip(known.outcomes, totals, strict=True))
            ],
            *(f"{name}: {total} prize tickets" for name, total in zip(known.outcomes, totals, strict=True)),
        ),
        "outcome": _outcome(known),
        "prediction": None,
    }
    if (viewer := session.viewer) is not None:
        predicted, outcome = api.prediction_of(event_id, viewer)
        actual, counting = api.tickets(event_id, viewer)
        values |= {
            "prediction": Said(outcome, known.outcomes[outcome]) if predicted else None,
            "your_tickets": wad(actual, places=2),
            "your_prize_tickets": wad(counting, places=2),
            "your_prize": coins(session.prize_token, api.prize_of(event_id, viewer)),
        }
    card(session, f"Event {event_id}", values)


@tickets.command()
@click.argument("asset")
@click.argument("amount", metavar="AMOUNT")
@YES_TO_ALL
@click.pass_obj
def stake(session: Session, asset: str, amount: str, yes: bool):
    """Stakes a stablecoin (by its symbol). It can be withdrawn at any time; only the yield is played for."""
    from tessera.chain.staking_pool import Staked

    token, staking, wallet = _token(session, asset), session.tessera.staking, session.wallet
    units = Money(token.decimals).convert(amount, None, None)
    ask(
        session,
        "Stake",
        {
            "amount": coins(token, units),
            "at risk": "nothing but the vault's own risk: principal comes back at any time",
            "played for": "the yield that the stake earns",
        },
        yes,
    )
    if (permit := session.permit(token.address, staking.address, units)) is not None:
        receipt = staking.stake_with_permit(wallet, token.address, permit)
    else:
        receipt = staking.stake(wallet, token.address, units)
    staked = receipt.event(Staked)
    values = {"asset": token.address, "amount": coins(token, units), "value": usd(staked.value)}
    card(session, "Receipt", {**values, "stake": usd(staked.stake), **sent(receipt)})


@tickets.command()
@click.argument("asset")
@click.argument("amount", metavar="AMOUNT|all")
@click.option(
    "--min-paid", metavar="AMOUNT", help="Nothing less for all of it; default: 0.5 % below what it is worth now."
)
@YES_TO_ALL
@click.pass_obj
def withdraw(session: Session, asset: str, amount: str, min_paid: str | None, yes: bool):
    """Takes principal back: an amount, or all. Asks only where the vault has lost money.

    `--min-paid 0` with all ends a stake that is worth nothing.
    """
    from tessera.chain.staking_pool import Withdrawn

    token, staking, wallet = _token(session, asset), session.tessera.staking, session.wallet
    units = MoneyOrAll(token.decimals).convert(amount, None, None)
    owed = staking.principal_of(wallet.address, token.address)
    taken = owed if isinstance(units, str) else units
    worth = staking.worth_of(token.address, min(taken, owed))
    if min_paid is None:
        least = max(1, worth - worth // 200)
    else:
        least = Money(token.decimals, zero=True).convert(min_paid, None, None)
    values = {"amount": coins(token, taken), "worth_now": coins(token, worth), "min_paid": coins(token, least)}
    has_lost = 100 * worth < 99 * min(taken, owed)
    ask(session, "Withdraw", values, yes or not has_lost)
    receipt = staking.withdraw(wallet, token.address, taken, least)
    withdrawn = receipt.event(Withdrawn)
    values = {
        "asset": token.address,
        "paid": coins(token, withdrawn.paid),
        "min_paid": coins(token, least),
        "principal": coins(token, staking.principal_of(wallet.address, token.address)),
        "stake": usd(withdrawn.stake),
    }
    card(session, "Receipt", {**values, **sent(receipt)})


@tickets.command()
@click.pass_obj
def assets(session: Session):
    """What can be staked: how much is, whether it is open, and what its vault has lost."""
    from tessera.chain.erc20 import Token

    staking = session.tessera.staking
    values = []
    for address in staking.assets():
        token, state, loss = Token.of(session.web3, address), staking.asset_state(address), staking.loss_of(address)
        values.append(
            {
                "symbol": token.symbol,
                "asset": address,
                "vault": staking.vault_of(address),
                "principal": coins(token, state.principal),
                "is_open": state.is_open,
                "is_seeded": staking.is_seeded(address),
                "loss": Percent(loss.now) if loss else "its vault does not answer",
                "noted_loss": Percent(loss.noted) if loss else None,
                "noted_at": Moment(loss.noted_at) if loss else None,
            }
        )
    rows(session, "Assets", values, "nothing can be staked yet")


@tickets.command("note-loss")
@click.argument("asset")
@click.pass_obj
def note_loss(session: Session, asset: str):
    """Notes what an asset's vault has lost, so that stakes in it can be revalued a day later; for anyone."""
    from tessera.chain.staking_pool import LossNoted

    token = _token(session, asset)
    receipt = session.tessera.staking.note_loss(session.wallet, token.address)
    noted = receipt.event(LossNoted)
    values = {"asset": token.address, "noted_loss": Percent(noted.loss), "noted_at": Moment(noted.noted_at)}
    card(session, "Receipt", {**values, **sent(receipt)})


@tickets.command()
@click.argument("asset")
@ACCOUNT
@click.pass_obj
def revalue(session: Session, asset: str, account: str | None):
    """Makes a stake, yours or somebody's, count what it is worth after its vault's loss or recovery; for anyone."""
    from tessera.chain.staking_pool import Revalued

    token, who = _token(session, asset), session.who(account)
    receipt = session.tessera.staking.revalue(session.wallet, who, token.address)
    made = receipt.event(Revalued)
    values = {"account": who, "asset": token.address, "value": usd(made.value), "stake": usd(made.stake)}
    card(session, "Receipt", {**values, **sent(receipt)})


@tickets.command()
@click.argument("asset")
@click.argument("amount", metavar="AMOUNT")
@YES_TO_ALL
@click.pass_obj
def seed(session: Session, asset: str, amount: str, yes: bool):
    """Opens a listed asset once, by proving that its vault pays out; half of the 10 or more tokens stay for good."""
    from tessera.chain.erc20 import Erc20
    from tessera.chain.staking_pool import AssetSeeded

    token, staking, wallet = _token(session, asset), session.tessera.staking, session.wallet
    units = Money(token.decimals).convert(amount, None, None)
    given = units - units // 2
    ask(session, "Seed", {"amount": coins(token, units), "stays for good, about": coins(token, given)}, yes)
    Erc20(session.web3, token.address).allow(wallet, staking.address, units)
    receipt = staking.seed_asset(wallet, token.address, units)
    seeded = receipt.event(AssetSeeded)
    values = {
        "asset": token.address,
        "amount": coins(token, seeded.amount),
        "returned": coins(token, seeded.returned),
    }
    card(session, "Receipt", {**values, **sent(receipt)})


@tickets.command()
@EVENT
@click.argument("outcome")
@click.pass_obj
def predict(session: Session, event_id: int, outcome: str):
    """Predicts an outcome, by its name or number (from 0). A change takes the multiplier of its own moment."""
    from tessera.chain.prediction_events import Predicted

    with session.index.snapshot() as snapshot:
        names = snapshot.event(event_id).outcomes
    chosen = next((n for n, name in enumerate(names) if outcome.casefold() in (name.casefold(), str(n))), None)
    if chosen is None:
        raise Refused("not_found", f"event {event_id} has no outcome {outcome}: it has {', '.join(names)}")
    receipt = session.tessera.events.predict(session.wallet, event_id, chosen)
    made = [row for row in receipt.events if isinstance(row, Predicted)]  # none where it was predicted before
    values = {
        "event_id": event_id,
        "outcome": Said(chosen, names[chosen]),
        "multiplier": Amount(made[0].multiplier) if made else Said(None, "as before: it was predicted already"),
    }
    card(session, "Receipt", {**values, **sent(receipt)})


@tickets.command()
@EVENT
@click.pass_obj
def claim(session: Session, event_id: int):
    """Takes your prize of an event."""
    from tessera.chain.prediction_events import Claimed

    receipt = session.tessera.events.claim(session.wallet, event_id, session.wallet.address)
    paid = coins(session.prize_token, receipt.event(Claimed).amount)
    card(session, "Receipt", {"event_id": event_id, "paid": paid, **sent(receipt)})


@tickets.command()
@click.pass_obj
def rewards(session: Session):
    """Takes the BET that your stake has mined."""
    from tessera.chain.staking_pool import RewardsClaimed

    receipt = session.tessera.staking.claim_rewards(session.wallet, session.wallet.address)
    card(session, "Receipt", {"paid": wad(receipt.event(RewardsClaimed).amount, "BET"), **sent(receipt)})


def _token(session: Session, asset: str) -> "Token":
    from tessera.chain.erc20 import Token

    known = [Token.of(session.web3, address) for address in session.tessera.staking.assets()]
    for token in known:
        if asset.casefold() in (token.symbol.casefold(), token.address.casefold()):
            return token
    raise Refused("not_found", f"{asset} cannot be staked: there is {', '.join(token.symbol for token in known)}")


def _state(event: "EventState", head: "Block") -> Said:
    if event.is_settled:
        return Said("settled", "settled")
    if event.is_open:
        return Said("open", f"open, {pause(event.not_before - head.timestamp)} left")
    return Said("waiting", "waits for its result")


def _outcome(event: "EventState") -> Said:
    if not event.is_settled:
        return Said(None)
    return Said("INVALID", "INVALID") if event.outcome is None else Said(event.outcome, event.outcomes[event.outcome])


def _yields(session: Session) -> dict:
    from tessera.accounting.yields import yields

    yearly = yields(session.tessera)
    if yearly is None:
        unknown = Said(None, "known when something is staked")
        return dict.fromkeys(("lending", "apy1", "apy1_net", "apy2", "apy", "assumptions"), unknown)
    rates = yearly.figures

    def lent(rate: Fraction | None) -> Percent | Said:
        if yearly.lending is None or rate is None:
            return Said(None, "not known yet")
        return Percent(int(rate * WAD))

    return {
        "lending": lent(yearly.lending),
        "apy1": lent(rates.apy1),
        "apy1_net": lent(rates.apy1_net),
        "apy2": Percent(int(rates.apy2 * WAD)),
        "apy": lent(rates.apy),
        "assumptions": Said(
            list(ASSUMPTIONS),
            *ASSUMPTIONS,
            "lending stays what the vaults grew by in the last four weeks, or since they began",
        ),
    }
