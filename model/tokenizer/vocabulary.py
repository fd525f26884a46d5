"""A byte-level BPE vocabulary: the bytes and kinds of its tokens, and look-up by prefix.

A GGUF stores normal tokens in the GPT-2 byte alphabet (every byte is one printable character,
a space is `Ġ`) and all other tokens literally. All
tables are computed from those strings with NumPy on first use; that takes tens of milliseconds, so
nothing is cached on disk.
"""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midline.model.errors import ModelFileError
from midline.model.weights.gguf import GGUFFile, StringArray

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""Token types of GGUF."""

MAX_TOKENS = 1 << 20
_KEY_BYTES = 8


def _byte_alphabet() -> list[str]:
    """The character of each byte in the GPT-2 byte alphabet."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


BYTE_SYMBOLS = [symbol.encode("utf-8") for symbol in _byte_alphabet()]
"""The character of each byte, encoded as UTF-8 (one or two bytes)."""

_BYTE_OF = {symbol.decode(): byte for byte, symbol in enumerate(BYTE_SYMBOLS)}
_NO_BYTE = 256
_BYTES = np.full(2048, _NO_BYTE, np.uint16)
"""The byte of each character, by code point below 2048."""
_BYTES[[ord(symbol.decode()) for symbol in BYTE_SYMBOLS]] = np.arange(256)
_FOREIGN = np.ones(256, np.bool_)
"""Whether a UTF-8 code unit occurs in no character of the byte alphabet."""
_FOREIGN[[unit for symbol in BYTE_SYMBOLS for unit in symbol]] = False


class Vocabulary:
    """Tokens by id. Build it with `Vocabulary.from_gguf`.

    `kinds` holds the GGUF token type of each id, int32 [tokens]; `special` maps the text of
    control, user-defined and unknown tokens to their ids.
    """

    def __init__(self, strings: StringArray, kinds: NDArray[np.int32]) -> None:
        self.strings, self.kinds = strings, kinds
        self._count = len(strings)
        self._bytes: dict[int, bytes] = {}
        self._of_one_byte: dict[bytes, NDArray[np.int64]] = {}
        chosen = np.flatnonzero((kinds == CONTROL) | (kinds == USER_DEFINED) | (kinds == UNKNOWN))
        self.special = {strings[id]: id for id in chosen.tolist() if len(strings.raw(id))}

    @classmethod
    def from_gguf(cls, file: GGUFFile) -> "Vocabulary":
        """The vocabulary in the file's metadata; `ModelFileError` when it is missing or broken."""
        strings = file.metadata.get("tokenizer.ggml.tokens")
        if not isinstance(strings, StringArray) or not 256 <= len(strings) <= MAX_TOKENS:
            raise ModelFileError(f"{file.path} has no usable vocabulary in its metadata")
        kinds: Any = file.metadata.get("tokenizer.ggml.token_type")
        if kinds is None:
            kinds = np.full(len(strings), NORMAL, np.int32)
        elif not isinstance(kinds, np.ndarray) or kinds.shape != (len(strings),):
            raise ModelFileError(
                f"{file.path} does not give one type to each of its {len(strings):,} tokens"
            )
        return cls(strings, kinds.astype(np.int32))

    def __len__(self) -> int:
        return self._count

    @cached_property
    def _raw(self) -> list[bytes]:
        """Every token as stored in the file."""
        return self.strings.raw_list()

    @cached_property
    def ids(self) -> dict[bytes, int]:
        """Ids of the normal tokens by their string in the byte alphabet."""
        raw = self._raw
        ids = dict(zip(raw, self.numbers, strict=True))
        for id in np.flatnonzero(self.kinds != NORMAL).tolist():
            if ids.get(raw[id]) == id:
                del ids[raw[id]]
        return ids

    @cached_property
    def numbers(self) -> list[int]:
        """All ids in order, for tables to share: integers of their own would take megabytes."""
        return list(range(self._count))

    @cached_property
    def _decoded(self) -> tuple[bytes, NDArray[np.int64]]:
        """The bytes of all tokens concatenated, and their offsets, int64 [tokens + 1]."""
        return _decode_all(self._raw, self.kinds == NORMAL)

    def token_bytes(self, id: int) -> bytes:
        """Exact bytes that token `id` adds to a text; of a special token its literal text.

        Tokens are decoded one by one as they are asked for: the table of all of them takes longer
        than a first token may.
        """
        found = self._bytes.get(id)
        if found is None:
            if not 0 <= id < self._count:
                raise IndexError(f"token {id} is not in the vocabulary of {len(self)}")
            found = _decode_one(bytes(self.strings.raw(id)), bool(self.kinds[id] == NORMAL))
            self._bytes[id] = found
        return found

    @cached_property
    def longest(self) -> int:
        """Length in bytes of the longest normal token."""
        return int(np.diff(self._decoded[1])[self.kinds == NORMAL].max(initial=0))

    @cached_property
    def _by_key(self) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
        """Normal tokens sorted by their first eight bytes: keys, ids and lengths."""
        run, starts = self._decoded
        ids = np.flatnonzero(self.kinds == NORMAL)
        lengths = np.diff(starts)[ids]
        data = np.frombuffer(run + bytes(_KEY_BYTES), np.uint8)
        keys = np.zeros(len(ids), np.uint64)
        for position in range(_KEY_BYTES):
            byte = np.where(position < lengths, data[starts[ids] + position], 0)
            keys = keys << np.uint64(8) | byte.astype(np.uint64)
        order = np.argsort(keys, kind="stable")
        return keys[order], ids[order], lengths[order]

    def with_prefix(self, prefix: bytes) -> NDArray[np.int64]:
        """Ids of the normal tokens whose bytes start with `prefix`, including `prefix` itself."""
        if len(prefix) != 1:
            return self._found(prefix)
        # A single byte may match a third of the vocabulary; sorted ids gather their logits in the
        # order of memory.
        if prefix not in self._of_one_byte:
            self._of_one_byte[prefix] = np.sort(self._found(prefix))
        return self._of_one_byte[prefix]

    def _found(self, prefix: bytes) -> NDArray[np.int64]:
        keys, ids, lengths = self._by_key
        head = prefix[:_KEY_BYTES]
        low = int.from_bytes(head.ljust(_KEY_BYTES, b"\x00"), "big")
        high = int.from_bytes(head.ljust(_KEY_BYTES, b"\xff"), "big")
        first = int(np.searchsorted(keys, np.uint64(low)))
        last = int(np.searchsorted(keys, np.uint64(high), side="right"))
        found = ids[first:last][lengths[first:last] >= max(len(prefix), 1)]
        if len(prefix) <= _KEY_BYTES:
            return found
        run, starts = self._decoded
        return found[[run.startswith(prefix, start) for start in starts[found].tolist()]]

    def prefixes_of(self, text: bytes) -> NDArray[np.int64]:
        """Ids of the normal tokens that are a prefix of `text`, shortest first."""
        ids, symbols, found = self.ids, b"", []
        for byte in text[: self.longest]:
            symbols += BYTE_SYMBOLS[byte]
            id = ids.get(symbols)
            if id is not None:
                found.append(id)
        return np.array(found, np.int64)


