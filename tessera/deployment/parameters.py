"""The file that says what `ape run deploy tickets` deploys on a real chain: read, checked, compared with the chain."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from web3 import Web3

from tessera.chain.accounts import text_of
from tessera.chain.blocks import contract_block
from tessera.chain.contract import WAD, ZERO_ADDRESS
from tessera.chain.errors import ChainError, NodeError, calling
from tessera.deployment.products import FACTORY_ABI, ROUTER_ABI

MAX_ASSETS, MAX_PROPOSERS = 8, 128
NUMBERS = {  # name: least and most
    "blocks_per_hour": (1, 14_400),
    "min_blocks": (1, 366 * 24 * 14_400),
    "delay": (86_400, 30 * 86_400),
    "first_mined_block": (1, 2**40 - 1),
    "end_of_mining": (1, 2**40 - 1),
}
BET = ("bet_cap", "bet_per_block")
ADDRESSES = ("prize_token", "router", "factory")
NAMES = {*NUMBERS, *BET, *ADDRESSES, "proposers", "assets"}
ASSET = ("token", "vault", "feed")
VIEWS = tuple(
    {"type": "function", "name": name, "stateMutability": "view", "inputs": [], "outputs": outputs}
    for name, outputs in (
        ("decimals", [{"type": "uint8"}]),
        ("asset", [{"type": "address"}]),
        ("latestRoundData", [{"type": kind} for kind in ("uint80", "int256", "uint256", "uint256", "uint80")]),
    )
)


def read_parameters(path: Path) -> dict[str, Any]:
    """The parameters of a product `tickets` from a TOML file. Raises ChainError with all that is wrong in it."""
    try:
        raw = tomllib.loads(text_of(path), parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ChainError(f"{path} is no TOML: {error}") from None
    wrong = [f"{name} is missing" for name in sorted(NAMES - raw.keys())]
    wrong += [f"{name} is unknown" for name in sorted(raw.keys() - NAMES)]
    if wrong:
        raise ChainError(f"{path}: {'; '.join(wrong)}")
    wrong = _wrong_numbers(raw) + _wrong_addresses(raw)
    if wrong:
        raise ChainError(f"{path}: {'; '.join(wrong)}")
    return {
        "blocks_per_hour": raw["blocks_per_hour"],
        "min_blocks": raw["min_blocks"],
        "bet_cap": int(raw["bet_cap"] * WAD),
        "bet_per_block": int(raw["bet_per_block"] * WAD),
        "mining": [raw["first_mined_block"], raw["end_of_mining"]],
        "delay": raw["delay"],
        "proposers": raw["proposers"],
        "outside": {name: raw[name] for name in ADDRESSES}
        | {"assets": [{name: asset[name] for name in ASSET} for asset in raw["assets"]]},
    }


def faults_on_chain(web3: Web3, parameters: dict[str, Any]) -> list[str]:
    """In what the chain is not what the parameters take it for, before anything is deployed."""
    outside = parameters["outside"]
    wrong = [f"{name} {outside[name]}: no contract there" for name in ADDRESSES if not web3.eth.get_code(outside[name])]
    if not wrong:
        factory = _ask(web3, outside["router"], ROUTER_ABI, "factory")
        if factory != outside["factory"]:
            wrong.append(f"router {outside['router']}: its factory is {factory}")
        for token in (asset["token"] for asset in outside["assets"] if asset["token"] != outside["prize_token"]):
            pair = _ask(web3, outside["factory"], FACTORY_ABI, "getPair", token, outside["prize_token"])
            if pair in (None, ZERO_ADDRESS):
                wrong.append(f"asset {token}: no pair with the prize token to swap its yield in")
    for asset in outside["assets"]:
        wrong += _wrong_asset(web3, **asset)
    first, block = parameters["mining"][0], contract_block(web3)
    if first <= block:
        wrong.append(f"first_mined_block {first}: the chain is at block {block} already")
    return wrong


def _wrong_numbers(raw: dict[str, Any]) -> list[str]:
    wrong = []
    for name, (least, most) in NUMBERS.items():
        if type(raw[name]) is not int or not least <= raw[name] <= most:
            wrong.append(f"{name} is a whole number from {least:,} to {most:,}, not {raw[name]!r}")
    for name in BET:
        value = raw[name]
        if type(value) not in (int, Decimal) or value <= 0 or value * WAD != int(value * WAD):
            wrong.append(f"{name} is a number of BET above 0, not {value!r}")
    if wrong:
        return wrong
    blocks = raw["end_of_mining"] - raw["first_mined_block"]
    if blocks < 0:
        wrong.append("end_of_mining is before first_mined_block")
    if blocks * raw["bet_per_block"] > raw["bet_cap"]:
        wrong.append(f"{blocks:,} blocks at {raw['bet_per_block']} BET are more than bet_cap")
    return wrong


def _wrong_addresses(raw: dict[str, Any]) -> list[str]:
    wrong = [f"{name} is no address: {raw[name]!r}" for name in ADDRESSES if not _is_address(raw[name])]
    proposers, assets = raw["proposers"], raw["assets"]
    if not isinstance(proposers, list) or not 1 <= len(proposers) <= MAX_PROPOSERS:
        wrong.append(f"proposers is a list of 1 to {MAX_PROPOSERS} addresses")
    else:
        wrong += [f"proposers: {one!r} is no address" for one in proposers if not _is_address(one)]
    if not isinstance(assets, list) or not 1 <= len(assets) <= MAX_ASSETS:
        return [*wrong, f"assets is a list of 1 to {MAX_ASSETS} tables"]
    for number, asset in enumerate(assets, 1):
        if not isinstance(asset, dict) or set(asset) != set(ASSET):
            wrong.append(f"asset {number} has {', '.join(ASSET)} and nothing else")
        else:
            bad = [name for name in ASSET if not _is_address(asset[name])]
            wrong += [f"asset {number}: {name} is no address: {asset[name]!r}" for name in bad]
    if wrong:
        return wrong
    tokens = [asset["token"] for asset in assets]
    if len(set(tokens)) < len(tokens):
        wrong.append("a token is in two assets")
    if raw["prize_token"] not in tokens:
        wrong.append("prize_token is none of the assets")
    return wrong


def _is_address(value: Any) -> bool:
    """With its checksum, so that a slip of the pen is seen."""
    return isinstance(value, str) and Web3.is_checksum_address(value) and value != ZERO_ADDRESS


def _wrong_asset(web3: Web3, token: str, vault: str, feed: str) -> list[str]:
    wrong = []
    decimals = _ask(web3, token, VIEWS, "decimals")
    if decimals is None or not 6 <= decimals <= 18:
        wrong.append(f"asset {token}: {'no ERC-20 there' if decimals is None else f'{decimals} decimals, not 6 to 18'}")
    if (held := _ask(web3, vault, VIEWS, "asset")) != token:
        wrong.append(f"vault {vault}: {'no ERC-4626 there' if held is None else f'of {held}, not of {token}'}")
    price, scale = _ask(web3, feed, VIEWS, "latestRoundData"), _ask(web3, feed, VIEWS, "decimals")
    if price is None or scale is None:
        return [*wrong, f"feed {feed}: no price feed there"]
    usd, age = Decimal(price[1]).scaleb(-scale), web3.eth.get_block("latest")["timestamp"] - price[3]
    if not Decimal("0.98") <= usd <= Decimal("1.02"):
        wrong.append(f"feed {feed}: {usd} USD is not the price of a stablecoin")
    if age > 90_000:
        wrong.append(f"feed {feed}: the price is {age // 3600} hours old, 25 at most")
    return wrong


def _ask(web3: Web3, address: str, abi: tuple, view: str, *arguments):
    """What a view answers; None where there is no such contract."""
    try:
        with calling(view):
            return web3.eth.contract(address=address, abi=abi).functions[view](*arguments).call()
    except NodeError:
        raise
    except ChainError:
        return None
