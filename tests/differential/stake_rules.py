"""The half of the prize machine that holds principal: stakes in vaults that earn, lose, run dry and stop.

What a vault holds is given; all that the pool makes of it is counted here a second time, in exact fractions.
"""

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

import boa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tessera.model.prizes import period_of
from tests.prize_system import ALL, BET_PER_BLOCK, MINING_BLOCKS, USD, WAD, PrizeSystem, block_number, refusing

PEOPLE = 5
people = st.integers(0, PEOPLE - 1)
both = st.booleans().map(int)  # which of two assets
NO_LIMIT = 2**256 - 1
TROUBLES = ("paused", "closed", "dry", "price", "refused", "calm", "calm")
PRICES = (0, 97, 98, 99, 100, 100, 101, 102, 103)  # cents; below 98 nobody can stake, above 102 nothing is swapped


@dataclass
class Book:
    """One asset: what each person is owed and what it counts as stake, and what went in and out of its vault."""

    principal: Counter = field(default_factory=Counter)
    value: Counter = field(default_factory=Counter)  # USD, 6 decimals
    shares: int = 0
    price: int = 100
    is_open: bool = True
    harvested_at: int = 0
    moved: int = 0  # in the week of the last harvest
    moved_in: int = 0  # that week
    before: int = 0  # principal at the end of the block before the last change
    changed_in: int = 0
    flows: Counter = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return sum(self.principal.values())

    def changes(self):
        """The principal is about to change in this block."""
        if self.changed_in != block_number():
            self.before, self.changed_in = self.total, block_number()

    def settled(self) -> int:
        """The lesser of principal now and at the end of the previous block."""
        return min(self.total, self.before) if self.changed_in == block_number() else self.total


class Mining:
    """BET earned by each person, exactly: a fixed number per block, shared by stake."""

    def __init__(self):
        self.end = block_number() + MINING_BLOCKS
        self.last, self.steps, self.mined = block_number(), 0, Fraction(0)
        self.earned, self.claimed = Counter(), Counter()

    def accrue(self, stakes: Counter):
        blocks, total = min(block_number(), self.end) - self.last, sum(stakes.values())
        if blocks <= 0:
            return
        self.last += blocks
        if total:
            self.steps += 1
            self.mined += blocks * BET_PER_BLOCK
            for person, stake in stakes.items():
                self.earned[person] += Fraction(blocks * BET_PER_BLOCK * stake, total)


