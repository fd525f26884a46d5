"""Word pieces of utterances, each word's first piece, and the form that its letters lost.

The encoder knows no capitals; the form of a word (`features.form`) tells the slot head what a name,
a path or a number was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from midline.model.intents.features import form, quote_marks
from midline.model.intents.words import Word, words_of

MAX_PIECES = 128
FORMS = (
    *("", "<range>", "<number>", "<measure>", "<path>", "<name>", "<capitals>", "<script>"),
    *("<accent>", "<sign>", "<image>"),
)


@dataclass(frozen=True)
class Pieces:
    """A sentence as the encoder reads it.

    ids: of its word pieces. firsts: the place of each word's first piece. forms: of each word, the
    index of its form; those within quotes come after those outside.
    """

    words: tuple[Word, ...]
    ids: tuple[int, ...]
    firsts: tuple[int, ...]
    forms: tuple[int, ...]


class PieceCutter:
    """Cuts sentences with the encoder's own tokenizer."""

    def __init__(self, path: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_PIECES)

    def cut(self, text: str) -> Pieces:
        """The pieces of a sentence; words behind the last piece that is read are left out."""
        words = words_of(text)
        clean = [w.text.encode("utf-8", "replace").decode() for w in words]
        encoding = self._tokenizer.encode(clean, is_pretokenized=True)
        firsts: list[int] = []
        kept: list[Word] = []
        last = -1
        for at, word in enumerate(encoding.word_ids):
            if word is not None and word > last:
                firsts.append(at)
                kept.append(words[word])
                last = word
        marks = quote_marks(kept)
        forms = [
            FORMS.index(form(word.text)) + len(FORMS) * (mark == "q")
            for word, mark in zip(kept, marks, strict=True)
        ]
        return Pieces(tuple(kept), tuple(encoding.ids), tuple(firsts), tuple(forms))


@dataclass(frozen=True)
class Batch:
    """Several sentences, padded: int64 [sentences, pieces] and [sentences, words]."""

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    firsts: NDArray[np.int64]
    forms: NDArray[np.int64]


def batch_of(sentences: Sequence[Pieces]) -> Batch:
    """The arrays of several sentences, as wide as the longest of them."""
    width = max(len(s.ids) for s in sentences)
    words = (
        max(1, *(len(s.firsts) for s in sentences))
        if len(sentences) > 1
        else max(1, len(sentences[0].firsts))
    )
    ids, mask = (np.zeros((len(sentences), width), np.int64) for _ in range(2))
    firsts, forms = (np.zeros((len(sentences), words), np.int64) for _ in range(2))
    for row, sentence in enumerate(sentences):
        ids[row, : len(sentence.ids)] = sentence.ids
        mask[row, : len(sentence.ids)] = 1
        firsts[row, : len(sentence.firsts)] = sentence.firsts
        forms[row, : len(sentence.forms)] = sentence.forms
    return Batch(ids, mask, firsts, forms)
