"""The evening at a host's, by hand and beside a changed log: the audit notices one unit."""

from dataclasses import replace

import pytest
from rich.console import Console

from tessera.accounting.ledger import LedgerError
from tessera.chain import EUR
from tessera.chain.escrow import Kind
from tessera.demo import terminal
from tessera.demo.audit import AuditError
from tessera.demo.hosted import HOST, PLAYERS, VALIDATORS, play
from tessera.demo.hosted_audit import audit
from tessera.demo.hosted_record import gains, hosted_bets
from tessera.demo.report.hosted import sections
from tests.unit.demo.changes import with_entry


@pytest.fixture(scope="module")
def played():
    return play()


def test_every_bet_is_decided_but_the_one_that_the_panel_says_nothing_about(played):
    lines = hosted_bets(played)
    assert [(line.outcome, line.has_odds) for line in lines] == [
        ("Spain", False),
        ("England", True),
        ("Spain", False),
        ("yes", True),
        ("stakes back: the panel was silent", False),
    ]
    assert [(line.stakes, line.staked // EUR) for line in lines] == [(4, 26), (2, 15), (3, 25), (2, 37), (2, 10)]


def test_players_saw_their_stakes_wait_confirmed_and_settled(played):
    counts = [dict(counted) for _, counted in played.shown]
    # Cosmo's 20 EUR at 80 % wait until Dina is on the other side.
    assert counts == [{"confirmed": 9, "pending": 1}, {"confirmed": 13}, {"settled": 11, "refunded": 2}]


def test_everybody_gets_what_the_rules_say(played):
    """By hand. Spain: 15 won of 26, 11 lost less 1.10. England at 140 %. Spain again: 12 won, 13 lost less 1.30."""
    gained = {person.name: person.gain for person in gains(played)}
    assert {name: gained[name] for name in PLAYERS} == {
        "Anouk": 6_600_000 + 14 * EUR,
        "Bela": -8 * EUR - 5 * EUR - 4 * EUR,
        "Cosmo": 3_300_000 + 16 * EUR,
        "Dina": -3 * EUR - 17 * EUR,
        "Edda": 11_700_000,
        "Falk": -9 * EUR,
    }
    # 5 % of what was lost in pools, 1 % of what was confirmed at odds, for the two who signed.
    commissions = (11 + 13) * EUR * 5 // 100 + (15 + 37) * EUR // 100
    assert sum(gained[name] for name in VALIDATORS) == commissions
    assert sorted(gained[name] for name in VALIDATORS) == [0, commissions // 2, commissions // 2]
    assert gained[HOST] == -sum(gain for name, gain in gained.items() if name != HOST)


@pytest.mark.parametrize(
    ("kind", "by"),
    [(Kind.PAYOUT, 1), (Kind.COMMISSION, -1), (Kind.RESIDUE, 1), (Kind.REFUND, -1), (Kind.BET_DEBIT, 1)],
    ids=lambda value: getattr(value, "name", None),
)
def test_audit_fails_over_a_changed_log(played, kind, by):
    with pytest.raises((AuditError, LedgerError)):
        audit(with_entry(played, kind, by))


def test_audit_fails_where_a_bet_is_not_settled_or_a_player_was_not_told(played):
    unsettled = [replace(played.bets[0], settled=False), *played.bets[1:]]
    with pytest.raises(AuditError, match="is not settled"):
        audit(replace(played, bets=unsettled))
    with pytest.raises(AuditError, match="in the end players are shown"):
        audit(replace(played, shown=played.shown[:1]))
    paid_otherwise = [replace(bet, outcome=1 - bet.outcome if bet.has_odds else bet.outcome) for bet in played.bets[1:]]
    with pytest.raises(AuditError, match="due "):
        audit(replace(played, bets=[played.bets[0], *(bet for bet in paid_otherwise if bet.outcome is not None)]))


def test_page_and_terminal_tell_it(played, monkeypatch):
    text = "".join(section.body for section in sections(played))
    for wanted in (*PLAYERS, HOST, *VALIDATORS, "bets.ini", "odds = 80%, 110%", "add up to 0.000000 EUR", "pending"):
        assert wanted in text
    console = Console(width=100, record=True, highlight=False)
    monkeypatch.setattr(terminal, "console", console)
    terminal.hosted_summary(played)
    said = console.export_text()
    for wanted in (*PLAYERS, HOST, "stakes back", "in the end", "✓ all 5 hosted bets are settled"):
        assert wanted in said
