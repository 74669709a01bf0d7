"""BetToken.permit: an allowance by signature; the rest of the ERC-20 is snekmate's and only looked at."""

import boa

from tests.logs import event, events
from tests.unit.conftest import NOW


def test_permit_is_an_allowance_once(bet, signer, staker, treasury, sign_permit):
    v, r, s = sign_permit(bet, signer, staker, 5, NOW)
    bet.permit(signer.address, staker, 5, NOW, v, r, s)
    assert events(bet) == [event(bet, "Approval", owner=signer.address, spender=staker, value=5)]
    bet.transfer(signer.address, 5, sender=treasury)
    bet.transferFrom(signer.address, staker, 5, sender=staker)
    assert (bet.balanceOf(staker), bet.allowance(signer.address, staker)) == (5, 0)
    with boa.reverts("erc20: invalid signature"):
        bet.permit(signer.address, staker, 5, NOW, v, r, s)


def test_permit_of_another_chain_is_refused(bet, signer, staker, sign_permit):
    v, r, s = sign_permit(bet, signer, staker, 5, NOW, chain_id=1)
    with boa.reverts("erc20: invalid signature"):
        bet.permit(signer.address, staker, 5, NOW, v, r, s)
