"""When a person presses which key: a seeded script of a few lines of text.

Times between keys are log-normal, as measured for transcription and composition alike (Dhakal et
al., "Observations on Typing from 136 Million Keystrokes", CHI 2018: 52 words a minute on average,
which is a key every 0.2 s; a right-skewed distribution, 2.3 corrections per 100 keys). Programmers
think before a line and now and then within one. All of it is drawn here, before anything is typed:
every engine gets the same keys at the same intervals.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

NEIGHBOURS = "qwertyuiopasdfghjklzxcvbnm"
"""Letters in the order of a keyboard: a slip hits one beside the letter that was meant."""
SHORTEST_SECONDS = 0.05


class Kind(StrEnum):
    """What a key does."""

    JUMP = "jump"
    """moves the cursor to another place; no text changes"""
    ENTER = "enter"
    """begins a line, which the editor indents"""
    KEY = "key"
    """writes one character of the line"""
    SLIP = "slip"
    """writes a wrong character"""
    ERASE = "erase"
    """takes the wrong character back"""
    REST = "rest"
    """the rest of the line arrives at once, as by pasting"""


@dataclass(frozen=True)
class Stroke:
    """One key: what it does, the text it writes, and the seconds until the next one."""

    kind: Kind
    text: str
    line: int
    seconds: float


@dataclass(frozen=True)
class Rhythm:
    """The distribution; times are seconds and medians, `spread` the sigma of their logarithm.

    key: between two keys. think: at the beginning of a line that is not blank. pause, pauses:
    within a line, and how often one follows a character that is no letter or digit. slips: wrong
    characters per letter. jump: at another place, before the first key.
    """

    key: float = 0.18
    spread: float = 0.3
    think: float = 1.2
    think_spread: float = 0.25
    pause: float = 0.9
    pauses: float = 0.06
    slips: float = 0.01
    jump: float = 2.0

    def strokes(self, lines: Sequence[str], seed: str, keys: int | None = None) -> Iterator[Stroke]:
        """The keys that write `lines` at a place that the cursor jumps to first.

        With `keys`, only so many characters of a line are typed and the rest arrives at once.
        """
        dice = random.Random(f"rhythm {seed}")
        yield Stroke(Kind.JUMP, "", 0, self.jump)
        for number, line in enumerate(lines):
            text = line.lstrip(" \t")
            indentation = line[: len(line) - len(text)] if text else ""
            think = self._drawn(dice, self.think, self.think_spread) if text else self._key(dice)
            yield Stroke(Kind.ENTER, "\n" + indentation, number, think)
            for stroke in self._line(dice, text, keys):
                yield replace(stroke, line=number)

    def _line(self, dice: random.Random, text: str, keys: int | None) -> Iterator[Stroke]:
        for at, character in enumerate(text):
            if keys is not None and at == keys:
                yield Stroke(Kind.REST, text[at:], 0, self._key(dice))
                return
            if character.isalpha() and dice.random() < self.slips:
                yield Stroke(Kind.SLIP, _beside(dice, character), 0, self._key(dice))
                yield Stroke(Kind.ERASE, "", 0, self._key(dice))
            rests = not character.isalnum() and dice.random() < self.pauses
            seconds = self._drawn(dice, self.pause, self.spread) if rests else self._key(dice)
            yield Stroke(Kind.KEY, character, 0, seconds)

    def _key(self, dice: random.Random) -> float:
        return self._drawn(dice, self.key, self.spread)

    def _drawn(self, dice: random.Random, median: float, spread: float) -> float:
        return max(SHORTEST_SECONDS, median * math.exp(spread * dice.gauss(0.0, 1.0)))


def _beside(dice: random.Random, character: str) -> str:
    at = NEIGHBOURS.find(character.lower())
    other = NEIGHBOURS[(at + dice.choice((-1, 1))) % len(NEIGHBOURS)]
    return other.upper() if character.isupper() else other


RHYTHMS = {
    "human": Rhythm(),
    "steady": Rhythm(spread=0.0, think_spread=0.0, pauses=0.0, slips=0.0),
    "slow": Rhythm(key=0.3),
    "patient": Rhythm(key=2.5, spread=0.0, think=2.5, think_spread=0.0, pauses=0.0, slips=0.0),
}
"""human: 40 to 60 words a minute with pauses and slips; steady: the medians alone; slow: 40 words a
minute; patient: somebody who waits 2.5 s after every key."""
