"""A database by its URL, SQLite or PostgreSQL: how it is opened, read and written, and what its failures are called."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tessera.chain.errors import ChainError

MAKING = 0x7E55E2A  # PostgreSQL's lock while tables are made: any number that nobody else uses


class Database:
    """Connections to one database. `failure` makes the error that is raised where it does not work, of the reason."""

    def __init__(self, url: str, failure: Callable[[str], ChainError]):
        """`url` as SQLAlchemy wants it. Raises ChainError where it is none."""
        self.engine = _engine(url)
        self._failure = failure

    @contextmanager
    def connected(self, **options) -> Iterator[Connection]:
        """A connection with SQLAlchemy's execution options; nothing is committed."""
        try:
            with self.engine.connect().execution_options(**options) as db:
                yield db
        except SQLAlchemyError as error:
            raise self._failure(str(getattr(error, "orig", error)).partition("\n")[0]) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction, committed at the end; on SQLite one writes at a time."""
        with self.connected(tessera_writes=True) as db, db.begin():
            yield db

    @contextmanager
    def making(self) -> Iterator[Connection]:
        """A transaction in which nobody else makes tables: who begins at the same moment finds them made."""
        with self.writing() as db:
            if db.dialect.name == "postgresql":
                db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MAKING})
            yield db


def _engine(url: str) -> Engine:
    """With what SQLite needs to serve readers while one writes, and PostgreSQL to count by an index."""
    try:
        engine = create_engine(url)
    except (ArgumentError, ImportError) as error:
        raise ChainError(f"no database at this URL: {error}. As a rule it is sqlite:///FILE") from None
    if engine.dialect.name != "sqlite":
        # A page out of order costs little more than the next one unless disks turn, which PostgreSQL takes them to do:
        # it would read a whole table rather than the part of an index that is asked for.
        @event.listens_for(engine, "connect")
        def _(connection, _):
            connection.execute("SET random_page_cost = 1.1")
            connection.execute("SET max_parallel_workers_per_gather = 0")  # starting them takes longer than to count
            connection.commit()

        return engine

    @event.listens_for(engine, "connect")
    def _(connection, _):
        connection.isolation_level = None  # or Python's driver would begin transactions where it likes
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_mode = WAL")  # readers see the last commit while one writes
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA busy_timeout = 30000")

    @event.listens_for(engine, "begin")
    def _(connection):
        writes = connection.get_execution_options().get("tessera_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
