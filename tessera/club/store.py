"""What a club's node must not forget, and the chain does not know: who was invited by which code, what the node gave to
whom, names, sessions and turns.

Invariants, which each change keeps in one transaction: a code belongs to one account for good; an account belongs to
one code; a nonce of the node's account carries one intent for good, so that whoever repeats it can do nothing twice;
only the holder of the lease writes intents.
"""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import IntEnum
from hashlib import sha256
from pathlib import Path

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    LargeBinary,
    MetaData,
    Row,
    Table,
    delete,
    func,
    insert,
    make_url,
    or_,
    select,
    text,
    update,
)
from sqlalchemy import Text as AnyText
from sqlalchemy.exc import ArgumentError

from tessera.chain.errors import ChainError
from tessera.club.names import Name
from tessera.club.refusals import RefusedError
from tessera.club.settings import Gas
from tessera.index.database import Database
from tessera.index.schema import Struct, Uint, int64

DAY = 86_400
LEASE = "sender"
TAKEN_UP = "(taken up again)"  # the label of a member whose own one was lost
BEFORE_IT_WAS_LOST = -1  # in place of the nonces of what was given before
TROUBLE = "trouble."
SPENT = "spent"
RECOVERY_SECONDS = 3_600  # in which those who wait in a line are as patient with somebody as before
MOST_SESSIONS = 50  # of an account; the oldest one ends first
LASTING_SECONDS = 3_600  # trouble that is away for less is the same one still

