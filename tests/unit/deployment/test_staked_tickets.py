"""The product of staked tickets: contracts that know each other before they exist, and two of one code."""

import pytest

from tessera.chain import Deployment, Wallet
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.errors import OtherBlocksError
from tessera.deployment.deploy import PRODUCTS, Create, deploy, differences
from tests.habits import within

PARAMETERS = {
    "blocks_per_hour": 2,
    "min_blocks": 336,
    "bet_cap": 10**24,
    "bet_per_block": 10**18,
    "mining": (100, 1_100),
    "delay": 86_400,
}


@pytest.fixture
def fresh() -> Wallet:
    return Wallet(embedded_web3(), known_account(0))


def test_all_of_it_is_wired(fresh):
    record = deploy(fresh, "tickets", PARAMETERS)
    assert list(record.contracts) == [
        step.name for step in PRODUCTS["tickets"](**PARAMETERS) if isinstance(step, Create)
    ]
    assert differences(fresh.web3, record) == []
    pool, events, prizes = (record.address_of(name) for name in ("StakingPool", "PredictionEvents", "PrizePool"))
    assert record.contracts["StakingPool"].arguments[:2] == [events, prizes]
    assert record.contracts["PredictionEvents"].arguments[:2] == [pool, prizes]
    assert record.address_of("TestToken:USDC") != record.address_of("TestToken:DAI")


def test_a_second_run_sends_nothing(fresh, tmp_path):
    path = tmp_path / "local.json"
    record = deploy(fresh, "tickets", PARAMETERS | {"mining": [100, 1_100]}, path=path)
    sent = fresh.web3.eth.get_transaction_count(fresh.address)
    assert deploy(fresh, "tickets", PARAMETERS | {"mining": [100, 1_100]}, path=path) == record == Deployment.load(path)
    assert fresh.web3.eth.get_transaction_count(fresh.address) == sent


def test_a_transaction_in_between_is_seen(fresh, tmp_path):
    path = tmp_path / "local.json"

    class CutError(Exception):
        """The run dies here."""

    def die(message):
        if isinstance(message.step, Create) and message.step.name == "StakingPool":
            raise CutError

    with pytest.raises(CutError):
        deploy(fresh, "tickets", PARAMETERS | {"mining": [100, 1_100]}, path=path, report=die)
    fresh.send({"to": known_account(1).address, "value": 1}, "a gift")
    record = deploy(fresh, "tickets", PARAMETERS | {"mining": [100, 1_100]}, path=path)
    assert any("StakingPool.EVENTS()" in fault for fault in differences(fresh.web3, record))


def test_a_chain_whose_contracts_count_other_blocks_is_refused_before_anything_is_sent(fresh, tmp_path):
    path = tmp_path / "local.json"
    with within(fresh.web3, ahead=300_000_000), pytest.raises(OtherBlocksError):
        deploy(fresh, "tickets", PARAMETERS, path=path)
    assert fresh.web3.eth.get_transaction_count(fresh.address) == 0
    assert not path.exists()


def test_friends_markets_are_deployed_where_contracts_count_other_blocks(fresh):
    """They go by time alone."""
    with within(fresh.web3, ahead=300_000_000):
        record = deploy(fresh, "friends", {"shortest_window": 60})
        assert differences(fresh.web3, record) == []
