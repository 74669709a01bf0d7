"""The staking pool's assets as they stand, which its owner changes after the deployment."""

from typing import NamedTuple

from web3 import Web3

from tessera.chain.deployments import Deployment, Tessera
from tessera.chain.erc20 import Erc20
from tessera.chain.staking_pool import StakingPool
from tessera.deployment.products import PRODUCTS, At, Call
from tessera.model.text import visible


class StandingAsset(NamedTuple):
    """An asset, its vault and feed now. `state` and `listing` are words for people."""

    symbol: str
    state: str
    listing: str
    asset: str
    vault: str
    feed: str


def standing_assets(web3: Web3, record: Deployment) -> list[StandingAsset]:
    """The assets of the deployment, retired or not, and after them those that were added later and are on the list.

    For a record that the chain does not differ from; empty where staked tickets are not deployed. Raises NodeError.
    """
    if "tickets" not in record.products:
        return []
    staking = Tessera(web3, record).staking
    deployed = _deployed(record)
    listed = staking.assets()
    return [
        StandingAsset(
            symbol=visible(Erc20(web3, asset).symbol()),
            state=_state(staking, asset, asset in listed),
            listing=_listing(deployed.get(asset), staking.vault_of(asset)),
            asset=asset,
            vault=staking.vault_of(asset),
            feed=staking.feed_of(asset),
        )
        for asset in [*deployed, *(asset for asset in listed if asset not in deployed)]
    ]


def _deployed(record: Deployment) -> dict[str, str]:
    """Vault by asset, as the record's product adds them."""

    def address(value: At | str) -> str:
        return record.address_of(value.name) if isinstance(value, At) else value

    steps = PRODUCTS["tickets"](**record.products["tickets"])
    calls = [step for step in steps if isinstance(step, Call) and step.function == "add_asset"]
    return {address(call.arguments[0]): address(call.arguments[1]) for call in calls}


def _state(staking: StakingPool, asset: str, is_listed: bool) -> str:
    if not is_listed:
        return "retired"
    if not staking.is_seeded(asset):
        return "waits for a seed"
    return "open" if staking.asset_state(asset).is_open else "closed"


def _listing(deployed_vault: str | None, vault: str) -> str:
    if deployed_vault is None:
        return "added later"
    return "as deployed" if vault == deployed_vault else "other vault than deployed with"
