"""`midline-bench quality cursor --samples N`: the first of N ranked samples against one greedy one.

The prompt of a case is prefilled once and timed; then both answers are decoded from it, in
alternating order, ranking included. `time_ratio` compares whole answers with the prefill in both;
`decode_time_ratio` compares what follows the prefill, the cost of a keystroke with a cached prompt.
"""

import argparse
import json
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.statistics import paired_difference, wilson
from midline.benchmarks.quality.cursor.cases import CursorCase
from midline.benchmarks.quality.cursor.measure import LIMITS, MAX_TOKENS, SCORES, cursor_of, scored
from midline.model.completion.complete import complete
from midline.model.completion.fim import Cursor, FimLayout, build_prompt
from midline.model.completion.task import CompletionResult
from midline.model.engines.base import Engine, SamplingOptions

LAYOUT = FimLayout.FRAGMENT_AFTER_MIDDLE
GREEDY, RANKED, ANY = "greedy", "ranked", "any"
"""The greedy answer, the first of the ranked samples, and the best of all of them."""


@dataclass(frozen=True)
class Case:
    """One case answered both ways; times in seconds, scores by way and by name of the score."""

    place: str
    language: str
    prompt_tokens: int
    read_seconds: float
    greedy_seconds: float
    ranked_seconds: float
    suggestions: int
    scores: dict[str, dict[str, int]]
    greedy: str
    ranked: str


def report(engine: Engine, cases: Sequence[CursorCase], args: argparse.Namespace) -> int:
    """Answer every case both ways, print the comparison and write it where that was asked for."""
    options = SamplingOptions(
        samples=args.samples,
        max_tokens=MAX_TOKENS,
        temperature=args.temperature,
        greedy_first=args.greedy_first,
    )
    options.check()
    rows = []
    for number, case in enumerate(cases):
        print(f"\r{number} of {len(cases)}", end="", file=sys.stderr, flush=True)
        rows.append(answer(engine, case, options, ranked_first=number % 2 == 1))
    print(file=sys.stderr)
    result = {
        "benchmark": "cursor-samples",
        "model": engine.name,
        "command": shlex.join(["midline-bench", *sys.argv[1:]]),
        "machine": describe_machine(),
        "versions": describe_versions("tree-sitter"),
        "samples": args.samples,
        "temperature": args.temperature,
        "greedy_first": args.greedy_first,
        "layout": LAYOUT.value,
        "max_tokens": MAX_TOKENS,
        **compared(rows),
        "rows": [asdict(row) for row in rows],
    }
    print("\n".join(lines(result)))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def answer(
    engine: Engine, case: CursorCase, options: SamplingOptions, *, ranked_first: bool
) -> Case:
    """Both answers to one case, from a prompt that is known to the engine."""
    cursor = cursor_of(case, engine.tokenizer)
    prompt = build_prompt(engine.tokenizer, cursor, LIMITS, LAYOUT)
    started = time.perf_counter()
    engine.prefill(prompt.ids)
    read = time.perf_counter() - started
    ways = {GREEDY: SamplingOptions(max_tokens=MAX_TOKENS), RANKED: options}
    order = (RANKED, GREEDY) if ranked_first else (GREEDY, RANKED)
    found = {way: _timed(engine, cursor, ways[way]) for way in order}
    (greedy, greedy_seconds), (ranked, ranked_seconds) = found[GREEDY], found[RANKED]
    texts = [suggestion.text for suggestion in ranked.suggestions]
    each = [_scores(case, text) for text in texts]
    return Case(
        place=case.place,
        language=case.language,
        prompt_tokens=len(prompt.ids),
        read_seconds=read,
        greedy_seconds=greedy_seconds,
        ranked_seconds=ranked_seconds,
        suggestions=len(texts),
        scores={
            GREEDY: _scores(case, greedy.suggestions[0].text),
            RANKED: each[0],
            ANY: {score: max(one[score] for one in each) for score in SCORES},
        },
        greedy=greedy.suggestions[0].text,
        ranked=texts[0],
    )


def _timed(
    engine: Engine, cursor: Cursor, options: SamplingOptions
) -> tuple[CompletionResult, float]:
    started = time.perf_counter()
    result = complete(engine, cursor, options, limits=LIMITS, layout=LAYOUT)
    return result, time.perf_counter() - started


def _scores(case: CursorCase, text: str) -> dict[str, int]:
    row = scored(case, text, "", LAYOUT)
    return {score: getattr(row, score) for score in SCORES}


def compared(rows: Sequence[Case]) -> dict[str, Any]:
    """Scores of each way with intervals, differences in pairs of the same case, ratios of times."""
    result: dict[str, Any] = {"cases": len(rows)}
    for way in (GREEDY, RANKED, ANY):
        counts = {score: sum(row.scores[way][score] for row in rows) for score in SCORES}
        result[way] = {score: round(count / len(rows), 4) for score, count in counts.items()}
        intervals = {score: wilson(count, len(rows)) for score, count in counts.items()}
        result[way]["intervals"] = intervals
    for score in SCORES:
        pairs = [(row.scores[RANKED][score], row.scores[GREEDY][score]) for row in rows]
        found = paired_difference(pairs)
        result[f"{score}_over_greedy"] = found | {"lower_bound": found["interval"][0]}
    read = sum(row.read_seconds for row in rows)
    greedy = sum(row.greedy_seconds for row in rows)
    ranked = sum(row.ranked_seconds for row in rows)
    return result | {
        "time_ratio": round((read + ranked) / (read + greedy), 4),
        "decode_time_ratio": round(ranked / greedy, 4),
    }


def lines(result: dict[str, Any]) -> list[str]:
    """The comparison as printed."""
    found = ["            " + "".join(f"{score:>12}" for score in SCORES)]
    for way in (GREEDY, RANKED, ANY):
        found.append(f"{way:<12}" + "".join(f"{result[way][score]:>12.1%}" for score in SCORES))
    for score in SCORES:
        pairs = result[f"{score}_over_greedy"]
        low, high = pairs["interval"]
        found.append(
            f"{score}: ranked less greedy {pairs['difference']:+.1%} [{low:+.1%}, {high:+.1%}], "
            f"p = {pairs['p_value']}"
        )
    found.append(
        f"time of {result['samples']} samples over one greedy answer: {result['time_ratio']:.2f}, "
        f"without reading the prompt {result['decode_time_ratio']:.2f}"
    )
    return found
