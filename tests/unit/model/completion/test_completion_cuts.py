"""What is written beyond the right answer is cut.

Every case is a file with a cursor (`‸`), what a model writes there, and what of it is shown.
"""

import pytest
from perfect_model import cursor_at, write

CUT = {
    "a second call behind the first": ("a.js", "f('a', ‸);\n", "b);\nf('c', d);\n", "b"),
    "a statement behind a finished one": ("a.py", "x = ‸\n", "1\ny = 2\n", "1"),
    "the next function": (
        "a.py",
        "def f():\n    ‸\n",
        "return 1\n\n\ndef g():\n    pass\n",
        "return 1",
    ),
    "the next line": ("a.py", "def f(x):\n    ‸\n    return total\n", "return total\n", ""),
    "a closing brace that is there": ("a.c", "int f() {\n    ‸\n}\n", "g();\n}\n", "g();"),
    "the end of a here-document": ("a.sh", "cat <<EOF\n‸\nEOF\n", "a = 1\nEOF\nexit\n", "a = 1"),
    "a loop that does not end": ("a.js", "{\n  ‸\n}\n", "step();\n  " * 9, "step();"),
    "a block behind the header of what is below": (
        "a.py",
        "def f(a):\n    for c in a:\n        ‸\n            g(c)\n        else:\n            h()\n",
        "if c:\n            b = 1\n            d = 2\n        else:\n            h()\n",
        "if c:",
    ),
    "the statement above once more": (
        "a.js",
        "if (args.length) {\n  throw new Error('a')\n}‸\nf()\n",
        "\nif (args.length) {\n  throw new Error('a')\n}\n",
        "",
    ),
    "a placeholder where the block goes on": (
        "a.py",
        "class Wrong(Error):\n    ‸\n    def f(self):\n        g()\n",
        "pass\n",
        "",
    ),
    "a method in the middle of one with a header of several lines": (
        "a.py",
        "class A:\n    def f(\n        self,\n    ) -> None:\n        ‸\n        g()\n",
        "b = 1\n\n    def h(self):\n        i()\n",
        "b = 1",
    ),
    "a line in a deeper column than the cursor's": (
        "a.py",
        "def f(a):\n    a -= 1\n    ‸\n        g()\n",
        "    if not a:",
        "if not a:",
    ),
    "the lines of a block whose brace has a line of its own": (
        "a.cs",
        "class A {\n    ‸\n    {\n        F();\n    }\n}\n",
        "void G()\n    {\n        F();\n    }\n",
        "void G()",
    ),
    "the rest of a line behind its bracket, without a grammar": (
        "a.R",
        "f <- function(‸) {\n  a\n}\n",
        "a, b = 1) {\n  a\n}\n",
        "a, b = 1",
    ),
    "the rest of a line of prose": (
        "a.html",
        "<title>A (‸)</title>\n",
        "a b)</title>\n",
        "a b",
    ),
    "the rest of a line that is a command with or without its bracket": (
        "a.sh",
        "echo ${‸} -e b/@$1/u\n",
        "name} -e b/@$1/u\n",
        "name",
    ),
    "the lines behind the end of a text": (
        "a.py",
        '"""Testing tools.\n‸\n\nimport a\nfrom b import c\n',
        '"""\n\nimport a\nfrom b import c\n',
        '"""',
    ),
    "the arm for anything else": (
        "a.rs",
        "fn f() -> u8 {\n    match a {\n        B => 1,\n        ‸\n        _ => 0,\n    }\n}\n",
        "C => 1,\n        _ => 0,\n    }\n}\n",
        "C => 1,",
    ),
    "the next row of numbers": (
        "a.dart",
        "a = [\n  97,\n  ‸\n  99,\n  100,\n];\n",
        "98,\n  99,\n  100,\n",
        "98,",
    ),
    "the rest of a line in a style sheet": (
        "a.html",
        "<style>\na {‸}\nb {c: d}\n</style>\n",
        "c: e}\n",
        "c: e",
    ),
    "the line behind an argument in a line of its own": (
        "A.java",
        "class A {\n    void f() {\n        throw new E(‸);\n    }\n}\n",
        "\n            a + b);\n    }\n",
        "\n            a + b",
    ),
    "the rest of a line that ends with a space": (
        "Makefile",
        "# Please ‸to suit \nB = c\n",
        "modify it to suit \n",
        "modify it ",
    ),
    "the end of a tag that has a line of its own": (
        "a.svelte",
        "<button\n    ‸\n>\n    b\n</button>\n",
        'class="a"\n>\n    b\n</button>\n',
        'class="a"',
    ),
    "statements of the outer block behind a whole one": (
        "a.py",
        "def f(a):\n    if a:\n        ‸\n    g(a)\n    return 1\n",
        "a += 1\n    h(a)\n    return 2\n\n\nx = 1\n",
        "a += 1",
    ),
}


@pytest.mark.parametrize(("name", "marked", "written", "shown"), CUT.values(), ids=CUT)
def test_what_goes_beyond_the_answer_is_cut(
    name: str, marked: str, written: str, shown: str
) -> None:
    assert write(cursor_at(marked, name), written).shown == shown
