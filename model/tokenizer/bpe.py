"""Byte-level byte-pair encoding: pre-tokenization and merges.

The `tokenizers` library splits a text by the model's published regular expression. The merges are
applied here, because building the library's BPE model from 151,387 merges takes 0.3 s and holds the
GIL, while looking merges up in the strings of the file takes 0.05 s. A test compares the ids with
those of the library.
"""

import heapq
from collections.abc import Callable
from typing import NamedTuple

from tokenizers import Regex
from tokenizers.pre_tokenizers import PreTokenizer, Sequence, Split

from midline.model.tokenizer.vocabulary import BYTE_SYMBOLS, Vocabulary

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


class PreTokenization(NamedTuple):
    """How a family of models splits text before the merges are applied.

    Each expression splits the pieces of the one before it. With `whole_pieces` a piece that is a
    token is not split, regardless of the merges (`ignore_merges` of the `tokenizers` library).
    """

    expressions: tuple[str, ...]
    whole_pieces: bool = False


PRE_TOKENIZATIONS = {
    "gpt-2": PreTokenization((_GPT2,)),
    "llama-bpe": PreTokenization((_QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|"),), True),
    "qwen2": PreTokenization((_QWEN2,)),
    "smollm": PreTokenization((r"\p{N}", _GPT2)),
}
"""By the value of `tokenizer.ggml.pre`; the expressions are those of the published tokenizers."""

_PIECES_REMEMBERED = 1 << 16


class BytePairEncoder:
    """Encodes plain text, without special tokens and without normalization.

    `merges` are the merges of the GGUF by ascending rank, two token strings joined by a space each.
    """

    def __init__(
        self, vocabulary: Vocabulary, merges: list[bytes], pre_tokenization: PreTokenization
    ) -> None:
        self._ids = vocabulary.ids
        shared = vocabulary.numbers
        ranks = (*shared, *range(len(shared), len(merges)))
        self._ranks = dict(zip(merges, ranks, strict=False))
        self._cut = _piece_cutter(pre_tokenization)
        self._whole_pieces = pre_tokenization.whole_pieces
        self._known: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """Ids of `text`, which must not contain lone surrogates."""
        ids: list[int] = []
        known = self._known
        for piece, _ in self._cut(text):
            found = known.get(piece)
            if found is None:
                found = self._remember(piece)
            ids += found
        return ids

    def encode_bytes(self, raw: bytes) -> list[int]:
        """One token per byte, without merges: for bytes that are not UTF-8."""
        ids = (self._ids.get(BYTE_SYMBOLS[byte]) for byte in raw)
        return [id for id in ids if id is not None]

    def _remember(self, piece: str) -> list[int]:
        if len(self._known) >= _PIECES_REMEMBERED:
            self._known.clear()
        self._known[piece] = ids = self._encode_piece(piece.encode("utf-8"))
        return ids

    def _encode_piece(self, piece: bytes) -> list[int]:
        symbols = [BYTE_SYMBOLS[byte] for byte in piece]
        if self._whole_pieces:
            whole = self._ids.get(b"".join(symbols))
            if whole is not None:
                return [whole]
        ids: list[int] = []
        for symbol in merge(symbols, self._ranks) if len(symbols) > 1 else symbols:
            found = self._ids.get(symbol)
            ids += self._bytes_of(symbol) if found is None else (found,)
        return ids

    def _bytes_of(self, symbol: bytes) -> list[int]:
        """Byte tokens of a merged symbol that is not in the vocabulary."""
        ids = (self._ids.get(character.encode()) for character in symbol.decode())
        return [id for id in ids if id is not None]


def merge(symbols: list[bytes], ranks: dict[bytes, int]) -> list[bytes]:
    """Merge neighbours by ascending rank, leftmost first, until no pair has a rank.

    `ranks` maps two symbols joined by a space to their rank. Takes O(n log n) for n symbols.
    """
    count = len(symbols)
    symbols = symbols.copy()
    following = list(range(1, count + 1))
    before = list(range(-1, count - 1))
    queue: list[tuple[int, int, int, bytes]] = []

    def offer(left: int, right: int) -> None:
        pair = symbols[left] + b" " + symbols[right]
        rank = ranks.get(pair)
        if rank is not None:
            heapq.heappush(queue, (rank, left, right, pair))

    for left in range(count - 1):
        offer(left, left + 1)
    while queue:
        _, left, right, pair = heapq.heappop(queue)
        if not symbols[left] or symbols[left] + b" " + symbols[right] != pair:
            continue
        symbols[left] += symbols[right]
        symbols[right] = b""
        following[left] = after = following[right]
        if after < count:
            before[after] = left
            offer(left, after)
        if before[left] >= 0:
            offer(before[left], left)
    return [symbol for symbol in symbols if symbol]


def _piece_cutter(
    pre_tokenization: PreTokenization,
) -> Callable[[str], list[tuple[str, tuple[int, int]]]]:
    steps: list[PreTokenizer] = [
        Split(Regex(expression), behavior="isolated") for expression in pre_tokenization.expressions
    ]
    cutter = steps[0] if len(steps) == 1 else Sequence(steps)
    return cutter.pre_tokenize_str
