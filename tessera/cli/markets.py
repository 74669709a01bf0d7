"""`tessera markets`: find one, bet on it, open one. What settles it is in `tessera.cli.resolving`."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from tessera.cli.inputs import MARKET, SIDE, YES_TO_ALL, Address, Share, Time
from tessera.cli.limits import check_limit
from tessera.cli.session import Session, pause
from tessera.cli.show import Amount, Moment, Odds, Percent, Said, ask, card, eur, rows, sent, sparkline, wad
from tessera.model.units import EUR, WAD, Outcome

if TYPE_CHECKING:
    from tessera.chain.lmsr_markets import Quote

BYTES = {"question": 256, "yes": 256, "no": 256, "rules": 1024, "source": 256}
STATES = (
    "awaiting",
    "open",
    "closed",
    "pending",
    "disputed",
    "resolved",
    "invalid",
)  # tessera.chain.lmsr_markets.Status

VOTE = (
    "the bettors' votes, a head each",
    "more than half: what was proposed is paid",
    "more than two thirds, with more than a quarter of all stakes, for the other side: that is paid",
    "anything else: all money goes back",
)


@click.group()
def markets():
    """Friends' markets: bets of 1 EUR on YES or NO."""


@markets.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only markets in this state.")
@click.option("--search", metavar="TEXT", help="Only questions with this text in them.")
@click.pass_obj
def list_(session: Session, state: str | None, search: str | None):
    """All markets, the newest first."""
    with session.index.snapshot() as snapshot:
        known = snapshot.markets()
    rows(
        session,
        "Markets",
        (
            {
                "market_id": market.market_id,
                "question": market.question,
                "status": market.status,
                "p_yes": Percent(market.p_yes),
                "bets": market.bets,
                "expected_result_at": Moment(market.expected_result_at),
            }
            for market in reversed(known)
            if (not search or search.casefold() in market.question.casefold())
            and (not state or str(market.status.name).lower() == state)
        ),
        "no such market",
    )


@markets.command()
@MARKET
@click.pass_obj
def show(session: Session, market_id: int):
    """One market: its terms, its price over time, who decides, what its creator risks, and what you hold."""
    from tessera.chain.lmsr_markets import Status

    api = session.tessera.markets
    with session.index.snapshot() as snapshot:
        market, history, now = snapshot.market(market_id), snapshot.price_history(market_id), snapshot.head.timestamp
    points = [(point.timestamp, point.p_yes) for point in history]
    is_open = market.status == Status.OPEN
    odds = {side: Odds(api.quote(market_id, side).odds) if is_open else None for side in (Outcome.YES, Outcome.NO)}
    values = {
        "market_id": market_id,
        "question": market.question,
        "yes": market.yes,
        "no": market.no,
        "rules": market.rules,
        "source": market.source,
        "status": market.status,
        "outcome": market.outcome,
        "p_yes": Percent(market.p_yes),
        "yes_odds": odds[Outcome.YES],
        "no_odds": odds[Outcome.NO],
        "history": Said(
            [{"timestamp": at, "p_yes": str(p_yes)} for at, p_yes in points],
            sparkline(points, min(now, market.closes_at)),
        ),
        "bets": market.bets,
        "closes_at": Moment(market.closes_at),
        "expected_result_at": Moment(market.expected_result_at),
        "dispute_window": Said(market.dispute_window, pause(market.dispute_window)),
        "decided_by": decided_by(market.referee, market.status != Status.AWAITING),
        "creator": market.creator,
        "max_loss": eur(api.max_loss(market_id)),
        "position": None,
    }
    if (viewer := session.viewer) is not None:
        values["position"] = _position(api.position(market_id, viewer))
    card(session, f"Market {market_id}", values)


def _position(position) -> Said:
    sides = [side for side in (Outcome.YES, Outcome.NO) if position.staked[side]]
    return Said(
        {
            str(side.name).lower(): {
                "shares": wad(position.shares[side]),
                "staked": eur(position.staked[side]),
                "odds": Odds(position.average_odds(side)),
                "profit": eur(position.profit(side)),
            }
            for side in sides
        },
        *(
            f"{side.name}: {wad(position.shares[side])} shares for {eur(position.staked[side])}, "
            f"odds {Odds(position.average_odds(side))}, gain if {side.name}: {eur(position.profit(side))}"
            for side in sides
        ),
    )


@markets.command()
@MARKET
@SIDE
@click.option("--bets", default=1, show_default=True, type=click.IntRange(1, 100), help="How many EUR, one by one.")
@click.pass_obj
def quote(session: Session, market_id: int, side: Outcome, bets: int):
    """What a bet would get now, what it loses on average if the market is right, and who decides a dispute."""
    card(session, f"Quote for {side.name}", _quote(session, market_id, _quoted(session, market_id, side, bets)))


