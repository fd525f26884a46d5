"""Fill-in-the-middle prompts (arXiv 2207.14255): a bounded window of text around the cursor.

The prefix has as many lines before the cursor as fit into its tokens. For a position near the last
one, the window starts at the same line (`WindowLimits.start_line`), so that the text before the
cursor stays in the KV cache. Chunks of other files come first, because they change least.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from midline.model.completion.context_chunks import ContextChunk, begins_definition
from midline.model.completion.languages import title
from midline.model.decoding.alignment.token_healing import back_up
from midline.model.tokenizer.base import FimTokens, TokenizerBase

_MOST_STARTS = 8
"""Most attempts to choose the start of a window: a text cut elsewhere may have more tokens."""
_MARKERS = 6
"""Special tokens of a prompt."""
_BYTES_PER_TOKEN = 6
"""Upper bound of the bytes per token of code (3 to 4 on average), to bound the search."""
_PARSED_BYTES = 96 << 10
"""Bytes of text on either side that are parsed to check whether a completion fits."""


class FimLayout(StrEnum):
    """The place of the cursor's line fragment in a fill-in-the-middle prompt."""

    FRAGMENT_AFTER_MIDDLE = "fragment-after-middle"
    """Prefix lines, suffix, middle, fragment: a keystroke only appends to the cached prompt."""
    PLAIN = "plain"
    """Prefix lines and fragment, suffix, middle: a keystroke recomputes the suffix."""


@dataclass(frozen=True)
class Cursor:
    """Text around a cursor: UTF-8, or whatever bytes the file has.

    `before` and `after` may be cut to `WindowLimits.before_bytes` and `after_bytes`; `line` is the
    number (from 0) of the cursor's line in the whole text; `name` is the file's, or empty, and
    `language` the editor's language identifier (LSP `languageId`), or empty: together they tell
    the model the language. `context` are parts of other files of `project`.
    """

    before: bytes
    after: bytes
    line: int
    name: str = ""
    context: tuple[ContextChunk, ...] = ()
    project: str = ""
    language: str = ""

    @property
    def title(self) -> str:
        """The file name that the model reads: it tells the language where the file's does not."""
        return title(self.name, self.language)

    @property
    def fragment(self) -> bytes:
        """The cursor's line up to the cursor."""
        return self.before[self.before.rfind(b"\n") + 1 :]


@dataclass(frozen=True)
class WindowLimits:
    """How much of the text goes into a prompt, and how many tokens token healing removes at most.

    A token has at least one byte, so limits in bytes hold in tokens too.

    Of a line longer than `fragment_bytes` only the end, at least half as long, is its fragment; the
    beginning counts as text before it. `start_line` is where the window of an earlier prompt began:
    this one begins there too, and stays cached, until it has a quarter more than `prefix_tokens`.
    """

    prefix_tokens: int = 1024
    suffix_tokens: int = 256
    context_tokens: int = 1024
    fragment_bytes: int = 512
    name_bytes: int = 32
    backed_up_tokens: int = 3
    start_line: int | None = None

    @property
    def most_prefix_tokens(self) -> int:
        """Tokens that a prefix can have: more if it begins where an earlier one did."""
        return self.prefix_tokens if self.start_line is None else self.prefix_tokens * 5 // 4

    @property
    def before_bytes(self) -> int:
        """More is neither prefix nor parsed."""
        prefix = self.prefix_tokens * _BYTES_PER_TOKEN + 2 * self.fragment_bytes
        return max(prefix, _PARSED_BYTES)

    @property
    def after_bytes(self) -> int:
        """More is neither suffix nor parsed."""
        return max(self.suffix_tokens * _BYTES_PER_TOKEN, _PARSED_BYTES)

    def fitted(self, tokens: int) -> "WindowLimits":
        """At most `tokens` tokens, markers included: the context has what the others leave."""
        wanted = self.most_prefix_tokens + self.suffix_tokens + self.fragment_bytes
        wanted += self.name_bytes
        room = max(0, tokens - _MARKERS)
        context = max(0, min(self.context_tokens, room - wanted))
        share = min(1.0, room / wanted)
        return replace(
            self,
            prefix_tokens=int(self.prefix_tokens * share),
            suffix_tokens=int(self.suffix_tokens * share),
            context_tokens=context,
            fragment_bytes=int(self.fragment_bytes * share),
            name_bytes=int(self.name_bytes * share),
        )


