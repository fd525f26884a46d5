"""The committed types of the compiled module are those of the module as it is built."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from midline.kernels import _native

STUB = Path(__file__).resolve().parents[3] / "kernels" / "_native.pyi"


def _signatures(source: str) -> set[str]:
    """Functions with the names of their parameters, and classes, by qualified name."""
    found = set()

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                found.add(prefix + child.name)
                visit(child, f"{prefix}{child.name}.")
            elif isinstance(child, ast.FunctionDef):
                arguments = [a.arg for a in (*child.args.args, *child.args.kwonlyargs)]
                found.add(f"{prefix}{child.name}({', '.join(arguments)})")
            elif isinstance(child, ast.AnnAssign):
                found.add(prefix + ast.unparse(child.target))

    visit(ast.parse(source), "")
    return found


def test_the_stub_is_current(tmp_path: Path) -> None:
    pytest.importorskip("nanobind")
    fresh = tmp_path / "_native.pyi"
    command = [sys.executable, "-P", "-m", "nanobind.stubgen", "-q", "-m", _native.__name__]
    subprocess.run([*command, "-o", str(fresh)], check=True)
    committed, built = _signatures(STUB.read_text()), _signatures(fresh.read_text())
    assert committed == built, "kernels/_native.pyi is out of date; `make stub` writes it anew"
    assert "kernel_name()" in built
