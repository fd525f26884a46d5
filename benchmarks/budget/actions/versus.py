"""llama.cpp's one greedy answer beside `--strategy auto` within its time, problem by problem.

Both get the same raw prompts, in turns. With --budget each, the budget of a problem is the time
that llama.cpp took for it. With --budget mean, it is all the time that llama.cpp has taken up to
now and Midline has not: no user has waited longer, at any time, and what an easy problem leaves a
hard one may take. The strategy is then chosen by the time that llama.cpp has taken on average, at
first of problems that are not reported, and by what is left for the next few problems. Answers are
judged by the benchmark's own tests when all are there. --examples first executes only the first
example of each prompt, since all of them are hidden tests, too.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from midline.benchmarks.budget.measures import difference
from midline.benchmarks.budget.peer import Peer
from midline.benchmarks.budget.pool import half_of, shuffled, subset
from midline.benchmarks.budget.problems import EXAMPLES, problem_of
from midline.benchmarks.budget.store import Store
from midline.benchmarks.budget.verdicts import Verdicts
from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.report import write_json
from midline.benchmarks.mbxp.session import EvaluationOptions
from midline.benchmarks.mbxp.tasks import Task, data_folder, load_tasks
from midline.benchmarks.outputs import output_file
from midline.model.catalog.catalog import DEFAULT_MODEL
from midline.model.engines.load import load_engine
from midline.model.errors import UsageError
from midline.model.sandbox import choose
from midline.model.strategies.ask import Question, chosen_on_average, chosen_strategy
from midline.model.strategies.base import Surround
from midline.model.strategies.budget import Budget
from midline.model.strategies.run import Engines

WARM_UP = 3
CALIBRATION = 20
CACHE_TOKENS = 1 << 14
SPREAD = 10
"""Problems on which what is left of the time up to now is planned to be spent."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the models, the problems and the output."""
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="answers and verdicts, resumable")
    add("--model", default=DEFAULT_MODEL, metavar="NAME", help=f"of Midline ({DEFAULT_MODEL})")
    add("--second-model", metavar="NAME", help="Midline's second model, if any")
    add("--peer", default="qwen2.5-coder-1.5b", metavar="NAME", help="llama.cpp's model")
    add("--problems", type=int, default=100, metavar="N", help="of the reported half (100)")
    add("--budget", choices=("each", "mean"), default="each")
    add("--strategy", default="auto", metavar="NAME")
    add("--examples", choices=(*EXAMPLES, "none"), default="first")
    add("--data", metavar="DIR", help="folder of the MBXP problems")
    add("--threads", type=int, metavar="N")
    add("--json", type=output_file, metavar="FILE")


