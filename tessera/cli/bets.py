"""`tessera bets`: a host's bets, checked, and placed by transactions of one's own. The rest is in `own_bets`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from tessera.cli.failures import Refused
from tessera.cli.inputs import BET, YES_TO_ALL, Money
from tessera.cli.limits import check_limit
from tessera.cli.session import Session
from tessera.cli.show import Amount, Moment, Percent, Said, ask, card, eur, panel_of, rows, sent
from tessera.model.units import EUR, WAD

if TYPE_CHECKING:
    from tessera.chain import Receipt
    from tessera.host.client import Client, ShownBet

BPS = 10_000
WHOLE_PROFIT = 1_000  # a profit of 100 %, as listings have it
HOST = click.option(
    "--host",
    "url",
    metavar="URL",
    default="ws://127.0.0.1:8700",
    show_default=True,
    envvar="TESSERA_HOST",
    help="The host's node.",
)


@click.group()
def bets():
    """Hosted bets: what a host offers, checked; placing and being paid by transactions of your own.

    BET is the number of a bet at its host, or its id (0x..., or how that begins): then no host is needed once the bet
    is listed on the chain.
    """


@bets.command("list")
@HOST
@click.pass_obj
def list_(session: Session, url: str):
    """The bets that a host offers now, each checked against its signature; private ones if you say who you are."""
    with _connected(session, url) as client:
        shown = client.open_bets()
    rows(session, f"Bets of {url}", [_line(session, shown_bet) for shown_bet in shown], "no bet is open")


@bets.command()
@BET
@click.option("--stake", type=Money(), help="What to say returns and loss of; default: the least stake.")
@HOST
@click.pass_obj
def show(session: Session, bet: str, stake: int | None, url: str):
    """One bet: all of its terms, who decides, what silence means, and what a stake returns and loses on average."""
    shown_bet = found(session, bet, url)
    amount = shown_bet.listing.min_stake if stake is None else stake
    state = _state(session, shown_bet)
    predictions = [
        _prediction(shown_bet, state, number, amount) for number in range(len(shown_bet.listing.predictions))
    ]
    values = {"stake": eur(amount), "predictions": Said(predictions, *map(_sentence, predictions))}
    card(session, f"Bet {bet}", {**_terms(session, shown_bet, state), **values})


@bets.command()
@BET
@click.argument("prediction")
@click.argument("amount", type=Money())
@click.option(
    "--min-confirmed",
    metavar="AMOUNT",
    type=Money(zero=True),
    help="With odds: the least that must be covered at once. The rest waits and can be cancelled. Default: all.",
)
@HOST
@YES_TO_ALL
@click.pass_obj
def place(session: Session, bet: str, prediction: str, amount: int, min_confirmed: int | None, url: str, yes: bool):
    """Stakes AMOUNT on a PREDICTION by your own transaction, and tells the host its hash.

    The bet's id, its host's signature and your own limit are checked before you are asked.
    """
    wallet, shown_bet = session.wallet, found(session, bet, url)
    listing, state = shown_bet.listing, _state(session, shown_bet)
    number = _number_of(shown_bet, prediction)
    if min_confirmed is not None and not listing.profits:
        raise click.UsageError("--min-confirmed is for bets with odds: a pool bet is confirmed when it is placed")
    least = amount if min_confirmed is None else min_confirmed
    check_limit(session, amount)
    if listing.profits and not state.is_listed:
        _check_before_listing(session, shown_bet, amount, least)
    values = _prediction(shown_bet, state, number, amount)
    own = {
        "description": listing.description,
        "prediction": prediction,
        "stake": eur(amount),
        "comes back if it is right": values["returns"],
        "you lose on average, if odds or pool are right": values["expected_loss"],
    }
    if listing.profits:
        own |= {"covered now": values["confirmed_at_once"], "must be covered at once": eur(least)}
    else:
        own["and at most, as the pool changes"] = values["most_expected_loss"]
    terms = _terms(session, shown_bet, state)
    names = ("house_edge", "validator_commission", "closes_at", "panel", "result_deadline", "host", "bet_id")
    ask(session, "Stake on a hosted bet", {**own, **{name: terms[name] for name in names}}, yes)
    if listing.profits:
        if not state.is_listed:
            shown_bet.contract.list_bet(wallet, listing, shown_bet.offer)
        receipt = session.tessera.odds.place(
            wallet, shown_bet.bet_id, number, amount, min_confirmed=least, voucher=shown_bet.voucher
        )
    elif state.is_listed:
        receipt = session.tessera.prorata.place(wallet, shown_bet.bet_id, number, amount, shown_bet.voucher)
    else:
        receipt = session.tessera.prorata.list_and_place(
            wallet, listing, shown_bet.offer, number, amount, shown_bet.voucher
        )
    card(session, "Receipt", {**_placed(shown_bet, prediction, receipt), "host_shows_it": _tell(session, url, receipt)})


@dataclass(frozen=True)
class State:
    """A bet as it is on the chain; money in units. What is staked, and how many tickets wait, are by prediction."""

    status: str
    is_listed: bool
    closes_at: int
    staked: list[int]
    waiting: list[int]
    bankroll: int = 0
    outcome: int | None = None


def found(session: Session, bet: str, url: str) -> "ShownBet":
    """A bet by its number at a host, or by its id on the chain. Raises Refused, ListingError or HostError."""
    if bet.startswith("0x"):
        from tessera.host.catalogue import contract_of
        from tessera.host.client import ShownBet

        for row in listed(session, bet):
            return ShownBet(None, contract_of(session.tessera, bool(row.listing.profits)), row.listing)
    with _connected(session, url) as client:
        for shown_bet in client.open_bets():
            if bet in (str(shown_bet.number), f"0x{shown_bet.bet_id.hex()}") or _begins(shown_bet.bet_id, bet):
                return shown_bet
    raise Refused("not_found", f"no bet {bet} is open at {url}: `tessera bets list` shows what is")


def listed(session: Session, bet: str) -> list:
    """The row of the only listed bet whose id begins so, or none. Raises Refused where several do."""
    from tessera.chain.hosted_bets import BetListed

    matching = [row for row in session.logs(BetListed) if _begins(row.bet_id, bet)]
    if len(matching) > 1:
        raise Refused("not_found", f"{len(matching)} bets have ids that begin with {bet}: say more of it")
    return matching


def short(bet_id: bytes) -> Said:
    """A bet's id; people read as much of it as tells bets apart."""
    return Said(f"0x{bet_id.hex()}", f"0x{bet_id.hex()[:10]}")


