"""The table of block formats against the `gguf` package's."""

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from midline.kernels.formats import SUPPORTED, GGMLType

ACTIVATIONS_ONLY = {GGMLType.Q8_1, GGMLType.Q8_K}
"""Never in a file; ggml and the package disagree about padding in the first."""


def test_every_type_of_the_package_is_known_with_its_sizes():
    for kind, sizes in GGML_QUANT_SIZES.items():
        ours = GGMLType(int(kind))
        assert ours.name == kind.name
        if ours not in ACTIVATIONS_ONLY:
            assert (ours.block_length, ours.block_bytes) == sizes, kind


def test_every_type_has_sizes():
    for kind in GGMLType:
        assert kind.block_length > 0 and kind.block_bytes > 0
        assert kind.row_bytes(3 * kind.block_length) == 3 * kind.block_bytes


def test_supported_types_exist_in_the_package():
    assert {GGMLQuantizationType(int(kind)).name for kind in SUPPORTED} == {
        kind.name for kind in SUPPORTED
    }
