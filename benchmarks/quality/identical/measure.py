"""`midline-bench quality identical`: what another installation writes, against this one.

Both are driven by their `midline` command alone, with the same arguments, so that any two versions
with the same options can be compared: one after the other, since each may keep packed weights of
its own. Compared are the JSON answers but for their timings: texts byte for byte, numbers exactly.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.installations import other_and_own
from midline.benchmarks.machine import describe_machine
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.identical.calls import MODES, Call, calls
from midline.model.errors import MidlineError, UsageError

CURSORS = 1000
"""More than there are."""
_SHOWN = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the other installation, the modes, their size, the model and --json."""
    add = parser.add_argument
    add("other", type=Path, metavar="MIDLINE", help="the `midline` command of another installation")
    add("--mode", action="append", choices=MODES, dest="modes", help="(default: all)")
    add("--prompts", type=int, default=50, metavar="N", help="of each mode (50)")
    add("--cursors", type=int, default=CURSORS, metavar="N", help="of the marked cursors (all)")
    add("--max-tokens", type=int, default=32, metavar="N", help="of an answer (32)")
    add("--sparsity", type=float, default=0.4, metavar="S", help="of the sparse mode (0.4)")
    add("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Make all calls with both installations; 1 if any answer differs."""
    both = other_and_own(args.other)
    if min(args.prompts, args.cursors) < 1:
        raise UsageError("--prompts and --cursors need at least 1")
    wanted = [
        call
        for mode in args.modes or MODES
        for call in calls(
            mode,
            args.cursors if mode == "cursors" else args.prompts,
            args.max_tokens,
            args.sparsity,
        )
    ]
    theirs, ours = (answers(each, wanted, args.model) for each in both)
    result = {
        "benchmark": "identical",
        "model": args.model,
        "machine": describe_machine(),
        "max_tokens": args.max_tokens,
        "sparsity": args.sparsity,
        "rows": summary(wanted, theirs, ours),
    }
    print("\n".join(lines(result["rows"])))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    return int(any(row["different"] for row in result["rows"]))


def answers(executable: Path, wanted: Sequence[Call], model: str) -> list[Any]:
    """The JSON answer to every call, without timings."""
    found = []
    for number, call in enumerate(wanted):
        print(f"\r{executable}: {number} of {len(wanted)}", end="", file=sys.stderr, flush=True)
        found.append(answer(executable, call, model))
    print(file=sys.stderr)
    return found


def answer(executable: Path, call: Call, model: str) -> Any:
    """One answer; MidlineError if the command fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if call.file:
            (folder / call.file).write_text(call.text, "utf-8")
        command = [*call.command(str(executable), folder), "--model", model]
        done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise MidlineError(f"{executable} failed for {call.mode} {call.name}: {said}")
    found = json.loads(done.stdout)
    del found["timings"]
    return found


def summary(
    wanted: Sequence[Call], theirs: Sequence[Any], ours: Sequence[Any]
) -> list[dict[str, Any]]:
    """For each mode: how many calls, and of which the texts or anything else differ."""
    rows = []
    for mode in dict.fromkeys(call.mode for call in wanted):
        triples = [t for t in zip(wanted, theirs, ours, strict=True) if t[0].mode == mode]
        rows.append(
            {
                "mode": mode,
                "calls": len(triples),
                "other_texts": [
                    call.name for call, one, other in triples if texts(one) != texts(other)
                ],
                "different": [call.name for call, one, other in triples if one != other],
                "tokens": sum(c["tokens"] for _, _, found in triples for c in found["completions"]),
            }
        )
    return rows


def texts(found: Any) -> list[str]:
    """The texts of an answer, in the order of their rank."""
    return [completion["text"] for completion in found["completions"]]


def lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The summary as printed."""
    found = []
    for row in rows:
        text = (
            f"{row['mode']:<8} {row['calls']} calls, {row['tokens']} tokens: "
            f"{len(row['other_texts'])} with other texts, {len(row['different'])} different at all"
        )
        if row["different"]:
            text += f" ({', '.join(row['different'][:_SHOWN])})"
        found.append(text)
    return found
