import boa
import pytest

from tessera.chain.escrow import Kind
from tests.custody import EUR, NOBODY, entry
from tests.logs import event, events

WELCOME = 50 * EUR


def test_mints_into_the_balance_with_consent(play_euro, escrow, newcomer):
    supply = play_euro.totalSupply()
    play_euro.join(1, sender=newcomer)
    token, custody = play_euro.address, escrow.address
    assert events(play_euro) == [
        event(play_euro, "Joined", account=newcomer, amount=WELCOME),
        event(play_euro, "Transfer", sender=NOBODY, receiver=token, value=WELCOME),
        event(play_euro, "Approval", owner=token, spender=custody, value=WELCOME),
        event(escrow, "ConsentChanged", account=newcomer, products=1),
        event(play_euro, "Approval", owner=token, spender=custody, value=0),
        event(play_euro, "Transfer", sender=token, receiver=custody, value=WELCOME),
        entry(escrow, newcomer, Kind.DEPOSIT, WELCOME, WELCOME),
    ]
    assert play_euro.joined(newcomer)
    assert (escrow.balance_of(newcomer), escrow.consent_of(newcomer)) == (WELCOME, 1)
    assert play_euro.totalSupply() == supply + WELCOME == play_euro.balanceOf(escrow)
    assert [play_euro.balanceOf(who) for who in (newcomer, play_euro)] == [0, 0]


def test_joins_without_consent(play_euro, escrow, newcomer):
    play_euro.join(0, sender=newcomer)
    assert (escrow.balance_of(newcomer), escrow.consent_of(newcomer)) == (WELCOME, 0)


def test_lets_a_newcomer_s_second_transaction_be_the_first_bet(play_euro, escrow, markets, newcomer):
    play_euro.join(1, sender=newcomer)
    pot = (1).to_bytes(32)
    escrow.collect(newcomer, pot, EUR, Kind.BET_DEBIT, sender=markets.address)
    assert (escrow.balance_of(newcomer), escrow.pot_balance(markets, pot)) == (49 * EUR, EUR)


def test_reverts_when_not_invited(play_euro, stranger, owner):
    for caller in (stranger, owner):
        with boa.reverts("playeuro: not invited"):
            play_euro.join(1, sender=caller)


def test_reverts_when_joined_before(play_euro, escrow, newcomer):
    play_euro.join(1, sender=newcomer)
    escrow.withdraw(WELCOME, newcomer, sender=newcomer)
    with boa.reverts("playeuro: already joined"):
        play_euro.join(1, sender=newcomer)


@pytest.mark.parametrize("products", [0b10, 0b11, 1 << 128, 2**256 - 1])
def test_reverts_when_consent_names_an_unknown_product(play_euro, newcomer, products):
    with boa.reverts("escrow: unknown product"):
        play_euro.join(products, sender=newcomer)
    assert not play_euro.joined(newcomer)


def test_reverts_when_there_is_no_escrow_yet(fresh, owner, newcomer):
    fresh.invite([newcomer], sender=owner)
    with boa.reverts("erc20: approve to the zero address"):
        fresh.join(0, sender=newcomer)
    assert not fresh.joined(newcomer)
