"""Records of deployments, and opening one on a chain."""

import json
import re

import pytest

from tessera.chain import ChainError, Deployment, Tessera
from tessera.chain.embedded import embedded_web3
from tessera.chain.errors import RecordError


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


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda record: record.pop("contracts") and record, None),
        (lambda record: record.pop("chain_id") and record, "chain_id: Field required"),
        (lambda record: record | {"chain_id": "1337"}, "chain_id: Input should be a valid integer"),
        (lambda record: record | {"contracts": []}, "contracts: Input should be an object"),
        (lambda record: record["contracts"]["Escrow"].update(address="0x12") or record, "contracts.Escrow.address: "),
        (lambda record: record["contracts"]["Escrow"].update(block=-1) or record, "contracts.Escrow.block: "),
        (lambda record: record["contracts"]["Escrow"].pop("deployer") and record, "contracts.Escrow.deployer: Field"),
        (lambda record: [record], "all of it: "),
        (lambda record: None, "all of it: "),
    ],
)
def test_a_damaged_record_is_told_by_file_and_key(tessera, tmp_path, change, fault):
    """They were KeyError, TypeError and AttributeError."""
    path = tmp_path / "record.json"
    tessera.deployment.save(path)
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    if fault is None:
        assert Deployment.load(path).contracts == {}
        return
    with pytest.raises(RecordError, match=f"{path} is no record of a deployment: .*{re.escape(fault)}"):
        Deployment.load(path)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe\x00", b"\x89PNG"])
def test_what_is_no_json_is_no_record(tmp_path, raw):
    path = tmp_path / "record.json"
    path.write_bytes(raw)
    with pytest.raises(ChainError, match=str(path)):
        Deployment.load(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_record_that_windows_saved_is_read(tessera, tmp_path, encoding):
    path = tmp_path / "record.json"
    tessera.deployment.save(path)
    path.write_text(path.read_text(), encoding=encoding)
    assert Deployment.load(path) == tessera.deployment


def test_lower_case_addresses_get_their_checksum(tessera, tmp_path):
    path = tmp_path / "record.json"
    tessera.deployment.save(path)
    path.write_text(path.read_text().replace(tessera.escrow.address, tessera.escrow.address.lower()))
    assert Deployment.load(path).address_of("Escrow") == tessera.escrow.address


def test_a_record_of_nothing_has_no_first_block():
    with pytest.raises(RecordError, match="has no contract that is deployed"):
        _ = Deployment("local", 1).first_block
