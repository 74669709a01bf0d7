"""Products and tokens that mean ill. Whatever a product does reaches its own pots and those who consented to it."""

import boa
import pytest

from tessera.accounting.ledger import COLLECTED, PAID
from tessera.chain.escrow import Kind
from tests.custody import EUR, POT
from tests.logs import event, events

OTHER_POT = (8).to_bytes(32)
AMOUNTS = [0, 1, 20 * EUR, 80 * EUR, 2**128 - 1, 2**128, 2**128 + 20 * EUR, 2**255, 2**256 - 1]


@pytest.fixture
def attack(product):
    """Returns what lets `product` make a call: why it was refused, None if it went through."""

    def attack(target, calldata):
        try:
            product.execute(target, calldata)
        except boa.BoaError as refused:
            return refused.stack_trace.last_frame.pretty_vm_reason
        return None

    return attack


def with_kind(call, kind):
    """Calldata with any word as the kind, the fourth: the encoder here would refuse what an attacker sends."""
    return call[: 4 + 96] + int(kind).to_bytes(32) + call[4 + 128 :]


def test_product_cannot_reach_who_did_not_consent(
    attack, coin_escrow, holdings, product, other_product, bystander, pot, signer
):
    before = holdings()
    for victim in [bystander, signer.address, other_product.address, coin_escrow.address, product.address]:
        held = coin_escrow.balance_of(victim)
        for amount in AMOUNTS:
            why = "zero amount" if amount == 0 else "no consent" if amount <= held else "balance too low"
            call = coin_escrow.collect.prepare_calldata(victim, pot, amount, Kind.BET_DEBIT)
            assert attack(coin_escrow, call) == f"escrow: {why}"
    for kind in COLLECTED:
        call = coin_escrow.collect.prepare_calldata(bystander, pot, EUR, kind)
        assert attack(coin_escrow, call) == "escrow: no consent"
    assert holdings() == before


def test_product_cannot_take_more_than_its_pots_hold(attack, coin_escrow, holdings, payer, pot):
    before = holdings()
    for from_pot, held in [(pot, 10 * EUR), (OTHER_POT, 0)]:
        for amount in AMOUNTS:
            if amount > held:
                for call in [
                    coin_escrow.pay.prepare_calldata(from_pot, payer, amount, Kind.PAYOUT),
                    coin_escrow.pay_many.prepare_calldata(from_pot, [payer, payer], [amount - 1, 1], Kind.PAYOUT),
                    coin_escrow.move.prepare_calldata(from_pot, bytes(32), amount),
                ]:
                    assert attack(coin_escrow, call) == "escrow: pot too small"
    assert holdings() == before


def test_product_cannot_write_a_kind_that_is_not_its_to_write(attack, coin_escrow, holdings, payer, pot):
    before = holdings()
    collect = coin_escrow.collect.prepare_calldata(payer, pot, EUR, Kind.BET_DEBIT)
    pay = coin_escrow.pay.prepare_calldata(pot, payer, EUR, Kind.PAYOUT)
    pay_many = coin_escrow.pay_many.prepare_calldata(pot, [payer], [EUR], Kind.PAYOUT)
    for call, allowed in [(collect, COLLECTED), (pay, PAID), (pay_many, PAID)]:
        for kind in {0, *Kind, Kind.BET_DEBIT | Kind.PAYOUT} - set(allowed):
            assert attack(coin_escrow, with_kind(call, kind)) == "escrow: wrong kind"
        for kind in (1 << 10, 1 << 200, allowed[0] | 1 << 10):
            assert attack(coin_escrow, with_kind(call, kind)) == "Revert(b'')"  # the ABI decoder
    assert holdings() == before
    for call, kind in [(collect, Kind.BET_DEBIT), (pay, Kind.PAYOUT), (pay_many, Kind.PAYOUT)]:
        assert attack(coin_escrow, with_kind(call, kind)) is None


