"""The transformers reference against the NumPy one: names, shapes, rotary order, tied output."""

import numpy as np
import pytest
from float_transformer import reference_logits

pytest.importorskip("torch", reason="the reference needs torch and transformers")

from midline.benchmarks.quality.logits.float_reference import FloatReference

IDS = [3, 41, 59, 26, 5, 358, 97, 93, 238, 46, 264, 33, 83, 279]


@pytest.mark.parametrize("model", ["tiny_qwen2", "tiny_llama"])
def test_logits_equal_those_of_numpy(model, request):
    path = request.getfixturevalue(model)
    found = FloatReference(path, threads=1).logits(IDS)
    expected = reference_logits(path, IDS)
    # NumPy's keys and values are rounded to float16, as the engine's are.
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 2e-3 * np.abs(expected).max()
