"""Staking in one transaction, with a signature instead of an approval."""

import boa
import pytest
from eth_account import Account

from tests.prize_system import USD


@pytest.fixture
def signer(system):
    account = Account.from_key("0x" + "5e" * 32)
    system.usdc.mint(account.address, 100 * USD)
    return account


@pytest.fixture
def permit(system, signer, sign_permit):
    deadline = boa.env.timestamp + 60
    return deadline, *sign_permit(system.usdc, signer, system.pool, 100 * USD, deadline)


def test_stakes(system, signer, permit):
    system.pool.stake_with_permit(system.usdc, 100 * USD, *permit, sender=signer.address)
    assert system.pool.stake_of(signer.address) == 100 * USD


def test_stakes_when_somebody_else_used_the_permit(system, signer, permit, stranger):
    system.usdc.permit(signer.address, system.pool, 100 * USD, *permit, sender=stranger)
    system.pool.stake_with_permit(system.usdc, 100 * USD, *permit, sender=signer.address)
    assert system.pool.stake_of(signer.address) == 100 * USD


def test_reverts_when_permit_is_not_the_callers(system, permit, staker):
    system.usdc.approve(system.pool, 0, sender=staker)
    with boa.reverts("pool: bad permit"):
        system.pool.stake_with_permit(system.usdc, 100 * USD, *permit, sender=staker)


def test_reverts_before_it_calls_an_unknown_asset(system, permit, staker):
    with boa.reverts("pool: unknown asset"):
        system.pool.stake_with_permit(system.bet, 100 * USD, *permit, sender=staker)
