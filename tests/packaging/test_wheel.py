"""What a user gets: from the wheel, in another folder, without the repository."""

import json
import subprocess
import zipfile
from collections.abc import Callable
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = ("kernels", "model", "server", "benchmarks")
Run = Callable[..., subprocess.CompletedProcess[str]]


def _names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_rooms_and_nothing_beside_them(wheel: Path) -> None:
    names = _names(wheel)
    outside = [n for n in names if n.split("/")[0] != "midline" and ".dist-info/" not in n]
    assert outside == []
    assert {n.split("/")[1] for n in names if n.startswith("midline/")} == set(ROOMS)
    assert [n for n in names if "csrc" in n or n.endswith((".cpp", ".o", ".pyc"))] == []
    assert [n for n in names if n.startswith("midline/benchmarks/results/")] == []
    assert "midline/benchmarks/figures.toml" in names
    for room in ROOMS:
        assert f"midline/{room}/py.typed" in names
        sources = {f"midline/{p.relative_to(ROOT)}" for p in (ROOT / room).rglob("*.py")}
        assert sources <= set(names)
    assert [n for n in names if n.startswith("midline/kernels/_native") and n.endswith(".so")]


def test_the_wheel_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        fields = Parser().parsestr(archive.read(name).decode())
        assert [n for n in archive.namelist() if n.endswith("licenses/LICENSE")]
    assert fields["License-Expression"] == "Apache-2.0"
    needed = [r for r in fields.get_all("Requires-Dist", []) if "extra ==" not in r]
    heavy = [r for r in needed if r.startswith(("torch", "transformers", "onnx", "optimum"))]
    assert heavy == []


def test_only_midline_is_importable(installed: Run) -> None:
    code = (
        "import importlib.util as u, json, sys; "
        f"print(json.dumps([[u.find_spec(n) is not None, u.find_spec('midline.' + n).origin] "
        f"for n in {ROOMS!r}] + [u.find_spec('tests') is not None]))"
    )
    done = installed("python", "-P", "-c", code)
    assert done.returncode == 0, done.stderr
    *rooms, tests = json.loads(done.stdout)
    assert not tests
    for bare, origin in rooms:
        assert not bare
        assert not Path(origin).is_relative_to(ROOT)


def test_the_kernels_load_from_the_wheel(installed: Run) -> None:
    code = "import midline.kernels._native as n; print(n.__file__)"
    done = installed("python", "-P", "-c", code)
    assert done.returncode == 0, done.stderr
    assert "/installed" in done.stdout


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("midline", "--version"), "midline 0."),
        (("midline", "model", "list"), "qwen2.5-coder-0.5b (default)"),
        (("midline-bench", "--help"), "midline-bench"),
        (("midline-bench", "speed", "decode", "--help"), "--peer"),
        (("midline-bench", "quality", "cursor", "--help"), "--only"),
    ],
)
def test_console_scripts_work(installed: Run, command: tuple[str, ...], says: str) -> None:
    done = installed(*command)
    assert done.returncode == 0, done.stderr
    assert says in done.stdout


def test_figures_need_the_repository(installed: Run) -> None:
    done = installed("midline-bench", "figures")
    assert (done.returncode, done.stdout) == (1, "")
    assert "run this in a clone" in done.stderr and done.stderr.count("\n") == 1