def prompt_room(context_length: int, max_tokens: int) -> int:
    """Tokens that a prompt may have: what an answer of `max_tokens` leaves, but half at least.

    `max_tokens` is the most, not a wish: an answer that finds no room for them ends earlier.
    """
    return max(context_length - max_tokens, context_length // 2)


@dataclass(frozen=True)
class Prompt:
    """A prompt, and the bytes before the cursor with which its completion has to begin.

    `backed_up` is the number of tokens that token healing removed, whose bytes are `align`;
    `start_line` the line (from 0) that the window begins in.
    """

    ids: tuple[int, ...]
    align: bytes
    backed_up: int = 0
    start_line: int = 0


def build_prompt(
    tokenizer: TokenizerBase,
    cursor: Cursor,
    limits: WindowLimits | None = None,
    layout: FimLayout = FimLayout.FRAGMENT_AFTER_MIDDLE,
) -> Prompt:
    """The prompt for a completion at `cursor`; without FIM tokens it is the prefix alone.

    CRLF is read as LF: models know it better, and the answer takes the file's line ends anyway.
    """
    limits = limits or WindowLimits()
    head, fragment = _split_fragment(cursor, limits.fragment_bytes)
    before = _lines_before(tokenizer, head, cursor.line, limits)
    start_line = cursor.line - before.count(b"\n")
    if tokenizer.fim is None:
        ids = tokenizer.encode(before + fragment)
        kept, align = back_up(tokenizer, ids, limits.backed_up_tokens)
        return Prompt(tuple(_beginning(tokenizer, kept)), align, len(ids) - len(kept), start_line)
    suffix = _lines_after(tokenizer, _unix(cursor.after), limits.suffix_tokens)
    last = 0 if layout is FimLayout.PLAIN else 2
    texts = (before + fragment, b"") if layout is FimLayout.PLAIN else (before, fragment)
    parts = [list(tokenizer.encode_cached(texts[0])), suffix, tokenizer.encode(texts[1])]
    size = len(parts[last])
    parts[last], align = back_up(tokenizer, parts[last], limits.backed_up_tokens)
    ids = [*_file_head(tokenizer, tokenizer.fim, cursor, limits), *_laid_out(tokenizer.fim, parts)]
    return Prompt(tuple(ids), align, size - len(parts[last]), start_line)


def _file_head(
    tokenizer: TokenizerBase, fim: FimTokens, cursor: Cursor, limits: WindowLimits
) -> tuple[int, ...]:
    """What comes before the markers: BOS where the model wants it, the context, the file's name."""
    begin = tokenizer.with_bos(())
    context = _context(tokenizer, cursor, limits)
    if fim.file_sep is None or not cursor.title or not limits.name_bytes:
        return (*begin, *context)
    return (*begin, *context, fim.file_sep, *_name(tokenizer, cursor.title, limits.name_bytes))


def _context(tokenizer: TokenizerBase, cursor: Cursor, limits: WindowLimits) -> tuple[int, ...]:
    """The chunks that fit, each after the name of its file, all after the project's name."""
    ids = header = context_header(tokenizer, cursor.project, limits)
    for chunk in cursor.context:
        piece = chunk_ids(tokenizer, chunk)
        if len(ids) + len(piece) <= limits.context_tokens:
            ids = (*ids, *piece)
    return ids if len(ids) > len(header) else ()


def context_header(tokenizer: TokenizerBase, project: str, limits: WindowLimits) -> tuple[int, ...]:
    """The header of the chunks of other files: the project's name."""
    if tokenizer.fim is None or tokenizer.fim.repo_name is None or not project:
        return ()
    return (tokenizer.fim.repo_name, *_name(tokenizer, project, limits.name_bytes))


def chunk_ids(tokenizer: TokenizerBase, chunk: ContextChunk) -> tuple[int, ...]:
    """A chunk as a prompt has it; nothing for a model that cannot tell files apart."""
    if tokenizer.fim is None or tokenizer.fim.file_sep is None:
        return ()
    return (tokenizer.fim.file_sep, *tokenizer.encode_cached(f"{chunk.name}\n{chunk.text}"))


def _name(tokenizer: TokenizerBase, name: str, longest: int) -> list[int]:
    """The end of a name, in a line of its own."""
    return tokenizer.encode(name.encode("utf-8", "replace")[-longest:] + b"\n")


def _laid_out(fim: FimTokens, parts: list[list[int]]) -> tuple[int, ...]:
    """Prefix, suffix and middle after their markers."""
    prefix, suffix, middle = parts
    return (fim.prefix, *prefix, fim.suffix, *suffix, fim.middle, *middle)


def _beginning(tokenizer: TokenizerBase, ids: list[int]) -> list[int]:
    """`ids` as the beginning of a text: after BOS where the model wants it, and never empty."""
    start = min(tokenizer.end_tokens) if tokenizer.bos_id is None else tokenizer.bos_id
    return tokenizer.with_bos(ids) or [start]


def _unix(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n")


def _split_fragment(cursor: Cursor, longest: int) -> tuple[bytes, bytes]:
    """Text before the cursor's line, and the line up to the cursor, or the end of a long one.

    A long line is cut at multiples of half of `longest`, so that typing seldom moves the cut.
    """
    fragment = cursor.fragment
    cut = len(cursor.before) - len(fragment)
    if len(fragment) > longest:
        step = max(1, longest // 2)
        cut += (len(fragment) // step - 1) * step
        cut = _character_border(cursor.before, cut)
    return _unix(cursor.before[:cut]), cursor.before[cut:]


def _character_border(text: bytes, at: int) -> int:
    """The first offset from `at` on that is not inside a UTF-8 sequence."""
    end = min(at + 3, len(text))
    while 0 < at < end and text[at] & 0xC0 == 0x80:
        at += 1
    return at


def _lines_before(tokenizer: TokenizerBase, head: bytes, line: int, limits: WindowLimits) -> bytes:
    """The end of `head`, whole lines, that makes at most `limits.prefix_tokens` tokens.

    `line` is the number of the line that follows `head`. Without a line in reach the window begins
    at any character.
    """
    if limits.start_line is not None:
        window = _from_line(head, line, limits.start_line)
        if window and len(tokenizer.encode_cached(window)) <= limits.most_prefix_tokens:
            return window
    for start in _window_starts(tokenizer, head, line, limits.prefix_tokens):
        window = head[start:]
        if len(tokenizer.encode_cached(window)) <= limits.prefix_tokens:
            return window
    start = _character_border(head, max(0, len(head) - limits.prefix_tokens))
    return head[start:]


def _from_line(head: bytes, line: int, start_line: int) -> bytes:
    """The end of `head`, which line `line` follows, from line `start_line` on; b"" out of reach."""
    at = len(head)
    for _ in range(line - start_line):
        at = head.rfind(b"\n", 0, at)
        if at < 0:
            return b""
    begin = head.rfind(b"\n", 0, at) + 1
    # What `head` begins with is a whole line only at the beginning of the file.
    return head[begin:] if at < len(head) and (begin > 0 or start_line == 0) else b""


def _window_starts(tokenizer: TokenizerBase, head: bytes, line: int, tokens: int) -> Iterator[int]:
    """Offsets in `head` to begin a window of at most about `tokens` at, best first.

    The first lines in reach, but a definition's if there is one in the first quarter.
    """
    begin = max(0, len(head) - tokens * _BYTES_PER_TOKEN)
    ids = tokenizer.encode(head[_character_border(head, begin) :])
    size = sum(len(tokenizer.token_bytes(id)) for id in ids[-tokens:]) if tokens else 0
    reach = len(head) - size
    if reach == 0 and head.count(b"\n") == line:
        yield 0
    starts = list(_line_starts(head, max(1, reach)))
    definitions = (at for at in starts if at <= reach + size // 4 and _is_definition(head, at))
    yield from islice(definitions, 1)
    yield from starts[:_MOST_STARTS]


def _line_starts(text: bytes, begin: int) -> Iterator[int]:
    """Offsets from `begin` on at which a line begins, the end of the text left out."""
    at = text.find(b"\n", begin - 1) + 1
    while 0 < at < len(text):
        yield at
        at = text.find(b"\n", at) + 1


def _is_definition(text: bytes, at: int) -> bool:
    before = text[text.rfind(b"\n", 0, at - 1) + 1 : at].decode("latin-1")
    return begins_definition(text[at : at + 1].decode("latin-1"), before)


def _lines_after(tokenizer: TokenizerBase, text: bytes, max_tokens: int) -> list[int]:
    """Ids of the beginning of `text`, at most `max_tokens`, cut behind a line where possible.

    Cut before a definition if there is one in the last quarter.
    """
    window = text[: _character_border(text, max_tokens * _BYTES_PER_TOKEN)]
    while window:
        ids = list(tokenizer.encode_cached(window))
        cut = len(window) if len(ids) <= max_tokens else len(window) * max_tokens // len(ids)
        if cut == len(window) == len(text):
            return ids
        whole = _last_border(window[:cut])
        if whole in (0, len(window)):
            return ids[:max_tokens]
        window = window[:whole]
        ids = list(tokenizer.encode_cached(window))
        if len(ids) <= max_tokens:
            return ids
    return []


def _last_border(window: bytes) -> int:
    """Where to cut a suffix: behind a blank line of its last quarter, or behind its last line."""
    blank = window.rfind(b"\n\n", len(window) * 3 // 4)
    return window.rfind(b"\n") + 1 if blank < 0 else blank + 2
