"""A CPU without AVX2 is served by the scalar kernels: the whole kernel test on an emulated one."""

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
    message = "MIDLINE_KERNELS=avx2 does not run on this CPU; possible here: scalar\n"
    assert (done.returncode, done.stderr) == (2, message)


def test_the_emulated_cpu_has_no_vector_instructions(emulated: list[str | Path]) -> None:
    """Otherwise the tests above would show nothing."""
    assert run_kernel_test(*emulated, "avx2").returncode == -signal.SIGILL
