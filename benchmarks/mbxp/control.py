"""Confirmation of a pass: the same program must fail when the expected values are wrong.

A program shares its process with its tests, so it can read every secret there and print whatever
the tests print when they pass. But without knowing the right values it cannot fail just where the
expected ones are wrong. A program whose text contains anything of `languages/reach.toml` is
therefore run again several times, in random order, with the tests as published, which it has to
pass, and with every expected value altered, which it has to fail. Both kinds of run use the same
folder and file names, with files of the same age, so that the program cannot tell them apart.
"""

import os
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from midline.benchmarks.mbxp.languages.base import Box, Language

AS_PUBLISHED, ALTERED = 2, 3
"""Further runs of each kind: guessing which is which succeeds once in sixty times."""
FORGED = "passes with every expected value altered, too: the verdict does not depend on the tests"
UNSTEADY = "passes at first and fails later"
LITERAL = re.compile(
    r'"""(?P<raw>.*?)"""(?!")'
    r'|"(?P<text>(?:[^"\\\n]|\\.)*)"'
    r"|'(?P<quoted>(?:[^'\\\n]|\\.)*)'"
    r"|(?<![\w.])(?P<tens>\d*)(?P<digit>\d)(?![\dxob])"
    r"|\b(?P<word>true|false|True|False)\b"
)
OPPOSITE = {"true": "false", "false": "true", "True": "False", "False": "True"}
MARK = "Q"


def altered_test(evaluator: Language, test: str) -> str | None:
    """`test` with all literals in its expected values changed, None where there are none.

    Different values stay different, so that no key of a mapping comes twice, and numbers keep their
    length.
    """

    def alter(found: re.Match[str]) -> str:
        start, end = (place - found.start() for place in found.span("expected"))
        whole = found[0]
        return whole[:start] + altered_value(evaluator, whole[start:end]) + whole[end:]

    changed = evaluator.expected.sub(alter, test)
    return None if changed == test else changed.replace(*evaluator.stricter)


def altered_value(evaluator: Language, value: str) -> str:
    """An expression with all its literals changed."""

    def alter(found: re.Match[str]) -> str:
        if found["word"]:
            return OPPOSITE[found[0]]
        if found["digit"]:
            return f"{found['tens']}{9 - int(found['digit'])}"
        if found["quoted"] is not None and evaluator.single_quotes_characters:
            return f"'{_other_character(found['quoted'])}'"
        quotes = 1 if found["raw"] is None else 3
        return found[0][:quotes] + MARK + found[0][quotes:]

    return LITERAL.sub(alter, value)


def _other_character(character: str) -> str:
    if character.isdigit():
        return str(9 - int(character))
    return character.swapcase() if character.isascii() and character.isalpha() else character


@dataclass(frozen=True)
class Control:
    """The further runs of one program that passed.

    `build` compiles a box, if need be, and tells whether there is something to run; `passes` runs
    it once.
    """

    evaluator: Language
    box: Box
    token: str
    build: Callable[[Box], bool]
    passes: Callable[[Box], bool]

    def objection(self) -> str:
        """Why the pass does not count; empty if it does, or if the tests cannot be altered."""
        test = altered_test(self.evaluator, self.box.task.test)
        if test is None:
            return ""
        task = replace(self.box.task, test=test)
        other = replace(self.box, task=task, token=self.token)
        aside = {True: self.box.folder / "published", False: self.box.folder / "altered"}
        self.box.program.rename(aside[True])
        other.program.mkdir()
        self.evaluator.write(other)
        if not self.build(other):
            return ""
        other.program.rename(aside[False])
        return next(self._contradictions(other, aside), "")

    def _contradictions(self, other: Box, aside: dict[bool, Path]) -> Iterator[str]:
        order = [True] * AS_PUBLISHED + [False] * ALTERED
        random.SystemRandom().shuffle(order)
        for published in order:
            aside[published].rename(self.box.program)
            make_equally_old(self.box.program)
            passed = self.passes(self.box if published else other)
            self.box.program.rename(aside[published])
            if passed is not published:
                yield UNSTEADY if published else FORGED


def make_equally_old(folder: Path) -> None:
    """Set the modification times of everything in `folder` to the present."""
    now = time.time()
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.utime(os.path.join(place, name), (now, now), follow_symlinks=False)
