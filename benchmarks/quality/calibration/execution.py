"""MBXP problems completed with the profile of each calibration text, and executed.

Every arm answers the same problems greedily at the same level of sparsity, so that arms are paired
by problem. What is in the folder of an arm is neither completed nor executed again.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.mbxp.actions.run import chosen_tasks
from midline.benchmarks.mbxp.run_folder import claim
from midline.benchmarks.mbxp.statistics import paired_difference, wilson
from midline.benchmarks.mbxp.tasks import Task, data_folder, load_tasks
from midline.benchmarks.quality.greedy_passes import MAX_TOKENS, greedy_passes
from midline.model.decoding.options import NativeOptions, SamplingOptions
from midline.model.engines.native.engine import NativeEngine
from midline.model.teal.profile import Profile

LANGUAGE = "python"


class CalibratedEngine(NativeEngine):
    """A native engine whose sparse decoding uses `given` in place of a profile from a file."""

    given: Profile | None = None

    def profile(self, level: float) -> Profile | None:
        """The given profile at every level but 0."""
        return self.given if level else None


def problems(data: str | None, count: int) -> list[Task]:
    """The first `count` Python problems."""
    return chosen_tasks(load_tasks(data_folder(data), [LANGUAGE]), [LANGUAGE], count, common=False)


def passed(
    engine: CalibratedEngine, profile: Callable[[], Profile], tasks: Sequence[Task], folder: Path
) -> dict[str, int]:
    """1 for each task that a greedy completion passes, 0 for the others; by task id.

    `profile` is asked for only if completions are missing in `folder`.
    """

    def ready() -> tuple[CalibratedEngine, SamplingOptions]:
        engine.given = given = profile()
        claim(folder, {"sparsity": given.level, "text": given.calibration.sha256})
        native = NativeOptions(exact=True, sparsity=given.level, draft="none")
        return engine, SamplingOptions(max_tokens=MAX_TOKENS, engine=native)

    return greedy_passes(ready, tasks, folder)


def compared(found: Mapping[str, Mapping[str, int]], baseline: str) -> list[dict[str, Any]]:
    """For each arm its pass@1, and the difference to `baseline` paired by problem."""
    rows = []
    for arm, own in found.items():
        right, asked = sum(own.values()), len(own)
        row: dict[str, Any] = {"arm": arm, "problems": asked, "pass": right / max(1, asked),
                               "interval": wilson(right, asked)}  # fmt: skip
        base = found.get(baseline, {})
        both = sorted(own.keys() & base.keys())
        if arm != baseline and both:
            row["against"] = baseline
            row["less_baseline"] = paired_difference([(own[task], base[task]) for task in both])
        rows.append(row)
    return rows


def lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The table that is printed."""
    said = ["arm              problems  pass@1"]
    for row in rows:
        low, high = row["interval"]
        line = f"{row['arm']:<16} {row['problems']:>8} {row['pass']:>7.1%} [{low:.1%}, {high:.1%}]"
        if "less_baseline" in row:
            low, high = row["less_baseline"]["interval"]
            verdict = "shows nothing" if low <= 0 <= high else ""
            difference = row["less_baseline"]["difference"]
            line += f"  {difference:+.1%} [{low:+.1%}, {high:+.1%}] of {row['against']} {verdict}"
        said.append(line.rstrip())
    return said
