"""The keeper on anvil: what only a node with a pool of waiting transactions, reorgs and code that changes can show."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from threading import Event
from urllib.request import urlopen

import pytest
from click.testing import CliRunner
from eth_account import Account
from web3 import HTTPProvider, Web3

from scripts import keeper as script
from scripts.devnet import anvil
from tessera.chain import ChainError, Tessera, Wallet
from tessera.chain.fees import GWEI
from tessera.chain.node import connect
from tessera.chain.prediction_events import Claimed, Purged
from tessera.chain.waiting import wait_until
from tessera.index import Index
from tessera.keeper.alarms import Alarms
from tessera.keeper.history import History
from tessera.keeper.loop import Loop
from tessera.keeper.metrics import Metrics
from tessera.keeper.plan import due
from tessera.keeper.round import run
from tessera.keeper.steps.base import Status
from tessera.keeper.view import View
from tests.habits import served
from tests.integration.conftest import ROOT
from tests.integration.conftest import run as run_command
from tests.processes import running
from tests.staked import KEEPER, World

pytestmark = pytest.mark.anvil
REVERTING = "0x5f5ffd"
SINK = "0x" + "51" * 20


@pytest.fixture(scope="module")
def node():
    with anvil(0) as (_, url):
        yield url


@pytest.fixture(scope="module")
def played(node):
    """A week is over in which an event ended that four of six people were right about."""
    world = World(Web3(HTTPProvider(node)))
    for person in range(1, 7):
        world.stake(person, 2_000, "DAI" if person == 2 else "USDC")
    event = world.event()
    for person in range(1, 7):
        world.predict(person, event, 0 if person < 5 else 1)
    world.earn(30)
    world.earn(7, "DAI")
    return world


@pytest.fixture
def open_world(played):
    """Before the event's end."""
    ask = played.web3.provider.make_request
    before = ask("evm_snapshot", [])["result"]
    yield played
    ask("evm_setAutomine", [True])
    assert ask("evm_revert", [before])["result"]


@pytest.fixture
def world(open_world):
    """After it."""
    open_world.finish(1)
    open_world.friday()
    return open_world


def keeper_of(world, **options):
    wallet = Wallet(world.web3, world.keeper.account, **{"seconds_per_price": 2, "alone": True, **options})
    return View(world.tessera, Index("sqlite://", world.web3, world.record), wallet.address), wallet


def round_of(view, wallet):
    return run(view, wallet, due(view))


def claims(world):
    return [row for row in world.tessera.log_reader().read() if isinstance(row, Claimed)]


@contextmanager
def code_of(world, address, code):
    """While it lasts, other code is at an address."""
    before = world.web3.eth.get_code(address)
    world.web3.provider.make_request("anvil_setCode", [address, code])
    yield
    world.web3.provider.make_request("anvil_setCode", [address, Web3.to_hex(before)])


@pytest.fixture
def stuck(world, monkeypatch):
    """Puts a gift of the keeper's account into the pool, and from then on a block is mined when somebody waits."""
    ask, wallet = world.web3.provider.make_request, world.wallet(KEEPER)

    def put(price):
        ask("evm_setAutomine", [False])
        nonce = world.web3.eth.get_transaction_count(wallet.address)
        transaction = {
            "chainId": wallet.chain_id,
            "nonce": nonce,
            "to": SINK,
            "value": 1,
            "gas": 21_000,
            "maxFeePerGas": price,
            "maxPriorityFeePerGas": price,
        }
        world.web3.eth.send_raw_transaction(wallet.account.sign_transaction(transaction).raw_transaction)
        monkeypatch.setattr("tessera.chain.waiting.time.sleep", lambda _: ask("evm_mine", []))

    return put


def price_now(world):
    base = world.web3.eth.get_block("latest")["baseFeePerGas"]
    return 2 * base + world.web3.eth.max_priority_fee


