"""Tests that the model writes: what they begin with, and where they go."""

from pathlib import Path

import pytest

from midline.model.errors import MidlineError
from midline.server.routing.actions.test_files import MOST, TestPlan
from midline.server.routing.edits import Edit, changed_texts
from midline.server.routing.frame import Frame
from midline.server.routing.outcome import Answer
from midline.server.routing.targets import Cursor, Resolver
from midline.server.routing.workspace import Workspace


def _plan(tmp_path: Path, name: str, text: str, line: int = 1) -> TestPlan:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    workspace = Workspace(tmp_path)
    resolver = Resolver(workspace, Frame("tests", {}, "", 1.0), Cursor(path, line, line))
    return TestPlan.of(resolver.target("tested"), workspace)


@pytest.mark.parametrize(
    ("name", "text", "line", "begins"),
    [
        ("a.py", "def f():\n    return 1\n", 1, "from a import f\n\n\ndef test_f"),
        ("a.py", "class A:\n    def f(self):\n        return 1\n", 2, "from a import A\n"),
        ("a.js", "export function f() {}\n", 1, 'import { f } from "./a.js";\n\ntest("f", () => {'),
        ("a.js", "function f() {}\n", 1, 'const { f } = require("./a.js");\n\ntest("f", () => {'),
        (
            "a.go",
            "package shop\n\nfunc F() {}\n",
            3,
            'package shop\n\nimport "testing"\n\nfunc TestF',
        ),
    ],
)
def test_the_model_need_not_guess_the_import(
    tmp_path: Path, name: str, text: str, line: int, begins: str
) -> None:
    assert begins in _plan(tmp_path, name, text, line).begins


def test_a_package_is_imported_by_its_whole_name(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    plan = _plan(tmp_path, "shop/cart.py", "def f():\n    return 1\n")
    assert "from shop.cart import f" in plan.begins


def test_more_tests_than_wanted_and_a_cut_end_are_left_out(tmp_path: Path) -> None:
    plan = _plan(tmp_path, "a.py", "def f():\n    return 1\n")
    tests = "".join(f"def test_{n}():\n    assert f() == 1\n\n" for n in range(MOST + 1))
    edit = plan.outcome(f"```python\nfrom a import f\n\n{tests}def test_9():\n    assert (f(")
    assert isinstance(edit, Edit)
    assert edit.edits[0].text.count(b"def test_") == MOST


def test_tests_are_added_to_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text("from a import g\n\n\ndef test_g():\n    assert g() == 2\n")
    plan = _plan(tmp_path, "a.py", "def f():\n    return 1\n")
    edit = plan.outcome("```python\nfrom a import f\n\n\ndef test_f():\n    assert f() == 1\n```")
    assert isinstance(edit, Edit)
    ((_, after),) = changed_texts(edit, plan.workspace).values()
    assert after.decode() == (
        "from a import g\nfrom a import f\n\n\ndef test_g():\n    assert g() == 2\n"
        "\n\ndef test_f():\n    assert f() == 1\n"
    )


def test_without_a_usual_place_they_are_shown(tmp_path: Path) -> None:
    plan = _plan(tmp_path, "a.cpp", "int f() { return 1; }\n")
    found = plan.outcome("```cpp\nTEST(F, One) { EXPECT_EQ(f(), 1); }\n```")
    assert isinstance(found, Answer)
    assert found.markdown.startswith("```cpp\nTEST(F")


def test_prose_is_refused(tmp_path: Path) -> None:
    plan = _plan(tmp_path, "a.py", "def f():\n    return 1\n")
    with pytest.raises(MidlineError):
        plan.outcome("```python\nx = 1\n```")


def test_a_test_that_was_cut_off_is_closed(tmp_path: Path) -> None:
    plan = _plan(tmp_path, "a.js", "export function f() {}\n")
    edit = plan.outcome(f"{plan.begins}equal(f(1), 1);\n  assert.equal(f(")
    assert isinstance(edit, Edit)
    assert edit.edits[0].text.endswith(b"assert.equal(f(1), 1);\n});\n")


def test_the_nearest_package_says_what_tests_are_written_with(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "package.json").write_text('{"devDependencies": {"jest": "1"}}')
    (tmp_path / "web" / "package.json").write_text('{"devDependencies": {"vitest": "1"}}')
    assert _plan(tmp_path, "web/a.ts", "export function f() {}\n").framework == "vitest"
    assert _plan(tmp_path, "a.ts", "export function f() {}\n").framework == "jest"


@pytest.mark.parametrize(
    ("head", "is_there"),
    [
        ("from a import (\n    f,\n    g,\n)\n", True),
        ("from a import e, f\n", True),
        ("from a import f as g\n", False),
        ("from b import f\n", False),
    ],
)
def test_a_name_is_imported_once(tmp_path: Path, head: str, is_there: bool) -> None:
    (tmp_path / "test_a.py").write_text(f"{head}\n\ndef test_g():\n    assert f\n")
    plan = _plan(tmp_path, "a.py", "def f():\n    return 1\n")
    edit = plan.outcome("```python\nfrom a import f\n\n\ndef test_f():\n    assert f() == 1\n```")
    assert isinstance(edit, Edit)
    ((_, after),) = changed_texts(edit, Workspace(tmp_path)).values()
    assert (b"from a import f\n" not in after) is is_there
