"""Pieces of real files, cut out as a person would have them completed.

The text that was cut out is the right answer, and nothing else in the file tells it.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from midline.model.completion.code_lines import indentation, masked
from midline.model.completion.fim import Cursor
from midline.model.completion.languages import language_of_text
from midline.model.completion.syntax import MAX_BYTES, language_of, parser

TRIES = 60
"""Places of a file that are tried before another file is taken."""
MOST_LINES = 20
"""Lines of a piece."""
LONGEST_LINE = 200
RUN_ON = 200
"""Most characters of the text behind a piece that are fed after it, but for the rest of a line."""
_LAST_LINES = 8
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_COMMENT = re.compile(r"\s*(#|//|--|/?\*|<!--|%|;)")
_TEXTS = ("comment", "string", "heredoc")
_CLOSER = {"(": ")", "[": "]", "{": "}"}
_CLOSING = re.compile(r"[)\]}]+[;,]?|</[\w.:-]+>|(end|done|fi|esac)\w*(\(.*\))?[;,]?")

Span = tuple[int, int]


@dataclass(frozen=True)
class Cut:
    """A piece, `middle`, that was cut out of a file; `run_on` of what follows is fed behind it."""

    language: str
    name: str
    kind: str
    before: str
    middle: str
    after: str
    run_on: str = ""

    @property
    def cursor(self) -> Cursor:
        """The file without the piece, as the completion functions see it."""
        before, after = (t.encode("utf-8", "surrogateescape") for t in (self.before, self.after))
        return Cursor(before, after, before.count(b"\n"), self.name)


class SourceText:
    """The text of a file by lines; `is_text` tells which are comments, strings or the like."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self.lines = text.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)

    @property
    def language(self) -> str:
        """The language by the file's name, "" if it is not known."""
        return language_of_text(self.name) or self.name.rpartition(".")[2].lower()

    @cached_property
    def text_rows(self) -> frozenset[int]:
        """The numbers of the lines that are comments, or within a string or a comment."""
        language = language_of(self.name)
        found = parser(language) if language else None
        if self.language == "markdown":
            return frozenset()  # it has nothing else
        if found is None or len(self.text) > MAX_BYTES:
            return frozenset(n for n, line in enumerate(self.lines) if _COMMENT.match(line))
        rows: set[int] = set()
        waiting = [found.parse(self.text.encode("utf-8", "surrogateescape")).root_node]
        while waiting:
            node = waiting.pop()
            first, last = node.start_point[0], node.end_point[0]
            if any(text in node.type for text in _TEXTS):
                is_own = not self.lines[first][: node.start_point[1]].strip()
                is_own = is_own and "comment" in node.type
                end = last + 1 if node.end_point[1] else last
                rows.update(range(first if is_own else first + 1, end if is_own else last))
            else:
                waiting += node.children
        return frozenset(rows)

    def column(self, row: int) -> int:
        """Columns of white space in front of a line."""
        return indentation(self.lines[row])

    def begin(self, row: int) -> int:
        """The offset behind the indentation of a line."""
        line = self.lines[row]
        return self.starts[row] + len(line) - len(line.lstrip())

    def end(self, row: int) -> int:
        """The offset behind the last character of a line that is no white space."""
        return self.starts[row] + len(self.lines[row].rstrip())

    def usable(self, row: int) -> bool:
        """Whether a line has text, and not very much."""
        return bool(self.lines[row].strip()) and len(self.lines[row]) <= LONGEST_LINE


def _rest(source: SourceText, row: int, dice: random.Random) -> Span | None:
    """The rest of a line, from the beginning of a word or from within one."""
    starts = _boundaries(source, row)
    if not starts:
        return None
    start = dice.choice(starts)
    if dice.random() < 0.25:
        start = dice.randrange(source.begin(row) + 1, source.end(row))
    return start, source.end(row)


def _line(source: SourceText, row: int, dice: random.Random) -> Span | None:
    return source.begin(row), source.end(row)


def _span(source: SourceText, row: int, dice: random.Random) -> Span | None:
    """A piece of a line between two words."""
    ends = _boundaries(source, row)
    return tuple(sorted(dice.sample(ends, 2))) if len(ends) > 1 else None  # type: ignore[return-value]


