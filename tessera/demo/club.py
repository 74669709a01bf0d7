"""The club on its chain: friends by name, each call a transaction of that friend, the clock set by the season."""

from math import exp, log
from typing import Any

from web3 import Web3

from tessera.chain import EUR, WAD, ZERO_ADDRESS, EventLog, Outcome, Receipt, Terms, Tessera, Wallet
from tessera.chain.blocks import block_at
from tessera.chain.embedded import known_account
from tessera.chain.escrow import Entry
from tessera.chain.lmsr_markets import BetPlaced, MarketCreated, MarketFinalized

CONSENT = 1  # to the first product, the markets


class Club:
    """Friends who have joined the club of a deployment on an embedded chain.

    Balances, prices and holdings are followed from the events of each transaction, as a wallet does, which spares the
    chain half of its calls; the audit at the end asks the chain itself.

    A method that acts is the contract's function of that name, sent at `now` by the friend named; it raises Reverted
    where the contract refuses.
    """

    def __init__(self, web3: Web3, tessera: Tessera, owner: Wallet, names: list[str]):
        self.web3, self.tessera, self.markets = web3, tessera, tessera.markets
        self.wallets = {name: Wallet(web3, known_account(index)) for index, name in enumerate(names, 1)}
        self.names: dict[str, str] = {wallet.address: name for name, wallet in self.wallets.items()}
        self.balances = dict.fromkeys(names, 0)
        self.prices: dict[int, float] = {}  # of YES by market
        self.depths: dict[int, float] = {}  # b by market, EUR
        self.holdings: dict[tuple[int, str, Outcome], int] = {}  # shares, WAD
        self.outcomes: dict[int, Outcome] = {}
        tessera.play_euro.invite(owner, list(self.names))
        for wallet in self.wallets.values():
            self._follow(tessera.play_euro.join(wallet, consent=CONSENT))
        self._last = self.now = block_at(web3).timestamp

    def wait_until(self, at: int) -> None:
        """Set the clock: the next transaction takes place at `now`, which is `at`, or later where that is past."""
        self.now = max(at, self._last + 1)

    def rows(self) -> list[EventLog]:
        """Every event of the deployment's contracts, read back from the chain in its order."""
        return list(self.tessera.log_reader().read())

    def quote(self, market_id: int, side: Outcome) -> float:
        """Shares that 1 EUR buys at the price of the last event, by the market's own formula."""
        price, b = self.prices[market_id], self.depths[market_id]
        return b * log(1 + (exp(1 / b) - 1) / (price if side is Outcome.YES else 1 - price))

    def create_market(self, name: str, terms: dict[str, str], *, p0: float, referee: str | None, **times: int) -> int:
        """Returns the market's number."""
        done = self.markets.create_market(
            self._on_time(name),
            Terms(**terms),
            p0=round(p0 * 100) * WAD // 100,
            referee=self.wallets[referee].address if referee else ZERO_ADDRESS,
            **times,
        )
        self._follow(done)
        market_id = done.event(MarketCreated).market_id
        if referee:
            self.markets.accept_referee(self._on_time(referee), market_id)
        return market_id

    def bet(self, name: str, market_id: int, side: Outcome, *, min_shares: float) -> None:
        """`min_shares` in EUR of payoff."""
        self._follow(
            self.markets.bet(self._on_time(name), market_id, side, min_shares=int(min_shares * EUR) * WAD // EUR)
        )

    def propose(self, name: str, market_id: int, outcome: Outcome) -> None:
        self.markets.propose(self._on_time(name), market_id, outcome)

    def complain(self, name: str, market_id: int, outcome: Outcome, reason: str) -> None:
        self.markets.complain(self._on_time(name), market_id, outcome, reason)

    def dispute_ends_at(self, market_id: int) -> int:
        """When the votes so far can be counted, unix seconds."""
        return self.markets.tally(market_id).ends_at

    def vote(self, name: str, market_id: int, outcome: Outcome) -> None:
        self.markets.vote(self._on_time(name), market_id, outcome)

    def rule(self, name: str, market_id: int, outcome: Outcome) -> None:
        self._follow(self.markets.rule(self._on_time(name), market_id, outcome))

    def finalize(self, name: str, market_id: int) -> None:
        self._follow(self.markets.finalize(self._on_time(name), market_id))

    def expire(self, name: str, market_id: int) -> None:
        self._follow(self.markets.expire(self._on_time(name), market_id))

    def claim(self, name: str, market_id: int) -> None:
        self._follow(self.markets.claim(self._on_time(name), market_id))

    def claim_many(self, name: str, market_id: int, names: list[str]) -> None:
        accounts = [self.wallets[each].address for each in names]
        self._follow(self.markets.claim_many(self._on_time(name), market_id, accounts))

    def _on_time(self, name: str) -> Wallet:
        """A friend's wallet, for one transaction, with the chain's clock at `now`."""
        if self.now > self._last + 1:
            provider: Any = self.web3.provider
            provider.ethereum_tester.time_travel(self.now)
        self._last = self.now
        return self.wallets[name]

    def _follow(self, done: Receipt) -> None:
        for row in done.events:
            match row:
                case Entry():
                    self.balances[self.names[row.account]] = row.balance_after
                case MarketCreated():
                    self.prices[row.market_id], self.depths[row.market_id] = row.p0 / WAD, row.b / WAD
                case BetPlaced():
                    after = row.price_after / WAD
                    self.prices[row.market_id] = after if row.side is Outcome.YES else 1 - after
                    key = row.market_id, self.names[row.account], row.side
                    self.holdings[key] = self.holdings.get(key, 0) + row.shares
                case MarketFinalized():
                    self.outcomes[row.market_id] = row.outcome
