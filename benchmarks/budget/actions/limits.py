"""Measure how well a budget of seconds and a cancellation are kept.

Each prompt is answered with `--strategy auto` within the budget. Then answers are cancelled after a
time between nothing and the budget, different for each, and the time until the call returns is
measured. Both count from the call, with the models loaded.
"""

import argparse
import random
import sys
import threading
import time
from typing import Any

import numpy as np

from midline.benchmarks.budget.pool import shuffled, subset
from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.report import write_json
from midline.benchmarks.mbxp.tasks import data_folder, load_tasks
from midline.benchmarks.outputs import output_file
from midline.kernels import CancelFlag
from midline.model.catalog.catalog import DEFAULT_MODEL
from midline.model.engines.load import load_engine
from midline.model.errors import UsageError
from midline.model.sandbox import choose
from midline.model.strategies.ask import Question, ask
from midline.model.strategies.budget import parse_budget
from midline.model.strategies.run import Engines

CANCELLED = ("cascade", "self_consistency", "mixture_of_agents", "s_star")
"""Strategies that are cancelled, in turn: between samples, executions, layers and repairs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, the budget, the prompts and the output."""
    add = parser.add_argument
    add("--model", default=DEFAULT_MODEL, metavar="NAME")
    add("--budget", default="5s", metavar="B", help="of each answer (5s)")
    add("--problems", type=int, default=100, metavar="N", help="prompts of each kind (100)")
    add("--data", metavar="DIR", help="folder of the MBXP problems")
    add("--threads", type=int, metavar="N")
    add("--json", type=output_file, metavar="FILE")


def run(args: argparse.Namespace) -> int:
    """Answer and cancel, and print the times."""
    budget = parse_budget(args.budget)
    if budget.seconds is None or args.problems < 1:
        raise UsageError("--budget must be one of seconds, such as 5s, and --problems at least 1")
    tasks = shuffled(subset(load_tasks(data_folder(args.data), ["python"]).values(), args.problems))
    prompts = [task.prompt for task in tasks]
    engines = Engines(load_engine(args.model, threads=args.threads, cache_tokens=1 << 14))
    sandbox = choose()
    ask(Question(prompts[0], budget=budget, sandbox=sandbox), engines)
    ended = []
    for prompt in prompts:
        started = time.perf_counter()
        ask(Question(prompt, budget=budget, sandbox=sandbox), engines)
        ended.append(time.perf_counter() - started)
    cancelled = _cancellations(prompts, budget.seconds, engines)
    result = {
        "benchmark": "budget limits",
        "command": "midline-bench " + " ".join(sys.argv[1:]),
        "model": args.model,
        "budget_seconds": budget.seconds,
        "machine": describe_machine(),
        "versions": describe_versions(),
        "ended_seconds": _quantiles(ended),
        "over_budget_seconds": _quantiles([max(0.0, s - budget.seconds) for s in ended]),
        "cancelled_milliseconds": _quantiles([1e3 * s for s in cancelled]),
    }
    print(
        f"{len(ended)} answers within {budget}: 95% ended within "
        f"{result['ended_seconds']['p95']:.2f} s; {len(cancelled)} cancellations: 95% within "
        f"{result['cancelled_milliseconds']['p95']:.0f} ms"
    )
    if args.json:
        write_json(args.json, result)
    return 0


def _cancellations(prompts: list[str], seconds: float, engines: Engines) -> list[float]:
    """Seconds from each cancellation to the answer, without those that came too late."""
    rng = random.Random(len(prompts))
    taken = []
    for number, prompt in enumerate(prompts):
        strategy = CANCELLED[number % len(CANCELLED)]
        taken.append(_cancelled(prompt, rng.uniform(0.05, seconds / 2), strategy, engines))
    return [late for late in taken if late is not None]


def _cancelled(prompt: str, delay: float, strategy: str, engines: Engines) -> float | None:
    """Seconds from the cancellation to the answer; None if it was there before."""
    cancel = CancelFlag()
    at: list[float] = []

    def stop() -> None:
        at.append(time.perf_counter())
        cancel.set()

    timer = threading.Timer(delay, stop)
    timer.start()
    ask(Question(prompt, strategy=strategy, sandbox=choose()), engines, cancel)
    ended = time.perf_counter()
    timer.cancel()
    timer.join()
    return ended - at[0] if at and ended > at[0] else None


def _quantiles(values: list[float]) -> dict[str, Any]:
    if not values:
        return {"count": 0, "median": None, "p95": None, "worst": None}
    return {
        "count": len(values),
        "median": round(float(np.median(values)), 4),
        "p95": round(float(np.quantile(values, 0.95)), 4),
        "worst": round(max(values), 4),
    }
