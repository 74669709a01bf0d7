"""`tessera.accounting.ledger.rebuild`. That it equals the chain is tested in tests/invariant/test_escrow.py."""

import pytest

from tessera.accounting.ledger import COLLECTED, PAID, Ledger, LedgerError, rebuild
from tessera.chain.escrow import Kind


def entry(account, kind, amount, balance_after, product="", pot=""):
    fields = {"account": account, "product": product, "pot": pot, "kind": kind, "amount": amount}
    return {"event": "Entry", **fields, "balance_after": balance_after}


def moved(product, from_pot, to_pot, amount):
    return {"event": "Moved", "product": product, "from_pot": from_pot, "to_pot": to_pot, "amount": amount}


def test_nothing_from_nothing():
    assert rebuild([]) == Ledger({}, {})


def test_a_bet_from_deposit_to_withdrawal():
    ledger = rebuild(
        [
            entry("bettor", Kind.DEPOSIT, 10, 10),
            entry("creator", Kind.DEPOSIT, 50, 50),
            {"event": "ConsentChanged", "account": "bettor", "products": 1},
            entry("creator", Kind.DEPOSIT_SEED, 50, 0, "markets", "1"),
            entry("bettor", Kind.BET_DEBIT, 10, 0, "markets", "1"),
            moved("markets", "1", "2", 5),
            entry("bettor", Kind.PAYOUT, 30, 30, "markets", "1"),
            entry("creator", Kind.RESIDUE, 5, 5, "markets", "2"),
            entry("bettor", Kind.WITHDRAWAL, 29, 1),
        ]
    )
    assert ledger == Ledger({"bettor": 1, "creator": 5}, {("markets", "1"): 25, ("markets", "2"): 0})
    assert ledger.owed == 31


def test_pots_of_two_products_are_two():
    rows = [entry("a", Kind.DEPOSIT, 9, 9), entry("a", Kind.FUNDING, 4, 5, "x", "1"), entry("a", 8, 3, 2, "y", "1")]
    assert rebuild(rows).pots == {("x", "1"): 4, ("y", "1"): 3}


def test_into_the_same_pot():
    rows = [entry("a", Kind.DEPOSIT, 9, 9), entry("a", Kind.FUNDING, 4, 5, "x", "1"), moved("x", "1", "1", 4)]
    assert rebuild(rows).pots == {("x", "1"): 4}


@pytest.mark.parametrize("kind", [*COLLECTED, *PAID, Kind.DEPOSIT, Kind.WITHDRAWAL])
def test_knows_each_kind(kind):
    start = [entry("a", Kind.DEPOSIT, 9, 9), entry("a", Kind.FUNDING, 4, 5, "x", "1")]
    change = 1 if kind in PAID or kind == Kind.DEPOSIT else -1
    ledger = rebuild([*start, entry("a", kind, 1, 5 + change, "x", "1")])
    pot = 4 + (kind in COLLECTED) - (kind in PAID)
    assert ledger == Ledger({"a": 5 + change}, {("x", "1"): pot})


@pytest.mark.parametrize(
    "row",
    [
        entry("a", Kind.DEPOSIT, 1, 8),
        entry("a", Kind.DEPOSIT, 1, 10),
        entry("a", Kind.BET_DEBIT, 1, 9, "x", "1"),
        entry("b", Kind.PAYOUT, 1, 2, "x", "1"),
    ],
)
def test_refuses_a_balance_that_does_not_follow(row):
    with pytest.raises(LedgerError, match="not as logged"):
        rebuild([entry("a", Kind.DEPOSIT, 9, 9), entry("a", Kind.FUNDING, 1, 8, "x", "1"), row])


@pytest.mark.parametrize(
    "row",
    [
        entry("a", Kind.WITHDRAWAL, 9, -1),
        entry("a", Kind.BET_DEBIT, 9, -1, "x", "1"),
        entry("a", Kind.PAYOUT, 2, 10, "x", "1"),
        entry("a", Kind.PAYOUT, 1, 9, "y", "1"),
        moved("x", "1", "2", 2),
        moved("x", "2", "1", 1),
        moved("x", "1", "1", 2),
    ],
)
def test_refuses_less_than_nothing(row):
    with pytest.raises(LedgerError, match="less than nothing"):
        rebuild([entry("a", Kind.DEPOSIT, 9, 9), entry("a", Kind.FUNDING, 1, 8, "x", "1"), row])


@pytest.mark.parametrize("kind", [0, 3, 1024, Kind.BET_DEBIT | Kind.PAYOUT])
def test_refuses_a_kind_that_is_not_one(kind):
    with pytest.raises(LedgerError, match="unknown kind"):
        rebuild([entry("a", kind, 1, 1)])
