"""The matrices of a GGUF file as the exported graph stores them."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midline.kernels.reference import dequantize
from midline.model.engines.onnx.form import OnnxForm
from midline.model.engines.onnx.graph import BLOCK, LAYER_PRODUCTS
from midline.model.engines.onnx.weights_file import WeightsPlan
from midline.model.errors import ModelFileError
from midline.model.weights.config import ModelConfig
from midline.model.weights.gguf import SUPPORTED, GGUFFile
from midline.model.weights.rounding import Rounded, Rounding, round_weights

Arrays = dict[str, NDArray[Any]]
Shapes = dict[str, tuple[Any, tuple[int, ...]]]


def load(file: GGUFFile, name: str) -> NDArray[np.float32]:
    """A tensor in float32; ModelFileError if it is missing, or of a type without a reader."""
    info = file.tensors.get(name)
    if info is None:
        raise ModelFileError(f"{file.path} has no tensor {name}; pull it again")
    if info.type not in SUPPORTED:
        known = ", ".join(sorted(kind.name for kind in SUPPORTED))
        raise ModelFileError(
            f"{file.path} stores {name} as {info.type.name}, which Midline cannot read; choose a "
            f"file of {known}"
        )
    return dequantize(info.type, file.data(name), info.shape)


def plan_matrices(file: GGUFFile, config: ModelConfig, form: OnnxForm) -> WeightsPlan:
    """Every tensor of the export, each made when its turn comes."""
    plan = WeightsPlan()
    vectors = {"output_norm": "output_norm.weight"}
    for i in range(config.layers):
        vectors[f"{i}.attn_norm"] = f"blk.{i}.attn_norm.weight"
        vectors[f"{i}.ffn_norm"] = f"blk.{i}.ffn_norm.weight"
    for name, tensor in vectors.items():
        plan.add({name: (np.float32, (config.width,))}, partial(_one, file, name, tensor))
    _plan_rotary(plan, config)
    shape = (config.vocab, config.width)
    plan.add(
        {"embedding": (np.float32, shape)}, partial(_one, file, "embedding", "token_embd.weight")
    )
    head = "output.weight" if "output.weight" in file.tensors else "token_embd.weight"
    _plan_product(plan, file, form, "head", [head], ("output",))
    for i in range(config.layers):
        if has_bias(file):
            _plan_bias(plan, file, config, i)
        for product, stems in LAYER_PRODUCTS.items():
            tensors = [f"blk.{i}.{stem}.weight" for stem in stems]
            _plan_product(plan, file, form, f"{i}.{product}", tensors, stems)
    return plan


def has_bias(file: GGUFFile) -> bool:
    """Whether queries, keys and values have biases."""
    return "blk.0.attn_q.bias" in file.tensors


def _one(file: GGUFFile, name: str, tensor: str) -> Arrays:
    return {name: load(file, tensor)}


def _plan_bias(plan: WeightsPlan, file: GGUFFile, c: ModelConfig, i: int) -> None:
    name = f"{i}.qkv_bias"
    shape = ((c.heads + 2 * c.kv_heads) * c.head_dim,)
    tensors = [f"blk.{i}.{stem}.bias" for stem in LAYER_PRODUCTS["qkv"]]

    def make() -> Arrays:
        return {name: np.concatenate([load(file, tensor) for tensor in tensors])}

    plan.add({name: (np.float32, shape)}, make)


def _plan_rotary(plan: WeightsPlan, c: ModelConfig) -> None:
    shape = (c.context_length, c.head_dim // 2)

    def make() -> Arrays:
        exponents = np.arange(0, c.head_dim, 2) / c.head_dim
        angles = np.outer(np.arange(c.context_length), c.rope_base**-exponents)
        return {"cos": np.cos(angles).astype(np.float32), "sin": np.sin(angles).astype(np.float32)}

    plan.add({"cos": (np.float32, shape), "sin": (np.float32, shape)}, make)


def _plan_product(
    plan: WeightsPlan,
    file: GGUFFile,
    form: OnnxForm,
    name: str,
    tensors: list[str],
    stems: tuple[str, ...],
) -> None:
    """Plans the matrix of one product: the tensors' outputs one after the other."""
    infos = [file.tensors.get(tensor) for tensor in tensors]
    for tensor, info in zip(tensors, infos, strict=True):
        if info is None or len(info.shape) != 2:
            raise ModelFileError(f"{file.path} has no matrix {tensor}; pull it again")
    outputs = sum(info.shape[0] for info in infos if info)
    inputs = infos[0].shape[1] if infos[0] else 0
    storage = form.storage_of(stems)
    shapes: Shapes = {name: (np.float32, (inputs, outputs))}
    if storage == "int8":
        shapes = {name: (np.int8, (inputs, outputs)), f"{name}.scale": (np.float32, (outputs,))}
    elif storage == "nbits" and form.rounding:
        shapes = _nbits_shapes(name, outputs, inputs, form.rounding)

    def make() -> Arrays:
        if storage == "float32" or form.rounding is None:
            return {name: np.concatenate([load(file, tensor) for tensor in tensors]).T}
        parts = [round_weights(load(file, tensor), form.rounding) for tensor in tensors]
        return (_int8 if storage == "int8" else _nbits)(name, parts, form.rounding)

    plan.add(shapes, make)


def _int8(name: str, parts: list[Rounded], how: Rounding) -> Arrays:
    codes = np.concatenate([part.codes.astype(np.int8) for part in parts])
    scales = np.concatenate([part.scales[:, 0] for part in parts])
    return {name: codes.T, f"{name}.scale": scales}


def _nbits_shapes(name: str, outputs: int, inputs: int, how: Rounding) -> Shapes:
    blocks = inputs // BLOCK
    shapes: Shapes = {
        name: (np.uint8, (outputs, blocks, BLOCK * how.bits // 8)),
        f"{name}.scale": (np.float32, (outputs, blocks)),
    }
    if not how.symmetric:
        shapes[f"{name}.zero"] = (np.uint8, (outputs, -(-blocks * how.bits // 8)))
    return shapes


def _nbits(name: str, parts: list[Rounded], how: Rounding) -> Arrays:
    codes = np.concatenate([part.codes for part in parts])
    outputs, inputs = codes.shape
    blocks = inputs // BLOCK
    repeat = blocks // parts[0].scales.shape[1]
    scales = np.repeat(np.concatenate([part.scales for part in parts]), repeat, axis=1)
    found = {f"{name}.scale": np.ascontiguousarray(scales)}
    if how.symmetric:
        codes = codes + 2 ** (how.bits - 1)
    else:
        zeros = np.repeat(np.concatenate([part.zeros for part in parts]), repeat, axis=1)
        found[f"{name}.zero"] = _packed(zeros, how.bits)
    found[name] = _packed(codes, how.bits).reshape(outputs, blocks, -1)
    return found


def _packed(codes: NDArray[np.int16], bits: int) -> NDArray[np.uint8]:
    """Codes of 4 or 8 bits of each row as bytes; the first of two in the low half."""
    whole = codes.astype(np.uint8)
    if bits == 8:
        return whole
    if whole.shape[1] % 2:
        whole = np.pad(whole, ((0, 0), (0, 1)))
    return whole[:, ::2] | whole[:, 1::2] << np.uint8(4)
