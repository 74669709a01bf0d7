"""What rows come to mean, at the boundary block."""

import pytest

from tessera.chain.prediction_events import Predicted
from tessera.chain.staking_pool import Forfeited
from tessera.index.states import prediction

STOP = 100
MADE = Predicted(
    contract="e", block=10, log_index=3, transaction="0x", event_id=1, account="a", outcome=2, multiplier=1
)


@pytest.mark.parametrize(
    ("block", "log_index", "account", "forfeited"),
    [
        (STOP - 1, 0, "a", True),
        (STOP, 0, "a", False),
        (STOP - 1, 0, "b", False),
        (MADE.block, MADE.log_index + 1, "a", True),
        (MADE.block, MADE.log_index, "a", False),
        (MADE.block - 1, MADE.log_index + 1, "a", False),
    ],
    ids=["the last block before the stop", "the stop block", "another's", "just after", "not after", "before"],
)
def test_a_forfeiture_since_the_prediction_counts_before_the_stop_block(block, log_index, account, forfeited):
    row = Forfeited(contract="p", block=block, log_index=log_index, transaction="0x", account=account, number=0)
    assert prediction(MADE, STOP, [row]).forfeited == forfeited
