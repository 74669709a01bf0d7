import boa
import pytest
from eth_account import Account

from tessera.chain.escrow import Kind
from tests.custody import EUR, entry
from tests.logs import event, events

AMOUNT = 30 * EUR
SECP256K1_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
NO_SIGNATURE = (27, bytes(32), bytes(32))


@pytest.fixture
def deadline():
    return boa.env.timestamp + 60


@pytest.fixture
def permit(coin, coin_escrow, signer, sign_permit, deadline):
    """A good permit of the signer's for AMOUNT coins to `coin_escrow`."""
    return sign_permit(coin, signer, coin_escrow, AMOUNT, deadline)


@pytest.fixture
def member(play_euro, escrow, markets, signer, owner):
    """The signer as a member of the club who has withdrawn the 50 EUR."""
    play_euro.invite([signer.address], sender=owner)
    play_euro.join(0, sender=signer.address)
    escrow.withdraw(50 * EUR, signer.address, sender=signer.address)
    return signer


def test_permits_deposits_and_consents_at_once(coin, coin_escrow, signer, permit, deadline):
    who = signer.address
    coin_escrow.deposit_with_permit(who, AMOUNT, deadline, *permit, 1, sender=who)
    assert events(coin_escrow) == [
        event(coin, "Approval", owner=who, spender=coin_escrow.address, value=AMOUNT),
        event(coin_escrow, "ConsentChanged", account=who, products=1),
        event(coin, "Approval", owner=who, spender=coin_escrow.address, value=0),
        event(coin, "Transfer", sender=who, receiver=coin_escrow.address, value=AMOUNT),
        entry(coin_escrow, who, Kind.DEPOSIT, AMOUNT, AMOUNT),
    ]
    assert (coin_escrow.balance_of(who), coin_escrow.consent_of(who)) == (AMOUNT, 1)
    assert coin.balanceOf(coin_escrow) == AMOUNT


def test_takes_a_permit_until_its_deadline(coin_escrow, signer, permit, deadline, stranger):
    boa.env.timestamp = deadline
    coin_escrow.deposit_with_permit(signer.address, AMOUNT, deadline, *permit, 0, sender=stranger)
    assert coin_escrow.balance_of(signer.address) == AMOUNT


def test_credits_the_signer_when_a_stranger_relays_it(coin, coin_escrow, signer, permit, deadline, stranger):
    coin_escrow.deposit_with_permit(signer.address, AMOUNT, deadline, *permit, 0, sender=stranger)
    assert events(coin_escrow)[-1] == entry(coin_escrow, signer.address, Kind.DEPOSIT, AMOUNT, AMOUNT)
    assert (coin_escrow.balance_of(signer.address), coin_escrow.consent_of(signer.address)) == (AMOUNT, 0)
    assert coin_escrow.balance_of(stranger) == 0


def test_goes_through_for_the_owner_when_the_permit_was_front_run(
    coin, coin_escrow, signer, permit, deadline, stranger
):
    coin.permit(signer.address, coin_escrow, AMOUNT, deadline, *permit, sender=stranger)
    coin_escrow.deposit_with_permit(signer.address, AMOUNT, deadline, *permit, 1, sender=signer.address)
    assert (coin_escrow.balance_of(signer.address), coin_escrow.consent_of(signer.address)) == (AMOUNT, 1)


def test_front_run_through_escrow_leaves_the_money_in_the_balance(coin_escrow, signer, permit, deadline, stranger):
    """The owner's own transaction reverts then, with nothing lost: the stranger's did the deposit, less the consent."""
    coin_escrow.deposit_with_permit(signer.address, AMOUNT, deadline, *permit, 0, sender=stranger)
    with boa.reverts("erc20: insufficient allowance"):
        coin_escrow.deposit_with_permit(signer.address, AMOUNT, deadline, *permit, 0, sender=signer.address)
    assert coin_escrow.balance_of(signer.address) == AMOUNT


def test_uses_an_old_allowance_for_the_owner_of_a_token_without_permit(hostile, hostile_escrow, members):
    who = members[1]
    hostile_escrow.deposit_with_permit(who, AMOUNT, 0, *NO_SIGNATURE, 1, sender=who)
    assert (hostile_escrow.balance_of(who), hostile_escrow.consent_of(who)) == (AMOUNT, 1)


def test_phantom_permit_does_not_let_a_stranger_use_an_allowance(load, members, stranger):
    """A token that swallows any call (WETH) has seen no permit. Before nonces were read, a stranger could move the
    owner's tokens into the owner's balance."""
    owner = members[0]
    token = load("SilentToken").deploy()
    escrow = load("Escrow").deploy(token, False)
    token.mint(owner, AMOUNT)
    token.approve(escrow, AMOUNT, sender=owner)
    with boa.reverts("escrow: permit refused"):
        escrow.deposit_with_permit(owner, AMOUNT, 0, *NO_SIGNATURE, 0, sender=stranger)
    assert token.balanceOf(owner) == AMOUNT
    escrow.deposit_with_permit(owner, AMOUNT, 0, *NO_SIGNATURE, 0, sender=owner)
    assert escrow.balance_of(owner) == AMOUNT


def test_phantom_permit_cannot_deposit_what_escrow_holds(load, members, stranger):
    token = load("SilentToken").deploy()
    escrow = load("Escrow").deploy(token, False)
    token.mint(members[0], AMOUNT)
    token.approve(escrow, AMOUNT, sender=members[0])
    escrow.deposit(AMOUNT, members[0], 0, sender=members[0])
    with boa.reverts("escrow: permit refused"):
        escrow.deposit_with_permit(escrow, AMOUNT, 0, *NO_SIGNATURE, 0, sender=stranger)
    assert (escrow.balance_of(escrow), escrow.balance_of(members[0])) == (0, AMOUNT)


