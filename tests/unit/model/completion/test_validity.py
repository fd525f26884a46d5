"""Files are judged by their grammar, and Python by its own compiler."""

import time

import pytest

from midline.model.completion.fim import Cursor
from midline.model.completion.syntax import SyntaxAround
from midline.model.completion.validity import Validity


def validity_at(text: str, name: str = "a.py") -> Validity:
    """What judges completions at the `|` in `text`."""
    before, after = text.split("|")
    syntax = SyntaxAround.of(Cursor(before.encode(), after.encode(), before.count("\n"), name))
    assert syntax is not None
    return Validity(syntax)


ACCEPTED = "class A:\n    a = 1\n    |\n\n\nx = A()\n"


@pytest.mark.parametrize(
    ("text", "written", "harmless"),
    [
        (ACCEPTED, "y = 1", True),
        (ACCEPTED, "def f(self):\n        return 1", True),
        (ACCEPTED, "def f(self):", False),  # the grammar takes a header without a block
        (ACCEPTED, "y = 1\n      z = 2", False),  # and any column
        (ACCEPTED, "return 1", False),
        (ACCEPTED, "f() = 1", False),
        ("def f():\n    return 1\n|\n", "return 2", False),
        ("def f():\n    |\n    return 1\n", "if a:\n        b()", True),
        ("def f():\n    |\n    return 1\n", "if a:", False),
    ],
)
def test_python_is_what_python_accepts(text: str, written: str, harmless: bool) -> None:
    assert validity_at("x = 0\n" + text).does_no_harm(written.encode()) == harmless


def test_what_is_broken_elsewhere_is_no_reason() -> None:
    found = validity_at("def f(:\n    pass\n\n\ndef g():\n    |\n")
    assert found.is_whole(b"x = 1")
    assert not found.is_whole(b"x = (")
    assert not found.was_accepted


def test_a_header_without_a_block_is_harm_in_a_file_that_lacks_one_too() -> None:
    found = validity_at("class A:\n    |\n\n\nx = A()\n")
    assert not found.was_accepted
    assert not found.does_no_harm(b"def f(self):")
    assert found.does_no_harm(b"a = 1")


def test_what_the_line_lacks_has_to_come() -> None:
    found = validity_at("x = |\n")
    assert not found.is_whole(b"")
    assert not found.was_accepted
    assert found.is_whole(b"1")
    assert found.does_no_harm(b"")


def test_other_languages_have_their_grammar() -> None:
    found = validity_at("function f() {\n  |\n}\n", "a.js")
    assert found.was_accepted
    assert found.is_whole(b"return 1;")
    assert not found.does_no_harm(b"return (;")


def test_only_what_is_near_is_compiled() -> None:
    """Of a file too large to compile at every line, the statements around the cursor."""
    far = "def f(a):\n    return a\n\n\n" * 2000
    found = validity_at(f"{far}def g():\n    |\n\n\n{far}")
    began = time.process_time()
    assert not found.is_accepted(b"if a:")
    assert found.is_accepted(b"return 1")
    assert time.process_time() - began < 5  # the whole would take longer each time


def test_rules_count_where_the_grammar_refuses_another_place() -> None:
    """The language takes the last line, which the grammar reads as an index without a semicolon."""
    text = "function f(a) {\n  const b = a\n  |\n}\n\nconst g = () => {\n}\n\n[...h].forEach(g)\n"
    validity = validity_at(text, "a.js")
    assert validity.syntax.errors == validity.syntax.errors_elsewhere > 0
    assert not validity.does_no_harm(b"const b = 2")
    assert validity.does_no_harm(b"const c = 2")


def test_rules_do_not_count_where_the_place_itself_is_refused() -> None:
    validity = validity_at("function f(a) {\n  const b = a\n  g(|\n}\n", "a.js")
    assert validity.syntax.errors > validity.syntax.errors_elsewhere
    assert validity.does_no_harm(b"b)")
