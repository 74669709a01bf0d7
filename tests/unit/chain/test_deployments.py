"""Records of deployments, and opening one on a chain."""

import pytest

from tessera.chain import ChainError, Deployment, Tessera
from tessera.chain.embedded import embedded_web3


def test_a_record_survives_saving(tessera, tmp_path):
    path = tmp_path / "new folder" / "club.json"
    tessera.deployment.save(path)
    assert Deployment.load(path) == tessera.deployment
    assert [file.name for file in path.parent.iterdir()] == ["club.json"]


def test_no_record(tmp_path):
    with pytest.raises(ChainError, match="no deployment record"):
        Deployment.load(tmp_path / "club.json")


def test_a_record_of_another_chain(tessera):
    with pytest.raises(ChainError, match="the node is on chain 5, the record on 1337"):
        Tessera(embedded_web3(chain_id=5), tessera.deployment)


def test_a_record_of_a_local_chain_that_was_started_anew(tessera):
    """A call to an address without code succeeds and does nothing: better to say so."""
    with pytest.raises(ChainError, match=f"no Escrow at {tessera.escrow.address}: is the record of this chain"):
        _ = Tessera(embedded_web3(), tessera.deployment).escrow


def test_a_contract_that_is_not_there(tessera):
    with pytest.raises(ChainError, match="StakingPool is not deployed on local"):
        tessera.deployment.address_of("StakingPool")


def test_the_first_block_is_that_of_the_first_contract(tessera):
    assert tessera.deployment.first_block == tessera.deployment.contracts["PlayEuro"].block
