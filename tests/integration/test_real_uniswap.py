"""The harvest's swap and the buyback on Uniswap V2 itself, against people who bend its price."""

from collections.abc import Iterator

import pytest

from tessera.chain.errors import Reverted
from tessera.chain.prize_pool import BoughtBack
from tessera.chain.staking_pool import Harvested
from tests.real.node import now, running_anvil, undone, wait_until
from tests.real.tickets import RealTickets
from tests.real.uniswap import MAX, amount_out

pytestmark = pytest.mark.anvil

USDC = 10**6
DAI = BET = 10**18
BPS = 10_000
DAY = 86_400
BUCKET = 30_000 * USDC  # what waits for the buyback in these tests
NO_OUTPUT = "UniswapV2Router: INSUFFICIENT_OUTPUT_AMOUNT"


BOTH_ORDERS = pytest.mark.parametrize(
    "deployed", [False, True], ids=["USDC is token 0", "BET is token 0"], indirect=True
)


@pytest.fixture(scope="module")
def deployed(request) -> Iterator[RealTickets]:
    """A week with an event and a million of revenue is closed: the bucket is full. Nothing is in the markets."""
    with running_anvil() as web3:
        system = RealTickets.deploy(web3, bet_first=getattr(request, "param", False))
        sponsor = system.wallet(7)
        system.give(sponsor, system.usdc, 1_000_000 * USDC)
        system.usdc.write(sponsor, "approve", system.tessera.prizes.address, MAX)
        system.tessera.prizes.add_revenue(sponsor, 1_000_000 * USDC)
        system.create_event(days=2)
        system.end_week(blocks=1)
        system.harvest()
        system.close()
        assert system.tessera.prizes.buyback_bucket() == BUCKET
        yield system


