"""Draw, execute and judge what `budget report` compares.

Stages: `tests` lets the models write tests for the pool's problems; `observe` executes the pool's
samples with what a user sees; `live` runs the strategies whose calls depend on each other;
`verdicts` judges all answers by the benchmark's own tests. Everything is kept under --out, and the
same command goes on with an interrupted run. A pool is a folder of `midline-bench mbxp run
--samples N --temperature T --no-evaluate`, or of its greedy run.
"""

import argparse
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from midline.benchmarks.budget.arms import PAIRS, Arm, chosen_arms
from midline.benchmarks.budget.live import CALLS, LIVE, OBSERVED, Live, Models, live_key, texts_of
from midline.benchmarks.budget.observe import TESTS, observe, write_tests
from midline.benchmarks.budget.pool import SUBSET, Pool, merged, read_pool, shuffled, subset
from midline.benchmarks.budget.problems import EXAMPLES
from midline.benchmarks.budget.programs import KeptPrograms
from midline.benchmarks.budget.recorded_engine import SharedModel
from midline.benchmarks.budget.remote import PROBLEMS_A_TASK, ToRun, keep, run_there
from midline.benchmarks.budget.store import Store
from midline.benchmarks.budget.verdicts import Verdicts
from midline.benchmarks.mbxp.session import EvaluationOptions
from midline.benchmarks.mbxp.tasks import Task, data_folder, load_tasks
from midline.benchmarks.ray_cluster import chunks, map_on_cluster
from midline.model.catalog.catalog import DEFAULT_MODEL
from midline.model.errors import UsageError
from midline.model.sandbox import Sandbox, choose

