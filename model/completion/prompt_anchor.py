"""Prompt anchors: prompts that stay cached while the document is edited near the cursor.

A fill-in-the-middle prompt is `context, name, prefix, suffix, middle, text`, and the KV cache keeps
its unchanged beginning. An anchor fixes everything up to the middle token at one position of the
document. Text typed after that position is appended as if the model had generated it, so that a key
costs one token, Enter costs the tokens of the new indentation, and the suffix is not computed
again. The model was trained on middles of any length (Bavarian et al., arXiv 2207.14255).
"""

from dataclasses import dataclass, replace

from midline.model.completion.code_lines import CLOSERS
from midline.model.completion.fim import Cursor, Prompt, WindowLimits, build_prompt
from midline.model.decoding.alignment.token_healing import back_up
from midline.model.tokenizer.base import TokenizerBase

MOST_LINES = 24
"""Lines behind the middle marker at most; the anchor is dropped anew before there are more."""
MOST_BYTES = 1536
_CLOSERS = CLOSERS.encode()
_MOST_GAP = 64


@dataclass(frozen=True)
class PromptAnchor:
    """The part of a prompt that stays: ids up to the middle marker, and the text they stand for.

    `prefix` ends where line `line` (from 0) begins, or `column` bytes later in a very long line;
    `suffix` is what the prompt has of the text behind the cursor, None if it shows nothing of it.
    Both have LF line ends.
    `start_line` is the line that the prefix begins in.
    """

    ids: tuple[int, ...]
    prefix: bytes
    suffix: bytes | None
    line: int
    column: int = 0
    start_line: int = 0

    def middle(self, cursor: Cursor) -> bytes | None:
        """Text between the anchor and `cursor`, LF line ends; None where the anchor does not hold.

        It holds while the text before it and the suffix are unchanged and nothing but closing
        brackets, quotes and white space stands between the cursor and the suffix.
        """
        lines = cursor.line - self.line
        if not 0 <= lines <= MOST_LINES:
            return None
        at = _line_start(cursor.before, lines)
        if at is None:
            return None
        at += self.column
        written = _unix(cursor.before[at:])
        if at > len(cursor.before) or len(written) > MOST_BYTES:
            return None
        reach = len(self.prefix) + self.prefix.count(b"\n") + 1
        if not _unix(cursor.before[max(0, at - reach) : at]).endswith(self.prefix):
            return None
        return written if self._leads_to_suffix(cursor.after) else None

    def _leads_to_suffix(self, after: bytes) -> bool:
        if self.suffix is None:
            return True
        reach = len(self.suffix) + _MOST_GAP
        text = _unix(after[: 2 * reach])
        if not self.suffix:
            return not after.strip(_CLOSERS + b" \t\r\n")
        at = text.find(self.suffix, 0, reach)
        return at >= 0 and not text[:at].strip(_CLOSERS + b" \t\r\n")

    def prompt(self, tokenizer: TokenizerBase, middle: bytes, backed_up_tokens: int) -> Prompt:
        """The prompt for a cursor whose text after the anchor is `middle`."""
        ids = tokenizer.encode(middle)
        kept, align = back_up(tokenizer, ids, backed_up_tokens)
        return Prompt((*self.ids, *kept), align, len(ids) - len(kept), self.start_line)


def drop_anchor(
    tokenizer: TokenizerBase, cursor: Cursor, limits: WindowLimits
) -> PromptAnchor | None:
    """An anchor at the cursor's line; None for a model without fill-in-the-middle tokens.

    Closing brackets after the cursor are left out of the suffix: editors insert and type over them
    at every key, the model writes them itself, and what is written twice is not shown.
    """
    fim = tokenizer.fim
    if fim is None:
        return None
    prompt = build_prompt(tokenizer, replace(cursor, after=without_closers(cursor.after)), limits)
    ids = prompt.ids
    prefix_at, suffix_at = ids.index(fim.prefix), ids.index(fim.suffix)
    middle_at = ids.index(fim.middle)

    def text(begin: int, end: int) -> bytes:
        return b"".join(map(tokenizer.token_bytes, ids[begin + 1 : end]))

    written = text(middle_at, len(ids)) + prompt.align
    suffix = text(suffix_at, middle_at)
    return PromptAnchor(
        ids[: middle_at + 1],
        text(prefix_at, suffix_at),
        suffix if suffix or not cursor.after.strip() else None,
        cursor.line,
        len(cursor.fragment) - len(written),
        prompt.start_line,
    )


def without_closers(after: bytes) -> bytes:
    """`after` from the end of its first line on, where only closing characters come before it."""
    end = after.find(b"\n")
    rest = after if end < 0 else after[:end]
    return after if rest.strip(_CLOSERS + b" \t\r") else after[len(rest.rstrip(b"\r")) :]


def _line_start(before: bytes, lines: int) -> int | None:
    """Where the line begins that lies `lines` lines above the last one of `before`."""
    at = len(before)
    for _ in range(lines):
        at = before.rfind(b"\n", 0, at)
        if at < 0:
            return None
    return before.rfind(b"\n", 0, at) + 1


def _unix(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n")
