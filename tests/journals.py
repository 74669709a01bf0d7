"""What every journal must do: the suite of both back ends, which a test module imports.

The module has the fixtures `open_journal(identity)` and `raise_epoch()`, by which another engine takes the stream.
"""

import pytest

from tessera.live.journal import Entry, Headed, Journal, JournalError, NotOwnerError, owned
from tessera.model.sessions.record import Line, LineKind

__all__ = [
    "journal",
    "test_a_batch_is_written_whole_or_not_at_all",
    "test_a_journal_that_is_closed_is_free",
    "test_an_owner_whose_epoch_is_over_writes_nothing",
    "test_each_owner_has_an_epoch_of_its_own",
    "test_entries_come_back_in_their_order",
    "test_no_line_has_the_number_of_another",
    "test_one_engine_owns_it",
    "test_what_is_public_has_no_body_of_a_bet",
    "test_who_waits_reads_what_is_written_meanwhile_once",
]

ENTRY = Entry("note", {"value": "1", "text": 'quotes " and \\ and ü'})


def numbered(n: int) -> Entry:
    return Entry("bet", {"n": str(n)}, Headed(Line(n, LineKind.BET, 1, bytes([n] * 32), bytes(32)), bytes([n] * 32)))


def content(open_journal) -> list[Entry]:
    return list(open_journal().unread())


@pytest.fixture
def journal(open_journal) -> Journal:
    return owned(open_journal())


def test_entries_come_back_in_their_order(journal, open_journal):
    journal.commit([numbered(1), ENTRY])
    journal.commit([numbered(2)])
    assert content(open_journal) == [numbered(1), ENTRY, numbered(2)]
    assert journal.lines(1, 10) == [numbered(1).headed, numbered(2).headed]
    assert journal.lines(2, 10) == [numbered(2).headed]
    assert journal.lines(1, 1) == [numbered(1).headed]
    assert journal.lines(3, 10) == []


def test_each_owner_has_an_epoch_of_its_own(open_journal):
    for epoch in (1, 2, 3):
        journal = owned(open_journal())
        assert journal.epoch == epoch
        journal.close()


def test_one_engine_owns_it(journal, open_journal):
    rival = open_journal()
    assert not rival.own()
    journal.commit([ENTRY])
    assert (journal.epoch, rival.epoch) == (1, 0)


def test_a_journal_that_is_closed_is_free(journal, open_journal):
    rival = open_journal()
    journal.commit([numbered(1)])
    journal.close()
    assert rival.own()
    assert list(rival.unread()) == [numbered(1)]


def test_who_waits_reads_what_is_written_meanwhile_once(journal, open_journal):
    rival = open_journal()
    journal.commit([numbered(1)])
    assert list(rival.unread()) == [numbered(1)]
    journal.commit([numbered(2)])
    journal.close()
    assert rival.own()
    assert list(rival.unread()) == [numbered(2)]


def test_an_owner_whose_epoch_is_over_writes_nothing(journal, open_journal, raise_epoch):
    raise_epoch()
    with pytest.raises(NotOwnerError, match="has taken"):
        journal.commit([ENTRY])
    assert content(open_journal) == []


def test_no_line_has_the_number_of_another(journal):
    journal.commit([numbered(1)])
    with pytest.raises(JournalError):
        journal.commit([numbered(1)])


def test_a_batch_is_written_whole_or_not_at_all(journal, open_journal):
    journal.commit([numbered(1)])
    with pytest.raises(JournalError):
        journal.commit([ENTRY, numbered(1)])
    journal.close()
    assert content(open_journal) == [numbered(1)]


def test_what_is_public_has_no_body_of_a_bet(journal):
    bare = [Entry("bet", {}, numbered(n).headed) for n in (1, 2)]
    private = [Entry(what, {"value": "1"}) for what in ("offer", "limit", "close")]
    public = [Entry(what, {"value": "1"}) for what in ("question", "book", "ended")]
    journal.commit([public[0], numbered(1), *private, *public[1:], numbered(2)])
    whole = [public[0], bare[0], *public[1:], bare[1]]
    assert journal.public(0, 0, 10) == whole
    assert journal.public(0, 0, 2) == whole[:2]
    assert journal.public(0, 1, 2) == whole[1:3]
    assert journal.public(1, 0, 10) == whole[2:]
    assert journal.public(1, 2, 10) == whole[4:]
    assert journal.public(2, 0, 10) == []
