"""Invariants 4 and 9 with the owner as the attacker: every power in any order, with addresses of the owner's making.

People stake in honest vaults, leave, and are revalued, while the owner lists, seeds, opens, retires and lists again,
names shares as assets, replaces feeds, hands the pool over, and has vaults of their own take whatever they are allowed
to take, within calls too. After every transaction nobody has an allowance on what the pool holds, and an honest vault
has all that was staked, less what it lost itself and what was paid. At the end everybody takes a fair share out of it.
"""

from collections import Counter
from contextlib import suppress
from random import Random

import boa
import pytest

from tests.prize_system import ALL, SEED, USD, PrizeSystem, deployed, load

PEOPLE = 3
FEEDS = 3
DAY = 86_400
NOBODY = "0x" + "0" * 40
PRICES = (0, 1, 97 * 10**6, 99 * 10**6, 10**8, 10**8, 101 * 10**6, 10**12)
SHARE_PRICES = (0, 1, 9_000, 10_050, 10**6)


class World:
    """Two honest assets, each with its vault, and what an owner has or makes: tokens, vaults, feeds."""

    def __init__(self, system: PrizeSystem):
        self.system = system
        yielding, hostile = load("contracts/devnet/YieldVault.vy"), load("tests/mocks/HostileVault.vy")
        token, feed = load("contracts/devnet/TestToken.vy"), load("contracts/devnet/PriceFeed.vy")
        self.assets = [system.usdc, system.dai]
        self.homes = [system.vault[asset] for asset in self.assets]
        self.tokens = [*self.assets, *self.homes, *(token.deploy("Hostile", "HST", 6) for _ in range(2))]
        self.made = [hostile.deploy(system.usdc) for _ in range(3)]
        # A second vault of an honest asset, and one over the shares of the first.
        self.vaults = [*self.made, yielding.deploy(system.usdc), yielding.deploy(self.homes[0]), *self.homes]
        self.feeds = [feed.deploy(8, "USD", 10**8) for _ in range(FEEDS)]
        # Whatever the pool can come to hold that is a token; a share of `made` is nothing but a number.
        self.held = [*self.tokens, *self.vaults[3:5]]
        for vault in self.made:
            vault.set_loot(self.held)
        self.owners = [system.owner, boa.env.generate_address()]
        self.people = [boa.env.generate_address() for _ in range(PEOPLE)]
        others = (system.router, system.swap, system.prizes, system.events, system.treasury)
        self.spenders = [*self.vaults, *self.tokens, *others, *self.owners]
        self.allowances = load("tests/mocks/Allowances.vy").deploy()
        for account in (*self.people, *self.owners):
            for each in (*self.assets, *self.tokens[4:]):
                system.fund(account, each, 10**7 * system.unit(each))
        for owner in self.owners:
            # The owner has shares of honest vaults, to seed them as an asset with.
            for asset, home in zip(self.assets, self.homes, strict=True):
                asset.approve(home, ALL, sender=owner)
                home.deposit(1_000 * system.unit(asset), owner, sender=owner)
                home.approve(system.pool, ALL, sender=owner)


