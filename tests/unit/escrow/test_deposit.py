import boa
import pytest

from tessera.chain.escrow import Kind
from tests.custody import EUR, NOBODY, entry
from tests.logs import event, events

LIMIT = 2**128  # an account's balance is less


def test_moves_tokens_into_own_balance(coin, coin_escrow, payee):
    coin_escrow.deposit(30 * EUR, payee, 0, sender=payee)
    left = 2**256 - 1  # an unlimited allowance stays as it is
    assert events(coin_escrow) == [
        event(coin, "Transfer", sender=payee, receiver=coin_escrow.address, value=30 * EUR),
        entry(coin_escrow, payee, Kind.DEPOSIT, 30 * EUR, 30 * EUR),
    ]
    assert coin_escrow.balance_of(payee) == coin.balanceOf(coin_escrow) == 30 * EUR
    assert coin.balanceOf(payee) == 970 * EUR
    assert coin.allowance(payee, coin_escrow) == left


def test_moves_tokens_into_another_balance(coin, coin_escrow, payee, stranger):
    coin_escrow.deposit(30 * EUR, stranger, 0, sender=payee)
    assert events(coin_escrow)[-1] == entry(coin_escrow, stranger, Kind.DEPOSIT, 30 * EUR, 30 * EUR)
    assert coin_escrow.balance_of(stranger) == 30 * EUR
    assert coin_escrow.balance_of(payee) == 0
    assert coin.balanceOf(payee) == 970 * EUR


def test_adds_to_the_balance(coin_escrow, payee):
    coin_escrow.deposit(30 * EUR, payee, 0, sender=payee)
    coin_escrow.deposit(1, payee, 0, sender=payee)
    assert events(coin_escrow)[-1] == entry(coin_escrow, payee, Kind.DEPOSIT, 1, 30 * EUR + 1)


def test_logs_the_time_of_the_block(coin_escrow, payee):
    boa.env.timestamp += 12
    coin_escrow.deposit(1, payee, 0, sender=payee)
    assert events(coin_escrow)[-1][2]["timestamp"] == boa.env.timestamp


def test_adds_consent(coin, coin_escrow, payee):
    coin_escrow.deposit(1, payee, 0b01, sender=payee)
    coin_escrow.deposit(1, payee, 0b10, sender=payee)
    assert events(coin_escrow) == [
        event(coin_escrow, "ConsentChanged", account=payee, products=0b11),
        event(coin, "Transfer", sender=payee, receiver=coin_escrow.address, value=1),
        entry(coin_escrow, payee, Kind.DEPOSIT, 1, 2),
    ]
    assert (coin_escrow.consent_of(payee), coin_escrow.balance_of(payee)) == (0b11, 2)


def test_adds_consent_that_was_given_before_once(coin_escrow, payee):
    for consent in (0b01, 0b01, 0b11):
        coin_escrow.deposit(1, payee, consent, sender=payee)
        assert coin_escrow.consent_of(payee) == consent


def test_keeps_consent_when_none_is_named(coin_escrow, payer):
    coin_escrow.deposit(1, payer, 0, sender=payer)
    assert coin_escrow.consent_of(payer) == 1


def test_gives_no_consent_of_the_payer_when_the_receiver_is_another(coin_escrow, payer, stranger):
    coin_escrow.deposit(1, stranger, 0, sender=payer)
    assert coin_escrow.consent_of(stranger) == 0


def test_lets_the_token_itself_give_consent_of_the_receiver(coin, coin_escrow, owner, stranger):
    """The token could move everybody's tokens anyway. This is how `PlayEuro.join` works."""
    coin.mint(coin, 5, sender=owner)
    coin.approve(coin_escrow, 5, sender=coin.address)
    coin_escrow.deposit(5, stranger, 1, sender=coin.address)
    assert (coin_escrow.balance_of(stranger), coin_escrow.consent_of(stranger)) == (5, 1)


