"""Hundreds of winners paid by a command that is killed and started again; `benchmarks/keeper.json` is of thousands."""

import json

import pytest

from benchmarks.keeper import PUBLISHED, measure
from tessera.keeper.steps.pay import MAX_BATCH

PEOPLE = 600


@pytest.mark.anvil
def test_hundreds_are_paid_by_one_command_that_is_killed_in_between():
    found = measure(PEOPLE)
    assert found["transactions"] == 2
    assert found["killed_after"] in (MAX_BATCH, PEOPLE // 2)  # the second batch may have been faster than the kill
    assert found["gas_a_winner"] <= found["goal"]


def test_the_published_figures_are_of_thousands_and_below_the_goal():
    found = json.loads(PUBLISHED.read_text())
    assert (found["predictors"], found["winners"]) == (10_000, 5_000)
    assert found["gas_a_winner"] <= found["goal"] < found["PoolTogether V5"]
    assert found["killed_after"] < found["winners"]
