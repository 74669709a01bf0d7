"""Principal always comes back: all of it, or the same share for everybody, or what is there now."""

import boa
import pytest

from tests.prize_system import USD, WAD, load, refusing


def test_pays_principal_and_lowers_the_stake(system, staker):
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    assert system.pool.withdraw(system.usdc, 400 * USD, 0, sender=staker) == 400 * USD
    (log,) = [log for log in system.pool.get_logs() if type(log).__name__ == "Withdrawn"]
    assert (log.account, log.asset, log.amount, log.paid, log.stake) == (
        staker,
        system.usdc.address,
        400 * USD,
        400 * USD,
        600 * USD,
    )
    assert system.usdc.balanceOf(staker) == 9_400 * USD
    assert system.pool.stake_of(staker) == system.pool.total_stake() == 600 * USD
    system.pool.withdraw(system.usdc, 600 * USD, 0, sender=staker)
    assert system.usdc.balanceOf(staker) == 10_000 * USD
    assert system.pool.asset_state(system.usdc)[:2] == (0, 0)


def test_value_falls_in_proportion_whatever_the_price_is_now(system, staker):
    system.feed[system.usdc].set_price(99 * 10**6)
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.feed[system.usdc].set_price(0)
    system.pool.withdraw(system.usdc, 250 * USD, 0, sender=staker)
    assert system.pool.stake_of(staker) == 990 * USD * 3 // 4


def test_value_left_is_rounded_down(system, staker):
    system.pool.stake(system.dai, 2 * WAD, sender=staker)
    system.pool.withdraw(system.dai, 1, 0, sender=staker)
    assert system.pool.stake_of(staker) == 2 * USD - 1


def test_yield_stays(system, staker):
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.earn(system.usdc, 100 * USD)
    assert system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker) == 1_000 * USD
    assert system.vault[system.usdc].totalAssets() == 100 * USD


def test_everybody_takes_the_same_haircut_first_or_last(system, staker, rival):
    system.pool.stake(system.usdc, 3_000 * USD, sender=staker)
    system.pool.stake(system.usdc, 1_000 * USD, sender=rival)
    system.lose(system.usdc, 400 * USD)
    first = system.pool.withdraw(system.usdc, 3_000 * USD, 0, sender=staker)
    last = system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=rival)
    # The vault's own rounding, a unit per call.
    assert 2_700 * USD - 1 <= first <= 2_700 * USD
    assert 900 * USD - 2 <= last <= 900 * USD


def test_pays_what_is_there_and_owes_the_rest(system, staker):
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    vault = system.vault[system.usdc]
    # What remains would be too little by choice: here it was none.
    vault.set_liquidity(1_000 * USD - 5)
    assert system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker) == 1_000 * USD - 5
    assert system.pool.principal_of(staker, system.usdc) == system.pool.stake_of(staker) == 5
    vault.set_liquidity(2**256 - 1)
    assert system.pool.withdraw(system.usdc, 5, 0, sender=staker) == 5
    assert system.usdc.balanceOf(staker) == 10_000 * USD


def test_illiquid_and_at_a_loss_owes_the_same_share(system, staker, rival):
    for account in (staker, rival):
        system.pool.stake(system.usdc, 1_000 * USD, sender=account)
    system.lose(system.usdc, 500 * USD)
    system.vault[system.usdc].set_liquidity(300 * USD)
    assert system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker) == 300 * USD
    # 400 of principal were paid off at 75 %; the vault rounds by a unit.
    assert abs(system.pool.principal_of(staker, system.usdc) - 600 * USD) <= 2
    system.vault[system.usdc].set_liquidity(2**256 - 1)
    assert abs(system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=rival) - 750 * USD) <= 2


def test_principal_too_small_to_count_leaves_without_forfeiting(system, staker):
    """What an illiquid vault leaves of a stake can be worth nothing as stake; taking it is no news."""
    system.pool.stake(system.dai, 1_000 * WAD, sender=staker)
    event = system.create_event()
    system.events.predict(event, 0, sender=staker)
    system.mine(60)
    vault, dust = system.vault[system.dai], 10**11
    vault.set_liquidity(1_000 * WAD - dust)
    system.pool.withdraw(system.dai, 1_000 * WAD, 0, sender=staker)
    assert (system.pool.stake_of(staker), system.pool.principal_of(staker, system.dai)) == (0, dust)
    tickets = system.events.tickets(event, staker)
    vault.set_liquidity(2**256 - 1)
    assert system.pool.withdraw(system.dai, dust, 0, sender=staker) == dust
    assert system.pool.forfeits(staker) == 0
    # 1,000 USD for ten hours at 2.50.
    assert system.events.tickets(event, staker) == tickets == (10_000 * WAD, 25_000 * WAD)


def test_stale_price_does_not_keep_anybody(system, staker):
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.feed[system.usdc].set_round(9, -1, 0, 0, 9)
    assert system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker) == 1_000 * USD


def test_closed_asset_does_not_keep_anybody(system, staker):
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.pool.set_open(system.usdc, False, sender=system.owner)
    assert system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker) == 1_000 * USD


def test_forfeits_when_prize_contracts_revert(system, staker):
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    with refusing(system.events):
        assert system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker) == 1_000 * USD
    (log,) = [log for log in system.pool.get_logs() if type(log).__name__ == "Forfeited"]
    assert (log.account, log.number) == (staker, 0)
    assert system.pool.forfeits(staker) == 1
    assert system.pool.forfeited_at(staker, 0) == boa.env.evm.patch.block_number


