"""Compare the quality signals with those of RedPajama's own code, and the time of both.

The checkout is one of togethercomputer/RedPajama-Data; its modules need msgspec, scipy and
nltk 3.8.1: the tokenizer of later ones takes combining marks for letters.
Every document goes through both, in turns; times are processor time. The exit status is 1 if
a signal differs by more than 1e-6 that is not listed with a defect of the reference.

examples:
  midline-bench quality signals --reference ~/RedPajama-Data
  midline-bench quality signals --reference ~/RedPajama-Data --json signals.json
"""

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.signals.agreement import (
    DEFECTS,
    TOLERANCE,
    Agreement,
    add_document,
)
from midline.benchmarks.quality.signals.datatrove_filters import gopher_filters, paired_seconds
from midline.benchmarks.quality.signals.documents import (
    MOST_CHARACTERS,
    Document,
    folder_documents,
    installed_documents,
    made_documents,
    megabyte,
)
from midline.benchmarks.quality.signals.reference import Reference
from midline.model.data_quality.content import WordLists
from midline.model.data_quality.importance import ImportanceModel, corpus_counts
from midline.model.data_quality.registry import Models, Signal, compute, model_signals, text_signals
from midline.model.data_quality.views import Spans, Views
from midline.model.errors import UsageError

LISTS = WordLists(blocked=frozenset(("damn", "hell", "bad phrase", "damn it to")))
"""Word lists of the comparison."""
TIMED_CHARACTERS = 2000
"""Documents from this size on are timed; below, neither is measured but the call."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the checkout, the number of documents and the outputs."""
    add = parser.add_argument
    add(
        "--reference", type=Path, required=True, metavar="FOLDER", help="checkout of RedPajama-Data"
    )
    add("--per-language", type=int, default=15, metavar="N", help="files of each language (15)")
    add("--sources", type=Path, nargs="+", default=(), metavar="FOLDER", help="files of these, too")
    add("--datatrove", action="store_true", help="time datatrove's Gopher filters, too")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")
    add("--golden", type=output_file, metavar="FILE", help="write the reference's numbers for the "
        "documents that do not depend on the machine")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Compare, print a table, and end with 1 if anything differs without an explanation."""
    if args.per_language < 0:
        raise UsageError("--per-language counts files: 0 or more")
    made = list(made_documents())
    documents = [*made, megabyte(), *installed_documents(args.per_language)]
    documents += missing_groups(documents, folder_documents(args.sources, args.per_language))
    reference, signals = both_sides(args.reference)
    if args.golden:
        with reference.stable_hash():
            golden = {d.name: reference.compute(d) for d in made}
        args.golden.write_text(golden_json(golden), "utf-8")
    agreements, pairs = compare(documents, reference.compute, ours(signals), reference.stable_hash)
    result = summary(documents, agreements, pairs)
    if args.datatrove:
        long = [d for d in documents if TIMED_CHARACTERS <= len(d.text) <= MOST_CHARACTERS]
        result |= against_datatrove(paired_seconds(long, gopher_filters(), ours(signals)))
    print("\n".join(lines(result)))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return int(bool(result["unexplained"]))


def missing_groups(known: Sequence[Document], more: Iterable[Document]) -> list[Document]:
    """Those of `more` of groups that none of `known` is of."""
    groups = {document.group for document in known}
    return [document for document in more if document.group not in groups]


def both_sides(checkout: Path) -> tuple[Reference, dict[str, Signal]]:
    """The reference, and Midline's signals with the same word lists and importance counts."""
    target, source = (corpus_counts(texts) for texts in _own_texts())
    return Reference(checkout, LISTS, target, source), own_signals()


def own_signals() -> dict[str, Signal]:
    """Midline's text signals and one importance weight, under RedPajama's names."""
    model = ImportanceModel.fit(*_own_texts())
    weights = model_signals(Models(importance={"rps_doc_wikipedia": model}))
    return {**text_signals(LISTS), **weights}


