"""What of a generated text is shown; stopping early agrees with cutting afterwards."""

import random
from dataclasses import replace

import pytest

from midline.model.completion.file_style import FileStyle
from midline.model.completion.fim import Cursor
from midline.model.completion.insertion_point import InsertionPoint
from midline.model.completion.stopping import completion_end
from midline.model.completion.syntax import SyntaxAround
from midline.model.completion.trimming import shown_text


def point_at(text: str, name: str = "") -> InsertionPoint:
    """The insertion point at the `|` in `text`."""
    before, after = text.split("|")
    return InsertionPoint.of(Cursor(before.encode(), after.encode(), before.count("\n"), name))


FINISHED = {
    "a line ends with the line": ("x = |", "1\ny = 2\n", "1"),
    "an opened block is written to its end": (
        "def f(|",
        "a):\n    b = a\n\n    return b\n\n\ndef g():\n    pass\n",
        "a):\n    b = a\n\n    return b",
    ),
    "a block stops where it is left": (
        "def f(a):\n    |\n",
        "b = a\n    return b\n\ndef g():\n",
        "b = a\n    return b",
    ),
    "a block with braces takes its closing line": (
        "void f() {\n    |",
        "g();\n    h();\n}\n\nvoid k() {\n",
        "g();\n    h();\n}",
    ),
    "a closing line that is there already is not written": (
        "void f() {\n    |\n}\n",
        "g();\n    h();\n}\n\nvoid k() {\n",
        "g();\n    h();",
    ),
    "a statement with braces ends with its brace": (
        "if (a) |",
        "{\n    b();\n}\nc();\n",
        "{\n    b();\n}",
    ),
    "a semicolon ends a statement at once": ("x = |", "1;\n", "1;"),
    "an else belongs to its if": (
        "if (a) |",
        "{\n    b();\n} else {\n    c();\n}\nd();\n",
        "{\n    b();\n} else {\n    c();\n}",
    ),
    "an elif belongs to its if": (
        "if a:|",
        "\n    b()\nelif c:\n    d()\nprint()\n",
        "\n    b()\nelif c:\n    d()",
    ),
    "an end belongs to its def": (
        "def f|",
        "(a)\n  a + 1\nend\n\ndef g\n",
        "(a)\n  a + 1\nend",
    ),
    "open brackets keep a statement together": (
        "values = [|",
        "\n    1,\n    2,\n]\nprint(values)\n",
        "\n    1,\n    2,\n]",
    ),
    "unindented open brackets too": ("f(|", "\na,\nb)\ng()\n", "\na,\nb)"),
    "a finished line is followed by one statement": ("x = 1|", "\ny = 2\nz = 3\n", "\ny = 2"),
    "a finished block is followed by nothing": ("def f():\n    return 1|", "\n\nx = 2\n", ""),
    "a paragraph at the top level": (
        "import os\n|",
        "import sys\nimport re\n\nx = 1\n",
        "import sys\nimport re",
    ),
    "two blank lines end everything": ("{\n    |", "a\n\n    b\n\n\n    c\n", "a\n\n    b"),
    "the next line of the file is not written again": (
        "def f(x):\n    |\n    return total\n",
        "total = x + 1\n    return total\n\nprint()\n",
        "total = x + 1",
    ),
    "nor is the line after that": (
        "def f(x):\n    |\n    total = x\n    return total * 2\n",
        "y = 1\n    return total * 2\n    more()\n",
        "y = 1",
    ),
    "nothing to say but the next line": (
        "def f(x):\n    |\n    return total\n",
        "return total\n",
        "",
    ),
    "an inner brace like the next line is written": (
        "{\n    |\n    }\n",
        "if (a) {\n        b();\n    }\n    c();\n    }\n",
        "if (a) {\n        b();\n    }\n    c();",
    ),
    "a block is not left by an empty line": ("def f():\n    |", "\nx = 1\n", ""),
    "inside a line nothing goes below it": ("f(|)\n", "a, b)\ng()\n", "a, b"),
    "inside a call its own calls are kept": ("print(|)\n", "f(x)", "f(x)"),
    "inside a call what follows it is cut": ("f(|)\n", "a) + g(b)", "a"),
    "inside quotes the closing one is there": ("x = '|'\n", "abc'", "abc"),
    "the rest of a line is not repeated": (
        "return a |+ total_count\n",
        "* b + total_count",
        "* b ",
    ),
    "a colon is not repeated": ("if x|:\n", " > 0:\n    y\n", " > 0"),
    "a block that is there already is not opened again": (
        "if x|\n    y()\n",
        " > 0:\n    return z\n",
        " > 0:",
    ),
    "what only writes the rest of the line again is nothing": (
        "    |return 0\n",
        "return 0, 0\n",
        "",
    ),
    "what the line has no bracket for is nothing": ("f(a, |1, g(b))\n", "2, 100);", ""),
    "what leaves the line open is nothing": ("x = |f(a)\n", "g(", ""),
    "a missing bracket is welcome": ("x = f(g(|)\n", "a)", "a)"),
    "nor what is almost the rest of the line": (
        "x = Bucket(a=|, now=now(), last=last)\n",
        "b, now=now, last=None)",
        "b",
    ),
    "nor only what is one bracket of it": (
        "Point f() { return {x + 1, | }\n",
        "y + 1}; }",
        "y + 1};",
    ),
    "nothing goes into the middle of a word": ("    ret|urn x\n", "urn y", ""),
    "spaces before the rest are kept": ("x = |+ 1\n", "a ", "a "),
    "trailing space goes": ("x =|\n", " 1   \n", " 1"),
    "only white space is nothing": ("x = 1|\n", "   \n  \n", ""),
    "CRLF from the model is LF": ("f(|", "a,\r\n  b)\r\ng()\r\n", "a,\n  b)"),
    "tabs count as indentation": (
        "func f() {\n\t|",
        "a()\n\tb()\n}\n\nfunc g() {",
        "a()\n\tb()\n}",
    ),
    "lines over and over are cut to one": (
        "{\n  |",
        "a = 1;\n  b();\n  b();\n  b();\n  b();\n",
        "a = 1;\n  b();",
    ),
    "pairs of lines over and over are cut to one pair": (
        "{\n  |",
        "x;\n  y;\n  x;\n  y;\n  x;\n  y;\n  x;\n  y;\n",
        "x;\n  y;",
    ),
    "pieces over and over are cut to one": ("x = |", "a" + ", abc" * 60, "a, abc"),
}