@contextmanager
def _connected(session: Session, url: str) -> Iterator["Client"]:
    """A conversation with a host, as the session's account if it has one."""
    from tessera.host.client import Client

    with Client(url, session.tessera) as client:
        if session.signer is not None:
            client.sign_in(session.account)
        yield client


def _begins(bet_id: bytes, bet: str) -> bool:
    return bet.startswith("0x") and f"0x{bet_id.hex()}".startswith(bet.lower())


def _number_of(shown_bet: "ShownBet", prediction: str) -> int:
    names = list(shown_bet.listing.predictions)
    if prediction not in names:
        raise Refused("not_found", f"there is no prediction {prediction!r}: {', '.join(names)}")
    return names.index(prediction)


def _state(session: Session, shown_bet: "ShownBet") -> State:
    """Raises Refused where the host gave the bet's salt to another bet, or took it back."""
    from tessera.host.catalogue import NOT_LISTED, REVOKED
    from tessera.host.view import phase_of

    listing, every = shown_bet.listing, range(len(shown_bet.listing.predictions))
    known = shown_bet.contract.bet_of(listing.host, listing.salt)
    if known == NOT_LISTED:
        if shown_bet.offer.expires_at < session.now:
            raise Refused("not_found", "the host's offer of this bet is over, and the bet is not listed")
        return State("OFFERED", False, listing.closes_at, [0 for _ in every], [0 for _ in every])
    if known == REVOKED:
        raise Refused("bad_listing", "the host took this bet back for good: it cannot be listed. Nobody can bet on it")
    if known != shown_bet.bet_id:
        raise Refused("bad_listing", f"the host listed 0x{known.hex()} instead of this bet: nobody can bet on it")
    if listing.profits:
        lens = session.tessera.odds_lens
        lines, verdict = [lens.line(shown_bet.bet_id, number) for number in every], lens.verdict(shown_bet.bet_id)
        terms, bankroll = lens.terms(shown_bet.bet_id), lens.book(shown_bet.bet_id).bankroll
        staked, waiting = [line.staked for line in lines], [line.waiting for line in lines]
    else:
        pool = session.tessera.prorata
        verdict, terms, bankroll = pool.settlement(shown_bet.bet_id), pool.terms(shown_bet.bet_id), 0
        staked, waiting = [pool.staked(shown_bet.bet_id, number) for number in every], [0 for _ in every]
    status = phase_of(terms.closes_at, session.now, settled=verdict.settled, refunded=verdict.refunded)
    outcome = verdict.outcome if status == "SETTLED" else None
    return State(status, True, terms.closes_at, staked, waiting, bankroll, outcome)


