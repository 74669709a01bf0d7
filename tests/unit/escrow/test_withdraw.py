import boa
import pytest

from tessera.chain.escrow import Kind
from tests.custody import EUR, NOBODY, entry
from tests.logs import event, events


def test_pays_the_balance_out(coin, coin_escrow, payer):
    coin_escrow.withdraw(30 * EUR, payer, sender=payer)
    assert events(coin_escrow) == [
        entry(coin_escrow, payer, Kind.WITHDRAWAL, 30 * EUR, 70 * EUR),
        event(coin, "Transfer", sender=coin_escrow.address, receiver=payer, value=30 * EUR),
    ]
    assert coin_escrow.balance_of(payer) == coin.balanceOf(coin_escrow) == 70 * EUR
    assert coin.balanceOf(payer) == 930 * EUR


def test_pays_out_to_another(coin, coin_escrow, payer, stranger):
    coin_escrow.withdraw(30 * EUR, stranger, sender=payer)
    assert events(coin_escrow)[0] == entry(coin_escrow, payer, Kind.WITHDRAWAL, 30 * EUR, 70 * EUR)
    assert (coin.balanceOf(stranger), coin.balanceOf(payer)) == (30 * EUR, 900 * EUR)
    assert (coin_escrow.balance_of(stranger), coin_escrow.balance_of(payer)) == (0, 70 * EUR)


def test_pays_all_out_and_keeps_consent(coin_escrow, payer):
    coin_escrow.withdraw(100 * EUR, payer, sender=payer)
    assert (coin_escrow.balance_of(payer), coin_escrow.consent_of(payer)) == (0, 1)


def test_pays_out_what_a_product_paid(coin, coin_escrow, product, pot, payee):
    coin_escrow.pay(pot, payee, 10 * EUR, Kind.PAYOUT, sender=product.address)
    coin_escrow.withdraw(10 * EUR, payee, sender=payee)
    assert coin.balanceOf(payee) == 1_010 * EUR


def test_pays_a_token_that_returns_nothing(load, payee):
    token = load("SilentToken").deploy()
    escrow = load("Escrow").deploy(token, False)
    token.mint(payee, 9)
    token.approve(escrow, 9, sender=payee)
    escrow.deposit(9, payee, 0, sender=payee)
    escrow.withdraw(4, payee, sender=payee)
    assert (escrow.balance_of(payee), token.balanceOf(escrow), token.balanceOf(payee)) == (5, 5, 4)


def test_pays_a_member_when_own_only(play_euro, escrow, members):
    escrow.withdraw(50 * EUR, members[0], sender=members[0])
    assert (play_euro.balanceOf(members[0]), escrow.balance_of(members[0])) == (50 * EUR, 0)


def test_reverts_when_to_another_and_own_only(escrow, members):
    with boa.reverts("escrow: not your own"):
        escrow.withdraw(EUR, members[1], sender=members[0])


@pytest.mark.parametrize("too_much", [100 * EUR + 1, 2**128, 2**128 + 1, 2**255, 2**256 - 1])
def test_reverts_when_the_balance_is_too_low(coin_escrow, payer, bystander, too_much):
    """Consent bits above the balance do not count as money."""
    with boa.reverts("escrow: balance too low"):
        coin_escrow.withdraw(too_much, payer, sender=payer)


def test_reverts_when_there_is_no_balance(coin_escrow, payer, stranger):
    with boa.reverts("escrow: balance too low"):
        coin_escrow.withdraw(1, stranger, sender=stranger)


def test_reverts_when_in_a_pot(coin_escrow, payer, pot):
    with boa.reverts("escrow: balance too low"):
        coin_escrow.withdraw(90 * EUR + 1, payer, sender=payer)
    coin_escrow.withdraw(90 * EUR, payer, sender=payer)


def test_reverts_when_zero(coin_escrow, payer):
    with boa.reverts("escrow: zero amount"):
        coin_escrow.withdraw(0, payer, sender=payer)


def test_reverts_when_the_receiver_is_nobody(coin_escrow, payer):
    with boa.reverts("escrow: bad receiver"):
        coin_escrow.withdraw(1, NOBODY, sender=payer)


def test_reverts_when_the_receiver_is_escrow(coin_escrow, payer):
    with boa.reverts("escrow: bad receiver"):
        coin_escrow.withdraw(1, coin_escrow, sender=payer)


def test_reverts_when_the_token_says_false(hostile, hostile_escrow, members):
    hostile.set_refuses(True)
    with boa.reverts("escrow: transfer failed"):
        hostile_escrow.withdraw(1, members[0], sender=members[0])
    assert hostile_escrow.balance_of(members[0]) == 100 * EUR


def test_blocked_receiver_hurts_only_itself(hostile, hostile_escrow, product, members):
    """A product pays somebody whom the token blocks without a stop; the blocked can name another receiver."""
    payer, blocked, other = members[:3]
    hostile.set_blocked(blocked, True)
    hostile_escrow.collect(payer, bytes(32), 20 * EUR, Kind.BET_DEBIT, sender=product.address)
    accounts, amounts = [blocked, other], [15 * EUR, 5 * EUR]
    hostile_escrow.pay_many(bytes(32), accounts, amounts, Kind.PAYOUT, sender=product.address)
    hostile_escrow.withdraw(5 * EUR, other, sender=other)
    with boa.reverts("token: blocked"):
        hostile_escrow.withdraw(15 * EUR, blocked, sender=blocked)
    assert hostile_escrow.balance_of(blocked) == 15 * EUR
    hostile_escrow.withdraw(15 * EUR, other, sender=blocked)
    assert hostile.balanceOf(other) == 1_020 * EUR
