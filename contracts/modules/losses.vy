# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Losses of vaults that last
@author Tessera
@license AGPL-3.0-only
@notice What a vault has lost, and the note of it that has to be a day old before anybody's stake
        counts less: a dip of a moment must not be a weapon.
"""


from ..interfaces import IStakingPool
from . import checks
from . import listing
from . import loss_word
from . import principal_word
from . import vaults


uses: listing
uses: vaults


MIN_LOSS: constant(uint256) = vaults.WAD // 100


_losses: HashMap[address, uint256]  # see modules/loss_word.vy


@external
def note_loss(asset: address) -> uint256:
    """
    @notice Notes that a vault has lost 1 % or more of all principal: a day later `revalue`
            can use it, for two days. Or that it has lost less than was noted. Anyone may call.
    @param asset Any asset that was ever listed.
    @return What is noted now, WAD; 0 where the note is taken back.
    """
    listing._vault(asset)
    loss: uint256 = self._now(asset)
    word: uint256 = self._losses[asset]
    noted_at: uint256 = block.timestamp
    if loss < MIN_LOSS:
        checks._check(word != 0, "pool: no loss to note")
        loss = 0
        noted_at = 0
    elif loss_word._is_live(word):
        # A deeper one has to wait: a note that can be renewed is never a day old.
        checks._check(loss < loss_word._loss(word), "pool: loss is noted already")
        noted_at = loss_word._noted_at(word)
    self._losses[asset] = loss_word._pack(loss, noted_at)
    log IStakingPool.LossNoted(asset=asset, loss=loss, noted_at=noted_at)
    return loss


@external
@view
def loss_of(asset: address) -> (uint256, uint256, uint256):
    """
    @notice What a vault has lost, and what of it was noted.
    @param asset Any asset that was ever listed.
    @return Part of all principal that is lost now, WAD; the part that was noted; when, unix
            seconds: from 24 h to 72 h later `revalue` uses it.
    """
    word: uint256 = self._losses[asset]
    return self._now(asset), loss_word._loss(word), loss_word._noted_at(word)


@internal
def _forget(asset: address):
    """
    @notice Clears the note of an asset's former listing.
    """
    self._losses[asset] = 0


@internal
@view
def _mature(asset: address) -> uint256:
    """
    @notice A loss that has lasted for a day: the lesser of the one noted then and the one now, WAD.
    """
    return min(loss_word._mature_loss(self._losses[asset]), self._now(asset))


@internal
@view
def _now(asset: address) -> uint256:
    """
    @notice The part of all principal that a vault has lost, WAD, rounded down; rounding is no loss.
    """
    total: uint256 = principal_word._principal(vaults._principals[asset])
    worth: uint256 = vaults._worth(asset)
    if worth + vaults._rounding(total) >= total:
        return 0
    return (total - worth) * vaults.WAD // total
