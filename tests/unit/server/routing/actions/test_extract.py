"""Extract: parameters and results from the syntax, and the program does the same afterwards."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from midline.model.errors import MidlineError
from midline.server.routing.edits import Edit, changed_texts
from midline.server.routing.frame import Frame
from midline.server.routing.outcome import Outcome, QuestionError
from midline.server.routing.workspace import Workspace

Act = Callable[..., Outcome]


def extracted(root: Path, act: Act, name: str, lines: str, file: str = "code.py") -> str:
    frame = Frame("extract", {"line": lines, "path": file, "new_name": name}, "extract", 1.0)
    outcome = act(frame)
    assert isinstance(outcome, Edit)
    (pair,) = changed_texts(outcome, Workspace(root)).values()
    return pair[1].decode()


def value(code: str, call: str) -> Any:
    names: dict[str, Any] = {}
    exec(code, names)
    return eval(call, names)


CODE = """def f(values, limit=3):
    total = 0
    for value in values:
        if value > limit:
            total += value * 2
    result = total + limit
    return result
"""


@pytest.mark.parametrize("lines", ["2-5", "3-5", "2", "6", "6-7", "7", "4-5", "5", "2-7"])
def test_the_program_does_the_same(project: Path, act: Act, lines: str) -> None:
    (project / "code.py").write_text(CODE)
    after = extracted(project, act, "part", lines)
    assert "part(" in after and after != CODE
    for values in ([], [1, 5, 9], [4]):
        assert value(after, f"f({values})") == value(CODE, f"f({values})")


def test_a_method_stays_one(project: Path, act: Act) -> None:
    code = (
        "class C:\n    x = 2\n    def m(self, y):\n        z = self.x + y\n        return z * 2\n"
    )
    (project / "code.py").write_text(code)
    after = extracted(project, act, "part", "4")
    assert "z = self.part(y)" in after and "    def part(self, y):" in after
    assert value(after, "C().m(5)") == value(code, "C().m(5)")


def test_a_constant(project: Path, act: Act) -> None:
    (project / "code.py").write_text('"""Doc."""\nimport os\n\nprint(os.sep * 30)\n')
    frame = Frame(
        "extract", {"line": "4", "path": "code.py", "new_name": "WIDTH"}, "extract a constant", 1.0
    )
    outcome = act(frame)
    assert isinstance(outcome, Edit)
    (pair,) = changed_texts(outcome, Workspace(project)).values()
    assert pair[1].decode() == '"""Doc."""\nimport os\n\nWIDTH = 30\n\nprint(os.sep * WIDTH)\n'


def test_javascript(project: Path, act: Act) -> None:
    (project / "code.js").write_text("function f(a) {\n  const b = a + 1;\n  return b * 2;\n}\n")
    after = extracted(project, act, "part", "2", "code.js")
    assert "function part(a) {\n  const b = a + 1;\n  return b;\n}\n" in after
    assert "  const b = part(a);\n" in after


def test_typescript_keeps_the_types(project: Path, act: Act) -> None:
    (project / "code.ts").write_text(
        "function f(a: number[], b = 1) {\n"
        "  const c: string = g();\n  h(a, b, c);\n  h(a, b, c);\n}\n"
    )
    after = extracted(project, act, "part", "3", "code.ts")
    assert "function part(a: number[], b: any, c: string) {\n" in after


def test_a_single_line_is_told_as_one(project: Path, act: Act) -> None:
    (project / "code.py").write_text("x = 1\nprint(x)\n")
    frame = Frame("extract", {"line": "2", "path": "code.py", "new_name": "show"}, "extract", 1.0)
    outcome = act(frame)
    assert isinstance(outcome, Edit) and outcome.summary == "line 2 becomes show"


@pytest.mark.parametrize(
    ("code", "lines", "words"),
    [
        (
            "for x in y:\n    if x:\n        break\n    print(x)\n",
            "2-3",
            "leaves a loop|has a break",
        ),
        ("def f():\n    global g\n    g = 1\n", "2-3", "has a global"),
        ("def f(a):\n    if a:\n        return 1\n    return 2\n", "2-3", "has a return"),
        ("x = [\n    1,\n]\n", "1-2", "not whole statements"),
        ("part = 1\nprint(part)\n", "2", "is there already"),
    ],
)
def test_what_cannot_be_moved_is_refused(
    project: Path, act: Act, code: str, lines: str, words: str
) -> None:
    (project / "code.py").write_text(code)
    with pytest.raises(MidlineError, match=words):
        extracted(project, act, "part", lines)


def test_lines_and_name_are_asked_for(act: Act) -> None:
    with pytest.raises(QuestionError, match="which lines"):
        act(Frame("extract", {"new_name": "x"}, "extract", 1.0))
    with pytest.raises(QuestionError, match="to be called"):
        act(Frame("extract", {"line": "5", "path": "utils.py"}, "extract", 1.0))
    with pytest.raises(QuestionError, match="no line 900"):
        act(Frame("extract", {"line": "900", "path": "utils.py", "new_name": "x"}, "extract", 1.0))
