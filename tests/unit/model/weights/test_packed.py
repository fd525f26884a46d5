"""Packed weights: packed once, read back the same, and packed again whenever in doubt."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import filelock
import numpy as np
import pytest
from packed_models import load, sections, the_packed_file

from midline import kernels
from midline.kernels.formats import GGMLType
from midline.kernels.reference import dequantize
from midline.model.errors import MidlineError, ModelFileError
from midline.model.weights import packed as weights
from midline.model.weights.config import read_config
from midline.model.weights.gguf import GGUFFile, read_gguf
from midline.model.weights.packed import (
    PackedWeights,
    model_hash,
    plan_weights,
    verify_packed_weights,
)
from midline.model.weights.packed_file import FORMAT_VERSION

TESTS = Path(__file__).resolve().parents[3]


def unpacked(loaded: PackedWeights, name: str) -> np.ndarray:
    """float32 [outputs, inputs]."""
    matrix, data = loaded.matrix(name), loaded.data(name)
    return np.vstack(
        [
            np.vstack([matrix.unpack(unit, sb, data) for sb in range(matrix.superblocks)]).T
            for unit in range(matrix.units)
        ]
    )


def test_every_tensor_lies_where_the_engine_reads_it(variant: Path, home: Path) -> None:
    file = read_gguf(variant)
    config, loaded = read_config(file), load(file)
    assert not loaded.from_cache

    def check(name: str, tensor: str, first: int, step: int = 1) -> int:
        """Compares units first, first + step, ... and returns the unit after the last."""
        info = file.tensors[tensor]
        truth = dequantize(info.type, file.data(tensor), info.shape)
        units = -(-len(truth) // kernels.UNIT)
        found = unpacked(loaded, name).reshape(-1, kernels.UNIT, truth.shape[1])
        rows = found[first : first + units * step : step].reshape(-1, truth.shape[1])
        np.testing.assert_array_equal(rows[: len(truth)], truth, tensor)
        assert not rows[len(truth) :].any()
        return first + units

    for i in range(config.layers):
        at = 0
        for part in "qkv":
            at = check(f"{i}.qkv", f"blk.{i}.attn_{part}.weight", at)
        check(f"{i}.out", f"blk.{i}.attn_output.weight", 0)
        check(f"{i}.gate_up", f"blk.{i}.ffn_gate.weight", 0, 2)
        check(f"{i}.gate_up", f"blk.{i}.ffn_up.weight", 1, 2)
        check(f"{i}.down", f"blk.{i}.ffn_down.weight", 0)
    check("head", weights.head_tensor(file), 0)


def test_what_is_read_back_is_what_was_packed(file: GGUFFile, packed_folder: Path) -> None:
    heard: list[float] = []
    first = load(file, heard.append)
    assert not first.from_cache
    assert heard == sorted(heard) and heard[-1] == 1
    second = load(file, heard.append)
    assert second.from_cache
    assert sections(first) == sections(second)
    assert heard[-1] == 1
    assert not list(packed_folder.glob("*.partial"))
    path = the_packed_file(packed_folder)
    versions = f"{kernels.LAYOUT_VERSION}.{FORMAT_VERSION}"
    assert path.name == f"{model_hash(file.path)[:32]}-v{versions}.packed"
    assert first.note == second.note == ""
    assert second.read is not None
    assert 0 < second.read.verify_seconds <= 2 * second.read.seconds


def test_packed_weights_are_verified_without_an_engine(file: GGUFFile, packed_folder: Path) -> None:
    assert verify_packed_weights(file.path, 2)["state"] == "have not been packed yet"
    load(file)
    found = verify_packed_weights(file.path, 2)
    assert found["state"] == "verified" and found["path"] == str(the_packed_file(packed_folder))
    assert found["bytes"] == plan_weights(file, read_config(file)).nbytes
    assert 0 < found["verify_seconds"] <= 2 * found["seconds"]


def test_short_reads_are_completed(
    file: GGUFFile, packed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sections(load(file))
    whole = os.preadv

    def stingy(fd: int, buffers: list[memoryview], offset: int) -> int:
        return whole(fd, [buffers[0][:10_007]], offset)

    monkeypatch.setattr(os, "preadv", stingy)
    again = load(file)
    assert again.from_cache and sections(again) == first


def test_a_changed_model_is_another_model(tiny_llama: Path, tmp_path: Path, home: Path) -> None:
    path = tmp_path / "copy.gguf"
    path.write_bytes(tiny_llama.read_bytes())
    assert not load(read_gguf(path)).from_cache
    assert load(read_gguf(tiny_llama)).from_cache  # the same bytes by another name
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert not load(read_gguf(path)).from_cache
    assert model_hash(path) != model_hash(tiny_llama)


def test_a_spoilt_memory_of_the_hash_is_not_believed(file: GGUFFile, packed_folder: Path) -> None:
    digest = model_hash(file.path)
    (memory,) = packed_folder.glob("*.sha256")
    assert memory.read_text() == digest
    for text in ("../" * 21 + "x", "", "é" * 64, digest[:-1]):
        memory.write_text(text)
        assert model_hash(file.path) == digest
    memory.write_text(digest.swapcase())  # what is believed is not computed
    assert model_hash(file.path) == digest.swapcase()


CODE = """
import sys
from pathlib import Path
from midline.model.weights.config import read_config
from midline.model.weights.gguf import read_gguf
from midline.model.weights.packed import load_weights
file = read_gguf(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
loaded = load_weights(file, read_config(file), 2)
print(hash(tuple(loaded.data(name).tobytes() for name in loaded.plan.sections)))
"""


def test_several_processes_pack_the_same_model_at_once(
    tiny_qwen2: Path, packed_folder: Path
) -> None:
    command = [sys.executable, "-P", "-c", CODE, str(tiny_qwen2)]
    pipe = subprocess.PIPE
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    processes = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    answers = [process.communicate("go\n", timeout=100)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(set(answers)) == 1
    assert load(read_gguf(tiny_qwen2)).from_cache
    assert not list(packed_folder.glob("*.partial"))


def test_while_another_process_writes_nothing_is_written(
    file: GGUFFile, packed_folder: Path
) -> None:
    first = sections(load(file))
    path = the_packed_file(packed_folder)
    path.unlink()
    with filelock.FileLock(path.with_suffix(".lock")):
        assert sections(load(file)) == first
        assert not path.exists()
    path.with_name(f"{path.name}.partial").write_bytes(b"left by one that was killed")
    load(file)
    assert load(file).from_cache
    assert not list(packed_folder.glob("*.partial"))


def test_a_full_disk_is_only_logged(
    file: GGUFFile,
    packed_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert not load(file).from_cache
    assert "could not be written" in caplog.text and "No space left" in caplog.text
    assert not list(packed_folder.glob("*.packed*"))
    monkeypatch.undo()


def test_a_cache_folder_that_is_a_file_is_only_logged(
    file: GGUFFile, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home.write_text("in the way")
    assert not load(file).from_cache
    assert "the model is packed again next time" in caplog.text


def test_too_little_memory_is_said_before_anything_is_taken(
    file: GGUFFile, packed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "available_memory", lambda: 100_000_000)
    monkeypatch.setattr(kernels, "allocate", lambda nbytes: pytest.fail("taken"))
    sentence = r"tiny-llama\.gguf needs \d+ MB of memory and 100 MB are free; close something or"
    with pytest.raises(MidlineError, match=sentence):
        load(file)
    assert not packed_folder.exists()


def test_memory_that_the_system_refuses_is_said(
    file: GGUFFile, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    def refused(nbytes: int) -> np.ndarray:
        raise MemoryError

    monkeypatch.setattr(kernels, "allocate", refused)
    with pytest.raises(MidlineError, match="MB of memory and the system refused it"):
        load(file)


def test_memory_that_is_not_known_is_no_obstacle(
    file: GGUFFile, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setattr(weights, "available_memory", lambda: None)
    assert load(file).plan.nbytes > 0


def test_a_type_that_no_kernel_runs_is_named(file: GGUFFile) -> None:
    info = file.tensors["blk.1.ffn_up.weight"]
    file.tensors["blk.1.ffn_up.weight"] = type(info)(
        **{
            name: getattr(info, name) if name != "type" else GGMLType.IQ4_NL
            for name in ("name", "type", "shape", "offset", "nbytes")
        }
    )
    with pytest.raises(ModelFileError, match=r"stores blk\.1\.ffn_up\.weight as IQ4_NL, which"):
        plan_weights(file, read_config(file))


def test_float_output_matrices_have_no_screen(variants: Callable[[str], Path]) -> None:
    narrow, llama = (read_gguf(variants(name)) for name in ("narrow", "llama"))
    assert "screen" in plan_weights(llama, read_config(llama)).sections
    assert narrow.tensors["output.weight"].type == GGMLType.F16
    assert "screen" not in plan_weights(narrow, read_config(narrow)).sections


def test_sections_begin_at_borders_of_pages_and_do_not_overlap(file: GGUFFile) -> None:
    plan, end = plan_weights(file, read_config(file)), 0
    for section in plan.sections.values():
        assert section.offset % 4096 == 0 and section.offset >= end
        end = section.offset + section.nbytes
    assert plan.nbytes >= end
