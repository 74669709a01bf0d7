"""What the engine publishes is its record: audited by the script that knows nothing of the engine."""

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from scripts import audit_stream
from tessera.live import answers
from tessera.live.fairness import Answers, microseconds
from tessera.live.journal import NotOwnerError
from tessera.live.publication import Publication
from tessera.live.refusals import Code, Refused
from tessera.live.row_files import RowFiles
from tessera.live.wire import encode
from tests.live import BEGIN, DOMAIN, EUR, HOUSE

SECOND = 1_000


def publication(stage, folder: Path | None) -> Publication:
    engine = stage.engine
    return Publication(stage.journal, DOMAIN, engine.stream_id, HOUSE, lambda: answers.identity(engine), folder)


def publish(stage, folder: Path) -> None:
    """The engine's public files as of now."""
    public = publication(stage, folder)
    while public.step():
        pass


def audited(folder: Path, *kept: dict) -> tuple[int, list[str]]:
    """The script's exit status, and what it says after whose files they are, for public files and what players kept."""
    (folder / "signed.jsonl").write_text("".join(json.dumps(item) + "\n" for item in kept))
    said = StringIO()
    with redirect_stdout(said):
        status = audit_stream.main(str(folder))
    return status, said.getvalue().splitlines()[1:]


def receipt_of(completed) -> dict:
    return {"type": "receipt", "state": encode(completed.state_hash), **numbers(encode(completed.receipt._asdict()))}


def numbers(body: dict) -> dict:
    return body | {name: int(body[name]) for name in ("n", "epoch")}


def refused(stage, player, quoted, **more) -> dict:
    """A refusal as its player keeps it."""
    with pytest.raises(Refused) as caught:
        stage.answer(stage.engine.place(*stage.signed(player, stage.next_state(player, stage.bet(quoted, **more)))))
    details = caught.value.details
    return {"type": "refusal", **details["refusal"], "signature": details["signature"]}


def figures(folder: Path) -> dict:
    return json.loads((folder / "fairness.json").read_text())


def published(folder: Path) -> list[dict]:
    """The rows that are public."""
    return [json.loads(row) for row in (folder / "record-1.jsonl").read_text().splitlines()]


