"""club.toml: what a node is told, read and checked; every mistake names its key and what is allowed."""

import tomllib
from collections.abc import Sequence
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from tessera.chain.accounts import text_of
from tessera.chain.errors import ChainError

ETHER, GWEI = 10**18, 10**9
ENTRY_GAS = 170_000  # what joining takes, rounded up
BET_GAS = 60_000  # a bet, rounded up


class SettingsError(ChainError):
    """club.toml cannot be taken as it is: the message has all of its faults."""

    code = "settings"


def _wei(unit: int) -> BeforeValidator:
    def convert(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError("a number")
        wei = Decimal(str(value)) * unit
        if wei != int(wei) or wei < 0:
            raise ValueError("0 or more, to the wei")
        return int(wei)

    return BeforeValidator(convert)


Eth = Annotated[int, _wei(ETHER)]  # in the file ETH, here wei
Gwei = Annotated[int, _wei(GWEI)]
Network = IPv4Network | IPv6Network
Message = Literal["market", "proposal", "dispute", "result", "gas"]


def _network(value: Any) -> Network:
    try:
        return ip_network(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("an address or a network (10.0.0.0/8), no name and no *") from None


def is_among(networks: Sequence[Network], host: str) -> bool:
    """Whether an address, of either version, is in one of some networks."""
    try:
        address = ip_address(host)
    except ValueError:
        return False  # of a socket's file
    return any(address in network for network in networks)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gas(_Part):
    """What members get. `budget` and `own` are wei a day, `max_price` wei for a unit of gas."""

    budget: Eth
    members: int = Field(40, ge=1, le=1_000)
    bets: int = Field(20, ge=1, le=1_000)
    own: Eth = 10**16
    max_price: Gwei | None = None

    @property
    def quota(self) -> int:
        """What a member gets in a day at most, wei: all members together never more than the budget."""
        return self.budget // self.members


class Limits(_Part):
    """What strangers may do: requests and calls to the chain's node, a second and address; open event streams."""

    requests: float = Field(50, gt=0)
    calls: float = Field(100, gt=0)
    streams: int = Field(16, ge=1)
    all_streams: int = Field(500, ge=1)
    connections: int = Field(100, ge=1)  # of one address
    at_once: int = Field(32, ge=1)  # requests of one address that are under way


class Settings(_Part):
    """One node. Paths are relative to the file."""

    name: str = Field(min_length=1, max_length=60)
    url: str = Field(pattern=r"^https?://[^/?#]+$")  # as members open it
    rpc: str = Field(pattern=r"^https?://")
    record: Path
    page: Path
    database: str = "sqlite:///club.db"
    index: str = "sqlite:///index.db"
    listen: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65_535)
    key_file: Path | None = None
    passphrase_file: Path | None = None
    devnet_account: int | None = Field(None, ge=0, le=19)
    every: float = Field(1.0, gt=0, le=60)  # seconds between looks for new blocks
    confirmations: int = Field(1, ge=0, le=64)
    code_days: int = Field(14, ge=1, le=365)  # that an invitation is good for
    messages_file: Path | None = None  # Apprise's URLs, one a line: they are secrets
    messages: list[Message] = [*get_args(Message)]
    proxies: list[Annotated[Network, BeforeValidator(_network)]] = [IPv4Network("127.0.0.1"), IPv6Network("::1")]
    gas: Gas
    limits: Limits = Limits()  # pyright: ignore[reportCallIssue]  all have defaults

    @model_validator(mode="after")
    def _has_a_key(self) -> "Settings":
        if (self.key_file is None) == (self.devnet_account is None):
            raise ValueError("key_file (or devnet_account, on a devnet): the account that invites and gives gas")
        return self

    @property
    def trusted(self) -> list[Network]:
        """Whose word on a visitor's address is taken: the `proxies`, also where IPv4 comes to a socket of IPv6."""
        mapped = [
            IPv6Network((int(each.network_address) | 0xFFFF << 32, 96 + each.prefixlen))
            for each in self.proxies
            if isinstance(each, IPv4Network)
        ]
        return [*self.proxies, *mapped]

    @property
    def domain(self) -> str:
        """Host and port as members' wallets show them when they sign in."""
        return self.url.partition("://")[2]

    @property
    def cookie(self) -> str:
        """The name of a session's cookie. A browser has one jar for all ports of a host, and each may be a club."""
        port = self.domain.rpartition("]")[2].partition(":")[2]
        return f"tessera_club_{port}" if port else "tessera_club"

    @property
    def is_secure(self) -> bool:
        """Whether members come by https."""
        return self.url.startswith("https:")

    def invitation_link(self, code: str) -> str:
        """What a friend opens; the code is in the fragment, which no server is told."""
        return f"{self.url}/join#{code}"

    def market_link(self, market_id: int) -> str:
        """What shows a market where it is linked, and leads to it."""
        return f"{self.url}/m/{market_id}"


def read_settings(path: Path | str) -> Settings:
    """The settings of a file. Raises SettingsError with all that is wrong in it, ChainError where there is none."""
    return settings_of(text_of(path), Path(path))


def settings_of(text: str, path: Path) -> Settings:
    """The settings of a file that has this text. Raises SettingsError with all that is wrong in it."""
    folder = path.resolve().parent
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is no TOML: {error}") from None
    try:
        settings = Settings.model_validate(table)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in error.errors()]
        raise SettingsError(f"{path}: {'; '.join(faults)}") from None
    paths = ("record", "page", "key_file", "passphrase_file", "messages_file")
    settings = settings.model_copy(
        update={
            **{name: folder / value for name in paths if (value := getattr(settings, name)) is not None},
            **{name: _placed(getattr(settings, name), folder) for name in ("database", "index")},
        }
    )
    _require_apart(settings, path)
    return settings


def _require_apart(settings: Settings, path: Path) -> None:
    """Raises SettingsError where the page's folder, of which all is served to everybody, has what is nobody's."""
    file = settings.database.partition(":///")[2] if settings.database.startswith("sqlite") else ""
    own = [path, settings.key_file, settings.passphrase_file, settings.messages_file, Path(file) if file else None]
    page = settings.page.resolve()
    if inside := [each.name for each in own if each is not None and each.resolve().is_relative_to(page)]:
        raise SettingsError(
            f"{path}: page: everybody can read what is in {page}, and {', '.join(inside)} would be there: "
            "keep the page in a folder of its own"
        )


def _placed(url: str, folder: Path) -> str:
    """A database's URL; a file of SQLite is beside the settings."""
    scheme, separator, file = url.partition(":///")
    return f"{scheme}{separator}{folder / file}" if scheme == "sqlite" and file and not file.startswith("/") else url
