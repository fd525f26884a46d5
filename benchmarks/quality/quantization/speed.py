"""Load time, memory, speed and energy of a subject, measured in a process of its own.

Speeds are medians of several rounds. Joules are those of the machine's energy counters where it
has any (RAPL), and otherwise an estimate, labelled so: codecarbon's model of the processor's
power times the time, which is time in another unit. Grams of CO2 follow from the country's
electricity.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from midline.benchmarks.quality.prompts import load_prompts
from midline.benchmarks.quality.quantization.store import Subject
from midline.benchmarks.quality.quantization.subjects import engine_of, options_of
from midline.model.engines.base import Engine, Request
from midline.model.errors import MidlineError, UsageError

ROUNDS = 5
PREFILL_TOKENS, CONTEXT_TOKENS, DECODE_TOKENS = 512, 512, 64
COMPLETION_TOKENS = 32
COMPLETIONS = 12
COUNTERS = Path("/sys/class/powercap")


def measure_speed(subject: Subject, threads: int | None, country: str) -> dict[str, Any]:
    """The figures of one subject; MidlineError if its process failed."""
    words = [subject.model, subject.recipe, subject.engine, str(subject.path),
             str(subject.sparsity), str(threads or 0), country]  # fmt: skip
    command = [sys.executable, "-P", "-m", __name__, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise MidlineError(f"the speed of {subject.name} could not be measured: {reason}")
    return json.loads(done.stdout.splitlines()[-1])


def worker(words: list[str]) -> dict[str, Any]:
    """What the process prints: see `measure_speed`."""
    model, recipe, engine_kind, path, sparsity, threads, country = words
    subject = Subject(model, recipe, engine_kind, Path(path), float(sparsity))
    began = time.perf_counter()
    engine = engine_of(subject, int(threads) or None)
    load = time.perf_counter() - began
    prefill, decode = [], []
    _rounds(engine, subject, 1)
    for _ in range(ROUNDS):
        first, second = _rounds(engine, subject, DECODE_TOKENS)
        prefill.append(first)
        decode.append(second)
    return {
        "load_seconds": round(load, 3),
        "resident_bytes": resident_bytes(),
        "prefill_tokens_per_second": round(statistics.median(prefill), 2),
        "decode_tokens_per_second": round(statistics.median(decode), 2),
        "prefill_rounds": [round(value, 2) for value in prefill],
        "decode_rounds": [round(value, 2) for value in decode],
        "energy": energy(engine, subject, country),
    }


def _rounds(engine: Engine, subject: Subject, tokens: int) -> tuple[float, float]:
    """Tokens per second of a prompt that no cache knows, and of decoding behind it."""
    text = " ".join(prompt.text for prompt in load_prompts(4))
    ids = engine.tokenizer.encode(f"# {time.perf_counter_ns()}\n{text}")[:CONTEXT_TOKENS]
    found = engine.generate(Request(ids), options_of(subject, tokens))
    timings = found.timings
    return timings.prefill_tokens_per_second, timings.decode_tokens_per_second


def resident_bytes() -> int | None:
    """Resident memory of this process; None where the system does not tell."""
    try:
        text = Path("/proc/self/status").read_text("utf-8")
    except OSError:
        return None
    return next(int(line.split()[1]) << 10 for line in text.splitlines() if "VmRSS" in line)


def energy(engine: Engine, subject: Subject, country: str) -> dict[str, Any]:
    """Joules and grams of CO2 of 1,000 completions of 32 tokens, and how they were found."""
    tracker = _tracker(country)
    texts = [prompt.text for prompt in load_prompts(COMPLETIONS)]
    options = options_of(subject, COMPLETION_TOKENS)
    began = time.perf_counter()
    tracker.start()
    for text in texts:
        ids = engine.tokenizer.encode(f"# {time.perf_counter_ns()}\n{text}")[:256]
        engine.generate(Request(ids), options)
    tracker.stop()
    seconds = time.perf_counter() - began
    data = tracker.final_emissions_data
    has_counters = any(COUNTERS.glob("intel-rapl*/energy_uj")) if COUNTERS.exists() else False
    each = 1000 / len(texts)
    return {
        "joules_per_1000": round(data.energy_consumed * 3.6e6 * each, 1),
        "grams_per_1000": round(data.emissions * 1000 * each, 3),
        "seconds_per_1000": round(seconds * each, 1),
        "country": country,
        "method": "measured by the processor's energy counters" if has_counters else
        "estimated: codecarbon's power model of the processor times the time",
    }  # fmt: skip


def _tracker(country: str) -> Any:
    try:
        from codecarbon import OfflineEmissionsTracker
    except ModuleNotFoundError as error:
        raise UsageError(
            "energy needs the package codecarbon: install Midline with the extra `study`"
        ) from error
    return OfflineEmissionsTracker(
        country_iso_code=country, save_to_file=False, log_level="error", tracking_mode="process",
        measure_power_secs=1, allow_multiple_runs=True,
    )  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(worker(sys.argv[1:])))
