"""A bounded reader of GGUF model files, versions 2 and 3, little-endian.

Layout (ggml's `docs/gguf.md`): magic, version, tensor count, entry count, metadata entries, tensor
directory, padding to the alignment, tensor data. Every number in the file is hostile until it has
been compared with the bytes that are really there: nothing is allocated from a count before that,
and no part of the file is walked twice.
"""

import math
import mmap
import os
import stat
import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn, overload

import numpy as np
from numpy.typing import NDArray

from midline.kernels.formats import SUPPORTED, GGMLType
from midline.model.errors import ModelFileError

__all__ = ["SUPPORTED", "GGMLType", "GGUFFile", "StringArray", "TensorInfo", "read_gguf"]

MAX_ENTRIES = 65_536
MAX_TENSORS = 65_536
MAX_DIMENSIONS = 4
MAX_KEY_BYTES = 65_535
MAX_NAME_BYTES = 256
MAX_TEXT_BYTES = 16 << 20
MAX_ARRAY_BYTES = 64 << 20
MAX_STRINGS = 4 << 20
MAX_METADATA_BYTES = 256 << 20
MAX_ALIGNMENT = 65_536

_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")
_ENTRY_BYTES = 8 + 4 + 1  # shortest metadata entry: empty key, type, one byte
_TENSOR_BYTES = 8 + 4 + 8 + 4 + 8  # shortest directory entry: empty name, one dimension

