"""Measure how fast the models read and write here, which `budget report` translates costs with.

For each model the seconds of a prompt token, and of a decoding step by its rows; with --peer those
of llama.cpp with one row. A measurement wants a machine that does nothing else.
"""

import argparse
import sys
from typing import Any

import numpy as np

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.report import write_json
from midline.benchmarks.outputs import output_file
from midline.model.strategies.speed import Speed, measure_speed

RUNS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the models, the peer's model and the output."""
    add = parser.add_argument
    add("--model", nargs="+", required=True, metavar="NAME")
    add("--peer", metavar="NAME", help="measure llama.cpp with this model, too")
    add("--runs", type=int, default=RUNS, metavar="N", help=f"medians of N runs ({RUNS})")
    add("--threads", type=int, metavar="N")
    add("--json", type=output_file, required=True, metavar="FILE")


def run(args: argparse.Namespace) -> int:
    """Measure one model after another."""
    rows = [_midline(model, args) for model in args.model]
    if args.peer:
        rows.append(_llama_cpp(args))
    for row in rows:
        per_step = ", ".join(f"{rows}: {1e3 * s:.1f}" for rows, s in row["speed"]["steps"])
        print(
            f"{row['engine']} {row['model']}: {1 / row['speed']['prompt_seconds']:.0f} prompt "
            f"tokens/s, ms a step by rows {per_step}"
        )
    write_json(args.json, {
        "benchmark": "budget speed",
        "command": "midline-bench " + " ".join(sys.argv[1:]),
        "machine": describe_machine(),
        "versions": describe_versions("llama-cpp-python"),
        "rows": rows,
    })  # fmt: skip
    return 0


def read_speeds(table: dict[str, Any], engine: str = "midline") -> dict[str, Speed]:
    """Speeds of an engine by model, from what this command wrote."""
    return {
        row["model"]: Speed.from_dict(row["speed"])
        for row in table["rows"]
        if row["engine"] == engine
    }


def _midline(model: str, args: argparse.Namespace) -> dict[str, Any]:
    from midline.model.engines.load import load_engine

    engine = load_engine(model, threads=args.threads, cache_tokens=1 << 14)
    engine.warm_up()
    speeds = [measure_speed(engine) for _ in range(args.runs)]
    engine.close()
    return {"engine": "midline", "model": model, "speed": _median(speeds).as_dict()}


def _llama_cpp(args: argparse.Namespace) -> dict[str, Any]:
    from midline.benchmarks.budget.peer import Peer

    peer = Peer(args.peer, args.threads)
    speeds = [peer.speed() for _ in range(args.runs)]
    peer.close()
    return {"engine": "llama.cpp", "model": args.peer, "speed": _median(speeds).as_dict()}


def _median(speeds: list[Speed]) -> Speed:
    steps = np.median([[seconds for _, seconds in speed.steps] for speed in speeds], axis=0)
    rows = [count for count, _ in speeds[0].steps]
    prompt = float(np.median([speed.prompt_seconds for speed in speeds]))
    return Speed(prompt, tuple(zip(rows, map(float, steps), strict=True)))
