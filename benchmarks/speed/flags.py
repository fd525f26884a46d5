"""Flags of the speed measurements; each measurement adds those that it uses."""

import argparse
from pathlib import Path
from typing import Any

from midline.benchmarks.outputs import output_file
from midline.benchmarks.speed.requantized import requantized
from midline.benchmarks.speed.restricted import ISAS
from midline.model.catalog.catalog import resolve
from midline.model.decoding.options import MAX_SAMPLES
from midline.model.errors import UsageError
from midline.model.teal.profile import check_level
from midline.model.threads import thread_count

PEERS = ("llama.cpp", "openvino", "transformers", "transformers-float32", "separate")
OURS = {"native": "midline", "onnx": "onnx"}
"""Adapters of Midline's own engines."""
RUNS = 5
EVERYWHERE: dict[str, dict[str, Any]] = {
    "model": {"default": "qwen2.5-coder-0.5b", "help": "catalogue name or GGUF file"},
    "requantize": {"choices": ["q4_0"], "help": "measure a copy in this form, on both sides"},
    "threads": {"type": int, "metavar": "N", "help": "default: the physical cores"},
    "json": {"type": output_file, "metavar": "FILE", "help": "write the figures here"},
}
CHOSEN: dict[str, dict[str, Any]] = {
    "peer": {"choices": PEERS, "help": "engine to compare with; separate: samples one by one"},
    "engine": {"choices": list(OURS), "help": "Midline's engine"},
    "isa": {"choices": ISAS, "help": "restrict both sides to an instruction set (llama.cpp: avx2)"},
    "tokens": {"type": int, "metavar": "N", "help": "tokens of a timed run"},
    "context": {"type": int, "metavar": "N", "help": "tokens already in the cache"},
    "samples": {"type": int, "metavar": "N", "help": "sequences decoded together"},
    "lines": {"type": int, "metavar": "N", "help": "lines to type"},
    "sparsity": {"type": float, "metavar": "S", "help": "share of weights to skip"},
    "exact": {"action": "store_true", "help": "compute the whole output matrix"},
    "runs": {"type": int, "metavar": "N", "help": "timed runs"},
    "plot": {"type": output_file, "metavar": "FILE", "help": "draw the runs as a picture"},
}
COUNTED = ("tokens", "context", "samples", "runs", "lines")


def add(parser: argparse.ArgumentParser, *names: str, **defaults: float | str | None) -> None:
    """Add the flags every measurement has, those of `names`, and those that have a default here."""
    for name, options in EVERYWHERE.items():
        parser.add_argument(f"--{name}", **options)
    for name, options in CHOSEN.items():
        if name in defaults and defaults[name] is not None:
            shown = defaults[name]
            text = f"{options['help']} ({shown if isinstance(shown, str) else f'{shown:g}'})"
            parser.add_argument(f"--{name}", **{**options, "help": text, "default": defaults[name]})
        elif name in names or name in defaults:
            parser.add_argument(f"--{name}", **options)


def check(args: argparse.Namespace, **least: int) -> None:
    """Raise UsageError for a value out of range; numbers are at least 1 unless `least` says other.

    Flags that a measurement does not have are not looked at.
    """
    for name in COUNTED:
        value, lowest = getattr(args, name, None), least.get(name, 1)
        if value is not None and value < lowest:
            raise UsageError(f"--{name} is {value}; it has to be at least {lowest}")
    samples = getattr(args, "samples", None)
    if samples is not None and samples > MAX_SAMPLES:
        raise UsageError(f"--samples is {samples}; it can be at most {MAX_SAMPLES}")
    check_level(getattr(args, "sparsity", None) or 0.0)


def check_something_to_skip(args: argparse.Namespace) -> None:
    """Raise UsageError for --sparsity 0 where skipping itself is measured."""
    if args.sparsity == 0:
        raise UsageError("--sparsity is 0; there is nothing to skip")


def model_path(args: argparse.Namespace) -> Path:
    """The GGUF file that --model and --requantize name; UsageError if there is none."""
    path = resolve(args.model)
    return requantized(path, thread_count(args.threads)) if args.requantize else path
