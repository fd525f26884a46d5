"""Offsets at which a completion may be cut because what follows is too improbable.

A cut ends a name, a literal, an expression or a line; it never ends inside a word or an open
string, or after an operator, an opening bracket or a keyword that needs a continuation. The tree of
the file with the whole completion in it decides, since it tells the kind of every token: the `f` of
an f-string, for instance, is not a name.
"""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from midline.model.completion.code_lines import masked, net_depth
from midline.model.completion.insertion_point import InsertionPoint

if TYPE_CHECKING:
    from tree_sitter import Node

_TEXTS = ("comment", "string", "char_literal", "heredoc", "regex")
_MODIFIERS = frozenset(
    {
        *("access_specifier", "accessibility_modifier", "modifiers", "mutable_specifier"),
        *("storage_class_specifier", "type_qualifier", "visibility_modifier"),
    }
)
_CLOSING = tuple(")]}\"'`;")
_LAST_WORD = re.compile(r"(?<![\w.])\d[\w.]*$|\w+$|$")
"""Where the number or name begins that a text ends with, or its end."""
_LINE_COMMENT = re.compile(rb"//|#|--|%|;")
_WORD_END = re.compile(r"\w(?!\w)")
_END = re.compile(r"\w(?!\w)|[)\]}\"'`]")
_WANTS_MORE = re.compile(
    r"\b(and|as|async|await|case|class|const|def|elif|else|extends|final|fn|for|from|func|function"
    r"|if|implements|import|in|is|lambda|let|new|not|of|or|private|protected|public|raise|return"
    r"|static|throw|typeof|val|var|while|with|yield)$"
)


class WholeEnd(NamedTuple):
    """An offset up to which a completion may be shown.

    ends_lines: whether it may be where several lines are shown, and not only behind some of the
    line that is being typed.
    """

    at: int
    ends_lines: bool


def whole_ends(text: str, around: InsertionPoint, *, is_cut: bool = False) -> tuple[WholeEnd, ...]:
    """Where `text` may end if it is shown at `around` without what follows, ascending.

    The end of `text` is one, unless it `is_cut`: the model was stopped there, and a word at the end
    may be half a word. Lines may end where the file is no worse for it. What has to bring the
    beginning of the next line along is not cut.
    """
    if around.tail:
        return (WholeEnd(len(text), True),)
    lines = _line_ends(text, around) | ({} if is_cut else {len(text): True})
    inside = set(_ends_in_lines(text, around))
    if is_cut:
        inside = _known(text, inside)
    return tuple(WholeEnd(at, lines.get(at, False)) for at in sorted(inside | lines.keys()))


def _ends_in_lines(text: str, around: InsertionPoint) -> Iterator[int]:
    """Where names, literals, expressions and statements end."""
    validity = around.validity
    if validity is None:
        yield from _lexical_ends(text, around)
        return
    data, start = text.encode("utf-8", "surrogatepass"), validity.syntax.offset
    root = validity.syntax.tree_with(data).root_node
    in_bytes = {end - start for end in _named_ends(root, start, start + len(data), data)}
    # The words of a string that is not over look like names.
    code = _masked_behind(text, around) if root.has_error else None
    for end in in_bytes:
        at = len(data[:end].decode("utf-8", "replace"))
        if code is None or not _opens_a_text(code[:at]):
            yield at


def _known(text: str, ends: set[int]) -> set[int]:
    """Those of `ends` that remain, whatever would have followed a text that was cut."""
    last = _LAST_WORD.search(text)
    begin = last.start() if last else len(text)
    return {end for end in ends if end <= begin or text[end - 1] in _CLOSING}


def last_whole_end(text: str, ends: Sequence[WholeEnd], begin: int, end: int) -> int:
    """The last of `ends` from behind `begin` to `end`; `begin` if there is none.

    Of several lines only whole ones are shown, and within a line nothing that leaves a bracket open
    which was opened behind `begin`.
    """
    opened = _open_brackets(text, begin)
    line_end = text.find("\n", begin)
    if not text[begin : max(line_end, begin)].strip():
        line_end = text.find("\n", line_end + 1) if line_end >= 0 else -1
    line_end -= text[line_end - 1 : line_end] == "\r"
    for at, ends_lines in reversed([one for one in ends if begin < one.at <= end]):
        is_in_line = line_end < 0 or at <= line_end
        if ends_lines or (is_in_line and (at == line_end or not opened[at - begin])):
            return at if text[begin:at].strip() else begin
    return begin


def _open_brackets(text: str, begin: int) -> list[int]:
    """How many brackets of `text[begin:]` are open at each of its offsets."""
    found = [0]
    for character in masked(text)[begin:]:
        change = (character in "([{") - (character in ")]}")
        found.append(max(0, found[-1] + change))
    return found


def _line_ends(text: str, around: InsertionPoint) -> dict[int, bool]:
    """The ends of the lines behind the first text, and whether several lines may end there.

    The first line may, and later ones where they do no harm: a block that the text opens is closed.
    """
    found: dict[int, bool] = {}
    for match in re.finditer(r"\r?\n", text):
        written = text[: match.start()]
        if written.strip():
            found[match.start()] = not found or _leaves_nothing_open(written, around)
    return found


def _leaves_nothing_open(written: str, around: InsertionPoint) -> bool:
    if around.validity is None:
        return net_depth(written, around.place.language) <= 0
    return around.does_no_harm(written)


def _named_ends(node: "Node", start: int, end: int, data: bytes) -> Iterator[int]:
    """Where names, literals, expressions and statements end between two offsets, in bytes.

    Of a text that was begun before, or of a comment up to its line's end, each word ends there.
    """
    if start < node.end_byte <= end and _is_whole(node):
        yield node.end_byte
    if any(text in node.type for text in _TEXTS):
        first = max(node.start_byte, start)
        piece = data[first - start : min(node.end_byte, end) - start]
        is_comment = "comment" in node.type and _LINE_COMMENT.match(piece) is not None
        if node.start_byte < start or is_comment:
            decoded = piece.decode("utf-8", "replace")
            for match in _WORD_END.finditer(decoded):
                yield first + len(decoded[: match.end()].encode())
        return
    for child in node.children:
        if child.end_byte > start and child.start_byte < end:
            yield from _named_ends(child, start, end, data)


def _is_whole(node: "Node") -> bool:
    """Whether something ends where a node does: an operator or a keyword is no named node."""
    return (
        node.is_named
        and not node.is_error
        and not node.is_missing
        and node.end_byte > node.start_byte
        and node.type not in _MODIFIERS
    )


def _lexical_ends(text: str, around: InsertionPoint) -> Iterator[int]:
    """Where words and what is quoted or bracketed end, by the characters alone."""
    code = _masked_behind(text, around)
    quoted = {at for at, character in enumerate(code) if character == " "}
    for match in _END.finditer(text):
        end = match.end()
        is_open = end - 1 in quoted and end in quoted
        is_open = is_open or _opens_a_text(code[:end])
        if not is_open and not _WANTS_MORE.search(text[:end]):
            yield end


def _masked_behind(text: str, around: InsertionPoint) -> str:
    """`text` with spaces in place of what is quoted, and none for other blanks."""
    fragment = around.place.fragment
    return masked((fragment + text).replace(" ", "\1"), around.place.language)[len(fragment) :]


def _opens_a_text(code: str) -> bool:
    """Whether a masked line has a quote left, which opens a text that is not over."""
    line = code.rpartition("\n")[2]
    return any(quote in line for quote in '"`') or re.search(r"(?<!\w)'", line) is not None
