"""Whether completed HumanEval-Infilling programs pass their tests, executed in the MBXP sandbox."""

import sys
from collections.abc import Sequence
from pathlib import Path

from midline.benchmarks.mbxp.evaluate import Evaluation, program_key
from midline.benchmarks.mbxp.languages import language
from midline.benchmarks.mbxp.results import Result, ResultFile, read_results
from midline.benchmarks.mbxp.samples import Sample
from midline.benchmarks.mbxp.status import Status
from midline.benchmarks.mbxp.tasks import Task
from midline.benchmarks.quality.infilling.tasks import Infilling
from midline.model.sandbox import Sandbox

WORKERS = 2


def sample(task: Infilling, completion: str) -> Sample:
    """`task` with a completion, as a program of the MBXP evaluation."""
    problem = Task(task.task_id, "python", task.before, task.test, task.entry_point)
    return Sample(problem, completion + task.after, 0)


def statuses(
    tasks: Sequence[Infilling], answers: Sequence[str], sandbox: Sandbox, folder: Path
) -> list[str]:
    """The status of every task with its answer, `Status.PASS` where the tests passed.

    Verdicts are kept in `folder` by the hash of the program: a program is executed once, and a run
    that was interrupted goes on where it stopped. Raises MidlineError if the folder cannot be used.
    """
    evaluator = language("python")
    samples = [sample(task, answer) for task, answer in zip(tasks, answers, strict=True)]
    keys = [program_key(evaluator, evaluator.version, program) for program in samples]
    with ResultFile(folder) as results:
        known = _verdicts(results.path)
        waiting = {
            key: program for key, program in zip(keys, samples, strict=True) if key not in known
        }
        Evaluation(sandbox, results, WORKERS, on_result=_Counter(len(waiting))).run(
            list(waiting.values())
        )
        known = _verdicts(results.path)
    return [known[key] for key in keys]


def _verdicts(path: Path) -> dict[str, str]:
    """Statuses by program; a program that could not be executed for lack of a sandbox has none."""
    broken = (Status.SANDBOX_ERROR, Status.TOOLCHAIN_MISSING)
    return {r.key: r.status for r in read_results(path) if r.status not in broken}


class _Counter:
    """Says on standard error how many programs were executed."""

    def __init__(self, total: int) -> None:
        self.done, self.total = 0, total

    def __call__(self, result: Result) -> None:
        self.done += 1
        end = "\n" if self.done == self.total else ""
        print(f"\rexecuted {self.done} of {self.total}", end=end, file=sys.stderr, flush=True)
