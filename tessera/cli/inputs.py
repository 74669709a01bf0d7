"""What people type: amounts, shares of the whole, times, addresses, outcomes. Each is read exactly or refused."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import click

from tessera.model.units import WAD, Outcome

ALL = "all"
MOST = 2**256 - 1  # that a contract can count
LATEST = 253_402_300_799  # the last second of 9999


class Money(click.ParamType):
    """An amount, as integer of the smallest unit."""

    name = "amount"
    example = "12.50"

    def __init__(self, decimals: int = 6, *, zero: bool = False):
        self.decimals, self.zero = decimals, zero

    def convert(self, value, param, ctx) -> int:
        digits = re.fullmatch(r"([0-9]+)(?:\.([0-9]+))?", value)
        if digits is None:
            example = f"say an amount like {self.example}"
            self.fail(f"{value}: {example}; digits and a point, without a separator of thousands", param, ctx)
        whole, part = digits[1].lstrip("0"), (digits[2] or "").rstrip("0")
        if len(part) > self.decimals:
            self.fail(f"{value}: at most {self.decimals} digits behind the point", param, ctx)
        if len(whole) > len(str(MOST)) or (units := int(whole + part.ljust(self.decimals, "0") or "0")) > MOST:
            self.fail(f"{value}: more than a contract can count", param, ctx)
        if not units and not self.zero:
            self.fail(f"{value}: more than 0", param, ctx)
        return units


class MoneyOrAll(click.ParamType):
    """An amount as Money takes it, or ALL."""

    name = "amount"

    def __init__(self, decimals: int = 6):
        self._money = Money(decimals)
        self._money.example = "12.50 or all"

    def convert(self, value, param, ctx) -> int | str:
        return ALL if value == ALL else self._money.convert(value, param, ctx)


class Share(click.ParamType):
    """A part of the whole between two bounds, as WAD: 62%, 62 or 0.62."""

    name = "percent"

    def __init__(self, least: str, most: str):
        self.least, self.most = Decimal(least), Decimal(most)

    def convert(self, value, param, ctx):
        digits = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,18})?)(%?)", value)
        if digits is None:
            self.fail(f"{value}: say 62% or 0.62", param, ctx)
        share = Decimal(digits[1])
        if digits[2] or share >= 1:
            share /= 100
        if not self.least <= share <= self.most:
            self.fail(f"{value}: between {self.least:%} and {self.most:%}", param, ctx)
        return int(share * WAD)


class Time(click.ParamType):
    """A time: "3d", "12h", "90m" from now, as timedelta; or a date and time, UTC without an offset, as unix seconds."""

    name = "time"

    def convert(self, value, param, ctx):
        if ahead := re.fullmatch(r"([0-9]{1,5})([dhm])", value):
            return timedelta(**{{"d": "days", "h": "hours", "m": "minutes"}[ahead[2]]: int(ahead[1])})
        try:
            at = datetime.fromisoformat(value)
            seconds = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError):
            example = "3d, 12h, 90m, 2027-01-31T18:00 (which is UTC) or 2027-01-31T18:00+01:00"
            self.fail(f"{value}: say {example}", param, ctx)
        if not 0 < seconds <= LATEST:
            self.fail(f"{value}: before 1970, or after 9999", param, ctx)
        return seconds


class Address(click.ParamType):
    """An address in any case, with its checksum; one in mixed case whose checksum is wrong was mistyped."""

    name = "address"

    def convert(self, value, param, ctx):
        if not re.fullmatch(r"0x[0-9a-fA-F]{40}", value):
            self.fail(f"{value} is not an address: 0x and 40 hexadecimal digits", param, ctx)
        from eth_utils.address import to_checksum_address

        address = to_checksum_address(value)
        if value not in (address, value.lower(), f"0x{value[2:].upper()}"):
            self.fail(f"{value}: its checksum is wrong, a character was mistyped", param, ctx)
        return address


class OneOf(click.Choice):
    """One of some outcomes by its name, as Outcome."""

    def __init__(self, *outcomes: Outcome):
        super().__init__([str(outcome.name).lower() for outcome in outcomes], case_sensitive=False)

    def convert(self, value, param, ctx):
        return Outcome[super().convert(value, param, ctx).upper()]


class BetName(click.ParamType):
    """A hosted bet: its number at its host, or its id or how that begins, as text in lower case."""

    name = "bet"

    def convert(self, value, param, ctx) -> str:
        if not re.fullmatch(r"[0-9]{1,9}|0x[0-9a-fA-F]{6,64}", value):
            self.fail(f"{value}: the number at its host, or its id: 0x and at least 6 hexadecimal digits", param, ctx)
        return value.lower() if value.startswith("0x") else str(int(value))


ACCOUNT = click.argument("account", required=False, metavar="[ADDRESS]", type=Address())
BET = click.argument("bet", metavar="BET", type=BetName())
MARKET = click.argument("market_id", metavar="MARKET", type=click.IntRange(1))
OUTCOME = click.argument("outcome", type=OneOf(*Outcome))
SIDE = click.argument("side", type=OneOf(Outcome.YES, Outcome.NO))
YES_TO_ALL = click.option("--yes", "-y", is_flag=True, help="Do not ask whether to go on.")
