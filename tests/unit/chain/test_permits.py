"""Permits: signed off chain, deposited in one transaction."""

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from tessera.chain import EUR, Reverted, sign_permit
from tessera.chain.permits import NoPermits, permit_data


@pytest.fixture
def tokens(tessera, bettor) -> int:
    """Tokens in the bettor's wallet."""
    tessera.escrow.withdraw(bettor, 20 * EUR)
    return 20 * EUR


def permit(tessera, bettor, amount, **deadline):
    return sign_permit(tessera.web3, bettor.account, tessera.escrow.token(), tessera.escrow.address, amount, **deadline)


def test_permit_and_deposit_in_one_transaction(tessera, bettor, tokens):
    tessera.escrow.set_consent(bettor, 0)
    tessera.escrow.deposit_with_permit(bettor, permit(tessera, bettor, tokens), consent=1)
    assert tessera.escrow.balance_of(bettor.address) == 50 * EUR
    assert tessera.escrow.consent_of(bettor.address) == 1
    assert tessera.play_euro.balance_of(bettor.address) == 0


def test_a_second_permit_takes_the_next_nonce(tessera, bettor, tokens):
    for amount in (EUR, 2 * EUR):
        tessera.escrow.deposit_with_permit(bettor, permit(tessera, bettor, amount))
    assert tessera.escrow.balance_of(bettor.address) == 33 * EUR


def test_a_token_without_permits_says_so(tessera, bettor):
    with pytest.raises(NoPermits, match="knows no permits"):
        sign_permit(tessera.web3, bettor.account, tessera.markets.address, tessera.escrow.address, EUR)


def test_a_late_permit_is_refused(tessera, bettor, tokens):
    late = permit(tessera, bettor, tokens, deadline=1)
    with pytest.raises(Reverted, match="erc20: insufficient allowance"):
        tessera.escrow.deposit_with_permit(bettor, late)


def test_an_approval_does_without_a_permit(tessera, bettor, tokens):
    tessera.play_euro.approve(bettor, tessera.escrow.address, tokens)
    tessera.escrow.deposit(bettor, tokens)
    assert tessera.escrow.balance_of(bettor.address) == 50 * EUR


def test_the_message_is_for_any_wallet_to_sign(tessera, bettor, tokens):
    token = tessera.escrow.token()
    message = permit_data(tessera.web3, token, bettor.address, tessera.escrow.address, tokens)
    domain = {"name": "Play Euro", "version": "1", "chainId": 1337, "verifyingContract": token}
    assert message["domain"] == domain
    signable = encode_typed_data(full_message=message)
    signed = bettor.account.sign_message(signable)
    assert Account.recover_message(signable, signature=signed.signature) == bettor.address
    assert permit(tessera, bettor, tokens).s == signed.s.to_bytes(32, "big")
