"""A run over shards: progress, output, resumption, and the counts at the end."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import xxhash
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from midline.model.data_quality.counts import Counts
from midline.model.data_quality.outputs import ShardOutput, json_line
from midline.model.data_quality.records import Record, Skipped
from midline.model.data_quality.shards import Shard
from midline.model.errors import MidlineError
from midline.server.cli.standard_streams import say

Row = Mapping[str, Any]
Work = Callable[[int, Iterator[Record], Counts], Iterable[Row]]
"""From a shard's number and documents to its rows; counts what it drops."""


class Interrupted(MidlineError):
    """The user stopped a run."""

    exit_status = 130


def run_shards(shards: list[Shard], work: Work, args: argparse.Namespace, options: Any) -> Counts:
    """Works on every shard that is not done yet, and says the counts of all of them.

    `options` is everything besides the inputs that the rows depend on.
    """
    text = json.dumps([args.action, args.format, options], default=str)
    output = ShardOutput(args.out, args.format, text) if args.out else None
    total = Counts()
    try:
        with progress_bar() as progress:
            task = progress.add_task(args.action, total=sum(shard.size for shard in shards) or 1)
            for number, shard in enumerate(shards):
                total.add(_shard(number, shard, work, output))
                progress.update(task, advance=shard.size)
    except KeyboardInterrupt:
        way = "the same command continues" if output else "with --out FOLDER a run can be continued"
        raise Interrupted(f"interrupted; {way}") from None
    say_counts(total, args)
    return total


def progress_bar() -> Progress:
    """A bar on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(file=sys.stderr), transient=True)


def read_all(shards: list[Shard], what: str, each: Callable[[Record], None]) -> list[int]:
    """Hands every document to `each`, with a bar that is called `what`.

    Returned is, for each shard, the number in input order of its first document.
    """
    count, firsts = 0, []
    with progress_bar() as progress:
        task = progress.add_task(what, total=sum(shard.size for shard in shards) or 1)
        for shard in shards:
            firsts.append(count)
            for record in shard.records(Skipped()):
                each(record)
                count += 1
            progress.update(task, advance=shard.size)
    return firsts


def inputs_key(shards: list[Shard]) -> str:
    """Tells these inputs from others, for what depends on all of them."""
    return xxhash.xxh64_hexdigest(" ".join(shard.key for shard in shards).encode())


def say_counts(total: Counts, args: argparse.Namespace) -> None:
    """The counts on standard error; they say so if nothing was read."""
    if args.json:
        say(json.dumps(total.report(), ensure_ascii=False))
        return
    for line in total.lines():
        say(line)
    if not total.read:
        say("there was no document to read; name files or folders with text")


def _shard(number: int, shard: Shard, work: Work, output: ShardOutput | None) -> dict[str, Any]:
    key = shard.key
    found = output.done(number, key) if output else None
    if found is not None:
        return found
    counts = Counts()

    def counted(records: Iterator[Record]) -> Iterator[Record]:
        for record in records:
            counts.read += 1
            yield record

    def rows() -> Iterator[Row]:
        for row in work(number, counted(shard.records(counts.skipped)), counts):
            counts.written += 1
            yield row

    if output is not None:
        return output.write(number, key, rows(), counts.report)
    for row in rows():
        sys.stdout.buffer.write(json_line(row))
    sys.stdout.flush()
    return counts.report()
