"""Comparisons on one instruction set: what each side is told, and which builds are refused."""

from pathlib import Path

import pytest

from midline.benchmarks.speed.restricted import build_folder, check_features, environment
from midline.model.errors import UsageError


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that MIDLINE_LLAMA_AVX2 names."""
    (tmp_path / "built" / "llama_cpp").mkdir(parents=True)
    monkeypatch.setenv("MIDLINE_LLAMA_AVX2", str(tmp_path / "built"))
    return tmp_path / "built"


def test_both_sides_are_told(build: Path) -> None:
    assert environment("midline", "avx2") == {"MIDLINE_KERNELS": "avx2"}
    assert environment("llama.cpp", "avx2") == {"PYTHONPATH": str(build)}
    assert environment("llama.cpp", None) == environment("midline", None) == {}


def test_the_cache_folder_is_the_place_of_a_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MIDLINE_LLAMA_AVX2", raising=False)
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="run `make peer-avx2`, or name its folder"):
        build_folder("avx2")
    (tmp_path / "peers" / "llama.cpp-avx2" / "llama_cpp").mkdir(parents=True)
    assert build_folder("avx2") == tmp_path / "peers" / "llama.cpp-avx2"


@pytest.mark.parametrize(("peer", "isa"), [("openvino", "avx2"), ("llama.cpp", "neon")])
def test_what_cannot_be_restricted_is_refused(peer: str, isa: str) -> None:
    with pytest.raises(UsageError, match=f"{peer} cannot be restricted to --isa {isa}"):
        environment(peer, isa)


def test_a_build_that_uses_more_is_refused(build: Path) -> None:
    native = {"llama.cpp features": "CPU : AVX2 = 1 | AVX512 = 1 | AVX512_VNNI = 1 | FMA = 1"}
    plain = {"llama.cpp features": "CPU : AVX = 1 | AVX2 = 1 | FMA = 1"}
    with pytest.raises(UsageError, match="uses AVX512; `make peer-avx2`"):
        check_features("llama.cpp", "avx2", native)
    check_features("llama.cpp", "avx2", plain)
    check_features("llama.cpp", None, native)
    check_features("midline", "avx2", native)
