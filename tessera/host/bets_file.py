"""bets.ini: the bets of a host, read and checked; every fault names section, key and what is allowed."""

import configparser
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator
from web3 import Web3

from tessera.chain.accounts import text_of
from tessera.chain.errors import ChainError
from tessera.host.questions import INVALID_NAME
from tessera.model.odds import margin

DEFAULTS = "bets"
SECTION = re.compile(r"bets:(0|[1-9]\d{0,8})")
DATE = re.compile(r"(\d\d)/(\d\d)/(\d{4}):(\d\d)/(\d\d)/(\d\d)")  # day, month, year, second, minute, hour
MOST_DESCRIPTION, MOST_PREDICTION = 256, 64  # bytes, as in IHostedBets
MOST_STAKE, MOST_PROFIT, MOST_BPS = 2**84 - 1, 2**16 - 1, 1_000  # of a listing, as in the contracts
YES_NO = {"yes": True, "no": False}
ALLOWED = {
    "desc": "a description of 1 to 256 bytes",
    "predictions": f"[win,loss]: 2 to 16 different ones, each of 1 to 64 bytes, none of them {INVALID_NAME!r}",
    "range": "[1, 100]: the least and the greatest stake in whole tokens",
    "type": "prorata or odds_based",
    "odds": "(80%, 110%): a profit for each prediction, 0.1% to 6553.5% in steps of 0.1%",
    "time_lapse": "when betting ends, in UTC: 2026-12-31T18:30, or day/month/year:second/minute/hour "
    "as in 31/12/2026:00/30/18",
    "private": "no, or the addresses of those who may bet, with commas between them",
    "panel": "the number of a panel, decimal or 0x, as `ape run validator create` prints it; --panel says it for all",
    "commission": "5%, 5%: the host's and the validators', each 0% to 10% in steps of 0.01%; 0% for the host with odds",
    "bankroll": "what the host backs its odds with, in whole tokens",
    "allow_loss": "yes or no",
}


class FileError(ChainError):
    """bets.ini, or one of its sections, cannot be taken as it is: `faults` are all of its faults."""

    code = "bets_file"

    def __init__(self, faults: list[str]):
        super().__init__("; ".join(faults))
        self.faults = faults


