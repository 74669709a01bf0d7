"""The product of staked tickets over what was on a chain before, and its treasury: the timelock that is to own it."""

import tomllib
from pathlib import Path

import pytest
from web3 import Web3

from tessera.chain import WAD, ZERO_ADDRESS, ChainError, Reverted, Tessera, Wallet
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.erc20 import Erc20
from tessera.chain.panels import PanelCreated
from tessera.chain.timelock import CallExecuted, CallScheduled, Operation
from tessera.deployment.artifacts import ROOT, compiled, compiled_file
from tessera.deployment.deploy import PRODUCTS, deploy, differences, rehearse
from tessera.deployment.parameters import faults_on_chain, read_parameters
from tessera.local.chain import DAY, let_pass
from tests.undo import undone

OWNED = ("StakingPool", "PredictionEvents", "PrizePool")
DELAY = 2 * DAY
EIP5202 = bytes.fromhex("3d81600a3d39f3fe7100")  # deploys what follows as a blueprint


def create(wallet: Wallet, artifact, *arguments) -> str:
    receipt = wallet.send({"data": artifact.creation_data(list(arguments))}, artifact.name)
    return receipt["contractAddress"]


def send(wallet: Wallet, name: str, address: str, function: str, *arguments):
    data = wallet.web3.eth.contract(abi=compiled(name).abi).encode_abi(function, arguments)
    return wallet.send({"to": address, "data": data}, function)


@pytest.fixture(scope="module")
def deployer() -> Wallet:
    return Wallet(embedded_web3(), known_account(0))


@pytest.fixture(scope="module")
def outside(deployer) -> dict:
    """Two stablecoins with vaults and feeds, a third that nobody added yet, and a market: somebody else's."""
    stranger = Wallet(deployer.web3, known_account(9))
    assets = []
    for name, decimals in (("USDC", 6), ("DAI", 18), ("LUSD", 18)):
        token = create(stranger, compiled("TestToken"), name, name, decimals)
        vault = create(stranger, compiled("YieldVault"), token)
        send(stranger, "TestToken", token, "mint", deployer.address, 10 * 10**decimals)
        assets.append({"token": token, "vault": vault, "feed": create(stranger, compiled("PriceFeed"), 8, name, 10**8)})
    pair = compiled("Pair").initcode
    blueprint = b"\x61" + (len(pair) + 3).to_bytes(2, "big") + EIP5202 + pair
    at = stranger.send({"data": Web3.to_hex(blueprint)}, "blueprint")["contractAddress"]
    factory = create(stranger, compiled_file(ROOT / "tests" / "mocks" / "UniswapFactory.vy"), at)
    for asset in assets[1:]:
        data = deployer.web3.eth.contract(abi=compiled_file(ROOT / "tests" / "mocks" / "UniswapFactory.vy").abi)
        call = data.encode_abi("createPair", [asset["token"], assets[0]["token"]])
        stranger.send({"to": factory, "data": call}, "createPair")
    return {"router": factory, "factory": factory, "assets": assets}


@pytest.fixture
def text(outside) -> str:
    """The page's own example, with the addresses of this chain."""
    (example,) = [
        block.removeprefix("toml\n")
        for block in (ROOT / "docs" / "tickets.md").read_text().split("```")
        if block.startswith("toml\n")
    ]
    assets = outside["assets"]
    known = tomllib.loads(example)
    addresses = {known[name]: outside[name] for name in ("router", "factory")}
    addresses |= {known["proposers"][0]: known_account(1).address}
    for shown, real in zip(known["assets"], assets[:2], strict=True):
        addresses |= {shown[name]: real[name] for name in shown}
    for old, new in addresses.items():
        example = example.replace(old, new)
    return example


@pytest.fixture
def path(text, tmp_path) -> Path:
    file = tmp_path / "tickets.toml"
    file.write_text(text)
    return file


@pytest.fixture
def fresh(deployer):
    """Undoes what a test does to the chain."""
    with undone(deployer.web3):
        yield deployer


@pytest.fixture
def handed_over(fresh, path) -> Tessera:
    """All deployed; the timelock has yet to accept."""
    parameters = read_parameters(path)
    assert faults_on_chain(fresh.web3, parameters) == []
    return Tessera(fresh.web3, deploy(fresh, "tickets", parameters))


@pytest.fixture
def proposer(fresh) -> Wallet:
    return Wallet(fresh.web3, known_account(1))


@pytest.fixture
def stranger(fresh) -> Wallet:
    return Wallet(fresh.web3, known_account(7))


