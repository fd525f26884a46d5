"""The shards of inputs: each file once, in an order that names alone decide."""

import os
from pathlib import Path

import pytest

from midline.model.data_quality import shards as sharding
from midline.model.data_quality.records import Skipped
from midline.model.data_quality.shards import plan
from midline.model.errors import UsageError


def names(paths: list[Path]) -> list[str]:
    return [name for shard in plan(paths) for name in shard.names]


def test_a_folder_in_order_without_version_control(tmp_path: Path) -> None:
    for name in ("b/z.py", "a.py", "b/a.py", ".git/config"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert names([tmp_path]) == ["a.py", "b/a.py", "b/z.py"]


def test_loops_of_links_end_and_no_file_is_taken_twice(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "back").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "again.py").symlink_to("a.py")
    found = plan([tmp_path, tmp_path / "a.py"])
    records = [r.id for shard in found for r in shard.records(Skipped())]
    assert len(records) == 1 and records[0].endswith("a.py")


def test_a_large_jsonl_file_is_cut_into_ranges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharding, "RANGE", 50)
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"text": "line {n}"}}\n' for n in range(20)))
    found = plan([path])
    assert len(found) > 3 and sum(shard.size for shard in found) == path.stat().st_size
    texts = [record.text for shard in found for record in shard.records(Skipped())]
    assert texts == [f"line {n}" for n in range(20)]
    assert len({shard.key for shard in found}) == len(found)


def test_the_key_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x")
    (before,) = plan([path])
    key = before.key
    os.utime(path, ns=(1, 1))
    assert plan([path])[0].key != key


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no files"):
        plan([tmp_path])
    with pytest.raises(UsageError, match="does not exist"):
        plan([tmp_path / "none"])
