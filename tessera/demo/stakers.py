"""Six weeks of staked tickets: ten people stake, predict and leave, on a chain of their own inside the process."""

from collections.abc import Callable
from dataclasses import dataclass, field

from web3 import Web3

from tessera.chain import WAD, Row, Tessera, Wallet
from tessera.chain.deploy import code_of, deploy
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.events import EventCreated
from tessera.chain.panels import INVALID, PanelCreated
from tessera.chain.prizes import BoughtBack, PeriodClosed
from tessera.chain.staking import USD, Withdrawn
from tessera.demo.agenda import Agenda
from tessera.demo.play import Watcher
from tessera.model.prizes import period_of, start_of

HOUR, DAY = 3600, 86_400
WEEK_HOURS, WEEKS = 168, 6
BLOCKS_PER_HOUR = 2
BLOCKS_PER_YEAR = BLOCKS_PER_HOUR * 24 * 365
MIN_BLOCKS = 7 * 24 * BLOCKS_PER_HOUR
BET_PER_BLOCK = 2 * WAD
MINING = (100, 100_000)
BET_CAP = 10_000_000 * WAD
DELAY = 2 * DAY  # of the treasury
LIQUIDITY_USDC, LIQUIDITY_BET = 100_000 * USD, 1_000_000 * WAD
UNITS = {"USDC": 10**6, "DAI": 10**18}
LENDING = {"USDC": (520, 10_000), "DAI": (610, 10_000)}  # a year, as a fraction
LOSS = (2, 100)  # of all that the DAI vault holds, in the end
LATE = 2  # the week that nobody closes in time
POKE, BUY_BACK, SNAPSHOT, CRASH = 980, 1_011, 1_001, 1_014
ILLIQUID, LIQUID_AGAIN = 609, 640


@dataclass(frozen=True)
class Staker:
    """A person: `moves` are (hour, asset, whole dollars), less than 0: taken out."""

    name: str
    habit: str
    moves: tuple[tuple[int, str, int], ...]


@dataclass(frozen=True)
class Plan:
    """An event: hours of creation and length, first multiplier in hundredths, weight, what the panel says, and
    (person, hour, outcome) of each prediction."""

    title: str
    outcomes: tuple[str, ...]
    at: int
    hours: int
    e0: int
    weight: int
    truth: int
    predictions: tuple[tuple[str, int, int], ...]


