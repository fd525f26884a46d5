"""Detection of repetitions: of lines that follow in the file, or of the text itself."""

import re
from collections.abc import Sequence

from midline.model.completion.code_lines import indentation, is_closing, net_depth
from midline.model.completion.place import Place

_RUN_PERIOD = 40
_RUN_LENGTH = 100
_CYCLE_LINES = 4
_CYCLE_TIMES = 4
_CYCLE_TIMES_IN_BRACKETS = 12
"""Repetitions allowed between brackets, where rows of a table may be alike."""
_TELLING_LATER_LINE = 8
"""Letters and digits that make a repeated line more than punctuation."""
_QUOTES = ('"""', "'''", "```", "~~~")
"""What begins a text and ends it."""


def is_following(line: str, lines: Sequence[str], depth: int, place: Place) -> bool:
    """Whether `line` is one that stands below the cursor in the same block.

    `lines` have been generated before it, with `depth` brackets left open. Only a line of equal
    indentation is the same one; where a line between is indented less, another block has begun. A
    closing line is the one below unless it closes what `lines` have opened. A later one is the same
    only if there are no others like it: a clause that each statement has is written for each.
    """
    if not place.below:
        return False
    telling = sum(map(str.isalnum, line))
    if line.rstrip() == place.following.rstrip():
        if is_closing(line.strip()):
            return not _closes_own(line, lines, depth, place)
        if not any(map(str.isalnum, line)):
            return not _ends_own(line.strip(), lines)
        return any(map(str.isalpha, line))
    if not lines or depth > 0 or telling < _TELLING_LATER_LINE or is_closing(line.strip()):
        return False
    return _is_only_below(line.rstrip(), place)


def copies_below(lines: Sequence[str], place: Place) -> bool:
    """Whether `lines`, the last of which may be unfinished, only say what stands below."""
    below = place.below[: len(lines)]
    pairs = list(zip(lines, below, strict=False))
    whole = all(line.rstrip() == other.rstrip() for line, other in pairs[:-1])
    return whole and bool(pairs) and pairs[-1][1].startswith(pairs[-1][0].rstrip())


def surely_copies_below(lines: Sequence[str], place: Place, is_complete: bool) -> bool:
    """`copies_below`, once more lines than one and one that is like no other are known, or all."""
    is_decided = is_complete or (len(lines) > 2 and is_telling(lines[:-1], place))
    return is_decided and copies_below(lines, place)


def is_telling(lines: Sequence[str], place: Place) -> bool:
    """Whether one of `lines` stands around the cursor only once."""
    around = [line.rstrip() for line in (*place.above, *place.below)]
    return any(around.count(line.rstrip()) == 1 for line in lines)


def counts_on_below(rows: Sequence[str], place: Place) -> bool:
    """Whether a row of numbers and the line after it, another one, are those that stand below.

    The row alone may be: a table has equal ones.
    """
    has_names = any(re.search(r"[^\W\d_]", row) for row in rows[:1])
    is_pair = len(rows) == 2 and len(place.below) > 1 and rows[0].rstrip() != rows[1].rstrip()
    return is_pair and not has_names and copies_below(rows, place)


def copies_above(lines: Sequence[str], place: Place) -> bool:
    """Whether `lines`, blank ones left out, are several and only say what stands right above."""
    over = [*place.above, place.fragment] if place.fragment.strip() else place.above
    written = [line.rstrip() for line in lines if line.strip()]
    telling = any(sum(map(str.isalnum, line)) >= _TELLING_LATER_LINE for line in written)
    above = [line.rstrip() for line in over[-len(written) :]]
    return telling and len(written) > 1 and written == above


def _is_only_below(line: str, place: Place) -> bool:
    """Whether a line stands once behind the one that follows, in its block, and not above."""
    same = [below for below in _block_below(place)[1:] if below.rstrip() == line]
    return len(same) == 1 and all(above.rstrip() != line for above in place.above)


def _block_below(place: Place) -> list[str]:
    """The lines below that are in one block with the first of them, without deeper ones."""
    found: list[str] = []
    level = indentation(place.following)
    for line in place.below:
        if indentation(line) < level:
            break
        if indentation(line) == level:
            found.append(line)
    return found


def _closes_own(line: str, lines: Sequence[str], depth: int, place: Place) -> bool:
    """Whether a closing line has its opening one among `lines`."""
    change = net_depth(line, place.language)
    if change:
        return depth + change >= 0
    deeper = False
    for other in reversed(lines):
        if indentation(other) <= indentation(line):
            return deeper and indentation(other) == indentation(line)
        deeper = True
    return False


def _ends_own(line: str, lines: Sequence[str]) -> bool:
    """Whether a line of signs ends a text that `lines` have begun."""
    return line.startswith(_QUOTES) and sum(each.count(line[:3]) for each in lines) % 2 == 1


def cycle_length(lines: Sequence[str], depth: int) -> int:
    """How many lines at the end of `lines` only say once more what stands before them."""
    times = _CYCLE_TIMES_IN_BRACKETS if depth > 0 else _CYCLE_TIMES
    for cycle in range(1, _CYCLE_LINES + 1):
        if lines[-cycle * times :] == [*lines[-cycle:]] * times:
            return cycle * (times - 1)
    return 0


def endless_run(text: str) -> int | None:
    """Where to cut a text that ends with one short piece over and over, behind the first piece."""
    if len(text) < _RUN_LENGTH:
        return None
    tail = text[-_RUN_LENGTH:]
    for period in range(1, _RUN_PERIOD + 1):
        if tail[period:] == tail[:-period]:
            start = len(text) - _RUN_LENGTH
            while start > 0 and text[start - 1] == text[start - 1 + period]:
                start -= 1
            return start + period
    return None
