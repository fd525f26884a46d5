"""Writes GGUF bytes for tests, well-formed or not: nothing here checks what it is given."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

BOOL, STRING, ARRAY = 7, 8, 9


@dataclass(frozen=True)
class Tensor:
    """A tensor to be written: `shape` in numpy order, `data` uint8."""

    kind: int
    shape: tuple[int, ...]
    data: np.ndarray


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def typed(value: Any) -> bytes:
    """A metadata value with its type in front, chosen from the Python type."""
    if isinstance(value, bool):
        return struct.pack("<IB", BOOL, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, (str, bytes)):
        return struct.pack("<I", STRING) + text(value)
    if isinstance(value, np.ndarray):
        return struct.pack("<IIQ", ARRAY, 5, len(value)) + value.astype("<i4").tobytes()
    return struct.pack("<IIQ", ARRAY, STRING, len(value)) + b"".join(map(text, value))


def entry(key: str, value: Any) -> bytes:
    return text(key) + typed(value)


def directory_entry(name: str, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
    dimensions = b"".join(struct.pack("<Q", length) for length in reversed(shape))
    return (
        text(name) + struct.pack("<I", len(shape)) + dimensions + struct.pack("<IQ", kind, offset)
    )


def header(tensors: int, entries: int, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, entries)


def padded(raw: bytes, alignment: int = 32) -> bytes:
    return raw + bytes(-len(raw) % alignment)


def gguf_bytes(
    metadata: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    alignment: int = 32,
    version: int = 3,
) -> bytes:
    """The file of these metadata and tensors."""
    directory, data = b"", b""
    for name, tensor in tensors.items():
        directory += directory_entry(name, tensor.shape, tensor.kind, len(data))
        data += padded(tensor.data.tobytes(), alignment)
    entries = b"".join(entry(key, value) for key, value in metadata.items())
    head = header(len(tensors), len(metadata), version) + entries + directory
    return padded(head, alignment) + data
