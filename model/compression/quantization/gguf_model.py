"""A model file for the native engine, quantized by a recipe."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midline.kernels.formats import GGMLType
from midline.kernels.reference import dequantize
from midline.model.cancellation import Cancellation, Cancelled
from midline.model.compression.quantization.awq import Scales, search_scales
from midline.model.compression.quantization.calibration import layer_inputs
from midline.model.compression.quantization.provenance import Provenance
from midline.model.compression.quantization.recipe import Recipe
from midline.model.disk import check_disk
from midline.model.errors import MidlineError, ModelFileError
from midline.model.weights.block_encoding import encode, encode_floats
from midline.model.weights.block_scales import check_all_scales
from midline.model.weights.config import read_config
from midline.model.weights.gguf import SUPPORTED, GGUFFile, TensorInfo, read_gguf
from midline.model.weights.gguf_writer import NewTensor, Value, file_size, write_gguf
from midline.model.weights.packed import model_hash
from midline.model.weights.rounding import Floats, round_weights

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Quantization:
    """Everything that writing one model needs; scales is empty without calibration."""

    source: GGUFFile
    recipe: Recipe
    scales: Scales

    def tensors(self) -> list[NewTensor]:
        """The tensors to write, each made when its turn comes."""
        return [self._tensor(info) for info in self.source.tensors.values()]

    def _tensor(self, info: TensorInfo) -> NewTensor:
        kind = self._type(info)
        data = partial(self._data, info, kind)
        return NewTensor(info.name, kind, info.shape, data)

    def _type(self, info: TensorInfo) -> GGMLType:
        if len(info.shape) != 2 or self._is_kept(info):
            return info.type
        kind, how = GGMLType[self.recipe.format], self.recipe.rounding
        step = how.group_of(info.shape[1]) if how else 1
        if info.shape[1] % step or info.shape[1] % kind.block_length:
            raise ModelFileError(
                f"{info.name} has {info.shape[1]} inputs, which groups of {step} do not divide; "
                "choose a recipe with smaller groups"
            )
        return kind

    def _data(self, info: TensorInfo, kind: GGMLType) -> NDArray[np.uint8]:
        is_scaled = info.name in self.scales.rows or info.name in self.scales.columns
        if self._is_kept(info) or (len(info.shape) != 2 and not is_scaled):
            return self.source.data(info.name)
        weights = self.scales.apply(info.name, load_weights(self.source, info.name))
        how = self.recipe.rounding
        if len(info.shape) != 2 or how is None:
            return encode_floats(kind, weights)
        return encode(kind, round_weights(weights, how))

    def _is_kept(self, info: TensorInfo) -> bool:
        stem = info.name.rpartition(".")[0].rpartition(".")[2]
        return self.recipe.format == "source" or stem in self.recipe.exclude


def load_weights(file: GGUFFile, name: str) -> Floats:
    """A tensor of the file in float32; ModelFileError names one that cannot be read."""
    info = file.tensors[name]
    if info.type not in SUPPORTED:
        raise ModelFileError(
            f"{file.path} stores {name} as {info.type.name}, which Midline cannot read; choose a "
            f"file of {', '.join(sorted(kind.name for kind in SUPPORTED))}"
        )
    return dequantize(info.type, file.data(name), info.shape)


def quantize_gguf(
    source: Path,
    target: Path,
    recipe: Recipe,
    text: str,
    *,
    progress: Progress = lambda _: None,
    cancel: Cancellation | None = None,
) -> bool:
    """Writes `target`, the model file `source` quantized by `recipe`; False if it was there.

    text: for calibration; recipes without one ignore it. The file is whole or not there. Raises
    Cancelled, MidlineError (the disk is too small or cannot be written), ModelFileError, UsageError
    (a text too short).
    """
    file = read_gguf(source)
    config = read_config(file)
    check_all_scales(file, 1)
    needs_text = recipe.calibration.method != "none"
    digest = hashlib.sha256(text.encode()).hexdigest() if needs_text else ""
    provenance = Provenance(recipe, source.name, model_hash(source), digest)
    if target.is_file() and provenance.is_of(read_gguf(target)):
        return False
    plan = Quantization(file, recipe, Scales({}, {}))
    tensors = plan.tensors()
    check_disk(target, file_size(file, tensors))
    share = 0.5 if recipe.calibration.method == "awq" else 0.0
    if recipe.calibration.method == "awq":
        scales = _awq(file, recipe, text, config.layers, lambda x: progress(share * x), cancel)
        tensors = Quantization(file, recipe, scales).tensors()
    total = sum(tensor.nbytes for tensor in tensors)

    def report(done: int) -> None:
        stop_if(cancel)
        progress(share + (1 - share) * done / total)

    entries: dict[str, Value] = {"general.quantization_version": 2, **provenance.entries()}
    entries["general.name"] = f"{file.metadata.get('general.name', source.stem)} {recipe.name}"
    try:
        write_gguf(target, file, tensors, entries, report)
    except OSError as error:
        raise MidlineError(
            f"{target} cannot be written ({error.strerror}); name another place with --to"
        ) from error
    return True


def _awq(
    file: GGUFFile,
    recipe: Recipe,
    text: str,
    layers: int,
    progress: Progress,
    cancel: Cancellation | None,
) -> Scales:
    assert recipe.rounding is not None
    found = Scales({}, {})
    inputs = layer_inputs(file.path, text, recipe.calibration.tokens, cancel)
    excluded = {f"blk.{i}.{stem}.weight" for i in range(layers) for stem in recipe.exclude}
    load = partial(load_weights, file)
    for layer, scales in search_scales(load, layers, inputs, recipe.rounding):
        stop_if(cancel)
        if excluded & {*scales.columns, *scales.rows}:
            continue
        found.columns.update(scales.columns)
        found.rows.update(scales.rows)
        progress((layer + 1) / layers)
    return found


def stop_if(cancel: Cancellation | None) -> None:
    """Raises Cancelled once the flag is set."""
    if cancel is not None and cancel.is_set():
        raise Cancelled
