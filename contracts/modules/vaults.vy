# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Assets in vaults
@author Tessera
@license AGPL-3.0-only
@notice What the staking pool owes and holds of each asset. The importer keeps people's shares.
@dev `principal` is owed, `shares` of the vault are held; both are counted here and
     never read from balances. What the vault would return for all shares is
     their worth: below principal there was a loss (losses.vy), above it there is yield
     (harvests.vy). The shares that a seed leaves are counted nowhere.
"""


from . import asset_word
from . import checks
from . import holding_word
from . import listing
from . import principal_word
from . import tokens
from . import vault_calls


uses: listing


MAX_PRINCIPAL: constant(uint256) = 2**95  # of one asset: half a percent of it fits what a holding notes
MAX_TOKENS: constant(uint256) = 2**43  # of one asset: their value in USD with 6 decimals fits a position
WAD: constant(uint256) = 10**18
BPS: constant(uint256) = 10_000
ROUNDING_UNITS: constant(uint256) = 10
MIN_SEED: constant(uint256) = 10  # tokens


_principals: HashMap[address, uint256]  # see modules/principal_word.vy
_holdings: HashMap[address, uint256]  # see modules/holding_word.vy; harvests.vy writes it too


@external
@view
def asset_state(asset: address) -> (uint256, uint256, uint256, bool):
    """
    @notice What the pool owes and holds of an asset.
    @param asset Any asset that was ever listed.
    @return Principal, vault shares, last time when all yield that was due had been moved,
            whether it is open to new stakes.
    """
    holding: uint256 = self._holdings[asset]
    return (
        principal_word._principal(self._principals[asset]),
        holding_word._shares(holding),
        holding_word._harvested_at(holding),
        asset_word._state(listing._words[asset]) == asset_word.OPEN,
    )


@external
@view
def worth_of(asset: address, amount: uint256) -> uint256:
    """
    @notice What principal is worth at the vault's present price, whether or not it can pay that now.
    @param asset Any asset that was ever listed.
    @param amount Principal in the asset's smallest unit, at most what all are owed.
    @return In the asset's smallest unit, at most `amount`, rounded down.
    """
    total: uint256 = principal_word._principal(self._principals[asset])
    checks._check(amount <= total, "pool: more than all principal")
    if amount == 0:
        return 0
    return amount * min(self._worth(asset), total) // total


@internal
def _settle(asset: address):
    """
    @notice Gives up the dust of an asset that is listed again, and refuses one of which more is owed or
            waits as yield: a new vault would price the shares of the former one.
    @dev Only here: what a vault is worth now may be nothing today and all of it again tomorrow.
    """
    holding: uint256 = self._holdings[asset]
    shares: uint256 = holding_word._shares(holding)
    checks._check(
        principal_word._principal(self._principals[asset]) == 0
        and (shares == 0 or vault_calls._worth(listing._vault(asset), shares) < listing._grain(asset)),
        "pool: asset is still owed",
    )
    self._holdings[asset] = holding_word._with_shares(holding, 0)


@internal
def _seed(asset: address, amount: uint256) -> uint256:
    """
    @notice Puts tokens of the caller into a vault and takes half out again.
    @return What the caller got back.
    """
    listing._seeded(asset)
    checks._check(amount >= MIN_SEED * listing._unit(asset), "pool: seed below 10 tokens")
    vault: address = listing._vault(asset)
    held: uint256 = tokens._balance(asset, self)
    tokens._pull(asset, amount)
    checks._check(tokens._balance(asset, self) == held + amount, "pool: token takes a fee")
    before: uint256 = tokens._balance(vault, self)
    shares: uint256 = vault_calls._deposit(vault, amount)
    # Shares that are a token of another address could be swept.
    checks._check(tokens._balance(vault, self) == before + shares, "pool: shares are elsewhere")
    self._check_shares(asset, vault_calls._worth(vault, shares), shares)
    half: uint256 = amount // 2
    owned: uint256 = tokens._balance(asset, msg.sender)
    burned: uint256 = vault_calls._withdraw(vault, half, msg.sender)
    checks._check(
        tokens._balance(asset, msg.sender) == owned + half
        and tokens._balance(vault, self) == before + shares - burned,
        "pool: vault does not pay",
    )
    return half


@internal
def _deposit(asset: address, amount: uint256):
    """
    @notice Puts the caller's tokens into the vault; refused while the vault has lost money.
    """
    word: uint256 = self._principals[asset]
    principal: uint256 = principal_word._principal(word) + amount
    assert principal < min(MAX_PRINCIPAL, MAX_TOKENS * listing._unit(asset)), "pool: asset is full"
    vault: address = listing.vault_of[asset]
    tokens._pull(asset, amount)
    got: uint256 = vault_calls._deposit(vault, amount)
    holding: uint256 = self._holdings[asset]
    shares: uint256 = holding_word._shares(holding) + got
    worth: uint256 = vault_calls._worth(vault, shares)
    assert worth + self._rounding(principal) >= principal, "pool: vault has a loss"
    # A vault whose share price was inflated would round this stake away. The loss check refuses no shares at all.
    assert worth * got // shares + self._rounding(amount) >= amount, "pool: vault keeps too much"
    self._check_shares(asset, worth, shares)
    self._holdings[asset] = holding_word._with_shares(holding, shares)
    self._principals[asset] = principal_word._changed(word, principal)


@internal
def _leave(asset: address, amount: uint256, receiver: address, for_nothing: bool) -> (uint256, uint256):
    """
    @notice Has the vault pay principal back, all of it or what it can pay now.
    @param for_nothing Whether principal that is worth nothing is given up.
    @return Principal that is paid off, at most `amount`; what arrived for it.
    """
    word: uint256 = self._principals[asset]
    total: uint256 = principal_word._principal(word)
    worth: uint256 = min(self._worth(asset), total)
    fair: uint256 = amount * worth // total
    if fair == 0:
        assert for_nothing, "pool: worth nothing now"
        self._principals[asset] = principal_word._changed(word, total - amount)
        return amount, 0
    before: uint256 = tokens._balance(asset, receiver)
    paid: uint256 = 0
    burned: uint256 = 0
    paid, burned = vault_calls._pay(listing.vault_of[asset], fair, receiver)
    arrived: uint256 = tokens._balance(asset, receiver) - before
    assert arrived != 0, "pool: vault paid nothing"
    taken: uint256 = amount
    if paid != fair:
        # Rounded up, and still at most `amount`: paid * total < amount * worth.
        taken = (paid * total + worth - 1) // worth
    holding: uint256 = self._holdings[asset]
    self._holdings[asset] = holding_word._with_shares(holding, holding_word._shares(holding) - burned)
    self._principals[asset] = principal_word._changed(word, total - taken)
    return taken, arrived


@internal
@view
def _worth(asset: address) -> uint256:
    """
    @return What the vault would give for all shares.
    """
    return vault_calls._worth(listing._vault(asset), holding_word._shares(self._holdings[asset]))


@internal
@view
def _check_shares(asset: address, worth: uint256, shares: uint256):
    """
    @notice Refuses a vault with shares so dear that rounding could be stolen: a withdrawal burns up to a
            share too much, which those who stay pay to the vault's other holders.
    """
    assert worth <= shares * listing._grain(asset), "pool: vault shares too coarse"
    assert shares < holding_word.MAX_SHARES, "pool: too many shares"


@internal
@pure
def _rounding(amount: uint256) -> uint256:
    """
    @notice A deficit up to this is the vault's rounding, not a loss.
    """
    return max(amount // BPS, ROUNDING_UNITS)
