"""Completions in files that their language's own parser accepts: it has to accept them afterwards.

A place is a line of a real file that is cut after a random character, or emptied but for its
indentation; it counts where the file without the rest is accepted, so that a completion alone can
break it. Half of the places are completed as by hand.
"""

import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midline.benchmarks.mbxp.statistics import wilson
from midline.benchmarks.quality.answers import Answers, completion_rules, question
from midline.benchmarks.quality.infilling.parsers import accepts, available
from midline.benchmarks.quality.typing.files import candidates, source_text
from midline.model.completion.complete import complete_many
from midline.model.completion.fim import Cursor
from midline.model.engines.base import Engine, SamplingOptions

BATCH = 16
MAX_TOKENS = 64
TRIES = 40
"""Lines of a file that are tried before another file is taken."""


@dataclass(frozen=True)
class Case:
    """A cursor in an accepted file."""

    language: str
    name: str
    before: str
    after: str
    by_hand: bool

    @property
    def cursor(self) -> Cursor:
        """The file as the completion functions see it."""
        before, after = (t.encode("utf-8", "surrogateescape") for t in (self.before, self.after))
        return Cursor(before, after, before.count(b"\n"), self.name)


def cases(count: int, seed: int) -> list[Case]:
    """About equally many cases of each language whose parser is here."""
    found: list[Case] = []
    files = {name: paths for name, paths in candidates().items() if name in available() and paths}
    with tempfile.TemporaryDirectory(prefix="midline-syntax-") as folder:
        for number, (language, paths) in enumerate(sorted(files.items())):
            wanted = count * (number + 1) // len(files) - count * number // len(files)
            dice = random.Random(f"syntax {seed} {language}")
            places = _places(language, paths, dice, Path(folder))
            found += [case for case, _ in zip(places, range(wanted), strict=False)]
    return found


def _places(
    language: str, paths: Sequence[Path], dice: random.Random, folder: Path
) -> Iterator[Case]:
    """One place of a file drawn at random, again and again; ends where no file is accepted."""
    left = {path: source_text(path) for path in paths}
    left = {path: text for path, text in left.items() if accepts(language, text, folder)}
    while left:
        path = dice.choice(list(left))
        for _ in range(TRIES):
            case = _cut(language, path.name, left[path], dice)
            if accepts(language, case.before + case.after, folder):
                yield case
                break
        else:
            del left[path]


def _cut(language: str, name: str, text: str, dice: random.Random) -> Case:
    lines = text.split("\n")
    row = dice.choice([number for number, line in enumerate(lines) if line.strip()])
    line = lines[row]
    indent = len(line) - len(line.lstrip())
    column = dice.choice((indent, dice.randint(indent, len(line))))
    before = "\n".join([*lines[:row], line[:column]])
    after = "".join(f"\n{other}" for other in lines[row + 1 :])
    return Case(language, name, before, after, dice.random() < 0.5)


def judge(engine: Engine, found: Sequence[Case], known: Answers) -> list[dict[str, Any]]:
    """One row for each case: what was shown, and whether the file is accepted with it."""
    rules = completion_rules()
    keys = [question("syntax", engine.name, rules, MAX_TOKENS, case) for case in found]
    for by_hand in (False, True):
        asked = [number for number, case in enumerate(found) if case.by_hand == by_hand]
        waiting = [number for number in asked if known.get(keys[number]) is None]
        for start in range(0, len(waiting), BATCH):
            print(f"\rcompleted {start} of {len(waiting)}", end="", file=sys.stderr, flush=True)
            batch = waiting[start : start + BATCH]
            cursors = [found[number].cursor for number in batch]
            options = SamplingOptions(max_tokens=MAX_TOKENS)
            results = complete_many(engine, cursors, options, insist=by_hand)
            for number, result in zip(batch, results, strict=True):
                known.add(keys[number], result.suggestions[0].text if result.suggestions else "")
    print(file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="midline-syntax-") as folder:
        return [
            _row(case, known.get(key) or "", Path(folder))
            for case, key in zip(found, keys, strict=True)
        ]


def _row(case: Case, shown: str, folder: Path) -> dict[str, Any]:
    return {
        "language": case.language,
        "name": case.name,
        "line": case.before.count("\n"),
        "by_hand": case.by_hand,
        "fragment": case.before.rpartition("\n")[2],
        "shown": shown,
        "accepted": not shown or accepts(case.language, case.before + shown + case.after, folder),
    }


def summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cases, those where something is shown, and files that are rejected, by language."""
    found = []
    for language in ("all", *sorted({row["language"] for row in rows})):
        own = [row for row in rows if language in ("all", row["language"])]
        rejected = sum(not row["accepted"] for row in own)
        found.append(
            {
                "language": language,
                "cases": len(own),
                "shown": sum(bool(row["shown"]) for row in own),
                "rejected": rejected,
                "rejected_interval": [round(end, 4) for end in wilson(rejected, len(own))],
            }
        )
    return found


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """Print every file that is rejected, and the summary."""
    for row in rows:
        if not row["accepted"]:
            print(f"{row['language']} {row['name']}:{row['line'] + 1} {row['fragment']!r}")
            print(f"   {row['shown']!r}")
    print(f"{'language':<12}{'cases':>7}{'shown':>7}{'rejected':>10}")
    for row in summary(rows):
        print(f"{row['language']:<12}{row['cases']:>7}{row['shown']:>7}{row['rejected']:>10}")
