"""The read API: what the index knows, over HTTP. `/docs` shows it, `/openapi.json` describes it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from threading import Lock
from typing import Annotated, Generic, TypeVar

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Query, Request, Response
from fastapi.concurrency import contextmanager_in_threadpool
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from web3 import Web3

from tessera.chain.blocks import Block
from tessera.chain.errors import NotFoundError
from tessera.chain.escrow import Entry
from tessera.chain.lmsr_markets import BetPlaced, MarketCreated
from tessera.chain.prediction_events import EventCreated
from tessera.chain.prize_pool import PeriodClosed
from tessera.index.answers import (
    EventState,
    LedgerLine,
    MarketState,
    Portfolio,
    Prediction,
    Price,
    Standing,
    Week,
)
from tessera.index.index import Index
from tessera.index.leaderboard import Leaderboard
from tessera.index.limits import Limits
from tessera.index.snapshot import NoIndexError, Snapshot
from tessera.index.syncer import Syncer

T = TypeVar("T")
MOST_ANSWERS = 1_000
READERS = 8  # answers that are made at the same time, each with a connection; SQLAlchemy has fifteen
NO_ANSWER = "nothing was read yet, or the database does not answer"
MISSING: dict[int | str, dict] = {404: {"description": "there is none of this number"}}
log = logging.getLogger("tessera.index")


class Stamp(BaseModel):
    """The block as of which an answer is true."""

    block: int
    block_hash: str
    block_time: int = Field(description="unix seconds")


class Answer(Stamp, Generic[T]):
    """One thing."""

    answer: T


class Page(Stamp, Generic[T]):
    """Some of a list: `total` is how many there are."""

    total: int
    answers: list[T]


class Health(BaseModel):
    """What the index is of, how far it has read, and what went wrong in the last attempt to read on."""

    chain_id: int
    contracts: dict[str, str]
    block: int | None
    block_time: int | None
    error: str | None


class Paging:
    """`offset` and `limit` of a request."""

    def __init__(
        self,
        offset: Annotated[int, Query(ge=0, le=10**9, description="how many to leave out")] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_ANSWERS)] = 100,
    ):
        self.offset, self.limit = offset, limit


Paged = Annotated[Paging, Depends()]
Id = Annotated[int, Path(ge=0, lt=2**256)]


async def _missing(_: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, status_code=404)


async def _silent(_: Request, error: Exception) -> Response:
    log.warning("%s", error)  # it names the database, which is nobody's business
    return JSONResponse({"detail": NO_ANSWER}, status_code=503, headers={"Retry-After": "5"})


async def _snapshot(request: Request, response: Response) -> AsyncIterator[Snapshot]:
    # Who has a connection waits for a thread to answer in, and threads may all wait for a connection: some are kept for
    # these.
    state = request.app.state
    async with state.readers, contextmanager_in_threadpool(state.index.snapshot()) as snapshot:
        _tag(snapshot, request, response)
        yield snapshot


def _tag(snapshot: Snapshot, request: Request, response: Response) -> None:
    tag = f'"{snapshot.head.hash}{f"-{snapshot.rereads}" if snapshot.rereads else ""}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    # A proxy that compresses makes a weak tag of it; here both mean the same.
    known = request.headers.get("if-none-match", "").split(",")
    if tag in (one.strip().removeprefix("W/") for one in known):
        raise HTTPException(304, headers=headers)
    response.headers.update(headers)


router = APIRouter()
AtHead = Annotated[Snapshot, Depends(_snapshot)]


@router.get("/health")
async def health(request: Request) -> Health:
    """Whether the index is up to date; never cached, and answered whatever else is asked."""
    index, syncer = request.app.state.index, request.app.state.syncer
    # It waits for no thread that other questions keep busy, nor, where a syncer knows, for the database.
    head = index.head() if syncer is None else syncer.head
    return Health(
        chain_id=index.chain_id,
        contracts=index.contracts,
        block=head and head.number,
        block_time=head and head.timestamp,
        error=syncer and syncer.error,
    )


@router.get("/markets")
def markets(snapshot: AtHead, paging: Paged) -> Page[MarketState]:
    """All friends' markets, oldest first."""
    rows = snapshot.markets(offset=paging.offset, limit=paging.limit)
    return _part(snapshot, snapshot.count(MarketCreated), rows)


@router.get("/markets/{market_id}", responses=MISSING)
def market(snapshot: AtHead, market_id: Id) -> Answer[MarketState]:
    """One market."""
    return _answer(snapshot, snapshot.market(market_id))


@router.get("/markets/{market_id}/prices", responses=MISSING)
def prices(snapshot: AtHead, market_id: Id, paging: Paged) -> Page[Price]:
    """How the price of YES moved, oldest first."""
    points = snapshot.price_history(market_id, offset=paging.offset, limit=paging.limit)
    return _part(snapshot, 1 + snapshot.count(BetPlaced, market_id=market_id), points)


@router.get("/events")
def events(snapshot: AtHead, paging: Paged) -> Page[EventState]:
    """All events of staked tickets, oldest first."""
    rows = snapshot.events(offset=paging.offset, limit=paging.limit)
    return _part(snapshot, snapshot.count(EventCreated), rows)


