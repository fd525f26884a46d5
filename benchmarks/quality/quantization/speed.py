"""Load time, memory, speed and energy of the subjects, interleaved in rounds with the reference.

The reference and a few subjects are loaded in processes of their own. In each round all of
them do the same work, one after the other, so that what else the machine does meets all alike.
Every raw time is kept, the reference's beside each subject's; ratios are paired by round. Prefill
is 512 tokens of code from an empty cache, decode is 32 steps behind 512 tokens, completions are 32
tokens behind 256 new ones.
"""

import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import count
from typing import Any

from midline.benchmarks.quality.quantization.energy import EnergyMeter, energy_method
from midline.benchmarks.quality.quantization.store import Subject
from midline.benchmarks.quality.quantization.study import Study
from midline.benchmarks.speed.decode import workload as decode_workload
from midline.benchmarks.speed.paired import PAUSE
from midline.benchmarks.speed.prefill import workload as prefill_workload
from midline.benchmarks.speed.remote import RemoteEngine
from midline.benchmarks.speed.workload import Workload, prompt_ids
from midline.model.engines.onnx.files import TOKENIZER
from midline.model.threads import thread_count
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

ROUNDS = 5
PREFILL_TOKENS, CONTEXT_TOKENS, DECODE_TOKENS = 512, 512, 32
PROMPT_TOKENS, COMPLETION_TOKENS = 256, 32
COMPLETIONS = 2
"""Completions of each round."""
ADAPTERS = {"native": "midline", "onnx": "onnx"}
Times = dict[str, list[float]]
"""Seconds of each round, by kind of work."""


def measure_speeds(study: Study, subjects: Sequence[Subject], waiting: Sequence[Subject]) -> None:
    """Measures those of `subjects` that are `waiting`, in groups, each beside the reference."""
    reference = next(subject for subject in subjects if subject.is_reference)
    others = [subject for subject in waiting if not subject.is_reference]
    step = study.together
    groups = [others[at : at + step] for at in range(0, len(others), step)]
    if not groups and reference in waiting:
        groups = [[]]
    for group in groups:
        names = ", ".join(subject.name for subject in [reference, *group])
        print(f"{reference.model}: speed of {names}", file=sys.stderr, flush=True)
        found = measure_group(study, [reference, *group])
        for subject, result in zip([reference, *group], found, strict=True):
            study.store.put(subject, "speed", study.settings("speed"), result)


def measure_group(study: Study, group: Sequence[Subject]) -> list[dict[str, Any]]:
    """The result of each subject; the first one is what the others are compared with."""
    tokenizer = Tokenizer.from_gguf(read_gguf(group[0].path / TOKENIZER))
    works = {
        "prefill": prefill_workload(tokenizer, PREFILL_TOKENS),
        "decode": decode_workload(tokenizer, DECODE_TOKENS, CONTEXT_TOKENS, 1),
    }
    meter = EnergyMeter(study.country)
    numbers = count()
    with ExitStack() as stack:
        engines = [stack.enter_context(_engine(s, study.threads, works)) for s in group]
        for engine in engines:
            for work in works.values():
                engine.call(work.method, **work.arguments)
        times: list[Times] = [{} for _ in group]
        for _ in range(ROUNDS):
            for engine, found in zip(engines, times, strict=True):
                time.sleep(PAUSE)
                for name, work in works.items():
                    seconds = engine.call(work.method, **work.arguments)
                    found.setdefault(name, []).append(seconds)
            prompts = [
                prompt_ids(tokenizer, PROMPT_TOKENS, next(numbers)) for _ in range(COMPLETIONS)
            ]
            for engine, found in zip(engines, times, strict=True):
                for name, value in meter.measure(engine, prompts, COMPLETION_TOKENS).items():
                    found.setdefault(name, []).append(value)
        return [
            _result(engine, found, times[0], study.country)
            for engine, found in zip(engines, times, strict=True)
        ]


def _engine(subject: Subject, threads: int | None, works: dict[str, Workload]) -> RemoteEngine:
    room = max(work.cache_tokens for work in works.values())
    options = {"exact": False, "cache_tokens": room, "sparsity": subject.sparsity}
    adapter = ADAPTERS[subject.engine]
    return RemoteEngine(adapter, subject.path, thread_count(threads), options)


def _result(engine: RemoteEngine, times: Times, reference: Times, country: str) -> dict[str, Any]:
    """Medians, ratios to the reference and all raw figures of one subject."""
    each = 1000 / COMPLETIONS
    return {
        "load_seconds": round(engine.settings["load_ms"] / 1e3, 3),
        "resident_bytes": engine.resident_bytes,
        "threads": engine.settings["threads"],
        "prefill_tokens_per_second": _rate(PREFILL_TOKENS, times["prefill"]),
        "decode_tokens_per_second": _rate(DECODE_TOKENS, times["decode"]),
        "prefill_ratio": ratio(times["prefill"], reference["prefill"]),
        "decode_ratio": ratio(times["decode"], reference["decode"]),
        "energy": {
            "joules_per_1000": round(statistics.median(times["joules"]) * each, 1),
            "grams_per_1000": round(statistics.median(times["grams"]) * each, 3),
            "seconds_per_1000": round(statistics.median(times["completions"]) * each, 1),
            "joules_ratio": ratio(reference["joules"], times["joules"]),
            "country": country,
            "method": energy_method(),
        },
        "rounds": {name: [round(value, 5) for value in found] for name, found in times.items()},
        "reference_rounds": {
            name: [round(value, 5) for value in found] for name, found in reference.items()
        },
    }  # fmt: skip


def ratio(first: Sequence[float], second: Sequence[float]) -> dict[str, Any]:
    """How many times less the first took than the second, round by round."""
    ratios = [other / own for own, other in zip(first, second, strict=True)]
    found = {"median": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}
    return {name: round(value, 3) for name, value in found.items()}


def _rate(tokens: int, seconds: Sequence[float]) -> float:
    return round(tokens / statistics.median(seconds), 2)
