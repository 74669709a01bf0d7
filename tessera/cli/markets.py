"""`tessera markets`: find one, bet on it, open one, settle it."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

import click

from tessera.chain import EUR, WAD, ZERO_ADDRESS, Outcome, Receipt, Terms
from tessera.chain.escrow import Entry
from tessera.chain.lmsr_markets import SEED, BetPlaced, Market, MarketCreated, Quote, Status
from tessera.cli.limits import Limits
from tessera.cli.session import Commands, Session, pause
from tessera.cli.show import Amount, Moment, Percent, ask, card, eur, rows, sent, sparkline, wad
from tessera.model.lmsr import odds_text, opening

BYTES = {"question": 256, "yes": 256, "no": 256, "rules": 1024, "source": 256}


class OneOf(click.Choice):
    """One of some outcomes by its name, as Outcome."""

    def __init__(self, *outcomes: Outcome):
        super().__init__([outcome.name.lower() for outcome in outcomes], case_sensitive=False)

    def convert(self, value, param, ctx):
        return Outcome[super().convert(value, param, ctx).upper()]


class Share(click.ParamType):
    """A part of the whole between two bounds, as WAD: 62%, 62 or 0.62."""

    name = "percent"

    def __init__(self, least: str, most: str):
        self.least, self.most = Decimal(least), Decimal(most)

    def convert(self, value, param, ctx):
        if isinstance(value, int):
            return value
        try:
            share = Decimal(value.removesuffix("%"))
        except InvalidOperation:
            self.fail(f"{value}: say 62% or 0.62", param, ctx)
        if value.endswith("%") or share >= 1:
            share /= 100
        if not self.least <= share <= self.most:  # not a number is not in between either
            self.fail(f"{value}: between {self.least:%} and {self.most:%}", param, ctx)
        return int(share * WAD)


class Ahead(click.ParamType):
    """A time: "3d", "12h", "90m" from now, as timedelta, or 2027-01-31T18:00 in UTC, as unix seconds."""

    name = "time"

    def convert(self, value, param, ctx):
        if isinstance(value, int):
            return value
        if found := re.fullmatch(r"(\d+)([dhm])", value):
            return timedelta(**{{"d": "days", "h": "hours", "m": "minutes"}[found[2]]: int(found[1])})
        try:
            return int(datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp())
        except ValueError:
            self.fail(f"{value}: say 3d, 12h, 90m or 2027-01-31T18:00", param, ctx)


MARKET = click.argument("market_id", metavar="MARKET", type=click.IntRange(1))
YES_TO_ALL = click.option("--yes", "-y", is_flag=True, help="Do not ask whether to go on.")
side = click.argument("side", type=OneOf(Outcome.YES, Outcome.NO))
outcome = click.argument("outcome", type=OneOf(*Outcome))


@click.group(cls=Commands)
def markets():
    """Friends' markets: bets of 1 EUR on YES or NO."""


@markets.command("list")
@click.option("--state", type=click.Choice([s.name.lower() for s in Status]), help="Only markets in this state.")
@click.option("--search", metavar="TEXT", help="Only questions with this text in them.")
@click.pass_obj
def list_(session: Session, state: str | None, search: str | None):
    """All markets, the newest first."""
    with session.index.snapshot() as snapshot:
        found = [
            {
                "market": market.market_id,
                "question": market.question,
                "state": market.status,
                "YES": Percent(market.p_yes),
                "bets": market.bets,
                "result": Moment(market.expected_result_at),
            }
            for market in reversed(snapshot.markets())
            if (not search or search.casefold() in market.question.casefold())
            and (not state or market.status.name.lower() == state)
        ]
    rows(session, "Markets", found, "no such market")