@router.get("/events/{event_id}", responses=MISSING)
def event(snapshot: AtHead, event_id: Id) -> Answer[EventState]:
    """One event."""
    return _answer(snapshot, snapshot.event(event_id))


@router.get("/events/{event_id}/predictors", responses=MISSING)
def predictors(snapshot: AtHead, event_id: Id, paging: Paged) -> Page[Prediction]:
    """Whoever has a prediction in an event."""
    some = snapshot.predictors(event_id, offset=paging.offset, limit=paging.limit)
    return _part(snapshot, snapshot.count_predictors(event_id), some)


@router.get("/events/{event_id}/winners", responses=MISSING)
def winners(snapshot: AtHead, event_id: Id, paging: Paged) -> Page[Prediction]:
    """Who was right in a settled event and is not paid."""
    some = snapshot.winners(event_id, offset=paging.offset, limit=paging.limit)
    return _part(snapshot, snapshot.count_winners(event_id), some)


@router.get("/forfeited")
def forfeited(snapshot: AtHead, paging: Paged) -> Page[Prediction]:
    """Predictions that anybody can purge."""
    some = snapshot.forfeited(offset=paging.offset, limit=paging.limit)
    return _part(snapshot, snapshot.count_forfeited(), some)


@router.get("/weeks")
def weeks(snapshot: AtHead, paging: Paged) -> Page[Week]:
    """The prize weeks that are closed, oldest first."""
    some = snapshot.prize_history(offset=paging.offset, limit=paging.limit)
    return _part(snapshot, snapshot.count(PeriodClosed), some)


@router.get("/accounts/{account}/portfolio")
def portfolio(snapshot: AtHead, account: str) -> Answer[Portfolio]:
    """All that an account has and had."""
    return _answer(snapshot, snapshot.portfolio(_address(account)))


@router.get("/accounts/{account}/ledger")
def ledger(snapshot: AtHead, account: str, paging: Paged) -> Page[LedgerLine]:
    """Every movement of an account's Escrow balance, oldest first."""
    account = _address(account)
    lines = snapshot.ledger(account, offset=paging.offset, limit=paging.limit)
    return _part(snapshot, snapshot.count(Entry, account=account), lines)


@router.get("/leaderboard")
def leaderboard(request: Request, response: Response, paging: Paged) -> Page[Standing]:
    """Everybody who ever had to do with a market, greatest profit first."""
    leaders: Leaders = request.app.state.leaders
    with leaders.followed() as (snapshot, board):
        _tag(snapshot, request, response)
        return _part(snapshot, len(board), board.standings(paging.offset, paging.limit))


class Leaders:
    """The leaderboard of an index, for one thread at a time."""

    def __init__(self, index: Index):
        self._index, self._lock = index, Lock()
        self._board = Leaderboard(index.contracts.get("LmsrMarkets", ""))

    @contextmanager
    def followed(self) -> Iterator[tuple[Snapshot, Leaderboard]]:
        """A snapshot, and the leaderboard as of it."""
        # The snapshot is taken in turn, too: no board has to go back to an earlier block.
        with self._lock, self._index.snapshot() as snapshot:
            self._board.follow(snapshot)
            yield snapshot, self._board

    def follow(self) -> None:
        """Counts what is new before somebody asks."""
        with suppress(NoIndexError), self.followed():
            pass


def attach(app: FastAPI, index: Index, syncer: Syncer | None, leaders: Leaders) -> None:
    """Has the routes of `router` answer from an index, in an app that includes them."""
    app.state.index, app.state.syncer, app.state.leaders = index, syncer, leaders
    app.state.readers = asyncio.Semaphore(READERS)


def app_of(index: Index, syncer: Syncer | None = None, *, per_second: float = 0) -> FastAPI:
    """The API of an index; `syncer`, if any, lives as long as the app. `per_second`: requests of one address, for a
    while six times as many; 0: any number."""

    @asynccontextmanager
    async def living(_: FastAPI):
        if syncer is not None:
            syncer.start()
        yield
        if syncer is not None:
            syncer.stop()

    app = FastAPI(
        title="Tessera event index",
        version="1",
        description="Read only. Amounts are integers in the smallest unit, as decimal strings. Every answer is true as "
        "of the block that it names; its hash is the ETag, so If-None-Match asks whether there is anything new.",
        lifespan=living,
        responses={
            304: {"description": "If-None-Match has the hash of the newest block"},
            429: {"description": "too many requests from one address"},
            503: {"description": NO_ANSWER},
        },
        exception_handlers={NotFoundError: _missing, NoIndexError: _silent},
    )
    attach(app, index, syncer, Leaders(index))
    if syncer is not None:
        syncer.then = app.state.leaders.follow
    if per_second:
        app.add_middleware(Limits, per_second=per_second)
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET"], expose_headers=["ETag"])
    app.include_router(router)
    return app


def _stamp(head: Block) -> dict:
    return {"block": head.number, "block_hash": head.hash, "block_time": head.timestamp}


def _answer(snapshot: Snapshot, answer) -> Answer:
    return Answer(**_stamp(snapshot.head), answer=answer)


def _part(snapshot: Snapshot, total: int, some: list) -> Page:
    return Page(**_stamp(snapshot.head), total=total, answers=some)


def _address(text: str) -> str:
    if not Web3.is_address(text):
        raise HTTPException(422, "not an address")
    return Web3.to_checksum_address(text)
