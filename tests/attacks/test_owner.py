"""What an owner, a flash loan or a vault of anybody's making can do to people's stakes: each attack with its gain."""

import boa
import pytest

from tessera.model.prizes import period_of, start_of
from tests.prize_system import ALL, USD, WAD, load

DAY = 86_400


@pytest.fixture
def hostile(system):
    """A token of the owner's and a vault of the owner's making."""
    token = load("contracts/devnet/TestToken.vy").deploy("Hostile", "HST", 6)
    return token, load("tests/mocks/HostileVault.vy").deploy(token)


def next_friday(system):
    system.wait_until(start_of(period_of(boa.env.timestamp) + 1))


def test_recover_erc20_owner_cannot_have_a_live_vaults_shares_approved(system, staker, hostile):
    """Before: the shares as an asset with a vault of the owner's: owner +10,000, staker -10,000. Now: 0 and 0."""
    shares, vault = system.vault[system.usdc], hostile[1]
    system.pool.stake(system.usdc, 10_000 * USD, sender=staker)
    vault.set_asset(shares)
    with boa.reverts("pool: named before as another"):
        system.pool.add_asset(shares, vault, system.feed[system.usdc], sender=system.owner)
    system.pool.retire_asset(system.usdc, sender=system.owner)
    with boa.reverts("pool: named before as another"):
        system.pool.add_asset(shares, vault, system.feed[system.usdc], sender=system.owner)
    assert shares.allowance(system.pool, vault) == 0
    with boa.reverts("vault: nothing to take"):
        vault.take(shares, system.pool)
    assert system.pool.withdraw(system.usdc, 10_000 * USD, 0, sender=staker) == 10_000 * USD


def test_owner_cannot_name_the_share_token_first_and_its_vault_later(system, hostile):
    """The other order: a share token that is an asset already is no vault, also after it was retired."""
    token, _ = hostile
    honest = load("contracts/devnet/YieldVault.vy").deploy(token)
    vault = load("tests/mocks/HostileVault.vy").deploy(honest)
    feed = system.feed[system.usdc]
    system.pool.add_asset(honest, vault, feed, sender=system.owner)
    with boa.reverts("pool: named before as another"):
        system.pool.add_asset(token, honest, feed, sender=system.owner)
    system.pool.retire_asset(honest, sender=system.owner)
    with boa.reverts("pool: named before as another"):
        system.pool.add_asset(token, honest, feed, sender=system.owner)


def test_vault_serves_one_asset_for_ever(system, hostile):
    """A vault that shows another asset later is refused for it; an asset is not its own vault."""
    token, vault = hostile
    feed = system.feed[system.usdc]
    system.pool.add_asset(token, vault, feed, sender=system.owner)
    other = load("contracts/devnet/TestToken.vy").deploy("Other", "OTH", 6)
    vault.set_asset(other)
    with boa.reverts("pool: named before as another"):
        system.pool.add_asset(other, vault, feed, sender=system.owner)


def test_asset_comes_back_with_a_new_vault_only_when_nothing_is_owed(system, staker):
    """Else the new vault would price the old one's shares. Retiring sets the approval to 0."""
    pool, usdc, old = system.pool, system.usdc, system.vault[system.usdc]
    pool.stake(usdc, 1_000 * USD, sender=staker)
    pool.retire_asset(usdc, sender=system.owner)
    assert usdc.allowance(pool, old) == 0
    assert usdc.address not in [pool.assets(i) for i in range(1)]
    new = load("contracts/devnet/YieldVault.vy").deploy(usdc)
    with boa.reverts("pool: asset is still owed"):
        pool.add_asset(usdc, new, system.feed[usdc], sender=system.owner)
    with boa.reverts("pool: asset is not listed"):
        pool.retire_asset(usdc, sender=system.owner)
    with boa.reverts("pool: asset is closed"):
        pool.stake(usdc, 10 * USD, sender=staker)
    assert pool.withdraw(usdc, 1_000 * USD, 1_000 * USD, sender=staker) == 1_000 * USD
    pool.harvest(usdc, ALL)
    pool.add_asset(usdc, new, system.feed[usdc], sender=system.owner)
    system.seed(usdc)
    pool.stake(usdc, 10 * USD, sender=staker)
    assert pool.withdraw(usdc, 10 * USD, 10 * USD, sender=staker) == 10 * USD


