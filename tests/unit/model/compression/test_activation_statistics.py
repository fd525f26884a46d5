"""Quantiles and energies from histograms, against sorting."""

import numpy as np

from midline.model.compression.activation_statistics import GRID, Curves, measure_curves

BIN = 1 / 128
"""Relative width of a histogram's bin at most: 8 bits of the mantissa and half of one."""


def test_curves_against_sorting() -> None:
    rng = np.random.default_rng(1)
    widths = (40, 24)
    rows = rng.normal(0, 1, (500, 2, 64)).astype(np.float32) * np.float32(7)
    norms = rng.uniform(0.1, 3, (2, 64)).astype(np.float32)
    plain, weighted = measure_curves([rows[:300], rows[300:]], norms, widths)
    assert plain.thresholds.shape == (2, 2, len(GRID))
    for layer in range(2):
        for j, part in enumerate((slice(0, 40), slice(40, 64))):
            sizes = np.abs(rows[:, layer, part]).astype(np.float64)
            heavy = sizes * norms[layer, part]
            for curves, order in ((plain, sizes), (weighted, heavy)):
                expected = np.quantile(order, GRID)
                found = curves.thresholds[layer, j]
                np.testing.assert_allclose(found[5:], expected[5:], rtol=2 * BIN)
                energy = [(heavy[order < t] ** 2).sum() for t in expected] / (heavy**2).sum()
                np.testing.assert_allclose(curves.energy[layer, j], energy, atol=0.005)
    assert (weighted.energy <= plain.energy + 1e-3).all()


def test_zeros_and_constants() -> None:
    rows = np.zeros((10, 1, 8), np.float32)
    rows[:, 0, 4:] = 2
    plain, _ = measure_curves([rows], np.ones((1, 8), np.float32), (4, 4))
    assert np.isfinite(plain.thresholds).all() and np.isfinite(plain.energy).all()
    assert plain.thresholds[0, 0].max() < 1e-30
    assert plain.thresholds[0, 1, 50] <= 2.01


def test_curves_between_grid_points() -> None:
    curves = Curves(np.tile(GRID, (1, 2, 1)), np.tile(GRID**2, (1, 2, 1)))
    levels = np.array([[0.255, 0.5]])
    np.testing.assert_allclose(curves.thresholds_at(levels), levels)
    np.testing.assert_allclose(curves.energy_at(levels), levels**2, atol=1e-4)
