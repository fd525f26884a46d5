"""Strategies run problem by problem, many at a time: their calls are decoded together."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from midline.benchmarks.budget.arms import BOTH, LARGE, SMALL, Arm, engines_of
from midline.benchmarks.budget.problems import problem_of
from midline.benchmarks.budget.programs import KeptPrograms
from midline.benchmarks.budget.recorded_engine import RecordedEngine, SharedModel
from midline.benchmarks.budget.store import Store
from midline.benchmarks.mbxp.tasks import Task
from midline.model.sandbox import Sandbox
from midline.model.strategies.base import Surround
from midline.model.strategies.candidate import Answer

LIVE, CALLS, OBSERVED = "live.jsonl", "calls-{}.jsonl", "observed.jsonl"
AT_ONCE = 24
"""Problems that are worked on at a time: their calls fill the rows of a decoding step."""
EXECUTIONS = 1


@dataclass(frozen=True)
class Models:
    """The models by role; None for one that no arm needs."""

    small: SharedModel | None
    large: SharedModel | None

    def engines(self, pair: str) -> Any:
        """Engines for one run, which know nothing of other runs' prompts."""
        small = RecordedEngine(self.small) if self.small and pair in (SMALL, BOTH) else None
        large = RecordedEngine(self.large) if self.large and pair in (LARGE, BOTH) else None
        return engines_of(pair, small, large)


class Live:
    """Runs arms on tasks; what is in live.jsonl already is not run again."""

    def __init__(self, out: Path, models: Models, sandbox: Sandbox, examples: str) -> None:
        self.store = Store(out / LIVE)
        self.observed = Store(out / OBSERVED)
        self.models, self.sandbox, self.examples = models, sandbox, examples
        self._gate = threading.Semaphore(EXECUTIONS)

    def run(
        self,
        tasks: Sequence[Task],
        work: Sequence[tuple[Arm, str]],
        on_done: Callable[[Task], None],
    ) -> None:
        """Every arm with its pair of models on every task, the arms of a task in their order."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            futures = {pool.submit(self._run_task, task, work): task for task in tasks}
            try:
                for future in as_completed(futures):
                    future.result()
                    on_done(futures[future])
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _run_task(self, task: Task, work: Sequence[tuple[Arm, str]]) -> None:
        for arm, pair in work:
            key = live_key(task.task_id, pair, arm.name, self.examples)
            if key not in self.store:
                answer = arm.make().solve(
                    problem_of(task, self.examples),
                    self.models.engines(pair),
                    surround=Surround(self._programs),
                )
                self.store.add(key, live_row(task, arm, pair, answer))

    def _programs(self, stop: threading.Event) -> KeptPrograms:
        return KeptPrograms(self.sandbox, self.observed, self._gate)


def live_key(task_id: str, pair: str, arm: str, examples: str) -> str:
    """The key of a row of live.jsonl."""
    return f"{task_id} {pair} {arm} {examples}"


def live_row(task: Task, arm: Arm, pair: str, answer: Answer) -> dict[str, Any]:
    """What is kept of an answer; seconds are left out, since many runs shared the machine."""
    ledger = answer.ledger.as_dict()
    for name in ("seconds", "program_seconds", "peak_bytes"):
        ledger[name] = 0
    ledger["calls"] = [{**call, "seconds": 0} for call in ledger["calls"]]
    return {
        "task_id": task.task_id,
        "language": task.language,
        "pair": pair,
        "arm": arm.name,
        "shown": None if answer.shown is None else asdict(answer.shown),
        "candidates": [asdict(candidate) for candidate in answer.candidates],
        "ledger": ledger,
    }


def texts_of(rows: Mapping[str, dict[str, Any]]) -> set[tuple[str, str]]:
    """Task ids and completions of all rows, candidates included."""
    return {
        (row["task_id"], candidate["text"])
        for row in rows.values()
        for candidate in [*row["candidates"], *([row["shown"]] if row["shown"] else [])]
    }
