"""The HumanEval-Infilling tasks (Bavarian et al., arXiv 2207.14255) as cursors in a file.

Each task takes a piece out of a HumanEval solution: one line, several lines, or a random span. The
program is the text before the cursor, a completion, the text after the cursor, and the tests.
"""

import gzip
import hashlib
import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from midline.model.completion.fim import Cursor
from midline.model.errors import MidlineError
from midline.model.paths import cache_folder

DATA_VARIABLE = "MIDLINE_INFILLING_DATA"
SOURCE = "https://github.com/openai/human-eval-infilling/tree/master/data"
KINDS = {
    "single-line": "HumanEval-SingleLineInfilling.jsonl.gz",
    "multi-line": "HumanEval-MultiLineInfilling.jsonl.gz",
    "random-span": "HumanEval-RandomSpanInfilling.jsonl.gz",
}
FIELDS = ("task_id", "entry_point", "prompt", "suffix", "canonical_solution", "test")
FILE_NAME = "solution.py"


@dataclass(frozen=True)
class Infilling:
    """One task: the file is `before` + `middle` + `after`, the cursor stands before `middle`."""

    task_id: str
    kind: str
    entry_point: str
    before: str
    middle: str
    after: str
    test: str

    @property
    def cursor(self) -> Cursor:
        """The file as the completion functions see it."""
        before = self.before.encode()
        return Cursor(before, self.after.encode(), before.count(b"\n"), FILE_NAME)

    @property
    def published(self) -> "Infilling":
        """The task as published: lines are taken out whole, with indentation and line end."""
        if self.kind == "random-span":
            return self
        before = self.before[: self.before.rfind("\n") + 1]
        middle = self.before[len(before) :] + self.middle + "\n"
        return replace(self, before=before, middle=middle, after=self.after.removeprefix("\n"))


def data_folder(chosen: str | os.PathLike[str] | None = None) -> Path:
    """`chosen`, else MIDLINE_INFILLING_DATA, else a folder of the cache."""
    folder = chosen or os.environ.get(DATA_VARIABLE)
    return Path(folder).expanduser() if folder else cache_folder() / "human-eval-infilling"


def load(folder: Path, kind: str) -> list[Infilling]:
    """All tasks of one kind in file order; MidlineError names a file that is missing or damaged."""
    path = folder / KINDS[kind]
    if not path.is_file():
        raise MidlineError(
            f"{path} is missing; download {', '.join(KINDS.values())} from {SOURCE} into a folder "
            f"and name it with --data DIR or {DATA_VARIABLE}"
        )
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            return [_task(json.loads(line), kind) for line in lines]
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise MidlineError(f"{path} is damaged ({error}); download it again") from error


def fingerprint(folder: Path, kind: str) -> str:
    """SHA-256 of the file of one kind."""
    return hashlib.sha256((folder / KINDS[kind]).read_bytes()).hexdigest()


def chosen(tasks: Sequence[Infilling], count: int | None, seed: int) -> list[Infilling]:
    """`count` tasks drawn at random, in file order; all without a count."""
    if count is None or count >= len(tasks):
        return list(tasks)
    numbers = random.Random(f"infilling {seed}").sample(range(len(tasks)), count)
    return [tasks[number] for number in sorted(numbers)]


def _task(row: dict[str, str], kind: str) -> Infilling:
    """A task of whole lines becomes an empty line that the editor has indented already."""
    task_id, entry_point, before, after, middle, test = (str(row[field]) for field in FIELDS)
    task = Infilling(task_id, kind, entry_point, before, middle, after, test)
    if kind == "random-span":
        return task
    indentation = middle[: len(middle) - len(middle.lstrip(" \t"))]
    line = middle.removeprefix(indentation).removesuffix("\n")
    return replace(task, before=before + indentation, middle=line, after="\n" + after)
