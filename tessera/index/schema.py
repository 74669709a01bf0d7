"""The tables: one for each event of Tessera's contracts, made from its dataclass, and one for blocks.

Every row hangs on its block: deleting a block deletes what was logged in it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
)
from sqlalchemy import Text as AnyText
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from tessera.chain.contract import Contract, E, EventLog, fields_of, typed

LOOKED_UP = ("account", "market_id", "event_id", "bet_id")  # columns that queries ask for
PLACE = ("block", "log_index")  # of a row on the chain: its key, and the order of all lists
LISTED = ("market_created", "event_created", "period_closed")  # tables that are paged as a whole
SQLITE_MOST = 2**63 - 1


class _SqliteUint(UserDefinedType):
    cache_ok = True

    def get_col_spec(self, **_) -> str:
        return "UINT256"


class Uint(TypeDecorator):
    """A uint256, or an int256 down to 1 - 2**63 (a session's net), exact, compared and sorted as a number.

    PostgreSQL: numeric(78). SQLite: an integer up to 2**63 - 1 and 32 bytes, big-endian, above: SQLite never converts
    bytes and sorts them after all numbers. Sums are not for SQLite to make.
    """

    impl = Numeric(78, 0)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine:
        return dialect.type_descriptor(_SqliteUint() if dialect.name == "sqlite" else Numeric(78, 0))

    def process_bind_param(self, value, dialect: Dialect):
        if value is None:
            return None
        value = int(value)
        if not -SQLITE_MOST <= value < 2**256:
            raise ValueError(f"{value} is no uint256, nor a small amount below 0")
        return value if dialect.name != "sqlite" or value <= SQLITE_MOST else value.to_bytes(32, "big")

    def process_result_value(self, value, dialect: Dialect) -> int | None:
        if value is None:
            return None
        return int.from_bytes(value, "big") if isinstance(value, bytes) else int(value)


class Sum(TypeDecorator):
    """A sum of uint256s, exact: more than one fits in no Uint. PostgreSQL: numeric; SQLite: decimal digits."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine:
        digits: Any = AnyText() if dialect.name == "sqlite" else Numeric(96, 0)
        return dialect.type_descriptor(digits)

    def process_bind_param(self, value, dialect: Dialect):
        return str(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value, dialect: Dialect) -> int | None:
        return None if value is None else int(value)


class Text(TypeDecorator):
    """Text of people. PostgreSQL knows no NUL character: U+FFFD stands for it, in every database."""

    impl = AnyText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else value.replace("\x00", "\ufffd")


BYTES = "0x"  # the key under which JSON has bytes


class Struct(TypeDecorator):
    """The parts of a struct, or the items of a list, as JSON; bytes are {"0x": "..."}."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value, dialect: Dialect):
        return _to_json(value)

    def process_result_value(self, value, dialect: Dialect):
        return {name: _from_json(part) for name, part in value.items()} if isinstance(value, dict) else value


def _to_json(value):
    if isinstance(value, bytes):
        return {BYTES: value.hex()}
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: _to_json(part) for name, part in value.items()}
    return [_to_json(part) for part in value] if isinstance(value, list | tuple) else value


def _from_json(value):
    """A part of a struct, as the ABI's decoder gives it: arrays and structs in it are tuples."""
    if isinstance(value, dict):
        return bytes.fromhex(value[BYTES])
    return tuple(map(_from_json, value)) if isinstance(value, list) else value


class Hash(TypeDecorator):
    """A hash: "0x..." in Python, 32 bytes in the database."""

    impl = LargeBinary(32)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else bytes.fromhex(value.removeprefix("0x"))

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else "0x" + bytes(value).hex()


metadata = MetaData()
# What the index is of; one line. Another deployment, or other events, need another index. `rereads`: how often rows
# were added that had been left out, so that one block's answers were others before.
about = Table(
    "about", metadata, Column("subject", AnyText, primary_key=True), Column("rereads", Integer, nullable=False)
)
int64 = BigInteger().with_variant(Integer, "sqlite")  # an INTEGER PRIMARY KEY is SQLite's own row number
# Blocks in which something was logged, and the last of each piece that was read. `logs`: how many rows hang on it.
blocks = Table(
    "blocks",
    metadata,
    Column("number", int64, primary_key=True, autoincrement=False),
    Column("hash", Hash, nullable=False),
    Column("timestamp", int64, nullable=False),
    Column("logs", int64, nullable=False),
)


def _column_type(kind: type) -> TypeEngine:
    if issubclass(kind, bool):
        return Boolean()
    if issubclass(kind, int):
        return Uint()
    if issubclass(kind, str):
        return Text()
    if issubclass(kind, bytes):
        return LargeBinary()
    if issubclass(kind, list | tuple):
        return Struct()
    raise TypeError(f"no column for {kind}")


def _indexes(name: str, fields: list[str]) -> list[Index]:
    # Whose last row it is, of an event with many people, without a look at the rows themselves.
    several = ["event_id", "account"]
    by = [several] if set(several) <= set(fields) else []
    by += [[field] for field in fields if field in LOOKED_UP and not (by and field == "event_id")]
    # What is before a page is passed over in an index of nothing else: SQLite's key has the whole row.
    in_order = [Index(f"{name}_in_order", *PLACE)] if name in LISTED else []
    return in_order + [Index(f"{name}_by_{'_and_'.join(columns)}", *columns, *PLACE) for columns in by]


_KINDS = tuple(dict.fromkeys(chain.from_iterable(known.EVENTS for known in Contract.KNOWN)))
_TIMES = Counter(kind.__name__ for kind in _KINDS)  # several contracts log a BetPlaced, with fields of their own


def _unique_name(kind: type[EventLog]) -> str:
    """An event's name; after its module's where another event has the same."""
    return kind.__name__ if _TIMES[kind.__name__] == 1 else f"{kind.__module__.rpartition('.')[2]}{kind.__name__}"


def _table(kind: type[EventLog]) -> Table:
    name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in _unique_name(kind))
    name = name.removeprefix("_")
    fields = fields_of(kind)
    return Table(
        name,
        metadata,
        Column("block", int64, ForeignKey(blocks.c.number, ondelete="CASCADE"), primary_key=True, autoincrement=False),
        Column("log_index", int64, primary_key=True, autoincrement=False),
        Column("contract", AnyText, nullable=False),
        Column("transaction", Hash, nullable=False),
        *(Column(field, _column_type(type_), nullable=False) for field, type_ in fields.items()),
        *_indexes(name, list(fields)),
        sqlite_with_rowid=False,
    )


