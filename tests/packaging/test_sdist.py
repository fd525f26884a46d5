"""The source archive builds Midline and holds nothing that grew beside it."""

import subprocess
import tarfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
GROWN = {".git", ".venv", ".typing", "build", "dist", "__pycache__", "node_modules", ".mypy_cache"}


@pytest.fixture(scope="module")
def names(sdist: Path) -> set[str]:
    with tarfile.open(sdist) as archive:
        members = archive.getnames()
    [top] = {name.split("/")[0] for name in members}
    assert top.startswith("midline-")
    return {"/".join(name.split("/")[1:]) for name in members} - {""}


def test_it_holds_what_a_build_needs(names: set[str]) -> None:
    needed = {"pyproject.toml", "CMakeLists.txt", "README.md", "LICENSE", "kernels/py.typed"}
    needed |= {
        str(path.relative_to(ROOT))
        for room in ("kernels", "model", "server", "benchmarks")
        for path in (ROOT / room).rglob("*")
        if path.suffix in {".py", ".cpp", ".h"}
    }
    assert needed <= names


def test_it_holds_nothing_that_grew(names: set[str]) -> None:
    grown = [name for name in names if GROWN & set(PurePosixPath(name).parts)]
    assert grown == []
    assert [name for name in names if name.endswith((".so", ".o", ".gguf", ".pyc"))] == []


def test_it_holds_only_tracked_or_new_files(names: set[str]) -> None:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listing.returncode != 0:
        pytest.skip("not in a git repository")
    known = set(listing.stdout.splitlines()) | {"PKG-INFO"}
    assert {name for name in names if (ROOT / name).is_file()} - known == set()
