"""One engine in a process of its own, so that thread pools and memory are separate.

`python -m midline.benchmarks.speed.worker ENGINE MODEL THREADS OPTIONS` answers one line of JSON
on standard output for each line on standard input: `{"call": NAME, "arguments": {..}}`.
"""

import json
import os
import sys
from pathlib import Path
from typing import IO, Any

from midline.benchmarks.speed.engines import SpeedEngine, load
from midline.model.errors import MidlineError

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def main() -> int:
    """Serve calls until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print goes to standard error
    name, model, threads, options = sys.argv[1:5]
    try:
        engine = load(name, Path(model), int(threads), json.loads(options))
        _answer(answers, {"versions": engine.versions()})
        for line in sys.stdin:
            _answer(answers, _serve(engine, json.loads(line)))
    except MidlineError as error:
        _answer(answers, {"error": str(error), "exit_status": error.exit_status})
        return error.exit_status
    return 0


def _serve(engine: SpeedEngine, request: dict[str, Any]) -> dict[str, Any]:
    value = getattr(engine, request["call"])(**request["arguments"])
    return {
        "value": value,
        "settings": engine.settings(),
        "resident_bytes": resident_bytes(),
    }


def resident_bytes() -> int | None:
    """Memory of this process that is resident now, shared file pages included; Linux only."""
    path = Path("/proc/self/statm")
    return int(path.read_text().split()[1]) * PAGE if path.exists() else None


def _answer(answers: IO[str], message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    sys.exit(main())
