"""`tessera tickets`: stake, predict, and what the weekly prize is."""

from fractions import Fraction

import click

from tessera.accounting.yields import yields
from tessera.chain import WAD, ChainError
from tessera.chain.erc20 import Token
from tessera.chain.prediction_events import Claimed, Predicted
from tessera.chain.staking_pool import RewardsClaimed, Staked, Withdrawn
from tessera.cli.markets import YES_TO_ALL
from tessera.cli.money import ALL, Money
from tessera.cli.session import Commands, Session, pause
from tessera.cli.show import Amount, Moment, Percent, ask, card, coins, rows, sent, usd, wad
from tessera.index.answers import EventState
from tessera.index.schema import Block
from tessera.model.apy import ASSUMPTIONS
from tessera.model.prizes import start_of

BPS = WAD // 10_000
EVENT = click.argument("event_id", metavar="EVENT", type=click.IntRange(1))


@click.group(cls=Commands)
def tickets():
    """Staked tickets: stakes earn the weekly prize, and come back whole."""


@tickets.command()
@click.pass_obj
def pool(session: Session):
    """The running week, what it is shared by, and yearly yields with what they assume."""
    api, staking = session.tessera.prizes, session.tessera.staking
    now = session.web3.eth.get_block("latest")["timestamp"]
    period, staked = api.period(), staking.total_stake()
    to_events, to_buyback = api.split_of(period)
    found = {
        "week": period,
        "ends": Moment(start_of(period + 1)),
        "ends in": pause(start_of(period + 1) - now),
        "revenue so far": coins(session.prize_token, api.waiting_revenue()),
        "carried from last week": coins(session.prize_token, api.carried()),
        "to the events of the week": Percent(to_events * BPS),
        "buys BET for the treasury": Percent(to_buyback * BPS),
        "carried to the next week": Percent(WAD - (to_events + to_buyback) * BPS),
        "waits for the buyback": coins(session.prize_token, api.buyback_bucket()),
        "all stakes": usd(staked),
        **_yields(session),
    }
    card(session, "The weekly prize", found)


@tickets.command()
@click.pass_obj
def weeks(session: Session):
    """Every closed week: the pool and how it was split."""
    with session.index.snapshot() as snapshot:
        closed_weeks = snapshot.prize_history()
    found = [
        {
            "week": closed.period,
            "ended": Moment(start_of(closed.period + 1)),
            "revenue": coins(session.prize_token, closed.revenue),
            "pool": coins(session.prize_token, closed.pool),
            "to_events": coins(session.prize_token, closed.to_events),
            "buyback": coins(session.prize_token, closed.buyback),
            "carried": coins(session.prize_token, closed.carried),
        }
        for closed in closed_weeks
    ]
    rows(session, "Weeks", found, "no week is closed yet")


@tickets.command()
@click.pass_obj
def events(session: Session):
    """All events, the newest first."""
    with session.index.snapshot() as snapshot:
        head, known = snapshot.head, snapshot.events()
    found = [
        {
            "event": one.event_id,
            "question": one.description,
            "outcomes": ", ".join(one.outcomes),
            "state": _state(one, head),
            "multiplier_now": wad(session.tessera.events.multiplier(one.event_id), places=2),
            "result_from": Moment(one.not_before),
            "prize_so_far": coins(session.prize_token, session.tessera.prizes.event_prize(one.event_id)),
        }
        for one in reversed(known)
    ]
    rows(session, "Events", found, "no event yet")


@tickets.command()
@EVENT
@click.pass_obj
def event(session: Session, event_id: int):
    """One event: outcomes with their prize tickets, and yours."""
    api = session.tessera.events
    with session.index.snapshot() as snapshot:
        head, known = snapshot.head, snapshot.event(event_id)
    prize = known.prize if known.is_settled else session.tessera.prizes.event_prize(event_id)
    found = {
        "question": known.description,
        "state": _state(known, head),
        "predicting ends": f"at block {known.stop_block} or {Moment(known.not_before)}, whichever is first",
        "multiplier now": wad(api.multiplier(event_id), places=2),
        "weight": known.weight,
        "prize": coins(session.prize_token, prize),
    }
    for index, name in enumerate(known.outcomes):
        found[f"tickets on {name}"] = wad(api.outcome_tickets(event_id, index), places=2)
    if known.is_settled:
        found["outcome"] = "INVALID" if known.outcome is None else known.outcomes[known.outcome]
    if (viewer := session.viewer) is not None:
        predicted, outcome = api.prediction_of(event_id, viewer)
        actual, counting = api.tickets(event_id, viewer)
        found |= {
            "you predict": known.outcomes[outcome] if predicted else None,
            "your tickets": wad(actual, places=2),
            "your prize tickets": wad(counting, places=2),
            "to claim": coins(session.prize_token, api.prize_of(event_id, viewer)),
        }
    card(session, f"Event {event_id}", found)