DYING = """
import os, signal, sys
from web3 import HTTPProvider, Web3
from tessera.chain import Deployment, Tessera, Wallet
from tessera.chain.embedded import known_account
from tessera.index import Index
from tessera.keeper.history import History
from tessera.keeper.loop import Loop
from tessera.keeper.alarms import Alarms
from tessera.keeper.metrics import Metrics
from tessera.keeper.plan import due
from tessera.keeper.round import run
from tessera.keeper.view import View
from tests.processes import running

url, record, index, account, count = sys.argv[1:]
web3, deployment, left = Web3(HTTPProvider(url)), Deployment.load(record), int(count)
wallet = Wallet(web3, known_account(int(account)), alone=True)
view = View(Tessera(web3, deployment), Index(index, web3, deployment), wallet.address)
hand_in = wallet._hand_in


def dying(raw):
    global left
    answer = hand_in(raw)
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer


wallet._hand_in = dying
run(view, wallet, due(view))
"""


def test_killed_in_each_transaction_the_next_process_goes_on(world, node, tmp_path):
    """By SIGKILL, when the node has it and before the receipt is seen; with the index that the dead one left."""
    world.record.save(tmp_path / "record.json")
    index = f"sqlite:///{tmp_path / 'index.sqlite'}"
    before = world.web3.provider.make_request("evm_snapshot", [])["result"]
    view, wallet = keeper_of(world)
    steps = len(due(view).steps)
    assert round_of(view, wallet).exit_code == 0
    paid = {row.account: row.amount for row in claims(world)}
    for count in range(1, steps + 1):
        assert world.web3.provider.make_request("evm_revert", [before])["result"]
        before = world.web3.provider.make_request("evm_snapshot", [])["result"]
        nonce = world.web3.eth.get_transaction_count(wallet.address)
        died = run_command([sys.executable, "-c", DYING, node, tmp_path / "record.json", index, KEEPER, count])
        assert died.returncode == -signal.SIGKILL, died.stderr
        # The node has the last one, and puts it in a block a moment later.
        wanted = nonce + count
        assert wait_until(lambda wanted=wanted: world.web3.eth.get_transaction_count(wallet.address) == wanted, 60)
        view.history = History(Index(index, world.web3, world.record))
        again = round_of(view, wallet)
        assert (again.exit_code, len(again.outcomes)) == (0, steps - count)
        assert [(row.account, row.amount) for row in claims(world)] == list(paid.items())


