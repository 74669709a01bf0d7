"""What players can pay for. Gas is the host's: a bet without money or consent is refused before anything is sent."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from tessera.chain.escrow import ConsentChanged, Entry
from tessera.index.snapshot import Snapshot


@dataclass(frozen=True)
class Product:
    """A contract that moves money in Escrow, with its index there: the bit of its consent."""

    name: str
    index: int


@dataclass(frozen=True)
class Purse:
    """An account's money in Escrow. `promised` are signed bets that are not on the chain yet, units like `balance`."""

    balance: int = 0
    consent: int = 0  # bit mask of products
    promised: int = 0

    def with_promise(self, amount: int) -> "Purse":
        """The same once so many units more are promised."""
        return replace(self, promised=self.promised + amount)

    def refusal(self, product: Product, amount: int, decimals: int) -> tuple[str, str] | None:
        """A code and what to do, where a product could not collect so many units more; None where it could."""
        if not self.consent >> product.index & 1:
            mask = self.consent | 1 << product.index
            return (
                "no_consent",
                f"Escrow may not debit you for {product.name}: send set_consent({mask}) to Escrow first",
            )
        lacking = amount + self.promised - self.balance
        if lacking > 0:
            balance, promised, more = (_text(units, decimals) for units in (self.balance, self.promised, lacking))
            return "no_balance", f"you have {balance} in Escrow, {promised} of it promised: deposit {more} more first"
        return None


def purses_of(snapshot: Snapshot, accounts: Iterable[str]) -> dict[str, Purse]:
    """The purse of each account, as of a snapshot, with nothing promised."""
    those = list(accounts)
    entries = snapshot.newest(Entry, "account", those)
    balances = {account: entry.balance_after for account, entry in entries.items()}
    consents = {account: row.products for account, row in snapshot.newest(ConsentChanged, "account", those).items()}
    return {account: Purse(balances.get(account, 0), consents.get(account, 0)) for account in those}


def _text(units: int, decimals: int) -> str:
    return f"{Decimal(units).scaleb(-decimals).normalize():f}"