class StakeRules(RuleBasedStateMachine):
    system: PrizeSystem

    def open_books(self):
        self.assets = (self.system.usdc, self.system.dai)
        self.vaults = [self.system.vault[asset] for asset in self.assets]
        self.accounts = [boa.env.generate_address() for _ in range(PEOPLE)]
        self.books = [Book(), Book()]
        self.mining, self.refused, self.turn = Mining(), set(), 0
        for asset, vault, book in zip(self.assets, self.vaults, self.books, strict=True):
            lender = boa.env.generate_address()
            asset.mint(lender, 5_000 * self.system.unit(asset))
            asset.approve(vault, NO_LIMIT, sender=lender)
            vault.deposit(5_000 * self.system.unit(asset), lender, sender=lender)
            book.flows["lent"] = 5_000 * self.system.unit(asset)

    @property
    def stakes(self) -> Counter:
        return Counter({p: sum(book.value[p] for book in self.books) for p in range(PEOPLE)})

    def worth(self, k: int, shares: int | None = None) -> Fraction:
        """What the vault would return for the pool's shares, before it rounds."""
        vault = self.vaults[k]
        shares = self.books[k].shares if shares is None else shares
        return Fraction(shares * (vault.totalAssets() + 1), vault.totalSupply() + 1)

    def stake_changes(self, person: int, old: int, in_time: bool):
        """A person's stake was `old`; `told` says whether the prize contracts know."""

    def revenue_came(self, amount: int):
        """The prize pool got prize tokens."""

    def act(self, reason: str | None, call):
        """The call's answer, or None where it has to be refused for the reason, any if that is empty."""
        if reason is None:
            return call()
        with boa.reverts(reason) if reason else boa.reverts():
            call()
        return None

    @rule(person=people, cents=st.integers(100, 10**7), k=both)
    def stake(self, person, cents, k):
        system, book, account, asset, vault = self.system, self.books[k], *self.of(person, k)
        amount = cents * system.unit(asset) // 100
        value = cents * min(book.price, 100) * USD // 10**4
        got = vault.previewDeposit(amount)
        held = book.shares + got
        after = Fraction(held * (vault.totalAssets() + amount + 1), vault.totalSupply() + got + 1)
        total = book.total + amount
        refusals = [
            ("pool: asset is closed", not book.is_open),
            ("pool: no price", book.price == 0),
            ("pool: price below 0.98", book.price < 98),
            ("pool: less than 1 USD", value < USD),
            ("pool: vault refused", vault.paused()),
            ("pool: vault has a loss", after + max(total // 10_000, 10) < total),
            ("pool: vault keeps too much", held and floor(after) * got // held + max(amount // 10_000, 10) < amount),
            ("pool: vault shares too coarse", floor(after) > held * (system.unit(asset) // 10_000)),
        ]
        system.fund(account, asset, amount)
        reason = next((reason for reason, holds in refusals if holds), None)
        self.mining.accrue(self.stakes)
        self.act(reason, lambda: system.pool.stake(asset, amount, sender=account))
        if reason is None:
            old = self.stakes[person]
            book.changes()
            book.principal[person] += amount
            book.value[person] += value
            book.shares += got
            book.flows["staked"] += amount
            self.stake_changes(person, old, True)

    @rule(person=people, share=st.fractions(0, 1), k=both, fails=st.sampled_from([False] * 4 + [True]))
    def withdraw(self, person, share, k, fails):
        book = self.books[k]
        self.mining.accrue(self.stakes)
        with refusing(self.system.events) if fails else ExitStack():
            left = self.leave(person, k, floor(book.principal[person] * share))
        if left is None:
            return
        old, shares, paid = self.stakes[person], *left
        book.changes()
        book.value[person] = self.system.pool.stake_of(self.accounts[person]) - self.books[1 - k].value[person]
        book.principal[person] = self.system.pool.principal_of(self.accounts[person], self.assets[k])
        book.shares = shares
        book.flows["paid"] += paid
        # There is no news of principal too small to count as stake.
        self.stake_changes(person, old, not fails or self.stakes[person] == old)

    def leave(self, person: int, k: int, amount: int) -> tuple[int, int] | None:
        """Withdraws principal and checks all that changes. The pool's shares then and what was paid, or None.

        Nothing in the books changes.
        """
        system, book, account, asset, vault = self.system, self.books[k], *self.of(person, k)
        pool, total, principal, value = system.pool, book.total, book.principal[person], book.value[person]
        # What remains is worth a dollar or nothing.
        if value * (principal - amount) < 2 * USD * principal:
            amount = principal
        if not amount:
            return None
        worth, liquid, held = self.worth(k), vault.maxWithdraw(pool), asset.balanceOf(account)
        stake = pool.stake_of(account)
        for_all = min(worth, Fraction(total))
        fair = amount * for_all / total
        # A fair share of what the vault rounds to nothing is nothing.
        worthless = amount * floor(for_all) // total == 0
        refusals = [
            ("pool: worth nothing now", worthless and amount < principal),
            ("pool: vault cannot pay now", not worthless and liquid == 0),
            ("pool: vault refused", not worthless and k == 0 and person in self.refused),
        ]
        reason = next((reason for reason, holds in refusals if holds), None)
        per_share = Fraction(vault.totalAssets() + 1, vault.totalSupply() + 1)
        paid = self.act(reason, lambda: pool.withdraw(asset, amount, 0, sender=account))
        if paid is None:
            return None
        assert asset.balanceOf(account) - held == paid
        left = pool.principal_of(account, asset)
        taken = principal - left
        assert 0 < taken <= amount
        if worthless:
            assert (paid, left) == (0, 0)
        elif liquid < floor(fair) - 1:
            # What is there is paid, and what is paid off is its fair price, rounded up.
            assert paid == liquid
            exact = paid * total / for_all
            assert exact <= taken <= exact + 1 + 2 * total / worth
        else:
            # Both the vault's worth and the share of it are rounded down: less than two units.
            assert fair - 2 < paid <= fair
        assert stake - pool.stake_of(account) == value - value * left // principal
        # Who stays keeps the same share of the vault, less what it rounds: one of its shares.
        shares = pool.asset_state(asset)[1]
        assert shares == book.shares - -(-paid // per_share)
        assert self.worth(k, shares) > for_all * (total - taken) / total - per_share
        return shares, paid

    @rule(k=both)
    def harvest(self, k):
        """What is moved is known to the unit; where the yield cannot be swapped it stays."""
        system, book, _, asset, vault = self.system, self.books[k], *self.of(0, k)
        week = period_of(boa.env.timestamp)
        moved = book.moved if book.moved_in == week else 0
        # Where nobody's principal is left there is no buffer of a token, and no cap.
        above = floor(self.worth(k)) - (book.total + system.unit(asset) if book.total else 0)
        cap = (book.settled() * 50 // 10_000 if book.total else 2**88 - 1) - moved
        due, liquid = max(0, min(above, cap)), vault.maxWithdraw(system.pool)
        # Less than a basis point of a token does not move.
        grain = system.unit(asset) // 10_000
        amount = min(due, liquid) if due >= grain else 0
        revenue, reason = amount, None
        if due >= grain and not liquid:
            reason = "pool: vault cannot pay now"
        elif k and amount:
            price, other = book.price, self.books[0].price
            fair = Fraction(amount * USD * price, WAD * other) if other else 0
            revenue = system.router.getAmountsOut(amount, [asset, system.usdc])[-1]
            refusals = [
                ("pool: no price", price == 0),
                ("pool: price below 0.98", price < 98),
                ("pool: no price", other == 0),
                ("pool: price below 0.98", other < 98),
                ("pool: price above 1.02", max(price, other) > 102),
                # The router's own reasons.
                ("", revenue == 0 or revenue < floor(fair) * 9_950 // 10_000),
            ]
            reason = next((reason for reason, holds in refusals if holds), None)
        per_share = Fraction(vault.totalAssets() + 1, vault.totalSupply() + 1)
        answer = self.act(reason, lambda: system.pool.harvest(asset, ALL))
        if reason is not None:
            return
        assert answer == revenue
        if k and amount:
            assert revenue > fair * Fraction(995, 1000) - 2
        book.shares -= -(-amount // per_share)
        book.moved, book.moved_in = moved + amount, week
        if due - amount < grain:
            book.harvested_at = boa.env.timestamp
        book.flows["harvested"] += amount
        # No harvest makes a loss of principal.
        assert not amount or self.worth(k) >= book.total
        self.revenue_came(revenue)

    @rule(k=both, bps=st.integers(1, 500))
    def earn(self, k, bps):
        amount = self.vaults[k].totalAssets() * bps // 10_000
        self.system.earn(self.assets[k], amount)
        self.books[k].flows["earned"] += amount

    @rule(k=both, bps=st.sampled_from([1, 5, 50, 500, 3_000]))
    def lose(self, k, bps):
        amount = self.vaults[k].totalAssets() * bps // 10_000
        self.system.lose(self.assets[k], amount)
        self.books[k].flows["lost"] += amount

    @rule(k=both, what=st.sampled_from(TROUBLES), size=st.integers(0, 10**4), person=people)
    def trouble(self, k, what, size, person):
        system, book, account, asset, vault = self.system, self.books[k], *self.of(person, k)
        if what == "paused":
            vault.set_paused(True)
        elif what == "closed":
            system.pool.set_open(asset, False, sender=system.owner)
            book.is_open = False
        elif what == "dry":
            vault.set_liquidity(vault.totalAssets() * size // 10**4)
        elif what == "price":
            book.price = PRICES[size % len(PRICES)]
            system.feed[asset].set_price(book.price * 10**6)
        elif what == "refused":
            system.usdc.refuse(account, True)
            self.refused.add(person)
        else:
            self.calm(k)

    def calm(self, k):
        """All that is out of order with an asset is in order again, and its pair has as much of either."""
        system, book, asset, vault = self.system, self.books[k], self.assets[k], self.vaults[k]
        vault.set_paused(False)
        vault.set_liquidity(NO_LIMIT)
        system.pool.set_open(asset, True, sender=system.owner)
        system.feed[asset].set_price(10**8)
        book.is_open, book.price = True, 100
        for person in self.refused:
            system.usdc.refuse(self.accounts[person], False)
        self.refused.clear()
        if k:
            missing = system.dai.balanceOf(system.swap) // 10**12 - system.usdc.balanceOf(system.swap)
            system.usdc.mint(system.swap, max(0, missing))
            system.swap.sync()

    @rule(person=people)
    def claim_rewards(self, person):
        self.mining.accrue(self.stakes)
        account, mining = self.accounts[person], self.mining
        pending = self.system.pool.pending_rewards(account)
        if not pending:
            return
        assert self.system.pool.claim_rewards(account) == pending
        mining.claimed[person] += pending
        assert self.system.bet.balanceOf(account) == mining.claimed[person]

    def of(self, person, k):
        return self.accounts[person], self.assets[k], self.vaults[k]

    @invariant()
    def stakes_add_up(self):
        pool = self.system.pool
        assert [pool.stake_of(account) for account in self.accounts] == [self.stakes[p] for p in range(PEOPLE)]
        assert pool.total_stake() == sum(self.stakes.values())
        for asset, vault, book in zip(self.assets, self.vaults, self.books, strict=True):
            owed = [pool.principal_of(account, asset) for account in self.accounts]
            assert owed == [book.principal[p] for p in range(PEOPLE)]
            assert pool.asset_state(asset) == (sum(owed), book.shares, book.harvested_at, book.is_open)
            # Dust that is left when nobody is owed anything is not counted any more.
            assert vault.balanceOf(pool) >= book.shares
            flows = book.flows
            assert vault.totalAssets() == (
                flows["lent"] + flows["staked"] + flows["earned"] - flows["lost"] - flows["paid"] - flows["harvested"]
            )

    @invariant()
    def rewards_add_up(self):
        self.mining.accrue(self.stakes)
        mining, pool = self.mining, self.system.pool
        for person, account in enumerate(self.accounts):
            exact = mining.earned[person] - mining.claimed[person]
            # The accumulator is rounded down at each step by less than 1e-18 a unit of stake; BET to a unit.
            slack = 1 + Fraction(mining.steps * 2**60, 10**18)
            assert exact - slack < pool.pending_rewards(account) <= exact

    @invariant()
    def somebody_can_leave(self):
        """Invariant 6, one person after the other; every other time no other contract answers."""
        self.turn += 1
        with boa.env.anchor(), ExitStack() as broken:
            if self.turn % 2:
                for contract in (self.system.events, self.system.prizes, self.system.router, self.system.bet):
                    broken.enter_context(refusing(contract))
            for k, book in enumerate(self.books):
                self.leave(self.turn % PEOPLE, k, book.principal[self.turn % PEOPLE])

    def everybody_leaves(self):
        """The end of a run: all have what is theirs, and every unit that came in is accounted for."""
        self.calm(0)
        self.calm(1)
        self.system.mine(1)
        for person in range(PEOPLE):
            for k in range(2):
                self.withdraw(person, Fraction(1), k, False)
            self.claim_rewards(person)
        for k, book in enumerate(self.books):
            # A share of less than two units is one that the rounding of a loss has eaten.
            assert all(
                owed * min(Fraction(1), self.worth(k) / book.total) < 2 for owed in book.principal.values() if owed
            )
        self.stakes_add_up()
        self.rewards_add_up()
        claimed = sum(self.mining.claimed.values())
        assert claimed == sum(self.system.bet.balanceOf(account) for account in self.accounts)
        assert claimed <= self.mining.mined <= BET_PER_BLOCK * MINING_BLOCKS