class Powers:
    """What an owner can do, and anybody for the owner. Each takes a token, a vault, a feed, and a yes or no."""

    def tries(self, name, call) -> bool:
        """Whether the pool lets it through; what it refuses changes nothing, which the invariants see."""
        with suppress(boa.BoaError):
            call()
            self.done[name] += 1
            return True
        return False

    def add(self, token, vault, feed, _):
        """A vault of the owner's says that it is the asset's, whatever it said before."""
        if vault in self.world.made:
            vault.set_asset(token)
        added = self.tries("add", lambda: self.pool.add_asset(token, vault, feed, sender=self.owner))
        if added and token in self.world.assets:
            # Nobody is owed any of it, and the dust that is left is given up.
            self.counted[self.world.assets.index(token)] = 0

    def seed(self, token, *_):
        amount = SEED * self.system.unit(token)
        # Where an honest asset is seeded anew, its vault has more shares that the pool does not count.
        homes = [k for k, home in enumerate(self.world.homes) if self.pool.vault_of(token) == home.address]
        before = [home.balanceOf(self.pool) for home in self.world.homes]
        if self.tries("seed", lambda: self.pool.seed_asset(token, amount, sender=self.owner)):
            for k in homes:
                self.moves(k, amount - amount // 2, self.world.homes[k].balanceOf(self.pool) - before[k], False)
                assert self.shares[k] > before[k]

    def take(self, token, vault, *_):
        if vault in self.world.made:
            self.tries("take", lambda: vault.take(token, self.pool))

    def list_and_take(self, token, vault, feed, retires):
        """All that makes a token approved to a vault of the owner's, one after the other."""
        if retires:
            self.retire(token)
        self.add(token, vault, feed, False)
        self.seed(token)
        if token in self.world.tokens[4:]:
            self.tries("trust", lambda: self.pool.stake(token, 100 * USD, sender=self.world.people[0]))
        self.take(token, vault)

    def retire(self, token, *_):
        self.tries("retire", lambda: self.pool.retire_asset(token, sender=self.owner))

    def open(self, token, vault, feed, is_open):
        self.tries("open", lambda: self.pool.set_open(token, is_open, sender=self.owner))

    def set_feed(self, token, vault, feed, waits):
        self.tries("note feed", lambda: self.pool.note_feed(token))
        if waits:
            self.system.wait_until(boa.env.timestamp + 3 * DAY)
            feed.set_price(10**8)
        self.tries("feed", lambda: self.pool.set_feed(token, feed, sender=self.owner))

    def sweep(self, token, vault, feed, gift):
        if gift and token not in self.world.homes:
            token.mint(self.pool, 10**6)
        self.tries("sweep", lambda: self.pool.sweep(token))

    def hand_over(self, *_):
        self.pool.transfer_ownership(self.spare, sender=self.owner)
        self.pool.accept_ownership(sender=self.spare)
        self.owner, self.spare = self.spare, self.owner
        self.done["hand over"] += 1


POWERS = [
    Powers.add,
    Powers.seed,
    Powers.take,
    Powers.list_and_take,
    Powers.list_and_take,
    Powers.retire,
    Powers.open,
    Powers.set_feed,
    Powers.sweep,
    Powers.hand_over,
]


class Walk(Powers):
    """People and the owner act at random."""

    def __init__(self, world: World, done: Counter, chance: Random):
        self.world, self.done, self.chance = world, done, chance
        self.system, self.pool = self.world.system, self.world.system.pool
        self.system.resume()
        self.owner, self.spare = self.world.owners
        # Of each honest vault: what is in it; the shares that the pool has, and those that it counts.
        self.assets_in = [home.totalAssets() for home in self.world.homes]
        self.shares, self.counted = ([home.balanceOf(self.pool) for home in self.world.homes], [0, 0])
        for k in (0, 1):
            for person in range(PEOPLE):
                self.stake(person, k, 10**5 * (person + 1))

    def step(self):
        """The owner acts twice as often as all people, who choose among more."""
        chance, world = self.chance, self.world
        token, vault, feed = (chance.choice(each) for each in (world.tokens, world.vaults, world.feeds))
        person, k, flag = chance.randrange(PEOPLE), chance.randrange(2), chance.random() < 0.5
        of_people = [
            lambda: self.stake(person, k, chance.randint(100, 10**7)),
            lambda: self.leave(person, k, flag),
            lambda: self.empty(k),
            lambda: self.trust(person, chance.choice(world.tokens[4:]), chance.randint(100, 10**5), flag),
            lambda: self.lose(k, chance.choice([10, 200, 2_000])),
            lambda: self.earn(k, chance.randint(1, 500)),
            lambda: self.harvest(k, chance.randint(1, 100)),
            lambda: self.harvest_any(token),
            lambda: self.revalue(person, world.assets[k], chance.randrange(4)),
            lambda: self.set_price(feed, chance.choice(PRICES)),
            lambda: self.bend(chance.choice(world.made), chance.choice(SHARE_PRICES), chance.choice([0, 10_000])),
        ]
        if chance.random() < 2 / 3:
            chance.choice(POWERS)(self, token, vault, feed, flag)
        else:
            chance.choice(of_people)()
        self.check_that_nobody_may_move_what_is_held()
        self.check_that_honest_vaults_have_what_was_staked()

    def end(self):
        """Everybody leaves."""
        for k in (0, 1):
            self.empty(k)
            assert self.owed(k) == 0

    def empty(self, k):
        """Everybody leaves an asset, so that the owner can list it anew."""
        for person in range(PEOPLE):
            self.leave(person, k, False)

    def owed(self, k) -> int:
        return sum(self.pool.principal_of(account, self.world.assets[k]) for account in self.world.people)

    def is_home(self, k) -> bool:
        """Whether an honest asset goes to its honest vault; the owner can list it anew where nobody is owed any."""
        return self.pool.vault_of(self.world.assets[k]) == self.world.homes[k].address

    def moves(self, k, assets, shares, counts=True):
        """Assets and shares of an honest vault that came or, below 0, went."""
        self.assets_in[k] += assets
        self.shares[k] += shares
        self.counted[k] += shares * counts

    def burned(self, k, amount, supply) -> int:
        """Shares that an honest vault of that supply takes for a payment, rounded up."""
        return -(-amount * (supply + 1) // (self.assets_in[k] + 1))

    def stake(self, person, k, cents):
        # Whoever stakes looks where it goes: a vault of the owner's can keep what it is given.
        if not self.is_home(k):
            return
        asset, home, account = self.world.assets[k], self.world.homes[k], self.world.people[person]
        amount = cents * self.system.unit(asset) // 100
        shares = home.previewDeposit(amount)
        if self.tries("stake", lambda: self.pool.stake(asset, amount, sender=account)):
            self.moves(k, amount, shares)

    def leave(self, person, k, half):
        """Whatever the owner did, it goes through, and pays the fair share of what the honest vault has."""
        asset, account = self.world.assets[k], self.world.people[person]
        amount = principal = self.pool.principal_of(account, asset)
        if half and self.pool.value_of(account, asset)[1] >= 4 * USD:
            amount //= 2
        if not amount:
            return
        owed, before = self.owed(k), asset.balanceOf(account)
        worth = self.counted[k] * (self.assets_in[k] + 1) // (self.world.homes[k].totalSupply() + 1)
        fair = amount * min(worth, owed) // owed
        burned = self.burned(k, fair, self.world.homes[k].totalSupply())
        assert self.pool.withdraw(asset, amount, 0, sender=account) == fair
        self.done["leave"] += 1
        assert asset.balanceOf(account) - before == fair
        assert self.pool.principal_of(account, asset) == principal - amount
        self.moves(k, -fair, -burned)

    def trust(self, person, token, cents, leaves):
        """Somebody believes in an asset of the owner's, and may leave it again."""
        account = self.world.people[person]
        self.tries("trust", lambda: self.pool.stake(token, cents * 10**4, sender=account))
        if leaves:
            amount = self.pool.principal_of(account, token)
            self.tries("leave trust", lambda: self.pool.withdraw(token, amount, 0, sender=account))

    def lose(self, k, bps):
        amount = self.assets_in[k] * bps // 10_000
        self.world.homes[k].lose(amount)
        self.assets_in[k] -= amount

    def earn(self, k, bps):
        amount = self.assets_in[k] * bps // 10_000
        self.system.earn(self.world.assets[k], amount)
        self.assets_in[k] += amount

    def harvest(self, k, share):
        """It never takes what is owed: what is left is worth the principal, or nothing was moved."""
        asset, home = self.world.assets[k], self.world.homes[k]
        if not self.is_home(k):
            return
        supply = home.totalSupply()
        if not self.tries("harvest", lambda: self.pool.harvest(asset, share * self.system.unit(asset))):
            return
        moved = self.assets_in[k] - home.totalAssets()
        owed, burned = self.owed(k), self.burned(k, moved, supply)
        self.moves(k, -moved, -burned)
        worth = self.counted[k] * (self.assets_in[k] + 1) // (home.totalSupply() + 1)
        assert moved == 0 or worth >= owed

    def harvest_any(self, token):
        """Of what the owner made, and of an honest asset that the owner lists with another vault."""
        if token not in self.world.assets or not self.is_home(self.world.assets.index(token)):
            self.tries("harvest any", lambda: self.pool.harvest(token, ALL))

    def revalue(self, person, token, waits):
        """What a stake counts never touches what is owed."""
        account = self.world.people[person]
        owed = self.pool.principal_of(account, token)
        self.tries("note loss", lambda: self.pool.note_loss(token))
        self.system.wait_until(boa.env.timestamp + waits * DAY // 2)
        self.tries("revalue", lambda: self.pool.revalue(account, token))
        assert self.pool.principal_of(account, token) == owed

    def set_price(self, feed, price):
        for each in (feed, *self.system.feed.values()):
            each.set_price(price)

    def bend(self, vault, price, paid):
        """A vault of the owner's shows another price, pays another part, or says that it has nothing."""
        vault.set_price(price)
        vault.set_paid(paid)
        vault.set_limit(ALL * (price > 9_000))

    def check_that_nobody_may_move_what_is_held(self):
        world = self.world
        assert world.allowances.first_movable(self.pool, world.held, world.spenders) == NOBODY

    def check_that_honest_vaults_have_what_was_staked(self):
        for k, home in enumerate(self.world.homes):
            assert (home.totalAssets(), home.balanceOf(self.pool)) == (self.assets_in[k], self.shares[k])
            if self.is_home(k):
                assert self.pool.asset_state(self.world.assets[k])[1] == self.counted[k]
            else:
                assert self.owed(k) == 0


@pytest.fixture(scope="module")
def world():
    with boa.env.anchor():
        yield World(deployed())


def walks(world, count, steps):
    """That many walks of so many steps; every power goes through in one of them, or they show nothing."""
    done = Counter()
    for seed in range(count):
        with boa.env.anchor():
            world.system.resume()
            walk = Walk(world, done, Random(seed))
            for _ in range(steps):
                walk.step()
            walk.end()
    wanted = {"add", "seed", "open", "retire", "feed", "note feed", "sweep", "hand over"}
    assert set(done) >= wanted | {"stake", "trust", "leave", "harvest", "note loss"}, done
    assert not done["take"], done


def test_owner_reaches_nobodys_principal(world):
    walks(world, 9, 40)


@pytest.mark.campaign
def test_owner_reaches_nobodys_principal_for_long(world):
    walks(world, 300, 100)
