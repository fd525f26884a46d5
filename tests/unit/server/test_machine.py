"""What can be told of a machine, from texts of machines that are not here."""

import sys
from pathlib import Path

import pytest

from midline.server import machine

X86 = """\
processor\t: 0
model name\t: AMD Ryzen 7 7840U
flags\t\t: fpu sse2 avx2 fma f16c avx512f avx512_vnni

processor\t: 1
model name\t: another
flags\t\t: fpu
"""
ARM = """\
processor\t: 0
Features\t: fp asimd asimddp i8mm
"""


@pytest.mark.parametrize(
    ("text", "features"),
    [(X86, ["avx2", "avx512_vnni", "avx512f", "f16c", "fma"]), (ARM, ["asimd", "asimddp", "i8mm"])],
)
def test_features_are_those_the_kernels_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, features: list[str]
) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(machine, "_CPU_INFO", tmp_path / "cpuinfo")
    assert machine.processor_features() == features
    assert machine.processor_name()
    if text is X86:
        assert machine.processor_name() == "AMD Ryzen 7 7840U"


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_freed_memory_is_given_back() -> None:
    pieces = [bytes(4096) for _ in range(20_000)]
    last = bytes(4096)  # what lies behind it keeps freed memory from going back by itself
    before = machine.resident_bytes()
    del pieces
    machine.return_free_memory()
    after = machine.resident_bytes()
    assert before is not None and after is not None
    assert before - after > 40 << 20 and len(last) == 4096


def test_macos_is_asked_by_sysctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"machdep.cpu.brand_string": "Apple M2", "hw.optional.arm.FEAT_DotProd": "1"}
    monkeypatch.setattr(machine, "_CPU_INFO", tmp_path / "none")
    monkeypatch.setattr(machine, "_sysctl", answers.get)
    assert machine.processor_name() == "Apple M2"
    assert machine.processor_features() == ["asimddp"]


def test_the_mode_of_huge_pages_is_the_bracketed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "enabled").write_text("always [madvise] never\n")
    monkeypatch.setattr(machine, "_HUGE_PAGES", tmp_path / "enabled")
    assert machine.huge_pages() == "madvise"
    monkeypatch.setattr(machine, "_HUGE_PAGES", tmp_path / "none")
    assert machine.huge_pages() is None


def test_this_machine_has_memory() -> None:
    memory = machine.memory_bytes()
    assert memory is None or memory > 2**28