@pytest.fixture
def owned(handed_over, proposer, stranger) -> Tessera:
    """The timelock owns all."""
    accept(handed_over, proposer, stranger)
    return handed_over


def accept(tessera: Tessera, proposer: Wallet, anybody: Wallet) -> None:
    """The step that docs/tickets.md describes."""
    timelock = tessera.timelock
    operations = [
        Operation.of(contract, "accept_ownership") for contract in (tessera.staking, tessera.events, tessera.prizes)
    ]
    for operation in operations:
        timelock.schedule(proposer, operation)
    let_pass(tessera.web3, timelock.least_delay(), 2)
    for operation in operations:
        timelock.execute(anybody, operation)


def test_the_example_of_the_page_is_complete(path, outside):
    parameters = read_parameters(path)
    assert parameters["bet_cap"] == 10_000_000 * WAD
    assert parameters["bet_per_block"] == WAD // 4
    assert parameters["proposers"] == [known_account(1).address]
    assert parameters["outside"]["assets"] == outside["assets"][:2]
    assert parameters["outside"]["prize_token"] == outside["assets"][0]["token"]


def test_it_is_deployed_over_what_was_there(handed_over, outside):
    record = handed_over.deployment
    assert list(record.contracts) == ["Timelock", "BetToken", "Panels", *OWNED]
    usdc, dai = outside["assets"][:2]
    assert handed_over.staking.asset_state(usdc["token"]).is_open
    assert handed_over.staking.read("vault_of", dai["token"]) == dai["vault"]
    assert handed_over.prizes.read("PRIZE_TOKEN") == usdc["token"]
    assert handed_over.prizes.read("TREASURY") == handed_over.timelock.address
    assert handed_over.bet_token.balance_of(handed_over.timelock.address) == handed_over.bet_token.total_supply()


def test_until_the_timelock_accepts_verify_says_so_and_then_nothing(handed_over, proposer, stranger, fresh):
    record, timelock = handed_over.deployment, handed_over.timelock.address
    assert differences(fresh.web3, record) == [
        fault
        for name in OWNED
        for fault in (
            f"{name}.owner() is {fresh.address}, not {timelock}",
            f"{name}.pending_owner() is {timelock}, not {ZERO_ADDRESS}",
        )
    ]
    accept(handed_over, proposer, stranger)
    assert differences(fresh.web3, record) == []


@pytest.mark.parametrize("accepted", [False, True])
def test_a_second_run_sends_nothing(fresh, path, tmp_path, proposer, accepted):
    kept = tmp_path / "record.json"
    record = deploy(fresh, "tickets", read_parameters(path), path=kept)
    if accepted:
        accept(Tessera(fresh.web3, record), proposer, proposer)
    sent = fresh.web3.eth.get_transaction_count(fresh.address)
    assert deploy(fresh, "tickets", read_parameters(path), path=kept) == record
    assert fresh.web3.eth.get_transaction_count(fresh.address) == sent


def test_a_rehearsal_names_every_step_with_its_gas(fresh, path):
    parameters = read_parameters(path)
    steps = rehearse("tickets", parameters, 1337)
    assert [one.step for one in steps] == PRODUCTS["tickets"](**parameters)
    done = []
    deploy(fresh, "tickets", parameters, report=done.append)
    for one, real in zip(steps, done, strict=True):
        if "createPair" not in str(one.step):  # where it is rehearsed, the pair is deployed by itself
            # Other addresses and numbers are other bytes of calldata; an asset after the first costs 15,000 less.
            assert real.gas * 0.99 <= one.gas <= real.gas * 1.01 + 20_000, str(one.step)
        assert one.gas > 20_000


def test_the_deployer_has_no_power_left(owned, fresh, outside):
    asset = outside["assets"][2]
    for refused in (
        lambda: owned.staking.add_asset(fresh, asset=asset["token"], vault=asset["vault"], feed=asset["feed"]),
        lambda: owned.events.set_manager(fresh, fresh.address, True),
        lambda: owned.prizes.set_keeper(fresh, fresh.address, True),
    ):
        with pytest.raises(Reverted, match="ownable: caller is not the owner"):
            refused()
    with pytest.raises(Reverted, match="access_control: account is missing role"):
        owned.timelock.schedule(fresh, Operation.of(owned.events, "set_manager", fresh.address, True))


