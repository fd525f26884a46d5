"""The speed of a model on this machine: measured once, kept, and used to translate seconds.

A call takes the time of its computed prompt tokens, and a decoding step for each token of its
longest completion, with a row for each completion that is not over yet.
"""

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midline.kernels import kernel_name
from midline.model.atomic_write import atomic_write
from midline.model.engines.base import Engine, Request
from midline.model.paths import cache_folder
from midline.model.strategies.run import TEMPERATURE, Draw
from midline.model.threads import thread_count

ROWS = (1, 2, 4, 8, 16, 32)
PROMPT_TOKENS, STEPS = 256, 12
_FORM = 2
"""Number of how speeds are measured: those that were kept of another are measured anew."""
PROGRAM_SECONDS, QUESTION_SECONDS = 0.01, 0.04
"""What executing one candidate takes, and the sandbox and interpreter of each execution."""

DRAFTED = 0.75
"""Steps of a completion that earlier answers to the same prompt draft, of those without drafts."""


@dataclass(frozen=True)
class Speed:
    """prompt_seconds: of one computed prompt token. steps: rows, and seconds of such a step."""

    prompt_seconds: float
    steps: tuple[tuple[int, float], ...]

    def call_seconds(
        self, new_tokens: float, lengths: Sequence[float], drafted: bool = False
    ) -> float:
        """Seconds of a call that computes `new_tokens` and writes completions of `lengths`.

        drafted: whether earlier answers are drafts of a single completion.
        """
        seconds, before = new_tokens * self.prompt_seconds, 0.0
        ordered = sorted(length * (DRAFTED if drafted else 1.0) for length in lengths)
        for at, length in enumerate(ordered):
            seconds += (length - before) * self.step_seconds(len(ordered) - at)
            before = length
        return seconds

    def step_seconds(self, rows: int) -> float:
        """Seconds of a step with `rows` rows, between measured numbers along a straight line."""
        below = self.steps[0]
        for above in self.steps:
            if above[0] >= rows:
                if above[0] == below[0]:
                    return above[1]
                share = (rows - below[0]) / (above[0] - below[0])
                return below[1] + share * (above[1] - below[1])
            below = above
        return below[1] * rows / below[0]

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"prompt_seconds": self.prompt_seconds, "steps": [list(step) for step in self.steps]}

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> "Speed":
        """What `as_dict` wrote."""
        return cls(float(row["prompt_seconds"]), tuple((int(n), float(s)) for n, s in row["steps"]))


def measure_speed(engine: Engine, rows: Sequence[int] = ROWS) -> Speed:
    """A few seconds of prompts and steps; the prompts are like no other, so that none is cached."""
    ids = _unusual_prompt(engine, int(time.time_ns()))
    started = time.perf_counter()
    engine.generate(Request(ids), Draw().options(1))
    prompt_seconds = (time.perf_counter() - started) / len(ids)
    steps = []
    for count in rows:
        # A single completion is mostly the greedy one.
        options = Draw(count, TEMPERATURE if count > 1 else 0.0).options(STEPS)
        started = time.perf_counter()
        found = engine.generate(Request(ids, seed=count), options)
        longest = max((len(completion.ids) for completion in found.completions), default=1)
        steps.append((count, (time.perf_counter() - started) / max(1, longest)))
    return Speed(prompt_seconds, tuple(steps))


def known_speed(engine: Engine) -> Speed:
    """The kept speed of an engine's model on this machine; measured now if there is none."""
    path, key = speeds_file(), _key(engine)
    kept: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        kept = json.loads(path.read_text("utf-8"))
    with suppress(KeyError, TypeError, ValueError):
        return Speed.from_dict(kept[key])
    speed = measure_speed(engine)
    kept = (kept if isinstance(kept, dict) else {}) | {key: speed.as_dict()}
    with suppress(OSError):
        atomic_write(path, json.dumps(kept, indent=1).encode())
    return speed


def speeds_file() -> Path:
    """Where speeds are kept; removing it has them measured anew."""
    return cache_folder() / "strategies" / "speeds.json"


def _key(engine: Engine) -> str:
    return f"{engine.kind} {engine.name} {kernel_name()} {thread_count()} {_FORM}"


def _unusual_prompt(engine: Engine, number: int) -> list[int]:
    text = "".join(f"{number * (at + 3) % 999983} = value_{at}\n" for at in range(PROMPT_TOKENS))
    return engine.tokenizer.encode(text)[:PROMPT_TOKENS]
