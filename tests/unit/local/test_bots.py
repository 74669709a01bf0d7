"""The devnet's other people: as the clock moves they do what is due, once."""

import pytest

from tessera.chain import Outcome
from tessera.chain.embedded import embedded_web3
from tessera.chain.lmsr_markets import Status
from tessera.local.bots import Bots, fate
from tessera.local.chain import DAY, let_pass
from tessera.local.devnet import populate
from tessera.model.prizes import period_of


@pytest.fixture
def bots(tmp_path) -> Bots:
    return Bots(populate(embedded_web3(), 8, tmp_path / "devnet.json"))


def test_a_question_has_one_answer_and_each_is_possible():
    assert {fate(f"market {number}", (Outcome.YES, Outcome.NO)) for number in range(20)} == {Outcome.YES, Outcome.NO}
    assert fate("market 1", (Outcome.YES, Outcome.NO)) == fate("market 1", (Outcome.YES, Outcome.NO))


def test_they_do_what_is_due_once(bots):
    tessera, web3 = bots.tessera, bots.tessera.web3
    before = web3.eth.block_number
    bots.act()
    assert web3.eth.block_number == before  # nothing is due

    let_pass(web3, 2 * DAY, bots.local.blocks_per_hour)
    bots.act()
    first, second = (tessera.markets.market(market_id) for market_id in (1, 2))
    assert (first.status, first.outcome) == (Status.PENDING, fate("market 1", (Outcome.YES, Outcome.NO)))
    assert second.status == Status.OPEN  # of a week

    for _ in range(3):
        let_pass(web3, 7 * DAY, bots.local.blocks_per_hour)
        bots.act()
    assert tessera.prizes.period() == period_of(bots.local.now())
    settled, outcome, prize, _ = tessera.events.result_of(1)
    assert (settled, outcome) == (True, fate("event 1", range(3)))
    # Who stakes predicted home and draw; where it was away, the prize went back to the pool.
    assert prize > 0 or outcome == 2
    assert not tessera.events.result_of(2).settled  # it ends after 24 days, and its last week later
    before = web3.eth.block_number
    bots.act()
    assert web3.eth.block_number == before
