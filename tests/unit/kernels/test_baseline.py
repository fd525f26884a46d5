"""Kernels on emulated CPUs and virtual machines that lack AVX2 or a part of what comes with it."""

import platform
import signal
from pathlib import Path

import pytest
from native_build import build_kernel_test, expect_passed, needed_program, run_kernel_test

pytestmark = [
    pytest.mark.timeout(1200),  # compiles
    pytest.mark.skipif(platform.machine() != "x86_64", reason="another architecture"),
]

OLD_CPU = "Nehalem"  # of 2008: SSE 4.2, no AVX


@pytest.fixture(scope="module")
def emulated() -> list[str | Path]:
    """The kernel test on the old CPU."""
    emulator = needed_program("qemu-x86_64-static", "qemu-x86_64")
    return [emulator, "-cpu", OLD_CPU, build_kernel_test("native") / "tests/native/kernel_test"]


def test_dispatch_chooses_the_scalar_kernels(emulated: list[str | Path]) -> None:
    expect_passed(run_kernel_test(*emulated), "scalar")


def test_vector_kernels_are_refused(emulated: list[str | Path]) -> None:
    done = run_kernel_test(*emulated, kernels="avx2")
    message = (
        "MIDLINE_KERNELS=avx2 does not run on this CPU, which lacks AVX2, FMA and F16C; "
        "possible here: scalar\n"
    )
    assert (done.returncode, done.stderr) == (2, message)


def test_the_emulated_cpu_has_no_vector_instructions(emulated: list[str | Path]) -> None:
    """Otherwise the tests above would show nothing."""
    assert run_kernel_test(*emulated, "avx2").returncode == -signal.SIGILL


@pytest.mark.parametrize(
    ("cpu", "expected"),
    [
        ("SandyBridge", "scalar"),  # AVX without AVX2
        ("Haswell,-f16c", "scalar"),
        ("Haswell,-fma", "scalar"),
        ("Haswell,-avx2", "scalar"),
        ("Haswell,-xsave", "scalar"),  # registers that the operating system does not save
        ("Haswell", "avx2"),
    ],
)
def test_dispatch_chooses_what_the_cpu_runs(
    emulated: list[str | Path], cpu: str, expected: str
) -> None:
    emulator, _, _, program = emulated
    done = run_kernel_test(emulator, "-cpu", cpu, program, "--name")
    assert (done.returncode, done.stdout) == (0, f"{expected}\n"), done.stderr


@pytest.mark.parametrize(
    ("cpu", "lacks"),
    [("SandyBridge", "AVX2, FMA and F16C"), ("Haswell,-f16c,-fma", "FMA and F16C")],
)
def test_forced_kernels_are_refused_with_what_the_cpu_lacks(
    emulated: list[str | Path], cpu: str, lacks: str
) -> None:
    emulator, _, _, program = emulated
    done = run_kernel_test(emulator, "-cpu", cpu, program, "--name", kernels="avx2")
    message = f"MIDLINE_KERNELS=avx2 does not run on this CPU, which lacks {lacks}; "
    assert done.returncode == 2
    assert done.stderr.endswith(f"{message}possible here: scalar\n")