class Section(BaseModel):
    """A section as it stands in the file, with what it lacks taken from the defaults. Money in units of the token.

    `closes_at` is None where the file does not say when betting ends.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    desc: str
    predictions: tuple[str, ...]
    range: tuple[Decimal, Decimal]
    type: str
    odds: tuple[int, ...] = ()
    time_lapse: int | None = None
    private: tuple[str, ...] | None = None
    panel: int
    commission: tuple[int, int]
    bankroll: Decimal = Decimal(0)
    allow_loss: bool = False

    @field_validator("desc")
    @classmethod
    def _is_described(cls, text: str) -> str:
        return _sized(text, MOST_DESCRIPTION)

    @field_validator("predictions", mode="before")
    @classmethod
    def _are_predictions(cls, text: str) -> tuple[str, ...]:
        names = tuple(_sized(name, MOST_PREDICTION) for name in _listed(text))
        if not 2 <= len(names) <= 16 or len(set(names)) < len(names) or INVALID_NAME in names:
            raise ValueError(text)
        return names

    @field_validator("range", mode="before")
    @classmethod
    def _is_range(cls, text: str) -> tuple[Decimal, ...]:
        least, most = map(_number, _listed(text))
        if not 0 < least <= most:
            raise ValueError(text)
        return least, most

    @field_validator("type", mode="before")
    @classmethod
    def _is_type(cls, text: str) -> str:
        kind = "odds_based" if text == "odd_based" else text
        if kind not in ("prorata", "odds_based"):
            raise ValueError(text)
        return kind

    @field_validator("odds", mode="before")
    @classmethod
    def _are_odds(cls, text: str) -> tuple[int, ...]:
        return tuple(_percent(percent, steps=10, most=MOST_PROFIT, least=1) for percent in _listed(text))

    @field_validator("time_lapse", mode="before")
    @classmethod
    def _is_time(cls, text: str) -> int:
        if match := DATE.fullmatch(text):
            day, month, year, second, minute, hour = map(int, match.groups())
            return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
        time = datetime.fromisoformat(text)
        return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())

    @field_validator("private", mode="before")
    @classmethod
    def _are_admitted(cls, text: str) -> tuple[str, ...] | None:
        if text == "no":
            return None
        accounts = _listed(text)
        if not accounts or not all(Web3.is_address(account) and int(account, 16) for account in accounts):
            raise ValueError(text)
        return tuple(map(Web3.to_checksum_address, accounts))

    @field_validator("panel", mode="before")
    @classmethod
    def _is_panel(cls, text: str) -> int:
        number = int(text, 0)
        if not 0 <= number < 2**256:
            raise ValueError(text)
        return number

    @field_validator("commission", mode="before")
    @classmethod
    def _are_commissions(cls, text: str) -> tuple[int, ...]:
        host, validators = (_percent(percent, steps=100, most=MOST_BPS) for percent in _listed(text))
        return host, validators

    @field_validator("bankroll", mode="before")
    @classmethod
    def _is_bankroll(cls, text: str) -> Decimal:
        return _number(text)

    @field_validator("allow_loss", mode="before")
    @classmethod
    def _is_yes_or_no(cls, text: str) -> bool:
        if text not in YES_NO:
            raise ValueError(text)
        return YES_NO[text]

    @model_validator(mode="before")
    @classmethod
    def _with_defaults(cls, section: dict[str, str]) -> dict[str, str]:
        kind = section.get("type") or ("odds_based" if "odds" in section else "prorata")
        commission = "5%, 5%" if kind == "prorata" else "0%, 1%"
        return {"type": kind, "commission": commission, **section}

    @property
    def has_odds(self) -> bool:
        return self.type == "odds_based"


class Bet(BaseModel):
    """A bet of the file. Money in the token's smallest unit, odds in tenths of a percent, commissions in basis points.

    `salt` is the hash of all that makes the bet what it is; not of what the clock fills in, nor of its number.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    salt: bytes
    description: str
    predictions: tuple[str, ...]
    odds: tuple[int, ...]
    min_stake: int
    max_stake: int
    closes_at: int | None
    panel_id: int
    host_bps: int
    validator_bps: int
    admitted: tuple[str, ...] | None
    bankroll: int

    @property
    def has_odds(self) -> bool:
        return bool(self.odds)

    @property
    def edge(self) -> float | None:
        """What a balanced book keeps of each unit staked, below 0 where it loses; None without odds."""
        return None if not self.odds else float(edge_of(self.odds, self.validator_bps))


def edge_of(odds: tuple[int, ...], validator_bps: int) -> Fraction:
    """1 - f - 1 / Σ 1 / (1 + p): what the host keeps of the stakes where each outcome is owed the same."""
    return margin(odds) - Fraction(validator_bps, 10_000)


def read_bets(path: Path | str, *, decimals: int, defaults: Mapping[str, str] | None = None) -> list[Bet]:
    """The bets of a file, by number. `defaults` are the command line's, below those of [bets].

    Raises FileError with all that is wrong in it, ChainError where there is no such file.
    """
    parser = configparser.ConfigParser(interpolation=None, default_section="", delimiters=("=",), strict=True)
    try:
        parser.read_string(text_of(path))
    except configparser.Error as error:
        raise FileError([f"{path}: {' '.join(str(error).split())}"]) from None
    common = {**(defaults or {}), **(parser[DEFAULTS] if parser.has_section(DEFAULTS) else {})}
    faults, bets = [], []
    for name in parser.sections():
        if name == DEFAULTS:
            faults += [f"[{name}] {key} is unknown: {', '.join(ALLOWED)}" for key in parser[name] if key not in ALLOWED]
        elif (match := SECTION.fullmatch(name)) is None:
            faults.append(f"[{name}] is no section of bets: [{DEFAULTS}] has defaults, [{DEFAULTS}:0] is a bet")
        else:
            try:
                bets.append(_bet(int(match[1]), {**common, **parser[name]}, decimals))
            except FileError as error:
                faults += error.faults
    by_salt: dict[bytes, int] = {}
    for bet in bets:
        if (first := by_salt.setdefault(bet.salt, bet.number)) != bet.number:
            faults.append(
                f"[bets:{bet.number}] is the same bet as [bets:{first}]: leave one out, or describe both apart"
            )
    if not bets and not faults:
        faults.append(f"{path} has no bet: the first is in a section [{DEFAULTS}:0]")
    if faults:
        raise FileError(faults)
    return sorted(bets, key=lambda bet: bet.number)


