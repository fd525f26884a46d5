"""The forms of a document that quality signals share, each computed once when it is first needed.

A signal is a function from `Views` to spans. What the published definitions compute once for every
signal (words, lines, n-grams) is here an array over ids of distinct words, so that a signal costs a
few vector operations.
"""

import string
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from functools import cache, cached_property
from itertools import chain, count

import numpy as np
import xxhash
from numpy.typing import NDArray

Span = tuple[int, int, float | None]
"""First character, character behind the last, and the score of what lies between."""
Spans = list[Span]
Ints = NDArray[np.int64]

PRECISION = 8
"""Decimals of a score, as RedPajama-V2 writes them."""
_PUNCTUATION = np.array([chr(point) in string.punctuation for point in range(128 + 1)])
"""Of each ASCII character whether it is one, and of the first that is no ASCII that it is not."""
_BLANK, _WORD, _MARK = 0, 1, 2
_BMP = 0x10000
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)


class Words:
    """A sequence of words as ids, [words], into its distinct words."""

    def __init__(self, distinct: list[str], ids: Ints) -> None:
        self.distinct, self.ids = distinct, ids

    @classmethod
    def of(cls, words: Sequence[str]) -> "Words":
        """Of words in their order."""
        index: defaultdict[str, int] = defaultdict(count().__next__)
        ids = np.fromiter(map(index.__getitem__, words), np.int64, len(words))
        return cls(list(index), ids)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def counts(self) -> Ints:
        """How often each distinct word occurs."""
        return np.bincount(self.ids, minlength=len(self.distinct))

    @cached_property
    def lengths(self) -> Ints:
        """Characters of each distinct word."""
        return np.fromiter(map(len, self.distinct), np.int64, len(self.distinct))

    @cached_property
    def characters(self) -> int:
        """Characters of all words together."""
        return int(self.counts @ self.lengths)

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        """XXH64 of each distinct word, [distinct]: the same in every process."""
        try:
            found = map(xxhash.xxh64_intdigest, map(str.encode, self.distinct))
            return np.array(list(found), np.uint64)
        except UnicodeEncodeError:  # a surrogate
            return np.array(list(map(word_hash, self.distinct)), np.uint64)

    @cached_property
    def pair_hashes(self) -> NDArray[np.uint64]:
        """One hash for each two neighbouring words, of which the order matters, [words - 1]."""
        return pair_hash(self.hashes[self.ids[:-1]], self.hashes[self.ids[1:]])


class RepeatedNgrams:
    """The n-grams of a word sequence that occur more than once, for growing n.

    An n-gram occurs twice only where both (n-1)-grams in it do, so each step groups what the step
    before has left: exact, without hashes, and nearly free in text that does not repeat itself.
    `groups(n)` is, for every position of the sequence, the number of the n-gram that begins there
    or -1 if it is unique.
    """

    def __init__(self, words: Words) -> None:
        found = words.counts > 1
        numbers = np.cumsum(found) - 1
        self._none: Ints = np.full(len(words), -1, np.int64)
        self._groups: list[Ints] = [np.where(found, numbers, -1)[words.ids]]

    def groups(self, n: int) -> Ints:
        """Numbers of the repeated n-grams by position, [words]."""
        while len(self._groups) < n:
            last = self._groups[-1]
            at = np.flatnonzero((last[:-1] >= 0) & (last[1:] >= 0))
            self._groups.append(self._longer(last, at) if len(at) else self._none)
        return self._groups[n - 1]

    def _longer(self, groups: Ints, at: Ints) -> Ints:
        """Groups of one word more, which can only begin at the positions `at`."""
        result = self._none.copy()
        keys = groups[at] * (int(groups.max()) + 1) + groups[at + 1]
        order = np.argsort(keys)
        ordered = keys[order]
        is_first = np.concatenate(([True], ordered[1:] != ordered[:-1]))
        number = np.cumsum(is_first) - 1
        repeated = np.bincount(number) > 1
        renumbered = np.where(repeated, np.cumsum(repeated) - 1, -1)
        result[at[order]] = renumbered[number]
        return result


