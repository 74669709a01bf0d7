"""StakingPool: stablecoins in lending vaults, principal out at any time, BET mined on the way."""

from dataclasses import dataclass
from typing import NamedTuple

from tessera.chain.contract import Contract, EventLog, OwnershipTransferred, OwnershipTransferStarted, Receipt
from tessera.chain.errors import Reverted
from tessera.chain.permits import Permit
from tessera.chain.wallet import Wallet

USD = 10**6  # of a stake
ALL = 2**256 - 1


class AssetState(NamedTuple):
    """What the pool owes and holds of an asset."""

    principal: int
    shares: int
    harvested_at: int
    is_open: bool


class LossState(NamedTuple):
    """Parts of all principal, WAD. A note counts from 24 h to 72 h after `noted_at`, unix seconds."""

    now: int
    noted: int
    noted_at: int


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


@dataclass(frozen=True, kw_only=True)
class AssetSeeded(EventLog):
    asset: str
    account: str
    amount: int
    returned: int


@dataclass(frozen=True, kw_only=True)
class AssetRetired(EventLog):
    asset: str


@dataclass(frozen=True, kw_only=True)
class Revalued(EventLog):
    account: str
    asset: str
    value: int
    stake: int


@dataclass(frozen=True, kw_only=True)
class LossNoted(EventLog):
    asset: str
    loss: int
    noted_at: int


@dataclass(frozen=True, kw_only=True)
class FeedSet(EventLog):
    asset: str
    old_feed: str
    feed: str


@dataclass(frozen=True, kw_only=True)
class FeedNoted(EventLog):
    asset: str
    failed_at: int


@dataclass(frozen=True, kw_only=True)
class Swept(EventLog):
    token: str
    amount: int


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
        AssetSeeded,
        AssetRetired,
        Revalued,
        LossNoted,
        FeedSet,
        FeedNoted,
        Swept,
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

    def worth_of(self, asset: str, amount: int) -> int:
        """What principal is worth at the vault's present price, whether or not the vault can pay that now."""
        return self.read("worth_of", asset, amount)

    def value_of(self, account: str, asset: str) -> tuple[int, int]:
        """What a stake counts, and what it counts where its vault has no loss, 1e-6 USD."""
        counted, full = self.read("value_of", account, asset)
        return counted, full

    def loss_of(self, asset: str) -> LossState | None:
        """What an asset's vault has lost, and what of it was noted; None where the vault does not say its worth."""
        try:
            return LossState(*self.read("loss_of", asset))
        except Reverted:
            return None

    def vault_of(self, asset: str) -> str:
        """The ERC-4626 vault that an asset's stakes are in."""
        return self.read("vault_of", asset)

    def feed_of(self, asset: str) -> str:
        """The price feed of an asset."""
        return self.read("feed_of", asset)

    def is_seeded(self, asset: str) -> bool:
        """Whether an asset's vault has proven that money comes out of it."""
        return self.read("is_seeded", asset)

    def assets(self) -> list[str]:
        """The listed assets; the order changes when one is retired."""
        return self.read_all("assets")

    def asset_state(self, asset: str) -> AssetState:
        """Principal, vault shares, last harvest of all that was due, open to stakes."""
        return AssetState(*self.read("asset_state", asset))

    def stake(self, sender: Wallet, asset: str, amount: int) -> Receipt:
        """Stakes an amount that the pool may take; what it counts is in `done.event(Staked)`."""
        return self.write(sender, "stake", asset, amount)

    def stake_with_permit(self, sender: Wallet, asset: str, permit: Permit) -> Receipt:
        """Permit and stake in one transaction; the permit is the sender's own, for the amount to stake."""
        return self.write(
            sender, "stake_with_permit", asset, permit.amount, permit.deadline, permit.v, permit.r, permit.s
        )

    def withdraw(self, sender: Wallet, asset: str, amount: int, min_paid: int) -> Receipt:
        """Takes principal back, as much as the vault can pay; `done.event(Withdrawn)` says what was paid.

        `min_paid` is the least for all of the amount: see `worth_of`. 0 with the whole principal also ends a stake that
        is worth nothing at that moment.
        """
        return self.write(sender, "withdraw", asset, amount, min_paid)

    def claim_rewards(self, sender: Wallet, account: str) -> Receipt:
        """Mints the BET that an account has earned, to it. Anyone."""
        return self.write(sender, "claim_rewards", account)

    def harvest(self, sender: Wallet, asset: str, most: int = ALL) -> Receipt:
        """Moves an asset's yield to the PrizePool, at most `most` units of the asset. Anyone."""
        return self.write(sender, "harvest", asset, most)

    def seed_asset(self, sender: Wallet, asset: str, amount: int) -> Receipt:
        """Opens a listed asset with 10 or more tokens that the pool may take; half come back. Anyone, once."""
        return self.write(sender, "seed_asset", asset, amount)

    def note_loss(self, sender: Wallet, asset: str) -> Receipt:
        """Notes what an asset's vault has lost, so that `revalue` can use it a day later. Anyone."""
        return self.write(sender, "note_loss", asset)

    def note_feed(self, sender: Wallet, asset: str) -> Receipt:
        """Notes that an asset's feed gives no price, or gives one again. Anyone."""
        return self.write(sender, "note_feed", asset)

    def revalue(self, sender: Wallet, account: str, asset: str) -> Receipt:
        """Makes a stake count what it is worth after a loss of its vault, or again after a recovery. Anyone."""
        return self.write(sender, "revalue", account, asset)

    def sweep(self, sender: Wallet, token: str) -> Receipt:
        """Sends tokens that the pool was given to the treasury; not the shares of a vault. Anyone."""
        return self.write(sender, "sweep", token)

    def add_asset(self, sender: Wallet, asset: str, vault: str, feed: str) -> Receipt:
        """Lists an asset, which `seed_asset` opens. Owner only."""
        return self.write(sender, "add_asset", asset, vault, feed)

    def retire_asset(self, sender: Wallet, asset: str) -> Receipt:
        """Takes an asset off the list; leaving and harvesting go on. Owner only."""
        return self.write(sender, "retire_asset", asset)

    def set_feed(self, sender: Wallet, asset: str, feed: str) -> Receipt:
        """Replaces a feed that has failed for three days, or that agrees with the new one. Owner only."""
        return self.write(sender, "set_feed", asset, feed)

    def set_open(self, sender: Wallet, asset: str, is_open: bool) -> Receipt:
        """Stops or resumes new stakes of an asset. Owner only."""
        return self.write(sender, "set_open", asset, is_open)
