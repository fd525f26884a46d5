"""Documentation where its language has it, in place of the one there is."""

from pathlib import Path

import pytest

from midline.server.routing.actions.documentation import documentation_edit
from midline.server.routing.actions.documentation_style import styled
from midline.server.routing.edits import changed_texts
from midline.server.routing.frame import Frame
from midline.server.routing.targets import Cursor, Resolver
from midline.server.routing.workspace import Workspace

LONG = (
    "Adds two numbers that are given. Raises a TypeError if one of them is none at all, as it must."
)


def _documented(tmp_path: Path, name: str, text: str, line: int, answer: str) -> str:
    path = tmp_path / name
    path.write_text(text)
    workspace = Workspace(tmp_path)
    resolver = Resolver(workspace, Frame("docstring", {}, "", 1.0), Cursor(path, line, line))
    edit = documentation_edit(resolver.target("documented"), answer, workspace)
    return changed_texts(edit, workspace)[path][1].decode()


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("a.js", "/** Old. */\nfunction f() {\n  return 1;\n}\n", "/** New. */\nfunction f() {"),
        (
            "a.go",
            "package a\n\n// F was old.\nfunc F() {}\n",
            "package a\n\n// F new.\nfunc F() {}",
        ),
        (
            "a.go",
            "package a\n\n//go:noinline\nfunc F() {}\n",
            "//go:noinline\n// F new.\nfunc F() {}",
        ),
        ("a.cpp", "template <typename T>\nT f(T x) { return x; }\n", "/** New. */\ntemplate <"),
        (
            "a.py",
            'def f():\n    """Old."""\n    return 1\n',
            'def f():\n    """New."""\n    return',
        ),
        ("a.js", "/** Other. */\n\nfunction f() {}\n", "/** Other. */\n\n/** New. */\nfunction f"),
    ],
)
def test_documentation_stands_above_or_replaces(
    tmp_path: Path, name: str, before: str, after: str
) -> None:
    line = next(n for n, row in enumerate(before.splitlines(), 1) if " f(" in row or " F(" in row)
    found = _documented(tmp_path, name, before, line, "New.")
    assert after in found
    assert "Old" not in found
    assert "was old" not in found


def test_the_first_sentence_is_a_paragraph_of_its_own(tmp_path: Path) -> None:
    found = _documented(tmp_path, "a.py", "def f(a, b):\n    return a + b\n", 1, LONG)
    assert found.startswith('def f(a, b):\n    """Adds two numbers that are given.\n\n    Raises')


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("The `f` function returns one.", "python", "Returns one."),
        ("This method is used to return one.", "python", "Return one."),
        ("The function `f` returns one.", "python", "Returns one."),
        ("Returns one.", "go", "f returns one."),
        (
            "The `f` function returns one.\n@param {number} a - A number. @see Others\n@returns 1",
            "javascript",
            "Returns one.\n\n@param {number} a - A number. @see Others\n@returns 1",
        ),
        ("Returns one.\n\nArgs:\n    a: one", "python", "Returns one.\n\nArgs:\n    a: one"),
        ("The sum is kept.", "python", "The sum is kept."),
    ],
)
def test_it_says_what_is_done(text: str, language: str, expected: str) -> None:
    assert styled(text, "f", language) == expected


def test_fields_keep_their_lines(tmp_path: Path) -> None:
    answer = '"""Returns a sum.\n\n    Args:\n        a: one\n        b: another\n    """'
    found = _documented(tmp_path, "a.py", "def f(a, b):\n    return a + b\n", 1, answer)
    doc = ['"""Returns a sum.', "", "    Args:", "        a: one", "        b: another", '    """']
    assert found.splitlines()[1:7] == [f"    {doc[0]}", *doc[1:]]