STAKERS = (
    Staker("Mira", "stays from the first day to the last", ((2, "USDC", 8_000),)),
    Staker("Noor", "saves in DAI", ((5, "DAI", 12_000),)),
    Staker("Otto", "adds more when the second week begins", ((20, "USDC", 3_000), (260, "USDC", 4_000))),
    Staker("Pia", "starts small and takes some out", ((30, "DAI", 500), (400, "DAI", -200))),
    Staker("Quinn", "wants out while the vault has lent too much", ((50, "USDC", 6_000), (610, "USDC", -6_000))),
    Staker("Rosa", "comes late with the largest stake", ((380, "USDC", 15_000),)),
    Staker("Sami", "holds both and changes sides", ((10, "USDC", 1_000), (12, "DAI", 2_500))),
    Staker("Tess", "leaves in the third week", ((100, "DAI", 4_000), (500, "DAI", -4_000))),
    Staker("Umar", "has 25 dollars and is always early", ((15, "USDC", 25),)),
    Staker("Vera", "goes and comes back", ((200, "USDC", 10_000), (450, "USDC", -10_000), (560, "USDC", 3_000))),
)
PLANS = (
    Plan(
        "Who wins the cup match?",
        ("home", "draw", "away"),
        *(60, 192, 250, 100, 0),
        (
            *(("Mira", 61, 0), ("Umar", 62, 0), ("Sami", 63, 2), ("Noor", 80, 1), ("Otto", 90, 0), ("Pia", 100, 1)),
            *(("Tess", 120, 0), ("Sami", 201, 0), ("Quinn", 240, 0)),
        ),
    ),
    Plan(
        "Does the bill pass?",
        ("no", "yes"),
        *(70, 340, 400, 300, 1),
        (
            *(("Mira", 71, 1), ("Umar", 72, 1), ("Noor", 75, 1), ("Sami", 91, 0), ("Tess", 130, 1), ("Vera", 210, 0)),
            *(("Otto", 300, 0), ("Sami", 330, 1), ("Rosa", 385, 1)),
        ),
    ),
    Plan(
        "Which city gets the games?",
        ("Oslo", "Porto", "Riga", "Split"),
        *(180, 200, 150, 50, 3),
        (("Mira", 185, 0), ("Noor", 190, 1), ("Vera", 220, 2), ("Quinn", 230, 0)),
    ),
    Plan(
        "Is it the warmest month on record?",
        ("yes", "no"),
        *(350, 260, 1_000, 200, 0),
        (
            *(("Quinn", 352, 0), ("Umar", 353, 0), ("Mira", 354, 0), ("Vera", 355, 1), ("Pia", 361, 0)),
            *(("Rosa", 390, 0), ("Noor", 401, 1), ("Sami", 499, 1)),
        ),
    ),
    Plan(
        "Who opens the festival?",
        ("the choir", "the band"),
        *(362, 196, 200, 20, INVALID),
        (("Mira", 365, 0), ("Otto", 370, 1), ("Noor", 382, 1)),
    ),
    Plan(
        "Who wins the final?",
        ("home", "draw", "away"),
        *(690, 180, 200, 150, 2),
        (
            *(("Mira", 691, 2), ("Umar", 692, 2), ("Rosa", 693, 1), ("Sami", 694, 0), ("Otto", 696, 2)),
            *(("Noor", 700, 2), ("Pia", 701, 2), ("Vera", 839, 2)),
        ),
    ),
)


@dataclass
class Staked:
    """Six weeks that were played: what the logs say, and what only the chain could say at its time."""

    tessera: Tessera
    names: dict[str, str]  # by address
    start: int
    rows: list[Row] = field(default_factory=list)
    tickets: dict[int, dict[str, tuple[int, int]]] = field(default_factory=dict)  # event, address: before settling
    donated: dict[str, int] = field(default_factory=lambda: dict.fromkeys(UNITS, 0))
    lost: int = 0
    crash_block: int = 0
    fair: tuple[int, int] = (1, 1)  # DAI after the loss: worth, principal
    snapshot: dict[str, int] = field(default_factory=dict)  # principal by asset when the yield figures are taken
    bet_price: tuple[int, int] = (0, 1)  # USDC and BET in the market then
    left: dict[str, int] = field(default_factory=dict)  # in the vaults when everybody has gone
    findings: list[str] = field(default_factory=list)