def forge(folder: Path, rows: list[dict]) -> None:
    """Publishes other rows, with the figures that they come to."""
    (folder / "record-1.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "fairness.json").write_text(json.dumps(audit_stream.figures(rows)))


@pytest.fixture
def played(stage, tmp_path):
    """Public files of two bets, of which the first is settled; a refusal that its player keeps."""
    player, quoted = stage.opened(), stage.ask()
    stage.place_bet(player, quoted)
    kept = refused(stage, player, quoted, stake=1)
    stage.settle(quoted, 1)
    second = stage.ask()
    stage.place_bet(player, second)
    stage.settle(second, 0)
    publish(stage, tmp_path)
    assert audited(tmp_path, kept)[0] == 0
    return tmp_path, kept


@pytest.mark.parametrize(("kind", "name"), [("quote", "quote"), ("result", "outcome"), ("answers", "answers")])
def test_lines_that_are_published_without_their_content_are_said(played, kind, name):
    """Quotes, results and refusals that a house would rather not show were left out, and the files were clean."""
    folder, _ = played
    rows = published(folder)
    [row, *_] = [row for row in rows if name in row]
    del row[name]
    (folder / "record-1.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "fairness.json").unlink()
    status, said = audited(folder)
    assert (status, said[0]) == (3, f"to look at: line {row['n']} is published without what it is of")


@pytest.mark.parametrize("what", ["question", "book"])
def test_rows_that_are_there_twice_are_said(played, what):
    """They made figures better: twice as many books that observers signed."""
    folder, _ = played
    rows = published(folder)
    [row, *_] = [row for row in rows if row.get("what") == what]
    forge(folder, [*rows, row])
    status, said = audited(folder)
    assert status == 3
    assert said[0].endswith("is there twice")


def test_a_result_that_is_hidden_is_said(played):
    folder, _ = played
    rows = published(folder)
    [row, *_] = [row for row in rows if row.get("outcome") is not None]
    forge(folder, [row | {"outcome": None} if other is row else other for other in rows])
    status, said = audited(folder)
    assert (status, said[0]) == (3, f"to look at: line {row['n']} has a result that is not published")


def test_slow_receipts_that_are_left_out_of_the_times_are_said(stage, tmp_path, monkeypatch):
    player, quoted = stage.opened(), stage.ask()
    took = Answers.took
    with monkeypatch.context() as patched:
        patched.setattr(Answers, "took", lambda *_: None)
        slow = stage.place_bet(player, quoted)
    assert Answers.took is took
    stage.place_bet(player, quoted)
    stage.settle(quoted, 1)
    publish(stage, tmp_path)
    status, said = audited(tmp_path)
    text = f"to look at: the bet of line {slow.receipt.n} has no time, and a later one of its epoch has"
    assert (status, said[0]) == (3, text)


def test_refusals_after_all_answers_that_are_published_are_said(played, stage):
    """A house that published answers of times long past was clean, whatever it left out."""
    folder, _ = played
    late = refused(stage, stage.opened("another"), stage.ask(), stake=1)
    status, said = audited(folder, late)
    text = (
        f"to look at: refusal 40 of {late['refused_at']} ms is later than the answers published: look again in a minute"
    )
    assert (status, said[0]) == (3, text)


def test_an_honest_engine_is_clean_through_a_restart(stage, tmp_path):
    folder = tmp_path / "public"
    first, second = stage.opened("first"), stage.opened("second")
    kept = []
    for player in (first, second, first):
        quoted = stage.ask()
        stage.place_bet(player, quoted)
        kept.append(refused(stage, player, quoted, stake=1))
        stage.settle(quoted, 1)
    publish(stage, folder)
    stage.restart()
    quoted = stage.ask()
    stage.place_bet(second, quoted, stake=2 * EUR)
    stage.settle(quoted, 0)
    kept += map(receipt_of, first.completed + second.completed)
    publish(stage, folder)
    status, said = audited(folder, *kept)
    assert status == 0, said
    count = stage.engine.published[0]
    assert said[0] == f"{count} lines and {len(kept) + 4} signatures agree"  # of four books, too

    found = figures(folder)
    assert {name: found[name] for name in ("n", "epochs", "questions", "books", "results")} == {
        "n": count,
        "epochs": 2,
        "questions": 4,
        "books": 4,
        "results": 4,
    }
    assert (found["bets"], found["accepted"], found["refused"]) == (6, 6, 3)  # two activations, four bets
    assert (found["refusals"], found["acceptance_ppm"]) == ({"stake": 3}, 666_666)
    assert found["books_confirmed"] == 4
    assert found["results_missing"] == 0
    for times in (found["receipt_us"], found["refusal_us"]):
        assert 0 < times["p50"] <= times["p99"] <= times["most"]
    another = tmp_path / "another machine"
    publish(stage, another)
    for name in ("stream.json", "record-1.jsonl", "fairness.json"):
        assert (another / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "value"), [("acceptance_ppm", 1_000_000), ("refusals", {}), ("receipt_us", {"p50": 1}), ("bets", 5)]
)
def test_a_figure_that_is_not_the_record_s_is_said(stage, tmp_path, name, value):
    player, quoted = stage.opened(), stage.ask()
    refused(stage, player, quoted, stake=1)
    stage.pass_time(SECOND)
    publish(stage, tmp_path)
    assert audited(tmp_path)[0] == 0
    true = figures(tmp_path)[name]
    (tmp_path / "fairness.json").write_text(json.dumps(figures(tmp_path) | {name: value}))
    status, said = audited(tmp_path)
    assert (status, said[0]) == (3, f"to look at: published is {name} = {value}, by the record it is {true}")


def test_one_refusal_that_was_left_out_convicts(stage, tmp_path, monkeypatch):
    player, quoted = stage.opened(), stage.ask()
    monkeypatch.setattr(Answers, "refuse", lambda *_: None)  # a house that wants to look better than it is
    stage.pass_time(SECOND)
    kept = refused(stage, player, quoted, stake=1)
    stage.place_bet(player, quoted)
    stage.pass_time(SECOND)
    stage.settle(quoted, 1)  # by which the house signs a head
    publish(stage, tmp_path)
    assert figures(tmp_path)["acceptance_ppm"] == 1_000_000
    assert audited(tmp_path)[0] == 0  # the files alone do not show it
    status, said = audited(tmp_path, kept)
    text = f"CONVICTED: the house left its refusal 40 of {BEGIN + SECOND} ms out of the answers that it published"
    assert (status, said[0]) == (2, text)


def test_a_refusal_that_was_published_with_another_reason_convicts(stage, tmp_path, monkeypatch):
    player, quoted = stage.opened(), stage.ask()
    refuse = Answers.refuse
    monkeypatch.setattr(Answers, "refuse", lambda self, code, *more: refuse(self, Code.QUOTE_EXPIRED, *more))
    kept = refused(stage, player, quoted, stake=1)
    stage.pass_time(SECOND)
    publish(stage, tmp_path)
    text = "CONVICTED: the house signed refusal 40 of a state, and published it as 34"
    assert audited(tmp_path, kept)[1][0] == text


def test_a_refusal_by_somebody_else_or_a_twin_of_its_signature_convicts_nobody(stage, tmp_path):
    player, quoted = stage.opened(), stage.ask()
    kept = refused(stage, player, quoted, stake=1)
    stage.settle(quoted, 1)
    publish(stage, tmp_path)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    raw = bytes.fromhex(kept["signature"][2:])
    last = int.from_bytes(raw[32:])
    twin = raw[:32] + (order - (last & 2**255 - 1)).to_bytes(32) + bytes([28 - (last >> 255)])
    assert audited(tmp_path, kept | {"signature": "0x" + twin.hex()})[0] == 0
    assert audited(tmp_path, kept | {"refused_at": str(BEGIN + 1)})[1][0] == (
        "to look at: 1 items are not signed by the house key: left out"
    )


def test_answers_that_a_crash_lost_convict_nobody(stage, tmp_path):
    player, quoted = stage.opened(), stage.ask()
    stage.pass_time(SECOND)
    lost = refused(stage, player, quoted, stake=1)
    stage.time += 1
    stage.restart()  # within a second: the refusal was in memory alone
    last = refused(stage, player, stage.ask(), stake=1)
    stage.pass_time(SECOND)
    stage.settle(quoted, 1)
    publish(stage, tmp_path)
    assert audited(tmp_path, last)[0] == 0
    text = f"to look at: refusal 40 of {BEGIN + SECOND} ms is of a time of which the house has published no answers"
    assert audited(tmp_path, last, lost) == (3, [text, *audited(tmp_path, last)[1][1:]])


def test_a_clock_that_goes_back_does_not_make_a_refusal_look_left_out(stage, tmp_path):
    player, quoted = stage.opened(), stage.ask()
    stage.pass_time(2 * SECOND)
    stage.time -= 1_500
    kept = refused(stage, player, quoted, stake=1)
    assert int(kept["refused_at"]) == BEGIN + 2 * SECOND
    stage.restart()  # and the note of it is lost
    stage.pass_time(3 * SECOND)
    stage.settle(quoted, 1)
    publish(stage, tmp_path)
    assert audited(tmp_path, kept)[0] != 2


@pytest.mark.parametrize(("after", "behind"), [(900, 800), (2_500, 2_400)], ids=["a little", "more than a second"])
def test_an_engine_whose_clock_is_behind_that_of_the_one_before_convicts_nobody(stage, tmp_path, after, behind):
    player, quoted = stage.opened(), stage.ask()
    stage.pass_time(SECOND)
    stage.time += after
    lost = refused(stage, player, quoted, stake=1)
    stage.time -= behind
    stage.restart()  # within the time of the refusal, by its clock
    stage.place_bet(player, stage.ask())
    stage.pass_time(behind + 1_200)
    stage.settle(quoted, 1)
    publish(stage, tmp_path)
    status, said = audited(tmp_path, lost)
    assert status == 3
    assert "of a time of which the house has published no answers" in said[0]


def test_an_engine_that_has_lost_its_stream_signs_no_refusal(stage):
    """The next owner's answers would lack it."""
    player, quoted = stage.opened(), stage.ask()
    stage.journal._db.execute("UPDATE stream SET epoch = epoch + 1")  # as another engine does
    future = stage.engine.place(*stage.signed(player, stage.next_state(player, stage.bet(quoted, stake=1))))
    with pytest.raises(NotOwnerError):
        stage.engine.flush()
    with pytest.raises(NotOwnerError):
        future.result(timeout=0)


def answer_lines(stage) -> int:
    return sum(entry.what == "answers" for entry in stage.entries())


def test_answers_become_a_line_once_a_second_or_when_there_are_a_thousand(stage, monkeypatch):
    player, quoted = stage.opened(), stage.ask()
    stage.pass_time(SECOND)  # the activation's
    before = answer_lines(stage)
    refused(stage, player, quoted, stake=1)
    stage.pass_time(SECOND - 1)
    assert answer_lines(stage) == before
    stage.pass_time(1)
    assert answer_lines(stage) == before + 1
    stage.pass_time(5 * SECOND)  # in which nothing was answered
    assert answer_lines(stage) == before + 1
    refused(stage, player, quoted, stake=1)
    stage.pass_time(0)
    assert answer_lines(stage) == before + 2  # the last line is seconds old
    monkeypatch.setattr("tessera.live.fairness.MOST_NOTED", 3)
    for lines in (2, 2, 3):
        refused(stage, player, quoted, stake=1)
        stage.pass_time(0)
        assert answer_lines(stage) == before + lines


def test_who_asks_too_often_is_counted_and_fills_neither_journal_nor_file(stage, tmp_path):
    player, quoted = stage.opened(), stage.ask()
    before, asked = stage.entries(), stage.signed(player, stage.next_state(player, stage.bet(quoted)))
    take, stage.engine._requests.take = stage.engine._requests.take, lambda who: False
    for _ in range(20):
        with pytest.raises(Refused) as caught:
            stage.answer(stage.engine.place(*asked))
        # Nothing is said of the state, which is taken once there is room.
        assert (caught.value.number, caught.value.details) == (Code.TOO_MANY_REQUESTS, {})
    assert stage.entries() == before
    stage.engine._requests.take = take
    stage.place(player, asked[1])
    stage.pass_time(SECOND)
    stage.settle(quoted, 1)
    publish(stage, tmp_path)
    assert figures(tmp_path)["refusals"] == {"too_many_requests": 20}
    assert audited(tmp_path)[0] == 0


def test_nothing_that_is_public_says_whose_it_is(stage, tmp_path):
    player, quoted = stage.opened(), stage.ask()
    kept = refused(stage, player, quoted, stake=1)
    stage.place_bet(player, quoted)
    stage.settle(quoted, 1)
    publish(stage, tmp_path / "public")
    public = "".join(path.read_text() for path in (tmp_path / "public").iterdir()).lower()
    for secret in (player.session.hex(), player.wallet.address, player.key.address, kept["state"], kept["signature"]):
        assert secret.lower().removeprefix("0x") not in public


def test_a_file_that_was_cut_off_is_mended(stage, tmp_path):
    player, quoted = stage.opened(), stage.ask()
    publish(stage, tmp_path / "cut")
    path = tmp_path / "cut" / "record-1.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    stage.place_bet(player, quoted)
    stage.settle(quoted, 1)
    publish(stage, tmp_path / "cut")
    publish(stage, tmp_path / "whole")
    assert path.read_bytes() == (tmp_path / "whole" / "record-1.jsonl").read_bytes()


@pytest.fixture
def small(stage, monkeypatch) -> int:
    """Files of a few rows, of a record with two settled bets; the most bytes of one."""
    monkeypatch.setattr(RowFiles.__init__, "__defaults__", (3_000,))
    player = stage.opened()
    for _ in range(2):
        quoted = stage.ask()
        stage.place_bet(player, quoted)
        stage.settle(quoted, 1)
    return 3_000


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "signed.jsonl"}


