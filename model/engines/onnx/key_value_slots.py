"""Keys and values for the ONNX engine: a row of fixed capacity for each sequence.

ONNX Runtime's attention reads and extends the keys and values of the rows of one array, so that
sequences that are decoded together lie in neighbouring rows. Sequences that ended leave a copy,
from which later ones with the same beginning start; the oldest copies go first. The surface is that
of `PrefixTree`: a sequence's only page is its row.
"""

from collections.abc import Hashable, Iterator
from collections.abc import Sequence as Ids
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midline.model.runtime.kv_cache import NEVER, CacheFull, Sequence

Floats = NDArray[np.float32]


@dataclass(slots=True)
class _Kept:
    """Keys and values of an ended sequence: float32 [layers, 2, heads, tokens, size]."""

    tokens: list[int]
    data: Floats


class KeyValueSlots:
    """Rows for live sequences, and copies of ended ones.

    keys, values: of each layer, float32 [rows, heads, capacity, size]. Memory that was never
    written is not committed. It is used by one thread at a time.
    """

    def __init__(
        self, layers: int, heads: int, size: int, *, rows: int, capacity: int, kept_tokens: int
    ) -> None:
        shape = (rows, heads, capacity, size)
        self.keys = [np.zeros(shape, np.float32) for _ in range(layers)]
        self.values = [np.zeros(shape, np.float32) for _ in range(layers)]
        self.capacity = capacity
        self._free = list(range(rows))
        self._kept: list[_Kept] = []
        self._kept_tokens = kept_tokens

    def start(
        self, tokens: Ids[int], sparse_from: int = NEVER, sparse_key: Hashable = None
    ) -> Sequence:
        """A sequence that begins with what is known of `tokens`, the last token excluded."""
        sequence = Sequence([], [self._take()], sparse_from, sparse_key)
        kept, common = self._best(tokens)
        if kept is not None:
            self._kept.remove(kept)
            self._kept.append(kept)  # used last
            self._fill(sequence.pages[0], kept.data[:, :, :, :common])
            sequence.tokens.extend(kept.tokens[:common])
        return sequence

    def known(self, tokens: Ids[int]) -> int:
        """How many of `tokens` a sequence that `start` returns would begin with."""
        return self._best(tokens)[1]

    def grouped(self, prompts: Ids[Ids[int]], most: int) -> Iterator[range]:
        """Prompts one by one: their tokens are computed in steps of their own."""
        return (range(i, i + 1) for i in range(len(prompts)))

    def fork(self, sequence: Sequence) -> Sequence:
        """A second sequence with the same past."""
        own = self._take()
        self._fill(own, self._data(sequence))
        return Sequence(list(sequence.tokens), [own], sequence.sparse_from, sequence.sparse_key)

    def truncate(self, sequence: Sequence, length: int) -> None:
        """Forgets the tokens from `length` on."""
        del sequence.tokens[length:]

    def finish(self, sequence: Sequence, *, remember: bool = True) -> None:
        """Ends the sequence and frees its row; with `remember` its tokens stay known."""
        if remember and sequence.pages and sequence.tokens:
            self._remember(sequence)
        self._free += sequence.pages
        self._free.sort()
        sequence.pages.clear()
        sequence.tokens.clear()

    def gather(self, sequences: Ids[Sequence]) -> tuple[int, int]:
        """Moves the sequences' rows together if many lie between them: first row, and end."""
        rows = sorted(s.pages[0] for s in sequences)
        by_row = {s.pages[0]: s for s in sequences}
        while len(rows) > 1 and 2 * len(rows) < rows[-1] - rows[0] + 1:
            target = next((row for row in self._free if row < rows[-1]), None)
            if target is None:
                break
            sequence = by_row.pop(rows.pop())
            self._fill(target, self._data(sequence))
            self._free[self._free.index(target)] = sequence.pages[0]
            self._free.sort()
            sequence.pages[0] = target
            by_row[target] = sequence
            rows = sorted([*rows, target])
        return rows[0], rows[-1] + 1

    def _take(self) -> int:
        if not self._free:
            raise CacheFull
        return self._free.pop(0)

    def _data(self, sequence: Sequence) -> Floats:
        row, length = sequence.pages[0], len(sequence.tokens)
        pairs = zip(self.keys, self.values, strict=True)
        return np.stack([np.stack([k[row, :, :length], v[row, :, :length]]) for k, v in pairs])

    def _fill(self, row: int, data: Floats) -> None:
        length = data.shape[3]
        for i, (keys, values) in enumerate(zip(self.keys, self.values, strict=True)):
            keys[row, :, :length], values[row, :, :length] = data[i]

    def _best(self, tokens: Ids[int]) -> tuple[_Kept | None, int]:
        wanted = list(tokens[: len(tokens) - 1])
        found = [(_common(kept.tokens, wanted), i) for i, kept in enumerate(self._kept)]
        common, i = max(found, default=(0, 0))
        return (self._kept[i], common) if common else (None, 0)

    def _remember(self, sequence: Sequence) -> None:
        tokens = list(sequence.tokens)
        for kept in list(self._kept):
            common = _common(kept.tokens, tokens)
            if common == len(tokens):
                return
            if common == len(kept.tokens):
                self._kept.remove(kept)
        self._kept.append(_Kept(tokens, self._data(sequence)))
        while len(self._kept) > 1 and sum(len(k.tokens) for k in self._kept) > self._kept_tokens:
            self._kept.pop(0)


def _common(a: list[int], b: list[int]) -> int:
    most = min(len(a), len(b))
    if a[:most] == b[:most]:
        return most
    return next(i for i in range(most) if a[i] != b[i])
