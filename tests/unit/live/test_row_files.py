"""Where a file of public rows ends follows from the rows alone."""

from pathlib import Path

import pytest

from tessera.live.row_files import RowFiles

ROWS = [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}]  # of 8 bytes each


def content(folder: Path) -> list[bytes]:
    paths = [folder / f"record-{number}.jsonl" for number in range(1, len(list(folder.iterdir())) + 1)]
    return [path.read_bytes() for path in paths]


def read(folder: Path, most: int) -> tuple[RowFiles, list]:
    files = RowFiles(folder, most)
    return files, list(files.read())


@pytest.mark.parametrize(
    ("most", "lengths"), [(15, [8] * 4), (16, [16, 16]), (23, [16, 16]), (24, [24, 8]), (7, [8] * 4)]
)
@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_a_file_has_the_rows_that_fit_whole(tmp_path, most, lengths, at_once):
    files, rows = read(tmp_path, most)
    assert rows == []
    for first in range(0, 4, at_once):
        files.add(ROWS[first : first + at_once])
    assert [len(one) for one in content(tmp_path)] == lengths
    assert files.names == [f"record-{number}.jsonl" for number in range(1, len(lengths) + 1)]
    again, rows = read(tmp_path, most)
    assert (rows, again.names) == (ROWS, files.names)
    again.add([{"n": 5}])
    assert b"".join(content(tmp_path)).splitlines()[-1] == b'{"n":5}'
    assert len(content(tmp_path)[-1]) == (lengths[-1] + 8 if lengths[-1] + 8 <= most else 8)


def test_of_the_folder_other_files_are_nobody_s_rows(tmp_path):
    (tmp_path / "stream.json").write_text("{}")
    (tmp_path / "record-3.jsonl").write_text('{"n":9}\n')  # which no file before it leads to
    files, rows = read(tmp_path, 16)
    assert (rows, files.names) == ([], ["record-1.jsonl"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["record-1.jsonl", "stream.json"]


@pytest.mark.parametrize("cut", ['{"n":2}', "no row\n", "[" * 10_000 + "\n", '{"n":2}\n{"n":'])
def test_a_row_that_is_not_whole_ends_what_counts(tmp_path, cut):
    (tmp_path / "record-1.jsonl").write_text('{"n":1}\n' + cut)
    (tmp_path / "record-2.jsonl").write_text('{"n":3}\n')
    files, rows = read(tmp_path, 16)
    kept = 2 if cut.count("\n") and cut.startswith("{") else 1
    assert (rows, files.names) == (ROWS[:kept], ["record-1.jsonl"])
    files.add(ROWS[kept:])
    assert [len(one) for one in content(tmp_path)] == [16, 16]