@pytest.mark.parametrize("what", ["asset", "manager"])
def test_the_timelock_acts_after_its_delay_and_not_before(owned, proposer, stranger, fresh, outside, what):
    asset = outside["assets"][2]
    operation = {
        "asset": Operation.of(owned.staking, "add_asset", asset["token"], asset["vault"], asset["feed"]),
        "manager": Operation.of(owned.events, "set_manager", stranger.address, True),
    }[what]
    timelock = owned.timelock
    scheduled = timelock.schedule(proposer, operation).event(CallScheduled)
    assert (scheduled.id, scheduled.target, scheduled.delay) == (timelock.id_of(operation), operation.target, DELAY)
    announced = fresh.web3.eth.get_block(scheduled.block)["timestamp"]
    assert timelock.ready_at(operation) == announced + DELAY
    tester = fresh.web3.provider.ethereum_tester
    tester.time_travel(announced + DELAY - 1)
    with pytest.raises(Reverted, match="timelock_controller: operation is not ready"):
        timelock.execute(stranger, operation)
    tester.time_travel(announced + DELAY)
    assert timelock.execute(stranger, operation).event(CallExecuted).id == scheduled.id
    assert timelock.ready_at(operation) == 1
    if what == "asset":
        assert asset["token"] in owned.staking.assets()
        assert not owned.staking.asset_state(asset["token"]).is_open
        Erc20(stranger.web3, asset["token"]).approve(fresh, owned.staking.address, 10 * WAD)
        owned.staking.seed_asset(fresh, asset["token"], 10 * WAD)
        assert owned.staking.asset_state(asset["token"]).is_open
    else:
        panel = owned.panels.create_panel(stranger, [stranger.address], 1).event(PanelCreated).panel_id
        with pytest.raises(Reverted, match="events: panel not approved"):  # and no longer "not a manager"
            new_event(owned, stranger, panel)
        with pytest.raises(Reverted, match="events: not a manager"):
            new_event(owned, proposer, panel)
    with pytest.raises(Reverted, match="timelock_controller: operation is not ready"):
        timelock.execute(stranger, operation)


def new_event(tessera: Tessera, sender: Wallet, panel: int):
    web3 = tessera.web3
    return tessera.events.create_event(
        sender,
        "Who wins?",
        ["home", "away"],
        stop_block=web3.eth.block_number + 60_000,
        e0=200,
        weight=1,
        panel_id=panel,
        result_deadline=web3.eth.get_block("latest")["timestamp"] + 30 * DAY,
    )


def test_a_cancelled_operation_never_happens(owned, proposer, stranger):
    operation = Operation.of(owned.prizes, "set_keeper", stranger.address, True)
    owned.timelock.schedule(proposer, operation)
    with pytest.raises(Reverted, match="access_control: account is missing role"):
        owned.timelock.cancel(stranger, operation)
    owned.timelock.cancel(proposer, operation)
    let_pass(owned.web3, DELAY, 2)
    with pytest.raises(Reverted, match="timelock_controller: operation is not ready"):
        owned.timelock.execute(stranger, operation)
    assert not owned.prizes.read("is_keeper", stranger.address)


def test_the_treasury_spends_by_the_same_way(owned, proposer, stranger):
    grant = Operation.of(owned.bet_token, "transfer", stranger.address, WAD)
    owned.timelock.schedule(proposer, grant)
    let_pass(owned.web3, DELAY, 2)
    owned.timelock.execute(stranger, grant)
    assert owned.bet_token.balance_of(stranger.address) == WAD
    with pytest.raises(Reverted, match="timelock_controller: operation already scheduled"):
        owned.timelock.schedule(proposer, grant)
    again = grant._replace(salt=b"\1" * 32)
    owned.timelock.schedule(proposer, again)
    assert owned.timelock.ready_at(again) > 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("delay = 172_800", "", "delay is missing"),
        ("delay = 172_800", "delay = 172_800\ncap = 1", "cap is unknown: there are blocks_per_hour, min_blocks, delay"),
        ("delay = 172_800", "delay = 0", "delay is a whole number from 86,400 to 2,592,000, not 0"),
        ("delay = 172_800", "delay = true", "delay is a whole number from 86,400 to 2,592,000, not True"),
        ("delay = 172_800", "delay = ", "is no TOML"),
        ("bet_per_block = 0.25", "bet_per_block = -1", "bet_per_block is a number of BET above 0, not -1"),
        ("bet_per_block = 0.25", "bet_per_block = 'much'", "bet_per_block is a number of BET above 0, not 'much'"),
        ("bet_per_block = 0.25", "bet_per_block = nan", "bet_per_block is a number of BET above 0, not NaN"),
        ("bet_per_block = 0.25", "bet_per_block = inf", "bet_per_block is a number of BET above 0, not Infinity"),
        ("bet_per_block = 0.25", "bet_per_block = 1e999999999", "bet_per_block is a number of BET above 0, not 1E+99"),
        ("bet_per_block = 0.25", "bet_per_block = 1e-999999999", "bet_per_block is a number of BET above 0, not 1E-99"),
        (
            "bet_per_block = 0.25",
            "bet_per_block = 12_345_678_901.1234567890123456789",
            "bet_per_block is a number of BET above 0, not 12345678901.1234567890123456789",
        ),
        ("delay = 172_800", "cap = 1", "delay is missing; cap is unknown"),
        ("bet_per_block = 0.25", "bet_per_block = 25", "are more than bet_cap"),
        ("end_of_mining = 10_600_000", "end_of_mining = 999", "end_of_mining is before first_mined_block"),
        ('router = "0x', 'router = "0y', "router is no address: '0y"),
        ("proposers = [", "proposers = [] # [", "proposers is a list of 1 to 128 addresses"),
    ],
)
def test_a_bad_file_is_refused_with_its_fault(path, text, old, new, message):
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ChainError) as refused:
        read_parameters(path)
    assert str(path) in str(refused.value)
    assert message in str(refused.value)


