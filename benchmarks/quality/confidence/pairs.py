"""What is on the screen where a pause model completes at the same position as the first model."""

from collections.abc import Iterable, Sequence
from typing import Any

from midline.benchmarks.mbxp.statistics import paired_difference
from midline.benchmarks.quality.confidence.scores import Offer
from midline.benchmarks.quality.typing.scores import is_exact, is_wholly_wrong
from midline.model.completion.choosing import MARGIN, PAUSE_GATE, Shown, takes_its_place
from midline.model.completion.confidence import GATE, Gate

MARGINS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0)


def by_margin(
    pairs: Sequence[tuple[Offer, Offer]],
    margins: Iterable[float] = MARGINS,
    gate: Gate = PAUSE_GATE,
) -> list[dict[str, Any]]:
    """Exact first lines with the pause model less those without it, by margin, and how many texts
    appear, grow or change at a pause for that.
    """
    return [_row(pairs, margin, gate) for margin in margins]


def _row(pairs: Sequence[tuple[Offer, Offer]], margin: float, gate: Gate) -> dict[str, Any]:
    found = {"margin": margin, "in_use": margin == MARGIN, "positions": len(pairs)}
    counts = {"appeared": 0, "grew": 0, "changed": 0, "wholly_wrong": 0, "shown": 0}
    exact = []
    for first, second in pairs:
        before, text = first.shown(GATE), first.shown(GATE)
        new = second.shown(gate)
        old = Shown(before, 0, first.tokens) if before.strip() else None
        if new and takes_its_place(Shown(new, 0, second.tokens), old, margin):
            text = new
            kind = "appeared" if old is None else "grew" if new.startswith(before) else "changed"
            counts[kind] += 1
        counts["shown"] += bool(text.strip())
        counts["wholly_wrong"] += bool(text.strip()) and is_wholly_wrong(text, first.truth)
        exact.append((int(is_exact(text, first.truth)), int(is_exact(before, first.truth))))
    difference = paired_difference(exact) if exact else None
    return {**found, **counts, "exact": sum(with_it for with_it, _ in exact), "more": difference}
