"""How right offers are: by the probability of their first token or line, and behind other gates."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from midline.benchmarks.mbxp.statistics import wilson
from midline.benchmarks.quality.typing.scores import begins_right, is_exact, is_wholly_wrong
from midline.model.completion.confidence import GATE, Gate, TokenConfidence, confident_end
from midline.model.completion.whole_ends import WholeEnd, last_whole_end

BINS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
GATES = tuple(
    Gate(first, keep, min(keep, GATE.keep_lines))
    for first in (0.01, 0.2, 0.3, 0.45, 0.6, 0.75, 0.9)
    for keep in (0.05, 0.1, 0.15, 0.3, 0.5)
)


@dataclass(frozen=True)
class Offer:
    """A completion without the gate: its text as it may be shown, its tokens, and the truth.

    `written` is what the tokens wrote, which `text` differs from in white space at most; `ends` are
    where `text` may be cut.
    """

    language: str
    written: str
    text: str
    tokens: tuple[TokenConfidence, ...]
    ends: tuple[WholeEnd, ...]
    truth: str

    def first_token(self) -> float:
        """Probability of the first token."""
        return math.exp(self.tokens[0].logprob) if self.tokens else 0.0

    def first_line(self) -> float:
        """Probability of all tokens of the first line."""
        end = self.written.find("\n")
        inside = [t.logprob for t in self.tokens if end < 0 or t.end <= end]
        return math.exp(sum(inside)) if inside else 0.0

    def shown(self, gate: Gate) -> str:
        """What a gate lets through."""
        end = min(confident_end(self.written, self.tokens, 0, gate), len(self.text))
        if end >= len(self.text):
            return self.text
        return self.text[: last_whole_end(self.text, self.ends, 0, end)]


def by_probability(offers: Sequence[Offer]) -> list[dict[str, Any]]:
    """Precision in bins: of first tokens (begins right) and of first lines (exact)."""
    kinds: dict[str, tuple[Callable[[Offer], float], Callable[[str, str], bool]]] = {
        "first token": (Offer.first_token, begins_right),
        "first line": (Offer.first_line, is_exact),
    }
    return [
        {"of": name, **_bin([o for o in offers if low <= probability(o) < high], low, high, right)}
        for name, (probability, right) in kinds.items()
        for low, high in pairwise((*BINS[:-1], 1.01))
    ]


def _bin(
    offers: Sequence[Offer], low: float, high: float, right: Callable[[str, str], bool]
) -> dict[str, Any]:
    count = sum(right(offer.text, offer.truth) for offer in offers)
    return {"from": low, "to": min(high, 1.0), **_share("precision", count, len(offers))}


def by_gate(
    offers: Sequence[Offer], gates: Iterable[Gate] = GATES, in_use: Gate = GATE
) -> list[dict[str, Any]]:
    """What each gate shows, and how right that is; the gate in use is marked."""
    return [_gate_row(offers, gate, in_use) for gate in gates]


def _gate_row(offers: Sequence[Offer], gate: Gate, in_use: Gate) -> dict[str, Any]:
    shown = [(text, offer.truth) for offer in offers if (text := offer.shown(gate)).strip()]
    saved = sum(len(text) - 1 for text, truth in shown if truth.startswith(text))
    return {
        "first": gate.first,
        "keep": gate.keep,
        "keep_lines": gate.keep_lines,
        "in_use": gate == in_use,
        **_share("shown", len(shown), len(offers)),
        **_share("begins_right", sum(begins_right(*pair) for pair in shown), len(shown)),
        **_share("wholly_wrong", sum(is_wholly_wrong(*pair) for pair in shown), len(shown)),
        **_share("exact", sum(is_exact(*pair) for pair in shown), len(offers)),
        "saved_characters": saved,
    }


def _share(name: str, count: int, total: int) -> dict[str, Any]:
    low, high = wilson(count, total)
    return {
        name: round(count / total, 4) if total else None,
        f"{name}_count": count,
        f"{name}_of": total,
        f"{name}_interval": [round(low, 4), round(high, 4)],
    }
