"""What a grammar accepts and its language does not."""

import pytest

from midline.model.completion.fim import Cursor
from midline.model.completion.syntax import SyntaxAround
from midline.model.completion.validity import Validity

RULES = {
    "a constant needs a value": ("a.js", "‸\nf();\n", "const a", False),
    "and has it": ("a.js", "‸\nf();\n", "const a = 1, b = 2;", True),
    "one of them does not": ("a.ts", "‸\nf();\n", "const a = 1, b;", False),
    "what a module declares has none": (
        "a.d.ts",
        "‸\nexport const b: c;\n",
        "export const a: b;",
        True,
    ),
    "variables need none": ("a.js", "‸\nf();\n", "let a;", True),
    "a loop gives it one": ("a.js", "‸\nf();\n", "for (const a of b) {\n  g();\n}", True),
    "what is only declared has none": ("a.ts", "‸\nf();\n", "declare const a: number;", True),
    "a template that goes on": ("a.js", "‸\nf(`a`);\n", "g(`${h} ", False),
    "a template that ends": ("a.js", "‸\nf(`a`);\n", "g(`${h} `);", True),
    "a comment that goes on": ("a.c", "‸\nint a; /* b */\n", "/* c", False),
    "a try that handles nothing": ("a.js", "‸\nf();\n", "try {\n  g();\n}", False),
    "a try that does": ("a.js", "‸\nf();\n", "try {\n  g();\n} finally {\n  h();\n}", True),
    "a declaration is no body": ("a.js", "‸\nconst a = 1;\n", "if (b)", False),
    "a header takes the next statement": ("a.js", "‸\nf();\n", "if (a)", False),
    "so does one of C": ("a.c", "void f() {\n  ‸\n  g();\n}\n", "while (a)", False),
    "a header of what is below it": ("a.js", "‸\n  f();\n", "if (a)", True),
    "a header of a block below it": (
        "a.c",
        "void f() {\n  ‸\n  {\n    g();\n  }\n}\n",
        "if (a)",
        True,
    ),
    "a name declared twice": ("a.js", "‸\nconst b = 1;\n", "let b = 2;", False),
    "a name of another block": ("a.js", "‸\n{ const b = 1; }\n", "let b = 2;", True),
    "a name of a pattern": ("a.js", "‸\nconst b = 1;\n", "const { a, c: [b = d] } = e;", False),
    "a property of a pattern": ("a.js", "‸\nconst b = 1;\n", "const { b: a = b } = e;", True),
    "a name that was imported": ("a.js", 'import { b as a } from "c";\n‸\n', "class a {}", False),
    "a name that was renamed": ("a.js", 'import { b as a } from "c";\n‸\n', "class b {}", True),
    "a parameter": ("a.js", "function f(a) {\n  ‸\n}\n", "const a = 1;", False),
    "a parameter's type": ("a.ts", "function f(a: b) {\n  ‸\n}\n", "const b = 1;", True),
    "functions may come again": ("a.js", "‸\nfunction f() {}\n", "function f() {}", True),
    "Go has one package clause": ("a.go", "‸\npackage a\n", "package a", False),
    "Go's lists in lines end with a comma": (
        "a.go",
        "package a\n\nvar b = []int{\n\t‸\n}\n",
        "1",
        False,
    ),
    "and this one does": ("a.go", "package a\n\nvar b = []int{\n\t‸\n}\n", "1,", True),
    "in a line they do not": ("a.go", "package a\n\nvar b = []int{‸}\n", "1", True),
    "a string that another one follows": ("a.py", "f(\n    ‸\n    'b',\n)\n", "a='c'", True),
    "a string that was begun before": ("a.py", '"""‸\nb\n"""\n', "a", True),
    "what another branch follows": (
        "a.php",
        "<?php\nif ($a) {\n  f();\n‸\n  g();\n} else {\n}\n",
        "} else if ($b) {",
        True,
    ),
    "a here-document that ends below": ("a.sh", "f() {\n  cat ‸\n$*\nEOT\n}\n", "<<EOT", True),
    "a loop whose block is below": ("a.sh", "‸\ndo\n  f\ndone\n", "for a in b", True),
    "a comment to the line's end": ("a.c", "‸\nint a; /* b */\n", "// c", True),
}


@pytest.mark.parametrize(("name", "marked", "written", "kept"), RULES.values(), ids=RULES)
def test_a_file_that_was_whole_stays_so(name: str, marked: str, written: str, kept: bool) -> None:
    before, after = marked.split("‸")
    syntax = SyntaxAround.of(Cursor(before.encode(), after.encode(), before.count("\n"), name))
    assert syntax is not None
    assert Validity(syntax).does_no_harm(written.encode()) == kept


def test_a_file_that_was_not_whole_may_need_what_goes_on() -> None:
    """The comment's end is there already."""
    syntax = SyntaxAround.of(Cursor(b"int a;\n", b"\n b */\nint c;\n", 1, "a.c"))
    assert syntax is not None
    assert Validity(syntax).is_whole(b"/* d")
