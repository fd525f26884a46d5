"""The weights of an exported model: one file, written tensor by tensor, and continued after a kill.

ONNX keeps weights of more than 2 GB outside the graph. Where each tensor lies follows from the
plan alone, so that an interrupted export goes on behind the last tensor that was written whole.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAME = "weights.bin"
JOURNAL = "journal.json"
ALIGNMENT = 4096
Make = Callable[[], dict[str, NDArray[Any]]]


@dataclass(frozen=True, slots=True)
class Planned:
    """A tensor to write: where it begins in the file."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int

    @property
    def nbytes(self) -> int:
        """Its size."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


@dataclass(slots=True)
class WeightsPlan:
    """Tensors in the order of the file, in groups that are made together."""

    tensors: dict[str, Planned] = field(default_factory=dict)
    groups: list[tuple[list[str], Make]] = field(default_factory=list)
    nbytes: int = 0

    def add(self, shapes: dict[str, tuple[Any, tuple[int, ...]]], make: Make) -> None:
        """Plans the tensors `shapes` (name to dtype and shape), which `make` returns."""
        for name, (dtype, shape) in shapes.items():
            planned = Planned(name, np.dtype(dtype), shape, self.nbytes)
            self.tensors[name] = planned
            self.nbytes += -(-planned.nbytes // ALIGNMENT) * ALIGNMENT
        self.groups.append((list(shapes), make))

    def write(self, folder: Path, key: str) -> Iterator[float]:
        """Writes the file into `folder` and yields the share that is done after each group.

        key: what the journal has to say for an earlier export to be continued. Raises OSError.
        """
        done = _finished(folder / JOURNAL, key)
        with (folder / NAME).open("r+b" if done and (folder / NAME).exists() else "wb") as out:
            for number, (names, make) in enumerate(self.groups):
                if number < done:
                    continue
                for name, array in make().items():
                    self._put(out.fileno(), self.tensors[name], array)
                assert names
                os.fsync(out.fileno())
                journal = json.dumps({"key": key, "done": number + 1})
                (folder / JOURNAL).write_text(journal, "utf-8")
                yield (number + 1) / len(self.groups)
            out.truncate(self.nbytes)
            os.fsync(out.fileno())
        yield 1.0

    @staticmethod
    def _put(descriptor: int, planned: Planned, array: NDArray[Any]) -> None:
        assert array.shape == planned.shape and array.dtype == planned.dtype, planned.name
        view = memoryview(np.ascontiguousarray(array)).cast("B")
        at = 0
        while at < len(view):
            at += os.pwrite(descriptor, view[at : at + (64 << 20)], planned.offset + at)


def _finished(journal: Path, key: str) -> int:
    """Groups that an earlier export with this key has written."""
    try:
        values = json.loads(journal.read_text("utf-8"))
        return int(values["done"]) if values["key"] == key else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0
