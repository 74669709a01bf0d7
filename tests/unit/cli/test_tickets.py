"""`tessera tickets` through a month: stake, predict, three Fridays, a prize, and everything back."""

import re
from dataclasses import replace
from fractions import Fraction

import pytest
from web3 import Web3
from web3.exceptions import Web3RPCError

from tessera.accounting.yields import growth
from tessera.chain import WAD, Deployment, Tessera, Wallet, prepared
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.panels import PanelCreated
from tessera.chain.prediction_events import EventCreated
from tessera.deployment.deploy import deploy
from tessera.local.chain import DAY, UNITS, LocalChain
from tessera.model.apy import ASSUMPTIONS, figures, lending_apy
from tessera.model.prizes import period_of, start_of
from tests.habits import within
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
AHEAD = 300_000_000  # of Arbitrum's own block numbers over those that its contracts see, about


class Stage:
    """The staked product on the embedded chain, with an event that runs for a week."""

    def __init__(self, path):
        web3 = embedded_web3()
        self.owner = Wallet(web3, known_account(0))
        self.tessera = Tessera(web3, deploy(self.owner, "tickets", PARAMETERS, path=path))
        self.local = LocalChain(self.tessera, self.owner)
        reporter = known_account(5)
        made = self.tessera.panels.create_panel(self.owner, [reporter.address], 1)
        self.panel, self.reporter = made.event(PanelCreated).panel_id, Wallet(web3, reporter)
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
        self.event = created.event(EventCreated).event_id
        for number in (HANNAH, RIVAL):
            self.local.give(known_account(number).address, "USDC", 1_000 * UNITS["USDC"])
            self.local.give(known_account(number).address, "DAI", 1_000 * UNITS["DAI"])

    def earn(self) -> None:
        """Gives the USDC vault more than the dollar of yield that the pool keeps as a buffer."""
        self.local.give(self.local.contract("YieldVault:USDC").address, "USDC", 5 * UNITS["USDC"])

    def friday(self) -> None:
        """The next week begins; what is due is done."""
        now = self.local.now()
        self.earn()
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
    assert ask("tickets", "stake", "usdc", "900.50", "--yes", by=HANNAH)["value"] == "900500000"
    assert stage.tessera.web3.eth.get_transaction_count(hannah) == sent + 1  # with a permit
    ask("tickets", "stake", "DAI", "100", "--yes", by=RIVAL)
    assert staking.stake_of(hannah) == 900_500_000

    assert ask("tickets", "predict", stage.event, "home", by=HANNAH)["outcome"] == 0
    assert ask("tickets", "predict", stage.event, "0", by=RIVAL)["multiplier"] is not None
    assert ask("tickets", "predict", stage.event, "0", by=RIVAL)["multiplier"] is None
    assert events.prediction_of(stage.event, known_account(RIVAL).address) == (True, 0)

    stage.friday()
    shown = ask("tickets", "event", stage.event, by=HANNAH)
    actual, prize = events.tickets(stage.event, hannah)
    assert (shown["prediction"], int(shown["your_tickets"])) == (0, actual)
    assert int(shown["your_prize_tickets"]) == prize
    assert 2.9 < prize / actual < 3.0  # E0 is 3.00 and she came early
    assert [outcome["name"] for outcome in shown["outcomes"]] == ["Home", "Away"]
    assert int(shown["outcomes"][0]["tickets"]) > prize
    assert int(shown["outcomes"][1]["tickets"]) == 0
    week = ask("tickets", "weeks")[-1]
    assert int(week["pool"]) > 0
    assert sum(int(week[part]) for part in ("to_events", "buyback", "carried")) == int(week["pool"])

    stage.friday()
    panels = stage.tessera.panels
    panels.report(stage.reporter, stage.panel, events.question(stage.event), 0)
    events.settle(stage.owner, stage.event)
    shown = ask("tickets", "event", stage.event, by=HANNAH)
    assert (shown["state"], shown["outcome"]) == ("settled", 0)
    due, token = events.prize_of(stage.event, hannah), stage.local.token("USDC")
    held = token.balance_of(hannah)
    assert int(ask("tickets", "claim", stage.event, by=HANNAH)["paid"]) == due > 0
    assert token.balance_of(hannah) == held + due

    assert int(ask("tickets", "rewards", by=HANNAH)["paid"]) > 0
    assert ask("tickets", "withdraw", "usdc", "all", by=HANNAH)["principal"] == "0"
    assert token.balance_of(hannah) == held + due + 900_500_000
    assert staking.stake_of(hannah) == 0