def test_the_record_is_in_files_of_bounded_size_which_the_audit_reads_all(stage, small, tmp_path, monkeypatch):
    publish(stage, tmp_path / "grown")
    before = content(tmp_path / "grown")
    player = stage.opened("another")
    quoted = stage.ask()
    completed = stage.place_bet(player, quoted)
    stage.settle(quoted, 1)
    publish(stage, tmp_path / "grown")
    grown = content(tmp_path / "grown")
    names = json.loads(grown["stream.json"])["record"]
    assert names == [f"record-{number}.jsonl" for number in range(1, len(names) + 1)]
    assert len(names) > 3
    assert all(0 < len(grown[name]) <= small for name in names)
    full = json.loads(before["stream.json"])["record"][:-1]
    assert full
    assert all(grown[name] == before[name] for name in full)
    assert audited(tmp_path / "grown", receipt_of(completed))[0] == 0
    publish(stage, tmp_path / "at once")  # as on another machine
    assert content(tmp_path / "at once") == grown
    monkeypatch.undo()
    publish(stage, tmp_path / "one")
    assert (tmp_path / "one" / "record-1.jsonl").read_bytes() == b"".join(grown[name] for name in names)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_what_follows_a_file_that_was_cut_off_is_written_again(stage, small, tmp_path, number):
    publish(stage, tmp_path)
    whole = content(tmp_path)
    path = tmp_path / f"record-{number}.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    publish(stage, tmp_path)
    assert content(tmp_path) == whole
    path.unlink()
    publish(stage, tmp_path)
    assert content(tmp_path) == whole


