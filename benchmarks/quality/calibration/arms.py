"""The texts that calibration is tried with: arms of equal length, several draws of each."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from midline.benchmarks.quality.hygiene.measure import own_sources
from midline.benchmarks.quality.signals.documents import Document, installed_documents
from midline.model.data_quality.deduplication import (
    Components,
    join_equal,
    join_near,
    signatures,
    text_hash,
)
from midline.model.data_quality.filters import load_filter
from midline.model.data_quality.importance import ImportanceModel
from midline.model.data_quality.registry import all_signals
from midline.model.data_quality.shingles import token_shingles
from midline.model.data_quality.views import Views

CHARACTERS = 96_000
"""Of a calibration text: 16 windows of 256 tokens are cut from it."""
PIECE = 6000
"""Characters that a document gives at most, so that a text is of many."""
PROSE = frozenset(("prose", "markdown", "html", "xml"))
SIMILAR = 0.8


@dataclass(frozen=True)
class Pool:
    """The documents that arms are drawn from."""

    documents: Sequence[Document]

    @classmethod
    def installed(cls, per_language: int) -> "Pool":
        """Files of installed packages."""
        return cls(list(installed_documents(per_language)))

    @cached_property
    def code(self) -> list[Document]:
        """Everything that is not prose."""
        return [d for d in self.documents if d.group not in PROSE]

    @cached_property
    def prose(self) -> list[Document]:
        """Texts in natural language."""
        return [d for d in self.documents if d.group in PROSE]

    @cached_property
    def good(self) -> list[Document]:
        """Code that passes the filter, one of each group of near duplicates."""
        signals = all_signals()
        rules = load_filter("code", signals)
        return _unique([
            d for d in self.code if rules.verdict(Views(d.text, d.name), signals).rule is None
        ])  # fmt: skip

    @cached_property
    def junk(self) -> list[Document]:
        """Code that the filter drops: minified, generated, locks and data."""
        good = {id(d) for d in self.good}
        signals = all_signals()
        rules = load_filter("code", signals)
        dropped = (d for d in self.code if id(d) not in good)
        return [d for d in dropped if rules.verdict(Views(d.text, d.name), signals).rule]

    @cached_property
    def like_workspace(self) -> ImportanceModel:
        """Importance weights for Midline's own sources, which stand for a workspace."""
        return ImportanceModel.fit(
            (record.text for record in own_sources()), (d.text for d in self.code)
        )


def _unique(documents: list[Document]) -> list[Document]:
    sets = [token_shingles(d.text) for d in documents]
    components = Components(len(documents))
    join_equal(components, (text_hash(d.text) for d in documents))
    empty = np.array([not len(found) for found in sets], np.bool_)
    join_near(components, signatures(sets), SIMILAR, empty)
    return [d for n, d in enumerate(documents) if components.first(n) == n]


def random_text(pool: Pool, dice: random.Random) -> str:
    """Any code."""
    return joined(dice.sample(pool.code, len(pool.code)))


def matched_text(pool: Pool, dice: random.Random) -> str:
    """Any code, each document of about the length of one that the filter keeps."""
    rest, chosen = dice.sample(pool.code, len(pool.code)), []
    for good in dice.sample(pool.good, len(pool.good)):
        nearest = min(rest, key=lambda d: abs(len(d.text) - len(good.text)))
        rest.remove(nearest)
        chosen.append(nearest)
    return joined(chosen)


def filtered_text(pool: Pool, dice: random.Random) -> str:
    """Code that passes the filter, without near duplicates."""
    return joined(dice.sample(pool.good, len(pool.good)))


def drawn_text(pool: Pool, dice: random.Random) -> str:
    """Code drawn by importance weights for a workspace, until the text is long enough.

    Weights are of what a document can give, at most `PIECE` characters.
    """
    weights = [pool.like_workspace.weight(Views(d.text[:PIECE]).raw) for d in pool.code]
    noise = np.random.default_rng(dice.randrange(1 << 30)).gumbel(size=len(weights))
    return joined([pool.code[n] for n in np.argsort(-(np.array(weights) + noise)).tolist()])


def junk_text(pool: Pool, dice: random.Random) -> str:
    """What the filter drops."""
    return joined(dice.sample(pool.junk, len(pool.junk)))


def prose_text(pool: Pool, dice: random.Random) -> str:
    """Natural language."""
    return joined(dice.sample(pool.prose, len(pool.prose)))


ARMS: dict[str, Callable[[Pool, random.Random], str]] = {
    "random": random_text,
    "length-matched": matched_text,
    "signals+dedup": filtered_text,
    "dsir": drawn_text,
    "junk": junk_text,
    "prose": prose_text,
}


def text_of(arm: str, pool: Pool, draw: int) -> str:
    """The text of one draw of an arm, the same every time."""
    return ARMS[arm](pool, random.Random(f"{arm} {draw}"))


def joined(documents: Sequence[Document]) -> str:
    """The beginnings of documents, up to `CHARACTERS` in all; short pools are used up."""
    pieces: list[str] = []
    size = 0
    for document in documents:
        if size >= CHARACTERS:
            break
        piece = document.text[: min(PIECE, CHARACTERS - size)]
        pieces.append(piece)
        size += len(piece) + 1
    return "\n".join(pieces)
