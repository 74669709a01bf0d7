"""Six weeks of staked tickets: ten people stake, predict and leave, on a chain of their own inside the process."""

from collections.abc import Callable
from typing import Any

from hexbytes import HexBytes
from web3 import Web3

from tessera.chain import WAD, EventLog, Tessera, Wallet
from tessera.chain.contract import decode_logs
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.panels import PanelCreated
from tessera.chain.prediction_events import EventCreated, EventSettled
from tessera.chain.prize_pool import BoughtBack, PeriodClosed
from tessera.chain.staking_pool import USD, Withdrawn
from tessera.demo.agenda import Agenda
from tessera.demo.audit import AuditError
from tessera.demo.play import Watcher
from tessera.demo.stakers_audit import audit
from tessera.demo.stakers_plan import (
    BLOCKS_PER_HOUR,
    CRASH,
    ILLIQUID,
    KEEPER,
    LATE,
    LIQUID_AGAIN,
    LOSS,
    PARAMETERS,
    PLANS,
    POKE,
    SNAPSHOT,
    STAKERS,
    WEEK_HOURS,
    WEEKS,
    Plan,
    closed_at,
    funds,
)
from tessera.demo.stakers_record import WeeksPlayed
from tessera.deployment.deploy import deploy
from tessera.index import Index
from tessera.keeper.plan import due
from tessera.keeper.round import run
from tessera.keeper.steps.settle import Settle
from tessera.keeper.view import View
from tessera.local.chain import DAY, HOUR, UNITS, LocalChain
from tessera.model.prizes import period_of, start_of


class Weeks:
    """The people and the clock. A block is half an hour; every action is a transaction of whoever does it."""

    def __init__(self, web3: Web3, watcher: Watcher):
        self.web3, self.watcher = web3, watcher
        self.owner = Wallet(web3, known_account(0))
        self.record = deploy(self.owner, "tickets", PARAMETERS)
        tessera = self.tessera = Tessera(web3, self.record)
        self.pool, self.events, self.prizes = tessera.staking, tessera.events, tessera.prizes
        self.wallets = {staker.name: Wallet(web3, known_account(index)) for index, staker in enumerate(STAKERS, 1)}
        self.reporters = sorted(
            (known_account(index) for index in (11, 12, 13)), key=lambda account: int(account.address, 16)
        )
        panel = tessera.panels.create_panel(self.owner, [reporter.address for reporter in self.reporters], 2)
        self.panel_id = panel.event(PanelCreated).panel_id
        self.events.approve_panel(self.owner, self.panel_id, True)
        self.events.set_manager(self.owner, self.owner.address, True)
        self.keeper = Wallet(web3, known_account(KEEPER), alone=True)
        self.prizes.set_keeper(self.owner, self.keeper.address, True)
        self.view = View(tessera, Index("sqlite://", web3, self.record), self.keeper.address)
        self.local = LocalChain(tessera, self.owner)
        self.local.open_markets()
        for staker in STAKERS:
            for asset in {asset for _, asset, _ in staker.moves}:
                self.local.give(self.wallets[staker.name].address, asset, funds(staker, asset))
                self.local.token(asset).approve(self.wallets[staker.name], self.pool.address, 2**256 - 1)
        start = start_of(period_of(self.local.now()) + 1)
        # The prize weeks begin with ours: nothing has come in before.
        self._first_block = web3.eth.block_number + 3
        self.played = WeeksPlayed(tessera, {wallet.address: name for name, wallet in self.wallets.items()}, start)
        self.go(0)
        for asset in UNITS:
            self.pool.harvest(self.owner, self.token(asset))
        self.prizes.close_periods(self.owner, self.prizes.period(), 1)

    def token(self, asset: str) -> str:
        """Address of "USDC" or "DAI"."""
        return self.local.token(asset).address

    def go(self, hour: int) -> None:
        """The next transaction takes place at that hour and in its block, or in the next free one."""
        provider: Any = self.web3.provider
        tester = provider.ethereum_tester
        block, at = self._first_block + hour * BLOCKS_PER_HOUR, self.played.start + hour * HOUR
        if (missing := block - 2 - self.web3.eth.block_number) > 0:
            tester.backend.mine_blocks(missing)
        if at > self.local.now() + 1:
            tester.time_travel(at)

    def move(self, who: str, asset: str, dollars: int) -> None:
        """Somebody stakes whole dollars; less than 0: takes them out."""
        if dollars > 0:
            self.pool.stake(self.wallets[who], self.token(asset), dollars * UNITS[asset])
        else:
            self.leave(who, asset, -dollars * UNITS[asset])
        self.watcher.tell(f"{who} {'stakes' if dollars > 0 else 'takes out'} {abs(dollars):,} {asset}")

    def leave(self, who: str, asset: str, amount: int) -> None:
        """Somebody withdraws principal, in units of the asset, or what of it the vault can pay."""
        done = self.pool.withdraw(self.wallets[who], self.token(asset), amount, 0).event(Withdrawn)
        if done.amount < amount:
            paid, all_of_it = (value / UNITS[asset] for value in (done.paid, amount))
            self.watcher.tell(f"the {asset} vault can pay {who} {paid:,.2f} of {all_of_it:,.2f} now")

    def create(self, plan: Plan) -> None:
        """An event from now on, whose panel has a week to report."""
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
        self.watcher.tell(f"event {done.event(EventCreated).event_id}: {plan.title}")

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
        plan = due(self.view)
        for step in plan.steps:
            if isinstance(step, Settle):  # then tickets are gone
                self.played.tickets[step.event_id] = {
                    address: self.events.tickets(step.event_id, address) for address in self.played.names
                }
        done = run(self.view, self.keeper, plan)
        if done.exit_code:
            faults = (f"{outcome.step.what}: {outcome.message}" for outcome in done.outcomes if outcome.message)
            raise AuditError("\n".join(faults))
        self.watcher.tell(f"the keeper: {', '.join(step.what for step in plan.steps)}")
        for transaction in (sent.transaction for outcome in done.outcomes for sent in outcome.sent):
            for row in decode_logs(self.web3.eth.get_transaction_receipt(HexBytes(transaction))["logs"]):
                self._tell(row)

    def _tell(self, row: EventLog) -> None:
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
        """Keeps what the yearly figures are made of."""
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
        """Each person withdraws all that is owed, and gets the BET that were mined."""
        for who, wallet in self.wallets.items():
            for asset in UNITS:
                if owed := self.pool.principal_of(wallet.address, self.token(asset)):
                    self.leave(who, asset, owed)
            self.pool.claim_rewards(wallet, wallet.address)
        for asset in UNITS:
            self.played.left[asset] = self.local.contract(f"YieldVault:{asset}").functions.totalAssets().call()


def play(web3: Web3 | None = None, watcher: Watcher | None = None) -> WeeksPlayed:
    """Deploy the tickets product, play the six weeks, and audit them.

    Raises AuditError where anything does not add up. Always the same, whenever it is run: only the dates move.
    """
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

    for staker in STAKERS:
        for hour, asset, dollars in staker.moves:
            at(hour, weeks.move, staker.name, asset, dollars)
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
