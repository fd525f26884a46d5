"""Recall and precision of near deduplication on planted copies, against exact Jaccard similarity.

Files of installed packages are copied, edited, renamed and reformatted. A pair is a duplicate if
the exact similarity of its token 5-grams is at least the threshold; it is found if `midline corpus
dedup` joins it. All other pairs of files count for precision, too.

examples:
  midline-bench quality duplicates
  midline-bench quality duplicates --files 50 --json duplicates.json
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.statistics import wilson
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.duplicates.planted import copies
from midline.benchmarks.quality.signals.documents import installed_documents
from midline.model.data_quality.deduplication import Components, Signatures, join_near, signatures
from midline.model.data_quality.shingles import Hashes, jaccard, token_shingles
from midline.model.errors import UsageError

THRESHOLDS = (0.7, 0.8, 0.9)
LEAST, MOST = 1500, 20_000
"""Characters of a file that is copied."""


@dataclass(frozen=True)
class Pair:
    """A file and its copy, or two files: kind, exact similarity, and numbers of both."""

    kind: str
    similarity: float
    one: int
    other: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the number of files and the output."""
    add = parser.add_argument
    add("--files", type=int, default=80, metavar="N", help="files that are copied (80)")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Plant, deduplicate, and print recall and precision by threshold and kind."""
    if args.files < 2:
        raise UsageError("--files needs at least 2")
    pairs, found = planted(args.files)
    rows = [row for threshold in THRESHOLDS for row in scores(pairs, found, threshold)]
    result = {
        "benchmark": "duplicates",
        "machine": describe_machine(),
        "versions": describe_versions("rensa"),
        "files": args.files,
        "pairs": len(pairs),
        "rows": rows,
        **{
            f"{name}_{100 * row['threshold']:.0f}": row[name]
            for row in rows
            if row["kind"] == "all"
            for name in ("recall", "precision")
        },
    }
    print("\n".join(lines(rows)))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return 0


def planted(files: int) -> tuple[list[Pair], Signatures]:
    """All pairs of a file with its copies and of two files, and the signatures of every text."""
    documents = [d for d in installed_documents(files) if LEAST <= len(d.text) <= MOST]
    step = max(1, len(documents) // files)
    chosen = documents[::step][:files]
    sets: list[Hashes] = [token_shingles(document.text) for document in chosen]
    pairs = [
        Pair("other files", jaccard(sets[a], sets[b]), a, b)
        for a, b in combinations(range(len(chosen)), 2)
    ]
    for number, document in enumerate(chosen):
        for kind, text in copies(document, number):
            sets.append(token_shingles(text))
            pairs.append(Pair(kind, jaccard(sets[number], sets[-1]), number, len(sets) - 1))
    return pairs, signatures(sets)


def is_joined(found: Signatures, pair: Pair, threshold: float) -> bool:
    """Whether deduplication of the two texts alone makes one of them."""
    components = Components(2)
    two = found[[pair.one, pair.other]]
    join_near(components, two, threshold, np.zeros(2, np.bool_))
    return components.first(1) == 0


def scores(pairs: Sequence[Pair], found: Signatures, threshold: float) -> list[dict[str, Any]]:
    """Recall, precision and their counts, over all pairs and for each kind of copy."""
    joined = [is_joined(found, pair, threshold) for pair in pairs]
    kinds = ["all", *dict.fromkeys(p.kind for p in pairs if p.kind != "other files")]
    rows = []
    for kind in kinds:
        mine = [(p, j) for p, j in zip(pairs, joined, strict=True) if kind in ("all", p.kind)]
        true = sum(p.similarity >= threshold for p, _ in mine)
        hits = sum(j and p.similarity >= threshold for p, j in mine)
        all_joined = sum(j for _, j in mine)
        wrong = [p.similarity for p, j in mine if j and p.similarity < threshold]
        rows.append(
            {"threshold": threshold, "kind": kind, "duplicates": true, "found": hits,
             "joined": all_joined,
             "recall": hits / true if true else None, "recall_interval": wilson(hits, true),
             "precision": hits / all_joined if all_joined else None,
             "precision_interval": wilson(hits, all_joined),
             "least_similarity_joined": min(wrong, default=None)}
        )  # fmt: skip
    return rows


def lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The table that is printed."""
    said = []
    for row in rows:
        recall, precision = (
            "-" if row[name] is None else f"{row[name]:.1%}" for name in ("recall", "precision")
        )
        said.append(
            f"{row['threshold']:.1f} {row['kind']:<12} recall {recall:>6} of "
            f"{row['duplicates']:>4}, precision {precision:>6} of {row['joined']:>4}"
        )
    return said
