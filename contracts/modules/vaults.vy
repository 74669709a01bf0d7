# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Assets in vaults
@author Tessera
@license AGPL-3.0-only
@notice What the staking pool owes and holds of each asset, and every call to a
        vault or feed. The importer checks permissions and keeps people's shares.
@dev `principal` is owed, `shares` of the vault are held; both are counted here and
     never read from balances. What the vault would return for all shares is
     their worth: below principal there was a loss, above it there is yield.
     Per asset three words: `_configs` has the feed in bits 0 to 159, its decimals in
     160 to 167, the asset's in 168 to 175, open to new stakes in 176. `_principals`
     has the principal in 136 and up, that of the end of the block before the last change in 40 to
     135, the block of that change in 0 to 39. `_holdings` has the shares in 128 and up,
     the time of the last harvest in 88 to 127, what was moved in that week in 0 to 87.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from ethereum.ercs import IERC4626

from ..interfaces import IPriceFeed
from . import periods


MAX_ASSETS: constant(uint256) = 8
MAX_PRINCIPAL: constant(uint256) = 2**95  # of one asset: half a percent of it fits 88 bits
WAD: constant(uint256) = 10**18
MIN_PRICE: constant(uint256) = 98 * 10**16
MAX_PRICE_AGE: constant(uint256) = 90_000  # 25 h: stablecoin feeds report daily
HARVEST_BPS: constant(uint256) = 50  # of principal, a week
BPS: constant(uint256) = 10_000
ROUNDING_UNITS: constant(uint256) = 10
MAX_MOVED: constant(uint256) = 2**88 - 1  # in a week
BLOCK_MASK: constant(uint256) = 2**40 - 1


assets: public(DynArray[address, MAX_ASSETS])
vault_of: public(HashMap[address, address])
_configs: HashMap[address, uint256]
_principals: HashMap[address, uint256]
_holdings: HashMap[address, uint256]


@external
@view
def harvested_since(timestamp: uint256) -> bool:
    """
    @notice Whether every asset was harvested at or after a time.
    @param timestamp Unix seconds.
    @return True if so.
    """
    for asset: address in self.assets:
        if self._holdings[asset] >> 88 & 2**40 - 1 < timestamp:
            return False
    return True


@external
@view
def asset_state(asset: address) -> (uint256, uint256, uint256, bool):
    """
    @notice What the pool owes and holds of an asset.
    @param asset One of `assets`.
    @return Principal, vault shares, time of the last harvest, whether it is open to new stakes.
    """
    holding: uint256 = self._holdings[asset]
    return (
        self._principals[asset] >> 136,
        holding >> 128,
        holding >> 88 & 2**40 - 1,
        self._configs[asset] >> 176 == 1,
    )


@internal
def _add(asset: address, vault: address, feed: address):
    assert self.vault_of[asset] == empty(address), "pool: asset already added"
    assert staticcall IERC4626(vault).asset() == asset, "pool: vault of other asset"
    decimals: uint256 = convert(staticcall IERC20Detailed(asset).decimals(), uint256)
    feed_decimals: uint256 = convert(staticcall IPriceFeed(feed).decimals(), uint256)
    assert decimals >= 6 and decimals <= 18 and feed_decimals <= 18, "pool: bad decimals"
    assert len(self.assets) < MAX_ASSETS, "pool: too many assets"
    self.assets.append(asset)
    self.vault_of[asset] = vault
    self._configs[asset] = 1 << 176 | decimals << 168 | feed_decimals << 160 | convert(feed, uint256)
    # The pool holds an asset only within a call, so there is nothing else a vault could take.
    assert extcall IERC20(asset).approve(vault, max_value(uint256), default_return_value=True), "pool: approve failed"


@internal
def _set_open(asset: address, is_open: bool) -> bool:
    """
    @return Whether it was open.
    """
    self._vault(asset)
    config: uint256 = self._configs[asset]
    self._configs[asset] = config & 2**176 - 1 | convert(is_open, uint256) << 176
    return config >> 176 == 1


@internal
@view
def _vault(asset: address) -> address:
    vault: address = self.vault_of[asset]
    assert vault != empty(address), "pool: unknown asset"
    return vault


@internal
@view
def _value(asset: address, amount: uint256) -> uint256:
    """
    @notice What a stake of `amount` counts: USD with 6 decimals, rounded down, at most 1 USD a token.
    """
    self._vault(asset)
    config: uint256 = self._configs[asset]
    assert config >> 176 == 1, "pool: asset is closed"
    assert amount < MAX_PRINCIPAL, "pool: amount too large"
    return amount * min(self._price_wad(asset), WAD) // 10 ** (12 + self._decimals(asset))


@internal
def _deposit(asset: address, amount: uint256):
    """
    @notice Puts the caller's tokens into the vault; refused while the vault has lost money.
    """
    principal: uint256 = (self._principals[asset] >> 136) + amount
    assert principal < MAX_PRINCIPAL, "pool: asset is full"
    vault: address = self.vault_of[asset]
    assert extcall IERC20(asset).transferFrom(
        msg.sender, self, amount, default_return_value=True
    ), "pool: transfer failed"
    got: uint256 = self._ask(vault, abi_encode(amount, self, method_id=method_id("deposit(uint256,address)")))
    holding: uint256 = self._holdings[asset] + (got << 128)
    worth: uint256 = self._worth(vault, holding)
    assert worth + self._rounding(principal) >= principal, "pool: vault has a loss"
    # A vault whose share price was inflated would round this stake away. The loss check refuses no shares at all.
    assert worth * got // (holding >> 128) + self._rounding(amount) >= amount, "pool: vault keeps too much"
    # A withdrawal burns up to a share too much, which those who stay pay to the vault's other holders.
    assert worth <= (holding >> 128) * self._grain(asset), "pool: vault shares too coarse"
    self._holdings[asset] = holding
    self._set_principal(asset, principal)


