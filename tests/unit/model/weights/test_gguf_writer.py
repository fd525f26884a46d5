"""A file written from another one: tensors, entries, and what happens when writing fails."""

from pathlib import Path

import numpy as np
import pytest

from midline.kernels.formats import GGMLType
from midline.model.weights.gguf import read_gguf
from midline.model.weights.gguf_writer import NewTensor, file_size, write_gguf


def copies(file) -> list[NewTensor]:
    return [
        NewTensor(info.name, info.type, info.shape, lambda name=info.name: file.data(name))
        for info in file.tensors.values()
    ]


def test_a_copy_holds_what_the_source_holds(tiny_qwen2: Path, tmp_path: Path) -> None:
    source = read_gguf(tiny_qwen2)
    done: list[int] = []
    write_gguf(
        tmp_path / "copy.gguf",
        source,
        copies(source),
        {"general.name": "copy", "midline.n": 3},
        done.append,
    )
    copy = read_gguf(tmp_path / "copy.gguf")
    assert copy.metadata["general.name"] == "copy" and copy.metadata["midline.n"] == 3
    for key in source.metadata:
        if key != "general.name":
            assert copy.entry(key) == source.entry(key)
    for name, info in source.tensors.items():
        assert (copy.tensors[name].type, copy.tensors[name].shape) == (info.type, info.shape)
        np.testing.assert_array_equal(copy.data(name), source.data(name))
    assert done == sorted(done) and done[-1] == sum(i.nbytes for i in source.tensors.values())
    assert abs((tmp_path / "copy.gguf").stat().st_size - file_size(source, copies(source))) < 20_000


def test_nothing_is_left_of_a_file_that_could_not_be_finished(
    tiny_qwen2: Path, tmp_path: Path
) -> None:
    source = read_gguf(tiny_qwen2)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    (tmp_path / "there.gguf").write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt):
        write_gguf(tmp_path / "there.gguf", source, copies(source), {}, stop)
    assert [p.name for p in tmp_path.iterdir()] == ["there.gguf"]
    assert (tmp_path / "there.gguf").read_bytes() == b"before"


def test_a_tensor_of_its_own_type(tiny_qwen2: Path, tmp_path: Path) -> None:
    source = read_gguf(tiny_qwen2)
    zeros = NewTensor("a", GGMLType.F32, (2, 32), lambda: np.zeros(256, np.uint8))
    write_gguf(tmp_path / "one.gguf", source, [zeros], {})
    assert list(read_gguf(tmp_path / "one.gguf").tensors) == ["a"]
