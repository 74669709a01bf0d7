"""An Escrow as tests use it: names for numbers, and events to compare with. Money is in units of 1e-6 EUR."""

import boa

from tessera.chain.ledger import Kind

EUR = 10**6
POT = (7).to_bytes(32)
NO_POT = bytes(32)
NOBODY = "0x" + "00" * 20


def event(contract, name: str, **fields) -> tuple:
    """An event as `events` gives it."""
    return str(contract.address), name, fields


def events(contract) -> list[tuple]:
    """All events of the last transaction sent to a contract, in order, those of contracts that it called included."""
    return [
        (str(e.address), type(e).__name__, {name: value for name, value in e._asdict().items() if name != "address"})
        for e in contract.get_logs()
    ]


def entry(escrow, account, kind: Kind, amount: int, balance_after: int, product=NOBODY, pot=NO_POT) -> tuple:
    """The event by which an Escrow logs a movement that happens now."""
    return event(
        escrow,
        "Entry",
        account=account,
        product=getattr(product, "address", product),
        pot=pot,
        kind=kind,
        amount=amount,
        balance_after=balance_after,
        timestamp=boa.env.timestamp,
    )