@markets.command()
@MARKET
@click.pass_obj
def show(session: Session, market_id: int):
    """One market: its terms, its price over time, what its creator risks, and what you hold."""
    api = session.tessera.markets
    with session.index.snapshot() as snapshot:
        market, history, now = snapshot.market(market_id), snapshot.price_history(market_id), snapshot.head.timestamp
    points = [(point.timestamp, point.p_yes) for point in history]
    found = {
        "question": market.question,
        "YES means": market.yes,
        "NO means": market.no,
        "rules": market.rules,
        "source": market.source,
        "state": market.status,
        "outcome": market.outcome,
        "probability of YES": Percent(market.p_yes),
        "its history": sparkline(points, min(now, market.closes_at)),
        "bets": market.bets,
        "betting ends": Moment(market.closes_at),
        "result expected": Moment(market.expected_result_at),
        "dispute window": pause(market.dispute_window),
        "disputes are decided by": market.referee or "the bettors' votes",
        "creator": market.creator,
        "creator risks at most": eur(api.max_loss(market_id)),
    }
    if (viewer := session.viewer) is not None:
        held = api.position(market_id, viewer)
        for one in (Outcome.YES, Outcome.NO):
            if held.staked[one]:
                found[f"your {one.name}"] = (
                    f"{wad(held.shares[one])} shares for {eur(held.staked[one])}, "
                    f"odds {odds_text(held.average_odds(one) / WAD)}, "
                    f"gain if {one.name}: {eur(held.profit(one))}"
                )
    card(session, f"Market {market_id}", found)


@markets.command()
@MARKET
@side
@click.option("--bets", default=1, show_default=True, type=click.IntRange(1, 100), help="How many EUR, one by one.")
@click.pass_obj
def quote(session: Session, market_id: int, side: Outcome, bets: int):
    """What a bet would get now, and what it loses on average if the market is right."""
    card(session, "Quote", _quote(session.tessera.markets.quote(market_id, side, bets=bets)))


