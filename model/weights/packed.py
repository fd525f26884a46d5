"""Weights in the engine's packed layout: planned from a GGUF file, packed once, then read back.

The packed file (`packed_file.py`) is keyed by the model's SHA-256 and the versions of layout and
format. It is read in parallel into anonymous huge pages: file mappings get small ones, which cost
15 to 30% of read bandwidth.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import filelock
import numpy as np
from numpy.typing import NDArray

from midline import kernels
from midline.model.atomic_write import atomic_write
from midline.model.errors import MidlineError, ModelFileError
from midline.model.memory import available_memory
from midline.model.paths import packed_folder
from midline.model.weights.block_scales import check_all_scales
from midline.model.weights.cache_files import read_cache_file
from midline.model.weights.config import ModelConfig, read_config
from midline.model.weights.gguf import SUPPORTED, GGMLType, GGUFFile, read_gguf
from midline.model.weights.packed_file import (
    ALIGNMENT,
    FORMAT_VERSION,
    PackedFile,
    PackedFileError,
    Progress,
    ReadTime,
    cut_into_pieces,
)

log = logging.getLogger(__name__)

_ROOM_BYTES = 256 << 20  # what a process needs beside its weights


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
    """The sections of the arena (one allocation with all packed weights) and their offsets. They
    follow from the GGUF directory and the layout version alone."""

    sections: dict[str, Section] = field(default_factory=dict)
    nbytes: int = 0

    def add(self, name: str, matrix: kernels.Matrix | None, nbytes: int, parts: list[Part]) -> None:
        """Appends a section at the next border of 4096 bytes."""
        self.sections[name] = Section(name, self.nbytes, nbytes, matrix, parts)
        self.nbytes += -(-nbytes // ALIGNMENT) * ALIGNMENT


@dataclass(slots=True)
class PackedWeights:
    """The arena and its sections.

    `read` tells how long reading the packed file took; None means that the weights were packed just
    now. `note` is a sentence for the user where that was not expected.
    """

    plan: Plan
    arena: NDArray[np.uint8]
    read: ReadTime | None = None
    note: str = ""

    @property
    def from_cache(self) -> bool:
        """Whether the packed file was read."""
        return self.read is not None

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
    stored = packed_file(file, plan)
    try:
        read = stored.read(arena[: plan.nbytes], threads, report)
        return PackedWeights(plan, arena, read)
    except FileNotFoundError:
        reason = "were of another version of Midline" if _other_versions(stored.path) else ""
    except (PackedFileError, OSError) as error:
        known = isinstance(error, PackedFileError)
        reason = str(error) if known else f"could not be read ({error})"
        log.warning("the packed weights at %s %s; packing the model again", stored.path, reason)
        arena.fill(0)
    check_all_scales(file, threads)
    _pack(file, plan, arena, threads, report)
    _write_packed(stored, arena[: plan.nbytes], threads)
    note = f"the packed weights of {file.path.name} {reason} and were packed again"
    return PackedWeights(plan, arena, note=note if reason else "")


def verify_packed_weights(path: Path, threads: int) -> dict[str, Any]:
    """Reads the packed weights of the model file at `path` and keeps nothing of them.

    The keys are `path`, `bytes`, `state` ("verified", or what is wrong), `seconds` and
    `verify_seconds` (None where nothing could be read). Raises MidlineError as `load_weights`.
    """
    file = read_gguf(path)
    plan = plan_weights(file, read_config(file))
    _check_memory(file, plan)
    stored, state = packed_file(file, plan), "verified"
    read: ReadTime | None = None
    try:
        read = stored.read(kernels.allocate(plan.nbytes)[: plan.nbytes], threads, lambda _: None)
    except FileNotFoundError:
        state = "have not been packed yet"
    except (PackedFileError, OSError) as error:
        state = str(error)
    return {
        "path": str(stored.path),
        "bytes": plan.nbytes,
        "state": state,
        "seconds": read.seconds if read else None,
        "verify_seconds": read.verify_seconds if read else None,
    }


def packed_file(file: GGUFFile, plan: Plan) -> PackedFile:
    """Where the packed weights of `file` are kept, whether or not they are there."""
    sections = [(s.name, s.offset, s.nbytes) for s in plan.sections.values()]
    key = hashlib.sha256(json.dumps([kernels.LAYOUT_VERSION, sections]).encode()).digest()
    name = f"{model_hash(file.path)[:32]}-v{kernels.LAYOUT_VERSION}.{FORMAT_VERSION}.packed"
    pieces = cut_into_pieces([(name, offset) for name, offset, _ in sections], plan.nbytes)
    return PackedFile(packed_folder() / name, key, pieces)


def _other_versions(path: Path) -> list[Path]:
    """Packed files of the same model that other versions of Midline have left."""
    model = path.name.partition("-")[0]
    return [other for other in path.parent.glob(f"{model}-v*.packed") if other != path]


def model_hash(path: Path) -> str:
    """SHA-256 of the file, remembered by path, size and time of change: a GB takes a second."""
    status = path.stat()
    key = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}"
    memory = packed_folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.sha256"
    with suppress(OSError, ValueError):
        text = read_cache_file(memory, 65).decode("ascii")
        if len(bytes.fromhex(text)) == 32:
            return text
    with path.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    with suppress(OSError):
        atomic_write(memory, digest.encode())
    return digest


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


def _write_packed(stored: PackedFile, arena: NDArray[np.uint8], threads: int) -> None:
    """Keeps the arena for the next start and removes what other versions kept of this model."""
    try:
        stored.write(arena, threads)
        for other in _other_versions(stored.path):
            other.unlink(missing_ok=True)
    except filelock.Timeout:
        log.info("another process is writing %s", stored.path)
    except OSError as error:
        log.warning(
            "%s could not be written (%s); the model is packed again next time", stored.path, error
        )
