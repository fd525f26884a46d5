import hashlib
from pathlib import Path

import pytest

from midline.benchmarks.mbxp import fetch as fetching
from midline.benchmarks.mbxp.fetch import fetch
from midline.benchmarks.mbxp.tasks import DataError, DataFile, load_tasks
from midline.model.errors import MidlineError, UsageError

LINE = b'{"task_id":"A/1","prompt":"p","test":"t","entry_point":"e","language":"python"}\n'
FILE = DataFile("own.jsonl", len(LINE), hashlib.sha256(LINE).hexdigest())


@pytest.fixture(autouse=True)
def _one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "DATA_FILES", {"python": FILE})


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    folder = tmp_path / "origin"
    folder.mkdir()
    (folder / FILE.name).write_bytes(LINE)
    return folder


def test_from_a_folder_once(tmp_path: Path, origin: Path) -> None:
    target = tmp_path / "data"
    assert fetch(target, origin) == 1
    assert fetch(target, origin) == 0, "what is there and right is left alone"
    assert list(load_tasks(target)) == ["A/1"]
    assert "CC-BY-4.0" in (target / "NOTICE").read_text()


def test_over_http(tmp_path: Path, origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDLINE_MBXP_SOURCE", origin.as_uri())
    assert fetch(tmp_path / "data") == 1
    assert (tmp_path / "data" / FILE.name).read_bytes() == LINE


def test_an_altered_file_is_replaced_and_never_put_in_place(tmp_path: Path, origin: Path) -> None:
    target = tmp_path / "data"
    fetch(target, origin)
    (target / FILE.name).write_bytes(b"x" * len(LINE))
    assert fetch(target, origin) == 1
    (origin / FILE.name).write_bytes(LINE + b"more")
    (target / FILE.name).unlink()
    with pytest.raises(DataError, match=r"is not the published file .*nothing was kept"):
        fetch(target, origin)
    assert sorted(p.name for p in target.iterdir()) == ["NOTICE", "metadata.json"]


def test_an_unreachable_source_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDLINE_MBXP_SOURCE", "http://127.0.0.1:9")
    with pytest.raises(MidlineError, match=r"cannot get own\.jsonl from .*fetch --from FOLDER"):
        fetch(tmp_path / "data")
    with pytest.raises(UsageError, match="is not a folder"):
        fetch(tmp_path / "data", tmp_path / "none")
    with pytest.raises(MidlineError, match=r"cannot get own\.jsonl"):
        fetch(tmp_path / "data", tmp_path)
