"""The kernels of every instruction set this machine has, and what their objects hold."""

import platform
import re
import subprocess
from pathlib import Path

import pytest
from native_build import build_kernel_test, expect_passed, needed_program, run_kernel_test

X86 = platform.machine() in ("x86_64", "AMD64")
TABLES = ("scalar", "avx2", "avx2vnni", "avx512") if X86 else ("scalar", "neon", "neoni8mm")
AVX2 = {"avx2", "fma", "f16c"}
AVX512 = {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "avx512vbmi"}

pytestmark = pytest.mark.timeout(1200)  # compiles


@pytest.fixture(scope="module")
def build() -> Path:
    return build_kernel_test("native")


def _objects(build: Path) -> dict[str, Path]:
    folder = build / "CMakeFiles" / "midline_kernels.dir" / "kernels" / "csrc"
    return {str(path.relative_to(folder))[:-6]: path for path in folder.rglob("*.cpp.o")}


def _instructions(path: Path) -> str:
    disassembler = needed_program("objdump")
    command = [disassembler, "-d", "--no-show-raw-insn", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", TABLES)
def test_kernels_agree_with_their_twins_and_with_float64(build: Path, name: str) -> None:
    expect_passed(run_kernel_test(build / "tests/native/kernel_test", kernels=name), name)


@pytest.mark.skipif(not X86, reason="another architecture")
def test_avx_vnni_kernels_agree_in_the_encoding_of_avx512(build: Path) -> None:
    """On a CPU with AVX-512 but without AVX-VNNI, the only way to run these kernels."""
    program = build / "tests/native/avx2vnni_by_avx512"
    expect_passed(run_kernel_test(program, "avx2vnni"), "avx2vnni")


def test_dispatch_chooses_the_best_that_the_cpu_has(build: Path) -> None:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        pytest.skip("this system does not list the CPU's features in /proc/cpuinfo")
    features = set(re.findall(r"\w+", cpuinfo.read_text()))
    expected = "neon" if "asimddp" in features else "scalar"
    expected = "neoni8mm" if features >= {"asimddp", "i8mm"} else expected
    if features >= AVX2:
        expected = "avx2vnni" if "avx_vnni" in features else "avx2"
        expected = "avx512" if features >= AVX512 else expected
    done = run_kernel_test(build / "tests/native/kernel_test")
    assert done.stdout == f"{expected}: passed\n"


def test_kernels_that_do_not_run_here_are_refused_with_those_that_do(build: Path) -> None:
    done = run_kernel_test(build / "tests/native/kernel_test", kernels="mmx")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "MIDLINE_KERNELS=mmx is not the name of a set of kernels; possible here: "
    )
    assert "scalar" in done.stderr


def test_objects_of_an_instruction_set_define_their_table_only(build: Path) -> None:
    """Of two copies of an inline function the linker keeps one: it must not be the one that needs
    instructions which the CPU may lack.
    """
    lister = needed_program("nm")
    objects = {n: p for n, p in _objects(build).items() if n.startswith(("x86/", "arm/"))}
    assert set(objects) == {f"{'x86' if X86 else 'arm'}/{table}" for table in TABLES[1:]}
    for name, path in objects.items():
        listed = subprocess.run([lister, "-P", "-g", str(path)], capture_output=True, text=True)
        symbols = [line.split()[:2] for line in listed.stdout.splitlines() if len(line.split()) > 1]
        defined = [symbol.lstrip("_") for symbol, kind in symbols if kind not in "Uwv"]
        table = f"{Path(name).name}_kernels"
        assert defined == [f"ZN7midline{len(table)}{table}Ev"]


@pytest.mark.skipif(not X86, reason="another architecture")
def test_all_other_objects_keep_to_the_baseline(build: Path) -> None:
    """No instruction with a VEX or EVEX prefix (a mnemonic in v) outside x86/.

    Except in the debug product, whose clones the loader chooses among by what the CPU has;
    test_baseline runs it where there is no AVX.
    """
    vector = re.compile(r":\t(?:\{\w+\} )?v(?!er[rw]\b)\w+")
    objects = _objects(build)
    assert vector.search(_instructions(objects["x86/avx2"]))
    for name, path in objects.items():
        if not name.startswith("x86/") and name != "decoder/float_product":
            assert not vector.search(_instructions(path)), name


@pytest.mark.skipif(not X86, reason="another architecture")
def test_avx_vnni_objects_use_its_dot_product_and_nothing_of_avx512(build: Path) -> None:
    code = _instructions(_objects(build)["x86/avx2vnni"])
    assert "{vex} vpdpbusd" in code
    assert not re.search(r"%zmm|%[xyz]mm(1[6-9]|2\d|3[01])|%k[1-7]", code)
    assert "vpdpbusd" not in _instructions(_objects(build)["x86/avx2"])
