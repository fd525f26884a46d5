"""Edited, renamed and reformatted copies of source files, from slight to strong changes."""

import random
import re
from collections.abc import Callable, Iterator

from midline.benchmarks.quality.signals.documents import Document

_NAME = re.compile(r"\b[A-Za-z_]\w{2,}\b")
STRENGTHS = (0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2)
"""Shares of lines or names that are changed."""


def edited(text: str, share: float, dice: random.Random) -> str:
    """Lines taken away, doubled with another number in them, or exchanged with a neighbour."""
    lines = text.split("\n")
    for _ in range(max(1, round(len(lines) * share))):
        at = dice.randrange(len(lines))
        how = dice.randrange(3)
        if how == 0 and len(lines) > 1:
            del lines[at]
        elif how == 1:
            lines.insert(at, f"value_{dice.randrange(10**6)} = {dice.randrange(10**6)}")
        else:
            other = min(at + 1, len(lines) - 1)
            lines[at], lines[other] = lines[other], lines[at]
    return "\n".join(lines)


def renamed(text: str, share: float, dice: random.Random) -> str:
    """A share of the distinct names, wherever they occur, replaced by others."""
    names = sorted(set(_NAME.findall(text)))
    chosen = dice.sample(names, min(len(names), max(1, round(len(names) * share))))
    others = {name: f"name_{dice.randrange(10**6)}" for name in chosen}
    return _NAME.sub(lambda match: others.get(match[0], match[0]), text)


def reformatted(text: str, share: float, dice: random.Random) -> str:
    """Other indentation and blank lines, and a share of the lines edited besides."""
    lines = [line.replace("    ", "\t") + dice.choice(("", "", "  ")) for line in text.split("\n")]
    spaced = "\n".join(line + dice.choice(("", "", "\n")) for line in lines)
    return edited(spaced, share / 2, dice)


KINDS: dict[str, Callable[[str, float, random.Random], str]] = {
    "edited": edited,
    "renamed": renamed,
    "reformatted": reformatted,
}


def copies(document: Document, seed: int) -> Iterator[tuple[str, str]]:
    """The kind and the text of a copy for each kind and strength."""
    for kind, change in KINDS.items():
        for strength in STRENGTHS:
            dice = random.Random(f"{seed} {document.name} {kind} {strength}")
            yield kind, change(document.text, strength, dice)
