"""`midline-bench quality cursor`: completions at marked cursors, against what belongs there.

The cases are small projects in six languages, written for this purpose (`projects/`); many can only
be answered from another file. Scores: exact match of the first line and of the whole text with one
of the accepted texts, non-empty answers, and files that parse with the answer. Differences between
both prompt layouts, and between sparse and dense decoding with --sparsity, are paired by case. With
--samples the sample ranked first is compared with the greedy answer (`samples.py`).
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.statistics import paired_difference, wilson
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.cursor.cases import CursorCase, load_cases
from midline.model.completion.complete import complete
from midline.model.completion.context_chunks import choose_chunks, cut_into_chunks
from midline.model.completion.fim import Cursor, FimLayout, WindowLimits, chunk_ids
from midline.model.completion.syntax import language_of, parser
from midline.model.engines.base import SAMPLING_TEMPERATURE, Engine, NativeOptions, SamplingOptions
from midline.model.engines.load import load_engine
from midline.model.errors import MidlineError, UsageError
from midline.model.tokenizer.base import TokenizerBase

MAX_TOKENS = 48
LIMITS = WindowLimits(prefix_tokens=768, suffix_tokens=192, context_tokens=384)
IN_USE = FimLayout.FRAGMENT_AFTER_MIDDLE
SCORES = ("exact_line", "exact", "non_empty", "valid")


@dataclass(frozen=True)
class Row:
    """The result of one case; `text` is the answer, `sparsity` the share of weights skipped."""

    place: str
    language: str
    model: str
    layout: str
    exact_line: int
    exact: int
    non_empty: int
    valid: int
    text: str
    sparsity: float = 0.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, the layouts, the level, which cases, --csv and --json."""
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    parser.add_argument(
        "--layout",
        choices=list(FimLayout),
        action="append",
        type=FimLayout,
        help="(default: both, or the one in use with --sparsity)",
    )
    parser.add_argument(
        "--sparsity",
        type=float,
        default=0.0,
        metavar="S",
        help="compare decoding at this sparsity with dense decoding",
    )
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only cases whose place contains TEXT"
    )
    parser.add_argument(
        "--samples",
        type=int,
        metavar="N",
        help="compare the best of N ranked samples with greedy decoding",
    )
    parser.add_argument("--temperature", type=float, default=SAMPLING_TEMPERATURE, metavar="T")
    parser.add_argument(
        "--greedy-first", action="store_true", help="decode the first of the samples greedily"
    )
    parser.add_argument("--csv", type=output_file, metavar="FILE", help="write every answer here")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Complete every case in every layout and print the scores."""
    check(args)
    cases = [case for case in load_cases() if args.only in case.place]
    if not cases:
        raise UsageError(f"no case's place contains {args.only!r}; leave --only out for all")
    engine = load_engine(
        args.model, options=SamplingOptions(engine=NativeOptions(sparsity=args.sparsity))
    )
    if args.samples is not None:
        from midline.benchmarks.quality.cursor.samples import report

        return report(engine, cases, args)
    layouts = args.layout or ([IN_USE] if args.sparsity else list(FimLayout))
    levels = [0.0, args.sparsity] if args.sparsity else [0.0]
    rows = [
        row
        for level in levels
        for layout in layouts
        for row in examine(engine, cases, layout, level)
    ]
    result = {
        "benchmark": "cursor",
        "model": engine.name,
        "machine": describe_machine(),
        "versions": describe_versions("tree-sitter"),
        "cases": len(cases),
        "max_tokens": MAX_TOKENS,
        "rows": summary(rows),
        "sparsity": args.sparsity,
        "layouts": comparison(rows) if len(layouts) > 1 else None,
        "sparse": sparse_comparison(rows, layouts[0]) if args.sparsity else None,
    }
    print_summary(result)
    if args.csv:
        write_csv(args.csv, rows)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def check(args: argparse.Namespace) -> None:
    """Raise UsageError for what --samples would ignore."""
    if args.samples is None:
        return
    if args.sparsity:
        raise UsageError("several samples are dense; leave out --samples or --sparsity")
    if args.csv or args.layout:
        raise UsageError(
            "--samples compares ranked samples with one greedy answer in the layout in use and "
            "writes no table; leave out --csv and --layout, or --samples"
        )


def examine(
    engine: Engine, cases: Sequence[CursorCase], layout: FimLayout, sparsity: float = 0.0
) -> list[Row]:
    """The engine's answer to every case, scored."""
    rows: list[Row] = []
    options = SamplingOptions(max_tokens=MAX_TOKENS, engine=NativeOptions(sparsity=sparsity))
    for number, case in enumerate(cases):
        print(f"\r{layout}: {number} of {len(cases)}", end="", file=sys.stderr, flush=True)
        cursor = cursor_of(case, engine.tokenizer)
        result = complete(engine, cursor, options, limits=LIMITS, layout=layout)
        row = scored(case, result.suggestions[0].text, engine.name, layout)
        rows.append(replace(row, sparsity=sparsity))
    print(file=sys.stderr)
    return rows