@pytest.mark.parametrize(("text", "written", "expected"), FINISHED.values(), ids=FINISHED)
def test_finished_text(text: str, written: str, expected: str) -> None:
    assert shown_text(written, point_at(text), complete=True) == expected


@pytest.mark.parametrize(("text", "written", "expected"), FINISHED.values(), ids=FINISHED)
def test_stopping_early_never_changes_what_is_shown(text: str, written: str, expected: str) -> None:
    """Drawing character by character, what is there when it stops is cut to the same text."""
    point = point_at(text)
    for size in range(len(written) + 1):
        end = completion_end(written[:size], point.place, fits=point.stop_test)
        if end is not None:
            assert shown_text(written[:size], point, complete=True) == expected
            break


def test_an_unfinished_last_line_is_dropped_behind_whole_ones() -> None:
    point = point_at("def f():\n    |")
    assert shown_text("a = 1\n    b = (2,", point, complete=False) == "a = 1"
    assert shown_text("a = (1, 2,", point, complete=False) == "a = (1, 2,"
    assert shown_text("a, b", point_at("f(|)"), complete=False) == "a, b"


def test_a_ruler_is_no_run() -> None:
    ruler = "# " + "-" * 78
    assert shown_text(ruler, point_at("|"), complete=True) == ruler


def test_random_texts_never_end_outside_themselves() -> None:
    dice = random.Random(11)
    pieces = ["\n", "\n\n", "    ", "  ", "}", "{", "(", ")", "x = 1", "return", "else", "'", "\t"]
    for _ in range(3000):
        written = "".join(dice.choices(pieces, k=dice.randint(0, 12)))
        around = "".join(dice.choices(pieces, k=4)) + "|" + "".join(dice.choices(pieces, k=4))
        point = replace(point_at(around), style=FileStyle())
        for complete in (False, True):
            end = completion_end(written, point.place, complete=complete)
            assert end is None or 0 <= end <= len(written)
            assert written.startswith(shown_text(written, point, complete=complete))


VALID = {
    "what parses is left alone": ("a.py", "x = f(|)\n", "1, 2", "1, 2"),
    "open brackets are closed": ("a.py", "x = f(|\ny = 1\n", "g(1, 2", "g(1, 2))"),
    "a comma before a closed bracket goes": ("a.js", "f(|\ny();\n", "a,", "a)"),
    "a semicolon that is missing is set": ("a.c", "int f() {\n    return |\n}\n", "x", "x;"),
    "and a bracket with it": ("a.java", "class A { int f() {\n g(|\n} }\n", "x", "x);"),
    "a block that is not finished is left out": (
        "a.js",
        "a();\n|\nb();\n",
        "c();\nif (d) {\n  e(f(",
        "c();",
    ),
    "a brace too many is left out": ("a.java", "class A {\n    |\n}\n", "int x;\n}", "int x;"),
    "nothing is better than a broken file": ("a.py", "x = [1]|\ny = 2\n", ")", ""),
    "a broken line of a broken file may stay so": ("a.py", "if |\ny = (\n", "a", "a"),
    "words are not run together": ("a.py", "f(|b)\n", "(a", ""),
    "without a grammar it stays as it is": ("a.unknown", "f(|\n", "g(", "g("),
}


