"""The end of a host's bets: confirming what covers each other, settling, and paying everybody."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tessera.chain.contract import Receipt
from tessera.chain.deployments import Tessera
from tessera.chain.errors import Reverted
from tessera.chain.hosted_bets import BetPlaced
from tessera.chain.odds_bets import TicketCancelled, TicketQueued, place_of, ticket_id_of
from tessera.chain.wallet import Wallet
from tessera.host.catalogue import contract_of
from tessera.host.view import ListedBet
from tessera.index.index import Index
from tessera.index.snapshot import Snapshot
from tessera.model.odds import greatest_in_units

PAID_AT_ONCE = 100  # accounts: about 1.6 million gas
TICKETS_AT_ONCE = 64  # of an account, in one claim
TOO_MANY = "odds: totals not reached"  # a call passes at most 256 tickets


def confirm(tessera: Tessera, wallet: Wallet, bet: ListedBet, waiting: Sequence[int]) -> bool:
    """Confirms all that can cover each other in a bet at odds, of what waits on each prediction, units.

    Returns whether anything could, or cancelled tickets were passed for it.
    """
    lens, listing = tessera.odds_lens, bet.listing
    if not any(waiting):
        return False
    lines = [lens.line(bet.bet_id, prediction) for prediction in range(len(listing.predictions))]
    staked = [line.staked for line in lines]
    bankroll = lens.book(bet.bet_id).bankroll
    passes = False
    while any(waiting):
        wanted = [x + more for x, more in zip(staked, waiting, strict=True)]
        totals = greatest_in_units(listing.profits, listing.validator_bps, bankroll, wanted)
        if totals == staked:
            break
        try:
            tessera.odds.confirm(wallet, bet.bet_id, totals)
            return True
        except Reverted as refusal:
            if refusal.reason != TOO_MANY:
                raise
        waiting, passes = [more // 2 for more in waiting], True
    if passes and any(line.waiting and _is_cancelled(tessera, bet, k, line.head) for k, line in enumerate(lines)):
        tessera.odds.confirm(wallet, bet.bet_id, staked)  # passes what was cancelled before the next that waits
        return True
    return False


def is_decided(tessera: Tessera, bet: ListedBet, now: int) -> bool:
    """Whether a bet can be settled: its panel has decided, or its time is over."""
    if now > bet.listing.result_deadline:
        return True
    contract = contract_of(tessera, bet.has_odds)
    question = bet.listing.question(contract.address)
    return tessera.panels.result(bet.listing.panel_id, tessera.panels.question_id(question))[0]


def has_money(tessera: Tessera, bet: ListedBet) -> bool:
    """Whether a bet still has money: stakes, a bankroll, payouts that nobody took."""
    return tessera.escrow.pot_balance(contract_of(tessera, bet.has_odds).address, bet.bet_id) > 0


def settle(tessera: Tessera, wallet: Wallet, bet: ListedBet) -> None:
    """Settles a bet, unless somebody was faster."""
    try:
        contract_of(tessera, bet.has_odds).settle(wallet, bet.bet_id)
    except Reverted as refusal:
        if not refusal.reason.endswith("already settled"):
            raise


@dataclass(frozen=True)
class Due:
    """What an account can claim of a settled bet: its positions on these predictions, and these tickets."""

    account: str
    predictions: list[int]
    ticket_ids: list[int]


def due(tessera: Tessera, snapshot: Snapshot, bet: ListedBet, **equal) -> list[Due]:
    """Who is still to be paid of a settled bet, first come first; `account=...` asks about one."""
    rows = list(snapshot.rows(BetPlaced, TicketQueued, bet_id=bet.bet_id, **equal))
    if not bet.has_odds:
        return _due_pool(tessera, bet, rows)
    cancelled = {row.ticket_id: row.amount for row in snapshot.rows(TicketCancelled, bet_id=bet.bet_id, **equal)}
    return _due_tickets(
        tessera, bet, [row for row in rows if isinstance(row, BetPlaced) or cancelled.get(row.ticket_id) != row.amount]
    )


def pay(tessera: Tessera, wallet: Wallet, index: Index, bet: ListedBet, **equal) -> list[Receipt]:
    """Pays everybody who has something to get of a settled bet, or only `account=...`."""
    with index.snapshot() as snapshot:
        owed = due(tessera, snapshot, bet, **equal)
    if not bet.has_odds:
        accounts = [stake.account for stake in owed]
        return [
            tessera.prorata.claim_many(wallet, bet.bet_id, accounts[first : first + PAID_AT_ONCE])
            for first in range(0, len(accounts), PAID_AT_ONCE)
        ]
    receipts = []
    for stake in owed:
        for first in range(0, max(1, len(stake.ticket_ids)), TICKETS_AT_ONCE):
            ids = stake.ticket_ids[first : first + TICKETS_AT_ONCE]
            predictions = stake.predictions if first == 0 else []
            receipts.append(tessera.odds.claim(wallet, bet.bet_id, stake.account, predictions, ids))
    return receipts


def _due_pool(tessera: Tessera, bet: ListedBet, rows: list) -> list[Due]:
    settlement = tessera.prorata.settlement(bet.bet_id)
    placed = dict.fromkeys((row.account, row.prediction) for row in rows)  # each once, in order
    predictions = defaultdict(list)
    for account, prediction in placed:
        counts = settlement.refunded or prediction == settlement.outcome
        if counts and tessera.prorata.stake_of(bet.bet_id, prediction, account):
            predictions[account].append(prediction)
    return [Due(account, mine, []) for account, mine in predictions.items()]


def _due_tickets(tessera: Tessera, bet: ListedBet, rows: list) -> list[Due]:
    lens = tessera.odds_lens
    verdict = lens.verdict(bet.bet_id)
    predictions, tickets = defaultdict(set), defaultdict(list)
    for row in rows:
        if isinstance(row, BetPlaced):
            if verdict.refunded or row.prediction == verdict.outcome:
                predictions[row.account].add(row.prediction)
            continue
        ticket = lens.ticket(bet.bet_id, row.ticket_id)
        won = verdict.refunded or place_of(row.ticket_id)[0] == verdict.outcome
        if ticket.pending or (ticket.confirmed and won):
            tickets[row.account].append(row.ticket_id)
    owed = []
    for account in dict.fromkeys(row.account for row in rows):
        mine = [k for k in sorted(predictions[account]) if tessera.odds.stake_of(bet.bet_id, k, account)]
        if mine or tickets[account]:
            owed.append(Due(account, mine, tickets[account]))
    return owed


def _is_cancelled(tessera: Tessera, bet: ListedBet, prediction: int, index: int) -> bool:
    """Whether nothing waits of a ticket that is in a queue."""
    return tessera.odds_lens.ticket(bet.bet_id, ticket_id_of(prediction, index)).pending == 0
