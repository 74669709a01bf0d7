"""Hundreds of winners paid by a command that is killed and started again; `benchmarks/keeper.json` is of thousands."""

import json

import pytest

from benchmarks.keeper import PUBLISHED, measure
from tessera.keeper.steps.pay import MAX_BATCH

PEOPLE = 600


@pytest.mark.anvil
def test_hundreds_are_paid_by_one_command_that_is_killed_in_between():
    figures = measure(PEOPLE)
    assert figures["transactions"] == 2
    assert figures["killed_after"] in (MAX_BATCH, PEOPLE // 2)  # the second batch may have been faster than the kill
    assert figures["gas_a_winner"] <= figures["goal"]


def test_the_published_figures_are_of_thousands_and_below_the_goal():
    figures = json.loads(PUBLISHED.read_text())
    assert (figures["predictors"], figures["winners"]) == (10_000, 5_000)
    assert figures["gas_a_winner"] <= figures["goal"] < figures["PoolTogether V5"]
    assert figures["killed_after"] < figures["winners"]