@tickets.command()
@click.argument("asset")
@click.argument("amount", metavar="AMOUNT")
@YES_TO_ALL
@click.pass_obj
def stake(session: Session, asset: str, amount: str, yes: bool):
    """Stakes a stablecoin (by its symbol). It can be withdrawn at any time; only the yield is played for."""
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
        done = staking.stake_with_permit(wallet, token.address, permit)
    else:
        done = staking.stake(wallet, token.address, units)
    staked = done.event(Staked)
    card(session, "Receipt", {"counts": usd(staked.value), "your stake": usd(staked.stake), **sent(done)})


@tickets.command()
@click.argument("asset")
@click.argument("amount", metavar="AMOUNT|all")
@click.pass_obj
def withdraw(session: Session, asset: str, amount: str):
    """Takes principal back: an amount, or all."""
    token, staking, wallet = _token(session, asset), session.tessera.staking, session.wallet
    units = Money(token.decimals, all_=True).convert(amount, None, None)
    owed = staking.principal_of(wallet.address, token.address)
    done = staking.withdraw(wallet, token.address, owed if units == ALL else units)
    left = done.event(Withdrawn)
    card(
        session,
        "Receipt",
        {
            "paid": coins(token, left.paid),
            "still owed to you": coins(token, staking.principal_of(wallet.address, token.address)),
            "your stake": usd(left.stake),
            **sent(done),
        },
    )


@tickets.command()
@EVENT
@click.argument("outcome")
@click.pass_obj
def predict(session: Session, event_id: int, outcome: str):
    """Predicts an outcome, by its name or number (from 0). A change takes the multiplier of its own moment."""
    with session.index.snapshot() as snapshot:
        names = snapshot.event(event_id).outcomes
    chosen = next((n for n, name in enumerate(names) if outcome.casefold() in (name.casefold(), str(n))), None)
    if chosen is None:
        raise ChainError(f"event {event_id} has no outcome {outcome}: it has {', '.join(names)}")
    done = session.tessera.events.predict(session.wallet, event_id, chosen)
    made = [row for row in done.rows if isinstance(row, Predicted)]  # none where it was predicted before
    multiplier = {"multiplier": Amount(made[0].multiplier)} if made else {"changed": "nothing"}
    card(session, "Receipt", {"predicted": names[chosen], **multiplier, **sent(done)})


@tickets.command()
@EVENT
@click.pass_obj
def claim(session: Session, event_id: int):
    """Takes your prize of an event."""
    done = session.tessera.events.claim(session.wallet, event_id, session.wallet.address)
    card(session, "Receipt", {"paid": coins(session.prize_token, done.event(Claimed).amount), **sent(done)})


@tickets.command()
@click.pass_obj
def rewards(session: Session):
    """Takes the BET that your stake has mined."""
    done = session.tessera.staking.claim_rewards(session.wallet, session.wallet.address)
    card(session, "Receipt", {"paid": wad(done.event(RewardsClaimed).amount, "BET"), **sent(done)})


def _token(session: Session, asset: str) -> Token:
    known = [Token.of(session.web3, address) for address in session.tessera.staking.assets()]
    for token in known:
        if asset.casefold() in (token.symbol.casefold(), token.address.casefold()):
            return token
    raise ChainError(f"{asset} cannot be staked: there is {', '.join(token.symbol for token in known)}")


def _state(event: EventState, head: Block) -> str:
    if event.is_settled:
        return "settled"
    if event.is_open:
        return f"open, {pause(event.not_before - head.timestamp)} left"
    return "waits for its result"


def _yields(session: Session) -> dict:
    found = yields(session.tessera)
    if found is None:
        return {"yearly yields": "known when something is staked"}
    rates, lending = found.figures, found.lending

    def lent(rate: Fraction) -> Percent | str:
        return "not known yet" if lending is None else Percent(int(rate * WAD))

    return {
        "lending": lent(lending or Fraction(0)),
        "APY1, from prizes: 1.6 times lending": lent(rates.apy1),
        "APY1 net of the buyback": lent(rates.apy1_net),
        "APY2, from mining": Percent(int(rates.apy2 * WAD)),
        "together": lent(rates.apy),
        "assumed": "; ".join(ASSUMPTIONS),
        "measured": "lending is what the vaults grew by in the last four weeks, or since they began",
    }
