"""What rows come to mean, at the boundary block."""

import random

import pytest

from tessera.chain.prediction_events import EventCreated, Predicted
from tessera.chain.staking_pool import Forfeited
from tests.unit.index.conftest import PEOPLE, chance_log

STOP = 6


@pytest.mark.parametrize(
    ("block", "log_index", "account", "is_forfeited"),
    [
        (STOP - 1, 0, 0, True),
        (STOP, 0, 0, False),
        (STOP - 1, 0, 1, False),
        (3, 1, 0, True),
        (3, 0, 0, False),
        (2, 0, 0, False),
    ],
    ids=["the last block before the stop", "the stop block", "another's", "just after", "just before", "before"],
)
def test_a_forfeiture_since_the_prediction_counts_before_the_stop_block(
    node, open_index, block, log_index, account, is_forfeited
):
    """The prediction is made in block 3."""
    rng = random.Random(1)
    blocks = [[] for _ in range(STOP)]
    blocks[0].append(chance_log(rng, EventCreated, event_id=1, outcomes=["a", "b"], stop_block=STOP))
    blocks[2].append(chance_log(rng, Predicted, event_id=1, account=PEOPLE[0], outcome=1))
    blocks[block - 1].insert(log_index, chance_log(rng, Forfeited, account=PEOPLE[account], number=0))
    node.mine(*blocks)
    index = open_index(node)
    index.sync()
    with index.snapshot() as snapshot:
        (prediction,) = snapshot.predictors(1)
        assert prediction.forfeited == is_forfeited
        assert snapshot.forfeited() == ([prediction] if is_forfeited else [])
