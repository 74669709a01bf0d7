"""The scenario of staked tickets over an idle ERC-4626 vault: StakingPool, PredictionEvents, PrizePool, Panels, BET."""

from eth_account import Account
from eth_utils.crypto import keccak
from rlp import encode
from web3 import Web3

from benchmarks.chains import Chain, permit
from tests.panels import Question, accounts, sign

DAY, WEEK = 86_400, 604_800
OUTCOMES = ["home", "draw", "away"]
HOURS = 8 * 24  # of an event
USD, WAD = 10**6, 10**18
MINED = 10**6  # blocks
BATCH = 16
PREDICTIONS = 8
MISSED = 3

TITLE = "staked tickets"
PUBLISHED = {
    "stake_first": "StakingPool.stake (first)",
    "stake_repeat": "StakingPool.stake (repeat)",
    "unstake": "StakingPool.withdraw",
    "stake_per_open_prediction": "StakingPool.stake (an open prediction more)",
    "predict": "PredictionEvents.predict (first of a person and of an outcome)",
    "predict_eighth": "PredictionEvents.predict (an eighth)",
    "period_close": "PrizePool.close_periods",
    "period_close_per_missed_week": "PrizePool.close_periods (a missed week more)",
    "prize_claim": "PredictionEvents.claim",
    "prize_claim_batched": "PredictionEvents.claim_many (a person of 16)",
    "outcome_3_of_5": "Panels.submit_reports (3 of 5)",
}


