"""`midline-bench quality confidence`: how right a completion is by its probability.

The show gate (`model/completion/confidence.py`) shows a text only where the model finds it probable
enough. Here the model completes at positions of texts that `quality typing` does not type in, as at
a key and without the gate, and every offer is compared with what belongs there: the precision by
the probability of the first token and of the first line, and what other thresholds would show. With
a pause model, it completes at the same positions, and the screens with it and without are compared.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.answers import Answers, completion_rules
from midline.benchmarks.quality.confidence.pairs import by_margin
from midline.benchmarks.quality.confidence.positions import Held, positions, texts
from midline.benchmarks.quality.confidence.scores import Offer, by_gate, by_probability
from midline.benchmarks.quality.typing.remembering import RememberingEngine
from midline.model.completion.choosing import PAUSE_GATE
from midline.model.completion.confidence import GATE, TokenConfidence
from midline.model.completion.stopping import WrittenText
from midline.model.completion.task import completion_tasks
from midline.model.completion.whole_ends import whole_ends
from midline.model.engines.base import DrawnToken, Engine, Request, SamplingOptions
from midline.model.engines.load import load_engine
from midline.model.errors import UsageError
from midline.model.paths import cache_folder
from midline.server.lsp.settings import Settings

DEFAULT_POSITIONS = 400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add texts, positions, model and where the result goes."""
    parser.add_argument(
        "files",
        nargs="*",
        metavar="PATH",
        type=_path,
        help="files or folders (default: texts of this project and of a Python package)",
    )
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    parser.add_argument(
        "--pause-model", metavar="MODEL", help="compare the screens with this pause model as well"
    )
    parser.add_argument("--positions", type=int, default=DEFAULT_POSITIONS, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="other positions")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Complete at the positions, and print precision by probability and by gate."""
    if args.positions < 1:
        raise UsageError("--positions needs at least 1")
    held = positions(texts(args.files), args.positions, args.seed)
    all_offers = _offers(args.model, held)
    offers = [offer for offer in all_offers if offer.text]
    result = {
        "benchmark": "confidence",
        "model": args.model,
        "pause_model": args.pause_model,
        "seed": args.seed,
        "positions": len(held),
        "offers": len(offers),
        "bins": by_probability(offers),
        "gates": by_gate(offers),
        **(_with_pauses(args.pause_model, held, all_offers) if args.pause_model else {}),
        "machine": describe_machine(),
        "versions": describe_versions(),
    }
    _print(result)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return 0


def _path(text: str) -> Path:
    path = Path(text)
    if not path.exists():
        raise argparse.ArgumentTypeError(f"{text} does not exist")
    return path


def _offers(model: str, held: Sequence[Held]) -> list[Offer]:
    """The offers of a model at all positions, those that it made before from the cache."""
    engine = load_engine(model)
    answers = Answers(cache_folder() / "confidence" / f"{engine.name}.jsonl")
    remembering = RememberingEngine(engine, answers, completion_rules())
    found = []
    for number, one in enumerate(held, 1):
        print(f"\rcompleted {number} of {len(held)}", end="", file=sys.stderr, flush=True)
        found.append(offered(remembering, one))
    print(file=sys.stderr)
    engine.close()
    return found


def _with_pauses(model: str, held: Sequence[Held], first: Sequence[Offer]) -> dict[str, Any]:
    """Gates of the pause model's offers, and the screens with it by margin."""
    second = _offers(model, held)
    return {
        "pause_bins": by_probability([offer for offer in second if offer.text]),
        "pause_gates": by_gate([offer for offer in second if offer.text], in_use=PAUSE_GATE),
        "margins": by_margin(list(zip(first, second, strict=True))),
    }


def offered(engine: Engine, held: Held) -> Offer:
    """What the model offers at a position with the settings of the server, without the gate."""
    settings = Settings()
    options = SamplingOptions(max_tokens=settings.max_tokens)
    task, *_ = completion_tasks(engine, held.cursor, options, settings.limits(), insist=False)
    written = WrittenText(engine.tokenizer, len(task.prompt.align))
    tokens: list[TokenConfidence] = []
    ids: list[int] = []
    waiting = 0.0

    def take(token: DrawnToken) -> None:
        nonlocal waiting
        ids.append(token.id)
        waiting += token.conditional
        text = written.of(ids)
        if len(text) > (tokens[-1].end if tokens else 0):
            tokens.append(TokenConfidence(len(text), waiting))
            waiting = 0.0

    generation = engine.generate(
        Request(task.prompt.ids, task.prompt.align, task.stop),
        replace(task.options, max_tokens=options.max_tokens + task.prompt.backed_up),
        on_token=take,
    )
    shown = task.result(generation).suggestions
    text = shown[0].text if shown else ""
    ends = whole_ends(text, task.around) if text else ()
    language = task.place.language or ""
    return Offer(language, written.text, text, tuple(tokens), ends, held.truth)


def _print(result: dict[str, Any]) -> None:
    print(f"{result['offers']} offers at {result['positions']} positions")
    for row in result["bins"]:
        if row["precision_of"]:
            print(
                f"{row['of']:<12} {row['from']:.1f} to {row['to']:.1f}  {_text(row, 'precision')}"
            )
    print(f"{'first':>6}{'keep':>6}{'lines':>7}  shown, begins right, wholly wrong, exact, saved")
    for row in result["gates"]:
        shares = "  ".join(
            _text(row, name) for name in ("shown", "begins_right", "wholly_wrong", "exact")
        )
        mark = " <- in use" if row["in_use"] else ""
        numbers = f"{row['first']:>6}{row['keep']:>6}{row['keep_lines']:>7}"
        print(f"{numbers}  {shares}  {row['saved_characters']}{mark}")
    for row in result.get("margins", []):
        low, high = row["more"]["interval"]
        mark = " <- in use" if row["in_use"] else ""
        print(
            f"margin {row['margin']}: {row['exact']} exact, {row['more']['difference']:+.1%} "
            f"[{low:+.1%}, {high:+.1%}]; {row['appeared']} appear, {row['grew']} grow, "
            f"{row['changed']} change of {row['positions']}{mark}"
        )
    print(f"in use: first {GATE.first}, keep {GATE.keep}, of several lines {GATE.keep_lines}")


def _text(row: dict[str, Any], name: str) -> str:
    low, high = row[f"{name}_interval"]
    share = "    -" if row[name] is None else f"{row[name]:6.1%}"
    return f"{share} [{low:.1%}, {high:.1%}] of {row[f'{name}_of']}"
