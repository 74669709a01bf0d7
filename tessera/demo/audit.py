"""Does everything add up? Asked of the chain and of its logs, to the last unit."""

from tessera.accounting.ledger import rebuild
from tessera.chain import EventLog, Outcome
from tessera.chain.lmsr_markets import Position, Status
from tessera.chain.play_euro import Joined
from tessera.demo.club import Club
from tessera.demo.record import Record

WELCOME = 50_000_000


class AuditError(Exception):
    """The season does not add up."""


def audit(club: Club, rows: list[EventLog], record: Record) -> list[str]:
    """What was found to hold, in sentences.

    Raises AuditError with all that does not hold, and LedgerError where the logs contradict themselves.
    """
    escrow, markets = club.tessera.escrow, club.tessera.markets
    ledger = rebuild(row.as_mapping() for row in rows if row.contract == escrow.address)
    count = markets.market_count()
    pots = {market_id: escrow.pot_balance(markets.address, market_id) for market_id in range(1, count + 1)}
    balances = {name: escrow.balance_of(wallet.address) for name, wallet in club.wallets.items()}
    faults = [
        f"market {market_id} is not finalized"
        for market_id in pots
        if markets.market(market_id).status not in (Status.RESOLVED, Status.INVALID)
    ]
    faults += [f"pot {market_id} still holds {amount}" for market_id, amount in pots.items() if amount]
    faults += [f"the logs leave {amount} in pot {pot}" for pot, amount in ledger.pots.items() if amount]
    faults += [
        f"{name} holds {balances[name]} on the chain, {ledger.balances.get(wallet.address)} by the logs"
        for name, wallet in club.wallets.items()
        if balances[name] != ledger.balances.get(wallet.address)
    ]
    tokens = club.tessera.play_euro.balance_of(escrow.address)
    minted = sum(row.amount for row in rows if isinstance(row, Joined))
    if not tokens == ledger.owed == sum(balances.values()) == minted:
        faults.append(
            f"Escrow has {tokens}, owes {ledger.owed}, friends hold {sum(balances.values())}, minted {minted}"
        )
    faults += [
        f"{standing.name} holds {balances[standing.name]}, but gained {standing.total}"
        for standing in record.standings
        if balances[standing.name] != WELCOME + standing.total
    ]
    if total := sum(standing.total for standing in record.standings):
        faults.append(f"gains and losses add up to {total}")
    faults += [f"{name}: {paid} paid, {due} due" for name, paid, due in _claims(record) if paid != due]
    if faults:
        raise AuditError("\n".join(faults))
    return [
        f"all {count} markets are finalized and all {count} pots are empty",
        f"balances rebuilt from {len(rows):,} events equal the chain’s to the last unit",
        "gains and losses of all friends add up to 0.000000 EUR",
        "every claim was paid exactly, alone or in a batch",
    ]


def _claims(record: Record):
    """For each bettor of each market what was paid, and what the position was worth by `Position.payoff`."""
    for game in record.games:
        if game.outcome is None:
            raise AuditError(f"market {game.market_id} has no final outcome")
        for who in game.gains:
            mine = [bet for bet in game.bets if bet.who == who]
            sides = (Outcome.YES, Outcome.NO)
            position = Position(
                {side: sum(bet.shares for bet in mine if bet.side is side) for side in sides},
                {side: sum(bet.stake for bet in mine if bet.side is side) for side in sides},
            )
            yield f"{who} in market {game.market_id}", game.paid.get(who, 0), position.payoff(game.outcome)
