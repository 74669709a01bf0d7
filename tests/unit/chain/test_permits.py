"""Permits: signed off chain, deposited in one transaction."""

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from tessera.chain import EUR, Reverted, sign_permit
from tessera.chain.permits import NoPermits, permit_data, permit_of


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


def test_a_permit_is_good_for_an_hour(tessera, bettor, tokens):
    """It was good for ever: whoever found it later could use it."""
    now = tessera.web3.eth.get_block("latest")["timestamp"]
    assert permit(tessera, bettor, EUR).deadline == now + 3600


@pytest.mark.parametrize("v", [27, 28])
def test_both_kinds_of_a_compact_signature_are_the_long_one(tessera, bettor, v):
    deadlines = range(2**40, 2**40 + 64)
    token, spender = tessera.escrow.token(), tessera.escrow.address
    messages = [permit_data(tessera.web3, token, bettor.address, spender, EUR, deadline) for deadline in deadlines]
    signed = [bettor.account.sign_message(encode_typed_data(full_message=message)) for message in messages]
    message, signature = next(pair for pair in zip(messages, signed, strict=True) if pair[1].v == v)
    packed = (signature.s | (v - 27) << 255).to_bytes(32, "big")
    assert permit_of(message, signature.r.to_bytes(32, "big") + packed) == permit_of(
        message, bytes(signature.signature)
    )


def test_a_compact_signature_is_taken(tessera, bettor, tokens):
    """EIP-2098: 64 bytes, as some wallets sign."""
    message = permit_data(tessera.web3, tessera.escrow.token(), bettor.address, tessera.escrow.address, EUR)
    signed = bettor.account.sign_message(encode_typed_data(full_message=message))
    packed = (signed.s | (signed.v - 27) << 255).to_bytes(32, "big")
    compact = permit_of(message, signed.r.to_bytes(32, "big") + packed)
    assert compact == permit_of(message, bytes(signed.signature))
    tessera.escrow.deposit_with_permit(bettor, compact)
    assert tessera.escrow.balance_of(bettor.address) == 31 * EUR


@pytest.mark.parametrize("length", [0, 63, 66, 130])
def test_a_signature_of_a_smart_wallet_is_no_permit(tessera, bettor, length):
    """Safe's and Coinbase's are longer than 65 bytes: people approve instead."""
    message = permit_data(tessera.web3, tessera.escrow.token(), bettor.address, tessera.escrow.address, EUR)
    with pytest.raises(NoPermits, match=f"a signature of {length} bytes is no permit: approve it"):
        permit_of(message, bytes(length))


def test_a_lower_case_token_and_spender_are_taken(tessera, bettor, tokens):
    """web3 refused them with a riddle about checksums."""
    token, spender = tessera.escrow.token().lower(), tessera.escrow.address.lower()
    assert sign_permit(tessera.web3, bettor.account, token, spender, EUR).spender == tessera.escrow.address
