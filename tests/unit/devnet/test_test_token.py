"""TestToken: a faucet for everybody, permits, any decimals."""

from tests.logs import event, events
from tests.unit.conftest import NOW

NOBODY = "0x" + "00" * 20


def test_anybody_mints(token, stranger, person):
    before = token.balanceOf(person), token.totalSupply()
    token.mint(person, 7, sender=stranger)
    assert events(token) == [event(token, "Transfer", sender=NOBODY, receiver=person, value=7)]
    assert (token.balanceOf(person), token.totalSupply()) == (before[0] + 7, before[1] + 7)


def test_has_the_decimals_it_is_given(token, other_token):
    assert (token.name(), token.symbol(), token.decimals()) == ("Test Dollar", "TUSD", 6)
    assert other_token.decimals() == 18


def test_takes_permits(token, signer, person, sign_permit):
    token.permit(signer.address, person, 5, NOW, *sign_permit(token, signer, person, 5, NOW))
    assert token.allowance(signer.address, person) == 5