def test_bad_assets_are_refused(path, text, outside):
    usdc, dai, lusd = outside["assets"]
    path.write_text(text.replace(dai["token"], usdc["token"]))
    with pytest.raises(ChainError, match="a token is in two assets"):
        read_parameters(path)
    path.write_text(text.replace(dai["token"], dai["token"].lower()))
    with pytest.raises(ChainError, match=f"asset 2: token is no address: '{dai['token'].lower()}'"):
        read_parameters(path)
    path.write_text(text.replace(f'prize_token = "{usdc["token"]}"', f'prize_token = "{lusd["token"]}"'))
    with pytest.raises(ChainError, match="prize_token is none of the assets"):
        read_parameters(path)
    path.write_text(text.replace("feed =", "oracle ="))
    with pytest.raises(
        ChainError, match="asset 1: feed is missing; asset 1: oracle is unknown: there are token, vault, feed"
    ):
        read_parameters(path)
    path.write_text(text[: text.index("[[assets]]")] + "assets = [1]\n")
    with pytest.raises(ChainError, match="asset 1 is a table of token, vault, feed"):
        read_parameters(path)
    proposer = known_account(1).address
    path.write_text(text.replace(f'"{proposer}"', f'"{proposer}", "{proposer.lower()}"'))
    with pytest.raises(ChainError, match=f"proposer 2 is no address: '{proposer.lower()}'"):
        read_parameters(path)
    with pytest.raises(ChainError, match="cannot read"):
        read_parameters(path / "nowhere")


def test_what_the_chain_is_not_is_told(fresh, path, text, outside):
    usdc, dai, lusd = outside["assets"]
    stranger = Wallet(fresh.web3, known_account(9))

    def faults(old: str, new: str) -> list[str]:
        path.write_text(text.replace(old, new))
        return faults_on_chain(fresh.web3, read_parameters(path))

    nobody = known_account(3).address
    router = f'router = "{outside["router"]}"'
    assert faults(router, f'router = "{nobody}"') == [f"router {nobody}: no contract there"]
    assert faults(router, f'router = "{usdc["token"]}"') == [f"router {usdc['token']}: its factory is None"]
    assert faults(dai["vault"], lusd["vault"]) == [f"vault {lusd['vault']}: of {lusd['token']}, not of {dai['token']}"]
    assert faults(dai["vault"], nobody) == [f"vault {nobody}: no ERC-4626 there"]
    assert faults(dai["feed"], nobody) == [f"feed {nobody}: no price feed there"]
    alone = create(stranger, compiled("TestToken"), "ALONE", "ONE", 2)
    vault = create(stranger, compiled("YieldVault"), alone)
    path.write_text(text.replace(dai["token"], alone).replace(dai["vault"], vault))
    assert faults_on_chain(fresh.web3, read_parameters(path)) == [
        f"asset {alone}: no pair with the prize token to swap its yield in",
        f"asset {alone}: 2 decimals, not 6 to 18",
    ]
    assert faults("first_mined_block = 1_000", "first_mined_block = 1")[0].startswith(
        "first_mined_block 1: the chain is"
    )
    send(stranger, "PriceFeed", dai["feed"], "set_price", 97 * 10**6)
    assert faults("", "") == [f"feed {dai['feed']}: 0.97000000 USD is not the price of a stablecoin"]
    old = fresh.web3.eth.get_block("latest")["timestamp"] - 26 * 3600
    send(stranger, "PriceFeed", dai["feed"], "set_round", 9, 10**8, old, old, 9)
    assert faults("", "") == [f"feed {dai['feed']}: the price is 26 hours old, 25 at most"]
