"""StakingPool: stablecoins in lending vaults, principal out at any time, BET mined on the way."""

from dataclasses import dataclass
from typing import NamedTuple

from tessera.chain.contract import Contract, EventLog, OwnershipTransferred, OwnershipTransferStarted, Receipt
from tessera.chain.permits import Permit
from tessera.chain.wallet import Wallet

USD = 10**6  # of a stake


class AssetState(NamedTuple):
    """What the pool owes and holds of an asset."""

    principal: int
    shares: int
    harvested_at: int
    is_open: bool


@dataclass(frozen=True, kw_only=True)
class Staked(EventLog):
    account: str
    asset: str
    amount: int
    value: int
    stake: int


@dataclass(frozen=True, kw_only=True)
class Forfeited(EventLog):
    account: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Withdrawn(EventLog):
    account: str
    asset: str
    amount: int
    paid: int
    stake: int


@dataclass(frozen=True, kw_only=True)
class RewardsClaimed(EventLog):
    account: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class Harvested(EventLog):
    asset: str
    amount: int
    revenue: int


@dataclass(frozen=True, kw_only=True)
class AssetAdded(EventLog):
    asset: str
    vault: str
    feed: str


@dataclass(frozen=True, kw_only=True)
class AssetOpened(EventLog):
    asset: str
    was_open: bool
    is_open: bool


class StakingPool(Contract):
    """Stakes of all people in all assets; stakes in 1e-6 USD, amounts in units of the asset."""

    NAME = "StakingPool"
    EVENTS = (
        OwnershipTransferred,
        OwnershipTransferStarted,
        Staked,
        Forfeited,
        Withdrawn,
        RewardsClaimed,
        Harvested,
        AssetAdded,
        AssetOpened,
    )

    def stake_of(self, account: str) -> int:
        """What an account's stakes count, 1e-6 USD."""
        return self.read("stake_of", account)

    def total_forfeits(self) -> int:
        """How often anybody was forfeited."""
        return self.read("total_forfeits")

    def total_stake(self) -> int:
        """All stakes, 1e-6 USD."""
        return self.read("total_stake")

    def principal_of(self, account: str, asset: str) -> int:
        """What an account is owed of an asset, before any loss of the vault."""
        return self.read("principal_of", account, asset)

    def pending_rewards(self, account: str) -> int:
        """BET that `claim_rewards` would mint now, WAD."""
        return self.read("pending_rewards", account)

    def stake_blocks(self, account: str, from_block: int, to_block: int) -> int:
        """Sum of an account's stake over blocks [from, to), exact, 1e-6 USD."""
        return self.read("stake_blocks", account, from_block, to_block)

    def mining_rate(self) -> int:
        """BET that all stakers together mine in a block, while it lasts, WAD."""
        return self.read("MINING_RATE")

    def mining_blocks(self) -> tuple[int, int]:
        """The first block in which BET is mined, and the first one after."""
        return self.read("MINING_START"), self.read("MINING_END")

    def vault_of(self, asset: str) -> str:
        """The ERC-4626 vault that an asset's stakes are in."""
        return self.read("vault_of", asset)

    def assets(self) -> list[str]:
        """What can be staked, in the order of being added."""
        return self.read_all("assets")

    def asset_state(self, asset: str) -> AssetState:
        """Principal, vault shares, last harvest, open to stakes."""
        return AssetState(*self.read("asset_state", asset))

    def stake(self, sender: Wallet, asset: str, amount: int) -> Receipt:
        """Stakes an amount that the pool may take; what it counts is in `done.event(Staked)`."""
        return self.write(sender, "stake", asset, amount)

    def stake_with_permit(self, sender: Wallet, asset: str, permit: Permit) -> Receipt:
        """Permit and stake in one transaction; the permit is the sender's own, for the amount to stake."""
        return self.write(
            sender, "stake_with_permit", asset, permit.amount, permit.deadline, permit.v, permit.r, permit.s
        )

    def withdraw(self, sender: Wallet, asset: str, amount: int) -> Receipt:
        """Takes principal back, as much as the vault can pay; `done.event(Withdrawn)` says what was paid."""
        return self.write(sender, "withdraw", asset, amount)

    def claim_rewards(self, sender: Wallet, account: str) -> Receipt:
        """Mints the BET that an account has earned, to it. Anyone."""
        return self.write(sender, "claim_rewards", account)

    def harvest(self, sender: Wallet, asset: str) -> Receipt:
        """Moves an asset's yield to the PrizePool. Anyone."""
        return self.write(sender, "harvest", asset)

    def add_asset(self, sender: Wallet, asset: str, vault: str, feed: str) -> Receipt:
        """Opens an asset to stakes, for good with this vault and feed. Owner only."""
        return self.write(sender, "add_asset", asset, vault, feed)

    def set_open(self, sender: Wallet, asset: str, is_open: bool) -> Receipt:
        """Stops or resumes new stakes of an asset. Owner only."""
        return self.write(sender, "set_open", asset, is_open)
