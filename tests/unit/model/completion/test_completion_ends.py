"""Right answers survive where a file, a pair of brackets or an element ends behind them.

Every case is a file with a cursor (`‸`) and the right answer there, as in `test_completion_rules`.
"""

import pytest
from perfect_model import assert_ends_there, assert_stays_whole, cursor_at

RIGHT = {
    # The last lines of a file, which close what nothing below does.
    "classes that end with the file": (
        "A.java",
        "class A {\n    class B {\n        void f() {\n            ‸\n",
        "g();\n        }\n    }\n}",
    ),
    "lists and objects that end with the file": (
        "a.json",
        '{\n  "a": {\n    "b": [\n      ‸\n',
        "1,\n      2\n    ]\n  }\n}",
    ),
    "conditions that end with the file": (
        "a.sh",
        "if a; then\n  if b; then\n    ‸\n",
        "c\n  fi\nfi",
    ),
    "elements that end with the file": (
        "a.vue",
        "<template>\n  <ul>\n    <li>\n      ‸\n",
        "one\n    </li>\n  </ul>\n</template>",
    ),
    "conditions of a template that end with the file": (
        "a.svelte",
        "{#if a}\n  <b>\n    ‸\n",
        "c\n  </b>\n{/if}",
    ),
    "modules in one column that end with the file": (
        "a.cpp",
        "namespace a {\nnamespace b {\nvoid f() {\n  ‸\n",
        "g();\n}\n}\n}",
    ),
    # Lines between brackets in the column of their header.
    "the cases between the braces of a switch": (
        "a.go",
        "package a\n\nfunc f(b int) {\n\tswitch b {‸}\n}\n",
        "\n\tcase 1:\n\t\tg()\n\tdefault:\n\t\th()\n\t",
    ),
    "what a namespace holds": (
        "a.cpp",
        "namespace a {‸}  // namespace a\n",
        "\n\nnamespace {\nint b;\n}  // namespace\n\n",
    ),
    # Lines in brackets that are closed, without a grammar.
    "arguments of a command": (
        "CMakeLists.txt",
        "set(‸)\nf()\n",
        'A "b"\n    "c"\n    "d"',
    ),
    "a function among arguments": (
        "a.ml",
        "let a =\n  f (‸);\n  b\n",
        "fun c ->\n      g c;\n      h c",
    ),
    "elements in lines that begin with a comma": (
        "a.hs",
        "a =\n  [‸]\n",
        " b, c\n    , d, e\n    ",
    ),
    "a closure of Kotlin with its parameter": (
        "a.kt",
        "fun f() {\n    list.map {‸}\n}\n",
        " x ->\n        val y = x * 2\n        y + 1\n    ",
    ),
    "a closure of Swift with its parameter": (
        "a.swift",
        "func f() {\n    list.map {‸}\n}\n",
        " x in\n        let y = x * 2\n        return y + 1\n    ",
    ),
    "a closure that ends with a word": (
        "a.ex",
        "defmodule A do\n  Enum.map(list, ‸)\nend\n",
        "fn x ->\n    y = x * 2\n    y + 1\n  end",
    ),
    "what an at-rule holds, without a grammar": (
        "a.scss",
        "@media print {\n  ‸\n}\n",
        "a {\n    b: c;\n  }\n  d {\n    e: f;\n  }",
    ),
    "an argument in a line of its own": (
        "A.java",
        "class A {\n    void f() {\n        throw new E(‸);\n    }\n}\n",
        '\n            a + " is no " + b',
    ),
    "elements with the comma in front, in the column of the bracket": (
        "a.hs",
        "a =\n  [‸]\n",
        " b, c\n  , d, e\n  ",
    ),
    # Lines that neighbours have, too.
    "clauses that every statement has": (
        "a.sql",
        "CREATE FUNCTION a(int)\nRETURNS bool\nLANGUAGE C STRICT;\n\n‸\n\n"
        "CREATE FUNCTION c(int)\nRETURNS bool\nLANGUAGE C STRICT;\n\n"
        "CREATE FUNCTION d(int)\nRETURNS bool\nLANGUAGE C STRICT;\n",
        "CREATE FUNCTION b(int)\nRETURNS bool\nLANGUAGE C STRICT;",
    ),
    "lines that the next ones begin with, too": (
        "a.sh",
        'echo\necho\necho "1"\na\n\n‸\n\necho\necho\necho "3"\nc\n',
        'echo\necho\necho "2"\nb',
    ),
    "the end of an element like the next one's": (
        "a.xml",
        "<list>\n  <dependency>‸\n  <dependency>\n    <a>c</a>\n  </dependency>\n</list>\n",
        "\n    <a>b</a>\n  </dependency>",
    ),
    "parameters like the next function's": (
        "a.rs",
        "// Print.\n‸\n\nfn print_more(\n    config: &Config,\n) -> io::Result<()> {\n    f()\n}\n",
        "fn print(\n    config: &Config,\n) -> io::Result<()> {\n    g()\n}",
    ),
    "columns of tabs and spaces among lines of spaces": (
        "a.c",
        "int\nf (int a)\n{\n  g (a);\n  g (a);\n  g (a);\n  ‸\n}\n",
        "h (a,\n\t   a);",
    ),
    # Signs that part what stands around them.
    "a hyphen in a name": ("a.toml", "[build‸system]\nb = 1\n", "-"),
    "a colon behind a key": ("a.yaml", "version‸v1\nb: 2\n", ": "),
    "words in a comment": ("Makefile", "# You can‸from there\nA = b\n", " set it "),
    "a bracket of lines above": (
        "a.dart",
        "main() {\n  test('a', () {\n    b();\n  }‸;\n}\n",
        ")",
    ),
    "a bracket that is closed below": ("a.nix", "a = b ‸\n  c\n);\n", "("),
    "a type like the rest of the line": ("A.scala", "val a: ‸Object\n", "Object = new "),
}


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_answer_stays_whole(case: str) -> None:
    name, marked, answer = RIGHT[case]
    assert_stays_whole(cursor_at(marked, name), answer)


@pytest.mark.parametrize("case", RIGHT)
def test_what_follows_in_the_file_is_not_written_again(case: str) -> None:
    name, marked, answer = RIGHT[case]
    assert_ends_there(cursor_at(marked, name), answer)
