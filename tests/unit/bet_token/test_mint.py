"""BetToken.mint: the minter alone, within the mining budget."""

import boa

from tests.logs import event, events
from tests.unit.bet_token.conftest import BUDGET, CAP

NOBODY = "0x" + "00" * 20


def test_mines_to_the_last_unit_of_the_budget_and_no_further(mined, pool, staker):
    mined.mint(staker, BUDGET - 1, sender=pool)
    assert events(mined) == [event(mined, "Transfer", sender=NOBODY, receiver=staker, value=BUDGET - 1)]
    assert (mined.minted(), mined.totalSupply()) == (BUDGET - 1, CAP - 1)
    with boa.reverts("bet: mining budget spent"):
        mined.mint(staker, 2, sender=pool)
    mined.mint(staker, 1, sender=pool)
    assert (mined.minted(), mined.totalSupply(), mined.balanceOf(staker)) == (BUDGET, CAP, BUDGET)
    for amount in (1, 2**256 - 1):
        with boa.reverts("bet: mining budget spent"):
            mined.mint(staker, amount, sender=pool)
    assert mined.totalSupply() == CAP


def test_reverts_when_the_caller_does_not_mine(mined, owner, staker, treasury):
    for caller in (owner, staker, treasury):
        with boa.reverts("bet: not the minter"):
            mined.mint(staker, 1, sender=caller)


def test_reverts_when_nobody_mines_yet(bet, owner, staker):
    with boa.reverts("bet: not the minter"):
        bet.mint(staker, 1, sender=owner)


def test_reverts_when_the_owner_is_nobody(mined, pool):
    with boa.reverts("erc20: mint to the zero address"):
        mined.mint(NOBODY, 1, sender=pool)
    assert mined.minted() == 0
