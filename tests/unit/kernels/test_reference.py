"""The dequantizers against the `gguf` package's."""

import numpy as np
import pytest
from gguf import GGMLQuantizationType, quants

from midline.kernels.formats import SUPPORTED, GGMLType
from midline.kernels.reference import dequantize, random_blocks
from midline.model.weights.gguf import read_gguf

KINDS = sorted(SUPPORTED)
STORED = {GGMLType.F32: np.dtype("<f4"), GGMLType.F16: np.dtype("<f2")}


def oracle(kind, raw, shape):
    rows = raw.view(STORED.get(kind, np.uint8)).reshape(shape[0], -1)
    return quants.dequantize(rows, GGMLQuantizationType(int(kind)))


def bits(weights):
    return np.ascontiguousarray(weights, np.float32).view(np.uint32)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("inputs", [256, 512, 1792])
def test_dequantize_is_bit_exact(kind, inputs):
    raw = random_blocks(kind, 9, inputs, np.random.default_rng(inputs))
    weights = dequantize(kind, raw, (9, inputs))
    assert weights.dtype == np.float32 and weights.shape == (9, inputs)
    np.testing.assert_array_equal(bits(weights), bits(oracle(kind, raw, (9, inputs))))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_random_blocks_have_the_deviation_asked_for(kind):
    raw = random_blocks(kind, 64, 1024, np.random.default_rng(5), deviation=0.02)
    weights = dequantize(kind, raw, (64, 1024))
    assert 0.016 < weights.std() < 0.024
    assert abs(weights.mean()) < 0.004
    assert np.unique(raw).size > (200 if kind not in STORED else 100)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.block_length == 32])
def test_a_block_of_zero_scale_is_zero(kind):
    raw = np.zeros(kind.block_bytes, np.uint8)
    assert not dequantize(kind, raw, (1, 32)).any()


def test_bytes_that_do_not_make_up_the_shape_are_refused():
    with pytest.raises(ValueError, match="do not make up the shape"):
        dequantize(GGMLType.Q8_0, np.zeros(34, np.uint8), (2, 32))
    with pytest.raises(ValueError, match="do not make up the shape"):
        dequantize(GGMLType.Q8_0, np.zeros(34, np.uint8), (2, 16))
    with pytest.raises(ValueError, match="Q2_K has no dequantizer"):
        dequantize(GGMLType.Q2_K, np.zeros(84, np.uint8), (1, 256))


@pytest.mark.parametrize("model", ["qwen05_path", "smollm2_path"])
def test_real_tensors_are_bit_exact(model, request):
    file = read_gguf(request.getfixturevalue(model))
    by_kind = {}
    for info in file.tensors.values():
        by_kind.setdefault(info.type, []).append(info)
    for kind, infos in by_kind.items():
        info = min(infos, key=lambda info: info.nbytes)
        raw = file.data(info.name)
        weights = dequantize(kind, raw, info.shape)
        expected = oracle(kind, raw, (int(np.prod(info.shape[:-1])), info.shape[-1]))
        np.testing.assert_array_equal(bits(weights).ravel(), bits(expected).ravel(), info.name)
