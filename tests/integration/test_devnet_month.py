"""Staked tickets on a devnet, with its own commands: a week passes, the panel reports, the prize arrives."""

import re
import sys

import pytest
from web3 import HTTPProvider, Web3

from scripts import devnet
from tessera.chain import Deployment, Tessera, Wallet
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.errors import ChainError
from tessera.chain.prediction_events import Claimed
from tessera.chain.prize_pool import PeriodClosed
from tessera.chain.staking_pool import Withdrawn
from tessera.deployment.deploy import differences
from tessera.local.chain import DAY, UNITS, LocalChain, let_pass
from tessera.model.prizes import period_of
from tests.integration.conftest import run, running_devnet

HOME = 0


def close_week(tessera: Tessera, keeper: Wallet) -> PeriodClosed:
    """What a keeper does on Friday."""
    for asset in ("USDC", "DAI"):
        tessera.staking.harvest(keeper, tessera.deployment.address_of(f"TestToken:{asset}"))
    return tessera.prizes.close_periods(keeper, tessera.prizes.period(), 60).event(PeriodClosed)


def live_a_fortnight(tessera: Tessera, a_week_passes, panel_reports) -> None:
    """Somebody without stake stakes, predicts, wins and leaves with more than came in."""
    newcomer, keeper = (Wallet(tessera.web3, known_account(index)) for index in (9, 0))
    usdc = LocalChain(tessera, keeper).token("USDC")
    before = usdc.balance_of(newcomer.address)
    usdc.approve(newcomer, tessera.staking.address, 2_000 * UNITS["USDC"])
    tessera.staking.stake(newcomer, usdc.address, 2_000 * UNITS["USDC"])
    tessera.events.predict(newcomer, 1, HOME)
    closed = []
    for _ in range(2):
        a_week_passes()
        closed.append(close_week(tessera, keeper))
    assert [week.period for week in closed] == [closed[0].period, closed[0].period + 1]
    # 5,000 and 2,000 USDC at 5.2 % and 8,000 DAI at 6.1 % earn 16.4 a week; 1 bp of them stays in the vaults.
    assert all(13 * 10**6 < week.revenue < 17 * 10**6 for week in closed)
    panel_reports()
    tessera.events.settle(keeper, 1)
    won = tessera.events.claim(newcomer, 1, newcomer.address).event(Claimed).amount
    prize = tessera.events.result_of(1).prize
    # Two thousand against the five thousand of the other who said "home", who came as early: two sevenths.
    assert abs(won - prize * 2 // 7) < prize // 50
    left = tessera.staking.withdraw(newcomer, usdc.address, 2_000 * UNITS["USDC"], 0).event(Withdrawn)
    assert left.paid == 2_000 * UNITS["USDC"]
    assert usdc.balance_of(newcomer.address) == before + won
    assert tessera.staking.pending_rewards(newcomer.address) > 0


def test_a_fortnight_on_the_embedded_chain(tmp_path):
    web3 = embedded_web3()
    tessera = devnet.populate(web3, 8, tmp_path / devnet.RECORD)
    chain = LocalChain(tessera, Wallet(web3, known_account(0)))
    before = chain.now(), web3.eth.block_number
    live_a_fortnight(tessera, lambda: chain.let_pass(7 * DAY), lambda: devnet.report(tessera, 1, HOME))
    # Besides the two weeks: a block, and a second, for each transaction.
    assert chain.now() - before[0] == pytest.approx(14 * DAY, abs=60)
    assert web3.eth.block_number - before[1] == pytest.approx(2 * 7 * 24 * 2, abs=60)
    with pytest.raises(ChainError, match="events: already settled"):
        tessera.events.settle(chain.owner, 1)


@pytest.mark.anvil
def test_a_fortnight_on_a_devnet(tmp_path):
    def command(*words) -> str:
        printed = run([sys.executable, "scripts/devnet.py", *words, "--into", tmp_path])
        assert printed.returncode == 0, printed.stderr
        return printed.stdout

    with running_devnet(tmp_path) as url:
        web3 = Web3(HTTPProvider(url))
        record = Deployment.load(tmp_path / devnet.RECORD)
        tessera = Tessera(web3, record)
        assert differences(web3, record) == []
        early = run([sys.executable, "scripts/devnet.py", "report", 1, HOME, "--into", tmp_path])
        assert early.returncode == 1
        assert "panels: too early" in early.stderr
        start = web3.eth.get_block("latest")["timestamp"]
        said = []
        live_a_fortnight(tessera, lambda: said.append(command("pass", "--days", 7)), lambda: command("report", 1, HOME))
        date = r"it is [A-Z][a-z]+day, \d\d [A-Z][a-z]{2} \d{4}, \d\d:\d\d UTC, block \d+$"
        assert all(re.match(date, one) for one in said)
        passed = web3.eth.get_block("latest")["timestamp"] - start
        # The wall clock runs on beside it.
        assert 14 * DAY <= passed <= 14 * DAY + 600
        assert period_of(start + passed) == period_of(start) + 2


@pytest.mark.parametrize("words", [["pass", "--days", 7], ["report", 1, 0]])
def test_without_a_devnet_its_commands_say_so(tmp_path, words):
    printed = run([sys.executable, "scripts/devnet.py", *words, "--into", tmp_path])
    assert printed.returncode == 1
    assert "no devnet is running" in printed.stderr


def test_the_clock_of_another_chain_stays_alone():
    public = embedded_web3(chain_id=5)
    block = public.eth.block_number
    with pytest.raises(ChainError, match="chain 5 is no local chain"):
        let_pass(public, 7 * DAY, 2)
    assert public.eth.block_number == block
