"""Numbers of a source tree: what counts and what does not."""

from pathlib import Path

import pytest

from midline.benchmarks.structure import tree


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for room in tree.ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    return tmp_path


def test_files_are_counted_by_folder(root: Path) -> None:
    (root / "kernels" / "csrc").mkdir()
    for name in ("kernels/a.py", "kernels/csrc/b.cpp", "kernels/csrc/c.inc", "model/data.json"):
        (root / name).touch()
    assert tree.files_by_folder(root) == {"kernels": 1, "kernels/csrc": 2}


def test_long_signatures_count_every_kind_of_parameter(root: Path) -> None:
    (root / "model" / "a.py").write_text(
        "def long(a, b, /, c, d, *e, f, g, **h): ...\ndef short(a, b, c, d, e, f, g): ...\n"
    )
    assert tree.long_signatures(root) == ["model/a.py long: 8"]


def test_large_classes_count_their_methods(root: Path) -> None:
    methods = [f"    def m{n}(self): ...\n" for n in range(16)]
    large, small = "".join(methods), "".join(methods[:15])
    (root / "model" / "a.py").write_text(f"class Large:\n{large}class Small:\n{small}")
    assert tree.large_classes(root) == ["model/a.py Large: 16"]


def test_state_of_modules_is_what_can_change(root: Path) -> None:
    (root / "server" / "a.py").write_text(
        "import functools\nTABLE = {}\nseen = []\nnumber = 0\ncount: dict = {}\n__all__ = []\n"
        "def f():\n    global number\n    own = []\n"
        "@functools.lru_cache(maxsize=1)\ndef kept(): ...\n@property\ndef plain(): ...\n"
    )
    found = ["server/a.py " + name for name in ("count", "kept()", "number", "seen")]
    assert tree.module_state(root) == found


def test_lines_of_the_kernels_are_measured(root: Path) -> None:
    (root / "kernels" / "a.inc").write_text(f"{'x' * 120}\n{'x' * 121}\n")
    (root / "kernels" / "a.py").write_text(f"#{'x' * 200}\n")
    assert tree.long_cpp_lines(root) == 1


def test_a_repetition_is_named_once_a_place(root: Path) -> None:
    run = "".join(f"line_{n} = {n}\n" for n in range(8))
    (root / "model" / "a.py").write_text(f"first = 1\n{run}")
    (root / "model" / "b.py").write_text(f"import os\n\n    \n{run}other = 2\n")
    (root / "model" / "c.py").write_text("".join(run.splitlines(keepends=True)[:5]))
    assert tree.repetitions(root) == ["model/a.py:2", "model/b.py:4"]