STAGES = ("tests", "live", "observe", "verdicts")
CACHE_TOKENS = 1 << 15
LARGE_MODEL = "qwen2.5-coder-1.5b"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the pools, the problems, the arms and the stages."""
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR")
    add("--pool", type=Path, nargs="+", default=[], metavar="DIR", help="folders of samples")
    add("--small", default=DEFAULT_MODEL, metavar="NAME", help=f"the small model ({DEFAULT_MODEL})")
    add("--large", default=LARGE_MODEL, metavar="NAME", help=f"the large model ({LARGE_MODEL})")
    add("--lang", default="python", choices=("python", "javascript"), help="language (python)")
    add("--data", metavar="DIR", help="folder of the MBXP problems")
    add("--problems", type=int, default=SUBSET, metavar="N",
        help=f"problems of the live strategies, chosen by a fixed seed ({SUBSET})")  # fmt: skip
    add("--pairs", nargs="+", choices=PAIRS, default=["small"],
        help="models of the live strategies: small, large, both (small)")  # fmt: skip
    add("--arms", nargs="+", metavar="NAME", help="live strategies, by the beginning of their name")
    add("--tests", type=int, default=SUBSET, metavar="N",
        help=f"problems that tests are written for ({SUBSET})")  # fmt: skip
    add("--pool-problems", type=int, metavar="N",
        help="problems of the pools that are executed, by the fixed seed (all)")  # fmt: skip
    add("--examples", choices=tuple(EXAMPLES), default="first",
        help="examples of the prompt that strategies may execute (first)")  # fmt: skip
    add("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    add("--threads", type=int, metavar="N")
    add("--workers", type=int, default=2, metavar="N", help="programs judged at a time (2)")
    add("--sandbox", metavar="LEVEL", help="kind of isolation (the strongest that works)")
    add("--ray", metavar="ADDRESS", help="run problems on this Ray cluster, or `local`")


def run(args: argparse.Namespace) -> int:
    """Do the stages in turn."""
    if args.problems < 1:
        raise UsageError("--problems must be at least 1")
    stages = _Stages(args)
    for name in args.stages:
        print(f"budget: {name}", file=sys.stderr)
        getattr(stages, name)()
    return 0


class _Stages:
    """One method for each stage; models are loaded when a stage needs them."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.sandbox: Sandbox = choose(args.sandbox)
        self.tasks = load_tasks(data_folder(args.data), [args.lang])
        self.pools = merged([read_pool(folder, self.tasks) for folder in args.pool])
        self.models: dict[str, SharedModel] = {}

    def tests(self) -> None:
        """Self-written tests, by each model of a pool."""
        store = Store(self.args.out / TESTS)
        for model, pools in self.pools.items():
            tasks = self._tasks_of([pool for pool in pools if pool is not None])[: self.args.tests]
            shared = self._shared(model)
            self._each(
                tasks, partial(write_tests, shared=shared, store=store), 32, f"tests {model}"
            )

    def live(self) -> None:
        """The strategies whose calls depend on each other."""
        args = self.args
        arms = chosen_arms(args.arms)
        work = [(arm, pair) for pair in args.pairs for arm in arms if pair in arm.pairs]
        needed = {pair for _, pair in work}
        tasks = shuffled(subset(self.tasks.values(), args.problems))
        if args.ray:
            self._live_on_cluster(tasks, work, needed)
            return
        models = Models(
            self._shared(args.small) if needed & {"small", "both"} else None,
            self._shared(args.large) if needed & {"large", "both"} else None,
        )
        with _bar("live", len(tasks)) as advance:
            live = Live(args.out, models, self.sandbox, args.examples)
            live.run(tasks, work, lambda task: advance())

    def _live_on_cluster(
        self, tasks: Sequence[Task], work: Sequence[tuple[Arm, str]], needed: set[str]
    ) -> None:
        args, kept = self.args, Store(self.args.out / LIVE)
        left = [
            task
            for task in tasks
            if any(
                live_key(task.task_id, pair, a.name, args.examples) not in kept for a, pair in work
            )
        ]
        small = args.small if needed & {"small", "both"} else None
        large = args.large if needed & {"large", "both"} else None
        pieces = [
            ToRun(part, work, small, large, args.sandbox, args.examples, args.threads)
            for part in chunks(left, PROBLEMS_A_TASK)
        ]
        with _bar("live", len(pieces)) as advance:
            for rows in map_on_cluster(args.ray, run_there, pieces):
                keep(args.out, rows)
                advance()

    def observe(self) -> None:
        """Executions of the pool's samples with what a user sees."""
        tests = Store(self.args.out / TESTS)
        gate = threading.Semaphore(self.args.workers)
        programs = KeptPrograms(self.sandbox, Store(self.args.out / OBSERVED), gate)
        for model, pools in self.pools.items():
            own = [pool for pool in pools if pool is not None]
            work = partial(observe, pools=own, tests=tests, programs=programs)
            self._each(self._tasks_of(own), work, self.args.workers, f"observe {model}")

    def verdicts(self) -> None:
        """The benchmark's own tests, for all answers and samples."""
        verdicts = Verdicts(self.args.out, self.tasks)
        texts = texts_of(Store(self.args.out / LIVE).rows)
        for pools in self.pools.values():
            own = [pool for pool in pools if pool is not None]
            chosen = {task.task_id for task in self._tasks_of(own)}
            texts |= {pair for pool in own for pair in _pool_texts(pool) if pair[0] in chosen}
        options = EvaluationOptions(
            workers=self.args.workers, sandbox=self.args.sandbox, ray=self.args.ray
        )
        verdicts.evaluate((pair for pair in texts if pair[0] in self.tasks), options)

    def _shared(self, model: str) -> SharedModel:
        if model not in self.models:
            from midline.model.engines.load import load_engine

            engine = load_engine(model, threads=self.args.threads, cache_tokens=CACHE_TOKENS)
            self.models[model] = SharedModel(engine, Store(self.args.out / CALLS.format(model)))
        return self.models[model]

    def _tasks_of(self, pools: Sequence[Pool]) -> list[Task]:
        """Tasks with samples; those of the subset first, since most is known of them."""
        ids = {id for pool in pools for id in pool.drawn}
        first = subset(self.tasks.values())
        ordered = dict.fromkeys([*first, *self.tasks.values()])
        return [task for task in ordered if task.task_id in ids][: self.args.pool_problems]

    def _each(
        self, tasks: Sequence[Task], work: Callable[[Task], object], at_once: int, name: str
    ) -> None:
        with ThreadPoolExecutor(at_once) as pool, _bar(name, len(tasks)) as advance:
            futures = [pool.submit(work, task) for task in tasks]
            try:
                for future in futures:
                    future.result()
                    advance()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def _pool_texts(pool: Pool) -> set[tuple[str, str]]:
    return {(id, c.text) for id, drawn in pool.drawn.items() for c in drawn.candidates}


class _bar:
    """Progress on standard error where that is a terminal."""

    def __init__(self, name: str, total: int) -> None:
        console = Console(stderr=True)
        columns = (TextColumn(name), MofNCompleteColumn(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self.task = self.progress.add_task("", total=total)

    def __enter__(self) -> Callable[[], None]:
        self.progress.start()
        return lambda: self.progress.advance(self.task)

    def __exit__(self, *error: object) -> None:
        self.progress.stop()