_TABLES: dict[type[EventLog], Table] = {kind: _table(kind) for kind in _KINDS}


def shape() -> dict[str, list[str]]:
    """Each event with its fields and their types, and the tables: what makes an index of an older version another one.

    Where something else is derived of the same rows, a column of `tessera.index.derived` has to have another name.
    """
    events = {
        _unique_name(kind): [f"{field}: {type_.__name__}" for field, type_ in fields_of(kind).items()]
        for kind in _TABLES
    }
    tables = {
        table.name: [*table.c.keys(), *sorted(f"{index.name}: {index.c.keys()}" for index in table.indexes)]
        for table in metadata.sorted_tables
    }
    return events | tables


def values(row: EventLog, names: dict[str, str]) -> dict:
    """A row as its table's columns; `names` are the contracts' by address."""
    return {**vars(row), "contract": names[row.contract]}


@cache
def _typed_fields(kind: type[EventLog]) -> list[tuple[str, type]]:
    return [(field, type_) for field, type_ in fields_of(kind).items() if type_ not in (int, str, bool, list)]


def rows_of(kind: type[E], lines: Iterable, addresses: dict[str, str]) -> Iterator[E]:
    """What was stored of a kind of event as its dataclasses; `addresses` are the contracts' by name."""
    convert = _typed_fields(kind)
    for line in lines:
        fields = dict(line._mapping)
        fields["contract"] = addresses[fields["contract"]]
        for field, to in convert:
            fields[field] = typed(to, fields[field])
        yield kind(**fields)


def table_of(kind: type[EventLog]) -> Table:
    """Where a kind of event is kept."""
    return _TABLES[kind]
