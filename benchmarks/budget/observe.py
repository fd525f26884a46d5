"""What pool samples do when they are executed with what a user sees, and self-written tests.

One row a problem and model: the outcomes of the examples' calls and of altered ones, and which
self-written tests each sample passes. The same for every k that is simulated from the pool.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from midline.benchmarks.budget.pool import Pool
from midline.benchmarks.budget.problems import problem_of
from midline.benchmarks.budget.programs import KeptPrograms
from midline.benchmarks.budget.recorded_engine import RecordedEngine, SharedModel
from midline.benchmarks.budget.store import Store
from midline.benchmarks.mbxp.tasks import Task
from midline.model.strategies.agreement import compared_calls
from midline.model.strategies.budget import UNLIMITED, Watch
from midline.model.strategies.code_answers import program
from midline.model.strategies.codet import written_tests
from midline.model.strategies.examples import Check
from midline.model.strategies.programs import Observed
from midline.model.strategies.run import Engines, Run

TESTS = "tests.jsonl"
TEST_SAMPLES = 1


@dataclass(frozen=True)
class WrittenTests:
    """Tests of one problem that a model wrote, and the tokens of their call."""

    checks: tuple[Check, ...]
    prompt_tokens: int
    generated: tuple[int, ...]


def write_tests(task: Task, shared: SharedModel, store: Store) -> None:
    """Let the model write tests for a task, if it has none in `store`."""
    key = tests_key(task.task_id, shared.engine.name)
    if key in store:
        return
    with Watch(UNLIMITED) as watch:
        run = Run(problem_of(task, "all"), Engines(RecordedEngine(shared)), watch)
        checks = written_tests(run, TEST_SAMPLES)
    (call,) = run.ledger.calls
    pairs = [[check.call, check.expected] for check in checks]
    row = {"checks": pairs, "prompt_tokens": call.prompt_tokens, "generated": call.generated}
    store.add(key, row)


def tests_key(task_id: str, model: str) -> str:
    """The key of a row of tests.jsonl."""
    return f"{task_id} {model}"


def read_tests(store: Store, task_id: str, model: str) -> WrittenTests | None:
    """The tests of a task that a model wrote; None if they were not written."""
    row = store.get(tests_key(task_id, model))
    if row is None:
        return None
    checks = tuple(Check(*pair) for pair in row["checks"])
    return WrittenTests(checks, row["prompt_tokens"], tuple(row["generated"]))


def visible_checks(task: Task, tests: WrittenTests | None) -> tuple[Check, ...]:
    """All examples, altered calls of the first, and the self-written tests, in this order."""
    own = tests.checks if tests is not None else ()
    return (*compared_calls(problem_of(task, "all")), *own)


def observe(
    task: Task, pools: Sequence[Pool], tests: Store, programs: KeptPrograms
) -> Mapping[str, Observed]:
    """What every text of `pools` does in the visible checks, by text; executed if not kept.

    The tests are those of the pools' model.
    """
    texts = dict.fromkeys(
        candidate.text
        for pool in pools
        if task.task_id in pool.drawn
        for candidate in pool.drawn[task.task_id].candidates
    )
    if not texts:
        return {}
    checks = visible_checks(task, read_tests(tests, task.task_id, pools[0].model))
    problem = problem_of(task, "all")
    sources = [program(problem, text) for text in texts]
    found = programs.observe(sources, task.language, checks)
    return dict(zip(texts, found, strict=True))
