"""Held-out positions: places in texts that `quality typing` does not type in."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from midline.benchmarks.quality.prompts import load_prompts
from midline.benchmarks.quality.typing.files import source_text
from midline.model.completion.fim import Cursor
from midline.model.completion.syntax import language_of
from midline.model.errors import UsageError

MISSING_LINES = 5
"""Lines that are not written yet, the cursor's own included, as in `quality typing`."""
_PACKAGE = "rich"
_SUFFIXES = {"cpp": ".cpp", "java": ".java", "python": ".py", "typescript": ".ts"}
_LARGEST = 100_000
_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Text:
    """A text and the name that tells its language."""

    name: str
    text: str


@dataclass(frozen=True)
class Held:
    """A cursor, and what belongs there: the rest of the line and of the lines that are missing."""

    cursor: Cursor
    truth: str


def texts(paths: Sequence[Path]) -> list[Text]:
    """The texts of files and folders; without any, those of this project and a Python package's."""
    if paths:
        return _texts_of(paths)
    own = [Text(f"{p.name}{_SUFFIXES[p.language]}", p.text) for p in load_prompts()]
    spec = find_spec(_PACKAGE)
    places = spec.submodule_search_locations if spec else None
    return own + (_texts_of([Path(next(iter(places)))]) if places else [])


def _texts_of(paths: Sequence[Path]) -> list[Text]:
    files = [
        one for path in paths for one in (sorted(path.rglob("*")) if path.is_dir() else [path])
    ]
    found = [
        Text(one.name, source_text(one))
        for one in files
        if one.is_file() and language_of(one.name) and one.stat().st_size <= _LARGEST
    ]
    if not found:
        raise UsageError(f"{paths[0]} has no source file that is completed; name others")
    return found


def positions(found: Sequence[Text], count: int, seed: int) -> list[Held]:
    """`count` places, in turn in each language, half of them at the beginnings of lines."""
    dice = random.Random(f"confidence {seed}")
    by_language: dict[str, list[Text]] = {}
    for text in found:
        by_language.setdefault(language_of(text.name) or "", []).append(text)
    groups = [by_language[language] for language in sorted(by_language)]
    drawn = [_drawn(dice.choice(groups[number % len(groups)]), dice) for number in range(count)]
    return [held for held in drawn if held is not None]


def _drawn(text: Text, dice: random.Random) -> Held | None:
    """A place at the beginning of a line or of one of its tokens; None in an empty text."""
    lines = text.text.split("\n")
    written = [number for number, line in enumerate(lines) if line.strip()]
    if not written:
        return None
    number = dice.choice(written)
    line = lines[number]
    starts = [match.start() for match in _TOKEN.finditer(line)]
    column = starts[0] if dice.random() < 0.5 else dice.choice(starts)
    before = "\n".join([*lines[:number], line[:column]])
    after = "\n" + "\n".join(lines[number + MISSING_LINES :])
    missing = [line[column:], *lines[number + 1 : number + MISSING_LINES]]
    cursor = Cursor(before.encode(), after.encode(), number, text.name)
    return Held(cursor, "\n".join(missing).rstrip())
