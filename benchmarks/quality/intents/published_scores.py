"""The scores that were published with SNIPS: of its own service, three draws of each size.

They are of one model for each intent, with recall and precision of every slot. Slot F1 is computed
from them as ours is, over all slots of all intents together; how often each slot occurs is counted
in the validation files.
"""

import json
import math
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

from midline.benchmarks.quality.intents.public_data import PublicData

RENAMED = {"snips/datetime": "timeRange"}
"""Names of slots in the published files, and those of the validation files."""


def published_scores(data: PublicData, folder: Path) -> list[dict[str, Any]]:
    """For each size the service, mean recall of intents and mean slot F1; nothing without files."""
    supports = Counter(
        (utterance.intent, slot.name) for utterance in data.test for slot in utterance.slots
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for path in sorted(folder.glob("published_metrics_*.json")):
        about = json.loads(path.read_text("utf-8"))
        for intent, scores in about["intents"].items():
            for size in map(int, scores["recall"]):
                found.setdefault(size, []).append(
                    {"service": about["model_name"], "intent": intent, **scores}
                )
    return [
        {
            "size": size,
            "service": rows[0]["service"],
            "intents": len(rows),
            "intent_recall": statistics.fmean(x for r in rows for x in r["recall"][str(size)]),
            "slot_f1": statistics.fmean(_slot_f1(rows, str(size), supports)),
        }
        for size, rows in sorted(found.items())
    ]


def _slot_f1(
    rows: list[dict[str, Any]], size: str, supports: Counter[tuple[str, str]]
) -> list[float]:
    """F1 of each draw, over all slots of all intents."""
    draws = len(rows[0]["recall"][size])
    right, said, wanted = [0.0] * draws, [0.0] * draws, [0.0] * draws
    for row in rows:
        for name, scores in row["slots"].items():
            support = supports[row["intent"], RENAMED.get(name, name)]
            for draw in range(draws):
                hits = support * _number(scores["recall"][size][draw])
                precision = _number(scores["precision"][size][draw])
                right[draw] += hits
                said[draw] += hits / precision if precision else 0.0
                wanted[draw] += support
    return [2 * r / (s + w) for r, s, w in zip(right, said, wanted, strict=True)]


def _number(value: float | None) -> float:
    """A share; 0 where it was not defined."""
    return 0.0 if value is None or math.isnan(value) else float(value)
