"""Six weeks of staked tickets: ten people stake, predict and leave, on a chain of their own inside the process."""

from collections.abc import Callable
from dataclasses import dataclass, field

from web3 import Web3

from tessera.chain import WAD, Row, Tessera, Wallet
from tessera.chain.contract import decode_logs
from tessera.chain.deploy import deploy
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.events import EventCreated, EventSettled
from tessera.chain.local import DAY, HOUR, INTEREST_BPS, UNITS, LocalChain
from tessera.chain.panels import INVALID, PanelCreated
from tessera.chain.prizes import BoughtBack, PeriodClosed
from tessera.chain.staking import USD, Withdrawn
from tessera.demo.agenda import Agenda
from tessera.demo.audit import AuditError
from tessera.demo.play import Watcher
from tessera.index import Index
from tessera.keeper.plan import due
from tessera.keeper.round import run
from tessera.keeper.scene import Scene
from tessera.keeper.sender import Sender
from tessera.keeper.steps import Settle
from tessera.model.prizes import period_of, start_of

WEEK_HOURS, WEEKS = 168, 6
BLOCKS_PER_HOUR = 2
BLOCKS_PER_YEAR = BLOCKS_PER_HOUR * 24 * 365
MIN_BLOCKS = 7 * 24 * BLOCKS_PER_HOUR
BET_PER_BLOCK = 2 * WAD
MINING = (200, 100_000)  # begins after the first stake
BET_CAP = 10_000_000 * WAD
DELAY = 2 * DAY  # of the treasury
LENDING = {asset: (bps, 10_000) for asset, bps in INTEREST_BPS.items()}  # a year, as a fraction
LOSS = (2, 100)  # of all that the DAI vault holds, in the end
KEEPER = 14  # its account
LATE = 2  # the week that nobody closes in time
# The average price of the buyback needs one noted a day before the last week is closed.
POKE, SNAPSHOT, CRASH = 980, 1_001, 1_014
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
        self.events.approve_panel(self.owner, self.panel_id, True)
        self.events.set_manager(self.owner, self.owner.address, True)
        self.sender = Sender(Wallet(web3, known_account(KEEPER)))
        self.prizes.set_keeper(self.owner, self.sender.address, True)
        self.scene = Scene(tessera, Index("sqlite://", web3, self.record), self.sender.address)
        self.local = LocalChain(tessera, self.owner)
        self.local.open_markets()
        for one in STAKERS:
            for asset in {asset for _, asset, _ in one.moves}:
                self.local.give(self.wallets[one.name].address, asset, funds(one, asset))
                self.local.token(asset).approve(self.wallets[one.name], self.pool.address, 2**256 - 1)
        start = start_of(period_of(self.local.now()) + 1)
        # The prize weeks begin with ours: nothing has come in before.
        self._first_block = web3.eth.block_number + 3
        self.played = Staked(tessera, {wallet.address: name for name, wallet in self.wallets.items()}, start)
        self.go(0)
        for asset in UNITS:
            self.pool.harvest(self.owner, self.token(asset))
        self.prizes.close_periods(self.owner, self.prizes.period(), 1)

    def token(self, asset: str) -> str:
        return self.local.token(asset).address

    def go(self, hour: int) -> None:
        """The next transaction takes place at that hour and in its block, or in the next free one."""
        tester = self.web3.provider.ethereum_tester
        block, at = self._first_block + hour * BLOCKS_PER_HOUR, self.played.start + hour * HOUR
        if (missing := block - 2 - self.web3.eth.block_number) > 0:
            tester.backend.mine_blocks(missing)
        if at > self.local.now() + 1:
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
            result_deadline=self.local.now() + plan.hours * HOUR + 7 * DAY,
        )
        self.watcher.tell(f"event {done.the(EventCreated).event_id}: {plan.title}")

    def report(self, event_id: int, outcome: int) -> None:
        """Two of three members sign, anybody submits."""
        panels, question = self.tessera.panels, self.events.question(event_id)
        signed = [panels.sign(reporter, self.panel_id, question, outcome) for reporter in self.reporters[:2]]
        panels.submit_reports(self.owner, self.panel_id, question, outcome, signed)

    def donate(self) -> None:
        """A week's interest for each vault."""
        for asset, interest in self.local.earn(WEEK_HOURS * HOUR).items():
            self.played.donated[asset] += interest

    def keep(self) -> None:
        """The keeper's round. Raises AuditError where it leaves something undone."""
        plan = due(self.scene)
        for step in plan.steps:
            if isinstance(step, Settle):  # then tickets are gone
                self.played.tickets[step.event_id] = {
                    one: self.events.tickets(step.event_id, one) for one in self.played.names
                }
        done = run(self.scene, self.sender, plan)
        if done.exit_code:
            raise AuditError("\n".join(f"{one.step.what}: {one.message}" for one in done.outcomes if one.message))
        self.watcher.tell(f"the keeper: {', '.join(step.what for step in plan.steps)}")
        for row in decode_logs(
            log for one in done.outcomes for sent in one.sent for log in self._receipt(sent.transaction)["logs"]
        ):
            self._tell(row)

    def _receipt(self, transaction: str):
        return self.web3.eth.get_transaction_receipt(transaction)

    def _tell(self, row: Row) -> None:
        match row:
            case PeriodClosed():
                week = row.period - period_of(self.played.start) + 1
                text = f"week {week} closed: {row.pool / USD:.2f} USDC, {row.to_events / USD:.2f} to events"
            case EventSettled():
                text = f"event {row.event_id} final: {row.prize / USD:.2f} USDC for whoever was right"
            case BoughtBack():
                text = f"{row.spent / USD:.2f} USDC buy {row.bought / WAD:.2f} BET for the treasury"
            case _:
                return
        self.watcher.tell(text)

    def note_yields(self) -> None:
        self.played.snapshot = {asset: self.pool.asset_state(self.token(asset)).principal for asset in UNITS}
        self.played.bet_price = self.local.tessera.prizes.market()

    def crash(self) -> None:
        """The DAI vault loses money for good, before everybody leaves."""
        vault = self.local.contract("YieldVault:DAI")
        self.played.lost = vault.functions.totalAssets().call() * LOSS[0] // LOSS[1]
        self.local.call("YieldVault:DAI", "lose", self.played.lost)
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
            self.played.left[asset] = self.local.contract(f"YieldVault:{asset}").functions.totalAssets().call()


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
    for week in range(WEEKS):
        at(week * WEEK_HOURS + 160, weeks.donate)
        if week != LATE:
            at(closed_at(week), weeks.keep)
    at(ILLIQUID, weeks.local.call, "YieldVault:USDC", "set_liquidity", 2_000 * UNITS["USDC"])
    at(LIQUID_AGAIN, weeks.local.call, "YieldVault:USDC", "set_liquidity", 2**256 - 1)
    at(LIQUID_AGAIN + 1, lambda: weeks.leave("Quinn", "USDC", 4_000 * UNITS["USDC"]))
    at(POKE, weeks.keep)
    at(SNAPSHOT, weeks.note_yields)
    at(CRASH, weeks.crash)
    at(CRASH + 1, weeks.everybody_leaves)


def closed_at(week: int) -> int:
    """The hour at which somebody closes a week, counted from 0."""
    return (week + (2 if week == LATE else 1)) * WEEK_HOURS + 1