def _bet(number: int, found: Mapping[str, str], decimals: int) -> Bet:
    name = f"[{DEFAULTS}:{number}]"
    try:
        section = Section.model_validate({key: value.strip() for key, value in found.items()})
    except ValidationError as error:
        raise FileError([_fault(name, fault) for fault in error.errors(include_url=False)]) from None
    unit = 10**decimals
    least, most, bankroll = (amount * unit for amount in (*section.range, section.bankroll))
    host_bps, validator_bps = section.commission
    faults = []
    if any(amount != int(amount) for amount in (least, most, bankroll)):
        faults.append(f"{name} range and bankroll: the token has {decimals} decimals")
    if most > MOST_STAKE:
        faults.append(f"{name} range: the greatest stake is at most {MOST_STAKE // unit} tokens")
    if section.has_odds and len(section.odds) != len(section.predictions):
        faults.append(f"{name} odds: {len(section.odds)} for {len(section.predictions)} predictions, one for each")
    elif not section.has_odds and section.odds:
        faults.append(f"{name} odds: a bet of type prorata has none")
    elif not section.has_odds and section.bankroll:
        faults.append(f"{name} bankroll: a bet of type prorata has none")
    elif section.has_odds and host_bps:
        faults.append(f"{name} commission: with odds the host's is 0%, it keeps what the odds leave")
    elif section.has_odds and not section.allow_loss and edge_of(section.odds, validator_bps) <= 0:
        faults.append(
            f"{name} odds: a balanced book keeps {float(edge_of(section.odds, validator_bps)):.2%} of all stakes, and "
            "players alone never cover each other; lower the odds, or say allow_loss = yes"
        )
    if faults:
        raise FileError(faults)
    bet = Bet(
        number=number,
        salt=b"",
        description=section.desc,
        predictions=section.predictions,
        odds=section.odds,
        min_stake=int(least),
        max_stake=int(most),
        closes_at=section.time_lapse,
        panel_id=section.panel,
        host_bps=host_bps,
        validator_bps=validator_bps,
        admitted=section.private,
        bankroll=int(bankroll),
    )
    return bet.model_copy(update={"salt": _salt(bet)})


def _salt(bet: Bet) -> bytes:
    """Whom a host admits and with what it backs its odds may change while a bet is open."""
    content = bet.model_dump(exclude={"number", "salt", "admitted", "bankroll"}) | {"private": bet.admitted is not None}
    return keccak(json.dumps(content, sort_keys=True).encode())


def _fault(name: str, fault: Any) -> str:
    key = str(fault["loc"][0])
    if fault["type"] == "missing":
        return f"{name} {key} is missing: {ALLOWED[key]}"
    if fault["type"] == "extra_forbidden":
        return f"{name} {key} is unknown: {', '.join(ALLOWED)}"
    return f"{name} {key} = {fault['input']}: not allowed; it is {ALLOWED[key]}"


def _listed(text: str) -> list[str]:
    """The items of a list with commas, in brackets, parentheses or neither."""
    for opening, closing in ("[]", "()"):
        if text.startswith(opening) or text.endswith(closing):
            text = text.removeprefix(opening).removesuffix(closing)
    return [item.strip() for item in text.split(",")]


def _sized(text: str, most: int) -> str:
    if not 1 <= len(text.encode()) <= most or not text.isprintable():
        raise ValueError(text)
    return text


def _number(text: str) -> Decimal:
    # "1,000" is a list of two, and "1e3" a riddle.
    if re.fullmatch(r"\d+(\.\d+)?", text) is None:
        raise ValueError(text)
    return Decimal(text)


def _percent(text: str, *, steps: int, most: int, least: int = 0) -> int:
    """A percentage in parts of a percent, `steps` of them. Raises ValueError for what is between two of them."""
    parts = _number(text.removesuffix("%").strip()) * steps
    if parts != int(parts) or not least <= parts <= most:
        raise ValueError(text)
    return int(parts)
