"""`tessera tickets` through a month: stake, predict, three Fridays, a prize, and everything back."""

import pytest

from tessera.chain import WAD, Tessera, Wallet
from tessera.chain.deploy import deploy
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.events import EventCreated
from tessera.chain.local import DAY, UNITS, LocalChain
from tessera.chain.panels import PanelCreated
from tessera.model.prizes import period_of, start_of
from tests.undo import undone

from .conftest import command

BLOCKS_PER_HOUR = 2
PARAMETERS = {
    "blocks_per_hour": BLOCKS_PER_HOUR,
    "min_blocks": 7 * 24 * BLOCKS_PER_HOUR,
    "bet_cap": 10**8 * WAD,
    "bet_per_block": WAD,
    "mining": (100, 10_100),
    "delay": DAY,
}
HANNAH, RIVAL = 1, 2  # devnet accounts


class Stage:
    """The staked stack on the embedded chain, with an event that runs for a week."""

    def __init__(self, path):
        web3 = embedded_web3()
        self.owner = Wallet(web3, known_account(0))
        self.tessera = Tessera(web3, deploy(self.owner, "tickets", PARAMETERS, path=path))
        self.local = LocalChain(self.tessera, self.owner)
        reporter = known_account(5)
        made = self.tessera.panels.create_panel(self.owner, [reporter.address], 1)
        self.panel, self.reporter = made.the(PanelCreated).panel_id, Wallet(web3, reporter)
        self.tessera.events.approve_panel(self.owner, self.panel, True)
        self.tessera.events.set_manager(self.owner, self.owner.address, True)
        self.local.open_markets()
        now = self.local.now()
        self.local.let_pass(start_of(period_of(now) + 1) + DAY - now)  # a Saturday
        stop = web3.eth.block_number + 1 + 7 * 24 * BLOCKS_PER_HOUR
        created = self.tessera.events.create_event(
            self.owner,
            "Which team wins?",
            ["Home", "Away"],
            stop_block=stop,
            e0=300,
            weight=5,
            panel_id=self.panel,
            result_deadline=self.local.now() + 14 * DAY,
        )
        self.event = created.the(EventCreated).event_id
        for number in (HANNAH, RIVAL):
            self.local.give(known_account(number).address, "USDC", 1_000 * UNITS["USDC"])
            self.local.give(known_account(number).address, "DAI", 1_000 * UNITS["DAI"])

    def friday(self) -> None:
        """The next week begins; what is due is done."""
        now = self.local.now()
        self.local.let_pass(start_of(period_of(now) + 1) + 60 - now)
        for asset in self.tessera.staking.assets():
            self.tessera.staking.harvest(self.owner, asset)
        self.tessera.prizes.close_periods(self.owner, self.tessera.prizes.period(), 1)


@pytest.fixture(scope="session")
def set_up(tmp_path_factory) -> tuple[Stage, str]:
    path = tmp_path_factory.mktemp("tickets") / "devnet.json"
    return Stage(path), str(path)


@pytest.fixture
def stage(set_up) -> Stage:
    with undone(set_up[0].tessera.web3):
        yield set_up[0]


@pytest.fixture
def run(set_up, stage, monkeypatch, tmp_path):
    return command(stage.tessera.web3, set_up[1], monkeypatch, tmp_path)


def test_from_stake_to_prize_and_back(stage, ask):
    staking, events, hannah = stage.tessera.staking, stage.tessera.events, known_account(HANNAH).address
    sent = stage.tessera.web3.eth.get_transaction_count(hannah)
    assert float(ask("tickets", "stake", "usdc", "900.50", "--yes", by=HANNAH)["counts"]) == 900.5
    assert stage.tessera.web3.eth.get_transaction_count(hannah) == sent + 1  # with a permit
    ask("tickets", "stake", "DAI", "100", "--yes", by=RIVAL)
    assert staking.stake_of(hannah) == 900_500_000

    assert ask("tickets", "predict", stage.event, "home", by=HANNAH)["predicted"] == "Home"
    assert ask("tickets", "predict", stage.event, "0", by=RIVAL)["predicted"] == "Home"
    assert ask("tickets", "predict", stage.event, "0", by=RIVAL)["changed"] == "nothing"
    assert events.prediction_of(stage.event, known_account(RIVAL).address) == (True, 0)

    stage.friday()
    shown = ask("tickets", "event", stage.event, by=HANNAH)
    actual, prize = events.tickets(stage.event, hannah)
    assert (shown["you predict"], float(shown["your tickets"])) == ("Home", pytest.approx(actual / WAD))
    assert float(shown["your prize tickets"]) == pytest.approx(prize / WAD)
    assert 2.9 < prize / actual < 3.0  # E0 is 3.00 and she came early
    assert float(shown["tickets on Home"]) > float(shown["your prize tickets"])
    assert float(shown["tickets on Away"]) == 0
    week = ask("tickets", "weeks")[-1]
    assert float(week["pool"]) > 0
    parts = [round(float(week[part]) * 1e6) for part in ("to_events", "buyback", "carried")]
    assert sum(parts) == round(float(week["pool"]) * 1e6)

    stage.friday()
    panels = stage.tessera.panels
    panels.report(stage.reporter, stage.panel, events.question(stage.event), 0)
    events.settle(stage.owner, stage.event)
    shown = ask("tickets", "event", stage.event, by=HANNAH)
    assert (shown["state"], shown["outcome"]) == ("settled", "Home")
    due, token = events.prize_of(stage.event, hannah), stage.local.token("USDC")
    held = token.balance_of(hannah)
    assert float(ask("tickets", "claim", stage.event, by=HANNAH)["paid"]) == due / 1e6 > 0
    assert token.balance_of(hannah) == held + due

    assert float(ask("tickets", "rewards", by=HANNAH)["paid"]) > 0
    assert ask("tickets", "withdraw", "usdc", "all", by=HANNAH)["still owed to you"] == "0"
    assert token.balance_of(hannah) == held + due + 900_500_000
    assert staking.stake_of(hannah) == 0


