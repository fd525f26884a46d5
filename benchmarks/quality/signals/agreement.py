"""How far two computations of the same signals agree."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from midline.model.data_quality.views import Spans

TOLERANCE = 1e-6
"""Absolute, or relative for scores above 1."""

DEFECTS: dict[str, str] = {}
"""Signals of RedPajama's that Midline computes otherwise, with the defect that explains it."""


@dataclass
class Agreement:
    """Over several documents: how many agree in a signal, and the largest difference."""

    documents: int = 0
    equal: int = 0
    largest: float = 0.0
    differing: list[str] = field(default_factory=list)

    def add(self, name: str, ours: Spans, theirs: Spans) -> None:
        """Counts the document `name`."""
        self.documents += 1
        difference = largest_difference(ours, theirs)
        self.largest = max(self.largest, difference)
        if difference <= TOLERANCE:
            self.equal += 1
        else:
            self.differing.append(name)


def largest_difference(ours: Spans, theirs: Spans) -> float:
    """Between the scores of equal spans, relative above 1; infinite if the spans differ."""
    if [tuple(s[:2]) for s in ours] != [tuple(s[:2]) for s in theirs]:
        return float("inf")
    pairs = [(a[2], b[2]) for a, b in zip(ours, theirs, strict=True)]
    if any((a is None) != (b is None) for a, b in pairs):
        return float("inf")
    sizes = [abs(a - b) / max(1, abs(b)) for a, b in pairs if a is not None and b is not None]
    return max(sizes, default=0.0)


def add_document(
    agreements: dict[str, Agreement],
    name: str,
    ours: Mapping[str, Spans],
    theirs: Mapping[str, Spans],
) -> None:
    """Counts a document in every signal of the reference's."""
    for signal, spans in theirs.items():
        agreement = agreements.setdefault(signal, Agreement())
        agreement.add(name, ours.get(signal, []), spans)
