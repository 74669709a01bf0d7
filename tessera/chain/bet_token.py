"""BET: the token that stakers mine and the buyback buys."""

from dataclasses import dataclass

from tessera.chain.contract import EventLog, OwnershipTransferred
from tessera.chain.erc20 import Approval, Erc20, Transfer
from tessera.chain.play_euro import RoleMinterChanged


@dataclass(frozen=True, kw_only=True)
class MinterSet(EventLog):
    minter: str


class BetToken(Erc20):
    """An ERC-20 of 18 decimals with permits."""

    NAME = "BetToken"
    EVENTS = (
        MinterSet,
        OwnershipTransferred,
        RoleMinterChanged,
        Transfer,
        Approval,
    )

    def minted(self) -> int:
        """BET mined so far, WAD."""
        return self.read("minted")
