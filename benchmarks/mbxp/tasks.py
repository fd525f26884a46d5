"""The problems: thirteen published JSONL files, or any folder in the same format.

A data folder holds one JSONL file a language and optionally `metadata.json`, which maps language
names to file names. Files of the published release are pinned by SHA-256 and refused if altered.
"""

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from midline.model.errors import MidlineError, UsageError
from midline.model.paths import cache_folder

DATA_VARIABLE = "MIDLINE_MBXP_DATA"
METADATA = "metadata.json"
FIELDS = ("task_id", "prompt", "test", "entry_point", "language")


class DataError(MidlineError):
    """A data file is missing, altered or malformed."""


@dataclass(frozen=True)
class DataFile:
    """One published file of problems."""

    name: str
    bytes: int
    sha256: str


DATA_FILES = {
    "python": DataFile(
        "mbpp_release_v1.jsonl",
        936808,
        "2ea7949f20ed5ecaacf4c9970d29430ec3f13772f4dd379665b1234f14b0ec3e",
    ),
    "java": DataFile(
        "mbjp_release_v1.2.jsonl",
        2420406,
        "139a0fcdff2f4c6d456c546c82f43a1f389dfe3125f5f2c3f6a12f478483dffd",
    ),
    "javascript": DataFile(
        "mbjsp_release_v1.2.jsonl",
        1425621,
        "9e443a1911bcedd8b5193f43d3217666fbf669cd00d54265941a8eb17e396f5a",
    ),
    "typescript": DataFile(
        "mbtsp_release_v1.2.jsonl",
        1545093,
        "7c4fbf66cd8189d5f3f6a78ce201782571d083a1d89ee3730c0235317d44d769",
    ),
    "kotlin": DataFile(
        "mbkp_release_v1.2.jsonl",
        1675599,
        "54969bac04fddaad74f78b7aa591348d3f010af2b2325f3db0e5a4f9b9154367",
    ),
    "ruby": DataFile(
        "mbrbp_release_v1.2.jsonl",
        1140233,
        "fe8c043b7d56f5d122c6aaf24e1dcb78816175a0687a73c03873043a6349b85d",
    ),
    "php": DataFile(
        "mbphp_release_v1.2.jsonl",
        1413807,
        "aec706039e49bc1bd1c9aaf4cf4815a34777b8387bdc59c1b274312071f3a605",
    ),
    "cpp": DataFile(
        "mbcpp_release_v1.2.jsonl",
        1304509,
        "34a842515927e230eb2bd6e409a44c80a852b0afcbe1172786bd08cfef8b85b0",
    ),
    "csharp": DataFile(
        "mbcsp_release_v1.2.jsonl",
        2170855,
        "e11db33a6c5582a5c8d548ef75a23f0307540a765f889dcd2b7d13e99ea538e4",
    ),
    "go": DataFile(
        "mbgp_release_v1.1.jsonl",
        1674633,
        "90f519222a4c45bdbed8309076433d2f573c6f37329a848581fa789839b67da8",
    ),
    "perl": DataFile(
        "mbplp_release_v1.jsonl",
        1199031,
        "1293f40e442bda81f1d39ab3769ab8136dfc823f7b41420294c1a1d3bf1d2b2f",
    ),
    "scala": DataFile(
        "mbscp_release_v1.jsonl",
        1458469,
        "e690daa347855a0da4fcd0652894b1db4e6a561c24e9824c40c629158ed94bec",
    ),
    "swift": DataFile(
        "mbswp_release_v1.jsonl",
        1258497,
        "b390ee15df6170386e5f5771f227ef4df3ea7eb994b09d39ecec888e77daefc9",
    ),
}


@dataclass(frozen=True)
class Task:
    """One problem: the program is `prompt` + completion + `test`."""

    task_id: str
    language: str
    prompt: str
    test: str
    entry_point: str
    description: str = ""
    canonical_solution: str | None = None

    @property
    def number(self) -> int:
        """The number after the slash: the same problem has the same number in every language."""
        return int(self.task_id.rpartition("/")[2])


def data_folder(chosen: str | os.PathLike[str] | None = None) -> Path:
    """The folder of the problems: `chosen`, else MIDLINE_MBXP_DATA, else the cache's own."""
    folder = chosen or os.environ.get(DATA_VARIABLE)
    return Path(folder).expanduser() if folder else default_data_folder()


def default_data_folder() -> Path:
    """The default folder of `mbxp fetch`."""
    return cache_folder() / "mbxp" / "data"


def load_tasks(folder: Path, languages: Collection[str] | None = None) -> dict[str, Task]:
    """Problems by task id, of `languages` or of all there are; DataError says what is wrong."""
    files = _files(folder)
    wanted = list(files) if languages is None else list(languages)
    missing = [language for language in wanted if language not in files]
    if missing:
        raise UsageError(
            f"{folder} has no problems in {', '.join(missing)}; there are {', '.join(files)}"
        )
    tasks: dict[str, Task] = {}
    for language in wanted:
        for task in _load_file(folder / files[language], language):
            tasks[task.task_id] = task
    return tasks


def verify(path: Path, expected: DataFile) -> None:
    """Raise DataError unless `path` holds exactly the published bytes."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected.sha256:
        raise DataError(
            f"{path} is not the published file (SHA-256 {found}, expected {expected.sha256}); "
            "`midline-bench mbxp fetch` gets it again"
        )


def _files(folder: Path) -> dict[str, str]:
    metadata = folder / METADATA
    if metadata.is_file():
        try:
            return {str(k): str(v) for k, v in json.loads(metadata.read_text("utf-8")).items()}
        except (ValueError, AttributeError) as error:
            raise DataError(f"{metadata} is not a table of file names: {error}") from error
    present = {lang: f.name for lang, f in DATA_FILES.items() if (folder / f.name).is_file()}
    if not present:
        raise DataError(
            f"{folder} holds no problems; `midline-bench mbxp fetch` gets them, --data DIR or "
            f"{DATA_VARIABLE} point elsewhere"
        )
    return present


def _load_file(path: Path, language: str) -> list[Task]:
    if not path.is_file():
        raise DataError(f"{path} is missing; `midline-bench mbxp fetch` gets it")
    pinned = DATA_FILES.get(language)
    if pinned is not None and path.name == pinned.name:
        verify(path, pinned)
    tasks = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                tasks.append(_task(line, language, f"{path}:{number}"))
    return tasks


def _task(line: str, language: str, place: str) -> Task:
    try:
        row = json.loads(line)
        missing = [field for field in FIELDS if not isinstance(row.get(field), str)]
    except (ValueError, AttributeError) as error:
        raise DataError(f"{place} is not a JSON object: {error}") from error
    if missing:
        raise DataError(f"{place} lacks {', '.join(missing)}")
    return Task(
        task_id=row["task_id"],
        language=language,
        prompt=row["prompt"],
        test=row["test"],
        entry_point=row["entry_point"],
        description=row.get("description") or "",
        canonical_solution=row.get("canonical_solution"),
    )
