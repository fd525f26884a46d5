"""The stop condition of completions.

`completion_end` finds the end of a completion in a text. It is used twice: during decoding it
decides when to stop, and afterwards where to cut (`trimming.py`).
"""

import codecs
from collections.abc import Callable, Sequence
from itertools import islice

from midline.model.completion.code_lines import (
    directive_depth,
    goes_on,
    indentation,
    is_chained,
    is_closing,
    is_continuation,
    is_continued,
    may_be_continued,
    may_go_on,
    net_depth,
    opens,
    tag_depth,
)
from midline.model.completion.in_brackets import InBrackets
from midline.model.completion.place import Extent, Place, Unit
from midline.model.completion.repeats import (
    counts_on_below,
    cycle_length,
    endless_run,
    is_following,
    is_telling,
    surely_copies_below,
)
from midline.model.completion.rest_of_line import before_the_rest, joins
from midline.model.tokenizer.base import TokenizerBase

Fits = Callable[[str], bool]
"""Whether a text at the cursor leaves nothing open: the file parses around it."""

_ENDED_BY_NEWLINE = {"python", "go", "bash"}
_MAY_HAVE_ELSE = ("if", "try", "else", "elif", "elsif", "elseif", "do", "catch", "switch", "case")
_MAX_BLANK_LINES = 1
_MAX_LINES_IN_LINE = 40


class WrittenText:
    """The text of one sample as it grows: every id is decoded once, whatever is asked how often.

    The first `aligned` bytes repeat text in front of the cursor and are left out, and so is a
    character that is not finished yet. Text ends at the first marker.
    """

    def __init__(self, tokenizer: TokenizerBase, aligned: int) -> None:
        self.text = ""
        self.is_over = False
        """Whether a marker was written."""
        self._tokenizer, self._left_out = tokenizer, aligned
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._read = 0

    def of(self, ids: Sequence[int]) -> str:
        """The text of `ids`, which begin with those of the call before."""
        for id in islice(ids, self._read, None):
            self.is_over = self.is_over or is_marker(self._tokenizer, id)
            if not self.is_over:
                data = self._tokenizer.token_bytes(id)
                new = data[self._left_out :]
                self._left_out = max(0, self._left_out - len(data))
                self.text += self._decoder.decode(new)
        self._read = len(ids)
        return self.text


def stop_condition(
    tokenizer: TokenizerBase, place: Place, aligned: int, fits: Fits | None = None
) -> Callable[[int, list[int]], bool]:
    """A function (sample, ids so far) that tells whether that sample is finished.

    The first `aligned` bytes of every sample repeat text before the cursor.
    """
    samples: dict[int, WrittenText] = {}

    def stop(sample: int, ids: list[int]) -> bool:
        written = samples.setdefault(sample, WrittenText(tokenizer, aligned))
        text = written.of(ids)
        return written.is_over or completion_end(text, place, fits=fits) is not None

    return stop


def written_bytes(tokenizer: TokenizerBase, ids: Sequence[int]) -> bytes:
    """Bytes that a sample has written, up to its first marker."""
    data = bytearray()
    for id in ids:
        if is_marker(tokenizer, id):
            break
        data += tokenizer.token_bytes(id)
    return bytes(data)


def is_marker(tokenizer: TokenizerBase, id: int) -> bool:
    """Whether a token belongs to the model's protocol: text never has any, so text ends there."""
    return id in tokenizer.end_tokens or tokenizer.is_control(id)


def whole_characters(data: bytes) -> str:
    """UTF-8 without the unfinished character at its end; other broken bytes become U+FFFD."""
    for back in range(1, min(3, len(data)) + 1):
        lead = data[-back]
        if 0xC2 <= lead <= 0xF4:
            wanted = 2 + (lead >= 0xE0) + (lead >= 0xF0)
            return data[: len(data) - back if wanted > back else None].decode("utf-8", "replace")
        if lead < 0x80:
            break
    return data.decode("utf-8", "replace")


def completion_end(
    text: str, place: Place, *, complete: bool = False, fits: Fits | None = None
) -> int | None:
    """Offset in `text` at which the completion is over; None while it may go on.

    `complete` tells that nothing follows, so that the last line is read as a whole one. With `fits`
    an answer in the middle of a line may have several lines, until what follows joins on to them.
    """
    run = endless_run(text)
    if run is not None:
        return run
    begins_below = not text.partition("\n")[0].strip() and "\n" in text
    in_text = place.unit in (Unit.COMMENT, Unit.LINE)
    has_block = place.rest.lstrip().startswith("}") and not in_text
    if place.extent is Extent.BRACKETS and (begins_below or has_block or fits is None):
        return InBrackets(place).end(text, complete)
    if in_text and begins_below and not place.rest.strip():
        return _Walk(place, Unit.PARAGRAPH, fits).end(text, complete)
    if place.extent in (Extent.LINE, Extent.BRACKETS):
        return _line_end(text, place, fits)
    return _Walk(place, place.unit, fits).end(text, complete)


