"""Packed weights for tests: loaded, and looked for in their folder."""

from collections.abc import Callable
from pathlib import Path

from midline.model.weights.config import read_config
from midline.model.weights.gguf import GGUFFile
from midline.model.weights.packed import PackedWeights, load_weights


def load(file: GGUFFile, progress: Callable[[float], None] | None = None) -> PackedWeights:
    """The weights of a model, packed if need be, with two threads."""
    return load_weights(file, read_config(file), 2, progress)


def the_packed_file(folder: Path) -> Path:
    """The only one there is."""
    (path,) = folder.glob("*.packed")
    return path


def sections(loaded: PackedWeights) -> dict[str, bytes]:
    """Every section's bytes."""
    return {name: loaded.data(name).tobytes() for name in loaded.plan.sections}