def test_the_pool_is_the_contracts(stage, ask, run):
    prizes = stage.tessera.prizes
    ask("tickets", "stake", "usdc", "500", "--yes", by=HANNAH)
    stage.friday()
    shown = ask("tickets", "pool")
    assert (shown["week"], float(shown["all stakes"])) == (prizes.period(), 500)
    assert float(shown["carried from last week"]) == prizes.carried() / 1e6 > 0
    shares = ("to the events of the week", "buys BET for the treasury", "carried to the next week")
    assert [float(shown[share]) for share in shares] == [0.90, 0.03, 0.07]
    assert "ends in" in run("tickets", "pool").output
    # What weeks brought on 500 USD; a BET a block at 0.10 USD, two blocks an hour.
    revenues = [float(week["revenue"]) for week in ask("tickets", "weeks")]
    lending = sum(revenues) / len(revenues) / 500 * 365 / 7
    assert lending > 0
    assert float(shown["APY1, prizes"]) == pytest.approx(lending * 1.6, rel=1e-12)
    assert float(shown["APY1 net of the buyback"]) == pytest.approx(lending * 1.6 * 0.9 / 0.93, rel=1e-12)
    assert float(shown["APY2, mined BET"]) == pytest.approx(2 * 24 * 365 * 0.10 / 500, rel=1e-12)
    assert float(shown["APY"]) == pytest.approx(float(shown["APY1, prizes"]) + float(shown["APY2, mined BET"]))
    assert "is right in 80 % of them" in shown["assumes"]


def test_no_yield_is_shown_before_a_week_is_closed(stage, ask):
    assert ask("tickets", "pool")["yearly yields"] == "known when a week is closed"


def test_the_keeper_does_what_is_due(stage, ask, run):
    prizes, now = stage.tessera.prizes, stage.local.now()
    ask("tickets", "stake", "usdc", "500", "--yes", by=HANNAH)
    stage.local.let_pass(start_of(period_of(now) + 1) + 60 - now)
    week, block = prizes.period(), stage.tessera.web3.eth.block_number
    planned = ask("keeper", "plan")["steps"]
    assert ask("--dry-run", "keeper", "run", by=RIVAL)["steps"] == planned
    assert (len(planned) > 2, stage.tessera.web3.eth.block_number) == (True, block)

    ask("keeper", "run", by=RIVAL)
    assert prizes.period() == week + 1
    assert prizes.carried() > 0
    result = run("keeper", "run")
    assert (result.exit_code, "say who you are" in result.output) == (1, True)


def test_events_are_listed(stage, ask):
    (listed,) = ask("tickets", "events")
    assert (listed["event"], listed["question"], listed["outcomes"]) == (stage.event, "Which team wins?", "Home, Away")
    assert listed["state"].startswith("open, 6 d")
    assert 2.9 < float(listed["multiplier_now"]) <= 3


def test_stake_says_what_is_at_risk_and_asks(stage, run):
    result = run("tickets", "stake", "usdc", "10", by=HANNAH, input="n\n")
    assert (result.exit_code, "principal comes back at any time" in result.output) == (1, True)
    assert stage.tessera.staking.total_stake() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("stake", "usdc", "0.5", "--yes"), "pool: "),
        (("stake", "gold", "5", "--yes"), "gold cannot be staked: there is USDC, DAI"),
        (("stake", "usdc", "0", "--yes"), "more than 0"),
        (("stake", "usdc", "2000", "--yes"), "erc20"),
        (("withdraw", "usdc", "5"), "pool: "),
        (("predict", 1, "home"), "events: no stake, no tickets"),
        (("predict", 1, "draw"), "event 1 has no outcome draw: it has Home, Away"),
        (("predict", 9, "home"), "there is no event 9"),
        (("event", 9), "there is no event 9"),
        (("claim", 1), "events: "),
        (("rewards",), ""),
    ],
)
def test_is_told_why_not(stage, run, arguments, said):
    result = run("tickets", *arguments, by=HANNAH)
    assert result.exit_code != 0, result.output
    assert said in result.output
    assert "Traceback" not in result.output
    assert stage.tessera.staking.total_stake() == 0