def _decode_one(raw: bytes, is_normal: bool) -> bytes:
    """Bytes of one token, as in the table that `_decode_all` returns."""
    if not is_normal:
        return raw
    try:
        return bytes(_BYTE_OF[character] for character in raw.decode("utf-8"))
    except (KeyError, UnicodeDecodeError):
        return raw


def _decode_all(raw: list[bytes], normal: NDArray[np.bool_]) -> tuple[bytes, NDArray[np.int64]]:
    """Bytes of every token: `normal` tokens decoded from the byte alphabet, others literal.

    A normal token with a character outside the byte alphabet is literal, too.
    """
    data = np.frombuffer(b"".join(raw) + b"\x00", np.uint8)
    ends = np.cumsum(np.fromiter(map(len, raw), np.int64, len(raw)))
    encoded = np.append(np.repeat(normal, np.diff(ends, prepend=0)), False)
    foreign = np.flatnonzero(encoded & _FOREIGN[data])
    leads = np.flatnonzero(encoded & (data >= 0xC0))
    bytes_there = _BYTES[(data[leads] & 0x1F).astype(np.intp) << 6 | data[leads + 1] & 0x3F]
    foreign = np.append(foreign, leads[bytes_there == _NO_BYTE])
    if foreign.size:
        owners = np.unique(np.searchsorted(ends, foreign, side="right"))
        return _decode_all(raw, normal & ~np.isin(np.arange(len(raw)), owners))
    result = data.copy()
    result[leads] = bytes_there
    kept = ~(encoded & (data & 0xC0 == 0x80))
    kept[-1] = False
    starts = np.zeros(len(raw) + 1, np.int64)
    starts[1:] = np.append(0, np.cumsum(kept))[ends]
    return result[kept].tobytes(), starts
