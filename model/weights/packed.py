"""Weights in the engine's packed layout: planned from a GGUF file, packed once, then read back.

The packed file is keyed by the model's SHA-256 and the layout version. It is written under another
name and renamed, so that a reader never sees half of one, and read in parallel into anonymous huge
pages (file mappings get small ones, which cost 15 to 30% of read bandwidth).
"""

import hashlib
import json
import logging
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import filelock
import numpy as np
from numpy.typing import NDArray

from midline import kernels
from midline.model.errors import MidlineError, ModelFileError
from midline.model.memory import available_memory
from midline.model.paths import packed_folder
from midline.model.weights.config import ModelConfig
from midline.model.weights.gguf import SUPPORTED, GGMLType, GGUFFile

log = logging.getLogger(__name__)

_MAGIC = b"MIDLINE\0"
_ALIGN = 4096
_READ_BYTES = 32 << 20
_ROOM_BYTES = 256 << 20  # what a process needs beside its weights
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Part:
    """One GGUF tensor's place in a fused matrix: its units are first, first + step, ..."""

    tensor: str
    first_unit: int
    step: int


@dataclass(slots=True)
class Section:
    """One packed matrix, or the output matrix's screen (`matrix` None), within the arena."""

    name: str
    offset: int
    nbytes: int
    matrix: kernels.Matrix | None
    parts: list[Part] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """Where everything lies in the arena, by the GGUF directory and the layout version alone."""

    sections: dict[str, Section] = field(default_factory=dict)
    nbytes: int = 0

    def add(self, name: str, matrix: kernels.Matrix | None, nbytes: int, parts: list[Part]) -> None:
        """Appends a section at the next border of 4096 bytes."""
        self.sections[name] = Section(name, self.nbytes, nbytes, matrix, parts)
        self.nbytes += -(-nbytes // _ALIGN) * _ALIGN


@dataclass(slots=True)
class PackedWeights:
    """The arena and what lies in it; `from_cache` says whether it was read rather than packed."""

    plan: Plan
    arena: NDArray[np.uint8]
    from_cache: bool

    def data(self, name: str) -> NDArray[np.uint8]:
        """Bytes of section `name`; empty if there is none."""
        section = self.plan.sections.get(name)
        if section is None:
            return np.empty(0, np.uint8)
        return self.arena[section.offset : section.offset + section.nbytes]

    def matrix(self, name: str) -> kernels.Matrix:
        """The packed matrix called `name`."""
        matrix = self.plan.sections[name].matrix
        assert matrix is not None
        return matrix


def head_tensor(file: GGUFFile) -> str:
    """Name of the output matrix: models without one of their own share the embedding."""
    return "output.weight" if "output.weight" in file.tensors else "token_embd.weight"


def plan_weights(file: GGUFFile, config: ModelConfig) -> Plan:
    """Plans the arena; ModelFileError names a tensor that is missing, misshapen or unsupported."""
    plan = Plan()
    c = config
    q, kv = c.heads * c.head_dim, c.kv_heads * c.head_dim
    for i in range(c.layers):
        block = f"blk.{i}."
        fused = [
            (block + "attn_q.weight", q),
            (block + "attn_k.weight", kv),
            (block + "attn_v.weight", kv),
        ]
        _plan_matrix(file, plan, f"{i}.qkv", fused, c.width, alternate=False)
        _plan_matrix(file, plan, f"{i}.out", [(block + "attn_output.weight", c.width)], q)
        pair = [(block + "ffn_gate.weight", c.hidden), (block + "ffn_up.weight", c.hidden)]
        _plan_matrix(file, plan, f"{i}.gate_up", pair, c.width, alternate=True)
        _plan_matrix(file, plan, f"{i}.down", [(block + "ffn_down.weight", c.width)], c.hidden)
    _checked_type(file, "token_embd.weight", (c.vocab, c.width))
    head = head_tensor(file)
    _plan_matrix(file, plan, "head", [(head, c.vocab)], c.width, run_bytes=1, min_items=1)
    if c.width % 64 == 0 and file.tensors[head].type not in (GGMLType.F32, GGMLType.F16):
        plan.add("screen", None, kernels.screen_bytes(c.width, c.vocab), [Part(head, 0, 1)])
    return plan


def _plan_matrix(
    file: GGUFFile,
    plan: Plan,
    name: str,
    tensors: Sequence[tuple[str, int]],
    inputs: int,
    *,
    alternate: bool = False,
    run_bytes: int = 2304,
    min_items: int = 8,
) -> None:
    types: list[list[int]] = []
    for tensor, outputs in tensors:
        kind = _checked_type(file, tensor, (outputs, inputs))
        types.append([int(kind)] * -(-outputs // kernels.UNIT))
    if alternate:
        units = [kind for pair in zip(*types, strict=True) for kind in pair]
        parts = [Part(tensor, i, len(tensors)) for i, (tensor, _) in enumerate(tensors)]
    else:
        units = [kind for group in types for kind in group]
        starts = np.cumsum([0, *map(len, types)])
        parts = [
            Part(tensor, int(start), 1) for (tensor, _), start in zip(tensors, starts, strict=False)
        ]
    try:
        matrix = kernels.Matrix(inputs, units, run_bytes, min_items)
    except ValueError as error:
        raise ModelFileError(f"{file.path} cannot be packed ({tensors[0][0]}: {error})") from error
    plan.add(name, matrix, matrix.nbytes, parts)


def _checked_type(file: GGUFFile, tensor: str, shape: tuple[int, int]) -> GGMLType:
    info = file.tensors.get(tensor)
    if info is None:
        raise ModelFileError(f"{file.path} has no tensor {tensor}; pull it again")
    if info.type not in SUPPORTED:
        known = ", ".join(sorted(kind.name for kind in SUPPORTED))
        raise ModelFileError(
            f"{file.path} stores {tensor} as {info.type.name}, which Midline does not run; "
            f"choose a file of {known}"
        )
    if info.shape != shape:
        raise ModelFileError(
            f"{file.path}: {tensor} has shape {info.shape}, not {shape}; pull it again"
        )
    return info.type


def load_weights(
    file: GGUFFile, config: ModelConfig, threads: int, progress: Progress | None = None
) -> PackedWeights:
    """Reads the packed file of this model, or packs it now and writes that file.

    Raises MidlineError when memory is too small; that the file cannot be written is only logged.
    """
    plan = plan_weights(file, config)
    _check_memory(file, plan)
    try:
        arena = kernels.allocate(plan.nbytes)
    except MemoryError:
        raise MidlineError(_memory_sentence(file, plan, None)) from None
    report = progress or (lambda _: None)
    key = _layout_key(plan)
    path = packed_folder() / f"{model_hash(file.path)[:32]}-v{kernels.LAYOUT_VERSION}.packed"
    if _read_packed(path, key, arena, plan, threads, report):
        return PackedWeights(plan, arena, True)
    _pack(file, plan, arena, threads, report)
    _write_packed(path, key, arena, plan)
    return PackedWeights(plan, arena, False)


def model_hash(path: Path) -> str:
    """SHA-256 of the file, remembered by path, size and time of change: a GB takes a second."""
    status = path.stat()
    key = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}"
    memory = packed_folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.sha256"
    with suppress(OSError, ValueError):
        text = memory.read_text("ascii")
        if len(bytes.fromhex(text)) == 32:
            return text
    with path.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    with suppress(OSError):
        _write_atomic(memory, [digest.encode()])
    return digest


def _layout_key(plan: Plan) -> bytes:
    sections = [(s.name, s.offset, s.nbytes) for s in plan.sections.values()]
    return hashlib.sha256(json.dumps([kernels.LAYOUT_VERSION, sections]).encode()).digest()


def _check_memory(file: GGUFFile, plan: Plan) -> None:
    free = available_memory()
    if free is not None and free < plan.nbytes + _ROOM_BYTES:
        raise MidlineError(_memory_sentence(file, plan, free))


def _memory_sentence(file: GGUFFile, plan: Plan, free: int | None) -> str:
    needed = (plan.nbytes + _ROOM_BYTES) / 1e6
    have = "the system refused it" if free is None else f"{free / 1e6:.0f} MB are free"
    return (
        f"{file.path.name} needs {needed:.0f} MB of memory and {have}; close something or choose a "
        "smaller model with --model"
    )


def _pack(
    file: GGUFFile, plan: Plan, arena: NDArray[np.uint8], threads: int, report: Progress
) -> None:
    jobs = list(_jobs(file, plan, arena))
    done = 0
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for _ in pool.map(lambda job: job(), jobs):
            done += 1
            report(done / len(jobs))


_JOB_ROWS = 64 * 128


def _jobs(file: GGUFFile, plan: Plan, arena: NDArray[np.uint8]) -> Iterator[Callable[[], None]]:
    for section in plan.sections.values():
        out = arena[section.offset : section.offset + section.nbytes]
        for part in section.parts:
            info = file.tensors[part.tensor]
            rows, inputs = info.shape
            data = file.data(part.tensor)
            row = info.nbytes // rows
            for first in range(0, rows, _JOB_ROWS):
                count = min(_JOB_ROWS, rows - first)
                if section.matrix is None:
                    kind = int(info.type)
                    yield partial(kernels.pack_screen, kind, inputs, data, first, count, out)
                else:
                    unit = part.first_unit + first // kernels.UNIT * part.step
                    piece = data[first * row : (first + count) * row]
                    yield partial(section.matrix.pack, unit, part.step, piece, count, out)


def _header(key: bytes, plan: Plan) -> bytes:
    head = _MAGIC + struct.pack("<IQ", kernels.LAYOUT_VERSION, plan.nbytes) + key
    return head.ljust(_ALIGN, b"\0")


def _read_packed(
    path: Path, key: bytes, arena: NDArray[np.uint8], plan: Plan, threads: int, report: Progress
) -> bool:
    try:
        with path.open("rb", buffering=0) as source:
            size = os.fstat(source.fileno()).st_size
            if source.read(_ALIGN) != _header(key, plan) or size != _ALIGN + plan.nbytes:
                log.warning("%s is of another layout or cut short; packing the model again", path)
                return False
            _read_parallel(source.fileno(), arena[: plan.nbytes], threads, report)
            return True
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning("%s could not be read (%s); packing the model again", path, error)
        return False


def _read_parallel(fd: int, arena: NDArray[np.uint8], threads: int, report: Progress) -> None:
    view = memoryview(arena)
    done = 0

    def read(start: int) -> int:
        end = min(start + _READ_BYTES, len(view))
        at = start
        while at < end:
            count = os.preadv(fd, [view[at:end]], _ALIGN + at)
            if count <= 0:
                raise OSError("unexpected end of file")
            at += count
        return end - start

    with ThreadPoolExecutor(max(1, threads)) as pool:
        for count in pool.map(read, range(0, len(view), _READ_BYTES)):
            done += count
            report(done / len(view))


def _write_packed(path: Path, key: bytes, arena: NDArray[np.uint8], plan: Plan) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.with_suffix(".lock"), timeout=0):
            _write_atomic(path, [_header(key, plan), memoryview(arena[: plan.nbytes])])
    except filelock.Timeout:
        log.info("another process is writing %s", path)
    except OSError as error:
        log.warning(
            "%s could not be written (%s); the model is packed again next time", path, error
        )


def _write_atomic(path: Path, pieces: Sequence[bytes | memoryview]) -> None:
    """Writes beside `path` and renames; what a killed writer left is overwritten by the next."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.partial")
    try:
        with beside.open("wb") as out:
            for piece in pieces:
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())  # renamed before it is on disk, a power cut leaves zeros
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
