"""Chains whose contracts see another block number than the node gives, as on Arbitrum."""

import pytest

from tessera.chain.blocks import ARBITRUM, check_block_numbers
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


@pytest.mark.parametrize("chain_id", ARBITRUM)
def test_arbitrum_is_refused_by_its_name(chain_id):
    """At the chain's start both numbers may be near each other."""
    with pytest.raises(OtherBlocksError, match=ARBITRUM[chain_id]):
        check_block_numbers(embedded_web3(chain_id))
