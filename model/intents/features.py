"""Hashed features of utterances and of their words.

A feature is a string; its index is a CRC-32 of it, so that it is the same in every process.
Identifiers, paths and numbers are told by their form, not their text: what is to be renamed says
nothing about what a sentence wants.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

from midline.model.intents.fillers import names
from midline.model.intents.words import QUOTES, Word

_PATH = re.compile(
    r"(?:[~.\w:\\-]*[/\\][\w.\\/ -]*|[\w.-]+\.(?:[a-z]{1,5}|[A-Z]{1,4}|mp4)|Makefile|Dockerfile"
    r"|README|LICENSE|Jenkinsfile|Gemfile|Rakefile)"
)
_IMAGE = re.compile(r".*\.(?:png|jpe?g|webp|gif|bmp|tiff?)", re.IGNORECASE)
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:(?:\.|::|->|#)~?\w+)+(?:\(\))?")
_CODE = re.compile(r"_\w*|\w+_\w*|[a-z]+\w*[A-Z]\w*|[A-Z][a-z0-9]+[A-Z]\w*|\w+\(\)?|\$\w+|@\w+")
_RANGE = re.compile(r"\d+(?:-|–|\.\.|:|,)\d+")
_NUMBER = re.compile(r"[-+]?\d[\d.,]*%?")
_MEASURE = re.compile(r"\d[\d.]*(?:ms|s|m|h|b|k|min|sec|x)")
_CAPITALS = re.compile(r"[A-Z][A-Z0-9]+")
_IDENTIFIER_END = re.compile(r"[A-Za-z]+\d+")


@lru_cache(maxsize=4096)
def form(word: str) -> str:
    """What kind of word it is by its characters; "" for a plain one."""
    if word.isalpha() and word.isascii() and word.islower():
        return ""
    if _RANGE.fullmatch(word):
        return "<range>"
    if _NUMBER.fullmatch(word):
        return "<number>"
    if _MEASURE.fullmatch(word):
        return "<measure>"
    if _PATH.fullmatch(word) and not _is_member(word):
        return "<image>" if _IMAGE.fullmatch(word) else "<path>"
    if _DOTTED.fullmatch(word) or _CODE.fullmatch(word) or _IDENTIFIER_END.fullmatch(word):
        return "<name>"
    if _CAPITALS.fullmatch(word):
        return "<capitals>"
    if not word.isascii() and any(ord(letter) > 0x24F and letter.isalpha() for letter in word):
        return "<script>"
    if not word.isascii() and any(map(str.isalpha, word)):
        return "<accent>"
    return "" if any(map(str.isalnum, word)) else "<sign>"


def _is_member(word: str) -> bool:
    """Whether `Cart.add` is meant and not a file called so."""
    stem, _, suffix = word.rpartition(".")
    is_file = suffix.lower() in names()["extensions"] or "/" in word or "\\" in word
    if is_file or _IMAGE.fullmatch(word):
        return False
    return bool(stem) and _DOTTED.fullmatch(word) is not None


@lru_cache(maxsize=4096)
def lists_with(word: str) -> tuple[str, ...]:
    """Which lists of names have this word, alone or as a part."""
    return tuple(name for name, words in _word_lists().items() if word in words)


@lru_cache(maxsize=1)
def _word_lists() -> dict[str, frozenset[str]]:
    kinds = (
        *("languages", "frameworks", "styles", "runners", "models", "numbers", "units"),
        *("value_settings", "switches", "durations", "values"),
    )
    return {
        kind: frozenset(part.lower() for name in names()[kind] for part in name.split())
        for kind in kinds
    }


def normal_words(words: Sequence[Word], symbols: frozenset[str] = frozenset()) -> list[str]:
    """The words in lower case, those with a form of their own replaced by it.

    Those among `symbols` have the form of a name, whatever they look like.
    """
    return [
        "<name>" if word.text in symbols else form(word.text) or word.text.lower() for word in words
    ]


def _index(feature: str, size: int) -> int:
    return crc32(feature.encode("utf-8", "replace")) % size


def sentence_features(
    words: Sequence[Word],
    size: int,
    known: frozenset[int],
    symbols: frozenset[str] = frozenset(),
) -> list[int]:
    """Indices below `size` of what a sentence consists of: words, pairs, parts of words.

    `known` and `symbols` are those of `word_features`. What stands around an unknown word is a
    feature of its own, so that a sentence with a name that was never seen is told by its other
    words.
    """
    normal = [
        "<quoted>" if mark == "q" else word
        for word, mark in zip(normal_words(words, symbols), quote_marks(words), strict=True)
    ]
    features = [f"w {word}" for word in normal]
    edged = ["^", *normal, "$"]
    features += [f"p {a} {b}" for a, b in pairwise(edged)]
    features += [f"t {a} {b} {c}" for a, b, c in zip(edged, edged[1:], edged[2:], strict=False)]
    features += [f"s {a} {b}" for a, b in zip(edged, edged[2:], strict=False)]
    for word in normal:
        if word[0] != "<":
            features += _parts(word)
        features += [f"l {name}" for name in lists_with(word)]
    masked = ["^", *("<u>" if word_number(w) not in known else w for w in normal), "$"]
    features += [f"u {a} {b}" for a, b in pairwise(masked) if "<u>" in (a, b)]
    features += [
        f"v {a} {b} {c}"
        for a, b, c in zip(masked, masked[1:], masked[2:], strict=False)
        if "<u>" in (a, b, c)
    ]
    features.append(f"n {min(len(normal), 12) // 2}")
    if normal:
        features.append(f"first {normal[0]}")
    return list({_index(feature, size) for feature in features})


@lru_cache(maxsize=4096)
def _parts(word: str) -> tuple[str, ...]:
    """Three and four letters in a row of a word with its edges."""
    edged = f"<{word}>"
    return tuple(
        f"c {edged[at : at + length]}"
        for length in (3, 4)
        for at in range(max(1, len(edged) - length + 1))
    )


def word_features(
    words: Sequence[Word],
    intent: str,
    size: int,
    known: frozenset[int],
    symbols: frozenset[str] = frozenset(),
) -> list[list[int]]:
    """Indices below `size` of what each word is, what stands around it and what is wanted.

    `known` are the words that sentences are made of, as `word_number` has them; others are likely
    to name something. `symbols` are words that a project defines.
    """
    normal = normal_words(words, symbols)
    strange = ["" if word_number(word) in known else "u" for word in normal]
    quoted = quote_marks(words)
    edged = ["^^", "^", *normal, "$", "$$"]
    return [
        _of_word(words[at].text, edged[at : at + 5], (quoted[at], strange[at]), intent, size)
        for at in range(len(words))
    ]


def word_number(word: str) -> int:
    """A word as the set of known words has it."""
    return crc32(word.encode("utf-8", "replace")) & 0xFFFFFF


def quote_marks(words: Sequence[Word]) -> list[str]:
    """For each word, "q" inside of quotes, "e" for a quote itself, "" elsewhere.

    What is behind a quote that nothing closes is not inside of it.
    """
    marks = ["e" if word.text in QUOTES else "" for word in words]
    edges = [at for at, mark in enumerate(marks) if mark]
    for first, last in zip(edges[::2], edges[1::2], strict=False):
        marks[first + 1 : last] = ["q"] * (last - first - 1)
    return marks


def _of_word(
    text: str, around: list[str], marks: tuple[str, str], intent: str, size: int
) -> list[int]:
    quoted, strange = marks
    before2, before, word, after, after2 = around
    lower = text.lower()
    plain = [
        f"w {word}", f"b {before}", f"a {after}", f"bw {before} {word}", f"wa {word} {after}",
        f"bb {before2} {before}", f"aa {after} {after2}", f"ba {before} {after}",
        f"q {quoted}", f"e {lower[-3:]}", f"x {lower.rpartition('.')[2] if '.' in lower else ''}",
        f"t {lower}", *(f"l {name}" for name in lists_with(lower)),
        *(f"lb {name}" for name in lists_with(before)),
        *(f"la {name}" for name in lists_with(after)),
    ]  # fmt: skip
    joint = [
        f"i {intent}", f"iw {intent} {word}", f"ib {intent} {before}", f"ia {intent} {after}",
        f"ibb {intent} {before2} {before}", f"iba {intent} {before} {after}",
        f"iq {intent} {quoted} {before}", f"iqa {intent} {quoted} {after}",
        f"is {intent} {strange}", f"isb {intent} {strange} {before}",
        *(f"il {intent} {name}" for name in lists_with(lower)),
    ]  # fmt: skip
    return [_index(feature, size) for feature in (*plain, *joint)]