def cursor_of(case: CursorCase, tokenizer: TokenizerBase) -> Cursor:
    """The case as the engine sees it, with chunks of the project's other files.

    The names of the whole file choose them, so that its cases share the beginning of a prompt.
    """
    chunks = [chunk for name, text in case.others for chunk in cut_into_chunks(name, text)]
    near = case.before + case.after
    chosen = choose_chunks(
        chunks, near, LIMITS.context_tokens, lambda chunk: len(chunk_ids(tokenizer, chunk))
    )
    return Cursor(
        case.before.encode(),
        case.after.encode(),
        case.line - 1,
        case.file,
        context=chosen,
        project=case.project.partition("-")[2],
    )


def scored(case: CursorCase, text: str, model: str, layout: FimLayout) -> Row:
    """The row of an answer; white space at its end does not count."""
    answer = text.rstrip()
    expected = [wanted.rstrip() for wanted in case.expected]
    return Row(
        place=case.place,
        language=case.language,
        model=model,
        layout=layout.value,
        exact_line=int(_first_line(answer) in map(_first_line, expected)),
        exact=int(answer in expected),
        non_empty=int(bool(answer)),
        valid=int(parses(case.file, case.before + text + case.after)),
        text=text,
    )


def _first_line(text: str) -> str:
    return text.partition("\n")[0].rstrip()


def parses(name: str, text: str) -> bool:
    """Whether a whole file has no syntax error; MidlineError if its grammar is not installed."""
    found = parser(language_of(name) or "")
    if found is None:
        raise MidlineError(f"the grammar for {name} is missing; install Midline's dependencies")
    return not found.parse(text.encode()).root_node.has_error


def summary(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Scores of each layout and level, of all languages and each one, with intervals of 95%."""
    found = []
    for layout, level in dict.fromkeys((row.layout, row.sparsity) for row in rows):
        own = [row for row in rows if (row.layout, row.sparsity) == (layout, level)]
        for language in ["all", *sorted({row.language for row in own})]:
            chosen = [row for row in own if language in ("all", row.language)]
            head = {"layout": layout, "sparsity": level, "language": language}
            found.append({**head, **_scores(chosen)})
    return found


def _scores(rows: Sequence[Row]) -> dict[str, Any]:
    result: dict[str, Any] = {"cases": len(rows)}
    for score in SCORES:
        count = sum(getattr(row, score) for row in rows)
        result[score] = round(count / len(rows), 4)
        result[f"{score}_interval"] = [round(end, 4) for end in wilson(count, len(rows))]
    return result


def comparison(rows: Sequence[Row]) -> dict[str, Any]:
    """The fragment after the middle token against plain, in pairs of the same case."""
    first, second = FimLayout.FRAGMENT_AFTER_MIDDLE.value, FimLayout.PLAIN.value
    dense = [row for row in rows if not row.sparsity]
    sides = [[row for row in dense if row.layout == layout] for layout in (first, second)]
    return {"first": first, "second": second, **_differences(*sides)}


def sparse_comparison(rows: Sequence[Row], layout: FimLayout) -> dict[str, Any]:
    """Sparse against dense decoding, in pairs of the same case of one layout."""
    own = [row for row in rows if row.layout == layout.value]
    sparse, dense = [row for row in own if row.sparsity], [row for row in own if not row.sparsity]
    return {"first": "sparse", "second": "dense", **_differences(sparse, dense)}


def _differences(first: Sequence[Row], second: Sequence[Row]) -> dict[str, Any]:
    other = {row.place: row for row in second}
    return {
        score: paired_difference(
            [(getattr(row, score), getattr(other[row.place], score)) for row in first]
        )
        for score in ("exact_line", "exact")
    }


def write_csv(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows of this run; those of other models, layouts and levels stay."""
    new = list(rows)
    made = {_key(row) for row in new}
    kept = [row for row in read_csv(path) if _key(row) not in made] if path.exists() else []
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        ordered = sorted([*kept, *new], key=lambda row: (row.model, row.layout, row.sparsity))
        writer.writerows(asdict(row) for row in ordered)


def _key(row: Row) -> tuple[str, str, float, str]:
    return row.model, row.layout, row.sparsity, row.place


def read_csv(path: Path) -> list[Row]:
    """The rows of a recorded file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_row(**row) for row in csv.DictReader(file)]


def _row(**cells: str) -> Row:
    values: dict[str, Any] = {name: int(cells[name]) for name in SCORES}
    values["sparsity"] = float(cells.get("sparsity", 0))
    return Row(**{**cells, **values})


def print_summary(result: dict[str, Any]) -> None:
    """Print the scores, one line per layout, level and language, and the differences."""
    head = f"{'layout':<24}{'sparsity':>8}  {'language':<12}{'cases':>6}"
    print(head, "".join(f"{score:>12}" for score in SCORES))
    for row in result["rows"]:
        line = f"{row['layout']:<24}{row['sparsity']:>8.0%}  "
        line += f"{row['language']:<12}{row['cases']:>6} "
        print(line + "".join(f"{row[score]:>12.1%}" for score in SCORES))
    for compared in filter(None, (result["layouts"], result["sparse"])):
        for score in ("exact_line", "exact"):
            found = compared[score]
            low, high = found["interval"]
            print(
                f"{score}: {compared['first']} less {compared['second']} "
                f"{found['difference']:+.1%} [{low:+.1%}, {high:+.1%}], p = {found['p_value']}"
            )
