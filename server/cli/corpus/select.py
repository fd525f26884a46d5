"""`midline corpus select`: documents that pass a filter, or those most like a target corpus."""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from midline.model.data_quality.counts import Counts
from midline.model.data_quality.filters import Filter, built_in, load_filter
from midline.model.data_quality.importance import BUCKETS, ImportanceModel, feature_counts, resample
from midline.model.data_quality.records import Record, Skipped
from midline.model.data_quality.registry import Signal
from midline.model.data_quality.shards import Shard, plan
from midline.model.data_quality.views import Ints, Views
from midline.model.errors import UsageError
from midline.server.cli.corpus.arguments import (
    add_signal_arguments,
    checked_paths,
    signal_options,
    signals_of,
)
from midline.server.cli.corpus.running import Row, Work, inputs_key, read_all, run_shards


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the filter, the target and the number kept."""
    add = parser.add_argument
    add("--filter", metavar="NAME", help=f"a filter file, or one of {', '.join(built_in())}")
    add("--like", type=Path, nargs="+", metavar="PATH", help="draw the documents most like these")
    add("--keep", type=int, metavar="N", help="how many to draw, with --like")
    add("--seed", type=int, default=0, metavar="N", help="of the draw (0)")
    add_signal_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Write the documents that are kept, with the counts of what was dropped by which rule."""
    if (args.filter is None) == (args.like is None):
        raise UsageError("name either a --filter or a target corpus with --like")
    if (args.like is None) != (args.keep is None) or (args.keep is not None and args.keep < 1):
        raise UsageError("--like needs --keep N, the number of documents to draw, at least 1")
    signals = signals_of(args)
    shards = plan(checked_paths(args))
    if args.filter is not None:
        found = load_filter(args.filter, signals)
        options = [repr(found), signal_options(args)]
        run_shards(shards, _by_rules(found, signals), args, options)
    else:
        firsts, drawn = _drawn(shards, args)
        options = ["like", inputs_key(shards), *map(str, sorted(drawn))]
        run_shards(shards, _by_draw(firsts, drawn), args, options)
    return 0


def _by_rules(found: Filter, signals: dict[str, Signal]) -> Work:
    def work(_: int, records: Iterator[Record], counts: Counts) -> Iterable[Row]:
        for record in records:
            verdict = found.verdict(Views(record.text, record.name, record.domain), signals)
            counts.skipped["lines dropped by line rules"] += verdict.lines
            if verdict.text is None:
                counts.drop(str(verdict.rule), record.id)
            else:
                yield row_of(record, verdict.text)
        counts.skipped += Skipped()  # drops reasons with a count of 0

    return work


def _by_draw(firsts: list[int], drawn: set[int]) -> Work:
    def work(shard: int, records: Iterator[Record], counts: Counts) -> Iterable[Row]:
        for number, record in enumerate(records, firsts[shard]):
            if number in drawn:
                yield row_of(record, record.text)
            else:
                counts.drop("less like the target", record.id)

    return work


def row_of(record: Record, text: str) -> Row:
    """The line that is written for a document that is kept."""
    named = {"name": record.name} if record.name else {}
    return {**record.fields, "id": record.id, **named, "text": text}


def _drawn(shards: list[Shard], args: argparse.Namespace) -> tuple[list[int], set[int]]:
    """The first document of each shard, and the documents that are drawn by importance weights.

    Documents are numbers in input order. Three passes: the features of the target, those of the
    source, and the weights.
    """
    target, source = _counts(plan(args.like), "target"), _counts(shards, "source")
    model = ImportanceModel.from_counts(target, source)
    weights: list[float] = []
    firsts = read_all(shards, "weights", lambda r: weights.append(model.weight(Views(r.text).raw)))
    return firsts, set(resample(weights, args.keep, args.seed))


def _counts(shards: list[Shard], what: str) -> Ints:
    total = np.zeros(BUCKETS, np.int64)

    def add(record: Record) -> None:
        np.add(total, feature_counts(Views(record.text).raw), out=total)

    read_all(shards, what, add)
    return total
