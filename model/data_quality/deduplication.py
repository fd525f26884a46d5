"""Exact and near duplicates, and which one of each group is kept.

Exact duplicates have the same text but for blanks at the ends of lines and of the text. Near ones
are found by MinHash signatures of 128 permutations (rensa) in bands: documents that agree in all
rows of any band are candidates, and those whose signatures agree in the share `threshold` are
joined. Groups are the connected components; the first document in input order is kept, whatever the
order in which pairs are found.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from midline.model.data_quality.records import extra_module
from midline.model.data_quality.shingles import Hashes

PERMUTATIONS = 128
SEED = 42
_SEARCHED = 0.13
"""How far below the threshold the midpoint of the bands' S-curve lies at most: four standard errors
of an estimate from 128 permutations at 0.8."""

Signatures = NDArray[np.uint32]


@dataclass(frozen=True)
class Banding:
    """Signatures cut into `bands` bands of `rows` values."""

    bands: int
    rows: int

    @property
    def midpoint(self) -> float:
        """The Jaccard similarity at which a pair is found with a chance of about 63%."""
        return float((1 / self.bands) ** (1 / self.rows))


def banding(threshold: float, permutations: int = PERMUTATIONS) -> Banding:
    """The bands with the most rows that still find pairs well below `threshold`."""
    for rows in range(permutations, 0, -1):
        found = Banding(permutations // rows, rows)
        if found.midpoint <= max(threshold - _SEARCHED, 0.1):
            return found
    return Banding(permutations, 1)


def text_hash(text: str) -> int:
    """XXH128 of a text without the blanks at the ends of its lines and at its own ends."""
    stripped = "\n".join(line.rstrip() for line in text.strip().split("\n"))
    return xxhash.xxh3_128_intdigest(stripped.encode("utf-8", "surrogatepass"))


def signatures(shingles: Sequence[Hashes]) -> Signatures:
    """The MinHash signatures of sets, [sets, PERMUTATIONS]; MidlineError without rensa."""
    rensa = extra_module("rensa", "near duplicates are found with MinHash")
    if not shingles:
        return np.zeros((0, PERMUTATIONS), np.uint32)
    matrix = rensa.RMinHash.digest_matrix_from_token_hash_sets(
        [found.tolist() for found in shingles], PERMUTATIONS, SEED
    )
    return np.array(matrix.to_rows(), np.uint32)


class Components:
    """Connected components of numbered documents, each known by its first one."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def first(self, document: int) -> int:
        """The first document of the component."""
        parents = self._parents
        while parents[document] != document:
            parents[document] = parents[parents[document]]
            document = parents[document]
        return document

    def join(self, one: int, other: int) -> None:
        """Makes the components of two documents one."""
        low, high = sorted((self.first(one), self.first(other)))
        self._parents[high] = low


def join_equal(components: Components, hashes: Iterable[int]) -> None:
    """Joins documents, in order, with the same hash."""
    firsts: dict[int, int] = {}
    for document, value in enumerate(hashes):
        components.join(firsts.setdefault(value, document), document)


def join_near(
    components: Components, found: Signatures, threshold: float, empty: NDArray[np.bool_]
) -> int:
    """Joins documents whose signatures agree in the share `threshold`; the pairs compared.

    Documents that are `empty`, [documents], have no shingles and are like nothing.
    """
    cut = banding(threshold, found.shape[1])
    compared = 0
    for band in range(cut.bands):
        part = np.ascontiguousarray(found[:, band * cut.rows : (band + 1) * cut.rows])
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for document in np.flatnonzero(~empty).tolist():
            buckets[part[document].tobytes()].append(document)
        for members in buckets.values():
            compared += _join_bucket(components, found, threshold, members)
    return compared


def _join_bucket(
    components: Components, found: Signatures, threshold: float, members: list[int]
) -> int:
    """Compares each member of a bucket with those before it that it is not joined with yet."""
    compared = 0
    groups: dict[int, list[int]] = {}
    for document in members:
        own = components.first(document)
        others = [m for root, group in groups.items() if components.first(root) != own
                  for m in group]  # fmt: skip
        compared += len(others)
        if others:
            alike = (found[others] == found[document]).mean(axis=1)
            for position in np.flatnonzero(alike >= threshold).tolist():
                components.join(others[position], document)
        groups.setdefault(own, []).append(document)
    return compared
