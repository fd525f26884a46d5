"""Get the problems: thirteen files at pinned hashes, from their repository or from a path."""

import contextlib
import hashlib
import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from midline.benchmarks.mbxp.tasks import DATA_FILES, METADATA, DataError, DataFile
from midline.model.errors import MidlineError, UsageError

REPOSITORY = "https://github.com/amazon-science/mxeval"
SOURCE = "https://raw.githubusercontent.com/amazon-science/mxeval/main/data/mbxp"
SOURCE_VARIABLE = "MIDLINE_MBXP_SOURCE"
ANSWER_SECONDS = 8.0
NOTICE = (
    "The MBXP problems are (c) Amazon.com, Inc. or its affiliates, published under CC-BY-4.0 at "
    f"{REPOSITORY}.\n"
)


def fetch(
    target: Path, origin: Path | None = None, report: Callable[[str], None] = lambda line: None
) -> int:
    """Bring every file into `target`, verified; returns how many had to be fetched.

    With `origin`, a folder that holds them, nothing is downloaded. What is there already and
    matches its hash is left alone; a file that does not match is never put in place.
    """
    if origin is not None and not origin.is_dir():
        raise UsageError(f"{origin} is not a folder with the problems' files")
    target.mkdir(parents=True, exist_ok=True)
    fetched = 0
    for language, file in DATA_FILES.items():
        if _matches(target / file.name, file):
            continue
        report(f"{language}: {file.name}, {file.bytes} bytes")
        _bring(file, target, origin)
        fetched += 1
    names = {language: file.name for language, file in DATA_FILES.items()}
    (target / METADATA).write_text(json.dumps(names, indent=2) + "\n", "utf-8")
    (target / "NOTICE").write_text(NOTICE, "utf-8")
    return fetched


def _bring(file: DataFile, target: Path, origin: Path | None) -> None:
    partial = target / f"{file.name}.part"
    try:
        if origin is None:
            _download(file, partial)
        else:
            shutil.copyfile(origin / file.name, partial)
        if not _matches(partial, file):
            found = hashlib.sha256(partial.read_bytes()).hexdigest()
            raise DataError(
                f"{file.name} from {origin or source()} is not the published file (SHA-256 "
                f"{found}, expected {file.sha256}); nothing was kept of it"
            )
        os.replace(partial, target / file.name)
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or error
        raise MidlineError(
            f"cannot get {file.name} from {origin or source()}: {reason}; "
            "`midline-bench mbxp fetch --from FOLDER` takes a copy you have"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def source() -> str:
    """Address that the files' names are appended to."""
    return os.environ.get(SOURCE_VARIABLE, SOURCE).rstrip("/")


def _download(file: DataFile, partial: Path) -> None:
    with (
        urllib.request.urlopen(f"{source()}/{file.name}", timeout=ANSWER_SECONDS) as answer,
        partial.open("wb") as output,
    ):
        # One byte more than expected is enough to see that it is another file.
        left = file.bytes + 1
        while left > 0 and (chunk := answer.read(min(left, 1 << 16))):
            output.write(chunk)
            left -= len(chunk)


def _matches(path: Path, file: DataFile) -> bool:
    if not path.is_file() or path.stat().st_size != file.bytes:
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
