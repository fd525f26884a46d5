"""The interface of a tokenizer: what prompts, stopping and alignment need of one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from re import Pattern
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FimTokens:
    """Ids of the tokens that mark the parts of a fill-in-the-middle prompt (arXiv 2207.14255)."""

    prefix: int
    suffix: int
    middle: int
    repo_name: int | None
    file_sep: int | None


class TokenizerBase(Protocol):
    """Text to ids and back, without loss: the bytes of a text's tokens are the text.

    name: the model file's, for messages. end_tokens: every id that ends a generation. fim: None for
    a model without fill-in-the-middle. chat_template: a Jinja template or None. special_tokens: ids
    of control and user-defined tokens by their text; special_pattern finds any of them in a text,
    the longest where several begin.
    """

    name: str
    bos_id: int | None
    eos_id: int | None
    end_tokens: frozenset[int]
    fim: FimTokens | None
    chat_template: str | None

    @property
    def special_tokens(self) -> Mapping[str, int]:
        """See the class."""
        ...

    @property
    def special_pattern(self) -> Pattern[str]:
        """See the class."""
        ...

    def encode(self, text: str | bytes, *, special: bool = False) -> list[int]:
        """Ids of `text`, without BOS; with `special`, written special tokens become their ids."""
        ...

    def encode_cached(self, text: str | bytes) -> tuple[int, ...]:
        """`encode(text)`, remembered for the latest few hundred texts."""
        ...

    def decode(self, ids: Iterable[int]) -> str:
        """Text of `ids`, special tokens as written, bytes that are not UTF-8 as U+FFFD."""
        ...

    def token_bytes(self, id: int) -> bytes:
        """Exact bytes of a token; IndexError if there is none of this id."""
        ...

    def with_bos(self, ids: Sequence[int]) -> list[int]:
        """`ids` after BOS, if the model's prompts begin with it and it is not there yet."""
        ...

    def is_control(self, id: int) -> bool:
        """Whether a token belongs to the model's protocol and never to text."""
        ...

    def tokens_with_prefix(self, prefix: bytes) -> NDArray[np.int64]:
        """Ids of the tokens of text that begin with `prefix`, int64 [n]."""
        ...

    def tokens_that_prefix(self, text: bytes) -> NDArray[np.int64]:
        """Ids of the tokens of text that `text` begins with, int64 [n], shortest first."""
        ...