_TYPES = frozenset(int(kind) for kind in GGMLType)
_BOOL, _STRING, _ARRAY = 7, 8, 9
_SCALARS: dict[int, np.dtype[Any]] = {
    0: np.dtype("u1"),
    1: np.dtype("i1"),
    2: np.dtype("<u2"),
    3: np.dtype("<i2"),
    4: np.dtype("<u4"),
    5: np.dtype("<i4"),
    6: np.dtype("<f4"),
    _BOOL: np.dtype("?"),
    10: np.dtype("<u8"),
    11: np.dtype("<i8"),
    12: np.dtype("<f8"),
}


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Where a tensor lies and what it is made of.

    `shape` is in numpy order, (outputs, inputs) for a matrix; `offset` counts from the start of the
    file; `nbytes` follows from both and lies inside the file.
    """

    name: str
    type: GGMLType
    shape: tuple[int, ...]
    offset: int
    nbytes: int


class StringArray(Sequence[str]):
    """An array of strings of the metadata, decoded when asked for.

    `raw(i)` gives the exact bytes; indexing decodes UTF-8 and replaces what is not.
    """

    def __init__(self, data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
        self._data, self._starts, self._ends = data, starts, ends

    def __len__(self) -> int:
        return len(self._starts)

    def raw(self, index: int) -> bytes:
        """Bytes of string `index`, as they are in the file."""
        return self._data[self._starts[index] : self._ends[index]]

    def raw_list(self) -> list[bytes]:
        """Bytes of every string."""
        data = self._data
        spans = zip(self._starts.tolist(), self._ends.tolist(), strict=True)
        return [data[start:end] for start, end in spans]

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return self.raw(index).decode("utf-8", "replace")

    def __iter__(self) -> Iterator[str]:
        return (raw.decode("utf-8", "replace") for raw in self.raw_list())


@dataclass(frozen=True)
class GGUFFile:
    """A model file whose directory has been checked; tensor data stays on disk until it is read.

    `metadata` values are int, float, bool, str, a NumPy array of numbers, or a `StringArray`.
    `spans` are where the entries lie in the file, key included.
    """

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, TensorInfo]
    spans: dict[str, tuple[int, int]] = field(repr=False, compare=False)
    _map: mmap.mmap = field(repr=False, compare=False)

    def entry(self, key: str) -> bytes:
        """Bytes of the metadata entry `key` as they are in the file, for a copy of it."""
        start, end = self.spans[key]
        return self._map[start:end]

    def data(self, name: str) -> NDArray[np.uint8]:
        """Bytes of tensor `name`, uint8 [nbytes], row-major blocks; a read-only view of the file.

        Raises `ModelFileError` when the file has no such tensor.
        """
        info = self.tensors.get(name)
        if info is None:
            raise ModelFileError(f"{self.path} has no tensor named {name!r}")
        return np.frombuffer(self._map, np.uint8, count=info.nbytes, offset=info.offset)

    def release_pages(self) -> None:
        """Takes what was read of the file out of this process's memory; views stay valid.

        The system maps 64 kB around each byte touched: a prompt's embedding rows alone would keep
        tens of megabytes resident.
        """
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)


def read_gguf(path: str | os.PathLike[str]) -> GGUFFile:
    """Read and check the metadata and tensor directory of the GGUF file at `path`.

    Raises `ModelFileError`, one sentence, when the file cannot be read, is truncated, altered or
    not a GGUF this reader knows. Tensor types that the engine cannot run are no error here.
    """
    path = Path(path)
    view = _map_file(path)
    cursor = _Cursor(path, view)
    tensor_count, entry_count = _read_header(cursor)
    metadata, spans = _read_metadata(cursor, entry_count)
    parts = metadata.get("split.count")
    if isinstance(parts, int) and parts > 1:
        raise ModelFileError(
            f"{path} is one of {parts} parts of a model, join them first with "
            f"`llama-gguf-split --merge`"
        )
    tensors = _read_directory(cursor, tensor_count, _alignment(cursor, metadata))
    return GGUFFile(path, metadata, tensors, spans, view)


def _map_file(path: Path) -> mmap.mmap:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ModelFileError(f"{path} is not a file, give the path of a GGUF model file")
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < 24:
                _refuse(path, "it is shorter than a GGUF header")
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise ModelFileError(
            f"the model file {path} cannot be read: {error.strerror or error}"
        ) from error


def _refuse(path: Path, what: str) -> NoReturn:
    raise ModelFileError(
        f"{path} is not a usable model file: {what}; if it came from the catalogue, pull it again "
        f"with `midline model pull NAME`"
    )


def _show(raw: bytes) -> str:
    """Text from the file, short and printable enough for an error message."""
    return repr(raw[:64].decode("utf-8", "replace"))


class _Cursor:
    """A position in the file that only moves over bytes that exist."""

    def __init__(self, path: Path, view: mmap.mmap) -> None:
        self.path, self.view, self.size, self.at = path, view, len(view), 0

    def refuse(self, what: str) -> NoReturn:
        _refuse(self.path, what)

    def advance(self, length: int, what: str) -> int:
        """Step over `length` bytes and return where they start."""
        start = self.at
        if length > self.size - start:
            self.refuse(f"the file ends at byte {self.size:,}, inside {what}")
        self.at = start + length
        return start

    def take(self, length: int, what: str) -> bytes:
        start = self.advance(length, what)
        return self.view[start : start + length]

    def u32(self, what: str) -> int:
        value: int = _U32.unpack_from(self.view, self.advance(4, what))[0]
        return value

    def u64(self, what: str) -> int:
        value: int = _U64.unpack_from(self.view, self.advance(8, what))[0]
        return value

    def text(self, limit: int, what: str) -> bytes:
        length = self.u64(what)
        if length > limit:
            self.refuse(f"{what} claims {length:,} bytes where {limit:,} are the most")
        return self.take(length, what)

    def name(self, limit: int, what: str) -> str:
        raw = self.text(limit, what)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            self.refuse(f"{what} is not UTF-8: {_show(raw)}")


def _read_header(cursor: _Cursor) -> tuple[int, int]:
    """Tensor count and metadata entry count, both possible in a file of this size."""
    if cursor.take(4, "the magic") != b"GGUF":
        cursor.refuse("it does not begin with the magic GGUF")
    version = cursor.u32("the version")
    if version and version & 0xFFFF == 0:
        cursor.refuse("it is a big-endian GGUF and only little-endian ones are read")
    if version not in (2, 3):
        cursor.refuse(f"its GGUF version is {version} and only 2 and 3 are read")
    tensors, entries = cursor.u64("the tensor count"), cursor.u64("the metadata count")
    left = cursor.size - cursor.at
    if tensors > min(MAX_TENSORS, left // _TENSOR_BYTES):
        cursor.refuse(f"it claims {tensors:,} tensors, which do not fit in it")
    if entries > min(MAX_ENTRIES, left // _ENTRY_BYTES):
        cursor.refuse(f"it claims {entries:,} metadata entries, which do not fit in it")
    return tensors, entries


def _read_metadata(
    cursor: _Cursor, count: int
) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
    """The values of the entries, and where each entry lies."""
    metadata: dict[str, Any] = {}
    spans: dict[str, tuple[int, int]] = {}
    strings_left = MAX_STRINGS
    for _ in range(count):
        start = cursor.at
        key = cursor.name(MAX_KEY_BYTES, "a metadata key")
        if key in metadata:
            cursor.refuse(f"the metadata key {key!r} appears twice")
        what = f"the metadata value of {key[:64]!r}"
        value = _read_value(cursor, what, strings_left)
        if isinstance(value, StringArray):
            strings_left -= len(value)
        if cursor.at > MAX_METADATA_BYTES:
            cursor.refuse(f"its metadata is longer than {MAX_METADATA_BYTES:,} bytes")
        metadata[key], spans[key] = value, (start, cursor.at)
    return metadata, spans


def _read_value(cursor: _Cursor, what: str, strings_left: int) -> Any:
    kind = cursor.u32(what)
    if kind == _STRING:
        return cursor.text(MAX_TEXT_BYTES, what).decode("utf-8", "replace")
    if kind == _ARRAY:
        return _read_array(cursor, what, strings_left)
    return _read_numbers(cursor, kind, 1, what)[0].item()


def _read_array(cursor: _Cursor, what: str, strings_left: int) -> NDArray[Any] | StringArray:
    kind, count = cursor.u32(what), cursor.u64(what)
    if kind == _ARRAY:
        cursor.refuse(f"{what} is an array of arrays, which no model needs")
    if kind == _STRING:
        return _read_strings(cursor, count, what, strings_left)
    return _read_numbers(cursor, kind, count, what)


def _read_numbers(cursor: _Cursor, kind: int, count: int, what: str) -> NDArray[Any]:
    """`count` numbers of metadata type `kind`, copied out of the file."""
    dtype = _SCALARS.get(kind)
    if dtype is None:
        cursor.refuse(f"{what} has the unknown type {kind}")
    if count * dtype.itemsize > MAX_ARRAY_BYTES:
        cursor.refuse(f"{what} claims {count:,} elements, which is more than is read")
    raw = cursor.take(count * dtype.itemsize, what)
    if kind == _BOOL and raw.strip(b"\x00\x01"):
        cursor.refuse(f"{what} is a boolean other than 0 and 1")
    return np.frombuffer(raw, dtype)


def _read_strings(cursor: _Cursor, count: int, what: str, strings_left: int) -> StringArray:
    if count > min(strings_left, (cursor.size - cursor.at) // 8):
        cursor.refuse(f"{what} claims {count:,} strings, which do not fit in the file")
    ends = _walk_strings(cursor, count, what)
    starts = np.empty_like(ends)
    starts[:1] = 8
    starts[1:] = ends[:-1] + 8
    return StringArray(cursor.take(int(ends[-1]) if count else 0, what), starts, ends)


def _walk_strings(cursor: _Cursor, count: int, what: str) -> NDArray[np.int64]:
    """End of each string relative to the cursor, which stays; all are inside the file."""
    ends = array("q")
    unpack, view, size = _U64.unpack_from, cursor.view, cursor.size
    base = at = cursor.at
    for _ in range(count):
        if at + 8 <= size:
            at += unpack(view, at)[0]
        at += 8
        if at > size:
            cursor.refuse(f"the file ends at byte {size:,}, inside {what}")
        if at - base > MAX_ARRAY_BYTES:
            cursor.refuse(f"{what} has more than {MAX_ARRAY_BYTES:,} bytes of strings")
        ends.append(at - base)
    return np.frombuffer(ends, np.int64) if count else np.empty(0, np.int64)


def _alignment(cursor: _Cursor, metadata: dict[str, Any]) -> int:
    value = metadata.get("general.alignment", 32)
    if not isinstance(value, int) or not 8 <= value <= MAX_ALIGNMENT or value & (value - 1):
        cursor.refuse(f"its alignment is {value!s:.40}, not a power of two from 8 to 65,536")
    return value


def _read_directory(cursor: _Cursor, count: int, alignment: int) -> dict[str, TensorInfo]:
    """Tensors by name; no two share bytes, all lie inside the file."""
    relative: dict[str, TensorInfo] = {}
    for _ in range(count):
        info = _read_tensor_info(cursor, alignment)
        if info.name in relative:
            cursor.refuse(f"the tensor {info.name!r} appears twice")
        relative[info.name] = info
    base = -(-cursor.at // alignment) * alignment
    tensors = {name: replace(info, offset=base + info.offset) for name, info in relative.items()}
    _check_extents(cursor, tensors, base)
    return tensors


def _read_tensor_info(cursor: _Cursor, alignment: int) -> TensorInfo:
    """One directory entry; its offset still counts from the start of the tensor data."""
    name = cursor.name(MAX_NAME_BYTES, "a tensor name")
    what = f"the directory entry of tensor {name!r}"
    dimensions = cursor.u32(what)
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        cursor.refuse(f"the tensor {name!r} has {dimensions:,} dimensions")
    shape = tuple(cursor.u64(what) for _ in range(dimensions))[::-1]
    number, offset = cursor.u32(what), cursor.u64(what)
    if number not in _TYPES:
        cursor.refuse(f"the tensor {name!r} has the type {number}, which Midline does not know")
    kind = GGMLType(number)
    if 0 in shape or max(shape) >= 1 << 32:
        cursor.refuse(f"the tensor {name!r} has the impossible shape {shape}")
    if shape[-1] % kind.block_length:
        cursor.refuse(
            f"the rows of tensor {name!r} have {shape[-1]:,} weights, "
            f"not a multiple of {kind.name}'s block of {kind.block_length}"
        )
    if offset % alignment:
        cursor.refuse(f"the tensor {name!r} is not aligned to {alignment} bytes")
    return TensorInfo(name, kind, shape, offset, kind.row_bytes(math.prod(shape)))


def _check_extents(cursor: _Cursor, tensors: dict[str, TensorInfo], base: int) -> None:
    end, before = base, "the directory"
    for info in sorted(tensors.values(), key=lambda info: info.offset):
        if info.offset < end:
            cursor.refuse(f"the tensor {info.name!r} overlaps {before}")
        end, before = info.offset + info.nbytes, f"the tensor {info.name!r}"
        if end > cursor.size:
            cursor.refuse(
                f"the tensor {info.name!r} should end at byte {end:,} and the file has "
                f"{cursor.size:,}"
            )
