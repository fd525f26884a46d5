"""`midline corpus train`: small models of texts that the user names."""

import argparse
from pathlib import Path

from midline.model.data_quality.classifier import QualityClassifier
from midline.model.data_quality.importance import ImportanceModel
from midline.model.data_quality.ngram_model import NgramModel
from midline.model.data_quality.records import Skipped
from midline.model.data_quality.shards import plan
from midline.model.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is trained, on what, and where to."""
    add = parser.add_argument
    kinds = parser.add_mutually_exclusive_group(required=True)
    kinds.add_argument("--ngrams", type=Path, nargs="+", metavar="PATH", help="for perplexity")
    kinds.add_argument("--good", type=Path, nargs="+", metavar="PATH", help="for a classifier")
    kinds.add_argument(
        "--like", type=Path, nargs="+", metavar="PATH", help="for importance weights"
    )
    add("--rather-than", type=Path, nargs="+", metavar="PATH",
        help="the other kind of text, with --good and --like")  # fmt: skip
    add("--out", type=Path, required=True, metavar="FILE", help="the model's file")


def run(args: argparse.Namespace) -> int:
    """Train, write the model and print its path."""
    if (args.rather_than is None) != (args.ngrams is not None):
        raise UsageError("--good and --like need --rather-than, and --ngrams does not take it")
    model: NgramModel | QualityClassifier | ImportanceModel
    if args.ngrams is not None:
        model = NgramModel.fit(_texts(args.ngrams))
    elif args.good is not None:
        model = QualityClassifier.fit(_texts(args.good), _texts(args.rather_than))
    else:
        model = ImportanceModel.fit(_texts(args.like), _texts(args.rather_than))
    try:
        model.save(args.out)
    except OSError as error:
        raise UsageError(f"{args.out} cannot be written: {error.strerror}; name another") from error
    print(args.out)
    return 0


def _texts(paths: list[Path]) -> list[str]:
    return [record.text for shard in plan(paths) for record in shard.records(Skipped())]
