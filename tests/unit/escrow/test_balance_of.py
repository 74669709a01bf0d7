"""`balance_of`, `consent_of`, `pot_balance`, `products`: what they say, and that they say nothing in between."""

import boa
import pytest

from tessera.chain.escrow import Kind
from tests.custody import EUR, NOBODY, POT


def test_tell_balance_consent_and_pots_apart(coin_escrow, product, other_product, payer, bystander, pot):
    assert [coin_escrow.balance_of(who) for who in (payer, bystander)] == [90 * EUR, 80 * EUR]
    assert [coin_escrow.consent_of(who) for who in (payer, bystander)] == [0b01, 0b10]
    assert [coin_escrow.pot_balance(p, pot) for p in (product, other_product)] == [10 * EUR, 20 * EUR]
    assert [coin_escrow.products(i) for i in range(2)] == [product.address, other_product.address]


def test_are_zero_for_who_never_came(coin_escrow, stranger):
    for who in (stranger, NOBODY):
        assert (coin_escrow.balance_of(who), coin_escrow.consent_of(who)) == (0, 0)
        assert coin_escrow.pot_balance(who, POT) == 0


def test_do_not_count_tokens_sent_unasked(coin, coin_escrow, holdings, pot, signer):
    """Invariant 1: a donation makes Escrow hold more than it owes, and nobody can take it."""
    before = holdings()
    coin.transfer(coin_escrow, 3 * EUR, sender=signer.address)
    changed = {
        ("token", coin_escrow.address): before["token", coin_escrow.address] + 3 * EUR,
        ("token", signer.address): before["token", signer.address] - 3 * EUR,
    }
    assert holdings() == before | changed
    with boa.reverts("escrow: balance too low"):
        coin_escrow.withdraw(1, signer.address, sender=signer.address)


@pytest.mark.parametrize("read", ["balance_of", "consent_of", "pot_balance", "products"])
@pytest.mark.parametrize("moment", ["deposit", "withdraw"])
def test_revert_while_tokens_move(hostile, hostile_escrow, product, members, read, moment):
    """Who is called by the token in the middle cannot be shown a number that is about to change."""
    arguments = {"balance_of": [members[0]], "consent_of": [members[0]], "pot_balance": [product, POT], "products": [0]}
    hostile.set_hook(hostile_escrow, getattr(hostile_escrow, read).prepare_calldata(*arguments[read]))
    getattr(hostile_escrow, moment)(EUR, members[0], *([0] if moment == "deposit" else []), sender=members[0])
    (hook,) = [log for log in hostile_escrow.get_logs() if type(log).__name__ == "HookCalled"]
    assert not hook.succeeded


def test_hook_of_the_test_token_does_call(hostile, hostile_escrow, members):
    """Without this the tests of re-entry would prove nothing."""
    hostile.set_hook(hostile, hostile.balanceOf.prepare_calldata(members[0]))
    hostile_escrow.withdraw(EUR, members[0], sender=members[0])
    (hook,) = [log for log in hostile_escrow.get_logs() if type(log).__name__ == "HookCalled"]
    assert (hook.succeeded, int.from_bytes(hook.answer)) == (True, 900 * EUR)


def test_balance_survives_every_kind_of_change_of_consent(coin_escrow, product, payer):
    coin_escrow.set_consent(0b11, sender=payer)
    coin_escrow.collect(payer, POT, 1, Kind.BET_DEBIT, sender=product.address)
    coin_escrow.set_consent(0, sender=payer)
    coin_escrow.deposit(1, payer, 0b10, sender=payer)
    assert (coin_escrow.balance_of(payer), coin_escrow.consent_of(payer)) == (100 * EUR, 0b10)