def _own_texts() -> tuple[list[str], list[str]]:
    texts = [document.text for document in made_documents() if document.group == "own"]
    return texts[: len(texts) // 2], texts[len(texts) // 2 :]


def ours(signals: dict[str, Signal]) -> Callable[[Document], dict[str, Spans]]:
    """The function that computes `signals` of a document."""
    return lambda document: compute(Views(document.text, document.name), signals)


def compare(
    documents: Sequence[Document],
    theirs: Callable[[Document], dict[str, Spans]],
    own: Callable[[Document], dict[str, Spans]],
    stable: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> tuple[dict[str, Agreement], list[tuple[float, float, int]]]:
    """Agreement by signal, and for each timed document both CPU seconds and its characters.

    Values are compared within `stable`, times are taken outside of it.
    """
    agreements: dict[str, Agreement] = {}
    pairs = []
    for number, document in enumerate(documents):
        print(f"\r{number} of {len(documents)} documents", end="", file=sys.stderr, flush=True)
        results, seconds = {}, {}
        sides = (("theirs", theirs), ("ours", own))
        for side, function in sides if number % 2 else sides[::-1]:
            start = time.thread_time()
            results[side] = function(document)
            seconds[side] = time.thread_time() - start
        with stable():
            add_document(agreements, document.name, results["ours"], theirs(document))
        if len(document.text) >= TIMED_CHARACTERS:
            pairs.append((seconds["ours"], seconds["theirs"], len(document.text)))
    print(file=sys.stderr)
    return agreements, pairs


def summary(
    documents: Sequence[Document],
    agreements: dict[str, Agreement],
    pairs: list[tuple[float, float, int]],
) -> dict[str, Any]:
    """What is recorded."""
    ratios = [theirs / own for own, theirs, _ in pairs]
    own_seconds, their_seconds = (sum(pair[side] for pair in pairs) for side in (0, 1))
    characters = sum(size for _, _, size in pairs)
    differing = [name for name, found in agreements.items() if found.equal < found.documents]
    return {
        "benchmark": "signals",
        "machine": describe_machine(),
        "versions": describe_versions("nltk", "msgspec", "scipy", "datatrove", "spacy"),
        "documents": len(documents),
        "groups": dict(Counter(document.group for document in documents)),
        "tolerance": TOLERANCE,
        "rows": [
            {
                "signal": name,
                "equal": found.equal,
                "documents": found.documents,
                "largest_difference": found.largest,
                "differing": found.differing[:10],
                "defect": DEFECTS.get(name),
            }
            for name, found in sorted(agreements.items())
        ],
        "equal_signals": len(agreements) - len(differing),
        "signals": len(agreements),
        "unexplained": [name for name in differing if name not in DEFECTS],
        "ratio": statistics.median(ratios) if ratios else None,
        "total_ratio": their_seconds / own_seconds if pairs else None,
        "pair_ratios": ratios,
        "megabytes_per_second": characters / own_seconds / 1e6 if pairs else None,
    }


def against_datatrove(pairs: list[tuple[float, float]]) -> dict[str, Any]:
    """The ratios of times that are recorded."""
    return {
        "datatrove_ratio": statistics.median(theirs / own for own, theirs in pairs),
        "datatrove_total_ratio": sum(t for _, t in pairs) / sum(o for o, _ in pairs),
    }


def lines(result: dict[str, Any]) -> list[str]:
    """The table that is printed."""
    found = [
        f"{row['signal']:<48} {row['equal']:>5} of {row['documents']}"
        + (f"  e.g. {', '.join(row['differing'][:3])}" if row["differing"] else "")
        for row in result["rows"]
    ]
    equal = f"{result['equal_signals']} of {result['signals']} signals equal to {TOLERANCE:g}"
    found.append(f"{equal} on {result['documents']} documents")
    if result["ratio"] is not None:
        found.append(
            f"{result['ratio']:.1f} times as fast as RedPajama's code (median document), "
            f"{result['total_ratio']:.1f} times in all, {result['megabytes_per_second']:.1f} MB/s"
        )
    if "datatrove_ratio" in result:
        found.append(
            f"{result['datatrove_ratio']:.1f} times as fast as datatrove's Gopher filters, "
            f"{result['datatrove_total_ratio']:.1f} times in all"
        )
    return found


def golden_json(golden: dict[str, dict[str, Spans]]) -> str:
    """One line a document: its length, and the scores of every signal."""
    rows = (
        f"{json.dumps(name)}: "
        + json.dumps({k: [s[2] for s in spans] for k, spans in signals.items()},
                     separators=(",", ":"))
        for name, signals in golden.items()
    )  # fmt: skip
    return "{\n" + ",\n".join(rows) + "\n}\n"
