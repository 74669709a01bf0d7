"""Do micro-bets add up? Money to the unit, results beside the match, the record beside its hashes."""

from tessera.accounting.ledger import rebuild
from tessera.chain.play_euro import Joined
from tessera.demo.audit import WELCOME, AuditError
from tessera.demo.live_record import ReplayPlayed, SessionLine, gain_of, lies, questions, sessions
from tessera.model.sessions import record, states
from tessera.model.sessions.questions import winning_choice
from tessera.observe import football
from tessera.observe.witness import Witness


def audit(played: ReplayPlayed) -> list[str]:
    """What was found to hold, in sentences. Raises AuditError with all that does not hold, LedgerError."""
    lines, asked, lied = sessions(played), questions(played), lies(played)
    faults = [*_money(played), *_record(played)]
    witness = Witness(football.TOPICS, football.replay(played.match, played.begin, played.speed))
    for question in asked:
        if (true := winning_choice(question.question, witness.observed(question.question))) != question.outcome:
            faults.append(f"{question.question.text} ended with choice {question.outcome}, not {true}")
    outcomes = {played.tessera.sessions.domain.digest(each.question): each.outcome for each in asked}
    for line in lines:
        faults += _session(line, outcomes)
    faults += [f"{lie.name}'s old state is no lie" for lie in lied if lie.wanted == lie.paid]
    together = [line for line in lines if line.is_together]
    if len(together) + len(lied) != len(lines):
        faults.append(f"{len(lines)} sessions, of which {len(together)} ended together and {len(lied)} by a dispute")
    if faults:
        raise AuditError("\n".join(faults))
    bets = sum(len(line.bets) for line in lines)
    return [
        f"all {len(lines)} sessions have ended, the stream’s pot is empty, and gains and losses add up to 0.000000 EUR",
        f"each session paid what its bets came to by the model, to the unit: {bets} bets on {len(asked)} questions",
        f"all {len(asked)} results are what happened in the match, though one observer sees nothing",
        f"{len(together)} sessions took two transactions each, however many bets they had",
        f"{len(lied)} old states were answered: both sides got what the newest state says",
        f"the record of {len(_lines(played))} lines runs on from its beginning, and each bet is one of them",
    ]


def _money(played: ReplayPlayed) -> list[str]:
    escrow, contract = played.tessera.escrow, played.tessera.sessions.address
    ledger = rebuild(row.as_mapping() for row in played.rows if row.contract == escrow.address)
    joined = {row.account for row in played.rows if isinstance(row, Joined)}
    faults = [f"the logs leave {amount} in pot {pot}" for pot, amount in ledger.pots.items() if amount]
    if left := escrow.pot_balance(contract, played.stream_id):
        faults.append(f"the stream's pot still holds {left}")
    gains = {address: gain_of(played, address) for address in played.names}
    for address, gain in gains.items():
        balance = escrow.balance_of(address)
        if not balance == ledger.balances.get(address, 0) == WELCOME * (address in joined) + gain:
            faults.append(f"{played.names[address]} holds {balance}, {ledger.balances.get(address)} by the logs")
    if total := sum(gains.values()):
        faults.append(f"gains and losses add up to {total}")
    return faults


def _session(line: SessionLine, outcomes: dict[bytes, int]) -> list[str]:
    """A session's net is what its bets came to, and its player's gain what the net pays."""
    offer, faults = line.session.offer, []
    net = sum(states.gain(bet, outcomes[bet.question]) for bet in line.bets)
    if net != line.net:
        faults.append(f"{line.name}'s session ended with {line.net}, its bets came to {net}")
    due = states.settle(offer, net, activated=True).paid - offer.deposit - offer.activation
    if line.gain != due:
        faults.append(f"{line.name} gained {line.gain}, due was {due}")
    return faults


def _lines(played: ReplayPlayed) -> list:
    return [entry.headed for entry in played.entries if entry.headed is not None]


def _record(played: ReplayPlayed) -> list[str]:
    lines = _lines(played)
    domain = played.tessera.sessions.domain
    if record.heads(domain, played.stream_id, [line for line, _ in lines]) != [head for _, head in lines]:
        return ["the record does not run on"]
    return []
