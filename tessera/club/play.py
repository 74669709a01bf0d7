"""`/club`, for those who play: what waits for a member, and turns in a market that takes one bet every few seconds."""

import time
from contextlib import suppress
from dataclasses import asdict
from math import ceil
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from tessera.chain.deployments import LOCAL_CHAINS, Tessera
from tessera.chain.errors import Reverted
from tessera.chain.lmsr_markets import BET_INTERVAL, BetPlaced, Status
from tessera.club.node import Node
from tessera.club.people import Club, InClub
from tessera.club.refusals import RefusedError
from tessera.club.waiting import waiting_for
from tessera.index.snapshot import NoIndexError

MOST_TURNS = 50  # in a market, and of an account
SLOW_PHONE = 20.0  # seconds that a phone is waited for that says nothing
LONGEST_TURN = 120.0  # that one is waited for in an hour, in a market
LOCAL_SECONDS = 2  # between blocks of a devnet
SAMPLE = 20  # blocks that show how fast a chain is
LONGEST_BLOCK = 15

router = APIRouter(prefix="/club")
MarketId = Annotated[int, Field(ge=1, lt=2**31)]


class Wish(BaseModel):
    """A market that somebody wants to bet on."""

    market_id: MarketId


@router.get("/waiting")
def waiting(club: Club, account: InClub) -> dict[str, Any]:
    """What waits for the member, with deadlines."""
    with club.index.snapshot() as snapshot:
        now = max(int(time.time()), snapshot.head.timestamp)
        items = waiting_for(snapshot, account, now)
        return {"block": snapshot.head.number, "now": now, "items": [asdict(item) for item in items]}


@router.post("/turns")
def take_turn(club: Club, account: InClub, wish: Wish) -> dict[str, Any]:
    """A place and a time for a bet; asking again returns the same until it has passed."""
    try:
        market = club.market(wish.market_id)
    except Reverted:
        raise RefusedError("no_market", f"There is no market {wish.market_id}.") from None
    if market.status != Status.OPEN:
        raise RefusedError("not_open", "This market takes no bets now.")
    now = _now(club)
    _end_used_turns(club, wish.market_id, now)
    apart = seconds_apart(club.tessera)
    next_bet_at = float(market.last_bet_at + BET_INTERVAL)
    turn = club.store.turn(
        wish.market_id,
        account,
        now=now,
        first=max(now, next_bet_at),
        apart=apart,
        lasts=max(SLOW_PHONE, 2 * apart),
        longest=LONGEST_TURN,
        most=MOST_TURNS,
    )
    # Whose turn was to be earlier may have bet late.
    at = turn.at if turn.place else max(turn.at, next_bet_at)
    return {
        "market_id": turn.market_id,
        "place": turn.place,
        "at": at,
        "seconds": max(0.0, at - now),
        "ends_at": turn.ends_at,
    }


@router.delete("/turns/{market_id}", status_code=204)
def leave_turn(club: Club, account: InClub, market_id: Annotated[MarketId, Path()]) -> None:
    """Gives a turn back, before the bet or after it."""
    club.store.end_turn(market_id, account, _now(club))


def _now(club: Node) -> float:
    """The time that turns go by, unix seconds: the chain's may be ahead of this machine's."""
    head = club.syncer.head
    return max(time.time(), head.timestamp if head else 0)


def _end_used_turns(club: Node, market_id: int, now: float) -> None:
    """Whose bet is in has no turn any more: phones are put away as soon as they have sent it."""
    turns = club.store.turns(market_id, now)
    if not turns:
        return
    with suppress(NoIndexError), club.index.snapshot() as snapshot:
        for account, bet in snapshot.newest(BetPlaced, "account", list(turns)).items():
            # A turn begins five seconds after the last bet that there was when it was asked for, or later.
            if bet.market_id == market_id and bet.timestamp > turns[account] - BET_INTERVAL:
                club.store.end_turn(market_id, account, min(now, bet.timestamp), turns[account])


_block_seconds: dict[int, float] = {}


def seconds_apart(tessera: Tessera) -> float:
    """Seconds between two bets on a market: as many blocks as five seconds take, and no less."""
    chain_id = tessera.deployment.chain_id
    if chain_id not in _block_seconds:
        if chain_id in LOCAL_CHAINS:  # where blocks come when somebody sends
            _block_seconds[chain_id] = LOCAL_SECONDS
        else:
            eth = tessera.web3.eth
            newest = eth.get_block("latest")
            older = eth.get_block(max(0, newest.get("number", 0) - SAMPLE))
            took = newest.get("timestamp", 0) - older.get("timestamp", 0)
            _block_seconds[chain_id] = min(LONGEST_BLOCK, max(0.1, took / SAMPLE))
    block = _block_seconds[chain_id]
    return ceil(BET_INTERVAL / block) * block
