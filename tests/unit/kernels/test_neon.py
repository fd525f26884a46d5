"""The Arm kernels, cross-compiled and run under an emulator."""

import signal
from pathlib import Path

import pytest
from native_build import build_kernel_test, expect_passed, needed_program, run_kernel_test

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

NEW_CPU = "max"
PLAIN_CPU = "cortex-a76"  # of 2018: the 8-bit dot product, but no I8MM
OLD_CPU = "cortex-a53"  # of 2012: Armv8.0, without the 8-bit dot product


@pytest.fixture(scope="module")
def emulated() -> tuple[str, Path]:
    """The emulator and the kernel test."""
    needed_program("aarch64-linux-gnu-g++")
    emulator = needed_program("qemu-aarch64-static", "qemu-aarch64")
    build = build_kernel_test("aarch64", "--toolchain", "tests/native/aarch64.cmake")
    return emulator, build / "tests/native/kernel_test"


def test_i8mm_kernels_agree_with_their_twins_and_with_float64(emulated: tuple[str, Path]) -> None:
    emulator, program = emulated
    expect_passed(run_kernel_test(emulator, "-cpu", NEW_CPU, program), "neoni8mm")


def test_neon_kernels_agree_with_their_twins_on_a_cpu_without_i8mm(
    emulated: tuple[str, Path],
) -> None:
    emulator, program = emulated
    expect_passed(run_kernel_test(emulator, "-cpu", PLAIN_CPU, program), "neon")


def test_neon_kernels_can_be_forced_on_a_cpu_with_i8mm(emulated: tuple[str, Path]) -> None:
    emulator, program = emulated
    done = run_kernel_test(emulator, "-cpu", NEW_CPU, program, "--name", kernels="neon")
    assert done.stdout == "neon\n", done.stderr


def test_i8mm_kernels_are_refused_on_a_cpu_without_it(emulated: tuple[str, Path]) -> None:
    emulator, program = emulated
    done = run_kernel_test(emulator, "-cpu", PLAIN_CPU, program, kernels="neoni8mm")
    assert (done.returncode, done.stderr) == (
        2,
        "MIDLINE_KERNELS=neoni8mm does not run on this CPU, which lacks the 8-bit matrix product "
        "(I8MM); possible here: neon, scalar\n",
    )


def test_the_emulated_plain_cpu_has_no_i8mm(emulated: tuple[str, Path]) -> None:
    """Otherwise the tests above would show nothing."""
    emulator, program = emulated
    done = run_kernel_test(emulator, "-cpu", PLAIN_CPU, program, "neoni8mm")
    assert done.returncode == -signal.SIGILL


def test_a_cpu_without_the_dot_product_is_served_by_the_scalar_kernels(
    emulated: tuple[str, Path],
) -> None:
    emulator, program = emulated
    expect_passed(run_kernel_test(emulator, "-cpu", OLD_CPU, program), "scalar")


def test_the_emulated_old_cpu_has_no_dot_product(emulated: tuple[str, Path]) -> None:
    """Otherwise the test above would show nothing."""
    emulator, program = emulated
    done = run_kernel_test(emulator, "-cpu", OLD_CPU, program, "neon")
    assert done.returncode == -signal.SIGILL
