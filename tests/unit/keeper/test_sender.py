"""Money for gas: a ceiling, an account that runs dry, and a price that moves meanwhile."""

import pytest
from web3.exceptions import Web3RPCError

from tessera.keeper.plan import due
from tessera.keeper.round import run
from tessera.keeper.sender import GWEI, NoGasMoneyError
from tessera.keeper.steps import Status
from tests.staked import STRANGER


def test_above_the_ceiling_nothing_is_sent(keeper_of, world):
    keeper = keeper_of(max_gas_price=GWEI // 2)
    before = world.web3.eth.block_number
    done = keeper.run()
    assert world.web3.eth.block_number == before
    assert done.exit_code == 3
    assert {one.status for one in done.outcomes} == {Status.UNDONE}
    assert "the ceiling is 0.500 gwei" in done.outcomes[0].message


def test_no_transaction_offers_more_than_the_ceiling(keeper_of, world):
    base, tip = keeper_of().sender.price()
    keeper = keeper_of(max_gas_price=base + tip)
    done = keeper.run()
    offers = [
        world.web3.eth.get_transaction(sent.transaction)["maxFeePerGas"] for one in done.outcomes for sent in one.sent
    ]
    assert done.exit_code == 0
    assert max(offers) == base + tip


def test_a_price_that_spikes_in_the_middle_leaves_the_rest_for_the_next_round(keeper_of, state, undisturbed):
    keeper = keeper_of(max_gas_price=3 * GWEI)
    price, asked = keeper.sender.price, []

    def spiking():
        asked.append(1)
        return price() if len(asked) <= 4 else (50 * GWEI, GWEI)  # the first was for the whole round

    keeper.sender.price = spiking
    done = keeper.run()
    assert [one.status for one in done.outcomes] == [Status.DONE] * 3 + [Status.UNDONE] * 4
    assert "gas costs 51.000 gwei, the ceiling is 3.000 gwei" in done.outcomes[3].message
    assert keeper_of().run().exit_code == 0
    assert state() == undisturbed


def test_without_gas_money_nothing_is_sent(keeper, world):
    keeper.sender.balance = lambda: 5 * 10**14
    plan = due(keeper.scene)
    before = world.web3.eth.block_number
    told = f"{world.keeper.address} has 0.000500 ETH for gas, this takes about 0.001"
    with pytest.raises(NoGasMoneyError, match=told):
        run(keeper.scene, keeper.sender, plan)
    assert world.web3.eth.block_number == before


def test_an_account_that_runs_dry_leaves_the_rest(keeper):
    balance, asked = keeper.sender.balance, []

    def drying():
        asked.append(1)
        return balance() if len(asked) <= 4 else 10**12  # the first was for the whole round

    keeper.sender.balance = drying
    done = keeper.run()
    assert [one.status for one in done.outcomes] == [Status.DONE] * 3 + [Status.UNDONE] * 4
    assert "has 0.000001 ETH left, not enough for PrizePool.poke" in done.outcomes[3].message


def statuses(done):
    return {one.step.kind: (one.status, one.message) for one in done.outcomes}


def test_the_bucket_is_spent_a_day_after_the_price_was_noted(keeper, world, bucket):
    treasury = world.record.address_of("Timelock")
    before = world.tessera.bet_token.balance_of(treasury)
    done = keeper.run()
    assert statuses(done) == dict.fromkeys(("poke", "buy back", "settle"), (Status.DONE, ""))
    assert world.prizes.buyback_bucket() == 0
    # 10 BET for a USDC, less the fee of 0.3 % and a price moved by a thousandth of a per cent.
    assert 9.969 < (world.tessera.bet_token.balance_of(treasury) - before) / 10**12 / bucket < 9.971


def sandwich(world):
    """Somebody buys BET with 10,000 USDC, a tenth of the market."""
    pair, amount = world.record.address_of("Pair:BET"), 10_000 * 10**6
    usdc, bet = world.local.tessera.prizes.market()
    out = amount * 997 * bet // (usdc * 1000 + amount * 997)
    sorted_ = world.local.contract("Pair:BET").functions.token0().call() == world.token("USDC")
    world.local.give(pair, "USDC", amount)
    world.local.call("Pair:BET", "swap", *((0, out) if sorted_ else (out, 0)), world.owner.address, b"")


def test_a_market_moved_before_the_swap_is_left_alone(keeper, world, bucket):
    sandwich(world)
    done = keeper.run()
    status, message = statuses(done)["buy back"]
    assert status == Status.UNDONE
    assert message == "the market pays over 2 % less than its average of a day: left for next time, the bucket waits"
    assert world.prizes.buyback_bucket() == bucket
    assert done.exit_code == 3


def test_a_market_moved_between_simulation_and_block_costs_the_gas_alone(keeper, world, bucket):
    simulate = keeper.sender.wallet.simulate

    def overtaken(call, name):
        simulate(call, name)
        if name == "PrizePool.buy_back":
            sandwich(world)

    keeper.sender.wallet.simulate = overtaken
    done = keeper.run()
    status, message = statuses(done)["buy back"]
    assert status == Status.UNDONE
    assert message.startswith("reverted in 0x")
    assert world.prizes.buyback_bucket() == bucket
    assert done.exit_code == 3


def test_without_the_role_the_buyback_alone_is_left_undone(keeper_of, world, bucket):
    done = keeper_of(world.wallet(STRANGER)).run()
    assert statuses(done)["poke"] == (Status.DONE, "")
    status, message = statuses(done)["buy back"]
    assert status == Status.UNDONE
    assert message.startswith("prizes: not a keeper")
    assert done.exit_code == 3


def test_a_bucket_above_the_bound_of_one_buyback_is_spent_in_parts(keeper, world, bucket, monkeypatch):
    monkeypatch.setattr("tessera.keeper.steps.MAX_RESERVE_BPS", 1)
    monkeypatch.setattr(world.prizes, "buyback_bucket", lambda: 20 * 10**6)
    call = next(next(one for one in due(keeper.scene).steps if one.kind == "buy back").calls(keeper.scene))
    assert call.arguments[0] == world.local.tessera.prizes.market()[0] // 10_000


def test_a_market_that_is_empty_holds_up_nobody(keeper, world, bucket, monkeypatch):
    monkeypatch.setattr(world.prizes, "market", lambda: (0, 0))
    plan = due(keeper.scene)
    assert "buy back" not in [step.kind for step in plan.steps]
    assert any("the market of BET is too small" in sentence for sentence in plan.waiting)
    assert run(keeper.scene, keeper.sender, plan).exit_code == 0


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("nonce too low: address 0x33, tx: 8089 state: 8090", "nonce"),  # geth
        ("Transaction nonce is too low. Try incrementing the nonce.", "nonce"),  # openethereum
        ("OldNonce, Current nonce: 22, nonce of rejected tx: 17", "nonce"),  # Nethermind
        ("replacement transaction underpriced", "price"),  # geth
        ("FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 50, BaseFee: 100", "price"),  # Nethermind
        ("max fee per gas less than block base fee: address 0x33", "price"),  # geth
        ("already known", ""),  # geth
        ("AlreadyKnown", ""),  # Nethermind
        ("Known transaction", ""),  # Besu
    ],
)
def test_what_nodes_mean(keeper, monkeypatch, text, meaning):
    def refuse(_):
        raise Web3RPCError(text)

    monkeypatch.setattr(keeper.sender.web3.eth, "send_raw_transaction", refuse)
    assert keeper.sender._submit(b"") == meaning


def test_what_is_none_of_these_is_the_nodes_error(keeper, monkeypatch):
    def refuse(_):
        raise Web3RPCError("insufficient funds for gas * price + value")

    monkeypatch.setattr(keeper.sender.web3.eth, "send_raw_transaction", refuse)
    with pytest.raises(Web3RPCError, match="insufficient funds"):
        keeper.sender._submit(b"")