class Lines:
    """The lines of a document, and spans for all of it or for each line."""

    def __init__(self, text: str, name: str = "", domain: str | None = None) -> None:
        self.text, self.name, self.domain = text, name, domain

    def __len__(self) -> int:
        return len(self.text)

    def document(self, score: float | None) -> Spans:
        """`score`, rounded, for the document as a whole."""
        return [(0, len(self.text), None if score is None else round(score, PRECISION))]

    def share(self, part: float, whole: float, empty: float | None = None) -> Spans:
        """`part / whole` for the document as a whole, or `empty` if `whole` is 0."""
        return self.document(part / whole if whole else empty)

    def by_line(self, scores: NDArray[np.float64]) -> Spans:
        """One span for each line, [lines] scores; a line ends behind its line feed."""
        rounded = np.round(scores, PRECISION).tolist()
        starts, ends = self._line_bounds
        return list(zip(starts, ends, rounded, strict=True))

    @cached_property
    def _line_bounds(self) -> tuple[list[int], list[int]]:
        return self.line_starts.tolist(), self.line_ends.tolist()

    @cached_property
    def lines(self) -> list[str]:
        """The lines without line feeds; text behind the last line feed is a line, "" is none."""
        found = self.text.split("\n")
        if not found[-1]:
            found.pop()
        return found

    @cached_property
    def line_ends(self) -> Ints:
        """Behind each line, its line feed included, [lines]."""
        ends = np.cumsum(np.fromiter(map(len, self.lines), np.int64, len(self.lines)) + 1)
        return np.minimum(ends, len(self.text))

    @cached_property
    def line_starts(self) -> Ints:
        """The first character of each line, [lines]."""
        return np.concatenate((np.zeros(1, np.int64), self.line_ends))[: len(self.lines)]

    @cached_property
    def stripped_lines(self) -> list[str]:
        """The lines without blanks at either end."""
        return list(map(str.strip, self.lines))


class Views(Lines):
    """One document: its text, the name of its file and its domain, and what is derived from them.

    `text` is any string; surrogates (of undecodable bytes) are allowed. `name` tells the
    programming language, `domain` is where a web document comes from.
    """

    @cached_property
    def folded(self) -> str:
        """The text without ASCII punctuation, in lower case, canonically decomposed (NFD).

        Blanks are those of the text; line feeds stay, so that its lines are those of the text.
        """
        kept = self.points[~_PUNCTUATION[np.minimum(self.points, len(_PUNCTUATION) - 1)]]
        lowered = _decoded(kept).lower()
        return lowered if lowered.isascii() else unicodedata.normalize("NFD", lowered)

    @cached_property
    def _folded_lines(self) -> list[list[str]]:
        return [line.split() for line in self.folded.split("\n")[: len(self.lines)]]

    @cached_property
    def words_per_line(self) -> Ints:
        """Normalized words of each line, [lines]."""
        return np.fromiter(map(len, self._folded_lines), np.int64, len(self.lines))

    @cached_property
    def normalized(self) -> Words:
        """The words of `folded` between blanks."""
        return Words.of(list(chain.from_iterable(self._folded_lines)))

    @cached_property
    def normalized_text(self) -> str:
        """The normalized words with one blank between two."""
        return " ".join(chain.from_iterable(self._folded_lines))

    @cached_property
    def points(self) -> NDArray[np.integer]:
        """The code points of the text, [characters], a byte each if it is ASCII."""
        return code_points(self.text)

    @cached_property
    def _runs(self) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """The kind of each character, and where it is another than the one before."""
        kinds = _kinds(self.points)
        return kinds, np.concatenate(
            (np.zeros(min(1, len(kinds)), np.bool_), kinds[1:] != kinds[:-1])
        )

    @cached_property
    def raw(self) -> Words:
        r"""The matches of `\w+|[^\w\s]+`: runs of word characters and of marks (NLTK's WordPunct).

        A blank is put between every two runs and the text split at blanks, which is several times
        as fast as matching.
        """
        _, changes = self._runs
        at = np.arange(len(changes)) + np.cumsum(changes)
        spaced = np.full(int(at[-1]) + 1 if len(at) else 0, ord(" "), self.points.dtype)
        spaced[at] = self.points
        return Words.of(_decoded(spaced).split())

    @cached_property
    def raw_starts(self) -> Ints:
        """Where the raw words begin, [words]."""
        kinds, changes = self._runs
        is_start = changes.copy()
        is_start[:1] = True
        return np.flatnonzero(is_start & (kinds != _BLANK))

    @cached_property
    def word_starts(self) -> Ints:
        """Where the raw words begin that are of word characters, [those words]."""
        return self.raw_starts[self._runs[0][self.raw_starts] == _WORD]

    @cached_property
    def repeated(self) -> RepeatedNgrams:
        """The repeated n-grams of the normalized words."""
        return RepeatedNgrams(self.normalized)

    def normalized_line_lengths(self) -> Ints:
        """Characters of each line once normalized: its words and the blanks between them."""
        lengths = self.normalized.lengths[self.normalized.ids]
        sums = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
        ends = np.cumsum(self.words_per_line)
        letters = sums[ends] - sums[ends - self.words_per_line]
        return letters + np.maximum(self.words_per_line - 1, 0)


