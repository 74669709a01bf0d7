"""Whatever gas is offered: a withdrawal that succeeds was heard by PredictionEvents.

On the embedded chain, since what is measured is cold storage; in titanoboa all of it is warm.
"""

from eth_tester.exceptions import TransactionFailed

from benchmarks.chains import Embedded
from benchmarks.growth import STAKER, WEEK, Grown
from benchmarks.tickets import USD

FEWEST, STEP = 1_000_000, 1_000


def test_least_gas_that_a_withdrawal_takes_is_enough_for_news_of_64_predictions():
    chain = Embedded()
    system, account = Grown(chain), chain.accounts[STAKER]
    for _ in range(64):
        chain.send(system.events, "predict", system.create(4 * WEEK), 0, by=STAKER)
    withdraw = system.pool.functions.withdraw(system.usdc.address, 10 * USD, 0)

    def succeeds(gas):
        try:
            return withdraw.call({"from": account, "gas": gas}) == 10 * USD
        except TransactionFailed:
            return False

    fails, least = FEWEST, chain.limit
    assert (succeeds(fails), succeeds(least)) == (False, True)
    while least - fails > STEP:
        middle = (fails + least) // 2
        fails, least = (fails, middle) if succeeds(middle) else (middle, least)
    for gas in (least, least + 50_000):
        receipt = chain.web3.eth.wait_for_transaction_receipt(withdraw.transact({"from": account, "gas": gas}))
        assert receipt["status"] == 1
        # All 64 heard of it: a prediction is 12,000 gas and more.
        assert receipt["gasUsed"] > 64 * 12_000
        assert system.pool.functions.forfeits(account).call() == 0
