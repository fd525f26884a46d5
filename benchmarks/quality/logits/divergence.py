"""KL divergence between the next-token distributions of two models, over positions."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

CHUNK = 32
WORST = 8
"""How many of the worst positions a summary names, by their place in the text."""


@dataclass
class Divergence:
    """KL(reference || subject) in nats and greedy agreement over all positions added so far.

    A position counts as decided when the reference's best token leads the second by more than
    `margin` nats.
    """

    margin: float = 0.1
    kl: list[float] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    agree: list[bool] = field(default_factory=list)
    decided: list[bool] = field(default_factory=list)

    def add(self, reference: NDArray[np.float32], subject: NDArray[np.float32]) -> None:
        """Add a text: logits of both models, float32 [positions, vocabulary]."""
        self.places += range(len(reference))
        for start in range(0, len(reference), CHUNK):
            rows = slice(start, start + CHUNK)
            self._add_chunk(torch.tensor(reference[rows]), torch.tensor(subject[rows]))

    def _add_chunk(self, reference: torch.Tensor, subject: torch.Tensor) -> None:
        expected = torch.log_softmax(reference.double(), dim=-1)
        found = torch.log_softmax(subject.double(), dim=-1)
        self.kl += (expected.exp() * (expected - found)).sum(dim=-1).tolist()
        best = expected.topk(2, dim=-1)
        self.agree += (best.indices[:, 0] == found.argmax(dim=-1)).tolist()
        self.decided += (best.values[:, 0] - best.values[:, 1] > self.margin).tolist()

    def summary(self) -> dict[str, Any]:
        """Figures as recorded: means, extremes and counts.

        The first token of a text has activations so large in some models that rounding any of
        them to 8 bits changes its prediction altogether: `mean_kl_after_first` leaves it out.
        """
        kl, agree = np.array(self.kl), np.array(self.agree)
        decided = np.array(self.decided)
        later = np.array(self.places) > 0
        worst = np.argsort(kl)[::-1][:WORST]
        return {
            "positions": len(kl),
            "mean_kl": float(kl.mean()),
            "mean_kl_after_first": float(kl[later].mean()) if later.any() else None,
            "median_kl": float(np.median(kl)),
            "max_kl": float(kl.max()),
            "worst": [{"place": self.places[i], "kl": float(kl[i])} for i in worst],
            "agreement": float(agree.mean()),
            "decided_positions": int(decided.sum()),
            "decided_agreement": float(agree[decided].mean()) if decided.any() else None,
            "decided_disagreements": int((~agree[decided]).sum()),
        }
