"""Packed weights: packed once, read back the same, and packed again whenever in doubt."""

import errno
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import filelock
import numpy as np
import pytest

from midline import kernels
from midline.kernels.formats import GGMLType
from midline.kernels.reference import dequantize
from midline.model.errors import MidlineError, ModelFileError
from midline.model.weights import packed as weights
from midline.model.weights.config import read_config
from midline.model.weights.gguf import GGUFFile, read_gguf
from midline.model.weights.packed import (
    PackedWeights,
    load_weights,
    model_hash,
    plan_weights,
    verify_packed_weights,
)
from midline.model.weights.packed_file import FORMAT_VERSION

TESTS = Path(__file__).resolve().parents[3]


@pytest.fixture
def packed_folder(home: Path) -> Path:
    return home / "packed"


@pytest.fixture
def file(tiny_llama: Path) -> GGUFFile:
    return read_gguf(tiny_llama)


def load(file: GGUFFile, progress: Callable[[float], None] | None = None) -> PackedWeights:
    return load_weights(file, read_config(file), 2, progress)


def the_packed_file(folder: Path) -> Path:
    (path,) = folder.glob("*.packed")
    return path


def sections(loaded: PackedWeights) -> dict[str, bytes]:
    return {name: loaded.data(name).tobytes() for name in loaded.plan.sections}


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


def spoil(path: Path, how: str) -> None:
    data = path.read_bytes()
    changed = {
        "cut short": data[:-1],
        "too long": data + b"\0",
        "empty": b"",
        "another magic": b"SOMEONE\0" + data[8:],
        "another version": data[:8] + b"\xff" + data[9:],
        "another key": data[:30] + bytes([data[30] ^ 1]) + data[31:],
        "another padding": data[:4000] + b"\1" + data[4001:],
        "half a header": data[:1000],
    }
    path.write_bytes(changed[how])


@pytest.mark.parametrize(
    "how",
    [
        "cut short",
        "too long",
        "empty",
        "another magic",
        "another version",
        "another key",
        "another padding",
        "half a header",
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_made_again(
    file: GGUFFile, packed_folder: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = sections(load(file))
    path = the_packed_file(packed_folder)
    spoil(path, how)
    with caplog.at_level(logging.WARNING):
        again = load(file)
    assert not again.from_cache and sections(again) == first
    assert f"the packed weights at {path} were of another " in caplog.text
    assert again.note.startswith("the packed weights of tiny-llama.gguf were of another ")
    assert again.note.endswith(" or cut short and were packed again")
    assert load(file).from_cache and load(file).note == ""


def test_a_file_that_cannot_be_read_is_made_again(
    file: GGUFFile, packed_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: object
) -> None:
    first = sections(load(file))

    def broken(fd: int, buffers: list[memoryview], offset: int) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "preadv", broken)
    again = load(file)
    assert not again.from_cache and sections(again) == first
    assert "could not be read" in caplog.text  # type: ignore[attr-defined]


@pytest.mark.parametrize("what", ["first", "last", "checksum", "not a number"])
def test_flipped_bytes_are_never_used(file: GGUFFile, packed_folder: Path, what: str) -> None:
    first = sections(load(file))
    path = the_packed_file(packed_folder)
    data = bytearray(path.read_bytes())
    at = {"first": 4096, "last": len(data) - 1, "checksum": 64, "not a number": 5000}[what]
    data[at] ^= 1
    if what == "not a number":
        data[at : at + 4096] = b"\xff" * 4096
    path.write_bytes(data)
    if what != "checksum":
        assert "were damaged (the checksum of" in verify_packed_weights(file.path, 2)["state"]
    again = load(file)
    assert not again.from_cache and sections(again) == first
    assert again.note.startswith("the packed weights of tiny-llama.gguf were damaged (the checksum")
    assert load(file).from_cache and load(file).note == ""
    assert verify_packed_weights(file.path, 2)["state"] == "verified"


@pytest.mark.parametrize("kind", ["fifo", "device"])
@pytest.mark.parametrize("which", ["packed", "sha256", "partial"])
@pytest.mark.timeout(60)
def test_special_files_in_the_cache_are_replaced_and_not_waited_for(
    file: GGUFFile, packed_folder: Path, kind: str, which: str
) -> None:
    first = sections(load(file))
    path = the_packed_file(packed_folder)
    names = {"packed": path, "partial": path.with_name(f"{path.name}.partial")}
    places = list(packed_folder.glob("*.sha256")) if which == "sha256" else [names[which]]
    if which == "partial":
        path.unlink()
    for place in places:
        place.unlink(missing_ok=True)
        if kind == "fifo":
            os.mkfifo(place)
        else:
            place.symlink_to("/dev/zero")
    again = load(file)
    assert sections(again) == first
    if which == "packed":
        assert again.note.endswith(
            f"could not be read ({path} is not a regular file) and were packed again"
        )
    assert load(file).from_cache
    assert all(place.is_file() for place in places if which != "partial")


def test_what_other_versions_left_is_replaced_with_a_word(
    file: GGUFFile, packed_folder: Path
) -> None:
    first = sections(load(file))
    path = the_packed_file(packed_folder)
    older = path.with_name(f"{model_hash(file.path)[:32]}-v2.packed")
    stranger = path.with_name(f"{'0' * 32}-v2.packed")
    path.rename(older)
    stranger.write_bytes(b"of another model")
    again = load(file)
    assert not again.from_cache and sections(again) == first
    assert again.note == (
        "the packed weights of tiny-llama.gguf were of another version of Midline and were packed "
        "again"
    )
    assert path.exists() and stranger.exists() and not older.exists()
    assert load(file).note == ""


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
