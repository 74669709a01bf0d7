"""An Escrow as tests use it: names for numbers, and the events of its ledger. Money is in units of 1e-6 EUR."""

import boa

from tessera.chain.escrow import Kind
from tests.logs import event

EUR = 10**6
POT = (7).to_bytes(32)
NO_POT = bytes(32)
NOBODY = "0x" + "00" * 20


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
