"""Verdicts by the benchmark's own tests, which no strategy sees: after all answers are there."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from midline.benchmarks.mbxp.results import RESULTS, latest_results
from midline.benchmarks.mbxp.samples import Sample
from midline.benchmarks.mbxp.session import EvaluationOptions, evaluate_into
from midline.benchmarks.mbxp.status import Status
from midline.benchmarks.mbxp.tasks import Task

VERDICTS = "verdicts"
Texts = set[tuple[str, str]]
"""Task ids with completions."""


class Verdicts:
    """Whether completions of tasks pass, kept in a folder of results of `mbxp evaluate`."""

    def __init__(self, out: Path, tasks: Mapping[str, Task]) -> None:
        self.folder, self.tasks = out / VERDICTS, tasks
        self._passed = self._read()

    def evaluate(self, texts: Iterable[tuple[str, str]], options: EvaluationOptions) -> None:
        """Execute what has no verdict yet."""
        left = [pair for pair in sorted(set(texts)) if self.passed(*pair) is None]
        if left:
            samples = [Sample(self.tasks[id], text, number_of(text)) for id, text in left]
            evaluate_into(self.folder, samples, options)
            self._passed = self._read()

    def passed(self, task_id: str, text: str) -> bool | None:
        """Whether it passes; None if it was not executed."""
        return self._passed.get((task_id, number_of(text)))

    def _read(self) -> dict[tuple[str, int], bool]:
        results = latest_results(self.folder / RESULTS)
        return {key: result.corrected == Status.PASS for key, result in results.items()}


def number_of(text: str) -> int:
    """The number under which a completion's verdict is kept: of its text alone."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:6])
