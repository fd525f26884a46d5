"""Pools of independent samples: folders of `midline-bench mbxp run --no-evaluate`."""

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from midline.benchmarks.mbxp.run_folder import RUN
from midline.benchmarks.mbxp.samples import SAMPLES, read_generated
from midline.benchmarks.mbxp.tasks import Task
from midline.model.errors import UsageError
from midline.model.strategies.candidate import Candidate

SEED = 21
"""Of the problems of which more is drawn: the same 200 for everybody."""
SUBSET = 200


@dataclass(frozen=True)
class Drawn:
    """The samples of one problem, and the length of their shared prompt."""

    candidates: tuple[Candidate, ...]
    prompt_tokens: int


@dataclass(frozen=True)
class Pool:
    """Samples of one model by task id; `greedy`: whether they were drawn at temperature 0."""

    model: str
    greedy: bool
    drawn: Mapping[str, Drawn]


def read_pool(folder: Path, tasks: Mapping[str, Task]) -> Pool:
    """The samples of a folder that belong to `tasks`; UsageError if it is no folder of samples."""
    path = folder / RUN
    if not path.is_file() or not (folder / SAMPLES).is_file():
        raise UsageError(
            f"{folder} has no samples; draw them with `midline-bench mbxp run --samples 8 "
            f"--temperature 0.8 --no-evaluate --out {folder}`"
        )
    about = json.loads(path.read_text("utf-8"))
    model = str(about["model"])
    found: dict[str, dict[int, Candidate]] = defaultdict(dict)
    prompts: dict[str, int] = {}
    for row in read_generated(folder / SAMPLES):
        if row["task_id"] in tasks:
            prompts[row["task_id"]] = row["prompt_tokens"]
            found[row["task_id"]][row["sample"]] = Candidate(
                row["completion"], row["mean_logprob"], row["tokens"], row["finish_reason"], model
            )
    drawn = {
        id: Drawn(tuple(each[n] for n in sorted(each)), prompts[id]) for id, each in found.items()
    }
    return Pool(model, about["temperature"] == 0, drawn)


def merged(pools: Sequence[Pool]) -> dict[str, tuple[Pool | None, Pool | None]]:
    """By model: the greedy answers and the samples; of several draws of a problem the largest."""
    found: dict[str, tuple[Pool | None, Pool | None]] = {}
    for model in dict.fromkeys(pool.model for pool in pools):
        own = [pool for pool in pools if pool.model == model]
        found[model] = (
            _together([p for p in own if p.greedy]), _together([p for p in own if not p.greedy])
        )  # fmt: skip
    return found


def _together(pools: Sequence[Pool]) -> Pool | None:
    if not pools:
        return None
    drawn: dict[str, Drawn] = {}
    for pool in pools:
        for id, each in pool.drawn.items():
            if id not in drawn or len(each.candidates) > len(drawn[id].candidates):
                drawn[id] = each
    return Pool(pools[0].model, pools[0].greedy, drawn)


def subset(tasks: Iterable[Task], count: int = SUBSET, seed: int = SEED) -> list[Task]:
    """`count` of the tasks, chosen by their numbers alone, in the order of these."""
    ordered = sorted(tasks, key=lambda task: task.number)
    if count >= len(ordered):
        return ordered
    numbers = set(random.Random(seed).sample([task.number for task in ordered], count))
    return [task for task in ordered if task.number in numbers]


def shuffled(tasks: Sequence[Task], seed: int = SEED) -> list[Task]:
    """The tasks in an order that is the same every time, so that the first ones are a sample."""
    mixed = list(tasks)
    random.Random(seed).shuffle(mixed)
    return mixed


def half_of(task: Task) -> int:
    """0 for the half of the problems that parameters are chosen on, 1 for the one that is reported.

    A number stands for the same problem in every language.
    """
    return task.number % 2
