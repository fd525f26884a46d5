"""The wheel and the source archive, built once for all packaging tests."""

import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


Run = Callable[..., subprocess.CompletedProcess[str]]


def _build(kind: str, target: Path) -> Path:
    """Build with the backend of this environment, beside the development build, not in it."""
    code = (
        "import sys; from scikit_build_core import build; "
        f"build.build_{kind}(sys.argv[1], {{'build-dir': 'build/packaging'}})"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(target)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    [built] = target.iterdir()
    return built


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this interpreter."""
    return _build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive."""
    return _build("sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a command of a fresh environment that has the wheel, from a folder that has nothing.

    The wheel's dependencies are those of this environment.
    """
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", symlinks=True)
    binaries = folder / "venv" / "bin"
    command = [sys.executable, "-m", "pip", "--python", str(binaries / "python"), "install"]
    command += ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    _borrow_dependencies(folder / "venv")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()

    def run(name: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(binaries / name), *words],
            cwd=elsewhere,
            env={**os.environ, "MIDLINE_HOME": str(folder / "home")},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def _borrow_dependencies(environment: Path) -> None:
    """Make this environment's packages importable, all but its own editable Midline.

    A path file only extends the module search: the .pth files of the lender are not executed, so
    its editable import hook stays behind.
    """
    [site] = environment.glob("lib/python*/site-packages")
    lender = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "borrowed.pth").write_text(lender + "\n")
