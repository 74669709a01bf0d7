"""Half to stand, two thirds to flip, doubt refunds: the module and the model say the same of all small votes."""

from itertools import product

import pytest

from tessera.model.lmsr import Outcome
from tessera.model.resolution import conclusion
from tests.prize_system import load

HEADS = list(product(range(5), repeat=3))
BETS = 8  # of 1 EUR: a quarter is 2


@pytest.fixture(scope="module")
def concluded(evm):
    """What the module concludes of heads and stakes for YES, NO and INVALID, None where it refuses."""
    rule = load("contracts/modules/vote_rule.vy").deploy().internal

    def concluded(proposed, heads, stakes, early):
        fields = enumerate([*heads, *stakes])
        tally = sum(number << 64 + 24 * place for place, number in fields)
        return rule._concluded(tally, BETS << 56 | proposed << 4 | 5, early) or None

    return concluded


def expected(proposed, heads, stakes, early):
    outcomes = list(Outcome)
    return conclusion(
        proposed, dict(zip(outcomes, heads, strict=True)), dict(zip(outcomes, stakes, strict=True)), BETS, early=early
    )


@pytest.mark.parametrize("proposed", Outcome)
@pytest.mark.parametrize("stakes", [(2, 3, 8), (3, 2, 0)])  # a quarter is not enough, one EUR more is
def test_concludes_as_the_model(concluded, proposed, stakes):
    for heads in HEADS:
        assert concluded(proposed, heads, stakes, False) == expected(proposed, heads, stakes, False), heads


@pytest.mark.parametrize("proposed", Outcome)
def test_accepts_or_refuses_what_is_early_as_the_model(concluded, proposed):
    for heads in HEADS:
        assert concluded(proposed, heads, (8, 8, 8), True) == expected(proposed, heads, (8, 8, 8), True), heads


def test_doubt_refunds_or_refuses(evm):
    doubt = load("contracts/modules/vote_rule.vy").deploy().internal._doubt
    assert (doubt(False), doubt(True)) == (Outcome.INVALID, 0)
