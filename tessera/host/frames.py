"""The JSON frames between a host and its players' clients (docs/host.md shows one of each)."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from tessera.chain.errors import ChainError
from tessera.chain.hosted_bets import HostSignature
from tessera.host.catalogue import Offered
from tessera.host.purse import Purse
from tessera.host.view import Stake, View

EXACT = Context(prec=40, Emax=40, Emin=-40, traps=[Inexact, InvalidOperation, Overflow])
MOST_BYTES = 32_768  # of a message
MOST_BETS = 16  # in a message
Hex = Annotated[str, StringConstraints(pattern=r"^0x([0-9a-fA-F]{2}){1,2048}$")]
Hash = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{64}$", to_lower=True)]


class FrameError(ChainError):
    """A message that is refused: `kind` is the code that is sent, `method` what it is about, if it has one."""

    def __init__(self, code: str, text: str, method: str | None = None):
        super().__init__(text)
        self.kind, self.method = code, method


class _Frame(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class BetInfo(_Frame):
    """A bet that a player chose. The amount is in whole tokens; where `bet_amount_units` is there, that counts."""

    bet_id: int
    desc: str
    prediction: str
    bet_amount: int | Decimal
    bet_amount_units: Annotated[str, StringConstraints(pattern=r"^\d{1,40}$")] | None = None

    def units(self, decimals: int) -> int:
        """The amount in the token's smallest unit. Raises FrameError where it is between two."""
        if self.bet_amount_units is not None:
            return int(self.bet_amount_units)
        try:
            return int(EXACT.to_integral_exact(EXACT.scaleb(Decimal(self.bet_amount), decimals)))
        except ArithmeticError:
            raise FrameError(
                "bad_amount", f"an amount has at most {decimals} decimals, and {EXACT.prec} digits", "bets_selected"
            ) from None


class SignIn(_Frame):
    method: Literal["sign_in"]
    message: Annotated[str, StringConstraints(max_length=2_000)]
    signature: Hex


class BetsSelected(_Frame):
    method: Literal["bets_selected"]
    bets_info: Annotated[list[BetInfo], Field(min_length=1, max_length=MOST_BETS)]


class BetsSigned(_Frame):
    """Signatures of the bets that were sent last, in their order; null for what the player does not sign."""

    method: Literal["bets_signed"]
    signatures: Annotated[list[Hex | None], Field(min_length=1, max_length=MOST_BETS)]


class BetsPlaced(_Frame):
    method: Literal["bets_placed"]
    transactions: Annotated[list[Hash], Field(min_length=1, max_length=MOST_BETS)]


Frame = SignIn | BetsSelected | BetsSigned | BetsPlaced
METHODS = ("sign_in", "bets_selected", "bets_signed", "bets_placed")
_FRAME: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="method")])


def read_frame(text: str) -> Frame:
    """A message as a frame. Raises FrameError."""
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise FrameError("too_large", f"a message has at most {MOST_BYTES:,} bytes")
    try:
        frame = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, ArithmeticError, RecursionError):  # an exponent that Decimal has no room for
        raise FrameError("malformed", "a message is a JSON object") from None
    method = frame.get("method") if isinstance(frame, dict) else None
    if not isinstance(method, str):
        raise FrameError("malformed", 'a message is a JSON object with a "method"')
    if method not in METHODS:
        raise FrameError("unknown_method", f"the methods are {', '.join(METHODS)}", method[:40])
    try:
        return _FRAME.validate_python(frame)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"][1:])
        raise FrameError("bad_frame", f"{place or 'the message'}: {first['msg']}", method) from None


def error_frame(error: ChainError, method: str | None = None) -> dict[str, Any]:
    """What is said to a client whose message, or whose bet, was refused."""
    about = getattr(error, "method", None) or method
    return refusal(getattr(error, "kind", error.code), str(error), about)


def refusal(code: str, text: str, method: str | None, nonce: int | None = None) -> dict[str, Any]:
    """An error as it is sent. `nonce` is of an accepted bet that will not be placed."""
    name = None if nonce is None else str(nonce)
    return {"method": "error", "code": code, "message": text, "in_reply_to": method, "nonce": name}


