"""Reading documents: every kind of input, and what is wrong with it."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from midline.model.data_quality import records as reading
from midline.model.data_quality.records import (
    Record,
    Skipped,
    file_record,
    jsonl_records,
    parquet_records,
)


def lines_of(path: Path) -> tuple[list[Record], Counter[str]]:
    skipped = Skipped()
    return list(jsonl_records(path, path.name, skipped)), skipped


def test_lines_of_jsonl_with_their_fields(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [
        {"text": "one", "id": 7, "url": "u"},
        {"content": "two", "path": "src/a.py"},
        {"raw_content": "three", "source_domain": "example.org"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    found, skipped = lines_of(path)
    assert [(r.id, r.text) for r in found] == [("7", "one"), ("src/a.py", "two"),
                                               (found[2].id, "three")]  # fmt: skip
    assert found[0].fields == {"id": 7, "url": "u"} and found[1].name == "src/a.py"
    assert found[2].domain == "example.org" and found[2].id.startswith("a.jsonl:")
    assert not skipped


def test_broken_lines_are_counted_and_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    deep = b"[" * 100_000
    good = json.dumps({"text": "good"}).encode()
    path.write_bytes(b"\n".join((good, b"{broken", b"", b"[]", b'{"text": 1}', deep, good)) + b"\n")
    found, skipped = lines_of(path)
    assert [r.text for r in found] == ["good", "good"]
    assert skipped == {reading.BROKEN: 2, reading.NO_TEXT: 2}


def test_bytes_that_are_not_utf8_are_replaced_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"caf\xe9\n")
    skipped = Skipped()
    record = file_record(path, "a.txt", skipped)
    assert record is not None and record.text == "caf\ufffd\n"
    assert skipped == {reading.REPAIRED: 1}


def test_a_huge_line_is_passed_over_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 100)
    path = tmp_path / "a.jsonl"
    good = json.dumps({"text": "good"})
    path.write_text(good + "\n" + "x" * 1000 + "\n" + good + "\n" + "y" * 500)
    found, skipped = lines_of(path)
    assert [r.text for r in found] == ["good", "good"]
    assert skipped == {reading.TOO_LONG: 2}
    skipped.clear()
    assert file_record(path, "a", skipped) is None and skipped == {reading.TOO_LONG: 1}


@pytest.mark.parametrize("size", [1, 7, 20, 33, 1000])
def test_ranges_of_a_file_have_every_line_once(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.jsonl"
    texts = [f"{n} " * (n % 7 + 1) for n in range(30)]
    path.write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    end = path.stat().st_size
    found = [
        record.text
        for start in range(0, end, size)
        for record in jsonl_records(path, "a", Skipped(), start, min(start + size, end))
    ]
    assert found == texts


def test_what_is_no_text_file_is_counted(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"a\0b")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    skipped = Skipped()
    for name in ("binary", "fifo", "loop", "missing"):
        assert file_record(tmp_path / name, name, skipped) is None
    assert skipped == {reading.BINARY: 1, reading.UNREADABLE: 3}


def test_packed_lines(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(zstandard.compress(b'{"text": "one"}\n{"text": "two"}\n'))
    assert [r.text for r in lines_of(path)[0]] == ["one", "two"]


def test_rows_of_parquet(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    parquet.write_table(arrow.table({"text": ["one", None, "three"], "id": ["a", "b", "c"]}), path)
    skipped = Skipped()
    found = list(parquet_records(path, "a.parquet", skipped))
    assert [(r.id, r.text) for r in found] == [("a", "one"), ("c", "three")]
    assert skipped == {reading.NO_TEXT: 1}
