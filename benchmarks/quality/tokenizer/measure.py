"""`midline-bench quality tokenizer`: Midline's token ids against llama.cpp's and transformers'.

Known differences, each recognized and counted, none of them in how text is cut or merged:

- `normalization`: transformers composes characters (NFC) before it cuts a text, as the published
  Qwen2 tokenizer does. Midline and llama.cpp keep the file's own code points, because a completion
  has to agree byte for byte with the text before the cursor.
- `digits`: transformers' conversion of a SmolLM2 GGUF forgets that every digit is a piece of its
  own; the published tokenizer, llama.cpp and Midline keep it.
- `end of text`: llama.cpp takes the ordinary token `</s>` of Qwen2.5's vocabulary for a control
  token wherever special tokens are parsed; for the published tokenizer it is text.

A difference without such a cause makes the command fail.
"""

import argparse
import json
import shlex
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.tasks import data_folder
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.tokenizer.corpus import Text, odd_texts, source_texts
from midline.benchmarks.quality.tokenizer.references import REFERENCES, Encode
from midline.model.catalog.catalog import CATALOGUE, resolve
from midline.model.errors import UsageError
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

UNEXPLAINED = "unexplained"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --model, --reference, --data, --kilobytes, --odd and --json."""
    parser.add_argument(
        "--model", action="append", help="catalogue name or GGUF file (default: those pulled)"
    )
    parser.add_argument(
        "--reference", action="append", choices=list(REFERENCES), help="(default: all three)"
    )
    parser.add_argument("--data", metavar="DIR", help="MBXP problems, the source texts")
    parser.add_argument(
        "--kilobytes", type=int, default=200, metavar="N", help="source per language (200)"
    )
    parser.add_argument("--odd", type=int, default=5000, metavar="N", help="odd texts (5000)")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Compare ids on every text; 1 when any difference has no known cause."""
    models = args.model or [name for name, entry in CATALOGUE.items() if entry.is_here()]
    if not models:
        raise UsageError("no model is here; `midline model pull NAME` gets one, or give --model")
    sources = list(source_texts(data_folder(args.data), args.kilobytes * 1000))
    references = args.reference or list(REFERENCES)
    rows = [row for model in models for row in compare_model(model, references, sources, args.odd)]
    for row in rows:
        print(describe(row))
    if args.json:
        args.json.write_text(json.dumps(_result(args, sources, rows), indent=1) + "\n")
    return int(any(row["causes"].get(UNEXPLAINED) for row in rows))


def _result(
    args: argparse.Namespace, sources: Sequence[Text], rows: list[dict[str, Any]]
) -> dict[str, Any]:
    sizes: Counter[str] = Counter()
    for text in sources:
        sizes[text.language] += len(text.text.encode())
    models = [word for model in args.model or () for word in ("--model", Path(model).name)]
    return {
        "benchmark": "tokenizer",
        "command": shlex.join(["midline-bench", "quality", "tokenizer", *models]),
        "machine": describe_machine(),
        "versions": describe_versions("transformers", "llama-cpp-python"),
        "source_bytes": dict(sizes),
        "source_bytes_total": sum(sizes.values()),
        "rows": rows,
    }


def compare_model(
    model: str, references: Sequence[str], sources: Sequence[Text], odd: int
) -> list[dict[str, Any]]:
    """One row per reference and way of treating special tokens."""
    file = read_gguf(resolve(model))
    tokenizer = Tokenizer.from_gguf(file)
    texts = [*sources, *odd_texts(odd, list(tokenizer.vocabulary.special))]
    rows = []
    for name in references:
        encode = REFERENCES[name](file)
        for special in (False, True):
            row = compare(tokenizer, encode, texts, special, file.metadata["tokenizer.ggml.pre"])
            rows.append({"model": Path(model).name, "reference": name, "special": special, **row})
    return rows


def compare(
    tokenizer: Tokenizer, encode: Encode, texts: Sequence[Text], special: bool, pre: str
) -> dict[str, Any]:
    """Figures over `texts`: how many differ, from what cause, and an example of each cause."""
    causes: Counter[str] = Counter()
    examples: dict[str, str] = {}
    tokens = 0
    for text in texts:
        ids = tokenizer.encode(text.text, special=special)
        tokens += len(ids)
        found = encode(text.text, special)
        if found != ids:
            cause = explain(tokenizer, text.text, found, special, pre)
            causes[cause] += 1
            examples.setdefault(cause, text.text[:200])
    return {
        "texts": len(texts),
        "bytes": sum(len(text.text.encode()) for text in texts),
        "tokens": tokens,
        "differing": sum(causes.values()),
        "causes": dict(causes),
        "examples": examples,
    }


def explain(tokenizer: Tokenizer, text: str, found: list[int], special: bool, pre: str) -> str:
    """Why a reference gave the ids `found` for `text`; `UNEXPLAINED` if for no known reason."""
    composed = unicodedata.normalize("NFC", text)
    if composed != text and tokenizer.encode(composed, special=special) == found:
        return "normalization"
    if special and "</s>" in text:
        end = tokenizer.vocabulary.ids.get(b"</s>")
        ids: list[int] = []
        for index, part in enumerate(text.split("</s>")):
            ids += [end] if index and end is not None else []
            ids += tokenizer.encode(part, special=special)
        if ids == found:
            return "end of text"
    if pre == "smollm" and tokenizer.decode(found) == text and any(map(str.isnumeric, text)):
        return "digits"
    return UNEXPLAINED


def describe(row: dict[str, Any]) -> str:
    """One line for `row`."""
    causes = ", ".join(f"{count} {cause}" for cause, count in row["causes"].items()) or "none"
    parsed = "special tokens parsed" if row["special"] else "all plain text"
    return (
        f"{row['model']:<20} {row['reference']:<13} {parsed:<22} {row['texts']:>6} texts "
        f"{row['bytes'] / 1e6:.2f} MB {row['tokens']:>8} tokens, differing: {causes}"
    )
