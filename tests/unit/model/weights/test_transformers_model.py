"""How GGUF orders the rows of llama's queries and keys, and how transformers does."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="the reference needs torch and transformers")

from midline.model.weights.transformers_model import halves_from_pairs


def test_halves_from_pairs() -> None:
    rows = np.arange(8, dtype=np.float32).reshape(8, 1)
    assert halves_from_pairs(rows, 2).reshape(-1).tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
