"""Give `midline corpus signals` a large file, kill it now and then, and count what came out.

The input is JSON lines of made-up code and prose, and in a second run a single line of that size,
which is over the longest document and has to be skipped. The command is killed (SIGKILL) after each
of so many further shards and started again; at the end every document has to be there once.
Resident memory is the largest of any of its processes.

examples:
  midline-bench quality interruption --megabytes 200 --kills 2
  midline-bench quality interruption --json interruption.json
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.outputs import output_file
from midline.model.errors import MidlineError, UsageError

SIGNALS = ("rps_doc_word_count", "code_line_count")
_WORDS = ("value", "return", "index", "the", "of", "buffer", "if", "for", "count", "(", ")", "=",
          "+", "größe", "length", "self", "a", "and", "in", "result", "0", "17")  # fmt: skip
_LONGEST = 6000
_POLL = 0.05


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the size, the kills and the outputs."""
    add = parser.add_argument
    add("--megabytes", type=int, default=1000, metavar="N", help="of both inputs (1000)")
    add("--kills", type=int, default=5, metavar="N", help="how often it is killed (5)")
    add("--work", type=Path, metavar="DIR", help="where the inputs are made (a temporary folder)")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Make the inputs, run, kill, count; 1 if a document is lost or there twice."""
    if args.megabytes < 1 or args.kills < 0:
        raise UsageError("--megabytes needs at least 1, --kills at least 0")
    with tempfile.TemporaryDirectory(dir=args.work) as folder:
        many = _killed(Path(folder), args.megabytes << 20, args.kills)
        single = _single_line(Path(folder), args.megabytes << 20)
    result = {
        "benchmark": "interruption",
        "machine": describe_machine(),
        "versions": describe_versions(),
        "megabytes": args.megabytes,
        "many": many,
        "single_line": single,
    }
    print(json.dumps({"many": many, "single_line": single}, indent=1))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return int(many["lost"] or many["twice"] or single["documents"] != 0)


@dataclass
class Runs:
    """What the processes of one input did: kills, the largest resident memory, the last words."""

    command: Sequence[str]
    kills: int = 0
    megabytes: float = 0.0
    said: str = ""
    codes: list[int] = field(default_factory=list)

    def start(self, out: Path, further: int | None) -> bool:
        """Run until `further` more shards are done, then kill; to the end with None."""
        log = out.with_suffix(".log")
        aim = None if further is None else _shards(out) + further
        with log.open("wb") as file:
            process = subprocess.Popen(self.command, stdout=file, stderr=subprocess.STDOUT)
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                if aim is not None and _shards(out) >= aim:
                    process.kill()
                    aim = None
                time.sleep(_POLL)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.codes.append(process.returncode)
        self.megabytes = max(self.megabytes, usage.ru_maxrss / 1024)
        self.said = log.read_text("utf-8", "replace")[-2000:]
        was_killed = process.returncode < 0
        self.kills += was_killed
        if process.returncode > 0:
            raise MidlineError(f"{self.command[0]} failed: {self.said.strip()[-300:]}")
        return was_killed


def _shards(out: Path) -> int:
    return len(list(out.glob("shard-*.jsonl")))


def _command(source: Path, out: Path) -> list[str]:
    midline = [sys.executable, "-m", "midline.server.cli.main"]
    return [*midline, "corpus", "signals", str(source), "--signals", *SIGNALS, "--out", str(out)]


def _killed(folder: Path, size: int, kills: int) -> dict[str, Any]:
    source, out = folder / "many.jsonl", folder / "many"
    documents = 0
    with source.open("w", encoding="utf-8") as file:
        for documents, line in enumerate(made_up(size), 1):  # noqa: B007
            file.write(line)
    runs = Runs(_command(source, out))
    dice = random.Random(0)
    while runs.kills < kills and runs.start(out, dice.randint(1, 4)):
        print(f"killed with {_shards(out)} shards done", file=sys.stderr, flush=True)
    runs.start(out, None)
    seen = Counter(_ids(out))
    return {
        "documents": documents,
        "lost": documents - len(seen),
        "twice": sum(count > 1 for count in seen.values()),
        "kills": runs.kills,
        "shards": _shards(out),
        "resident_mb": runs.megabytes,
    }


def made_up(size: int) -> Iterator[str]:
    """JSON lines of together about `size` bytes, numbered from 0, the same every time."""
    dice = random.Random(1)
    pool = [" ".join(dice.choices(_WORDS, k=400)) for _ in range(200)]
    written = number = 0
    while written < size:
        text = "\n".join(dice.choices(pool, k=dice.randint(1, 8)))[: dice.randint(10, _LONGEST)]
        line = json.dumps({"id": str(number), "text": text}) + "\n"
        written += len(line)
        number += 1
        yield line


def _ids(out: Path) -> Iterator[str]:
    for path in sorted(out.glob("shard-*.jsonl")):
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)["id"]


def _single_line(folder: Path, size: int) -> dict[str, Any]:
    source, out = folder / "single.jsonl", folder / "single"
    with source.open("wb") as file:
        file.write(b'{"text": "')
        for _ in range(size >> 20):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n')
    runs = Runs(_command(source, out))
    runs.start(out, None)
    skipped = [line.strip() for line in runs.said.splitlines() if "16 MB" in line]
    return {
        "documents": sum(1 for _ in _ids(out)),
        "said": skipped[-1] if skipped else "",
        "resident_mb": runs.megabytes,
    }