def test_takes_a_token_that_returns_nothing(load, payee):
    token = load("SilentToken").deploy()
    escrow = load("Escrow").deploy(token, False)
    token.mint(payee, 9)
    token.approve(escrow, 9, sender=payee)
    escrow.deposit(9, payee, 0, sender=payee)
    assert escrow.balance_of(payee) == token.balanceOf(escrow) == 9


def test_takes_one_less_than_the_limit(hostile, hostile_escrow, members):
    receiver = members[1]
    hostile.mint(receiver, LIMIT)
    hostile_escrow.deposit(LIMIT - 1, receiver, 1, sender=receiver)
    assert (hostile_escrow.balance_of(receiver), hostile_escrow.consent_of(receiver)) == (LIMIT - 1, 1)
    with boa.reverts("escrow: balance overflow"):
        hostile_escrow.deposit(1, receiver, 0, sender=receiver)


def test_reverts_when_the_balance_would_overflow_into_consent(hostile, hostile_escrow, members):
    hostile.mint(members[1], 2**255)
    for amount in (LIMIT, LIMIT + 1, 2**255):
        with boa.reverts("escrow: balance overflow"):
            hostile_escrow.deposit(amount, members[1], 0, sender=members[1])


def test_reverts_when_zero(coin_escrow, payee):
    with boa.reverts("escrow: zero amount"):
        coin_escrow.deposit(0, payee, 0, sender=payee)


def test_reverts_when_the_receiver_is_nobody(coin_escrow, payee):
    with boa.reverts("escrow: zero account"):
        coin_escrow.deposit(1, NOBODY, 0, sender=payee)


def test_reverts_when_not_approved(coin, coin_escrow, payee):
    coin.approve(coin_escrow, 5, sender=payee)
    with boa.reverts("erc20: insufficient allowance"):
        coin_escrow.deposit(6, payee, 0, sender=payee)


def test_reverts_when_the_payer_has_less(coin_escrow, payee):
    with boa.reverts("erc20: transfer amount exceeds balance"):
        coin_escrow.deposit(1_000 * EUR + 1, payee, 0, sender=payee)


def test_reverts_when_consent_is_for_another(coin_escrow, payee, stranger):
    with boa.reverts("escrow: consent not yours"):
        coin_escrow.deposit(1, stranger, 1, sender=payee)


@pytest.mark.parametrize("consent", [0b100, 0b101, 1 << 127, 1 << 128, 1 << 255, 2**256 - 1])
def test_reverts_when_consent_names_an_unknown_product(coin_escrow, payee, consent):
    with boa.reverts("escrow: unknown product"):
        coin_escrow.deposit(1, payee, consent, sender=payee)


def test_reverts_when_not_own_and_own_only(escrow, markets, play_euro, members):
    giver, receiver = members[:2]
    escrow.withdraw(EUR, giver, sender=giver)
    play_euro.approve(escrow, EUR, sender=giver)
    with boa.reverts("escrow: not your own"):
        escrow.deposit(EUR, receiver, 0, sender=giver)
    escrow.deposit(EUR, giver, 0, sender=giver)
    assert escrow.balance_of(giver) == escrow.balance_of(receiver) == 50 * EUR


def test_reverts_when_the_token_takes_a_fee(hostile, hostile_escrow, members):
    hostile.set_fee(1)
    with boa.reverts("escrow: token takes a fee"):
        hostile_escrow.deposit(100, members[1], 0, sender=members[1])


def test_reverts_when_the_token_brings_more(hostile, hostile_escrow, members):
    """More than was told is no donation that anybody asked for: such a token breaks the assumptions too."""
    hostile.set_hook(hostile, hostile.mint.prepare_calldata(hostile_escrow, 1))
    with boa.reverts("escrow: token takes a fee"):
        hostile_escrow.deposit(100, members[1], 0, sender=members[1])


def test_reverts_when_the_token_says_false(hostile, hostile_escrow, members):
    hostile.set_refuses(True)
    with boa.reverts("escrow: transfer failed"):
        hostile_escrow.deposit(100, members[1], 0, sender=members[1])