@pytest.mark.parametrize("other", [KEEPER + 1, KEEPER], ids=["each with its account", "both with the same"])
def test_two_processes_at_once_pay_nobody_twice(world, where, tmp_path, other):
    """And share the file of the index. Who comes when the other is done has only the buyback to do, and may."""
    world.prizes.set_keeper(world.owner, world.wallet(other).address, True)
    command = ["ape", "run", "keeper", "run", *where[:-1]]
    both = [
        subprocess.Popen(
            [*command, f"TEST::{account}", "--reports", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for account in (KEEPER, other)
    ]
    said = [process.communicate(timeout=120)[0] for process in both]
    codes = {process.returncode for process in both}
    # One account cannot send two transactions of a nonce: who was slower has left something to the other.
    assert codes <= ({0} if other != KEEPER else {0, 3}), said
    assert round_of(*keeper_of(world)).exit_code == 0
    assert len({row.account for row in claims(world)}) == len(claims(world)) == 4
    assert world.events.result_of(1).unpaid == 0
    assert due(keeper_of(world)[0]).steps == []


@pytest.mark.parametrize(("tenths", "which"), [(5, "a cheaper one"), (13, "a dearer one")])
def test_a_stuck_transaction_of_the_account_is_replaced(world, stuck, tenths, which):
    stuck(price_now(world) * tenths // 10)
    done = round_of(*keeper_of(world))
    assert done.exit_code == 0, [one.message for one in done.outcomes]
    assert world.web3.eth.get_balance(SINK) == 0, which
    assert len(claims(world)) == 4


def test_what_nobody_mines_is_left_undone_and_done_by_the_next_round(world):
    world.web3.provider.make_request("evm_setAutomine", [False])
    view, wallet = keeper_of(world, seconds_per_price=0.2)
    plan = due(view)
    done = run(view, wallet, plan)
    assert done.exit_code == 3
    assert {one.status for one in done.outcomes} == {Status.UNDONE}
    assert re.search(r"StakingPool.harvest with nonce \d+ was sent and waits to be mined at", done.outcomes[0].message)
    world.web3.provider.make_request("evm_setAutomine", [True])
    assert round_of(*keeper_of(world)).exit_code == 0
    assert len(claims(world)) == 4


def test_a_fee_that_rises_above_the_ceiling_stops_the_round(world):
    view, wallet = keeper_of(world, max_gas_price=20 * GWEI)
    plan = due(view)
    world.web3.provider.make_request("anvil_setNextBlockBaseFeePerGas", [hex(100 * GWEI)])
    world.mine(1)
    sent = world.web3.eth.get_transaction_count(wallet.address)
    done = run(view, wallet, plan)
    assert done.exit_code == 3
    assert "the ceiling is 20.000 gwei" in done.outcomes[0].message
    assert world.web3.eth.get_transaction_count(wallet.address) == sent


@pytest.mark.parametrize("earlier", [0, 3], ids=["from the payment on", "from three blocks before it on"])
def test_a_reorg_of_the_last_blocks_is_done_again(world, earlier):
    view, wallet = keeper_of(world)
    assert round_of(view, wallet).exit_code == 0
    paid = {row.account: row.amount for row in claims(world)}
    depth = world.web3.eth.block_number - claims(world)[0].block + 1 + earlier
    world.web3.provider.make_request("anvil_reorg", [depth, []])
    assert len(claims(world)) == 0
    again = round_of(view, wallet)  # the same index
    assert again.exit_code == 0
    assert len(again.outcomes) == depth
    assert {row.account: row.amount for row in claims(world)} == paid
    assert len(claims(world)) == len(paid) == 4


def test_a_vault_that_reverts_leaves_the_others_alone(world):
    with code_of(world, world.record.address_of("YieldVault:DAI"), REVERTING):
        done = round_of(*keeper_of(world))
        ends = {one.step.what: one.status for one in done.outcomes}
        assert "DAI: its vault does not say what it is worth" in due(keeper_of(world)[0]).waiting
        assert ends["harvest DAI"] == Status.UNDONE
        assert ends["harvest USDC"] == Status.DONE
        assert ends["close 1 week"] == Status.UNDONE
        assert done.exit_code == 3
    assert round_of(*keeper_of(world)).exit_code == 0
    assert len(claims(world)) == 4


def test_a_forfeited_prediction_is_purged_before_the_event_is_settled(open_world):
    world, leaver = open_world, open_world.wallet(1)
    with code_of(world, world.events.address, REVERTING):
        world.pool.withdraw(leaver, world.token("USDC"), 2_000 * 10**6, 0)
    world.finish(1)
    world.friday()
    view, wallet = keeper_of(world)
    plan = due(view)
    kinds = [step.kind for step in plan.steps]
    assert kinds.index("purge") < kinds.index("settle")
    assert "pay 3 winners of event 1" in [step.what for step in plan.steps]
    assert run(view, wallet, plan).exit_code == 0
    (purged,) = (row for row in world.tessera.log_reader().read() if isinstance(row, Purged))
    assert purged.account == leaver.address
    paid = {row.account: row.amount for row in claims(world)}
    assert set(paid) == {world.wallet(person).address for person in (2, 3, 4)}
    assert 0 <= world.events.result_of(1).prize - sum(paid.values()) < 3


@pytest.fixture
def where(world, node, tmp_path):
    """What each command needs to find this world."""
    world.record.save(tmp_path / "record.json")
    network = ["--network", f"ethereum:local:{node}"]
    index = ["--index", f"sqlite:///{tmp_path / 'index.sqlite'}"]
    return [*network, *index, "--record", str(tmp_path / "record.json"), "--account", f"TEST::{KEEPER}"]


@pytest.fixture
def sent(world):
    """How many transactions the keeper's account has sent since."""
    before = world.web3.eth.get_transaction_count(world.keeper.address)
    return lambda: world.web3.eth.get_transaction_count(world.keeper.address) - before


def cli(*words):
    return CliRunner().invoke(script.cli, [str(word) for word in words])


def test_plan_run_and_report_as_typed(world, where, tmp_path, sent):
    planned = cli("plan", *where, "--json")
    assert planned.exit_code == 0
    assert sent() == 0
    plan = tmp_path / "plan.json"
    plan.write_text(planned.stdout)
    assert "6 steps" in cli("plan", *where).stdout

    done = cli("run", *where, "--plan", plan, "--reports", tmp_path / "reports")
    assert done.exit_code == 0, done.output
    assert "all that was due is done" in done.stdout
    assert sent() == len(json.loads(planned.stdout)["steps"])
    assert len(claims(world)) == 4

    message = cli("report", "--reports", tmp_path / "reports")
    assert message.exit_code == 0
    assert "pay 4 winners of event 1" in message.stdout
    assert json.loads(cli("report", "--reports", tmp_path / "reports", "--json").stdout)["exit_code"] == 0

    changed = cli("run", *where, "--plan", plan, "--reports", tmp_path / "reports")
    assert changed.exit_code == 1
    assert "the plan has changed, nothing was sent" in changed.output
    assert sent() == 6


def test_bad_input_is_refused_and_nothing_is_sent(world, where, tmp_path, sent, node):
    rubbish, open_file = tmp_path / "rubbish", tmp_path / "passphrase"
    rubbish.write_text("{")
    open_file.write_text("secret\n")
    open_file.chmod(0o644)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "round-1.json").write_text("{")
    other = tmp_path / "other.json"
    record = json.loads((tmp_path / "record.json").read_text())
    other.write_text(json.dumps({**record, "chain_id": 5}))
    no_record = [*where[:-4], "--record", tmp_path / "nowhere.json", "--account", "TEST::14"]
    cases = [
        (["run", *where[:-4], "--record", other, "--account", "TEST::14"], "on chain 31337, the record on 5"),
        (["run", *no_record], "no deployment record"),
        (["run", *where[:-2], "--account", "nobody"], "Ape knows no account nobody"),
        (["run", *where, "--plan", rubbish], "is not a plan"),
        (["run", *where, "--passphrase-file", tmp_path / "nothing"], "cannot read"),
        (["run", *where, "--passphrase-file", open_file], "can be read by everybody"),
        (["run", *where[:-2], "--account", "TEST::x"], "Ape knows no account TEST::x"),
        (["run", *where[:-2], "--account", "TEST::99"], "Ape knows no account TEST::99"),
        (["run", *where, "--index", "rubbish"], "no database at this URL"),
        (["loop", *where, "--metrics-port", node.rpartition(":")[2]], "metrics cannot be served at 127.0.0.1:"),
        (["report", "--reports", tmp_path / "none"], "no report of a round"),
        (["report", "--reports", tmp_path / "broken"], "is not a report: delete it"),
    ]
    for words, message in cases:
        done = cli(*words)
        assert done.exit_code == 1, (words, done.output)
        assert message in done.output
    assert cli("run", "--network", "ethereum:nowhere").exit_code == 2
    assert cli("run", *where, "--max-gas-price", "0").exit_code == 2
    assert cli("loop", *where, "--alarm-command", "mail 'root").exit_code == 2
    assert sent() == 0


def test_without_gas_money_nothing_is_sent_and_each_step_says_what_it_lacked(world, where, tmp_path, sent):
    world.web3.provider.make_request("anvil_setBalance", [world.keeper.address, hex(10**12)])
    done = cli("run", *where, "--reports", tmp_path)
    assert done.exit_code == 3
    words = " ".join(done.output.split())
    for function in ("StakingPool.harvest", "PrizePool.poke"):
        assert f"{world.keeper.address} has 0.000001 ETH left, not enough for {function}" in words
    assert sent() == 0


def test_a_round_whose_report_cannot_be_written_is_told_as_what_it_is(world, where, tmp_path, sent):
    (tmp_path / "file").write_text("in the way")
    done = cli("run", *where, "--reports", tmp_path / "file" / "folder")
    assert done.exit_code == 0, done.output
    assert "no report was written to" in done.output
    assert "all that was due is done" in done.output
    assert sent() == 6


def test_a_locked_account_is_refused_where_nobody_can_be_asked():
    with pytest.raises(ChainError, match="keeper is locked: --passphrase-file FILE"):
        script.passphrase_of("keeper", None)


def test_what_is_left_undone_is_an_exit_code_and_a_sentence(world, where, tmp_path, sent):
    done = cli("run", *where, "--max-gas-price", "0.1", "--reports", tmp_path)
    assert done.exit_code == 3
    assert "the ceiling is 0.100 gwei" in done.output
    assert sent() == 0


def test_a_key_file_is_unlocked_by_a_file_and_the_loop_stops_on_sigterm(world, where, tmp_path):
    # A passphrase in the environment is of no use to the keeper.
    environment = {**os.environ, "HOME": str(tmp_path), "APE_ACCOUNTS_keeper_PASSPHRASE": "a passphrase"}
    key_file = tmp_path / ".ape" / "accounts" / "keeper.json"
    key_file.parent.mkdir(parents=True)
    key_file.write_text(json.dumps(Account.encrypt(world.keeper.account.key, "a passphrase", iterations=2)))
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("another\n")
    passphrase.chmod(0o600)
    command = ["ape", "run", "keeper", "loop", *where[:-2], "--account", "keeper", "--reports", str(tmp_path)]
    command += ["--metrics-port", "0", "--passphrase-file", str(passphrase)]
    refused = run_command(command, env=environment)
    assert (refused.returncode, "wrong passphrase for keeper" in refused.stderr) == (1, True)

    passphrase.write_text("a passphrase\n")
    with running(command, "^report: ", env=environment) as keeper:
        port = re.search(r"metrics at http://127.0.0.1:(\d+)/metrics", keeper.said).group(1)
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert b'tessera_keeper_rounds_total{result="done"} 1.0' in answer.read()
    assert keeper.said.endswith("stopped\n")
    assert "a passphrase" not in keeper.said
    assert len(claims(world)) == 4


@pytest.fixture
def habits(node):
    with served(node) as proxied:
        yield proxied


def keeper_behind(url, world):
    web3 = connect(url, patience=1)  # a node that stays away is given up after a second
    wallet = Wallet(web3, world.keeper.account, seconds_per_price=0.5, alone=True)
    return View(Tessera(web3, world.record), Index("sqlite://", web3, world.record), wallet.address), wallet


KINDS = [("page", 502), ("page", 200), ("refusal", 200), ("null", 200), ("drop", 200)]


@pytest.mark.xdist_group("keeper behind a bad node")
@pytest.mark.parametrize(("kind", "through"), zip(KINDS, (0, 60, 25, 60, 25), strict=True))
def test_the_loop_outlives_whatever_comes_over_http(world, habits, kind, through):
    """At its first request, while it looks, and in the middle of a round."""
    url, node = habits
    view, wallet = keeper_behind(url, world)
    metrics, stopping = Metrics(), Event()
    loop = Loop(view, wallet, metrics, Alarms(metrics.alarm))
    node.failures, node.status, node.good = kind[:1], kind[1], through
    loop.look(stopping)
    assert node.good < 0
    loop.look(stopping)
    assert loop.wait < loop.limits.every
    node.good = None
    loop.look(stopping)
    assert loop.wait == loop.limits.every
    assert len(claims(world)) == 4
    assert due(view).steps == []


@pytest.mark.xdist_group("keeper behind a bad node")
@pytest.mark.parametrize("kind", KINDS)
def test_a_round_ends_and_tells_whatever_comes_over_http(world, habits, kind):
    url, node = habits
    view, wallet = keeper_behind(url, world)
    plan = due(view)
    node.failures, node.status, node.good = kind[:1], kind[1], 20
    done = run(view, wallet, plan)
    assert done.exit_code == 3
    assert len(done.outcomes) == len(plan.steps)
    assert done.outcomes[-1].status == Status.UNDONE
    assert done.outcomes[-1].message.startswith("the node failed: ")
    node.good = None
    assert round_of(*keeper_of(world)).exit_code == 0
    assert len(claims(world)) == 4


def test_without_a_node_it_says_so():
    done = cli("plan", "--network", "ethereum:local:http://127.0.0.1:1")
    assert done.exit_code == 1
    assert done.output.startswith("Error: the node failed: No node found")