def test_metamorpho_borrowed_liquidity_does_not_close_the_week_with_its_yield_left_behind(system, staker):
    """Before: `harvest` while the vault could pay nothing counted. Now it reverts, and a part does not count."""
    pool, usdc, vault = system.pool, system.usdc, system.vault[system.usdc]
    pool.stake(usdc, 10_000 * USD, sender=staker)
    system.create_event()
    system.earn(usdc, 41 * USD)
    next_friday(system)
    pool.harvest(system.dai, ALL)
    vault.set_liquidity(0)
    with boa.reverts("pool: vault cannot pay now"):
        pool.harvest(usdc, ALL)
    with boa.reverts("prizes: harvest first"):
        system.prizes.close_periods(system.prizes.period(), 1)
    vault.set_liquidity(7 * USD)
    assert pool.harvest(usdc, ALL) == 7 * USD
    with boa.reverts("prizes: harvest first"):
        system.prizes.close_periods(system.prizes.period(), 1)
    vault.set_liquidity(ALL)
    assert pool.harvest(usdc, ALL) in (33 * USD, 33 * USD - 1)
    system.prizes.close_periods(system.prizes.period(), 1)


def test_flash_stake_does_not_hide_the_yield(system, staker):
    """With a buffer of a basis point of principal, a stake of 10,000 times the yield made nothing due."""
    pool, usdc = system.pool, system.usdc
    pool.stake(usdc, 10_000 * USD, sender=staker)
    system.mine(1)
    system.earn(usdc, 41 * USD)
    with boa.env.anchor():
        plain = pool.harvest(usdc, ALL)
    visitor = boa.env.generate_address()
    system.stake(visitor, 10**6)
    assert abs(pool.harvest(usdc, ALL) - plain) <= 1
    assert plain in (40 * USD, 40 * USD - 1)