def _line_end(text: str, place: Place, fits: Fits | None) -> int | None:
    """Where a completion in the middle of a line is over: at a line end that leaves nothing open.

    Where none does, at the first.
    """
    first = newline = text.find("\n")
    delimiter = place.text_delimiter
    if delimiter:
        at = text.find(delimiter)
        if at < 0:
            return None if text.count("\n") <= _MAX_LINES_IN_LINE else first
        return at
    if first < 0:
        return None
    is_text = place.unit is Unit.LINE and not _begins_block(text[:first])
    if not place.rest.strip() or is_text or place.unit is Unit.COMMENT:
        return first
    for _ in range(_MAX_LINES_IN_LINE):
        head = text[:newline]
        if "\n\n\n" in head:
            return first
        if _ends_with_the_rest(head.rstrip(), place.rest, fits):
            return newline
        sticks = joins(head[-1:], place.rest[:1])
        if head.strip() and not (sticks or opens(head)) and _leaves_nothing_open(head, place, fits):
            below = text[newline:].lstrip()
            last = (place.fragment + head).rpartition("\n")[2]
            is_open = may_be_continued(head, place.language, place.rest) or is_chained(last)
            if not below and is_open:
                return None  # what comes next tells
            if not (is_continuation(below, place.language, place.rest) or is_chained(below)):
                return newline
        newline = text.find("\n", newline + 1)
        if newline < 0:
            return None
    return first


def _begins_block(line: str) -> bool:
    """Whether an element of brackets has a block of its own, as a function does."""
    return line.rstrip().endswith(("{", "(", "[", "=>", "->"))


def _ends_with_the_rest(head: str, rest: str, fits: Fits | None) -> bool:
    """Whether a text writes again, at its end, what follows on the cursor's line."""
    if not head.endswith(rest.strip()):
        return False
    if fits is None:
        return "\n" not in head or sum(map(str.isalnum, rest)) > 1
    return fits(before_the_rest(head, len(head) - len(rest.strip()), rest))


def _leaves_nothing_open(head: str, place: Place, fits: Fits | None) -> bool:
    # In a file that does not parse anyway a bracket that is open may be no fault of the grammar's.
    return net_depth(head, place.language) <= 0 and (fits is None or fits(head))


