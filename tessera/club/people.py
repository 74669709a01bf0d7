"""`/club`: who is in, gas, sessions, names. Amounts in wei are decimal strings, times unix seconds."""

import time
from dataclasses import asdict
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from hexbytes import HexBytes
from pydantic import BaseModel, BeforeValidator, Field
from web3 import Web3

from tessera.chain.contract import ZERO_ADDRESS
from tessera.chain.lmsr_markets import BET_INTERVAL
from tessera.chain.play_euro import Invited, Joined, Uninvited
from tessera.chain.signatures import is_signed_by_code, signer_of
from tessera.club import sign_in
from tessera.club.gas import Purse
from tessera.club.names import name_of, statement
from tessera.club.node import Node
from tessera.club.refusals import RefusedError
from tessera.club.settings import ENTRY_GAS
from tessera.club.store import Member

AHEAD = 600  # seconds that a statement's time may be ahead of the node's clock
MOST_SIGNATURE = 4_096  # hexadecimal digits: wallets with code have long ones

JOINED, INVITED = "joined", "invited"

router = APIRouter(prefix="/club")


def _address(text: Any) -> str:
    if not isinstance(text, str) or not Web3.is_address(text) or text == ZERO_ADDRESS:
        raise ValueError("an address: 0x and 40 hexadecimal digits")
    return Web3.to_checksum_address(text)


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x") or len(text) > MOST_SIGNATURE:
        raise ValueError("bytes: 0x and hexadecimal digits")
    return bytes(HexBytes(text))


Address = Annotated[str, BeforeValidator(_address)]
Bytes = Annotated[bytes, BeforeValidator(_bytes)]


class Redemption(BaseModel):
    """A code and who wants in by it."""

    code: str = Field(min_length=1, max_length=100)
    account: Address


class Asking(BaseModel):
    """Whom it is about."""

    account: Address


class SignedText(BaseModel):
    """A text of this club's, signed."""

    text: str = Field(max_length=2_000)
    signature: Bytes


class SignedName(BaseModel):
    """What an account says that it is called."""

    account: Address
    name: str = Field(max_length=200)
    issued_at: int = Field(ge=0, lt=2**53)
    signature: Bytes


def node_of(request: Request) -> Node:
    """The node that answers."""
    return request.app.state.node


Club = Annotated[Node, Depends(node_of)]


def member_of(request: Request, club: Club) -> str:
    """The member whose session a request has. Raises RefusedError `no_session`, `replaced_account`."""
    token = request.cookies.get(club.settings.cookie)
    session = club.store.session(token) if token else None
    if session is None:
        raise RefusedError("no_session", "Sign in first.")
    request.app.state.sessions.note(token, session[0])
    return session[0]


InClub = Annotated[str, Depends(member_of)]


@router.get("")
def facts(club: Club) -> dict[str, Any]:
    """What anybody may know of the club."""
    return {
        "name": club.settings.name,
        "chain_id": club.chain_id,
        "play_euro": club.tessera.play_euro.address,
        "members": sum(not member.replaced for member in club.store.members()),
        "most_members": club.settings.gas.members,
        "domain": club.settings.domain,
        "bet_interval": BET_INTERVAL,
    }


@router.post("/join")
def join(club: Club, asked: Redemption) -> dict[str, Any]:
    """Redeems an invitation, and says how far the account is; the same account may repeat it."""
    if club.store.member(asked.account) is None and _standing(club, asked.account) == JOINED:
        raise RefusedError("other_account", "This account has joined already; the invitation is good for a friend.")
    member = club.store.redeem(asked.code.strip(), asked.account, club.settings.gas.members)
    club.sender.wake()
    return {"account": asked.account, **_state(club, asked.account, member)}


@router.get("/accounts/{account}")
def account(club: Club, account: Address) -> dict[str, Any]:
    """How far an account is."""
    member = club.store.member(account)
    state = _state(club, account, member)
    purse = None
    if member is not None and not member.replaced:
        purse = _purse(club.sender.purse(account, joined=state["state"] == JOINED))
    return {"account": account, **state, "gas": purse}


@router.post("/gas")
def gas(club: Club, asked: Asking) -> dict[str, Any]:
    """Looks at a member's gas money at once, and says what becomes of it."""
    member = club.store.member(asked.account)
    if member is None:
        raise RefusedError("not_a_member", "The club gives gas money to those who came by an invitation.")
    if member.replaced:
        raise _replaced()
    purse = club.sender.purse(asked.account, joined=_standing(club, asked.account) == JOINED)
    if purse.state == "coming":
        club.sender.wake()
    return _purse(purse)


@router.get("/challenge")
def challenge(club: Club, account: Annotated[Address, Query()]) -> dict[str, str]:
    """A text whose signature opens a session."""
    return {"text": sign_in.challenge(club.store.secret, account=account, **_audience(club))}