def test_lets_a_member_return_play_euros_when_own_only(play_euro, escrow, member, sign_permit, deadline):
    who = member.address
    permit = sign_permit(play_euro, member, escrow, AMOUNT, deadline)
    escrow.deposit_with_permit(who, AMOUNT, deadline, *permit, 1, sender=who)
    assert (escrow.balance_of(who), escrow.consent_of(who)) == (AMOUNT, 1)
    assert play_euro.balanceOf(who) == 20 * EUR


def test_reverts_when_relayed_and_own_only(play_euro, escrow, member, sign_permit, deadline, stranger):
    permit = sign_permit(play_euro, member, escrow, AMOUNT, deadline)
    with boa.reverts("escrow: not your own"):
        escrow.deposit_with_permit(member.address, AMOUNT, deadline, *permit, 0, sender=stranger)


def test_reverts_when_zero(coin, coin_escrow, signer, sign_permit, deadline):
    permit = sign_permit(coin, signer, coin_escrow, 0, deadline)
    with boa.reverts("escrow: zero amount"):
        coin_escrow.deposit_with_permit(signer.address, 0, deadline, *permit, 0, sender=signer.address)


def test_reverts_when_a_relayer_adds_consent(coin_escrow, signer, permit, deadline, stranger):
    """The permit does not sign the consent."""
    with boa.reverts("escrow: consent not yours"):
        coin_escrow.deposit_with_permit(signer.address, AMOUNT, deadline, *permit, 1, sender=stranger)


def test_reverts_when_a_product_relays_it_with_consent_for_itself(coin_escrow, product, signer, permit, deadline):
    with boa.reverts("escrow: consent not yours"):
        coin_escrow.deposit_with_permit(signer.address, AMOUNT, deadline, *permit, 1, sender=product.address)


def test_reverts_when_consent_names_an_unknown_product(coin_escrow, signer, permit, deadline):
    with boa.reverts("escrow: unknown product"):
        coin_escrow.deposit_with_permit(signer.address, AMOUNT, deadline, *permit, 0b100, sender=signer.address)


def test_reverts_when_a_stranger_relays_a_permit_that_was_front_run(
    coin, coin_escrow, signer, permit, deadline, stranger
):
    coin.permit(signer.address, coin_escrow, AMOUNT, deadline, *permit, sender=stranger)
    with boa.reverts("escrow: permit refused"):
        coin_escrow.deposit_with_permit(signer.address, AMOUNT, deadline, *permit, 0, sender=stranger)


def test_stranger_cannot_use_an_old_allowance(coin_escrow, payee, hostile_escrow, deadline, stranger):
    """`payee` has approved both Escrows without limit. The second one's token has no permit at all."""
    for escrow in (coin_escrow, hostile_escrow):
        with boa.reverts("escrow: permit refused"):
            escrow.deposit_with_permit(payee, AMOUNT, deadline, *NO_SIGNATURE, 0, sender=stranger)


class TestBadPermit:
    """Refused when a stranger relays it; useless to the owner, who has approved nothing otherwise."""

    @pytest.fixture
    def refused(self, coin, coin_escrow, signer, stranger, deadline):
        def refused(permit, amount=AMOUNT, deadline=deadline):
            arguments = (signer.address, amount, deadline, *permit, 0)
            with boa.reverts("escrow: permit refused"):
                coin_escrow.deposit_with_permit(*arguments, sender=stranger)
            with boa.reverts("erc20: insufficient allowance"):
                coin_escrow.deposit_with_permit(*arguments, sender=signer.address)
            return True

        return refused

    def test_expired(self, refused, permit, deadline):
        boa.env.timestamp = deadline + 1
        assert refused(permit)

    def test_signed_by_another(self, refused, coin, coin_escrow, signer, sign_permit, deadline):
        class Impostor:
            address = signer.address
            sign_message = Account.from_key("0x" + "66" * 32).sign_message

        assert refused(sign_permit(coin, Impostor, coin_escrow, AMOUNT, deadline))

    def test_malleated(self, refused, permit):
        v, r, s = permit
        assert refused((55 - v, r, (SECP256K1_N - int.from_bytes(s)).to_bytes(32)))

    def test_empty(self, refused):
        assert refused(NO_SIGNATURE)
        assert refused((0, bytes(32), bytes(32)))

    def test_other_amount(self, refused, permit):
        assert refused(permit, amount=AMOUNT + 1)
        assert refused(permit, amount=AMOUNT - 1)

    def test_other_deadline(self, refused, permit, deadline):
        assert refused(permit, deadline=deadline + 1)

    def test_used_before(self, refused, coin_escrow, signer, stranger, permit, deadline):
        coin_escrow.deposit_with_permit(signer.address, AMOUNT, deadline, *permit, 0, sender=stranger)
        assert refused(permit)

    def test_number_to_come(self, refused, coin, coin_escrow, signer, sign_permit, deadline):
        assert refused(sign_permit(coin, signer, coin_escrow, AMOUNT, deadline, nonce=1))

    def test_for_another_chain(self, refused, coin, coin_escrow, signer, sign_permit, deadline):
        assert refused(sign_permit(coin, signer, coin_escrow, AMOUNT, deadline, chain_id=1))

    def test_for_another_token(self, refused, load, coin_escrow, signer, sign_permit, deadline):
        assert refused(sign_permit(load("Coin").deploy(), signer, coin_escrow, AMOUNT, deadline))

    def test_for_another_spender(self, refused, coin, escrow, signer, sign_permit, deadline):
        assert refused(sign_permit(coin, signer, escrow, AMOUNT, deadline))
