"""A line that the journal lost: how it is noticed, and that nothing is signed after it."""

import shutil

import pytest

from tessera.chain.signatures import digest_of
from tessera.live import chain
from tessera.live.accounts import tail_text
from tessera.live.refusals import Code, Refused
from tessera.model.sessions.record import LineKind
from tessera.model.sessions.typed import Receipt
from tests.live import DOMAIN, OBSERVERS, STREAM, Stage, key


@pytest.fixture
def asking(tmp_path):
    """An engine on another database than before: it may lack lines, and knows what it has."""
    stage = Stage(tmp_path)
    stage.player, stage.quoted = stage.opened(), stage.ask()
    stage.place_bet(stage.player, stage.quoted)
    stage.lacks_tail = True
    stage.restart()
    yield stage
    stage.journal.close()


def tell(stage, observer, n: int, **more) -> object:
    head = more.get("head", bytes(32))
    epoch = more.get("epoch", stage.journal.epoch)
    return stage.engine.tail(n, head, observer.sign(digest_of(tail_text(DOMAIN, STREAM, epoch, n, head))))


def signed_receipt(stage, completed) -> tuple:
    receipt = completed.receipt
    return Receipt(completed.state_hash, STREAM, receipt.n, receipt.epoch, receipt.head), receipt.signature


def refuses_all(stage, code: Code) -> None:
    """Nothing is taken, and nothing is written."""
    before = stage.entries()
    player = stage.player
    for command in (
        lambda: stage.engine.place(*stage.signed(player, stage.next_state(player, stage.bet(stage.quoted)))),
        lambda: stage.engine.close(*stage.agreement(player)),
        lambda: stage.engine.offer(*stage.wish(player)),
        lambda: stage.engine.ask(stage.question(), (500_000, 500_000)),
        stage.engine.tick,
    ):
        with pytest.raises(Refused) as caught:
            command()
        assert caught.value.number is code
    assert not stage.engine.has_queued
    assert stage.entries() == before


def test_it_writes_and_signs_nothing_before_enough_observers_answered(asking):
    n = asking.engine.published[0]
    refuses_all(asking, Code.ASKING)
    assert tell(asking, OBSERVERS[0], n) is None
    assert tell(asking, OBSERVERS[0], n) is None  # twice is once
    refuses_all(asking, Code.ASKING)
    asking.answer(tell(asking, OBSERVERS[1], n - 1))
    assert asking.entries()[-1].headed.line.kind is LineKind.EPOCH
    assert not asking.journal.may_lack_tail
    asking.place_bet(asking.player, asking.ask())


def test_where_enough_observers_know_of_more_the_stream_ends(asking):
    n = asking.engine.published[0]
    assert tell(asking, OBSERVERS[0], n + 1) is None
    asking.answer(tell(asking, OBSERVERS[1], n + 5))
    assert asking.published[-1][1] == {"type": "ended"}
    refuses_all(asking, Code.ENDED)
    asking.lacks_tail = False
    asking.restart()  # also after a restart
    refuses_all(asking, Code.ENDED)
    assert asking.engine.published[0] == n  # no number of the record was used


def test_one_observer_neither_ends_nor_holds_up_a_stream(asking):
    n = asking.engine.published[0]
    assert tell(asking, OBSERVERS[0], n + 1) is None
    assert tell(asking, OBSERVERS[1], n) is None
    asking.answer(tell(asking, OBSERVERS[2], n))
    assert asking.engine.is_running


def test_a_stranger_s_word_or_that_of_an_earlier_epoch_is_none(asking):
    for change in ({"by": key("a stranger")}, {"epoch": asking.journal.epoch - 1}):
        with pytest.raises(Refused) as caught:
            tell(asking, change.pop("by", OBSERVERS[0]), 1, **change)
        assert caught.value.number is Code.STRANGER


def test_a_receipt_beyond_the_journal_s_end_ends_the_stream(tmp_path):
    stage = Stage(tmp_path)
    stage.player, stage.quoted = stage.opened(), stage.ask()
    stage.place_bet(stage.player, stage.quoted)
    stage.journal.close()
    shutil.copy(stage.path, tmp_path / "backup.db")
    stage.start()
    stage.learn(*stage.events)
    lost = stage.place_bet(stage.player, stage.ask())
    stage.journal.close()
    for name in ("stream.db-wal", "stream.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", stage.path)  # a backup is restored
    stage.start()
    stage.learn(*stage.events)
    assert stage.engine.published[0] < lost.receipt.n
    stage.player.state = stage.engine.session(stage.player.session).state
    stage.answer(stage.engine.lost(*signed_receipt(stage, lost)))
    refuses_all(stage, Code.ENDED)
    assert stage.engine.lost(*signed_receipt(stage, lost)) is None
    (duty,) = chain.due(stage.engine)  # the engine exits by its last state
    assert duty.text.startswith("exit of")
    stage.journal.close()


def test_a_receipt_whose_number_was_used_again_ends_the_stream(stage):
    stage.player, stage.quoted = stage.opened(), stage.ask()
    completed = stage.place_bet(stage.player, stage.quoted)
    receipt, _ = signed_receipt(stage, completed)
    other = Receipt(receipt.state, STREAM, receipt.n, 1, bytes(32))
    stage.answer(stage.engine.lost(other, stage.engine.house.sign(DOMAIN.digest(other))))
    refuses_all(stage, Code.ENDED)


def test_what_the_record_has_or_the_house_did_not_sign_ends_nothing(stage):
    stage.player, stage.quoted = stage.opened(), stage.ask()
    receipt, signature = signed_receipt(stage, stage.place_bet(stage.player, stage.quoted))
    beyond = Receipt(receipt.state, STREAM, 1_000, 1, bytes(32))
    foreign = Receipt(receipt.state, STREAM + 1, 1_000, 1, bytes(32))
    for signed, by, code in (
        (receipt, signature, Code.NOT_LOST),
        (stage.quoted.quote, stage.quoted.signature, Code.NOT_LOST),
        (beyond, OBSERVERS[0].sign(DOMAIN.digest(beyond)), Code.SIGNATURE),
        (foreign, stage.engine.house.sign(DOMAIN.digest(foreign)), Code.SIGNATURE),
    ):
        with pytest.raises(Refused) as caught:
            stage.engine.lost(signed, by)
        assert caught.value.number is code
    assert stage.engine.is_running
