"""Do hosted bets add up? Money to the unit, payouts beside the models of pools and odds."""

from collections import Counter

from tessera.accounting.ledger import rebuild
from tessera.chain.escrow import pot_id
from tessera.chain.hosted_bets import BetPlaced
from tessera.chain.odds_bets import StakesConfirmed, TicketQueued, place_of
from tessera.chain.play_euro import Joined
from tessera.demo.audit import WELCOME, AuditError
from tessera.demo.hosted_record import STAKES_BACK, EveningPlayed, entries, gains
from tessera.host.catalogue import contract_of
from tessera.host.view import ListedBet
from tessera.model.odds import Book, Ticket
from tessera.model.prorata import settle_in_units


def audit(played: EveningPlayed) -> list[str]:
    """What was found to hold, in sentences. Raises AuditError with all that does not hold, LedgerError."""
    tessera = played.tessera
    ledger = rebuild(row.as_mapping() for row in played.rows if row.contract == tessera.escrow.address)
    everybody = gains(played)
    joined = {row.account for row in played.rows if isinstance(row, Joined)}
    faults = [f"{bet.listing.description} is not settled" for bet in played.bets if not bet.settled]
    for bet in played.bets:
        if left := tessera.escrow.pot_balance(contract_of(tessera, bet.has_odds).address, bet.bet_id):
            faults.append(f"the pot of {bet.listing.description} still holds {left}")
    faults += [f"the logs leave {amount} in pot {pot}" for pot, amount in ledger.pots.items() if amount]
    for person, address in zip(everybody, played.names, strict=True):
        balance = tessera.escrow.balance_of(address)
        if not balance == ledger.balances.get(address, 0) == WELCOME * (address in joined) + person.gain:
            faults.append(f"{person.name} holds {balance}, {ledger.balances.get(address)} by the logs")
    if total := sum(person.gain for person in everybody):
        faults.append(f"gains, losses and commissions add up to {total}")
    for bet in played.bets:
        if (paid := _paid(played, bet)) != (due := _due(played, bet)):
            faults.append(f"{bet.listing.description}: paid {_named(played, paid)}, due {_named(played, due)}")
    last = played.shown[-1][1]
    if set(last) != {"settled", "refunded"}:
        faults.append(f"in the end players are shown {dict(last)}")
    if faults:
        raise AuditError("\n".join(faults))
    return [
        f"all {len(played.bets)} hosted bets are settled and all {len(played.bets)} pots are empty",
        "gains and losses of players, host and validators, commissions included, add up to 0.000000 EUR",
        "every stake and win was paid as the models of pools and odds say, to the unit",
        f"players were shown all {sum(last.values())} stakes as settled or refunded",
    ]


def _paid(played: EveningPlayed, bet: ListedBet) -> Counter:
    """What each player got back of a bet; of the host's own money nothing is a stake."""
    pot = pot_id(bet.bet_id)
    rows = [row for row in entries(played) if row.pot == pot and row.kind in STAKES_BACK]
    return _sum((row.account, row.amount) for row in rows if row.account != bet.listing.host)


def _due(played: EveningPlayed, bet: ListedBet) -> Counter:
    listing, rows = bet.listing, [row for row in played.rows if getattr(row, "bet_id", None) == bet.bet_id]
    members = played.tessera.panels.threshold_of(listing.panel_id)
    if not bet.has_odds:
        stakes = [(row.account, row.prediction, row.amount) for row in rows if isinstance(row, BetPlaced)]
        rates = {"host_bps": listing.host_bps, "validator_bps": listing.validator_bps}
        return +Counter(settle_in_units(stakes, bet.outcome, members=members, **rates).payouts)
    book = Book(list(listing.profits), listing.validator_bps)
    for row in rows:
        if isinstance(row, BetPlaced):
            book.add(row.account, row.prediction, row.amount)
        elif isinstance(row, TicketQueued):
            book.queues[place_of(row.ticket_id)[0]].append(Ticket(row.account, row.amount))
        elif isinstance(row, StakesConfirmed):
            book.confirm(row.totals)
    settled = book.settle(bet.outcome, members)
    positions = ((account, amount) for (account, _), amount in settled.positions.items())
    tickets = ((book.queues[k][n].account, amount) for (k, n), amount in settled.tickets.items())
    return _sum(positions) + _sum(tickets)


def _sum(amounts) -> Counter:
    total: Counter = Counter()
    for account, amount in amounts:
        total[account] += amount
    return +total


def _named(played: EveningPlayed, amounts: Counter) -> str:
    return ", ".join(f"{played.names.get(account, account)} {amount}" for account, amount in sorted(amounts.items()))
