"""Grammars by file name, errors around a cursor, trees kept from version to version."""

import random
import subprocess
import sys

import pytest

from midline.model.completion import syntax
from midline.model.completion.fim import Cursor
from midline.model.completion.syntax import (
    GRAMMARS,
    MAX_BYTES,
    MAX_LINE_BYTES,
    SyntaxAround,
    language_of,
)

PROGRAM = """import os


def total(values):
    # every value counts
    result = 0
    for value in values:
        result += value
    return result


class Cart:
    def add(self, item):
        self.items.append(item)
"""


def around(marked: str, name: str = "a.py") -> SyntaxAround:
    before, after = marked.split("|")
    found = SyntaxAround.of(Cursor(before.encode(), after.encode(), before.count("\n"), name))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("a.py", "python"),
        ("A.PY", "python"),
        ("x.test.ts", "typescript"),
        ("view.tsx", "tsx"),
        ("a.h", "cpp"),
        ("Makefile", None),
        ("notes.xyz", None),
        ("", None),
    ],
)
def test_the_language_is_told_by_the_suffix(name: str, language: str | None) -> None:
    assert language_of(name) == language


def test_the_editors_identifier_chooses_the_grammar() -> None:
    cursor = Cursor(b"package main\n", b"", 1, "", language="go")
    found = SyntaxAround.of(cursor)
    assert found is not None
    assert found.language == "go"
    assert SyntaxAround.of(Cursor(b"x = 1\n", b"", 1, "", language="plaintext")) is None


@pytest.mark.parametrize("language", GRAMMARS)
def test_every_grammar_is_a_dependency_and_parses(language: str) -> None:
    found = syntax.parser(language)
    assert found is not None
    assert not found.parse(b"").root_node.has_error


def test_nothing_is_parsed_without_a_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = syntax.Grammar("tree_sitter_that_is_not_here")
    monkeypatch.setitem(GRAMMARS, "python", absent)
    syntax.parser.cache_clear()
    try:
        assert SyntaxAround.of(Cursor(b"x = ", b"", 0, "a.py")) is None
    finally:
        syntax.parser.cache_clear()
    assert absent.package == "tree-sitter-that-is-not-here"


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"x = '" + b"a" * MAX_LINE_BYTES, b"'\n"), (b"x = 1\n" * (MAX_BYTES // 6), b"x = 2\n")],
)
def test_data_and_very_large_texts_are_not_parsed(before: bytes, after: bytes) -> None:
    assert SyntaxAround.of(Cursor(before, after, 0, "a.py")) is None


def test_errors_are_counted_where_they_are() -> None:
    assert around(PROGRAM + "|").errors == 0
    here = around("x = (1 +| \ny = 2\n")
    assert (here.errors > 0, here.errors_elsewhere) == (True, 0)
    there = around("def f(:\n    pass\n\n\nx = 1\nz = |2\n")
    assert there.errors == there.errors_elsewhere > 0


def test_what_is_written_is_judged_in_its_place() -> None:
    found = around("def f(x):\n    return g(|\n\n\ny = 1\n")
    assert found.errors > 0
    assert found.errors_with(b"x)") == 0
    assert found.errors_with("'é你')".encode()) == 0
    assert found.errors_with(b"x") > 0


def test_an_error_without_a_node_of_its_own_is_one() -> None:
    assert around("package a\n\nvar b| c\n", "a.go").errors == 0
    assert around("package a\n\nfuncticD resul|\nfunc k() {}\n", "a.go").errors > 0


def test_a_cut_text_is_parsed_from_a_definition_on() -> None:
    cut = PROGRAM[PROGRAM.index("counts") :]
    found = SyntaxAround.of(Cursor(cut.encode(), b"\n", 50, "a.py"))
    assert found is not None
    assert found.errors == 0


def test_the_cursor_is_inside_what_it_does_not_only_touch() -> None:
    types = [node.type for node in around("f(a, |b)\n").enclosing()]
    assert types[:2] == ["argument_list", "call"]
    assert "string" in [node.type for node in around("x = 'a|b'\n").enclosing()]
    assert "string" not in [node.type for node in around("x = 'ab'|\n").enclosing()]
    assert "comment" in [node.type for node in around("x = 1  # why|\n").ending()]
    assert "decorator" in [node.type for node in around("@cache\n|\ndef f(): pass\n").ending()]


def test_trees_kept_from_version_to_version_are_those_of_a_fresh_parse() -> None:
    """Random edits, each parsed from the tree before it, against parsers that know nothing."""
    dice, text = random.Random(5), PROGRAM
    pieces = ["x", "(", ")", "\n    ", " = 1\n", "é", "'", "return ", ":", ""]
    fresh = syntax.parser("python")
    assert fresh is not None
    for _ in range(150):
        at = dice.randrange(len(text))
        text = text[:at] + dice.choice(pieces) + text[at + dice.choice([0, 0, 1, 4]) :]
        data = text.encode()
        cut = len(text[:at].encode())
        found = SyntaxAround.of(Cursor(data[:cut], data[cut:], data[:cut].count(b"\n"), "a.py"))
        assert found is not None
        assert (found.errors == 0) == (not fresh.parse(data).root_node.has_error)


def test_no_grammar_is_loaded_before_a_text_needs_it() -> None:
    code = (
        "import sys, midline.server.cli.main, midline.model.completion.complete;"
        "sys.exit(any(name.startswith('tree_sitter') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0
