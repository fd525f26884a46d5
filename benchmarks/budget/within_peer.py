"""The user's figure from the pools: what fits into the time of llama.cpp's one greedy answer.

The arm is chosen on the tuning half, among those that take at most the peer's average time there,
and compared on the other half. The peer's answers are the large model's greedy ones, its seconds
those of its measured speed. `budget versus` measures the same side by side.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from midline.benchmarks.budget.auto_table import LEAST_TUNING_PROBLEMS
from midline.benchmarks.budget.measures import Measured, Outcome, common, difference
from midline.benchmarks.budget.pool import Pool
from midline.benchmarks.budget.verdicts import Verdicts
from midline.model.strategies.auto import Part
from midline.model.strategies.base import Strategy
from midline.model.strategies.speed import Speed

PEER = "llama.cpp"


def peer_of(pool: Pool, speed: Speed, verdicts: Verdicts) -> Measured:
    """llama.cpp as an arm: the greedy answers of a pool at its speed."""
    outcomes = {}
    for id, drawn in pool.drawn.items():
        first = drawn.candidates[0]
        passed = verdicts.passed(id, first.text)
        if passed is not None:
            tokens = drawn.prompt_tokens + first.tokens
            seconds = speed.call_seconds(drawn.prompt_tokens, [first.tokens])
            right = float(passed)
            outcomes[id] = Outcome(right, tokens, seconds, 0.0, 0.0, 0.0, right)
    return Measured(PEER, "large", outcomes)


def within_peer(
    arms: Sequence[Measured], peer: Measured, halves: Mapping[str, int]
) -> dict[str, Any] | None:
    """The best arm within the peer's time, and how much more often it is right, if any fits."""
    fitting: list[tuple[float, Measured]] = []
    for arm in arms:
        ids = [id for id in common([arm, peer]) if halves[id] == 0]
        if len(ids) < LEAST_TUNING_PROBLEMS:
            continue
        if arm.mean("seconds", ids) <= peer.mean("seconds", ids):
            fitting.append((arm.mean("passed", ids), arm))
    if not fitting:
        return None
    best = max(fitting, key=lambda each: each[0])[1]
    ids = [id for id in common([best, peer]) if halves[id] == 1]
    first, second = best.vector("passed", ids), peer.vector("passed", ids)
    return {
        "arm": best.name,
        "models": best.models,
        "tuning_passed": round(max(passed for passed, _ in fitting), 4),
        "passed": {"midline": round(float(first.mean()), 4), PEER: round(float(second.mean()), 4)},
        "seconds": {
            "midline": round(float(np.mean(best.vector("seconds", ids))), 3),
            PEER: round(float(np.mean(peer.vector("seconds", ids))), 3),
        },
        "more_often_right": difference(first, second),
    }


def within_peer_on_average(
    parts: Mapping[str, Sequence[Part]], peer: Measured, strategy: Strategy, limit: float
) -> dict[str, Any] | None:
    """A strategy whose answers are cut off at `limit` seconds, beside the peer's on `parts`' tasks.

    parts: by task id, seconds and verdicts of each replay and of its first answer.
    """
    ids = sorted(set(parts) & set(peer.outcomes))
    if not ids:
        return None
    first = np.array(
        [
            np.mean([p.passed if p.cost <= limit else p.first_passed for p in parts[id]])
            for id in ids
        ]
    )
    seconds = np.array([np.mean([min(p.cost, limit) for p in parts[id]]) for id in ids])
    second = peer.vector("passed", ids)
    return {
        "strategy": repr(strategy),
        "limit": round(limit, 3),
        "passed": {"midline": round(float(first.mean()), 4), PEER: round(float(second.mean()), 4)},
        "seconds": {
            "midline": round(float(seconds.mean()), 3),
            PEER: round(float(np.mean(peer.vector("seconds", ids))), 3),
        },
        "more_often_right": difference(first, second),
    }


def on_average_sentence(found: Mapping[str, Any] | None) -> str:
    """What `within_peer_on_average` found, in words."""
    if found is None:
        return "On average: not computed, since pools or speeds of both models are missing."
    more, passed, seconds = found["more_often_right"], found["passed"], found["seconds"]
    return (
        f"On average: `auto` takes {found['strategy']}, cut off at {found['limit']:.2f} s, which "
        f"is right on {passed['midline']:.1%} in {seconds['midline']:.2f} s; {PEER} on "
        f"{passed[PEER]:.1%} in {seconds[PEER]:.2f} s; difference in points "
        f"{100 * more['difference']:+.1f} [{100 * more['lower_bound']:+.1f}, "
        f"{100 * more['upper_bound']:+.1f}] on {more['problems']} problems of the other half."
    )