def _brackets(source: SourceText, row: int, dice: random.Random) -> Span | None:
    """What stands between brackets, of which the editor closes the second one."""
    code = masked(source.text[source.starts[row] :][: LONGEST_LINE * MOST_LINES], source.language)
    opening = [at for at, c in enumerate(code[: len(source.lines[row])]) if c in _CLOSER]
    if not opening:
        return None
    start, depth = dice.choice(opening), 0
    for at in range(start, len(code)):
        depth += (code[at] in _CLOSER) - (code[at] in _CLOSER.values())
        if not depth:
            is_pair = code[at] == _CLOSER[code[start]] and code.count("\n", start, at) < MOST_LINES
            offset = source.starts[row]
            return (offset + start + 1, offset + at) if is_pair else None
    return None


def _block(source: SourceText, row: int, dice: random.Random) -> Span | None:
    """Lines from an indented one on to the end of its block, or of a paragraph outside of one."""
    column, last = source.column(row), row
    for number in range(row + 1, min(row + MOST_LINES + 1, len(source.lines))):
        if not source.lines[number].strip():
            continue
        ends = source.column(number) < column
        if ends or (not column and not source.column(number) and not source.lines[number - 1]):
            return (source.begin(row), source.end(last)) if last > row else None
        last = number
    return None


def _closing(source: SourceText, row: int, dice: random.Random) -> Span | None:
    """Behind a header: its block, and the line that closes that."""
    column, number = source.column(row), row + 1
    while number < len(source.lines) and number - row < MOST_LINES:
        line = source.lines[number]
        if line.strip() and source.column(number) <= column:
            closes = source.column(number) == column and _CLOSING.fullmatch(line.strip())
            is_block = closes and number > row + 1 and source.lines[number - 1].strip()
            return (source.end(row), source.end(number)) if is_block else None
        number += 1
    return None


def _last(source: SourceText, row: int, dice: random.Random) -> Span | None:
    """One of the last lines of a file and all below it, of which the outer ones only close."""
    end = len(source.text.rstrip())
    last = source.text.count("\n", 0, end)
    row = dice.choice(range(max(0, last - _LAST_LINES), last + 1))
    below = [number for number in range(row, last + 1) if source.lines[number].strip()]
    outer = [n for n in below if source.column(n) < source.column(row)]
    is_one = len(below) == last + 1 - row and source.usable(row)
    is_one = is_one and all(_CLOSING.fullmatch(source.lines[n].strip()) for n in outer)
    return (source.begin(row), end) if is_one else None


def _text(source: SourceText, row: int, dice: random.Random) -> Span | None:
    """The whole, the rest or a piece of a line in a comment, a string or a here-document."""
    return dice.choice((_line, _rest, _span))(source, row, dice)


KINDS: dict[str, Callable[[SourceText, int, random.Random], Span | None]] = {
    "rest": _rest,
    "line": _line,
    "span": _span,
    "brackets": _brackets,
    "block": _block,
    "closing": _closing,
    "last": _last,
    "text": _text,
}


def _boundaries(source: SourceText, row: int) -> list[int]:
    """Offsets between two tokens of a line, behind its first."""
    begin, end = source.begin(row), source.end(row)
    found = [begin + match.start() for match in _TOKEN.finditer(source.text[begin:end])]
    return found[1:]


def draw_cuts(sources: Sequence[SourceText], count: int, seed: int) -> Iterator[Cut]:
    """About `count` cuts of files of one language, equally many of each kind."""
    language = sources[0].language
    for number, kind in enumerate(KINDS):
        dice = random.Random(f"feed {seed} {language} {kind}")
        for _ in range(count * (number + 1) // len(KINDS) - count * number // len(KINDS)):
            found = next((c for _ in range(TRIES) if (c := _cut(sources, kind, dice))), None)
            if found is not None:
                yield found


def _cut(sources: Sequence[SourceText], kind: str, dice: random.Random) -> Cut | None:
    source = dice.choice(sources)
    rows = [
        row
        for row in range(len(source.lines))
        if source.usable(row) and (row in source.text_rows) == (kind == "text")
    ]
    span = KINDS[kind](source, dice.choice(rows), dice) if rows else None
    if span is None or not source.text[slice(*span)].strip():
        return None
    start, end = span
    after = source.text[end:]
    run_on = _run_on(after, dice) if dice.random() < 0.5 else ""
    cut = (source.text[:start], source.text[start:end], after, run_on)
    return Cut(source.language, source.name, kind, *cut)


def _run_on(after: str, dice: random.Random) -> str:
    """Some of the text behind a piece, up to a line's end."""
    end = after.find("\n", dice.randint(1, RUN_ON))
    return after if end < 0 else after[: end + 1]
