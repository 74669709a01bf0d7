"""`tessera markets`, when the bets are placed: accept, propose, dispute, vote, settle, claim."""

from typing import TYPE_CHECKING

import click

from tessera.cli.inputs import MARKET, OUTCOME, YES_TO_ALL
from tessera.cli.markets import markets
from tessera.cli.session import Session
from tessera.cli.show import Moment, Said, ask, card, eur, sent
from tessera.model.units import Outcome

if TYPE_CHECKING:
    from tessera.chain import Receipt
    from tessera.chain.lmsr_markets import Tally

REFUSED = "REFUSED"  # an early proposal


@markets.command("accept-referee")
@MARKET
@click.pass_obj
def accept_referee(session: Session, market_id: int):
    """Opens a market that named you as referee. A dispute then waits for you for 48 h."""
    _done(session, session.tessera.markets.accept_referee(session.wallet, market_id), market_id)


@markets.command()
@MARKET
@YES_TO_ALL
@click.pass_obj
def cancel(session: Session, market_id: int, yes: bool):
    """Ends your market whose referee has not accepted; your seed comes back."""
    ask(session, f"Cancel market {market_id}", {"then": "it is INVALID for good, and your seed comes back"}, yes)
    _done(session, session.tessera.markets.cancel(session.wallet, market_id), market_id)


@markets.command()
@MARKET
@click.pass_obj
def close(session: Session, market_id: int):
    """Ends betting early; for its creator."""
    _done(session, session.tessera.markets.close(session.wallet, market_id), market_id)


@markets.command()
@MARKET
@OUTCOME
@click.pass_obj
def propose(session: Session, market_id: int, outcome: Outcome):
    """Says what happened, or replaces your own proposal, once. It stands unless somebody complains in time.

    The creator may propose at any time, which also ends betting, and bettors from 24 h after the result is due. What is
    proposed before the result is due can be disputed for longer, and a dispute can only accept or refuse it.
    """
    _done(session, session.tessera.markets.propose(session.wallet, market_id, outcome), market_id)


@markets.command()
@MARKET
@OUTCOME
@click.argument("reason")
@click.pass_obj
def complain(session: Session, market_id: int, outcome: Outcome, reason: str):
    """Disputes what was proposed: OUTCOME happened instead. Where there is no referee that is your vote."""
    _done(session, session.tessera.markets.complain(session.wallet, market_id, outcome, reason), market_id)


@markets.command()
@MARKET
@OUTCOME
@click.pass_obj
def vote(session: Session, market_id: int, outcome: Outcome):
    """Votes on a dispute, or changes your vote; then shows what would be concluded, and until when."""
    _done(session, session.tessera.markets.vote(session.wallet, market_id, outcome), market_id)


@markets.command()
@MARKET
@click.pass_obj
def votes(session: Session, market_id: int):
    """A dispute: who says what, people and stakes for each outcome, and what would be concluded now."""
    from tessera.chain.lmsr_markets import OutcomeDisputed

    api = session.tessera.markets
    market, tally = api.market(market_id), api.tally(market_id)
    complaints = session.logs(OutcomeDisputed, market_id=market_id)
    own = None if (viewer := session.viewer) is None else api.vote_of(market_id, viewer) or None
    card(
        session,
        f"Dispute of market {market_id}",
        {
            "market_id": market_id,
            "status": market.status,
            "outcome": market.outcome or None,
            **_tally(tally),
            "heads": _by_outcome(tally.heads, str),
            "stakes": _by_outcome(tally.stakes, eur),
            "staked": eur(tally.staked),
            "doubt_only_from": Moment(tally.doubt_only_from),
            "complaints": Said(
                [{"account": row.account, "outcome": row.outcome, "reason": row.reason} for row in complaints],
                *(f"{row.account}, {row.outcome.name}: {row.reason}" for row in complaints),
            ),
            "your_vote": own,
        },
    )


@markets.command()
@MARKET
@OUTCOME
@YES_TO_ALL
@click.pass_obj
def rule(session: Session, market_id: int, outcome: Outcome, yes: bool):
    """Decides a dispute; for the market's referee. It is final."""
    ask(session, f"Rule on market {market_id}", {"outcome": outcome, "then": "this is final: it is paid at once"}, yes)
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
    from tessera.chain.escrow import Entry

    wallet = session.wallet
    receipt = session.tessera.markets.claim(wallet, market_id)
    paid = sum(row.amount for row in receipt.events if isinstance(row, Entry) and row.account == wallet.address)
    card(session, "Receipt", {"market_id": market_id, "paid": eur(paid), **sent(receipt)})


def _done(session: Session, receipt: "Receipt", market_id: int) -> None:
    api = session.tessera.markets
    market = api.market(market_id)
    values = {"market_id": market_id, "status": market.status, "outcome": market.outcome or None}
    card(session, "Receipt", {**values, **_tally(api.tally(market_id)), **sent(receipt)})


def _tally(tally: "Tally") -> dict:
    """What would be settled if nothing else happened, and when; null where nothing is open."""
    conclusion = tally.conclusion.name if tally.conclusion else REFUSED if tally.early else None
    words = {
        Outcome.INVALID.name: "INVALID: all money goes back",
        REFUSED: "the proposal is refused, and the market waits for its result",
    }
    is_open = bool(tally.ends_at)
    return {
        "early": tally.early if is_open else None,
        "conclusion": Said(conclusion, words.get(conclusion, conclusion)) if is_open and conclusion else None,
        "ends_at": Moment(tally.ends_at) if is_open else None,
    }


def _by_outcome(numbers: dict[Outcome, int], shown) -> Said:
    values = {outcome.name: number if shown is str else shown(number) for outcome, number in numbers.items()}
    return Said(values, *(f"{name}: {number}" for name, number in values.items()))
