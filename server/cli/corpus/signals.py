"""`midline corpus signals`: the quality signals of documents."""

import argparse
from collections.abc import Iterable, Iterator

from midline.model.data_quality.ccnet import PASSED_ON
from midline.model.data_quality.counts import Counts
from midline.model.data_quality.records import Record
from midline.model.data_quality.registry import chosen, compute
from midline.model.data_quality.shards import plan
from midline.model.data_quality.views import Spans, Views
from midline.server.cli.corpus.arguments import (
    add_signal_arguments,
    checked_paths,
    signal_options,
    signals_of,
)
from midline.server.cli.corpus.running import Row, run_shards


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which signals, and what some need."""
    add = parser.add_argument
    add("--signals", nargs="+", metavar="NAME", help="which ones (default: all)")
    add("--list", action="store_true", help="print the names of all signals and what they are")
    add_signal_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print or write a line for each document."""
    signals = signals_of(args)
    if args.list:
        for name, signal in signals.items():
            print(f"{name:<48} {(signal.__doc__ or '').partition(chr(10))[0]}")
        return 0
    wanted = chosen(signals, args.signals) if args.signals else signals

    def work(_: int, records: Iterator[Record], counts: Counts) -> Iterable[Row]:
        for record in records:
            views = Views(record.text, record.name, record.domain)
            found = {**compute(views, wanted), **_passed_on(record, len(views))}
            yield {"id": record.id, "quality_signals": found}

    shards = plan(checked_paths(args))
    run_shards(shards, work, args, [sorted(wanted), signal_options(args)])
    return 0


def _passed_on(record: Record, length: int) -> dict[str, Spans]:
    """The signals that come with a record of CCNet's."""
    return {
        f"ccnet_{name}": [(0, length, float(value))]
        for name in PASSED_ON
        if isinstance(value := record.fields.get(name), int | float)
    }
