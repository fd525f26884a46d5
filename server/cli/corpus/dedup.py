"""`midline corpus dedup`: documents without exact and near duplicates."""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from midline.model.data_quality.counts import Counts
from midline.model.data_quality.deduplication import (
    Components,
    Signatures,
    join_equal,
    join_near,
    signatures,
    text_hash,
)
from midline.model.data_quality.records import Record
from midline.model.data_quality.shards import plan
from midline.model.data_quality.shingles import Hashes, token_shingles
from midline.model.errors import UsageError
from midline.server.cli.corpus.arguments import checked_paths
from midline.server.cli.corpus.running import Row, inputs_key, read_all, run_shards
from midline.server.cli.corpus.select import row_of

THRESHOLD = 0.8
_BATCH = 256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what counts as a duplicate."""
    add = parser.add_argument
    add("--threshold", type=float, default=THRESHOLD, metavar="J",
        help="Jaccard similarity from which documents are near duplicates (0.8)")  # fmt: skip
    add("--exact", action="store_true", help="leave out equal texts only")


def run(args: argparse.Namespace) -> int:
    """Find the groups, then write the first document of each."""
    if not 0.1 <= args.threshold <= 1:
        raise UsageError(f"--threshold is {args.threshold:g}; give a similarity from 0.1 to 1")
    shards = plan(checked_paths(args))
    found = Fingerprints(near=not args.exact)
    firsts = read_all(shards, "fingerprints", found.add)
    equal, near = found.groups(args.threshold)

    def work(shard: int, records: Iterator[Record], counts: Counts) -> Iterable[Row]:
        for number, record in enumerate(records, firsts[shard]):
            kept = near.first(number)
            if kept == number:
                yield row_of(record, record.text)
            else:
                is_equal = equal.first(number) == equal.first(kept)
                reason = "equal to another" if is_equal else "near duplicate of another"
                counts.drop(reason, f"{record.id} = {found.ids[kept]}")

    run_shards(shards, work, args, [args.exact, args.threshold, inputs_key(shards)])
    return 0


@dataclass
class Fingerprints:
    """Hashes and signatures of documents in input order; half a kilobyte a document."""

    near: bool
    ids: list[str] = field(default_factory=list)
    hashes: list[int] = field(default_factory=list)
    _waiting: list[Hashes] = field(default_factory=list)
    _batches: list[Signatures] = field(default_factory=list)
    _empty: list[bool] = field(default_factory=list)

    def add(self, record: Record) -> None:
        """Takes the next document."""
        self.ids.append(record.id)
        self.hashes.append(text_hash(record.text))
        if self.near:
            shingles = token_shingles(record.text)
            self._waiting.append(shingles)
            self._empty.append(not len(shingles))
            if len(self._waiting) == _BATCH:
                self._sign()

    def groups(self, threshold: float) -> tuple[Components, Components]:
        """The components of equal documents, and those of equal and near ones."""
        equal, near = Components(len(self.ids)), Components(len(self.ids))
        join_equal(equal, self.hashes)
        join_equal(near, self.hashes)
        if self.near:
            self._sign()
            # Equal documents are joined already; one of each is enough to find what is near them.
            copies = np.array([equal.first(n) != n for n in range(len(self.ids))], np.bool_)
            left_out = np.array(self._empty, np.bool_) | copies
            join_near(near, np.concatenate(self._batches), threshold, left_out)
        return equal, near

    def _sign(self) -> None:
        self._batches.append(signatures(self._waiting))
        self._waiting = []
