"""The keeper over real Aave V3 and Uniswap V2 markets: its rounds, and what it does when Aave is paused."""

from collections.abc import Iterator
from fractions import Fraction

import pytest

from tessera.chain.staking import Harvested
from tessera.index import Index
from tessera.keeper.plan import due
from tessera.keeper.round import Round, run
from tessera.keeper.scene import Scene
from tessera.keeper.sender import Sender
from tessera.keeper.steps import Status
from tests.real.node import running_anvil, wait
from tests.real.tickets import RealTickets

pytestmark = pytest.mark.anvil

USDC = 10**6
DAI = WETH = BET = 10**18
DAY = 86_400
KEEPER, TREASURY, EARLY, OTHER, WRONG, BORROWER = 2, 6, 7, 8, 9, 12


@pytest.fixture(scope="module")
def deployed() -> Iterator[RealTickets]:
    """Two were right and one was wrong about an event that ends in the second week; what they staked is borrowed."""
    with running_anvil() as web3:
        system = RealTickets.deploy(web3, with_aave=True)
        system.fill_market(system.dai, 1_000_000 * DAI, 1_000_000 * USDC)
        system.fill_market(system.bet, 1_000_000 * BET, 100_000 * USDC)
        borrower = system.wallet(BORROWER)
        system.secure(borrower)
        system.stake(system.wallet(EARLY), system.usdc, 60_000 * USDC)
        system.stake(system.wallet(OTHER), system.dai, 40_000 * DAI)
        system.stake(system.wallet(WRONG), system.usdc, 20_000 * USDC)
        system.aave.borrow(borrower, system.usdc, 70_000 * USDC)
        system.aave.borrow(borrower, system.dai, 30_000 * DAI)
        system.event = system.create_event(days=8)
        for index, outcome in ((EARLY, 0), (OTHER, 0), (WRONG, 1)):
            system.tessera.events.predict(system.wallet(index), system.event, outcome)
        yield system


@pytest.fixture
def keep(system):
    """Returns what runs a round and gives what became of each step, by its kind and event or asset."""
    wallet = system.wallet(KEEPER)
    scene = Scene(system.tessera, Index("sqlite://", system.web3, system.tessera.deployment), wallet.address)

    def keep() -> tuple[Round, dict[str, Status]]:
        done = run(scene, Sender(wallet), due(scene))
        return done, {one.step.what: one.status for one in done.outcomes}

    return keep


def held(token, index: int, system) -> int:
    return token.read("balanceOf", system.wallet(index).address)


def test_two_weeks_from_borrowers_interest_to_prizes_and_bet(system, keep):
    prizes, events = system.tessera.prizes, system.tessera.events
    system.end_week()
    done, steps = keep()
    assert (done.exit_code, set(steps.values())) == (0, {Status.DONE})
    assert {"harvest USDC", "harvest DAI", "close 1 week", "note the market's price"} <= set(steps)
    first = prizes.event_prize(system.event)
    bucket = prizes.buyback_bucket()
    assert first > bucket > 0

    wait(system.web3, 26 * 3_600)
    treasury = held(system.bet, TREASURY, system)
    done, steps = keep()
    assert done.exit_code == 0
    bought = held(system.bet, TREASURY, system) - treasury
    # 10 BET for a USDC, less the fee of 0.3 % and what so small a purchase moves the price.
    assert 9.96 < bought / BET / (bucket / USDC) < 9.97
    assert prizes.buyback_bucket() == 0

    system.end_week()
    wait(system.web3, DAY)
    system.report(system.event, 0)
    before = {index: held(system.usdc, index, system) for index in (EARLY, OTHER, WRONG)}
    tickets = {index: events.tickets(system.event, system.wallet(index).address)[1] for index in (EARLY, OTHER)}
    wait(system.web3, DAY)  # of blocks after the stop block, in which forfeited predictions could be purged
    done, steps = keep()
    assert done.exit_code == 0, steps
    result = events.result_of(system.event)
    assert (result.settled, result.outcome) == (True, 0)
    assert result.prize > first
    got = {index: held(system.usdc, index, system) - before[index] for index in before}
    assert got[WRONG] == 0
    for index, mine in tickets.items():
        # Rounded down to a unit; tickets are shown rounded, too.
        assert 0 <= Fraction(result.prize * mine, sum(tickets.values())) - got[index] < Fraction(101, 100)
    assert events.prize_of(system.event, system.wallet(EARLY).address) == 0
    done, steps = keep()
    assert (done.exit_code, steps) == (0, {})


def test_the_yield_of_a_paused_market_waits_for_the_next_week(system, keep):
    system.end_week()
    system.aave.set_paused(system.usdc, True)
    done, steps = keep()
    # Aave says that nothing can be withdrawn: there is nothing to move, and the week closes without.
    assert (done.exit_code, steps["harvest USDC"], steps["close 1 week"]) == (0, Status.DONE, Status.DONE)
    first = harvests(system)
    assert first[system.usdc.address] == [0]
    assert first[system.dai.address] > [0]

    system.aave.set_paused(system.usdc, False)
    system.end_week()
    done, steps = keep()
    assert done.exit_code == 0
    usdc, dai = (harvests(system)[token.address] for token in (system.usdc, system.dai))
    assert len(usdc) == len(dai) == 2
    # Nothing of the week without was lost: what remains is the rounding buffer and the interest of some seconds.
    state = system.tessera.staking.asset_state(system.usdc.address)
    left = system.fronts[system.usdc.address].read("previewRedeem", state.shares) - state.principal
    assert 0 <= left - state.principal // 10_000 < usdc[1] // 1_000


def harvests(system) -> dict[str, list[int]]:
    """What each harvest took, by asset."""
    found = {system.usdc.address: [], system.dai.address: []}
    for row in system.tessera.log_reader().read():
        if isinstance(row, Harvested):
            found[row.asset].append(row.amount)
    return found
