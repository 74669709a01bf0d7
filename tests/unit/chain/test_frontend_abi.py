"""The catalogue of reasons and the files of frontend-abi."""

import json

import pytest
from click import ClickException

from scripts import export_abi
from tessera.chain.contract import Contract, abi_of
from tessera.chain.deployments import Deployed, Deployment
from tessera.chain.reasons import explanations
from tessera.deployment.artifacts import ROOT, compiled


@pytest.mark.parametrize("name", [contract.NAME for contract in Contract.KNOWN])
def test_the_committed_abi_is_the_compiled_one(name):
    assert (
        abi_of(name) == compiled(name).abi == json.loads((ROOT / "frontend-abi" / "json" / f"{name}.json").read_text())
    )


def test_reasons_of_a_contract_are_those_that_can_surface():
    reasons = export_abi.reasons_of(compiled("PlayEuro"))
    assert "playeuro: not invited" in reasons  # its own
    assert "ownable: caller is not the owner" in reasons  # of a module
    assert "erc20: transfer amount exceeds balance" in reasons  # longer than one word
    assert "erc20: mint is disabled" not in reasons
    assert "erc20: access is denied" not in reasons  # of an imported function that is not exported
    assert reasons == sorted(set(reasons))


def test_reasons_that_are_passed_as_values_are_found():
    assert "panels: too late" in export_abi.reasons_of(compiled("Panels"))


def test_every_explained_reason_exists():
    known = json.loads((ROOT / "frontend-abi" / "errors.json").read_text())
    assert set(explanations()) <= set(known)
    for reason, advice in explanations().items():
        assert known[reason]["advice"] == advice


def test_every_reason_of_staked_tickets_is_explained():
    """Those of this repository; what libraries say about zero addresses and broken signatures speaks for itself."""
    contracts = {"BetToken", "Panels", "PredictionEvents", "PrizePool", "StakingPool"}
    libraries = {"ecdsa", "erc20", "ownable", "ownable_2step"}
    known = json.loads((ROOT / "frontend-abi" / "errors.json").read_text())
    own = [
        reason
        for reason, told in known.items()
        if contracts & set(told["contracts"]) and reason.partition(":")[0] not in libraries
    ]
    assert {reason.partition(":")[0] for reason in own} == {
        *("bet", "events", "history", "mining", "panels", "pool", "prizes", "twap")
    }
    assert [reason for reason in own if not explanations().get(reason)] == []


def test_addresses_are_of_public_chains_alone(monkeypatch, tmp_path):
    def record(name: str, chain_id: int):
        contracts = {"Escrow": Deployed(f"0x{chain_id:040}", 1, [], "0x", "0x", "vyper", "0x", None)}
        Deployment(name, chain_id, contracts=contracts).save(tmp_path / "deployments" / f"{name}.json")

    monkeypatch.setattr(export_abi, "ROOT", tmp_path)
    assert export_abi.addresses() == {}
    record("devnet", 31337)
    record("local", 1337)
    record("sepolia", 11155111)
    record("sepolia-fork", 11155111)
    assert export_abi.addresses() == {11155111: {"Escrow": f"0x{11155111:040}"}}
    record("sepolia-2", 11155111)
    with pytest.raises(ClickException, match=r"sepolia.*json is a second record of chain 11155111"):
        export_abi.addresses()


def test_typescript_names():
    assert [export_abi.variable(name) for name in ("PlayEuro", "LmsrMarkets")] == ["playEuro", "lmsrMarkets"]


def test_check_fails_on_a_difference(monkeypatch, tmp_path):
    from click.testing import CliRunner

    wanted = {"json/A.json": "[]\n", "ts/a.ts": "export const aAbi = [] as const;\n"}
    monkeypatch.setattr(export_abi, "OUT", tmp_path)
    monkeypatch.setattr(export_abi, "files", lambda: wanted)
    checked = CliRunner().invoke(export_abi.cli, ["--check"])
    assert checked.exit_code == 1
    assert "behind the contracts: json/A.json, ts/a.ts" in checked.output
    assert not list(tmp_path.iterdir())

    assert CliRunner().invoke(export_abi.cli).exit_code == 0
    assert CliRunner().invoke(export_abi.cli, ["--check"]).exit_code == 0
    (tmp_path / "ts" / "gone.ts").write_text("")
    assert "ts/gone.ts" in CliRunner().invoke(export_abi.cli, ["--check"]).output
    assert CliRunner().invoke(export_abi.cli).exit_code == 0
    assert not (tmp_path / "ts" / "gone.ts").exists()