class Weeks:
    """The people and the clock. A block is half an hour; every action is a transaction of whoever does it."""

    def __init__(self, web3: Web3, watcher: Watcher):
        self.web3, self.watcher = web3, watcher
        self.owner = Wallet(web3, known_account(0))
        parameters = {
            "blocks_per_hour": BLOCKS_PER_HOUR,
            "min_blocks": MIN_BLOCKS,
            "bet_cap": BET_CAP,
            "bet_per_block": BET_PER_BLOCK,
            "mining": MINING,
            "delay": DELAY,
        }
        self.record = deploy(self.owner, "tickets", parameters)
        tessera = self.tessera = Tessera(web3, self.record)
        self.pool, self.events, self.prizes = tessera.staking, tessera.events, tessera.prizes
        self.wallets = {one.name: Wallet(web3, known_account(index)) for index, one in enumerate(STAKERS, 1)}
        self.reporters = sorted((known_account(index) for index in (11, 12, 13)), key=lambda one: int(one.address, 16))
        panel = tessera.panels.create_panel(self.owner, [one.address for one in self.reporters], 2)
        self.panel_id = panel.the(PanelCreated).panel_id
        self.call("PredictionEvents", "approve_panel", self.panel_id, True)
        self.call("PredictionEvents", "set_manager", self.owner.address, True)
        self.call("PrizePool", "set_keeper", self.owner.address, True)
        self._open_markets()
        for one in STAKERS:
            for asset in {asset for _, asset, _ in one.moves}:
                self.call(f"TestToken:{asset}", "mint", self.wallets[one.name].address, funds(one, asset))
                self.call(f"TestToken:{asset}", "approve", self.pool.address, 2**256 - 1, by=self.wallets[one.name])
        start = start_of(period_of(self._time()) + 1)
        # The prize weeks begin with ours: nothing has come in before.
        self._first_block = web3.eth.block_number + 3
        self.played = Staked(tessera, {wallet.address: name for name, wallet in self.wallets.items()}, start)
        self.go(0)
        for asset in UNITS:
            self.pool.harvest(self.owner, self.token(asset))
        self.prizes.close_periods(self.owner, self.prizes.period(), 1)

    def token(self, asset: str) -> str:
        return self.record.address_of(f"TestToken:{asset}")

    def contract(self, name: str):
        return self.web3.eth.contract(address=self.record.address_of(name), abi=code_of(name).abi)

    def call(self, name: str, function: str, *arguments, by: Wallet | None = None) -> None:
        """A transaction to a contract of the stack, also those that only local chains have."""
        data = self.contract(name).encode_abi(function, arguments)
        (by or self.owner).send({"to": self.record.address_of(name), "data": data}, f"{name}.{function}")

    def go(self, hour: int) -> None:
        """The next transaction takes place at that hour and in its block, or in the next free one."""
        tester = self.web3.provider.ethereum_tester
        block, at = self._first_block + hour * BLOCKS_PER_HOUR, self.played.start + hour * HOUR
        if (missing := block - 2 - self.web3.eth.block_number) > 0:
            tester.backend.mine_blocks(missing)
        if at > self._time() + 1:
            tester.time_travel(at)

    def move(self, who: str, asset: str, dollars: int) -> None:
        if dollars > 0:
            self.pool.stake(self.wallets[who], self.token(asset), dollars * UNITS[asset])
        else:
            self.leave(who, asset, -dollars * UNITS[asset])
        self.watcher.tell(f"{who} {'stakes' if dollars > 0 else 'takes out'} {abs(dollars):,} {asset}")

    def leave(self, who: str, asset: str, amount: int) -> None:
        done = self.pool.withdraw(self.wallets[who], self.token(asset), amount).the(Withdrawn)
        if done.amount < amount:
            paid, all_of_it = (value / UNITS[asset] for value in (done.paid, amount))
            self.watcher.tell(f"the {asset} vault can pay {who} {paid:,.2f} of {all_of_it:,.2f} now")

    def create(self, plan: Plan) -> None:
        stop = self.web3.eth.block_number + 1 + plan.hours * BLOCKS_PER_HOUR
        done = self.events.create_event(
            self.owner,
            plan.title,
            plan.outcomes,
            stop_block=stop,
            e0=plan.e0,
            weight=plan.weight,
            panel_id=self.panel_id,
            result_deadline=self._time() + plan.hours * HOUR + 7 * DAY,
        )
        self.watcher.tell(f"event {done.the(EventCreated).event_id}: {plan.title}")

    def report(self, event_id: int, outcome: int) -> None:
        """Two of three members sign, anybody submits."""
        panels, question = self.tessera.panels, self.events.question(event_id)
        message = panels.typed_report(self.panel_id, question, outcome)
        signed = [reporter.sign_message(message) for reporter in self.reporters[:2]]
        compact = [(one.r, one.s | (one.v - 27) << 255) for one in signed]
        panels.submit_reports(self.owner, self.panel_id, question, outcome, compact)

    def donate(self) -> None:
        """A week's interest for each vault."""
        for asset, (rate, of) in LENDING.items():
            interest = self.pool.asset_state(self.token(asset)).principal * rate // of // 52
            self.call(f"TestToken:{asset}", "mint", self.record.address_of(f"YieldVault:{asset}"), interest)
            self.played.donated[asset] += interest

    def close(self) -> None:
        for asset in UNITS:
            self.pool.harvest(self.owner, self.token(asset))
        done = self.prizes.close_periods(self.owner, self.prizes.period(), 60)
        for row in done.rows:
            if isinstance(row, PeriodClosed):
                week = row.period - period_of(self.played.start) + 1
                self.watcher.tell(f"week {week} closed: {row.pool / USD:.2f} USDC, {row.to_events / USD:.2f} to events")

    def settle(self, event_id: int, plan: Plan) -> None:
        """Notes everybody's tickets, settles, and pays: one winner asks, the others are paid in a batch."""
        self.played.tickets[event_id] = {one: self.events.tickets(event_id, one) for one in self.played.names}
        self.events.settle(self.owner, event_id)
        prize = self.events.result_of(event_id).prize
        self.watcher.tell(f"event {event_id} final: {prize / USD:.2f} USDC for whoever was right")
        if not prize:
            return
        winners = dict.fromkeys(who for who, _, _ in plan.predictions)
        first = next(who for who in winners if self.events.prize_of(event_id, self.wallets[who].address))
        self.events.claim(self.wallets[first], event_id, self.wallets[first].address)
        rest = [self.wallets[who].address for who in winners if who != first]
        self.events.claim_many(self.owner, event_id, rest)

    def buy_back(self) -> None:
        amount = self.prizes.buyback_bucket()
        usdc, bet = self._market()
        # One per cent below the market: the contract itself asks for 98 % of the day's average.
        least = amount * bet // usdc * 99 // 100
        done = self.prizes.buy_back(self.owner, amount, least, self._time() + DAY).the(BoughtBack)
        self.watcher.tell(f"{done.spent / USD:.2f} USDC buy {done.bought / WAD:.2f} BET for the treasury")

    def note_yields(self) -> None:
        self.played.snapshot = {asset: self.pool.asset_state(self.token(asset)).principal for asset in UNITS}
        self.played.bet_price = self._market()

    def crash(self) -> None:
        """The DAI vault loses money for good, before everybody leaves."""
        vault = self.contract("YieldVault:DAI")
        self.played.lost = vault.functions.totalAssets().call() * LOSS[0] // LOSS[1]
        self.call("YieldVault:DAI", "lose", self.played.lost)
        self.played.crash_block = self.web3.eth.block_number
        state = self.pool.asset_state(self.token("DAI"))
        self.played.fair = vault.functions.previewRedeem(state.shares).call(), state.principal
        self.watcher.tell(f"the DAI vault loses {self.played.lost / UNITS['DAI']:,.2f} DAI")

    def everybody_leaves(self) -> None:
        for who, wallet in self.wallets.items():
            for asset in UNITS:
                if owed := self.pool.principal_of(wallet.address, self.token(asset)):
                    self.leave(who, asset, owed)
            self.pool.claim_rewards(wallet, wallet.address)
        for asset in UNITS:
            self.played.left[asset] = self.contract(f"YieldVault:{asset}").functions.totalAssets().call()

    def _open_markets(self) -> None:
        """USDC against DAI, and against BET that the treasury gives: scheduled, and done when its delay is over."""
        pair = self.record.address_of("Pair:BET")
        payload = self.contract("BetToken").encode_abi("transfer", [pair, LIQUIDITY_BET])
        operation = self.record.address_of("BetToken"), 0, Web3.to_bytes(hexstr=payload), bytes(32), bytes(32)
        self.call("Timelock", "schedule", *operation, DELAY)
        self.web3.provider.ethereum_tester.time_travel(self._time() + DELAY + 1)
        self.call("Timelock", "execute", *operation)
        self.call("TestToken:USDC", "mint", pair, LIQUIDITY_USDC)
        self.call("TestToken:DAI", "mint", self.record.address_of("Pair:DAI"), 10**6 * UNITS["DAI"])
        self.call("TestToken:USDC", "mint", self.record.address_of("Pair:DAI"), 10**6 * UNITS["USDC"])
        for name in ("Pair:DAI", "Pair:BET"):
            self.call(name, "mint", self.record.address_of("Timelock"))

    def _market(self) -> tuple[int, int]:
        """USDC and BET in their market."""
        pair = self.contract("Pair:BET")
        reserves = pair.functions.getReserves().call()[:2]
        return tuple(reserves if pair.functions.token0().call() == self.token("USDC") else reserves[::-1])

    def _time(self) -> int:
        return self.web3.eth.get_block("latest")["timestamp"]


