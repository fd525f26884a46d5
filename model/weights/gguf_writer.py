"""Writing a GGUF file that differs from another one in its tensors and a few entries.

Metadata entries of the source are copied byte for byte, so that tokenizer and template stay what
they are. Tensors are taken one at a time: the memory that is needed is that of the largest one.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midline.kernels.formats import GGMLType
from midline.model.atomic_write import atomic_stream
from midline.model.weights.gguf import GGUFFile

ALIGNMENT = 32
_U32, _STRING, _BOOL = 4, 8, 7
Value = str | int | bool


@dataclass(frozen=True, slots=True)
class NewTensor:
    """A tensor to write: `shape` in numpy order; `data` makes its bytes, uint8 [nbytes]."""

    name: str
    type: GGMLType
    shape: tuple[int, ...]
    data: Callable[[], NDArray[np.uint8]]

    @property
    def nbytes(self) -> int:
        """Its size in the file, without padding."""
        return self.type.row_bytes(int(np.prod(self.shape, dtype=np.int64)))


def file_size(source: GGUFFile, tensors: list[NewTensor]) -> int:
    """Bytes of the file that `write_gguf` will write, give or take the new entries."""
    head = sum(end - start for start, end in source.spans.values())
    return head + sum(tensor.nbytes + ALIGNMENT + 128 for tensor in tensors)


def write_gguf(
    path: Path,
    source: GGUFFile,
    tensors: list[NewTensor],
    entries: Mapping[str, Value],
    report: Callable[[int], None] = lambda _: None,
) -> None:
    """Writes `path` as a whole or not at all; entries replace those of the source.

    report: called with the number of tensor bytes written so far; what it raises ends the writing.
    Raises OSError.
    """
    kept = [source.entry(key) for key in source.spans if key not in entries]
    kept = [entry for entry in kept if not entry[8:].startswith(b"general.alignment")]
    own = [_text(key) + _typed(value) for key, value in entries.items()]
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(kept) + len(own))
    directory, at = [], 0
    for tensor in tensors:
        directory.append(_directory_entry(tensor, at))
        at += _padded(tensor.nbytes)
    start = b"".join([head, *kept, *own, *directory])
    atomic_stream(path, _pieces(start, tensors, report))


def _pieces(
    start: bytes, tensors: list[NewTensor], report: Callable[[int], None]
) -> Iterator[bytes | memoryview]:
    yield start + bytes(_padded(len(start)) - len(start))
    done = 0
    for tensor in tensors:
        data = tensor.data()
        assert data.nbytes == tensor.nbytes, tensor.name
        yield memoryview(data)
        yield bytes(_padded(data.nbytes) - data.nbytes)
        done += data.nbytes
        report(done)


def _padded(length: int) -> int:
    return -(-length // ALIGNMENT) * ALIGNMENT


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def _typed(value: Value) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<IB", _BOOL, value)
    if isinstance(value, int):
        return struct.pack("<II", _U32, value)
    return struct.pack("<I", _STRING) + _text(value)


def _directory_entry(tensor: NewTensor, offset: int) -> bytes:
    dimensions = struct.pack(f"<{len(tensor.shape)}Q", *reversed(tensor.shape))
    head = _text(tensor.name) + struct.pack("<I", len(tensor.shape))
    return head + dimensions + struct.pack("<IQ", int(tensor.type), offset)
