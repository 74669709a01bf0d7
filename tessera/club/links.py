"""What is linked to from elsewhere: a market with a preview, a feed, a calendar. Nothing that is not on the chain."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from typing import Annotated

import anyio
import feedgenerator
import icalendar
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse

from tessera.chain.blocks import Block
from tessera.chain.lmsr_markets import MarketCreated, MarketFinalized, OutcomeProposed, Status
from tessera.club.node import Node
from tessera.club.people import Club
from tessera.club.picture import picture_of
from tessera.club.refusals import RefusedError
from tessera.index.answers import MarketState
from tessera.model.dates import utc
from tessera.model.text import visible
from tessera.model.units import WAD

MOST_PICTURES = 100  # that are kept
MOST_LISTS = 2  # that are kept: a feed and a calendar
MOST_ENTRIES = 50  # of a feed
MOST_DATES = 200  # of a calendar
A_MINUTE = {"Cache-Control": "public, max-age=60"}

router = APIRouter()
MarketId = Annotated[int, Path(ge=1, lt=2**63)]


class Made:
    """What is made once for all who ask for it, one at a time: pictures of prices, lists of a block. Who waits takes
    none of the threads that answer everybody else."""

    def __init__(self, most: int):
        """`most`: how many are kept."""
        self._most, self._kept = most, OrderedDict[tuple, bytes]()
        self._pen = anyio.CapacityLimiter(1)

    async def of(self, key: tuple, make: Callable[[], bytes]) -> bytes:
        """What has this key."""
        kept = self._kept.get(key)
        return kept or await anyio.to_thread.run_sync(self._made, key, make, limiter=self._pen)

    def _made(self, key: tuple, make: Callable[[], bytes]) -> bytes:
        if key not in self._kept:
            self._kept[key] = make()
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return self._kept[key]


@router.get("/m/{market_id}.png")
async def picture(request: Request, club: Club, market_id: MarketId) -> Response:
    """A market's price as a picture."""
    market = await anyio.to_thread.run_sync(_market, club, market_id)
    key = (market_id, market.p_yes * 1000 // WAD, market.status, market.outcome)
    content = await request.app.state.pictures.of(
        key, lambda: picture_of(visible(market.question), market.p_yes, _summary(market))
    )
    return Response(content, media_type="image/png", headers=A_MINUTE)


@router.get("/m/{market_id}")
def market(club: Club, market_id: MarketId) -> Response:
    """A market's link: what a group chat shows of it, and the way on for browsers."""
    state, link = _market(club, market_id), club.settings.market_link(market_id)
    tags = {
        "og:type": "website",
        "og:site_name": club.settings.name,
        "og:title": visible(state.question),
        "og:description": _summary(state),
        "og:url": link,
        # Another address for another price: chats keep pictures for long.
        "og:image": f"{link}.png?p={state.p_yes * 1000 // WAD}",
        "og:image:width": "1200",
        "og:image:height": "630",
    }
    lines = "".join(f'<meta property="{name}" content="{escape(value)}">' for name, value in tags.items())
    target = f"{club.settings.url}/#/markets/{market_id}"
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(tags["og:title"])}</title>{lines}'
        f'<meta name="twitter:card" content="summary_large_image"><meta http-equiv="refresh" content="0; url={target}">'
        f'</head><body><a href="{target}">{escape(tags["og:title"])}</a></body></html>',
        headers=A_MINUTE,
    )


@router.get("/atom.xml")
async def feed(request: Request, club: Club) -> Response:
    """New markets and results, newest first (Atom)."""
    head = await anyio.to_thread.run_sync(_head, club)
    content = await request.app.state.lists.of(("feed", head), lambda: _feed(club))
    return Response(content, media_type="application/atom+xml", headers=A_MINUTE)


@router.get("/calendar.ics")
async def calendar(request: Request, club: Club) -> Response:
    """When markets close, and when their results are expected, of those that have none yet."""
    head = await anyio.to_thread.run_sync(_head, club)
    content = await request.app.state.lists.of(("calendar", head), lambda: _calendar(club))
    return Response(content, media_type="text/calendar; charset=utf-8", headers=A_MINUTE)


def _head(club: Node) -> Block:
    with club.index.snapshot() as snapshot:
        return snapshot.head


def _feed(club: Node) -> bytes:
    settings = club.settings
    atom = feedgenerator.Atom1Feed(
        settings.name, f"{settings.url}/", "Markets and results", feed_url=f"{settings.url}/atom.xml"
    )
    with club.index.snapshot() as snapshot:
        rows = list(snapshot.rows(MarketCreated, OutcomeProposed, MarketFinalized))
        questions = {row.market_id: visible(row.terms.question) for row in rows if isinstance(row, MarketCreated)}
    for row in reversed(rows[-MOST_ENTRIES:]):
        link, at = settings.market_link(row.market_id), datetime.fromtimestamp(row.timestamp, UTC)
        title = f"{_headline(row)}: {questions[row.market_id]}"
        name = f"{settings.url}/{row.transaction}-{row.log_index}"
        atom.add_item(title, link, title, pubdate=at, updateddate=at, unique_id=name)
    return atom.writeString("utf-8").encode()


def _calendar(club: Node) -> bytes:
    settings, dates = club.settings, icalendar.Calendar()
    dates.add("prodid", "-//Tessera//club//EN")
    dates.add("version", "2.0")
    dates.add("x-wr-calname", settings.name)
    with club.index.snapshot() as snapshot:
        count, head = snapshot.count(MarketCreated), snapshot.head
        states = snapshot.markets(offset=max(0, count - MOST_DATES), limit=MOST_DATES)
    for state in states:
        if state.status in (Status.AWAITING, Status.OPEN, Status.CLOSED):
            for name, what, at in (
                ("closes", "Last bets", state.closes_at),
                ("result", "Result expected", state.expected_result_at),
            ):
                entry = icalendar.Event()
                entry.add("uid", f"{name}-{state.market_id}@{settings.domain}")
                entry.add("dtstamp", datetime.fromtimestamp(head.timestamp, UTC))
                entry.add("dtstart", datetime.fromtimestamp(at, UTC))
                entry.add("summary", f"{what}: {visible(state.question)}")
                entry.add("url", settings.market_link(state.market_id))
                dates.add_component(entry)
    return dates.to_ical()


def _market(club: Node, market_id: int) -> MarketState:
    with club.index.snapshot() as snapshot:
        if market_id > snapshot.count(MarketCreated):
            raise RefusedError("no_market", f"There is no market {market_id}.")
        return snapshot.market(market_id)


def _summary(market: MarketState) -> str:
    percent = round(market.p_yes * 100 / WAD)
    if market.status in (Status.RESOLVED, Status.INVALID):
        return f"It ended {market.outcome.name}." if market.outcome else "It has ended."
    if market.status == Status.OPEN:
        return f"YES {percent} %, NO {100 - percent} %. Bets until {utc(market.closes_at)}."
    return f"YES {percent} %, NO {100 - percent} %. No more bets."


def _headline(row: MarketCreated | OutcomeProposed | MarketFinalized) -> str:
    if isinstance(row, MarketCreated):
        return "New market"
    return f"{'Proposed' if isinstance(row, OutcomeProposed) else 'Ended'} {row.outcome.name}"