def test_the_pool_is_the_contracts(stage, ask, run):
    prizes = stage.tessera.prizes
    ask("tickets", "stake", "usdc", "500", "--yes", by=HANNAH)
    stage.friday()
    shown = ask("tickets", "pool")
    assert (shown["period"], shown["total_stake"]) == (prizes.period(), "500000000")
    assert int(shown["carried"]) == prizes.carried() > 0
    shares = ("event_share", "buyback_share", "carried_share")
    assert [int(shown[share]) for share in shares] == [90 * WAD // 100, 3 * WAD // 100, 7 * WAD // 100]
    assert re.search(r"until +\w{3} .* UTC, in \d", run("tickets", "pool").output)


def test_yields_are_those_of_the_model(stage, ask, run):
    """The command measures lending on the chain; when the vaults were deployed is known here."""
    ask("tickets", "stake", "usdc", "500", "--yes", by=HANNAH)
    ask("tickets", "stake", "dai", "300", "--yes", by=RIVAL)
    stage.friday()
    web3, shown = stage.tessera.web3, ask("tickets", "pool")
    head, assets = web3.eth.get_block("latest"), []
    for asset, value in (("USDC", 500), ("DAI", 300)):
        share = stage.local.contract(f"YieldVault:{asset}").functions.convertToAssets(UNITS[asset] * 10**12)
        created = stage.tessera.deployment.contracts[f"YieldVault:{asset}"].transaction
        since = max(web3.eth.get_transaction(created)["blockNumber"], head["number"] - 4 * 7 * 24 * BLOCKS_PER_HOUR)
        elapsed = head["timestamp"] - web3.eth.get_block(since)["timestamp"]
        grown = Fraction(share.call(), share.call(block_identifier=since)) - 1
        assert grown > 0
        assets.append((value, grown * 365 * DAY / elapsed))
    usdc, bet = stage.tessera.prizes.market()
    price = Fraction(usdc, UNITS["USDC"]) / Fraction(bet, WAD) * Fraction(997, 1000)  # what selling one would bring
    known = figures(assets, 1, price, 365 * 24 * BLOCKS_PER_HOUR)
    assert [int(shown[name]) for name in ("apy1", "apy1_net", "apy2", "apy")] == [int(rate * WAD) for rate in known]
    assert int(shown["lending"]) == int(lending_apy(assets) * WAD)
    assert shown["assumptions"] == list(ASSUMPTIONS)
    assert all(assumption in run("tickets", "pool").output for assumption in ASSUMPTIONS)


@pytest.fixture
def node_without(stage, monkeypatch):
    """Lets calls fail as a node does that has forgotten a block: those of a contract up to a block."""
    tester = stage.tessera.web3.provider.ethereum_tester
    answer = tester.call

    def call(transaction, block_number="latest"):
        head = tester.get_block_by_number("latest")["number"]
        number = head if block_number == "latest" else block_number
        if (transaction.get("to"), number) in forgotten:
            raise Web3RPCError("missing trie node")
        return answer(transaction, block_number)

    forgotten = set()
    monkeypatch.setattr(tester, "call", call)
    return lambda contract, blocks: forgotten.update((contract, number) for number in blocks)


def test_what_is_not_known_of_yields_is_said(stage, ask, run, node_without):
    assert ask("tickets", "pool")["apy"] is None
    assert "known when something is staked" in run("tickets", "pool").output
    ask("tickets", "stake", "usdc", "500", "--yes", by=HANNAH)
    assert ask("tickets", "pool")["lending"] is not None
    head = stage.tessera.web3.eth.block_number
    node_without(stage.local.contract("YieldVault:USDC").address, [head])  # it is broken now
    shown = ask("tickets", "pool")
    assert [shown[name] for name in ("lending", "apy1", "apy1_net", "apy")] == [None] * 4
    assert int(shown["apy2"]) > 0
    assert run("tickets", "pool").output.count("not known yet") == 4


def test_a_vault_s_growth_is_measured_as_far_back_as_the_node_remembers(stage, node_without):
    web3, vault = stage.tessera.web3, stage.local.contract("YieldVault:USDC").address
    since, shares = stage.tessera.deployment.first_block, UNITS["USDC"] * 10**12
    stage.local.give(vault, "USDC", 1)  # a share of the empty vault is worth twice as much
    stage.local.let_pass(2 * DAY)
    head = web3.eth.block_number
    assert growth(web3, vault, shares, since) > 0
    node_without(vault, range(head - 24 * BLOCKS_PER_HOUR))
    assert growth(web3, vault, shares, since) == 0  # of the last day
    node_without(vault, range(head))
    assert growth(web3, vault, shares, since) is None


def test_nothing_is_mined_after_the_last_block(stage, ask):
    ask("tickets", "stake", "usdc", "500", "--yes", by=HANNAH)
    web3 = stage.tessera.web3
    web3.provider.ethereum_tester.mine_blocks(stage.tessera.staking.mining_blocks()[1] - 1 - web3.eth.block_number)
    assert int(ask("tickets", "pool")["apy2"]) > 0
    web3.provider.ethereum_tester.mine_block()
    assert int(ask("tickets", "pool")["apy2"]) == 0


def test_the_keeper_does_what_is_due(stage, ask, run):
    prizes, now = stage.tessera.prizes, stage.local.now()
    ask("tickets", "stake", "usdc", "500", "--yes", by=HANNAH)
    stage.earn()
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


def test_what_the_keeper_did_counts_and_not_whether_its_report_can_be_written(stage, run, tmp_path):
    now, week = stage.local.now(), stage.tessera.prizes.period()
    stage.local.let_pass(start_of(period_of(now) + 1) + 60 - now)
    (tmp_path / "file").write_text("")
    done = run("keeper", "run", "--reports", tmp_path / "file" / "reports", by=RIVAL)
    assert (done.exit_code, stage.tessera.prizes.period()) == (0, week + 1), done.output
    assert f"no report was written to {tmp_path}/file/reports: Not a directory" in done.output
    stage.local.let_pass(7 * DAY)
    assert run("keeper", "run", "--reports", tmp_path / "reports", by=RIVAL).exit_code == 0
    assert len(list((tmp_path / "reports").glob("round-*.json"))) == 1


def test_events_are_listed(stage, ask, run):
    (listed,) = ask("tickets", "events")
    assert (listed["event_id"], listed["description"]) == (stage.event, "Which team wins?")
    assert (listed["outcomes"], listed["state"]) == (["Home", "Away"], "open")
    assert 2.9 < int(listed["multiplier"]) / WAD <= 3
    assert "open, 6 d" in run("tickets", "events").output
    stage.local.let_pass(7 * DAY)
    assert ask("tickets", "events")[0]["state"] == "waiting"
    assert "waits for its result" in run("tickets", "events").output


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


def test_withdraw_names_the_least_that_is_paid(stage, ask, run):
    ask("tickets", "stake", "usdc", "500", "--yes", by=HANNAH)
    done = ask("tickets", "withdraw", "usdc", "100", by=HANNAH)
    assert (done["paid"], done["min_paid"]) == ("100000000", "99500000")
    refused = run("tickets", "withdraw", "usdc", "100", "--min-paid", "100.01", by=HANNAH)
    assert (refused.exit_code, "[reverted]" in refused.output) == (1, True)
    shown = run("--dry-run", "tickets", "withdraw", "usdc", "100", by=HANNAH).output
    assert re.search(r"min paid +99\.50 USDC", shown)


def test_a_loss_is_asked_about_noted_and_revalued(stage, ask, run):
    ask("tickets", "stake", "usdc", "500", "--yes", by=HANNAH)
    stage.local.call("YieldVault:USDC", "lose", 100 * UNITS["USDC"])
    (usdc,) = [asset for asset in ask("tickets", "assets") if asset["symbol"] == "USDC"]
    assert (usdc["is_open"], usdc["principal"]) == (True, "500000000")
    assert 0.1 < int(usdc["loss"]) / WAD < 0.25
    result = run("tickets", "withdraw", "usdc", "all", by=HANNAH, input="n\n")
    assert (result.exit_code, "worth now" in result.output) == (1, True)
    assert "pool: " in run("tickets", "revalue", "usdc", by=RIVAL).output  # RIVAL has no stake
    noted = ask("tickets", "note-loss", "usdc", by=RIVAL)
    assert noted["noted_loss"] == usdc["loss"]
    stage.local.let_pass(DAY + 3600)
    made = ask("tickets", "revalue", "usdc", known_account(HANNAH).address, by=RIVAL)
    assert int(made["stake"]) == stage.tessera.staking.stake_of(known_account(HANNAH).address) < 500_000_000


@pytest.mark.parametrize("arguments", [("pool",), ("events",), ("event", 1), ("predict", 1, "Home"), ("weeks",)])
def test_events_are_refused_where_contracts_count_other_blocks(set_up, stage, monkeypatch, tmp_path, arguments):
    """As on Arbitrum: what logs say of forfeitures cannot be compared with stop blocks."""
    node = prepared(Web3(stage.tessera.web3.provider))
    record = Deployment.load(set_up[1])
    record.contracts = {name: replace(at, block=at.block + AHEAD) for name, at in record.contracts.items()}
    record.save(tmp_path / "record.json")
    run = command(stage.tessera.web3, str(tmp_path / "record.json"), monkeypatch, tmp_path)
    monkeypatch.setattr("tessera.cli.session.connect", lambda url: node)
    with within(node, ahead=AHEAD):
        result = run("tickets", *arguments, by=HANNAH)
    assert "[other_blocks]" in result.output
