"""`midline corpus overlap`: documents that share text with a benchmark."""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from midline.model.data_quality.counts import Counts
from midline.model.data_quality.overlap import Benchmark
from midline.model.data_quality.records import Record, Skipped
from midline.model.data_quality.shards import plan
from midline.model.data_quality.shingles import OVERLAP
from midline.model.errors import UsageError
from midline.server.cli.corpus.arguments import checked_paths
from midline.server.cli.corpus.running import Row, inputs_key, run_shards
from midline.server.cli.standard_streams import say

_SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the benchmark and the size of an n-gram."""
    add = parser.add_argument
    add("--with", dest="benchmark", type=Path, nargs="+", required=True, metavar="PATH",
        help="the benchmark: JSONL with a field text or prompt, files or folders")  # fmt: skip
    add("--words", type=int, default=OVERLAP, metavar="N", help="words of an n-gram (13)")


def run(args: argparse.Namespace) -> int:
    """Write a line for each document with an overlap."""
    if args.words < 3:
        raise UsageError(f"--words is {args.words}; n-grams of 3 words and more tell texts apart")
    items = plan(args.benchmark)
    skipped = Skipped()
    benchmark = Benchmark(
        ((r.id, r.text) for shard in items for r in shard.records(skipped)), args.words
    )
    if not len(benchmark):
        raise UsageError(f"{args.benchmark[0]} has no benchmark item with words; name another")
    shards = plan(checked_paths(args))

    def work(_: int, records: Iterator[Record], counts: Counts) -> Iterable[Row]:
        for record in records:
            hits = benchmark.hits(record.text)
            if hits:
                yield {
                    "id": record.id,
                    "items": len(hits),
                    "overlaps": [
                        {"item": hit.item, "ngrams": hit.shared, "share": round(hit.share, 4),
                         "similarity": round(hit.similarity, 4), "near": hit.is_near}
                        for hit in hits[:_SHOWN]
                    ],
                }  # fmt: skip

    total = run_shards(shards, work, args, [args.words, inputs_key(items)])
    say(f"{total.written} of {total.read} documents share {args.words} words in a row with one of "
        f"{len(benchmark)} benchmark items")  # fmt: skip
    return 0