def test_forfeitures_are_counted_for_each_and_for_all(system):
    for count in (1, 2):
        person = system.newcomer()
        system.stake(person, 1_000)
        with refusing(system.events):
            for _ in range(2):
                system.pool.withdraw(system.usdc, 100 * USD, 0, sender=person)
        assert (system.pool.forfeits(person), system.pool.total_forfeits()) == (2, 2 * count)


@pytest.mark.parametrize("fault", ["eats all gas", "answers 100 kB", "re-enters"])
def test_succeeds_whatever_the_prize_contracts_do(system, staker, fault):
    hostile = {
        "eats all gas": "5b5f56",  # JUMPDEST PUSH0 JUMP: for ever
        "answers 100 kB": "620186a05ff3",
        "re-enters": None,
    }[fault]
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    code = boa.env.get_code(system.events.address)
    if hostile is None:
        evil = load("tests/mocks/Reenterer.vy").deploy(system.pool, system.usdc)
        boa.env.set_code(system.events.address, boa.env.get_code(evil.address))
    else:
        boa.env.set_code(system.events.address, bytes.fromhex(hostile))
    assert system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker, gas=16_000_000) == 1_000 * USD
    boa.env.set_code(system.events.address, code)
    assert system.pool.total_stake() == 0
    assert system.usdc.balanceOf(staker) == 10_000 * USD
    assert system.pool.forfeits(staker) == (fault != "answers 100 kB")


def test_reverts_when_gas_for_the_news_is_not_left(system, staker):
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    with boa.reverts("pool: not enough gas"):
        system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker, gas=1_100_000)
    assert system.pool.forfeits(staker) == 0
    assert system.pool.stake_of(staker) == 1_000 * USD


def test_gas_cannot_be_chosen_so_that_the_news_fails(system, staker):
    """Whatever is offered, the news gets all of its 1.1 million or nobody leaves; that this is enough for 64
    predictions: tests/scale/test_news_gas.py.
    """
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    # Reverts, at no cost, if it has less than 1,099,990 gas left.
    code = boa.env.get_code(system.events.address)
    boa.env.set_code(system.events.address, bytes.fromhex("6210c8d65a10600a57005b5f5ffd"))
    done = 0
    for gas in range(1_100_000, 1_400_000, 2_000):
        with boa.env.anchor():
            try:
                system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker, gas=gas)
            except boa.BoaError:
                continue
            assert system.pool.forfeits(staker) == 0, gas
            done += 1
    boa.env.set_code(system.events.address, code)
    assert 50 < done < 150


def test_reverts_when_amount_is_zero(system, staker):
    with boa.reverts("pool: zero amount"):
        system.pool.withdraw(system.usdc, 0, 0, sender=staker)


def test_reverts_when_more_than_staked(system, staker, rival):
    system.pool.stake(system.usdc, 10 * USD, sender=staker)
    system.pool.stake(system.usdc, 10 * USD, sender=rival)
    with boa.reverts("pool: more than staked"):
        system.pool.withdraw(system.usdc, 10 * USD + 1, 0, sender=staker)


def test_reverts_when_asset_is_unknown(system, staker):
    with boa.reverts("pool: more than staked"):
        system.pool.withdraw(system.bet, 1, 0, sender=staker)


def test_reverts_when_less_than_a_dollar_would_remain(system, staker):
    system.pool.stake(system.usdc, 10 * USD, sender=staker)
    with boa.reverts("pool: leaves less than 1 USD"):
        system.pool.withdraw(system.usdc, 9 * USD + 1, 0, sender=staker)
    system.pool.withdraw(system.usdc, 9 * USD, 0, sender=staker)


def test_reverts_when_vault_is_paused(system, staker):
    system.pool.stake(system.usdc, 10 * USD, sender=staker)
    system.vault[system.usdc].set_paused(True)
    with boa.reverts("pool: vault cannot pay now"):
        system.pool.withdraw(system.usdc, 10 * USD, 0, sender=staker)
    system.vault[system.usdc].set_paused(False)
    assert system.pool.withdraw(system.usdc, 10 * USD, 0, sender=staker) == 10 * USD


def test_reverts_when_vault_refuses_what_it_said_it_could_pay(system, staker):
    token = load("contracts/devnet/TestToken.vy").deploy("Odd", "ODD", 6)
    vault = load("tests/mocks/OddVault.vy").deploy(token)
    system.add_asset(token, vault, system.feed[system.usdc])
    system.fund(staker, token, 10 * USD)
    system.pool.stake(token, 10 * USD, sender=staker)
    vault.set_refuses(True)
    with boa.reverts("pool: vault refused"):
        system.pool.withdraw(token, 10 * USD, 0, sender=staker)
    assert system.pool.principal_of(staker, token) == 10 * USD


def test_reverts_when_vault_answers_nothing_at_all(system, staker):
    """Some vaults that are paused refuse their views too, often without a word."""
    system.pool.stake(system.usdc, 10 * USD, sender=staker)
    with refusing(system.vault[system.usdc]), boa.reverts("pool: vault refused"):
        system.pool.withdraw(system.usdc, 10 * USD, 0, sender=staker)
    assert system.pool.withdraw(system.usdc, 10 * USD, 0, sender=staker) == 10 * USD
