"""What the actions of `midline corpus` share: inputs, outputs, word lists and trained models."""

import argparse
from pathlib import Path

from midline.model.data_quality.classifier import QualityClassifier
from midline.model.data_quality.content import WordLists
from midline.model.data_quality.importance import ImportanceModel
from midline.model.data_quality.ngram_model import NgramModel
from midline.model.data_quality.outputs import FORMATS
from midline.model.data_quality.registry import Models, Signal, all_signals
from midline.model.errors import UsageError


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the inputs and where the output goes."""
    add = parser.add_argument
    add("paths", type=Path, nargs="*", metavar="PATH", help="files, folders, JSONL or Parquet")
    add("--out", type=Path, metavar="FOLDER", help="write shards here (default: print JSON lines)")
    add("--format", choices=FORMATS, default=FORMATS[0], help="of the shards (jsonl)")
    add("--json", action="store_true", help="print the counts as JSON to standard error")


def add_signal_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the word lists and trained models that some signals need."""
    add = parser.add_argument
    add("--stop-words", type=Path, metavar="FILE", help="one a line (default: English ones)")
    add("--blocked-words", type=Path, metavar="FILE", help="words and phrases, one a line")
    add("--domain-categories", type=Path, metavar="FILE", help="JSON object of domain and number")
    for option, what in (("importance", "importance weights"), ("classifier", "a classifier")):
        add(f"--{option}", action="append", default=[], metavar="NAME=FILE",
            help=f"{what} of `midline corpus train`, and the name of the signal")  # fmt: skip
    add("--ngrams", type=Path, metavar="FILE", help="an n-gram model of `midline corpus train`")


def signals_of(args: argparse.Namespace) -> dict[str, Signal]:
    """Every signal that the given lists and models allow."""
    lists = WordLists.read(args.stop_words, args.blocked_words, args.domain_categories)
    models = Models(
        {name: ImportanceModel.load(path) for name, path in _named(args.importance)},
        {name: QualityClassifier.load(path) for name, path in _named(args.classifier)},
        NgramModel.load(args.ngrams) if args.ngrams else None,
    )
    return all_signals(lists, models)


def signal_options(args: argparse.Namespace) -> list[str]:
    """What the values of signals depend on besides the documents: the files with their times."""
    files = [args.stop_words, args.blocked_words, args.domain_categories, args.ngrams]
    named = [(name, path) for name, path in _named([*args.importance, *args.classifier])]
    named += [("", path) for path in files if path is not None]
    return [f"{name}={path}@{path.stat().st_mtime_ns}" for name, path in named]


def checked_paths(args: argparse.Namespace) -> list[Path]:
    """The inputs; UsageError if there are none."""
    if not args.paths:
        raise UsageError("no input was named; give files or folders with text")
    return list(args.paths)


def _named(words: list[str]) -> list[tuple[str, Path]]:
    found = []
    for word in words:
        name, sign, path = word.partition("=")
        if not sign or not name.isidentifier():
            raise UsageError(f"{word!r} has no name; write NAME=FILE, books=books.npz for instance")
        found.append((name, Path(path)))
    return found
