"""The keeper over real Aave V3 and Uniswap V2 markets: its rounds, and what it does when Aave is paused."""

from collections.abc import Iterator
from fractions import Fraction

import pytest

from tessera.chain import Wallet
from tessera.chain.fees import GWEI
from tessera.chain.staking_pool import Harvested
from tessera.chain.wallet import HandIn
from tessera.index import Index
from tessera.keeper.plan import due
from tessera.keeper.round import Round, run
from tessera.keeper.steps.base import Status
from tessera.keeper.view import View
from tests.real.node import running_anvil, wait
from tests.real.tickets import RealTickets
from tests.real.uniswap import MAX, amount_out

pytestmark = pytest.mark.anvil

USDC = 10**6
DAI = WETH = BET = 10**18
DAY = 86_400
KEEPER, TREASURY, EARLY, OTHER, WRONG, BORROWER = 2, 6, 7, 8, 9, 12


@pytest.fixture(scope="module")
def deployed() -> Iterator[RealTickets]:
    """Two were right and one was wrong about an event that ends in the second week; what they staked is borrowed."""
    with running_anvil() as web3:
        system = RealTickets.deploy(web3, "aave")
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
    view = View(system.tessera, Index("sqlite://", system.web3, system.tessera.deployment), wallet.address)

    def keep() -> tuple[Round, dict[str, Status]]:
        done = run(view, wallet, due(view))
        return done, {one.step.what: one.status for one in done.outcomes}

    return keep


def held(token, index: int, system) -> int:
    return held_by(token, system.wallet(index))


def held_by(token, wallet) -> int:
    return token.read("balanceOf", wallet.address)


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


@pytest.mark.parametrize(("pushed", "stopped"), [(150 * USDC, False), (700 * USDC, True)])
def test_a_sandwich_around_the_buyback_costs_the_attacker(system, keep, monkeypatch, pushed, stopped):
    """A block of Uniswap's own pair: the attacker's swap, the keeper's, the attacker's, by what they offer."""
    prizes, attacker, router = system.tessera.prizes, system.wallet(13), system.uniswap.router
    usdc, bet, ask = system.usdc, system.bet, system.web3.provider.make_request
    system.end_week()
    keep()
    wait(system.web3, 26 * 3_600)
    system.give(attacker, usdc, 10_000 * USDC)
    for token in (usdc, bet):
        token.write(attacker, "approve", router.address, MAX)
    bucket, before, treasury = prizes.buyback_bucket(), held_by(usdc, attacker), held(bet, TREASURY, system)
    submit, buy_back, nonce = Wallet._hand_in, prizes.calldata("buy_back", 0, 0, 0)[:4], 0

    def swap(path, amount: int, price: int) -> None:
        nonlocal nonce
        nonce = nonce or system.web3.eth.get_transaction_count(attacker.address)
        transaction = {
            "chainId": attacker.chain_id,
            "nonce": nonce,
            "to": router.address,
            "data": router.calldata("swapExactTokensForTokens", amount, 0, path, attacker.address, MAX),
            "gas": 300_000,
            "maxFeePerGas": price,
            "maxPriorityFeePerGas": 0,
        }
        system.web3.eth.send_raw_transaction(attacker.account.sign_transaction(transaction).raw_transaction)
        nonce += 1

    def sandwiched(sender: Wallet, raw: bytes) -> HandIn:
        if buy_back not in bytes(raw):
            return submit(sender, raw)
        bought = amount_out(pushed, *system.uniswap.reserves(usdc.address, bet.address))
        ask("evm_setAutomine", [False])
        swap([usdc.address, bet.address], pushed, 100 * GWEI)
        answer = submit(sender, raw)
        swap([bet.address, usdc.address], bought, system.web3.eth.get_block("latest")["baseFeePerGas"] * 9 // 8)
        ask("evm_mine", [])
        ask("evm_setAutomine", [True])
        return answer

    monkeypatch.setattr(Wallet, "_hand_in", sandwiched)
    done, _ = keep()
    (bought,) = (one for one in done.outcomes if one.step.kind == "buy back")
    block = system.web3.eth.get_block(bought.sent[0].block)
    assert [system.web3.eth.get_transaction(one)["from"] for one in block["transactions"]] == [
        attacker.address,
        system.wallet(KEEPER).address,
        attacker.address,
    ]
    assert held_by(bet, attacker) == 0
    assert held_by(usdc, attacker) < before
    if stopped:
        assert (done.exit_code, bought.status) == (3, Status.UNDONE)
        assert bought.message.startswith("reverted in 0x")
        assert prizes.buyback_bucket() == bucket
        monkeypatch.setattr(Wallet, "_hand_in", submit)
        assert keep()[0].exit_code == 0  # the next look finds the market as it was
    else:
        assert (done.exit_code, bought.status) == (0, Status.DONE)
    assert prizes.buyback_bucket() == 0
    # 10 BET for a USDC less the fee, and at most the 0.5 % that the keeper allows the market to move.
    assert 9.97 * 0.995 < (held(bet, TREASURY, system) - treasury) / BET / (bucket / USDC) < 9.97


def test_the_yield_of_a_paused_market_waits_for_the_next_week(system, keep):
    system.end_week()
    system.aave.set_paused(system.usdc, True)
    done, steps = keep()
    # Aave says that nothing can be withdrawn: that is no harvest, and the week waits a day for it.
    assert (done.exit_code, steps["harvest USDC"], steps["close 1 week"]) == (3, Status.UNDONE, Status.UNDONE)
    wait(system.web3, 86_400)
    done, steps = keep()
    assert (done.exit_code, steps["harvest USDC"], steps["close 1 week"]) == (3, Status.UNDONE, Status.DONE)
    first = harvests(system)
    assert first[system.usdc.address] == []
    assert first[system.dai.address] > [0]

    system.aave.set_paused(system.usdc, False)
    system.end_week()
    done, steps = keep()
    assert done.exit_code == 0
    usdc, dai = (harvests(system)[token.address] for token in (system.usdc, system.dai))
    assert (len(usdc), len(dai)) == (1, 2)
    # Nothing of the week without was lost: what remains is the buffer of one token and the interest of some seconds,
    # less up to two units, since the vault burns whole shares.
    state = system.tessera.staking.asset_state(system.usdc.address)
    left = system.fronts[system.usdc.address].read("previewRedeem", state.shares) - state.principal
    assert -2 <= left - USDC < usdc[0] // 1_000


def harvests(system) -> dict[str, list[int]]:
    """What each harvest took, by asset."""
    harvested = {system.usdc.address: [], system.dai.address: []}
    for row in system.tessera.log_reader().read():
        if isinstance(row, Harvested):
            harvested[row.asset].append(row.amount)
    return harvested