class System:
    """All of it deployed. Contracts that know each other are told the addresses that the next transactions give."""

    def __init__(self, chain: Chain, blocks_per_hour: int = 6):
        self.chain, self.blocks_per_hour = chain, blocks_per_hour
        me = chain.accounts[0]
        self.usdc = chain.deploy("TestToken", "USD Coin", "USDC", 6)
        self.dai = chain.deploy("TestToken", "Dai", "DAI", 18)
        self.vaults = {t.address: chain.deploy("YieldVault", t.address) for t in self.tokens}
        self.feed = chain.deploy("PriceFeed", 8, "USD", 10**8)
        self.bet = chain.deploy("BetToken", 10**9 * WAD, 10**7 * WAD, me)
        self.swap = chain.deploy("Pair", self.usdc.address, self.dai.address)
        self.market = chain.deploy("Pair", self.usdc.address, self.bet.address)
        self.router = chain.deploy("Router")
        self.panels = chain.deploy("Panels")
        pool, events, prizes = (address_after(chain, n) for n in range(3))
        start = chain.web3.eth.block_number + 1
        usdc, bet, router = self.usdc.address, self.bet.address, self.router.address
        self.pool = chain.deploy("StakingPool", events, prizes, usdc, bet, router, WAD, start, start + MINED)
        self.events = chain.deploy(
            "PredictionEvents", pool, prizes, self.panels.address, usdc, blocks_per_hour, 24 * blocks_per_hour
        )
        self.prizes = chain.deploy("PrizePool", usdc, bet, events, pool, self.market.address, router, me)
        chain.send(self.bet, "set_minter", pool)
        for token in self.tokens:
            vault = self.vaults[token.address].address
            chain.send(self.pool, "add_asset", token.address, vault, self.feed.address)
            seed = 10 * 10 ** token.functions.decimals().call()
            chain.send(token, "mint", me, seed, measure=False)
            chain.send(token, "approve", pool, seed, measure=False)
            chain.send(self.pool, "seed_asset", token.address, seed)
        chain.send(self.pool, "set_open", self.dai.address, True)
        self.members = accounts(5)
        self.panel = self.panels.functions.create_panel([m.address for m in self.members], 3).call()
        chain.send(self.panels, "create_panel", [m.address for m in self.members], 3, case="5 members")
        chain.send(self.events, "approve_panel", self.panel, True)
        chain.send(self.events, "set_manager", me, True)
        chain.send(self.prizes, "set_keeper", me, True)
        for pair, other in ((self.swap, self.dai), (self.market, self.bet)):
            chain.send(self.router, "add_pair", pair.address, measure=False)
            chain.send(self.usdc, "mint", pair.address, 10**6 * USD, measure=False)
            give = "transfer" if other is self.bet else "mint"
            chain.send(other, give, pair.address, 10**6 * WAD, measure=False)
            chain.send(pair, "mint", me, measure=False)

    @property
    def tokens(self):
        return self.usdc, self.dai

    def fund(self, person: int, dollars: int) -> None:
        """Gives USDC that the pool may take."""
        self.chain.send(self.usdc, "mint", self.chain.accounts[person], dollars * USD, measure=False)
        self.chain.send(self.usdc, "approve", self.pool.address, 2**256 - 1, by=person, measure=False)

    def stake(self, person: int, dollars: int, case: str = "", measure: bool = True) -> int:
        """Gas of staking USDC that the person has."""
        return self.chain.send(
            self.pool, "stake", self.usdc.address, dollars * USD, by=person, case=case, measure=measure
        )

    def create(self, hours: int = HOURS, weight: int = 100, measure: bool = False) -> int:
        """A new event; returns its number."""
        stop = self.chain.web3.eth.block_number + 1 + hours * self.blocks_per_hour
        arguments = ("Who wins?", OUTCOMES, stop, 250, weight, self.panel, self.deadline(hours))
        self.chain.send(self.events, "create_event", *arguments, measure=measure)
        return self.events.functions.event_count().call()

    def deadline(self, hours: int) -> int:
        """When the result of an event of that length is due."""
        return self.chain.now + hours * 3600 + 90 * DAY

    def report(self, event: int, outcome: int) -> Question:
        """Three of the panel's five sign an event's outcome, once its week is over."""
        info = self.events.functions.event_info(event).call()
        question = Question(self.events.address, event.to_bytes(32, "big"), info[4], info[5])
        where = (self.panels.address, self.chain.web3.eth.chain_id, self.panel, question)
        signed = [sign(member, *where, outcome) for member in self.members[:3]]
        self.chain.send(self.panels, "submit_reports", self.panel, [(question, outcome, 3)], signed, case="3 of 5")
        return question

    def settle(self, event: int) -> int:
        """Waits for the end of the time to purge."""
        stop = self.events.functions.event_info(event).call()[1]
        self.chain.mine(max(0, stop + 24 * self.blocks_per_hour - self.chain.web3.eth.block_number))
        return self.chain.send(self.events, "settle", event)

    def revenue(self) -> None:
        """A week's yield, and its harvest."""
        for token in self.tokens:
            earned = 100 * 10 ** token.functions.decimals().call()
            self.chain.send(token, "mint", self.vaults[token.address].address, earned, measure=False)
            self.chain.send(
                self.pool, "harvest", token.address, 2**256 - 1, case="nothing" if token is self.dai else ""
            )

    def next_week(self, weeks: int = 1) -> None:
        """Time moves to a minute after the next Friday 00:00 UTC, or some later one."""
        now = self.chain.now
        self.chain.wait_until(now - (now - DAY) % WEEK + weeks * WEEK + 60)
        self.chain.send(self.feed, "set_price", 10**8, measure=False)

    def close(self, case: str) -> int:
        """Gas of closing every week that is over, without that of the harvests before it."""
        self.revenue()
        return self.chain.send(self.prizes, "close_periods", self.prizes.functions.period().call(), 60, case=case)


def address_after(chain: Chain, transactions: int) -> str:
    """The address that the deployer's contract gets after so many transactions (Ethereum Yellow Paper, section 7)."""
    nonce = chain.web3.eth.get_transaction_count(chain.accounts[0]) + transactions
    return Web3.to_checksum_address(keccak(encode([bytes.fromhex(chain.accounts[0][2:]), nonce]))[12:])


