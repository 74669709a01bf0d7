"""What `verify` says, and a second deployment does, once the owner has changed the staking pool's assets."""

from types import SimpleNamespace

import click
import pytest

from scripts import verify
from tessera.chain import Deployment, Tessera, Wallet
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.erc20 import Erc20
from tessera.deployment.artifacts import compiled
from tessera.deployment.assets import standing_assets
from tessera.deployment.deploy import deploy, differences
from tests.undo import undone

PARAMETERS = {
    "blocks_per_hour": 2,
    "min_blocks": 336,
    "bet_cap": 10**24,
    "bet_per_block": 10**18,
    "mining": [100, 1_100],
    "delay": 86_400,
}
SEED = 10


@pytest.fixture(scope="module")
def deployer() -> Wallet:
    return Wallet(embedded_web3(), known_account(0))


@pytest.fixture(scope="module")
def path(deployer, tmp_path_factory):
    path = tmp_path_factory.mktemp("record") / "local.json"
    deploy(deployer, "tickets", PARAMETERS, path=path)
    return path


@pytest.fixture
def owner(deployer, path):
    """Who deployed it and owns it. Undoes what a test does to the chain."""
    with undone(deployer.web3):
        yield deployer


@pytest.fixture
def tessera(owner, path) -> Tessera:
    return Tessera(owner.web3, Deployment.load(path))


def create(owner: Wallet, name: str, *arguments) -> str:
    data = compiled(name).creation_data(list(arguments))
    return owner.send({"data": data}, name)["contractAddress"]


def mint_and_seed(owner: Wallet, tessera: Tessera, asset: str) -> None:
    token, amount = Erc20(owner.web3, asset), SEED * 10 ** Erc20(owner.web3, asset).decimals()
    mint = owner.web3.eth.contract(abi=compiled("TestToken").abi).encode_abi("mint", [owner.address, amount])
    owner.send({"to": asset, "data": mint}, "mint")
    token.approve(owner, tessera.staking.address, amount)
    tessera.staking.seed_asset(owner, asset, amount)


def add_later(owner: Wallet, tessera: Tessera, symbol: str = "LUSD") -> str:
    """A stablecoin that came after the deployment, listed and not seeded."""
    token = create(owner, "TestToken", symbol, symbol, 18)
    vault, feed = create(owner, "YieldVault", token), create(owner, "PriceFeed", 8, symbol, 10**8)
    tessera.staking.add_asset(owner, asset=token, vault=vault, feed=feed)
    return token


def states(tessera: Tessera) -> list[tuple[str, str, str]]:
    """Symbol, state and listing of each asset."""
    return [asset[:3] for asset in standing_assets(tessera.web3, tessera.deployment)]


def test_assets_of_a_deployment_stand_as_they_were_deployed(tessera):
    rows = standing_assets(tessera.web3, tessera.deployment)
    at = tessera.deployment.address_of
    assert rows == [
        (name, "open", "as deployed", at(f"TestToken:{name}"), at(f"YieldVault:{name}"), at(f"PriceFeed:{name}"))
        for name in ("USDC", "DAI")
    ]


def test_a_retired_asset_is_no_difference(owner, tessera):
    """Before: "StakingPool.is_seeded(TestToken:DAI) is False, not True", and for a second time its allowance."""
    tessera.staking.retire_asset(owner, tessera.deployment.address_of("TestToken:DAI"))
    assert differences(owner.web3, tessera.deployment) == []
    assert states(tessera) == [("USDC", "open", "as deployed"), ("DAI", "retired", "as deployed")]


def test_a_second_deployment_leaves_a_retired_asset_alone(owner, tessera, path):
    """Before: it minted, approved and failed to seed."""
    tessera.staking.retire_asset(owner, tessera.deployment.address_of("TestToken:DAI"))
    sent = owner.web3.eth.get_transaction_count(owner.address)
    deploy(owner, "tickets", PARAMETERS, path=path)
    assert owner.web3.eth.get_transaction_count(owner.address) == sent


