"""Where completions end, case by case; stopping early agrees with cutting afterwards."""

import random

import pytest
from tiny_model import QWEN2, write_tiny_model

from midline.model.fim import Cursor
from midline.model.gguf import read_gguf
from midline.model.stopping import (
    Extent,
    Place,
    completion_end,
    finished_text,
    stop_condition,
    whole_characters,
    written_bytes,
)
from midline.model.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("stopping") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


def place_at(text: str) -> Place:
    """The place of the `|` in `text`."""
    before, after = text.split("|")
    return Place.of(Cursor(before.encode(), after.encode(), before.count("\n")))


@pytest.mark.parametrize(
    ("text", "extent"),
    [
        ("x = |", Extent.STATEMENT),
        ("x = |\ny\n", Extent.STATEMENT),
        ("x = |  \n", Extent.STATEMENT),
        ("    |\n", Extent.BLOCK),
        ("|", Extent.BLOCK),
        ("f(|)", Extent.LINE),
        ("    |return x\n", Extent.LINE),
        ("x = |\r\ny", Extent.STATEMENT),
        ("if x|\n\n    y()\n", Extent.LINE),
    ],
)
def test_extent(text: str, extent: Extent) -> None:
    assert place_at(text).extent is extent


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
        "x;\n  y;\n  x;\n  y;\n  x;\n  y;\n  x;\n",
        "x;\n  y;",
    ),
    "pieces over and over are cut to one": ("x = |", "a" + ", abc" * 60, "a, abc"),
}


@pytest.mark.parametrize(("text", "written", "expected"), FINISHED.values(), ids=FINISHED)
def test_finished_text(text: str, written: str, expected: str) -> None:
    assert finished_text(written, place_at(text), complete=True) == expected


@pytest.mark.parametrize(("text", "written", "expected"), FINISHED.values(), ids=FINISHED)
def test_stopping_early_never_changes_what_is_shown(text: str, written: str, expected: str) -> None:
    """Drawing character by character, what is there when it stops is cut to the same text."""
    place = place_at(text)
    for size in range(len(written) + 1):
        end = completion_end(written[:size], place)
        if end is not None:
            assert finished_text(written[:size], place, complete=True) == expected
            break


def test_some_ends_need_no_look_ahead() -> None:
    assert completion_end("1;\n", place_at("int x = |")) == 2
    assert completion_end("g();\n", place_at("f() {\n    |")) is None
    assert completion_end("    g();\n}\n", place_at("f() {\n|")) == 10


def test_an_unfinished_last_line_is_dropped_behind_whole_ones() -> None:
    place = place_at("def f():\n    |")
    assert finished_text("a = 1\n    b = (2,", place, complete=False) == "a = 1"
    assert finished_text("a = (1, 2,", place, complete=False) == "a = (1, 2,"
    assert finished_text("a, b", place_at("f(|)"), complete=False) == "a, b"


def test_a_ruler_is_no_run() -> None:
    ruler = "# " + "-" * 78
    assert finished_text(ruler, place_at("|"), complete=True) == ruler


def test_the_place_looks_at_the_next_line_that_is_not_blank() -> None:
    place = Place.of(Cursor(b"a\n  x\xff", b" = y\r\n\r\n \n  end\r\n", 1))
    assert (place.fragment, place.rest, place.following) == ("  x\ufffd", " = y", "  end")
    assert Place.of(Cursor(b"", b"", 0)).following == ""


@pytest.mark.parametrize("text", ["é", "a你", "x😀", "plain", ""])
def test_unfinished_characters_are_left_out(text: str) -> None:
    data = text.encode()
    for size in range(len(data) + 1):
        shown = whole_characters(data[:size])
        assert text.startswith(shown)
        assert len(shown.encode()) > size - 4
    assert whole_characters(data) == text
    assert whole_characters(data + b"\xff") == text + "\ufffd"


def test_the_stop_condition_follows_each_sample(tokenizer: Tokenizer) -> None:
    stop = stop_condition(tokenizer, place_at("x = |"), 2)
    ids = tokenizer.encode("= value")
    assert not stop(0, ids[:1])
    assert not stop(0, ids)
    assert not stop(1, tokenizer.encode("= v"))
    assert stop(0, [*ids, *tokenizer.encode("\ny =")])
    assert not stop(1, tokenizer.encode("= va"))


def test_markers_end_a_text(tokenizer: Tokenizer) -> None:
    fim = tokenizer.fim
    assert fim is not None
    ids = tokenizer.encode("abc")
    for marker in (fim.prefix, *tokenizer.end_tokens):
        assert stop_condition(tokenizer, place_at("x = |"), 0)(0, [*ids, marker])
        assert written_bytes(tokenizer, [*ids, marker, *ids]) == b"abc"


def test_random_texts_never_end_outside_themselves() -> None:
    dice = random.Random(11)
    pieces = ["\n", "\n\n", "    ", "  ", "}", "{", "(", ")", "x = 1", "return", "else", "'", "\t"]
    for _ in range(3000):
        written = "".join(dice.choices(pieces, k=dice.randint(0, 12)))
        around = "".join(dice.choices(pieces, k=4)) + "|" + "".join(dice.choices(pieces, k=4))
        place = place_at(around)
        for complete in (False, True):
            end = completion_end(written, place, complete=complete)
            assert end is None or 0 <= end <= len(written)
            assert written.startswith(finished_text(written, place, complete=complete))
