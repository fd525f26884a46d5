"""What a grammar accepts and its language does not."""

import pytest

from midline.model.completion.fim import Cursor
from midline.model.completion.syntax import SyntaxAround
from midline.model.completion.validity import Validity

RULES = {
    "a constant needs a value": ("a.js", "‸\nf();\n", "const a", False),
    "and has it": ("a.js", "‸\nf();\n", "const a = 1, b = 2;", True),
    "one of them does not": ("a.ts", "‸\nf();\n", "const a = 1, b;", False),
    "variables need none": ("a.js", "‸\nf();\n", "let a;", True),
    "a loop gives it one": ("a.js", "‸\nf();\n", "for (const a of b) {\n  g();\n}", True),
    "what is only declared has none": ("a.ts", "‸\nf();\n", "declare const a: number;", True),
    "a template that goes on": ("a.js", "‸\nf(`a`);\n", "g(`${h} ", False),
    "a template that ends": ("a.js", "‸\nf(`a`);\n", "g(`${h} `);", True),
    "a comment that goes on": ("a.c", "‸\nint a; /* b */\n", "/* c", False),
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
