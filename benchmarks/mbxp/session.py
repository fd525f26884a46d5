"""One evaluation from the command line: sandbox, progress bar, result folder, summary."""

import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.corrections import CORRECTIONS
from midline.benchmarks.mbxp.evaluate import Evaluation
from midline.benchmarks.mbxp.report import build_report, render, write_json
from midline.benchmarks.mbxp.results import RESULTS, Result, ResultFile, latest_results
from midline.benchmarks.mbxp.samples import Sample
from midline.benchmarks.mbxp.status import Status
from midline.model.sandbox import choose

REPORT = "report.json"


@dataclass(frozen=True)
class EvaluationOptions:
    """How to execute: `corrections` are the defects of the benchmark to correct, by name."""

    workers: int = 2
    corrections: Collection[str] = CORRECTIONS
    sandbox: str | None = None
    unsafe: bool = False
    report: Path | None = None
    """A second path to write the report to."""
    fresh: bool = False
    """Whether samples with a verdict are executed again."""
    ray: str | None = None
    """Address of a Ray cluster to execute on, instead of here."""


@dataclass(frozen=True)
class Summary:
    """The outcome of an evaluation: as text, as data, and the number of sandbox errors."""

    text: str
    sandbox_errors: int
    report: dict[str, Any]
    results: list[Result]


def evaluate_into(
    folder: Path,
    samples: Sequence[Sample],
    options: EvaluationOptions,
    about: dict[str, Any] | None = None,
) -> Summary:
    """Execute `samples`, keep everything in `folder`, and report on these samples.

    `about` is recorded in the report beside machine, versions and isolation.
    """
    sandbox = choose(options.sandbox, unsafe=options.unsafe)
    if options.fresh:
        (folder / RESULTS).unlink(missing_ok=True)
    started = time.monotonic()
    with ResultFile(folder) as results, _interruptible(), _Bar() as bar:
        evaluation = Evaluation(
            sandbox, results, options.workers, options.corrections,
            on_result=bar.advance, on_language=bar.begin,
        )  # fmt: skip
        if options.ray is None:
            evaluation.run(samples)
        else:
            _run_on_cluster(evaluation, samples, options)
    settings = {
        **(about or {}),
        "sandbox": sandbox.level,
        "corrections": sorted(options.corrections),
        "workers": options.workers,
        "executed": bar.executed,
        "elapsed_seconds": round(time.monotonic() - started, 2),
        "toolchains": bar.versions,
        "machine": describe_machine(),
        "versions": describe_versions(),
    }
    wanted = {(sample.task.task_id, sample.index) for sample in samples}
    verdicts = [r for key, r in latest_results(folder / RESULTS).items() if key in wanted]
    report = build_report(verdicts, settings)
    for path in (folder / REPORT, options.report):
        if path is not None:
            write_json(path, report)
    broken = sum(result.status == Status.SANDBOX_ERROR for result in verdicts)
    return Summary(render(report), broken, report, verdicts)


def _run_on_cluster(
    evaluation: Evaluation, samples: Sequence[Sample], options: EvaluationOptions
) -> None:
    """Execute on a cluster what has no result yet; results are recorded here as they come."""
    from midline.benchmarks.mbxp.remote import SAMPLES_A_TASK, ToExecute, execute_there
    from midline.benchmarks.ray_cluster import chunks, map_on_cluster

    assert options.ray is not None
    left = evaluation.pending(samples)
    evaluation.on_language("cluster", options.ray, len(samples) - len(left), len(samples))
    pieces = [
        ToExecute(part, options.sandbox, options.unsafe, options.corrections)
        for part in chunks(left, SAMPLES_A_TASK)
    ]
    for found in map_on_cluster(options.ray, execute_there, pieces):
        for result in found:
            evaluation.results.add(result)
            evaluation.on_result(result)


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM ends the run like Ctrl-C: programs are killed, results are kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Bar:
    """Progress on standard error: a bar with counts on a terminal, else a line a language."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}"), TimeRemainingColumn(), console=console,
            disable=not console.is_terminal,
        )  # fmt: skip
        self.versions: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self.executed = 0
        self.quiet = not console.is_terminal

    def __enter__(self) -> "_Bar":
        self.progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.progress.stop()

    def begin(self, name: str, version: str, done: int, total: int) -> None:
        """A language's turn: `done` of `total` samples have a result from before."""
        self.versions[name] = version
        self.counts.clear()
        self.task = self.progress.add_task(name, total=total, completed=done, counts="")
        if self.quiet:
            print(f"{name}: {total - done} of {total} to execute", file=sys.stderr)

    def advance(self, result: Result) -> None:
        """One more result."""
        self.counts[result.status] += 1
        self.executed += 1
        counts = " ".join(f"{status} {n}" for status, n in self.counts.most_common(4))
        self.progress.update(self.task, advance=1, counts=counts)
