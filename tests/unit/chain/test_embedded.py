"""The chain inside the process."""

import pytest
from eth_tester.backends.pyevm import main as pyevm
from web3.exceptions import TransactionNotFound

from tessera.chain.embedded import _walk, embedded_web3, known_account


def test_transactions_are_found_as_eth_tester_finds_them(tessera, market):
    chain = tessera.web3.provider.ethereum_tester.backend.chain
    assert pyevm._get_transaction_by_hash is not _walk
    transactions = 0
    for number in range(1, tessera.web3.eth.block_number + 1):
        for sent in tessera.web3.eth.get_block(number)["transactions"]:
            assert pyevm._get_transaction_by_hash(chain, bytes(sent)) == _walk(chain, bytes(sent))
            transactions += 1
    assert (
        transactions == tessera.web3.eth.get_transaction_count(known_account(0).address) + 4
    )  # three joined, one created


def test_a_transaction_that_waits_is_found(tessera, bettor, market):
    tester = tessera.web3.provider.ethereum_tester
    tester.disable_auto_mine_transactions()
    sent = tessera.web3.eth.send_raw_transaction(bettor.signed({"to": bettor.address}, "a transfer").raw_transaction)
    waiting = tessera.web3.eth.get_transaction(sent)
    tester.enable_auto_mine_transactions()
    assert waiting["hash"] == sent
    with pytest.raises(TransactionNotFound):
        tessera.web3.eth.get_transaction("0x" + "11" * 32)


def test_a_chain_has_the_id_and_the_rich_accounts_it_is_asked_for():
    web3 = embedded_web3(chain_id=5)
    assert web3.eth.chain_id == 5
    assert embedded_web3().eth.chain_id == 1337
    assert known_account(0).address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    assert all(web3.eth.get_balance(known_account(index).address) > 0 for index in (0, 19))
