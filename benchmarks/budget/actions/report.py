"""Compare strategies by what `budget run` kept: tables, curves, a page, and the table of `auto`.

Independent strategies are replayed from the pools, with the code that users run. Seconds come from
`budget speed`. Replays are kept in the folder, so that a second report is quick.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from midline.benchmarks.budget.actions.speed import read_speeds
from midline.benchmarks.budget.answers import answers
from midline.benchmarks.budget.arms import ARMS, BOTH, LARGE, SMALL
from midline.benchmarks.budget.auto_table import Candidate, part_of, table_rows
from midline.benchmarks.budget.live import LIVE, OBSERVED
from midline.benchmarks.budget.measures import AXES, Axis, Measured, measured
from midline.benchmarks.budget.observe import TESTS, WrittenTests, read_tests, visible_checks
from midline.benchmarks.budget.page import page
from midline.benchmarks.budget.plots import curves
from midline.benchmarks.budget.pool import Pool, half_of, merged, read_pool
from midline.benchmarks.budget.problems import EXAMPLES, problem_of
from midline.benchmarks.budget.programs import observation_key
from midline.benchmarks.budget.simulate import NONE, PoolArm, Simulator, drawn_texts, pool_arms
from midline.benchmarks.budget.store import Store
from midline.benchmarks.budget.tables import (
    against_plain,
    against_self_consistency,
    areas,
    arm_rows,
    crossing_points,
    dominated,
    families,
    growth,
    rank_agreement,
)
from midline.benchmarks.budget.tests_of_models import quality_of_tests
from midline.benchmarks.budget.verdicts import Verdicts
from midline.benchmarks.budget.within_peer import (
    PEER,
    on_average_sentence,
    peer_of,
    within_peer,
    within_peer_on_average,
)
from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.report import write_json, write_text
from midline.benchmarks.mbxp.tasks import Task, data_folder, load_tasks
from midline.benchmarks.outputs import output_file
from midline.model.catalog.catalog import DEFAULT_MODEL
from midline.model.errors import UsageError
from midline.model.strategies.auto import TABLE, Part, choose_on_average, read_row
from midline.model.strategies.code_answers import program
from midline.model.strategies.programs import Observation, Observed
from midline.model.strategies.registry import make_strategy
from midline.model.weights.config import ModelConfig

REPLAYED = "replayed.jsonl"
TABLE_COMMAND = "midline-bench budget report DIR --pool DIR.. --speeds FILE --write-table"
UNITS = {"tokens": "tokens in and out", "seconds": "seconds", "flops": "GFLOP"}
Rows = dict[tuple[str, str], list[Mapping[str, Any]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, the pools, the speeds and the outputs."""
    add = parser.add_argument
    add("folder", type=Path, metavar="DIR", help="of `budget run --out`")
    add("--pool", type=Path, nargs="+", required=True, metavar="DIR", help="folders of samples")
    add("--small", default=DEFAULT_MODEL, metavar="NAME")
    add("--large", default="qwen2.5-coder-1.5b", metavar="NAME")
    add("--lang", default="python", choices=("python", "javascript"))
    add("--data", metavar="DIR", help="folder of the MBXP problems")
    add("--examples", choices=(*EXAMPLES, NONE), default="first")
    add("--speeds", type=Path, metavar="SPEEDS", help="file of `budget speed --json`")
    add("--json", type=output_file, metavar="FILE", help="write the numbers here")
    add("--page", type=output_file, metavar="FILE", help="write a page here, and plots beside it")
    add("--write-table", action="store_true", help="write the table that `auto` chooses from")


def run(args: argparse.Namespace) -> int:
    """Replay, measure, and write what was asked for."""
    study = Study(args)
    rows = study.rows(args.examples)
    arms = measured((r for own in rows.values() for r in own), study.verdicts, study.speeds)
    if not arms:
        raise UsageError(
            f"{args.folder} has no judged answers; run `midline-bench budget run` with the same "
            "pools first"
        )
    report = study.report(arms, args.examples)
    table = study.table(arms, rows, report) if args.examples != NONE else []
    report["on_average"] = study.on_average(rows, table)
    for row in report["arms"]:
        print(
            f"{row['models']:<6}{row['arm']:<30}{row['problems']:>5}{row['passed']:>8.1%} "
            f"[{row['interval'][0]:.1%}, {row['interval'][1]:.1%}] {row['tokens']:>7.0f} tok "
            f"{row['seconds']:>6.2f} s  harm {row['harm']:.1%} rescue {row['rescue']:.1%}"
        )
    print(_peer_sentence(report["within_peer"]))
    print(on_average_sentence(report["on_average"]))
    if args.json:
        write_json(args.json, report)
    if args.page:
        names = _plots(args.page, arms, report["axes"])
        write_text(args.page, page(report, args.json.name if args.json else "", names))
    if args.write_table:
        write_json(TABLE, {"command": TABLE_COMMAND, "rows": table})
    return 0


