"""The GGUF reader: right on good files, one sentence and no memory on bad ones."""

import os
import random
import struct
import time
import tracemalloc
from contextlib import suppress

import gguf_writer as writer
import numpy as np
import pytest
from gguf import GGUFReader
from gguf_writer import Tensor

from midline.kernels.formats import SUPPORTED, GGMLType
from midline.model.errors import ModelFileError
from midline.model.weights.gguf import StringArray, read_gguf

VALUES = {
    "general.architecture": "llama",
    "a.number": 7,
    "a.float": 0.5,
    "a.flag": True,
    "a.text": "naïve ünïcode",
    "some.strings": ["one", "", "três"],
    "some.numbers": np.array([3, -1, 2], np.int32),
}


def small_tensors():
    return {
        "first.weight": Tensor(GGMLType.F32, (3, 32), np.arange(384, dtype=np.uint8) % 251),
        "second.weight": Tensor(GGMLType.Q8_0, (2, 32), np.arange(68, dtype=np.uint8)),
    }


def small_bytes(**changes):
    return writer.gguf_bytes({**VALUES, **changes}, small_tensors())


@pytest.fixture
def read_bytes(tmp_path):
    def read(raw):
        path = tmp_path / "model.gguf"
        path.write_bytes(raw)
        return read_gguf(path)

    return read


def refusal(read_bytes, raw):
    with pytest.raises(ModelFileError) as caught:
        read_bytes(raw)
    message = str(caught.value)
    assert "model.gguf" in message and "\n" not in message and not message.endswith(".")
    return message


def one_tensor(name="t", shape=(32,), kind=0, offset=0, data=bytes(128), metadata=b"", entries=0):
    """A file with one directory entry of the test's own choosing."""
    head = writer.header(1, entries) + metadata
    head += writer.directory_entry(name, shape, kind, offset)
    return writer.padded(head) + data


def test_values_and_tensors_come_back(read_bytes):
    file = read_bytes(small_bytes())
    for key, value in VALUES.items():
        found = file.metadata[key]
        if isinstance(value, (np.ndarray, list)):
            assert list(found) == list(value)
        else:
            assert found == value and type(found) is type(value)
    assert isinstance(file.metadata["some.strings"], StringArray)
    assert file.metadata["some.numbers"].dtype == np.int32
    for name, tensor in small_tensors().items():
        info = file.tensors[name]
        assert (info.type, info.shape) == (tensor.kind, tensor.shape)
        assert np.array_equal(file.data(name), tensor.data)
        assert not file.data(name).flags.writeable


def test_strings_are_bytes_until_asked(read_bytes):
    strings = read_bytes(small_bytes(words=[b"\xff", b"ab", b"c"])).metadata["words"]
    assert strings.raw(0) == b"\xff" and strings[0] == "\ufffd"
    assert strings[1:] == ["ab", "c"] and list(strings) == ["\ufffd", "ab", "c"]
    assert strings.raw_list() == [b"\xff", b"ab", b"c"] and len(strings) == 3


def test_version_two_is_read(read_bytes):
    assert read_bytes(writer.gguf_bytes(VALUES, small_tensors(), version=2)).tensors


def test_the_alignment_is_the_files_own(read_bytes):
    raw = writer.gguf_bytes({"general.alignment": 128}, small_tensors(), alignment=128)
    file = read_bytes(raw)
    assert all(info.offset % 128 == 0 for info in file.tensors.values())
    assert np.array_equal(file.data("second.weight"), small_tensors()["second.weight"].data)


def test_a_missing_tensor_is_named(read_bytes):
    with pytest.raises(ModelFileError, match=r"no tensor named 'third\.weight'"):
        read_bytes(small_bytes()).data("third.weight")


def test_a_type_no_kernel_runs_is_still_listed(read_bytes):
    raw = one_tensor(shape=(1, 256), kind=GGMLType.IQ2_XXS, data=bytes(66))
    info = read_bytes(raw).tensors["t"]
    assert info.type is GGMLType.IQ2_XXS and info.type not in SUPPORTED and info.nbytes == 66


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "shorter than a GGUF header"),
        (b"PK\x03\x04" + bytes(60), "magic"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
        (writer.header(0, 0, version=1), "version is 1"),
        (writer.header(0, 0, version=77), "version is 77"),
        (writer.header(1 << 62, 0), "tensors, which do not fit"),
        (writer.header(0, 1 << 62), "entries, which do not fit"),
        (writer.header(0, 1) + struct.pack("<Q", 1 << 63) + bytes(30), "metadata key claims"),
        (writer.header(0, 1) + writer.text(b"\xff") + bytes(30), "not UTF-8"),
        (writer.header(0, 1) + writer.text("k") + struct.pack("<I", 99) + bytes(9), "type 99"),
        (writer.header(0, 1) + writer.text("k") + struct.pack("<IB", 7, 2), "boolean"),
        (writer.header(0, 2) + writer.entry("k", 1) * 2, "appears twice"),
        (writer.header(0, 1) + writer.text("k") + struct.pack("<IIQ", 9, 9, 1), "array of arrays"),
        (writer.header(0, 1) + writer.text("k") + struct.pack("<IIQ", 9, 8, 1 << 60), "1,152,"),
        (writer.header(0, 1) + writer.text("k") + struct.pack("<IIQ", 9, 5, 1 << 62), "elements"),
        (writer.header(0, 1) + writer.text("k") + struct.pack("<IIQ", 9, 5, 9999), "file ends at"),
        (writer.header(0, 1) + writer.text("k") + struct.pack("<IQ", 8, 1 << 61), "claims"),
        (one_tensor(shape=()), "0 dimensions"),
        (one_tensor(shape=(1, 1, 1, 1, 32)), "5 dimensions"),
        (one_tensor(shape=(0, 32)), "impossible shape"),
        (one_tensor(shape=(1 << 63, 1 << 63)), "impossible shape"),
        (one_tensor(shape=((1 << 32) - 1,) * 4), "should end at byte"),
        (one_tensor(kind=4), "type 4, which"),
        (one_tensor(shape=(33,), kind=GGMLType.Q8_0), "not a multiple of Q8_0's block of 32"),
        (one_tensor(offset=16), "not aligned"),
        (one_tensor(offset=1 << 63), "should end at byte"),
        (one_tensor(data=bytes(127)), "should end at byte"),
        (one_tensor(name="n" * 300), "tensor name claims"),
        (one_tensor(metadata=writer.entry("general.alignment", 12), entries=1), "alignment is 12"),
        (one_tensor(metadata=writer.entry("general.alignment", "x"), entries=1), "alignment is x"),
    ],
)
def test_each_lie_has_its_sentence(read_bytes, raw, words):
    assert words in refusal(read_bytes, raw)