def funds(one: Staker, asset: str) -> int:
    """What a person brings: all that is ever put in and was not taken out before, in the asset's unit."""
    most = held = 0
    for _, other, dollars in one.moves:
        if other == asset:
            held += dollars
            most = max(most, held)
    return most * UNITS[asset]


def play(web3: Web3 | None = None, watcher: Watcher | None = None) -> Staked:
    """Deploy the tickets stack, play the six weeks, and audit them.

    Raises AuditError where anything does not add up. Always the same, whenever it is run: only the dates move.
    """
    from tessera.demo.stakers_audit import audit  # it checks what this file plays

    watcher = watcher or Watcher()
    watcher.stage("Staked tickets: compiling and deploying the contracts")
    weeks = Weeks(web3 or embedded_web3(), watcher)
    agenda = Agenda()
    _appoint(agenda, weeks)
    watcher.stage(f"{len(STAKERS)} people stake for {WEEKS} weeks")
    for done, hour in enumerate(agenda.run()):
        weeks.go(hour)
        watcher.step(done, agenda.added, weeks.played.start + hour * HOUR)
    watcher.stage("Reading the logs back and auditing the six weeks")
    weeks.played.rows = list(weeks.tessera.log_reader().read())
    weeks.played.findings = audit(weeks.played)
    return weeks.played


