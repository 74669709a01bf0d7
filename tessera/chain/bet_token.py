"""BET: the token that stakers mine and the buyback buys."""

from dataclasses import dataclass

from tessera.chain.contract import Contract, OwnershipTransferred, Row
from tessera.chain.play_euro import Approval, RoleMinterChanged, Transfer


@dataclass(frozen=True, kw_only=True)
class MinterSet(Row):
    minter: str


class BetToken(Contract):
    """An ERC-20 of 18 decimals with permits."""

    NAME = "BetToken"
    EVENTS = (
        MinterSet,
        OwnershipTransferred,
        RoleMinterChanged,
        Transfer,
        Approval,
    )

    def balance_of(self, account: str) -> int:
        """BET of an account, WAD."""
        return self.read("balanceOf", account)

    def total_supply(self) -> int:
        """All BET there are, WAD."""
        return self.read("totalSupply")

    def minted(self) -> int:
        """BET mined so far, WAD."""
        return self.read("minted")