def _line(session: Session, shown_bet: "ShownBet") -> dict:
    listing = shown_bet.listing
    return {
        "number": shown_bet.number,
        "bet_id": short(shown_bet.bet_id),
        "description": listing.description,
        "predictions": Said(list(listing.predictions), *listing.predictions),
        "odds": odds_of(listing.profits),
        "range": _range(shown_bet),
        "closes_at": Moment(listing.closes_at),
        "house_edge": _edge(shown_bet),
        "panel": panel_of(session, listing.panel_id),
    }


def _terms(session: Session, shown_bet: "ShownBet", state: State) -> dict:
    listing = shown_bet.listing
    base = "of all confirmed stakes" if listing.profits else "of what losers staked"
    validators = Percent(listing.validator_bps * WAD // BPS)
    return {
        "number": shown_bet.number,
        "bet_id": f"0x{shown_bet.bet_id.hex()}",
        "description": listing.description,
        "type": "odds_based" if listing.profits else "prorata",
        "status": state.status,
        "outcome": None if state.outcome is None else listing.predictions[state.outcome],
        "odds": odds_of(listing.profits),
        "range": _range(shown_bet),
        "closes_at": Moment(state.closes_at),
        "host": listing.host,
        "is_private": listing.is_private,
        "bankroll": eur(state.bankroll) if listing.profits else None,
        "house_edge": _edge(shown_bet),
        "validator_commission": Said(validators, f"{validators} {base}; nothing where stakes go back"),
        "panel": panel_of(session, listing.panel_id, named=True),
        "result_deadline": Said(
            listing.result_deadline,
            f"{Moment(listing.result_deadline)}; if the panel is silent until then, every stake goes back",
        ),
    }


def _prediction(shown_bet: "ShownBet", state: State, number: int, amount: int) -> dict:
    """What is staked on a prediction, and what a further stake returns and loses on average."""
    from tessera.model import odds, prorata

    listing = shown_bet.listing
    values = {"prediction": listing.predictions[number], "staked": eur(state.staked[number])}
    if listing.profits:
        returns = amount * (WHOLE_PROFIT + listing.profits[number]) // WHOLE_PROFIT
        loss = odds.margin(listing.profits) * amount
        book = odds.Book(list(listing.profits), listing.validator_bps, state.bankroll)
        book.stakes = list(state.staked)
        at_once = 0 if state.waiting[number] else book.at_once(number, amount)
        values |= {"tickets_waiting": state.waiting[number], "confirmed_at_once": eur(at_once)}
    else:
        commissions = {"host_bps": listing.host_bps, "validator_bps": listing.validator_bps}
        others = [("others", k, staked) for k, staked in enumerate(state.staked) if staked]
        settled = prorata.settle_in_units([*others, ("you", number, amount)], number, members=1, **commissions)
        returns = settled.payouts["you"]
        loss = prorata.expected_loss(state.staked, number, amount, **commissions)
        # The commissions of what others stake on the other side: of the stake at most, whatever the pool becomes.
        values["most_expected_loss"] = _loss(Fraction(amount * (listing.host_bps + listing.validator_bps), BPS))
    return {**values, "returns": eur(returns), "expected_loss": _loss(loss)}


def _sentence(values: dict) -> str:
    has_odds = "confirmed_at_once" in values
    waits = f", {values['tickets_waiting']} tickets wait" if has_odds else ""
    covered = f", {values['confirmed_at_once']} covered now" if has_odds else ""
    most = "" if has_odds else f", {values['most_expected_loss']} at most as the pool changes"
    return (
        f"{values['prediction']}: {values['staked']} staked{waits}; "
        f"the stake would return {values['returns']}{covered}, and loses {values['expected_loss']} on average{most}"
    )


def _loss(loss: Fraction) -> Amount:
    return Amount(-int(-loss // 1), EUR, "EUR", 4)  # rounded up: never shown as less than it is


def odds_of(profits) -> Said:
    """The profit on each prediction."""
    percents = [Percent(profit * WAD // WHOLE_PROFIT) for profit in profits]
    return Said(percents or None, *map(str, percents))


def _range(shown_bet: "ShownBet") -> Said:
    least, most = eur(shown_bet.listing.min_stake), eur(shown_bet.listing.max_stake)
    return Said([least, most], f"{least}", f"to {most}")


def _edge(shown_bet: "ShownBet") -> Said:
    """What the host keeps on average: with odds of all stakes, else of what losers staked."""
    from tessera.host.bets_file import edge_of

    listing = shown_bet.listing
    if listing.profits:
        edge = Percent(int(edge_of(tuple(listing.profits), listing.validator_bps) * WAD))
        return Said(edge, f"{edge} of a balanced book")
    edge = Percent(listing.host_bps * WAD // BPS)
    return Said(edge, f"{edge} of what losers staked")


def _check_before_listing(session: Session, shown_bet: "ShownBet", amount: int, least: int) -> None:
    """Raises Refused for a bet at odds that would be listed, at the player's cost, and then not placed."""
    escrow, account = session.tessera.escrow, session.wallet.address
    if least:
        raise Refused(
            "reverted", "nobody covers this bet yet: say --min-confirmed 0, and your stake waits for the other side"
        )
    if not shown_bet.listing.min_stake <= amount <= shown_bet.listing.max_stake:
        raise Refused("reverted", f"the stake is outside of the bet's range, {_range(shown_bet)}".replace("\n", " "))
    product = escrow.read_all("products").index(shown_bet.contract.address)
    if not escrow.consent_of(account) >> product & 1:
        raise Refused("reverted", f"you did not let these bets use your balance: `tessera consents allow {product}`")
    if escrow.balance_of(account) < amount:
        raise Refused("reverted", f"your balance is {eur(escrow.balance_of(account))}: `tessera deposit`")


def _placed(shown_bet: "ShownBet", prediction: str, receipt: "Receipt") -> dict:
    from tessera.chain.hosted_bets import BetPlaced
    from tessera.chain.odds_bets import TicketQueued

    confirmed = sum(row.amount for row in receipt.events if isinstance(row, BetPlaced))
    ticket = next((row for row in receipt.events if isinstance(row, TicketQueued)), None)
    return {
        "bet_id": f"0x{shown_bet.bet_id.hex()}",
        "prediction": prediction,
        "confirmed": eur(confirmed),
        "waits": eur(ticket.amount if ticket else 0),
        "ticket_id": ticket.ticket_id if ticket else None,
        **sent(receipt),
    }


def _tell(session: Session, url: str, receipt: "Receipt") -> bool:
    """Tells the host a transaction that is done; that it cannot be told undoes nothing, so it is said beside it."""
    from tessera.chain.errors import ChainError

    try:
        with _connected(session, url) as client:
            client.tell(receipt.transaction)
            return client.shows(receipt.transaction)
    except ChainError as error:
        click.echo(f"the bet is placed; its host was not told, and sees it on the chain: {error}", err=True)
        return False