@internal
def _payable(asset: address, amount: uint256) -> (uint256, uint256):
    """
    @notice What can be paid now for `amount` of principal.
    @return Principal that is paid off, at most `amount`; what is paid for it, rounded down.
    """
    vault: address = self._vault(asset)
    total: uint256 = self._principals[asset] >> 136
    worth: uint256 = min(self._worth(vault, self._holdings[asset]), total)
    fair: uint256 = amount * worth // total
    paid: uint256 = min(fair, self._liquid(vault))
    assert paid != 0, "pool: vault cannot pay now"
    if paid == fair:
        return amount, paid
    # Rounded up, and still at most `amount`: paid * total < amount * worth.
    return (paid * total + worth - 1) // worth, paid


@internal
def _withdraw(asset: address, taken: uint256, paid: uint256, receiver: address):
    """
    @notice Has the vault pay what `_payable` said.
    """
    self._set_principal(asset, (self._principals[asset] >> 136) - taken)
    burned: uint256 = self._leave(self.vault_of[asset], paid, receiver)
    self._holdings[asset] -= burned << 128


@internal
def _take_yield(asset: address) -> uint256:
    """
    @notice Takes what may leave the vault as yield now, and notes the harvest.
    @return The amount, now with the pool.
    """
    vault: address = self._vault(asset)
    holding: uint256 = self._holdings[asset]
    word: uint256 = self._principals[asset]
    principal: uint256 = word >> 136
    # The lesser of now and the end of the previous block: stake that only visits does not lift the cap.
    settled: uint256 = principal
    if word & BLOCK_MASK == block.number:
        settled = min(principal, word >> 40 & 2**96 - 1)
    moved: uint256 = 0  # in this week
    if holding >> 88 & 2**40 - 1 >= periods._start(periods._period(block.timestamp)):
        moved = holding & 2**88 - 1
    cap: uint256 = settled * HARVEST_BPS // BPS
    if principal == 0:
        cap = MAX_MOVED  # Nobody is left to lose by a wrong share price: what is there is yield.
    worth: uint256 = self._worth(vault, holding)
    kept: uint256 = principal + self._rounding(principal)
    amount: uint256 = 0
    # Stake may have left since the week's first harvest, so what was moved may be above the cap.
    if worth > kept and cap > moved:
        amount = min(min(worth - kept, cap - moved), self._liquid(vault))
    # Too little for a swap to give anything.
    if amount < self._grain(asset):
        amount = 0
    burned: uint256 = 0
    if amount != 0:
        burned = self._leave(vault, amount, self)
    self._holdings[asset] = (holding >> 128) - burned << 128 | block.timestamp << 88 | moved + amount
    return amount


@internal
def _leave(vault: address, amount: uint256, receiver: address) -> uint256:
    """
    @return Shares that the vault took.
    """
    return self._ask(
        vault, abi_encode(amount, receiver, self, method_id=method_id("withdraw(uint256,address,address)"))
    )


@internal
def _worth(vault: address, holding: uint256) -> uint256:
    """
    @return What the vault would give for all shares of a holding.
    """
    return self._ask(vault, abi_encode(holding >> 128, method_id=method_id("previewRedeem(uint256)")))


@internal
def _liquid(vault: address) -> uint256:
    """
    @return What the vault can pay to the pool now.
    """
    return self._ask(vault, abi_encode(self, method_id=method_id("maxWithdraw(address)")))


@internal
def _ask(vault: address, call: Bytes[100]) -> uint256:
    """
    @notice Calls a vault whose own refusals, of whatever form, get one reason here.
    @return What it answers: shares or assets.
    """
    ok: bool = False
    answer: Bytes[32] = b""
    ok, answer = raw_call(vault, call, max_outsize=32, revert_on_failure=False)
    assert ok and len(answer) == 32, "pool: vault refused"
    return convert(answer, uint256)


@internal
def _set_principal(asset: address, principal: uint256):
    word: uint256 = self._principals[asset]
    before: uint256 = word >> 136
    if word & BLOCK_MASK == block.number:
        before = word >> 40 & 2**96 - 1
    self._principals[asset] = principal << 136 | before << 40 | block.number


@internal
@view
def _price_wad(asset: address) -> uint256:
    """
    @notice USD per asset, WAD; refused where it cannot be right.
    """
    config: uint256 = self._configs[asset]
    round_id: uint80 = 0
    answer: int256 = 0
    started_at: uint256 = 0
    updated_at: uint256 = 0
    answered_in: uint80 = 0
    round_id, answer, started_at, updated_at, answered_in = staticcall IPriceFeed(
        convert(config & 2**160 - 1, address)
    ).latestRoundData()
    # A larger one might not fit once it is scaled.
    assert answer > 0 and answer < 2**96, "pool: no price"
    assert updated_at <= block.timestamp and block.timestamp - updated_at <= MAX_PRICE_AGE, "pool: price is stale"
    price: uint256 = convert(answer, uint256) * 10 ** (18 - (config >> 160 & 255))
    assert price >= MIN_PRICE, "pool: price below 0.98"
    return price


@internal
@view
def _decimals(asset: address) -> uint256:
    return self._configs[asset] >> 168 & 255


@internal
@view
def _grain(asset: address) -> uint256:
    """
    @notice A basis point of one token: no share may be worth more, no yield that moves be less.
    """
    return 10 ** self._decimals(asset) // BPS


@internal
@pure
def _rounding(amount: uint256) -> uint256:
    """
    @notice A deficit up to this is the vault's rounding, not a loss.
    """
    return max(amount // BPS, ROUNDING_UNITS)
