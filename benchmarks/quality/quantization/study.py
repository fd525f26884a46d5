"""What a study measures: its parts, how much of each, and what a kept result depends on."""

from dataclasses import dataclass, field
from typing import Any

from midline.benchmarks.machine import describe_machine
from midline.benchmarks.mbxp.tasks import Task
from midline.benchmarks.quality.quantization.store import Store
from midline.benchmarks.quality.quantization.summarization import OPENING

QUALITY = ("perplexity", "cursor", "mbxp", "summaries", "robustness")
SPEED = ("size", "speed")
MBXP = "mbxp-"
"""Beginning of the names of the parts that `mbxp` stands for, one for each language."""


@dataclass(frozen=True)
class Amounts:
    """How much is measured: perturbations of each problem, problems perturbed, docstrings written,
    marked cursors completed."""

    seeds: int = 5
    robust_problems: int = 100
    summaries: int = 200
    cursors: int = 200


@dataclass(frozen=True)
class Study:
    """The options of one run.

    tasks: the problems of each language. together: subjects whose speed is measured beside the
    reference at once, all of them loaded.
    """

    store: Store
    tasks: dict[str, list[Task]] = field(default_factory=dict)
    amounts: Amounts = Amounts()
    threads: int | None = None
    country: str = "DEU"
    together: int = 3

    def keys(self, part: str) -> list[str]:
        """The names under which results of a part are kept."""
        return [MBXP + name for name in self.tasks] if part == "mbxp" else [part]

    def settings(self, key: str) -> dict[str, Any]:
        """What a result depends on besides its subject."""
        amounts = self.amounts
        if key.startswith(MBXP):
            return {"problems": len(self.tasks[key.removeprefix(MBXP)])}
        if key == "robustness":
            return {"seeds": amounts.seeds, "problems": amounts.robust_problems}
        if key == "summaries":
            return {"problems": amounts.summaries, "opening": OPENING}
        if key == "cursor":
            return {"cursors": amounts.cursors}
        if key == "speed":
            return {"machine": describe_machine()["processor"], "country": self.country,
                    "threads": self.threads}  # fmt: skip
        return {}
