"""Token healing: the last tokens of a prompt are removed, and their bytes generated again.

The text before a cursor often ends inside a token of the finished text. `back_up` removes the last
tokens of the prompt that a longer text might be tokenized without. Their bytes are `Request.align`,
with which every completion has to begin. There are two ways to generate them: `Alignment` allows
only tokens that agree with the bytes that remain, one token at a time (token alignment, arXiv
2403.08688); `covering_tree.CoveringTree`, the default, weighs whole tokenizations of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from midline.model.errors import MidlineError
from midline.model.tokenizer.base import TokenizerBase


@dataclass(slots=True)
class Alignment:
    """The bytes of `Request.align` that one sample still has to generate."""

    tokenizer: TokenizerBase
    remaining: bytes = b""
    _cache: dict[bytes, NDArray[np.int32]] = field(default_factory=dict)

    def allowed(self) -> NDArray[np.int32] | None:
        """Ids, int32 [n], of the tokens that begin with the remaining bytes or that those begin
        with; None when any token may follow.

        Raises MidlineError when the vocabulary cannot spell the bytes.
        """
        if not self.remaining:
            return None
        ids = self._cache.get(self.remaining)
        if ids is None:
            longer = self.tokenizer.tokens_with_prefix(self.remaining)
            shorter = self.tokenizer.tokens_that_prefix(self.remaining[:-1])
            ids = np.concatenate([longer, shorter]).astype(np.int32)
            if ids.size == 0:
                raise MidlineError(
                    f"the model has no token for {self.remaining!r} before the cursor; move it away"
                )
            self._cache[self.remaining] = ids
        return ids

    def consume(self, token: int) -> None:
        """Advances past a token that `allowed` contains."""
        if self.remaining:
            self.remaining = self.remaining[len(self.tokenizer.token_bytes(token)) :]

    def fork(self) -> "Alignment":
        """The same state for another sample. Both share the ids that were looked up."""
        return Alignment(self.tokenizer, self.remaining, self._cache)


def back_up(
    tokenizer: TokenizerBase, ids: Sequence[int], max_tokens: int
) -> tuple[list[int], bytes]:
    """Removes the tokens at the end of `ids` that a longer text might be tokenized without.

    Of the last `max_tokens`, a token is removed if some token of the vocabulary begins inside it,
    agrees with all text from there to the end, and is longer. Returns the ids that are kept and the
    bytes of the removed ones.
    """
    kept, taken, tail = len(ids), len(ids), b""
    while kept > 0 and len(ids) - kept < max_tokens:
        piece = tokenizer.token_bytes(ids[kept - 1])
        tail, kept = piece + tail, kept - 1
        if any(_goes_on(tokenizer, tail[start:]) for start in range(len(piece))):
            taken = kept
    return list(ids[:taken]), b"".join(map(tokenizer.token_bytes, ids[taken:]))


def _goes_on(tokenizer: TokenizerBase, text: bytes) -> bool:
    """Whether the vocabulary has a token that begins with `text` and is longer."""
    found = tokenizer.tokens_with_prefix(text)
    return any(len(tokenizer.token_bytes(id)) > len(text) for id in found[:2].tolist())