@pytest.fixture
def market(system) -> RealTickets:
    """A million USDC and two million BET in the pair, a price of two BET noted for a day and a half."""
    system.fill_market(system.bet, 2_000_000 * BET, 1_000_000 * USDC)
    keeper = system.wallet(2)
    system.tessera.prizes.poke(keeper)
    wait_until(system.web3, now(system.web3) + DAY, blocks=1)
    system.tessera.prizes.poke(keeper)
    wait_until(system.web3, now(system.web3) + DAY // 2, blocks=1)
    return system


@pytest.fixture
def saver(system):
    """Has staked 100,000 DAI, whose vault has earned 400 since."""
    saver = system.wallet(8)
    system.stake(saver, system.dai, 100_000 * DAI)
    system.give(saver, system.dai, 400 * DAI)
    system.dai.write(saver, "transfer", system.fronts[system.dai.address].address, 400 * DAI)
    return saver


@pytest.fixture
def attacker(system):
    """Has ten million of each token but BET."""
    attacker = system.wallet(9)
    for token in (system.usdc, system.dai):
        system.give(attacker, token, 10_000_000 * 10 ** token.read("decimals"))
    return attacker


def buy_back(system, amount: int, min_out: int) -> BoughtBack:
    keeper = system.wallet(2)
    return system.tessera.prizes.buy_back(keeper, amount, min_out, now(system.web3) + 600).event(BoughtBack)


def balance(token, account: str) -> int:
    return token.read("balanceOf", account)


def test_a_harvest_is_swapped_at_the_pairs_own_price(system, saver):
    dai, usdc = system.dai, system.usdc
    system.fill_market(dai, 1_000_000 * DAI, 1_000_000 * USDC)
    reserves = system.uniswap.reserves(dai.address, usdc.address)
    waiting = system.tessera.prizes.waiting_revenue()
    row = system.tessera.staking.harvest(saver, dai.address).event(Harvested)
    # The part of 400 that 100,000 of 100,005 earned, the rest being the seed's, less the buffer of one.
    assert row.amount == 400 * DAI * 100_000 // 100_005 - DAI
    assert row.revenue == amount_out(row.amount, *reserves)
    assert row.revenue * 10**12 * BPS >= row.amount * (BPS - 50)
    assert system.tessera.prizes.waiting_revenue() == waiting + row.revenue


def test_a_shallow_pair_leaves_the_yield_in_the_vault(system, saver):
    """The fee is 30 of the 50 basis points: a swap may move the price by 20, a pair of 200,000 is the least for 399."""
    dai, staking = system.dai, system.tessera.staking
    system.fill_market(dai, 190_000 * DAI, 190_000 * USDC)
    held = staking.asset_state(dai.address)
    with pytest.raises(Reverted, match=f"^{NO_OUTPUT}$"):
        staking.harvest(saver, dai.address)
    assert staking.asset_state(dai.address) == held
    system.end_week(blocks=1)
    staking.harvest(saver, system.usdc.address)
    with pytest.raises(Reverted, match=r"^prizes: harvest first$"):
        system.close()
    wait_until(system.web3, now(system.web3) + DAY, blocks=1)
    assert [row.revenue for row in system.close()] == [0]  # the week does not wait for the market

    system.fill_market(dai, 10_000 * DAI, 10_000 * USDC)
    assert staking.harvest(saver, dai.address).event(Harvested).revenue > 388 * USDC


def test_a_harvest_between_two_swaps_of_an_attacker(system, saver, attacker):
    """Swaps of a size that the limit of 50 basis points lets through cost the attacker more in fees than they bring."""
    dai, usdc, uniswap = system.dai, system.usdc, system.uniswap
    system.fill_market(dai, 1_000_000 * DAI, 1_000_000 * USDC)
    for pushed, stopped in ((400 * DAI, False), (800 * DAI, False), (5_000 * DAI, True)):
        with undone(system.web3):
            held = balance(dai, attacker.address)
            bought = uniswap.swap(attacker, dai, usdc, pushed)
            if stopped:
                with pytest.raises(Reverted, match=f"^{NO_OUTPUT}$"):
                    system.tessera.staking.harvest(attacker, dai.address)
            else:
                row = system.tessera.staking.harvest(attacker, dai.address).event(Harvested)
                assert row.revenue * 10**12 * BPS >= row.amount * (BPS - 50)
            uniswap.swap(attacker, usdc, dai, bought)
            assert balance(dai, attacker.address) < held


def test_a_buyback_between_two_swaps_of_an_attacker_fails_and_costs_the_attacker(market, attacker):
    usdc, bet, prizes = market.usdc, market.bet, market.tessera.prizes
    least = 20_000 * BET * 98 // 100
    held = balance(usdc, attacker.address)
    bought = market.uniswap.swap(attacker, usdc, bet, 20_000 * USDC)
    with pytest.raises(Reverted, match=f"^{NO_OUTPUT}$"):
        buy_back(market, 10_000 * USDC, least)
    market.uniswap.swap(attacker, bet, usdc, bought)
    assert balance(usdc, attacker.address) < held
    assert prizes.buyback_bucket() == BUCKET
    assert buy_back(market, 10_000 * USDC, least).bought >= least


def test_a_small_buyback_is_not_worth_an_attack(market, attacker):
    """Two swaps cost 0.6 % in fees, and a buyback moves the price by two times its part of the reserve: below 0.3 % of
    the reserve there is nothing to gain, whatever the bound."""
    usdc, bet = market.usdc, market.bet
    least = 6_000 * BET * 98 // 100
    for pushed in (500, 3_000, 6_500):
        with undone(market.web3):
            held = balance(usdc, attacker.address)
            bought = market.uniswap.swap(attacker, usdc, bet, pushed * USDC)
            assert buy_back(market, 3_000 * USDC, least).bought >= least
            market.uniswap.swap(attacker, bet, usdc, bought)
            assert balance(usdc, attacker.address) < held
    market.uniswap.swap(attacker, usdc, bet, 8_000 * USDC)
    with pytest.raises(Reverted, match=f"^{NO_OUTPUT}$"):
        buy_back(market, 3_000 * USDC, least)


def test_the_greatest_buyback_at_the_lowest_bound_can_lose_half_a_percent_to_an_attacker(market, attacker):
    """Why a keeper asks for more than the bound: with the quote of the moment as `min_out` there is no room at all."""
    usdc, bet = market.usdc, market.bet
    amount, least = 10_000 * USDC, 20_000 * BET * 98 // 100
    quote = amount_out(amount, *market.uniswap.reserves(usdc.address, bet.address))
    gains = []
    for pushed in (1_000, 2_000, 3_000, 3_400):
        with undone(market.web3):
            held = balance(usdc, attacker.address)
            bought = market.uniswap.swap(attacker, usdc, bet, pushed * USDC)
            with pytest.raises(Reverted, match=f"^{NO_OUTPUT}$"):
                buy_back(market, amount, quote)
            buy_back(market, amount, least)
            market.uniswap.swap(attacker, bet, usdc, bought)
            gains.append(balance(usdc, attacker.address) - held)
    assert 0 < max(gains) < amount * 50 // BPS
    market.uniswap.swap(attacker, usdc, bet, 3_700 * USDC)
    with pytest.raises(Reverted, match=f"^{NO_OUTPUT}$"):
        buy_back(market, amount, least)


def test_tokens_sent_to_the_pair_hold_a_buyback_up_until_somebody_sells(market, attacker):
    """They are a gift to whoever is in the market: 100,000 USDC make BET dearer until somebody sells BET for them."""
    usdc, bet, prizes = market.usdc, market.bet, market.tessera.prizes
    least = 20_000 * BET * 98 // 100
    usdc.write(attacker, "transfer", market.uniswap.pair(usdc.address, bet.address).address, 100_000 * USDC)
    with pytest.raises(Reverted, match=f"^{NO_OUTPUT}$"):
        buy_back(market, 10_000 * USDC, least)
    assert prizes.buyback_bucket() == BUCKET
    market.uniswap.pair(usdc.address, bet.address).write(attacker, "sync")
    treasury = market.wallet(6)
    assert market.uniswap.swap(treasury, bet, usdc, 98_000 * BET) > 50_000 * USDC
    least += least // 1_000  # BET is a little cheaper now, and the average with it
    assert buy_back(market, 10_000 * USDC, least).bought >= least


def test_a_pair_with_next_to_nothing_in_it(system):
    """A hundredth of a few hundred units is what can be spent; the bucket waits for a market."""
    prizes, keeper = system.tessera.prizes, system.wallet(2)
    prizes.poke(keeper)  # nobody has ever put anything in
    wait_until(system.web3, now(system.web3) + DAY, blocks=1)
    with pytest.raises(Reverted, match=r"^prizes: above 1 % of reserve$"):
        buy_back(system, 1, 1)
    system.fill_market(system.bet, 100 * BET, 299)  # of 1e-6 USDC
    prizes.poke(keeper)
    wait_until(system.web3, now(system.web3) + DAY, blocks=1)
    prizes.poke(keeper)
    wait_until(system.web3, now(system.web3) + DAY // 2, blocks=1)
    with pytest.raises(Reverted, match=r"^prizes: above 1 % of reserve$"):
        buy_back(system, 3, BET)
    with pytest.raises(Reverted, match=r"^prizes: min_out too low$"):
        buy_back(system, 2, 0)
    price = 100 * BET * 2 // 299
    with pytest.raises(Reverted, match=f"^{NO_OUTPUT}$"):
        buy_back(system, 2, price)  # the fee takes a whole unit of two
    assert prizes.buyback_bucket() == BUCKET


@BOTH_ORDERS
def test_a_buyback_buys_at_the_pairs_own_price_and_not_below_the_bound(market):
    usdc, bet, prizes = market.usdc, market.bet, market.tessera.prizes
    treasury = market.wallet(6).address
    amount = 10_000 * USDC  # 1 % of the reserve
    least = 20_000 * BET * 98 // 100  # at two BET, less 2 %
    with pytest.raises(Reverted, match=r"^prizes: min_out too low$"):
        buy_back(market, amount, least * 999_999 // 1_000_000)
    with pytest.raises(Reverted, match=r"^prizes: above 1 % of reserve$"):
        buy_back(market, amount + 1, least + BET)
    expected = amount_out(amount, *market.uniswap.reserves(usdc.address, bet.address))
    with pytest.raises(Reverted, match=f"^{NO_OUTPUT}$"):
        buy_back(market, amount, expected + 1)
    assert prizes.buyback_bucket() == BUCKET

    before = balance(bet, treasury)
    row = buy_back(market, amount, expected)
    assert (row.spent, row.bought) == (amount, expected)
    assert expected >= least  # fee and price cost 1.3 %
    assert balance(bet, treasury) == before + expected
    assert prizes.buyback_bucket() == BUCKET - amount
    assert balance(usdc, prizes.address) == 1_000_000 * USDC - amount


@BOTH_ORDERS
def test_a_price_bent_for_a_minute_moves_the_bound_by_a_thousandth_of_that(market, attacker):
    """A minute is 1/2160 of a day and a half."""
    usdc, bet = market.usdc, market.bet
    bought = market.uniswap.swap(attacker, usdc, bet, 1_000_000 * USDC)  # BET at four times its price
    wait_until(market.web3, now(market.web3) + 60, blocks=1)
    market.uniswap.swap(attacker, bet, usdc, bought)
    least = 20_000 * BET * 98 // 100
    with pytest.raises(Reverted, match=r"^prizes: min_out too low$"):
        buy_back(market, 10_000 * USDC, least * 998 // 1_000)
    assert buy_back(market, 10_000 * USDC, least).bought >= least