@markets.command()
@MARKET
@side
@click.option("--slippage", default="1%", show_default=True, type=Share("0", "0.5"), help="Shares less than quoted.")
@YES_TO_ALL
@click.pass_obj
def bet(session: Session, market_id: int, side: Outcome, slippage: int, yes: bool):
    """Bets 1 EUR, after showing odds and expected loss."""
    wallet, quoted = session.wallet, session.tessera.markets.quote(market_id, side)
    own_limits(session).check(wallet.address, quoted.stake, session.logs(Entry, account=wallet.address))
    ask(session, f"Bet on market {market_id}", _quote(quoted), yes)
    least = max(1, quoted.shares * (WAD - slippage) // WAD)
    done = session.tessera.markets.bet(wallet, market_id, quoted.outcome, min_shares=least)
    placed = done.event(BetPlaced)
    card(
        session,
        "Receipt",
        {
            "shares": wad(placed.shares),
            "odds": wad(placed.effective_odds, places=2),
            "pays at most": eur(placed.shares * EUR // WAD),
            "price after": Percent(placed.price_after),
            **sent(done),
        },
    )


@markets.command()
@click.option("--question", required=True)
@click.option("--means-yes", "yes_text", required=True, help="What must happen for YES.")
@click.option("--means-no", "no_text", required=True, help="What must happen for NO.")
@click.option("--rules", required=True, help="What counts in doubt.")
@click.option("--source", required=True, help="Who says what happened.")
@click.option("--p0", required=True, type=Share("0.01", "0.99"), help="Your probability of YES: prices begin there.")
@click.option("--result", "result_at", required=True, type=Ahead(), help="When the result is known: 3d, 12h or a time.")
@click.option("--closes", "closes_at", default=0, type=Ahead(), help="When betting ends; default: with the result.")
@click.option("--starts", "event_start_at", default=0, type=Ahead(), help="When the event starts, if that matters.")
@click.option("--referee", default=ZERO_ADDRESS, metavar="ADDRESS", help="Who decides disputes; default: the bettors.")
@click.option("--window", default=24 * 3600, show_default=True, help="Seconds to dispute a result in.")
@YES_TO_ALL
@click.pass_obj
def create(session: Session, yes: bool, yes_text: str, no_text: str, p0: int, window: int, **said):
    """Opens a market with 10 EUR of yours: all that you can lose, and what you gain from those who are wrong."""
    terms = Terms(said["question"], yes_text, no_text, said["rules"], said["source"])
    for name, text in terms._asdict().items():
        if not 0 < len(text.encode()) <= BYTES[name]:
            raise click.UsageError(f"{name}: 1 to {BYTES[name]} bytes of text, not {len(text.encode())}")
    wallet, now = session.wallet, session.now
    times = {
        name: now + int(at.total_seconds()) if isinstance(at := said[name], timedelta) else at
        for name in ("result_at", "closes_at", "event_start_at")
    }
    own_limits(session).check(wallet.address, SEED, session.logs(Entry, account=wallet.address))
    b, _ = opening(p0 / WAD, 10)
    ask(
        session,
        "A new market",
        {
            "question": terms.question,
            "YES begins at": Percent(p0),
            "liquidity b": f"{float(b):.2f} EUR",
            "you put in": eur(SEED),
            "you lose at most": eur(SEED),
            "result": Moment(times["result_at"]),
        },
        yes,
    )
    done = session.tessera.markets.create_market(
        wallet,
        terms,
        p0=p0,
        expected_result_at=times["result_at"],
        dispute_window=window,
        closes_at=times["closes_at"],
        event_start_at=times["event_start_at"],
        referee=said["referee"],
    )
    card(session, "Receipt", {"market": done.event(MarketCreated).market_id, **sent(done)})


@markets.command()
@MARKET
@click.pass_obj
def close(session: Session, market_id: int):
    """Ends betting early; for its creator."""
    _done(session, session.tessera.markets.close(session.wallet, market_id), market_id)


@markets.command()
@MARKET
@outcome
@click.pass_obj
def propose(session: Session, market_id: int, outcome: Outcome):
    """Says what happened. It stands unless somebody complains within the dispute window."""
    _done(session, session.tessera.markets.propose(session.wallet, market_id, outcome), market_id)


@markets.command()
@MARKET
@outcome
@click.argument("reason")
@click.pass_obj
def complain(session: Session, market_id: int, outcome: Outcome, reason: str):
    """Disputes what was proposed: OUTCOME happened instead. Where there is no referee that is your vote."""
    _done(session, session.tessera.markets.complain(session.wallet, market_id, outcome, reason), market_id)


@markets.command("accept-referee")
@MARKET
@click.pass_obj
def accept_referee(session: Session, market_id: int):
    """Opens a market that named you as referee."""
    _done(session, session.tessera.markets.accept_referee(session.wallet, market_id), market_id)


@markets.command()
@MARKET
@click.pass_obj
def cancel(session: Session, market_id: int):
    """Ends your market whose referee has not accepted; your seed comes back."""
    _done(session, session.tessera.markets.cancel(session.wallet, market_id), market_id)


@markets.command()
@MARKET
@outcome
@click.pass_obj
def vote(session: Session, market_id: int, outcome: Outcome):
    """Votes on a dispute, or changes your vote."""
    _done(session, session.tessera.markets.vote(session.wallet, market_id, outcome), market_id)


@markets.command()
@MARKET
@outcome
@click.pass_obj
def rule(session: Session, market_id: int, outcome: Outcome):
    """Decides a dispute; for the market's referee."""
    _done(session, session.tessera.markets.rule(session.wallet, market_id, outcome), market_id)


@markets.command()
@MARKET
@click.pass_obj
def finalize(session: Session, market_id: int):
    """Settles a market whose time to dispute, to vote or to rule is over; for anyone."""
    _done(session, session.tessera.markets.finalize(session.wallet, market_id), market_id)


@markets.command()
@MARKET
@click.pass_obj
def expire(session: Session, market_id: int):
    """Gives everything back where no referee accepted, or nobody said what happened, in time; for anyone."""
    _done(session, session.tessera.markets.expire(session.wallet, market_id), market_id)


@markets.command()
@MARKET
@click.pass_obj
def claim(session: Session, market_id: int):
    """Takes what you won, or your stakes after INVALID, into your balance."""
    api, wallet = session.tessera.markets, session.wallet
    market = api.market(market_id)
    due = api.position(market_id, wallet.address).payoff(market.outcome) if _is_settled(market) else 0
    done = api.claim(wallet, market_id)
    card(session, "Receipt", {"paid": eur(due), **sent(done)})


def own_limits(session: Session) -> Limits:
    """The limits set on this computer for this chain."""
    return Limits(session.home.expanduser() / f"limits-{session.web3.eth.chain_id}.json", session.now)


def _is_settled(market: Market) -> bool:
    return market.status in (Status.RESOLVED, Status.INVALID)


def _quote(quoted: Quote) -> dict:
    side = quoted.outcome.name
    return {
        "stake": eur(quoted.stake),
        "odds": wad(quoted.odds, places=2),
        f"pays if {side}, at most": eur(quoted.max_payoff),
        f"probability of {side} now": Percent(quoted.price),
        "moves it by": Percent(quoted.price_impact),
        "loses on average, if that is right": Amount(quoted.expected_loss, EUR, "EUR", 4),
    }


def _done(session: Session, done: Receipt, market_id: int) -> None:
    market = session.tessera.markets.market(market_id)
    card(session, "Receipt", {"market": market_id, "state": market.status, **sent(done)})