def test_product_as_a_person_has_a_person_s_powers_only(
    attack, coin, coin_escrow, holdings, product, payer, bystander, pot, load
):
    """It can neither withdraw, nor consent or deposit for others, nor register, nor own."""
    before = holdings()
    no_signature = (27, bytes(32), bytes(32))
    third = load("Product").deploy()
    for call, why in [
        (coin_escrow.withdraw.prepare_calldata(1, product), "escrow: balance too low"),
        (coin_escrow.set_consent.prepare_calldata(0b100), "escrow: unknown product"),
        (coin_escrow.deposit.prepare_calldata(1, payer, 0), "erc20: insufficient allowance"),
        (coin_escrow.deposit.prepare_calldata(1, bystander, 1), "escrow: consent not yours"),
        (
            coin_escrow.deposit_with_permit.prepare_calldata(bystander, 1, 2**255, *no_signature, 1),
            "escrow: permit refused",
        ),
        (coin_escrow.register_product.prepare_calldata(third), "ownable: caller is not the owner"),
        (coin_escrow.transfer_ownership.prepare_calldata(product), "ownable: caller is not the owner"),
        (coin_escrow.accept_ownership.prepare_calldata(), "ownable_2step: caller is not the new owner"),
    ]:
        assert attack(coin_escrow, call) == why
    for victim in (bystander, coin_escrow):
        call = coin.transferFrom.prepare_calldata(victim, product, 1)
        assert attack(coin, call) == "erc20: insufficient allowance"
    assert holdings() == before
    assert attack(coin_escrow, coin_escrow.set_consent.prepare_calldata(0b11)) is None
    assert [coin_escrow.consent_of(who) for who in (product, payer, bystander)] == [0b11, 0b01, 0b10]


def test_product_that_steals_all_it_can_reaches_its_own_alone(
    attack, coin, coin_escrow, holdings, product, other_product, payer, bystander, pot
):
    """The worst that consent costs: the whole balance of who gave it, and the product's own pots."""
    before = holdings()
    for victim, why in [(payer, None), (bystander, "escrow: no consent")]:
        left = coin_escrow.balance_of(victim)
        call = coin_escrow.collect.prepare_calldata(victim, pot, left, Kind.FUNDING)
        assert attack(coin_escrow, call) == why
    pay = coin_escrow.pay.prepare_calldata(pot, product, 100 * EUR, Kind.COMMISSION)
    assert [attack(coin_escrow, pay) for _ in range(2)] == [None, "escrow: pot too small"]
    withdraw = coin_escrow.withdraw.prepare_calldata(100 * EUR, product)
    assert [attack(coin_escrow, withdraw) for _ in range(2)] == [None, "escrow: balance too low"]
    stolen = {
        ("balance", payer): 0,
        ("pot", product.address, pot): 0,
        ("token", product.address): 100 * EUR,
        ("token", coin_escrow.address): 100 * EUR,
    }
    assert holdings() == before | stolen
    coin_escrow.pay(pot, bystander, 20 * EUR, Kind.REFUND, sender=other_product.address)
    coin_escrow.withdraw(100 * EUR, bystander, sender=bystander)
    assert coin.balanceOf(bystander) == 1_000 * EUR


@pytest.mark.parametrize("moment", ["deposit", "withdraw"])
@pytest.mark.parametrize("again", ["deposit", "withdraw", "set_consent", "collect", "pay", "pay_many", "move"])
def test_token_cannot_re_enter_through_a_product(hostile, hostile_escrow, product, members, moment, again):
    """The product is told by the token to act in the middle of a transfer; at any other time it could."""
    escrow, payer = hostile_escrow, members[0]
    hostile.mint(product, 10 * EUR)
    hostile.approve(escrow, 10 * EUR, sender=product.address)
    escrow.collect(payer, POT, 20 * EUR, Kind.BET_DEBIT, sender=product.address)
    escrow.pay(POT, product, 10 * EUR, Kind.PAYOUT, sender=product.address)
    arguments = {
        "deposit": [EUR, product, 0],
        "withdraw": [EUR, product],
        "set_consent": [1],
        "collect": [payer, POT, EUR, Kind.BET_DEBIT],
        "pay": [POT, product, EUR, Kind.PAYOUT],
        "pay_many": [POT, [product.address], [EUR], Kind.PAYOUT],
        "move": [POT, OTHER_POT, EUR],
    }
    call = getattr(escrow, again).prepare_calldata(*arguments[again])
    with boa.env.anchor():
        product.execute(escrow, call)
    hostile.set_hook(product, product.execute.prepare_calldata(escrow, call))
    getattr(escrow, moment)(5 * EUR, payer, *([0] if moment == "deposit" else []), sender=payer)
    assert event(hostile, "HookCalled", succeeded=False, answer=b"") in events(escrow)
    change = 5 * EUR if moment == "deposit" else -5 * EUR
    assert escrow.balance_of(payer) == 80 * EUR + change
    assert (escrow.balance_of(product), escrow.consent_of(product)) == (10 * EUR, 0)
    assert (escrow.pot_balance(product, POT), escrow.pot_balance(product, OTHER_POT)) == (10 * EUR, 0)
    assert hostile.balanceOf(escrow) == 100 * EUR + change
