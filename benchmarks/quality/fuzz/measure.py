"""`midline-bench quality fuzz`: completions at random places of real files, checked for harm.

Three forms of every place. `typed`: the rest of the cursor's line has not been written yet. `gap`:
a piece of the line is missing at the cursor, up to the end of a word or after it, and text follows
on the line. `whole`: nothing is missing, and silence is the best answer. Counted are exceptions,
bytes that disagree with those before the cursor, answers where the file goes on (what is missing is
not blank; `whole`: text follows), and files that parse before and after.
"""

import argparse
import hashlib
import json
import random
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.statistics import wilson
from midline.benchmarks.outputs import output_file
from midline.model.completion.complete import complete_many
from midline.model.completion.fim import Cursor, WindowLimits
from midline.model.completion.syntax import language_of, parser
from midline.model.completion.validity import is_python
from midline.model.engines.base import Engine, Generation, Request, SamplingOptions
from midline.model.engines.load import load_engine
from midline.model.errors import UsageError
from midline.server.documents import Document, from_bytes

FORMS = ("typed", "gap", "whole")
BATCH = 16
_SMALLEST, _LARGEST = 400, 100_000
_SYSTEM_FOLDERS = ("/usr/include", "/usr/lib/node_modules", "/usr/lib/ruby", "/usr/share")
_MARKUP = ("css", "html", "json")
"""Markup and data languages, which are left out of the programming languages."""
_SHARES = ("non_empty", "valid", "valid_as_written")


