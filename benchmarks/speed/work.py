"""Bytes and multiply-adds of a forward pass of a model file."""

import math
from dataclasses import dataclass

from midline.model.weights.gguf import GGUFFile


@dataclass(frozen=True)
class ModelWork:
    """Weights of the layers and of the output matrix: bytes as stored, and their number."""

    layer_bytes: int
    layer_weights: int
    output_bytes: int
    output_weights: int

    def step_bytes(self) -> int:
        """Bytes of weights that one dense decode step reads."""
        return self.layer_bytes + self.output_bytes

    def multiply_adds(self, rows: int, output_rows: int) -> int:
        """Multiply-adds of the matrix products of `rows` tokens; attention not counted."""
        return rows * self.layer_weights + output_rows * self.output_weights


def model_work(file: GGUFFile) -> ModelWork:
    """Work of the dense matrices of `file`; a tied model's embedding is its output matrix."""
    output = "output.weight" if "output.weight" in file.tensors else "token_embd.weight"
    layers = [
        tensor
        for name, tensor in file.tensors.items()
        if name.startswith("blk.") and len(tensor.shape) == 2
    ]
    return ModelWork(
        layer_bytes=sum(tensor.nbytes for tensor in layers),
        layer_weights=sum(math.prod(tensor.shape) for tensor in layers),
        output_bytes=file.tensors[output].nbytes,
        output_weights=math.prod(file.tensors[output].shape),
    )