@markets.command()
@MARKET
@SIDE
@click.option("--slippage", default="1%", show_default=True, type=Share("0", "0.5"), help="Shares less than quoted.")
@YES_TO_ALL
@click.pass_obj
def bet(session: Session, market_id: int, side: Outcome, slippage: int, yes: bool):
    """Bets 1 EUR, after showing odds, expected loss and who decides."""
    from tessera.chain.lmsr_markets import BetPlaced

    wallet, quoted = session.wallet, _quoted(session, market_id, side, 1)
    check_limit(session, quoted.stake)
    ask(session, f"Bet on {side.name} in market {market_id}", _quote(session, market_id, quoted), yes)
    least = max(1, quoted.shares * (WAD - slippage) // WAD)
    receipt = session.tessera.markets.bet(wallet, market_id, quoted.outcome, min_shares=least)
    placed = receipt.event(BetPlaced)
    values = {
        "market_id": market_id,
        "outcome": placed.side,
        "shares": wad(placed.shares),
        "odds": Odds(placed.effective_odds),
        "max_payoff": eur(placed.shares * EUR // WAD),
        "price_after": Percent(placed.price_after),
    }
    card(session, "Receipt", {**values, **sent(receipt)})


@markets.command()
@click.option("--question", required=True)
@click.option("--means-yes", "yes_text", required=True, help="What must happen for YES.")
@click.option("--means-no", "no_text", required=True, help="What must happen for NO.")
@click.option("--rules", required=True, help="What counts in doubt.")
@click.option("--source", required=True, help="Who says what happened.")
@click.option("--p0", required=True, type=Share("0.01", "0.99"), help="Your probability of YES: prices begin there.")
@click.option(
    "--result",
    "expected_result_at",
    required=True,
    type=Time(),
    help="When the result is known: 3d, 12h, or a time such as 2027-01-31T18:00 (UTC) or 2027-01-31T18:00+01:00.",
)
@click.option("--closes", "closes_at", type=Time(), help="When betting ends; default: with the result.")
@click.option("--starts", "event_start_at", type=Time(), help="When the event starts, if that matters.")
@click.option(
    "--referee",
    metavar="ADDRESS",
    type=Address(),
    help="Who decides disputes, and has to accept; default: the bettors.",
)
@click.option("--window", default=24 * 3600, show_default=True, type=click.IntRange(0), help="Seconds to dispute in.")
@YES_TO_ALL
@click.pass_obj
def create(session: Session, yes: bool, yes_text: str, no_text: str, p0: int, window: int, **said):
    """Opens a market with 10 EUR of yours: all that you can lose, and what you gain from those who are wrong."""
    from tessera.chain import ZERO_ADDRESS, Terms
    from tessera.chain.lmsr_markets import SEED, MarketCreated
    from tessera.model.lmsr import opening

    terms = Terms(said["question"], yes_text, no_text, said["rules"], said["source"])
    for name, text in terms._asdict().items():
        if not 0 < len(text.encode()) <= BYTES[name]:
            raise click.UsageError(f"{name}: 1 to {BYTES[name]} bytes of text, not {len(text.encode())}")
    wallet, now, referee = session.wallet, session.now, said["referee"]
    times = {
        name: now + int(at.total_seconds()) if isinstance(at := said[name], timedelta) else at or 0
        for name in ("expected_result_at", "closes_at", "event_start_at")
    }
    check_limit(session, SEED)
    b, _ = opening(p0 / WAD, 10)
    ask(
        session,
        "A new market",
        {
            "question": terms.question,
            "p0": Percent(p0),
            "liquidity b": f"{float(b):.2f} EUR",
            "you put in": eur(SEED),
            "you lose at most": eur(SEED),
            "closes_at": Moment(times["closes_at"] or times["expected_result_at"]),
            "expected_result_at": Moment(times["expected_result_at"]),
            "decided_by": decided_by(referee, accepted=False),
        },
        yes,
    )
    receipt = session.tessera.markets.create_market(
        wallet, terms, p0=p0, dispute_window=window, referee=referee or ZERO_ADDRESS, **times
    )
    card(session, "Receipt", {"market_id": receipt.event(MarketCreated).market_id, **sent(receipt)})


def decided_by(referee: str | None, accepted: bool = True) -> Said:
    """Who decides a dispute, and how; the referee's address, or null where it is the bettors."""
    if referee is None:
        return Said(None, *VOTE)
    has = "who has accepted" if accepted else "who has to accept before anybody can bet"
    return Said(referee, f"the referee {referee}, {has}", "a referee who is silent for 48 h: all money goes back")


def _quoted(session: Session, market_id: int, side: Outcome, bets: int) -> "Quote":
    return session.tessera.markets.quote(market_id, side, bets=bets)


def _quote(session: Session, market_id: int, quoted: "Quote") -> dict:
    from tessera.chain import ZERO_ADDRESS

    referee = session.tessera.markets.market(market_id).referee
    return {
        "market_id": market_id,
        "outcome": quoted.outcome,
        "stake": eur(quoted.stake),
        "shares": wad(quoted.shares),
        "odds": Odds(quoted.odds),
        "max_payoff": eur(quoted.max_payoff),
        "price": Percent(quoted.price),
        "price_impact": Percent(quoted.price_impact),
        "edge": Percent(WAD - quoted.odds * quoted.price // WAD),
        "expected_loss": Amount(quoted.expected_loss, EUR, "EUR", 4),
        "decided_by": decided_by(None if referee == ZERO_ADDRESS else referee),
    }
