"""Context chunks: parts of other files at the beginning of a prompt, ranked by shared identifiers.

Chunks are ranked by the weighted Jaccard similarity of their identifiers and those around the
cursor. Rare identifiers weigh more, as in inverse document frequency.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

CHUNK_LINES = 32
"""Most lines of a chunk; it ends earlier at a definition behind its first quarter."""
_LEAST_SIMILARITY = 0.02
_LOYALTY = 1.5
"""Factor by which a new chunk must be more similar to replace one in the prompt."""
_IDENTIFIER = re.compile(r"\b[^\W\d]\w{2,}")
_LINE_END = re.compile(r"\r\n|\r")
_CLOSING = frozenset(")]}>")


@dataclass(frozen=True)
class ContextChunk:
    """Whole lines of another file, whose `name` is what the model is told."""

    name: str
    text: str

    @cached_property
    def identifiers(self) -> frozenset[str]:
        """Names of three letters or more in the text."""
        return identifiers(self.text)


def identifiers(text: str) -> frozenset[str]:
    """Names of three letters or more in `text`, keywords of its language included."""
    return frozenset(_IDENTIFIER.findall(text))


def cut_into_chunks(name: str, text: str) -> tuple[ContextChunk, ...]:
    """`text` in chunks of at most `CHUNK_LINES` lines, cut before definitions where possible."""
    chunks: list[ContextChunk] = []
    lines: list[str] = []

    def close() -> None:
        if any(line.strip() for line in lines):
            chunks.append(ContextChunk(name, "\n".join(lines).strip("\n") + "\n"))
        lines.clear()

    for line in _LINE_END.sub("\n", text).split("\n"):
        at_border = begins_definition(line, lines[-1] if lines else "")
        if len(lines) >= CHUNK_LINES or (at_border and len(lines) >= CHUNK_LINES // 4):
            close()
        lines.append(line)
    close()
    return tuple(chunks)


def begins_definition(line: str, before: str) -> bool:
    """Whether `line` is likely the first of something: not indented, and behind a blank line."""
    return line[:1].strip() != "" and line[0] not in _CLOSING and not before.strip()


def choose_chunks(
    chunks: Iterable[ContextChunk],
    near: str,
    tokens: int,
    size: Callable[[ContextChunk], int],
    kept: Sequence[ContextChunk] = (),
) -> tuple[ContextChunk, ...]:
    """The chunks that share most with the text `near` the cursor, of at most `tokens` together.

    `size` tells how many tokens a chunk has. Chunks in `kept` give way only to clearly better ones
    and stay in front in their order, the others follow with the best last: a prompt that begins
    with them changes as late as possible.
    """
    candidates = list(dict.fromkeys(chunks))
    scores = _similarities(candidates, identifiers(near))
    for chunk in set(kept) & scores.keys():
        scores[chunk] *= _LOYALTY
    chosen: list[ContextChunk] = []
    for chunk in sorted(candidates, key=lambda chunk: -scores[chunk]):
        if scores[chunk] < _LEAST_SIMILARITY:
            break
        if (count := size(chunk)) <= tokens:
            tokens -= count
            chosen.append(chunk)
    new = [chunk for chunk in reversed(chosen) if chunk not in kept]
    return (*(chunk for chunk in kept if chunk in chosen), *new)


def _similarities(
    chunks: Collection[ContextChunk], near: frozenset[str]
) -> dict[ContextChunk, float]:
    """Weighted Jaccard similarity of every chunk with `near`, from 0 to 1."""
    having = Counter(name for chunk in chunks for name in chunk.identifiers)
    weights = {name: math.log(1 + (1 + len(chunks)) / n) for name, n in having.items()}
    rare = math.log(2 + len(chunks))

    def weight(names: Iterable[str]) -> float:
        return sum(weights.get(name, rare) for name in names)

    total = weight(near)
    found: dict[ContextChunk, float] = {}
    for chunk in chunks:
        shared = weight(chunk.identifiers & near)
        union = total + weight(chunk.identifiers) - shared
        found[chunk] = shared / union if union > 0 else 0.0
    return found