def bets_frame(
    view: View, account: str | None, decimals: int, vouchers: Mapping[bytes, HostSignature] = MappingProxyType({})
) -> dict[str, Any]:
    """All that a client shows; nothing personal as long as nobody has signed in. `vouchers` are the account's."""
    numbers = {offered.bet_id: offered.bet.number for offered in view.offered}
    mine = view.stakes.get(account, ()) if account else ()
    balance = view.purses.get(account, Purse()).balance if account else 0
    return {
        "method": "bets",
        "balance": _tokens(balance, decimals),
        "balance_units": str(balance),
        "open_bets": [
            _open(view, offered, decimals, vouchers.get(offered.bet_id)) for offered in view.open_bets(account)
        ],
        "placed_bets": [_stake(view, offered, numbers, decimals) for offered in mine if offered.status == "pending"],
        "confirmed_bets": [_stake(view, offered, numbers, decimals) for offered in mine if offered.status != "pending"],
    }


def iso(time: int) -> str:
    """Unix seconds as a date and time in UTC."""
    return datetime.fromtimestamp(time, UTC).isoformat().replace("+00:00", "Z")


def _open(view: View, offered: Offered, decimals: int, voucher: HostSignature | None) -> dict[str, Any]:
    bet, listing = offered.bet, offered.listing
    listed = view.listed.get(offered.bet_id)
    least, most = _tokens(bet.min_stake, decimals), _tokens(bet.max_stake, decimals)
    return {
        "bet_id": bet.number,
        "desc": bet.description,
        "predictions": f"[{','.join(bet.predictions)}]",
        "range": f"[{least}, {most}]",
        "range_units": [str(bet.min_stake), str(bet.max_stake)],
        **_terms(bet.odds, view.closes_at(offered), offered.bet_id, bet.edge),
        "tx": None if listed is None else listed.transaction,
        "bet_status": "pending" if listed is None else "confirmed",
        "contract": offered.contract.address,
        "listing": {name: _plain(value) for name, value in listing._asdict().items()},
        "host_signature": {name: _plain(value) for name, value in offered.offer._asdict().items()},
        "voucher": None if voucher is None else {name: _plain(value) for name, value in voucher._asdict().items()},
    }


def _stake(view: View, stake: Stake, numbers: dict[bytes, int], decimals: int) -> dict[str, Any]:
    listed = view.listed.get(stake.bet_id)
    listing = (
        listed.listing
        if listed
        else next(offered.listing for offered in view.offered if offered.bet_id == stake.bet_id)
    )
    outcome = None if listed is None or listed.outcome is None else listing.predictions[listed.outcome]
    return {
        "bet_id": numbers.get(stake.bet_id),
        "desc": listing.description,
        "prediction": listing.predictions[stake.prediction],
        "bet_amount": _tokens(stake.amount, decimals),
        "bet_amount_units": str(stake.amount),
        **_terms(listing.profits, listed.closes_at if listed else listing.closes_at, stake.bet_id, None),
        "tx": stake.transaction,
        "bet_status": stake.status,
        "outcome": outcome,
    }


def _terms(odds, closes_at: int, bet_id: bytes, edge: float | None) -> dict[str, Any]:
    percents = ", ".join(f"{Decimal(profit) / 10:f}%" for profit in odds)
    return {
        "type": "odds_based" if odds else "prorata",
        "odds": f"({percents})" if odds else None,
        "time_lapse": iso(closes_at),
        "onchain_id": f"0x{bet_id.hex()}",
        "edge": edge,
    }


def _plain(value: Any) -> Any:
    """A part of a listing, exact in any JSON: numbers as decimal strings, bytes as hex."""
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _tokens(units: int, decimals: int) -> int | float:
    """Whole tokens, for display."""
    whole, rest = divmod(units, 10**decimals)
    return whole if rest == 0 else float(Decimal(units).scaleb(-decimals))


def _no_number(text: str) -> None:
    raise ValueError(text)
