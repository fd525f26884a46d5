"""The form of an exported model: how its matrices are stored and multiplied."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from midline.model.weights.rounding import Rounding

Storage = Literal["float32", "int8", "nbits"]
EXPORT_VERSION = 1
"""Part of the key of an export: of graph, layout and files."""


@dataclass(frozen=True, slots=True)
class OnnxForm:
    """How a model is exported.

    storage: float32; int8 with a scale for each output, multiplied as integers; or nbits, blocks of
    32 inputs for ONNX Runtime's MatMulNBits, which multiplies floats. activations, for int8 alone:
    "dynamic-token" rounds each row with its own scale, "dynamic-tensor" all rows of a step with one
    (ONNX Runtime's DynamicQuantizeMatMul), "static-tensor" with `scales`, one of each product by
    its name. exclude: matrices that stay float32.
    """

    storage: Storage = "float32"
    rounding: Rounding | None = None
    activations: str = "float"
    exclude: tuple[str, ...] = ()
    scales: Mapping[str, float] = field(default_factory=dict)

    def storage_of(self, tensors: tuple[str, ...]) -> Storage:
        """Storage of the product with these tensors, as in `("attn_q", "attn_k", "attn_v")`."""
        return "float32" if set(tensors) & set(self.exclude) else self.storage

    def as_json(self) -> dict[str, Any]:
        """What identifies the form."""
        how = self.rounding
        return {
            "version": EXPORT_VERSION,
            "storage": self.storage,
            "rounding": how and [how.bits, how.granularity, how.group, how.symmetric],
            "activations": self.activations,
            "exclude": list(self.exclude),
            "scales": dict(self.scales),
        }


DEFAULT_FORM = OnnxForm("int8", Rounding(8, "channel"), "dynamic-token")
"""What `--engine onnx` exports a catalogue model to: 8 bits, a scale for each output and token."""
