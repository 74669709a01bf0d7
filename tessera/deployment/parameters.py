"""The file that says what `ape run deploy tickets` deploys on a real chain: read, checked, compared with the chain."""

import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from eth_typing import ChecksumAddress
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from web3 import Web3

from tessera.chain.accounts import text_of
from tessera.chain.blocks import block_at, contract_block
from tessera.chain.contract import WAD, ZERO_ADDRESS, address_of
from tessera.chain.errors import ChainError, NodeError, calling
from tessera.deployment.products import FACTORY_ABI, ROUTER_ABI

MAX_ASSETS, MAX_PROPOSERS = 8, 128
MOST_BET = 2**256 // WAD - 1  # that a contract can count
PLACES = ("prize_token", "router", "factory")
VIEWS = tuple(
    {"type": "function", "name": name, "stateMutability": "view", "inputs": [], "outputs": outputs}
    for name, outputs in (
        ("decimals", [{"type": "uint8"}]),
        ("asset", [{"type": "address"}]),
        ("latestRoundData", [{"type": kind} for kind in ("uint80", "int256", "uint256", "uint256", "uint80")]),
    )
)


def _whole(least: int, most: int) -> BeforeValidator:
    def checked(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"is a whole number from {least:,} to {most:,}, not {value!r}")
        return value

    return BeforeValidator(checked)


def _bet_units(value: Any) -> int:
    """BET as its smallest unit, exactly."""
    is_bet = type(value) in (int, Decimal) and Decimal(value).is_finite() and Decimal("1e-18") <= value <= MOST_BET
    if not is_bet or (units := Fraction(value) * WAD).denominator != 1:
        shown = value if isinstance(value, Decimal) else repr(value)
        raise ValueError(f"is a number of BET above 0, not {shown}")
    return int(units)


def _address(value: Any) -> str:
    """With its checksum, so that a slip of the pen is seen."""
    if not isinstance(value, str) or not Web3.is_checksum_address(value) or value == ZERO_ADDRESS:
        raise ValueError(f"is no address: {value!r}")
    return value


def _list_of(what: str, most: int) -> BeforeValidator:
    def checked(value: Any) -> list:
        if not isinstance(value, list) or not 1 <= len(value) <= most:
            raise ValueError(f"is a list of 1 to {most} {what}")
        return value

    return BeforeValidator(checked)


Bet = Annotated[int, BeforeValidator(_bet_units)]
Address = Annotated[ChecksumAddress, BeforeValidator(_address)]


class Asset(BaseModel):
    """What can be staked, the vault that it goes to, and the feed of its price."""

    model_config = ConfigDict(extra="forbid")

    token: Address
    vault: Address
    feed: Address


class Parameters(BaseModel):
    """The keys of the file, with what each may be. BET as 1e-18 once it is read."""

    model_config = ConfigDict(extra="forbid")

    blocks_per_hour: Annotated[int, _whole(1, 14_400)]
    min_blocks: Annotated[int, _whole(1, 366 * 24 * 14_400)]
    delay: Annotated[int, _whole(86_400, 30 * 86_400)]
    first_mined_block: Annotated[int, _whole(1, 2**40 - 1)]
    end_of_mining: Annotated[int, _whole(1, 2**40 - 1)]
    bet_cap: Bet
    bet_per_block: Bet
    prize_token: Address
    router: Address
    factory: Address
    proposers: Annotated[list[Address], _list_of("addresses", MAX_PROPOSERS)]
    assets: Annotated[list[Asset], _list_of("tables", MAX_ASSETS)]

    @model_validator(mode="after")
    def _fit_together(self) -> "Parameters":
        faults = []
        blocks = self.end_of_mining - self.first_mined_block
        if blocks < 0:
            faults.append("end_of_mining is before first_mined_block")
        if blocks * self.bet_per_block > self.bet_cap:
            faults.append(f"{blocks:,} blocks at {Decimal(self.bet_per_block) / WAD} BET are more than bet_cap")
        tokens = [asset.token for asset in self.assets]
        if len(set(tokens)) < len(tokens):
            faults.append("a token is in two assets")
        if self.prize_token not in tokens:
            faults.append("prize_token is none of the assets")
        if faults:
            raise ValueError("; ".join(faults))
        return self