def run(chain: Chain) -> None:
    """Measure everything into `chain.gas`."""
    system = System(chain)
    pool, events, prizes = system.pool, system.events, system.prizes
    winners = range(4, 4 + BATCH)
    for person in range(20):
        # Those who are paid in the batch hold no USDC then, the one who claims alone does.
        system.fund(person, 1000 if person in winners else 100_000)
        if person > 1:
            system.stake(person, 1000, measure=False)
    system.stake(1, 1000, "first")
    system.stake(1, 1000, "repeat")
    chain.send(pool, "withdraw", system.usdc.address, 500 * USD, 499 * USD, by=1)
    chain.send(pool, "claim_rewards", chain.accounts[1])
    _permit(chain, system)

    # The first change of a stake opens a word of its history and one of its rewards.
    system.stake(2, 1000, measure=False)
    open_events = [system.create(measure=True), *(system.create() for _ in range(PREDICTIONS - 1))]
    chain.send(events, "predict", open_events[0], 0, by=2, measure=False)
    chain.send(events, "predict", open_events[0], 1, by=1, case="first of a person and of an outcome")
    for winner in (3, *winners):
        chain.send(events, "predict", open_events[0], 1, by=winner, case="first of a person")
    one = system.stake(2, 1000, measure=False)
    for number, event in enumerate(open_events[1:], 2):
        # Every eighth opens a word of the list of open predictions.
        chain.send(events, "predict", event, 0, by=2, case="an eighth" if number % 8 == 0 else "another")
    all_of_them = system.stake(2, 1000, measure=False)
    chain.gas["StakingPool.stake (an open prediction more)"] = (all_of_them - one) // (PREDICTIONS - 1)

    system.next_week()
    system.close("the first week ever")
    # In each of the weeks measured an event ends, which costs a word.
    for week in range(2 + MISSED):
        system.create(7 * 24 * week + 24)
    system.next_week()
    one_week = system.close("one week")
    chain.gas["PrizePool.close_periods"] = one_week
    system.next_week(1 + MISSED)
    late = system.close(f"{1 + MISSED} weeks")
    chain.gas["PrizePool.close_periods (a missed week more)"] = (late - one_week) // MISSED

    _settle(chain, system, open_events[0])
    chain.send(events, "claim", open_events[0], chain.accounts[3])
    batch = [chain.accounts[winner] for winner in winners]
    total = chain.send(events, "claim_many", open_events[0], batch, case="16 people")
    chain.gas["PredictionEvents.claim_many (a person of 16)"] = total // BATCH
    chain.send(events, "claim", open_events[0], chain.accounts[1], case="the last, with the residue")

    chain.send(system.usdc, "approve", prizes.address, USD, measure=False)
    chain.send(system.usdc, "mint", chain.accounts[0], USD, measure=False)
    chain.send(prizes, "add_revenue", USD)
    chain.send(prizes, "poke")
    chain.wait(DAY + 60)
    # The average price is one BET for one USDC.
    chain.send(prizes, "buy_back", 1000, WAD // 1000 * 99 // 100, chain.now + DAY)
    chain.send(prizes, "set_split", 9_000, 300)
    _troubles(chain, system)


def _troubles(chain: Chain, system: System) -> None:
    """A feed that fails, a vault that loses, an asset that is retired, tokens that nobody asked for."""
    pool, usdc, dai, feed = system.pool, system.usdc.address, system.dai.address, system.feed
    chain.send(feed, "set_round", 10**6, 0, 0, 0, 0, measure=False)
    chain.send(pool, "note_feed", usdc)
    chain.send(feed, "set_price", 10**8, measure=False)
    chain.send(pool, "set_feed", usdc, chain.deploy("PriceFeed", 8, "USD", 10**8).address)
    chain.send(system.vaults[usdc], "lose", 2_000 * USD, measure=False)
    chain.send(pool, "note_loss", usdc)
    chain.wait(DAY + 60)
    chain.send(pool, "revalue", chain.accounts[5], usdc)
    chain.send(pool, "retire_asset", dai)
    chain.send(system.dai, "mint", pool.address, WAD, measure=False)
    chain.send(pool, "sweep", dai)


def _settle(chain: Chain, system: System, event: int) -> None:
    question = system.report(event, 1)
    reporter, pair_of_them = chain.accounts[19], sorted(chain.accounts[18:20], key=lambda account: int(account, 16))
    panel = system.panels.functions.create_panel(pair_of_them, 2).call()
    chain.send(system.panels, "create_panel", pair_of_them, 2, case="2 members")
    chain.send(system.panels, "report", panel, question, 1, by=reporter)
    system.settle(event)


def _permit(chain: Chain, system: System) -> None:
    signer = Account.from_key("0x" + "22" * 32)
    chain.send(system.usdc, "mint", signer.address, 100 * USD, measure=False)
    money = {"from": chain.accounts[0], "to": signer.address, "value": 10**18}
    chain.web3.eth.wait_for_transaction_receipt(chain.web3.eth.send_transaction(money))
    deadline = chain.now + DAY
    signature = permit(chain, system.usdc, signer, system.pool.address, 100 * USD, deadline)
    chain.send_signed(signer, system.pool, "stake_with_permit", system.usdc.address, 100 * USD, deadline, *signature)
