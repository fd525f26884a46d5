"""Where completions end, and what around the cursor decides it."""

import pytest
from tiny_model import QWEN2, write_tiny_model

from midline.model.fim import Cursor
from midline.model.gguf import read_gguf
from midline.model.stopping import (
    Extent,
    Place,
    completion_end,
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


def test_some_ends_need_no_look_ahead() -> None:
    assert completion_end("1;\n", place_at("int x = |")) == 2
    assert completion_end("g();\n", place_at("f() {\n    |")) is None
    assert completion_end("    g();\n}\n", place_at("f() {\n|")) == 10


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