metadata = MetaData()
codes = Table(
    "club_codes",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("label", AnyText, nullable=False),
    Column("made_at", int64, nullable=False),
    Column("ends_at", int64, nullable=False),
    Column("account", AnyText, unique=True),  # who redeemed it
    Column("redeemed_at", int64),
    Column("revoked_at", int64),  # before it was redeemed: nobody can; afterwards: its account is replaced
)
sent = Table(
    "club_sent",
    metadata,
    Column("nonce", int64, primary_key=True, autoincrement=False),
    Column("kind", AnyText, nullable=False),
    Column("accounts", Struct, nullable=False),
    Column("amount", Uint, nullable=False),  # wei to each account
    Column("at", int64, nullable=False),
    Column("failed", Boolean, nullable=False),  # on the chain
    Column("transaction", AnyText),  # where the node saw its end
    Column("ended_at", int64),
)
names = Table(
    "club_names",
    metadata,
    Column("account", AnyText, primary_key=True),
    Column("name", AnyText, nullable=False),
    Column("issued_at", int64, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
name_keys = Table(
    "club_name_keys",
    metadata,
    Column("key", AnyText, primary_key=True),
    Column("account", AnyText, nullable=False, index=True),
)
sessions = Table(
    "club_sessions",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("account", AnyText, nullable=False),
    Column("ends_at", int64, nullable=False),
)
# The last turn of each account in a market. One that is over is remembered for as long as it counts for the next one.
turns = Table(
    "club_line",
    metadata,
    Column("market_id", int64, primary_key=True),
    Column("account", AnyText, primary_key=True),
    Column("at", Float, nullable=False),
    Column("begins", Float, nullable=False),  # `at`, or later, while somebody is before
    Column("ends_at", Float, nullable=False),
    Column("patience", Float, nullable=False),  # seconds that others wait for it, beyond the time of one bet
)
leases = Table(
    "club_leases",
    metadata,
    Column("name", AnyText, primary_key=True),
    Column("holder", AnyText, nullable=False),
    Column("epoch", int64, nullable=False),
    Column("until", Float, nullable=False),
)
settings = Table(
    "club_settings",
    metadata,
    Column("name", AnyText, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)


class Matter(IntEnum):
    """What one node at a time writes about, of those that share a PostgreSQL: the numbers are its locks'."""

    SETTINGS = 0x7E51
    MEMBERS = 0x7E52
    NAMES = 0x7E53
    LEASE = 0x7E54
    TURNS = 0x7E55  # of one market


class StoreError(ChainError):
    """The club's database cannot be used."""

    code = "no_store"


class LostLeaseError(ChainError):
    """Another node sends by now."""

    code = "lost_lease"


@dataclass(frozen=True)
class Member:
    """An account that redeemed a code. `replaced`: its code was revoked afterwards, for a lost key."""

    account: str
    label: str
    redeemed_at: int
    replaced: bool
    code: str  # the first letters of the code's hash, by which the owner names it


@dataclass(frozen=True)
class Code:
    """An invitation: `code` are the first letters of its hash."""

    code: str
    label: str
    ends_at: int
    account: str | None
    revoked: bool


@dataclass(frozen=True)
class Intent:
    """What the node's transaction of a nonce does: `kind` "invite", "uninvite", or "gas" with so many wei for each."""

    nonce: int
    kind: str
    accounts: tuple[str, ...]
    amount: int
    at: int


@dataclass(frozen=True)
class KeptName:
    """What a member is called."""

    account: str
    name: str
    issued_at: int


@dataclass(frozen=True)
class Turn:
    """When somebody's bet on a market is to be sent, unix seconds by the chain's clock."""

    market_id: int
    account: str
    at: float
    ends_at: float
    place: int


def hash_of(code: str) -> bytes:
    """What is stored of a code or a session's token."""
    return sha256(code.encode()).digest()


class Store:
    """The database of a club; several nodes can share it. Any thread."""

    def __init__(self, url: str):
        """`url` as SQLAlchemy wants it. Makes the tables. Raises StoreError, ChainError where the URL is none."""
        _keep_from_others(url)
        self._database = Database(url, lambda reason: StoreError(f"the club's database cannot be used: {reason}"))
        self.engine = self._database.engine
        with self._database.making() as db:
            metadata.create_all(db)
            # It marks texts to sign as this club's, whichever node made them.
            self.secret = _kept(db, "challenges", secrets.token_bytes(32))

    @contextmanager
    def _writing(self, matter: Matter, number: int = 0) -> Iterator[Connection]:
        """A transaction in which nobody else writes about the same; on SQLite one writes at a time anyway."""
        with self._database.writing() as db:
            if self.engine.dialect.name == "postgresql":
                db.execute(
                    text("SELECT pg_advisory_xact_lock(:matter, :number)"), {"matter": int(matter), "number": number}
                )
            yield db

    def claim(self, history: str) -> None:
        """Notes of which chain's history this is; nonces of another mean something else. Raises StoreError there."""
        with self._writing(Matter.SETTINGS) as db:
            if (known := _kept(db, "history", history.encode())) != history.encode():
                raise StoreError(
                    f"the club's database is of another chain or deployment ({known.decode()}, not {history}): "
                    "name another file as `database`"
                )

    def announced(self) -> tuple[int, int] | None:
        """Block and place in it of the last event that was announced; None: none was."""
        with self._database.connected() as db:
            known = _known(db, "announced")
            if known is None:
                return None
            block, _, place = known.decode().partition(" ")
            return int(block), int(place)

    def note_announced(self, block: int, log_index: int) -> None:
        """Notes which event was announced last."""
        value = f"{block} {log_index}".encode()
        with self._writing(Matter.SETTINGS) as db:
            _keep(db, "announced", value)

    # What the node's own transactions cost

    def spent(self, day: int) -> int:
        """What the node spent on gas in a day (UTC) of such a number, wei."""
        with self._database.connected() as db:
            return _spent(_known(db, SPENT), day)

    def note_spent(self, day: int, wei: int) -> None:
        """Adds to what the node spent on gas in a day."""
        with self._writing(Matter.SETTINGS) as db:
            _keep(db, SPENT, f"{day} {_spent(_known(db, SPENT), day) + wei}".encode())

    # Trouble, which whoever runs the node is to hear of once

    def note_trouble(self, kind: str) -> bool:
        """Notes that there is trouble of a kind now; whether that is news: there was none of it for an hour."""
        now, name = int(time.time()), TROUBLE + kind
        with self._writing(Matter.SETTINGS) as db:
            last, was_told = _trouble(_known(db, name))
            is_news = last + LASTING_SECONDS < now
            _keep(db, name, _as_trouble(now, was_told=was_told and not is_news))
            return is_news

    def untold_troubles(self) -> list[str]:
        """Kinds of trouble that there is, of which the group was not told."""
        since = int(time.time()) - LASTING_SECONDS
        with self._database.connected() as db:
            rows = db.execute(select(settings).where(settings.c.name.startswith(TROUBLE)).order_by(settings.c.name))
            noted = [(row.name.removeprefix(TROUBLE), *_trouble(bytes(row.value))) for row in rows]
        return [kind for kind, last, was_told in noted if last >= since and not was_told]

    def note_told(self, kind: str) -> None:
        """Notes that the group was told of trouble of a kind."""
        with self._writing(Matter.SETTINGS) as db:
            last, _ = _trouble(_known(db, TROUBLE + kind))
            _keep(db, TROUBLE + kind, _as_trouble(last, was_told=True))

    # Invitations

    def make_codes(self, labels: Sequence[str], *, days: int) -> list[str]:
        """New codes, one for each label; nobody can find them out afterwards."""
        made, now = [secrets.token_urlsafe(16) for _ in labels], int(time.time())
        rows = [
            {"hash": hash_of(code), "label": label, "made_at": now, "ends_at": now + days * DAY}
            for code, label in zip(made, labels, strict=True)
        ]
        with self._database.writing() as db:
            db.execute(insert(codes), rows)
        return made

    def codes(self) -> list[Code]:
        """All invitations, oldest first."""
        with self._database.connected() as db:
            rows = db.execute(select(codes).order_by(codes.c.made_at, codes.c.label, codes.c.hash))
            return [_code(row) for row in rows]

    def code(self, start: str) -> Code:
        """An invitation by the first letters of its hash. Raises RefusedError where there is not exactly one."""
        with self._database.connected() as db:
            return _code(_only(db, start))

    def redeem(self, code: str, account: str, most_members: int) -> Member:
        """Makes an account a member by a code, once; the same account may repeat it. Raises RefusedError."""
        now, key = int(time.time()), hash_of(code)
        # A phone asks again and again how far it is: that is no reason to keep others from writing.
        with self._database.connected() as db:
            known = db.execute(select(codes).where(codes.c.hash == key, codes.c.account == account)).one_or_none()
            if known is not None:
                return _member(known)
        with self._writing(Matter.MEMBERS) as db:
            row = db.execute(select(codes).where(codes.c.hash == key)).one_or_none()
            if row is None:
                raise RefusedError("unknown_code", "This invitation is not known here: is the link whole?")
            if row.account == account:
                return _member(row)
            if row.revoked_at is not None:
                raise RefusedError("revoked_code", "This invitation was taken back: ask for a new one.")
            if row.account is not None:
                raise RefusedError("used_code", "Somebody has used this invitation already: ask for a new one.")
            if row.ends_at <= now:
                raise RefusedError("expired_code", "This invitation is too old: ask for a new one.")
            if db.scalar(select(codes.c.hash).where(codes.c.account == account)) is not None:
                raise RefusedError(
                    "other_account", "This account is a member already; the invitation is still good for a friend."
                )
            members = select(func.count()).where(codes.c.account.is_not(None), codes.c.revoked_at.is_(None))
            if (db.scalar(members) or 0) >= most_members:
                raise RefusedError("full", f"The club has its {most_members} members: who runs it can let in more.")
            db.execute(update(codes).where(codes.c.hash == key).values(account=account, redeemed_at=now))
            return _member(db.execute(select(codes).where(codes.c.hash == key)).one())

    def take_up(self, accounts: Sequence[str], node: str, gas: Gas) -> list[str]:
        """Makes accounts members that are none yet, without a code; which these are. The first time it counts today's
        budget as given, to the `node` itself. Raises RefusedError `full`, and makes none a member."""
        now = int(time.time())
        with self._writing(Matter.MEMBERS) as db:
            known = set(db.scalars(select(codes.c.account).where(codes.c.account.is_not(None))))
            taken = [account for account in accounts if account not in known]
            if not taken:
                return []
            present = select(func.count()).where(codes.c.account.is_not(None), codes.c.revoked_at.is_(None))
            if (members := (db.scalar(present) or 0) + len(taken)) > gas.members:
                raise RefusedError("full", f"These are {members} members, and gas.members is {gas.members}: raise it.")
            line = {"label": TAKEN_UP, "made_at": now, "ends_at": now, "redeemed_at": now}
            # Hashes of no code.
            db.execute(insert(codes), [{**line, "hash": secrets.token_bytes(32), "account": each} for each in taken])
            if db.scalar(select(sent.c.nonce).where(sent.c.nonce == BEFORE_IT_WAS_LOST)) is None:
                intent = Intent(BEFORE_IT_WAS_LOST, "gas", (node,), gas.budget, now)
                db.execute(insert(sent), {**vars(intent), "accounts": [node], "failed": False, "ended_at": now})
            return taken

    def is_new(self) -> bool:
        """Whether nobody was invited by it yet, and nothing sent."""
        with self._database.connected() as db:
            return all(db.scalar(select(func.count()).select_from(table)) == 0 for table in (codes, sent))

    def revoke(self, start: str) -> Code:
        """Takes an invitation back by the first letters of its hash: its code is void, its account marked as replaced.

        Raises RefusedError where there is not exactly one of them.
        """
        now = int(time.time())
        with self._writing(Matter.MEMBERS) as db:
            row = _only(db, start)
            db.execute(update(codes).where(codes.c.hash == row.hash).values(revoked_at=now))
            return replace(_code(row), revoked=True)

    def members(self) -> list[Member]:
        """Everybody who redeemed a code, in that order."""
        with self._database.connected() as db:
            rows = db.execute(select(codes).where(codes.c.account.is_not(None)).order_by(codes.c.redeemed_at))
            return [_member(row) for row in rows]

    def member(self, account: str) -> Member | None:
        """Who redeemed a code as an account; None: nobody."""
        with self._database.connected() as db:
            row = db.execute(select(codes).where(codes.c.account == account)).one_or_none()
            return None if row is None else _member(row)

    # What was sent

    def intents(self, nonce: int) -> list[Intent]:
        """What the transactions from a nonce on do, as it was written down before they were sent."""
        with self._database.connected() as db:
            return _intents(db, nonce)

    def intend(self, intents: Sequence[Intent], epoch: int) -> list[Intent]:
        """Writes intents with nonces in a row down before they are sent. Where any are kept from the first nonce on,
        they are returned in their place.

        Raises LostLeaseError where the lease is not of this epoch any more.
        """
        with self._writing(Matter.LEASE) as db:
            present = db.scalar(select(leases.c.epoch).where(leases.c.name == LEASE))
            if present != epoch:
                raise LostLeaseError("another node sends by now")
            if kept := _intents(db, intents[0].nonce):
                return kept
            db.execute(
                insert(sent),
                [{**vars(intent), "accounts": list(intent.accounts), "failed": False} for intent in intents],
            )
            return list(intents)

    def end_intent(self, nonce: int, transaction: str, *, failed: bool) -> None:
        """Notes what became of an intent. `failed`: nothing, or another transaction has its nonce."""
        with self._database.writing() as db:
            ended = {"failed": failed, "transaction": transaction, "ended_at": int(time.time())}
            db.execute(update(sent).where(sent.c.nonce == nonce).values(**ended))

    def end_before(self, nonce: int) -> None:
        """Notes that what was sent with lower nonces is on the chain, though nobody saw it end."""
        with self._database.writing() as db:
            is_open = sent.c.ended_at.is_(None)
            db.execute(update(sent).where(sent.c.nonce < nonce, is_open).values(ended_at=int(time.time())))

    def given_lately(self, since: int) -> set[str]:
        """Accounts whose last gift ended at a time or later."""
        with self._database.connected() as db:
            rows = db.scalars(select(sent.c.accounts).where(sent.c.kind == "gas", sent.c.ended_at >= since))
            return {account for accounts in rows for account in accounts}

    def given(self, since: int) -> dict[str, int]:
        """Wei that each account was given since a time."""
        given: dict[str, int] = {}
        for gift, _ in self.gifts(since):
            for account in gift.accounts:
                given[account] = given.get(account, 0) + gift.amount
        return given

    def gifts(self, since: int = 0) -> list[tuple[Intent, str | None]]:
        """What was given since a time, in order, with the transaction's hash where the node saw its end.

        What was under way then counts, too: a gift counts to each day in which it may have arrived.
        """
        lately = or_(sent.c.at >= since, sent.c.ended_at.is_(None), sent.c.ended_at >= since)
        wanted = select(sent).where(sent.c.kind == "gas", lately, sent.c.failed.is_(False))
        with self._database.connected() as db:
            return [(_intent(row), row.transaction) for row in db.execute(wanted.order_by(sent.c.nonce))]

    # Names

    def names(self) -> list[KeptName]:
        """All names, by name."""
        with self._database.connected() as db:
            rows = db.execute(select(names).order_by(names.c.name))
            return [KeptName(row.account, row.name, row.issued_at) for row in rows]

    def names_version(self) -> tuple:
        """What is another whenever a member is called otherwise, or an account was replaced."""
        # A later statement of an account is one with a later time, and no account leaves.
        statements = select(func.count(), func.sum(names.c.issued_at))
        revoked = select(func.count()).where(codes.c.revoked_at.is_not(None))
        with self._database.connected() as db:
            return (*db.execute(statements).one(), db.scalar(revoked))

    def keep_name(self, account: str, name: Name, issued_at: int, signature: bytes) -> None:
        """Notes what an account is called. Raises RefusedError where it is another's name or an older statement."""
        taken = RefusedError("name_taken", "Somebody has this name, or one that looks like it: choose another one.")
        with self._writing(Matter.NAMES) as db:
            known = db.execute(select(names).where(names.c.account == account)).one_or_none()
            if known is not None and known.issued_at >= issued_at:
                if (known.name, known.issued_at) == (name.text, issued_at):
                    return  # the same statement once more
                raise RefusedError("old_name", "A later statement of this account is known.")
            keys = set(name.keys)
            others = select(name_keys.c.key).where(name_keys.c.key.in_(keys), name_keys.c.account != account)
            if db.execute(others).first() is not None:
                raise taken
            db.execute(delete(name_keys).where(name_keys.c.account == account))
            db.execute(delete(names).where(names.c.account == account))
            db.execute(
                insert(names),
                {"account": account, "name": name.text, "issued_at": issued_at, "signature": signature},
            )
            db.execute(insert(name_keys), [{"key": key, "account": account} for key in keys])

    # Sessions

    def open_session(self, account: str, *, seconds: int) -> tuple[str, int]:
        """A token that proves an account, and until when, unix seconds.

        Of an account's sessions the newest stay: one signature is good for as many as are asked for in ten minutes.
        """
        token, now = secrets.token_urlsafe(32), int(time.time())
        own = select(sessions.c.hash).where(sessions.c.account == account)
        older = own.order_by(sessions.c.ends_at.desc()).offset(MOST_SESSIONS - 1)
        with self._database.writing() as db:
            db.execute(delete(sessions).where(sessions.c.ends_at <= now))
            db.execute(delete(sessions).where(sessions.c.hash.in_(older)))
            db.execute(insert(sessions), {"hash": hash_of(token), "account": account, "ends_at": now + seconds})
        return token, now + seconds

    def session(self, token: str) -> tuple[str, int] | None:
        """Whose a token is, and until when; None where it is nobody's, or a replaced account's."""
        replaced = select(codes.c.account).where(codes.c.account == sessions.c.account, codes.c.revoked_at.is_not(None))
        present = select(sessions).where(sessions.c.hash == hash_of(token), ~replaced.exists())
        with self._database.connected() as db:
            row = db.execute(present).one_or_none()
            return None if row is None or row.ends_at <= time.time() else (row.account, row.ends_at)

    def close_session(self, token: str) -> None:
        """Ends a session."""
        with self._database.writing() as db:
            db.execute(delete(sessions).where(sessions.c.hash == hash_of(token)))

    # Turns

    def turn(
        self,
        market_id: int,
        account: str,
        *,
        now: float,
        first: float,
        apart: float,
        lasts: float,
        longest: float,
        most: int,
    ) -> Turn:
        """A turn of an account in a market: the one it has, or the first free one from `first` on, `apart` seconds from
        each other. Raises RefusedError where there are too many.

        It lasts for so many seconds, and for as many more whenever its account asks again when it has come. But of its
        account's turns in a market the others wait for no more than the `longest` in all, beyond the `apart` seconds
        that each has anyway; this patience is whole again RECOVERY_SECONDS later.
        """
        whole = longest - apart
        with self._writing(Matter.TURNS, market_id) as db:
            db.execute(delete(turns).where(turns.c.ends_at <= now - RECOVERY_SECONDS))
            rows = db.execute(select(turns).where(turns.c.market_id == market_id).order_by(turns.c.at)).all()
            waiting = [row for row in rows if row.ends_at > now]
            this = (turns.c.market_id == market_id, turns.c.account == account)
            own = next((row for row in rows if row.account == account), None)
            if own is None or own.ends_at <= now:
                of_own = select(func.count()).where(turns.c.account == account, turns.c.ends_at > now)
                if len(waiting) >= most or (db.scalar(of_own) or 0) >= most:
                    raise RefusedError("too_many_turns", "Too many wait for this market: try in a minute.")
                at = first
                for row in waiting:
                    if row.at - at >= apart:
                        break
                    at = max(at, row.at + apart)
                patience = whole if own is None else _recovered(own, now, apart, whole)
                ends_at = at + min(lasts, apart + _spare(patience, lasts - apart))
                line = {"at": at, "begins": at, "ends_at": ends_at, "patience": patience}
                db.execute(delete(turns).where(*this))
                db.execute(insert(turns), {"market_id": market_id, "account": account, **line})
                place = sum(row.at < at for row in waiting)
            else:
                at, ends_at = own.at, own.ends_at
                place = sum(row.at < at for row in waiting)
                if at <= now:  # its page is there, and waits for those before or is about to bet
                    begins = now if place else own.begins
                    ends_at = max(ends_at, min(now + lasts, begins + apart + _spare(own.patience, lasts - apart)))
                    db.execute(update(turns).where(*this).values(begins=begins, ends_at=ends_at))
            return Turn(market_id, account, at, ends_at, place)

    def turns(self, market_id: int, now: float) -> dict[str, float]:
        """Who has a turn in a market, and when it begins."""
        present = select(turns.c.account, turns.c.at).where(turns.c.market_id == market_id, turns.c.ends_at > now)
        with self._database.connected() as db:
            return {row.account: row.at for row in db.execute(present)}

    def end_turn(self, market_id: int, account: str, ended: float, at: float | None = None) -> None:
        """Ends a turn at a time, if it has not ended before; where `at` is named, only the turn that begins then."""
        this = [turns.c.market_id == market_id, turns.c.account == account, turns.c.ends_at > ended]
        with self._writing(Matter.TURNS, market_id) as db:
            only = [] if at is None else [turns.c.at == at]
            db.execute(update(turns).where(*this, *only).values(ends_at=ended))

    # Which of several nodes sends

    def hold_lease(self, holder: str, seconds: float) -> int | None:
        """The epoch of the lease where `holder` has it, for so many seconds more; None where another node has it."""
        with self._writing(Matter.LEASE) as db:
            now = time.time()
            row = db.execute(select(leases).where(leases.c.name == LEASE)).one_or_none()
            if row is None:
                line = {"name": LEASE, "holder": holder, "epoch": 1, "until": now + seconds}
                db.execute(insert(leases), line)
                return 1
            if row.holder != holder and row.until > now:
                return None
            epoch = row.epoch if row.holder == holder else row.epoch + 1
            values = {"holder": holder, "epoch": epoch, "until": now + seconds}
            db.execute(update(leases).where(leases.c.name == LEASE).values(**values))
            return epoch

    def leave_lease(self, holder: str) -> None:
        """Lets another node send at once."""
        with self._writing(Matter.LEASE) as db:
            db.execute(update(leases).where(leases.c.name == LEASE, leases.c.holder == holder).values(until=0.0))


def _keep_from_others(url: str) -> None:
    """Makes the file of a new SQLite one that nobody else on the machine can read: names and addresses are in it. Its
    companions get its mode from it. What fails here fails again, with a reason, where it is opened."""
    with suppress(ArgumentError, OSError):
        parts = make_url(url)
        if parts.get_backend_name() == "sqlite" and parts.database and parts.database != ":memory:":
            Path(parts.database).touch(mode=0o600)


def _kept(db: Connection, name: str, new: bytes) -> bytes:
    """What is kept by a name; `new` where there is nothing yet."""
    known = _known(db, name)
    if known is None:
        db.execute(insert(settings), {"name": name, "value": new})
    return new if known is None else known


def _known(db: Connection, name: str) -> bytes | None:
    """What is kept by a name, if anything."""
    value = db.scalar(select(settings.c.value).where(settings.c.name == name))
    return None if value is None else bytes(value)


def _keep(db: Connection, name: str, value: bytes) -> None:
    """Keeps a value by a name, in place of the one before."""
    if _kept(db, name, value) != value:
        db.execute(update(settings).where(settings.c.name == name).values(value=value))


def _spent(value: bytes | None, day: int) -> int:
    noted, _, wei = (value or b"0 0").decode().partition(" ")
    return int(wei) if int(noted) == day else 0


def _as_trouble(last: int, *, was_told: bool) -> bytes:
    return f"{last} {was_told:d}".encode()


def _trouble(value: bytes | None) -> tuple[int, bool]:
    """When there was trouble of a kind last, and whether the group was told; at 0 where there was none."""
    last, _, was_told = (value or b"0 0").decode().partition(" ")
    return int(last), was_told == "1"


def _spare(patience: float, least: float) -> float:
    """How long a turn may be waited for. Less than a slow phone needs would be of no use to it, and be used up."""
    return patience if patience >= least else 0.0


def _recovered(last: Row, now: float, apart: float, whole: float) -> float:
    """The patience that there is with an account after its last turn, which is over."""
    used = max(0.0, last.ends_at - last.begins - apart)
    return min(whole, last.patience - used + (now - last.ends_at) * whole / RECOVERY_SECONDS)


def _only(db: Connection, start: str) -> Row:
    """The invitation whose hash begins with some letters, of which four are the least."""
    rows = [row for row in db.execute(select(codes)) if len(start) >= 4 and row.hash.hex().startswith(start)]
    if len(rows) != 1:
        raise RefusedError("unknown_code", f"{len(rows)} invitations begin with {start!r}: say more letters.")
    return rows[0]


def _code(row) -> Code:
    return Code(row.hash.hex()[:8], row.label, row.ends_at, row.account, row.revoked_at is not None)


def _member(row) -> Member:
    return Member(row.account, row.label, row.redeemed_at, row.revoked_at is not None, row.hash.hex()[:8])


def _intents(db: Connection, nonce: int) -> list[Intent]:
    rows = db.execute(select(sent).where(sent.c.nonce >= nonce).order_by(sent.c.nonce))
    return [_intent(row) for row in rows]


def _intent(row) -> Intent:
    return Intent(row.nonce, row.kind, tuple(row.accounts), row.amount, row.at)
