"""Bytes of weights that a decode step reads, dense and with channels skipped."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midline.kernels import UNIT
from midline.kernels.formats import GGMLType
from midline.model.runtime.decoder import Decoder
from midline.model.teal.profile import INPUTS
from midline.model.teal.thresholds import input_widths

CODE_BITS = {
    GGMLType.Q4_0: 4,
    GGMLType.Q4_1: 4,
    GGMLType.Q4_K: 4,
    GGMLType.Q5_0: 5,
    GGMLType.Q6_K: 6,
    GGMLType.Q8_0: 8,
}
"""Bits of a weight's code, which a skipped channel saves; scales are always read."""


@dataclass(frozen=True)
class DecodeBytes:
    """Bytes [layers, 4] of codes and of everything else, `head` of the screened output matrix.

    Weights kept as floats count as read in any case.
    """

    codes: NDArray[np.float64]
    rest: NDArray[np.float64]
    head: float
    widths: tuple[int, ...]

    @classmethod
    def of(cls, decoder: Decoder) -> "DecodeBytes":
        """Bytes of a loaded model in its packed layout."""
        sections = decoder.weights.plan.sections
        shape = (decoder.config.layers, len(INPUTS))
        codes, sizes = np.zeros(shape), np.zeros(shape)
        for i, j in np.ndindex(shape):
            section = sections[f"{i}.{INPUTS[j]}"]
            sizes[i, j] = section.nbytes
            for part in section.parts:
                info = decoder.file.tensors[part.tensor]
                outputs, inputs = info.shape
                weights = -(-outputs // UNIT) * UNIT * inputs
                codes[i, j] += weights * CODE_BITS.get(info.type, 0) / 8
        head = sections.get("screen", sections["head"]).nbytes
        return cls(codes, sizes - codes, float(head), input_widths(decoder.config))

    @property
    def dense(self) -> float:
        """Bytes of a dense token."""
        return self.of_token(np.ones(self.codes.shape))

    def of_token(self, kept: NDArray[np.float64]) -> float:
        """Bytes of a token of which the shares `kept` [layers, 4] of the channels survive."""
        return float((self.codes * kept + self.rest).sum()) + self.head
