"""`midline-bench quality engines`: greedy texts of the ONNX engine against the native float path.

The ONNX engine continues fixed texts greedily, in the forms that are named. The native engine
computes the same positions with activations in float32, and its best token is compared with the
one that was written. Where its best leads its second by less than `--margin` nats, either may be
chosen: a text counts as the same up to its first such position, and what follows a position where
both differ is not compared. The margin there is printed.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.prompts import fingerprint, load_prompts
from midline.benchmarks.quality.quantization.subjects import engine_of, make_subject
from midline.model.catalog.catalog import resolve
from midline.model.compression.quantization.recipe import find_recipe
from midline.model.decoding.options import SamplingOptions
from midline.model.decoding.request import Request
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError
from midline.model.threads import thread_count
from midline.model.tokenizer.base import TokenizerBase

FORMS = ("onnx-float32", "onnx-int8")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The model, the forms, how many prompts of which length, and the margin."""
    add = parser.add_argument
    add("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    add("--recipes", nargs="+", default=list(FORMS), metavar="R",
        help="ONNX recipes (onnx-float32 onnx-int8)")  # fmt: skip
    add("--prompts", type=int, default=20, metavar="N", help="number of prompts (20)")
    add("--tokens", type=int, default=96, metavar="N", help="tokens of each prompt (96)")
    add("--written", type=int, default=48, metavar="N", help="tokens decoded after each (48)")
    add("--margin", type=float, default=0.1, metavar="NATS", help="of a clear choice (0.1)")
    add("--threads", type=int, metavar="N", help="default: the physical cores")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Compare every form and print a line for each text that parts, and one for each form."""
    if min(args.prompts, args.tokens, args.written) < 1 or args.margin < 0:
        raise UsageError("--prompts, --tokens and --written need at least 1, --margin at least 0")
    texts = {name: _written(args, name) for name in dict.fromkeys(args.recipes)}
    native = NativeEngine.load(resolve(args.model), threads=thread_count(args.threads))
    forms = {}
    for name, pairs in texts.items():
        rows = []
        for number, (prompt, ids) in enumerate(pairs, start=1):
            print(f"{name}: text {number} of {len(pairs)}", file=sys.stderr)
            logits = native.logits([*prompt, *ids[:-1]], float_activations=True)
            rows.append(compared(ids, logits[len(prompt) - 1 :], args.margin))
        forms[name] = summary(rows)
        print("\n".join(lines(name, forms[name])))
    native.close()
    result = {
        "benchmark": "engines",
        "model": args.model,
        "command": shlex.join(["midline-bench", *sys.argv[1:]]),
        "machine": describe_machine(),
        "versions": describe_versions("onnxruntime"),
        "texts": fingerprint(load_prompts()),
        "prompt_tokens": args.tokens,
        "written": args.written,
        "margin": args.margin,
        "forms": forms,
    }
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def _written(args: argparse.Namespace, recipe: str) -> list[tuple[list[int], list[int]]]:
    """Prompts, and what the form writes after each."""
    form = find_recipe(recipe)
    if form.engine != "onnx":
        raise UsageError(f"the recipe {recipe} is of the native engine; name one of ONNX")
    subject = make_subject(args.model, form)
    engine = engine_of(subject, args.threads)
    try:
        prompts = list(prompts_of(engine.tokenizer, args.prompts, args.tokens))
        options = SamplingOptions(max_tokens=args.written)
        found = engine.batch([Request(prompt) for prompt in prompts], options, streams=16)
    finally:
        engine.close()
    pairs = zip(prompts, found, strict=True)
    return [(prompt, list(generation.completions[0].ids)) for prompt, generation in pairs]


def prompts_of(tokenizer: TokenizerBase, count: int, tokens: int) -> Iterator[list[int]]:
    """`count` pieces of the fixed texts: their beginnings first, then what follows in each."""
    texts = [tokenizer.encode(text.text) for text in load_prompts()]
    for number in range(count):
        ids = texts[number % len(texts)]
        start = number // len(texts) * tokens % max(1, len(ids) - tokens)
        yield ids[start : start + tokens]


def compared(ids: Sequence[int], logits: NDArray[np.float32], margin: float) -> dict[str, Any]:
    """Where a text leaves the greedy one of `logits`, float32 [len(ids), vocab], and how close
    the choice was there; and the text's first position whose choice is close."""
    values = logits.astype(np.float64)
    best = values.argmax(axis=1)
    second, first = np.sort(np.partition(values, -2, axis=1)[:, -2:], axis=1).T
    margins = first - second
    parts = next((i for i, token in enumerate(ids) if token != best[i]), None)
    close = next((i for i, lead in enumerate(margins) if lead < margin), None)
    return {
        "tokens": len(ids),
        "first_close": close,
        "margin_there": None if close is None else round(float(margins[close]), 5),
        "parts_at": parts,
        "margin_where_parting": None if parts is None else round(float(margins[parts]), 5),
        "same": parts is None or (close is not None and close <= parts),
    }


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of all texts of a form: how many are the same up to their first close choice."""
    whole = sum(row["parts_at"] is None for row in rows)
    compared_tokens = sum(
        row["tokens"] if row["parts_at"] is None else row["parts_at"] for row in rows
    )
    return {
        "texts": len(rows),
        "same_to_first_close": sum(row["same"] for row in rows),
        "same_whole": whole,
        "equal_tokens": compared_tokens,
        "largest_margin_where_parting": max(
            (row["margin_where_parting"] for row in rows if row["parts_at"] is not None),
            default=0.0,
        ),
        "rows": list(rows),
    }


def lines(name: str, found: dict[str, Any]) -> list[str]:
    """The comparison as printed."""
    parting = [
        f"{name}: text {number} parts at token {row['parts_at']}, margin "
        f"{row['margin_where_parting']:.4f} nats"
        for number, row in enumerate(found["rows"], start=1)
        if row["parts_at"] is not None
    ]
    return [
        *parting,
        f"{name}: {found['same_to_first_close']} of {found['texts']} texts the same up to the "
        f"first close choice, {found['same_whole']} to their end; {found['equal_tokens']} equal "
        "tokens",
    ]