def _appoint(agenda: Agenda, weeks: Weeks) -> None:
    def at(hour: int, action: Callable, *arguments) -> None:
        agenda.at(hour, lambda: action(*arguments))

    for one in STAKERS:
        for hour, asset, dollars in one.moves:
            at(hour, weeks.move, one.name, asset, dollars)
    for event_id, plan in enumerate(PLANS, 1):
        at(plan.at, weeks.create, plan)
        for who, hour, outcome in plan.predictions:
            at(hour, weeks.events.predict, weeks.wallets[who], event_id, outcome)
        at(plan.at + plan.hours + 2, weeks.report, event_id, plan.truth)
        closed = closed_at((plan.at + plan.hours) // WEEK_HOURS)
        at(closed + 1, weeks.settle, event_id, plan)
    for week in range(WEEKS):
        at(week * WEEK_HOURS + 160, weeks.donate)
        if week != LATE:
            at(closed_at(week), weeks.close)
    at(ILLIQUID, weeks.call, "YieldVault:USDC", "set_liquidity", 2_000 * UNITS["USDC"])
    at(LIQUID_AGAIN, weeks.call, "YieldVault:USDC", "set_liquidity", 2**256 - 1)
    at(LIQUID_AGAIN + 1, lambda: weeks.leave("Quinn", "USDC", 4_000 * UNITS["USDC"]))
    at(POKE, weeks.prizes.poke, weeks.owner)
    at(BUY_BACK, weeks.buy_back)
    at(SNAPSHOT, weeks.note_yields)
    at(CRASH, weeks.crash)
    at(CRASH + 1, weeks.everybody_leaves)


def closed_at(week: int) -> int:
    """The hour at which somebody closes a week, counted from 0."""
    return (week + (2 if week == LATE else 1)) * WEEK_HOURS + 1
