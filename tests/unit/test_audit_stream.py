"""scripts/audit_stream.py: by itself, from files, it finds who broke a stream's record."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from eth_account import Account
from eth_utils import keccak

from scripts import audit_stream
from tessera.model.sessions import record
from tessera.model.sessions.record import Line, LineKind
from tessera.model.sessions.typed import Book, Domain, Quote, Receipt, Refusal

SCRIPT = Path(__file__).parents[2] / "scripts" / "audit_stream.py"
HOUSE = Account.from_key(keccak(text="house"))
DOMAIN = Domain(31_337, "0x" + "5e" * 20)
STREAM = 3
QUESTION = keccak(text="question")
STATES = [keccak(text=f"state {i}") for i in range(3)]
NAMED = f"stream 3 of {DOMAIN.contract} on chain 31337, house key {HOUSE.address}: compare them with the chain"
LINES = [
    Line(1, LineKind.EPOCH, 1, bytes(32), bytes(32)),
    Line(2, LineKind.BET, 1, QUESTION, STATES[0]),
    Line(3, LineKind.BET, 1, QUESTION, STATES[1]),
    Line(4, LineKind.LOCK, 1, QUESTION, record.book_root(STATES[:2])),
    Line(5, LineKind.RESULT, 1, QUESTION, keccak(b"\x01")),
]


def text(value):
    return "0x" + value.hex() if isinstance(value, bytes) else value


def receipt(n, state, head=None, lines=LINES, by=HOUSE) -> dict:
    head = record.heads(DOMAIN, STREAM, lines)[n - 1] if head is None else head
    signed = by.unsafe_sign_hash(DOMAIN.digest(Receipt(state, STREAM, n, 1, head)))
    fields = {"state": state, "n": n, "epoch": 1, "head": head, "signature": bytes(signed.signature)}
    return {"type": "receipt"} | {name: text(value) for name, value in fields.items()}


def book(lines=LINES) -> dict:
    head = record.heads(DOMAIN, STREAM, lines)[3]
    root = record.book_root(STATES[:2])
    signed = HOUSE.unsafe_sign_hash(DOMAIN.digest(Book(QUESTION, STREAM, root, 4, head)))
    fields = {"question": QUESTION, "root": root, "n": 4, "head": head, "signature": bytes(signed.signature)}
    return {"type": "book"} | {name: text(value) for name, value in fields.items()}


@pytest.fixture
def audited(tmp_path, capsys):
    """Returns what runs the script on a record: its exit status and what it says."""

    def audited(lines, signed, beside=None):
        about = {
            "chain_id": DOMAIN.chain_id,
            "contract": DOMAIN.contract,
            "stream_id": STREAM,
            "house_key": HOUSE.address,
        }
        rows = [{name: text(value) for name, value in asdict(line).items()} for line in lines]
        rows = [row | (beside or {}).get(row["n"], {}) for row in rows]
        (tmp_path / "stream.json").write_text(json.dumps(about))
        (tmp_path / "record.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (tmp_path / "signed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in signed))
        return audit_stream.main(str(tmp_path)), "".join(capsys.readouterr()).removeprefix(f"{NAMED}\n")

    return audited


def test_an_honest_record(audited):
    signed = [receipt(2, STATES[0]), receipt(3, STATES[1]), book()]
    assert audited(LINES, signed) == (0, "5 lines and 3 signatures agree\n")


def test_two_heads_for_one_line_convict(audited):
    forked = [*LINES[:2], replace(LINES[2], leaf=STATES[2])]
    code, said = audited(LINES, [receipt(3, STATES[1]), receipt(3, STATES[2], lines=forked)])
    assert code == 2
    assert "CONVICTED: the house signed 2 heads for line 3" in said


def test_one_receipt_that_the_record_does_not_hold_convicts(audited):
    code, said = audited(LINES, [receipt(2, STATES[2]), book()])
    assert (code, said) == (
        2,
        "CONVICTED: the house signed a receipt for line 2 that its own record does not hold\n",
    )


def test_a_head_that_a_later_one_contradicts_convicts(audited):
    forked = [replace(LINES[0], epoch=7), *LINES[1:]]
    code, said = audited(LINES, [receipt(2, STATES[0], lines=forked), book()])
    assert code == 2
    assert "CONVICTED: the house signed a head for line 2 that the heads it signed later contradict" in said


def test_a_bet_after_the_lock_convicts(audited):
    lines = [*LINES[:4], Line(5, LineKind.BET, 1, QUESTION, STATES[2])]
    code, said = audited(lines, [receipt(5, STATES[2], lines=lines)])
    convicted = "CONVICTED: the house took the bet of line 5 after its question was locked\n"
    assert (code, said) == (2, convicted + "to look at: the bet of line 5 is after the lock of its question\n")


def signed_as(kind: str, fields: dict, value) -> dict:
    signed = HOUSE.unsafe_sign_hash(DOMAIN.digest(value))
    return {"type": kind, **fields, "signature": text(bytes(signed.signature))}


def test_what_the_house_signed_of_something_else_convicts_nobody(audited):
    """Each made an honest house one of two heads for line 3: a number and a head beside a refusal or a public quote,
    which neither signature covers, and a receipt of another stream of the same house key."""
    beside = {"n": 3, "head": text(STATES[2])}
    refusal = {"state": text(STATES[2]), "code": 31, "refused_at": 5}
    elsewhere = {"state": text(STATES[2]), "stream_id": 4, **beside, "epoch": 1}
    other = Quote(4, QUESTION, (1_900, 1_900), 10, 2, 9)
    lines = [LINES[0], Line(2, LineKind.QUOTE, 1, QUESTION, DOMAIN.digest(QUOTE)), LINES[2]]
    signed = [receipt(3, STATES[1], lines=lines)]
    code, said = audited(lines, [*signed, signed_as("refusal", refusal | beside, Refusal(STATES[2], STREAM, 31, 5))])
    assert (code, said) == (
        3,
        "to look at: refusal 31 of 5 ms is later than the answers published: look again in a minute\n",
    )
    assert audited(lines, [*signed, quoted(QUOTE) | beside])[0] == 0
    for item in (quoted(other) | beside, signed_as("receipt", elsewhere, Receipt(STATES[2], 4, 3, 1, STATES[2]))):
        code, said = audited(lines, [*signed, item])
        assert (code, said) == (3, "to look at: 1 items are not signed by the house key: left out\n")


ANSWERED = {"since": 0, "until": 5_000, "bets": [], "refused": [], "too_many": 0}


def test_a_house_key_of_two_streams_is_convicted_by_neither_s_record_of_the_other_s(audited):
    """A refusal of another stream is not among this one's answers, and its book has another head for line 4. Where
    neither named its stream, each convicted an honest house."""
    leaf = keccak(text=json.dumps(ANSWERED, separators=(",", ":")))
    lines = [*LINES, Line(6, LineKind.ANSWERS, 1, bytes(32), leaf)]
    head = record.heads(DOMAIN, STREAM, lines)[5]

    def items(stream_id):
        refusal = {"state": text(STATES[2]), "code": 31, "refused_at": 2_000}
        book = {"question": text(QUESTION), "root": text(STATES[2]), "n": 4, "head": text(STATES[2])}
        return [
            signed_as("refusal", refusal, Refusal(STATES[2], stream_id, 31, 2_000)),
            signed_as("book", book, Book(QUESTION, stream_id, STATES[2], 4, STATES[2])),
        ]

    top = Book(QUESTION, STREAM, head, 6, head)
    fields = {name: text(value) for name, value in asdict(top).items()}
    kept = [receipt(2, STATES[0], lines=lines), signed_as("book", fields, top)]
    answers = {6: {"answers": ANSWERED}}
    code, said = audited(lines, [*kept, *items(STREAM + 1)], answers)
    assert (code, said.splitlines()[0]) == (3, "to look at: 2 items are not signed by the house key: left out")
    proofs = ("left its refusal 31 of 2000 ms out of the answers", "signed a head for line 4 that")
    for item, proof in zip(items(STREAM), proofs, strict=True):
        code, said = audited(lines, [*kept, item], answers)
        assert (code, proof in said) == (2, True)


QUOTE = Quote(STREAM, QUESTION, (1_900, 1_900), 10, 2, 9)


def quoted(quote: Quote) -> dict:
    return signed_as("quote", {name: text(value) for name, value in asdict(quote).items()}, quote)


def test_a_quote_that_is_not_in_the_record_convicts(audited):
    """Odds are the same for everybody: a house that quoted one player worse ones was shown by nothing."""
    lines = [LINES[0], Line(2, LineKind.QUOTE, 1, QUESTION, DOMAIN.digest(QUOTE)), LINES[2]]
    signed, worse = receipt(3, STATES[1], lines=lines), quoted(replace(QUOTE, odds=(1_500, 1_900)))
    assert audited(lines, [signed, quoted(QUOTE)])[0] == 0
    code, said = audited(lines, [signed, worse])
    assert (code, said) == (2, "CONVICTED: the house signed a quote of number 2 that its own record does not hold\n")
    code, said = audited(lines, [worse, quoted(QUOTE)])
    assert (code, said) == (2, "CONVICTED: the house signed 2 quotes of number 2\n")
    on_a_bet = quoted(replace(QUOTE, number=3))
    assert audited(lines, [signed, on_a_bet])[0] == 2
    assert audited(lines[:2], [quoted(QUOTE), worse | {"signature": quoted(QUOTE)["signature"]}])[0] == 3


@pytest.mark.parametrize("kind", [str, hex, float, bool, lambda kind: 6], ids=["text", "hex", "float", "bool", "none"])
def test_kinds_are_what_heads_commit_to_however_they_are_written(tmp_path, capsys, audited, kind):
    """Numbers may be text, and a lock whose kind was "3" was no lock: the bet after it convicted nobody."""
    lines = [*LINES[:4], Line(5, LineKind.BET, 1, QUESTION, STATES[2])]
    audited(lines, [receipt(5, STATES[2], lines=lines)])
    rows = [json.loads(row) for row in (tmp_path / "record.jsonl").read_text().splitlines()]
    rows[3]["kind"] = kind(3)
    (tmp_path / "record.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    expected = audit_stream.GUILTY if kind in (str, hex) else audit_stream.UNREADABLE
    assert audit_stream.main(str(tmp_path)) == expected


def test_a_second_lock_and_a_second_result_are_said(audited):
    lines = [
        *LINES,
        Line(6, LineKind.BET, 1, QUESTION, STATES[2]),
        Line(7, LineKind.LOCK, 1, QUESTION, record.book_root(STATES)),
        Line(8, LineKind.BET, 1, keccak(text="another"), STATES[0]),
    ]
    assert audited(lines, [receipt(8, STATES[0], lines=lines)]) == (
        3,
        "to look at: the bet of line 6 is after the lock of its question\n"
        "to look at: line 7 locks a question that was locked before\n",
    )


def test_locks_that_no_head_of_the_house_covers_are_said(audited):
    """A house that leaves its signatures out answers for nothing: that was nothing found."""
    assert audited(LINES, [receipt(3, STATES[1])]) == (
        3,
        "to look at: the house has signed no head of the lock in line 4, nor a later one\n",
    )


def test_items_that_are_none_are_no_traceback(audited):
    for item in ({"type": "receipt", "n": -1}, {"n": 1.5}, {"n": True}, {"n": None}):
        assert audited(LINES, [item])[0] == audit_stream.UNREADABLE


def test_numbers_may_be_text(audited):
    signed = [receipt(3, STATES[1]) | {"n": "3", "epoch": "1"}, receipt(2, STATES[2]), book()]
    code, said = audited(LINES, signed)
    assert (code, said) == (
        2,
        "CONVICTED: the house signed a receipt for line 2 that its own record does not hold\n",
    )


def test_a_line_that_somebody_else_changed_convicts_nobody(audited):
    lines = [*LINES[:1], replace(LINES[1], leaf=STATES[2]), *LINES[2:]]
    code, said = audited(lines, [receipt(2, STATES[0])])
    signed = "to look at: the head of line 2 is not what the house signed\n"
    unsigned = "to look at: the house has signed no head of the lock in line 4, nor a later one\n"
    booked = "to look at: the book of line 4 is not of the bets that the record has\n"
    assert (code, said) == (3, signed + unsigned + booked)


def test_a_forged_receipt_convicts_nobody(audited):
    forged = receipt(2, STATES[2], by=Account.from_key(keccak(text="somebody")))
    garbage = receipt(2, STATES[2]) | {"signature": "0x00"}
    code, said = audited(LINES, [forged, garbage, book()])
    assert (code, said) == (3, "to look at: 2 items are not signed by the house key: left out\n")


def test_a_missing_line_is_said(audited):
    code, said = audited([LINES[0], *LINES[2:]], [])
    assert (code, said) == (3, "to look at: the record has line 3 where 2 should be\n")


def test_a_receipt_beyond_what_is_published_convicts_nobody_yet_and_is_said(audited):
    """A house that publishes no more from where it is dishonest was clean."""
    said = "to look at: the house signed line 3, and the record ends at 2: look again in a minute\n"
    assert audited(LINES[:2], [receipt(3, STATES[1])]) == (3, said)


def test_files_that_are_none(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "cannot be read" in done.stderr
    (tmp_path / "stream.json").write_text("[]")
    done = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")


def test_it_stands_alone():
    names = {
        line.split()[1].split(".")[0]
        for line in SCRIPT.read_text().splitlines()
        if line.startswith(("import ", "from "))
    }
    assert names <= set(sys.stdlib_module_names) | {"eth_account", "eth_utils"}
