"""What of a generated text is worth showing: cut, balanced, and never what breaks the file."""

import re
from collections.abc import Iterator
from itertools import islice, takewhile

from midline.model.completion.file_style import FileStyle
from midline.model.completion.stopping import (
    DEPTH,
    STRINGS,
    Extent,
    Place,
    completion_end,
    net_depth,
)
from midline.model.completion.syntax import SyntaxAround

_TELLING_OVERLAP = 3
"""Letters and digits that make a repeated piece of a line more than punctuation."""
_FIRST_WORDS = re.compile(r"\W*(\w{4,}|\w+\W+\w+)")
_MAX_TRIED = 24
_MAX_LINES_TRIED = 10
_PIECE_ENDS = re.compile(r"(?<=\w)(?!\w)|(?<=[)\]}\"'`;,])")
_CLOSER_OF = {"(": ")", "[": "]", "{": "}"}
_LINE_OF_CODE_ENDS = {"c", "cpp", "csharp", "css", "java", "perl", "php", "rust"}
"""Languages whose statements end with a semicolon, which models leave out now and then."""


def finished_text(text: str, place: Place, *, complete: bool) -> str:
    """What of a generated `text` to show: cut at its end, and without what the suffix has already.

    `complete` tells that the model ended it; otherwise an unfinished last line is dropped if whole
    lines come before it.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    end = completion_end(text, place, complete=complete)
    if end is None and not complete and place.extent is not Extent.LINE:
        end = _last_whole_line(text)
    text = text[:end]
    if place.rest.strip():
        if is_inside_word(place):
            return ""
        text = _without_overlap(text, place)
        if _writes_the_rest_again(text, place) or _imbalance(place, text) > _imbalance(place, ""):
            return ""
    kept = text.rstrip() if not place.rest.strip() else text.rstrip("\n")
    return kept if kept.strip() else ""


def valid_text(
    text: str, place: Place, style: FileStyle, syntax: SyntaxAround | None, tail: str = ""
) -> str:
    """`text` as the file writes white space, or what is left of it that does not break the file.

    `tail` always follows it.

    Tried in turn: the text, the text with what closes it, its beginnings from the longest on. What
    parses is taken at once, else the first that leaves the file no more faulty than it is, else of
    a file that does not parse anyway the first line, and "" of one that does.
    """
    text = style.apply(text, place.fragment)
    if syntax is None or not text:
        return text and text + tail
    best = ""
    for number, tried in enumerate(islice(_attempts(text, place), _MAX_TRIED)):
        errors = syntax.errors_with((tried + tail).encode("utf-8", "surrogatepass"))
        if errors == 0:
            return tried + tail
        if errors <= syntax.errors and not best:
            best = tried + tail
        if number >= 2 and best and syntax.errors_elsewhere:
            return best
    return best or (_first_line(text) + tail if syntax.errors and not tail else "")


def _first_line(text: str) -> str:
    return text.partition("\n")[0].rstrip("\r")


def _attempts(text: str, place: Place) -> Iterator[str]:
    """`text`, closed if it is open, and shorter and shorter."""
    tried = {text}
    yield text
    for attempt in (*_closed(text, place), *_beginnings(text, place)):
        if attempt.strip() and attempt not in tried and not _sticks(attempt, place):
            tried.add(attempt)
            yield attempt


def _closed(text: str, place: Place) -> Iterator[str]:
    """`text` with the brackets and the semicolon that it may lack."""
    if place.rest.strip():
        return
    closers = "".join(reversed([_CLOSER_OF[opener] for opener in _open(place.fragment + text)]))
    end = ";" if place.language in _LINE_OF_CODE_ENDS and not text.endswith((";", "}")) else ""
    if closers and "{" not in _open(place.fragment + text):
        yield text.rstrip().removesuffix(",") + closers
        if end:
            yield text.rstrip().removesuffix(",") + closers + end
    elif end:
        yield text.rstrip() + end


def _open(text: str) -> list[str]:
    """Brackets that `text` opens and does not close, in order."""
    found: list[str] = []
    for character in STRINGS.sub("", text):
        if character in _CLOSER_OF:
            found.append(character)
        elif found and character == _CLOSER_OF[found[-1]]:
            found.pop()
    return found


def _beginnings(text: str, place: Place) -> Iterator[str]:
    """Whole lines of `text`, fewer and fewer, then pieces of its first line."""
    lines = text.splitlines(keepends=True)
    for count in range(min(len(lines) - 1, _MAX_LINES_TRIED), 0, -1):
        beginning = "".join(lines[:count]).rstrip()
        yield beginning
        yield from _closed(beginning, place)
    first = _first_line(text)
    for match in reversed(list(_PIECE_ENDS.finditer(first))):
        yield first[: match.start()]


def _sticks(text: str, place: Place) -> bool:
    """Whether a word of `text` would run into one of the rest of the line."""
    return _is_word(text[-1:]) and _is_word(place.rest[:1])


def is_inside_word(place: Place) -> bool:
    """Whether the cursor has a part of a word on either side: nothing sensible fits in there."""
    return _is_word(place.fragment[-1:]) and _is_word(place.rest[:1])


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _last_whole_line(text: str) -> int | None:
    end = text.rfind("\n")
    return end if end > 0 and text[:end].strip() else None


def _without_overlap(text: str, place: Place) -> str:
    """`text` for the middle of a line, cut where it writes again how the line goes on.

    Of the places where it may do so the one counts that leaves the fewest brackets open.
    """
    rest = place.rest.strip()
    cuts = (_unmatched_closer(text, rest[0]), _beginning_of(rest, text), None)
    cut = [text[:at] for at in cuts]
    tried = [_without_end(kept, rest, place) for kept in cut if kept.strip()]
    return min(tried, key=lambda kept: _imbalance(place, kept), default="")


def _beginning_of(rest: str, text: str) -> int | None:
    """Offset in `text` of the first words of `rest`, where they are more than punctuation."""
    first = _FIRST_WORDS.match(rest)
    at = text.find(first.group()) if first else -1
    return at if at > 0 else None


def _without_end(text: str, rest: str, place: Place) -> str:
    """`text` without an end that is a beginning of `rest`."""
    for size in range(min(len(rest), len(text)), 0, -1):
        if not text.endswith(rest[:size]):
            continue
        shorter = text[:-size]
        telling = sum(map(str.isalnum, rest[:size])) >= _TELLING_OVERLAP or size == len(rest)
        gain = _imbalance(place, text) - _imbalance(place, shorter)
        if gain > 0 or (telling and gain == 0):
            return shorter.rstrip() if place.rest[0].isspace() else shorter
    return text


def _writes_the_rest_again(text: str, place: Place) -> bool:
    """Whether `text` begins as the rest of the line does: a model that overlooked the suffix."""
    rest = place.rest.strip()
    pairs = zip(text.lstrip(), rest, strict=False)
    same = "".join(written for written, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return sum(map(str.isalnum, same)) >= _TELLING_OVERLAP or same == rest


def _unmatched_closer(text: str, closer: str) -> int | None:
    """Offset of the first bracket that closes nothing in `text`, if it is `closer`."""
    depth = 0
    masked = STRINGS.sub(lambda match: " " * len(match.group()), text)
    for at, character in enumerate(masked):
        depth += DEPTH.get(character, 0)
        if depth < 0:
            return at if character == closer else None
    return None


def _imbalance(place: Place, text: str) -> int:
    """How far the line with `text` in it is from closing what it opens, brackets and quotes."""
    line = place.fragment + text + place.rest
    return abs(net_depth(line)) + sum(line.count(quote) % 2 for quote in "\"'`")
