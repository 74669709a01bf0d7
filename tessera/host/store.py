"""What a host node must not forget: the offers it signed, the bets that players signed, and the gas of the last day.

What was listed, placed and paid is the chain's to say. A host that loses this database loses signed bets that were not
landed yet, whose players keep their money, and begins a new day's budget.
"""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Boolean, Column, ColumnElement, LargeBinary, MetaData, Table, delete, insert, or_, select
from sqlalchemy import Text as AnyText
from sqlalchemy.dialects import postgresql, sqlite

from tessera.chain.errors import ChainError
from tessera.chain.hosted_bets import Bet, HostSignature, Listing
from tessera.index.database import Database
from tessera.index.schema import Struct, Uint, int64

INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}  # which leave known rows as they are

metadata = MetaData()
offers = Table(
    "host_offers",
    metadata,
    Column("host", AnyText, primary_key=True),
    Column("contract", AnyText, primary_key=True),
    Column("salt", LargeBinary(32), primary_key=True),
    Column("number", int64, nullable=False),
    Column("listing", Struct, nullable=False),
    Column("expires_at", int64, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
signed = Table(
    "host_signed_bets",
    metadata,
    Column("host", AnyText, primary_key=True),
    Column("contract", AnyText, primary_key=True),
    Column("account", AnyText, primary_key=True),
    Column("nonce", Uint, primary_key=True),
    Column("arrived", int64, nullable=False),
    Column("bet_id", LargeBinary(32), nullable=False),
    Column("prediction", int64, nullable=False),
    Column("amount", Uint, nullable=False),
    Column("min_confirmed", Uint, nullable=False),
    Column("deadline", int64, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
gas = Table(
    "host_gas",
    metadata,
    Column("host", AnyText, primary_key=True),
    Column("hour", int64, primary_key=True),
    Column("account", AnyText, primary_key=True),
    Column("is_listing", Boolean, primary_key=True),
    Column("wei", Uint, nullable=False),
)


class StoreError(ChainError):
    """The host's database cannot be used."""

    code = "no_store"


class StoredOffer(NamedTuple):
    """An offer that was signed for a section of this number."""

    number: int
    listing: Listing
    offer: HostSignature


class Cost(NamedTuple):
    """What gas was spent on: listing a bet for an account that bet first, or landing bets of it."""

    account: str
    is_listing: bool


OWN = Cost("", is_listing=False)  # whatever a host does by itself
CONFIRMING = Cost("confirming", is_listing=False)  # for players, and for none of them alone


@dataclass(frozen=True)
class SignedBet:
    """A bet that a player signed for this host to land. `contract` is where, `signature` 65 bytes or a wallet's."""

    contract: str
    bet_id: bytes
    bet: Bet
    signature: bytes

    @property
    def key(self) -> tuple[str, str, int]:
        """What no two signed bets have in common: where a second one lands, the first one does not."""
        return self.contract, self.bet.account, self.bet.nonce


class Store:
    """The database of one host; several can share one."""

    def __init__(self, url: str, host: str):
        """`url` as SQLAlchemy wants it. Makes the tables. Raises StoreError, ChainError where the URL is none."""
        self._database = Database(url, _failure)
        self.engine = self._database.engine
        self.host = host
        with self._database.making() as db:
            metadata.create_all(db)
        self._arrived = max((row.arrived for row in self._rows(signed)), default=0)

    def offers(self) -> dict[tuple[str, bytes], StoredOffer]:
        """All offers that were signed and not taken back, by contract and salt."""
        return {
            (row.contract, row.salt): StoredOffer(
                row.number, Listing(**row.listing), HostSignature(row.expires_at, row.signature)
            )
            for row in self._rows(offers)
        }

    def keep_offer(self, contract: str, stored: StoredOffer) -> None:
        """Notes an offer before anybody sees it, or its new number."""
        key = {"host": self.host, "contract": contract, "salt": stored.listing.salt}
        rest = {"number": stored.number, "listing": stored.listing}
        rest |= {"expires_at": stored.offer.expires_at, "signature": stored.offer.signature}
        with self._database.writing() as db:
            db.execute(delete(offers).where(*(offers.c[name] == value for name, value in key.items())))
            db.execute(insert(offers), key | rest)

    def drop_offer(self, contract: str, salt: bytes) -> None:
        """Forgets an offer that was taken back."""
        with self._database.writing() as db:
            db.execute(
                delete(offers).where(offers.c.host == self.host, offers.c.contract == contract, offers.c.salt == salt)
            )

    def signed(self) -> list[SignedBet]:
        """Signed bets that are not known to be over, in the order they came."""
        return [
            SignedBet(
                row.contract,
                row.bet_id,
                Bet(row.account, row.prediction, row.amount, row.min_confirmed, row.nonce, row.deadline),
                row.signature,
            )
            for row in sorted(self._rows(signed), key=lambda row: row.arrived)
        ]

    def keep_signed(self, bets: list[SignedBet]) -> None:
        """Notes signed bets before their players are told that they were taken. Known ones are left as they are."""
        lines = []
        for one in bets:
            self._arrived += 1
            lines.append(
                {
                    "host": self.host,
                    "contract": one.contract,
                    "bet_id": one.bet_id,
                    "signature": one.signature,
                    "arrived": self._arrived,
                    **one.bet._asdict(),
                }
            )
        if lines:
            with self._database.writing() as db:
                db.execute(INSERT[db.dialect.name](signed).on_conflict_do_nothing(), lines)

    def drop_signed(self, bets: list[SignedBet]) -> None:
        """Forgets signed bets that cannot land any more."""
        with self._database.writing() as db:
            for contract, account, nonce in (one.key for one in bets):
                db.execute(
                    delete(signed).where(
                        signed.c.host == self.host,
                        signed.c.contract == contract,
                        signed.c.account == account,
                        signed.c.nonce == nonce,
                    )
                )

    def costs(self) -> dict[int, Counter[Cost]]:
        """What was spent on gas, wei, by the hour (unix time)."""
        hours: dict[int, Counter[Cost]] = {}
        for row in self._rows(gas):
            hours.setdefault(row.hour, Counter())[Cost(row.account, row.is_listing)] = row.wei
        return hours

    def keep_costs(self, hour: int, costs: Counter[Cost], *, before: int) -> None:
        """Notes what was spent in an hour in all, wei, and forgets hours before another one."""
        lines = [{"host": self.host, "hour": hour, "wei": wei, **cost._asdict()} for cost, wei in costs.items()]
        with self._database.writing() as db:
            db.execute(delete(gas).where(gas.c.host == self.host, or_(gas.c.hour == hour, gas.c.hour < before)))
            db.execute(insert(gas), lines)

    def _rows(self, table: Table, *conditions: ColumnElement[bool]) -> list:
        with self._database.connected() as db:
            return list(db.execute(select(table).where(table.c.host == self.host, *conditions)))


def _failure(reason: str) -> StoreError:
    return StoreError(f"the host's database cannot be used: {reason}")
