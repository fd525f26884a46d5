"""What the completion rules make of texts that are right: pieces of files, fed at their place.

No model is run. Each piece goes token by token through the rules that end and trim a completion,
with or without some of the text that follows it, as of a model that does not know where to end.
"""

import random
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from midline.benchmarks.quality.infilling.cuts import KINDS, Cut, SourceText, draw_cuts
from midline.benchmarks.quality.infilling.perfect import MAX_TOKENS, PerfectEngine
from midline.benchmarks.quality.typing.files import candidates, source_text
from midline.model.completion.complete import complete
from midline.model.completion.faults import fault_kinds
from midline.model.completion.languages import language_of_text
from midline.model.completion.syntax import count_errors, language_of, parser
from midline.model.completion.validity import is_python
from midline.model.engines.base import SamplingOptions
from midline.model.errors import UsageError
from midline.model.tokenizer.base import TokenizerBase

CUTS = 80
"""Cuts of each language."""
VERDICTS = ("kept", "silent", "empty", "short", "beyond", "changed")
"""Whole; empty while typing and whole by hand; empty; a beginning; with text that follows it in the
file; otherwise.
"""
LEAST_LINES, MOST_LINES = 10, 1500
MOST_FILES = 60
"""Files of a language, drawn at random where there are more."""
SHOWN = 20
"""Pieces of each kind that are printed."""
_PACKAGES = ("cmake", "matplotlib", "nanobind", "openai")
"""Packages whose files in further languages are cut by default, those of them that are here."""


def sources_of(paths: Sequence[Path]) -> dict[str, list[SourceText]]:
    """The files to cut, by language: those of `paths` and of folders among them, or the default
    ones. UsageError if there is none.
    """
    by_language: dict[str, list[Path]] = {}
    for file in _files(paths) if paths else [*_files(_folders()), *_typed()]:
        by_language.setdefault(language_of_text(file.name) or file.suffix, []).append(file)
    found: dict[str, list[SourceText]] = {}
    for language, files in by_language.items():
        drawn = random.Random(language).sample(files, min(len(files), MOST_FILES))
        texts = [(file.name, source_text(file)) for file in drawn]
        usable = [
            SourceText(*each) for each in texts if LEAST_LINES <= each[1].count("\n") <= MOST_LINES
        ]
        if usable:
            found[usable[0].language] = usable
    if not found:
        named = paths[0] if paths else "this installation"
        raise UsageError(
            f"{named} has no source file of {LEAST_LINES} to {MOST_LINES} lines; name others"
        )
    return found


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files among `paths`, and those in folders among them whose language is known."""
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and (file == path or language_of_text(file.name)):
                yield file


def _folders() -> list[Path]:
    specs = [find_spec(name) for name in _PACKAGES]
    return [
        Path(place) for spec in specs if spec for place in spec.submodule_search_locations or ()
    ]


def _typed() -> list[Path]:
    return [file for files in candidates().values() for file in files]


def feed(tokenizer: TokenizerBase, cuts: Sequence[Cut]) -> Iterator[dict[str, Any]]:
    """One row for each cut: what is shown of it, and the verdict."""
    engine = PerfectEngine(tokenizer)
    for cut in cuts:
        engine.text = cut.middle + cut.run_on
        typed = _shown(engine, cut, by_hand=False)
        asked = typed or _shown(engine, cut, by_hand=True)
        verdict = verdict_of(cut, asked)
        yield {
            "language": cut.language,
            "name": cut.name,
            "line": cut.before.count("\n") + 1,
            "kind": cut.kind,
            "run_on": len(cut.run_on),
            "shown": asked,
            "verdict": "silent" if verdict == "kept" and not typed else verdict,
            "broken": bool(asked) and is_broken(cut, asked),
        }


def _shown(engine: PerfectEngine, cut: Cut, *, by_hand: bool) -> str:
    options = SamplingOptions(max_tokens=MAX_TOKENS)
    result = complete(engine, cut.cursor, options, insist=by_hand)
    return result.suggestions[0].text if result.suggestions else ""


def verdict_of(cut: Cut, shown: str) -> str:
    """What was made of a piece: one of `VERDICTS`, without "silent"."""
    wanted, found = cut.middle.rstrip(), shown.replace("\r\n", "\n").rstrip()
    if found == wanted:
        return "kept"
    if not found:
        return "empty"
    if wanted.startswith(found):
        return "short"
    return "beyond" if (cut.middle + cut.after).startswith(found) else "changed"


def is_broken(cut: Cut, shown: str) -> bool:
    """Whether the file is accepted without the piece and is not with what is shown of it."""
    if shown.rstrip() == cut.middle.rstrip():
        return False
    with_it = f"{cut.before}{shown}{cut.after}"
    return _is_accepted(cut, cut.before + cut.after) and not _is_accepted(cut, with_it)


def _is_accepted(cut: Cut, text: str) -> bool:
    """Whether a text has no fault that its grammar or the rules of its language know."""
    language = language_of(cut.name)
    found = parser(language) if language else None
    if language is None or found is None:
        return True
    data = text.encode("utf-8", "surrogateescape")
    tree = found.parse(data)
    if count_errors(tree) or fault_kinds(tree, language):
        return False
    return language != "python" or is_python(data)


def summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cuts by verdict, and files that are broken: of all, of each kind and of each language."""
    groups = [("all", "all", list(rows))]
    for kind in KINDS:
        groups.append(("all", kind, [row for row in rows if row["kind"] == kind]))
    for language in sorted({row["language"] for row in rows}):
        groups.append((language, "all", [row for row in rows if row["language"] == language]))
    return [
        {
            "language": language,
            "kind": kind,
            "cuts": len(own),
            **{verdict: sum(row["verdict"] == verdict for row in own) for verdict in VERDICTS},
            "broken": sum(row["broken"] for row in own),
        }
        for language, kind, own in groups
        if own
    ]


def print_summary(found: Sequence[dict[str, Any]]) -> None:
    """Print one line for each group of cuts."""
    columns = ("cuts", *VERDICTS, "broken")
    print(f"{'language':<12}{'kind':<10}" + "".join(f"{name:>9}" for name in columns))
    for row in found:
        counts = "".join(f"{row[name]:>9}" for name in columns)
        print(f"{row['language']:<12}{row['kind']:<10}{counts}")


def cuts_of(paths: Sequence[Path], count: int, seed: int) -> list[Cut]:
    """`count` cuts of each language among the files."""
    found = sources_of(paths)
    return [cut for name in sorted(found) for cut in draw_cuts(found[name], count, seed)]


def show(cuts: Sequence[Cut], rows: Sequence[dict[str, Any]]) -> None:
    """Print the first pieces of each kind that are not kept, around the cursor."""
    for kind in KINDS:
        lost = (
            (cut, row)
            for cut, row in zip(cuts, rows, strict=True)
            if cut.kind == kind and row["verdict"] != "kept"
        )
        for cut, row in islice(lost, SHOWN):
            print(f"\n{cut.kind}, {row['verdict']}: {cut.name}:{row['line']}")
            print(f"  {cut.before[-80:]!r} ^ {cut.after[:80]!r}")
            print(f"  wanted {cut.middle!r}\n  shown  {row['shown']!r}")
