"""The file of packed weights: a header with one checksum for each piece, then the arena.

Header, little-endian: magic, format version, layout version, number of pieces, bytes of the arena,
SHA-256 of the plan, the XXH3-64 of every piece, zeros up to a multiple of 4096. Each piece is
verified by the thread that reads it, megabyte by megabyte while the bytes are in its cache. The
checksum finds damage, not forgery: whoever can write the cache can write the model as well.
"""

import os
import struct
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import filelock
import numpy as np
import xxhash
from numpy.typing import NDArray

from midline import kernels
from midline.model.atomic_write import atomic_write
from midline.model.weights.cache_files import open_cache_file

FORMAT_VERSION = 3
ALIGNMENT = 4096
PIECE_BYTES = 16 << 20
_READ_BYTES = 1 << 20
_MAGIC = b"MIDLINE\0"
Progress = Callable[[float], None]


class PackedFileError(Exception):
    """The file cannot be used; the message completes the sentence "the packed weights ..."."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes `start` up to `end` of the arena, all of section `name`; verified as a whole."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ReadTime:
    """Seconds that reading took, and the part of them in which the threads computed checksums."""

    seconds: float
    verify_seconds: float


def cut_into_pieces(sections: Sequence[tuple[str, int]], nbytes: int) -> list[Piece]:
    """Pieces of the sections (name, offset), each padded up to the next one; they cover it all."""
    ends = [offset for _, offset in sections[1:]] + [nbytes]
    return [
        Piece(name, start, min(start + PIECE_BYTES, end))
        for (name, offset), end in zip(sections, ends, strict=True)
        for start in range(offset, end, PIECE_BYTES)
    ]


@dataclass(frozen=True)
class PackedFile:
    """The packed weights at `path`; `key` (32 bytes) names the plan that `pieces` come from."""

    path: Path
    key: bytes
    pieces: Sequence[Piece]

    def read(self, arena: NDArray[np.uint8], threads: int, report: Progress) -> ReadTime:
        """Fills `arena` (uint8 [bytes of all pieces]) with verified bytes.

        Raises FileNotFoundError, PackedFileError (another version, damage) and OSError; `arena`
        then holds anything.
        """
        began = time.perf_counter()
        with open_cache_file(self.path) as source:
            checksums = self._read_header(source.fileno())
            verify = self._read_pieces(source.fileno(), arena, checksums, threads, report)
        return ReadTime(time.perf_counter() - began, verify / max(1, threads))

    def write(self, arena: NDArray[np.uint8], threads: int) -> None:
        """Writes the file anew. Raises OSError, and filelock.Timeout if another process does."""
        view = memoryview(arena)
        with ThreadPoolExecutor(max(1, threads)) as pool:
            checksums = list(
                pool.map(lambda p: xxhash.xxh3_64_intdigest(view[p.start : p.end]), self.pieces)
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(self.path.with_suffix(".lock"), timeout=0):
            atomic_write(self.path, self._header(checksums), view)

    @property
    def nbytes(self) -> int:
        """Bytes of the arena."""
        return self.pieces[-1].end

    def _header(self, checksums: Sequence[int]) -> bytes:
        count = len(self.pieces)
        fixed = struct.pack("<III", FORMAT_VERSION, kernels.LAYOUT_VERSION, count)
        sizes = struct.pack("<Q", self.nbytes)
        head = _MAGIC + fixed + sizes + self.key + struct.pack(f"<{count}Q", *checksums)
        return head.ljust(-(-len(head) // ALIGNMENT) * ALIGNMENT, b"\0")

    def _read_header(self, descriptor: int) -> tuple[int, ...]:
        """The checksums that the file promises."""
        length = len(self._header([0] * len(self.pieces)))
        header = os.pread(descriptor, length, 0)
        fixed = 8 + 12 + 8 + len(self.key)
        count = len(self.pieces)
        if len(header) < length or header[:12] != _MAGIC + struct.pack("<I", FORMAT_VERSION):
            raise PackedFileError("were of another version of Midline or cut short")
        checksums = struct.unpack_from(f"<{count}Q", header, fixed)
        size = os.fstat(descriptor).st_size
        if header != self._header(checksums) or size != length + self.nbytes:
            raise PackedFileError("were of another layout or cut short")
        return checksums

    def _read_pieces(
        self,
        descriptor: int,
        arena: NDArray[np.uint8],
        checksums: Sequence[int],
        threads: int,
        report: Progress,
    ) -> float:
        """Seconds in which all threads together computed checksums."""
        first = len(self._header(checksums))
        done, verify = 0, 0.0
        with ThreadPoolExecutor(max(1, threads)) as pool:
            found = pool.map(
                lambda piece: _read_piece(descriptor, first, arena, piece), self.pieces
            )
            for piece, wanted, (checksum, seconds) in zip(
                self.pieces, checksums, found, strict=True
            ):
                if checksum != wanted:
                    raise PackedFileError(f"were damaged (the checksum of {piece.name} is wrong)")
                done, verify = done + piece.end - piece.start, verify + seconds
                report(done / self.nbytes)
        return verify


def _read_piece(
    descriptor: int, first: int, arena: NDArray[np.uint8], piece: Piece
) -> tuple[int, float]:
    """Reads a piece of the arena that begins at byte `first`: its XXH3-64, and seconds for that."""
    view = memoryview(arena)
    hasher, seconds, at = xxhash.xxh3_64(), 0.0, piece.start
    while at < piece.end:
        here = view[at : min(at + _READ_BYTES, piece.end)]
        count = os.preadv(descriptor, [here], first + at)
        if count <= 0:
            raise OSError("unexpected end of file")
        began = time.perf_counter()
        hasher.update(here[:count])
        seconds += time.perf_counter() - began
        at += count
    return hasher.intdigest(), seconds
