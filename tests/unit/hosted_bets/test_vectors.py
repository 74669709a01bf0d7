"""What clients in other languages are compared with is what the package computes, which the contracts take."""

import json

import pytest

from tessera.chain.hosted_bets import Bet, Listing, Signer
from tests.hosted_vectors import CHAIN_ID, CONTRACTS, HOST, LISTINGS, PATH, PLAYER, vectors

STORED = json.loads(PATH.read_text(encoding="utf-8"))


def test_the_file_holds_what_eth_abi_and_eth_account_compute():
    assert vectors() == STORED


@pytest.mark.parametrize("case", STORED["cases"], ids=lambda case: case["name"])
def test_the_package_computes_the_same_ids_and_signatures(case):
    listing = Listing(**LISTINGS[case["name"]])
    assert f"0x{listing.bet_id.hex()}" == case["bet_id"]
    signer = Signer(case["contract"], CHAIN_ID, CONTRACTS[case["contract"]])
    offer = signer.offer(HOST, listing.bet_id, listing.closes_at)
    assert f"0x{offer.signature.hex()}" == case["offer"]["signature"]
    told = case["bet"]
    numbers = {name: int(told[name]) for name in ("prediction", "amount", "min_confirmed", "nonce", "deadline")}
    bet = Bet(account=told["account"], **numbers)
    assert f"0x{signer.bet(PLAYER, listing.bet_id, bet, told['relayer']).hex()}" == case["signature"]
    assert signer.json_bet(listing.bet_id, bet, told["relayer"])["message"] == told