@dataclass(frozen=True)
class Case:
    """A place in a text: `language`, the text in which it is completed and the text as it was."""

    language: str
    form: str
    document: Document
    offset: int
    original: str

    @property
    def goes_on(self) -> bool:
        """Whether there is something to write, by the file itself."""
        if self.form == "whole":
            return bool(self.document.text[self.offset :].strip())
        missing = len(self.original) - len(self.document.text)
        return bool(self.original[self.offset : self.offset + missing].strip())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folders, how many files and places, the model, limits and --json."""
    parser.add_argument(
        "folders",
        nargs="*",
        type=Path,
        metavar="FOLDER",
        help="with source files (default: what Python and the system have installed)",
    )
    parser.add_argument("--files", type=int, default=500, metavar="N", help="number of files (500)")
    parser.add_argument(
        "--places", type=int, default=1, metavar="N", help="places in each file (1)"
    )
    parser.add_argument("--form", choices=FORMS, action="append", help="(default: typed and gap)")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    parser.add_argument(
        "--max-tokens", type=int, default=24, metavar="N", help="most tokens of a completion (24)"
    )
    parser.add_argument("--window", type=int, default=192, metavar="N", help="prompt tokens (192)")
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of the choice of files and places (0)",
    )
    parser.add_argument(
        "--show", action="store_true", help="print completions that are empty or break a file"
    )
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Complete everywhere; 1 if anything raised or disagreed with the text."""
    files = choose(args.folders or installed(), args.files, args.seed)
    forms = args.form or ["typed", "gap"]
    cases = [
        case
        for path in files
        for form in forms
        for case in places(path, form, args.places, args.seed)
    ]
    engine = Witness(load_engine(args.model))
    limits = WindowLimits(prefix_tokens=args.window * 2 // 3, suffix_tokens=args.window // 3)
    options = SamplingOptions(max_tokens=args.max_tokens)
    rows = [
        {**row, "form": case.form, "language": case.language, "goes_on": case.goes_on}
        for case, row in zip(cases, examine(engine, cases, options, limits), strict=True)
    ]
    if args.show:
        show(cases, rows)
    result = {
        "benchmark": "fuzz",
        "model": args.model,
        "machine": describe_machine(),
        "versions": describe_versions("tree-sitter"),
        "files": len(files),
        "files_sha256": fingerprint(files),
        "max_tokens": args.max_tokens,
        "window": args.window,
        "seed": args.seed,
        "disagreeing": engine.disagreeing,
        "rows": summary(rows, forms),
    }
    print_rows(result)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    return int(engine.disagreeing > 0 or any(row["exception"] for row in rows))


def installed() -> list[Path]:
    """Folders in which Python and the system install source files."""
    paths = sysconfig.get_paths()
    found = [Path(paths["stdlib"]), Path(paths["purelib"]), *map(Path, _SYSTEM_FOLDERS)]
    return [folder for folder in found if folder.is_dir()]


def choose(folders: Sequence[Path], count: int, seed: int) -> list[Path]:
    """`count` files, about equally many of each language; UsageError if there are none."""
    by_language: dict[str, list[Path]] = defaultdict(list)
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            language = language_of(path.name)
            if language and language not in _MARKUP and _is_of_size(path) and parser(language):
                by_language[language].append(path)
    if not by_language:
        raise UsageError(f"{folders[0]} has no source files of a known language; name another")
    dice = random.Random(seed)
    for found in by_language.values():
        dice.shuffle(found)
    chosen: list[Path] = []
    while len(chosen) < count and any(by_language.values()):
        chosen += [found.pop() for found in by_language.values() if found]
    return chosen[:count]


def _is_of_size(path: Path) -> bool:
    return path.is_file() and _SMALLEST <= path.stat().st_size <= _LARGEST


def places(path: Path, form: str, count: int, seed: int) -> list[Case]:
    """Random places of one file, the same in each form."""
    text = from_bytes(path.read_bytes())
    dice = random.Random(f"{seed} {hashlib.sha256(path.read_bytes()).hexdigest()}")
    cases = []
    for _ in range(count):
        offset, share = dice.randint(0, len(text)), dice.random()
        rest = text[_end(text, offset, form, share) :]
        document = Document(path.absolute().as_uri(), text[:offset] + rest)
        cases.append(Case(language_of(path.name) or "", form, document, offset, text))
    return cases


def _end(text: str, offset: int, form: str, share: float) -> int:
    """Where the text goes on after what is missing at `offset`."""
    if form == "whole":
        return offset
    line_end = next((at for at in range(offset, len(text)) if text[at] in "\r\n"), len(text))
    if form == "typed":
        return line_end
    end = offset + round(share * (line_end - offset))
    while offset < end < line_end and text[end - 1 : end + 1].isalnum():
        end += 1
    return end


class Witness:
    """The engine, counting samples that do not begin with the bytes of `Request.align`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.disagreeing = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def batch(self, requests: Sequence[Request], options: SamplingOptions) -> list[Generation]:
        """The engine's generations; counts those that do not begin with `Request.align`. An answer
        that ended for lack of tokens agrees if it is the beginning of those bytes.
        """
        found = self._engine.batch(requests, options)
        for request, generation in zip(requests, found, strict=True):
            align = request.align
            for completion in generation.completions:
                data = b"".join(map(self._engine.tokenizer.token_bytes, completion.ids))
                self.disagreeing += data[: len(align)] != align[: len(data)]
        return found


def examine(
    engine: Any, cases: Sequence[Case], options: SamplingOptions, limits: WindowLimits
) -> list[dict[str, Any]]:
    """The result of every case."""
    rows: list[dict[str, Any]] = []
    for start in range(0, len(cases), BATCH):
        batch = cases[start : start + BATCH]
        print(f"\r{start} of {len(cases)}", end="", file=sys.stderr, flush=True)
        cursors = [case.document.cursor(case.offset, limits) for case in batch]
        try:
            results = complete_many(engine, cursors, options, limits=limits)
            texts: list[Any] = [result.suggestions[0].text for result in results]
        except Exception:  # noqa: BLE001 - which of the batch it was is found out one by one
            texts = [_alone(engine, cursor, options, limits) for cursor in cursors]
        rows += [judge(case, text) for case, text in zip(batch, texts, strict=True)]
    print(file=sys.stderr)
    return rows


def _alone(engine: Any, cursor: Cursor, options: SamplingOptions, limits: WindowLimits) -> Any:
    try:
        return complete_many(engine, [cursor], options, limits=limits)[0].suggestions[0].text
    except Exception as error:  # noqa: BLE001 - whatever it is, it is counted and shown
        return error


def judge(case: Case, text: Any) -> dict[str, Any]:
    """Whether an answer raised, is empty, and leaves what parsed as it was; None: not asked."""
    if isinstance(text, Exception):
        return {"exception": repr(text), "text": "", **dict.fromkeys(_SHARES)}
    before, after = case.document.text[: case.offset], case.document.text[case.offset :]
    valid = parses(case.document.name, before + text + after)
    was_valid = parses(case.document.name, before + after)
    as_written = parses(case.document.name, case.original)
    return {
        "exception": None,
        "text": text,
        "non_empty": bool(text) if case.goes_on else None,
        "valid": valid if was_valid else None,
        "valid_as_written": valid if as_written else None,
    }


def parses(name: str, text: str) -> bool:
    """Whether a whole file, parsed from scratch, has no syntax error, nor one for Python itself."""
    language = language_of(name) or ""
    found, data = parser(language), text.encode("utf-8", "surrogateescape")
    assert found is not None  # or the file had not been chosen
    if found.parse(data).root_node.has_error:
        return False
    return language != "python" or is_python(data)


def summary(rows: Sequence[dict[str, Any]], forms: Sequence[str]) -> list[dict[str, Any]]:
    """Per form, all languages together and each alone: how many cases, shares and intervals."""
    found = []
    for form in forms:
        of_form = [row for row in rows if row["form"] == form]
        languages = ["all", *sorted({row["language"] for row in of_form})]
        for language in languages:
            chosen = [row for row in of_form if language in ("all", row["language"])]
            found.append({"form": form, "language": language, **_shares(chosen)})
    return found


def _shares(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "cases": len(rows),
        "exceptions": sum(row["exception"] is not None for row in rows),
    }
    for share in _SHARES:
        asked = [row[share] for row in rows if row[share] is not None]
        interval = wilson(sum(asked), len(asked))
        result[f"{share}_cases"] = len(asked)
        result[share] = sum(asked) / len(asked) if asked else None
        result[f"{share}_interval"] = [round(end, 4) for end in interval]
    return result


def fingerprint(files: Sequence[Path]) -> str:
    """SHA-256 over the contents of the files, in order."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def show(cases: Sequence[Case], rows: Sequence[dict[str, Any]]) -> None:
    """Print the answers that raised, are empty or spoil a file."""
    for case, row in zip(cases, rows, strict=True):
        if row["exception"] or any(row[share] is False for share in _SHARES):
            text, at = case.document.text, case.offset
            marks = " ".join(share for share in _SHARES if row[share] is False)
            print(f"{case.form} {case.document.name}: not {marks} {row['exception'] or ''}")
            print(f"   {text[max(0, at - 60) : at]!r} ^ {text[at : at + 40]!r}")
            print(f"   {row['text']!r}")


def print_rows(result: dict[str, Any]) -> None:
    """Print every row as one line."""
    print(f"{'form':<7}{'language':<12}{'cases':>6}{'raised':>8}", end="")
    print("".join(f"{share:>24}" for share in _SHARES))
    for row in result["rows"]:
        line = f"{row['form']:<7}{row['language']:<12}{row['cases']:>6}{row['exceptions']:>8}"
        for share in _SHARES:
            value = "-" if row[share] is None else f"{row[share]:.1%}"
            line += f"{value + ' of ' + str(row[share + '_cases']):>24}"
        print(line)
    print(f"answers that disagree with the text before the cursor: {result['disagreeing']}")