class Study:
    """What is kept in the folder, and the pools."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.tasks = load_tasks(data_folder(args.data), [args.lang])
        self.pools = merged([read_pool(folder, self.tasks) for folder in args.pool])
        self.verdicts = Verdicts(args.folder, self.tasks)
        self.tests = self._read_tests()
        self.observed = dict(self._read_observed())
        speeds = json.loads(args.speeds.read_text("utf-8")) if args.speeds else {"rows": []}
        self.speeds = read_speeds(speeds)
        self.peer_speeds = read_speeds(speeds, PEER)

    def rows(self, examples: str) -> Rows:
        """Rows of all arms by name and models, replayed and live ones."""
        none = (None, None)
        simulator = Simulator(
            Store(self.args.folder / REPLAYED), self.pools.get(self.args.small, none),
            self.pools.get(self.args.large, none), self.observed, self.tests,
            {model: config for model in self.pools if (config := _config(model))},
        )  # fmt: skip
        found: Rows = defaultdict(list)
        for arm in pool_arms():
            if examples != NONE or not arm.executes:
                for task in self.tasks.values():
                    found[arm.name, arm.models] += simulator.rows(arm, task, examples)
        for row in self._live(examples):
            found[row["arm"], row["pair"]].append(row)
        return found

    def report(self, arms: Sequence[Measured], examples: str) -> dict[str, Any]:
        """All tables."""
        some = arms[0]
        ids = sorted(some.outcomes)
        axes: list[Axis] = [axis for axis in AXES if some.mean(axis, ids) > 0]
        plain = against_plain(arms, examples)
        found = {
            "benchmark": "budget",
            "command": _command(),
            "examples": examples,
            "language": self.args.lang,
            "about": self._about(),
            "axes": axes,
            "machine": describe_machine(),
            "versions": describe_versions(),
            "arms": arm_rows(arms),
            "against_plain": plain,
            "against_self_consistency": against_self_consistency(arms),
            "growth": growth(arms),
            "areas": [row for axis in axes for row in areas(arms, axis)],
            "crossings": crossing_points(arms, examples),
            "rankings": rank_agreement(arms, examples),
            "tests": quality_of_tests(self.observed, self.tests, self.verdicts),
            "dominated": dominated(plain),
            "within_peer": self._within_peer(arms),
        }
        return found | {"answers": answers(found)}

    def table(
        self, arms: Sequence[Measured], rows: Rows, report: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Rows for `auto`: with what was executed here, and without execution."""
        without = self.rows(NONE)
        unexecuted = measured(
            (r for own in without.values() for r in own), self.verdicts, self.speeds
        )
        tuning = {id for id, task in self.tasks.items() if half_of(task) == 0}
        roles = {self.args.small: SMALL, self.args.large: LARGE}
        killed = set(report["dominated"]) | _harmful(report["arms"])
        plain = _candidates(unexecuted, executes=False, killed=set())
        executed = _candidates(arms, executes=True, killed=killed)
        part = partial(part_of, verdicts=self.verdicts, speeds=self.speeds)
        return [
            *table_rows(executed, rows, tuning, roles, part),
            *table_rows(plain, without, tuning, roles, part),
        ]

    def on_average(self, rows: Rows, table: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
        """What `auto` takes for both models in the peer's mean time of the tuning half."""
        peer, small, large = self._peer(), self.args.small, self.args.large
        if peer is None or not {small, large} <= set(self.speeds) or not table:
            return None
        halves = {id: half_of(self.tasks[id]) for id in peer.outcomes}
        mean = peer.mean("seconds", [id for id, half in halves.items() if half == 0])
        speeds = {SMALL: self.speeds[small], LARGE: self.speeds[large]}
        strategy, limit = choose_on_average(
            list(map(read_row, table)), mean, [SMALL, BOTH], True, speeds
        )
        parts: dict[str, list[Part]] = defaultdict(list)
        for arm in pool_arms():
            is_it = make_strategy(arm.strategy, dict(arm.parameters)) == strategy
            if is_it and arm.models == BOTH:
                for row in rows[arm.name, arm.models]:
                    if halves.get(row["task_id"]) == 1:
                        parts[row["task_id"]].append(part_of(row, self.verdicts, self.speeds))
        return within_peer_on_average(parts, peer, strategy, limit)

    def _peer(self) -> Measured | None:
        greedy, _ = self.pools.get(self.args.large, (None, None))
        speed = self.peer_speeds.get(self.args.large)
        return None if greedy is None or speed is None else peer_of(greedy, speed, self.verdicts)

    def _within_peer(self, arms: Sequence[Measured]) -> dict[str, Any] | None:
        peer = self._peer()
        halves = {id: half_of(task) for id, task in self.tasks.items()}
        return None if peer is None else within_peer(arms, peer, halves)

    def _live(self, examples: str) -> Iterator[dict[str, Any]]:
        for key, row in Store(self.args.folder / LIVE).rows.items():
            if key.endswith(f" {examples}") and row["task_id"] in self.tasks:
                texts = [candidate["text"] for candidate in row["candidates"]]
                shown = row["shown"]["text"] if row["shown"] else None
                yield {
                    "task_id": row["task_id"], "arm": row["arm"], "pair": row["pair"],
                    "shown": shown, "texts": list(dict.fromkeys(texts)),
                    "calls": row["ledger"]["calls"], "programs": row["ledger"]["programs"],
                }  # fmt: skip

    def _read_tests(self) -> dict[tuple[str, str], WrittenTests]:
        store = Store(self.args.folder / TESTS)
        pairs = [(id, model) for model in self.pools for id in self.tasks]
        found = {pair: read_tests(store, *pair) for pair in pairs}
        return {pair: tests for pair, tests in found.items() if tests is not None}

    def _read_observed(self) -> Iterator[tuple[tuple[str, str], dict[str, Observed]]]:
        """Of each problem and model whose samples all were observed."""
        kept = Store(self.args.folder / OBSERVED)
        for model, pools in self.pools.items():
            for task in self.tasks.values():
                texts = [text for pool in pools for text in _texts(pool, task)]
                checks = visible_checks(task, self.tests.get((task.task_id, model)))
                problem = problem_of(task, "all")
                keys = {
                    t: observation_key(program(problem, t), task.language, checks) for t in texts
                }
                if keys and all(key in kept for key in keys.values()):
                    yield (
                        (task.task_id, model),
                        {
                            text: tuple(Observation(*each) for each in kept.rows[key]["observed"])
                            for text, key in keys.items()
                        },
                    )

    def _about(self) -> str:
        sizes = []
        for model, (greedy, sampled) in self.pools.items():
            counts = [len(d.candidates) for d in sampled.drawn.values()] if sampled else [0]
            least, most = min(counts), max(counts)
            sizes.append(
                f"{model}: greedy answers to {len(greedy.drawn) if greedy else 0} problems, "
                f"{least if least == most else f'{least} to {most}'} samples of "
                f"{len(sampled.drawn) if sampled else 0}"
            )
        return f"MBXP {self.args.lang}. The pools are of " + "; ".join(sizes) + "."


def _peer_sentence(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "llama.cpp: no greedy answers of the large model, or no speed, to compare with"
    more = found["more_often_right"]
    return (
        f"within llama.cpp's time: {found['arm']} ({found['models']}) "
        f"{found['passed']['midline']:.1%} in {found['seconds']['midline']:.2f} s, llama.cpp "
        f"{found['passed'][PEER]:.1%} in {found['seconds'][PEER]:.2f} s; {more['difference']:+.1%} "
        f"[{more['lower_bound']:+.1%}, {more['upper_bound']:+.1%}] of {more['problems']}"
    )


def _texts(pool: Pool | None, task: Task) -> list[str]:
    return drawn_texts(pool.drawn.get(task.task_id)) if pool is not None else []


def _candidates(
    arms: Iterable[Measured], *, executes: bool, killed: set[str]
) -> Iterator[Candidate]:
    known: dict[tuple[str, str], PoolArm] = {(arm.name, arm.models): arm for arm in pool_arms()}
    live = {arm.name: arm for arm in ARMS}
    for arm in arms:
        if f"{arm.name} ({arm.models})" in killed:
            continue
        pooled = known.get((arm.name, arm.models))
        if pooled is not None:
            parameters = dict(pooled.parameters)
            if pooled.strategy == "best_of_n" and executes and not pooled.executes:
                parameters["examples"] = False
            if not pooled.executes and executes and pooled.strategy == "cascade":
                continue
            yield Candidate(arm, pooled.strategy, parameters, executes)
        elif executes:
            yield Candidate(arm, live[arm.name].strategy, live[arm.name].parameters, executes)


def _harmful(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Arms of Mixture-of-Agents that are not shown to rescue more than they harm."""
    return {
        f"{row['arm']} ({row['models']})"
        for row in rows
        if "moa" in row["arm"] and not row["rescue_over_harm"]["lower_bound"] > 0
    }


def _config(model: str) -> ModelConfig | None:
    from midline.model.catalog.catalog import resolve
    from midline.model.errors import MidlineError
    from midline.model.weights.config import read_config
    from midline.model.weights.gguf import read_gguf

    try:
        return read_config(read_gguf(resolve(model)))
    except MidlineError:
        return None


def _plots(path: Path, arms: Sequence[Measured], axes: Sequence[Axis]) -> list[str]:
    """One plot for each pair of models and axis, beside the page."""
    names = []
    for models in dict.fromkeys(arm.models for arm in arms):
        for axis in axes:
            scale = 1e-9 if axis == "flops" else 1.0
            lines = {
                family: [
                    (scale * arm.mean(axis, ids), arm.mean("passed", ids))
                    for arm in own
                    if (ids := sorted(arm.outcomes))
                ]
                for family, own in families(arms, models).items()
            }
            if any(lines.values()):
                name = f"{path.stem}-{models}-{axis}.svg"
                title = f"Right answers by {UNITS[axis]}, models: {models}"
                write_text(path.with_name(name), curves(title, UNITS[axis], lines))
                names.append(name)
    return names


def _command() -> str:
    return "midline-bench " + " ".join(sys.argv[1:])