@pytest.mark.parametrize(("name", "text", "written", "expected"), VALID.values(), ids=VALID)
def test_valid_text(name: str, text: str, written: str, expected: str) -> None:
    assert shown_text(written, point_at(text, name), complete=True) == expected


def test_a_tail_is_part_of_what_has_to_parse() -> None:
    cursor = Cursor(b"if a:\n    b()\nx", b" = 1\n", 2, "a.py")
    point = InsertionPoint.of(cursor, above=True)
    assert shown_text("yz = 2", point, complete=True) == "yz = 2\nx"
    assert shown_text("y = (2", point, complete=True) == "y = (2)\nx"
    assert shown_text("", point, complete=True) == ""


def test_whatever_is_written_a_file_that_parses_does_so_afterwards() -> None:
    dice = random.Random(3)
    pieces = ["\n", "    ", "}", "{", "(", ")", "x = 1", "return", "else:", "'", '"""', ";", "b,"]
    text = "def f(a, b):\n    if a:\n        return [b, 1]\n    return g(a)\n\n\nx = f(1, 2)\n"
    kept = 0
    for _ in range(600):
        at = dice.randrange(len(text) + 1)
        cursor = Cursor(text[:at].encode(), text[at:].encode(), text.count("\n", 0, at), "a.py")
        written = "".join(dice.choices(pieces, k=6))
        shown = shown_text(written, InsertionPoint.of(cursor), complete=True)
        whole = SyntaxAround.of(Cursor((text[:at] + shown + text[at:]).encode(), b"", 0, "a.py"))
        assert whole is not None
        assert whole.errors == 0
        kept += bool(shown)
    assert kept > 10


@pytest.mark.parametrize(
    ("name", "before", "after", "text"),
    [
        ("a.js", "const s = ", "\nf(s)\n", "`\n  SELECT *\n  FROM t\n`;"),
        ("a.js", "function f() {\n  return ", "\n}\n", "`\nselect\n\nfrom\n`;"),
        ("a.js", "function f(a) {\n  ", "\n}\n", "const s = `a\n    ${a}\nb`;\n  return s;"),
        ("a.go", "package a\n\nvar q = ", "\n\nfunc f() {}\n", "`\nselect\nfrom\n`"),
        ("a.py", "text = ", "\nf(text)\n", '"""\nselect\nfrom\n"""'),
        ("a.html", "<ul>", "\n<p>q</p>\n", "\n<li>a</li>\n<li>b<br></li>\n</ul>"),
        ("a.html", "<div>\n<p>a</p>\n", "\n</body>\n", "</div>"),
        ("a.cpp", "int f() {\n  ", "\n}\n", "CHECK(x)\n  RETURN_IF_ERROR(y)\n  return 1;"),
        ("a.cpp", "class A {\n  ", "\n};\n", "Q_OBJECT\n  Q_PROPERTY(int a READ a)\n  int a();"),
        ("a.cpp", "", "\n", "BEGIN_NAMESPACE(a)\nint f();\nEND_NAMESPACE"),
        ("a.cpp", "int f() {\n  ", "\n}\n", "return OTHER_THING(x)\n      .second;"),
    ],
)
def test_lines_of_texts_tags_and_macros_are_not_lost(
    name: str, before: str, after: str, text: str
) -> None:
    cursor = Cursor(before.encode(), after.encode(), before.count("\n"), name)
    assert shown_text(text, InsertionPoint.of(cursor), complete=True) == text


@pytest.mark.parametrize(
    ("name", "before", "text", "shown"),
    [
        ("a.html", "<p>a", " b</p>\n<p>c</p>", " b</p>"),
        ("a.js", "const s = ", "`a`;\nconst t = 1;", "`a`;"),
        ("a.cpp", "int f() {\n  return ", "MAX_SIZE;\n}\nint g();", "MAX_SIZE;"),
    ],
)
def test_what_is_over_is_over_beside_them(name: str, before: str, text: str, shown: str) -> None:
    cursor = Cursor(before.encode(), b"\n", before.count("\n"), name)
    assert shown_text(text, InsertionPoint.of(cursor), complete=True) == shown