class _Walk:
    """Follows generated lines until one does not belong to the completion any more.

    `base` is the indentation of the first line, `depth` the brackets and conditionals left open
    since then, `ends` the offsets behind the `lines` read so far and `written` how many of them are
    generated. `block_end` is the number of lines after which the block around the cursor was left
    for another one of the same function: a model that ends there by itself means it, one that has
    to be stopped later is cut there, and so it is behind a header, `header_end`, whose block stands
    below the cursor. `is_leaving` tells that a block around the cursor was closed, and nothing but
    the ends of further ones may follow. `upcoming` are the lines behind the one that is looked at.
    """

    def __init__(self, place: Place, unit: Unit, fits: Fits | None) -> None:
        self.place, self.unit, self.fits = place, unit, fits
        self.is_statement = place.extent is Extent.STATEMENT
        self.base = -1
        self.depth = self.blank = self.written = 0
        self.lines: list[str] = []
        self.ends = [0]
        self.block_end: int | None = None
        self.header_end: int | None = None
        self.is_leaving = False
        self.text = ""
        self.upcoming: list[str] = []
        self.complete = False

    def end(self, text: str, complete: bool) -> int | None:
        """What `completion_end` says of several lines."""
        lines, start = text.split("\n"), 0
        self.complete, self.text = complete, text
        for number, line in enumerate(lines):
            whole = complete or number < len(lines) - 1
            shown = self.place.fragment + line if number == 0 else line
            self.upcoming = [other for other in lines[number + 1 :] if other.strip()]
            if shown.strip():
                end = self._end_at(shown, line, number == 0, whole, start + len(line.rstrip()))
                if end is not None:
                    return end
            elif number > 0 and whole and not self._is_in_text():
                self.blank += 1
                if self.base >= 0 and self.written and self.blank > _MAX_BLANK_LINES:
                    return self._left(self.block_end)
            start += len(line) + 1
        return None

    def _end_at(self, shown: str, line: str, first: bool, whole: bool, end: int) -> int | None:
        """The end of everything if it is before or right behind this line, which ends at `end`."""
        if self._is_in_text():
            if whole and surely_copies_below([shown, *self.upcoming], self.place, self.complete):
                return self._left(None)
            self.written += 1
            return self._read(shown, end, is_text=True) if whole else None
        if self.base < 0:
            self.base = max(indentation(shown), 0 if first else self._least())
        own = not (first and self.place.fragment.strip())
        if whole and own and self._repeats(shown, line):
            is_header = self.place.is_header(self.lines[-1]) if self.lines else True
            return self._left(None if is_header else self.header_end)
        if not first and self._is_beyond(shown, whole):
            return self._left(self.header_end if self.block_end is None else self.block_end)
        if not first and not whole and indentation(shown) <= self.base:
            return None  # nothing can be said of it yet
        self.written += bool(line.strip())
        return self._read(shown, end) if whole else None

    def _repeats(self, shown: str, line: str) -> bool:
        if not is_following(shown, self._generated(), self.depth, self.place):
            is_decided = self.complete or len(self.upcoming) > 1
            rows = [shown, *self.upcoming[:1]]
            return self.written > 0 and is_decided and counts_on_below(rows, self.place)
        is_sign = is_closing(shown.strip()) or not any(map(str.isalnum, shown))
        if self.written and (is_sign or is_telling([shown], self.place)):
            return True
        return self._is_only_a_copy(shown, line)

    def _is_only_a_copy(self, shown: str, line: str) -> bool:
        """Whether an answer that begins like the next line has nothing else to say."""
        if is_closing(shown.strip()) and self.fits is not None:
            return self.fits("") or not self.fits(line)
        return surely_copies_below([shown, *self.upcoming], self.place, self.complete)

    def _least(self) -> int:
        return indentation(self.place.fragment + "x") if self.place.fragment else 0

    def _generated(self) -> list[str]:
        """The lines read, without the cursor's own if it was begun by hand."""
        return self.lines[1:] if self.place.fragment.strip() else self.lines

    def _left(self, kept: int | None) -> int:
        """Where to cut what has gone beyond the completion: behind so many lines, or all."""
        return self.ends[-1 if kept is None else kept]

    def _is_in_text(self) -> bool:
        return self.place.opens_text("\n".join(self.lines))

    def _read(self, line: str, end: int, is_text: bool = False) -> int | None:
        """Take in a whole line that belongs; the end of everything if nothing can follow it."""
        language = self.place.language
        self.depth += net_depth(line, language) + directive_depth(line) + tag_depth(line, language)
        self.blank = 0
        self.lines.append(line)
        self.ends.append(end)
        if self.header_end is None and self.written and self.place.is_header(line):
            fits = self.fits is not None and self.fits(self.text[:end])
            self.header_end = len(self.lines) if fits else None
        if repeated := cycle_length(self.lines, self.depth):
            return self.ends[-1 - repeated]
        return end if self.written and not is_text and self._closes(line) else None

    def _is_beyond(self, line: str, whole: bool) -> bool:
        """Whether `line` is past the end: it belongs to an outer block, or to nothing before it."""
        indent, text = indentation(line), line.strip()
        if indent > self.base:
            return self.is_leaving
        if not whole and may_go_on(text):
            return False
        if self.is_leaving and not is_closing(text):
            return True
        if indent < self.base:
            return not self._may_leave(indent, text)
        if (
            self.depth > 0
            or not self.written
            or (self.lines and is_continued(self.lines[-1].strip()))
        ):
            return False
        if self.is_statement:
            return not self._belongs(text)
        if self.unit is Unit.DEFINITION and any(map(self._is_deeper, self.lines)):
            return not self._belongs(text)
        return self.blank > 0 and (self.base == 0 or self.unit is Unit.PARAGRAPH)

    def _may_leave(self, indent: int, text: str) -> bool:
        """Whether a line indented by `indent`, less than the first one, may be written."""
        if not self.written:
            return False
        following = self.place.following
        if is_closing(text):
            return indent > indentation(following) or following.strip()[:1] != text[:1]
        floor = self.place.floor
        if self.is_statement or self.depth > 0 or floor is None or indent < floor:
            return False
        if self.block_end is None:
            self.block_end = len(self.lines)
        self.base = indent
        return True

    def _belongs(self, text: str) -> bool:
        """Whether a line as deep as the statement's first one is a part of the statement."""
        if goes_on(text, self.lines[0].strip(), self.place.language):
            return True
        return is_closing(text) and self._is_deeper(self.lines[-1])

    def _is_deeper(self, line: str) -> bool:
        return indentation(line) > self.base

    def _closes(self, line: str) -> bool:
        """Whether `line` closes the statement, or the last of the blocks around the completion that
        are not closed below.
        """
        indent, text = indentation(line), line.strip()
        if self.depth > 0 or self._is_in_text():
            return False
        if self.is_statement and indent == self.base:
            newline_ends = self.place.language in _ENDED_BY_NEWLINE and len(self.lines) == 1
            over = newline_ends and not opens(text)
            return (
                over
                or text.endswith(";")
                or (is_closing(text) and not _may_have_else(self.lines[0]))
            )
        if indent < self.base and is_closing(text):
            self.base = indent
            if self.place.floor is None or indent < self.place.floor:
                self.is_leaving = True
                return bool(self.place.below) and indent <= indentation(self.place.following)
            self.block_end = self.block_end or len(self.lines)
        return False


def _may_have_else(header: str) -> bool:
    """Whether `else` or the like may follow on the line behind a block with this header."""
    return header.strip().lstrip("}) ").startswith(_MAY_HAVE_ELSE)