def test_a_closed_asset_is_no_difference(owner, tessera):
    tessera.staking.set_open(owner, tessera.deployment.address_of("TestToken:USDC"), False)
    assert differences(owner.web3, tessera.deployment) == []
    assert states(tessera)[0] == ("USDC", "closed", "as deployed")


def test_an_asset_that_was_added_later_is_shown_whether_seeded_or_not(owner, tessera):
    token = add_later(owner, tessera)
    assert differences(owner.web3, tessera.deployment) == []
    assert states(tessera)[2:] == [("LUSD", "waits for a seed", "added later")]
    mint_and_seed(owner, tessera, token)
    assert differences(owner.web3, tessera.deployment) == []
    assert states(tessera)[2:] == [("LUSD", "open", "added later")]


def test_a_retired_asset_that_is_added_again_has_to_be_seeded_again(owner, tessera):
    """Before, for ever: "StakingPool.vault_of(TestToken:DAI) is" the new vault, "not" the old one."""
    dai, feed = (tessera.deployment.address_of(name) for name in ("TestToken:DAI", "PriceFeed:DAI"))
    vault = create(owner, "YieldVault", dai)
    tessera.staking.retire_asset(owner, dai)
    tessera.staking.add_asset(owner, asset=dai, vault=vault, feed=feed)
    assert differences(owner.web3, tessera.deployment)[-1] == (
        "StakingPool.is_seeded(TestToken:DAI) is False, not True"
    )
    mint_and_seed(owner, tessera, dai)
    assert differences(owner.web3, tessera.deployment) == []
    (row,) = [asset for asset in standing_assets(owner.web3, tessera.deployment) if asset.asset == dai]
    assert (row.state, row.listing, row.vault) == ("open", "other vault than deployed with", vault)


def test_an_asset_of_the_deployment_without_its_seed_is_a_difference(owner, path, tmp_path):
    class CutError(Exception):
        """The run dies here."""

    def die(done):
        if str(done.step).startswith("call StakingPool.add_asset(TestToken:DAI"):
            raise CutError

    half = tmp_path / "half.json"
    with pytest.raises(CutError):
        deploy(owner, "tickets", PARAMETERS, path=half, report=die)
    record = Deployment.load(half)
    assert [fault for fault in differences(owner.web3, record) if "is_seeded" in fault][-1] == (
        "StakingPool.is_seeded(TestToken:DAI) is False, not True"
    )


def test_verify_prints_how_the_assets_stand(owner, tessera, path, capsys):
    """With code 0: an asset that the owner retired or added is no difference."""
    tessera.staking.retire_asset(owner, tessera.deployment.address_of("TestToken:DAI"))
    token = add_later(owner, tessera, "L\x1bUSD")
    verify.cli.callback(SimpleNamespace(web3=owner.web3), None, path)
    shown = capsys.readouterr().out.splitlines()
    assert sum(line.endswith("as recorded") for line in shown) == len(tessera.deployment.contracts)
    table = [line.split() for line in shown[len(tessera.deployment.contracts) :]]
    assert table[0] == ["symbol", "state", "listing", "asset", "vault", "feed"]
    assert table[1][:4] == ["USDC", "open", "as", "deployed"]
    assert table[2][:4] == ["DAI", "retired", "as", "deployed"]
    assert table[3][:7] == ["L␛USD", "waits", "for", "a", "seed", "added", "later"]
    assert table[3][7] == token


def test_verify_prints_no_table_where_something_differs(owner, tessera, path, capsys):
    """With code 1."""
    with pytest.raises(click.ClickException, match=r"StakingPool\.owner\(\)") as refused:
        verify.cli.callback(SimpleNamespace(web3=owner.web3), known_account(5).address, path)
    assert refused.value.exit_code == 1
    assert capsys.readouterr().out == ""
