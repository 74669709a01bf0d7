"""Chains whose contracts see another block number than the node gives, as on Arbitrum."""

import pytest

from tessera.chain.blocks import ARBITRUM, check_block_numbers, contract_block
from tessera.chain.embedded import embedded_web3
from tessera.chain.errors import OtherBlocksError
from tests.habits import within


def test_a_chain_that_counts_its_own_blocks_is_taken():
    check_block_numbers(embedded_web3())


@pytest.mark.parametrize("ahead", [2, 300_000_000])
def test_is_refused_by_what_a_contract_answers(ahead):
    web3 = embedded_web3()
    with within(web3, ahead=ahead), pytest.raises(OtherBlocksError, match="chain 1337 see another block number"):
        check_block_numbers(web3)
    check_block_numbers(web3)


def test_a_contract_sees_the_block_that_the_embedded_chain_makes_next():
    web3 = embedded_web3()
    web3.provider.ethereum_tester.mine_blocks(3)
    assert contract_block(web3) == web3.eth.block_number + 1 == 4


@pytest.mark.parametrize("ahead", [0, 1])
def test_a_node_that_runs_calls_in_its_newest_block_or_in_the_next_is_taken(monkeypatch, ahead):
    web3 = embedded_web3()
    web3.provider.ethereum_tester.mine_blocks(3)
    monkeypatch.setattr("tessera.chain.blocks._number_in", lambda web3, block: block + ahead)
    check_block_numbers(web3)
    monkeypatch.setattr("tessera.chain.blocks._number_in", lambda web3, block: block - 1)
    with pytest.raises(OtherBlocksError):
        check_block_numbers(web3)


@pytest.mark.parametrize("chain_id", ARBITRUM)
def test_arbitrum_is_refused_by_its_name(chain_id):
    """At the chain's start both numbers may be near each other."""
    with pytest.raises(OtherBlocksError, match=ARBITRUM[chain_id]):
        check_block_numbers(embedded_web3(chain_id))
