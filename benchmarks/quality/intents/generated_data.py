"""Utterances that a model wrote from the examples of a draw, kept with where they come from.

One file of JSON lines for each data set, writer and seed, in the cache: intent, line, model,
sampling, and the examples' hash; a generation that was interrupted continues with the intents that
are missing. Lines are kept as they were written; filters are applied when they are read.

A writer is a model that reads the examples of an intent in its prompt, or, with `FINE_TUNED` behind
its name, one that was fine-tuned on those of all intents.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from midline.benchmarks.quality.intents.public_data import SIZES, PublicData
from midline.model.catalog.catalog import resolve
from midline.model.engines.load import load_engine
from midline.model.intents.generation.filters import Kept, keep
from midline.model.intents.generation.generator import Generator
from midline.model.intents.generation.writer import Writer
from midline.model.intents.utterance import Utterance, write_augmented
from midline.model.paths import cache_folder
from midline.model.threads import physical_cores

FINE_TUNED = "-fine-tuned"
SAMPLES = {"snips": 40, "clinc150": 8}
"""Lines of each intent before the filters; rows of another number are left out and written anew."""


def generated_file(name: str, model: str, seed: int) -> Path:
    """Where the lines of one draw are kept."""
    return cache_folder() / "intents" / f"generated-{name}-{model}-{seed}.jsonl"


def shown(data: PublicData, seed: int) -> dict[str, list[Utterance]]:
    """The examples of each intent, the smallest draw of a seed: larger ones contain it."""
    few = _examples(data, seed)
    return {intent: [u for u in few if u.intent == intent] for intent in data.intents}


def _examples(data: PublicData, seed: int) -> list[Utterance]:
    return data.few(SIZES[data.name][0], seed)


def generate(
    data: PublicData, writer: str, seeds: Sequence[int], seconds: float | None, threads: int | None
) -> bool:
    """Write the lines of all seeds that are missing; whether there was time for all."""
    load, began = _loader(data, writer, threads), time.monotonic()
    for seed in seeds:
        generator: Writer | None = None
        path = generated_file(data.name, writer, seed)
        examples = shown(data, seed)
        done = {row["intent"] for row in _rows_of(data, path)}
        missing = [intent for intent in examples if intent not in done]
        step = max(1, _TOGETHER // SAMPLES[data.name])
        for at in range(0, len(missing), step):
            if seconds is not None and time.monotonic() - began > seconds:
                return False
            generator = generator or load(seed)
            some = {intent: examples[intent] for intent in missing[at : at + step]}
            _write(path, generator, writer, some, seed)
    return True


def _loader(data: PublicData, writer: str, threads: int | None) -> Callable[[int], Writer]:
    """What loads the writer of a seed; a model that reads examples in its prompt is loaded once."""
    if writer.endswith(FINE_TUNED):
        return partial(_fine_tuned, data, writer, threads)

    @cache
    def prompted() -> Generator:
        return Generator(load_engine(writer, threads=threads), samples=SAMPLES[data.name])

    return lambda seed: prompted()


def _fine_tuned(data: PublicData, writer: str, threads: int | None, seed: int) -> Writer:
    import torch

    from midline.model.intents.generation.fine_tuning import Recipe, fine_tune

    torch.set_num_threads(threads or physical_cores())
    path = resolve(writer.removesuffix(FINE_TUNED))
    tuned = fine_tune(path, _examples(data, seed), Recipe(), seed)
    return replace(tuned, samples=SAMPLES[data.name])


_TOGETHER = 32
"""Lines of one batch; an interruption loses at most these."""


def _write(
    path: Path,
    generator: Writer,
    writer: str,
    examples: dict[str, list[Utterance]],
    seed: int,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "model": writer,
        "temperature": generator.temperature,
        "top_p": generator.top_p,
        "seed": seed,
    }

    def append(intent: str, lines: list[str]) -> None:
        row = {"intent": intent, **about, "examples": _digest(examples[intent]), "lines": lines}
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    generator.lines(examples, seed, append)


def _digest(examples: Sequence[Utterance]) -> str:
    return hashlib.sha256("\n".join(map(write_augmented, examples)).encode()).hexdigest()[:16]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file, none if it is not there; a line that was broken off is left out."""
    if not path.is_file():
        return []
    rows = []
    for line in path.read_text("utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def _rows_of(data: PublicData, path: Path) -> list[dict[str, Any]]:
    return [row for row in read_rows(path) if len(row["lines"]) == SAMPLES[data.name]]


def kept_utterances(data: PublicData, model: str, seed: int) -> Kept:
    """What the filters keep of the lines of a draw, judged by the draw's own examples."""
    rows = sorted(_rows_of(data, generated_file(data.name, model, seed)), key=lambda r: r["intent"])
    lines = [line for row in rows for line in row["lines"]]
    return keep(lines, _examples(data, seed))