def word_hash(word: str) -> int:
    """XXH64 of a word in UTF-8, surrogates included."""
    return xxhash.xxh64_intdigest(word.encode("utf-8", "surrogatepass"))


def pair_hash(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One hash of two, [pairs], of which the order matters."""
    mixed = first * _FACTOR + second
    return (mixed ^ (mixed >> _SHIFT)) * _FACTOR


def count_by_line(flags: NDArray[np.bool_], starts: Ints) -> Ints:
    """How many of the set `flags`, one a character, each line has; lines begin at `starts`."""
    lines = np.searchsorted(starts, np.flatnonzero(flags), "right") - 1
    return np.bincount(lines, minlength=len(starts))


def code_points(text: str) -> NDArray[np.integer]:
    """The code points of `text`, a byte each if it is ASCII."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))


def has_property(points: NDArray[np.integer], method: str) -> NDArray[np.bool_]:
    """For each code point, whether `str.METHOD` holds for the character."""
    if points.dtype == np.uint8:  # translating bytes is several times as fast as indexing
        return np.frombuffer(points.tobytes().translate(_bytes_table(method)), np.bool_)
    result = _table(method)[np.minimum(points, _BMP - 1)]
    for at in np.flatnonzero(points >= _BMP):
        result[at] = getattr(chr(points[at]), method)()
    return result


def _kinds(points: NDArray[np.integer]) -> NDArray[np.uint8]:
    """For each code point whether it is a blank, a word character or a mark, as `re` has it."""
    if points.dtype == np.uint8:
        return np.frombuffer(points.tobytes().translate(_kinds_table()), np.uint8)
    is_word = has_property(points, "isalnum") | (points == ord("_"))
    kinds = np.full(len(points), _MARK, np.uint8)
    kinds[has_property(points, "isspace")] = _BLANK
    kinds[is_word] = _WORD
    return kinds


def _decoded(points: NDArray[np.integer]) -> str:
    """The text of code points as `code_points` makes them."""
    if points.dtype == np.uint8:
        return points.tobytes().decode("ascii")
    return points.tobytes().decode("utf-32-le", "surrogatepass")


@cache
def _kinds_table() -> bytes:
    return _kinds(np.arange(256, dtype=np.uint32)).tobytes()


@cache
def _bytes_table(method: str) -> bytes:
    return _table(method)[:256].tobytes()


@cache
def _table(method: str) -> NDArray[np.bool_]:
    ask = getattr(str, method)
    return np.fromiter((ask(chr(point)) for point in range(_BMP)), np.bool_, _BMP)