def run(args: argparse.Namespace) -> int:
    """Answer, judge, and print the difference."""
    if args.problems < 1:
        raise UsageError("--problems must be at least 1")
    tasks = load_tasks(data_folder(args.data), ["python"])
    store = Store(args.out / "versus.jsonl")
    chosen = _reported(tasks, args.problems)
    left = [task for task in chosen if _key(task, args) not in store]
    if left:
        kept = [store.rows[key] for t in chosen if (key := _key(t, args)) in store]
        side = _SideBySide(args, tasks, kept)
        for number, task in enumerate(left, 1):
            store.add(_key(task, args), side.both(task))
            print(f"\r{number} of {len(left)}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
    rows = [store.rows[_key(task, args)] for task in chosen]
    verdicts = Verdicts(args.out, tasks)
    texts = {(row["task_id"], row[side]["text"]) for row in rows for side in ("peer", "midline")}
    verdicts.evaluate(texts, EvaluationOptions())
    result = summary(rows, verdicts)
    print(_sentence(result))
    if args.json:
        write_json(args.json, {
            "benchmark": "budget versus",
            "command": "midline-bench " + " ".join(sys.argv[1:]),
            "model": args.model, "second_model": args.second_model, "peer": args.peer,
            "budget": args.budget, "strategy": args.strategy, "examples": args.examples,
            "machine": describe_machine(), "versions": describe_versions("llama-cpp-python"),
            **result,
        })  # fmt: skip
    return 0


class _SideBySide:
    """Both engines, loaded, the times that llama.cpp has taken, and what Midline has left of them.

    kept: rows of the same run that were measured before.
    """

    def __init__(
        self, args: argparse.Namespace, tasks: dict[str, Task], kept: Sequence[dict[str, Any]]
    ) -> None:
        self.args = args
        self.peer = Peer(args.peer, args.threads)
        names = [args.model] + ([args.second_model] if args.second_model else [])
        self.engines = Engines(
            *(load_engine(n, threads=args.threads, cache_tokens=CACHE_TOKENS) for n in names)
        )
        self.sandbox = None if args.examples == "none" else choose()
        self.saved, self.taken = 0.0, [r["peer"]["seconds"] for r in kept]
        others = [t for t in shuffled(subset(tasks.values(), len(tasks))) if half_of(t) == 0]
        for task in others[:WARM_UP]:
            self.both(task)
        if args.budget == "mean":
            first = others[WARM_UP:CALIBRATION]
            self.taken += [self.peer.answer(problem_of(task)).seconds for task in first]
        sides = [(row["peer"]["seconds"], row["midline"]["seconds"]) for row in kept]
        self.saved = sum(theirs - ours for theirs, ours in sides)

    def both(self, task: Task) -> dict[str, Any]:
        """The peer's answer, then Midline's within its time."""
        on_average = self.args.budget == "mean"
        problem = problem_of(task, "first" if self.args.examples == "none" else self.args.examples)
        theirs = self.peer.answer(problem)
        self.saved += theirs.seconds
        self.taken.append(theirs.seconds)
        budget = Budget(seconds=self.saved if on_average else theirs.seconds)
        question = Question(
            task.prompt, strategy=self.args.strategy, sandbox=self.sandbox, budget=budget
        )
        started = time.perf_counter()
        if on_average:
            mean = float(np.mean(self.taken)) + (self.saved - theirs.seconds) / SPREAD
            strategy, most = chosen_on_average(question, problem, self.engines, mean)
            budget = Budget(seconds=min(most, self.saved))
        else:
            strategy = chosen_strategy(question, problem, self.engines)
        surround = Surround.executing(self.sandbox) if self.sandbox else Surround()
        answer = strategy.solve(problem, self.engines, budget, None, surround)
        seconds = time.perf_counter() - started
        self.saved -= seconds
        text = answer.shown.text if answer.shown else ""
        return {
            "task_id": task.task_id,
            "peer": {"text": theirs.text, "tokens": theirs.tokens, "seconds": theirs.seconds},
            "midline": {"text": text, "seconds": seconds, "strategy": repr(strategy),
                        "ended": answer.ended, "tokens": answer.ledger.tokens},
        }  # fmt: skip


def summary(rows: list[dict[str, Any]], verdicts: Verdicts) -> dict[str, Any]:
    """Right answers and seconds of both, and the paired difference."""
    right = {
        side: np.array([float(bool(verdicts.passed(r["task_id"], r[side]["text"]))) for r in rows])
        for side in ("peer", "midline")
    }
    seconds = {side: np.array([r[side]["seconds"] for r in rows]) for side in right}
    return {
        "problems": len(rows),
        "passed": {side: round(float(each.mean()), 4) for side, each in right.items()},
        "seconds": {side: round(float(each.mean()), 3) for side, each in seconds.items()},
        "time_ratio": round(float(seconds["midline"].sum() / seconds["peer"].sum()), 3),
        "more_often_right": difference(right["midline"], right["peer"]),
        "strategies": sorted({row["midline"]["strategy"] for row in rows}),
        "ended_by_budget": sum(row["midline"]["ended"] == "budget" for row in rows),
    }


def _sentence(result: dict[str, Any]) -> str:
    found, passed, seconds = result["more_often_right"], result["passed"], result["seconds"]
    return (
        f"{result['problems']} problems: llama.cpp {passed['peer']:.1%} right in "
        f"{seconds['peer']:.2f} s, Midline {passed['midline']:.1%} in {seconds['midline']:.2f} s; "
        f"difference {found['difference']:+.1%} "
        f"[{found['lower_bound']:+.1%}, {found['upper_bound']:+.1%}]"
    )


def _reported(tasks: dict[str, Task], count: int) -> list[Task]:
    ordered = shuffled(subset(tasks.values(), len(tasks)))
    return [task for task in ordered if half_of(task) == 1][:count]


def _key(task: Task, args: argparse.Namespace) -> str:
    models = f"{args.model} {args.second_model or '-'} {args.peer}"
    return f"{task.task_id} {models} {args.budget} {args.strategy} {args.examples}"