def test_files_that_a_house_leaves_out_are_noticed(stage, small, tmp_path):
    publish(stage, tmp_path)
    about = json.loads((tmp_path / "stream.json").read_text())
    for names in (about["record"][1:], about["record"][:1] + about["record"][2:], ["/etc/passwd"], ["../record.jsonl"]):
        (tmp_path / "stream.json").write_text(json.dumps(about | {"record": names}))
        assert audited(tmp_path)[0] in (audit_stream.BROKEN, audit_stream.UNREADABLE)
    (tmp_path / "stream.json").write_text(json.dumps(about | {"record": about["record"][:-1]}))
    assert audited(tmp_path)[0] == audit_stream.BROKEN  # which the figures count


def test_a_file_of_another_record_is_left_as_it_is(stage, tmp_path, caplog):
    stage.ask()
    publish(stage, tmp_path)
    path = tmp_path / "record-1.jsonl"
    rows = [json.loads(row) for row in path.read_text().splitlines()]
    rows[-1]["head"] = "0x" + 64 * "5"
    before = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_text(before)
    stage.ask()
    publish(stage, tmp_path)
    assert path.read_text() == before
    assert "has the record of another journal" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "5",
        "[]",
        "null",
        '"row"',
        "{}",
        '{"what":[]}',
        '{"n":5}',
        '{"n":"2","kind":0,"head":"0x00"}',
        '{"n":1e999,"kind":0,"head":"0x00"}',
        '{"n":NEXT}',
        '{"n":NEXT,"kind":0,"head":7}',
        '{"n":NEXT,"kind":9,"head":"0x00"}',
        '{"n":NEXT,"kind":4,"head":"0x00"}',
        '{"n":NEXT,"kind":5,"head":"0x00","answers":{"since":0,"until":"9","bets":[],"refused":[],"too_many":0}}',
        '{"n":NEXT,"kind":5,"head":"0x00","answers":{"since":0,"until":9,"bets":[[1,"a"]],"refused":[],"too_many":0}}',
        '{"n":NEXT,"kind":5,"head":"0x00","answers":{"since":0,"until":9,"bets":[[1]],"refused":[],"too_many":0}}',
        '{"n":NEXT,"kind":5,"head":"0x00","answers":{"since":0,"until":9,"bets":7,"refused":[],"too_many":0}}',
        '{"n":NEXT,"kind":5,"head":"0x00",'
        '"answers":{"since":0,"until":9,"bets":[],"refused":[[0,0,null,1]],"too_many":0}}',
    ],
)
def test_json_that_is_no_row_ends_the_publication_and_not_the_engine(stage, tmp_path, caplog, text):
    """It raised what nobody caught: the engine ended with it, and again at each start."""
    folder = tmp_path / "public"
    stage.ask()
    publish(stage, folder)
    path = folder / "record-1.jsonl"
    before = path.read_text()
    lines = len(before.splitlines())
    last = json.loads(before.splitlines()[-1])["n"]
    path.write_text(before + text.replace("NEXT", str(last + 1)) + "\n" + before)
    stage.ask()
    publish(stage, folder)
    assert f"{path}, line {lines + 1} is no row of a record" in caplog.text
    assert "move the folder away" in caplog.text
    assert path.read_text().startswith(before + text[:5])  # it is left as it is
    folder.rename(tmp_path / "old")
    publish(stage, folder)
    assert audited(folder)[0] == 0


def test_a_folder_that_cannot_be_made_ends_no_engine(stage, tmp_path):
    """An engine that waited would end in the moment in which it takes its stream over."""
    (tmp_path / "file").touch()
    published = publication(stage, tmp_path / "file" / "public")
    with pytest.raises(OSError, match="Not a directory"):  # which a runner logs, and tries again
        published.step()
    (tmp_path / "file").unlink()
    published.step()
    assert (tmp_path / "file" / "public" / "fairness.json").exists()


def test_without_a_folder_there_are_figures_all_the_same(stage):
    stage.ask()
    public = publication(stage, None)
    assert public.figures["quotes"] == 0
    public.step()
    assert public.figures["quotes"] == 1


def test_times_are_rounded_up_to_two_digits():
    given = (0, 1, 999, 1_000, 98_001, 990_000, 991_000, 1_234_567, 1_300_000_000)
    assert [microseconds(ns) for ns in given] == [0, 1, 1, 1, 99, 990, 1_000, 1_300, 1_300_000]
