"""What the tests of packed weights share: a small model, and where its weights are packed."""

from pathlib import Path

import pytest

from midline.model.weights.gguf import GGUFFile, read_gguf


@pytest.fixture
def packed_folder(home: Path) -> Path:
    return home / "packed"


@pytest.fixture
def file(tiny_llama: Path) -> GGUFFile:
    return read_gguf(tiny_llama)
