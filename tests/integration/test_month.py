"""The script of docs/month.md says what the page says, proves its sums, and pays what the exact model says."""

import ast
import re
from fractions import Fraction

import pytest

from tessera.chain.prediction_events import Claimed, EventCreated, EventSettled, Predicted
from tessera.chain.staking_pool import Staked, Withdrawn
from tessera.local.chain import UNITS
from tessera.model.tickets import TicketEvent
from tests.integration.conftest import ROOT

PAGE = (ROOT / "docs" / "month.md").read_text()
(SCRIPT,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(OUTPUT,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def month() -> dict:
    """What the script's names stand for when it has ended, and what it printed as `output`."""
    said = []
    names = {"print": lambda *words: said.append(" ".join(map(str, words)))}
    exec(compile(SCRIPT, "docs/month.md", "exec"), names)
    return names | {"output": "".join(f"{line}\n" for line in said)}


def test_it_says_what_the_page_says(month):
    assert month["output"] == OUTPUT


def test_it_imports_tessera_alone():
    imported = {node.module for node in ast.walk(ast.parse(SCRIPT)) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} == {"tessera"}
    assert not [node for node in ast.walk(ast.parse(SCRIPT)) if isinstance(node, ast.Import)]


def test_no_dollar_is_anywhere_but_with_people_markets_vaults_and_the_pool(month):
    """The same sums once more, from the tokens alone: balances make up the supply."""
    record, people = month["record"], [person.address for person in month["people"]]
    for name in ("USDC", "DAI"):
        token = month["chain"].token(name)
        holders = [
            *people,
            *(record.address_of(one) for one in ("PrizePool", "Pair:DAI", f"YieldVault:{name}")),
            *([record.address_of("Pair:BET")] if name == "USDC" else []),
        ]
        assert sum(map(token.balance_of, holders)) == token.total_supply()
        assert token.balance_of(record.address_of("StakingPool")) == 0
        assert token.balance_of(month["owner"].address) == 5 * UNITS[name]  # half of the seed came back


def test_winners_got_what_the_exact_model_says(month):
    rows = month["rows"]
    models = {
        row.event_id: TicketEvent(row.start_block, row.stop_block, Fraction(row.e0, 100), 2)
        for row in rows
        if isinstance(row, EventCreated)
    }
    stakes: dict[str, int] = {}
    for row in rows:
        if isinstance(row, Staked | Withdrawn):
            change = Fraction(row.stake - stakes.get(row.account, 0), 10**6)
            stakes[row.account] = row.stake
            for model in models.values():
                model.change_stake(row.account, row.block, change)
        elif isinstance(row, Predicted):
            models[row.event_id].predict(row.account, row.block, row.outcome)
    settled = [row for row in rows if isinstance(row, EventSettled)]
    assert [row.event_id for row in settled] == [1, 2, 3, 4]
    for end in settled:
        paid = {row.account: row.amount for row in rows if isinstance(row, Claimed) and row.event_id == end.event_id}
        if end.event_id == month["band"]:
            assert paid == {}
            continue
        exact = models[end.event_id].prizes(end.outcome, end.prize)
        assert paid.keys() == exact.keys()
        for account, share in exact.items():
            # Multipliers are rounded down to 1e-6, a person's and everybody's; the share is rounded down to a unit.
            assert abs(paid[account] - share) <= share * 2 / 10**6 + 1
        assert 0 <= end.prize - sum(paid.values()) < len(paid)
