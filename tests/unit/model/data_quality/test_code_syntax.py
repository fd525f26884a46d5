"""Signals of source code by its syntax tree."""

import pytest

from midline.model.data_quality import code_syntax
from midline.model.data_quality.views import Views

PYTHON = '''\
"""What it is."""
import os
from sys import argv

# A comment.
def f(x):
    """Doc."""
    y = "text"
    assert x
    print(y)
    pass
'''


def score(signal: str, text: str, name: str) -> float | None:
    return code_syntax.SIGNALS[f"code_{signal}"](Views(text, name))[0][2]


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        ("import_line_share", 2 / 11),
        ("assert_line_share", 1 / 11),
        ("print_line_share", 1 / 11),
        ("pass_line_share", 1 / 11),
        ("function_line_share", 1 / 11),
        ("variable_lines", 1),
        ("comment_share", (17 + 12 + 10) / len(PYTHON)),
        ("string_share", 6 / len(PYTHON)),
        ("parse_failure", 0),
        ("parse_failure_share", 0),
    ],
)
def test_a_signal_of_python(signal: str, expected: float) -> None:
    assert score(signal, PYTHON, "a.py") == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.js", 'import x from "y";\nconsole.log(x);\n'),
        ("a.go", 'package p\nimport "fmt"\nfunc f() {\n\tfmt.Println(1)\n}\n'),
        ("A.java", "import java.util.List;\nclass A { void f() { System.out.println(1); } }\n"),
        ("a.c", "#include <stdio.h>\nint main(void) {\n  printf(\"x\");\n}\n"),
        ("a.rs", "use std::io;\nfn main() {\n    println!(\"x\");\n}\n"),
        ("a.cs", "using System;\nclass A { void F() { Console.WriteLine(1); } }\n"),
    ],
)  # fmt: skip
def test_imports_and_output_of_other_languages(name: str, text: str) -> None:
    assert score("import_line_share", text, name), name
    assert score("print_line_share", text, name), name
    assert score("parse_failure", text, name) == 0


def test_what_does_not_parse() -> None:
    assert score("parse_failure", "def f(:\n  ]]]\n", "a.py") == 1
    assert 0 < (score("parse_failure_share", "x = 1\ny = = 2\n", "a.py") or 0) < 1


HUGE = "x\n" * 200_000


@pytest.mark.parametrize(("name", "text"), [("notes.txt", "x"), ("", "x = 1"), ("a.py", HUGE)])
def test_no_score_without_a_grammar_or_for_a_huge_file(name: str, text: str) -> None:
    assert score("comment_share", text, name) is None


def test_a_long_string_marks_its_line() -> None:
    assert score("long_string_line_share", f'x = "{"a b " * 60}"\ny = 1\n', "a.py") == 0.5
