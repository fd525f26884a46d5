"""A tokenizer for models whose own is out of reach: text is cut into words, signs and line ends.

Ids are given out as pieces occur, so they mean something within one process only. A piece is about
as long as a token of a code model, so that limits in tokens keep their meaning.
"""

import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from midline.model.engines.remote.chat_templates import CHATML_TOKENS, chat_template
from midline.model.tokenizer.base import FimTokens

END = 256
"""The id of the end of a text, which has no bytes."""
_MOST_PIECES = 1 << 18
"""Pieces that get an id; others are spelled in bytes."""
_PIECE = re.compile(r" ?[^\W_]{1,6}|_|\n[ \t]{0,16}|[ \t]{1,8}|[^\w\s]{1,3}|.", re.DOTALL)
_SIGNS = "()[]{}<>=+-*/.,:;'\"#_!&|%@~^?\\"


class TextTokenizer:
    """See `TokenizerBase`. `fim` are the texts of the model's FIM tokens: prefix, suffix, middle,
    repository and file, the last two None where the model has none; None for no such tokens.
    `chat_template` is known of some models, by their name."""

    bos_id: int | None = None
    eos_id: int | None = None
    end_tokens: frozenset[int] = frozenset({END})

    def __init__(self, name: str, fim: tuple[str, str, str, str | None, str | None] | None) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._bytes: list[bytes] = [bytes([byte]) for byte in range(256)] + [b""]
        self._ids: dict[bytes, int] = {data: id for id, data in enumerate(self._bytes[:256])}
        self._special: dict[str, int] = {}
        self.fim = None if fim is None else self._fim_tokens(*fim)
        self.chat_template = chat_template(name)
        for text in CHATML_TOKENS if self.chat_template is not None else ():
            self._new_special(text)
        self._special_pattern = re.compile("|".join(map(re.escape, self._special)) or r"(?!)")
        for first in _SIGNS:
            for second in _SIGNS[:8]:
                self._id((first + second).encode())

    def _fim_tokens(
        self, prefix: str, suffix: str, middle: str, repository: str | None, file: str | None
    ) -> FimTokens:
        new = self._new_special
        return FimTokens(
            new(prefix),
            new(suffix),
            new(middle),
            None if repository is None else new(repository),
            None if file is None else new(file),
        )

    def _new_special(self, text: str) -> int:
        self._special[text] = len(self._bytes)
        self._bytes.append(text.encode())
        return self._special[text]

    @property
    def special_tokens(self) -> Mapping[str, int]:
        """See `TokenizerBase`."""
        return self._special

    @property
    def special_pattern(self) -> re.Pattern[str]:
        """See `TokenizerBase`."""
        return self._special_pattern

    def encode(self, text: str | bytes, *, special: bool = False) -> list[int]:
        """See `TokenizerBase`."""
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        whole = data.decode("utf-8", "surrogateescape")
        ids: list[int] = []
        at = 0
        for match in self._special_pattern.finditer(whole) if special else ():
            ids += self._plain(whole[at : match.start()])
            ids.append(self._special[match.group()])
            at = match.end()
        return [*ids, *self._plain(whole[at:])]

    def _plain(self, text: str) -> Iterator[int]:
        for match in _PIECE.finditer(text):
            data = match.group().encode("utf-8", "surrogateescape")
            id = self._id(data)
            yield from data if id is None else [id]

    def _id(self, data: bytes) -> int | None:
        """The id of a piece, None for one that gets none."""
        id = self._ids.get(data)
        if id is not None:
            return id
        with self._lock:
            if data not in self._ids:
                if len(self._bytes) >= _MOST_PIECES:
                    return None
                self._bytes.append(data)
                self._ids[data] = len(self._bytes) - 1
            return self._ids[data]

    def encode_cached(self, text: str | bytes) -> tuple[int, ...]:
        """See `TokenizerBase`; cutting is fast enough to do it again."""
        return tuple(self.encode(text))

    def decode(self, ids: Iterable[int]) -> str:
        """See `TokenizerBase`."""
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", "replace")

    def token_bytes(self, id: int) -> bytes:
        """See `TokenizerBase`."""
        if id < 0:
            raise IndexError(id)
        return self._bytes[id]

    def with_bos(self, ids: Sequence[int]) -> list[int]:
        """See `TokenizerBase`; the server puts it there."""
        return list(ids)

    def is_control(self, id: int) -> bool:
        """See `TokenizerBase`."""
        return END <= id <= END + len(self._special)

    def tokens_with_prefix(self, prefix: bytes) -> NDArray[np.int64]:
        """See `TokenizerBase`; none, so that nothing is given back to be written again."""
        return np.zeros(0, np.int64)

    def tokens_that_prefix(self, text: bytes) -> NDArray[np.int64]:
        """See `TokenizerBase`."""
        return np.zeros(0, np.int64)