def test_two_tensors_share_neither_name_nor_bytes(read_bytes):
    same = writer.directory_entry("t", (32,), 0, 0)
    raw = writer.padded(writer.header(2, 0) + same + same) + bytes(256)
    assert "'t' appears twice" in refusal(read_bytes, raw)
    other = writer.directory_entry("u", (32,), 0, 96)
    raw = writer.padded(writer.header(2, 0) + same + other) + bytes(256)
    assert "'u' overlaps the tensor 't'" in refusal(read_bytes, raw)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ModelFileError, match=r"none\.gguf cannot be read: No such file"):
        read_gguf(tmp_path / "none.gguf")
    with pytest.raises(ModelFileError, match="is not a file"):
        read_gguf(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match="pipe is not a file"):
        read_gguf(tmp_path / "pipe")


def test_a_part_of_a_model_is_refused_as_such(read_bytes):
    with pytest.raises(ModelFileError, match="one of 3 parts"):
        read_bytes(small_bytes(**{"split.count": 3}))


def test_every_truncation_is_refused(tmp_path):
    raw = small_bytes()
    end = len(raw) - (-68 % 32)  # padding after the last tensor may be missing
    path = tmp_path / "model.gguf"
    path.write_bytes(raw)
    for length in range(end - 1, -1, -1):
        with path.open("r+b") as file:
            file.truncate(length)
        with pytest.raises(ModelFileError):
            read_gguf(path)


def mutated(raw, rng):
    """`raw` with a few bytes, or one count, length or offset, replaced by an extreme value."""
    changed = bytearray(raw)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(changed))
        if rng.random() < 0.5:
            changed[at] = rng.randrange(256)
        else:
            extreme = rng.choice((0, 1, 0x7F, 0xFFFF, 1 << 31, 1 << 32, 1 << 63, (1 << 64) - 1))
            changed[at : at + 8] = struct.pack("<Q", extreme)
    return bytes(changed[: rng.randrange(len(changed))] if rng.random() < 0.2 else changed)


def test_mutated_files_are_read_or_refused_within_bounded_memory(tmp_path):
    rng = random.Random(2411)
    tokens = [f"token {index}" for index in range(60)]
    raw = small_bytes(tokens=tokens, **{"general.alignment": 32})
    path, refused = tmp_path / "model.gguf", 0
    tracemalloc.start()
    try:
        for _ in range(2500):
            path.write_bytes(mutated(raw, rng))
            with suppress(ModelFileError):
                refused += 1
                file = read_gguf(path)
                refused -= 1
                for name, info in file.tensors.items():
                    assert file.data(name).nbytes == info.nbytes <= len(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 << 20
    assert 600 < refused < 2500


def test_a_huge_sparse_file_costs_no_memory(tmp_path):
    path = tmp_path / "model.gguf"
    count = (4 << 20) + 1
    claim = writer.header(0, 1) + writer.text("k") + struct.pack("<IIQ", 9, 8, count)
    path.write_bytes(claim)
    with path.open("r+b") as file:
        file.truncate(1 << 31)
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match="strings, which do not fit"):
            read_gguf(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("model", ["tiny_qwen2", "tiny_llama", "smollm2_path"])
def test_models_agree_with_the_gguf_package(model, request):
    path = request.getfixturevalue(model)
    file, oracle = read_gguf(path), GGUFReader(path)
    assert {tensor.name for tensor in oracle.tensors} == set(file.tensors)
    for tensor in oracle.tensors:
        info = file.tensors[tensor.name]
        assert info.shape == tuple(int(length) for length in reversed(tensor.shape))
        assert (info.type, info.offset, info.nbytes) == (
            tensor.tensor_type,
            tensor.data_offset,
            tensor.n_bytes,
        )
    for key, field in oracle.fields.items():
        if not key.startswith("GGUF."):
            found, expected = file.metadata[key], field.contents()
            assert list(found) == expected if isinstance(expected, list) else found == expected


def test_a_vocabulary_of_151_936_tokens_is_read_at_once(qwen05_path):
    started = time.process_time()
    file = read_gguf(qwen05_path)
    assert time.process_time() - started < 0.3
    assert len(file.metadata["tokenizer.ggml.tokens"]) == 151_936
