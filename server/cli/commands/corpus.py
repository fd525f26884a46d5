"""Score, deduplicate and select text and code, and find what overlaps with a benchmark.

PATHS are files, folders, JSONL (`.jsonl`, `.jsonl.zst`) and Parquet (`.parquet`, rows with a field
`text`). Without --out, JSON lines are printed; with it, they go to a folder in shards, and a run
that was interrupted continues with the same command. Counts are printed to standard error.

examples:
  midline corpus signals src/ --signals code_comment_share rps_doc_word_count
  midline corpus signals web.jsonl.zst --out scored/ --format parquet
  midline corpus dedup src/ other/ --threshold 0.8 --out unique/
  midline corpus select src/ --filter code --out kept/
  midline corpus select web.jsonl --like src/ --keep 1000 --out similar/
  midline corpus overlap src/ --with mbxp.jsonl
  midline corpus train --ngrams notes/ --out notes.ngrams.json
"""

import argparse
import importlib

from midline.server.cli.corpus.arguments import add_reading_arguments

ACTIONS = {
    "signals": "quality signals of documents, as RedPajama-V2 writes them",
    "dedup": "leave out exact and near duplicates",
    "select": "keep documents that pass a filter, or those most like a target corpus",
    "overlap": "documents that share text with a benchmark",
    "train": "train an n-gram model, a classifier or importance weights on given texts",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions, each with the arguments of its module."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in ACTIONS.items():
        action = actions.add_parser(name, help=text, allow_abbrev=False)
        if name != "train":
            add_reading_arguments(action)
        _module(name).add_arguments(action)


def run(args: argparse.Namespace) -> int:
    """Carry out one action."""
    return int(_module(args.action).run(args))


def _module(name: str):  # type: ignore[no-untyped-def] # a module has no type
    return importlib.import_module(f"midline.server.cli.corpus.{name}")