@router.post("/session")
def open_session(request: Request, club: Club, signed: SignedText, response: Response) -> dict[str, Any]:
    """Opens a session of a member."""
    account = sign_in.check(
        club.store.secret, signed.text, signed.signature, web3=club.sender.reader, **_audience(club)
    )
    _require_member(club, account)
    token, ends_at = club.store.open_session(account, seconds=sign_in.SESSION_SECONDS)
    request.app.state.sessions.note(token, account)
    response.set_cookie(
        club.settings.cookie,
        token,
        max_age=sign_in.SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=club.settings.is_secure,
    )
    return {"account": account, "ends_at": ends_at}


@router.get("/session")
def session(request: Request, club: Club, account: InClub) -> dict[str, Any]:
    """Whose session this is, and until when."""
    session = club.store.session(request.cookies[club.settings.cookie])
    return {"account": account, "ends_at": session[1] if session else int(time.time())}


@router.delete("/session", status_code=204)
def close_session(request: Request, club: Club, response: Response) -> None:
    """Ends a session."""
    if token := request.cookies.get(club.settings.cookie):
        club.store.close_session(token)
    response.delete_cookie(club.settings.cookie)


@router.get("/names")
def names(request: Request, club: Club, account: InClub) -> Response:
    """What members are called, to members alone."""
    replaced = {member.account for member in club.store.members() if member.replaced}
    kept = [{**asdict(name), "replaced": name.account in replaced} for name in club.store.names()]
    tag = f'"{sha256(repr(kept).encode()).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return JSONResponse({"names": kept}, headers=headers)


@router.post("/names")
def keep_name(club: Club, signed_name: SignedName) -> dict[str, Any]:
    """Notes what an account is called, by its own word."""
    name = name_of(signed_name.name)
    if signed_name.issued_at > time.time() + AHEAD:
        raise RefusedError("bad_time", "The statement is of a later time: set your clock.")
    signed = statement(
        club.chain_id, club.tessera.play_euro.address, signed_name.account, signed_name.name, signed_name.issued_at
    )
    if signer_of(signed, signed_name.signature) != signed_name.account and not is_signed_by_code(
        club.sender.reader, signed_name.account, signed, signed_name.signature
    ):
        raise RefusedError("bad_signature", f"This is not signed by {signed_name.account}.")
    _require_member(club, signed_name.account)
    club.store.keep_name(signed_name.account, name, signed_name.issued_at, signed_name.signature)
    return {"account": signed_name.account, "name": name.text, "issued_at": signed_name.issued_at}


def _audience(club: Node) -> dict[str, Any]:
    return {"domain": club.settings.domain, "url": club.settings.url, "chain_id": club.chain_id}


def _require_member(club: Node, account: str) -> None:
    member = club.store.member(account)
    if member is not None and member.replaced:
        raise _replaced()
    if member is None and _standing(club, account) != JOINED:
        raise RefusedError("not_a_member", "This account is no member of the club: open an invitation first.")


def _standing(club: Node, account: str) -> str:
    """What the chain says of an account, as far as the index has read it: "joined", "invited" or nothing."""
    with club.index.snapshot() as snapshot:
        if next(snapshot.rows(Joined, account=account), None) is not None:
            return JOINED
        last = [*snapshot.rows(Invited, Uninvited, account=account)][-1:]
        return INVITED if last and isinstance(last[0], Invited) else ""


def _replaced() -> RefusedError:
    return RefusedError("replaced_account", "Who runs the club has replaced this account by a new one.")


def _purse(purse: Purse) -> dict[str, Any]:
    return {
        "state": purse.state,
        "balance": str(purse.balance),
        "target": str(purse.target),
        "given_today": str(purse.given_today),
        "quota": str(purse.quota),
        "again_at": purse.again_at,
        "detail": purse.detail,
    }


def _state(club: Node, account: str, member: Member | None) -> dict[str, str]:
    """How far an account is, and in a sentence."""
    if member is not None and member.replaced:
        return {"state": "replaced", "detail": str(_replaced())}
    standing = _standing(club, account)
    if standing == JOINED:
        return {"state": JOINED, "detail": "This account is in the club."}
    if member is None:
        return {"state": "stranger", "detail": "This account was not invited."}
    trouble = club.sender.trouble
    if standing == INVITED:
        purse = club.sender.purse(account, joined=False)
        if purse.balance >= ENTRY_GAS * club.sender.quote()[0].total:
            return {"state": "ready", "detail": "You are invited, and there is gas: join now."}
        if purse.state == "has_code":  # nothing comes: whoever waited for it would wait for ever
            return {"state": "ready", "detail": f"You are invited: join now. {purse.detail}"}
        if purse.state != "coming":
            trouble = purse.detail
    why = f" ({trouble})" if trouble else ""
    return {"state": "coming", "detail": f"The club lets you in and sends you gas money.{why}"}