def test_beefy_gift_of_yield_does_not_stop_a_thin_market_for_good(system, staker):
    """Before: all or nothing, so 6,000 DAI given to the vault of 1,000,000 moved 0, each week. Now: 5,000 in parts."""
    pool, usdc, dai = system.pool, system.usdc, system.dai
    system.stake(staker, 1_000_000, dai)
    system.mine(1)
    now = boa.env.timestamp
    system.earn(dai, 6_000 * WAD)
    with boa.reverts("router: too little out"):
        pool.harvest(dai, ALL)
    for _ in range(5):
        assert pool.asset_state(dai)[2] < now
        assert 995 * USD < pool.harvest(dai, 1_000 * WAD) < 1_000 * USD
        # Others trade the pair back.
        usdc.mint(system.swap, dai.balanceOf(system.swap) // 10**12 - usdc.balanceOf(system.swap))
        system.swap.sync()
    assert pool.asset_state(dai)[2] == now


def test_beefy_part_is_no_dust(system, staker):
    """A part below a basis point of a token is refused; what was moved in parts counts when all was."""
    pool, dai = system.pool, system.dai
    system.stake(staker, 200_000, dai)
    system.mine(1)
    now = boa.env.timestamp
    system.earn(dai, 10_000 * WAD)
    assert pool.harvest(dai, 400 * WAD) > 396 * USD
    assert pool.asset_state(dai)[2] < now
    with boa.reverts("pool: part is too small"):
        pool.harvest(dai, WAD // 10_000 - 1)
    assert pool.harvest(dai, ALL) > 590 * USD
    assert pool.asset_state(dai)[2] == now


def test_yearn_superform_withdrawal_at_a_bent_price_reverts(system, staker):
    """Before: 5,000 owed, 4,000 paid, 0 still owed. Now it reverts, and 5,000 come later."""
    pool, usdc = system.pool, system.usdc
    pool.stake(usdc, 5_000 * USD, sender=staker)
    system.lose(usdc, 1_000 * USD)
    with boa.reverts("pool: pays less than min_paid"):
        pool.withdraw(usdc, 5_000 * USD, 4_975 * USD, sender=staker)
    with boa.reverts("pool: pays less than min_paid"):
        pool.withdraw(usdc, 5_000 * USD, ALL, sender=staker)
    assert pool.principal_of(staker, usdc) == 5_000 * USD
    system.earn(usdc, 1_000 * USD)
    system.vault[usdc].set_liquidity(2_000 * USD)
    # A part is as good as all: what is paid off has its price.
    assert pool.withdraw(usdc, 5_000 * USD, 4_999 * USD, sender=staker) == 2_000 * USD


def test_stake_in_a_vault_that_lost_all_counts_nothing_a_day_later(system, staker, rival):
    """Before: it could not leave, and 1,000 worth 0 counted 1,000 for ever. Now: 0 a day later, or it leaves with 0.

    A dip of a moment takes nothing from anybody.
    """
    pool, usdc, vault = system.pool, system.usdc, system.vault[system.usdc]
    for account in (staker, rival):
        pool.stake(usdc, 1_000 * USD, sender=account)
    event = system.create_event()
    system.events.predict(event, 0, sender=staker)
    with boa.reverts("pool: no loss to note"):
        pool.note_loss(usdc)
    assert pool.loss_of(usdc) == (0, 0, 0)
    lost = vault.totalAssets()
    system.lose(usdc, lost)
    with boa.reverts("pool: nothing to revalue"):
        pool.revalue(staker, usdc)
    assert pool.note_loss(usdc) == pool.loss_of(usdc)[1] == WAD
    for seconds in (0, DAY - 1):
        boa.env.timestamp += seconds
        with boa.reverts("pool: nothing to revalue"):
            pool.revalue(staker, usdc)
        with boa.reverts("pool: loss is noted already"):
            pool.note_loss(usdc)
    boa.env.timestamp += 1
    pool.revalue(staker, usdc)
    assert (pool.stake_of(staker), pool.value_of(staker, usdc)) == (0, (0, 1_000 * USD))
    # Leaving for nothing is meant, or it does not happen.
    with boa.reverts("pool: worth nothing now"):
        pool.withdraw(usdc, 1_000 * USD, 1, sender=rival)
    with boa.reverts("pool: worth nothing now"):
        pool.withdraw(usdc, 999 * USD, 0, sender=rival)
    assert pool.withdraw(usdc, 1_000 * USD, 0, sender=rival) == 0
    assert (pool.stake_of(rival), pool.principal_of(rival, usdc)) == (0, 0)
    # What is made up counts again, as stake that is added now.
    system.earn(usdc, lost)
    pool.revalue(staker, usdc)
    assert pool.stake_of(staker) == 1_000 * USD
    assert pool.note_loss(usdc) == 0
    assert pool.worth_of(usdc, 1_000 * USD) == 1_000 * USD
    with boa.reverts("pool: more than all principal"):
        pool.worth_of(usdc, 1_001 * USD)


def test_ten_units_are_rounding_and_eleven_are_a_loss(system, staker):
    pool, usdc = system.pool, system.usdc
    pool.stake(usdc, USD, sender=staker)
    system.vault[usdc].set_liquidity(950_000)  # and leaves what is too little to stake
    assert pool.withdraw(usdc, USD, USD, sender=staker) == 950_000
    shares = pool.asset_state(usdc)[1]

    def lacking() -> int:
        return 50_000 - system.vault[usdc].convertToAssets(shares)

    for units, loss in ((10, 0), (11, 11 * WAD // 50_000)):  # a ten-thousandth is 5
        while lacking() < units:
            system.lose(usdc, 1)
        assert (lacking(), pool.loss_of(usdc)[0]) == (units, loss)


def test_a_loss_counts_from_a_hundredth_on(system, staker):
    pool, usdc = system.pool, system.usdc
    pool.stake(usdc, 1_000 * USD, sender=staker)
    system.lose(usdc, 10 * USD)
    assert pool.note_loss(usdc) == WAD // 100
    boa.env.timestamp += DAY
    with boa.env.anchor():
        system.earn(usdc, 1)
        assert 0 < pool.loss_of(usdc)[0] < WAD // 100
        with boa.reverts("pool: nothing to revalue"):
            pool.revalue(staker, usdc)
        assert pool.note_loss(usdc) == 0  # the note is taken back
    pool.revalue(staker, usdc)
    assert pool.stake_of(staker) == 990 * USD


def test_loss_counts_at_the_lesser_of_two_and_a_note_ends(system, staker):
    pool, usdc = system.pool, system.usdc
    pool.stake(usdc, 1_000 * USD, sender=staker)
    system.lose(usdc, 100 * USD)
    noted = pool.note_loss(usdc)
    system.lose(usdc, 400 * USD)
    boa.env.timestamp += DAY
    with boa.env.anchor():
        pool.revalue(staker, usdc)
        assert abs(pool.stake_of(staker) - (WAD - noted) * 1_000 * USD // WAD) <= 1
    boa.env.timestamp += 2 * DAY
    with boa.reverts("pool: nothing to revalue"):
        pool.revalue(staker, usdc)
    assert pool.note_loss(usdc) > noted


def test_morpho_v2_554_vault_that_says_it_can_pay_nothing_and_pays(system, staker, hostile):
    """Before: "cannot pay now" for ever, 0 of 1,000. Now what it says is a hint: leaving and harvesting try."""
    token, vault = hostile
    vault.set_limit(0)
    system.add_asset(token, vault)
    system.stake(staker, 1_000, token)
    token.mint(vault, 10 * USD)
    vault.set_price(10_050)
    system.mine(1)
    assert system.pool.withdraw(token, 500 * USD, 500 * USD, sender=staker) == 500 * USD


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda vault: vault.set_hides_shares(True), "pool: shares are elsewhere"),
        (lambda vault: vault.set_paid(0), "pool: vault does not pay"),
        (lambda vault: vault.set_paid(9_999), "pool: vault does not pay"),
        (lambda vault: vault.set_shares_each(2**100), "pool: too many shares"),
    ],
)
def test_vault_that_does_not_prove_its_exit_never_takes_a_stake(system, hostile, staker, spoil, reason):
    token, vault = hostile
    system.pool.add_asset(token, vault, system.feed[system.usdc], sender=system.owner)
    system.fund(staker, token, 100 * USD)
    with boa.reverts("pool: asset is not seeded"):
        system.pool.set_open(token, True, sender=system.owner)
    with boa.reverts("pool: seed below 10 tokens"):
        system.pool.seed_asset(token, 10 * USD - 1, sender=staker)
    with boa.env.anchor():
        spoil(vault)
        with boa.reverts(reason):
            system.pool.seed_asset(token, 10 * USD, sender=staker)
    assert token.balanceOf(staker) == 100 * USD
    assert system.pool.seed_asset(token, 11 * USD, sender=staker) == 11 * USD // 2
    assert system.pool.asset_state(token) == (0, 0, 0, True)
    with boa.reverts("pool: not waiting for a seed"):
        system.pool.seed_asset(token, 10 * USD, sender=staker)


def test_shares_of_a_vault_fit_their_word(system, hostile, staker):
    token, vault = hostile
    system.pool.add_asset(token, vault, system.feed[system.usdc], sender=system.owner)
    system.fund(staker, token, 100 * USD)
    vault.set_shares_each(2**88)
    with boa.reverts("pool: too many shares"):
        system.pool.seed_asset(token, 2**24, sender=staker)  # 2**112 shares
    assert system.pool.seed_asset(token, 2**24 - 1, sender=staker) == (2**24 - 1) // 2


def test_token_that_takes_a_fee_is_not_seeded(system, staker):
    token = load("tests/mocks/Token.vy").deploy(6)
    vault = load("contracts/devnet/YieldVault.vy").deploy(token)
    system.pool.add_asset(token, vault, system.feed[system.usdc], sender=system.owner)
    system.fund(staker, token, 100 * USD)
    token.set_fee(1)
    with boa.reverts("pool: token takes a fee"):
        system.pool.seed_asset(token, 10 * USD, sender=staker)


def test_vault_that_turns_bad_pays_what_it_pays_or_nothing_changes(system, hostile, staker):
    token, vault = hostile
    system.add_asset(token, vault)
    system.stake(staker, 1_000, token)
    system.mine(1)
    vault.set_paid(0)
    with boa.reverts("pool: vault paid nothing"):
        system.pool.withdraw(token, 1_000 * USD, 0, sender=staker)
    vault.set_price(10_050)
    token.mint(vault, 100 * USD)
    with boa.reverts("pool: vault paid too little"):
        system.pool.harvest(token, ALL)
    vault.set_price(10_000)
    vault.set_paid(10_000)
    assert system.pool.withdraw(token, 1_000 * USD, 1_000 * USD, sender=staker) == 1_000 * USD


def test_chainlink_1470_feed_is_replaced_only_when_it_is_gone_or_agrees(system):
    """Before: a retired feed stopped an asset's yield for good, and nothing could replace it.

    An owner still cannot put a wrong price in.
    """
    pool, usdc, old = system.pool, system.usdc, system.feed[system.usdc]
    feed = load("contracts/devnet/PriceFeed.vy")
    liar = feed.deploy(8, "USD", 102 * 10**6)
    with boa.reverts("pool: old feed still answers"):
        pool.set_feed(usdc, liar, sender=system.owner)
    liar.set_price(0)
    with boa.reverts("pool: new feed has no price"):
        pool.set_feed(usdc, liar, sender=system.owner)
    liar.set_price(102 * 10**6)
    with boa.reverts("pool: nothing new of the feed"):
        pool.note_feed(usdc)
    now = boa.env.timestamp
    with boa.env.anchor():
        old.set_round(9, 10**8, now, now, 9)
        boa.env.timestamp = now + 3 * DAY
        pool.set_feed(usdc, liar, sender=system.owner)
        assert pool.feed_of(usdc) == liar.address
    old.set_price(0)
    with boa.reverts("pool: old feed failed too lately"):
        pool.set_feed(usdc, liar, sender=system.owner)
    pool.note_feed(usdc)
    boa.env.timestamp = now + 3 * DAY - 1
    with boa.reverts("pool: old feed failed too lately"):
        pool.set_feed(usdc, liar, sender=system.owner)
    boa.env.timestamp = now + 3 * DAY
    with boa.reverts("ownable: caller is not the owner"):
        pool.set_feed(usdc, liar)
    pool.set_feed(usdc, liar, sender=system.owner)
    honest = feed.deploy(8, "USD", 101 * 10**6)
    pool.set_feed(usdc, honest, sender=system.owner)
    assert (pool.feed_of(usdc), pool.feed_failed_at(usdc)) == (honest.address, 0)
    # Both prices are within 1 % of the old one, to the unit and on both sides.
    for outside, within in ((102_010_001, 102_010_000), (100_989_899, 100_989_900)):
        honest = feed.deploy(8, "USD", outside)
        with boa.reverts("pool: old feed still answers"):
            pool.set_feed(usdc, honest, sender=system.owner)
        honest.set_price(within)
        pool.set_feed(usdc, honest, sender=system.owner)


def test_perennial_43_aave_vault_112_incentives_reach_the_treasury_and_shares_do_not(system, staker):
    """Before: tokens that vaults pay to their holders stayed in the pool for good."""
    pool = system.pool
    pool.stake(system.usdc, 1_000 * USD, sender=staker)
    token = load("tests/mocks/Token.vy").deploy(18)
    with boa.reverts("pool: nothing to sweep"):
        pool.sweep(token)
    token.mint(pool, 5 * WAD)
    token.refuse(system.treasury, True)
    with boa.reverts("pool: token was not sent"):
        pool.sweep(token)
    token.refuse(system.treasury, False)
    assert pool.sweep(token) == 5 * WAD == token.balanceOf(system.treasury)
    silent = load("tests/mocks/SilentToken.vy").deploy()  # its transfer returns nothing
    silent.mint(pool, 7)
    assert pool.sweep(silent) == 7 == silent.balanceOf(system.treasury)
    vault = system.vault[system.usdc]
    with boa.reverts("pool: token is a vault's share"):
        pool.sweep(vault)
    pool.retire_asset(system.usdc, sender=system.owner)
    with boa.reverts("pool: token is a vault's share"):
        pool.sweep(vault)
    assert pool.withdraw(system.usdc, 1_000 * USD, 1_000 * USD, sender=staker) == 1_000 * USD
