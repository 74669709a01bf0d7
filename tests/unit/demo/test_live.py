"""The replay that is bet on, by hand and beside a changed log or journal: the audit notices one unit."""

from dataclasses import replace

import pytest
from rich.console import Console

from tessera.accounting.ledger import LedgerError
from tessera.chain import EUR
from tessera.chain.escrow import Kind
from tessera.chain.micro_sessions import ExitPosted, SessionClosed, SessionOpened
from tessera.demo import terminal
from tessera.demo.audit import AuditError
from tessera.demo.live import HOUSE, PLAYERS, QUESTIONS, play
from tessera.demo.live_audit import audit
from tessera.demo.live_record import choice_text, lies, questions, sessions
from tessera.demo.report.live import sections
from tessera.demo.report.page import Head, assemble
from tessera.model.sessions.record import LineKind
from tests.chromium import SIZES, found_by_axe, opened
from tests.unit.demo.changes import with_entry, with_row


@pytest.fixture(scope="module")
def played():
    return play()


def test_questions_of_four_kinds_end_as_the_match_did(played):
    """No goal before half time, Williams 47', Palmer 73', Oyarzabal 86'; Spain is H."""
    lines = questions(played)
    assert [choice_text(line.question, line.outcome) for line in lines] == ["0", "after 0 to 10 s", "yes", "H"]
    assert len({line.question.kind for line in lines}) == 4
    assert [len(line.bets) for line in lines] == [len(asked.bets) for asked in QUESTIONS]


def test_everybody_gets_what_the_quotes_say(played):
    """By hand: a chance of c brings back 0.95 / c of a stake, in thousandths, rounded down."""
    nets = {line.name: line.net for line in sessions(played)}
    assert nets == {
        "Malik": 800 * 1_375 - 500_000 - 500_000 + 400 * 2_166 - 300_000 - 600_000,
        "Nils": -600_000 + 700 * 2_800 - 400_000 - 500_000 + 600 * 1_111,
        "Olga": -1_500_000 - 1_000_000 - 1_000_000 - 500_000 - 800_000 - 600_000,
        "Priya": 1_200 * 1_375 + 1_000 * 2_800 + 1_000 * 2_166 + 1_000 * 1_111 - 500_000,
    }
    for line in sessions(played):
        assert line.gain == line.net - EUR // 2
        assert line.curve[-1][1] == 8 * EUR + line.net
        assert [at for at, _ in line.curve] == sorted(at for at, _ in line.curve)


def test_old_states_are_answered_by_whoever_they_would_have_cheated(played):
    nets = {line.name: line.net for line in sessions(played)}
    (by_player, by_house) = lies(played)
    assert (by_player.name, by_player.by_player, by_player.posted.seq, by_player.newest.seq) == ("Olga", True, 0, 7)
    assert (by_house.name, by_house.by_player, by_house.posted.seq, by_house.newest.seq) == ("Priya", False, 0, 6)
    for lie in (by_player, by_house):
        # Nothing bet: the deposit and the activation cost come back.
        assert (lie.wanted, lie.paid) == (8_500_000, 8 * EUR + nets[lie.name])


def test_a_session_that_both_end_takes_two_transactions_whose_cost_is_the_chain_s(played):
    together = [line for line in sessions(played) if line.is_together]
    assert [line.name for line in together] == ["Malik", "Nils"]
    for line in together:
        assert [step.text for step in line.steps] == ["opened", "closed together"]
        for step in line.steps:
            receipt = played.tessera.web3.eth.get_transaction_receipt(step.transaction)
            assert (step.gas, step.wei) == (receipt["gasUsed"], receipt["gasUsed"] * receipt["effectiveGasPrice"])


def test_a_transaction_that_ends_several_sessions_counts_for_each_with_its_part(played):
    first, second, *_ = (row for row in played.rows if isinstance(row, SessionClosed))
    rows = [replace(row, transaction=first.transaction) if row is second else row for row in played.rows]
    steps = [line.steps[1] for line in sessions(replace(played, rows=rows)) if line.is_together]
    assert [step.gas for step in steps] == [played.costs[first.transaction].gas // 2] * 2


@pytest.mark.parametrize(
    ("kind", "by"),
    [(Kind.PAYOUT, 1), (Kind.BET_DEBIT, -1), (Kind.ACTIVATION, 1), (Kind.FUNDING, -1), (Kind.RESIDUE, 1)],
    ids=lambda value: getattr(value, "name", None),
)
def test_audit_fails_over_a_changed_log(played, kind, by):
    with pytest.raises((AuditError, LedgerError)):
        audit(with_entry(played, kind, by))


def test_audit_fails_where_a_session_ended_otherwise(played):
    row = next(row for row in played.rows if isinstance(row, SessionClosed))
    with pytest.raises(AuditError, match="its bets came to"):
        audit(with_row(played, row, net=row.net + 1))


def test_audit_fails_over_a_third_transaction_or_an_old_state_that_stood(played):
    opening = next(row for row in played.rows if isinstance(row, SessionOpened))
    with pytest.raises(AuditError, match="1 ended together and 2 by a dispute"):
        audit(replace(played, rows=[*played.rows, replace(opening, transaction="0x00")], costs=Costs(played.costs)))
    answer = [row for row in played.rows if isinstance(row, ExitPosted)][-1]
    with pytest.raises(AuditError, match="2 ended together and 1 by a dispute"):
        audit(replace(played, rows=[row for row in played.rows if row is not answer]))


class Costs(dict):
    """Costs where one is not known: nothing."""

    def __missing__(self, transaction):
        return next(iter(self.values()))


def test_audit_fails_over_a_changed_journal(played):
    number, result = next(
        (number, entry)
        for number, entry in enumerate(played.entries)
        if entry.headed is not None and entry.headed.line.kind is LineKind.RESULT
    )
    other = replace(result, body=result.body | {"outcome": "1"})
    entries = [*played.entries[:number], other, *played.entries[number + 1 :]]
    with pytest.raises(AuditError, match="ended with choice 1, not 0"):
        audit(replace(played, entries=entries))


def test_page_and_terminal_tell_it(played, monkeypatch):
    text = "".join(section.body for section in sections(played))
    for wanted in (
        *PLAYERS,
        "closed together",
        "newest bet proven",
        "the house posted an old state",
        "Each transaction",
    ):
        assert wanted in text
    for line in sessions(played):
        for step in line.steps:
            assert f"{step.gas:,}" in text
    console = Console(width=100, record=True, highlight=False)
    monkeypatch.setattr(terminal, "console", console)
    terminal.live_summary(played)
    said = console.export_text()
    for wanted in (*PLAYERS, HOUSE, "8.50", "✓ all 4 sessions have ended"):
        assert wanted in said


@pytest.mark.browser
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_the_page_fits_and_everybody_can_read_it(browser, played, tmp_path, size):
    page = tmp_path / "index.html"
    page.write_text(assemble(Head("Live", "A replay", []), sections(played), {}), encoding="utf-8")
    with opened(browser, page.as_uri(), size) as shown:
        assert shown.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert found_by_axe(shown) == []
        graphs = shown.locator("#replay figure svg path.price")
        assert graphs.count() == len(PLAYERS)
        for graph in graphs.all():
            box = graph.bounding_box()
            assert box["width"] > 200
            assert box["height"] > 50
