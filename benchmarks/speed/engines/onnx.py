"""The adapter of Midline's ONNX engine, driven step by step like the native one."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from midline import kernels
from midline.benchmarks.speed.engines.midline import MidlineSpeed
from midline.model.engines.onnx.engine import OnnxEngine
from midline.model.errors import UsageError
from midline.model.runtime.decoder import StepOptions
from midline.model.runtime.kv_cache import Sequence


class OnnxSpeed(MidlineSpeed):
    """Speed measurements of the ONNX engine; a model file is exported first, which is not timed."""

    def __init__(self, model: Path, threads: int) -> None:
        self.engine = OnnxEngine.load(model, threads=threads)  # type: ignore[assignment]
        self.decoder = self.engine.decoder
        self.threads = threads
        self.options = StepOptions()
        self.sparsity = 0.0
        self.cache = self.decoder.cache
        self._shape: tuple[Any, ...] = ()
        self._filled: list[Sequence] = []
        self._first: list[int] = []

    def versions(self) -> dict[str, str]:
        """The version of ONNX Runtime, and the kernels that measure the memory's bandwidth."""
        return {"onnxruntime": version("onnxruntime"), "midline kernels": kernels.kernel_name()}

    def settings(self) -> dict[str, Any]:
        """Threads, the folder of the export and the time of its load."""
        return {
            "threads": self.threads,
            "sparsity": 0.0,
            "output_matrix": "exact",
            "export": self.engine.path.name,
            "load_ms": round(self.engine.load_ms, 1),
        }

    def read_bandwidth(self, seconds: float) -> float:
        """Gigabytes a second that the same threads read from memory."""
        return float(kernels.read_bandwidth(self.threads, seconds)) / 1e9

    def dot_rate(self, seconds: float) -> float:
        """8-bit multiply-adds a second that the same threads do in registers."""
        return float(kernels.dot_rate(self.threads, seconds))


def load(model: Path, threads: int, options: dict[str, Any]) -> OnnxSpeed:
    """Load `model`; UsageError for a level of sparsity, which this engine does not have."""
    if options.get("sparsity"):
        raise UsageError("the ONNX engine computes densely; leave out --sparsity")
    return OnnxSpeed(model, threads)
