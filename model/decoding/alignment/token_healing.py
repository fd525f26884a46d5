"""Token alignment: generation that must first agree with bytes given back (arXiv 2403.08688).

The tokens before the cursor that may be cut short are removed from the prompt and their bytes given
back here; until those are consumed, only tokens that agree with them may be drawn.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from midline.model.errors import MidlineError
from midline.model.tokenizer.tokenizer import Tokenizer


@dataclass(slots=True)
class Alignment:
    """One sample's bytes still to be matched; samples consume theirs at their own pace."""

    tokenizer: Tokenizer
    remaining: bytes = b""
    _cache: dict[bytes, NDArray[np.int32]] = field(default_factory=dict)

    def allowed(self) -> NDArray[np.int32] | None:
        """Ids, int32, that begin with the remaining bytes or are a beginning of them; None: any id.

        Raises MidlineError when the vocabulary cannot spell those bytes.
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
        """Advances past a drawn token, which `allowed` let through."""
        if self.remaining:
            self.remaining = self.remaining[len(self.tokenizer.token_bytes(token)) :]

    def fork(self) -> "Alignment":
        """The same state for another sample; the lookup cache is shared."""
        return Alignment(self.tokenizer, self.remaining, self._cache)
