"""Outputs of shards: complete or absent, whatever happens to the writer."""

import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from midline.model.data_quality.outputs import ShardOutput, json_line
from midline.model.errors import MidlineError

ROWS = [{"id": "a", "n": 1}, {"id": "é\udcff", "n": [1, 2]}]


def write(output: ShardOutput, rows: Any = ROWS, key: str = "k") -> dict[str, Any]:
    return output.write(0, key, rows, lambda: {"read": 2})


def test_what_is_written_is_done_for_the_same_inputs_and_options(tmp_path: Path) -> None:
    output = ShardOutput(tmp_path / "new", "jsonl", "options")
    assert output.done(0, "k") is None
    assert write(output) == {"read": 2}
    assert output.done(0, "k") == {"read": 2}
    assert output.done(0, "other") is None
    assert ShardOutput(tmp_path / "new", "jsonl", "others").done(0, "k") is None
    lines = output.path(0).read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == ROWS


def test_a_writer_that_dies_leaves_nothing_that_counts_as_done(tmp_path: Path) -> None:
    output = ShardOutput(tmp_path, "jsonl", "")
    write(output)

    def dying() -> Iterator[dict[str, Any]]:
        yield ROWS[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(output, dying(), "changed")
    assert output.done(0, "changed") is None and output.done(0, "k") is None
    assert not output.path(0).exists() and list(tmp_path.glob("*.partial")) == []


def test_a_full_disk_is_one_sentence_with_the_way_out(tmp_path: Path) -> None:
    output = ShardOutput(tmp_path, "jsonl", "")

    def full() -> Iterator[dict[str, Any]]:
        yield ROWS[0]
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(MidlineError, match="is full; free some space and run the same command"):
        write(output, full())
    assert output.done(0, "k") is None and not output.path(0).exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(MidlineError, match="name another --out"):
        write(ShardOutput(tmp_path / "file", "jsonl", ""))


@pytest.mark.parametrize("rows", [ROWS, []])
def test_packed_lines(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    zstandard = pytest.importorskip("zstandard")
    output = ShardOutput(tmp_path, "jsonl.zst", "")
    write(output, rows)
    with zstandard.open(output.path(0), "rb") as file:
        assert file.read() == b"".join(map(json_line, rows))


@pytest.mark.parametrize("count", [0, 1, 600])
def test_parquet(tmp_path: Path, count: int) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    output = ShardOutput(tmp_path, "parquet", "")
    write(output, [{"id": str(n), "n": {"a": n}} for n in range(count)])
    found = parquet.read_table(output.path(0)).to_pylist()
    assert [(row["id"], json.loads(row["n"])) for row in found] == [
        (str(n), {"a": n}) for n in range(count)
    ]
