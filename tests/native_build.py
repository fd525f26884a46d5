"""Builds the stand-alone kernel test (tests/native) for the tests that run it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parent.parent
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def find_program(*names: str) -> str | None:
    """The first of these programs that is installed, in this environment or the system."""
    return next((found for name in names if (found := shutil.which(name, path=PATH))), None)


def needed_program(*names: str) -> str:
    """The same, or the running test is skipped."""
    found = find_program(*names)
    return found or pytest.skip(f"{names[0]} is not installed")


def build_kernel_test(folder: str, *options: str) -> Path:
    """The build folder with kernel_test up to date; `make test-native` and its like share it."""
    needed_program("cmake")
    needed_program("ninja")
    if "--toolchain" not in options:
        needed_program(*os.environ.get("CXX", "c++ g++ clang++").split())
    build = ROOT / "build" / "kernel_test" / folder
    build.mkdir(parents=True, exist_ok=True)
    configure = ["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DMIDLINE_KERNEL_TEST=ON"]
    with FileLock(f"{build}.lock"):
        for command in ([*configure, *options], ["cmake", "--build", build]):
            done = subprocess.run(
                command, cwd=ROOT, env={**os.environ, "PATH": PATH}, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return build


def run_kernel_test(
    *command: str | Path, kernels: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it with MIDLINE_KERNELS as given, or unset."""
    env = {name: value for name, value in os.environ.items() if name != "MIDLINE_KERNELS"}
    if kernels:
        env["MIDLINE_KERNELS"] = kernels
    return subprocess.run([*command], env=env, capture_output=True, text=True)


def expect_passed(done: subprocess.CompletedProcess[str], name: str) -> None:
    """The kernels of this name ran and passed; skips the running test where they cannot run."""
    if done.returncode == 2:
        pytest.skip(done.stderr.strip())
    assert (done.returncode, done.stdout) == (0, f"{name}: passed\n"), done.stdout + done.stderr
