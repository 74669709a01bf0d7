"""Every external function of a product stands in its interface, so that `implements` proves something."""

import json
import re

import pytest

from tests.prize_system import ROOT

# Of modules that every product has, and of standards with interfaces of their own.
ELSEWHERE = {
    *("owner", "pending_owner", "transfer_ownership", "accept_ownership", "eip712Domain"),
    *("name", "symbol", "decimals", "totalSupply", "balanceOf", "allowance", "approve", "transfer", "transferFrom"),
    *("permit", "nonces", "DOMAIN_SEPARATOR"),
}


@pytest.mark.parametrize("product", ["Escrow", "Panels", "PlayEuro", "PredictionEvents", "PrizePool", "StakingPool"])
def test_every_external_function_stands_in_the_interface(product):
    abi = json.loads((ROOT / "frontend-abi" / "json" / f"{product}.json").read_text())
    functions = {entry["name"] for entry in abi if entry["type"] == "function"}
    source = (ROOT / "contracts" / "interfaces" / f"I{product}.vyi").read_text()
    assert f"implements: I{product}\n" in (ROOT / "contracts" / f"{product}.vy").read_text()
    assert functions - ELSEWHERE == set(re.findall(r"^def (\w+)", source, re.M))
