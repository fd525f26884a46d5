"""Statistics of activations: quantiles of their magnitudes, and the energy below each quantile.

Magnitudes are counted in a histogram with bins of equal relative width (the upper 16 bits of a
float32, steps of 0.4%), so that memory does not grow with the number of tokens.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SHIFT = 15
BINS = 1 << 16
GRID = np.arange(96) / 100
"""The sparsity levels at which curves are sampled."""


@dataclass(frozen=True)
class Curves:
    """Curves over GRID, float64 [layers, inputs, 96].

    thresholds: the quantile of the magnitudes at each level. energy: the share of the sum of
    (entry x column norm)^2 below that quantile.
    """

    thresholds: NDArray[np.float64]
    energy: NDArray[np.float64]

    def thresholds_at(self, levels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Thresholds [layers, inputs] for levels of the same shape, interpolated linearly."""
        return _interpolate(self.thresholds, levels)

    def energy_at(self, levels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Energy dropped [layers, inputs] at levels of the same shape, interpolated linearly."""
        return _interpolate(self.energy, levels)


def _interpolate(curves: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = curves.reshape(-1, curves.shape[-1])
    found = [np.interp(x, GRID, y) for x, y in zip(levels.reshape(-1), flat, strict=True)]
    return np.array(found).reshape(levels.shape)


class Histogram:
    """A histogram of one input's magnitudes: the count and the energy of each bin."""

    def __init__(self) -> None:
        self.counts = np.zeros(BINS)
        self.energy = np.zeros(BINS)

    def add(self, sizes: NDArray[np.float32], energies: NDArray[np.float32]) -> None:
        """Add entries, which must not be negative, with the energy of each."""
        bins = np.ascontiguousarray(sizes).view(np.uint32).reshape(-1) >> _SHIFT
        self.counts += np.bincount(bins, minlength=BINS)
        self.energy += np.bincount(bins, energies.reshape(-1), minlength=BINS)

    def curves(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Thresholds and energies over GRID, each float64 [96]."""
        total, energy = self.counts.sum(), max(self.energy.sum(), 1e-30)
        share = np.concatenate([[0.0], self.counts.cumsum() / total])
        below = np.concatenate([[0.0], self.energy.cumsum() / energy])
        edges = (np.arange(BINS + 1, dtype=np.uint32) << _SHIFT).view(np.float32)
        used = np.flatnonzero(np.diff(share, prepend=-1) > 0)
        thresholds = np.interp(GRID, share[used], edges[used].astype(np.float64))
        return np.where(GRID > 0, thresholds, 0.0), np.interp(GRID, share[used], below[used])


def measure_curves(
    rows: Iterable[NDArray[np.float32]], norms: NDArray[np.float32], widths: tuple[int, ...]
) -> tuple[Curves, Curves]:
    """Curves by magnitude, and by magnitude times column norm.

    rows: float32 [tokens, layers, channels of all inputs] each; norms: float32 [layers, channels].
    """
    layers = len(norms)
    borders = np.cumsum([0, *widths])
    plain = [[Histogram() for _ in widths] for _ in range(layers)]
    weighted = [[Histogram() for _ in widths] for _ in range(layers)]
    for piece in rows:
        for layer in range(layers):
            sizes = np.abs(piece[:, layer])
            heavy = sizes * norms[layer]
            energies = heavy * heavy
            for j in range(len(widths)):
                part = slice(borders[j], borders[j + 1])
                plain[layer][j].add(sizes[:, part], energies[:, part])
                weighted[layer][j].add(heavy[:, part], energies[:, part])
    return _curves(plain), _curves(weighted)


def _curves(histograms: list[list[Histogram]]) -> Curves:
    found = [[histogram.curves() for histogram in row] for row in histograms]
    thresholds = np.array([[t for t, _ in row] for row in found])
    return Curves(thresholds, np.array([[e for _, e in row] for row in found]))