def read_parameters(path: Path) -> dict[str, Any]:
    """The parameters of a product `tickets` from a TOML file. Raises ChainError with all that is wrong in it, each
    fault with its key and what is allowed."""
    try:
        read = Parameters.model_validate(tomllib.loads(text_of(path), parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:
        raise ChainError(f"{path} is no TOML: {error}") from None
    except ValidationError as error:
        raise ChainError(f"{path}: {'; '.join(map(_fault, error.errors(include_url=False)))}") from None
    return {
        "blocks_per_hour": read.blocks_per_hour,
        "min_blocks": read.min_blocks,
        "bet_cap": read.bet_cap,
        "bet_per_block": read.bet_per_block,
        "mining": [read.first_mined_block, read.end_of_mining],
        "delay": read.delay,
        "proposers": read.proposers,
        "outside": {name: getattr(read, name) for name in PLACES}
        | {"assets": [asset.model_dump() for asset in read.assets]},
    }


def _fault(error: Any) -> str:
    """One fault that pydantic found: where, and what is allowed there."""
    match error["loc"]:
        case ("assets", int(number), *key):
            where, keys = f"asset {number + 1}: {''.join(map(str, key))}", Asset.model_fields
        case ("proposers", int(number)):
            where, keys = f"proposer {number + 1}", {}
        case key:
            where, keys = "".join(map(str, key)), Parameters.model_fields
    match error["type"]:
        case "missing":
            return f"{where} is missing"
        case "extra_forbidden":
            return f"{where} is unknown: there are {', '.join(keys)}"
        case "value_error":
            return f"{where} {error['ctx']['error']}".strip()
        case _:
            return f"{where.rstrip(': ')} is a table of {', '.join(keys)}"


def faults_on_chain(web3: Web3, parameters: dict[str, Any]) -> list[str]:
    """In what the chain is not what the parameters take it for, before anything is deployed."""
    outside = parameters["outside"]
    faults = [f"{name} {outside[name]}: no contract there" for name in PLACES if not web3.eth.get_code(outside[name])]
    if not faults:
        factory = _ask(web3, outside["router"], ROUTER_ABI, "factory")
        if factory != outside["factory"]:
            faults.append(f"router {outside['router']}: its factory is {factory}")
        for token in (asset["token"] for asset in outside["assets"] if asset["token"] != outside["prize_token"]):
            pair = _ask(web3, outside["factory"], FACTORY_ABI, "getPair", token, outside["prize_token"])
            if pair in (None, ZERO_ADDRESS):
                faults.append(f"asset {token}: no pair with the prize token to swap its yield in")
    for asset in outside["assets"]:
        faults += _asset_faults(web3, **asset)
    first, block = parameters["mining"][0], contract_block(web3)
    if first <= block:
        faults.append(f"first_mined_block {first}: the chain is at block {block} already")
    return faults


def _asset_faults(web3: Web3, token: str, vault: str, feed: str) -> list[str]:
    faults = []
    decimals = _ask(web3, token, VIEWS, "decimals")
    if decimals is None or not 6 <= decimals <= 18:
        faults.append(
            f"asset {token}: {'no ERC-20 there' if decimals is None else f'{decimals} decimals, not 6 to 18'}"
        )
    underlying = _ask(web3, vault, VIEWS, "asset")
    if underlying != token:
        fault = "no ERC-4626 there" if underlying is None else f"of {underlying}, not of {token}"
        faults.append(f"vault {vault}: {fault}")
    price, scale = _ask(web3, feed, VIEWS, "latestRoundData"), _ask(web3, feed, VIEWS, "decimals")
    if price is None or scale is None:
        return [*faults, f"feed {feed}: no price feed there"]
    usd, age = Decimal(price[1]).scaleb(-scale), block_at(web3).timestamp - price[3]
    if not Decimal("0.98") <= usd <= Decimal("1.02"):
        faults.append(f"feed {feed}: {usd} USD is not the price of a stablecoin")
    if age > 90_000:
        faults.append(f"feed {feed}: the price is {age // 3600} hours old, 25 at most")
    return faults


def _ask(web3: Web3, address: str, abi: tuple, view: str, *arguments):
    """What a view answers; None where there is no such contract."""
    try:
        with calling(view):
            return web3.eth.contract(address=address_of(address), abi=abi).functions[view](*arguments).call()
    except NodeError:
        raise
    except ChainError:
        return None
