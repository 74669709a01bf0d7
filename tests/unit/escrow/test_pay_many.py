import boa
import pytest

from tessera.accounting.ledger import COLLECTED, PAID
from tessera.chain.escrow import Kind
from tests.custody import EUR, NOBODY, POT, entry
from tests.logs import events
from tests.refusals import refused_without_a_text

LIMIT = 2**128
WRONG_KINDS = [0, Kind.DEPOSIT, Kind.WITHDRAWAL, *COLLECTED, Kind.PAYOUT | Kind.RESIDUE, Kind.PAYOUT | Kind.FUNDING]


@pytest.mark.parametrize("kind", PAID)
def test_pays_each(coin_escrow, product, pot, payer, payee, stranger, kind):
    accounts, amounts = [payer, payee, stranger], [3 * EUR, 2 * EUR, 1]
    coin_escrow.pay_many(pot, accounts, amounts, kind, sender=product.address)
    assert events(coin_escrow) == [
        entry(coin_escrow, payer, kind, 3 * EUR, 93 * EUR, product, pot),
        entry(coin_escrow, payee, kind, 2 * EUR, 2 * EUR, product, pot),
        entry(coin_escrow, stranger, kind, 1, 1, product, pot),
    ]
    assert [coin_escrow.balance_of(who) for who in accounts] == [93 * EUR, 2 * EUR, 1]
    assert coin_escrow.pot_balance(product, pot) == 5 * EUR - 1


def test_pays_one_who_is_named_twice_twice(coin_escrow, product, pot, payer, payee):
    coin_escrow.pay_many(pot, [payee, payer, payee], [EUR, 3 * EUR, 2 * EUR], Kind.PAYOUT, sender=product.address)
    assert events(coin_escrow) == [
        entry(coin_escrow, payee, Kind.PAYOUT, EUR, EUR, product, pot),
        entry(coin_escrow, payer, Kind.PAYOUT, 3 * EUR, 93 * EUR, product, pot),
        entry(coin_escrow, payee, Kind.PAYOUT, 2 * EUR, 3 * EUR, product, pot),
    ]
    assert (coin_escrow.balance_of(payee), coin_escrow.pot_balance(product, pot)) == (3 * EUR, 4 * EUR)


def test_pays_256_and_all_that_there_is(coin_escrow, product, pot):
    accounts = ["0x" + n.to_bytes(20).hex() for n in range(1, 257)]
    amounts = [1] * 255 + [10 * EUR - 255]
    coin_escrow.pay_many(pot, accounts, amounts, Kind.PAYOUT, sender=product.address)
    assert len(events(coin_escrow)) == 256
    assert [coin_escrow.balance_of(who) for who in accounts] == amounts
    assert coin_escrow.pot_balance(product, pot) == 0


def test_reverts_when_more_than_256(coin_escrow, product, pot, payee):
    with refused_without_a_text():
        coin_escrow.pay_many(pot, [payee] * 257, [1] * 257, Kind.PAYOUT, sender=product.address)


@pytest.mark.parametrize("amounts", [[EUR], [EUR, EUR, EUR], []])
def test_reverts_when_lengths_differ(coin_escrow, product, pot, payer, payee, amounts):
    with boa.reverts("escrow: lengths differ"):
        coin_escrow.pay_many(pot, [payer, payee], amounts, Kind.PAYOUT, sender=product.address)


@pytest.mark.parametrize("amounts", [[EUR, 0], [0, EUR], [0, 0]])
def test_reverts_when_one_is_zero(coin_escrow, product, pot, payer, payee, amounts):
    with boa.reverts("escrow: zero amount"):
        coin_escrow.pay_many(pot, [payer, payee], amounts, Kind.PAYOUT, sender=product.address)


def test_reverts_when_nobody_is_named(coin_escrow, product, pot):
    with boa.reverts("escrow: zero amount"):
        coin_escrow.pay_many(pot, [], [], Kind.PAYOUT, sender=product.address)


def test_reverts_when_one_is_the_zero_account(coin_escrow, product, pot, payer):
    with boa.reverts("escrow: zero account"):
        coin_escrow.pay_many(pot, [payer, NOBODY], [EUR, EUR], Kind.PAYOUT, sender=product.address)


@pytest.mark.parametrize("amounts", [[10 * EUR, 1], [1, 2**128], [2**255, 2**255 - 1]])
def test_reverts_when_the_pot_is_too_small(coin_escrow, product, pot, payer, payee, amounts):
    with boa.reverts("escrow: pot too small"):
        coin_escrow.pay_many(pot, [payer, payee], amounts, Kind.PAYOUT, sender=product.address)


def test_reverts_when_the_sum_overflows(coin_escrow, product, pot, payer, payee):
    """A sum that wrapped around to 1 would pass for one unit."""
    with boa.reverts(compiler="safeadd"):
        coin_escrow.pay_many(pot, [payer, payee], [2**255, 2**255 + 1], Kind.PAYOUT, sender=product.address)


def test_reverts_when_a_balance_would_overflow(hostile, hostile_escrow, product, members):
    payer, full = members[:2]
    hostile.mint(full, LIMIT)
    hostile_escrow.deposit(LIMIT - 1, full, 0, sender=full)
    hostile_escrow.collect(payer, POT, 2, Kind.BET_DEBIT, sender=product.address)
    with boa.reverts("escrow: balance overflow"):
        hostile_escrow.pay_many(POT, [payer, full], [1, 1], Kind.PAYOUT, sender=product.address)


@pytest.mark.parametrize("kind", WRONG_KINDS)
def test_reverts_when_the_kind_is_wrong(coin_escrow, product, pot, payer, kind):
    with boa.reverts("escrow: wrong kind"):
        coin_escrow.pay_many(pot, [payer], [EUR], kind, sender=product.address)


def test_reverts_when_not_a_product(coin_escrow, pot, payer):
    with boa.reverts("escrow: not a product"):
        coin_escrow.pay_many(pot, [payer], [EUR], Kind.PAYOUT, sender=payer)
