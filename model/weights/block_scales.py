"""The check for infinite and NaN weights, of which a single one makes every logit NaN.

Codes of a block are always finite; only its half-precision scales, and plain floats, can be
something else. The formats are those of `ggml-common.h` in llama.cpp.
"""

from concurrent.futures import ThreadPoolExecutor

from midline.kernels.formats import GGMLType
from midline.model.errors import ModelFileError
from midline.model.weights.gguf import GGUFFile

_HALVES: dict[GGMLType, tuple[int, ...]] = {
    GGMLType.F16: (0,),
    GGMLType.Q4_0: (0,),
    GGMLType.Q4_1: (0, 2),
    GGMLType.Q5_0: (0,),
    GGMLType.Q8_0: (0,),
    GGMLType.Q4_K: (0, 2),
    GGMLType.Q6_K: (208,),
}
"""Where in a block its halves begin, in bytes."""
_HALF_EXPONENT, _FLOAT_EXPONENT = 0x7C00, 0x7F800000


def check_scales(file: GGUFFile, name: str) -> None:
    """Raises ModelFileError if tensor `name` has a weight that is infinite or not a number."""
    info, data = file.tensors[name], file.data(name)
    if info.type is GGMLType.F32:
        exponents = data.view("<u4") & _FLOAT_EXPONENT
        damaged = bool((exponents == _FLOAT_EXPONENT).any())
    else:
        blocks = data.reshape(-1, info.type.block_bytes)
        damaged = any(
            bool(((blocks[:, at : at + 2].view("<u2") & _HALF_EXPONENT) == _HALF_EXPONENT).any())
            for at in _HALVES[info.type]
        )
    if damaged:
        raise ModelFileError(
            f"{file.path} is not a usable model file: {name} has weights that are infinite or not "
            "a number; if it came from the catalogue, pull it again with `midline model pull NAME`"
        )


def check_all_scales(file: GGUFFile, threads: int) -> None:
    """Checks every matrix of a type that the engine runs; `check_scales` says what it raises.

    Norms and biases are checked where they are read.
    """
    runs = {GGMLType.F32, *_HALVES}
    names = [n for n, t in file.tensors.items() if len(t.shape) == 2 and t.type in runs]
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for _ in pool.map(lambda name: check_scales(file, name), names):
            pass
